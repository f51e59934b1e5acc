/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DMA layer in timing fidelity: same counts, time at the waiting points, queueing at the locks. */
#include "dma_rig.h"
#include "models/dma/iommu.h"

#define ROUNDS 200u

struct bench;
struct job {
	struct cpu_work work;
	struct bench *b;
	unsigned pages;
};

struct bench {
	struct rig r;
	struct job job[64];
};

static void map_unmap_rounds(struct cpu_work *w, struct cpu *cpu)
{
	struct job *j = (struct job *)w;

	for (unsigned i = 0; i < ROUNDS; i++) {
		dma_addr_t a = dma_map_page(j->b->r.dev, 0x10000000 + cpu->id * 0x1000000, 0,
					    j->pages * PAGE_SIZE, DMA_TO_DEVICE);

		ck_assert_uint_ne(a, DMA_MAPPING_ERROR);
		dma_unmap_page(j->b->r.dev, a, j->pages * PAGE_SIZE, DMA_TO_DEVICE);
	}
}

/* ROUNDS on each of ncpus CPUs at once, to the flush-queue timer at most; returns when the last ended. */
static sim_time_t run_on(enum kernel_version kernel, struct bench *b, enum iommu_mode mode,
			 enum fidelity fidelity, unsigned ncpus, unsigned pages)
{
	struct rig *r = &b->r;
	sim_time_t end = 0;
	GError *error = NULL;

	r->config = config_new();
	ck_assert(config_set(r->config, "cpu.count", "64", "test", &error));
	r->m = machine_new(r->config, mode, &kernel_profiles[kernel], fidelity, 1, &error);
	r->dev = machine_add_device(r->m, NULL, &error);
	ck_assert_ptr_nonnull(r->dev);
	for (unsigned i = 0; i < ncpus; i++) {
		b->job[i] = (struct job){.work.fn = map_unmap_rounds, .b = b, .pages = pages};
		cpu_post(&r->m->sim.cpus[i], &b->job[i].work, 0);
	}
	sim_advance(&r->m->sim, 9 * SIM_MS);
	for (unsigned i = 0; i < ncpus; i++)
		end = MAX(end, r->m->sim.cpus[i].now);
	return end;
}

static sim_time_t run(struct bench *b, enum iommu_mode mode, enum fidelity fidelity, unsigned ncpus,
		      unsigned pages)
{
	return run_on(KERNEL_6_12, b, mode, fidelity, ncpus, pages);
}

static uint64_t lock_wait(const struct bench *b)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < b->r.m->sim.ncpus; i++)
		sum += b->r.m->sim.cpus[i].lock_wait;
	return sum;
}

START_TEST(one_cpu_counts_are_equal)
{
	struct bench counts, timing;
	struct dma_stats *a, *b;

	run(&counts, _i, FIDELITY_COUNTS, 1, 4);
	run(&timing, _i, FIDELITY_TIMING, 1, 4);
	a = &counts.r.m->dma_stats;
	b = &timing.r.m->dma_stats;
	ck_assert_uint_eq(a->iova_allocs, b->iova_allocs);
	ck_assert_uint_eq(a->rcache_hits, b->rcache_hits);
	ck_assert_uint_eq(a->iommu_map_ops, b->iommu_map_ops);
	ck_assert_uint_eq(a->iotlb_syncs, b->iotlb_syncs);
	ck_assert_uint_eq(a->flush_all, b->flush_all);
	ck_assert_uint_eq(a->fq_entries, b->fq_entries);
	ck_assert_uint_eq(counts.r.m->vtd_stats.qi_total, timing.r.m->vtd_stats.qi_total);
	ck_assert_uint_eq(lock_wait(&timing), 0);
	rig_free(&counts.r);
	rig_free(&timing.r);
}
END_TEST

START_TEST(strict_unmap_waits_for_the_hardware)
{
	struct bench r;
	sim_time_t end = run(&r, IOMMU_STRICT, FIDELITY_TIMING, 1, 1);
	const struct qi_params *p = config_get(r.r.config, &qi_param_table);

	/* Every unmap spins at least for one invalidation and its wait. */
	ck_assert_uint_ge(end, ROUNDS * (p->service + p->wait_latency));
	ck_assert_uint_ge(r.r.m->vtd_stats.qi_wait_time, ROUNDS * p->service);
	rig_free(&r.r);
}
END_TEST

