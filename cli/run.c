/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `run` and `replay` share: options onto the scenario, the run, the table, the files. */
#include "run.h"
#include "cli.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

static bool set_option(struct scenario *s, const char *key, const char *text, const char *option,
		       GError **error)
{
	return !text || scenario_set(s, key, text, option, error);
}

static bool set_one(struct scenario *s, const char *word, GError **error)
{
	const char *equals = strchr(word, '=');
	g_autofree char *key = equals ? g_strstrip(g_strndup(word, (size_t)(equals - word))) : NULL;

	if (!key || !*key) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "--set wants KEY=VALUE, e.g. --set iotlb.entries=64, not '%s'", word);
		return false;
	}
	return scenario_set(s, key, equals + 1, "--set", error);
}

bool cli_apply_run_options(struct scenario *s, const struct cli_common *o, GError **error)
{
	g_autofree char *seeds = o->seeds ? g_strdup_printf("%d", o->seeds) : NULL;

	/* The generator first: it decides which other keys of [workload] exist. */
	for (char **w = o->set; w && *w; w++)
		if (g_str_has_prefix(*w, "workload.generator=") && !set_one(s, *w, error))
			return false;
	for (char **w = o->set; w && *w; w++)
		if (!g_str_has_prefix(*w, "workload.generator=") && !set_one(s, *w, error))
			return false;
	return set_option(s, "compare.api", o->api, "--api", error) &&
	       set_option(s, "compare.iommu", o->iommu, "--iommu", error) &&
	       set_option(s, "scenario.seeds", seeds, "--seeds", error) &&
	       set_option(s, "scenario.fidelity", o->fidelity, "--fidelity", error) &&
	       set_option(s, "scenario.check", o->check ? "true" : NULL, "--check", error);
}

static bool parse_interval(const char *text, sim_time_t *interval, GError **error)
{
	static const struct param_spec spec = {
	    .name = "interval", .type = PARAM_TIME, .min = 1e3, .max = 1e15};

	if (!text)
		return true;
	if (param_set(&spec, interval, text, error))
		return true;
	g_prefix_error(error, "--interval %s: ", text);
	return false;
}

static bool make_dir(const char *dir, GError **error)
{
	if (!g_mkdir_with_parents(dir, 0777))
		return true;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT,
		    "%s: result directory could not be made: %s; choose another place with -o", dir,
		    g_strerror(errno));
	return false;
}

static int show(const struct experiment_result *r, const struct cli_common *o, const char *dir)
{
	if (o->json)
		return cli_print_json(result_to_json(r));
	if (!o->quiet)
		cli_print_comparison(stdout, r);
	for (unsigned i = 0; o->verbose && i < r->nruns; i++)
		fprintf(stderr, "%s %s, seed %" G_GUINT64_FORMAT ": %.3f s\n", r->runs[i].spec.api->name,
			iommu_mode_names[r->runs[i].spec.mode], r->runs[i].spec.seed,
			r->runs[i].wall_seconds);
	cli_note(o, "%s%s%.2f s for %" G_GUINT64_FORMAT " records in %u runs", dir ? dir : "",
		 dir ? ": " : "", r->wall_seconds, r->records, r->nruns);
	return cli_finish_output(CLI_OK);
}

/* A run that ended well, in which all that was asked for failed. */
static int say_if_all_failed(const struct experiment_result *r, int status)
{
	const char *why = status == CLI_OK ? experiment_all_failed(r) : NULL;

	if (!why)
		return status;
	fprintf(stderr, "dmasim: no request succeeded%s%s\n", *why ? ": " : "", why);
	return CLI_FAILED;
}

/* A kernel that has no row of its own is taken as another: said once for each. */
static void note_kernels(const struct scenario *s, const struct cli_common *o)
{
	unsigned n;
	const struct run_spec *runs = scenario_runs(s, &n);

	for (unsigned i = 0; i < n; i++) {
		bool said = !runs[i].kernel_note;

		for (unsigned j = 0; j < i && !said; j++)
			said = !g_strcmp0(runs[j].kernel_note, runs[i].kernel_note);
		if (!said)
			cli_note(o, "%s", runs[i].kernel_note);
	}
}

static int run_and_show(struct scenario *s, const struct cli_common *o, struct experiment_options *options)
{
	struct cli_progress *progress = cli_progress_new(o);
	struct experiment_result *r;
	GError *error = NULL;
	int status;

	options->progress = progress ? cli_progress_update : NULL;
	options->progress_arg = progress;
	r = experiment_run(s, options, &error);
	cli_progress_free(progress);
	if (!r && o->quiet && dmasim_error_status(error) == CLI_INTERRUPTED) {
		g_error_free(error);
		return CLI_INTERRUPTED;
	}
	if (!r)
		return cli_fail(error);
	if (o->output && !result_write(r, o->output, &error))
		status = cli_fail(error);
	else
		status = say_if_all_failed(r, show(r, o, o->output));
	experiment_result_free(r);
	return status;
}

int cli_run_scenario(struct scenario *s, const struct cli_common *o, const struct cli_run_extra *extra)
{
	struct experiment_options options = {
	    .cancel = &cli_interrupted, .timeline_limit = 200 * MIB, .threads = (unsigned)extra->threads};
	g_autofree char *timeline = NULL;
	bool made_dir = false;
	GError *error = NULL;
	int status;

	if (!cli_apply_run_options(s, o, &error) || !scenario_resolve(s, &error) ||
	    !parse_interval(extra->interval, &options.interval, &error))
		return cli_fail(error);
	note_kernels(s, o);
	if (o->output && !result_check_dir(o->output, &error))
		return cli_fail(error);
	if (extra->dry_run)
		return cli_dry_run(s, o, options.threads);
	if (extra->timeline) {
		if (!o->output)
			return cli_usage(extra->command,
					 "--timeline needs -o DIR to write timeline.json into");
		made_dir = !g_file_test(o->output, G_FILE_TEST_EXISTS);
		if (!make_dir(o->output, &error))
			return cli_fail(error);
		timeline = g_strdup_printf("%s/.timeline.json.%d", o->output, (int)getpid());
		options.timeline = timeline;
	}
	status = run_and_show(s, o, &options);
	if (timeline)
		g_unlink(timeline); /* in its place, unless something failed */
	if (made_dir)
		g_rmdir(o->output);
	return status;
}
