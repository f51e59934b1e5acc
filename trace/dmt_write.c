/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writer of the native binary form; the layout is in dmt.h. */
#include "dmt.h"
#include "writer.h"

#include <string.h>
#include <zstd.h>

#define LONGEST_NUMBER 10 /* bytes of a varint */
#define FIXED_NUMBERS 16  /* varints of a record without segments, rounded up */

struct dmt_out {
	ZSTD_CCtx *zstd;
	GByteArray *payload, *stored;
	GHashTable *devices; /* name -> number + 1 */
	char *last_name;
	uint64_t last_device, last_time; /* last_time: in this block */
	uint64_t latest;
	uint32_t count;
};

static void put_u32(GByteArray *b, uint32_t v)
{
	uint32_t le = GUINT32_TO_LE(v);

	g_byte_array_append(b, (const uint8_t *)&le, 4);
}

static bool write_block(struct trace_writer *w, enum dmt_kind kind, const uint8_t *data, size_t len,
			GError **error)
{
	struct dmt_out *o = w->state;
	uint32_t head[4];
	size_t n;

	g_byte_array_set_size(o->stored, (unsigned)ZSTD_compressBound(len));
	n = ZSTD_compress2(o->zstd, o->stored->data, o->stored->len, data, len);
	if (ZSTD_isError(n)) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_WRITE, "%s: cannot compress: %s", w->path,
			    ZSTD_getErrorName(n));
		return false;
	}
	head[0] = GUINT32_TO_LE((uint32_t)kind);
	head[1] = GUINT32_TO_LE((uint32_t)len);
	head[2] = GUINT32_TO_LE((uint32_t)n);
	head[3] = GUINT32_TO_LE(kind == DMT_RECORDS ? o->count : 0);
	return trace_output_write(w->out, head, sizeof(head), error) &&
	       trace_output_write(w->out, o->stored->data, n, error);
}

/* Begin the next block of records: kind and room for the count. */
static void start_records(struct dmt_out *o)
{
	g_byte_array_set_size(o->payload, 0);
	put_u32(o->payload, DMT_RECORDS);
	put_u32(o->payload, 0);
	o->count = 0;
	o->last_time = 0;
}

static bool flush_records(struct trace_writer *w, GError **error)
{
	struct dmt_out *o = w->state;
	uint32_t count = GUINT32_TO_LE(o->count);
	bool ok;

	if (o->count == 0)
		return true;
	memcpy(o->payload->data + 4, &count, 4);
	ok = write_block(w, DMT_RECORDS, o->payload->data, o->payload->len, error);
	start_records(o);
	return ok;
}

static bool open_dmt(struct trace_writer *w, GError **error)
{
	struct dmt_out *o = w->state;
	uint32_t version = GUINT32_TO_LE(DMT_VERSION);
	bool ok;

	o->zstd = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_compressionLevel, 3);
	ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_checksumFlag, 1);
	o->payload = g_byte_array_new();
	o->stored = g_byte_array_new();
	o->devices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	put_u32(o->payload, DMT_INFO);
	put_u32(o->payload, w->workload);
	ok = trace_output_write(w->out, DMT_MAGIC, DMT_MAGIC_BYTES, error) &&
	     trace_output_write(w->out, &version, 4, error) &&
	     write_block(w, DMT_INFO, o->payload->data, o->payload->len, error);
	start_records(o);
	return ok;
}

/* Number of the device; a new name gets its own block first. */
static bool device_number(struct trace_writer *w, const char *name, uint64_t *number, GError **error)
{
	struct dmt_out *o = w->state;
	gpointer found = o->last_name && strcmp(o->last_name, name) == 0
			     ? GUINT_TO_POINTER(o->last_device + 1)
			     : g_hash_table_lookup(o->devices, name);

	if (!found) {
		GByteArray *b;
		bool ok;

		if (!flush_records(w, error))
			return false;
		b = g_byte_array_new();
		put_u32(b, DMT_DEVICE);
		g_byte_array_append(b, (const uint8_t *)name, (unsigned)strlen(name));
		ok = write_block(w, DMT_DEVICE, b->data, b->len, error);
		g_byte_array_free(b, TRUE);
		if (!ok)
			return false;
		found = GUINT_TO_POINTER(g_hash_table_size(o->devices) + 1);
		g_hash_table_insert(o->devices, g_strdup(name), found);
	}
	*number = GPOINTER_TO_UINT(found) - 1;
	if (*number != o->last_device || !o->last_name) {
		g_free(o->last_name);
		o->last_name = g_strdup(name);
		o->last_device = *number;
	}
	return true;
}

