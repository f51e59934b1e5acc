/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading result documents and writing gnuplot text. */
#include "figure_internal.h"

#include <math.h>
#include <string.h>

/*
 * A name as gnuplot can read it in a data file, where it takes a line for a row and knows no doubled quotes;
 * scripts, which look names up in the data, have the same.
 */
static char *data_name(const char *text)
{
	char *name = g_strdup(text);

	for (char *p = name; *p; p++)
		*p = g_ascii_iscntrl(*p) ? ' ' : *p == '"' ? '\'' : *p;
	return name;
}

void gp_array(GString *vars, const char *name, const GPtrArray *texts, quote_fn quote)
{
	g_string_append_printf(vars, "array %s[%u]\n", name, texts->len);
	for (unsigned i = 0; i < texts->len; i++) {
		g_autofree char *text = data_name(texts->pdata[i]), *quoted = quote(text);

		g_string_append_printf(vars, "%s[%u] = %s\n", name, i + 1, quoted);
	}
}

void csv_text(GString *csv, const char *text)
{
	g_autofree char *name = data_name(text), *quoted = quote_csv(name);

	g_string_append(csv, quoted);
}

void csv_number(GString *csv, double v)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append_c(csv, ',');
	if (isfinite(v))
		g_string_append(csv, g_ascii_formatd(text, sizeof(text), "%.10g", v));
}

const char *run_text(const json_t *run, const char *member)
{
	const char *text = json_string_value(json_object_get(run, member));

	return text ? text : "";
}

static double memory_number(const json_t *run, const char *name)
{
	const char *dot = strrchr(name, '.');
	g_autofree char *account = g_strndup(name, (size_t)(dot - name));
	const json_t *v = json_object_get(json_object_get(json_object_get(run, "memory"), account), dot + 1);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

double run_number(const json_t *run, const char *name)
{
	const json_t *v;

	if (g_str_has_prefix(name, "memory.") && strchr(name + 7, '.'))
		return memory_number(run, name + strlen("memory."));
	v = json_object_get(json_object_get(run, "stats"), name);
	return json_is_number(v) ? json_number_value(v) : NAN;
}

GPtrArray *runs_of(json_t *doc, const char *api, const char *iommu)
{
	json_t *runs = json_object_get(doc, "runs"), *run;
	const json_t *varied = json_object_get(json_array_get(runs, 0), "varied");
	GPtrArray *found = g_ptr_array_new();
	size_t i;

	json_array_foreach (runs, i, run) {
		if (!strcmp(run_text(run, "api"), api) && !strcmp(run_text(run, "iommu"), iommu) &&
		    json_equal(json_object_get(run, "varied"), varied))
			g_ptr_array_add(found, run);
	}
	return found;
}

GPtrArray *distinct(json_t *doc, const char *member)
{
	GPtrArray *values = g_ptr_array_new();
	json_t *run;
	size_t i;

	json_array_foreach (json_object_get(doc, "runs"), i, run) {
		const char *text = run_text(run, member);
		bool known = false;

		for (unsigned k = 0; k < values->len; k++)
			known = known || !strcmp(values->pdata[k], text);
		if (!known)
			g_ptr_array_add(values, (void *)text);
	}
	return values;
}

struct sample mean_over(const GPtrArray *runs, number_fn fn, const void *arg)
{
	g_autofree double *values = g_new(double, runs->len + 1);
	unsigned n = 0;

	for (unsigned i = 0; i < runs->len; i++) {
		double v = fn(runs->pdata[i], arg);

		if (isfinite(v))
			values[n++] = v;
	}
	return sample_of(values, n);
}

unsigned count_seeds(json_t *doc)
{
	g_autoptr(GHashTable) seeds = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	json_t *run;
	size_t i;

	json_array_foreach (json_object_get(doc, "runs"), i, run) {
		gint64 *seed = g_new(gint64, 1);

		*seed = json_integer_value(json_object_get(run, "seed"));
		g_hash_table_add(seeds, seed);
	}
	return g_hash_table_size(seeds);
}

void put_subtitle(struct figure_draft *d, const char *lead)
{
	const json_t *run = json_array_get(json_object_get(d->doc, "runs"), 0);
	const char *name = json_string_value(
	    json_object_get(json_object_get(d->doc, "scenario"), "scenario.name"));
	double requests = run_number(run, "io.completed");
	unsigned seeds = count_seeds(d->doc);

	if (name && *name)
		g_string_append_printf(d->subtitle, "%s: ", name);
	g_string_append(d->subtitle, run_text(run, "workload"));
	if (isfinite(requests))
		g_string_append_printf(d->subtitle, ", %.0f requests", requests);
	g_string_append_printf(d->subtitle, ", n = %u%s%s", seeds, lead ? "; " : "", lead ? lead : "");
	if (seeds > 1 && d->error_bars)
		g_string_append(d->subtitle, "; bars: 95 % interval");
}
