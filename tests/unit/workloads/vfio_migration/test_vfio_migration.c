/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operation counts of migration buffers: what drivers/vfio/pci/mlx5/cmd.c does, in both generations. */
#include "record_rig.h"

#define CHUNK (8 * MIB)
#define PAGES 2048u

static struct trace_record buffer_event(enum vfio_event ev, uint32_t id, uint64_t bytes)
{
	return (struct trace_record){
	    .vfio = {.event = (uint8_t)ev, .buffer = id, .bytes = bytes, .direction = DMA_FROM_DEVICE}};
}

static void feed(struct workload_rig *r, enum vfio_event ev, uint32_t id, uint64_t bytes)
{
	struct trace_record rec = buffer_event(ev, id, bytes);

	record_rig_feed(r, &rec);
}

/* Buffer whose pages never touch (step 2) or all do (step 1). */
static void alloc_pages(struct workload_rig *r, uint64_t pages, unsigned step)
{
	struct trace_record rec = buffer_event(VFIO_ALLOC, 1, pages << PAGE_SHIFT);
	struct trace_segment *segs = g_new0(struct trace_segment, pages);

	for (uint64_t i = 0; i < pages; i++)
		segs[i] = (struct trace_segment){.phys = GIB + (i * step << PAGE_SHIFT), .len = PAGE_SIZE};
	rec.nsegs = (uint32_t)pages;
	rec.segs = segs;
	record_rig_feed(r, &rec);
	g_free(segs);
}

static void start(struct workload_rig *r, const char *api, enum iommu_mode mode)
{
	workload_rig_open(r, "vfio_migration", api, mode, FIDELITY_COUNTS);
	record_rig_start(r);
}

static const struct {
	const char *api;
	enum iommu_mode mode;
	uint64_t allocs, maps, syncs, links, map_sg, map_page, unmaps, flushes, fq, unmap_page;
} table[] = {
    {"legacy", IOMMU_STRICT, 1, PAGES, 1, 0, 1, 0, 1, 1, 0, 0},
    {"legacy", IOMMU_LAZY, 1, PAGES, 1, 0, 1, 0, 1, 0, 1, 0},
    {"legacy", IOMMU_PASSTHROUGH, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0},
    {"legacy", IOMMU_OFF, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0},
    {"link", IOMMU_STRICT, 1, PAGES, 1, PAGES, 0, 0, 1, 1, 0, 0},
    {"link", IOMMU_LAZY, 1, PAGES, 1, PAGES, 0, 0, 1, 0, 1, 0},
    {"link", IOMMU_PASSTHROUGH, 0, 0, 0, 0, 0, PAGES, 0, 0, 0, PAGES},
    {"link", IOMMU_OFF, 0, 0, 0, 0, 0, PAGES, 0, 0, 0, PAGES},
};

/* C.5, expectations 10 and 11: one chunk of 8 MiB without contiguity. */
START_TEST(counts)
{
	struct workload_rig r;
	const struct dma_stats *st;
	bool link = !strcmp(table[_i].api, "link");

	start(&r, table[_i].api, table[_i].mode);
	st = &r.m->dma_stats;
	alloc_pages(&r, PAGES, 2);
	ck_assert_uint_eq(st->iova_allocs, table[_i].allocs);
	ck_assert_uint_eq(st->iova_pages_allocated, table[_i].allocs * PAGES);
	ck_assert_uint_eq(st->iommu_map_ops, table[_i].maps);
	ck_assert_uint_eq(st->sync_maps, table[_i].syncs);
	ck_assert_uint_eq(st->link_calls, table[_i].links);
	ck_assert_uint_eq(st->map_sg_calls, table[_i].map_sg);
	ck_assert_uint_eq(st->map_page_calls, table[_i].map_page);
	if (link) {
		/* Page pointers and the kept command: 33,040 bytes, in every mode. */
		ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_PAGE_LISTS) +
				      record_rig_ledger(&r, LEDGER_DRIVER_COMMAND_BUFFERS),
				  33040);
		ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_SG_TABLES), 0);
	} else {
		/* 2048 entries and 16 links are 66,048 bytes, in 17 chunks of a page. */
		ck_assert_uint_eq(workload_rig_stat(&r, "vfio.sg_entries"), 2048);
		ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_SG_TABLES), 69632);
		ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_PAGE_LISTS), 0);
		ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_COMMAND_BUFFERS), 0);
		ck_assert_uint_eq(r.m->sim.ledger.accounts[LEDGER_DRIVER_COMMAND_BUFFERS].peak,
				  272 + 8 * PAGES);
	}
	feed(&r, VFIO_FREE, 1, 0);
	ck_assert_uint_eq(st->iommu_unmap_ops, table[_i].unmaps);
	ck_assert_uint_eq(record_rig_flushes(&r), table[_i].flushes);
	ck_assert_uint_eq(st->fq_entries, table[_i].fq);
	ck_assert_uint_eq(st->unmap_page_calls, table[_i].unmap_page);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* All pages neighbours: one entry for the old driver, as many links as before for the new one. */
