/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stacked bars per IOMMU mode and API. */
#include "figure_internal.h"

#include <math.h>
#include <string.h>

struct part_arg {
	const struct bar_spec *spec;
	const char *const *stats; /* up to PART_STATS, then NULL */
};

static double part_value(const json_t *run, const void *arg)
{
	const struct part_arg *a = arg;
	double sum = 0;

	for (int i = 0; i < PART_STATS && a->stats[i]; i++) {
		bool minus = a->stats[i][0] == '-';
		double v = run_number(run, a->stats[i] + minus);

		sum += minus ? -v : v;
	}
	if (a->spec->per_request)
		sum /= run_number(run, "io.completed");
	return sum * a->spec->scale;
}

static unsigned part_count(const struct bar_spec *spec)
{
	unsigned n = 0;

	while (n < G_N_ELEMENTS(spec->parts) && spec->parts[n].label)
		n++;
	return n;
}

/* Parts that are null or 0 in all runs are not shown. */
static unsigned shown_parts(const struct bar_spec *spec, json_t *doc, unsigned *shown)
{
	unsigned n = 0;

	for (unsigned p = 0; p < part_count(spec); p++) {
		struct part_arg arg = {spec, spec->parts[p].stats};
		json_t *run;
		bool any = false;
		size_t i;

		json_array_foreach (json_object_get(doc, "runs"), i, run) {
			double v = part_value(run, &arg);

			any = any || (isfinite(v) && v > 0);
		}
		if (any)
			shown[n++] = p;
	}
	return n;
}

struct total_arg {
	const struct bar_spec *spec;
	const unsigned *shown;
	unsigned n;
};

static double total_value(const json_t *run, const void *arg)
{
	const struct total_arg *t = arg;
	double sum = 0;

	for (unsigned i = 0; i < t->n; i++) {
		struct part_arg part = {t->spec, t->spec->parts[t->shown[i]].stats};
		double v = part_value(run, &part);

		sum += isfinite(v) ? v : 0;
	}
	return sum;
}

static void put_bar(struct figure_draft *d, const struct total_arg *t, double x, const char *mode,
		    const char *api, const GPtrArray *runs)
{
	struct sample total = mean_over(runs, total_value, t);

	g_string_append_printf(d->csv, "%g,", x);
	csv_text(d->csv, mode);
	g_string_append_c(d->csv, ',');
	csv_text(d->csv, api);
	g_string_append_printf(d->csv, ",%u", total.n);
	for (unsigned i = 0; i < t->n; i++) {
		struct part_arg part = {t->spec, t->spec->parts[t->shown[i]].stats};
		double mean = mean_over(runs, part_value, &part).mean;

		csv_number(d->csv, isfinite(mean) ? mean : 0);
	}
	csv_number(d->csv, total.mean);
	csv_number(d->csv, total.low);
	csv_number(d->csv, total.high);
	g_string_append_c(d->csv, '\n');
}

/* "strict: link issues 8.17x the IOTLB flushes per request of legacy (8.17 to 1)." */
static void put_caption(struct figure_draft *d, const struct total_arg *t, const char *mode,
			const GPtrArray *apis)
{
	const char *first = apis->pdata[0], *last = apis->pdata[apis->len - 1];
	g_autoptr(GPtrArray) a = runs_of(d->doc, first, mode), b = runs_of(d->doc, last, mode);
	double va = mean_over(a, total_value, t).mean, vb = mean_over(b, total_value, t).mean;

	if (apis->len < 2 || !isfinite(va) || !isfinite(vb) || (va == 0 && vb == 0))
		return;
	if (fabs(va - vb) < 0.005 * fmax(va, vb) && va != vb)
		g_string_append_printf(d->caption, "%s: %s and %s are nearly equal (%.4g and %.4g %s). ",
				       mode, last, first, vb, va, t->spec->unit);
	else if (va == vb)
		g_string_append_printf(d->caption, "%s: %s and %s are equal (%.4g %s). ", mode, last, first,
				       vb, t->spec->unit);
	else if (va == 0)
		g_string_append_printf(d->caption, "%s: %s has %.4g %s, %s none. ", mode, last, vb,
				       t->spec->unit, first);
	else
		g_string_append_printf(d->caption, "%s: %s has %.3g times the %s of %s (%.4g against %.4g). ",
				       mode, last, vb / va, t->spec->unit, first, vb, va);
}

