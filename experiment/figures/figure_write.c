/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing a figure: data, script, pictures; all of them or none. */
#include "experiment/internal.h"
#include "experiment/output.h"
#include "figure_internal.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

static void draft_init(struct figure_draft *d, json_t *doc, const char *dir)
{
	*d = (struct figure_draft){.doc = doc, .dir = dir};
	d->csv = g_string_new(NULL);
	d->vars = g_string_new(NULL);
	d->extra = g_string_new(NULL);
	d->subtitle = g_string_new(NULL);
	d->caption = g_string_new(NULL);
}

static void draft_clear(struct figure_draft *d)
{
	g_string_free(d->csv, TRUE);
	g_string_free(d->vars, TRUE);
	g_string_free(d->extra, TRUE);
	g_string_free(d->subtitle, TRUE);
	g_string_free(d->caption, TRUE);
}

bool figure_applies(const struct figure *f, json_t *doc, const char *dir)
{
	struct figure_draft d;
	bool applies;

	draft_init(&d, doc, dir);
	applies = f->build(f, &d);
	draft_clear(&d);
	return applies;
}

static bool write_text(const char *dir, const char *name, const GString *text, GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	return output_write_file(path, text->str, text->len, error);
}

static bool write_script(const struct figure *f, const struct figure_draft *d, const char *dir,
			 const char *file, GError **error)
{
	g_autofree char *resource = g_strdup_printf("/dmasim/plots/%s", f->script);
	g_autofree char *title = quote_gnuplot_enhanced(f->title),
			*subtitle = quote_gnuplot_enhanced(d->subtitle->str);
	g_autofree char *id = g_strdelimit(g_strdup(f->name), "-", '_');
	g_autoptr(GString) text = g_string_new(NULL);

	g_string_append_printf(
	    text,
	    "# Made by `dmasim plot`. Redraw it here with: gnuplot -e 'fmt=\"pdf\"' %s.gp\n"
	    "# (fmt: svg, png or pdf; w and h: size in inches). The numbers are in %s.csv.\n"
	    "name = \"%s\"\nid = \"%s\"\ndata = \"%s.csv\"\nedges = \"%s-edges.csv\"\nfigure_title = %s\n"
	    "subtitle = %s\n",
	    f->name, f->name, f->name, id, f->name, f->name, title, subtitle);
	g_string_append_printf(text, "key_rows = %u\n", (d->entries + 2) / 3);
	g_string_append(text, resource_text("/dmasim/plots/style.gp"));
	g_string_append(text, d->vars->str);
	g_string_append(text, resource_text(resource));
	return write_text(dir, file, text, error);
}

static bool run_gnuplot(const char *dir, const char *name, const char *format, GError **error)
{
	g_autofree char *assign = g_strdup_printf("fmt=\"%s\"", format),
			*script = g_strdup_printf("%s.gp", name);
	const char *argv[] = {"gnuplot", "-e", assign, script, NULL};
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
	    G_SUBPROCESS_FLAGS_STDERR_PIPE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
	g_autoptr(GSubprocess) process = NULL;
	g_autofree char *messages = NULL;
	GError *why = NULL;

	g_subprocess_launcher_set_cwd(launcher, dir);
	g_subprocess_launcher_setenv(launcher, "LC_ALL", "C.UTF-8", TRUE);
	process = g_subprocess_launcher_spawnv(launcher, argv, &why);
	if (!process) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT,
			    "gnuplot could not be started: %s; install the package gnuplot-nox (data and "
			    "script are in %s)",
			    why->message, dir);
		g_error_free(why);
		return false;
	}
	g_subprocess_communicate_utf8(process, NULL, NULL, NULL, &messages, NULL);
	if (g_subprocess_get_if_exited(process) && !g_subprocess_get_exit_status(process))
		return true;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT, "%s/%s: gnuplot failed: %s", dir, script,
		    messages ? g_strstrip(messages) : "");
	return false;
}

/* How a whole picture ends: gnuplot ends well, too, when the disk was full. */
static const struct format {
	const char *name, *end;
	size_t length;
} picture_formats[] = {{"svg", "</svg>", 6}, {"png", "IEND\xae\x42\x60\x82", 8}, {"pdf", "%%EOF", 5}};

static bool is_whole(const char *path, const char *format)
{
	g_autofree char *text = NULL;
	size_t length;

	if (!g_file_get_contents(path, &text, &length, NULL))
		return false;
	while (length && g_ascii_isspace(text[length - 1]))
		length--;
	for (size_t i = 0; i < G_N_ELEMENTS(picture_formats); i++) {
		const struct format *p = &picture_formats[i];

		if (!strcmp(p->name, format))
			return length >= p->length && !memcmp(text + length - p->length, p->end, p->length);
	}
	return false;
}

static bool draw(const struct figure *f, const char *dir, const char *format, GError **error)
{
	g_autofree char *path = g_strdup_printf("%s/%s.%s", dir, f->name, format);

	if (!run_gnuplot(dir, f->name, format, error))
		return false;
	if (is_whole(path, format))
		return true;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT,
		    "%s: the picture is not whole; is the disk full?", path);
	return false;
}

/* Data, script and pictures into a folder of their own; what is there is added to the set. */
static bool make_files(const struct figure *f, const struct figure_draft *d, const char *scratch,
		       const char *const *formats, struct output_set *s, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	bool ok;

	g_ptr_array_add(names, g_strdup_printf("%s.csv", f->name));
	g_ptr_array_add(names, g_strdup_printf("%s.gp", f->name));
	if (d->extra->len)
		g_ptr_array_add(names, g_strdup_printf("%s-edges.csv", f->name));
	ok = write_text(scratch, names->pdata[0], d->csv, error) &&
	     write_script(f, d, scratch, names->pdata[1], error) &&
	     (!d->extra->len || write_text(scratch, names->pdata[2], d->extra, error));
	for (const char *const *format = formats; ok && *format; format++) {
		ok = draw(f, scratch, *format, error);
		g_ptr_array_add(names, g_strdup_printf("%s.%s", f->name, *format));
	}
	for (unsigned i = 0; ok && i < names->len; i++) {
		g_autofree char *file = g_build_filename(scratch, names->pdata[i], NULL);

		ok = output_adopt(s, file, names->pdata[i], error);
	}
	return ok;
}

bool figure_write(const struct figure *f, json_t *doc, const char *result_dir, const char *dir,
		  const char *const *formats, char **caption, GError **error)
{
	g_autofree char *scratch = g_strdup_printf("%s/.%s-XXXXXX", dir, f->name);
	struct output_set *s = NULL;
	struct figure_draft d;
	bool ok;

	draft_init(&d, doc, result_dir);
	ok = f->build(f, &d);
	if (!ok)
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "figure '%s' has nothing to show in this result (%s)", f->name, f->help);
	s = ok ? output_set_new(dir, error) : NULL;
	ok = s && output_scratch(scratch, error);
	if (ok) {
		ok = make_files(f, &d, scratch, formats, s, error) && output_commit(s, error);
		output_remove_dir(scratch);
	}
	output_set_free(s);
	if (ok && caption)
		*caption = g_strdup(g_strstrip(d.caption->str));
	draft_clear(&d);
	return ok;
}

void figure_remove(const struct figure *f, const char *dir)
{
	static const char *const endings[] = {".csv", "-edges.csv", ".gp", ".svg", ".png", ".pdf"};

	for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
		g_autofree char *path = g_strdup_printf("%s/%s%s", dir, f->name, endings[i]);

		g_unlink(path);
	}
}
