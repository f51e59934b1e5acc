/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operation counts of on-demand paging: what mm/hmm.c and umem_odp.c do per page, in both generations. */
#include "record_rig.h"

static const struct trace_record *event(enum odp_event ev, uint64_t page, uint64_t pages, bool write)
{
	static __thread struct trace_record rec;

	rec = (struct trace_record){.odp = {.event = ev,
					    .mr = 1,
					    .write = write,
					    .offset = page << PAGE_SHIFT,
					    .bytes = pages << PAGE_SHIFT}};
	return &rec;
}

static void start(struct workload_rig *r, const char *api, enum iommu_mode mode, uint64_t pages)
{
	workload_rig_open(r, "rdma_odp", api, mode, FIDELITY_COUNTS);
	record_rig_start(r);
	record_rig_feed(r, event(ODP_REG, 0, pages, false));
}

/* Expectation 7: 1 GiB. */
START_TEST(registration)
{
	static const enum iommu_mode modes[] = {IOMMU_STRICT, IOMMU_LAZY};
	struct workload_rig r;

	start(&r, "legacy", modes[_i], 262144);
	ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_PAGE_LISTS) +
			      record_rig_ledger(&r, LEDGER_DRIVER_DMA_ADDRESSES),
			  4194304);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, 0);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);

	start(&r, "link", modes[_i], 262144);
	ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_PAGE_LISTS), 2097152);
	ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_DMA_ADDRESSES), 0);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, 1);
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_allocated, 262144);
	record_rig_finish(&r);
	ck_assert_uint_eq(r.m->dma_stats.iova_frees, 1);
	workload_rig_close(&r);
}
END_TEST

static const struct {
	const char *api;
	enum iommu_mode mode;
	/* per page */
	unsigned allocs, maps, map_calls, unmaps, unmap_calls, flushes, fq, frees;
} table[] = {
    {"legacy", IOMMU_STRICT, 1, 1, 1, 1, 1, 1, 0, 1},
    {"link", IOMMU_STRICT, 0, 1, 0, 1, 0, 1, 0, 0},
    {"legacy", IOMMU_LAZY, 1, 1, 1, 1, 1, 0, 1, 0},
    {"link", IOMMU_LAZY, 0, 1, 0, 1, 0, 1, 0, 0},
    {"legacy", IOMMU_PASSTHROUGH, 0, 0, 1, 0, 1, 0, 0, 0},
    {"link", IOMMU_PASSTHROUGH, 0, 0, 1, 0, 0, 0, 0, 0},
    {"legacy", IOMMU_OFF, 0, 0, 1, 0, 1, 0, 0, 0},
    {"link", IOMMU_OFF, 0, 0, 1, 0, 0, 0, 0, 0},
};
static const unsigned sizes[] = {1, 37, 200};

