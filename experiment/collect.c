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
		collect_table(r, ops->stats, w->stats);
	r->ledger = m->sim.ledger;
	collect_histogram(r, "qi.page_span", "pages", true, m->vtd_stats.page_span);
	collect_histogram(r, "iommu.map_size", "bytes", true, m->dma_stats.map_size);
	collect_histogram(r, "iommu.unmap_size", "bytes", true, m->dma_stats.unmap_size);
	collect_histogram(r, "iova.alloc_pages", "pages", true, m->dma_stats.iova_pages);
	collect_histogram(r, "io.latency_ns", "ns", false, m->io.latency_ns);
	if (w->curve.nrows) {
		r->curve = w->curve;
		r->curve.values = g_memdup2(r->curve.values, (gsize)r->curve.nrows * r->curve.ncolumns *
								 sizeof(*r->curve.values));
	}
}

/* ---- warm-up: what had been counted when the measured part began ---- */

bool stat_is_additive(const struct stat_spec *s)
{
	/* Times of CPUs are sums over steps; ratios and rates are not. */
	return s->kind == STAT_COUNTER || s->kind == STAT_TIME_NS ||
	       (s->kind == STAT_FORMULA && !strcmp(s->unit, "ns") && g_str_has_prefix(s->name, "cpu."));
}

static void subtract_value(const struct stat_spec *s, struct stat_value *v, const struct stat_value *before)
{
	if (v->type == STAT_INT && before->type == STAT_INT && stat_is_additive(s))
		v->i -= before->i;
	else if (v->type == STAT_REAL && before->type == STAT_REAL && stat_is_additive(s))
		v->d -= before->d;
	else if (s->kind == STAT_FORMULA)
		v->type = STAT_NULL; /* a ratio over the measured part alone is not known here */
}

struct difference {
	struct hist *out;
	GHashTable *before; /* lowest value of a bucket -> count */
};

static void note_bucket(uint64_t lo, uint64_t hi, uint64_t count, void *arg)
{
	struct difference *d = arg;
	uint64_t *entry = g_new(uint64_t, 2);

	(void)hi;
	entry[0] = lo;
	entry[1] = count;
	g_hash_table_insert(d->before, entry, entry);
}

static void subtract_bucket(uint64_t lo, uint64_t hi, uint64_t count, void *arg)
{
	struct difference *d = arg;
	const uint64_t *entry = g_hash_table_lookup(d->before, &lo);

	(void)hi;
	if (!entry || count > entry[1])
		hist_add(d->out, lo, count - (entry ? entry[1] : 0));
}

static void subtract_histogram(struct run_histogram *h, const struct run_histogram *before, bool exact)
{
	struct difference d = {exact ? hist_new_exact() : hist_new_log(),
			       g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL)};

	hist_visit(before->hist, note_bucket, &d);
	hist_visit(h->hist, subtract_bucket, &d);
	hist_free(h->hist);
	h->hist = d.out;
	g_hash_table_unref(d.before);
}

void run_subtract(struct run_result *r, const struct run_result *before)
{
	for (unsigned i = 0; i < r->nstats; i++)
		subtract_value(r->specs[i], &r->stats[i], &before->stats[i]);
	for (unsigned i = 0; i < r->nhistograms; i++)
		subtract_histogram(&r->histograms[i], &before->histograms[i],
				   strcmp(r->histograms[i].name, "io.latency_ns") != 0);
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
