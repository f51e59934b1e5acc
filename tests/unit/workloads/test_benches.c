/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The measuring workloads: what they measure follows from a few values of the machine. */
#include "workload_rig.h"

#include "workloads/rx_ring/rx_ring.h"

static double cell(struct workload_rig *r, unsigned row, const char *column)
{
	const struct workload_curve *c = &r->w->curve;

	ck_assert_uint_lt(row, c->nrows);
	for (unsigned i = 0; i < c->ncolumns; i++)
		if (!strcmp(c->columns[i], column))
			return c->values[(size_t)row * c->ncolumns + i];
	ck_abort_msg("no column %s", column);
	return 0;
}

/* ---- pcie_bench ---- */

static void bench_open(struct workload_rig *r, enum iommu_mode mode)
{
	workload_rig_open(r, "pcie_bench", "legacy", mode, FIDELITY_TIMING);
	workload_rig_set(r, "iommu.superpages", "false");
	workload_rig_set(r, "memory.latency_llc", "20ns");
	workload_rig_set(r, "memory.latency_dram", "100ns");
	workload_rig_set(r, "pcie.read_rtt", "400ns");
	workload_rig_set(r, "iotlb.entries", "100");
	workload_rig_set(r, "iotlb.hit_latency", "0");
	workload_rig_set(r, "walker.read_latency", "150ns");
	workload_rig_set(r, "walker.miss_overhead", "50ns");
	workload_rig_set(r, "pcie_bench.samples", "20000");
}

START_TEST(read_latency_is_hit_plus_penalty_times_misses)
{
	static const double pages[] = {50, 125, 200, 1000};
	struct workload_rig r;

	bench_open(&r, _i ? IOMMU_STRICT : IOMMU_OFF);
	workload_rig_set(&r, "pcie_bench.windows", "200KiB,500KiB,800KiB,4000KiB");
	workload_rig_run(&r);
	for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++) {
		double misses = _i && pages[i] > 100 ? 1 - 100 / pages[i] : 0;

		ck_assert_double_eq_tol(cell(&r, i, "miss_fraction"), misses, 0.015);
		ck_assert_double_eq_tol(cell(&r, i, "latency_mean_ns"), 480 + 200 * misses, 4);
	}
	workload_rig_close(&r);
}
END_TEST

START_TEST(warm_reads_and_superpages_take_what_they_should)
{
	struct workload_rig r;

	bench_open(&r, IOMMU_STRICT);
	workload_rig_set(&r, "iommu.superpages", "true");
	workload_rig_set(&r, "pcie_bench.cold", "false");
	workload_rig_set(&r, "pcie_bench.windows", "64MiB");
	workload_rig_set(&r, "pcie_bench.piece", "4MiB");
	workload_rig_run(&r);
	ck_assert_double_eq_tol(cell(&r, 0, "latency_mean_ns"), 400, 1);
	workload_rig_close(&r);
}
END_TEST

/* All accesses miss: no more than concurrency / penalty of them per second, in order or not. */
START_TEST(missing_accesses_are_limited_by_the_walkers)
{
	static const char *const walkers[] = {"1", "4"};
	struct workload_rig r;

	bench_open(&r, IOMMU_STRICT);
	workload_rig_set(&r, "walker.slow_share", "0");
	workload_rig_set(&r, "walker.concurrency", walkers[_i & 1]);
	workload_rig_set(&r, "pcie_bench.op", _i & 2 ? "write" : "read");
	workload_rig_set(&r, "pcie_bench.measure", "throughput");
	workload_rig_set(&r, "pcie_bench.windows", "64MiB");
	workload_rig_run(&r);
	ck_assert_double_eq_tol(cell(&r, 0, "rate_per_s") / ((_i & 1 ? 4 : 1) / 200e-9), 1, 0.03);
	workload_rig_close(&r);
}
END_TEST

