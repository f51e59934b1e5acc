/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What completion offers: the names of every table. A place that names words which are none of these does not
 * compile. */
#include "cli.h"

#include "experiment/figures/figure.h"
#include "experiment/validate/validate.h"

static void add(GPtrArray *names, const char *name)
{
	g_ptr_array_add(names, g_strdup(name));
}

static void add_list(GPtrArray *names, const char *const *list)
{
	for (; *list; list++)
		add(names, *list);
}

static void add_apis(GPtrArray *names)
{
	for (const struct dma_api *const *a = dma_apis; *a; a++)
		add(names, (*a)->name);
}

static void add_modes(GPtrArray *names)
{
	add_list(names, iommu_mode_names);
}

static void add_keys(GPtrArray *names)
{
	for (const struct param_table *const *t = config_tables(); *t; t++)
		for (size_t i = 0; i < (*t)->nspecs; i++)
			g_ptr_array_add(names, g_strdup_printf("%s.%s", (*t)->section, (*t)->specs[i].name));
}

static void add_sections(GPtrArray *names)
{
	for (const struct param_table *const *t = config_tables(); *t; t++)
		add(names, (*t)->section);
	add_keys(names);
}

static void add_commands(GPtrArray *names)
{
	for (const struct cli_command *const *c = cli_commands; *c; c++)
		add(names, (*c)->name);
}

static void add_presets(GPtrArray *names)
{
	g_auto(GStrv) list = preset_names();

	add_list(names, (const char *const *)list);
}

static void add_figures(GPtrArray *names)
{
	for (const struct figure *f = figures; f->name; f++)
		add(names, f->name);
}

static void add_table(GPtrArray *names, const struct stat_table *t)
{
	for (size_t i = 0; t && i < t->nspecs; i++)
		add(names, t->specs[i].name);
}

static void add_stats(GPtrArray *names)
{
	for (const struct stat_group *g = stat_groups; g->table; g++)
		add_table(names, g->table);
	for (const struct workload_ops *const *w = workloads; *w; w++)
		add_table(names, (*w)->stats);
}

static void add_formats(GPtrArray *names)
{
	for (const struct trace_format *const *f = trace_formats(); *f; f++)
		add(names, (*f)->name);
}

static void add_fidelities(GPtrArray *names)
{
	add_list(names, param_find(&scenario_param_table, "fidelity")->choices);
}

static void add_workloads(GPtrArray *names)
{
	for (const struct workload_ops *const *w = workloads; *w; w++)
		add(names, (*w)->name);
}

static void add_inputs(GPtrArray *names)
{
	add_list(names, trace_workload_names);
}

static void add_studies(GPtrArray *names)
{
	g_auto(GStrv) list = validate_ids();

	add_list(names, (const char *const *)list);
}

static void add_names(GPtrArray *names)
{
	add_sections(names);
	add_stats(names);
	add_apis(names);
	add_modes(names);
	add_workloads(names);
	for (int a = 0; a < LEDGER_COUNT; a++)
		add(names, ledger_name(a));
}

/* clang-format off */
const struct cli_words cli_words_files = {0},
		       cli_words_apis = {.add = add_apis},
		       cli_words_modes = {.add = add_modes},
		       cli_words_keys = {.add = add_sections},
		       cli_words_settings = {.add = add_keys, .suffix = "="},
		       cli_words_commands = {.add = add_commands},
		       cli_words_presets = {.add = add_presets},
		       cli_words_figures = {.add = add_figures},
		       cli_words_stats = {.add = add_stats},
		       cli_words_formats = {.add = add_formats},
		       cli_words_fidelities = {.add = add_fidelities},
		       cli_words_workloads = {.add = add_workloads},
		       cli_words_inputs = {.add = add_inputs},
		       cli_words_studies = {.add = add_studies},
		       cli_words_names = {.add = add_names};
/* clang-format on */

char **cli_words(const struct cli_words *w)
{
	GPtrArray *names;

	if (w && w->text)
		return g_strsplit(w->text, " ", -1);
	names = g_ptr_array_new();
	if (w && w->add)
		w->add(names);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}
