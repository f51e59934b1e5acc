/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenarios: layers of assignments over the defaults. Order of the layers: preset, scenario file,
 * --set; within a layer, later beats earlier.
 */
#include "scenario.h"

#include <string.h>

static void assignment_clear(void *p)
{
	struct assignment *a = p;

	g_free(a->name);
	g_free(a->text);
	g_free(a->origin);
}

struct scenario *scenario_new(void)
{
	struct scenario *s = g_new0(struct scenario, 1);

	s->config = config_new();
	s->assignments = g_array_new(FALSE, TRUE, sizeof(struct assignment));
	g_array_set_clear_func(s->assignments, assignment_clear);
	s->sweep = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(s->sweep, NULL);
	return s;
}

static void unresolve(struct scenario *s)
{
	g_clear_pointer(&s->traces, g_ptr_array_unref);
	g_clear_pointer(&s->runs, g_array_unref);
	g_clear_pointer(&s->first, trace_close);
	s->workload = NULL;
	s->generator = NULL;
}

void scenario_free(struct scenario *s)
{
	if (!s)
		return;
	unresolve(s);
	config_free(s->config);
	g_array_unref(s->assignments);
	g_ptr_array_unref(s->sweep);
	g_clear_pointer(&s->located, g_ptr_array_unref);
	g_free(s->located_origin);
	g_free(s->path);
	g_free(s);
}

struct scenario *scenario_copy(const struct scenario *from)
{
	struct scenario *s = scenario_new();

	config_free(s->config);
	s->config = config_copy(from->config);
	s->path = g_strdup(from->path);
	for (unsigned i = 0; i < from->assignments->len; i++) {
		const struct assignment *a = &g_array_index(from->assignments, struct assignment, i);
		struct assignment copy = {g_strdup(a->name), g_strdup(a->text), g_strdup(a->origin)};

		g_array_append_val(s->assignments, copy);
	}
	g_ptr_array_set_size(s->sweep, 0);
	for (unsigned i = 0; i < from->sweep->len; i++)
		g_ptr_array_add(s->sweep, g_strdup(from->sweep->pdata[i]));
	s->located = from->located ? g_ptr_array_ref(from->located) : NULL;
	s->located_origin = g_strdup(from->located_origin);
	return s;
}

/* ---- layers ---- */

struct preset_layer {
	struct config *config;
	char *origin;
};

static bool preset_line(void *arg, const char *section, const char *key, const char *value, unsigned line,
			GError **error)
{
	struct preset_layer *l = arg;
	g_autofree char *name = key ? g_strdup_printf("%s.%s", section, key) : NULL;

	(void)line;
	return !key || config_set(l->config, name, value, l->origin, error);
}

static bool apply_preset(struct config *c, const char *preset, GError **error)
{
	const char *text = preset_text(preset);
	g_autofree char *origin = g_strdup_printf("preset %s", preset);
	struct preset_layer layer = {c, origin};

	if (!text) {
		g_auto(GStrv) names = preset_names();
		const char *near = nearest_name(preset, (const char *const *)names, g_strv_length(names));
		g_autofree char *all = g_strjoinv(", ", names);

		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "unknown preset '%s'%s%s%s (there are: %s)", preset,
			    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", all);
		return false;
	}
	return ini_scan(origin, text, preset_line, &layer, error);
}

static const struct assignment *last_of(const struct scenario *s, const char *name)
{
	for (unsigned i = s->assignments->len; i-- > 0;) {
		const struct assignment *a = &g_array_index(s->assignments, struct assignment, i);

		if (!strcmp(a->name, name))
			return a;
	}
	return NULL;
}

static bool apply(struct config *c, const struct assignment *a, GError **error)
{
	if (config_set(c, a->name, a->text, a->origin, error))
		return true;
	g_prefix_error(error, "%s: ", a->origin);
	return false;
}

/* All layers anew: needed when the preset or the generator changes, as both decide what lies below. */
static bool rebuild(struct scenario *s, GError **error)
{
	const struct assignment *preset = last_of(s, "scenario.preset"),
				*generator = last_of(s, "workload.generator");
	struct config *c = config_new();
	bool ok = true;

	if (preset && *preset->text) {
		ok = apply_preset(c, preset->text, error);
		if (!ok)
			g_prefix_error(error, "%s: ", preset->origin);
	}
	if (ok && generator)
		ok = apply(c, generator, error);
	for (unsigned i = 0; ok && i < s->assignments->len; i++)
		ok = apply(c, &g_array_index(s->assignments, struct assignment, i), error);
	config_free(ok ? s->config : c);
	if (ok)
		s->config = c;
	return ok;
}

