/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Crypto requests: one list mapping per buffer, the old API only. */
#include "nowhere_api.h"
#include "support.h"
#include "workload_rig.h"

START_TEST(lists_per_request)
{
	static const char *const shares[] = {"0", "1", "0.5"};
	static const enum iommu_mode modes[] = {IOMMU_STRICT, IOMMU_LAZY, IOMMU_PASSTHROUGH, IOMMU_OFF};

	for (unsigned i = 0; i < 3; i++)
		for (unsigned m = 0; m < 4; m++) {
			const struct dma_stats *st;
			struct workload_rig r;
			uint64_t lists;

			workload_rig_open(&r, "crypto", "legacy", modes[m], FIDELITY_COUNTS);
			workload_rig_set(&r, "crypto.requests", "300");
			workload_rig_set(&r, "crypto.in_place", shares[i]);
			workload_rig_run(&r);
			st = &r.m->dma_stats;
			lists = 600 - workload_rig_stat(&r, "crypto.in_place");
			ck_assert_uint_eq(r.m->io.completed, 300);
			ck_assert_uint_eq(workload_rig_stat(&r, "crypto.lists"), lists);
			ck_assert_uint_eq(st->map_sg_calls, lists);
			ck_assert_uint_eq(st->unmap_sg_calls, lists);
			ck_assert_uint_eq(st->iova_allocs, m < 2 ? lists : 0);
			ck_assert_uint_eq(st->iotlb_syncs, m == 0 ? lists : 0);
			ck_assert_uint_eq(st->fq_entries, m == 1 ? lists : 0);
			ck_assert_uint_eq(r.m->sim.ledger.accounts[LEDGER_SG_TABLES].current, 0);
			workload_rig_close(&r);
		}
}
END_TEST

START_TEST(no_path_in_the_new_api)
{
	ck_assert_ptr_null(dma_api_path(dma_api_find("link"), WORKLOAD_CRYPTO));
}
END_TEST

/* Work that fails is counted as failed, in neither fidelity as done; the first reason is kept. */
START_TEST(failed_work)
{
	struct workload_rig r;

	for (unsigned i = 0; i < 4; i++) {
		bool refused = i & 1;

		workload_rig_open(&r, "crypto", "legacy", IOMMU_STRICT,
				  i & 2 ? FIDELITY_TIMING : FIDELITY_COUNTS);
		workload_rig_set(&r, "crypto.requests", "50");
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
	TCase *t = tcase_create("crypto");

	tcase_add_test(t, lists_per_request);
	tcase_add_test(t, no_path_in_the_new_api);
	tcase_add_test(t, failed_work);
	return test_run("crypto", t, NULL);
}
