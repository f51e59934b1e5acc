/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two-step IOVA API: checks, counts, bouncing of unaligned ends. */
#include "dma_rig.h"
#include "models/dma/iommu.h"

static struct rig untrusted_rig(uint32_t min_align_mask)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_7_1);

	dma_layer_detach(r.dev);
	r.dev->untrusted = true;
	ck_assert_int_eq(dma_layer_attach(r.m->dma, r.dev), 0);
	r.dev->min_align_mask = min_align_mask;
	return r;
}

START_TEST(try_alloc)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_7_0);
	struct dma_iova_state s = {1, 1};

	ck_assert(!dma_iova_try_alloc(r.dev, &s, 0, 0));
	ck_assert_uint_eq(s.addr | s.__size, 0);
	ck_assert(!dma_iova_try_alloc(r.dev, &s, 0, 1ull << 63));
	ck_assert(dma_iova_try_alloc(r.dev, &s, 0x123456789a00, 0x1000));
	ck_assert_uint_eq(s.addr & 0xfff, 0xa00);
	ck_assert_uint_eq(dma_iova_size(&s), 0x1000);
	/* 0xa00 + 0x1000 bytes need two pages. */
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_allocated, 2);
	ck_assert_uint_eq(r.m->dma_stats.ptes_written, 0);
	dma_iova_free(r.dev, &s);
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_freed, 2);
	ck_assert(dma_use_iova(&s)); /* not cleared */
	rig_free(&r);
}
END_TEST

START_TEST(no_iova_without_translation)
{
	struct rig r = rig_new(_i, KERNEL_7_0);
	struct dma_iova_state s;

	ck_assert(!dma_iova_try_alloc(r.dev, &s, 0, 4096));
	ck_assert(!dma_use_iova(&s));
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, 0);
	rig_free(&r);
}
END_TEST

START_TEST(link_checks)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_7_0);
	struct dma_iova_state s;

	ck_assert(dma_iova_try_alloc(r.dev, &s, 0, 0x4000));
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x10800, 0x1000, 0x800, DMA_TO_DEVICE, 0), -EIO);
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x10000, 0, 0x800, DMA_TO_DEVICE, 0), 0);
	/* The piece before ended inside a page: the next one cannot be mapped. */
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x20000, 0x800, 0x1000, DMA_TO_DEVICE, 0), -ENXIO);
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x20000, 0, 0x1000, DMA_TO_DEVICE, 0), -EADDRINUSE);
	r.dev->coherent = false;
	ck_assert_int_eq(
	    dma_iova_link(r.dev, &s, 0x20000, 0x1000, 0x1000, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT),
	    -EOPNOTSUPP);
	rig_free(&r);
}
END_TEST

START_TEST(one_map_per_link_one_sync)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_7_0);
	struct dma_stats *st = &r.m->dma_stats;
	struct dma_iova_state s;

	ck_assert(dma_iova_try_alloc(r.dev, &s, 0x10200, 0x2e00));
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x10200, 0, 0xe00, DMA_TO_DEVICE, 0), 0);
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x11000, 0xe00, 0x1000, DMA_TO_DEVICE, 0), 0);
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x30000, 0x1e00, 0x1000, DMA_TO_DEVICE, 0), 0);
	ck_assert_int_eq(dma_iova_sync(r.dev, &s, 0, 0x2e00), 0);
	/* Neighbours are not joined across links. */
	ck_assert_uint_eq(st->iommu_map_ops, 3);
	ck_assert_uint_eq(st->sync_maps, 1);
	ck_assert_uint_eq(st->overmapped_bytes, 0x200);
	ck_assert_uint_eq(iommu_iova_to_phys(r.dev->domain, s.addr), 0x10200);
	ck_assert_uint_eq(iommu_iova_to_phys(r.dev->domain, s.addr + 0x1e00), 0x30000);
	dma_iova_destroy(r.dev, &s, 0x2e00, DMA_TO_DEVICE, 0);
	ck_assert_uint_eq(st->iommu_unmap_ops, 1);
	ck_assert_uint_eq(st->iotlb_syncs, 1);
	ck_assert_uint_eq(st->iova_frees, 1);
	ck_assert_uint_eq(st->ptes_cleared, 3);
	ck_assert_uint_eq(st->walks_software, 2); /* the two look-ups of this test */
	rig_free(&r);
}
END_TEST

