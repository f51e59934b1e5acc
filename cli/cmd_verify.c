/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim verify RECORDING...: a recorded kernel run against the model. */
#include "cli.h"

#include "experiment/result.h"
#include <dmasim/verify.h>
#include <inttypes.h>

struct verify_cli_options {
	struct cli_common common;
	char *preset;
	gboolean table, from_calls;
};

static double share(uint64_t n, const struct replay_totals *t)
{
	return 100.0 * (double)n / (double)t->addresses;
}

static void print_totals(const struct replay_totals *t)
{
	printf("  addresses   %" PRIu64 ": %" PRIu64 " predicted, %" PRIu64 " ordered, %" PRIu64
	       " bound, %" PRIu64 " explained, %" PRIu64 " diverging\n",
	       t->addresses, t->predicted, t->ordered, t->bound, t->explained, t->diverging);
	printf("  descriptors %" PRIu64 " equal or reported (%" PRIu64 " of others passed over), %" PRIu64
	       " range flushes\n",
	       t->descriptors, t->foreign, t->tag_flushes);
	printf("  calls       %" PRIu64 ": %" PRIu64 " maps, %" PRIu64 " unmaps, %" PRIu64
	       " IOVA frees, %" PRIu64 " probe lines inferred, %" PRIu64 " older mappings adopted\n",
	       t->calls, t->maps, t->unmaps, t->frees, t->inferred, t->adopted);
	if (t->addresses)
		printf("  shares      %.2f %% predicted, %.2f %% bound, %.2f %% explained, %.2f %% "
		       "contradicted\n",
		       share(t->predicted + t->ordered, t), share(t->bound, t), share(t->explained, t),
		       share(t->diverging, t));
	if (t->older_frees + t->cut_calls + t->unrecorded)
		printf("  older       %" PRIu64 " queued ranges released, %" PRIu64
		       " calls held in part, %" PRIu64 " events of kinds not recorded\n",
		       t->older_frees, t->cut_calls, t->unrecorded);
	if (t->timer_flushes + t->full_flushes)
		printf("  flushes     %" PRIu64 " by the recorded timer (the model's own: %" PRIu64
		       "), %" PRIu64 " by full rings\n",
		       t->timer_flushes, t->model_timers, t->full_flushes);
	if (t->requests)
		printf("  requests    %" PRIu64 " through the driver path from their vectors alone\n",
		       t->requests);
	if (t->classified)
		printf("  peers       %" PRIu64 " classifications equal or reported\n", t->classified);
	printf("  counts      %" PRIu64 " compared\n", t->counts);
}

static void print_boot(const struct cli_common *o, const struct verify_boot *b)
{
	printf("%s: Linux %s, %s%s\n", b->name, b->kernel->name, b->mode,
	       b->fresh ? "" : ", began with unknown allocator state");
	for (unsigned i = 0; i < b->recordings->len; i++) {
		const struct verify_recording *v = g_ptr_array_index(b->recordings, i);

		if (v->lost)
			cli_note(o, "%s: the recorder lost %" PRIu64 " events", v->path, v->lost);
		printf("%s %s: %" PRIu64 " events, %" PRIu64 " addresses, %" PRIu64 " bound, %" PRIu64
		       " explained, %" PRIu64 " descriptors\n",
		       v->divergence ? "DIVERGES" : "equal   ", v->name, v->events, v->totals.addresses,
		       v->totals.bound, v->totals.explained, v->totals.descriptors);
		if (v->divergence)
			printf("%s%s\n", v->divergence, v->complete ? "" : "\n  (not compared further)");
	}
	print_totals(&b->totals);
	if (b->undecided) {
		g_auto(GStrv) lines = g_strsplit(g_strchomp(b->undecided), "\n", -1);

		for (char **line = lines; *line; line++)
			printf("  undecided   %s\n", *line);
	}
}

static int run(void *options, int nargs, char **args)
{
	struct verify_cli_options *o = options;
	struct verify_options v = {
	    .set = o->common.set, .from_calls = o->from_calls, .stop = &cli_interrupted};
	struct scenario *machine;
	GError *error = NULL;
	GPtrArray *boots = NULL;
	int status;

	if (!nargs)
		return cli_usage("verify", "wants recordings of one boot, or their directory");
	machine = scenario_new();
	if (scenario_set(machine, "scenario.preset", o->preset ? o->preset : "qemu", "--preset", &error)) {
		v.machine = scenario_config(machine);
		boots = verify_paths(args, (unsigned)nargs, &v, &error);
	}
	scenario_free(machine);
	if (!boots)
		return cli_fail(error);
	status = verify_equal(boots) ? CLI_OK : CLI_FAILED;
	if (o->common.json) {
		int printed = cli_print_json(verify_json(boots));

		status = printed == CLI_OK ? status : printed;
	} else if (o->table) {
		g_autofree char *table = verify_table(boots);

		fputs(table, stdout);
	} else {
		for (unsigned i = 0; i < boots->len; i++)
			print_boot(&o->common, g_ptr_array_index(boots, i));
	}
	g_ptr_array_unref(boots);
	return cli_interrupted ? CLI_INTERRUPTED : cli_finish_output(status);
}

#define O(member) offsetof(struct verify_cli_options, member)
static const struct cli_option options[] = {
    {"preset", 0, CLI_STRING, O(preset), "NAME", "machine that recorded (qemu)", &cli_words_presets},
    {"from-calls", 0, CLI_FLAG, O(from_calls), NULL,
     "replay the driver's recorded DMA calls even where its requests are recorded with their vectors", NULL},
    {"table", 0, CLI_FLAG, O(table), NULL, "print the table of docs/exactness.md", NULL},
    {0},
};

const struct cli_command cli_command_verify = {
    .name = "verify",
    .args = "RECORDING...",
    .help = "replay a recorded kernel run and compare every address, descriptor and count",
    .about = "Recordings are ftrace text or trace.dat files; those of one boot, in order, or their "
	     "directory, share "
	     "allocator state. Kernel, mode and limits are taken from NAME.summary.json and environment.txt "
	     "beside "
	     "them, else from --set kernel.version, iommu.mode. Host bridge windows are an input: "
	     "iommu.reserved.\n\n"
	     "State older than a recording is unknown: it is bound when it first shows itself, and counted. "
	     "On the "
	     "first divergence the operations around it and the state of the allocator are printed. Exit "
	     "status 0: "
	     "all equal; 1: something diverges; 3: input that cannot be read.",
    .examples =
	"dmasim verify recordings/6.12-strict\tall recordings of one boot\n"
	"dmasim verify run.trace.txt.zst --set iommu.mode=lazy --set kernel.version=7.0\tnothing beside it",
    .group = CLI_GROUP_RUN,
    .run_options = true,
    .options = options,
    .options_size = sizeof(struct verify_cli_options),
    .completes = &cli_words_files,
    .run = run,
};
