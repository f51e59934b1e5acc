/* SPDX-License-Identifier: GPL-2.0-or-later */
/* result.json: everything of a result in one document. */
#include "scenario.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

json_t *stat_to_json(const struct stat_value *v)
{
	switch (v->type) {
	case STAT_INT:
		return json_integer((json_int_t)v->i);
	case STAT_REAL:
		if (!isfinite(v->d))
			return json_null();
		/* Whole numbers read as such: sums of nanoseconds mostly are. */
		if (v->d == floor(v->d) && fabs(v->d) < 9e15)
			return json_integer((json_int_t)v->d);
		return json_real(v->d);
	case STAT_NULL:
		break;
	}
	return json_null();
}

json_t *json_text(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	return json_string(valid);
}

static void add_value(const char *name, const char *text, const char *origin, const struct param_spec *spec,
		      void *arg)
{
	(void)origin;
	(void)spec;
	json_object_set_new(arg, name, json_text(text));
}

static json_t *scenario_json(const struct scenario *s)
{
	json_t *values = json_object();

	scenario_visit(s, add_value, values);
	return values;
}

static json_t *inputs_json(const struct experiment_result *r)
{
	json_t *inputs = json_array();

	for (unsigned i = 0; i < r->ninputs; i++) {
		const struct input_file *f = &r->inputs[i];
		g_autofree char *name = g_path_get_basename(f->path);

		json_array_append_new(inputs, json_pack("{s:o, s:s, s:s, s:I}", "name", json_text(name),
							"format", f->format, "sha256", f->sha256, "bytes",
							(json_int_t)f->bytes));
	}
	return inputs;
}

static json_t *provenance_json(const struct experiment_result *r)
{
	json_t *p = json_object();

	json_object_set_new(p, "tool", json_string("dmasim"));
	json_object_set_new(p, "version", json_string(dmasim_version()));
	json_object_set_new(p, "workload", json_string(scenario_workload(r->scenario)->name));
	json_object_set_new(p, "records", json_integer((json_int_t)r->records));
	json_object_set_new(p, "inputs", inputs_json(r));
	return p;
}

static void add_bucket(uint64_t lo, uint64_t hi, uint64_t count, void *arg)
{
	char key[32];

	(void)hi;
	g_snprintf(key, sizeof(key), "%" G_GUINT64_FORMAT, lo);
	json_object_set_new(arg, key, json_integer((json_int_t)count));
}

static json_t *histograms_json(const struct run_result *run)
{
	json_t *histograms = json_object();

	for (unsigned i = 0; i < run->nhistograms; i++) {
		json_t *buckets = json_object();

		hist_visit(run->histograms[i].hist, add_bucket, buckets);
		json_object_set_new(histograms, run->histograms[i].spec->name, buckets);
	}
	return histograms;
}

static json_t *memory_json(const struct run_result *run)
{
	json_t *memory = json_object();

	for (int a = 0; a < LEDGER_COUNT; a++) {
		const struct ledger_entry *e = &run->ledger.accounts[a];

		json_object_set_new(
		    memory, ledger_name(a),
		    json_pack("{s:I, s:I}", "current", (json_int_t)e->current, "peak", (json_int_t)e->peak));
	}
	return memory;
}

static json_t *curve_json(const struct workload_curve *c)
{
	json_t *columns = json_array(), *rows = json_array();

	for (unsigned i = 0; i < c->ncolumns; i++)
		json_array_append_new(columns, json_string(c->columns[i]));
	for (unsigned r = 0; r < c->nrows; r++) {
		json_t *row = json_array();

		for (unsigned i = 0; i < c->ncolumns; i++)
			json_array_append_new(row, json_real(c->values[(size_t)r * c->ncolumns + i]));
		json_array_append_new(rows, row);
	}
	return json_pack("{s:o, s:o}", "columns", columns, "rows", rows);
}

static json_t *run_json(const struct experiment_result *r, const struct run_result *run)
{
	json_t *o = json_object(), *stats = json_object();

	for (unsigned i = 0; i < run->nstats; i++)
		if (!json_object_get(stats, run->specs[i]->name))
			json_object_set_new(stats, run->specs[i]->name, stat_to_json(&run->stats[i]));
	json_object_set_new(o, "api", json_string(run->spec.api->name));
	json_object_set_new(o, "iommu", json_string(iommu_mode_names[run->spec.mode]));
	json_object_set_new(o, "kernel", json_string(run->spec.kernel->name));
	if (run->spec.kernel_note)
		json_object_set_new(o, "kernel_note", json_string(run->spec.kernel_note));
	json_object_set_new(o, "workload", json_string(scenario_workload(r->scenario)->name));
	json_object_set_new(o, "fidelity",
			    json_string(run->spec.fidelity == FIDELITY_TIMING ? "timing" : "counts"));
	json_object_set_new(o, "seed", json_integer((json_int_t)run->spec.seed));
	json_object_set_new(o, "varied", json_object());
	json_object_set_new(o, "stats", stats);
	json_object_set_new(o, "histograms", histograms_json(run));
	json_object_set_new(o, "memory", memory_json(run));
	if (run->failure)
		json_object_set_new(o, "failure", json_text(run->failure));
	if (run->curve.nrows)
		json_object_set_new(o, "curve", curve_json(&run->curve));
	return o;
}

json_t *result_to_json(const struct experiment_result *r)
{
	json_t *doc = json_object(), *runs = json_array();

	for (unsigned i = 0; i < r->nruns; i++)
		json_array_append_new(runs, run_json(r, &r->runs[i]));
	json_object_set_new(doc, "schema", json_string("dmasim-result"));
	json_object_set_new(doc, "schema_version", json_integer(1));
	json_object_set_new(doc, "provenance", provenance_json(r));
	json_object_set_new(doc, "scenario", scenario_json(r->scenario));
	json_object_set_new(doc, "runs", runs);
	return doc;
}
