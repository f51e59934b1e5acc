/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim run SCENARIO */
#include "run.h"

struct run_options {
	struct cli_common common;
	char *interval, *preset;
	gboolean timeline, dry_run;
	int threads;
};

static int run(void *options, int nargs, char **args)
{
	struct run_options *o = options;
	struct cli_run_extra extra = {.command = "run",
				      .interval = o->interval,
				      .timeline = o->timeline,
				      .dry_run = o->dry_run,
				      .threads = o->threads};
	GError *error = NULL;
	struct scenario *s;
	int status;

	if (nargs != 1)
		return cli_usage("run", nargs ? "wants one scenario, not %d" : "wants a scenario file",
				 nargs);
	s = scenario_load(args[0], &error);
	if (!s)
		return cli_fail(error);
	if (o->preset && !scenario_set(s, "scenario.preset", o->preset, "--preset", &error))
		status = cli_fail(error);
	else
		status = cli_run_scenario(s, &o->common, &extra);
	scenario_free(s);
	return status;
}

static const struct cli_option options[] = {
    {"preset", 0, CLI_STRING, offsetof(struct run_options, preset), "NAME",
     "machine to run on, instead of the scenario's (dmasim presets)", &cli_words_presets},
    {"interval", 0, CLI_STRING, offsetof(struct run_options, interval), "TIME",
     "also write timeseries.csv, one row per interval of simulated time (1ms)", NULL},
    {"timeline", 0, CLI_FLAG, offsetof(struct run_options, timeline), NULL,
     "also write timeline.json (Chrome trace events; opens in Perfetto)", NULL},
    {"dry-run", 0, CLI_FLAG, offsetof(struct run_options, dry_run), NULL,
     "say what would run and about how long it would take", NULL},
    {"threads", 0, CLI_NUMBER, offsetof(struct run_options, threads), "N",
     "machines that run at a time (default: one per CPU); results do not depend on it", NULL},
    {0},
};

const struct cli_command cli_command_run = {
    .name = "run",
    .args = "SCENARIO",
    .help = "run every API and IOMMU mode of a scenario on the same records",
    .about =
	"Prints the comparison; with -o DIR also writes result.json, summary.csv, timing.json, for measuring "
	"workloads curve.csv, and in "
	"fidelity "
	"timing, latency.hgrm. The same scenario, inputs and seed give the same bytes (timing.json aside).\n"
	"SCENARIO is an .ini file, or a result directory: a result holds its whole effective scenario and "
	"can be "
	"run again from itself.",
    .examples = "dmasim run scenarios/nvme-vectored-recorded.ini\tprint the comparison\n"
		"dmasim run scenarios/nvme-vectored-recorded.ini -o result --set iotlb.entries=64\tkeep it, "
		"with a smaller IOTLB\n"
		"dmasim run scenarios/nvme-vectored-recorded.ini --json | jq "
		"'.runs[].stats[\"qi.desc_iotlb_page\"]'\tone number "
		"per run",
    .group = CLI_GROUP_RUN,
    .run_options = true,
    .options = options,
    .options_size = sizeof(struct run_options),
    .completes = &cli_words_files,
    .run = run,
};