static void fast_card(struct workload_rig *r)
{
	workload_rig_set(r, "walker.slow_share", "0");
	workload_rig_set(r, "walker.concurrency", "64");
	workload_rig_set(r, "pcie.lanes", "16");
	workload_rig_set(r, "pcie.rate", "64");
	workload_rig_set(r, "pcie_bench.command_limit", "512");
	workload_rig_set(r, "pcie_bench.command_window", "200");
	workload_rig_set(r, "pcie_bench.read_interval", "0");
	workload_rig_set(r, "pcie_bench.read_interval_byte", "0");
	workload_rig_set(r, "pcie_bench.measure", "throughput");
}

/*
 * Remapping takes up n reads in order, all walks take as long, the share m misses: whatever was taken up
 * together with the oldest miss leaves together with it, and so do the hits that come before the next
 * miss. So each walk's time sees n + (1 - m) / m reads.
 */
START_TEST(reads_in_remapping_are_few_and_in_order)
{
	static const double n[] = {1, 2, 4, 8};
	static const char *const windows[] = {"400KiB", "500KiB", "800KiB", "4000KiB"};
	g_autofree char *places = g_strdup_printf("%g", n[_i / 4]);
	struct workload_rig r;
	double m;

	bench_open(&r, IOMMU_STRICT);
	fast_card(&r);
	workload_rig_set(&r, "pcie.read_window", places);
	workload_rig_set(&r, "pcie_bench.windows", windows[_i % 4]);
	workload_rig_run(&r);
	m = cell(&r, 0, "miss_fraction");
	if (_i % 4) {
		ck_assert_double_eq_tol(cell(&r, 0, "rate_per_s") * 200e-9 / (n[_i / 4] + (1 - m) / m), 1,
					0.04);
	} else {
		ck_assert_double_eq(m, 0);
	}
	workload_rig_close(&r);
}
END_TEST

/* A walker is kept until the lines of its read are gone; a write gives it back at once. */
START_TEST(walkers_stay_with_their_reads)
{
	static const double lines[] = {0, 1, 3, 7};
	static const char *const sizes[] = {"64", "128", "256", "512"};
	bool write = _i & 4;
	struct workload_rig r;

	bench_open(&r, IOMMU_STRICT);
	fast_card(&r);
	workload_rig_set(&r, "walker.concurrency", "3");
	workload_rig_set(&r, "pcie.read_line", "30ns");
	workload_rig_set(&r, "pcie.write_buffer", "1000");
	workload_rig_set(&r, "pcie_bench.write_interval", "0");
	workload_rig_set(&r, "pcie_bench.write_interval_byte", "0");
	workload_rig_set(&r, "pcie_bench.op", write ? "write" : "read");
	workload_rig_set(&r, "pcie_bench.size", sizes[_i & 3]);
	workload_rig_set(&r, "pcie_bench.windows", "64MiB");
	workload_rig_run(&r);
	ck_assert_double_eq_tol(
	    cell(&r, 0, "rate_per_s") * (200e-9 + (write ? 0 : lines[_i & 3] * 30e-9)) / 3, 1, 0.03);
	workload_rig_close(&r);
}
END_TEST

/* Writes wait for room: lines in the buffer / time that each stays there. */
START_TEST(posted_writes_are_limited_by_their_buffer)
{
	struct workload_rig r;

	bench_open(&r, IOMMU_OFF);
	workload_rig_set(&r, "pcie.write_buffer", "10");
	workload_rig_set(&r, "pcie.write_latency", "1us");
	workload_rig_set(&r, "pcie_bench.op", "write");
	workload_rig_set(&r, "pcie_bench.measure", "throughput");
	workload_rig_set(&r, "pcie_bench.windows", "64KiB");
	workload_rig_run(&r);
	ck_assert_double_eq_tol(cell(&r, 0, "rate_per_s"), 10 / 1e-6, 0.02 * 10 / 1e-6);
	workload_rig_close(&r);
}
END_TEST

