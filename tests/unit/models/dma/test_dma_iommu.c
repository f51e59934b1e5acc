/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single mappings over an IOMMU domain: addresses, protection, IOVA policy, bouncing, limits. */
#include "dma_rig.h"
#include "models/dma/iommu.h"

#include <string.h>

static struct rig untrusted_rig(void)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_7_0);

	dma_layer_detach(r.dev);
	r.dev->untrusted = true;
	ck_assert_int_eq(dma_layer_attach(r.m->dma, r.dev), 0);
	return r;
}

START_TEST(strict_single_mapping_counts)
{
	struct rig r = rig_new(IOMMU_STRICT, _i);
	struct dma_stats *st = &r.m->dma_stats;
	dma_addr_t a = dma_map_page(r.dev, 0x12345000, 0x10, 0x100, DMA_TO_DEVICE);

	ck_assert_uint_eq(a, 0xfffff010);
	ck_assert_uint_eq(st->iommu_map_ops, 1);
	ck_assert_uint_eq(st->ptes_written, 1);
	ck_assert_uint_eq(st->overmapped_bytes, 4096 - 0x100);
	dma_unmap_page(r.dev, a, 0x100, DMA_TO_DEVICE);
	ck_assert_uint_eq(st->iommu_unmap_ops, 1);
	ck_assert_uint_eq(st->iotlb_syncs, 1);
	ck_assert_uint_eq(r.m->vtd_stats.qi_iotlb_page, 1);
	ck_assert_uint_eq(r.m->vtd_stats.qi_wait, 1);
	ck_assert_uint_eq(st->iova_frees, 1);
	rig_free(&r);
}
END_TEST

START_TEST(protection_bits)
{
	ck_assert_uint_eq(dma_info_to_prot(DMA_TO_DEVICE, true, 0), IOMMU_READ | IOMMU_CACHE);
	ck_assert_uint_eq(dma_info_to_prot(DMA_FROM_DEVICE, false, 0), IOMMU_WRITE);
	ck_assert_uint_eq(dma_info_to_prot(DMA_BIDIRECTIONAL, true, DMA_ATTR_PRIVILEGED),
			  IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE | IOMMU_PRIV);
	/* Never cacheable, even on coherent devices. */
	ck_assert_uint_eq(dma_info_to_prot(DMA_TO_DEVICE, true, DMA_ATTR_MMIO), IOMMU_READ | IOMMU_MMIO);
	ck_assert_uint_eq(dma_info_to_prot(DMA_NONE, true, 0), 0);
}
END_TEST

START_TEST(below_4g_first_until_it_fails_once)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	dma_addr_t a, b;

	ck_assert_int_eq(dma_set_mask(r.dev, UINT64_MAX), 0);
	a = dma_map_page(r.dev, 0x1000000, 0, 4096, DMA_TO_DEVICE);
	ck_assert_uint_lt(a, 1ull << 32);
	reserve_iova(&r.dev->domain->iovad, 1, 0xffffe);
	b = dma_map_page(r.dev, 0x1000000, 0, 4096, DMA_TO_DEVICE);
	/* The whole width of the domain; the cached ranges below 4 GiB are not flushed for it. */
	ck_assert_uint_eq(b, (1ull << 48) - 4096);
	ck_assert(!r.dev->pci_32bit_workaround);
	ck_assert_uint_eq(r.m->dma_stats.iova_32bit_given_up, 1);
	ck_assert_uint_eq(r.m->dma_stats.rcache_flushes, 0);
	dma_unmap_page(r.dev, a, 4096, DMA_TO_DEVICE);
	/* For good: room below does not bring it back, except through the cache. */
	ck_assert_uint_eq(dma_map_page(r.dev, 0x1000000, 0, 8192, DMA_TO_DEVICE), (1ull << 48) - 4 * 4096);
	rig_free(&r);
}
END_TEST

