/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reader of the native binary form; the layout is in dmt.h. */
#include "dmt.h"
#include "native.h"
#include "reader.h"

#include <string.h>
#include <zstd.h>

struct dmt {
	ZSTD_DCtx *zstd;
	uint8_t *payload;
	size_t cap;
	const uint8_t *p, *end; /* rest of the current block of records */
	uint32_t left;          /* records in it */
	uint64_t block_offset, total, last_time;
	bool ended;
	uint32_t version, head_bytes, counted; /* counted: by the head of the block read last */
	uint32_t *devices;                     /* number in the file -> index in the reader */
	uint32_t ndevices;
	struct trace_segment *segs;
	uint32_t cap_segs;
};

static bool detect(const struct probe *p)
{
	return p->nbytes >= DMT_MAGIC_BYTES && memcmp(p->bytes, DMT_MAGIC, DMT_MAGIC_BYTES) == 0;
}

static bool broken(struct trace_reader *r, enum trace_error code, GError **error, const char *what)
{
	const struct dmt *d = r->state;

	g_set_error(error, TRACE_ERROR, code, "%s: byte %" G_GUINT64_FORMAT ": %s", input_name(r->in),
		    d->block_offset, what);
	return false;
}

static uint32_t get_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return GUINT32_FROM_LE(v);
}

/* Read and decompress the next block; its kind, 0 on error. */
static uint32_t read_block(struct trace_reader *r, size_t *len, GError **error)
{
	struct dmt *d = r->state;
	const uint8_t *p;
	uint32_t kind, raw, stored;
	ssize_t n;
	size_t got;

	d->block_offset = input_offset(r->in);
	n = input_peek(r->in, d->head_bytes, &p, error);
	if (n < 0)
		return 0;
	if (n < (ssize_t)d->head_bytes)
		return broken(r, TRACE_ERROR_TRUNCATED, error,
			      "the trace ends without its end block; it was cut off, copy or write it again");
	kind = get_u32(p);
	raw = get_u32(p + 4);
	stored = get_u32(p + 8);
	d->counted = d->version > 1 ? get_u32(p + 12) : 0;
	if (kind != DMT_RECORDS && d->counted)
		return broken(r, TRACE_ERROR_FORMAT, error,
			      "block head is damaged (number of records); copy the trace again");
	if (raw > DMT_LARGEST || stored > ZSTD_COMPRESSBOUND(DMT_LARGEST))
		return broken(r, TRACE_ERROR_FORMAT, error,
			      "block head is damaged (impossible length); copy the trace again");
	n = input_peek(r->in, d->head_bytes + (size_t)stored, &p, error);
	if (n < 0)
		return 0;
	if ((size_t)n < d->head_bytes + (size_t)stored)
		return broken(r, TRACE_ERROR_TRUNCATED, error,
			      "the trace ends inside this block; it was cut off, copy or write it again");
	if (raw > d->cap) {
		d->cap = raw;
		d->payload = g_realloc(d->payload, d->cap);
	}
	got = ZSTD_decompressDCtx(d->zstd, d->payload, d->cap, p + d->head_bytes, stored);
	if (ZSTD_isError(got) || got != raw || raw < 4 || get_u32(d->payload) != kind)
		return broken(r, TRACE_ERROR_FORMAT, error,
			      "block is damaged (checksum); copy or write the trace again");
	input_skip(r->in, d->head_bytes + (size_t)stored);
	*len = raw;
	return kind;
}

