/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dma_rig.h"

START_TEST(strict_single_mapping_counts)
{
	struct rig r = rig_new(IOMMU_STRICT, _i);
	struct dma_stats *st = &r.m->dma_stats;
	dma_addr_t a = dma_map_page(r.dev, 0x12345000, 0x10, 0x100, DMA_TO_DEVICE);

	ck_assert_uint_eq(a, 0xfffff010);
	ck_assert_uint_eq(st->iommu_map_ops, 1);
	ck_assert_uint_eq(st->ptes_written, 1);
	dma_unmap_page(r.dev, a, 0x100, DMA_TO_DEVICE);
	ck_assert_uint_eq(st->iommu_unmap_ops, 1);
	ck_assert_uint_eq(st->iotlb_syncs, 1);
	ck_assert_uint_eq(r.m->vtd_stats.qi_iotlb_page, 1);
	ck_assert_uint_eq(r.m->vtd_stats.qi_wait, 1);
	ck_assert_uint_eq(st->iova_frees, 1);
	rig_free(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("single");

	tcase_add_loop_test(t, strict_single_mapping_counts, 0, KERNEL_VERSIONS);
	return test_run("dma_iommu", t, NULL);
}
