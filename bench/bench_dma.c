/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host time of the DMA layer in counts fidelity: one map and unmap of a 4 KiB page, one 32-page request. */
#include <dmasim/config.h>
#include <dmasim/dma-mapping.h>
#include "machine/machine.h"
#include <stdio.h>
#include <time.h>

#define ROUNDS 500000u
#define PAGES 32u

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void map_page(struct device *dev, unsigned i)
{
	phys_addr_t phys = 0x100000 + (phys_addr_t)(i % 64) * PAGE_SIZE;
	dma_addr_t a = dma_map_page(dev, phys, 0, PAGE_SIZE, DMA_TO_DEVICE);

	dma_unmap_page(dev, a, PAGE_SIZE, DMA_TO_DEVICE);
}

static phys_addr_t scattered(unsigned i)
{
	return 0x100000 + (phys_addr_t)(i * 2) * PAGE_SIZE;
}

static void map_list(struct device *dev, unsigned i)
{
	struct sg_table t;
	struct scatterlist *sg;
	int n;

	(void)i;
	if (sg_alloc_table(dev->sim, &t, PAGES))
		return;
	for_each_sg (t.sgl, sg, (int)PAGES, n)
		sg_set_phys(sg, scattered((unsigned)n), PAGE_SIZE);
	if (!dma_map_sgtable(dev, &t, DMA_TO_DEVICE, 0))
		dma_unmap_sgtable(dev, &t, DMA_TO_DEVICE, 0);
	sg_free_table(dev->sim, &t);
}

static void link_pages(struct device *dev, unsigned i)
{
	struct dma_iova_state s;
	int err = 0;

	(void)i;
	if (!dma_iova_try_alloc(dev, &s, 0, PAGES * PAGE_SIZE))
		return;
	for (unsigned n = 0; n < PAGES; n++)
		err |= dma_iova_link(dev, &s, scattered(n), n * PAGE_SIZE, PAGE_SIZE, DMA_TO_DEVICE, 0);
	err |= dma_iova_sync(dev, &s, 0, PAGES * PAGE_SIZE);
	dma_iova_destroy(dev, &s, err ? 0 : PAGES * PAGE_SIZE, DMA_TO_DEVICE, 0);
}

static void bench(const char *what, void (*op)(struct device *, unsigned), enum iommu_mode mode,
		  enum kernel_version kernel, unsigned rounds)
{
	struct config *config = config_new();
	struct machine *m = machine_new(config, mode, &kernel_profiles[kernel], FIDELITY_COUNTS, 1, NULL);
	struct device *dev = machine_add_device(m, NULL, NULL);
	double start;

	m->sim.cpu = &m->sim.cpus[0];
	dev->max_segment_size = UINT32_MAX;
	start = now_ns();
	for (unsigned i = 0; i < rounds; i++)
		op(dev, i);
	printf("%-8s %-12s %-5s %8.1f ns\n", what, iommu_mode_names[mode], kernel_profiles[kernel].name,
	       (now_ns() - start) / rounds);
	machine_free(m);
	config_free(config);
}

int main(void)
{
	for (enum iommu_mode mode = IOMMU_PASSTHROUGH; mode < IOMMU_MODES; mode++) {
		for (enum kernel_version k = 0; k < KERNEL_VERSIONS; k++)
			bench("page", map_page, mode, k, ROUNDS);
		bench("list32", map_list, mode, KERNEL_6_12, ROUNDS / 20);
		if (mode >= IOMMU_LAZY)
			bench("link32", link_pages, mode, KERNEL_7_0, ROUNDS / 20);
	}
	return 0;
}
