/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worked example of an API in one file: maps each page once, never invalidates, leaves nothing behind. */
#include "nvme_support.h"

#define ROUNDS 50u

static void submit(struct nvme_rig *rig, const struct trace_segment *s)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		nvme_rig_submit(rig, NVME_OP_WRITE, i * 64 * KIB, 32 * KIB, s, 8);
		nvme_rig_submit(rig, NVME_OP_READ, i * 64 * KIB, 32 * KIB, s, 8);
	}
	nvme_rig_finish(rig);
}

START_TEST(pages_are_mapped_once)
{
	bool translated = _i >= IOMMU_LAZY;
	struct nvme_rig rig = nvme_rig_new("premapped", (enum iommu_mode)_i, KERNEL_7_0, FIDELITY_COUNTS,
					   "nvme.pattern=true", "nvme.queue_depth=1", NULL);
	struct trace_segment s[8];

	nvme_rig_scattered(&rig, s, 8);
	submit(&rig, s);
	ck_assert_uint_eq(rig.m->io.completed, 2 * ROUNDS);
	ck_assert_uint_eq(nvme_rig_stats(&rig)->mismatches + nvme_rig_stats(&rig)->drive.mismatches, 0);
	ck_assert_uint_eq(rig.m->dma_stats.map_page_calls, 8);
	ck_assert_uint_eq(rig.m->dma_stats.iova_allocs, translated ? 8 : 0);
	ck_assert_uint_eq(rig.m->dma_stats.iommu_unmap_ops, 0);
	ck_assert_uint_eq(rig.m->vtd_stats.qi_total, 0);
	ck_assert_uint_eq(rig.m->sim.ledger.accounts[LEDGER_DRIVER_REGISTRATIONS].current, 8 * 16);
	nvme_workload.destroy(rig.workload);
	ck_assert_uint_eq(rig.m->sim.ledger.accounts[LEDGER_DRIVER_REGISTRATIONS].current, 0);
	machine_free(rig.m);
	config_free(rig.config);
}
END_TEST

/* Bounced pages are copied both ways at each use, although they stay mapped. */
START_TEST(bounce_buffers_are_synchronised)
{
	struct nvme_rig rig = nvme_rig_new("premapped", IOMMU_PASSTHROUGH, KERNEL_7_0, FIDELITY_COUNTS,
					   "nvme.pattern=true", "nvme.queue_depth=1", "swiotlb.force=true",
					   NULL);
	struct trace_segment s[8];

	nvme_rig_scattered(&rig, s, 8);
	submit(&rig, s);
	ck_assert_uint_eq(rig.m->dma_stats.swiotlb_bounces, 8);
	ck_assert_uint_ge(rig.m->dma_stats.swiotlb_bytes_copied, 2 * ROUNDS * 32 * KIB);
	ck_assert_uint_eq(nvme_rig_stats(&rig)->mismatches + nvme_rig_stats(&rig)->drive.mismatches, 0);
	nvme_rig_free(&rig);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("premapped");

	tcase_add_loop_test(t, pages_are_mapped_once, 0, IOMMU_MODES);
	tcase_add_test(t, bounce_buffers_are_synchronised);
	return test_run("premapped", t, NULL);
}
