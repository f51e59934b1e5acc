/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Direct mapping and the dispatch above it, without an IOMMU. */
#include "support.h"

#include <string.h>

#include "bounce.h"

static struct bounce_bench b;
static struct kernel_profile kernel;

static void open_with(const struct swiotlb_params *p)
{
	bounce_bench_open(&b, 1, p);
	kernel = *b.layer.kernel;
	b.layer.kernel = &kernel;
	b.dev.dma_mask = UINT64_MAX;
}

static void setup(void)
{
	open_with(&(struct swiotlb_params){.size = 64 * MIB});
}

static void teardown(void)
{
	bounce_bench_close(&b);
}

static void reopen(const struct swiotlb_params *p)
{
	teardown();
	open_with(p);
}

#define RAM 0x140000000ull /* above 4 GiB */

START_TEST(identity)
{
	ck_assert_uint_eq(dma_map_phys(&b.dev, RAM + 0x123, 5000, DMA_TO_DEVICE, 0), RAM + 0x123);
	ck_assert_uint_eq(dma_map_page(&b.dev, RAM, 0x40, 64, DMA_FROM_DEVICE), RAM + 0x40);
	dma_unmap_page(&b.dev, RAM + 0x40, 64, DMA_FROM_DEVICE);
	ck_assert_uint_eq(b.st.map_calls, 2);
	ck_assert_uint_eq(b.st.unmap_calls, 1);
	ck_assert_uint_eq(b.st.map_page_calls, 1);
	ck_assert_uint_eq(b.st.map_phys_calls, 2); /* the page function is a wrapper since 6.18 */
	ck_assert_uint_eq(b.st.bytes_mapped, 5064);
	ck_assert_uint_eq(b.st.swiotlb_bounces, 0);
	ck_assert(!dma_need_unmap(&b.dev));
}
END_TEST

START_TEST(page_function_refuses_mmio)
{
	ck_assert_uint_eq(dma_map_page_attrs(&b.dev, RAM, 0, 64, DMA_TO_DEVICE, DMA_ATTR_MMIO),
			  DMA_MAPPING_ERROR);
	ck_assert_int_eq(dma_mapping_error(&b.dev, DMA_MAPPING_ERROR), -ENOMEM);
	ck_assert_int_eq(dma_mapping_error(&b.dev, RAM), 0);
	ck_assert_uint_eq(b.st.map_calls, 0);
}
END_TEST

