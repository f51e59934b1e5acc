/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools of coherent blocks. */
#include "dma_rig.h"

START_TEST(blocks_ascend_and_are_reused_last_first)
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

START_TEST(blocks_respect_size_align_boundary)
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

START_TEST(large_blocks)
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

/* Random traffic: no two live blocks touch, each keeps the alignment, none crosses the boundary. */
START_TEST(live_blocks_never_overlap)
{
	enum { BLOCKS = 200, SIZE = 80, ALIGN = 32, BOUNDARY = 512 };
	struct rig r = rig_new(IOMMU_STRICT, _i);
	struct dma_pool *pool = dma_pool_create("traffic", r.dev, SIZE, ALIGN, BOUNDARY);
	phys_addr_t phys[BLOCKS] = {0};
	dma_addr_t dma[BLOCKS];
	struct rng rng;

	rng_init(&rng, test_seed(), "pool");
	for (unsigned round = 0; round < test_scale(3000); round++) {
		unsigned i = (unsigned)rng_below(&rng, BLOCKS);

		if (phys[i]) {
			dma_pool_free(pool, phys[i], dma[i]);
			phys[i] = 0;
			continue;
		}
		phys[i] = dma_pool_alloc(pool, &dma[i]);
		ck_assert_uint_ne(phys[i], 0);
		ck_assert_uint_eq(dma[i] % ALIGN, 0);
		ck_assert_uint_eq(dma[i] / BOUNDARY, (dma[i] + SIZE - 1) / BOUNDARY);
		for (unsigned k = 0; k < BLOCKS; k++)
			ck_assert(k == i || !phys[k] || dma[k] >= dma[i] + SIZE || dma[i] >= dma[k] + SIZE);
	}
	dma_pool_destroy(pool);
	ck_assert_uint_eq(r.m->dma_stats.coherent_frees, r.m->dma_stats.coherent_allocs);
	rig_free(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("pool");

	tcase_add_loop_test(t, blocks_ascend_and_are_reused_last_first, 0, KERNEL_VERSIONS);
	tcase_add_test(t, blocks_respect_size_align_boundary);
	tcase_add_loop_test(t, large_blocks, IOMMU_PASSTHROUGH, IOMMU_STRICT + 1);
	tcase_add_loop_test(t, live_blocks_never_overlap, 0, KERNEL_VERSIONS);
	return test_run("pool", t, NULL);
}