START_TEST(contiguous)
{
	struct workload_rig r;

	start(&r, _i ? "link" : "legacy", IOMMU_STRICT);
	alloc_pages(&r, PAGES, 1);
	ck_assert_uint_eq(workload_rig_stat(&r, "vfio.sg_entries"), _i ? 0 : 1);
	ck_assert_uint_eq(r.m->dma_stats.iommu_map_ops, _i ? PAGES : 1);
	ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_SG_TABLES), _i ? 0 : 4096);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* C.4: 1 GiB without contiguity. */
START_TEST(gigabyte)
{
	struct workload_rig r;

	start(&r, _i ? "link" : "legacy", IOMMU_PASSTHROUGH);
	alloc_pages(&r, 262144, 2);
	if (_i)
		ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_PAGE_LISTS) +
				      record_rig_ledger(&r, LEDGER_DRIVER_COMMAND_BUFFERS),
				  4 * MIB + 272);
	else
		ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_SG_TABLES), 8458240);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* The tracker's receive buffer: page by page before, one window since. */
START_TEST(tracker)
{
	struct workload_rig r;
	struct trace_record rec = buffer_event(VFIO_TRACK_READ, 0, 1000 * PAGE_SIZE);

	start(&r, _i ? "link" : "legacy", IOMMU_STRICT);
	feed(&r, VFIO_TRACK_START, 0, 0);
	ck_assert_uint_eq(r.m->dma_stats.map_page_calls, _i ? 0 : 512);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, _i ? 1 : 512);
	ck_assert_uint_eq(r.m->dma_stats.link_calls, _i ? 512 : 0);
	ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_DMA_ADDRESSES), _i ? 0 : 4096);
	ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_PAGE_LISTS), 4096);
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(workload_rig_stat(&r, "vfio.track_entries"), 1000);
	ck_assert_uint_eq(workload_rig_stat(&r, "vfio.track_reports"),
			  2); /* 8000 bytes in messages of 4096 */
	ck_assert_uint_eq(workload_rig_stat(&r, "vfio.transfer_errors"), 0);
	feed(&r, VFIO_TRACK_STOP, 0, 0);
	ck_assert_uint_eq(r.m->dma_stats.iommu_unmap_ops, _i ? 1 : 512);
	ck_assert_uint_eq(record_rig_flushes(&r), _i ? 1 : 512);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* A buffer that fits is used again; one that does not is replaced; headers are never mapped. */
START_TEST(reuse)
{
	struct workload_rig r;
	struct trace_record rec = buffer_event(VFIO_ALLOC, 9, PAGE_SIZE);

	start(&r, _i ? "link" : "legacy", IOMMU_STRICT);
	rec.vfio.purpose = VFIO_PURPOSE_HEADER;
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, 0);
	feed(&r, VFIO_SAVE, 1, MIB);
	feed(&r, VFIO_SAVE, 1, MIB / 2);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, 1);
	ck_assert_uint_eq(workload_rig_stat(&r, "vfio.buffers_reused"), 1);
	feed(&r, VFIO_SAVE, 1, 2 * MIB);
	ck_assert_uint_eq(workload_rig_stat(&r, "vfio.buffers_outgrown"), 1);
	feed(&r, VFIO_LOAD, 1, MIB); /* the other direction */
	ck_assert_uint_eq(workload_rig_stat(&r, "vfio.buffers_outgrown"), 2);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, 3);
	ck_assert_uint_eq(workload_rig_stat(&r, "vfio.save_bytes"), 3 * MIB + MIB / 2);
	ck_assert_uint_eq(workload_rig_stat(&r, "vfio.transfer_errors"), 0);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* A buffer to load from is mapped only when it is loaded. */
START_TEST(load_maps_late)
{
	struct workload_rig r;
	struct trace_record rec = buffer_event(VFIO_ALLOC, 1, MIB);

	start(&r, _i ? "link" : "legacy", IOMMU_STRICT);
	rec.vfio.direction = DMA_TO_DEVICE;
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, 0);
	feed(&r, VFIO_LOAD, 1, MIB);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, 1);
	ck_assert_uint_eq(workload_rig_stat(&r, "vfio.buffers_allocated"), 1);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* One VF at a time: both fidelities count the same, and only timing knows the downtime. */
