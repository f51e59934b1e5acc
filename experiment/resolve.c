/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a filled scenario to the list of runs: everything that needs more than one key. */
#include "scenario.h"

#include <dmasim/verify.h>
#include <string.h>

void scenario_prefix_origin(const struct scenario *s, const char *name, GError **error)
{
	const char *origin = config_origin(s->config, name);

	if (origin && strcmp(origin, "default"))
		g_prefix_error(error, "%s: ", origin);
}

static bool unknown(const struct scenario *s, const char *key, const char *what, const char *word,
		    const char *const *names, GError **error)
{
	size_t n = g_strv_length((char **)names);
	const char *near = nearest_name(word, names, n);
	g_autofree char *all = g_strjoinv(", ", (char **)names);

	if (near)
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "%s: unknown %s '%s'; did you mean '%s'?", key, what, word, near);
	else
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE, "%s: unknown %s '%s' (want one of: %s)",
			    key, what, word, all);
	scenario_prefix_origin(s, key, error);
	return false;
}

/* The words of a comma-separated value: none twice, at least one. NULL with *error. */
static char **words(const struct scenario *s, const char *key, const char *text, GError **error)
{
	g_auto(GStrv) list = g_strsplit(text ? text : "", ",", -1);

	for (char **w = list; *w; w++) {
		g_strstrip(*w);
		for (char **v = list; v < w; v++)
			if (!strcmp(*v, *w)) {
				g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
					    "%s: '%s' is named twice", key, *w);
				scenario_prefix_origin(s, key, error);
				return NULL;
			}
	}
	if (!list[0] || !*list[0]) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE, "%s: is empty; want at least one name",
			    key);
		scenario_prefix_origin(s, key, error);
		return NULL;
	}
	return g_steal_pointer(&list);
}

static GPtrArray *api_names(void)
{
	GPtrArray *names = g_ptr_array_new();

	for (const struct dma_api *const *a = dma_apis; *a; a++)
		g_ptr_array_add(names, (void *)(*a)->name);
	g_ptr_array_add(names, NULL);
	return names;
}

static bool parse_modes(const struct scenario *s, GArray *modes, GError **error)
{
	const struct compare_params *compare = config_get(s->config, &compare_param_table);
	g_auto(GStrv) list = words(s, "compare.iommu", compare->iommu, error);

	if (!list)
		return false;
	for (char **w = list; *w; w++) {
		enum iommu_mode mode = 0;

		while (iommu_mode_names[mode] && strcmp(iommu_mode_names[mode], *w))
			mode++;
		if (!iommu_mode_names[mode])
			return unknown(s, "compare.iommu", "IOMMU mode", *w, iommu_mode_names, error);
		g_array_append_val(modes, mode);
	}
	return true;
}

static bool check_api(const struct scenario *s, const struct dma_api *api, GError **error)
{
	if (s->workload->any_api || dma_api_path(api, s->workload->kind))
		return true;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
		    "compare.api: '%s' has no path for the workload '%s'", api->name, s->workload->name);
	scenario_prefix_origin(s, "compare.api", error);
	return false;
}

static void spec_clear(void *run)
{
	g_free(((struct run_spec *)run)->kernel_note);
}

/* One run per kernel that can carry the API, in the order in which they are named. */
static bool add_runs(struct scenario *s, const struct run_spec *like, char *const *kernels, GError **error)
{
	bool single = !kernels[1];

	for (char *const *k = kernels; *k; k++) {
		struct run_spec run = *like;

		run.kernel = scenario_kernel(s, like->api, *k, &run.kernel_note, error);
		if (!run.kernel)
			return false;
		if (like->api->needs_iova_api && !run.kernel->has_iova_api) {
			g_clear_pointer(&run.kernel_note, g_free);
			if (single)
				return scenario_lacks_iova_api(s, like->api, run.kernel, error);
			continue;
		}
		g_array_append_val(s->runs, run);
	}
	return true;
}

