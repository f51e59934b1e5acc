/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim record -o DIR [-- COMMAND...]: what this machine's kernel does with DMA. */
#include "cli.h"

#include "record/record.h"
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/wait.h>

/* A folder that holds proc and sys, for tests. */
#define ROOT_VARIABLE "DMASIM_RECORD_ROOT"

struct record_cli {
	struct cli_common common;
	char *duration, *buffer;
	gboolean print, events;
};

static const struct param_spec duration_spec = {"duration", PARAM_TIME, "",   0,  "1s",
						1e6,        1e18,       NULL, "", NULL};
static const struct param_spec buffer_spec = {"buffer", PARAM_SIZE, "",   0,  "64MiB",
					      1 << 20,  1e15,       NULL, "", NULL};

static bool parse(const struct param_spec *spec, const char *text, void *value, GError **error)
{
	if (!text || param_set(spec, value, text, error))
		return true;
	g_prefix_error(error, "--%s %s: ", spec->name, text);
	return false;
}

static void on_signal(int signum)
{
	cli_interrupted = signum;
}

/* A second Ctrl-C must not kill us before the kernel's tracing is as it was. */
static void keep_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static void say(void *arg, const char *text)
{
	cli_note(arg, "dmasim: %s", text);
}

static const char *root(void)
{
	const char *variable = g_getenv(ROOT_VARIABLE);

	return variable ? variable : "";
}

static int print_script(const struct cli_common *o)
{
	g_autofree char *script = record_script();
	GError *error = NULL;

	if (!record_possible(root(), &error)) {
		cli_note(o, "dmasim: here the script would not work: %s", error->message);
		g_error_free(error);
	}
	fputs(script, stdout);
	return cli_finish_output(CLI_OK);
}

static char *releases(const struct record_event *e)
{
	unsigned since = e->since, until = e->until;

	if (!since && !until)
		return g_strdup("all");
	if (!until)
		return g_strdup_printf("%u.%u on", since >> 8, since & 255);
	if (!since)
		return g_strdup_printf("to %u.%u", until >> 8, until & 255);
	return g_strdup_printf("%u.%u to %u.%u", since >> 8, since & 255, until >> 8, until & 255);
}

static int print_events(void)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	static const char *const heads[] = {"event", "from", "releases", "for"};

	for (unsigned i = 0; i < G_N_ELEMENTS(heads); i++)
		g_ptr_array_add(cells, g_strdup(heads[i]));
	for (unsigned i = 0; i < record_events_count; i++) {
		const struct record_event *e = &record_events[i];

		g_ptr_array_add(cells, g_strdup(e->name));
		g_ptr_array_add(
		    cells, e->system ? g_strdup_printf("tracepoint %s", e->system)
				     : g_strdup_printf("%s%s", e->returns ? "return of " : "", e->function));
		g_ptr_array_add(cells, releases(e));
		g_ptr_array_add(cells, g_strdup(e->what));
	}
	cli_print_columns(stdout, (char *const *)cells->pdata, G_N_ELEMENTS(heads), record_events_count + 1,
			  0);
	return cli_finish_output(CLI_OK);
}

static int command_status(const struct cli_common *o, char **args, int status)
{
	if (status == 0)
		return CLI_OK;
	if (WIFSIGNALED(status))
		cli_note(o, "dmasim: %s was ended by signal %d; what was recorded is kept", args[0],
			 WTERMSIG(status));
	else
		cli_note(o, "dmasim: %s ended with status %d; what was recorded is kept", args[0],
			 WEXITSTATUS(status));
	return cli_interrupted ? CLI_OK : CLI_FAILED;
}