START_TEST(queue_serialises_many_cpus)
{
	struct bench one, many;
	sim_time_t alone = run(&one, IOMMU_STRICT, FIDELITY_TIMING, 1, 1);
	sim_time_t together;

	run(&many, IOMMU_STRICT, FIDELITY_TIMING, 16, 1);
	sim_run(&many.r.m->sim);
	together = many.r.m->sim.cpus[0].now;
	ck_assert_uint_eq(many.r.m->dma_stats.iotlb_syncs, 16 * ROUNDS);
	ck_assert_uint_gt(lock_wait(&many), 0);
	/* One queue: sixteen CPUs need more time than one, and no more than one after the other. */
	ck_assert_uint_gt(together, 2 * alone);
	ck_assert_uint_lt(together, 40 * alone);
	rig_free(&one.r);
	rig_free(&many.r);
}
END_TEST

/* 6.1 has several CPUs' submissions in the queue at once; since 6.10 a domain's flushes follow each other. */
START_TEST(cache_lock_serialises_a_domain)
{
	struct bench before, after;
	sim_time_t overlapped = run_on(KERNEL_6_1, &before, IOMMU_STRICT, FIDELITY_TIMING, 4, 1);
	sim_time_t serial = run_on(KERNEL_6_12, &after, IOMMU_STRICT, FIDELITY_TIMING, 4, 1);
	const struct qi_params *p = config_get(after.r.config, &qi_param_table);

	ck_assert_uint_ge(serial, 4 * ROUNDS * (p->service + p->wait_latency));
	ck_assert_uint_lt(overlapped, serial);
	rig_free(&before.r);
	rig_free(&after.r);
}
END_TEST

START_TEST(tree_lock_is_contended_by_large_ranges)
{
	struct bench small, large;
	const struct lock_stats *cached, *searched;
	const struct dma_stats *st;

	run(&small, IOMMU_STRICT, FIDELITY_TIMING, 8, 32);
	run(&large, IOMMU_STRICT, FIDELITY_TIMING, 8, 33); /* every allocation and free searches */
	sim_run(&small.r.m->sim);
	sim_run(&large.r.m->sim);
	cached = &small.r.m->dma_stats.tree_lock;
	st = &large.r.m->dma_stats;
	searched = &st->tree_lock;
	ck_assert_uint_eq(cached->acquired, 8); /* each CPU's first range */
	ck_assert_uint_eq(searched->acquired, 2 * 8 * ROUNDS);
	ck_assert_uint_gt(searched->contended, cached->contended);
	ck_assert_uint_gt(searched->wait, cached->wait);
	ck_assert_uint_gt(searched->wait_max, 0);
	ck_assert_uint_le(searched->wait_max, searched->wait);
	/* Every call is inside the lock or waits for it. */
	ck_assert_uint_eq(st->iova_alloc_time + st->iova_free_time,
			  searched->wait + searched->hold +
			      2 * 8 * ROUNDS * large.r.m->sim.cost[COST_IOVA_RANGE]);
	rig_free(&small.r);
	rig_free(&large.r);
}
END_TEST

START_TEST(lazy_timer_fires_on_a_busy_machine)
{
	struct bench r;

	run(&r, IOMMU_LAZY, FIDELITY_TIMING, 4, 1);
	sim_run(&r.r.m->sim);
	ck_assert_uint_eq(r.r.m->dma_stats.fq_timeouts, 1);
	ck_assert_uint_eq(r.r.m->dma_stats.fq_entries, 4 * ROUNDS);
	ck_assert_uint_eq(r.r.m->dma_stats.iova_frees, 4 * ROUNDS);
	rig_free(&r.r);
}
END_TEST

START_TEST(many_cpus_fill_the_invalidation_queue)
{
	struct bench r;

	/* 64 CPUs with two slots each and two to keep free still fit; nothing may be lost or hang. */
	run(&r, IOMMU_STRICT, FIDELITY_TIMING, 64, 1);
	sim_run(&r.r.m->sim);
	ck_assert_uint_eq(r.r.m->dma_stats.iotlb_syncs, 64 * ROUNDS);
	ck_assert_uint_eq(r.r.m->vtd_stats.qi_wait, 64 * ROUNDS);
	rig_free(&r.r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("timing");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, one_cpu_counts_are_equal, IOMMU_LAZY, IOMMU_STRICT + 1);
	tcase_add_test(t, strict_unmap_waits_for_the_hardware);
	tcase_add_test(t, queue_serialises_many_cpus);
	tcase_add_test(t, cache_lock_serialises_a_domain);
	tcase_add_test(t, tree_lock_is_contended_by_large_ranges);
	tcase_add_test(t, lazy_timer_fires_on_a_busy_machine);
	tcase_add_test(t, many_cpus_fill_the_invalidation_queue);
	return test_run("dma_timing", t, NULL);
}
