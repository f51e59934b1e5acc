/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operation counts of both APIs as exact expectations: N segments of S pages each, physically apart,
 * caches warm, everything unmapped afterwards; all modes, all releases that have the API.
 */
#include "dma_rig.h"

enum api { MAP_PHYS, MAP_SG, LINK_DESTROY, LINK_UNLINK, APIS };

struct shape {
	enum api api;
	enum iommu_mode mode;
	enum kernel_version kernel;
	unsigned n, s;
};

static phys_addr_t segment(const struct shape *sh, unsigned i)
{
	return 0x10000000 + (phys_addr_t)i * (sh->s + 1) * PAGE_SIZE;
}

static void once_map_phys(struct rig *r, const struct shape *sh)
{
	size_t len = sh->s * PAGE_SIZE;
	dma_addr_t *a = g_new(dma_addr_t, sh->n);

	for (unsigned i = 0; i < sh->n; i++)
		a[i] = dma_map_phys(r->dev, segment(sh, i), len, DMA_TO_DEVICE, 0);
	for (unsigned i = 0; i < sh->n; i++)
		dma_unmap_phys(r->dev, a[i], len, DMA_TO_DEVICE, 0);
	g_free(a);
}

static void once_map_sg(struct rig *r, const struct shape *sh)
{
	struct scatterlist *sg;
	struct sg_table t;
	int i;

	ck_assert_int_eq(sg_alloc_table(&r->m->sim, &t, sh->n), 0);
	for_each_sg (t.sgl, sg, (int)sh->n, i)
		sg_set_phys(sg, segment(sh, (unsigned)i), sh->s * (uint32_t)PAGE_SIZE);
	ck_assert_int_eq(dma_map_sgtable(r->dev, &t, DMA_TO_DEVICE, 0), 0);
	ck_assert_uint_eq(t.nents, 1);
	dma_unmap_sgtable(r->dev, &t, DMA_TO_DEVICE, 0);
	sg_free_table(&r->m->sim, &t);
}

static void once_link(struct rig *r, const struct shape *sh)
{
	size_t len = sh->s * PAGE_SIZE;
	struct dma_iova_state s;

	ck_assert(dma_iova_try_alloc(r->dev, &s, 0, sh->n * len));
	for (unsigned i = 0; i < sh->n; i++)
		ck_assert_int_eq(dma_iova_link(r->dev, &s, segment(sh, i), i * len, len, DMA_TO_DEVICE, 0),
				 0);
	ck_assert_int_eq(dma_iova_sync(r->dev, &s, 0, sh->n * len), 0);
	if (sh->api == LINK_DESTROY) {
		dma_iova_destroy(r->dev, &s, sh->n * len, DMA_TO_DEVICE, 0);
		return;
	}
	for (unsigned i = 0; i < sh->n; i++)
		dma_iova_unlink(r->dev, &s, i * len, len, DMA_TO_DEVICE, 0);
	dma_iova_free(r->dev, &s);
}

static void once(struct rig *r, const struct shape *sh)
{
	if (sh->api == MAP_PHYS)
		once_map_phys(r, sh);
	else if (sh->api == MAP_SG)
		once_map_sg(r, sh);
	else
		once_link(r, sh);
}

#define EQ(member, want)                                                                                 \
	ck_assert_msg(st->member == (uint64_t)(want), "%s: %s N=%u S=%u api %d: %lu, want %lu", #member, \
		      iommu_mode_names[sh->mode], sh->n, sh->s, sh->api, (unsigned long)st->member,      \
		      (unsigned long)(want))

static void check_translated(const struct rig *r, const struct shape *sh)
{
	const struct dma_stats *st = &r->m->dma_stats;
	bool lazy = sh->mode == IOMMU_LAZY;
	bool destroyed = sh->api == LINK_DESTROY && kernel_profiles[sh->kernel].destroy_queues;
	bool queued = lazy && (destroyed || sh->api == MAP_PHYS || sh->api == MAP_SG);
	unsigned n = sh->n, per_seg = sh->api == MAP_PHYS ? n : 1;
	unsigned unmaps = sh->api == LINK_UNLINK ? n : per_seg;
	unsigned ranges = per_seg;
	bool cached = (sh->api == MAP_PHYS ? sh->s : n * sh->s) <= 32;

	EQ(iova_allocs, ranges);
	EQ(iova_pages_allocated, n * sh->s);
	EQ(rcache_hits, cached ? ranges : 0);
	EQ(tree_allocs, cached ? 0 : ranges);
	EQ(iommu_map_ops, n);
	EQ(ptes_written, n * sh->s);
	EQ(sync_maps, per_seg);
	EQ(walks_software, sh->api == MAP_PHYS ? n : 0);
	EQ(iommu_unmap_ops, unmaps);
	EQ(ptes_cleared, n * sh->s);
	EQ(iotlb_syncs, queued ? 0 : unmaps);
	EQ(fq_entries, queued ? ranges : 0);
	EQ(iova_frees, queued ? 0 : ranges);
	EQ(flush_all, 0);
	/* Indirect calls: map_nosync and sync_map; look-up, unmap and sync. */
	EQ(indirect_calls, n + per_seg + (sh->api == MAP_PHYS ? n : 0) + unmaps + (queued ? 0 : unmaps));
	ck_assert_uint_eq(r->m->vtd_stats.qi_iotlb_page, queued ? 0 : unmaps);
	ck_assert_uint_eq(r->m->vtd_stats.qi_wait, queued ? 0 : unmaps);
}

