/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result directory. Everything but timing.json depends on scenario, inputs, seed, version only. */
#include "lane.h"
#include "output.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#define JSON_STYLE (JSON_INDENT(1) | JSON_REAL_PRECISION(15))

static void put_stat(FILE *f, const struct stat_value *v)
{
	json_t *j = stat_to_json(v);
	char *text = json_is_null(j) ? NULL : json_dumps(j, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

	fprintf(f, ",%s", text ? text : "");
	free(text);
	json_decref(j);
}

static void put_run_head(FILE *f, const struct run_result *run, const char *workload)
{
	fprintf(f, "%s,%s,%s,%s,%s,%" G_GUINT64_FORMAT, run->spec.api->name, iommu_mode_names[run->spec.mode],
		run->spec.kernel->name, workload, run->spec.fidelity == FIDELITY_TIMING ? "timing" : "counts",
		run->spec.seed);
}

static void write_summary(FILE *f, const struct experiment_result *r)
{
	fputs("api,iommu,kernel,workload,fidelity,seed", f);
	for (unsigned i = 0; i < r->runs[0].nstats; i++)
		fprintf(f, ",%s", r->runs[0].specs[i]->name);
	for (int a = 0; a < LEDGER_COUNT; a++)
		fprintf(f, ",memory.%s.current,memory.%s.peak", ledger_name(a), ledger_name(a));
	fputc('\n', f);
	for (unsigned k = 0; k < r->nruns; k++) {
		const struct run_result *run = &r->runs[k];

		put_run_head(f, run, scenario_workload(r->scenario)->name);
		for (unsigned i = 0; i < run->nstats; i++)
			put_stat(f, &run->stats[i]);
		for (int a = 0; a < LEDGER_COUNT; a++)
			fprintf(f, ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT,
				run->ledger.accounts[a].current, run->ledger.accounts[a].peak);
		fputc('\n', f);
	}
}

static bool has_series(const struct experiment_result *r)
{
	return r->runs[0].series != NULL;
}

static void write_series(FILE *f, const struct experiment_result *r)
{
	g_autofree char *heading = series_heading();

	fprintf(f, "api,iommu,kernel,workload,fidelity,seed,%s\n", heading);
	for (unsigned k = 0; k < r->nruns; k++) {
		char line[65536];

		rewind(r->runs[k].series);
		while (fgets(line, sizeof(line), r->runs[k].series)) {
			put_run_head(f, &r->runs[k], scenario_workload(r->scenario)->name);
			fprintf(f, ",%s", line);
		}
	}
}

/* ---- curve.csv: what a measuring workload found ---- */

static bool has_curve(const struct experiment_result *r)
{
	return r->runs[0].curve.nrows != 0;
}

static void write_curve(FILE *f, const struct experiment_result *r)
{
	const struct workload_curve *first = &r->runs[0].curve;

	fputs("api,iommu,kernel,workload,fidelity,seed", f);
	for (unsigned i = 0; i < first->ncolumns; i++)
		fprintf(f, ",%s", first->columns[i]);
	fputc('\n', f);
	for (unsigned k = 0; k < r->nruns; k++) {
		const struct workload_curve *c = &r->runs[k].curve;

		for (unsigned i = 0; i < c->nrows * c->ncolumns; i++) {
			if (i % c->ncolumns == 0)
				put_run_head(f, &r->runs[k], scenario_workload(r->scenario)->name);
			fprintf(f, ",%.15g%s", c->values[i], (i + 1) % c->ncolumns ? "" : "\n");
		}
	}
}

/* ---- latency.hgrm: HdrHistogram's percentile text form ---- */

static const struct hist *latency_of(const struct run_result *run)
{
	for (unsigned i = 0; i < run->nhistograms; i++)
		if (run->histograms[i].spec->kind == STAT_LATENCIES && hist_count(run->histograms[i].hist))
			return run->histograms[i].hist;
	return NULL;
}

static void write_latency(FILE *f, const struct experiment_result *r)
{
	for (unsigned k = 0; k < r->nruns; k++) {
		const struct hist *h = latency_of(&r->runs[k]);
		GString *text;

		if (!h)
			continue;
		fprintf(f, "# api %s, iommu %s, kernel %s, seed %" G_GUINT64_FORMAT ", nanoseconds\n",
			r->runs[k].spec.api->name, iommu_mode_names[r->runs[k].spec.mode],
			r->runs[k].spec.kernel->name, r->runs[k].spec.seed);
		text = g_string_new(NULL);
		hist_write_percentiles(h, 1, text);
		fprintf(f, "%s\n", text->str);
		g_string_free(text, TRUE);
	}
}

/* ---- the host's side of it ---- */

static void write_timing(FILE *f, const struct experiment_result *r)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *stamp = g_date_time_format_iso8601(now);
	json_t *doc = json_object(), *runs = json_array(), *inputs = json_array();

	for (unsigned i = 0; i < r->ninputs; i++) {
		g_autofree char *path = g_canonicalize_filename(r->inputs[i].path, NULL);

		json_array_append_new(inputs, json_text(strcmp(r->inputs[i].path, "-") ? path : "-"));
	}
	for (unsigned i = 0; i < r->nruns; i++)
		json_array_append_new(
		    runs, json_pack("{s:s, s:s, s:I, s:f}", "api", r->runs[i].spec.api->name, "iommu",
				    iommu_mode_names[r->runs[i].spec.mode], "seed",
				    (json_int_t)r->runs[i].spec.seed, "seconds", r->runs[i].wall_seconds));
	json_object_set_new(doc, "finished", json_string(stamp));
	json_object_set_new(doc, "host", json_string(g_get_host_name()));
	json_object_set_new(doc, "processors", json_integer((json_int_t)g_get_num_processors()));
	json_object_set_new(doc, "seconds", json_real(r->wall_seconds));
	json_object_set_new(doc, "inputs", inputs);
	json_object_set_new(doc, "runs", runs);
	json_dumpf(doc, f, JSON_STYLE);
	fputc('\n', f);
	json_decref(doc);
}

