/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published costs of the kernel's own steps: page tables, address allocation, map benchmark. */
#include "validate_internal.h"

#include <math.h>
#include <string.h>

/* ---- page tables ---- */

/*
 * Gunthorpe, "Consolidate iommu page table implementations" (generic_pt), kernel lists 2025: average ns
 * of one call, i7-12700, hot caches, no invalidation. Costs are fitted on the second-stage rows of 4
 * KiB pages (54 + 1.32 n and so on); everything else is predicted.
 */
struct page_table {
	const char *curve, *label, *kernel, *pages, *unit;
	bool first_stage, non_coherent, fitted;
	double map, unmap; /* unmap 0: not published */
};
static const struct page_table page_table[] = {
    {"second stage, generic", "1 x 4 KiB", "7.0", "1", "4KiB", false, false, true, 55, 69},
    {"second stage, generic", "256 x 4 KiB", "7.0", "256", "4KiB", false, false, true, 391, 210},
    {"second stage, generic", "256 x 2 MiB", "7.0", "256", "2MiB", false, false, false, 383, 255},
    {"second stage, before", "1 x 4 KiB", "6.12", "1", "4KiB", false, false, true, 65, 87},
    {"second stage, before", "256 x 4 KiB", "6.12", "256", "4KiB", false, false, true, 518, 321},
    {"second stage, before", "256 x 2 MiB", "6.12", "256", "2MiB", false, false, false, 635, 349},
    {"first stage, generic", "1 x 4 KiB", "7.0", "1", "4KiB", true, false, false, 56, 71},
    {"first stage, generic", "256 x 4 KiB", "7.0", "256", "4KiB", true, false, false, 405, 228},
    {"first stage, generic", "256 x 2 MiB", "7.0", "256", "2MiB", true, false, false, 393, 254},
    {"walker that does not snoop", "1 x 4 KiB", "7.0", "1", "4KiB", false, true, false, 250, 0},
};
/* CAP and ECAP of a unit with scalable mode and first stage: Sapphire Rapids class boot log. */
#define SCALABLE_CAP "0x19ed008c40780c66"
#define SCALABLE_ECAP "0x3ee9e86f050df"

static void page_table_row(struct validate_run_context *ctx, const struct page_table *t)
{
	struct validate_result *r = validate_scenario(
	    ctx, NULL, "legacy", "lazy", "workload.kind", "map_bench", "map_bench.pages", t->pages,
	    "map_bench.unit", t->unit, "map_bench.contiguous", "true", "map_bench.how",
	    strcmp(t->kernel, "7.0") ? "sg" : "link", "kernel.version", t->kernel, "map_bench.iterations",
	    "500", "map_bench.warm_up", "600", "iommu.scalable", t->first_stage ? "true" : "false",
	    "iommu.cap", t->first_stage ? SCALABLE_CAP : "0x8d2078c106f0466", "iommu.ecap",
	    t->first_stage    ? SCALABLE_ECAP
	    : t->non_coherent ? "0xf020de"
			      : "0xf020df",
	    NULL);
	g_autofree char *map = g_strconcat("map ", t->label, NULL),
			*unmap = g_strconcat("unmap ", t->label, NULL);
	double model = validate_stat(r, "map_bench.pt_map_ns");

	if (t->non_coherent) /* flushes of map and unmap are one sum: half of it each */
		model = (model - 55.32) / 2 + 55.32;
	if (t->fitted) {
		validate_add_fitted(ctx, t->curve, map, NAN, model, t->map);
		validate_add_fitted(ctx, t->curve, unmap, NAN, validate_stat(r, "map_bench.pt_unmap_ns"),
				    t->unmap);
	} else {
		validate_add(ctx, t->curve, map, NAN, model, t->map, 0.10);
		if (t->unmap > 0)
			validate_add(ctx, t->curve, unmap, NAN, validate_stat(r, "map_bench.pt_unmap_ns"),
				     t->unmap, 0.10);
	}
	validate_result_free(r);
}

void study_page_table(struct validate_run_context *ctx)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(page_table); i++)
		page_table_row(ctx, &page_table[i]);
}

/* ---- dma_map_benchmark on ARM: shapes only ---- */

