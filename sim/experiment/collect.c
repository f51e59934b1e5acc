/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a finished machine to the plain numbers of a run. */
#include "internal.h"

#include <string.h>

static unsigned count_stats(const struct workload_ops *ops)
{
	unsigned n = ops->stats ? (unsigned)ops->stats->nspecs : 0;

	for (const struct stat_group *g = stat_groups; g->table; g++)
		n += (unsigned)g->table->nspecs;
	return n;
}

static void collect_table(struct run_result *r, const struct stat_table *t, const void *values)
{
	for (size_t i = 0; i < t->nspecs; i++) {
		r->specs[r->nstats] = &t->specs[i];
		r->stats[r->nstats++] = stat_read(&t->specs[i], values, r->spec.fidelity);
	}
}

static void collect_histogram(struct run_result *r, const char *name, const char *unit, bool exact,
			      const struct hist *h)
{
	struct run_histogram *out = &r->histograms[r->nhistograms++];

	g_assert(r->nhistograms <= G_N_ELEMENTS(r->histograms));
	out->name = name;
	out->unit = unit;
	out->hist = exact ? hist_new_exact() : hist_new_log();
	if (h)
		hist_merge(out->hist, h);
}

void run_collect(struct run_result *r, struct machine *m, const struct workload_ops *ops, struct workload *w)
{
	unsigned n = count_stats(ops);

	r->specs = g_new0(const struct stat_spec *, n);
	r->stats = g_new0(struct stat_value, n);
	for (const struct stat_group *g = stat_groups; g->table; g++)
		collect_table(r, g->table, (const char *)m + g->offset);
	if (ops->stats)
		collect_table(r, ops->stats, ops->stats_values(w));
	r->ledger = m->sim.ledger;
	collect_histogram(r, "qi.page_span", "pages", true, m->vtd_stats.page_span);
	collect_histogram(r, "iommu.map_size", "bytes", true, m->dma_stats.map_size);
	collect_histogram(r, "iommu.unmap_size", "bytes", true, m->dma_stats.unmap_size);
	collect_histogram(r, "iova.alloc_pages", "pages", true, m->dma_stats.iova_pages);
	collect_histogram(r, "io.latency_ns", "ns", false, m->io.latency_ns);
	if (ops->curve && ops->curve(w)) {
		r->curve = *ops->curve(w);
		r->curve.values = g_memdup2(r->curve.values, (gsize)r->curve.nrows * r->curve.ncolumns *
								 sizeof(*r->curve.values));
	}
}

void run_clear(struct run_result *r)
{
	for (unsigned i = 0; i < r->nhistograms; i++)
		hist_free(r->histograms[i].hist);
	if (r->series)
		fclose(r->series);
	g_free(r->curve.values);
	g_free(r->specs);
	g_free(r->stats);
}

struct stat_value run_stat(const struct run_result *r, const char *name)
{
	for (unsigned i = 0; i < r->nstats; i++)
		if (!strcmp(r->specs[i]->name, name))
			return r->stats[i];
	return (struct stat_value){.type = STAT_NULL};
}