START_TEST(forcedac_goes_high_at_once)
{
	static const char *const set[] = {"iova.forcedac", "true", NULL};
	struct rig r = rig_new_with(IOMMU_STRICT, KERNEL_6_12, set);

	ck_assert_int_eq(dma_set_mask(r.dev, UINT64_MAX), 0);
	ck_assert_uint_eq(dma_map_page(r.dev, 0x1000000, 0, 4096, DMA_TO_DEVICE), (1ull << 48) - 4096);
	rig_free(&r);
}
END_TEST

START_TEST(masks_limit_addresses)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);

	/* Any mask is accepted behind an IOMMU. */
	ck_assert_int_eq(dma_set_mask(r.dev, 0xffffff), 0);
	ck_assert_uint_eq(dma_map_page(r.dev, 0x80000000, 0, 4096, DMA_TO_DEVICE), 0xfff000);
	r.dev->bus_dma_limit = 0xfffff;
	ck_assert_uint_eq(dma_map_page(r.dev, 0x80000000, 0, 4096, DMA_TO_DEVICE), 0xff000);
	rig_free(&r);
}
END_TEST

START_TEST(reserved_windows_are_kept_clear)
{
	static const char *const set[] = {"iommu.reserved", "80000000-afffffff,c0000000-fec00fff", NULL};
	struct rig r = rig_new_with(IOMMU_STRICT, KERNEL_6_12, set);
	struct iova_domain *d = &r.dev->domain->iovad;

	ck_assert_uint_eq(find_iova(d, 0x80000)->pfn_hi, 0xaffff);
	ck_assert_uint_eq(find_iova(d, 0xfec00)->pfn_lo, 0xc0000);
	ck_assert_ptr_null(find_iova(d, 0xfec01));
	ck_assert_uint_eq(find_iova(d, 0xfee00)->pfn_hi, 0xfeeff); /* interrupts */
	/* 1 GiB cannot lie above; the hole between the windows is too small for it as well. */
	ck_assert_uint_eq(dma_map_phys(r.dev, 0x40000000, GIB, DMA_TO_DEVICE, 0), 0x40000000);
	rig_free(&r);
}
END_TEST

START_TEST(bad_window_text_is_an_error)
{
	static const char *const bad[] = {"80000000", "8-",      "b-a", "80000000-8fffffff;9",
					  "xyz-1",    "1-2, 3-4"};
	struct config *config = config_new();
	GError *error = NULL;

	ck_assert(config_set(config, "iommu.reserved", bad[_i], "test", &error));
	ck_assert_ptr_null(
	    machine_new(config, IOMMU_STRICT, &kernel_profiles[KERNEL_6_12], FIDELITY_COUNTS, 1, &error));
	ck_assert_ptr_nonnull(error);
	ck_assert_ptr_nonnull(strstr(error->message, bad[_i]));
	ck_assert_ptr_nonnull(strstr(error->message, "80000000-afffffff"));
	g_error_free(error);
	config_free(config);
}
END_TEST

START_TEST(mmio_is_never_looked_up)
{
	struct rig r = rig_new(IOMMU_STRICT, _i);
	dma_addr_t a = dma_map_resource(r.dev, 0xe0000000, 0x2000, DMA_BIDIRECTIONAL, 0);

	ck_assert_uint_ne(a, DMA_MAPPING_ERROR);
	ck_assert_uint_eq(iommu_iova_to_phys(r.dev->domain, a), 0xe0000000);
	r.m->dma_stats.walks_software = 0;
	dma_unmap_resource(r.dev, a, 0x2000, DMA_BIDIRECTIONAL, 0);
	ck_assert_uint_eq(r.m->dma_stats.walks_software, 0);
	ck_assert_uint_eq(r.m->dma_stats.iotlb_syncs, 1);
	/* The page functions refuse it. */
	ck_assert_uint_eq(dma_map_page_attrs(r.dev, 0xe0000000, 0, 4096, DMA_TO_DEVICE, DMA_ATTR_MMIO),
			  DMA_MAPPING_ERROR);
	rig_free(&r);
}
END_TEST