static double bench(struct validate_run_context *ctx, const char *pages, const char *threads,
		    const char *stat)
{
	struct validate_result *r = validate_scenario(
	    ctx, "icelake-sp", "legacy", "strict", "workload.kind", "map_bench", "map_bench.how", "sg",
	    "map_bench.pages", pages, "map_bench.threads", threads, "map_bench.iterations", "500",
	    "map_bench.warm_up", "300", "kernel.version", "6.12", NULL);
	double v = validate_stat(r, stat);

	validate_result_free(r);
	return v;
}

void study_map_benchmark(struct validate_run_context *ctx)
{
	double map1 = bench(ctx, "1", "1", "map_bench.map_ns"),
	       unmap1 = bench(ctx, "1", "1", "map_bench.unmap_ns");
	double map256 = bench(ctx, "256", "1", "map_bench.map_ns");
	double unmap256 = bench(ctx, "256", "1", "map_bench.unmap_ns");

	validate_add(ctx, "Morello, SMMUv3", "4 KiB, unmap / map", NAN, unmap1 / map1, 6, 0);
	validate_add(ctx, "Morello, SMMUv3", "1 MiB, unmap / map", NAN, unmap256 / map256, 26, 0);
	validate_add(ctx, "Morello, SMMUv3", "1 MiB, unmap, 4 threads / 1", NAN,
		     bench(ctx, "256", "4", "map_bench.unmap_ns") / unmap256, 2.2, 0);
	/* rIOMMU (ASPLOS 2015), table 1, second hand: one invalidation in cycles. */
	validate_add(ctx, "rIOMMU table 1 (unconfirmed)", "invalidation, share of a strict unmap", NAN,
		     (unmap1 - bench(ctx, "1", "1", "map_bench.pt_unmap_ns")) / unmap1, 0.7, 0);
}

/* ---- address allocation: davidlohr/dma-opt-clamp-report (2026), EPYC 9124, lazy ---- */

/*
 * Function profiler, 16 jobs. Cached and tree costs are this machine's: fitted on the 4 KiB row
 * (cached) and on the tree functions alone; the other rows are predicted.
 */
static struct validate_result *allocator(struct validate_run_context *ctx, const char *pages,
					 const char *threads, const char *fixed)
{
	return validate_scenario(ctx, NULL, "link", "lazy", "kernel.version", "7.0", "cpu.count", "32",
				 "cpu.cost_iova_alloc_hit", "410", "cpu.cost_iova_free_hit", "193",
				 "cpu.cost_iova_tree_fixed", "1090", "cpu.cost_iova_tree_level", "30",
				 "workload.kind", "map_bench", "map_bench.pages", pages,
				 "map_bench.contiguous", "true", "map_bench.threads", threads,
				 "map_bench.depth", "8", "map_bench.iterations", "2000", "map_bench.warm_up",
				 "1000", "map_bench.fixed", fixed, "map_bench.how", "link", NULL);
}

void study_allocator(struct validate_run_context *ctx)
{
	static const char cached[] = "cached sizes", tree[] = "2 MiB, not cached";
	struct validate_result *small = allocator(ctx, "1", "16", "100us");
	struct validate_result *mid = allocator(ctx, "32", "16", "100us");
	struct validate_result *large = allocator(ctx, "512", "16", "4500us");
	double big;

	validate_add_fitted(ctx, cached, "4 KiB, allocate, ns", NAN,
			    validate_stat(small, "map_bench.iova_alloc_ns"), 410);
	validate_add_fitted(ctx, cached, "4 KiB, free, ns", NAN,
			    validate_stat(small, "map_bench.iova_free_ns"), 193);
	validate_add(ctx, cached, "128 KiB, allocate, ns", NAN, validate_stat(mid, "map_bench.iova_alloc_ns"),
		     422, 0.25);
	validate_add(ctx, cached, "128 KiB, free, ns", NAN, validate_stat(mid, "map_bench.iova_free_ns"), 288,
		     0.25);
	big = validate_stat(large, "map_bench.iova_alloc_ns");
	validate_add(ctx, tree, "allocate and free, ns", NAN, big, 2295 + 1074, 0.25);
	validate_add(ctx, tree, "allocate and free, against 128 KiB", NAN,
		     big / (validate_stat(mid, "map_bench.iova_alloc_ns") +
			    validate_stat(mid, "map_bench.iova_free_ns")),
		     4.7, 0.25);
	validate_result_free(small);
	validate_result_free(mid);
	validate_result_free(large);
}