static void put_bars(struct figure_draft *d, const struct total_arg *t, GPtrArray *modes, GPtrArray *apis,
		     unsigned *nbars)
{
	g_autoptr(GString) middles = g_string_new(NULL);
	unsigned x = 0;

	for (unsigned m = 0; m < modes->len; m++) {
		unsigned start = x;

		for (unsigned a = 0; a < apis->len; a++) {
			g_autoptr(GPtrArray) runs = runs_of(d->doc, apis->pdata[a], modes->pdata[m]);

			if (runs->len)
				put_bar(d, t, x++, modes->pdata[m], apis->pdata[a], runs);
		}
		g_string_append_printf(middles, "group_x[%u] = %g\n", m + 1, (start + x - 1) / 2.0);
		put_caption(d, t, modes->pdata[m], apis);
		x++;
	}
	*nbars = x - 1;
	g_string_append_printf(d->vars, "array group_x[%u]\n%s", modes->len, middles->str);
}

static bool draw_bars(struct figure_draft *d, const struct bar_spec *spec)
{
	unsigned shown[G_N_ELEMENTS(spec->parts)], nbars;
	struct total_arg t = {spec, shown, shown_parts(spec, d->doc, shown)};
	g_autoptr(GPtrArray) modes = distinct(d->doc, "iommu"), apis = distinct(d->doc, "api");
	g_autoptr(GPtrArray) parts = g_ptr_array_new();
	g_autofree char *label = quote_gnuplot_enhanced(spec->y_label);

	if (!t.n)
		return false;
	g_string_append(d->csv, "x,mode,api,seeds");
	for (unsigned i = 0; i < t.n; i++) {
		g_string_append_c(d->csv, ',');
		csv_text(d->csv, spec->parts[shown[i]].label);
		g_ptr_array_add(parts, (void *)spec->parts[shown[i]].label);
	}
	g_string_append(d->csv, ",total,low,high\n");
	gp_array(d->vars, "groups", modes, quote_gnuplot_enhanced);
	gp_array(d->vars, "parts", parts, quote_gnuplot);
	put_bars(d, &t, modes, apis, &nbars);
	g_string_append_printf(d->vars, "nseries = %u\nnbars = %u\ny_label = %s\nshow_error = %d\n", t.n,
			       nbars, label, count_seeds(d->doc) > 1);
	d->entries = t.n;
	d->error_bars = true;
	put_subtitle(d, NULL);
	return true;
}

bool build_bars(const struct figure *f, struct figure_draft *d)
{
	return draw_bars(d, f->spec);
}

/* ---- CPU time by step: the steps are found in the result ---- */

struct step {
	const char *name;
	char *label;
	double most;
};

static int by_most(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	if (x->most != y->most)
		return x->most < y->most ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void step_free(void *p)
{
	g_free(((struct step *)p)->label);
}

static GArray *find_steps(json_t *doc)
{
	GArray *steps = g_array_new(FALSE, TRUE, sizeof(struct step));
	json_t *runs = json_object_get(doc, "runs"), *run, *v;
	const char *name;
	size_t i;

	g_array_set_clear_func(steps, step_free);
	json_object_foreach (json_object_get(json_array_get(runs, 0), "stats"), name, v) {
		struct step s = {.name = name};

		if (!g_str_has_prefix(name, "cpu.step."))
			continue;
		json_array_foreach (runs, i, run)
			s.most = fmax(s.most, run_number(run, name));
		if (s.most <= 0)
			continue;
		s.label = g_strndup(name + strlen("cpu.step."), strlen(name) - strlen("cpu.step._ns"));
		g_array_append_val(steps, s);
	}
	g_array_sort(steps, by_most);
	return steps;
}

bool build_steps(const struct figure *f, struct figure_draft *d)
{
	struct bar_spec spec = *(const struct bar_spec *)f->spec;
	g_autoptr(GArray) steps = find_steps(d->doc);
	char *rest[7];
	unsigned n;
	bool drawn;

	for (n = 0; n < steps->len && n < 7; n++) {
		const struct step *step = &g_array_index(steps, struct step, n);

		spec.parts[n].label = step->label;
		spec.parts[n].stats[0] = step->name;
		rest[n] = g_strdup_printf("-%s", step->name);
		spec.parts[7].stats[n + 1] = rest[n];
	}
	/* What is no step at all: waiting for invalidations and locks. */
	spec.parts[n].label = "waiting and the rest";
	spec.parts[7].stats[0] = "cpu.busy_ns";
	if (n < 7)
		memcpy(spec.parts[n].stats, spec.parts[7].stats, sizeof(spec.parts[n].stats));
	drawn = draw_bars(d, &spec);
	for (unsigned i = 0; i < n; i++)
		g_free(rest[i]);
	return drawn;
}
