/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim config show|check SCENARIO */
#include "introspect.h"
#include "run.h"

#include <jansson.h>
#include <string.h>

static const char *const subcommands[] = {"check", "show", NULL};

struct listing {
	json_t *json;
	GPtrArray *cells;
};

static void add_value(const char *name, const char *text, const char *origin, const struct param_spec *spec,
		      void *arg)
{
	struct listing *l = arg;
	json_t *row = json_object();

	(void)spec;
	json_object_set_new(row, "name", json_string(name));
	json_object_set_new(row, "value", json_string(text));
	json_object_set_new(row, "origin", json_string(origin));
	json_array_append_new(l->json, row);
	g_ptr_array_add(l->cells, g_strdup(name));
	g_ptr_array_add(l->cells, g_strdup(*text ? text : "-"));
	g_ptr_array_add(l->cells, g_strdup(origin));
}

static int show(const struct cli_common *o, const struct scenario *s)
{
	g_autoptr(GPtrArray) cells = introspect_cells("parameter", "value", "from", NULL);
	struct listing l = {.json = json_array(), .cells = cells};

	scenario_visit(s, add_value, &l);
	return introspect_print(o, l.json, cells, 3, 0, NULL);
}

static int check(const struct cli_common *o, const struct scenario *s, const char *path)
{
	unsigned n;
	const struct run_spec *runs = scenario_runs(s, &n);
	GError *error = NULL;
	json_t *list;

	if (!experiment_check(s, &error))
		return cli_fail(error);
	list = json_array();

	for (unsigned i = 0; i < n; i++) {
		const char *mode = iommu_mode_names[runs[i].mode];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I}", "api", runs[i].api->name,
						      "iommu", mode, "kernel", runs[i].kernel->name, "seed",
						      (json_int_t)runs[i].seed));
	}
	if (o->json)
		return cli_print_json(json_pack("{s:s, s:s, s:o}", "scenario", path, "workload",
						scenario_workload(s)->name, "runs", list));
	json_decref(list);
	printf("%s: ok, %u runs of %s\n", path, n, scenario_workload(s)->name);
	return cli_finish_output(CLI_OK);
}

static int run(void *options, int nargs, char **args)
{
	const struct cli_common *o = options;
	GError *error = NULL;
	struct scenario *s;
	int status;

	if (nargs < 1 || (strcmp(args[0], "show") && strcmp(args[0], "check")))
		return nargs ? cli_unknown("config", "subcommand", args[0], subcommands, 2)
			     : cli_usage("config", "wants show or check, and a scenario");
	if (nargs > 2 || (nargs == 1 && !strcmp(args[0], "check")))
		return cli_usage("config", "%s wants one scenario", args[0]);
	s = nargs == 2 ? scenario_load(args[1], &error) : scenario_new();
	if (!s)
		return cli_fail(error);
	if (!cli_apply_run_options(s, o, &error) || (nargs == 2 && !scenario_resolve(s, &error)))
		status = cli_fail(error);
	else
		status = !strcmp(args[0], "show") ? show(o, s) : check(o, s, args[1]);
	scenario_free(s);
	return status;
}

const struct cli_command cli_command_config = {
    .name = "config",
    .args = "show [SCENARIO] | check SCENARIO",
    .help = "show the effective scenario with the origin of each value, or check it",
    .about = "show prints every parameter, its value, and whether it comes from the default, the preset, a "
	     "line of the "
	     "scenario or --set. check reports errors and what would run, without running.",
    .examples =
	"dmasim config show scenarios/nvme-vectored-recorded.ini\tevery value and its origin\n"
	"dmasim config check scenarios/nvme-vectored-recorded.ini --set kernel.version=6.12\twould this run?",
    .group = CLI_GROUP_INPUT,
    .run_options = true,
    .subcommands = subcommands,
    .completes = &cli_words_files,
    .run = run,
};
