/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace-cmd's binary trace.dat, versions 6 and 7, through libtracecmd, which prints each event as raw
 * fields (that works where it cannot format an event); the lines then go the way of tracing text.
 *
 * The library wants a file in which it can seek, so the input is copied to a temporary one. On damaged
 * files it (1.3) frees memory twice and reads outside its buffers; it therefore runs in a child process,
 * and its crash is this reader's error message.
 */
#include "kernel_rq.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <trace-cmd.h>
#include <unistd.h>

/* The library is given up when it writes nothing for so long. */
#define PATIENCE_MS 60000
#define BUFFER ((size_t)256 * 1024)
enum { CHILD_OK, CHILD_CANNOT_OPEN, CHILD_NOT_ALL };

struct trace_dat {
	struct kernel_rq *rq;
	pid_t child;
	int pipe;
	char *buf; /* [pos, end) is unread text */
	size_t pos, end;
	uint64_t events;
};

static bool detect(const struct probe *p)
{
	return p->nbytes >= 10 && memcmp(p->bytes, "\x17\x08\x44tracing", 10) == 0;
}

/* Copy all of the input to an unnamed file; its descriptor, -1 on error. */
static int spool(struct trace_reader *r, GError **error)
{
	char *path = NULL;
	int fd = g_file_open_tmp("dmasim-trace-XXXXXX", &path, error);
	const uint8_t *p;
	ssize_t n;

	if (fd < 0)
		return -1;
	unlink(path);
	g_free(path);
	while ((n = input_peek(r->in, 1, &p, error)) > 0) {
		ssize_t done = write(fd, p, (size_t)n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN,
				    "%s: cannot write a temporary copy in %s: %s", input_name(r->in),
				    g_get_tmp_dir(), g_strerror(errno));
			close(fd);
			return -1;
		}
		input_skip(r->in, (size_t)done);
	}
	if (n < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- in the child ---- */

static void print_event(FILE *out, struct tep_handle *tep, struct trace_seq *seq, struct tep_record *rec)
{
	struct tep_event *event = tep_find_event_by_record(tep, rec);

	if (rec->missed_events > 0)
		fprintf(out, "CPU:%d [LOST %d EVENTS]\n", rec->cpu, (int)rec->missed_events);
	if (!event)
		return;
	trace_seq_reset(seq);
	tep_print_event(tep, seq, rec, "%s", TEP_PRINT_INFO_RAW);
	trace_seq_terminate(seq);
	g_strdelimit(seq->buffer, "\n", ' '); /* what a user wrote to trace_marker ends in one */
	fprintf(out, "task-%d [%03d] %llu.%09llu: %s: %s\n", MAX(tep_data_pid(tep, rec), 0), rec->cpu,
		(unsigned long long)rec->ts / 1000000000, (unsigned long long)rec->ts % 1000000000,
		event->name, seq->buffer);
}

/* Read fd with the library, print all events in order of time, ties by CPU. */
static int child_main(int fd, FILE *out)
{
	struct tracecmd_input *input;
	struct tep_record **next;
	struct tep_handle *tep;
	struct trace_seq seq;
	int cpus;

	tep_set_loglevel(TEP_LOG_NONE);
	tracecmd_set_loglevel(TEP_LOG_NONE);
	input = tracecmd_open_fd(fd, TRACECMD_FL_LOAD_NO_PLUGINS);
	if (!input)
		return CHILD_CANNOT_OPEN;
	tep = tracecmd_get_tep(input);
	cpus = tep_get_cpus(tep);
	if (cpus <= 0)
		return CHILD_CANNOT_OPEN;
	trace_seq_init(&seq);
	next = g_new0(struct tep_record *, (size_t)cpus);
	for (int i = 0; i < cpus; i++)
		next[i] = tracecmd_read_cpu_first(input, i);
	for (;;) {
		int first = -1;

		for (int i = 0; i < cpus; i++)
			if (next[i] && (first < 0 || next[i]->ts < next[first]->ts))
				first = i;
		if (first < 0)
			break;
		print_event(out, tep, &seq, next[first]);
		tracecmd_free_record(next[first]);
		next[first] = tracecmd_read_data(input, first);
	}
	return fflush(out) == 0 ? CHILD_OK : CHILD_NOT_ALL;
}

/* ---- in the reader ---- */

static bool start_child(struct trace_dat *d, int fd, const char *name, GError **error)
{
	int ends[2], quiet;

	if (pipe2(ends, O_CLOEXEC) < 0 || (d->child = fork()) < 0) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN, "%s: cannot start a process: %s", name,
			    g_strerror(errno));
		d->child = 0;
		return false;
	}
	if (d->child == 0) {
		/* What the library says about a damaged file is not for the user's terminal. */
		quiet = open("/dev/null", O_RDWR);
		dup2(quiet, STDIN_FILENO);
		dup2(quiet, STDOUT_FILENO);
		dup2(quiet, STDERR_FILENO);
		signal(SIGPIPE, SIG_DFL);
		_exit(child_main(fd, fdopen(ends[1], "w")));
	}
	close(ends[1]);
	d->pipe = ends[0];
	return true;
}