/* Each byte of a transfer is mapped, however large it is next to the pieces and the window. */
START_TEST(transfers_lie_within_the_buffer)
{
	static const struct {
		const char *size, *windows, *piece;
	} loads[] = {{"8KiB", "1MiB", NULL},      {"64KiB", "1MiB", NULL},    {"5000", "20KiB,8KiB", NULL},
		     {"1MiB", "3MiB,1MiB", NULL}, {"64KiB", "1MiB", "16KiB"}, {"4KiB", "4KiB", NULL},
		     {"64KiB", "68KiB", "64KiB"}};
	struct workload_rig r;
	uint64_t n;

	workload_rig_open(&r, "pcie_bench", "legacy", IOMMU_STRICT,
			  _i & 1 ? FIDELITY_TIMING : FIDELITY_COUNTS);
	workload_rig_set(&r, "pcie_bench.size", loads[_i / 2].size);
	workload_rig_set(&r, "pcie_bench.windows", loads[_i / 2].windows);
	if (loads[_i / 2].piece)
		workload_rig_set(&r, "pcie_bench.piece", loads[_i / 2].piece);
	workload_rig_set(&r, "pcie_bench.samples", "500");
	workload_rig_set(&r, "pcie_bench.warm_up", "100");
	workload_rig_run(&r);
	n = 500 * r.w->curve.nrows;
	ck_assert_uint_eq(r.m->vtd_stats.faults, 0);
	ck_assert_uint_eq(r.m->io.failed, 0);
	ck_assert_uint_eq(r.m->io.completed, n);
	ck_assert_uint_eq(workload_rig_stat(&r, "pcie_bench.transfers"), n);
	workload_rig_close(&r);
}
END_TEST

START_TEST(a_window_smaller_than_a_transfer_is_an_error)
{
	struct workload_rig r;
	GError *error = NULL;

	workload_rig_open(&r, "pcie_bench", "legacy", IOMMU_STRICT, FIDELITY_COUNTS);
	workload_rig_set(&r, "pcie_bench.size", "64KiB");
	workload_rig_set(&r, "pcie_bench.windows", "1MiB,60KiB");
	if (_i) {
		workload_rig_set(&r, "pcie_bench.target", "hole"); /* has no buffer to run off */
		workload_rig_run(&r);
		workload_rig_close(&r);
		return;
	}
	r.m = machine_new(r.config, r.mode, &kernel_profiles[r.api->shipped], r.fidelity, 1, &error);
	ck_assert_ptr_nonnull(r.m);
	ck_assert_ptr_null(r.ops->create(r.m, r.api, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "pcie_bench.windows"));
	ck_assert_ptr_nonnull(strstr(error->message, "pcie_bench.size"));
	g_error_free(error);
	machine_free(r.m);
	config_free(r.config);
}
END_TEST

/* What faults is not completed, the warm-up is not counted, and each half of a transfer asks for its page. */
START_TEST(faulted_transfers_failed)
{
	static const char *const ops[] = {"read", "write", "write_read"};
	unsigned halves = _i / 2 == 2 ? 2 : 1;
	bool ats = _i & 1;
	struct workload_rig r;

	workload_rig_open(&r, "pcie_bench", "legacy", IOMMU_STRICT, FIDELITY_COUNTS);
	workload_rig_set(&r, "pcie_bench.target", "hole");
	workload_rig_set(&r, "pcie_bench.op", ops[_i / 2]);
	workload_rig_set(&r, "pcie_bench.windows", "1MiB,64KiB");
	workload_rig_set(&r, "pcie_bench.samples", "50");
	workload_rig_set(&r, "pcie_bench.warm_up", "7");
	if (ats)
		workload_rig_set(&r, "ats.devices", "all");
	workload_rig_run(&r);
	ck_assert_uint_eq(r.m->io.failed, 100);
	ck_assert_uint_eq(r.m->io.completed, 0);
	ck_assert_uint_eq(r.m->io.bytes, 0);
	ck_assert_uint_eq(workload_rig_stat(&r, "pcie_bench.transfers"), 100);
	ck_assert_uint_eq(ats ? r.m->vtd_stats.page_requests : r.m->vtd_stats.faults, 114 * halves);
	workload_rig_close(&r);
}
END_TEST

/* ---- map_bench ---- */

