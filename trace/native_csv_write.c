/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writer of the native text form; see native_csv.c. */
#include "writer.h"

#include <string.h>

#define BUFFER ((size_t)256 * 1024)
/* Longest record without segments (device names are checked), and one segment. */
#define RECORD_ROOM ((size_t)2048)
#define SEGMENT_ROOM ((size_t)48)
#define LONGEST_DEVICE ((size_t)256)

struct csv_out {
	size_t n;
	char buf[BUFFER];
};

static bool flush(struct trace_writer *w, GError **error)
{
	struct csv_out *o = w->state;
	bool ok = o->n == 0 || trace_output_write(w->out, o->buf, o->n, error);

	o->n = 0;
	return ok;
}

static char *put_text(char *p, const char *s)
{
	return stpcpy(p, s);
}

static char *put_u64(char *p, uint64_t v)
{
	char digits[20];
	unsigned n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

static char *put_hex(char *p, uint64_t v)
{
	unsigned n = v ? (67 - (unsigned)__builtin_clzll(v)) / 4 : 1;

	while (n-- > 0)
		*p++ = "0123456789abcdef"[v >> n * 4 & 15];
	return p;
}

static char *put_0x(char *p, uint64_t v)
{
	*p++ = '0';
	*p++ = 'x';
	return put_hex(p, v);
}

/* Segments without their leading comma; the buffer is flushed between them when it is full. */
static bool put_segments(struct trace_writer *w, char **pp, const struct trace_record *rec, GError **error)
{
	struct csv_out *o = w->state;
	char *p = *pp;

	for (uint32_t i = 0; i < rec->nsegs; i++) {
		const struct trace_segment *s = &rec->segs[i];

		if ((size_t)(p - o->buf) + SEGMENT_ROOM + RECORD_ROOM > BUFFER) {
			o->n = (size_t)(p - o->buf);
			if (!flush(w, error))
				return false;
			p = o->buf;
		}
		if (i)
			*p++ = '|';
		p = put_hex(p, s->phys);
		*p++ = '+';
		p = put_u64(p, s->len);
		if (s->kind || s->node) {
			*p++ = ':';
			p = put_text(p, native_kinds[s->kind]);
			if (s->node) {
				*p++ = ':';
				p = put_u64(p, s->node);
			}
		}
	}
	*pp = p;
	return true;
}

static char *put_device(char *p, const char *device)
{
	if (!strpbrk(device, ",\""))
		return put_text(p, device);
	*p++ = '"';
	for (; *device; device++) {
		if (*device == '"')
			*p++ = '"';
		*p++ = *device;
	}
	*p++ = '"';
	return p;
}

static bool put_nvme(struct trace_writer *w, char **pp, const struct trace_record *rec, GError **error)
{
	char *p = *pp;
	bool split = rec->nvme.split_done || rec->nvme.split_front;
	bool done = rec->nvme.done_ns != TRACE_NO_TIME;

	p = put_u64(p, rec->nvme.queue);
	*p++ = ',';
	p = put_text(p, native_ops[rec->nvme.op]);
	*p++ = ',';
	p = put_u64(p, rec->nvme.offset);
	*p++ = ',';
	p = put_u64(p, rec->nvme.bytes);
	*p++ = ',';
	if (!put_segments(w, &p, rec, error))
		return false;
	*p++ = ',';
	if (done)
		p = put_u64(p, rec->nvme.done_ns);
	*p++ = ',';
	if (done)
		p = put_u64(p, rec->nvme.done_cpu);
	*p++ = ',';
	if (split)
		p = put_text(p, native_splits[rec->nvme.split_front ? 2 : 1]);
	*pp = p;
	return true;
}

static bool put_odp(struct trace_writer *w, char **pp, const struct trace_record *rec, GError **error)
{
	char *p = *pp;

	p = put_text(p, native_events[TRACE_RDMA_ODP][rec->odp.event]);
	*p++ = ',';
	p = put_u64(p, rec->odp.mr);
	*p++ = ',';
	p = put_u64(p, rec->odp.offset);
	*p++ = ',';
	p = put_u64(p, rec->odp.bytes);
	*p++ = ',';
	*p++ = rec->odp.write ? '1' : '0';
	*p++ = ',';
	if (!put_segments(w, &p, rec, error))
		return false;
	*p++ = ',';
	p = put_0x(p, rec->odp.va);
	*p++ = ',';
	p = put_0x(p, rec->odp.access);
	*p++ = ',';
	*p++ = rec->odp.implicit ? '1' : '0';
	*pp = p;
	return true;
}

static bool put_vfio(struct trace_writer *w, char **pp, const struct trace_record *rec, GError **error)
{
	char *p = *pp;

	p = put_text(p, native_events[TRACE_VFIO_MIGRATION][rec->vfio.event]);
	*p++ = ',';
	p = put_u64(p, rec->vfio.buffer);
	*p++ = ',';
	p = put_u64(p, rec->vfio.bytes);
	*p++ = ',';
	p = put_u64(p, rec->vfio.offset);
	*p++ = ',';
	if (!put_segments(w, &p, rec, error))
		return false;
	*p++ = ',';
	p = put_text(p, native_directions[rec->vfio.direction]);
	*p++ = ',';
	p = put_text(p, native_purposes[rec->vfio.purpose]);
	*p++ = ',';
	*p++ = rec->vfio.incremental ? '1' : '0';
	*pp = p;
	return true;
}

static bool put_dma(struct trace_writer *w, char **pp, const struct trace_record *rec, GError **error)
{
	char *p = *pp;

	p = put_text(p, native_events[TRACE_DMA][rec->dma.event]);
	*p++ = ',';
	p = put_0x(p, rec->dma.handle);
	*p++ = ',';
	p = put_u64(p, rec->dma.offset);
	*p++ = ',';
	p = put_u64(p, rec->dma.bytes);
	*p++ = ',';
	p = put_text(p, native_directions[rec->dma.dir]);
	*p++ = ',';
	p = put_0x(p, rec->dma.phys);
	*p++ = ',';
	p = put_0x(p, rec->dma.attrs);
	*p++ = ',';
	if (!put_segments(w, &p, rec, error))
		return false;
	*pp = p;
	return true;
}

static bool write_csv(struct trace_writer *w, const struct trace_record *rec, const char *device,
		      GError **error)
{
	static bool (*const put[TRACE_WORKLOADS])(struct trace_writer *, char **, const struct trace_record *,
						  GError **) = {put_nvme, put_odp, put_vfio, put_dma};
	struct csv_out *o = w->state;
	char *p;

	if (o->n + RECORD_ROOM > BUFFER && !flush(w, error))
		return false;
	if (strlen(device) > LONGEST_DEVICE || device[0] == '\0' || strpbrk(device, "\r\n")) {
		g_set_error(
		    error, TRACE_ERROR, TRACE_ERROR_WRITE,
		    "%s: device name \"%.40s\" cannot be written: it must have 1 to %zu characters and "
		    "no line break",
		    w->path, device, LONGEST_DEVICE);
		return false;
	}
	p = put_u64(o->buf + o->n, rec->time_ns);
	*p++ = ',';
	p = put_u64(p, rec->cpu);
	*p++ = ',';
	p = put_device(p, device);
	*p++ = ',';
	if (!put[w->workload](w, &p, rec, error))
		return false;
	*p++ = '\n';
	o->n = (size_t)(p - o->buf);
	return true;
}

static bool open_csv(struct trace_writer *w, GError **error G_GNUC_UNUSED)
{
	const struct native_form *f = &native_forms[w->workload];
	struct csv_out *o = w->state;
	char *p = o->buf + g_snprintf(o->buf, BUFFER, NATIVE_MAGIC "%d\n", NATIVE_VERSION);

	for (unsigned i = 0; i < f->ncolumns; i++) {
		if (i)
			*p++ = ',';
		p = put_text(p, native_columns[f->columns[i]]);
	}
	*p++ = '\n';
	o->n = (size_t)(p - o->buf);
	return true;
}

const struct writer_ops writer_csv = {
    .state_size = sizeof(struct csv_out),
    .open = open_csv,
    .write = write_csv,
    .finish = flush,
};
