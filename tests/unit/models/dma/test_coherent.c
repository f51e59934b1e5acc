/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Coherent memory and pools of it. */
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

/* ---- pools ---- */

START_TEST(pool_blocks_ascend_and_are_reused_last_first)
{
	struct rig r = rig_new(IOMMU_STRICT, _i);
	struct dma_pool *pool = dma_pool_create("prp list page", r.dev, 256, 256, 0);
	dma_addr_t dma[17];
	phys_addr_t phys[17];

	for (unsigned i = 0; i < 17; i++) {
		phys[i] = dma_pool_alloc(pool, &dma[i]);
		ck_assert_uint_ne(phys[i], 0);
		if (i && i < 16)
			ck_assert_uint_eq(dma[i], dma[i - 1] + 256);
	}
	ck_assert_uint_eq(r.m->dma_stats.coherent_allocs, 2);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, 2);
	dma_pool_free(pool, phys[3], dma[3]);
	dma_pool_free(pool, phys[16], dma[16]);
	dma_pool_free(pool, phys[5], dma[5]);
	if (r.m->kernel->pool_page_lists) {
		/* Before 6.3 the newest page that has a free block gives it. */
		ck_assert_uint_eq(dma_pool_alloc(pool, &dma[0]), phys[16]);
	} else {
		ck_assert_uint_eq(dma_pool_alloc(pool, &dma[0]), phys[5]);
		ck_assert_uint_eq(dma[0], dma[5]);
	}
	dma_pool_destroy(pool);
	ck_assert_uint_eq(r.m->dma_stats.coherent_frees, 2);
	rig_free(&r);
}
END_TEST

START_TEST(pool_blocks_respect_size_align_boundary)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_7_0);
	struct dma_pool *pool = dma_pool_create("odd", r.dev, 100, 16, 256);
	dma_addr_t dma[3];

	ck_assert_ptr_null(dma_pool_create("x", r.dev, 0, 8, 0));
	ck_assert_ptr_null(dma_pool_create("x", r.dev, 64, 24, 0));
	ck_assert_ptr_null(dma_pool_create("x", r.dev, 64, 8, 32));
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_ne(dma_pool_alloc(pool, &dma[i]), 0);
	ck_assert_uint_eq(dma[1], dma[0] + 112);
	ck_assert_uint_eq(dma[2], dma[0] + 256); /* the next one would cross the boundary */
	dma_pool_destroy(pool);
	rig_free(&r);
}
END_TEST

START_TEST(pool_of_large_blocks)
{
	struct rig r = rig_new(_i, KERNEL_7_0);
	struct dma_pool *pool;
	dma_addr_t dma[4];
	phys_addr_t phys[4];

	ck_assert_int_eq(dma_set_mask(r.dev, UINT64_MAX), 0);
	pool = dma_pool_create("large", r.dev, 6000, 4096, 0);
	for (unsigned i = 0; i < 4; i++) {
		phys[i] = dma_pool_alloc(pool, &dma[i]);
		ck_assert_uint_ne(phys[i], 0);
	}
	for (unsigned i = 0; i < 4; i++)
		dma_pool_free(pool, phys[i], dma[i]);
	ck_assert_uint_eq(dma_pool_alloc(pool, &dma[0]), phys[3]);
	dma_pool_destroy(pool);
	rig_free(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("coherent"), *p = tcase_create("pool");

	tcase_add_loop_test(t, strict_maps_the_runs_of_its_pages, 0, KERNEL_VERSIONS);
	tcase_add_test(t, lazy_frees_through_the_queue);
	tcase_add_test(t, large_areas_use_large_pages);
	tcase_add_test(t, contiguous_when_asked);
	tcase_add_loop_test(t, direct_is_contiguous, IOMMU_OFF, IOMMU_PASSTHROUGH + 1);
	tcase_add_test(t, unfreed_memory_goes_with_the_machine);
	tcase_add_loop_test(p, pool_blocks_ascend_and_are_reused_last_first, 0, KERNEL_VERSIONS);
	tcase_add_test(p, pool_blocks_respect_size_align_boundary);
	tcase_add_loop_test(p, pool_of_large_blocks, IOMMU_PASSTHROUGH, IOMMU_STRICT + 1);
	return test_run("coherent", t, p, NULL);
}
