/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tencent CBS traces (2018): Timestamp,Offset,Size,IOType,VolumeID without a header; whole seconds and
 * sectors of 512 bytes, type 0 read, 1 write. The requests of one second are spread evenly over it (the
 * last seconds's too), so latency and bursts below a second mean nothing. Cite Zhang et al., "OSCA",
 * ATC 2020. The data may not be passed on: bring your own copy.
 */
#include "block_line.h"

#include <string.h>

#define NS_PER_S 1000000000ull
/* Requests of one second that are held to be spread; beyond, the rest shares the last instant. */
#define MOST_PER_SECOND (1u << 20)

struct line_copy {
	uint64_t offset, bytes, where;
	uint32_t device;
	uint8_t op;
};
struct tencent {
	struct line_copy *lines;
	uint32_t n, cap, emitted;
	uint64_t second;
	bool draining, ended;
	struct line_copy pending; /* first line of the next second */
	uint64_t pending_second;
	bool have_pending;
};

static bool detect(const struct probe *p)
{
	return block_line_matches(p->line, "S,d,d,B,d");
}

static const char *parse(const char **at, uint64_t *second, struct line_copy *l, const char **volume,
			 size_t *len)
{
	uint64_t v;

	l->op = 0;
	if (!parse_u64(at, second) || *second > UINT64_MAX / NS_PER_S - 1)
		return "a time in seconds";
	if (!parse_char(at, ',') || !parse_sectors(at, &l->offset) || !parse_char(at, ',') ||
	    !parse_sectors(at, &l->bytes))
		return "an offset and a size in sectors of 512 bytes";
	if (!parse_char(at, ',') || (**at != '0' && **at != '1'))
		return "0 (read) or 1 (write)";
	l->op = *(*at)++ == '1' ? NVME_OP_WRITE : NVME_OP_READ;
	if (!parse_char(at, ','))
		return "a comma";
	*volume = *at;
	if (!parse_u64(at, &v))
		return "the number of a volume";
	*len = (size_t)(*at - *volume);
	return NULL;
}

static void keep(struct tencent *t, struct line_copy l)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 1024;
		t->lines = g_renew(struct line_copy, t->lines, t->cap);
	}
	t->lines[t->n++] = l;
}

/* Push one request of the finished second. */
static int drain(struct trace_reader *r, struct tencent *t, GError **error)
{
	struct line_copy *l = &t->lines[t->emitted];
	struct held *h = reader_slot(r);

	h->rec.time_ns = t->second * NS_PER_S + NS_PER_S * t->emitted / t->n;
	h->rec.device = l->device;
	h->rec.where = l->where;
	h->rec.nvme.op = l->op;
	h->rec.nvme.offset = l->offset;
	h->rec.nvme.bytes = l->bytes;
	h->rec.nvme.done_ns = TRACE_NO_TIME;
	if (++t->emitted == t->n) {
		t->draining = false;
		t->n = t->emitted = 0;
		if (t->have_pending) {
			t->second = t->pending_second;
			keep(t, t->pending);
			t->have_pending = false;
		}
	}
	return reader_push(r, h, error) ? 1 : -1;
}

static int step(struct trace_reader *r, GError **error)
{
	struct tencent *t = r->state;
	const char *line, *at, *want, *volume = NULL;
	size_t len, volume_len = 0;
	struct line_copy l = {0};
	uint64_t second;
	int rc;

	if (t->draining)
		return drain(r, t, error);
	if (t->ended)
		return 0;
	rc = reader_line(r, &line, &len, error);
	if (rc <= 0) {
		t->ended = true;
		t->draining = t->n > 0;
		return rc < 0 ? -1 : t->draining;
	}
	at = line;
	want = parse(&at, &second, &l, &volume, &volume_len);
	if (!want && at != line + len)
		want = "the end of the line";
	if (want)
		return reader_bad(r, TRACE_BAD_MALFORMED, line, at, error, want) ? 1 : -1;
	if (l.offset + l.bytes < l.offset)
		return reader_bad(r, TRACE_BAD_RANGE, line, NULL, error, "an end below 2^64") ? 1 : -1;
	if (l.bytes == 0) {
		reader_skip(r, TRACE_SKIP_EMPTY);
		return 1;
	}
	l.where = input_line_number(r->in);
	l.device = reader_device(r, volume, volume_len);
	if (t->n == 0)
		t->second = second;
	if (second == t->second && t->n < MOST_PER_SECOND) {
		keep(t, l);
		return 1;
	}
	t->draining = true;
	t->pending = l;
	t->pending_second = second;
	t->have_pending = true;
	return 1;
}

static void close_tencent(struct trace_reader *r)
{
	struct tencent *t = r->state;

	g_free(t->lines);
}

const struct format_ops format_tencent = {
    .rank = 90,
    .pub =
	{"tencent", "Tencent CBS trace 2018, whole seconds spread evenly (cite Zhang et al., ATC 2020)",
	 TRACE_NVME, false,
	 "times are whole seconds: requests are spread evenly over each, bursts and latencies mean nothing"},
    .evidence = "10 digits of seconds, offset, size, 0 or 1, volume",
    .detect = detect,
    .columns = "Timestamp,Offset,Size,IOType,VolumeID",
    .state_size = sizeof(struct tencent),
    .step = step,
    .close = close_tencent,
};
