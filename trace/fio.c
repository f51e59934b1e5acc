/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fio I/O logs, versions 2 and 3 (fio 3.33, iolog.c; HOWTO, "Trace file format").
 * Version 3: "usec path add|open|close" and "usec path read|write|trim|sync|datasync offset bytes",
 * times in microseconds since the log was started. Version 2 has no times but "path wait time any";
 * fio's code takes it as milliseconds since the start of the process, the manual says otherwise.
 */
#include "reader.h"

#include <string.h>

struct fio {
	unsigned version;
	uint64_t now_ns; /* version 2 */
};

static bool detect(const struct probe *p)
{
	return g_str_has_prefix(p->line, "fio version ");
}

/* The first line of a log; logs of several jobs may stand one behind the other in one file. */
static bool parse_head(struct fio *fio, const char *line)
{
	const char *p = line;
	uint64_t version;

	if (!parse_literal(&p, "fio version ") || !parse_u64(&p, &version) || strcmp(p, " iolog") != 0 ||
	    (version != 2 && version != 3))
		return false;
	fio->version = (unsigned)version;
	fio->now_ns = 0;
	return true;
}

static bool open_fio(struct trace_reader *r, GError **error)
{
	const char *line;
	size_t len;
	int rc;

	do
		rc = input_line(r->in, &line, &len, error);
	while (rc == 1 && len == 0);
	if (rc < 0)
		return false;
	if (rc == 1 && parse_head(r->state, line))
		return true;
	g_set_error(
	    error, TRACE_ERROR, TRACE_ERROR_FORMAT,
	    "%s:%" G_GUINT64_FORMAT
	    ": expected \"fio version 2 iolog\" or \"fio version 3 iolog\", found \"%.40s\"; write the "
	    "log with fio's write_iolog",
	    input_name(r->in), MAX(input_line_number(r->in), 1), rc == 1 ? line : "");
	return false;
}

static int fio_bad(struct trace_reader *r, enum trace_bad kind, const char *line, const char *at,
		   GError **error, const char *want)
{
	return reader_bad(r, kind, line, at, error, want) ? 1 : -1;
}

static bool is_action(const char *word, const char *name)
{
	size_t n = strlen(name);

	return strncmp(word, name, n) == 0 && (word[n] == '\0' || word[n] == ' ');
}

static int find_op(const char *word)
{
	if (is_action(word, "read"))
		return NVME_OP_READ;
	if (is_action(word, "write"))
		return NVME_OP_WRITE;
	if (is_action(word, "trim"))
		return NVME_OP_DISCARD;
	return is_action(word, "sync") || is_action(word, "datasync") ? NVME_OP_FLUSH : -1;
}

static int step_fio(struct trace_reader *r, GError **error)
{
	struct fio *fio = r->state;
	const char *line, *p, *path, *action;
	struct trace_record *rec;
	struct held *h;
	size_t len;
	uint64_t usec = 0, offset, bytes;
	int op, rc = input_line(r->in, &line, &len, error);

	if (rc <= 0 || len == 0)
		return rc;
	if (g_str_has_prefix(line, "fio version "))
		return parse_head(fio, line) ? 1
					     : fio_bad(r, TRACE_BAD_MALFORMED, line, line, error,
						       "fio version 2 iolog or fio version 3 iolog");
	p = line;
	if (fio->version == 3 && (!parse_u64(&p, &usec) || !parse_char(&p, ' ')))
		return fio_bad(r, TRACE_BAD_MALFORMED, line, p, error, "a time in microseconds");
	path = p;
	action = strchr(path, ' ');
	if (!action || action == path)
		return fio_bad(r, TRACE_BAD_MALFORMED, line, p, error, "a path and an action");
	p = ++action;
	if (is_action(p, "add") || is_action(p, "open") || is_action(p, "close"))
		return 1;
	if (fio->version == 2 && is_action(p, "wait")) {
		uint64_t wait;

		p += strlen("wait");
		parse_blanks(&p);
		if (!parse_u64(&p, &wait) || wait > UINT64_MAX / 1000000000)
			return fio_bad(r, TRACE_BAD_MALFORMED, line, p, error, "a time");
		fio->now_ns = wait * (r->options.fio_wait_ns ? r->options.fio_wait_ns : 1000000);
		return 1;
	}
	op = find_op(p);
	if (op < 0)
		return fio_bad(r, TRACE_BAD_OPERATION, line, p, error,
			       "add, open, close, read, write, trim, sync or datasync");
	p += strcspn(p, " ");
	if (!parse_char(&p, ' ') || !parse_u64(&p, &offset) || !parse_char(&p, ' ') ||
	    !parse_u64(&p, &bytes) || p != line + len)
		return fio_bad(r, TRACE_BAD_MALFORMED, line, p, error, "byte offset and length");
	if (offset + bytes < offset || usec > UINT64_MAX / 1000)
		return fio_bad(r, TRACE_BAD_RANGE, line, action, error, "numbers below 2^64");
	if (bytes == 0 && op != NVME_OP_FLUSH) {
		reader_skip(r, TRACE_SKIP_EMPTY);
		return 1;
	}
	h = reader_slot(r);
	rec = &h->rec;
	rec->where = input_line_number(r->in);
	rec->time_ns = fio->version == 3 ? usec * 1000 : fio->now_ns;
	rec->device = reader_device(r, path, (size_t)(action - 1 - path));
	rec->nvme.op = (uint8_t)op;
	rec->nvme.offset = offset;
	rec->nvme.bytes = bytes;
	rec->nvme.done_ns = TRACE_NO_TIME;
	return reader_push(r, h, error) ? 1 : -1;
}

const struct format_ops format_fio = {
    .rank = 50,
    .pub = {"fio", "fio I/O log, version 2 or 3 (write_iolog)", TRACE_NVME, false,
	    "version 2: wait times are milliseconds since the start, as fio's code reads them (the manual "
	    "differs)"},
    .evidence = "the line \"fio version 2 iolog\" or \"fio version 3 iolog\"",
    .detect = detect,
    .state_size = sizeof(struct fio),
    .open = open_fio,
    .step = step_fio,
};
