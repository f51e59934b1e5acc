/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading results back: for plots and reports, and to run one again from itself. */
#include "scenario.h"

#include "experiment/sweep/sweep.h"
#include <jansson.h>
#include <string.h>

static char *file_of(const char *path, const char *name)
{
	g_autofree char *dir = NULL;

	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return g_build_filename(path, name, NULL);
	if (!strcmp(name, "result.json"))
		return g_strdup(path);
	dir = g_path_get_dirname(path);
	return g_build_filename(dir, name, NULL);
}

json_t *result_load(const char *path, GError **error)
{
	g_autofree char *file = file_of(path, "result.json");
	json_error_t why;
	json_t *doc;
	const char *schema;

	if (!g_file_test(file, G_FILE_TEST_EXISTS) && sweep_exists(path))
		return sweep_db_load(path, error);
	doc = json_load_file(file, JSON_REJECT_DUPLICATES, &why);
	if (!doc) {
		if (why.line > 0)
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT, "%s:%d: not a result: %s", file,
				    why.line, why.text);
		else
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT,
				    "%s: %s; want a result directory as `dmasim run -o DIR` writes it", file,
				    why.text);
		return NULL;
	}
	schema = json_string_value(json_object_get(doc, "schema"));
	if (!schema || strcmp(schema, "dmasim-result") ||
	    json_integer_value(json_object_get(doc, "schema_version")) != 1) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT,
			    "%s: not a result of this program (want schema dmasim-result, version 1)", file);
		json_decref(doc);
		return NULL;
	}
	if (!result_check(doc, file, error))
		g_clear_pointer(&doc, json_decref);
	return doc;
}

/* Where the inputs lay when the result was made, as timing.json tells; NULL if it does not. */
static GPtrArray *input_paths(const char *path)
{
	g_autofree char *file = file_of(path, "timing.json");
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
	json_t *doc = json_load_file(file, 0, NULL), *input;
	size_t i;

	json_array_foreach (json_object_get(doc, "inputs"), i, input) {
		if (json_is_string(input))
			g_ptr_array_add(list, g_strdup(json_string_value(input)));
	}
	json_decref(doc);
	return list;
}

struct scenario *scenario_load_result(const char *path, GError **error)
{
	static const char *const first[] = {"scenario.preset", "workload.generator"};
	g_autofree char *origin = file_of(path, "result.json");
	json_t *doc = result_load(path, error), *values, *value;
	struct scenario *s;
	const char *name;
	bool ok = true;

	if (!doc)
		return NULL;
	s = scenario_new();
	values = json_object_get(doc, "scenario");
	s->located = input_paths(path);
	s->located_origin = g_strdup(origin);
	/* These two decide which other keys exist and what lies under them. */
	for (size_t i = 0; ok && i < G_N_ELEMENTS(first); i++) {
		value = json_object_get(values, first[i]);
		ok = !value || scenario_set(s, first[i], json_string_value(value), origin, error);
	}
	json_object_foreach (values, name, value) {
		const char *text = json_string_value(value);

		if (!ok || !text || !strcmp(name, first[0]) || !strcmp(name, first[1]))
			continue;
		ok = scenario_set(s, name, text, origin, error);
	}
	json_decref(doc);
	if (ok)
		return s;
	scenario_free(s);
	return NULL;
}