/* B.8 line by line, expectations 8 and 9, for n pages newly mapped. */
START_TEST(counts)
{
	unsigned row = (unsigned)_i % G_N_ELEMENTS(table), n = sizes[(unsigned)_i / G_N_ELEMENTS(table)];
	struct workload_rig r;
	const struct dma_stats *st;
	uint64_t before;

	start(&r, table[row].api, table[row].mode, 4096);
	st = &r.m->dma_stats;
	before = st->iova_allocs;
	record_rig_feed(&r, event(ODP_FAULT, 100, n, false));
	ck_assert_uint_eq(st->iova_allocs - before, n * table[row].allocs);
	ck_assert_uint_eq(st->iommu_map_ops, n * table[row].maps);
	ck_assert_uint_eq(st->sync_maps, n * table[row].maps);
	ck_assert_uint_eq(st->map_calls, n * table[row].map_calls);
	ck_assert_uint_eq(st->link_calls, table[row].maps && !table[row].map_calls ? n : 0);
	ck_assert_uint_eq(st->sync_calls, st->link_calls);
	ck_assert_uint_eq(record_rig_flushes(&r), 0);

	/* Again, now to write: no DMA call, only the translations change. */
	record_rig_feed(&r, event(ODP_FAULT, 100, n, true));
	ck_assert_uint_eq(st->iommu_map_ops, n * table[row].maps);
	ck_assert_uint_eq(st->map_calls, n * table[row].map_calls);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.pages_upgraded"), n);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.umr_posts"), 2);

	/* The whole region goes: only what was mapped counts. */
	before = st->iova_frees;
	record_rig_feed(&r, event(ODP_INVAL, 0, 4096, false));
	ck_assert_uint_eq(st->iommu_unmap_ops, n * table[row].unmaps);
	ck_assert_uint_eq(st->unmap_calls, n * table[row].unmap_calls);
	/* Lazy, old API: no flush now, an entry each in the flush queue (256 of them fit). */
	ck_assert_uint_eq(record_rig_flushes(&r), n * table[row].flushes);
	ck_assert_uint_eq(st->fq_entries, n * table[row].fq);
	ck_assert_uint_eq(st->iova_frees - before, n * table[row].frees);

	/* Nothing is mapped: the next invalidation does nothing. */
	record_rig_feed(&r, event(ODP_INVAL, 0, 4096, false));
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.invalidations_skipped"), 1);
	record_rig_feed(&r, event(ODP_DEREG, 0, 0, false));
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* Pages beyond the ends of a fault are filled up to whole granules of 8 entries. */
START_TEST(umr_rounding)
{
	struct workload_rig r;

	start(&r, _i ? "link" : "legacy", IOMMU_STRICT, 100);
	record_rig_feed(&r, event(ODP_FAULT, 7, 2, true)); /* entries 0..15 */
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.umr_entries"), 16);
	record_rig_feed(&r, event(ODP_FAULT, 99, 1, true)); /* 96..99: the region ends */
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.umr_entries"), 20);
	record_rig_finish(&r);
	workload_rig_close(&r);
}
END_TEST

/* A hole splits the zap only where it meets the start of a granule. */
START_TEST(zap_runs)
{
	struct workload_rig r;

	start(&r, _i ? "link" : "legacy", IOMMU_LAZY, 64);
	record_rig_feed(&r, event(ODP_FAULT, 0, 5, true));
	record_rig_feed(&r, event(ODP_FAULT, 6, 2, true));
	record_rig_feed(&r, event(ODP_INVAL, 0, 8, false));
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.umr_zaps"), 1);
	record_rig_feed(&r, event(ODP_FAULT, 0, 4, true));
	record_rig_feed(&r, event(ODP_FAULT, 9, 3, true));
	record_rig_feed(&r, event(ODP_INVAL, 0, 16, false));
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.umr_zaps"), 3);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.pages_unmapped"), 14);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* Implicit region over a terabyte: a child, and with the new API a window, per GiB touched. */
START_TEST(implicit_children)
{
	struct workload_rig r;
	struct trace_record rec = {.odp = {.event = ODP_REG, .mr = 1, .implicit = true, .bytes = 1ull << 40}};

	workload_rig_open(&r, "rdma_odp", _i ? "link" : "legacy", IOMMU_STRICT, FIDELITY_COUNTS);
	record_rig_start(&r);
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_PAGE_LISTS), 0);
	for (unsigned i = 0; i < 3; i++) {
		rec.odp = (typeof(rec.odp)){
		    .event = ODP_FAULT, .mr = 1, .offset = (300ull * i + 5) << 30, .bytes = 8192};
		record_rig_feed(&r, &rec);
	}
	/* One fault across two children: two children, one update of the parent's table. */
	rec.odp.offset = (9ull << 30) - 4096;
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.children_created"), 5);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.ksm_updates"), 4);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, _i ? 5 : 8);
	ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_PAGE_LISTS), 5 * 2 * MIB);
	ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_DMA_ADDRESSES), _i ? 0 : 5 * 2 * MIB);
	rec.odp.event = ODP_INVAL;
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.children_destroyed"), 2);
	ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_PAGE_LISTS), 3 * 2 * MIB);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* A message on cold pages faults for its first packet, then prefetches the rest. */
