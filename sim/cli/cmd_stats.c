/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim stats: every statistic, memory account and histogram a result carries. */
#include "introspect.h"

#include <jansson.h>
#include <string.h>

static const char *const kind_names[] = {
    [STAT_COUNTER] = "counter",     [STAT_GAUGE] = "gauge",     [STAT_TIME_NS] = "time",
    [STAT_TIME_MAX_NS] = "longest", [STAT_FORMULA] = "formula", [STAT_ABSENT] = "absent",
};

struct listing {
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
	json_t *row;

	if (!wanted(l, name))
		return;
	row = json_object();
	json_object_set_new(row, "name", json_string(name));
	json_object_set_new(row, "kind", json_string(kind));
	json_object_set_new(row, "unit", json_string(unit));
	json_object_set_new(row, "needs_timing", json_boolean(timing));
	json_object_set_new(row, "help", json_string(help));
	json_array_append_new(l->json, row);
	g_ptr_array_add(l->cells, g_strdup(name));
	g_ptr_array_add(l->cells, g_strdup(kind));
	g_ptr_array_add(l->cells, g_strdup(unit));
	g_ptr_array_add(l->cells, g_strdup_printf("%s%s", help, timing ? " (fidelity timing only)" : ""));
}

static void add_table(struct listing *l, const struct stat_table *t)
{
	for (size_t i = 0; i < t->nspecs; i++)
		add_row(l, t->specs[i].name, kind_names[t->specs[i].kind], t->specs[i].unit,
			t->specs[i].needs_timing, t->specs[i].help);
}

static int run(void *options, int nargs, char **args)
{
	g_autoptr(GPtrArray) cells = introspect_cells("statistic", "kind", "unit", "what it is", NULL);
	struct listing l = {.nwords = nargs, .words = args, .json = json_array(), .cells = cells};

	for (const struct stat_group *g = stat_groups; g->table; g++)
		add_table(&l, g->table);
	for (const struct workload_ops *const *w = workloads; *w; w++)
		if ((*w)->stats)
			add_table(&l, (*w)->stats);
	for (int a = 0; a < LEDGER_COUNT; a++) {
		g_autofree char *name = g_strdup_printf("memory.%s", ledger_name(a));

		add_row(&l, name, "memory", "bytes", false, ledger_help(a));
	}
	return introspect_print(options, l.json, cells, 4, 0, nargs ? args[0] : NULL);
}

const struct cli_command cli_command_stats = {
    .name = "stats",
    .args = "[PREFIX...]",
    .help = "list the statistics: kind, unit, what each counts",
    .about = "These are the names in result.json (runs[].stats), the columns of summary.csv and the "
	     "statistics that "
	     "dmasim query takes. A statistic that the run's fidelity does not compute is null.",
    .examples = "dmasim stats qi.\tthe invalidation queue's statistics",
    .group = CLI_GROUP_LEARN,
    .run = run,
};
