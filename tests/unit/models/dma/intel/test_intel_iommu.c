/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Range-to-descriptor rule, descriptors per release, domain ids. VT-d rev 4.1 6.5.2. */
#include "dma_rig.h"
#include "models/dma/intel/internal.h"

START_TEST(psi_vectors)
{
	static const struct {
		dma_addr_t start, end;
		unsigned order;
		dma_addr_t base;
	} v[] = {
	    {0x3000, 0x4fff, 3, 0},
	    {0x4000, 0x4fff, 0, 0x4000},
	    {0x4000, 0x7fff, 2, 0x4000},
	    {0x5000, 0x7fff, 2, 0x4000},
	    {0x7000, 0x8fff, 4, 0},
	    {0x1ff000, 0x200fff, 10, 0},
	    {0xfffe0000, 0xffffffff, 5, 0xfffe0000},
	};
	dma_addr_t base;

	for (unsigned i = 0; i < G_N_ELEMENTS(v); i++) {
		ck_assert_uint_eq(calculate_psi_aligned_address(v[i].start, v[i].end, &base), v[i].order);
		ck_assert_uint_eq(base, v[i].base);
	}
}
END_TEST

/* The smallest aligned power of two that covers the range, found by trying. */
START_TEST(psi_covers_the_range_brute_force)
{
	struct rng rng;

	rng_init(&rng, test_seed(), "psi");
	for (uint64_t i = 0; i < test_scale(200000); i++) {
		dma_addr_t start = rng_below(&rng, 1ull << (1 + rng_below(&rng, 35))) << PAGE_SHIFT;
		dma_addr_t end = start + (rng_below(&rng, 1ull << rng_below(&rng, 20)) << PAGE_SHIFT) + 4095;
		unsigned order = 0, got;
		dma_addr_t base;

		while (start >> (PAGE_SHIFT + order) != end >> (PAGE_SHIFT + order))
			order++;
		got = calculate_psi_aligned_address(start, end, &base);
		ck_assert_uint_eq(got, order);
		ck_assert_uint_eq(base, start >> (PAGE_SHIFT + order) << (PAGE_SHIFT + order));
	}
}
END_TEST

struct log {
	struct qi_desc seen[64]; /* what the driver submits, as its trace event shows it */
	struct qi_desc done[64]; /* what the unit executes, waits included */
	unsigned nseen, ndone;
};

static void log_submit(void *arg, const struct qi_desc *desc)
{
	struct log *l = arg;

	l->seen[l->nseen++] = *desc;
}

static void log_execute(void *arg, const struct qi_desc *desc, sim_time_t when)
{
	struct log *l = arg;

	(void)when;
	l->done[l->ndone++] = *desc;
}

static struct dma_observer watch(struct rig *r, struct log *log)
{
	vtd_set_qi_observer(vtd_of(r->m->iommu), log_execute, log);
	return (struct dma_observer){.arg = log, .qi_submit = log_submit};
}

START_TEST(unmap_descriptors_per_release)
{
	struct rig r = rig_new(IOMMU_STRICT, _i);
	struct log log = {.nseen = 0};
	struct dma_observer o = watch(&r, &log);
	uint64_t ih = kernel_profiles[_i].ih_hint ? 0x40 : 0;
	dma_addr_t a;

	dma_layer_set_observer(r.dev->dma, &o);
	a = dma_map_page(r.dev, 0x1000000, 0, 0x5000, DMA_TO_DEVICE);
	dma_unmap_page(r.dev, a, 0x5000, DMA_TO_DEVICE);
	ck_assert_uint_eq(log.nseen, 1);
	/* Page-selective with both drains; five pages of an aligned range are covered by eight. */
	ck_assert_uint_eq(log.seen[0].qw0, (uint64_t)r.dev->domain->did << 16 | 0xf2);
	ck_assert_uint_eq(log.seen[0].qw1, a | ih | 3);
	ck_assert_uint_eq(log.ndone, 2);
	ck_assert_mem_eq(&log.done[0], &log.seen[0], sizeof(log.seen[0]));
	/* The wait writes "done" into its own status word. */
	ck_assert_uint_eq(log.done[1].qw0, 2ull << 32 | 1 << 5 | 5);
	rig_free(&r);
}
END_TEST