static void check_direct(const struct rig *r, const struct shape *sh)
{
	const struct dma_stats *st = &r->m->dma_stats;

	EQ(iova_allocs, 0);
	EQ(iommu_map_ops, 0);
	EQ(ptes_written, 0);
	EQ(iommu_unmap_ops, 0);
	EQ(walks_software, 0);
	EQ(fq_entries, 0);
	EQ(indirect_calls, 0);
	EQ(swiotlb_bounces, 0);
	ck_assert_uint_eq(r->m->vtd_stats.qi_total, 0);
}

static void clear(struct rig *r)
{
	struct dma_stats old = r->m->dma_stats;

	r->m->dma_stats = (struct dma_stats){
	    .map_size = old.map_size, .unmap_size = old.unmap_size, .iova_pages = old.iova_pages};
	r->m->vtd_stats = (struct vtd_stats){.page_span = r->m->vtd_stats.page_span};
}

static void run_shape(const struct shape *sh)
{
	struct rig r = rig_new(sh->mode, sh->kernel);
	bool translated = sh->mode == IOMMU_LAZY || sh->mode == IOMMU_STRICT;

	r.dev->max_segment_size = UINT32_MAX;
	once(&r, sh);
	sim_run(&r.m->sim); /* the flush-queue timer returns the ranges to the cache */
	clear(&r);
	once(&r, sh);
	if (translated)
		check_translated(&r, sh);
	else
		check_direct(&r, sh);
	rig_free(&r);
}

START_TEST(translated)
{
	static const unsigned ns[] = {1, 2, 7, 32}, ss[] = {1, 3, 8};

	for (enum kernel_version k = 0; k < KERNEL_VERSIONS; k++)
		for (enum iommu_mode mode = IOMMU_LAZY; mode <= IOMMU_STRICT; mode++)
			for (unsigned n = 0; n < G_N_ELEMENTS(ns); n++)
				for (unsigned s = 0; s < G_N_ELEMENTS(ss); s++)
					if (_i < LINK_DESTROY || kernel_profiles[k].has_iova_api)
						run_shape(
						    &(struct shape){(enum api)_i, mode, k, ns[n], ss[s]});
}
END_TEST

START_TEST(direct)
{
	for (enum iommu_mode mode = IOMMU_OFF; mode <= IOMMU_PASSTHROUGH; mode++)
		for (unsigned s = 1; s < 9; s += 7)
			run_shape(&(struct shape){MAP_PHYS, mode, KERNEL_7_0, 16, s});
}
END_TEST

START_TEST(lazy_flush_every_255)
{
	struct rig r = rig_new(IOMMU_LAZY, KERNEL_7_0);
	struct shape sh = {(enum api)_i, IOMMU_LAZY, KERNEL_7_0, 5, 2};
	unsigned rounds = 255 * 4, entries = _i == MAP_PHYS ? 5 : 1;

	r.dev->max_segment_size = UINT32_MAX;
	for (unsigned i = 0; i < rounds + 1; i++)
		once(&r, &sh);
	ck_assert_uint_eq(r.m->dma_stats.flush_all, ((rounds + 1) * entries - 1) / 255);
	rig_free(&r);
}
END_TEST

START_TEST(swiotlb_forced)
{
	static const char *const set[] = {"swiotlb.force", "true", NULL};
	static const enum dma_data_direction dirs[] = {DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL};
	struct rig r = rig_new_with(IOMMU_PASSTHROUGH, KERNEL_7_0, set);
	enum dma_data_direction dir = dirs[_i];
	const struct dma_stats *st = &r.m->dma_stats;
	dma_addr_t a[8];

	for (unsigned i = 0; i < 8; i++) {
		a[i] = dma_map_phys(r.dev, 0x10000000 + i * 0x4000, 0x3000, dir, 0);
		ck_assert_uint_ne(a[i], DMA_MAPPING_ERROR);
	}
	ck_assert_uint_eq(st->swiotlb_bounces, 8);
	ck_assert_uint_eq(st->swiotlb_slots_used, 8 * 2 * 3);
	ck_assert_uint_eq(st->swiotlb_bytes_copied, 8 * 0x3000);
	ck_assert(dma_need_unmap(r.dev));
	for (unsigned i = 0; i < 8; i++)
		dma_unmap_phys(r.dev, a[i], 0x3000, dir, 0);
	ck_assert_uint_eq(st->swiotlb_bytes_copied, (dir == DMA_TO_DEVICE ? 1 : 2) * 8 * 0x3000);
	ck_assert_uint_eq(st->swiotlb_slots_used, 0);
	ck_assert_uint_eq(st->iommu_map_ops, 0);
	rig_free(&r);
}
END_TEST

