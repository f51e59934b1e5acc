/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operation counts of the RDMA read/write API (consumers' reference D.1 and F.5, expectation 12). */
#include "support.h"
#include "workload_rig.h"

#define REQUESTS 100

static void run(struct workload_rig *r, const char *api, enum iommu_mode mode, const char *const *settings)
{
	workload_rig_open(r, "rdma_rw", api, mode, FIDELITY_COUNTS);
	workload_rig_set(r, "rdma_rw.requests", "100");
	workload_rig_set(r, "rdma_rw.depth", "4");
	for (; settings && *settings; settings += 2)
		workload_rig_set(r, settings[0], settings[1]);
	workload_rig_run(r);
}

static void identities(const struct workload_rig *r)
{
	const struct dma_stats *st = &r->m->dma_stats;

	ck_assert_uint_eq(st->iova_pages_allocated, st->iova_pages_freed);
	ck_assert_uint_eq(st->iommu_map_bytes, st->iommu_unmap_bytes);
	for (unsigned a = 0; a < LEDGER_TOTAL; a++)
		if (ledger_per_request(a))
			ck_assert_uint_eq(r->m->sim.ledger.accounts[a].current, 0);
}

/* 64 vectors of a page: expectation 12. */
START_TEST(counts_behind_an_iommu)
{
	struct workload_rig r;
	const struct dma_stats *st;

	run(&r, "link", IOMMU_STRICT, NULL);
	st = &r.m->dma_stats;
	ck_assert_uint_eq(r.m->io.completed, REQUESTS);
	ck_assert_uint_eq(st->iova_allocs, REQUESTS);
	ck_assert_uint_eq(st->link_calls, 64 * REQUESTS);
	ck_assert_uint_eq(st->sync_maps, REQUESTS);
	ck_assert_uint_eq(st->iommu_unmap_ops, REQUESTS);
	ck_assert_uint_eq(st->iotlb_syncs, REQUESTS);
	ck_assert_uint_eq(workload_rig_stat(&r, "rdma_rw.iova"), REQUESTS);
	ck_assert_uint_eq(workload_rig_stat(&r, "rdma_rw.work_requests"), REQUESTS);
	ck_assert_uint_eq(workload_rig_stat(&r, "rdma_rw.sges"), REQUESTS);
	identities(&r);
	workload_rig_close(&r);

	run(&r, "legacy", IOMMU_STRICT, NULL);
	st = &r.m->dma_stats;
	ck_assert_uint_eq(st->map_sg_calls, REQUESTS);
	ck_assert_uint_eq(st->iova_allocs, REQUESTS);
	ck_assert_uint_eq(st->sync_maps, REQUESTS);
	ck_assert_uint_eq(st->iotlb_syncs, REQUESTS);
	/* 64 entries of 32 bytes per transfer under way, on two CPUs. */
	ck_assert_uint_le(r.m->sim.ledger.accounts[LEDGER_SG_TABLES].peak, 2 * 4 * 2048);
	ck_assert_uint_ge(r.m->sim.ledger.accounts[LEDGER_SG_TABLES].peak, 4 * 2048);
	identities(&r);
	workload_rig_close(&r);

	/* Lazy: one entry of the flush queue each. */
	run(&r, "link", IOMMU_LAZY, NULL);
	ck_assert_uint_eq(r.m->dma_stats.fq_entries, REQUESTS);
	ck_assert_uint_eq(r.m->dma_stats.iotlb_syncs, 0);
	workload_rig_close(&r);
}
END_TEST

/* Without a range: a mapping per vector, ceil(n / max_sge) work requests. */
START_TEST(counts_without_translation)
{
	struct workload_rig r;

	run(&r, "link", IOMMU_OFF, NULL);
	ck_assert_uint_eq(workload_rig_stat(&r, "rdma_rw.multi"), REQUESTS);
	ck_assert_uint_eq(workload_rig_stat(&r, "rdma_rw.work_requests"), 3 * REQUESTS); /* 64 / 30 */
	ck_assert_uint_eq(workload_rig_stat(&r, "rdma_rw.sges"), 64 * REQUESTS);
	ck_assert_uint_eq(r.m->dma_stats.map_phys_calls, 64 * REQUESTS);
	ck_assert_uint_eq(r.m->dma_stats.unmap_phys_calls, 64 * REQUESTS);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, 0);
	identities(&r);
	workload_rig_close(&r);
}
END_TEST

