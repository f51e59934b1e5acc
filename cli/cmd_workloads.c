/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim workloads: what can be run, from which records, and the generators that make them. */
#include "introspect.h"

#include <jansson.h>
#include <string.h>

static json_t *generators_json(const struct workload_ops *w, GString *names)
{
	json_t *list = json_array();

	for (const struct trace_generator *const *g = trace_generators(); g && *g; g++) {
		json_t *row;

		if (!w->needs_trace || (*g)->workload != w->input)
			continue;
		row = json_object();
		json_object_set_new(row, "name", json_string((*g)->name));
		json_object_set_new(row, "help", json_string((*g)->help));
		json_array_append_new(list, row);
		g_string_append_printf(names, "%s%s", names->len ? ", " : "", (*g)->name);
	}
	return list;
}

static int run(void *options, int nargs, char **args)
{
	g_autoptr(GPtrArray) cells = introspect_cells("workload", "input", "what it is", "generators", NULL);
	json_t *json = json_array();

	if (nargs)
		return cli_usage("workloads", "takes no argument ('%s')", args[0]);
	for (const struct workload_ops *const *w = workloads; *w; w++) {
		g_autoptr(GString) names = g_string_new(NULL);
		const char *input = (*w)->needs_trace ? trace_workload_names[(*w)->input] : "none";
		json_t *row = json_object();

		json_object_set_new(row, "name", json_string((*w)->name));
		json_object_set_new(row, "help", json_string((*w)->help));
		json_object_set_new(row, "input", (*w)->needs_trace ? json_string(input) : json_null());
		json_object_set_new(row, "generators", generators_json(*w, names));
		json_array_append_new(json, row);
		g_ptr_array_add(cells, g_strdup((*w)->name));
		g_ptr_array_add(cells, g_strdup(input));
		g_ptr_array_add(cells, g_strdup((*w)->help));
		g_ptr_array_add(cells, g_strdup(names->len ? names->str : "-"));
	}
	return introspect_print(options, json, cells, 4, 0, NULL);
}

const struct cli_command cli_command_workloads = {
    .name = "workloads",
    .args = "",
    .help = "list the workloads, their inputs and generators",
    .about = "A workload that needs records takes them from workload.trace (a file) or workload.generator.",
    .group = CLI_GROUP_LEARN,
    .run = run,
};
