/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --dry-run: what would run, and about how long it would take on this machine. */
#include "run.h"

#include <jansson.h>
#include <string.h>

#define SAMPLE_RECORDS "20000"

struct sample_run {
	uint64_t records, bytes, total_bytes;
	double seconds;
};

static void note_progress(void *arg, const struct experiment_progress *p)
{
	struct sample_run *s = arg;

	s->bytes = p->bytes;
	s->total_bytes = p->total_bytes;
}

/* The first records, run as they would be. */
static bool run_sample(const struct scenario *whole, unsigned threads, struct sample_run *sample,
		       GError **error)
{
	struct experiment_options options = {.threads = threads,
					     .cancel = &cli_interrupted,
					     .progress = note_progress,
					     .progress_arg = sample};
	struct scenario *s = scenario_copy(whole);
	struct experiment_result *r = NULL;

	if (scenario_set(s, "workload.limit", SAMPLE_RECORDS, "--dry-run", error) &&
	    scenario_resolve(s, error))
		r = experiment_run(s, &options, error);
	if (r) {
		sample->records = r->records;
		sample->seconds = r->wall_seconds;
		experiment_result_free(r);
	}
	scenario_free(s);
	return r != NULL;
}

/* Records of the whole input: told by the generator, else from how far the sample came. 0: unknown. */
static double total_records(const struct scenario *s, const struct sample_run *sample)
{
	const struct workload_params *w = config_get(scenario_config(s), &workload_param_table);
	g_autofree char *requests = config_text(scenario_config(s), "workload.requests");
	double all = 0;

	if (scenario_generator(s) && requests)
		all = g_ascii_strtod(requests, NULL);
	else if (sample->bytes && sample->total_bytes)
		all = (double)sample->records * (double)sample->total_bytes / (double)sample->bytes;
	return w->limit && (all == 0 || all > (double)w->limit) ? (double)w->limit : all;
}

static json_t *runs_json(const struct scenario *s)
{
	unsigned n;
	const struct run_spec *runs = scenario_runs(s, &n);
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:I}", "api", runs[i].api->name, "iommu",
						iommu_mode_names[runs[i].mode], "kernel",
						runs[i].kernel->name, "seed", (json_int_t)runs[i].seed));
	return list;
}

static int print_plan(const struct scenario *s, const struct cli_common *o, double records, double seconds)
{
	json_t *runs = runs_json(s), *run;
	size_t i;

	if (o->json)
		return cli_print_json(
		    json_pack("{s:s, s:o, s:o, s:o}", "workload", scenario_workload(s)->name, "records",
			      records > 0 ? json_real(records) : json_null(), "seconds",
			      seconds > 0 ? json_real(seconds) : json_null(), "runs", runs));
	json_array_foreach (runs, i, run) {
		printf("%s, %s, Linux %s, seed %" JSON_INTEGER_FORMAT "\n",
		       json_string_value(json_object_get(run, "api")),
		       json_string_value(json_object_get(run, "iommu")),
		       json_string_value(json_object_get(run, "kernel")),
		       json_integer_value(json_object_get(run, "seed")));
	}
	json_decref(runs);
	printf("%s", scenario_workload(s)->name);
	if (records > 0)
		printf(", about %.3g records", records);
	if (seconds > 0)
		printf(", about %.2g s here", seconds);
	printf("; nothing was written\n");
	return cli_finish_output(CLI_OK);
}

int cli_dry_run(struct scenario *s, const struct cli_common *o, unsigned threads)
{
	struct sample_run sample = {0};
	GError *error = NULL;
	double records;

	if (!scenario_workload(s)->needs_trace)
		return print_plan(s, o, 0, 0);
	for (char *const *t = scenario_traces(s); *t; t++)
		if (!strcmp(*t, "-"))
			return print_plan(s, o, 0, 0); /* standard input is not there twice */
	if (!run_sample(s, threads, &sample, &error))
		return cli_fail(error);
	records = total_records(s, &sample);
	return print_plan(s, o, records,
			  sample.records ? sample.seconds * records / (double)sample.records : 0);
}
