/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time series (--interval): one row per interval and run; counters as what was added in the interval,
 * gauges and memory as they stand. Rows go to an unlinked temporary file, so that memory does not
 * grow with the trace.
 */
#include "lane.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct series {
	FILE *file;
	int error; /* errno of the first row that could not be kept */
	sim_time_t interval, next;
	uint64_t *before; /* per statistic of stat_groups */
};

static bool listed(const struct stat_spec *s)
{
	return s->kind != STAT_FORMULA && !stat_is_histogram(s);
}

/* Shown as it stands, not as what an interval added. */
static bool standing(const struct stat_spec *s)
{
	return s->kind == STAT_GAUGE || s->kind == STAT_TIME_MAX_NS;
}

/* In TMPDIR, gone as soon as it is closed. */
static FILE *temporary_file(void)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "dmasim-series-XXXXXX", NULL);
	int fd = g_mkstemp(path);

	if (fd < 0)
		return NULL;
	unlink(path);
	return fdopen(fd, "w+");
}

struct series *series_new(sim_time_t interval)
{
	struct series *s = g_new0(struct series, 1);
	unsigned n = 0;

	for (const struct stat_group *g = stat_groups; g->table; g++)
		n += (unsigned)g->table->nspecs;
	s->before = g_new0(uint64_t, n);
	s->interval = interval;
	s->next = interval;
	s->file = temporary_file();
	s->error = s->file ? 0 : errno;
	return s;
}

static void write_row(struct series *s, const struct machine *m, sim_time_t at)
{
	unsigned n = 0;

	fprintf(s->file, "%" G_GUINT64_FORMAT, at / SIM_NS);
	for (const struct stat_group *g = stat_groups; g->table; g++)
		for (size_t i = 0; i < g->table->nspecs; i++, n++) {
			const struct stat_spec *spec = &g->table->specs[i];
			struct stat_value v;

			if (!listed(spec))
				continue;
			v = stat_read(spec, (const char *)m + g->offset, m->sim.fidelity);
			if (v.type == STAT_NULL) {
				fputc(',', s->file);
				continue;
			}
			fprintf(s->file, ",%" G_GUINT64_FORMAT, standing(spec) ? v.i : v.i - s->before[n]);
			s->before[n] = v.i;
		}
	for (int a = 0; a < LEDGER_COUNT; a++)
		fprintf(s->file, ",%" G_GUINT64_FORMAT, m->sim.ledger.accounts[a].current);
	fputc('\n', s->file);
}

bool series_failed(struct series *s, GError **error)
{
	if (s->file && fflush(s->file) && !s->error)
		s->error = errno;
	if (!s->error)
		return false;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT,
		    "the time series could not be kept in a temporary file: %s; want a longer --interval, or "
		    "TMPDIR where there is room",
		    g_strerror(s->error));
	return true;
}

void series_sample(struct series *s, const struct machine *m, bool last)
{
	if (!s->file)
		return;
	while (m->sim.now >= s->next && !(m->sim.interrupt && *m->sim.interrupt) && !ferror(s->file)) {
		write_row(s, m, s->next);
		s->next += s->interval;
	}
	if (last)
		write_row(s, m, m->sim.now);
	if (ferror(s->file) && !s->error)
		s->error = errno;
}

FILE *series_take(struct series *s)
{
	return g_steal_pointer(&s->file);
}

char *series_heading(void)
{
	GString *h = g_string_new("time_ns");

	for (const struct stat_group *g = stat_groups; g->table; g++)
		for (size_t i = 0; i < g->table->nspecs; i++)
			if (listed(&g->table->specs[i]))
				g_string_append_printf(h, ",%s", g->table->specs[i].name);
	for (int a = 0; a < LEDGER_COUNT; a++)
		g_string_append_printf(h, ",memory.%s", ledger_name(a));
	return g_string_free(h, FALSE);
}

void series_free(struct series *s)
{
	if (s->file)
		fclose(s->file);
	g_free(s->before);
	g_free(s);
}