START_TEST(message_faults)
{
	struct workload_rig r;
	struct trace_record rec = {
	    .odp = {.event = ODP_ACCESS, .mr = 1, .offset = 4096 + 100, .bytes = 20000}};

	start(&r, _i ? "link" : "legacy", IOMMU_STRICT, 100);
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.message_faults"), 1);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.prefetches"), 1);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.pages_mapped"), 5);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.cache_misses"), 5);
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.message_faults"), 1);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.cache_hits"), 5);
	rec.odp.write = true; /* mapped, but only to read */
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.message_faults"), 2);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.pages_mapped"), 5);
	record_rig_feed(&r, event(ODP_INVAL, 2, 1, false));
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.message_faults"), 3);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.transfer_errors"), 0);
	ck_assert_uint_eq(r.m->io.completed, 4);
	ck_assert_uint_eq(r.m->io.bytes, 80000);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* Pages that the trace gives are used as they are; what is there at registration is mapped then. */
START_TEST(given_pages)
{
	static const struct trace_segment segs[] = {{.phys = 0x40000000, .len = 8192},
						    {.phys = 0x50000000, .len = 4096}};
	struct trace_record rec = {
	    .nsegs = 2, .segs = segs, .odp = {.event = ODP_REG, .mr = 1, .bytes = 1 << 20}};
	struct workload_rig r;

	workload_rig_open(&r, "rdma_odp", _i ? "link" : "legacy", IOMMU_STRICT, FIDELITY_COUNTS);
	record_rig_start(&r);
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.pages_mapped"), 3);
	ck_assert_uint_eq(r.m->dma_stats.iommu_map_ops, 3);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* One message at a time: both fidelities count the same. */
START_TEST(fidelities_agree)
{
	static const char *const stats[] = {"rnic.faults",     "rnic.pages_mapped", "rnic.pages_unmapped",
					    "rnic.umr_posts",  "rnic.umr_entries",  "rnic.cache_misses",
					    "rnic.cache_hits", "rnic.prefetches",   "rnic.messages"};
	static const enum iommu_mode modes[] = {IOMMU_STRICT, IOMMU_LAZY, IOMMU_PASSTHROUGH};
	struct workload_rig r[2];

	for (unsigned f = 0; f < 2; f++) {
		workload_rig_open(&r[f], "rdma_odp", _i % 2 ? "link" : "legacy", modes[_i / 2],
				  f ? FIDELITY_TIMING : FIDELITY_COUNTS);
		workload_rig_set(&r[f], "rnic.loop", "closed");
		workload_rig_set(&r[f], "rnic.queue_depth", "1");
		record_rig_start(&r[f]);
		record_rig_generate(&r[f], "rdma_odp",
				    "messages=300 regions=2 region_bytes=4MiB rate=100 invalidate_every=3 "
				    "prefetch=256KiB prefetch_every=16 reregister_every=100");
		record_rig_finish(&r[f]);
		record_rig_balance(&r[f]);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(stats); i++)
		ck_assert_uint_eq(workload_rig_stat(&r[0], stats[i]), workload_rig_stat(&r[1], stats[i]));
	ck_assert_uint_eq(r[0].m->dma_stats.iova_allocs, r[1].m->dma_stats.iova_allocs);
	ck_assert_uint_eq(r[0].m->dma_stats.iommu_map_ops, r[1].m->dma_stats.iommu_map_ops);
	ck_assert_uint_eq(r[0].m->dma_stats.iommu_unmap_ops, r[1].m->dma_stats.iommu_unmap_ops);
	ck_assert_uint_eq(r[0].m->vtd_stats.qi_iotlb_page, r[1].m->vtd_stats.qi_iotlb_page);
	/* When the flush queue empties the IOTLB is a matter of time. */
	if (r[0].m->dma_stats.fq_entries == 0)
		ck_assert_uint_eq(r[0].m->vtd_stats.iotlb_misses, r[1].m->vtd_stats.iotlb_misses);
	ck_assert_uint_gt(workload_rig_stat(&r[0], "rnic.pages_unmapped"), 0);
	workload_rig_close(&r[0]);
	workload_rig_close(&r[1]);
}
END_TEST

/* Many messages and invalidations at once: nothing is lost, nothing refused, all is given back. */
START_TEST(storm)
{
	struct workload_rig r;

	workload_rig_open(&r, "rdma_odp", _i % 2 ? "link" : "legacy", _i / 2 ? IOMMU_LAZY : IOMMU_STRICT,
			  FIDELITY_TIMING);
	workload_rig_set(&r, "cpu.count", "4");
	workload_rig_set(&r, "rnic.loop", "closed");
	record_rig_start(&r);
	record_rig_generate(
	    &r, "rdma_odp",
	    "messages=3000 regions=3 region_bytes=8MiB cpus=4 invalidate_every=2 invalidate_bytes=128KiB");
	record_rig_finish(&r);
	ck_assert_uint_eq(r.m->io.completed, 3000);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.transfer_errors"), 0);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* A cold message's latency: 220 us for a page, 350 us for 4 MiB (Lesokhin et al., ASPLOS 2017), within 10 %.
 */
START_TEST(fault_latency)
{
	static const struct {
		uint64_t bytes, us;
	} want[] = {{4096, 220}, {4 * MIB, 350}};
	struct workload_rig r;
	struct trace_record rec = {.time_ns = 1000, .odp = {.event = ODP_ACCESS, .mr = 1, .write = true}};

	workload_rig_open(&r, "rdma_odp", "legacy", IOMMU_PASSTHROUGH, FIDELITY_TIMING);
	workload_rig_set(&r, "rnic.traffic", "false"); /* the fault alone, nothing translated */
	workload_rig_set(&r, "rnic.mtt_latency", "0ns");
	record_rig_start(&r);
	record_rig_feed(&r, event(ODP_REG, 0, 4096, false));
	rec.odp.bytes = want[_i].bytes;
	record_rig_feed(&r, &rec);
	record_rig_finish(&r);
	ck_assert_uint_ge(hist_max(r.m->io.latency_ns), want[_i].us * 900);
	ck_assert_uint_le(hist_max(r.m->io.latency_ns), want[_i].us * 1100);
	workload_rig_close(&r);
}
END_TEST

START_TEST(refused)
{
	struct workload_rig r;

	start(&r, "legacy", IOMMU_STRICT, 16);
	record_rig_refuse(&r, event(ODP_REG, 0, 16, false), "memory region 1 is registered already");
	record_rig_refuse(&r, event(ODP_FAULT, 10, 7, false), "smaller than the range");
	record_rig_feed(&r, event(ODP_DEREG, 0, 0, false));
	record_rig_refuse(&r, event(ODP_ACCESS, 0, 1, false), "memory region 1 is not registered");
	record_rig_refuse(&r, event(ODP_REG, 0, 0, false), "1 byte to 256 TiB");
	record_rig_refuse(&r, event(ODP_REG, 0, 1ull << 31, false), "register it as implicit");
	record_rig_finish(&r);
	workload_rig_close(&r);
}
END_TEST

/* ---- huge pages ---- */

#define HUGE (2 * MIB)
static const struct {
	const char *api;
	enum iommu_mode mode;
	/* per huge page */
	unsigned allocs, maps, calls, flushes, fq, frees;
} huge_table[] = {
    {"legacy", IOMMU_STRICT, 1, 1, 1, 1, 0, 1}, {"link", IOMMU_STRICT, 0, 1, 0, 1, 0, 0},
    {"legacy", IOMMU_LAZY, 1, 1, 1, 0, 1, 0},   {"link", IOMMU_LAZY, 0, 1, 0, 1, 0, 0},
    {"legacy", IOMMU_OFF, 0, 0, 1, 0, 0, 0},    {"link", IOMMU_OFF, 0, 0, 1, 0, 0, 0},
};

static void start_huge(struct workload_rig *r, const char *api, enum iommu_mode mode, uint64_t bytes)
{
	struct trace_record rec = {.odp = {.event = ODP_REG, .mr = 1, .access = 0x80 | 7, .bytes = bytes}};

	workload_rig_open(r, "rdma_odp", api, mode, FIDELITY_COUNTS);
	workload_rig_set(r, "memory.size", "8GiB");
	record_rig_start(r);
	record_rig_feed(r, &rec);
}

/* A region in huge pages: as B.8, each page mapped whole by one entry of the level above. */
START_TEST(huge_pages)
{
	const unsigned n = 5;
	struct workload_rig r;
	const struct dma_stats *st;
	uint64_t before, window;

	start_huge(&r, huge_table[_i].api, huge_table[_i].mode, GIB);
	st = &r.m->dma_stats;
	window = st->iova_allocs;
	ck_assert_uint_eq(window, huge_table[_i].maps && !huge_table[_i].allocs ? 1 : 0);
	/* The list of pages has an entry for every 4 KiB; the old list of DMA addresses one per page. */
	ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_PAGE_LISTS), GIB / PAGE_SIZE * 8);
	ck_assert_uint_eq(record_rig_ledger(&r, LEDGER_DRIVER_DMA_ADDRESSES),
			  !strcmp(huge_table[_i].api, "legacy") ? GIB / HUGE * 8 : 0);
	before = st->tree_allocs;
	/* From the middle of page 100 to the middle of page 104. */
	record_rig_feed(&r, event(ODP_FAULT, 100 * 512 + 256, (n - 1) * 512, false));
	ck_assert_uint_eq(st->iova_allocs - window, n * huge_table[_i].allocs);
	ck_assert_uint_eq(st->tree_allocs - before, n * huge_table[_i].allocs); /* too large to cache */
	ck_assert_uint_eq(st->iommu_map_ops, n * huge_table[_i].maps);
	ck_assert_uint_eq(st->ptes_written, n * huge_table[_i].maps);
	ck_assert_uint_eq(st->map_calls, n * huge_table[_i].calls);
	ck_assert_uint_eq(st->link_calls, huge_table[_i].maps && !huge_table[_i].calls ? n : 0);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.pages_mapped"), n);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.umr_entries"), 16); /* pages 96..111 */

	record_rig_feed(&r, event(ODP_FAULT, 100 * 512, n * 512, true));
	ck_assert_uint_eq(st->iommu_map_ops, n * huge_table[_i].maps);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.pages_upgraded"), n);

	before = st->iova_frees;
	record_rig_feed(&r, event(ODP_INVAL, 0, 512 * 512, false));
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.pages_unmapped"), n);
	ck_assert_uint_eq(record_rig_flushes(&r), n * huge_table[_i].flushes);
	ck_assert_uint_eq(st->fq_entries, n * huge_table[_i].fq);
	ck_assert_uint_eq(st->iova_frees - before, n * huge_table[_i].frees);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* Random faults and invalidations against a plain list of what is mapped. */
