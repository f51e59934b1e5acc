/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a finished machine to the plain numbers of a run. */
#include "internal.h"

#include <string.h>

/* What a table's values stand at: its numbers and its distributions. */
static void collect_table(struct run_result *r, const struct stat_table *t, const void *values)
{
	for (size_t i = 0; i < t->nspecs; i++) {
		const struct stat_spec *s = &t->specs[i];

		if (stat_is_histogram(s)) {
			struct run_histogram *out = &r->histograms[r->nhistograms++];
			const struct hist *h = stat_histogram(s, values);

			out->spec = s;
			out->hist = s->kind == STAT_HISTOGRAM ? hist_new_exact() : hist_new_log();
			if (h)
				hist_merge(out->hist, h);
			continue;
		}
		r->specs[r->nstats] = s;
		r->stats[r->nstats++] = stat_read(s, values, r->spec.fidelity);
	}
}

static unsigned count_rows(const struct workload_ops *ops)
{
	unsigned n = ops->stats ? (unsigned)ops->stats->nspecs : 0;

	for (const struct stat_group *g = stat_groups; g->table; g++)
		n += (unsigned)g->table->nspecs;
	return n;
}

void run_collect(struct run_result *r, struct machine *m, const struct workload_ops *ops, struct workload *w)
{
	unsigned n = count_rows(ops);

	r->specs = g_new0(const struct stat_spec *, n);
	r->stats = g_new0(struct stat_value, n);
	r->histograms = g_new0(struct run_histogram, n);
	for (const struct stat_group *g = stat_groups; g->table; g++)
		collect_table(r, g->table, (const char *)m + g->offset);
	if (ops->stats)
		collect_table(r, ops->stats, w->stats);
	r->ledger = m->sim.ledger;
	if (w->curve.nrows) {
		r->curve = w->curve;
		r->curve.values = g_memdup2(r->curve.values, (gsize)r->curve.nrows * r->curve.ncolumns *
								 sizeof(*r->curve.values));
	}
	if (m->io.failure[0])
		r->failure = g_strdup(m->io.failure);
}

/* ---- warm-up: what had been counted when the measured part began ---- */

static void subtract_value(const struct stat_spec *s, struct stat_value *v, const struct stat_value *before)
{
	if (v->type == STAT_INT && before->type == STAT_INT && stat_is_additive(s))
		v->i -= before->i;
	else if (v->type == STAT_REAL && before->type == STAT_REAL && stat_is_additive(s))
		v->d -= before->d;
	else if (s->kind == STAT_FORMULA && !s->measured)
		v->type = STAT_NULL; /* a ratio over the measured part alone is not known here */
}

void run_subtract(struct run_result *r, const struct run_result *before)
{
	for (unsigned i = 0; i < r->nstats; i++)
		subtract_value(r->specs[i], &r->stats[i], &before->stats[i]);
	for (unsigned i = 0; i < r->nhistograms; i++)
		hist_subtract(r->histograms[i].hist, before->histograms[i].hist);
}

void run_clear(struct run_result *r)
{
	for (unsigned i = 0; i < r->nhistograms; i++)
		hist_free(r->histograms[i].hist);
	if (r->series)
		fclose(r->series);
	g_free(r->histograms);
	g_free(r->curve.values);
	g_free(r->failure);
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

const char *experiment_all_failed(const struct experiment_result *r)
{
	for (unsigned i = 0; i < r->nruns; i++)
		if (run_stat(&r->runs[i], "io.completed").i || !run_stat(&r->runs[i], "io.failed").i)
			return NULL;
	return r->nruns ? r->runs[0].failure ? r->runs[0].failure : "" : NULL;
}

unsigned experiment_result_runs(const struct experiment_result *r)
{
	return r->nruns;
}

const struct run_spec *experiment_result_spec(const struct experiment_result *r, unsigned run)
{
	return &r->runs[run].spec;
}

struct stat_value experiment_result_stat(const struct experiment_result *r, unsigned run, const char *name)
{
	return run_stat(&r->runs[run], name);
}