START_TEST(destroy_of_nothing_is_free)
{
	struct rig r = rig_new(IOMMU_LAZY, KERNEL_7_0);
	struct dma_iova_state s;

	ck_assert(dma_iova_try_alloc(r.dev, &s, 0, 0x4000));
	dma_iova_destroy(r.dev, &s, 0, DMA_TO_DEVICE, 0);
	ck_assert_uint_eq(r.m->dma_stats.iova_frees, 1);
	ck_assert_uint_eq(r.m->dma_stats.iommu_unmap_ops, 0);
	ck_assert_uint_eq(r.m->dma_stats.fq_entries, 0);
	rig_free(&r);
}
END_TEST

START_TEST(short_destroy_changes_class)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_7_0);
	struct iova_domain *d = &r.dev->domain->iovad;
	struct dma_iova_state s;
	uint64_t pfn;

	ck_assert(dma_iova_try_alloc(r.dev, &s, 0, 0x4000));
	pfn = s.addr >> PAGE_SHIFT;
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x10000, 0, 0x1000, DMA_TO_DEVICE, 0), 0);
	dma_iova_destroy(r.dev, &s, 0x1000, DMA_TO_DEVICE, 0);
	/* The pfn is in the class of one page, its range still spans four: no overlap can result. */
	ck_assert_uint_eq(alloc_iova_fast(d, 1, 0xfffff, true), pfn);
	ck_assert_uint_eq(find_iova(d, pfn)->pfn_hi, pfn + 3);
	ck_assert_uint_lt(alloc_iova_fast(d, 4, 0xfffff, true), pfn);
	rig_free(&r);
}
END_TEST

START_TEST(bounce_head_and_tail)
{
	struct rig r = untrusted_rig(4095);
	struct dma_stats *st = &r.m->dma_stats;
	struct dma_iova_state s;

	ck_assert(dma_iova_try_alloc(r.dev, &s, 0x100800, 0x1000));
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x100800, 0, 0x1000, DMA_FROM_DEVICE, 0), 0);
	ck_assert_uint_eq(st->swiotlb_bounces, 2);
	ck_assert_uint_eq(st->iommu_map_ops, 2);
	ck_assert_uint_eq(st->ptes_written, 2);
	ck_assert_uint_ne(s.__size & DMA_IOVA_USE_SWIOTLB, 0);
	ck_assert_uint_eq(dma_iova_size(&s), 0x1000);
	/* Slots go back before anything is unmapped, page by page. */
	dma_iova_destroy(r.dev, &s, 0x1000, DMA_FROM_DEVICE, 0);
	ck_assert_uint_eq(st->walks_software, 2);
	ck_assert_uint_eq(st->swiotlb_slots_used, 0);
	ck_assert_uint_eq(st->ptes_cleared, 2);
	rig_free(&r);
}
END_TEST

START_TEST(bounce_tail_only)
{
	struct rig r = untrusted_rig(0);
	struct dma_iova_state s;

	ck_assert(dma_iova_try_alloc(r.dev, &s, 0x100000, 0x200));
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x100000, 0, 0x200, DMA_TO_DEVICE, 0), 0);
	ck_assert_uint_eq(r.m->dma_stats.swiotlb_bounces, 1);
	rig_free(&r);
}
END_TEST

START_TEST(bounce_head_middle_tail_moves_data)
{
	struct rig r = untrusted_rig(4095);
	struct dma_stats *st = &r.m->dma_stats;
	phys_addr_t buf = memory_alloc_pages(r.m->memory, 0, 2);
	struct dma_iova_state s;
	char out[0x2400], in[0x2400];
	struct rng rng;

	rng_init(&rng, test_seed(), "bounce");
	for (unsigned i = 0; i < sizeof(out); i++)
		out[i] = (char)rng_u64(&rng);
	memory_write(r.m->memory, buf + 0xa00, out, sizeof(out));
	ck_assert(dma_iova_try_alloc(r.dev, &s, buf + 0xa00, sizeof(out)));
	ck_assert_int_eq(dma_iova_link(r.dev, &s, buf + 0xa00, 0, sizeof(out), DMA_BIDIRECTIONAL, 0), 0);
	ck_assert_uint_eq(st->iommu_map_ops, 3);
	ck_assert_uint_eq(st->swiotlb_bounces, 2);
	/* The device reads what the CPU wrote, at the addresses of the range, and writes it back inverted. */
	for (unsigned i = 0; i < sizeof(out); i++) {
		char *p = memory_ptr(r.m->memory, iommu_iova_to_phys(r.dev->domain, s.addr + i));

		ck_assert_int_eq(*p, out[i]);
		*p = ~*p;
	}
	dma_iova_destroy(r.dev, &s, sizeof(out), DMA_BIDIRECTIONAL, 0);
	memory_read(r.m->memory, buf + 0xa00, in, sizeof(in));
	for (unsigned i = 0; i < sizeof(out); i++)
		ck_assert_int_eq(in[i], (char)~out[i]);
	rig_free(&r);
}
END_TEST