static int report(const struct record_cli *o, const struct record_result *r, char **args)
{
	const char *directory = o->common.output;
	int status = command_status(&o->common, args, r->status);

	for (unsigned i = 0; i < r->notes->len; i++)
		cli_note(&o->common, "note: %s", (const char *)g_ptr_array_index(r->notes, i));
	if (o->common.json) {
		json_t *notes = json_array();
		int printed;

		for (unsigned i = 0; i < r->notes->len; i++)
			json_array_append_new(notes, json_string(g_ptr_array_index(r->notes, i)));
		printed = cli_print_json(json_pack("{s:s,s:I,s:I,s:I,s:I,s:o}", "directory", directory,
						   "events", (json_int_t)r->events, "lost",
						   (json_int_t)r->lost, "cut", (json_int_t)r->cut, "missed",
						   (json_int_t)r->missed, "notes", notes));
		return printed == CLI_OK ? status : printed;
	}
	cli_note(&o->common, "%s: %" PRIu64 " events, %" PRIu64 " lost. Next: dmasim verify %s", directory,
		 r->events, r->lost, directory);
	if (r->lost)
		cli_note(&o->common, "Give the buffer more room with --buffer, or record for less time.");
	if (!r->events)
		cli_note(
		    &o->common,
		    "Nothing happened that dmasim reads: was there I/O past the page cache (direct I/O)?");
	return cli_finish_output(status);
}

static int run(void *options, int nargs, char **args)
{
	struct record_cli *o = options;
	struct record_options r = {.output = o->common.output,
				   .root = root(),
				   .command = nargs ? args : NULL,
				   .stop = &cli_interrupted,
				   .say = say,
				   .arg = &o->common};
	struct record_result result;
	uint64_t buffer = 0;
	sim_time_t duration = 0;
	GError *error = NULL;
	int status;

	if (o->events)
		return print_events();
	if (o->print)
		return print_script(&o->common);
	if (!r.output)
		return cli_usage("record", "wants a directory for the recording: -o DIR");
	if (!parse(&duration_spec, o->duration, &duration, &error) ||
	    !parse(&buffer_spec, o->buffer, &buffer, &error))
		return cli_fail(error);
	r.buffer_kib = buffer >> 10;
	r.duration_ns = duration / SIM_NS;
	keep_signals();
	status = record_run(&r, &result, &error) ? report(o, &result, args) : cli_fail(error);
	record_result_clear(&result);
	return status;
}

#define O(member) offsetof(struct record_cli, member)
static const struct cli_option options[] = {
    {"output", 'o', CLI_PATH, O(common.output), "DIR", "directory for the recording (must not exist)", NULL},
    {"duration", 0, CLI_STRING, O(duration), "TIME",
     "end after this time, e.g. 10s, and COMMAND with it (else: when COMMAND ends, or Ctrl-C)", NULL},
    {"buffer", 0, CLI_STRING, O(buffer), "SIZE",
     "kernel buffer of each CPU, e.g. 64MiB (else: an eighth of the available memory in all)", NULL},
    {"events", 0, CLI_FLAG, O(events), NULL, "list the events, and record nothing", NULL},
    {"print", 0, CLI_FLAG, O(print), NULL,
     "print a shell script that does the same by hand, and record nothing", NULL},
    {0},
};

const struct cli_command cli_command_record = {
    .name = "record",
    .args = "[-- COMMAND...]",
    .help = "record what this machine's kernel does with DMA, for verify and replay",
    .about = "Records the tracepoints and probes that dmasim reads, for as long as COMMAND runs, for "
	     "--duration, or until "
	     "Ctrl-C, and leaves one directory that `dmasim verify` and `dmasim replay` take: the events, "
	     "what must be "
	     "known of the machine (kernel, boot arguments, DMAR table, PCI configuration space, IOMMU "
	     "groups, queue limits, "
	     "drives), and notes.txt, which says what could not be had.\n\n"
	     "Needs root and tracefs, nothing else. Events go into a tracing instance of their own and "
	     "probes into a group of "
	     "their own; both are removed at the end, also after Ctrl-C, so nobody else's tracing is "
	     "touched. An IOMMU need "
	     "not be on, but without one there is no translation to see. The buffer keeps the newest events: "
	     "what did "
	     "not fit is counted.\n\n"
	     "Exit status 0: recorded; 1: recorded, but COMMAND failed; 3: this kernel or user cannot "
	     "record; 4: the directory "
	     "exists or cannot be written.",
    .examples =
	"dmasim record -o mine -- fio job.fio\trecord while fio runs\n"
	"dmasim record -o mine --duration 10s\twhatever the machine does for ten seconds\n"
	"dmasim record --print > record.sh\tfor a machine without dmasim: sh record.sh DIR COMMAND...",
    .group = CLI_GROUP_INPUT,
    .options = options,
    .options_size = sizeof(struct record_cli),
    .run = run,
};