static const struct {
	const char *how, *api, *pages;
	uint64_t map_ops, descriptors; /* per operation, strict */
} ways[] = {{"single", "legacy", "4", 4, 4},
	    {"sg", "legacy", "4", 4, 1},
	    {"link", "link", "4", 4, 1},
	    {"coherent", "legacy", "4", 0, 1},
	    {"api", "legacy", "1", 1, 1}};

START_TEST(ways_to_map_do_what_they_say)
{
	struct workload_rig r;
	uint64_t n = 200;

	workload_rig_open(&r, "map_bench", ways[_i].api, IOMMU_STRICT,
			  _i & 1 ? FIDELITY_TIMING : FIDELITY_COUNTS);
	workload_rig_set(&r, "map_bench.how", ways[_i].how);
	workload_rig_set(&r, "map_bench.pages", ways[_i].pages);
	workload_rig_set(&r, "map_bench.iterations", "199");
	workload_rig_set(&r, "map_bench.warm_up", "0");
	workload_rig_run(&r);
	ck_assert_uint_eq(workload_rig_stat(&r, "map_bench.operations"), 199);
	ck_assert_uint_eq(workload_rig_stat(&r, "map_bench.failed"), 0);
	if (ways[_i].map_ops)
		ck_assert_uint_eq(r.m->dma_stats.iommu_map_ops, n * ways[_i].map_ops);
	ck_assert_uint_eq(r.m->vtd_stats.qi_iotlb_page, n * ways[_i].descriptors);
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_allocated, r.m->dma_stats.iova_pages_freed);
	workload_rig_close(&r);
}
END_TEST

START_TEST(threads_share_one_invalidation_queue)
{
	struct workload_rig r;
	double rate[2];

	for (unsigned i = 0; i < 2; i++) {
		workload_rig_open(&r, "map_bench", "link", IOMMU_STRICT, FIDELITY_TIMING);
		workload_rig_set(&r, "cpu.count", "8");
		workload_rig_set(&r, "qi.service", "1us");
		workload_rig_set(&r, "map_bench.threads", i ? "8" : "1");
		workload_rig_set(&r, "map_bench.iterations", "500");
		workload_rig_set(&r, "map_bench.warm_up", "100");
		workload_rig_run(&r);
		rate[i] = cell(&r, 0, "rate_per_s");
		workload_rig_close(&r);
	}
	/* One flush of the domain at a time: no more than one per service and status write (1.5 us). */
	ck_assert_double_gt(rate[1], 0.7 * rate[0]);
	ck_assert_double_le(rate[1], 1e9 / 1500);
}
END_TEST

/* The queue's timer interrupts threads that never pause: a ring of ten milliseconds' ranges is not full. */
START_TEST(timers_interrupt_the_threads)
{
	struct workload_rig r;

	workload_rig_open(&r, "map_bench", "link", IOMMU_LAZY, FIDELITY_TIMING);
	workload_rig_set(&r, "cpu.count", "2");
	workload_rig_set(&r, "map_bench.threads", "2");
	workload_rig_set(&r, "map_bench.fixed", "100us");
	workload_rig_set(&r, "map_bench.warm_up", "0");
	workload_rig_set(&r, "map_bench.iterations", "2000"); /* 200 ms */
	workload_rig_run(&r);
	ck_assert_uint_eq(r.m->dma_stats.fq_ring_full, 0);
	ck_assert_uint_ge(r.m->dma_stats.fq_timeouts, 10);
	ck_assert_uint_le(r.m->dma_stats.fq_timeouts, 20);
	ck_assert_uint_eq(r.m->dma_stats.iova_frees, r.m->dma_stats.iova_allocs);
	workload_rig_close(&r);
}
END_TEST

START_TEST(random_pauses_keep_their_mean)
{
	struct workload_rig r;
	double rate[2];

	for (unsigned i = 0; i < 2; i++) {
		workload_rig_open(&r, "map_bench", "link", IOMMU_OFF, FIDELITY_TIMING);
		workload_rig_set(&r, "map_bench.fixed", "20us");
		workload_rig_set(&r, "map_bench.fixed_random", i ? "true" : "false");
		workload_rig_set(&r, "map_bench.iterations", "20000");
		workload_rig_run(&r);
		rate[i] = cell(&r, 0, "rate_per_s");
		workload_rig_close(&r);
	}
	ck_assert_double_ne(rate[0], rate[1]);
	ck_assert_double_eq_tol(rate[1] / rate[0], 1, 0.03); /* four standard errors */
}
END_TEST