START_TEST(unaligned_base_of_6_1)
{
	struct rig r = rig_new(IOMMU_STRICT, _i);
	struct log log = {.nseen = 0};
	struct dma_observer o = watch(&r, &log);

	dma_layer_set_observer(r.dev->dma, &o);
	cache_tag_flush_range(r.dev->domain, 0x3000, 0x4fff, true);
	ck_assert_uint_eq(log.seen[0].qw1, (kernel_profiles[_i].psi_aligns_base ? 0 : 0x3000) |
					       (kernel_profiles[_i].ih_hint ? 0x40 : 0) | 3);
	rig_free(&r);
}
END_TEST

START_TEST(too_large_ranges_become_domain_selective)
{
	/* Maximum address-mask value 9: CAP bits 53:48. */
	static const char *const set[] = {"iommu.cap", "0xc9008c222f0606", NULL};
	struct rig r = rig_new_with(IOMMU_STRICT, KERNEL_6_12, set);
	struct log log = {.nseen = 0};
	struct dma_observer o = watch(&r, &log);

	ck_assert_uint_eq(vtd_caps(vtd_of(r.m->iommu))->mamv, 9);
	dma_layer_set_observer(r.dev->dma, &o);
	cache_tag_flush_range(r.dev->domain, 0x200000, 0x3fffff, true);
	cache_tag_flush_range(r.dev->domain, 0x1ff000, 0x200fff, true);
	ck_assert_uint_eq(log.seen[0].qw0 & 0x30, 0x30);
	ck_assert_uint_eq(log.seen[1].qw0, (uint64_t)r.dev->domain->did << 16 | 0xe2);
	ck_assert_uint_eq(log.seen[1].qw1, 0);
	rig_free(&r);
}
END_TEST

START_TEST(flush_all_descriptor)
{
	struct rig r = rig_new(IOMMU_LAZY, _i);
	struct log log = {.nseen = 0};
	struct dma_observer o = watch(&r, &log);

	dma_layer_set_observer(r.dev->dma, &o);
	iommu_flush_iotlb_all(r.dev->domain);
	ck_assert_uint_eq(log.nseen, 1);
	ck_assert_uint_eq(log.seen[0].qw0, (uint64_t)r.dev->domain->did << 16 | 0xe2);
	ck_assert_uint_eq(log.seen[0].qw1, 0);
	rig_free(&r);
}
END_TEST

START_TEST(device_tlb_and_batching)
{
	static const char *const set[] = {"iommu.ecap", "0xf00f4e", NULL}; /* with ECAP.DT */
	struct rig r = rig_new_with(IOMMU_STRICT, _i, set);
	struct log log = {.nseen = 0};
	struct dma_observer o = watch(&r, &log);

	dma_layer_detach(r.dev);
	/* The context entry, then the domain's translations, each with its wait. */
	ck_assert_uint_eq(log.ndone, 4);
	log.ndone = 0;
	r.dev->pci->ats = true;
	ck_assert_int_eq(dma_layer_attach(r.m->dma, r.dev), 0);
	dma_layer_set_observer(r.dev->dma, &o);
	cache_tag_flush_range(r.dev->domain, 0x8000, 0xbfff, true);
	ck_assert_uint_eq(log.nseen, 2);
	ck_assert_uint_eq(qi_desc_type(&log.seen[1]), QI_DEV_TLB);
	ck_assert_uint_eq(log.seen[1].qw0 >> 32 & 0xffff, r.dev->pci->sid);
	/* The physical function is named only where ECAP.DIT says that the unit throttles by it. */
	ck_assert_uint_eq(log.seen[1].qw0 >> 52, 0);
	ck_assert_uint_eq(log.seen[1].qw1, 0x9000 | 1);
	/* One submission with one wait since 6.12, one each before. */
	ck_assert_uint_eq(log.ndone, kernel_profiles[_i].qi_batch == 1 ? 4 : 3);
	rig_free(&r);
}
END_TEST

