/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operation counts of the RDMA read/write API. */
#include "nowhere_api.h"
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
	/* Undoing frees the pages of what was linked, not of what was allocated. */
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

/* One transfer at a time: both fidelities count the same. */
START_TEST(fidelities_agree)
{
	for (unsigned i = 0; i < 2; i++) {
		struct workload_rig r[2];

		for (unsigned k = 0; k < 2; k++) {
			workload_rig_open(&r[k], "rdma_rw", i ? "link" : "legacy", IOMMU_STRICT,
					  k ? FIDELITY_TIMING : FIDELITY_COUNTS);
			workload_rig_set(&r[k], "rdma_rw.requests", "200");
			workload_rig_set(&r[k], "rdma_rw.depth", "1");
			workload_rig_set(&r[k], "cpu.count", "1");
			workload_rig_run(&r[k]);
		}
		ck_assert_uint_eq(r[0].m->io.completed, r[1].m->io.completed);
		ck_assert_uint_eq(r[0].m->dma_stats.iova_allocs, r[1].m->dma_stats.iova_allocs);
		ck_assert_uint_eq(r[0].m->dma_stats.ptes_written, r[1].m->dma_stats.ptes_written);
		ck_assert_uint_eq(r[0].m->dma_stats.iommu_map_ops, r[1].m->dma_stats.iommu_map_ops);
		ck_assert_uint_eq(r[0].m->vtd_stats.iotlb_lookups, r[1].m->vtd_stats.iotlb_lookups);
		ck_assert_uint_eq(r[0].m->vtd_stats.iotlb_misses, r[1].m->vtd_stats.iotlb_misses);
		ck_assert_uint_eq(r[0].m->vtd_stats.qi_total, r[1].m->vtd_stats.qi_total);
		ck_assert_uint_eq(r[0].m->pcie_stats.tlps_read, r[1].m->pcie_stats.tlps_read);
		ck_assert_uint_gt(r[1].m->io.last, r[1].m->io.first);
		workload_rig_close(&r[0]);
		workload_rig_close(&r[1]);
	}
}
END_TEST

/* Work that fails is counted as failed, in neither fidelity as done; the first reason is kept. */
START_TEST(failed_work)
{
	struct workload_rig r;

	for (unsigned i = 0; i < 4; i++) {
		bool refused = i & 1;

		workload_rig_open(&r, "rdma_rw", "legacy", IOMMU_STRICT,
				  i & 2 ? FIDELITY_TIMING : FIDELITY_COUNTS);
		workload_rig_set(&r, "rdma_rw.requests", "50");
		r.api = refused ? &refuse_api : &nowhere_api;
		workload_rig_run(&r);
		ck_assert_uint_eq(r.m->io.completed, 0);
		ck_assert_uint_eq(r.m->io.bytes, 0);
		ck_assert_uint_eq(r.m->io.failed, 50);
		ck_assert_uint_eq(r.m->io.refused, refused ? 50 : 0);
		ck_assert_ptr_nonnull(
		    strstr(r.m->io.failure, refused ? "not today, 0000:" : "no translation for"));
		workload_rig_close(&r);
	}
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
	tcase_add_test(t, fidelities_agree);
	tcase_add_test(t, failed_work);
	return test_run("rdma_rw", t, NULL);
}