static uint8_t *put(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static uint8_t *put_nvme(uint8_t *p, const struct trace_record *rec)
{
	bool done = rec->nvme.done_ns != TRACE_NO_TIME;

	p = put(p, rec->nvme.queue);
	p = put(p, (uint64_t)rec->nvme.op | (uint64_t)rec->nvme.split_front << 2 |
		       (uint64_t)rec->nvme.split_done << 3 | (uint64_t)done << 4);
	p = put(p, rec->nvme.offset);
	p = put(p, rec->nvme.bytes);
	if (done) {
		p = put(p, zigzag((int64_t)(rec->nvme.done_ns - rec->time_ns)));
		p = put(p, rec->nvme.done_cpu);
	}
	return p;
}

static uint8_t *put_odp(uint8_t *p, const struct trace_record *rec)
{
	p = put(p,
		(uint64_t)rec->odp.event | (uint64_t)rec->odp.write << 3 | (uint64_t)rec->odp.implicit << 4);
	p = put(p, rec->odp.mr);
	p = put(p, rec->odp.access);
	p = put(p, rec->odp.offset);
	p = put(p, rec->odp.bytes);
	return put(p, rec->odp.va);
}

static uint8_t *put_vfio(uint8_t *p, const struct trace_record *rec)
{
	p = put(p, (uint64_t)rec->vfio.event | (uint64_t)rec->vfio.direction << 3 |
		       (uint64_t)rec->vfio.incremental << 5);
	p = put(p, rec->vfio.purpose);
	p = put(p, rec->vfio.buffer);
	p = put(p, rec->vfio.offset);
	return put(p, rec->vfio.bytes);
}

static uint8_t *put_dma(uint8_t *p, const struct trace_record *rec)
{
	p = put(p, (uint64_t)rec->dma.event | (uint64_t)rec->dma.dir << 4);
	p = put(p, rec->dma.attrs);
	p = put(p, rec->dma.handle);
	p = put(p, rec->dma.phys);
	p = put(p, rec->dma.offset);
	return put(p, rec->dma.bytes);
}

static bool write_dmt(struct trace_writer *w, const struct trace_record *rec, const char *device,
		      GError **error)
{
	struct dmt_out *o = w->state;
	uint64_t number;
	unsigned start;
	uint8_t *p;

	if (o->payload->len > DMT_BLOCK && !flush_records(w, error))
		return false;
	if (rec->nsegs > DMT_LARGEST / (4 * LONGEST_NUMBER) - FIXED_NUMBERS) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_WRITE, "%s: a record has too many segments (%u)",
			    w->path, rec->nsegs);
		return false;
	}
	if (!device_number(w, device, &number, error))
		return false;
	start = o->payload->len;
	g_byte_array_set_size(o->payload, start + (FIXED_NUMBERS + 4 * rec->nsegs) * LONGEST_NUMBER);
	p = o->payload->data + start;
	p = put(p, zigzag((int64_t)(rec->time_ns - o->last_time)));
	o->last_time = o->latest = rec->time_ns;
	p = put(p, rec->cpu);
	p = put(p, number);
	p = put(p, rec->nsegs);
	switch (w->workload) {
	case TRACE_NVME:
		p = put_nvme(p, rec);
		break;
	case TRACE_RDMA_ODP:
		p = put_odp(p, rec);
		break;
	case TRACE_VFIO_MIGRATION:
		p = put_vfio(p, rec);
		break;
	default:
		p = put_dma(p, rec);
	}
	for (uint32_t i = 0; i < rec->nsegs; i++) {
		p = put(p, rec->segs[i].phys);
		p = put(p, rec->segs[i].len);
		p = put(p, (uint64_t)rec->segs[i].kind | (uint64_t)rec->segs[i].node << 2);
	}
	g_byte_array_set_size(o->payload, (unsigned)(p - o->payload->data));
	o->count++;
	return true;
}

static bool finish_dmt(struct trace_writer *w, GError **error)
{
	struct dmt_out *o = w->state;
	uint64_t records = GUINT64_TO_LE(w->records), last = GUINT64_TO_LE(o->latest);

	if (!flush_records(w, error))
		return false;
	g_byte_array_set_size(o->payload, 0);
	put_u32(o->payload, DMT_END);
	g_byte_array_append(o->payload, (const uint8_t *)&records, 8);
	g_byte_array_append(o->payload, (const uint8_t *)&last, 8);
	return write_block(w, DMT_END, o->payload->data, o->payload->len, error);
}

static void close_dmt(struct trace_writer *w)
{
	struct dmt_out *o = w->state;

	if (!o->zstd)
		return;
	ZSTD_freeCCtx(o->zstd);
	g_byte_array_free(o->payload, TRUE);
	g_byte_array_free(o->stored, TRUE);
	g_hash_table_destroy(o->devices);
	g_free(o->last_name);
}

const struct writer_ops writer_dmt = {
    .state_size = sizeof(struct dmt_out),
    .open = open_dmt,
    .write = write_dmt,
    .finish = finish_dmt,
    .close = close_dmt,
};