static bool open_dmt(struct trace_reader *r, GError **error)
{
	struct dmt *d = r->state;
	const uint8_t *p;
	size_t len;
	uint32_t kind;
	ssize_t n = input_peek(r->in, DMT_MAGIC_BYTES + 4, &p, error);

	if (n < 0)
		return false;
	if (n < DMT_MAGIC_BYTES + 4 || memcmp(p, DMT_MAGIC, DMT_MAGIC_BYTES) != 0)
		return broken(r, n < DMT_MAGIC_BYTES + 4 ? TRACE_ERROR_TRUNCATED : TRACE_ERROR_FORMAT, error,
			      "no head of a native binary trace; write it with `dmasim trace convert`");
	d->version = get_u32(p + DMT_MAGIC_BYTES);
	if (d->version < 1 || d->version > DMT_VERSION) {
		g_set_error(
		    error, TRACE_ERROR, TRACE_ERROR_FORMAT,
		    "%s: byte %d: native trace of version %u, this program reads up to version %d: convert "
		    "it with the program that wrote it",
		    input_name(r->in), DMT_MAGIC_BYTES, d->version, DMT_VERSION);
		return false;
	}
	d->head_bytes = d->version > 1 ? DMT_HEAD_BYTES : DMT_HEAD_BYTES_1;
	input_skip(r->in, DMT_MAGIC_BYTES + 4);
	d->zstd = ZSTD_createDCtx();
	kind = read_block(r, &len, error);
	if (kind == 0)
		return false;
	if (kind != DMT_INFO || len < 8 || get_u32(d->payload + 4) >= TRACE_WORKLOADS)
		return broken(r, TRACE_ERROR_FORMAT, error, "the first block names no known workload");
	r->workload = get_u32(d->payload + 4);
	return true;
}

/* 0: end; else the next block of records is loaded. */
static int next_records(struct trace_reader *r, GError **error)
{
	struct dmt *d = r->state;
	const uint8_t *p;
	ssize_t behind;
	size_t len;

	for (;;) {
		switch (read_block(r, &len, error)) {
		case 0:
			return -1;
		case DMT_DEVICE:
			d->devices = g_renew(uint32_t, d->devices, d->ndevices + 1);
			d->devices[d->ndevices++] = reader_device(r, (const char *)d->payload + 4, len - 4);
			break;
		case DMT_RECORDS:
			if (len < 8)
				return broken(r, TRACE_ERROR_FORMAT, error, "block is too short") - 1;
			d->left = get_u32(d->payload + 4);
			if (d->version > 1) {
				if (d->left != d->counted)
					return broken(r, TRACE_ERROR_FORMAT, error,
						      "block head is damaged (number of records); copy the "
						      "trace again") -
					       1;
				d->last_time = 0;
			}
			d->p = d->payload + 8;
			d->end = d->payload + len;
			if (d->left > 0)
				return 1;
			break;
		case DMT_END: {
			uint64_t total, last;

			if (len < (d->version > 1 ? 20 : 12))
				return broken(r, TRACE_ERROR_FORMAT, error, "block is too short") - 1;
			memcpy(&total, d->payload + 4, 8);
			if (d->version > 1) {
				memcpy(&last, d->payload + 12, 8);
				d->last_time = GUINT64_FROM_LE(last);
			}
			if (GUINT64_FROM_LE(total) != d->total)
				return broken(r, TRACE_ERROR_FORMAT, error,
					      "the number of records is not that of the end block; blocks "
					      "are missing, write the trace again") -
				       1;
			d->block_offset = input_offset(r->in);
			behind = input_peek(r->in, 1, &p, error);
			if (behind > 0)
				return broken(r, TRACE_ERROR_FORMAT, error,
					      "bytes follow the end block; concatenated files are not a "
					      "trace") -
				       1;
			d->ended = true;
			return behind < 0 ? -1 : 0;
		}
		default: /* a later version's extra information */
			break;
		}
	}
}

static bool get_long(struct dmt *d, uint64_t *v)
{
	const uint8_t *p = d->p;
	uint64_t x = 0;

	for (unsigned shift = 0; p < d->end && shift < 64; shift += 7) {
		x |= (uint64_t)(*p & 0x7f) << shift;
		if (*p++ < 0x80) {
			d->p = p;
			*v = x;
			return true;
		}
	}
	return false;
}

/* A number; most have one byte. */
static inline bool get(struct dmt *d, uint64_t *v)
{
	if (G_UNLIKELY(d->p >= d->end || *d->p >= 0x80))
		return get_long(d, v);
	*v = *d->p++;
	return true;
}

