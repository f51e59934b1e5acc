/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blktrace binary, versions 7 and 8 (Linux include/uapi/linux/blktrace_api.h), in either byte order: a
 * stream of packed records, each with its own magic. The layouts:
 *
 *	v7  0 magic 4 sequence 8 time 16 sector 24 bytes 28 action 32 pid 36 device 40 cpu 44 error
 *	    46 pdu_len; 48 bytes
 *	v8  0 magic 4 sequence 8 time 16 sector 24 bytes 28 pid 32 action (u64) 40 device 44 cpu 48 error
 *	    50 pdu_len; 64 bytes
 *
 * pdu_len bytes follow every record. There is one file per CPU, NAME.blktrace.N: the name NAME alone
 * (as blkparse -i takes it) reads all of them, merged by time, ties by CPU.
 */
#include "block_line.h"
#include "pairs.h"

#include <string.h>

#define V7_BYTES 48
#define V8_BYTES 64
#define MAX_CPUS 4096u
#define EARLY 8192u
#define ACTION_MASK 0xffu /* without the flag 0x100: a cgroup id stands before the payload */

enum {
	CAT_READ = 1u << 16,
	CAT_WRITE = 1u << 17,
	CAT_FLUSH = 1u << 18,
	CAT_NOTIFY = 1u << 26,
	CAT_DISCARD = 1u << 29
};
enum { ACT_QUEUE = 1, ACT_ISSUE = 7, ACT_COMPLETE = 8 };

struct blktrace {
	struct pairs open;
	struct source {
		struct trace_input *in;
		bool loaded, ended; /* next holds the source's next record */
		struct blk_record {
			uint64_t time, sector, action;
			uint32_t bytes, device, cpu;
			uint16_t pdu_len;
		} next;
		uint64_t where;
	} * sources;
	unsigned nsources;
	/* Completions that stand before their request (CPUs' buffers are written in turn), by hash of key. */
	struct early {
		uint64_t key, time;
		uint32_t cpu;
	} early[EARLY];
};

static unsigned version_of(const uint8_t *p, bool *swap)
{
	if (p[1] == 0x74 && p[2] == 0x61 && p[3] == 0x65 && (p[0] == 7 || p[0] == 8)) {
		*swap = G_BYTE_ORDER != G_LITTLE_ENDIAN;
		return p[0];
	}
	if (p[0] == 0x65 && p[1] == 0x61 && p[2] == 0x74 && (p[3] == 7 || p[3] == 8)) {
		*swap = G_BYTE_ORDER == G_LITTLE_ENDIAN;
		return p[3];
	}
	return 0;
}

static bool detect(const struct probe *p)
{
	bool swap;

	return p->nbytes >= 4 && version_of(p->bytes, &swap) != 0;
}

static uint64_t get(const uint8_t *p, unsigned width, bool swap)
{
	uint16_t h;
	uint32_t w;
	uint64_t x;

	switch (width) {
	case 2:
		memcpy(&h, p, 2);
		return swap ? GUINT16_SWAP_LE_BE(h) : h;
	case 4:
		memcpy(&w, p, 4);
		return swap ? GUINT32_SWAP_LE_BE(w) : w;
	default:
		memcpy(&x, p, 8);
		return swap ? GUINT64_SWAP_LE_BE(x) : x;
	}
}

static void decode(const uint8_t *p, unsigned version, bool swap, struct blk_record *b)
{
	bool v8 = version == 8;

	b->time = get(p + 8, 8, swap);
	b->sector = get(p + 16, 8, swap);
	b->bytes = (uint32_t)get(p + 24, 4, swap);
	b->action = v8 ? get(p + 32, 8, swap) : get(p + 28, 4, swap);
	b->device = (uint32_t)get(p + (v8 ? 40 : 36), 4, swap);
	b->cpu = (uint32_t)get(p + (v8 ? 44 : 40), 4, swap);
	b->pdu_len = (uint16_t)get(p + (v8 ? 50 : 46), 2, swap);
}

static int operation(const struct blk_record *b)
{
	if (b->action & CAT_DISCARD)
		return NVME_OP_DISCARD;
	if (b->bytes == 0 && b->action & CAT_FLUSH)
		return NVME_OP_FLUSH;
	if (b->action & CAT_WRITE)
		return NVME_OP_WRITE;
	return b->action & CAT_READ ? NVME_OP_READ : -1;
}

static uint64_t key_of(const struct blk_record *b, int op)
{
	return ((uint64_t)b->device << 3 | (uint64_t)op) * 0x9e3779b97f4a7c15ull ^ b->sector;
}

static void complete(struct held *h, uint64_t time, uint32_t cpu)
{
	h->pending = false;
	h->rec.nvme.done_ns = MAX(time, h->rec.time_ns);
	h->rec.nvme.done_cpu = cpu;
}

static struct early *early_slot(struct blktrace *t, uint64_t key)
{
	return &t->early[(key * 0x9e3779b97f4a7c15ull >> 32) % EARLY];
}

