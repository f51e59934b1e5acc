/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace_support.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

struct trace_copy *trace_copy_reader(struct trace_reader *r)
{
	struct trace_copy *c = g_new0(struct trace_copy, 1);
	struct trace_record rec;
	int rc;

	c->records = g_array_new(FALSE, FALSE, sizeof(struct trace_record));
	c->devices = g_ptr_array_new_with_free_func(g_free);
	c->workload = trace_reader_workload(r);
	while ((rc = trace_next(r, &rec, &c->error)) == 1) {
		if (rec.nsegs)
			rec.segs = g_memdup2(rec.segs, rec.nsegs * sizeof(*rec.segs));
		g_array_append_val(c->records, rec);
		g_ptr_array_add(c->devices, g_strdup(trace_device_name(r, rec.device)));
	}
	ck_assert_msg((rc < 0) == (c->error != NULL), "rc %d", rc);
	c->counts = *trace_counts(r);
	c->sha256 = g_strdup(trace_sha256(r));
	trace_close(r);
	return c;
}

struct trace_copy *trace_copy_file(const char *path, const struct trace_options *o)
{
	struct trace_copy *c;
	GError *error = NULL;
	struct trace_reader *r = trace_open(path, o ? o : &TRACE_OPTIONS_DEFAULT, &error);

	if (r)
		return trace_copy_reader(r);
	ck_assert_ptr_nonnull(error);
	c = g_new0(struct trace_copy, 1);
	c->records = g_array_new(FALSE, FALSE, sizeof(struct trace_record));
	c->devices = g_ptr_array_new_with_free_func(g_free);
	c->error = error;
	return c;
}

void trace_copy_free(struct trace_copy *c)
{
	for (unsigned i = 0; i < c->records->len; i++)
		if (trace_copy_at(c, i)->nsegs)
			g_free((void *)trace_copy_at(c, i)->segs);
	g_array_free(c->records, TRUE);
	g_ptr_array_free(c->devices, TRUE);
	g_clear_error(&c->error);
	g_free(c->sha256);
	g_free(c);
}

const struct trace_record *trace_copy_at(const struct trace_copy *c, unsigned i)
{
	ck_assert_uint_lt(i, c->records->len);
	return &g_array_index(c->records, struct trace_record, i);
}

char *trace_data(const char *name)
{
	return g_build_filename(DMASIM_TEST_DATA, "trace", name, NULL);
}

char *trace_temporary(const char *suffix, const void *data, size_t len)
{
	char *template = g_strdup_printf("dmasim-test-XXXXXX%s", suffix), *path = NULL;
	int fd = g_file_open_tmp(template, &path, NULL);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	close(fd);
	g_free(template);
	return path;
}

void trace_unlink(char *path)
{
	g_unlink(path);
	g_free(path);
}

static void assert_same_fields(enum trace_workload w, const struct trace_record *x,
			       const struct trace_record *y)
{
	switch (w) {
	case TRACE_NVME:
		ck_assert_uint_eq(x->nvme.queue, y->nvme.queue);
		ck_assert_uint_eq(x->nvme.op, y->nvme.op);
		ck_assert_uint_eq(x->nvme.split_front, y->nvme.split_front);
		ck_assert_uint_eq(x->nvme.split_done, y->nvme.split_done);
		ck_assert_uint_eq(x->nvme.offset, y->nvme.offset);
		ck_assert_uint_eq(x->nvme.bytes, y->nvme.bytes);
		ck_assert_uint_eq(x->nvme.done_ns, y->nvme.done_ns);
		if (x->nvme.done_ns != TRACE_NO_TIME)
			ck_assert_uint_eq(x->nvme.done_cpu, y->nvme.done_cpu);
		break;
	case TRACE_RDMA_ODP:
		ck_assert_uint_eq(x->odp.event, y->odp.event);
		ck_assert_uint_eq(x->odp.write, y->odp.write);
		ck_assert_uint_eq(x->odp.implicit, y->odp.implicit);
		ck_assert_uint_eq(x->odp.mr, y->odp.mr);
		ck_assert_uint_eq(x->odp.access, y->odp.access);
		ck_assert_uint_eq(x->odp.offset, y->odp.offset);
		ck_assert_uint_eq(x->odp.bytes, y->odp.bytes);
		ck_assert_uint_eq(x->odp.va, y->odp.va);
		break;
	case TRACE_VFIO_MIGRATION:
		ck_assert_uint_eq(x->vfio.event, y->vfio.event);
		ck_assert_uint_eq(x->vfio.direction, y->vfio.direction);
		ck_assert_uint_eq(x->vfio.purpose, y->vfio.purpose);
		ck_assert_uint_eq(x->vfio.incremental, y->vfio.incremental);
		ck_assert_uint_eq(x->vfio.buffer, y->vfio.buffer);
		ck_assert_uint_eq(x->vfio.offset, y->vfio.offset);
		ck_assert_uint_eq(x->vfio.bytes, y->vfio.bytes);
		break;
	default:
		ck_assert_uint_eq(x->dma.event, y->dma.event);
		ck_assert_uint_eq(x->dma.dir, y->dma.dir);
		ck_assert_uint_eq(x->dma.attrs, y->dma.attrs);
		ck_assert_uint_eq(x->dma.handle, y->dma.handle);
		ck_assert_uint_eq(x->dma.phys, y->dma.phys);
		ck_assert_uint_eq(x->dma.offset, y->dma.offset);
		ck_assert_uint_eq(x->dma.bytes, y->dma.bytes);
	}
}

void trace_assert_same(const struct trace_copy *a, const struct trace_copy *b)
{
	ck_assert_uint_eq(a->workload, b->workload);
	ck_assert_uint_eq(a->records->len, b->records->len);
	for (unsigned i = 0; i < a->records->len; i++) {
		const struct trace_record *x = trace_copy_at(a, i), *y = trace_copy_at(b, i);

		ck_assert_uint_eq(x->time_ns, y->time_ns);
		ck_assert_uint_eq(x->cpu, y->cpu);
		ck_assert_str_eq(a->devices->pdata[i], b->devices->pdata[i]);
		assert_same_fields(a->workload, x, y);
		ck_assert_uint_eq(x->nsegs, y->nsegs);
		for (unsigned k = 0; k < x->nsegs; k++) {
			ck_assert_uint_eq(x->segs[k].phys, y->segs[k].phys);
			ck_assert_uint_eq(x->segs[k].len, y->segs[k].len);
			ck_assert_uint_eq(x->segs[k].kind, y->segs[k].kind);
			ck_assert_uint_eq(x->segs[k].node, y->segs[k].node);
		}
	}
}