/* Runs in the order seed, mode, API, kernel. */
static bool make_runs(struct scenario *s, GError **error)
{
	const struct compare_params *compare = config_get(s->config, &compare_param_table);
	const struct scenario_params *p = config_get(s->config, &scenario_param_table);
	const struct kernel_params *kernel = config_get(s->config, &kernel_param_table);
	g_autoptr(GArray) modes = g_array_new(FALSE, FALSE, sizeof(enum iommu_mode));
	g_autoptr(GPtrArray) names = api_names();
	g_auto(GStrv) apis = words(s, "compare.api", compare->api, error);
	g_auto(GStrv) kernels = apis ? words(s, "kernel.version", kernel->version, error) : NULL;

	if (!kernels || !parse_modes(s, modes, error))
		return false;
	g_array_set_clear_func(s->runs, spec_clear);
	for (uint64_t seed = 0; seed < p->seeds; seed++)
		for (unsigned m = 0; m < modes->len; m++)
			for (char **a = apis; *a; a++) {
				struct run_spec run = {.api = dma_api_find(*a),
						       .mode = g_array_index(modes, enum iommu_mode, m),
						       .fidelity = (enum fidelity)p->fidelity,
						       .seed = p->seed + seed};

				if (!run.api)
					return unknown(s, "compare.api", "API", *a,
						       (const char *const *)names->pdata, error);
				if (!check_api(s, run.api, error) || !add_runs(s, &run, kernels, error))
					return false;
			}
	if (s->runs->len)
		return true;
	return scenario_lacks_iova_api(s, dma_api_find(apis[0]), kernel_profile_find("6.15"), error);
}

/* ---- input ---- */

/* A path of workload.trace is relative to the scenario file when it stands in it. */
static char *locate(const struct scenario *s, const char *path)
{
	const char *origin = config_origin(s->config, "workload.trace");
	g_autofree char *prefix = s->path ? g_strdup_printf("%s:", s->path) : NULL;
	g_autofree char *dir = NULL;

	if (!strcmp(path, "-") || g_path_is_absolute(path) || !prefix || !g_str_has_prefix(origin, prefix))
		return g_strdup(path);
	dir = g_path_get_dirname(s->path);
	return strcmp(dir, ".") ? g_build_filename(dir, path, NULL) : g_strdup(path);
}

static bool still_located(const struct scenario *s)
{
	return s->located && s->located->len &&
	       !strcmp(config_origin(s->config, "workload.trace"), s->located_origin);
}

/* A directory stands for the recordings in it. */
static bool add_trace(struct scenario *s, char *path, GError **error)
{
	g_autoptr(GPtrArray) files = NULL;
	g_autofree char *owned = path;

	if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
		g_ptr_array_add(s->traces, g_steal_pointer(&owned));
		return true;
	}
	files = verify_recording_files(path, error);
	for (unsigned i = 0; files && i < files->len; i++)
		g_ptr_array_add(s->traces, g_strdup(files->pdata[i]));
	return files != NULL;
}

static bool list_traces(struct scenario *s, GError **error)
{
	const struct workload_params *w = config_get(s->config, &workload_param_table);
	g_autofree char *whole = w->trace && *w->trace ? locate(s, w->trace) : NULL;
	bool ok = true;

	if (still_located(s)) {
		for (unsigned i = 0; i < s->located->len; i++)
			g_ptr_array_add(s->traces, g_strdup(s->located->pdata[i]));
	} else if (whole && g_file_test(whole, G_FILE_TEST_EXISTS)) {
		ok = add_trace(s, g_steal_pointer(&whole), error);
	} else if (whole) {
		g_auto(GStrv) list = g_strsplit(w->trace, ",", -1);

		for (char **t = list; ok && *t; t++)
			ok = add_trace(s, locate(s, g_strstrip(*t)), error);
	}
	g_ptr_array_add(s->traces, NULL);
	return ok;
}