START_TEST(bounce_needs_min_align_mask)
{
	struct rig r = untrusted_rig(0);
	struct dma_stats *st = &r.m->dma_stats;
	struct dma_iova_state s;

	ck_assert(dma_iova_try_alloc(r.dev, &s, 0x100800, 0x1000));
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x100800, 0, 0x1000, DMA_TO_DEVICE, 0), -ENXIO);
	ck_assert_uint_eq(st->swiotlb_slots_used, 0);
	rig_free(&r);
}
END_TEST

START_TEST(bounce_refusals)
{
	struct rig r = untrusted_rig(4095);
	struct dma_iova_state s;

	ck_assert(dma_iova_try_alloc(r.dev, &s, 0x100800, 0x1000));
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x100800, 0, 0x1000, DMA_TO_DEVICE, DMA_ATTR_MMIO), -EPERM);
	ck_assert_int_eq(
	    dma_iova_link(r.dev, &s, 0x100800, 0, 0x1000, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT), -EPERM);
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x100800, 0, 0x1000, DMA_TO_DEVICE, 0), 0);
	ck_assert_int_eq(
	    dma_iova_link(r.dev, &s, 0x100000, 0, 0x1000, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT),
	    -EOPNOTSUPP);
	rig_free(&r);
}
END_TEST

/*
 * The empty range is mapped from 6.16 to 7.0, which fails where the driver gets whole ranges (7.0), and in a
 * later release where the fact is switched back on.
 */
START_TEST(zero_middle_defect)
{
	static const char *const quirk[] = {"kernel.quirk_link_zero_middle", "true", NULL};
	static const char *const fact[] = {"kernel.facts", "link_zero_middle=no", NULL};
	static const struct {
		enum kernel_version kernel;
		const char *const *set;
		int ret;
	} cases[] = {{KERNEL_6_16, NULL, 0},
		     {KERNEL_7_0, NULL, -EINVAL},
		     {KERNEL_7_0, fact, 0},
		     {KERNEL_7_1, NULL, 0},
		     {KERNEL_7_3, quirk, -EINVAL}};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct rig r = rig_new_with(IOMMU_STRICT, cases[i].kernel, cases[i].set);
		struct dma_iova_state s;

		dma_layer_detach(r.dev);
		r.dev->untrusted = true;
		ck_assert_int_eq(dma_layer_attach(r.m->dma, r.dev), 0);
		r.dev->min_align_mask = 4095;
		ck_assert(dma_iova_try_alloc(r.dev, &s, 0x100800, 0x1000));
		ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x100800, 0, 0x1000, DMA_TO_DEVICE, 0),
				 cases[i].ret);
		if (cases[i].ret)
			ck_assert_uint_eq(r.m->dma_stats.swiotlb_slots_used, 0);
		rig_free(&r);
	}
}
END_TEST

