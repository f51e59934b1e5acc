/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "input.h"
#include "pump.h"

#include <dmasim/trace.h>

#include <string.h>

#define FIRST_BUFFER ((size_t)256 * 1024)
/* No format has longer lines; a binary file read as text must not fill the memory. */
#define LONGEST_LINE ((size_t)16 * 1024 * 1024)

struct trace_input {
	struct pump *pump;
	char *name;
	char *buf; /* decoded bytes [pos, end), room for a NUL behind end */
	size_t cap, pos, end;
	uint64_t consumed;
	bool ended;
	GError *failed; /* reported once the good part is used up */

	uint64_t line_number;
	size_t line_start;
	bool line_open, in_text;
};

GQuark trace_error_quark(void)
{
	return g_quark_from_static_string("dmasim-trace");
}

struct trace_input *input_open(const char *path, const char *member, GError **error)
{
	struct pump *pump = pump_open(path, member, error);
	struct trace_input *in;

	if (!pump)
		return NULL;
	in = g_new0(struct trace_input, 1);
	in->pump = pump;
	in->name = g_strdup(strcmp(path, "-") == 0 ? "standard input" : path);
	in->cap = FIRST_BUFFER;
	in->buf = g_malloc(in->cap + 1);
	in->buf[0] = '\0';
	return in;
}

void input_close(struct trace_input *in)
{
	if (!in)
		return;
	pump_close(in->pump);
	g_clear_error(&in->failed);
	g_free(in->name);
	g_free(in->buf);
	g_free(in);
}

static void append(struct trace_input *in, const char *data, size_t len)
{
	while (in->cap - in->end < len) {
		in->cap *= 2;
		in->buf = g_realloc(in->buf, in->cap + 1);
	}
	memcpy(in->buf + in->end, data, len);
	in->end += len;
	in->buf[in->end] = '\0';
}

/* Read more behind in->end; the bytes from keep on stay. False when nothing more will come. */
static bool fill(struct trace_input *in, size_t keep)
{
	struct pump_block b;
	int rc;

	if (in->ended || in->failed)
		return false;
	if (keep > 0) {
		memmove(in->buf, in->buf + keep, in->end - keep);
		in->pos -= keep;
		in->end -= keep;
		in->line_start = in->line_start >= keep ? in->line_start - keep : 0;
	}
	while ((rc = pump_next(in->pump, &b, &in->failed)) > 0 && b.member) {
		g_free(in->name);
		in->name = g_strdup(b.member);
		in->line_number = 0;
		if (in->in_text && in->end > in->pos && in->buf[in->end - 1] != '\n') {
			/* The last line of a member does not run into the next one. */
			append(in, "\n", 1);
			return true;
		}
	}
	in->ended = rc == 0;
	if (rc <= 0)
		return false;
	append(in, b.data, b.len);
	return true;
}

static int fail(struct trace_input *in, GError **error)
{
	g_propagate_error(error, g_error_copy(in->failed));
	return -1;
}

int input_line(struct trace_input *in, const char **line, size_t *len, GError **error)
{
	size_t scanned = in->pos;
	char *nl;

	in->in_text = true;
	while (!(nl = memchr(in->buf + scanned, '\n', in->end - scanned))) {
		size_t have = in->end - in->pos;

		if (have > LONGEST_LINE) {
			g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
				    "%s:%" G_GUINT64_FORMAT
				    ": line is longer than %zu bytes; this is not a text trace",
				    in->name, in->line_number + 1, LONGEST_LINE);
			return -1;
		}
		if (!fill(in, in->pos))
			break;
		scanned = in->pos + have;
	}
	if (!nl && in->failed)
		return fail(in, error);
	if (!nl && in->pos == in->end)
		return 0;
	in->line_open = !nl;
	in->line_start = in->pos;
	*line = in->buf + in->pos;
	*len = nl ? (size_t)(nl - *line) : in->end - in->pos;
	in->consumed += *len + (nl != NULL);
	in->pos += *len + (nl != NULL);
	if (*len > 0 && (*line)[*len - 1] == '\r')
		(*len)--;
	in->buf[(size_t)(*line - in->buf) + *len] = '\0';
	if (in->line_number++ == 0 && strncmp(*line, "\xef\xbb\xbf", 3) == 0) {
		*line += 3;
		*len -= 3;
	}
	return 1;
}

void input_unread_line(struct trace_input *in)
{
	size_t n = in->pos - in->line_start;

	/* The line end may have been overwritten by NUL: put it back. */
	if (!in->line_open) {
		if (n >= 2 && in->buf[in->pos - 2] == '\0')
			in->buf[in->pos - 2] = '\r';
		in->buf[in->pos - 1] = '\n';
	}
	in->consumed -= n;
	in->pos = in->line_start;
	in->line_number--;
}

uint64_t input_line_number(const struct trace_input *in)
{
	return in->line_number;
}

bool input_line_open(const struct trace_input *in)
{
	return in->line_open;
}

ssize_t input_peek(struct trace_input *in, size_t n, const uint8_t **p, GError **error)
{
	while (in->end - in->pos < n) {
		if (fill(in, in->pos))
			continue;
		if (in->failed && in->pos == in->end)
			return fail(in, error);
		break;
	}
	*p = (const uint8_t *)in->buf + in->pos;
	return (ssize_t)(in->end - in->pos);
}

void input_skip(struct trace_input *in, size_t n)
{
	g_assert(n <= in->end - in->pos);
	in->pos += n;
	in->consumed += n;
}

uint64_t input_offset(const struct trace_input *in)
{
	return in->consumed;
}

bool input_seekable(const struct trace_input *in)
{
	return pump_seekable(in->pump);
}

bool input_read_at(const struct trace_input *in, uint64_t offset, void *data, size_t len)
{
	return pump_read_at(in->pump, offset, data, len);
}

bool input_seek(struct trace_input *in, uint64_t offset)
{
	if (!pump_seek(in->pump, offset))
		return false;
	in->pos = in->end = 0;
	in->consumed = offset;
	in->ended = false;
	g_clear_error(&in->failed);
	return true;
}

const char *input_name(const struct trace_input *in)
{
	return in->name;
}

uint64_t input_raw_bytes(const struct trace_input *in, uint64_t *size)
{
	return pump_raw_bytes(in->pump, size);
}

const char *input_sha256(struct trace_input *in)
{
	return pump_sha256(in->pump);
}
