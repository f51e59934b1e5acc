/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One figure of the table in docs/performance.md per call, with what it is measured against, once: "value
 * baseline". ./run calls it again and again and makes medians of it.
 *
 *   bench_figures FIGURE [SCALE]   SCALE 1 takes a second or less
 */
#include "floor.h"
#include "stack.h"

#include <dmasim/dma-mapping.h>
#include "models/pcie/pcie.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES 118u /* of the IOTLB: iotlb.entries unless a preset says otherwise */

#define LIVE_SECONDS 0.2

static double scale = 1;

static uint64_t scaled(double n)
{
	return (uint64_t)(n * scale);
}

/* ---- requests per second of the stack, of the floor ---- */

static double floor_rate(unsigned segments)
{
	uint64_t n = scaled(segments > 1 ? 2e5 : 4e6), check;
	double t = floor_run(n, segments, ENTRIES, &check);

	return check ? (double)n / t : 0;
}

static double rate(const char *api, enum iommu_mode mode, enum fidelity f, enum stack_load load)
{
	uint64_t n = scaled(load == STACK_SCATTERED ? 3e4 : f == FIDELITY_TIMING ? 2e5 : 5e5);

	return (double)n / stack_run(dma_api_find(api), mode, f, load, n, NULL);
}

static void strict(void)
{
	double value = rate("legacy", IOMMU_STRICT, FIDELITY_COUNTS, STACK_PAGE);

	printf("%g %g\n", value, floor_rate(1));
}

static void lazy(void)
{
	double value = rate("legacy", IOMMU_LAZY, FIDELITY_COUNTS, STACK_PAGE);

	printf("%g %g\n", value, floor_rate(1));
}

static void passthrough(void)
{
	double value = rate("legacy", IOMMU_PASSTHROUGH, FIDELITY_COUNTS, STACK_PAGE);

	printf("%g %g\n", value, floor_rate(1));
}

static void link_api(void)
{
	double value = rate("link", IOMMU_STRICT, FIDELITY_COUNTS, STACK_PAGE);

	printf("%g %g\n", value, floor_rate(1));
}

static void timing(void)
{
	double value = rate("legacy", IOMMU_STRICT, FIDELITY_TIMING, STACK_PAGE);

	printf("%g %g\n", value, rate("legacy", IOMMU_STRICT, FIDELITY_COUNTS, STACK_PAGE));
}

/* Pages: the slower of the two APIs. */
static void scattered(void)
{
	double legacy = rate("legacy", IOMMU_STRICT, FIDELITY_COUNTS, STACK_SCATTERED);
	double linked = rate("link", IOMMU_STRICT, FIDELITY_COUNTS, STACK_SCATTERED);

	printf("%g %g\n", MIN(legacy, linked) * STACK_SEGMENTS, floor_rate(STACK_SEGMENTS) * STACK_SEGMENTS);
}

/* ---- a machine with one device ---- */

struct bare {
	struct config *config;
	struct machine *m;
	struct device *dev;
};

static struct bare bare_new(void)
{
	struct bare b = {.config = config_new()};

	b.m = machine_new(b.config, IOMMU_STRICT, &kernel_profiles[KERNEL_7_0], FIDELITY_COUNTS, 1, NULL);
	b.dev = machine_add_device(b.m, NULL, NULL);
	b.m->sim.cpu = &b.m->sim.cpus[0];
	b.dev->max_segment_size = UINT32_MAX;
	dma_set_mask(b.dev, UINT64_MAX);
	return b;
}

static void bare_free(struct bare *b)
{
	machine_free(b->m);
	config_free(b->config);
}

/* Physical pages that no two neighbours of are neighbours. */
static phys_addr_t page_at(uint64_t i)
{
	return 0x100000 + i * 2 % 0x400000 * PAGE_SIZE;
}

/* Reads of 64 bytes over so many pages in turn, beside the floor's translations alone. */
static void translations(unsigned pages)
{
	struct bare b = bare_new();
	dma_addr_t *at = g_new(dma_addr_t, pages);
	uint64_t n = scaled(4e6), check, bad = 0;
	double start, t;

	for (unsigned p = 0; p < pages; p++)
		at[p] = dma_map_page(b.dev, page_at(p), 0, PAGE_SIZE, DMA_TO_DEVICE);
	start = stack_seconds();
	for (uint64_t i = 0; i < n; i++) {
		struct pcie_dma d = {
		    .fn = b.dev->pci, .op = PCIE_READ, .addr = at[i % pages], .len = 64, .pasid = NO_PASID};

		bad += pcie_dma(&d, 0) != 0;
	}
	t = stack_seconds() - start;
	if (bad)
		exit(1);
	printf("%g %g\n", (double)n / t, (double)n / floor_translate(n, pages, ENTRIES, &check));
	g_free(at);
	bare_free(&b);
}

