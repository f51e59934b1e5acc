/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Curves of one result: latency, time series. */
#include "figure_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct bucket {
	double value, count;
};

static int by_value(const void *a, const void *b)
{
	const struct bucket *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* The latency buckets of all runs of one API and mode together, ascending. */
static GArray *latency_buckets(const GPtrArray *runs, double *total)
{
	GArray *buckets = g_array_new(FALSE, TRUE, sizeof(struct bucket));
	const char *key;
	json_t *count;

	*total = 0;
	for (unsigned i = 0; i < runs->len; i++) {
		json_t *hist = json_object_get(json_object_get(runs->pdata[i], "histograms"),
					       "io.latency_ns");

		json_object_foreach (hist, key, count) {
			struct bucket b = {g_ascii_strtod(key, NULL), json_number_value(count)};

			*total += b.count;
			g_array_append_val(buckets, b);
		}
	}
	g_array_sort(buckets, by_value);
	return buckets;
}

typedef void (*put_fn)(struct figure_draft *d, const char *series, const GArray *buckets, double total);

static void put_row(struct figure_draft *d, const char *series, double x, double y)
{
	csv_text(d->csv, series);
	csv_number(d->csv, x);
	csv_number(d->csv, y);
	csv_number(d->csv, y);
	csv_number(d->csv, y);
	g_string_append_c(d->csv, '\n');
}

static void put_cdf(struct figure_draft *d, const char *series, const GArray *buckets, double total)
{
	double below = 0;

	for (unsigned i = 0; i < buckets->len; i++) {
		const struct bucket *b = &g_array_index(buckets, struct bucket, i);

		put_row(d, series, b->value / 1000, 100 * below / total);
		below += b->count;
		put_row(d, series, b->value / 1000, 100 * below / total);
	}
}

static void put_percentiles(struct figure_draft *d, const char *series, const GArray *buckets, double total)
{
	double below = 0;

	for (unsigned i = 0; i < buckets->len; i++) {
		const struct bucket *b = &g_array_index(buckets, struct bucket, i);
		double left = total - below;

		/* x: one in so many requests is slower than y */
		put_row(d, series, total / left, b->value / 1000);
		below += b->count;
	}
}

static bool build_latency(struct figure_draft *d, put_fn put, const char *vars)
{
	g_autoptr(GPtrArray) modes = distinct(d->doc, "iommu"), apis = distinct(d->doc, "api");
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	g_string_append(d->csv, "series,x,y,low,high\n");
	for (unsigned m = 0; m < modes->len; m++)
		for (unsigned a = 0; a < apis->len; a++) {
			g_autoptr(GPtrArray) runs = runs_of(d->doc, apis->pdata[a], modes->pdata[m]);
			char *name = g_strdup_printf("%s %s", (char *)apis->pdata[a],
						     (char *)modes->pdata[m]);
			g_autoptr(GArray) buckets = NULL;
			double total;

			buckets = latency_buckets(runs, &total);
			if (!buckets->len) {
				g_free(name);
				continue;
			}
			put(d, name, buckets, total);
			g_ptr_array_add(names, name);
		}
	if (!names->len)
		return false;
	gp_array(d->vars, "series", names, quote_gnuplot);
	d->entries = names->len;
	g_string_append(d->vars, vars);
	put_subtitle(d, NULL);
	return true;
}

bool build_latency_cdf(const struct figure *f, struct figure_draft *d)
{
	(void)f;
	return build_latency(
	    d, put_cdf,
	    "x_label = \"request latency (us)\"\ny_label = \"requests (%)\"\nlogx = 10\nlogy = 0\n"
	    "points = 0\nshow_error = 0\nfrom_zero = 1\nx_si = 0\ny_si = 0\n");
}

bool build_latency_percentiles(const struct figure *f, struct figure_draft *d)
{
	(void)f;
	return build_latency(
	    d, put_percentiles,
	    "x_label = \"percentile\"\ny_label = \"request latency (us)\"\nlogx = 10\nlogy = 0\n"
	    "points = 0\nshow_error = 0\nfrom_zero = 1\nx_si = 0\ny_si = 0\n"
	    "set xtics (\"0\" 1, \"50\" 2, \"90\" 10, \"99\" 100, \"99.9\" 1000, \"99.99\" 1e4, "
	    "\"99.999\" 1e5, \"99.9999\" 1e6)\n");
}

/* ---- time series: flushes per interval out of timeseries.csv ---- */

static int column_of(char **fields, const char *name)
{
	for (int i = 0; fields[i]; i++)
		if (!strcmp(fields[i], name))
			return i;
	return -1;
}

struct columns {
	int api, iommu, seed, time, page, domain, global;
};

static bool find_columns(const char *heading, struct columns *c)
{
	g_auto(GStrv) f = g_strsplit(heading, ",", -1);

	c->api = column_of(f, "api");
	c->iommu = column_of(f, "iommu");
	c->seed = column_of(f, "seed");
	c->time = column_of(f, "time_ns");
	c->page = column_of(f, "qi.desc_iotlb_page");
	c->domain = column_of(f, "qi.desc_iotlb_domain");
	c->global = column_of(f, "qi.desc_iotlb_global");
	return MIN(MIN(MIN(c->api, c->iommu), MIN(c->seed, c->time)),
		   MIN(MIN(c->page, c->domain), c->global)) >= 0;
}

static void put_series_row(struct figure_draft *d, const struct columns *c, char **f, const char *first_seed,
			   GPtrArray *names)
{
	g_autofree char *name = NULL;
	double flushes;

	if (strcmp(f[c->seed], first_seed))
		return;
	name = g_strdup_printf("%s %s", f[c->api], f[c->iommu]);
	flushes = g_ascii_strtod(f[c->page], NULL) + g_ascii_strtod(f[c->domain], NULL) +
		  g_ascii_strtod(f[c->global], NULL);
	put_row(d, name, g_ascii_strtod(f[c->time], NULL) / 1e6, flushes);
	if (!names->len || strcmp(names->pdata[names->len - 1], name))
		g_ptr_array_add(names, g_steal_pointer(&name));
}

bool build_series(const struct figure *f, struct figure_draft *d)
{
	g_autofree char *path = d->dir ? g_build_filename(d->dir, "timeseries.csv", NULL) : NULL,
			*text = NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *first_seed = NULL;
	g_auto(GStrv) lines = NULL;
	struct columns c;

	(void)f;
	if (!path || !g_file_get_contents(path, &text, NULL, NULL))
		return false;
	lines = g_strsplit(text, "\n", -1);
	if (!lines[0] || !find_columns(lines[0], &c))
		return false;
	g_string_append(d->csv, "series,x,y,low,high\n");
	for (char **l = lines + 1; *l && **l; l++) {
		g_auto(GStrv) fields = g_strsplit(*l, ",", -1);

		if ((int)g_strv_length(fields) <= c.global)
			return false;
		if (!first_seed)
			first_seed = g_strdup(fields[c.seed]);
		put_series_row(d, &c, fields, first_seed, names);
	}
	if (!names->len)
		return false;
	gp_array(d->vars, "series", names, quote_gnuplot);
	d->entries = names->len;
	g_string_append(
	    d->vars, "x_label = \"simulated time (ms)\"\ny_label = \"IOTLB flushes per interval\"\nlogx = 0\n"
		     "logy = 0\npoints = 0\nshow_error = 0\nfrom_zero = 1\nx_si = 0\ny_si = 0\n");
	put_subtitle(d, NULL);
	return true;
}