START_TEST(caching_mode_flushes_on_map)
{
	static const char *const set[] = {"iommu.caching_mode", "true", NULL};
	struct rig r = rig_new_with(IOMMU_LAZY, _i, set);
	struct log log = {.nseen = 0};
	struct dma_observer o = watch(&r, &log);
	dma_addr_t a;

	/* Caching mode with second-stage tables makes the system strict. */
	ck_assert_ptr_null(r.dev->domain->fq);
	dma_layer_set_observer(r.dev->dma, &o);
	a = dma_map_page(r.dev, 0x1000000, 0, 0x2000, DMA_TO_DEVICE);
	ck_assert_uint_eq(log.nseen, 1);
	ck_assert_uint_eq(log.seen[0].qw1, a | 1);
	dma_unmap_page(r.dev, a, 0x2000, DMA_TO_DEVICE);
	ck_assert_uint_eq(log.nseen, 2);
	rig_free(&r);
}
END_TEST

START_TEST(registers_without_a_queue)
{
	static const char *const set[] = {"iommu.ecap", "0xf020dd", NULL}; /* ECAP.QI clear */
	struct rig r = rig_new_with(IOMMU_STRICT, _i, set);
	struct log log = {.nseen = 0};
	struct dma_observer o = watch(&r, &log);
	dma_addr_t a;

	dma_layer_set_observer(r.dev->dma, &o);
	a = dma_map_page(r.dev, 0x1000000, 0, 0x2000, DMA_TO_DEVICE);
	dma_unmap_page(r.dev, a, 0x2000, DMA_TO_DEVICE);
	ck_assert_uint_eq(log.nseen, 0); /* nothing is submitted to a queue */
	ck_assert_uint_eq(log.ndone, 2);
	ck_assert_uint_eq(log.done[0].qw1, a | 0x40 | 1); /* the hint works on all releases */
	rig_free(&r);
}
END_TEST

START_TEST(domain_ids_in_order_of_attachment)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_7_0);
	struct device *second = machine_add_device(r.m, NULL, NULL);

	ck_assert_uint_eq(r.dev->domain->did, 2);
	ck_assert_uint_eq(second->domain->did, 3);
	rig_free(&r);
}
END_TEST

START_TEST(table_levels_follow_the_unit)
{
	static const char *const set[] = {"iommu.superpages", "false", NULL};
	struct rig r = rig_new_with(IOMMU_STRICT, KERNEL_7_0, set);

	ck_assert_uint_eq(r.dev->domain->pgsize_bitmap, 4096);
	ck_assert_uint_eq(r.dev->domain->aperture_end, (1ull << 48) - 1);
	rig_free(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("intel");

	tcase_add_test(t, psi_vectors);
	tcase_add_test(t, psi_covers_the_range_brute_force);
	tcase_add_loop_test(t, unmap_descriptors_per_release, 0, KERNEL_VERSIONS);
	tcase_add_loop_test(t, unaligned_base_of_6_1, 0, KERNEL_VERSIONS);
	tcase_add_test(t, too_large_ranges_become_domain_selective);
	tcase_add_loop_test(t, flush_all_descriptor, 0, KERNEL_VERSIONS);
	tcase_add_loop_test(t, device_tlb_and_batching, 0, KERNEL_VERSIONS);
	tcase_add_loop_test(t, caching_mode_flushes_on_map, 0, KERNEL_VERSIONS);
	tcase_add_loop_test(t, registers_without_a_queue, 0, KERNEL_VERSIONS);
	tcase_add_test(t, domain_ids_in_order_of_attachment);
	tcase_add_test(t, table_levels_follow_the_unit);
	return test_run("intel_iommu", t, NULL);
}
