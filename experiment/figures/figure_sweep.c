/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures over swept parameters: curves over one, a heat map over two. */
#include "figure_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Names of the varied parameters of the first run, in their order. */
static GPtrArray *varied_keys(json_t *doc)
{
	json_t *varied = json_object_get(json_array_get(json_object_get(doc, "runs"), 0), "varied"), *v;
	GPtrArray *keys = g_ptr_array_new();
	const char *key;

	json_object_foreach (varied, key, v)
		g_ptr_array_add(keys, (void *)key);
	return keys;
}

static const char *varied_text(const json_t *run, const char *key)
{
	const char *text = json_string_value(json_object_get(json_object_get(run, "varied"), key));

	return text ? text : "";
}

/* The number a value stands for: "64", "4KiB", "10us"; NAN for words. */
static double value_number(const char *text)
{
	static const struct {
		const char *suffix;
		double factor;
	} units[] = {{"", 1},     {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824.0},
		     {"k", 1e3},  {"M", 1e6},    {"G", 1e9},       {"kB", 1e3},
		     {"MB", 1e6}, {"GB", 1e9},   {"ps", 1},        {"ns", 1e3},
		     {"us", 1e6}, {"ms", 1e9},   {"s", 1e12},      {"B", 1}};
	char *end;
	double v = g_ascii_strtod(text, &end);

	if (end == text)
		return NAN;
	while (*end == ' ')
		end++;
	for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
		if (!strcmp(end, units[i].suffix))
			return v * units[i].factor;
	return NAN;
}

struct value {
	const char *text;
	double number;
};

