/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures of the validation: one data file and one plot per block, model beside measurement. */
#include "experiment/quote.h"
#include "validate_internal.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static void append_number(GString *out, double v)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append_c(out, ',');
	if (isfinite(v))
		g_string_append(out, g_ascii_formatd(text, sizeof(text), "%.6g", v));
}

static bool write_data(const struct validate_block *b, const char *dir, GError **error)
{
	g_autoptr(GString) out = g_string_new("curve,point,x,model,measured,tolerance\n");
	g_autofree char *name = g_strdup_printf("%s.csv", b->id), *path = g_build_filename(dir, name, NULL);

	for (unsigned i = 0; i < b->points->len; i++) {
		const struct validate_point *p = &g_array_index(b->points, struct validate_point, i);

		g_autofree char *curve = quote_csv(p->curve), *label = quote_csv(p->label);

		g_string_append_printf(out, "%s,%s", curve, label);
		append_number(out, p->x);
		append_number(out, p->model);
		append_number(out, p->measured);
		append_number(out, p->tolerance);
		g_string_append_c(out, '\n');
	}
	return output_write_file(path, out->str, out->len, error);
}

static GPtrArray *curves(const struct validate_block *b)
{
	GPtrArray *names = g_ptr_array_new();

	for (unsigned i = 0; i < b->points->len; i++) {
		const char *curve = g_array_index(b->points, struct validate_point, i).curve;

		if (!g_ptr_array_find_with_equal_func(names, curve, g_str_equal, NULL))
			g_ptr_array_add(names, (void *)curve);
	}
	return names;
}

static bool has_x(const struct validate_block *b)
{
	for (unsigned i = 0; i < b->points->len; i++)
		if (isfinite(g_array_index(b->points, struct validate_point, i).x))
			return true;
	return false;
}

static void data_block(const struct validate_block *b, const char *curve, GString *out)
{
	for (unsigned i = 0; i < b->points->len; i++) {
		const struct validate_point *p = &g_array_index(b->points, struct validate_point, i);
		char x[3][G_ASCII_DTOSTR_BUF_SIZE];

		if (strcmp(p->curve, curve) || !isfinite(p->model) || (has_x(b) && !isfinite(p->x)))
			continue;
		g_ascii_formatd(x[0], sizeof(x[0]), "%.6g", has_x(b) ? p->x : (double)i);
		g_ascii_formatd(x[1], sizeof(x[1]), "%.6g", p->model);
		g_ascii_formatd(x[2], sizeof(x[2]), "%.6g", p->measured);
		g_string_append_printf(out, "%s %s %s \"%s\"\n", x[0], x[1], x[2], p->label);
	}
}

/* Model as a line and measurements as points; gnuplot has 8 colours, then dashes tell curves apart. */
static void plot_curve(GString *plot, unsigned i, const char *name)
{
	g_autofree char *title = quote_gnuplot(name);

	g_string_append_printf(plot,
			       "%s$c%u using 1:2 with lines lc %u dt %u lw 2 title %s noenhanced, $c%u using "
			       "1:3 with points pt %u lc %u notitle",
			       i ? ", " : "", i, i + 1, i / 8 + 1, title, i, 4 + 2 * (i % 6), i + 1);
}

/* Points of many units have one in common: model over measurement. */
static void plot_ratio(GString *plot, unsigned i, const char *name)
{
	g_autofree char *title = quote_gnuplot(name);

	g_string_append_printf(
	    plot, "%s$c%u using 1:($2/$3):xtic(4) with points pt %u lc %u title %s noenhanced",
	    i ? ", " : "1 with lines lc black dt 2 notitle, ", i, 4 + 2 * (i % 6), i + 1, title);
}

/* The script carries its data, so that it can be run again by itself. */
static char *script(const struct validate_block *b, const char *svg)
{
	g_autoptr(GPtrArray) names = curves(b);
	GString *out = g_string_new(NULL), *plot = g_string_new("plot ");
	g_autofree char *heading = g_strdup_printf("%s: %s", b->id, b->title),
			*title = quote_gnuplot(heading), *output = quote_gnuplot(svg),
			*x_label = quote_gnuplot(b->x_label), *unit = quote_gnuplot(b->unit);
	bool x = has_x(b);

	g_string_append_printf(
	    out,
	    "set terminal svg size 900,560 font 'sans,13' background 'white'\nset output %s\n"
	    "set title %s noenhanced\nset key outside right\nset grid\n",
	    output, title);
	if (x)
		g_string_append_printf(out,
				       "set xlabel %s noenhanced\nset ylabel %s noenhanced\n"
				       "set yrange [0:*]\n%s",
				       x_label, unit, b->log_x ? "set logscale x 2\n" : "");
	else
		g_string_append(
		    out, "set ylabel 'model / measurement'\nset logscale y\n"
			 "set yrange [*<0.5:2<*]\nset autoscale yfix\nset xtics rotate by -40 font ',9'\n"
			 "set offsets 0.5, 0.5, 0, 0\nset bmargin 8\n");
	for (unsigned i = 0; i < names->len; i++) {
		g_string_append_printf(out, "$c%u << EOD\n", i);
		data_block(b, names->pdata[i], out);
		g_string_append(out, "EOD\n");
		(x ? plot_curve : plot_ratio)(plot, i, names->pdata[i]);
	}
	g_string_append_printf(out, "%s\n", plot->str);
	g_string_free(plot, TRUE);
	return g_string_free(out, FALSE);
}

static bool draw(const struct validate_block *b, const char *dir, const char *gnuplot, GError **error)
{
	g_autofree char *name = g_strdup_printf("%s.gp", b->id), *path = g_build_filename(dir, name, NULL);
	g_autofree char *svg = g_strdup_printf("%s.svg", b->id), *text = script(b, svg);
	char *argv[] = {(char *)gnuplot, name, NULL};
	int status;

	if (!output_write_file(path, text, strlen(text), error) || !gnuplot)
		return !*error;
	return g_spawn_sync(dir, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL | G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
			    NULL, NULL, NULL, &status, error) &&
	       g_spawn_check_wait_status(status, error);
}

bool validate_figures(const GPtrArray *blocks, const char *dir, GError **error)
{
	g_autofree char *gnuplot = g_find_program_in_path("gnuplot");
	GError *local = NULL;

	if (g_mkdir_with_parents(dir, 0777)) {
		int e = errno;

		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT, "%s: cannot be made: %s", dir,
			    g_strerror(e));
		return false;
	}
	for (unsigned i = 0; i < blocks->len; i++)
		if (!write_data(blocks->pdata[i], dir, &local) ||
		    !draw(blocks->pdata[i], dir, gnuplot, &local)) {
			g_propagate_error(error, local);
			return false;
		}
	return true;
}