START_TEST(huge_pages_random)
{
	enum { PAGES = 64 };
	bool mapped[PAGES] = {false};
	uint64_t maps = 0, unmaps = 0;
	struct workload_rig r;
	struct rng rng;

	rng_init(&rng, 11, "huge");
	start_huge(&r, _i ? "link" : "legacy", IOMMU_STRICT, PAGES * HUGE - 5000); /* rounded up */
	for (unsigned i = 0; i < 300; i++) {
		uint64_t from = rng_below(&rng, PAGES * HUGE / PAGE_SIZE - 2);
		uint64_t n = 1 + rng_below(&rng, MIN(3000, PAGES * HUGE / PAGE_SIZE - 2 - from));
		bool fault = rng_below(&rng, 2);

		record_rig_feed(&r, event(fault ? ODP_FAULT : ODP_INVAL, from, n, rng_below(&rng, 2)));
		for (uint64_t p = from / 512; p <= (from + n - 1) / 512; p++) {
			maps += fault && !mapped[p];
			unmaps += !fault && mapped[p];
			mapped[p] = fault;
		}
		ck_assert_uint_eq(workload_rig_stat(&r, "rnic.pages_mapped"), maps);
		ck_assert_uint_eq(workload_rig_stat(&r, "rnic.pages_unmapped"), unmaps);
		ck_assert_uint_eq(r.m->dma_stats.iommu_map_ops, maps);
	}
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* Recorded memory must be in pages of that size; messages find every byte of them. */
START_TEST(huge_memory_and_messages)
{
	struct trace_segment seg = {.phys = GIB, .len = 2 * HUGE};
	struct trace_record rec = {.odp = {.event = ODP_FAULT, .mr = 1, .offset = HUGE, .bytes = 1}};
	struct workload_rig r;

	start_huge(&r, _i ? "link" : "legacy", IOMMU_STRICT, 64 * HUGE);
	rec.segs = &seg;
	rec.nsegs = 1;
	seg.len = HUGE - PAGE_SIZE;
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.refused"), 1);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.pages_mapped"), 0);
	seg.len = 2 * HUGE;
	rec.odp.bytes = HUGE + 1;
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.pages_mapped"), 2);
	/* Across the seam of the two, and on into a page that is not there: 4 MiB are prefetched. */
	rec = (struct trace_record){.odp = {.event = ODP_ACCESS, .mr = 1, .write = true}};
	rec.odp.offset = HUGE + 4 * PAGE_SIZE;
	rec.odp.bytes = 3 * HUGE;
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.transfer_errors"), 0);
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.message_bytes"), 3 * HUGE);
	ck_assert_uint_ge(workload_rig_stat(&r, "rnic.pages_mapped"), 4);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* An API that maps page by page cannot fill an entry of 2 MiB: its regions are of base pages. */