static inline bool get_u32v(struct dmt *d, uint32_t *v)
{
	uint64_t x;

	if (!get(d, &x) || x > UINT32_MAX)
		return false;
	*v = (uint32_t)x;
	return true;
}

static bool get_nvme(struct dmt *d, struct trace_record *rec)
{
	uint64_t flags, done;

	if (!get_u32v(d, &rec->nvme.queue) || !get(d, &flags) || flags > 31 || !get(d, &rec->nvme.offset) ||
	    !get(d, &rec->nvme.bytes))
		return false;
	rec->nvme.op = flags & 3;
	rec->nvme.split_front = flags >> 2 & 1;
	rec->nvme.split_done = flags >> 3 & 1;
	rec->nvme.done_ns = TRACE_NO_TIME;
	rec->nvme.done_cpu = 0;
	if (!(flags & 16))
		return true;
	if (!get(d, &done) || !get_u32v(d, &rec->nvme.done_cpu))
		return false;
	rec->nvme.done_ns = rec->time_ns + (uint64_t)unzigzag(done);
	return true;
}

static bool get_odp(struct dmt *d, struct trace_record *rec)
{
	uint64_t flags;

	if (!get(d, &flags) || flags > 31 || (flags & 7) > ODP_ACCESS || !get_u32v(d, &rec->odp.mr) ||
	    !get_u32v(d, &rec->odp.access) || !get(d, &rec->odp.offset) || !get(d, &rec->odp.bytes) ||
	    !get(d, &rec->odp.va))
		return false;
	rec->odp.event = flags & 7;
	rec->odp.write = flags >> 3 & 1;
	rec->odp.implicit = flags >> 4 & 1;
	return true;
}

static bool get_vfio(struct dmt *d, struct trace_record *rec)
{
	uint64_t flags, purpose;

	if (!get(d, &flags) || flags > 63 || !get(d, &purpose) ||
	    purpose >= g_strv_length((char **)native_purposes) || !get_u32v(d, &rec->vfio.buffer) ||
	    !get(d, &rec->vfio.offset) || !get(d, &rec->vfio.bytes))
		return false;
	rec->vfio.event = flags & 7;
	rec->vfio.direction = flags >> 3 & 3;
	rec->vfio.incremental = flags >> 5 & 1;
	rec->vfio.purpose = (uint8_t)purpose;
	return true;
}

static bool get_dma(struct dmt *d, struct trace_record *rec)
{
	uint64_t flags;

	if (!get(d, &flags) || flags > 63 || (flags & 15) > DMA_EV_FREE_COHERENT ||
	    !get(d, &rec->dma.attrs) || !get(d, &rec->dma.handle) || !get(d, &rec->dma.phys) ||
	    !get(d, &rec->dma.offset) || !get(d, &rec->dma.bytes))
		return false;
	rec->dma.event = flags & 15;
	rec->dma.dir = flags >> 4 & 3;
	return true;
}

static bool get_segments(struct dmt *d, struct trace_record *rec)
{
	if (rec->nsegs > (size_t)(d->end - d->p) / 3)
		return false;
	if (rec->nsegs > d->cap_segs) {
		d->cap_segs = rec->nsegs;
		d->segs = g_renew(struct trace_segment, d->segs, d->cap_segs);
	}
	for (uint32_t i = 0; i < rec->nsegs; i++) {
		struct trace_segment *s = &d->segs[i];
		uint64_t kind;

		if (!get(d, &s->phys) || !get_u32v(d, &s->len) || !get(d, &kind) || kind >> 2 > UINT8_MAX ||
		    (kind & 3) > MEMORY_MMIO)
			return false;
		s->kind = kind & 3;
		s->node = (uint8_t)(kind >> 2);
	}
	rec->segs = rec->nsegs ? d->segs : NULL;
	return true;
}

