/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim params: every parameter of every model, from the models' own tables. */
#include "cli.h"
#include "introspect.h"

#include <jansson.h>
#include <string.h>

static const char *const type_names[] = {
    [PARAM_BOOL] = "bool",   [PARAM_UINT] = "integer", [PARAM_SIZE] = "size",     [PARAM_TIME] = "time",
    [PARAM_DOUBLE] = "real", [PARAM_ENUM] = "choice",  [PARAM_STRING] = "string",
};

static char *range_text(const struct param_spec *s)
{
	char *range = param_range(s);

	return range ? range : g_strdup(type_names[s->type]);
}

static json_t *param_json(const char *section, const struct param_spec *s)
{
	json_t *row = json_object();

	json_object_set_new(row, "name", json_sprintf("%s.%s", section, s->name));
	json_object_set_new(row, "type", json_string(type_names[s->type]));
	json_object_set_new(row, "unit", json_string(param_unit(s)));
	json_object_set_new(row, "default", json_string(s->def ? s->def : ""));
	if (s->min != 0 || s->max != 0) {
		json_object_set_new(row, "min", json_real(s->min));
		json_object_set_new(row, "max", json_real(s->max));
	}
	if (s->choices) {
		json_t *choices = json_array();

		for (const char *const *c = s->choices; *c; c++)
			json_array_append_new(choices, json_string(*c));
		json_object_set_new(row, "choices", choices);
	}
	json_object_set_new(row, "help", json_string(s->help));
	json_object_set_new(row, "source", s->source ? json_string(s->source) : json_null());
	return row;
}

/* True when the table or parameter matches one of the words (a section, or section.key). */
static bool wanted(const char *section, const char *key, int n, char **words)
{
	g_autofree char *full = g_strdup_printf("%s.%s", section, key);

	for (int i = 0; i < n; i++)
		if (!strcmp(words[i], section) || !strcmp(words[i], full))
			return true;
	return n == 0;
}

static void add_table(const struct param_table *t, int n, char **words, json_t *json, GPtrArray *cells)
{
	for (size_t i = 0; i < t->nspecs; i++) {
		const struct param_spec *s = &t->specs[i];

		if (!wanted(t->section, s->name, n, words))
			continue;
		json_array_append_new(json, param_json(t->section, s));
		g_ptr_array_add(cells, g_strdup_printf("%s.%s", t->section, s->name));
		g_ptr_array_add(cells, g_strdup(s->def && *s->def ? s->def : "-"));
		g_ptr_array_add(cells, range_text(s));
		g_ptr_array_add(cells, g_strdup(s->help));
	}
}

static int run(void *options, int nargs, char **args)
{
	const struct cli_common *o = options;
	g_autoptr(GPtrArray) cells = introspect_cells("parameter", "default", "values", "what it is", NULL);
	json_t *json = json_array();

	for (const struct param_table *const *t = config_tables(); *t; t++)
		add_table(*t, nargs, args, json, cells);
	return introspect_print(o, json, cells, 4, 0, nargs ? args[0] : NULL);
}

const struct cli_command cli_command_params = {
    .name = "params",
    .args = "[SECTION|SECTION.KEY...]",
    .help = "list the parameters: default, range, unit, what each is",
    .about = "Every parameter can stand in a scenario under [SECTION], be set with --set SECTION.KEY=VALUE, "
	     "and be "
	     "varied by a sweep.",
    .examples = "dmasim params iotlb\tthe IOTLB's parameters\ndmasim params --json\tall, with their sources",
    .group = CLI_GROUP_LEARN,
    .completes = &cli_words_keys,
    .run = run,
};