START_TEST(force_is_ignored_behind_an_iommu)
{
	static const char *const set[] = {"swiotlb.force", "true", NULL};
	struct rig r = rig_new_with(IOMMU_STRICT, KERNEL_7_0, set);

	once_map_phys(&r, &(struct shape){MAP_PHYS, IOMMU_STRICT, KERNEL_7_0, 4, 1});
	ck_assert_uint_eq(r.m->dma_stats.swiotlb_bounces, 0);
	rig_free(&r);
}
END_TEST

START_TEST(untrusted_unaligned)
{
	const unsigned n = 6, pages = 2;
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_7_0);
	const struct dma_stats *st = &r.m->dma_stats;
	size_t total = n * pages * PAGE_SIZE - 0x400, at = 0;
	struct dma_iova_state s;
	dma_addr_t a[6];

	dma_layer_detach(r.dev);
	r.dev->untrusted = true;
	ck_assert_int_eq(dma_layer_attach(r.m->dma, r.dev), 0);
	r.dev->min_align_mask = 4095;
	for (unsigned i = 0; i < n; i++)
		a[i] = dma_map_phys(r.dev, 0x10000200 + i * 0x4000, 0x1c00, DMA_TO_DEVICE, 0);
	ck_assert_uint_eq(st->swiotlb_bounces, n);
	ck_assert_uint_eq(st->swiotlb_bytes_copied, n * 0x1c00);
	for (unsigned i = 0; i < n; i++)
		dma_unmap_phys(r.dev, a[i], 0x1c00, DMA_TO_DEVICE, 0);
	clear(&r);
	/* Linked, only the first and the last piece can end inside a page: two bounces below 4096 bytes. */
	ck_assert(dma_iova_try_alloc(r.dev, &s, 0x200, total));
	for (unsigned i = 0; i < n; i++) {
		phys_addr_t phys = 0x10000000 + i * 0x4000 + (i ? 0 : 0x200);
		size_t len = pages * PAGE_SIZE - (i ? 0 : 0x200) - (i + 1 < n ? 0 : 0x200);

		ck_assert_int_eq(dma_iova_link(r.dev, &s, phys, at, len, DMA_TO_DEVICE, 0), 0);
		at += len;
	}
	ck_assert_uint_eq(at, total);
	ck_assert_uint_eq(st->swiotlb_bounces, 2);
	ck_assert_uint_eq(st->swiotlb_bytes_copied, 2 * (4096 - 0x200));
	dma_iova_destroy(r.dev, &s, total, DMA_TO_DEVICE, 0);
	ck_assert_uint_eq(st->walks_software, n * pages);
	rig_free(&r);
}
END_TEST

/* 132 KiB goes to the tree on every map and unmap, 128 KiB does not. */
START_TEST(largest_cached_range)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_7_0);
	const struct dma_stats *st = &r.m->dma_stats;

	for (unsigned i = 0; i < 10; i++)
		once_link(&r, &(struct shape){LINK_DESTROY, IOMMU_STRICT, KERNEL_7_0, 32, 1});
	ck_assert_uint_eq(st->tree_allocs, 1);
	ck_assert_uint_eq(st->tree_frees, 0);
	for (unsigned i = 0; i < 10; i++)
		once_link(&r, &(struct shape){LINK_DESTROY, IOMMU_STRICT, KERNEL_7_0, 33, 1});
	ck_assert_uint_eq(st->tree_allocs, 11);
	ck_assert_uint_eq(st->tree_frees, 10);
	ck_assert_uint_eq(dma_opt_mapping_size(r.dev), 131072);
	rig_free(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("counts");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, translated, 0, APIS);
	tcase_add_test(t, direct);
	tcase_add_loop_test(t, lazy_flush_every_255, 0, LINK_UNLINK);
	tcase_add_loop_test(t, swiotlb_forced, 0, 3);
	tcase_add_test(t, force_is_ignored_behind_an_iommu);
	tcase_add_test(t, untrusted_unaligned);
	tcase_add_test(t, largest_cached_range);
	return test_run("op_counts", t, NULL);
}