/* ---- rx_ring ---- */

START_TEST(rings_receive_what_is_offered)
{
	struct workload_rig r;

	workload_rig_open(&r, "rx_ring", _i & 1 ? "link" : "legacy", _i & 2 ? IOMMU_STRICT : IOMMU_OFF,
			  FIDELITY_TIMING);
	workload_rig_set(&r, "rx_ring.offered", "5");
	workload_rig_set(&r, "rx_ring.packets", "3000");
	workload_rig_set(&r, "rx_ring.warm_up", "500");
	workload_rig_set(&r, "rx_ring.mtu", "1500");
	workload_rig_set(&r, "rx_ring.buffer", "2048");
	workload_rig_set(&r, "rx_ring.batch", "8");
	workload_rig_run(&r);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.packets"), 3000);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.dropped"), 0);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.failed"), 0);
	ck_assert_double_eq_tol(cell(&r, 0, "gbit_per_s"), 5, 0.1);
	ck_assert_uint_eq(r.m->vtd_stats.faults, 0);
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_allocated, r.m->dma_stats.iova_pages_freed);
	/* Two buffers lie in a page: a page is missed once, then its rings' pages. */
	if (_i & 2)
		ck_assert_double_eq_tol(cell(&r, 0, "iotlb_misses_per_page"), 4096 / 3000.0, 0.25);
	workload_rig_close(&r);
}
END_TEST

START_TEST(more_than_the_link_carries_is_dropped)
{
	struct workload_rig r;

	workload_rig_open(&r, "rx_ring", "legacy", IOMMU_OFF, FIDELITY_TIMING);
	workload_rig_set(&r, "pcie.lanes", "4"); /* 8 GT/s: 26.6 Gb/s of payload at MPS 256 */
	workload_rig_set(&r, "rx_ring.offered", "100");
	workload_rig_set(&r, "rx_ring.packets", "20000");
	workload_rig_run(&r);
	ck_assert_double_eq_tol(cell(&r, 0, "gbit_per_s"), 26.2, 1);
	ck_assert_uint_gt(workload_rig_stat(&r, "rx_ring.dropped"), 0);
	/* Those that were dropped together with the last one of the warm-up count to it. */
	ck_assert_uint_le(workload_rig_stat(&r, "rx_ring.packets") + workload_rig_stat(&r, "rx_ring.dropped"),
			  20000);
	ck_assert_uint_ge(workload_rig_stat(&r, "rx_ring.packets") + workload_rig_stat(&r, "rx_ring.dropped"),
			  19900);
	workload_rig_close(&r);
}
END_TEST

/* Pages that are still in use, whatever the ring's shape: no two packets of it share a byte. */
START_TEST(packets_of_a_ring_do_not_overlap)
{
	static const struct {
		const char *mtu, *buffer, *stride, *batch;
	} shapes[] = {{"1500", "2048", "0", "8"},   {"9000", "9216", "0", "9"}, {"3000", "4096", "0", "1"},
		      {"1500", "2048", "64", "16"}, {"4096", "64", "64", "64"}, {"9000", "64", "256", "32"}};
	struct workload_rig r;
	struct rx_ring *ring;
	g_autofree uint8_t *used = NULL;
	struct rx_queue *q;

	workload_rig_open(&r, "rx_ring", "legacy", IOMMU_STRICT, FIDELITY_TIMING);
	workload_rig_set(&r, "rx_ring.mtu", shapes[_i].mtu);
	workload_rig_set(&r, "rx_ring.buffer", shapes[_i].buffer);
	workload_rig_set(&r, "rx_ring.stride", shapes[_i].stride);
	workload_rig_set(&r, "rx_ring.batch", shapes[_i].batch);
	workload_rig_set(&r, "rx_ring.packets", "2000");
	workload_rig_run(&r);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.failed"), 0);
	ck_assert_uint_eq(r.m->vtd_stats.faults, 0);
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_allocated, r.m->dma_stats.iova_pages_freed);
	ring = (struct rx_ring *)r.w;
	q = ring->queues;
	used = g_malloc0(q->npages * PAGE_SIZE);
	for (uint64_t n = 0; n < ring->p.ring; n++) {
		uint64_t left = ring->frame;

		while (left) {
			struct rx_part part = rx_packet_part(q, n, left);

			ck_assert_uint_lt(part.page, q->npages);
			ck_assert_uint_le(part.offset + part.bytes, PAGE_SIZE);
			/* A packet stays inside the descriptor whose pages are returned with it. */
			ck_assert_uint_eq(part.page / ring->p.batch, n / ring->batch_packets);
			for (uint64_t i = 0; i < part.bytes; i++)
				ck_assert_uint_eq(used[part.page * PAGE_SIZE + part.offset + i]++, 0);
			left -= part.bytes;
		}
	}
	workload_rig_close(&r);
}
END_TEST

