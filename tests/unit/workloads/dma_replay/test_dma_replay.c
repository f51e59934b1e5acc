/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mapping calls, hand-written and recorded, through both APIs. */
#include "record_rig.h"

#include <glib/gstdio.h>
#include <unistd.h>

static const char *const apis[] = {"legacy", "link"};
static const enum iommu_mode modes[] = {IOMMU_STRICT, IOMMU_LAZY, IOMMU_PASSTHROUGH, IOMMU_OFF};
#define BASE 0x12340000ull

static struct trace_record call(enum dma_event ev, uint64_t handle, uint64_t offset, uint64_t bytes)
{
	return (struct trace_record){.dma = {.event = (uint8_t)ev,
					     .dir = DMA_FROM_DEVICE,
					     .handle = handle,
					     .phys = BASE + handle + offset,
					     .offset = offset,
					     .bytes = bytes}};
}

static void feed(struct workload_rig *r, enum dma_event ev, uint64_t handle, uint64_t offset, uint64_t bytes)
{
	struct trace_record rec = call(ev, handle, offset, bytes);

	record_rig_feed(r, &rec);
}

/* n pages that touch nowhere. */
static void feed_list(struct workload_rig *r, uint64_t handle, unsigned n, uint32_t len)
{
	struct trace_segment segs[16];
	struct trace_record rec = call(DMA_EV_MAP_SG, handle, 0, (uint64_t)n * len);

	for (unsigned i = 0; i < n; i++)
		segs[i] = (struct trace_segment){.phys = BASE + i * 0x10000, .len = len};
	rec.segs = segs;
	rec.nsegs = n;
	record_rig_feed(r, &rec);
}

static void start(struct workload_rig *r, const char *api, enum iommu_mode mode, enum fidelity f)
{
	workload_rig_open(r, "dma_replay", api, mode, f);
	record_rig_start(r);
}

static void flush_counts(const struct workload_rig *r, uint64_t n)
{
	const struct dma_stats *st = &r->m->dma_stats;
	bool on = r->mode == IOMMU_STRICT || r->mode == IOMMU_LAZY;

	ck_assert_uint_eq(st->iova_allocs, on ? n : 0);
	ck_assert_uint_eq(st->iommu_unmap_ops, on ? n : 0);
	ck_assert_uint_eq(r->m->vtd_stats.qi_iotlb_page, r->mode == IOMMU_STRICT ? n : 0);
}

/* Every mode, API and fidelity: one buffer, a list, a window, coherent memory. */
START_TEST(kinds)
{
	const char *api = apis[_i & 1];
	enum iommu_mode mode = modes[_i >> 1 & 3];
	bool on = mode == IOMMU_STRICT || mode == IOMMU_LAZY;
	struct workload_rig r;

	start(&r, api, mode, _i >> 3 ? FIDELITY_TIMING : FIDELITY_COUNTS);
	feed(&r, DMA_EV_MAP, 0x1200, 0, 3000);
	feed_list(&r, 0x200000, 5, 4096);
	feed(&r, DMA_EV_TRY_ALLOC, 0x400000, 0, 3 * 4096);
	for (unsigned i = 0; i < 3; i++)
		feed(&r, DMA_EV_LINK, 0x400000, i * 4096, 4096);
	feed(&r, DMA_EV_SYNC, 0x400000, 0, 3 * 4096);
	feed(&r, DMA_EV_UNMAP, 0x1200, 0, 3000);
	feed(&r, DMA_EV_UNMAP_SG, 0x200000, 0, 5 * 4096);
	feed(&r, DMA_EV_DESTROY, 0x400000, 0, 3 * 4096);
	record_rig_finish(&r);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.maps"), 3);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.lists"), 2);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.unmaps"), 3);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.links"), 3);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.map_bytes"), 3000 + 8 * 4096);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.unknown_unmaps"), 0);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.leftover"), 0);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.transfer_errors"), 0);
	ck_assert_uint_eq(r.m->io.completed, 3);
	ck_assert_uint_eq(r.m->io.bytes, 3000 + 8 * 4096);
	flush_counts(&r, 3);
	/* The window's pages are neighbours: a scatterlist merges them for the page table. */
	ck_assert_uint_eq(r.m->dma_stats.iommu_map_ops, !on                   ? 0
							: strcmp(api, "link") ? 1 + 5 + 1
									      : 1 + 5 + 3);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* Vectors that do not end on page boundaries cannot touch in a window. */
