/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim plot RESULT: figures from result files alone. */
#include "experiment/internal.h"
#include "introspect.h"

#include "experiment/figures/figure.h"
#include <jansson.h>
#include <string.h>

struct plot_options {
	struct cli_common common;
	char *figure, *format, *output;
	gboolean list;
};

static json_t *load(const char *path, char **dir, GError **error)
{
	*dir = g_file_test(path, G_FILE_TEST_IS_DIR) ? g_strdup(path) : g_path_get_dirname(path);
	return result_load(path, error);
}

static int list_figures(const struct plot_options *o, json_t *doc, const char *dir)
{
	g_autoptr(GPtrArray) cells = introspect_cells("figure", doc ? "drawable" : "script", "shows", NULL);
	json_t *list = json_array();

	for (const struct figure *f = figures; f->name; f++) {
		bool applies = doc && figure_applies(f, doc, dir);

		g_ptr_array_add(cells, g_strdup(f->name));
		g_ptr_array_add(cells, g_strdup(!doc ? f->script : applies ? "yes" : "-"));
		g_ptr_array_add(cells, g_strdup(f->help));
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", f->name, "help", f->help,
						      "drawable", doc ? json_boolean(applies) : json_null()));
	}
	return introspect_print(&o->common, list, cells, 3, 0, NULL);
}

static int unknown_figure(const char *name)
{
	const char *names[64];
	size_t n = 0;

	for (const struct figure *f = figures; f->name && n < G_N_ELEMENTS(names); f++)
		names[n++] = f->name;
	return cli_unknown("plot", "figure", name, names, n);
}

static bool write_one(const struct figure *f, json_t *doc, const char *dir, const char *out,
		      const char *const *formats, json_t *report, GError **error)
{
	g_autofree char *caption = NULL;

	if (!figure_write(f, doc, dir, out, formats, &caption, error))
		return false;
	json_array_append_new(report, json_pack("{s:s, s:o, s:o}", "name", f->name, "caption",
						json_text(caption), "dir", json_text(out)));
	return true;
}

static int write_figures(const struct plot_options *o, json_t *doc, const char *dir,
			 const char *const *formats)
{
	g_autofree char *out = o->output ? g_strdup(o->output) : g_build_filename(dir, "plots", NULL);
	const struct figure *only = o->figure ? figure_find(o->figure) : NULL;
	json_t *report = json_array();
	GError *error = NULL;
	bool ok = true;

	if (o->figure && !only) {
		json_decref(report);
		return unknown_figure(o->figure);
	}
	for (const struct figure *f = figures; ok && f->name; f++) {
		if (only ? f == only : figure_applies(f, doc, dir))
			ok = write_one(f, doc, dir, out, formats, report, &error);
		else if (!only)
			figure_remove(f, out);
		if (ok && cli_interrupted) {
			g_set_error(&error, DMASIM_ERROR, DMASIM_ERROR_INTERRUPTED, "plot: interrupted");
			ok = false;
		}
	}
	if (!ok) {
		json_decref(report);
		return cli_fail(error);
	}
	if (o->common.json)
		return cli_print_json(report);
	cli_note(&o->common, "%s: %zu figures", out, json_array_size(report));
	json_decref(report);
	return CLI_OK;
}

static int run(void *options, int nargs, char **args)
{
	static const char *const known[] = {"svg", "png", "pdf"};
	struct plot_options *o = options;
	g_auto(GStrv) formats = g_strsplit(o->format ? o->format : "svg", ",", -1);
	g_autofree char *dir = NULL;
	json_t *doc = NULL;
	GError *error = NULL;
	int status;

	for (char **f = formats; *f; f++)
		if (strcmp(*f, "svg") && strcmp(*f, "png") && strcmp(*f, "pdf"))
			return cli_unknown("plot", "format", *f, known, 3);
	if (nargs > 1 || (!nargs && !o->list))
		return cli_usage("plot", "wants one result directory");
	if (nargs) {
		doc = load(args[0], &dir, &error);
		if (!doc)
			return cli_fail(error);
	}
	status = o->list ? list_figures(o, doc, dir)
			 : write_figures(o, doc, dir, (const char *const *)formats);
	json_decref(doc);
	return status;
}

#define O(member) offsetof(struct plot_options, member)
static const struct cli_option options[] = {
    {"figure", 0, CLI_STRING, O(figure), "NAME", "draw only this one (else: all that the result can show)",
     &cli_words_figures},
    {"format", 0, CLI_STRING, O(format), "LIST", "svg (default), png, pdf; several: svg,pdf",
     CLI_WORDS("svg png pdf")},
    {"output", 'o', CLI_PATH, O(output), "DIR", "where to write (else: RESULT/plots)", NULL},
    {"list", 0, CLI_FLAG, O(list), NULL, "name the figures, and which of them the result can show", NULL},
    {0},
};

const struct cli_command cli_command_plot = {
    .name = "plot",
    .args = "RESULT",
    .help = "draw figures of a result through gnuplot",
    .about =
	"For each figure writes NAME.csv (the numbers), NAME.gp (a script that redraws it by itself) and the "
	"picture under RESULT/plots.",
    .examples = "dmasim plot result\tevery figure as SVG\n"
		"dmasim plot result --figure flushes --format pdf\tone, for a paper\n"
		"dmasim plot result --list\twhat can be drawn",
    .group = CLI_GROUP_RESULT,
    .options = options,
    .options_size = sizeof(struct plot_options),
    .completes = &cli_words_files,
    .run = run,
};
