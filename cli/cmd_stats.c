/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim stats: every statistic, memory account and histogram a result carries. */
#include "introspect.h"

#include "models/vtd/perf_names.h"
#include <jansson.h>
#include <string.h>

struct stats_options {
	struct cli_common common;
	gboolean perf_names;
};

struct listing {
	bool perf_names; /* only what perf has a name for, with that name */
	int nwords;
	char **words;
	json_t *json;
	GPtrArray *cells;
};

static bool wanted(const struct listing *l, const char *name)
{
	for (int i = 0; i < l->nwords; i++)
		if (g_str_has_prefix(name, l->words[i]))
			return true;
	return l->nwords == 0;
}

static void add_row(struct listing *l, const char *name, const char *kind, const char *unit, bool timing,
		    const char *help)
{
	const struct perf_name *perf = perf_name_find(name);
	json_t *row;

	if (!wanted(l, name) || (l->perf_names && !perf))
		return;
	row = json_object();
	json_object_set_new(row, "name", json_string(name));
	json_object_set_new(row, "kind", json_string(kind));
	json_object_set_new(row, "unit", json_string(unit));
	json_object_set_new(row, "needs_timing", json_boolean(timing));
	json_object_set_new(row, "help", json_string(help));
	if (perf && perf->pmu)
		json_object_set_new(row, "perf_dmar", json_string(perf->pmu));
	if (perf && perf->uncore)
		json_object_set_new(row, "perf_uncore", json_string(perf->uncore));
	json_array_append_new(l->json, row);
	g_ptr_array_add(l->cells, g_strdup(name));
	if (l->perf_names) {
		g_ptr_array_add(l->cells, g_strdup(perf->pmu ? perf->pmu : "-"));
		g_ptr_array_add(l->cells, g_strdup(perf->uncore ? perf->uncore : "-"));
		g_ptr_array_add(l->cells, g_strdup(help));
		return;
	}
	g_ptr_array_add(l->cells, g_strdup(kind));
	g_ptr_array_add(l->cells, g_strdup(unit));
	g_ptr_array_add(l->cells, g_strdup_printf("%s%s", help, timing ? " (fidelity timing only)" : ""));
}

static void add_table(struct listing *l, const struct stat_table *t)
{
	for (size_t i = 0; i < t->nspecs; i++)
		add_row(l, t->specs[i].name, stat_kind_name(t->specs[i].kind), t->specs[i].unit,
			t->specs[i].needs_timing, t->specs[i].help);
}

static int run(void *options, int nargs, char **args)
{
	const struct stats_options *o = options;
	g_autoptr(GPtrArray)
	    cells = o->perf_names
			? introspect_cells("statistic", "dmar event", "uncore event", "what it is", NULL)
			: introspect_cells("statistic", "kind", "unit", "what it is", NULL);
	struct listing l = {.nwords = nargs,
			    .words = args,
			    .json = json_array(),
			    .cells = cells,
			    .perf_names = o->perf_names};

	for (const struct stat_group *g = stat_groups; g->table; g++)
		add_table(&l, g->table);
	for (const struct workload_ops *const *w = workloads; *w; w++)
		if ((*w)->stats)
			add_table(&l, (*w)->stats);
	for (int a = 0; a < LEDGER_COUNT; a++) {
		g_autofree char *name = g_strdup_printf("memory.%s", ledger_name(a));

		add_row(&l, name, "memory", "bytes", false, ledger_help(a));
	}
	return introspect_print(&o->common, l.json, cells, 4, 0, nargs ? args[0] : NULL);
}

static const struct cli_option stats_options[] = {
    {"perf-names", 0, CLI_FLAG, offsetof(struct stats_options, perf_names), NULL,
     "only statistics that Intel's counters have, with the events' names in perf", NULL},
    {0},
};

const struct cli_command cli_command_stats = {
    .name = "stats",
    .args = "[PREFIX...]",
    .help = "list the statistics: kind, unit, what each counts",
    .about = "These are the names in result.json (runs[].stats), the columns of summary.csv and the "
	     "statistics that "
	     "dmasim query takes. A statistic that the run's fidelity does not compute is null.",
    .examples = "dmasim stats qi.\tthe invalidation queue's statistics\n"
		"dmasim stats --perf-names\twhat to measure with perf stat beside a run",
    .group = CLI_GROUP_LEARN,
    .completes = &cli_words_stats,
    .options = stats_options,
    .options_size = sizeof(struct stats_options),
    .run = run,
};
