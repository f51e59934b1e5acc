/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that map and unmap: what each way does, queues and timers they share, failures. */
#include "workload_rig.h"

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
		rate[i] = workload_rig_cell(&r, 0, "rate_per_s");
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
		rate[i] = workload_rig_cell(&r, 0, "rate_per_s");
		workload_rig_close(&r);
	}
	ck_assert_double_ne(rate[0], rate[1]);
	ck_assert_double_eq_tol(rate[1] / rate[0], 1, 0.03); /* four standard errors */
}
END_TEST

/* Pieces larger than the bounce pool's slots: no operation succeeds, and none is counted as done. */
START_TEST(failed_maps_are_failed)
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
	ck_assert_double_eq(workload_rig_cell(&r, 0, "rate_per_s"), 0);
	ck_assert_ptr_nonnull(strstr(r.m->io.failure, "bounce pool full for"));
	workload_rig_close(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("map_bench");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, ways_to_map_do_what_they_say, 0, G_N_ELEMENTS(ways));
	tcase_add_test(t, threads_share_one_invalidation_queue);
	tcase_add_test(t, timers_interrupt_the_threads);
	tcase_add_test(t, random_pauses_keep_their_mean);
	tcase_add_test(t, failed_maps_are_failed);
	return test_run("map_bench", t, NULL);
}