START_TEST(one_vector)
{
	static const char *const settings[] = {"rdma_rw.vectors", "1", NULL};

	for (unsigned i = 0; i < 2; i++) {
		struct workload_rig r;

		run(&r, i ? "link" : "legacy", IOMMU_STRICT, settings);
		ck_assert_uint_eq(workload_rig_stat(&r, "rdma_rw.single"), REQUESTS);
		ck_assert_uint_eq(r.m->dma_stats.map_phys_calls, i ? REQUESTS : 0);
		ck_assert_uint_eq(r.m->dma_stats.map_sg_calls, i ? 0 : REQUESTS);
		ck_assert_uint_eq(r.m->dma_stats.iova_allocs, REQUESTS);
		ck_assert_uint_eq(r.m->dma_stats.iotlb_syncs, REQUESTS);
		workload_rig_close(&r);
	}
}
END_TEST

/* A vector inside a page fails the transfer on the range path: no way back; the list takes it. */
START_TEST(unaligned_vectors)
{
	static const char *const gap[] = {"rdma_rw.gap", "512", "rdma_rw.vec_bytes", "2KiB", NULL};
	static const char *const first[] = {
	    "rdma_rw.offset", "512", "rdma_rw.vec_bytes", "3584", "rdma_rw.vectors", "1", NULL};
	struct workload_rig r;

	run(&r, "link", IOMMU_STRICT, gap);
	ck_assert_uint_eq(r.m->io.failed, REQUESTS);
	ck_assert_uint_eq(r.m->io.completed, 0);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, r.m->dma_stats.iova_frees);
	/* Undoing frees the pages of what was linked, not of what was allocated (core reference 3.28). */
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_allocated, 32 * REQUESTS);
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_freed, REQUESTS);
	workload_rig_close(&r);
	run(&r, "legacy", IOMMU_STRICT, gap);
	ck_assert_uint_eq(r.m->io.completed, REQUESTS);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, REQUESTS);
	workload_rig_close(&r);
	run(&r, "link", IOMMU_STRICT, first);
	ck_assert_uint_eq(r.m->io.failed, 0);
	workload_rig_close(&r);
	/* Not translated: nothing to be aligned for. */
	run(&r, "link", IOMMU_PASSTHROUGH, gap);
	ck_assert_uint_eq(r.m->io.completed, REQUESTS);
	workload_rig_close(&r);
}
END_TEST

/* iWARP READs and forced registration keep a list, also in the new API. */
START_TEST(registration)
{
	static const char *const forced[] = {"rdma_rw.force_mr", "true", NULL};
	static const char *const iwarp[] = {"rdma_rw.iwarp", "true", "rdma_rw.read_share", "1", NULL};
	static const char *const writes[] = {"rdma_rw.iwarp", "true", "rdma_rw.read_share", "0", NULL};
	static const char *const limit[] = {"rdma_rw.max_sgl_rd", "1", "rdma_rw.read_share", "1", NULL};
	struct workload_rig r;

	run(&r, "link", IOMMU_STRICT, forced);
	ck_assert_uint_eq(workload_rig_stat(&r, "rdma_rw.mr"), REQUESTS);
	ck_assert_uint_eq(r.m->dma_stats.map_sg_calls, REQUESTS);
	identities(&r);
	workload_rig_close(&r);
	run(&r, "link", IOMMU_STRICT, iwarp);
	ck_assert_uint_eq(workload_rig_stat(&r, "rdma_rw.mr"), REQUESTS);
	workload_rig_close(&r);
	run(&r, "link", IOMMU_STRICT, writes);
	ck_assert_uint_eq(workload_rig_stat(&r, "rdma_rw.mr"), 0);
	workload_rig_close(&r);
	run(&r, "legacy", IOMMU_OFF, limit);
	ck_assert_uint_eq(workload_rig_stat(&r, "rdma_rw.mr"), REQUESTS);
	workload_rig_close(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("rdma_rw");

	tcase_add_test(t, counts_behind_an_iommu);
	tcase_add_test(t, counts_without_translation);
	tcase_add_test(t, one_vector);
	tcase_add_test(t, unaligned_vectors);
	tcase_add_test(t, registration);
	return test_run("rdma_rw", t, NULL);
}