static int use(struct trace_reader *r, const struct blk_record *b, uint64_t where, GError **error)
{
	struct blktrace *t = r->state;
	unsigned what = b->action & ACTION_MASK;
	int op = operation(b);
	struct early *early;
	char name[32];
	uint32_t device;
	struct held *h;

	if (b->action & CAT_NOTIFY)
		return 1;
	if (what == ACT_COMPLETE && op >= 0) {
		h = pairs_take(&t->open, key_of(b, op));
		if (h && h->pending)
			complete(h, b->time, b->cpu);
		else if (!h)
			*early_slot(t, key_of(b, op)) = (struct early){key_of(b, op), b->time, b->cpu};
		return 1;
	}
	if (what != (r->options.queue_events ? ACT_QUEUE : ACT_ISSUE))
		return 1;
	if (op < 0 || (b->bytes == 0 && op != NVME_OP_FLUSH)) {
		reader_skip(r, op < 0 ? TRACE_SKIP_EVENT : TRACE_SKIP_EMPTY);
		return 1;
	}
	if (b->sector > (UINT64_MAX - b->bytes) / SECTOR_BYTES)
		return reader_bad(r, TRACE_BAD_RANGE, NULL, NULL, error, "an end of the request below 2^64")
			   ? 1
			   : -1;
	g_snprintf(name, sizeof(name), "%u,%u", b->device >> 20, b->device & 0xfffff);
	device = reader_device(r, name, strlen(name));
	if (!r->devices.keep[device]) {
		reader_skip(r, TRACE_SKIP_DEVICE);
		return 1;
	}
	h = reader_slot(r);
	h->rec.where = where;
	h->rec.time_ns = b->time;
	h->rec.cpu = b->cpu;
	h->rec.device = device;
	h->rec.nvme.queue = b->cpu;
	h->rec.nvme.op = (uint8_t)op;
	h->rec.nvme.offset = b->sector * SECTOR_BYTES;
	h->rec.nvme.bytes = b->bytes;
	h->rec.nvme.split_done = !r->options.queue_events;
	h->rec.nvme.done_ns = TRACE_NO_TIME;
	h->pending = true;
	if (!reader_push(r, h, error))
		return -1;
	early = early_slot(t, key_of(b, op));
	if (early->key == key_of(b, op) && early->time > b->time) {
		complete(h, early->time, early->cpu);
		*early = (struct early){0};
	} else {
		pairs_add(&t->open, key_of(b, op), h);
	}
	return 1;
}

static int cut_off(const struct source *src, GError **error)
{
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_TRUNCATED,
		    "%s: byte %" G_GUINT64_FORMAT
		    ": the trace ends inside a record; it was cut off, copy or record it again",
		    input_name(src->in), input_offset(src->in));
	return -1;
}

/* Read the source's next record. 1, 0 at its end, -1 on error. */
static int load(struct source *src, GError **error)
{
	const uint8_t *p;
	unsigned version;
	bool swap = false;
	size_t size;
	ssize_t n = input_peek(src->in, V8_BYTES, &p, error);

	src->where = input_offset(src->in);
	src->ended = n == 0;
	if (n <= 0)
		return (int)n;
	if (n < 4)
		return cut_off(src, error);
	version = version_of(p, &swap);
	if (version == 0) {
		g_set_error(
		    error, TRACE_ERROR, TRACE_ERROR_RECORD,
		    "%s: byte %" G_GUINT64_FORMAT
		    ": malformed record: no blktrace magic (version 7 or 8); the file is damaged, record "
		    "or copy it again",
		    input_name(src->in), src->where);
		return -1;
	}
	size = version == 8 ? V8_BYTES : V7_BYTES;
	if ((size_t)n < size)
		return cut_off(src, error);
	decode(p, version, swap, &src->next);
	n = input_peek(src->in, size + src->next.pdu_len, &p, error);
	if (n < 0)
		return -1;
	if ((size_t)n < size + src->next.pdu_len)
		return cut_off(src, error);
	input_skip(src->in, size + src->next.pdu_len);
	src->loaded = true;
	return 1;
}

static int step(struct trace_reader *r, GError **error)
{
	struct blktrace *t = r->state;
	struct source *first = NULL;

	for (unsigned i = 0; i < t->nsources; i++) {
		struct source *src = &t->sources[i];

		if (!src->loaded && !src->ended && load(src, error) < 0)
			return -1;
		if (src->loaded && (!first || src->next.time < first->next.time))
			first = src;
	}
	if (!first)
		return 0;
	first->loaded = false;
	return use(r, &first->next, first->where, error);
}

static bool open_blktrace(struct trace_reader *r, GError **error)
{
	struct blktrace *t = r->state;

	pairs_init(&t->open);
	t->sources = g_new0(struct source, MAX_CPUS);
	t->sources[t->nsources++].in = r->in;
	if (!r->siblings)
		return true;
	for (unsigned cpu = 1; cpu < MAX_CPUS; cpu++) {
		char *path = g_strdup_printf("%s.blktrace.%u", r->name, cpu);
		bool there = g_file_test(path, G_FILE_TEST_EXISTS);

		if (there)
			t->sources[t->nsources].in = input_open(path, NULL, error);
		g_free(path);
		if (!there)
			break;
		if (!t->sources[t->nsources].in)
			return false;
		t->nsources++;
	}
	return true;
}

static struct trace_input *more_blktrace(const struct trace_reader *r, unsigned i)
{
	const struct blktrace *t = r->state;

	return i < t->nsources ? t->sources[i].in : NULL;
}

static void close_blktrace(struct trace_reader *r)
{
	struct blktrace *t = r->state;

	pairs_fini(&t->open);
	for (unsigned i = 1; i < t->nsources; i++)
		input_close(t->sources[i].in);
	g_free(t->sources);
}

const struct format_ops format_blktrace = {
    .rank = 20,
    .pub = {"blktrace", "blktrace binary, version 7 or 8, either byte order", TRACE_NVME, true, NULL},
    .evidence = "the bytes 07 74 61 65 (or 08, or reversed)",
    .detect = detect,
    .state_size = sizeof(struct blktrace),
    .open = open_blktrace,
    .step = step,
    .close = close_blktrace,
    .more = more_blktrace,
};