START_TEST(huge_pages_and_generic_apis)
{
	struct workload_rig r;

	start_huge(&r, "premapped", IOMMU_STRICT, 4 * HUGE);
	record_rig_feed(&r, event(ODP_FAULT, 0, 512, false));
	ck_assert_uint_eq(workload_rig_stat(&r, "rnic.pages_mapped"), 512);
	record_rig_finish(&r);
	workload_rig_close(&r);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("odp");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, registration, 0, 2);
	tcase_add_loop_test(tc, counts, 0, (int)(G_N_ELEMENTS(table) * G_N_ELEMENTS(sizes)));
	tcase_add_loop_test(tc, umr_rounding, 0, 2);
	tcase_add_loop_test(tc, zap_runs, 0, 2);
	tcase_add_loop_test(tc, implicit_children, 0, 2);
	tcase_add_loop_test(tc, message_faults, 0, 2);
	tcase_add_loop_test(tc, given_pages, 0, 2);
	tcase_add_loop_test(tc, fidelities_agree, 0, 6);
	tcase_add_loop_test(tc, storm, 0, 4);
	tcase_add_loop_test(tc, fault_latency, 0, 2);
	tcase_add_test(tc, refused);
	tcase_add_loop_test(tc, huge_pages, 0, (int)G_N_ELEMENTS(huge_table));
	tcase_add_loop_test(tc, huge_pages_random, 0, 2);
	tcase_add_loop_test(tc, huge_memory_and_messages, 0, 2);
	tcase_add_test(tc, huge_pages_and_generic_apis);
	return test_run("rdma_odp", tc, NULL);
}
