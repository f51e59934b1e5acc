/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One recording from begin to end: the directory, the machine's description, the session, the command, the
 * lines. Whatever happens in between, the session is ended and no half of a result stays.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACE_FILE "recording.trace.txt.zst"
/* Lazy invalidation happens up to 10 ms after the last unmap; ten times that. */
#define SETTLE_US 100000
#define POLL_US 5000

void record_note(GPtrArray *notes, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(notes, g_strdup_vprintf(format, args));
	va_end(args);
}

void record_result_clear(struct record_result *result)
{
	g_clear_pointer(&result->notes, g_ptr_array_unref);
}

static void say(const struct record_options *o, const char *text)
{
	if (o->say)
		o->say(o->arg, text);
}

static bool stopped(const struct record_options *o)
{
	return o->stop && *o->stop;
}

/* An eighth of what is available, shared by the CPUs. */
static uint64_t usual_buffer_kib(const char *root)
{
	g_autofree char *path = g_build_filename("/", root, "proc/meminfo", NULL), *text = NULL;
	uint64_t available = 0;
	const char *line;

	if (g_file_get_contents(path, &text, NULL, NULL) && (line = strstr(text, "MemAvailable:")))
		sscanf(line, "MemAvailable: %" SCNu64, &available);
	return MAX(available / 8 / (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1), 1024);
}

/* ---- the directory ---- */

static bool make_directory(const char *path, GError **error)
{
	if (!g_mkdir(path, 0777))
		return true;
	if (errno == EEXIST)
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT,
			    "%s exists, and a recording is never overwritten: choose another directory",
			    path);
	else
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT, "%s: %s", path, g_strerror(errno));
	return false;
}

static void remove_directory(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		g_unlink(file);
	}
	if (dir)
		g_dir_close(dir);
	g_rmdir(path);
}

static bool add_to_file(const char *directory, const char *name, const char *text, GError **error)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	FILE *f = fopen(path, "ae");
	bool ok = f && fputs(text, f) >= 0;

	if (f && fclose(f))
		ok = false;
	if (!ok)
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT, "%s: %s", path, g_strerror(errno));
	return ok;
}

static bool add_lines(const char *directory, const char *name, const GPtrArray *lines, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (unsigned i = 0; i < lines->len; i++)
		g_string_append_printf(text, "%s\n", (const char *)g_ptr_array_index(lines, i));
	return !text->len || add_to_file(directory, name, text->str, error);
}

/* Notes that the script has written come first. */
static void take_notes(const char *directory, GPtrArray *notes)
{
	g_autofree char *path = g_build_filename(directory, "notes.txt", NULL), *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return;
	g_unlink(path);
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++)
		if (**line)
			g_ptr_array_add(notes, g_strdup(*line));
}

static bool describe_machine(const struct record_options *o, GPtrArray *notes, GError **error)
{
	const char *argv[] = {"/bin/sh", "-c", record_environment_sh, "dmasim", o->root, o->output, NULL};
	g_autofree char *problem = NULL;
	int status;

	if (!g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL, NULL, &problem, &status, error))
		return false;
	take_notes(o->output, notes);
	if (problem && *problem)
		record_note(notes, "while describing the machine: %s", g_strchomp(problem));
	return true;
}

static bool describe_drives(const struct record_options *o, GPtrArray *notes, GError **error)
{
	g_autoptr(GString) lines = g_string_new(NULL);

	drives_describe(o->root, lines, notes);
	return !lines->len || add_to_file(o->output, "environment.txt", lines->str, error);
}

/* ---- the command ---- */

/* A terminal's Ctrl-C reaches the command as well; what is sent to dmasim alone is passed on, once. */
static void pass_on(const struct record_options *o, GPid pid, bool *passed)
{
	int signum = *o->stop;

	if (!*passed && (signum != SIGINT || !isatty(STDIN_FILENO)))
		kill(pid, signum);
	*passed = true;
}

static bool over(gint64 end)
{
	return end && g_get_monotonic_time() >= end;
}

static bool run_command(const struct record_options *o, gint64 end, int *status, GError **error)
{
	GPid pid;
	bool passed = false;

	if (!g_spawn_async(NULL, (char **)o->command, NULL,
			   G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CHILD_INHERITS_STDIN,
			   NULL, NULL, &pid, error)) {
		g_prefix_error(error, "the command did not start: ");
		return false;
	}
	while (waitpid(pid, status, WNOHANG) == 0) {
		if (stopped(o))
			pass_on(o, pid, &passed);
		else if (over(end) && !passed) {
			kill(pid, SIGTERM);
			passed = true;
		}
		g_usleep(POLL_US);
	}
	return true;
}

static bool record_for(const struct record_options *o, struct record_result *result, GError **error)
{
	gint64 end = o->duration_ns ? g_get_monotonic_time() + (gint64)(o->duration_ns / 1000) : 0;

	if (o->command && *o->command) {
		if (!run_command(o, end, &result->status, error))
			return false;
	} else {
		say(o, end ? "recording" : "recording; Ctrl-C ends it");
		while (!stopped(o) && !over(end))
			g_usleep(POLL_US);
	}
	g_usleep(SETTLE_US);
	return true;
}

/* ---- all of it ---- */

static bool record_into(const struct record_options *o, struct session *s, struct record_result *result,
			GError **error)
{
	g_autofree char *trace = g_build_filename(o->output, TRACE_FILE, NULL);
	bool ok = session_start(s, error) && record_for(o, result, error);

	/* Also of a recording that failed: nothing more shall come in. */
	if (!session_stop(s, ok ? error : NULL) || !ok)
		return false;
	say(o, "saving");
	result->missed = session_missed(s);
	return collect_trace(s->instance, trace, result, error) &&
	       add_lines(o->output, "probes.txt", s->definitions, error) &&
	       describe_drives(o, result->notes, error);
}

static void note_losses(struct record_result *result)
{
	if (result->lost)
		record_note(result->notes,
			    "%" PRIu64 " events did not fit into the buffer, and %" PRIu64
			    " of the same time were left out: "
			    "the recording begins later than it was started",
			    result->lost, result->cut);
}

bool record_run(const struct record_options *o, struct record_result *result, GError **error)
{
	struct tracefs *t;
	struct session *s = NULL;
	bool ok;

	memset(result, 0, sizeof(*result));
	result->notes = g_ptr_array_new_with_free_func(g_free);
	t = tracefs_open(o->root, error);
	if (!t)
		return false;
	if (!make_directory(o->output, error)) {
		tracefs_close(t);
		return false;
	}
	ok = describe_machine(o, result->notes, error);
	if (ok)
		s = session_new(t, o->buffer_kib ? o->buffer_kib : usual_buffer_kib(o->root), result->notes,
				error);
	ok = s && record_into(o, s, result, error);
	if (s)
		session_end(s);
	tracefs_close(t);
	note_losses(result);
	ok = ok && add_lines(o->output, "notes.txt", result->notes, error);
	if (!ok)
		remove_directory(o->output);
	return ok;
}

bool record_possible(const char *root, GError **error)
{
	struct tracefs *t = tracefs_open(root, error);

	tracefs_close(t);
	return t != NULL;
}