static uint64_t page_unmaps(enum fidelity fidelity, const char *cache, const char *loss)
{
	struct workload_rig r;
	uint64_t unmaps;

	workload_rig_open(&r, "rx_ring", "legacy", IOMMU_STRICT, fidelity);
	workload_rig_set(&r, "rx_ring.offered", "5");
	workload_rig_set(&r, "rx_ring.stride", "64");
	workload_rig_set(&r, "rx_ring.paced", "true");
	workload_rig_set(&r, "rx_ring.aged", "true");
	workload_rig_set(&r, "rx_ring.copy_rate", "8");
	workload_rig_set(&r, "rx_ring.ack_rate", "0");
	workload_rig_set(&r, "rx_ring.timeout", "50ms");
	workload_rig_set(&r, "rx_ring.window", "0");
	workload_rig_set(&r, "rx_ring.page_cache", cache);
	workload_rig_set(&r, "rx_ring.loss", loss);
	workload_rig_set(&r, "rx_ring.warm_up", "5000");
	workload_rig_set(&r, "rx_ring.packets", "10000");
	workload_rig_run(&r);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.failed"), 0);
	ck_assert_uint_eq(r.m->vtd_stats.faults, 0);
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_allocated, r.m->dma_stats.iova_pages_freed);
	unmaps = ((struct rx_ring *)r.w)->st.unmaps;
	workload_rig_close(&r);
	return unmaps;
}

/*
 * 10000 packets, 63 in each 64 pages. The 8 descriptors' pages and 255 cached ones are unmapped at the end;
 * without a cache each descriptor's are. A loss whose retransmission is lost as well keeps its pages for
 * 50 ms, 7600 packets, in which the cache is blocked.
 */
START_TEST(cached_pages_stay_mapped_until_somebody_holds_them)
{
	uint64_t cached = page_unmaps(FIDELITY_TIMING, "255", "0"),
		 none = page_unmaps(FIDELITY_TIMING, "0", "0"),
		 blocked = page_unmaps(FIDELITY_TIMING, "255", "0.012");

	ck_assert_uint_le(cached, 8 * 64 + 255);
	ck_assert_uint_ge(none, 10000 / 63 * 64);
	ck_assert_uint_gt(blocked, cached + 5000);
	ck_assert_uint_lt(blocked, none);
	/* In counts nothing waits, so nothing blocks. */
	ck_assert_uint_le(page_unmaps(FIDELITY_COUNTS, "255", "0.012"), 8 * 64 + 255);
}
END_TEST

static void small_pool(struct workload_rig *r, const char *api, enum fidelity fidelity, const char *stride,
		       const char *paced, const char *size)
{
	workload_rig_open(r, "rx_ring", api, IOMMU_OFF, fidelity);
	workload_rig_set(r, "swiotlb.force", "true");
	workload_rig_set(r, "swiotlb.size", size);
	workload_rig_set(r, "rx_ring.stride", stride);
	workload_rig_set(r, "rx_ring.paced", paced);
	workload_rig_set(r, "rx_ring.copy_rate", "8"); /* readers look at the pages */
	workload_rig_set(r, "rx_ring.ack_rate", "1");
	workload_rig_set(r, "rx_ring.packets", "20000");
}