START_TEST(gaps)
{
	static const unsigned allocs[] = {1, 4};
	struct workload_rig r;

	start(&r, apis[_i], IOMMU_STRICT, FIDELITY_COUNTS);
	feed_list(&r, 0x200000, 4, 512);
	feed(&r, DMA_EV_UNMAP_SG, 0x200000, 0, 0);
	record_rig_finish(&r);
	flush_counts(&r, allocs[_i]);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* Window filled and emptied page by page, as on-demand paging does; a link that is never synced. */
START_TEST(window_parts)
{
	struct workload_rig r;

	start(&r, apis[_i], IOMMU_STRICT, FIDELITY_COUNTS);
	feed(&r, DMA_EV_TRY_ALLOC, 0x400000, 0, 16 * 4096);
	for (unsigned i = 0; i < 4; i++) {
		feed(&r, DMA_EV_LINK, 0x400000, i * 4096, 4096);
		feed(&r, DMA_EV_SYNC, 0x400000, i * 4096, 4096);
	}
	feed(&r, DMA_EV_UNLINK, 0x400000, 4096, 2 * 4096);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.unmaps"), 2);
	feed(&r, DMA_EV_UNLINK, 0x400000, 8 * 4096, 4096);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.unknown_unmaps"), 1);
	feed(&r, DMA_EV_LINK, 0x400000, 5 * 4096, 4096);
	feed(&r, DMA_EV_FREE, 0x400000, 0, 0);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.unmaps"), 4);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.unsynced"), 1);
	record_rig_finish(&r);
	flush_counts(&r, 4);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* Unmaps of older mappings are skipped; what is left goes at the end; coherent memory too. */
START_TEST(unknown_and_leftover)
{
	struct workload_rig r;

	start(&r, apis[_i & 1], IOMMU_STRICT, _i >> 1 ? FIDELITY_TIMING : FIDELITY_COUNTS);
	feed(&r, DMA_EV_UNMAP, 0x5000, 0, 4096);
	feed(&r, DMA_EV_DESTROY, 0x5000, 0, 4096);
	feed(&r, DMA_EV_UNMAP_SG, 0x5000, 0, 4096);
	feed(&r, DMA_EV_FREE_COHERENT, 0x5000, 0, 4096);
	feed(&r, DMA_EV_ALLOC_COHERENT, 0x9000, 0, 8192);
	feed(&r, DMA_EV_ALLOC_COHERENT, 0x19000, 0, 4096);
	feed(&r, DMA_EV_FREE_COHERENT, 0x9000, 0, 8192);
	/* Many at once, more than the table begins with; twice the same name. */
	for (unsigned i = 0; i < 1000; i++)
		feed(&r, DMA_EV_MAP, 0x100000 + (i / 2) * 4096, 0, 4096);
	for (unsigned i = 0; i < 499; i++)
		feed(&r, DMA_EV_UNMAP, 0x100000 + i * 4096, 0, 4096);
	record_rig_finish(&r);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.unknown_unmaps"), 4);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.leftover"), 501 + 1);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.unmaps"), 1000);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.coherent_allocs"), 2);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.coherent_frees"), 2);
	flush_counts(&r, 1002);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

START_TEST(refused)
{
	struct trace_record rec = call(DMA_EV_MAP, 0x1000, 0, 0);
	struct workload_rig r;

	start(&r, "legacy", IOMMU_STRICT, FIDELITY_COUNTS);
	record_rig_refuse(&r, &rec, "1 byte");
	rec.dma.bytes = 1ull << 32;
	record_rig_refuse(&r, &rec, "4 GiB");
	rec.dma.bytes = 4096;
	rec.dma.dir = DMA_NONE;
	record_rig_refuse(&r, &rec, "direction");
	record_rig_finish(&r);
	workload_rig_close(&r);
}
END_TEST

/* ---- recordings ---- */

static struct trace_reader *open_calls(const char *path)
{
	struct trace_options o = TRACE_OPTIONS_DEFAULT;
	GError *error = NULL;
	struct trace_reader *reader;

	o.calls = true;
	reader = trace_open(path, &o, &error);
	ck_assert_msg(reader != NULL, "%s", error ? error->message : "");
	ck_assert_int_eq(trace_reader_workload(reader), TRACE_DMA);
	return reader;
}

/* What the recorded kernels did, counted in the recordings' events. */
static const struct {
	const char *file, *api;
	unsigned records, maps, unmaps, map_ops;
} recorded[] = {
    {"recordings/6.12-strict-map/md02_single_p8.trace.txt.zst", "legacy", 1000, 500, 500, 500},
    {"recordings/7.0-strict-map/md02_single_p8.trace.txt.zst", "link", 1000, 500, 500, 500},
    {"recordings/6.1-strict-dev/d11_rr4k_short.trace.txt.zst", "legacy", 400, 200, 200, 200},
    {"calls/6.12-lists.trace.txt.zst", "legacy", 21, 11, 10, 1375},
    {"calls/7.0-windows.trace.txt.zst", "link", 868, 13, 10, 832},
};

