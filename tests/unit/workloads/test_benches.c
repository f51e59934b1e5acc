/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The measuring workloads: what they measure follows from a few values of the machine. */
#include "workload_rig.h"

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
	workload_rig_set(&r, "walker.concurrency", walkers[_i & 1]);
	workload_rig_set(&r, "pcie_bench.op", _i & 2 ? "write" : "read");
	workload_rig_set(&r, "pcie_bench.measure", "throughput");
	workload_rig_set(&r, "pcie_bench.windows", "64MiB");
	workload_rig_run(&r);
	ck_assert_double_eq_tol(cell(&r, 0, "rate_per_s") / ((_i & 1 ? 4 : 1) / 200e-9), 1, 0.03);
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

int main(void)
{
	TCase *t = tcase_create("measuring workloads");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, read_latency_is_hit_plus_penalty_times_misses, 0, 2);
	tcase_add_test(t, warm_reads_and_superpages_take_what_they_should);
	tcase_add_loop_test(t, missing_accesses_are_limited_by_the_walkers, 0, 4);
	tcase_add_test(t, posted_writes_are_limited_by_their_buffer);
	tcase_add_loop_test(t, ways_to_map_do_what_they_say, 0, G_N_ELEMENTS(ways));
	tcase_add_test(t, threads_share_one_invalidation_queue);
	tcase_add_loop_test(t, rings_receive_what_is_offered, 0, 4);
	tcase_add_test(t, more_than_the_link_carries_is_dropped);
	return test_run("measuring workloads", t, NULL);
}