/* The rings take the whole bounce pool, so what acknowledgements take of it is missing at refills. */
START_TEST(rings_go_on_with_fewer_buffers)
{
	bool stride = _i & 2;
	struct workload_rig r;
	struct rx_ring *ring;

	small_pool(&r, _i & 1 ? "link" : "legacy", _i & 4 ? FIDELITY_COUNTS : FIDELITY_TIMING,
		   stride ? "64" : "0", _i & 8 ? "true" : "false", stride ? "2MiB" : "1MiB");
	workload_rig_run(&r);
	ring = (struct rx_ring *)r.w;
	if (!(_i & 4))
		ck_assert_uint_gt(workload_rig_stat(&r, "rx_ring.failed"), 0);
	ck_assert_uint_gt(workload_rig_stat(&r, "rx_ring.packets"), 5000);
	ck_assert_uint_le(ring->queues->next, ring->queues->posted);
	ck_assert_uint_eq(r.m->dma_stats.swiotlb_slots_used, 0);
	workload_rig_close(&r);
}
END_TEST

/* A ring larger than the pool: an error, and nothing stays behind. */
START_TEST(rings_that_cannot_be_mapped_are_an_error)
{
	struct workload_rig r;
	GError *error = NULL;

	small_pool(&r, _i ? "link" : "legacy", FIDELITY_TIMING, "64", "false", "1MiB");
	r.m = machine_new(r.config, r.mode, &kernel_profiles[r.api->shipped], r.fidelity, 1, &error);
	ck_assert_ptr_nonnull(r.m);
	r.w = r.ops->create(r.m, r.api, &error);
	ck_assert_ptr_nonnull(r.w);
	ck_assert(!r.ops->finish(r.w, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "swiotlb.size"));
	ck_assert_uint_eq(r.m->dma_stats.swiotlb_slots_used, 0);
	g_error_free(error);
	workload_rig_close(&r);
}
END_TEST

/* The descriptors fit in memory, the tables of all pages do not: linked or not, no address stays taken. */
START_TEST(rings_whose_tables_find_no_memory_are_an_error)
{
	struct workload_rig r;
	GError *error = NULL;
	uint64_t posted;

	workload_rig_open(&r, "rx_ring", _i & 1 ? "link" : "legacy", _i & 2 ? IOMMU_LAZY : IOMMU_STRICT,
			  FIDELITY_TIMING);
	workload_rig_set(&r, "memory.size", "16MiB");
	workload_rig_set(&r, "rx_ring.ring", "150000");
	r.m = machine_new(r.config, r.mode, &kernel_profiles[r.api->shipped], r.fidelity, 1, &error);
	ck_assert_ptr_nonnull(r.m);
	r.w = r.ops->create(r.m, r.api, &error);
	ck_assert_ptr_nonnull(r.w);
	ck_assert(!r.ops->finish(r.w, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "memory.size"));
	posted = ((struct rx_ring *)r.w)->queues->posted;
	ck_assert_uint_gt(posted, 64);
	ck_assert_uint_lt(posted, 150000);
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_allocated, r.m->dma_stats.iova_pages_freed);
	g_error_free(error);
	workload_rig_close(&r);
}
END_TEST

START_TEST(a_stride_is_a_power_of_two)
{
	struct workload_rig r;
	GError *error = NULL;

	workload_rig_open(&r, "rx_ring", "legacy", IOMMU_OFF, FIDELITY_TIMING);
	workload_rig_set(&r, "rx_ring.stride", "96");
	r.m = machine_new(r.config, r.mode, &kernel_profiles[r.api->shipped], r.fidelity, 1, &error);
	ck_assert_ptr_nonnull(r.m);
	ck_assert_ptr_null(r.ops->create(r.m, r.api, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "rx_ring.stride = 96"));
	g_error_free(error);
	machine_free(r.m);
	config_free(r.config);
}
END_TEST