static int by_number(const void *a, const void *b)
{
	const struct value *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* Distinct values of a varied key; numbers ascending, words in order of appearance. */
static GArray *values_of(json_t *doc, const char *key, bool *numeric)
{
	GArray *values = g_array_new(FALSE, FALSE, sizeof(struct value));
	json_t *run;
	size_t i;

	*numeric = true;
	json_array_foreach (json_object_get(doc, "runs"), i, run) {
		struct value v = {varied_text(run, key), value_number(varied_text(run, key))};
		bool known = false;

		for (unsigned k = 0; k < values->len; k++)
			known = known || !strcmp(g_array_index(values, struct value, k).text, v.text);
		if (known)
			continue;
		*numeric = *numeric && isfinite(v.number);
		g_array_append_val(values, v);
	}
	if (*numeric)
		g_array_sort(values, by_number);
	return values;
}

static double sweep_value(const json_t *run, const void *arg)
{
	const struct sweep_spec *s = arg;
	double v = 0;

	if (!strcmp(s->stat, "flushes"))
		v = run_number(run, "qi.desc_iotlb_page") + run_number(run, "qi.desc_iotlb_domain") +
		    run_number(run, "qi.desc_iotlb_global");
	else if (!strcmp(s->stat, "memory"))
		v = run_number(run, "memory.total.peak") - run_number(run, "memory.swiotlb.pool.peak");
	else
		v = run_number(run, s->stat);
	if (s->per_request)
		v /= run_number(run, "io.completed");
	return v * s->scale;
}

/* Do all varied parameters but key and key2 stand at the values of the first run? */
static bool others_first(json_t *doc, const json_t *run, const char *key, const char *key2)
{
	json_t *first = json_object_get(json_array_get(json_object_get(doc, "runs"), 0), "varied"), *v;
	const char *name;
	bool same = true;

	json_object_foreach (first, name, v) {
		if (strcmp(name, key) && (!key2 || strcmp(name, key2)))
			same = same && !strcmp(json_string_value(v), varied_text(run, name));
	}
	return same;
}

/*
 * Runs of an API and mode where key has the value (and key2 value2 unless NULL), the other varied
 * parameters at their first value.
 */
static GPtrArray *runs_at(json_t *doc, const char *api, const char *iommu, const char *key, const char *value,
			  const char *key2, const char *value2)
{
	GPtrArray *found = g_ptr_array_new();
	json_t *run;
	size_t i;

	json_array_foreach (json_object_get(doc, "runs"), i, run) {
		if (!strcmp(run_text(run, "api"), api) && !strcmp(run_text(run, "iommu"), iommu) &&
		    !strcmp(varied_text(run, key), value) &&
		    (!key2 || !strcmp(varied_text(run, key2), value2)) && others_first(doc, run, key, key2))
			g_ptr_array_add(found, run);
	}
	return found;
}

static bool put_curve(struct figure_draft *d, const struct sweep_spec *spec, const char *api,
		      const char *mode, const char *key, const GArray *values, bool numeric)
{
	g_autofree char *series = g_strdup_printf("%s %s", api, mode);
	bool any = false;

	for (unsigned i = 0; i < values->len; i++) {
		const struct value *v = &g_array_index(values, struct value, i);
		g_autoptr(GPtrArray) runs = runs_at(d->doc, api, mode, key, v->text, NULL, NULL);
		struct sample s = mean_over(runs, sweep_value, spec);

		if (!isfinite(s.mean))
			continue;
		csv_text(d->csv, series);
		csv_number(d->csv, numeric ? v->number : i + 1);
		csv_number(d->csv, s.mean);
		csv_number(d->csv, s.low);
		csv_number(d->csv, s.high);
		g_string_append_printf(d->csv, ",%u,", s.n);
		csv_text(d->csv, v->text);
		g_string_append_c(d->csv, '\n');
		any = true;
	}
	return any;
}

/* The user's own spelling of the values at the ticks. */
static void put_ticks(struct figure_draft *d, const GArray *values, bool numeric)
{
	g_string_append(d->vars, "set xtics (");
	for (unsigned i = 0; i < values->len; i++) {
		const struct value *v = &g_array_index(values, struct value, i);

		g_autofree char *label = quote_gnuplot_tic(v->text);

		g_string_append_printf(d->vars, "%s%s %.10g", i ? ", " : "", label,
				       numeric ? v->number : i + 1);
	}
	g_string_append(d->vars, ") noenhanced\n");
}

static bool spans_decades(const GArray *values)
{
	double first = g_array_index(values, struct value, 0).number,
	       last = g_array_index(values, struct value, values->len - 1).number;

	return first > 0 && last / first >= 8;
}

/* "workload.sizes = 4KiB": what is not on the axis; NULL if nothing. */
static char *fixed_text(json_t *doc, const GPtrArray *keys)
{
	const json_t *first = json_array_get(json_object_get(doc, "runs"), 0);
	g_autoptr(GString) text = g_string_new(NULL);

	for (unsigned i = 1; i < keys->len; i++)
		g_string_append_printf(text, "%s%s = %s", i > 1 ? ", " : "", (const char *)keys->pdata[i],
				       varied_text(first, keys->pdata[i]));
	return text->len ? g_strdup(text->str) : NULL;
}

/* A little room on both sides of the first and last value. */
static void put_range(struct figure_draft *d, const GArray *values, bool numeric)
{
	double first = numeric ? g_array_index(values, struct value, 0).number : 1;
	double last = numeric ? g_array_index(values, struct value, values->len - 1).number : values->len;

	if (numeric && spans_decades(values))
		g_string_append_printf(d->vars, "set xrange [%.10g:%.10g]\n",
				       first * pow(last / first, -0.03), last * pow(last / first, 0.03));
	else
		g_string_append_printf(d->vars, "set xrange [%.10g:%.10g]\n", first - 0.03 * (last - first),
				       last + 0.03 * (last - first));
}

bool build_sweep(const struct figure *f, struct figure_draft *d)
{
	const struct sweep_spec *spec = f->spec;
	g_autoptr(GPtrArray) keys = varied_keys(d->doc), modes = distinct(d->doc, "iommu"),
			     apis = distinct(d->doc, "api");
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) values = NULL;
	g_autofree char *x_label = NULL, *y_label = quote_gnuplot_enhanced(spec->y_label), *lead = NULL;
	bool numeric;

	if (!keys->len)
		return false;
	values = values_of(d->doc, keys->pdata[0], &numeric);
	g_string_append(d->csv, "series,x,y,low,high,n,value\n");
	for (unsigned m = 0; m < modes->len; m++)
		for (unsigned a = 0; a < apis->len; a++)
			if (put_curve(d, spec, apis->pdata[a], modes->pdata[m], keys->pdata[0], values,
				      numeric))
				g_ptr_array_add(names, g_strdup_printf("%s %s", (char *)apis->pdata[a],
								       (char *)modes->pdata[m]));
	if (!names->len || values->len < 2)
		return false;
	gp_array(d->vars, "series", names, quote_gnuplot);
	d->entries = names->len;
	d->error_bars = true;
	x_label = quote_gnuplot_enhanced(keys->pdata[0]);
	put_ticks(d, values, numeric);
	put_range(d, values, numeric);
	g_string_append_printf(
	    d->vars,
	    "x_label = %s\ny_label = %s\nlogx = %d\nlogy = 0\npoints = 1\nshow_error = %d\n"
	    "from_zero = 1\nx_si = 0\ny_si = %d\n",
	    x_label, y_label, numeric && spans_decades(values) ? 2 : 0, count_seeds(d->doc) > 1, spec->si);
	lead = fixed_text(d->doc, keys);
	put_subtitle(d, lead);
	return true;
}

/* ---- heat map ---- */

struct heat {
	struct figure_draft *d;
	const struct sweep_spec *spec;
	const char *first, *last, *mode, *x_key, *y_key;
	GArray *xs, *ys;
	double *ratio; /* [y][x] */
	double spread;
};