static bool find_generator(struct scenario *s, GError **error)
{
	const struct workload_params *w = config_get(s->config, &workload_param_table);
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	if (!w->generator || !*w->generator)
		return true;
	s->generator = trace_generator_find(w->generator);
	if (!s->generator) {
		for (const struct trace_generator *const *g = trace_generators(); *g; g++)
			g_ptr_array_add(names, (void *)(*g)->name);
		g_ptr_array_add(names, NULL);
		return unknown(s, "workload.generator", "generator", w->generator,
			       (const char *const *)names->pdata, error);
	}
	if (s->traces->len > 1) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "workload.generator and a trace are both given; want one of them");
		scenario_prefix_origin(s, "workload.generator", error);
		return false;
	}
	return true;
}

/* The kind of records of the first trace, read from its content; the reader stays open for the run. */
static bool implied_input(struct scenario *s, enum trace_workload *input, GError **error)
{
	const struct workload_params *w = config_get(s->config, &workload_param_table);
	struct trace_options o = TRACE_OPTIONS_DEFAULT;

	if (s->generator) {
		*input = s->generator->workload;
		return true;
	}
	if (s->traces->len < 2) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "%s%snothing to run: want workload.trace, workload.generator or workload.kind in "
			    "[workload]",
			    s->path ? s->path : "", s->path ? ": " : "");
		return false;
	}
	o.format = w->format && *w->format ? w->format : NULL;
	o.columns = w->columns;
	o.device = w->device && *w->device ? w->device : NULL;
	o.time_scale = w->time_scale;
	s->first = trace_open(s->traces->pdata[0], &o, error);
	if (!s->first)
		return false;
	*input = trace_reader_workload(s->first);
	return true;
}

static bool find_workload(struct scenario *s, GError **error)
{
	const struct workload_params *w = config_get(s->config, &workload_param_table);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	enum trace_workload input;

	if (w->kind && *w->kind) {
		s->workload = workload_find(w->kind);
		for (const struct workload_ops *const *o = workloads; *o; o++)
			g_ptr_array_add(names, (void *)(*o)->name);
		g_ptr_array_add(names, NULL);
		return s->workload || unknown(s, "workload.kind", "workload", w->kind,
					      (const char *const *)names->pdata, error);
	}
	if (!implied_input(s, &input, error))
		return false;
	s->workload = workload_find(trace_workload_names[input]);
	if (!s->workload)
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT, "no workload takes %s records",
			    trace_workload_names[input]);
	return s->workload != NULL;
}

static bool check_input(const struct scenario *s, GError **error)
{
	bool given = s->traces->len > 1 || s->generator;

	if (s->workload->needs_trace == given)
		return true;
	if (given)
		g_set_error(
		    error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
		    "workload '%s' makes its own load; want neither workload.trace nor workload.generator",
		    s->workload->name);
	else
		g_set_error(
		    error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
		    "workload '%s' needs records; want workload.trace = FILE or workload.generator = NAME "
		    "(dmasim workloads)",
		    s->workload->name);
	scenario_prefix_origin(s, "workload.kind", error);
	return false;
}

bool scenario_resolve(struct scenario *s, GError **error)
{
	if (s->runs)
		return true;
	s->traces = g_ptr_array_new_with_free_func(g_free);
	s->runs = g_array_new(FALSE, TRUE, sizeof(struct run_spec));
	if (list_traces(s, error) && find_generator(s, error) && find_workload(s, error) &&
	    check_input(s, error) && make_runs(s, error))
		return true;
	g_clear_pointer(&s->traces, g_ptr_array_unref);
	g_clear_pointer(&s->runs, g_array_unref);
	g_clear_pointer(&s->first, trace_close);
	return false;
}

char *const *scenario_traces(const struct scenario *s)
{
	return (char *const *)s->traces->pdata;
}

const struct trace_generator *scenario_generator(const struct scenario *s)
{
	return s->generator;
}

const struct workload_ops *scenario_workload(const struct scenario *s)
{
	return s->workload;
}

const struct run_spec *scenario_runs(const struct scenario *s, unsigned *n)
{
	*n = s->runs->len;
	return (const struct run_spec *)s->runs->data;
}