/* Lazy mode: until 7.2 a destroyed range waits in the flush queue, from 7.3 on it is flushed at once. */
START_TEST(destroy_per_release)
{
	for (enum kernel_version k = KERNEL_6_16; k < KERNEL_VERSIONS; k++) {
		struct rig r = rig_new(IOMMU_LAZY, k);
		const struct dma_stats *st = &r.m->dma_stats;
		struct iova_domain *d = &r.dev->domain->iovad;
		bool queued = k < KERNEL_7_3;
		struct dma_iova_state s;
		uint64_t pfn;

		ck_assert(dma_iova_try_alloc(r.dev, &s, 0, 0x4000));
		pfn = s.addr >> PAGE_SHIFT;
		ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x10000, 0, 0x1000, DMA_TO_DEVICE, 0), 0);
		dma_iova_destroy(r.dev, &s, 0x1000, DMA_TO_DEVICE, 0);
		ck_assert_uint_eq(st->fq_entries, queued);
		ck_assert_uint_eq(st->iotlb_syncs, !queued);
		ck_assert_uint_eq(r.m->vtd_stats.qi_iotlb_page, !queued);
		/* What is told as mapped goes back, or the whole window: reused at once as what it was. */
		ck_assert_uint_eq(st->iova_pages_freed, queued ? 0 : 4);
		if (!queued)
			ck_assert_uint_eq(alloc_iova_fast(d, 4, 0xfffff, true), pfn);
		/* Nothing linked: the window goes back in any release, past the queue. */
		ck_assert(dma_iova_try_alloc(r.dev, &s, 0, 0x4000));
		dma_iova_destroy(r.dev, &s, 0, DMA_TO_DEVICE, 0);
		ck_assert_uint_eq(st->fq_entries, queued);
		ck_assert_uint_eq(st->iova_pages_freed, queued ? 4 : 8);
		rig_free(&r);
	}
}
END_TEST

START_TEST(unlink_flushes_and_keeps_the_iova)
{
	struct rig r = rig_new(_i, KERNEL_7_0);
	struct dma_stats *st = &r.m->dma_stats;
	struct dma_iova_state s;

	ck_assert(dma_iova_try_alloc(r.dev, &s, 0, 0x3000));
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(
		    dma_iova_link(r.dev, &s, 0x10000 + i * 0x4000, i * 0x1000, 0x1000, DMA_TO_DEVICE, 0), 0);
	for (unsigned i = 0; i < 3; i++)
		dma_iova_unlink(r.dev, &s, i * 0x1000, 0x1000, DMA_TO_DEVICE, 0);
	ck_assert_uint_eq(st->iommu_unmap_ops, 3);
	ck_assert_uint_eq(st->iotlb_syncs, 3);
	ck_assert_uint_eq(st->iova_frees, 0);
	ck_assert_uint_eq(st->fq_entries, 0);
	dma_iova_free(r.dev, &s);
	ck_assert_uint_eq(st->iova_frees, 1);
	rig_free(&r);
}
END_TEST

START_TEST(superpage_link)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_7_0);
	struct dma_iova_state s;

	ck_assert(dma_iova_try_alloc(r.dev, &s, 0, 4 * MIB));
	ck_assert_uint_eq(s.addr & (4 * MIB - 1), 0);
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x40000000, 0, 2 * MIB, DMA_TO_DEVICE, 0), 0);
	ck_assert_uint_eq(r.m->dma_stats.ptes_written, 1);
	ck_assert_int_eq(dma_iova_link(r.dev, &s, 0x40201000, 2 * MIB, 2 * MIB, DMA_TO_DEVICE, 0), 0);
	ck_assert_uint_eq(r.m->dma_stats.ptes_written, 1 + 512);
	rig_free(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("api"), *b = tcase_create("bounce");

	tcase_add_test(t, try_alloc);
	tcase_add_loop_test(t, no_iova_without_translation, IOMMU_OFF, IOMMU_PASSTHROUGH + 1);
	tcase_add_test(t, link_checks);
	tcase_add_test(t, one_map_per_link_one_sync);
	tcase_add_test(t, destroy_of_nothing_is_free);
	tcase_add_test(t, short_destroy_changes_class);
	tcase_add_loop_test(t, unlink_flushes_and_keeps_the_iova, IOMMU_LAZY, IOMMU_STRICT + 1);
	tcase_add_test(t, superpage_link);
	tcase_add_test(b, bounce_head_and_tail);
	tcase_add_test(b, bounce_tail_only);
	tcase_add_test(b, bounce_head_middle_tail_moves_data);
	tcase_add_test(b, bounce_needs_min_align_mask);
	tcase_add_test(b, bounce_refusals);
	tcase_add_test(b, zero_middle_defect);
	tcase_add_test(b, destroy_per_release);
	return test_run("dma_iova", t, b, NULL);
}