START_TEST(unmap_of_nothing_does_nothing)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);

	/* The look-up fails: the kernel warns and returns without unmapping. */
	dma_unmap_page(r.dev, 0x123000, 4096, DMA_TO_DEVICE);
	ck_assert_uint_eq(r.m->dma_stats.walks_software, 1);
	ck_assert_uint_eq(r.m->dma_stats.iommu_unmap_ops, 0);
	ck_assert_uint_eq(r.m->dma_stats.iova_frees, 0);
	rig_free(&r);
}
END_TEST

START_TEST(failures_leave_nothing)
{
	struct rig r = rig_new(IOMMU_LAZY, _i);
	struct dma_stats *st = &r.m->dma_stats;

	/* Beyond 52 bits: the map fails, the IOVA goes back at once. */
	ck_assert_uint_eq(dma_map_phys(r.dev, 1ull << 52, 4096, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	ck_assert_uint_eq(st->iova_allocs, 1);
	ck_assert_uint_eq(st->iova_frees, 1);
	ck_assert_uint_eq(st->fq_entries, 0);
	ck_assert_int_eq(dma_mapping_error(r.dev, DMA_MAPPING_ERROR), -ENOMEM);
	rig_free(&r);

	r = rig_new(IOMMU_LAZY, _i);
	reserve_iova(&r.dev->domain->iovad, 1, (1ull << 36) - 1);
	ck_assert_uint_eq(dma_map_phys(r.dev, 0x1000000, 8192, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	/* A device that wants more low bits kept than a page has cannot be served. */
	r.dev->min_align_mask = 0xffff;
	ck_assert_uint_eq(dma_map_phys(r.dev, 0x1000000, 4096, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	rig_free(&r);
}
END_TEST

START_TEST(untrusted_unaligned_bounces_and_is_clean)
{
	struct rig r = untrusted_rig();
	struct memory *mem = r.m->memory;
	phys_addr_t buf = memory_alloc_pages(mem, 0, 0), bounce;
	char data[0x300], page[4096];
	dma_addr_t a;

	memset(data, 'x', sizeof(data));
	memory_write(mem, buf + 0x400, data, sizeof(data));
	/* Fill the pool's first page, so that zeroing around the data shows. */
	a = dma_map_phys(r.dev, buf + 0x400, sizeof(data), DMA_BIDIRECTIONAL, 0);
	bounce = iommu_iova_to_phys(r.dev->domain, a);
	memset(page, 'o', sizeof(page));
	memory_write(mem, bounce & PAGE_MASK, page, sizeof(page));
	dma_unmap_phys(r.dev, a, sizeof(data), DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);

	for (unsigned round = 0; round < 40; round++) { /* the hint moves on and comes round */
		a = dma_map_phys(r.dev, buf + 0x400, sizeof(data), DMA_BIDIRECTIONAL, 0);
		ck_assert_uint_ne(a, DMA_MAPPING_ERROR);
		bounce = iommu_iova_to_phys(r.dev->domain, a);
		ck_assert(is_swiotlb_buffer(r.dev, bounce));
		ck_assert_uint_eq(bounce & ~PAGE_MASK, a & ~PAGE_MASK);
		memory_read(mem, bounce & PAGE_MASK, page, sizeof(page));
		for (unsigned i = 0; i < 4096; i++) {
			bool inside = i >= (a & 0xfff) && i < (a & 0xfff) + sizeof(data);

			ck_assert_int_eq(page[i], inside ? 'x' : 0);
		}
		memset(page, 'y', sizeof(page));
		memory_write(mem, bounce, page, sizeof(data));
		dma_sync_single_for_cpu(r.dev, a, sizeof(data), DMA_FROM_DEVICE);
		memory_read(mem, buf + 0x400, page, sizeof(data));
		ck_assert_int_eq(page[0x2ff], 'y');
		memory_write(mem, buf + 0x400, data, sizeof(data));
		dma_sync_single_for_device(r.dev, a, sizeof(data), DMA_TO_DEVICE);
		memory_read(mem, bounce, page, sizeof(data));
		ck_assert_int_eq(page[0], 'x');
		dma_unmap_phys(r.dev, a, sizeof(data), DMA_BIDIRECTIONAL, 0);
	}
	ck_assert_uint_eq(r.m->dma_stats.swiotlb_slots_used, 0);
	/* Aligned buffers are mapped in place; what must not be copied is refused. */
	r.m->dma_stats.swiotlb_bounces = 0;
	ck_assert_uint_ne(dma_map_phys(r.dev, buf, 4096, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	ck_assert_uint_eq(r.m->dma_stats.swiotlb_bounces, 0);
	ck_assert_uint_eq(dma_map_phys(r.dev, buf + 8, 8, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT),
			  DMA_MAPPING_ERROR);
	ck_assert_uint_eq(dma_map_phys(r.dev, buf + 8, 8, DMA_TO_DEVICE, DMA_ATTR_MMIO), DMA_MAPPING_ERROR);
	rig_free(&r);
}
END_TEST

START_TEST(limits_reported)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12), u = untrusted_rig(),
		   d = rig_new(IOMMU_OFF, KERNEL_7_0);

	ck_assert_uint_eq(dma_opt_mapping_size(r.dev), 131072);
	ck_assert_uint_eq(dma_max_mapping_size(r.dev), SIZE_MAX);
	ck_assert_uint_eq(dma_get_merge_boundary(r.dev), 4095);
	ck_assert_uint_eq(dma_get_required_mask(r.dev), UINT32_MAX);
	ck_assert(dma_need_unmap(r.dev));
	ck_assert_uint_eq(dma_max_mapping_size(u.dev), 262144);
	u.dev->min_align_mask = 4095;
	ck_assert_uint_eq(dma_max_mapping_size(u.dev), 258048);
	ck_assert_uint_eq(dma_opt_mapping_size(u.dev), 131072);
	ck_assert_uint_eq(dma_get_merge_boundary(d.dev), 0);
	ck_assert(!dma_need_unmap(d.dev));
	rig_free(&r);
	rig_free(&u);
	rig_free(&d);
}
END_TEST

START_TEST(pci_core_defaults)
{
	struct rig r = rig_new(_i, KERNEL_7_0);

	ck_assert_uint_eq(r.dev->dma_mask, UINT32_MAX);
	ck_assert_uint_eq(r.dev->seg_boundary_mask, UINT32_MAX);
	ck_assert_uint_eq(r.dev->max_segment_size, 65536);
	ck_assert_uint_eq(r.dev->min_align_mask, 0);
	ck_assert(r.dev->coherent);
	ck_assert(r.dev->use_dma_iommu == (_i == IOMMU_LAZY || _i == IOMMU_STRICT));
	ck_assert(r.dev->domain == NULL || (r.dev->domain->fq != NULL) == (_i == IOMMU_LAZY));
	rig_free(&r);
}
END_TEST

START_TEST(time_is_accounted)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	struct cpu *cpu = r.m->sim.cpu;
	sim_time_t start = cpu->now;
	dma_addr_t a = dma_map_page(r.dev, 0x1000000, 0, 4096, DMA_TO_DEVICE);

	dma_unmap_page(r.dev, a, 4096, DMA_TO_DEVICE);
	ck_assert_uint_eq(r.m->dma_stats.map_time + r.m->dma_stats.unmap_time, cpu->now - start);
	ck_assert_uint_eq(cpu->steps[COST_IOVA_TREE_FIXED], 1);
	ck_assert_uint_eq(cpu->steps[COST_IOVA_FREE_HIT], 1);
	ck_assert_uint_eq(cpu->steps[COST_PT_LOOKUP], 1);
	ck_assert_uint_eq(cpu->steps[COST_QI_SUBMIT], 1);
	ck_assert_uint_eq(cpu->steps[COST_QI_TAIL_WRITE], 1);
	rig_free(&r);
}
END_TEST

/* Below 4 GiB there is no room: from 6.6 on a device tries there once, before at each allocation. */
START_TEST(below_4g_per_release)
{
	for (enum kernel_version k = 0; k < KERNEL_VERSIONS; k++) {
		struct rig r = rig_new(IOMMU_STRICT, k);
		struct iova_domain *d = &r.dev->domain->iovad;
		dma_addr_t a, b;

		r.dev->dma_mask = UINT64_MAX;
		reserve_iova(d, 1, 0xfffff);
		a = dma_map_page(r.dev, 0x1000000, 0, 0x1000, DMA_TO_DEVICE);
		ck_assert_uint_gt(a, UINT32_MAX);
		ck_assert_uint_eq(r.dev->pci_32bit_workaround, k < KERNEL_6_6);
		ck_assert_uint_eq(r.m->dma_stats.iova_32bit_given_up, k >= KERNEL_6_6);
		/* Room appears: only who still tries sees it. */
		free_iova(d, 0x1000);
		b = dma_map_page(r.dev, 0x1000000, 0, 0x2000, DMA_TO_DEVICE);
		if (k < KERNEL_6_6)
			ck_assert_uint_le(b, UINT32_MAX);
		else
			ck_assert_uint_gt(b, UINT32_MAX);
		rig_free(&r);
	}
}
END_TEST

/* Unaligned device memory for an untrusted device: refused from 6.18 to 7.1, else mapped in place. */
START_TEST(untrusted_mmio_per_release)
{
	for (enum kernel_version k = KERNEL_6_17; k < KERNEL_VERSIONS; k++) {
		struct rig r = rig_new(IOMMU_STRICT, k);
		bool refused = k >= KERNEL_6_18 && k < KERNEL_7_2;
		dma_addr_t a;

		dma_layer_detach(r.dev);
		r.dev->untrusted = true;
		ck_assert_int_eq(dma_layer_attach(r.m->dma, r.dev), 0);
		a = dma_map_resource(r.dev, 0x1000200, 0x100, DMA_BIDIRECTIONAL, 0);
		ck_assert_int_eq(a == DMA_MAPPING_ERROR, refused);
		ck_assert_uint_eq(r.m->dma_stats.swiotlb_bounces, 0);
		rig_free(&r);
	}
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("single"), *p = tcase_create("policy"), *b = tcase_create("bounce");

	tcase_add_loop_test(t, strict_single_mapping_counts, 0, KERNEL_VERSIONS);
	tcase_add_test(t, protection_bits);
	tcase_add_loop_test(t, mmio_is_never_looked_up, 0, KERNEL_VERSIONS);
	tcase_add_test(t, unmap_of_nothing_does_nothing);
	tcase_add_loop_test(t, failures_leave_nothing, 0, KERNEL_VERSIONS);
	tcase_add_test(t, time_is_accounted);
	tcase_add_test(p, below_4g_first_until_it_fails_once);
	tcase_add_test(p, forcedac_goes_high_at_once);
	tcase_add_test(p, masks_limit_addresses);
	tcase_add_test(p, reserved_windows_are_kept_clear);
	tcase_add_loop_test(p, bad_window_text_is_an_error, 0, 6);
	tcase_add_test(p, limits_reported);
	tcase_add_loop_test(p, pci_core_defaults, 0, IOMMU_MODES);
	tcase_add_test(b, untrusted_unaligned_bounces_and_is_clean);
	tcase_add_test(t, below_4g_per_release);
	tcase_add_test(t, untrusted_mmio_per_release);
	return test_run("dma_iommu", t, p, b, NULL);
}
