/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim presets: machines described as .ini files; each value with its source. */
#include "introspect.h"

#include <jansson.h>
#include <string.h>

/* The first comment line of a preset says what it is. */
static char *first_comment(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **l = lines; *l; l++)
		if (**l == '#' && !strstr(*l, "SPDX"))
			return g_strstrip(g_strdup(*l + 1));
	return g_strdup("");
}

static json_t *values_json(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *section = g_strdup("");
	g_autoptr(GString) source = g_string_new(NULL);
	json_t *values = json_array();

	for (char **l = lines; *l; l++) {
		char *line = g_strstrip(*l), *equals = strchr(line, '=');

		if (g_str_has_prefix(line, "# source:")) {
			g_string_assign(source, g_strstrip(line + 9));
		} else if (*line == '[' && strchr(line, ']')) {
			g_free(section);
			section = g_strndup(line + 1, strcspn(line + 1, "]"));
		} else if (*line && *line != '#' && equals) {
			g_autofree char *key = g_strstrip(g_strndup(line, (size_t)(equals - line)));
			json_t *row = json_object();

			json_object_set_new(row, "name", json_sprintf("%s.%s", section, key));
			json_object_set_new(row, "value", json_string(g_strstrip(equals + 1)));
			json_object_set_new(row, "source",
					    source->len ? json_string(source->str) : json_null());
			json_array_append_new(values, row);
			g_string_truncate(source, 0);
		}
	}
	return values;
}

static int show(const struct cli_common *o, const char *name)
{
	const char *text = preset_text(name);

	if (!text) {
		g_auto(GStrv) names = preset_names();

		return cli_unknown("presets", "preset", name, (const char *const *)names,
				   g_strv_length(names));
	}
	if (o->json)
		return cli_print_json(json_pack("{s:s, s:o}", "name", name, "values", values_json(text)));
	fputs(text, stdout);
	return cli_finish_output(CLI_OK);
}

static int run(void *options, int nargs, char **args)
{
	g_autoptr(GPtrArray) cells = introspect_cells("preset", "what it is", NULL);
	g_auto(GStrv) names = preset_names();
	json_t *json;

	if (nargs > 1)
		return cli_usage("presets", "takes at most one preset");
	if (nargs)
		return show(options, args[0]);
	json = json_array();
	for (char **n = names; *n; n++) {
		g_autofree char *help = first_comment(preset_text(*n));

		json_array_append_new(json, json_pack("{s:s, s:s}", "name", *n, "help", help));
		g_ptr_array_add(cells, g_strdup(*n));
		g_ptr_array_add(cells, g_strdup(help));
	}
	return introspect_print(options, json, cells, 2, 0, NULL);
}

const struct cli_command cli_command_presets = {
    .name = "presets",
    .args = "[NAME]",
    .help = "list the machine presets, or print one with the source of each value",
    .about = "A scenario names one with preset = NAME in [scenario]; its own keys beat the preset's.",
    .examples = "dmasim presets broadwell-ep\tevery value and where it comes from",
    .group = CLI_GROUP_LEARN,
    .completes = &cli_words_presets,
    .run = run,
};
