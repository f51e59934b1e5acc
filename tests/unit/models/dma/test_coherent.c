/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Coherent memory. */
#include "dma_rig.h"
#include "models/dma/iommu.h"

START_TEST(strict_maps_the_runs_of_its_pages)
{
	static const char *const set[] = {"memory.fragmentation", "1", NULL};
	struct rig r = rig_new_with(IOMMU_STRICT, _i, set);
	struct dma_stats *st = &r.m->dma_stats;
	struct iommu_domain *d = r.dev->domain;
	dma_addr_t handle;
	phys_addr_t phys = dma_alloc_coherent(r.dev, 16384, &handle), last = 0;
	unsigned runs = 0;

	ck_assert_uint_ne(phys, 0);
	ck_assert_uint_eq(st->iova_allocs, 1);
	ck_assert_uint_eq(st->iova_pages_allocated, 4);
	ck_assert_uint_eq(st->sync_maps, 1);
	ck_assert_uint_eq(iommu_iova_to_phys(d, handle), phys);
	for (unsigned i = 0; i < 4; i++) {
		phys_addr_t p = dma_coherent_phys(r.dev, phys, handle, i * 4096);

		runs += p != last + 4096;
		last = p;
	}
	ck_assert_uint_eq(st->iommu_map_ops, runs);
	dma_free_coherent(r.dev, 16384, phys, handle);
	ck_assert_uint_eq(st->iommu_unmap_ops, 1);
	ck_assert_uint_eq(st->iotlb_syncs, 1);
	ck_assert_uint_eq(st->iova_frees, 1);
	ck_assert_uint_eq(iommu_iova_to_phys(d, handle), 0);
	rig_free(&r);
}
END_TEST

START_TEST(lazy_frees_through_the_queue)
{
	struct rig r = rig_new(IOMMU_LAZY, KERNEL_6_12);
	dma_addr_t handle;
	phys_addr_t phys = dma_alloc_coherent(r.dev, 5000, &handle);

	dma_free_coherent(r.dev, 5000, phys, handle);
	ck_assert_uint_eq(r.m->dma_stats.fq_entries, 1);
	ck_assert_uint_eq(r.m->dma_stats.iotlb_syncs, 0);
	rig_free(&r);
}
END_TEST

START_TEST(large_areas_use_large_pages)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	dma_addr_t handle;
	phys_addr_t phys = dma_alloc_coherent(r.dev, 4 * MIB + 8192, &handle);

	/* Two blocks of 2 MiB as large leaves, two single pages. */
	ck_assert_uint_ne(phys, 0);
	ck_assert_uint_eq(r.m->dma_stats.ptes_written, 4);
	dma_free_coherent(r.dev, 4 * MIB + 8192, phys, handle);
	phys = dma_alloc_attrs(r.dev, 4 * MIB, &handle, DMA_ATTR_ALLOC_SINGLE_PAGES);
	ck_assert_uint_ne(phys, 0);
	dma_free_attrs(r.dev, 4 * MIB, phys, handle, DMA_ATTR_ALLOC_SINGLE_PAGES);
	ck_assert_uint_eq(dma_alloc_coherent(r.dev, 0, &handle), 0);
	rig_free(&r);
}
END_TEST

START_TEST(contiguous_when_asked)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_7_0);
	dma_addr_t handle;
	phys_addr_t phys = dma_alloc_attrs(r.dev, 5 * 4096, &handle, DMA_ATTR_FORCE_CONTIGUOUS);

	ck_assert_uint_eq(r.m->dma_stats.iommu_map_ops, 1);
	ck_assert_uint_eq(dma_coherent_phys(r.dev, phys, handle, 4 * 4096), phys + 4 * 4096);
	dma_free_attrs(r.dev, 5 * 4096, phys, handle, DMA_ATTR_FORCE_CONTIGUOUS);
	rig_free(&r);
}
END_TEST

START_TEST(direct_is_contiguous)
{
	struct rig r = rig_new(_i, KERNEL_7_0);
	dma_addr_t handle;
	phys_addr_t phys;

	ck_assert_int_eq(dma_set_mask(r.dev, UINT64_MAX), 0);
	phys = dma_alloc_coherent(r.dev, 12288, &handle);
	ck_assert_uint_ne(phys, 0);
	ck_assert_uint_eq(handle, phys);
	ck_assert_uint_eq(dma_coherent_phys(r.dev, phys, handle, 8192), phys + 8192);
	dma_free_coherent(r.dev, 12288, phys, handle);
	ck_assert_uint_eq(r.m->dma_stats.iommu_map_ops, 0);
	rig_free(&r);
}
END_TEST

START_TEST(unfreed_memory_goes_with_the_machine)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_7_0);
	dma_addr_t handle;

	ck_assert_uint_ne(dma_alloc_coherent(r.dev, 12288, &handle), 0);
	rig_free(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("coherent");

	tcase_add_loop_test(t, strict_maps_the_runs_of_its_pages, 0, KERNEL_VERSIONS);
	tcase_add_test(t, lazy_frees_through_the_queue);
	tcase_add_test(t, large_areas_use_large_pages);
	tcase_add_test(t, contiguous_when_asked);
	tcase_add_loop_test(t, direct_is_contiguous, IOMMU_OFF, IOMMU_PASSTHROUGH + 1);
	tcase_add_test(t, unfreed_memory_goes_with_the_machine);
	return test_run("coherent", t, NULL);
}