static void add_assignment(struct scenario *s, const char *name, const char *text, const char *origin)
{
	struct assignment a = {g_strdup(name), g_strdup(text), g_strdup(origin)};

	g_array_append_val(s->assignments, a);
}

bool scenario_set(struct scenario *s, const char *name, const char *text, const char *origin, GError **error)
{
	bool ok;

	add_assignment(s, name, text, origin);
	if (!strcmp(name, "scenario.preset") || !strcmp(name, "workload.generator"))
		ok = rebuild(s, error);
	else
		ok = apply(s->config,
			   &g_array_index(s->assignments, struct assignment, s->assignments->len - 1), error);
	if (!ok)
		g_array_set_size(s->assignments, s->assignments->len - 1);
	else
		unresolve(s);
	return ok;
}

/* ---- reading ---- */

static bool unknown_section(const char *section, unsigned line, const char *path, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *all = NULL;
	const char *near;

	for (const struct param_table *const *t = config_tables(); *t; t++)
		if (!g_ptr_array_find(names, (*t)->section, NULL))
			g_ptr_array_add(names, (void *)(*t)->section);
	g_ptr_array_add(names, (void *)"sweep");
	near = nearest_name(section, (const char *const *)names->pdata, names->len);
	g_ptr_array_add(names, NULL);
	all = g_strjoinv(" ", (char **)names->pdata);
	if (near)
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "%s:%u: unknown section [%s]; did you mean [%s]?", path, line, section, near);
	else
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "%s:%u: unknown section [%s] (there are: %s)", path, line, section, all);
	return false;
}

static bool known_section(const char *section)
{
	for (const struct param_table *const *t = config_tables(); *t; t++)
		if (!strcmp((*t)->section, section))
			return true;
	return !strcmp(section, "sweep");
}

static bool scenario_line(void *arg, const char *section, const char *key, const char *value, unsigned line,
			  GError **error)
{
	struct scenario *s = arg;
	g_autofree char *origin = g_strdup_printf("%s:%u", s->path, line), *name = NULL;
	const struct assignment *before;

	if (!known_section(section))
		return unknown_section(section, line, s->path, error);
	if (!key)
		return true;
	if (!strcmp(section, "sweep")) {
		g_ptr_array_insert(s->sweep, (int)s->sweep->len - 1, g_strdup_printf("%s=%s", key, value));
		return true;
	}
	name = g_strdup_printf("%s.%s", section, key);
	before = last_of(s, name);
	if (before) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "%s: %s was set before, at %s; keep one of them", origin, name, before->origin);
		return false;
	}
	add_assignment(s, name, value, origin);
	return true;
}

/* The file of the same folder whose name is nearest to that of path; NULL if none is near. */
static char *nearest_file(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path), *base = g_path_get_basename(path);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name, *near;

	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".ini"))
			g_ptr_array_add(names, g_strdup(name));
	if (dir)
		g_dir_close(dir);
	near = nearest_name(base, (const char *const *)names->pdata, names->len);
	if (!near)
		return NULL;
	return strcmp(folder, ".") || g_str_has_prefix(path, "./") ? g_build_filename(folder, near, NULL)
								   : g_strdup(near);
}

static bool read_text(const char *path, char **text, GError **error)
{
	GError *why = NULL;
	size_t len;

	if (!g_file_get_contents(path, text, &len, &why)) {
		g_autofree char *near = why->code == G_FILE_ERROR_NOENT ? nearest_file(path) : NULL;

		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "%s: scenario could not be read: %s%s%s%s", path, why->message,
			    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		g_error_free(why);
		return false;
	}
	if (strlen(*text) != len || !g_utf8_validate(*text, -1, NULL)) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "%s: not a scenario: want text with [sections] and key = value lines (a trace is "
			    "run with "
			    "`dmasim replay`)",
			    path);
		return false;
	}
	return true;
}

struct scenario *scenario_load(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	struct scenario *s;

	if (g_file_test(path, G_FILE_TEST_IS_DIR) || g_str_has_suffix(path, ".json"))
		return scenario_load_result(path, error);
	if (!read_text(path, &text, error))
		return NULL;
	s = scenario_new();
	s->path = g_strdup(path);
	if (!ini_scan(path, text, scenario_line, s, error) || !rebuild(s, error)) {
		scenario_free(s);
		return NULL;
	}
	return s;
}

/* ---- looking ---- */

const struct config *scenario_config(const struct scenario *s)
{
	return s->config;
}

char *const *scenario_sweep(const struct scenario *s)
{
	return (char *const *)s->sweep->pdata;
}

void scenario_visit(const struct scenario *s, config_visit_fn fn, void *arg)
{
	config_visit(s->config, fn, arg);
}