START_TEST(fidelities_agree)
{
	static const char *const stats[] = {
	    "vfio.saves",        "vfio.loads",       "vfio.reads",         "vfio.buffers_allocated",
	    "vfio.sg_entries",   "vfio.mtt_entries", "vfio.track_entries", "vfio.stop_copy_bytes",
	    "vfio.precopy_bytes"};
	static const enum iommu_mode modes[] = {IOMMU_STRICT, IOMMU_LAZY, IOMMU_PASSTHROUGH};
	struct workload_rig r[2];

	for (unsigned f = 0; f < 2; f++) {
		workload_rig_open(&r[f], "vfio_migration", _i % 2 ? "link" : "legacy", modes[_i / 2],
				  f ? FIDELITY_TIMING : FIDELITY_COUNTS);
		record_rig_start(&r[f]);
		record_rig_generate(&r[f], "vfio_migration", "state_bytes=20MiB dirty_rate=300 load=true");
		record_rig_finish(&r[f]);
		record_rig_balance(&r[f]);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(stats); i++)
		ck_assert_uint_eq(workload_rig_stat(&r[0], stats[i]), workload_rig_stat(&r[1], stats[i]));
	ck_assert_uint_eq(r[0].m->dma_stats.iova_allocs, r[1].m->dma_stats.iova_allocs);
	ck_assert_uint_eq(r[0].m->dma_stats.iommu_map_ops, r[1].m->dma_stats.iommu_map_ops);
	ck_assert_uint_eq(r[0].m->dma_stats.iommu_unmap_ops, r[1].m->dma_stats.iommu_unmap_ops);
	ck_assert_uint_eq(r[0].m->vtd_stats.iotlb_misses, r[1].m->vtd_stats.iotlb_misses);
	ck_assert_uint_gt(workload_rig_stat(&r[1], "vfio.downtime_ns"), 0);
	ck_assert_uint_eq(workload_rig_stat(&r[0], "vfio.stop_copy_bytes") +
			      workload_rig_stat(&r[0], "vfio.precopy_bytes"),
			  workload_rig_stat(&r[0], "vfio.save_bytes"));
	workload_rig_close(&r[0]);
	workload_rig_close(&r[1]);
}
END_TEST

/* Without pre-copy all state is saved while the VM stands still: more downtime. */
START_TEST(downtime)
{
	uint64_t down[2];

	for (unsigned pre = 0; pre < 2; pre++) {
		struct workload_rig r;

		workload_rig_open(&r, "vfio_migration", "link", IOMMU_STRICT, FIDELITY_TIMING);
		workload_rig_set(&r, "vfio.stop_cost", "20ms");
		workload_rig_set(&r, "vfio.save_bandwidth", "2");
		record_rig_start(&r);
		record_rig_generate(&r, "vfio_migration",
				    pre ? "state_bytes=64MiB dirty_rate=10 precopy=true"
					: "state_bytes=64MiB dirty_rate=10 precopy=false");
		record_rig_finish(&r);
		down[pre] = workload_rig_stat(&r, "vfio.downtime_ns");
		workload_rig_close(&r);
	}
	/* The stop, then 64 MiB at 2 GB/s, 33.6 ms; with pre-copy only the last few hundred KiB. */
	ck_assert_uint_ge(down[0], 20000000 + 33000000);
	ck_assert_uint_le(down[0], 20000000 + 45000000);
	ck_assert_uint_ge(down[1], 20000000);
	ck_assert_uint_le(down[1], 20000000 + 5000000);
}
END_TEST

/* Four VFs in one stream, with saves under way while buffers are freed. */
START_TEST(several)
{
	struct workload_rig r;

	workload_rig_open(&r, "vfio_migration", _i ? "link" : "legacy", IOMMU_LAZY, FIDELITY_TIMING);
	workload_rig_set(&r, "cpu.count", "4");
	record_rig_start(&r);
	record_rig_generate(&r, "vfio_migration",
			    "devices=4 state_bytes=16MiB dirty_rate=500 cpus=4 bandwidth=20000");
	record_rig_finish(&r);
	ck_assert_uint_eq(workload_rig_stat(&r, "vfio.buffers_allocated"),
			  workload_rig_stat(&r, "vfio.buffers_freed"));
	ck_assert_uint_eq(workload_rig_stat(&r, "vfio.transfer_errors"), 0);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

START_TEST(refused)
{
	struct workload_rig r;
	struct trace_record rec = buffer_event(VFIO_SAVE, 1, 0);
	static const struct trace_segment seg = {.phys = GIB, .len = PAGE_SIZE};

	start(&r, "link", IOMMU_STRICT);
	record_rig_refuse(&r, &rec, "0 bytes");
	rec.vfio.bytes = 1ull << 32;
	record_rig_refuse(&r, &rec, "4 GiB");
	rec = buffer_event(VFIO_ALLOC, 1, 2 * PAGE_SIZE);
	rec.nsegs = 1;
	rec.segs = &seg;
	record_rig_refuse(&r, &rec, "fewer bytes than the buffer");
	r.ops->destroy(r.w);
	machine_free(r.m);
	config_free(r.config);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("vfio");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, counts, 0, G_N_ELEMENTS(table));
	tcase_add_loop_test(tc, contiguous, 0, 2);
	tcase_add_loop_test(tc, gigabyte, 0, 2);
	tcase_add_loop_test(tc, tracker, 0, 2);
	tcase_add_loop_test(tc, reuse, 0, 2);
	tcase_add_loop_test(tc, load_maps_late, 0, 2);
	tcase_add_loop_test(tc, fidelities_agree, 0, 6);
	tcase_add_test(tc, downtime);
	tcase_add_loop_test(tc, several, 0, 2);
	tcase_add_test(tc, refused);
	return test_run("vfio_migration", tc, NULL);
}