static bool open_dat(struct trace_reader *r, GError **error)
{
	struct trace_dat *d = r->state;
	int fd = spool(r, error);
	bool ok;

	d->pipe = -1;
	if (fd < 0)
		return false;
	ok = start_child(d, fd, input_name(r->in), error);
	close(fd);
	d->buf = g_malloc(BUFFER + 1);
	d->rq = kernel_rq_new(r);
	return ok;
}

/* The child has ended: judge how. */
static int end_dat(struct trace_reader *r, GError **error)
{
	struct trace_dat *d = r->state;
	int status = 0;
	pid_t child = d->child, rc;

	d->child = 0;
	do
		rc = waitpid(child, &status, 0);
	while (rc < 0 && errno == EINTR);
	/* A caller that ignores SIGCHLD leaves nothing to judge by. */
	if (rc != child || !WIFEXITED(status) || WEXITSTATUS(status) != CHILD_OK) {
		bool cannot = rc == child && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_CANNOT_OPEN;

		g_set_error(error, TRACE_ERROR, TRACE_ERROR_TRUNCATED,
			    "%s: libtracecmd %s this trace.dat of %" G_GUINT64_FORMAT
			    " bytes behind event %" G_GUINT64_FORMAT
			    "; it was cut off or damaged (or needs a newer library: then read the text of "
			    "`trace-cmd report -R`)",
			    input_name(r->in), cannot ? "cannot open" : "fails on", input_offset(r->in),
			    d->events);
		return -1;
	}
	kernel_rq_end(d->rq);
	if (!kernel_rq_only_mappings(d->rq))
		return 0;
	g_set_error(
	    error, TRACE_ERROR, TRACE_ERROR_FORMAT,
	    "%s: the recording has mapping events but no requests (nvme_setup_cmd or block_rq_issue); "
	    "record the nvme events too",
	    input_name(r->in));
	return -1;
}

/* Next line of the child, NUL-terminated; NULL at the end. */
static const char *child_line(struct trace_dat *d)
{
	for (;;) {
		char *nl = memchr(d->buf + d->pos, '\n', d->end - d->pos), *line = d->buf + d->pos;
		struct pollfd p = {.fd = d->pipe, .events = POLLIN};
		ssize_t n;

		if (nl) {
			*nl = '\0';
			d->pos = (size_t)(nl + 1 - d->buf);
			return line;
		}
		memmove(d->buf, line, d->end - d->pos);
		d->end -= d->pos;
		d->pos = 0;
		if (d->end == BUFFER)
			d->end = 0; /* no event is as long; the next one is whole again */
		do
			n = poll(&p, 1, PATIENCE_MS);
		while (n < 0 && errno == EINTR);
		if (n <= 0) {
			kill(d->child, SIGKILL);
			return NULL;
		}
		do
			n = read(d->pipe, d->buf + d->end, BUFFER - d->end);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			kill(d->child, SIGKILL); /* else it may wait for us for ever, and end well */
		if (n <= 0)
			return NULL;
		d->end += (size_t)n;
	}
}

static int step(struct trace_reader *r, GError **error)
{
	struct trace_dat *d = r->state;
	const char *line = child_line(d), *want = NULL;
	struct ftrace_line l;
	uint64_t lost = 0;
	GError *e = NULL;

	if (!line)
		return end_dat(r, error);
	switch (ftrace_parse(line, &l, &lost, NULL)) {
	case FTRACE_EVENT:
		d->events++;
		l.raw = true;
		if (kernel_rq_event(d->rq, &l, d->events, &want, &e))
			return 1;
		if (e) {
			g_propagate_error(error, e);
			return -1;
		}
		break;
	case FTRACE_LOST:
		r->counts.lost += lost;
		return 1;
	default:
		want = "an event";
		break;
	}
	return reader_bad(r, TRACE_BAD_MALFORMED, NULL, NULL, error, want) ? 1 : -1;
}

static void close_dat(struct trace_reader *r)
{
	struct trace_dat *d = r->state;

	if (d->child > 0) {
		kill(d->child, SIGKILL);
		while (waitpid(d->child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (d->pipe > 0)
		close(d->pipe);
	kernel_rq_free(d->rq);
	g_free(d->buf);
}

const struct format_ops format_trace_dat = {
    .rank = 30,
    .recording = true,
    .pub = {"trace-dat", "trace-cmd binary trace.dat, version 6 or 7", TRACE_NVME, true, NULL},
    .evidence = "the bytes 17 08 44 \"tracing\"",
    .detect = detect,
    .state_size = sizeof(struct trace_dat),
    .open = open_dat,
    .step = step,
    .close = close_dat,
};