START_TEST(recordings)
{
	g_autofree char *path = g_build_filename(DMASIM_TEST_DATA, recorded[_i].file, NULL);
	struct trace_reader *reader = open_calls(path);
	struct trace_record rec;
	struct workload_rig r;
	GError *error = NULL;
	unsigned n = 0;

	workload_rig_open(&r, "dma_replay", recorded[_i].api, IOMMU_STRICT, FIDELITY_COUNTS);
	r.kernel = strstr(recorded[_i].file, "6.1-") ? "6.1" : NULL;
	record_rig_start(&r);
	for (; trace_next(reader, &rec, &error) == 1; n++)
		record_rig_feed(&r, &rec);
	ck_assert_msg(!error, "%s", error ? error->message : "");
	ck_assert_uint_eq(n, recorded[_i].records);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.maps"), recorded[_i].maps);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.unmaps"), recorded[_i].unmaps);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, recorded[_i].maps);
	ck_assert_uint_eq(r.m->dma_stats.iommu_map_ops, recorded[_i].map_ops);
	ck_assert_uint_eq(r.m->vtd_stats.qi_iotlb_page, recorded[_i].unmaps);
	ck_assert_uint_eq(workload_rig_stat(&r, "dma_replay.unknown_unmaps"), 0);
	trace_close(reader);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

static void same(const struct trace_record *a, const struct trace_record *b)
{
	ck_assert_uint_eq(a->time_ns, b->time_ns);
	ck_assert_uint_eq(a->cpu, b->cpu);
	ck_assert_uint_eq(a->device, b->device);
	ck_assert_uint_eq(a->dma.event, b->dma.event);
	ck_assert_uint_eq(a->dma.dir, b->dma.dir);
	ck_assert_uint_eq(a->dma.attrs, b->dma.attrs);
	ck_assert_uint_eq(a->dma.handle, b->dma.handle);
	ck_assert_uint_eq(a->dma.phys, b->dma.phys);
	ck_assert_uint_eq(a->dma.offset, b->dma.offset);
	ck_assert_uint_eq(a->dma.bytes, b->dma.bytes);
	ck_assert_uint_eq(a->nsegs, b->nsegs);
	for (uint32_t i = 0; i < a->nsegs; i++) {
		ck_assert_uint_eq(a->segs[i].phys, b->segs[i].phys);
		ck_assert_uint_eq(a->segs[i].len, b->segs[i].len);
	}
}

/* A recording's calls written in the native forms come back as they were. */
START_TEST(round_trip)
{
	g_autofree char *path = g_build_filename(DMASIM_TEST_DATA, recorded[2 + _i % 3].file, NULL);
	g_autofree char *dir = g_dir_make_tmp("dmasim-XXXXXX", NULL);
	g_autofree char *out = g_build_filename(dir, _i < 3 ? "calls.csv" : "calls.dmt", NULL);
	struct trace_reader *a = open_calls(path), *b;
	struct trace_writer *w = trace_writer_open(out, TRACE_DMA, NULL);
	struct trace_record x, y;

	ck_assert_ptr_nonnull(w);
	while (trace_next(a, &x, NULL) == 1)
		ck_assert(trace_write(w, &x, trace_device_name(a, x.device), NULL));
	ck_assert(trace_writer_close(w, NULL));
	trace_close(a);
	a = open_calls(path);
	b = open_calls(out);
	while (trace_next(a, &x, NULL) == 1) {
		ck_assert_int_eq(trace_next(b, &y, NULL), 1);
		same(&x, &y);
	}
	ck_assert_int_eq(trace_next(b, &y, NULL), 0);
	trace_close(a);
	trace_close(b);
	g_unlink(out);
	g_rmdir(dir);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("dma_replay");

	tcase_add_loop_test(tc, kinds, 0, 16);
	tcase_add_loop_test(tc, gaps, 0, 2);
	tcase_add_loop_test(tc, window_parts, 0, 2);
	tcase_add_loop_test(tc, unknown_and_leftover, 0, 4);
	tcase_add_test(tc, refused);
	tcase_add_loop_test(tc, recordings, 0, G_N_ELEMENTS(recorded));
	tcase_add_loop_test(tc, round_trip, 0, 6);
	return test_run("dma_replay", tc, NULL);
}
