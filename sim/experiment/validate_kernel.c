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
