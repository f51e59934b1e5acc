/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim replay TRACE...: run without a scenario file. */
#include "run.h"

struct replay_options {
	struct cli_common common;
	char *as, *format, *device, *preset, *interval;
	gboolean timeline, dry_run;
};

static bool set_if(struct scenario *s, const char *key, const char *value, const char *origin, GError **error)
{
	return !value || scenario_set(s, key, value, origin, error);
}

static int run(void *options, int nargs, char **args)
{
	struct replay_options *o = options;
	struct cli_run_extra extra = {
	    .command = "replay", .interval = o->interval, .timeline = o->timeline, .dry_run = o->dry_run};
	g_autoptr(GPtrArray) traces = g_ptr_array_new();
	g_autofree char *list = NULL;
	GError *error = NULL;
	struct scenario *s;
	int status;

	if (!nargs)
		return cli_usage("replay", "wants a trace file, or - for standard input");
	for (int i = 0; i < nargs; i++)
		g_ptr_array_add(traces, args[i]);
	g_ptr_array_add(traces, NULL);
	list = g_strjoinv(",", (char **)traces->pdata);
	s = scenario_new();
	if (!set_if(s, "scenario.preset", o->preset, "--preset", &error) ||
	    !set_if(s, "workload.trace", list, "the command line", &error) ||
	    !set_if(s, "workload.kind", o->as, "--as", &error) ||
	    !set_if(s, "workload.format", o->format, "--format", &error) ||
	    !set_if(s, "workload.device", o->device, "--device", &error))
		status = cli_fail(error);
	else
		status = cli_run_scenario(s, &o->common, &extra);
	scenario_free(s);
	return status;
}

#define O(member) offsetof(struct replay_options, member)
static const struct cli_option options[] = {
    {"as", 0, CLI_STRING, O(as), "WORKLOAD",
     "nvme, rdma_odp, vfio_migration or dma_replay (else: what the format implies)", &cli_words_inputs},
    {"format", 0, CLI_STRING, O(format), "NAME", "force a trace format (else: found by content)",
     &cli_words_formats},
    {"device", 0, CLI_STRING, O(device), "NAME", "keep only this device's records", NULL},
    {"preset", 0, CLI_STRING, O(preset), "NAME", "machine to run on (dmasim presets)", &cli_words_presets},
    {"interval", 0, CLI_STRING, O(interval), "TIME",
     "also write timeseries.csv, one row per interval of simulated time (1ms)", NULL},
    {"timeline", 0, CLI_FLAG, O(timeline), NULL,
     "also write timeline.json (Chrome trace events; opens in Perfetto)", NULL},
    {"dry-run", 0, CLI_FLAG, O(dry_run), NULL, "say what would run and about how long it would take", NULL},
    {0},
};

const struct cli_command cli_command_replay = {
    .name = "replay",
    .args = "TRACE...",
    .help = "run trace files through both DMA APIs, without a scenario file",
    .about = "The format is found by content; .gz .xz .zst .bz2 and - (standard input) are read as they are. "
	     "Several "
	     "files follow one another in time on the same machines.",
    .examples = "dmasim replay trace.csv\tboth APIs; strict, lazy and passthrough\n"
		"zcat fio.log.gz | dmasim replay - --iommu strict -o result\tfrom a pipe",
    .group = CLI_GROUP_RUN,
    .run_options = true,
    .options = options,
    .options_size = sizeof(struct replay_options),
    .completes = &cli_words_files,
    .run = run,
};
