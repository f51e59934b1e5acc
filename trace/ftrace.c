/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux tracing text as block requests: ftrace, trace-cmd report, perf script; see ftrace_line.h. */
#include "kernel_rq.h"

#include <string.h>

struct ftrace {
	struct kernel_rq *rq;
};

static bool detect(const struct probe *p)
{
	struct ftrace_line l;

	return g_str_has_prefix(p->comment, "# tracer:") || ftrace_is_header(p->line) ||
	       ftrace_parse(p->line, &l, NULL, NULL) == FTRACE_EVENT;
}

static bool open_ftrace(struct trace_reader *r, GError **error G_GNUC_UNUSED)
{
	struct ftrace *f = r->state;

	f->rq = kernel_rq_new(r);
	return true;
}

static int end_ftrace(struct trace_reader *r, GError **error)
{
	struct ftrace *f = r->state;

	kernel_rq_end(f->rq);
	if (!kernel_rq_only_mappings(f->rq))
		return 0;
	g_set_error(
	    error, TRACE_ERROR, TRACE_ERROR_FORMAT,
	    "%s: the recording has mapping events but no requests (nvme_setup_cmd or block_rq_issue); "
	    "replay it as mapping calls with --as dma_replay (or `dmasim verify`), or record the nvme events "
	    "too",
	    input_name(r->in));
	return -1;
}

static int step_ftrace(struct trace_reader *r, GError **error)
{
	struct ftrace *f = r->state;
	const char *line, *at = NULL, *want = NULL;
	struct ftrace_line l;
	uint64_t lost = 0;
	GError *e = NULL;
	size_t len;
	int rc = input_line(r->in, &line, &len, error);

	if (rc == 0)
		return end_ftrace(r, error);
	if (rc < 0)
		return rc;
	switch (ftrace_parse(line, &l, &lost, &at)) {
	case FTRACE_EVENT:
		if (kernel_rq_event(f->rq, &l, input_line_number(r->in), &want, &e))
			return 1;
		if (e) {
			g_propagate_error(error, e);
			return -1;
		}
		at = l.payload;
		break;
	case FTRACE_LOST:
		r->counts.lost += lost;
		return 1;
	case FTRACE_COMMENT:
		return 1;
	case FTRACE_BAD:
		want = "COMM-PID [CPU] FLAGS SECONDS: EVENT: ...";
		break;
	}
	return reader_bad(r, TRACE_BAD_MALFORMED, line, at, error, want) ? 1 : -1;
}

static void close_ftrace(struct trace_reader *r)
{
	struct ftrace *f = r->state;

	kernel_rq_free(f->rq);
}

const struct format_ops format_ftrace = {
    .rank = 160,
    .recording = true,
    .pub = {"ftrace", "Linux tracing text: tracefs \"trace\", trace-cmd report, perf script", TRACE_NVME,
	    false, NULL},
    .evidence = "\"# tracer:\", \"version = \", \"cpus=\" or a line COMM-PID [CPU] SECONDS: EVENT:",
    .detect = detect,
    .state_size = sizeof(struct ftrace),
    .open = open_ftrace,
    .step = step_ftrace,
    .close = close_ftrace,
};