static void hits(void)
{
	translations(ENTRIES / 2);
}

static void misses(void)
{
	translations(4 * ENTRIES);
}

/* ---- the DMA API alone ---- */

/* A page of a range of 1 GiB linked and unlinked, as a page fault and its invalidation do. */
static void odp(void)
{
	struct bare b = bare_new();
	uint64_t n = scaled(1e6), pages = GIB >> PAGE_SHIFT;
	struct dma_iova_state s;
	int err = 0;
	double start;

	if (!dma_iova_try_alloc(b.dev, &s, 0, GIB))
		exit(1);
	start = stack_seconds();
	for (uint64_t i = 0; i < n; i++) {
		size_t offset = i * 7919 % pages * PAGE_SIZE;

		err |= dma_iova_link(b.dev, &s, page_at(i), offset, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
		err |= dma_iova_sync(b.dev, &s, offset, PAGE_SIZE);
		dma_iova_unlink(b.dev, &s, offset, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	}
	printf("%g %g\n", (double)n / (stack_seconds() - start), err ? 0 : 12e6);
	dma_iova_free(b.dev, &s);
	bare_free(&b);
}

/* Seconds for 64 GiB in pieces of 2 MiB that no large page fits. */
static void map64g(void)
{
	const uint64_t piece = 2 * MIB, total = 64 * GIB;
	struct bare b = bare_new();
	struct dma_iova_state s;
	int err = 0;
	double start;

	if (!dma_iova_try_alloc(b.dev, &s, 0, total))
		exit(1);
	start = stack_seconds();
	for (uint64_t at = 0; at < total; at += piece)
		err |= dma_iova_link(b.dev, &s, 0x101000 + at / 4, at, piece, DMA_BIDIRECTIONAL, 0);
	err |= dma_iova_sync(b.dev, &s, 0, total);
	dma_iova_destroy(b.dev, &s, total, DMA_BIDIRECTIONAL, 0);
	printf("%g %g\n", stack_seconds() - start, err ? 0 : 2.0);
	bare_free(&b);
}

/* Nanoseconds per map and unmap of a range that no cache holds, with so many of them mapped. */
static double live_cost(unsigned live)
{
	const unsigned pages = 33;
	struct bare b = bare_new();
	dma_addr_t *at = g_new(dma_addr_t, live);
	struct rng rng;
	unsigned rounds = 0;
	double start;

	rng_init(&rng, 1, "live");
	for (unsigned i = 0; i < live; i++)
		at[i] = dma_map_page(b.dev, 0x100000, 0, pages * PAGE_SIZE, DMA_TO_DEVICE);
	start = stack_seconds();
	for (; rounds < 200 || stack_seconds() - start < LIVE_SECONDS; rounds++) {
		unsigned k = (unsigned)rng_below(&rng, live);

		dma_unmap_page(b.dev, at[k], pages * PAGE_SIZE, DMA_TO_DEVICE);
		at[k] = dma_map_page(b.dev, 0x100000, 0, pages * PAGE_SIZE, DMA_TO_DEVICE);
	}
	start = stack_seconds() - start;
	g_free(at);
	bare_free(&b);
	return start / rounds * 1e9;
}

static void live_1000(void)
{
	printf("%g 0\n", live_cost(1000));
}

static void live_10000(void)
{
	printf("%g %g\n", live_cost(10000), live_cost(1000));
}

static void live_100000(void)
{
	printf("%g %g\n", live_cost(100000), live_cost(1000));
}

static const struct {
	const char *name;
	void (*measure)(void);
} figures[] = {
    {"strict", strict},
    {"lazy", lazy},
    {"passthrough", passthrough},
    {"link", link_api},
    {"timing", timing},
    {"scattered", scattered},
    {"hits", hits},
    {"misses", misses},
    {"odp", odp},
    {"map64g", map64g},
    {"live-1000", live_1000},
    {"live-10000", live_10000},
    {"live-100000", live_100000},
};

int main(int argc, char **argv)
{
	if (argc > 2)
		scale = atof(argv[2]);
	for (size_t i = 0; argc > 1 && i < G_N_ELEMENTS(figures); i++)
		if (!strcmp(argv[1], figures[i].name)) {
			figures[i].measure();
			return 0;
		}
	fprintf(stderr, "usage: bench_figures FIGURE [SCALE], FIGURE one of");
	for (size_t i = 0; i < G_N_ELEMENTS(figures); i++)
		fprintf(stderr, " %s", figures[i].name);
	fprintf(stderr, "\n");
	return 2;
}