static void write_json(FILE *f, const struct experiment_result *r)
{
	json_t *doc = result_to_json(r);

	json_dumpf(doc, f, JSON_STYLE);
	fputc('\n', f);
	json_decref(doc);
}

typedef void (*write_fn)(FILE *f, const struct experiment_result *r);

static bool write_one(struct output_set *s, const char *name, write_fn fn, const struct experiment_result *r,
		      GError **error)
{
	FILE *f = output_open(s, name, error);

	if (!f)
		return false;
	fn(f, r);
	return output_close(s, error);
}

static bool has_latency(const struct experiment_result *r)
{
	for (unsigned i = 0; i < r->nruns; i++)
		if (latency_of(&r->runs[i]))
			return true;
	return false;
}

static const char *const members[] = {"summary.csv",   "timeseries.csv", "curve.csv",   "latency.hgrm",
				      "timeline.json", "timing.json",    "result.json", NULL};

bool result_write(const struct experiment_result *r, const char *dir, GError **error)
{
	struct output_set *s = output_set_new(dir, error);
	int lock = s ? output_lock(dir, true, error) : -1;
	bool ok = lock >= 0 && write_one(s, "summary.csv", write_summary, r, error) &&
		  (!has_series(r) || write_one(s, "timeseries.csv", write_series, r, error)) &&
		  (!has_curve(r) || write_one(s, "curve.csv", write_curve, r, error)) &&
		  (!has_latency(r) || write_one(s, "latency.hgrm", write_latency, r, error)) &&
		  (!r->timeline || output_adopt(s, r->timeline, "timeline.json", error)) &&
		  write_one(s, "timing.json", write_timing, r, error) &&
		  write_one(s, "result.json", write_json, r, error);

	if (ok) {
		output_replaces(s, members);
		ok = output_commit(s, error);
	}
	output_set_free(s);
	output_unlock(lock);
	return ok;
}