static bool get_record(struct trace_reader *r, struct trace_record *rec)
{
	struct dmt *d = r->state;
	uint64_t delta;
	uint32_t device;

	memset(rec, 0, sizeof(*rec));
	if (!get(d, &delta) || !get_u32v(d, &rec->cpu) || !get_u32v(d, &device) || device >= d->ndevices ||
	    !get_u32v(d, &rec->nsegs))
		return false;
	rec->device = d->devices[device];
	rec->time_ns = d->last_time += (uint64_t)unzigzag(delta);
	rec->where = d->block_offset;
	switch (r->workload) {
	case TRACE_NVME:
		return get_nvme(d, rec) && get_segments(d, rec);
	case TRACE_RDMA_ODP:
		return get_odp(d, rec) && get_segments(d, rec);
	case TRACE_VFIO_MIGRATION:
		return get_vfio(d, rec) && get_segments(d, rec);
	default:
		return get_dma(d, rec) && get_segments(d, rec);
	}
}

/*
 * Pass over blocks that hold at most *n records, by their heads alone; *n becomes what is left. The input
 * stands before the first other block.
 */
static bool pass_blocks(struct trace_reader *r, uint64_t *n)
{
	struct dmt *d = r->state;
	uint64_t offset = input_offset(r->in);
	uint8_t head[DMT_HEAD_BYTES];

	while (input_read_at(r->in, offset, head, sizeof(head)) && get_u32(head) == DMT_RECORDS &&
	       get_u32(head + 12) <= *n) {
		*n -= get_u32(head + 12);
		d->total += get_u32(head + 12);
		offset += sizeof(head) + get_u32(head + 8);
	}
	return offset == input_offset(r->in) || input_seek(r->in, offset);
}

static int skip_dmt(struct trace_reader *r, uint64_t *n, uint64_t *last_ns, GError **error)
{
	struct dmt *d = r->state;
	int rc = 1;

	if (d->version < 2 || r->options.device || !input_seekable(r->in))
		return 1;
	while (rc > 0 && *n > 0 && !d->ended) {
		if (d->left > *n)
			break;
		*n -= d->left;
		d->total += d->left;
		d->left = 0;
		if (!pass_blocks(r, n))
			return 1;
		if (*n > 0)
			rc = next_records(r, error);
	}
	if (d->ended)
		*last_ns = (uint64_t)((double)d->last_time * r->options.time_scale);
	return rc;
}

static int next_dmt(struct trace_reader *r, struct trace_record *rec, GError **error)
{
	struct dmt *d = r->state;
	int rc;

	do {
		while (d->left == 0) {
			if (d->ended)
				return 0;
			rc = next_records(r, error);
			if (rc <= 0)
				return rc;
		}
		if (!get_record(r, rec)) {
			broken(r, TRACE_ERROR_RECORD, error,
			       "bad record in this block; write the trace again");
			return -1;
		}
		d->total++;
		d->left--;
		if (!r->devices.keep[rec->device])
			reader_skip(r, TRACE_SKIP_DEVICE);
	} while (!r->devices.keep[rec->device]);
	if (G_UNLIKELY(r->options.time_scale != 1.0)) {
		rec->time_ns = (uint64_t)((double)rec->time_ns * r->options.time_scale);
		if (r->workload == TRACE_NVME && rec->nvme.done_ns != TRACE_NO_TIME)
			rec->nvme.done_ns = (uint64_t)((double)rec->nvme.done_ns * r->options.time_scale);
	}
	return 1;
}

static void close_dmt(struct trace_reader *r)
{
	struct dmt *d = r->state;

	ZSTD_freeDCtx(d->zstd);
	g_free(d->payload);
	g_free(d->devices);
	g_free(d->segs);
}

const struct format_ops format_native_dmt = {
    .rank = 10,
    .pub = {"native-dmt", "native binary form (.dmt)", TRACE_NVME, true, NULL},
    .evidence = "the bytes \"dmasim\" 1a 0a at the start",
    .detect = detect,
    .state_size = sizeof(struct dmt),
    .open = open_dmt,
    .next = next_dmt,
    .skip = skip_dmt,
    .close = close_dmt,
    .keep_time = true,
};