START_TEST(no_mask_no_mapping)
{
	b.dev.dma_mask = 0;
	ck_assert_uint_eq(dma_map_phys(&b.dev, RAM, 64, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
}
END_TEST

/* Reference 8.6 and 8.7, row by row: forced?, reachable?, attributes -> bounced, mapped in place, refused. */
START_TEST(decisions)
{
	enum { PLACE, BOUNCE, REFUSE };
	static const struct {
		bool force, reachable;
		unsigned long attrs;
		int result;
	} rows[] = {
	    {false, true, 0, PLACE},
	    {false, true, DMA_ATTR_MMIO, PLACE},
	    {false, true, DMA_ATTR_REQUIRE_COHERENT, PLACE},
	    {false, true, DMA_ATTR_CC_SHARED, REFUSE},
	    {false, false, 0, BOUNCE},
	    {false, false, DMA_ATTR_MMIO, REFUSE},
	    {false, false, DMA_ATTR_REQUIRE_COHERENT, REFUSE},
	    {true, true, 0, BOUNCE},
	    {true, true, DMA_ATTR_MMIO, REFUSE},
	    {true, true, DMA_ATTR_REQUIRE_COHERENT, REFUSE},
	    {true, true, DMA_ATTR_CC_SHARED, PLACE},
	    {true, false, DMA_ATTR_CC_SHARED, REFUSE},
	    {true, false, 0, BOUNCE},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		phys_addr_t phys = RAM + 0x1000;
		dma_addr_t addr;

		reopen(&(struct swiotlb_params){.size = 64 * MIB, .force = rows[i].force});
		b.dev.dma_mask = rows[i].reachable ? UINT64_MAX : UINT32_MAX;
		addr = dma_map_phys(&b.dev, phys, 4096, DMA_BIDIRECTIONAL, rows[i].attrs);
		ck_assert_uint_eq(b.st.swiotlb_bounces, rows[i].result == BOUNCE);
		if (rows[i].result == PLACE)
			ck_assert_uint_eq(addr, phys);
		else if (rows[i].result == BOUNCE)
			ck_assert(is_swiotlb_buffer(&b.dev, addr));
		else
			ck_assert_uint_eq(addr, DMA_MAPPING_ERROR);
		ck_assert_int_eq(dma_need_unmap(&b.dev), rows[i].result == BOUNCE);
		ck_assert_int_eq(dma_need_sync(&b.dev, addr), rows[i].result == BOUNCE);
	}
}
END_TEST

START_TEST(last_byte_decides)
{
	b.dev.dma_mask = 0x13fffffff;
	ck_assert(dma_capable(&b.dev, 0x13ffff000, 4096));
	ck_assert(!dma_capable(&b.dev, 0x13ffff001, 4096));
	b.dev.bus_dma_limit = 0x13ffffffe;
	ck_assert(!dma_capable(&b.dev, 0x13ffff000, 4096));
	b.dev.dma_mask = UINT64_MAX;
	b.dev.bus_dma_limit = 0;
	ck_assert(!dma_capable(&b.dev, DMA_MAPPING_ERROR, 1));
	ck_assert(dma_capable(&b.dev, UINT64_MAX - 1, 1));
}
END_TEST

/* Before the physical-address series a resource was mapped in place even under forced bouncing. */
START_TEST(resources_by_release)
{
	reopen(&(struct swiotlb_params){.size = 64 * MIB, .force = true});
	ck_assert_uint_eq(dma_map_resource(&b.dev, 0xfd000000, 4096, DMA_BIDIRECTIONAL, 0),
			  DMA_MAPPING_ERROR);
	kernel.has_map_phys = false;
	ck_assert_uint_eq(dma_map_resource(&b.dev, 0xfd000000, 4096, DMA_BIDIRECTIONAL, 0), 0xfd000000);
	dma_unmap_resource(&b.dev, 0xfd000000, 4096, DMA_BIDIRECTIONAL, 0);
	ck_assert_uint_eq(b.st.swiotlb_bounces, 0);
}
END_TEST

/* Reference 8.11: no merging, ever; an entry that cannot be mapped undoes the list. */
START_TEST(lists)
{
	struct scatterlist sg[3];
	struct sg_table table = {sg, 3, 3};

	sg_init_table(sg, 3);
	sg_set_phys(&sg[0], RAM, 4096);
	sg_set_phys(&sg[1], RAM + 4096, 4096);
	sg_set_phys(&sg[2], 0x10000, 512);
	ck_assert_uint_eq(dma_map_sg_attrs(&b.dev, sg, 3, DMA_TO_DEVICE, 0), 3);
	ck_assert_uint_eq(sg[1].dma_address, RAM + 4096);
	ck_assert_uint_eq(sg[2].dma_length, 512);
	ck_assert_uint_eq(b.st.bytes_mapped, 8704);
	dma_unmap_sg_attrs(&b.dev, sg, 3, DMA_TO_DEVICE, 0);

	/* Third entry unreachable and the pool too small for it. */
	b.dev.dma_mask = RAM + 8191;
	sg_set_phys(&sg[2], RAM + MIB, 300000);
	ck_assert_int_eq(dma_map_sgtable(&b.dev, &table, DMA_TO_DEVICE, 0), -EIO);
	ck_assert_uint_eq(dma_map_sg_attrs(&b.dev, sg, 3, DMA_TO_DEVICE, 0), 0);
	ck_assert_uint_eq(b.st.swiotlb_slots_used, 0);

	/* The first two bounce, the third fails: their slots go back without a copy. */
	reopen(&(struct swiotlb_params){.size = 1 * MIB, .force = true});
	ck_assert_int_eq(dma_map_sgtable(&b.dev, &table, DMA_FROM_DEVICE, 0), -EIO);
	ck_assert_uint_eq(b.st.swiotlb_bounces, 3);
	ck_assert_uint_eq(b.st.swiotlb_slots_used, 0);
	ck_assert_uint_eq(b.st.swiotlb_bytes_copied, 8192);
}
END_TEST

/* Operation counts with forced bouncing: N segments of S pages. */
START_TEST(counts_of_forced_bouncing)
{
	static const enum dma_data_direction dirs[] = {DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL};
	const unsigned n = 10, s = 3;

	for (unsigned d = 0; d < 3; d++) {
		dma_addr_t addr[10];
		uint64_t bytes = (uint64_t)n * s * 4096;

		reopen(&(struct swiotlb_params){.size = 64 * MIB, .force = true});
		for (unsigned i = 0; i < n; i++)
			addr[i] = dma_map_phys(&b.dev, RAM + i * MIB, s * 4096, dirs[d], 0);
		ck_assert_uint_eq(b.st.swiotlb_bounces, n);
		ck_assert_uint_eq(b.st.swiotlb_slots_used, 2 * s * n);
		ck_assert_uint_eq(b.st.swiotlb_bytes_copied, bytes);
		ck_assert(dma_need_unmap(&b.dev));
		for (unsigned i = 0; i < n; i++)
			dma_unmap_phys(&b.dev, addr[i], s * 4096, dirs[d], 0);
		ck_assert_uint_eq(b.st.swiotlb_bytes_copied, dirs[d] == DMA_TO_DEVICE ? bytes : 2 * bytes);
		ck_assert_uint_eq(b.st.swiotlb_slots_used, 0);
		ck_assert_uint_eq(
		    b.st.iova_allocs + b.st.iommu_map_ops + b.st.iotlb_syncs + b.st.indirect_calls, 0);
	}
	/* 262144 bytes is what fits, offset included. */
	ck_assert_uint_ne(dma_map_phys(&b.dev, RAM, 262144, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	ck_assert_uint_eq(dma_map_phys(&b.dev, RAM, 262145, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	ck_assert_uint_eq(dma_max_mapping_size(&b.dev), 262144);
	dma_set_min_align_mask(&b.dev, 4095);
	ck_assert_uint_eq(dma_max_mapping_size(&b.dev), 258048);
	ck_assert_uint_eq(dma_opt_mapping_size(&b.dev), 258048);
}
END_TEST

/* Reference 8.13-8.16. */
START_TEST(queries)
{
	/* 8 GiB with a hole of 2 GiB below 4 GiB: the last page is at 10 GiB. */
	ck_assert_uint_eq(dma_get_required_mask(&b.dev), 0x3ffffffffull);
	ck_assert_uint_eq(dma_get_merge_boundary(&b.dev), 0);
	ck_assert_uint_eq(dma_max_mapping_size(&b.dev), SIZE_MAX);
	ck_assert(!dma_addressing_limited(&b.dev));
	ck_assert_int_eq(dma_set_mask(&b.dev, UINT32_MAX), 0);
	ck_assert(dma_addressing_limited(&b.dev));
	ck_assert_uint_eq(dma_max_mapping_size(&b.dev), 262144);
	ck_assert_int_eq(dma_set_mask(&b.dev, 16 * MIB - 1), 0);
	ck_assert_int_eq(dma_set_mask(&b.dev, 16 * MIB - 2), -EIO);
	ck_assert_uint_eq(b.dev.dma_mask, 16 * MIB - 1);
	/* Setting a mask sets the skip flag again. */
	b.dev.dma_skip_sync = false;
	ck_assert_int_eq(dma_set_mask(&b.dev, UINT64_MAX), 0);
	ck_assert(b.dev.dma_skip_sync);
}
END_TEST

/* Explicit syncs do nothing until the device has bounced. */
START_TEST(syncs)
{
	dma_addr_t addr;
	uint8_t byte = 7, seen = 0;

	dma_sync_single_for_cpu(&b.dev, RAM, 4096, DMA_FROM_DEVICE);
	ck_assert_uint_eq(b.st.swiotlb_bytes_copied, 0);
	b.dev.dma_mask = UINT32_MAX;
	addr = dma_map_phys(&b.dev, RAM, 4096, DMA_FROM_DEVICE, 0);
	memory_write(b.mem, addr + 9, &byte, 1);
	dma_sync_single_for_device(&b.dev, addr, 4096, DMA_FROM_DEVICE);
	ck_assert_uint_eq(b.st.swiotlb_bytes_copied, 4096);
	dma_sync_single_for_cpu(&b.dev, addr, 4096, DMA_FROM_DEVICE);
	ck_assert_uint_eq(b.st.swiotlb_bytes_copied, 8192);
	memory_read(b.mem, RAM + 9, &seen, 1);
	ck_assert_uint_eq(seen, 7);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("direct");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, identity);
	tcase_add_test(t, page_function_refuses_mmio);
	tcase_add_test(t, no_mask_no_mapping);
	tcase_add_test(t, decisions);
	tcase_add_test(t, last_byte_decides);
	tcase_add_test(t, resources_by_release);
	tcase_add_test(t, lists);
	tcase_add_test(t, counts_of_forced_bouncing);
	tcase_add_test(t, queries);
	tcase_add_test(t, syncs);
	return test_run("direct", t, NULL);
}