static double cell_ratio(const struct heat *h, unsigned x, unsigned y)
{
	const char *vx = g_array_index(h->xs, struct value, x).text,
		   *vy = g_array_index(h->ys, struct value, y).text;
	g_autoptr(GPtrArray) a = runs_at(h->d->doc, h->first, h->mode, h->x_key, vx, h->y_key, vy);
	g_autoptr(GPtrArray) b = runs_at(h->d->doc, h->last, h->mode, h->x_key, vx, h->y_key, vy);

	return mean_over(b, sweep_value, h->spec).mean / mean_over(a, sweep_value, h->spec).mean;
}

static void fill_ratios(struct heat *h)
{
	for (unsigned y = 0; y < h->ys->len; y++)
		for (unsigned x = 0; x < h->xs->len; x++) {
			double r = cell_ratio(h, x, y);

			h->ratio[y * h->xs->len + x] = r;
			if (isfinite(r) && r > 0)
				h->spread = fmax(h->spread, fmax(r, 1 / r));
			g_string_append_printf(h->d->csv, "%u,%u,", x + 1, y + 1);
			csv_text(h->d->csv, g_array_index(h->xs, struct value, x).text);
			g_string_append_c(h->d->csv, ',');
			csv_text(h->d->csv, g_array_index(h->ys, struct value, y).text);
			csv_number(h->d->csv, r);
			g_string_append_c(h->d->csv, '\n');
		}
}

/* Between a cell below 1 and a neighbour above runs a piece of the break-even line. */
static bool crosses(double a, double b)
{
	return isfinite(a) && isfinite(b) && ((a < 1) != (b < 1));
}

static void put_edges(struct heat *h)
{
	unsigned nx = h->xs->len, ny = h->ys->len;

	for (unsigned y = 0; y < ny; y++)
		for (unsigned x = 0; x < nx; x++) {
			double r = h->ratio[y * nx + x];

			if (x + 1 < nx && crosses(r, h->ratio[y * nx + x + 1]))
				g_string_append_printf(h->d->extra, "%g,%g,0,1\n", x + 1.5, y + 0.5);
			if (y + 1 < ny && crosses(r, h->ratio[(y + 1) * nx + x]))
				g_string_append_printf(h->d->extra, "%g,%g,1,0\n", x + 0.5, y + 1.5);
		}
}

static GPtrArray *texts_of(const GArray *values)
{
	GPtrArray *texts = g_ptr_array_new();

	for (unsigned i = 0; i < values->len; i++)
		g_ptr_array_add(texts, (void *)g_array_index(values, struct value, i).text);
	return texts;
}

static void put_heat_vars(struct heat *h)
{
	g_autoptr(GPtrArray) x_names = texts_of(h->xs), y_names = texts_of(h->ys);
	g_autofree char *x_label = quote_gnuplot_enhanced(h->x_key),
			*y_label = quote_gnuplot_enhanced(h->y_key);
	g_autofree char *label = g_strdup_printf("%s / %s: %s", h->last, h->first, h->spec->y_label);
	g_autofree char *ratio_label = quote_gnuplot_enhanced(label);
	bool has_edges = h->d->extra->len;

	gp_array(h->d->vars, "x_names", x_names, quote_gnuplot_tic);
	gp_array(h->d->vars, "y_names", y_names, quote_gnuplot_tic);
	g_string_append_printf(
	    h->d->vars, "x_label = %s\ny_label = %s\nratio_label = %s\nhas_edges = %d\nspread = %.6g\n",
	    x_label, y_label, ratio_label, has_edges, h->spread);
	if (!has_edges)
		g_string_append(h->d->extra, "0,0,0,0\n");
}

bool build_heat(const struct figure *f, struct figure_draft *d)
{
	g_autoptr(GPtrArray) keys = varied_keys(d->doc), modes = distinct(d->doc, "iommu"),
			     apis = distinct(d->doc, "api");
	struct heat h = {.d = d, .spec = f->spec, .spread = 1};
	g_autofree char *lead = NULL;
	bool numeric;

	if (keys->len < 2 || apis->len < 2)
		return false;
	h.first = apis->pdata[0];
	h.last = apis->pdata[apis->len - 1];
	h.mode = modes->pdata[0];
	h.x_key = keys->pdata[0];
	h.y_key = keys->pdata[1];
	h.xs = values_of(d->doc, h.x_key, &numeric);
	h.ys = values_of(d->doc, h.y_key, &numeric);
	h.ratio = g_new(double, h.xs->len *h.ys->len);
	g_string_append(d->csv, "column,row,x,y,ratio\n");
	fill_ratios(&h);
	put_edges(&h);
	put_heat_vars(&h);
	lead = g_strdup_printf("%s mode; the line: both equal", h.mode);
	put_subtitle(d, lead);
	g_free(h.ratio);
	g_array_unref(h.xs);
	g_array_unref(h.ys);
	return h.spread > 1 || d->csv->len > 0;
}