/* Whether or not there is a warm-up, all offered packets are measured; losses are no drops. */
START_TEST(every_packet_after_the_warm_up_counts)
{
	struct workload_rig r;

	workload_rig_open(&r, "rx_ring", "legacy", IOMMU_OFF, FIDELITY_TIMING);
	workload_rig_set(&r, "rx_ring.offered", "5");
	workload_rig_set(&r, "rx_ring.packets", "100");
	workload_rig_set(&r, "rx_ring.warm_up", _i & 1 ? "40" : "0");
	workload_rig_set(&r, "rx_ring.loss", _i & 2 ? "0.05" : "0");
	workload_rig_run(&r);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.lost"), _i & 2 ? 5 : 0);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.packets"), _i & 2 ? 95 : 100);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.dropped"), 0);
	ck_assert_double_eq(cell(&r, 0, "drop_share"), 0);
	workload_rig_close(&r);
}
END_TEST

/* Pieces larger than the bounce pool's slots: no operation succeeds, and none is counted as done. */
START_TEST(map_bench_counts_failed_maps_as_failed)
{
	struct workload_rig r;

	workload_rig_open(&r, "map_bench", "legacy", IOMMU_OFF, FIDELITY_TIMING);
	workload_rig_set(&r, "swiotlb.force", "true");
	workload_rig_set(&r, "map_bench.unit", "1MiB");
	workload_rig_set(&r, "map_bench.iterations", "100");
	workload_rig_run(&r);
	ck_assert_uint_eq(r.m->io.completed, 0);
	ck_assert_uint_eq(r.m->io.bytes, 0);
	ck_assert_uint_eq(r.m->io.failed, 100);
	ck_assert_uint_eq(r.m->io.refused, 100);
	ck_assert_uint_eq(workload_rig_stat(&r, "map_bench.operations"), 0);
	ck_assert_double_eq(cell(&r, 0, "rate_per_s"), 0);
	ck_assert_ptr_nonnull(strstr(r.m->io.failure, "bounce pool full for"));
	workload_rig_close(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("measuring workloads");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, read_latency_is_hit_plus_penalty_times_misses, 0, 2);
	tcase_add_test(t, warm_reads_and_superpages_take_what_they_should);
	tcase_add_loop_test(t, missing_accesses_are_limited_by_the_walkers, 0, 4);
	tcase_add_loop_test(t, reads_in_remapping_are_few_and_in_order, 0, 16);
	tcase_add_loop_test(t, walkers_stay_with_their_reads, 0, 8);
	tcase_add_test(t, posted_writes_are_limited_by_their_buffer);
	tcase_add_loop_test(t, transfers_lie_within_the_buffer, 0, 14);
	tcase_add_loop_test(t, a_window_smaller_than_a_transfer_is_an_error, 0, 2);
	tcase_add_loop_test(t, faulted_transfers_failed, 0, 6);
	tcase_add_loop_test(t, ways_to_map_do_what_they_say, 0, G_N_ELEMENTS(ways));
	tcase_add_test(t, threads_share_one_invalidation_queue);
	tcase_add_test(t, timers_interrupt_the_threads);
	tcase_add_test(t, random_pauses_keep_their_mean);
	tcase_add_loop_test(t, rings_receive_what_is_offered, 0, 4);
	tcase_add_test(t, more_than_the_link_carries_is_dropped);
	tcase_add_loop_test(t, packets_of_a_ring_do_not_overlap, 0, 6);
	tcase_add_test(t, cached_pages_stay_mapped_until_somebody_holds_them);
	tcase_add_loop_test(t, rings_go_on_with_fewer_buffers, 0, 16);
	tcase_add_loop_test(t, rings_that_cannot_be_mapped_are_an_error, 0, 2);
	tcase_add_loop_test(t, rings_whose_tables_find_no_memory_are_an_error, 0, 4);
	tcase_add_test(t, a_stride_is_a_power_of_two);
	tcase_add_loop_test(t, every_packet_after_the_warm_up_counts, 0, 4);
	tcase_add_test(t, map_bench_counts_failed_maps_as_failed);
	return test_run("measuring workloads", t, NULL);
}
