/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include <string.h>

#include "bounce.h"

static struct bounce_bench b;

static void teardown(void)
{
	bounce_bench_close(&b);
}

static void open_default(void)
{
	bounce_bench_open(&b, 2, &(struct swiotlb_params){.size = 64 * MIB});
}

static uint64_t used(void)
{
	return b.st.swiotlb_slots_used;
}

/* Reference 1.14, 7.1, 7.2: geometry and footprint of the default pool. */
START_TEST(default_geometry)
{
	const struct io_tlb_pool *pool = b.layer.swiotlb->pools;

	ck_assert_uint_eq(pool->nslabs, 32768);
	ck_assert_uint_eq(pool->nareas, 2);
	ck_assert_uint_eq(pool->area_nslabs, 16384);
	ck_assert_uint_lt(pool->end - 1, 4 * GIB);
	ck_assert_uint_eq(b.sim.ledger.accounts[LEDGER_SWIOTLB_POOL].current, 64 * MIB + 786432 + 2 * 16);
	for (uint64_t i = 0; i < pool->nslabs; i++)
		ck_assert_uint_eq(pool->slots[i].list, 128 - i % 128);
}
END_TEST

/* Slots grow until each area has a segment; then to a power of two (7.2). */
START_TEST(slots_grow_with_areas)
{
	static const struct {
		uint64_t size, areas, nslabs;
	} rows[] = {
	    {1 * MIB, 0, 512},  {1 * MIB, 4, 512},     {1 * MIB, 8, 1024},    {1 * MIB, 6, 1024},
	    {3 * MIB, 2, 2048}, {100 * MIB, 1, 65536}, {64 * MIB, 64, 32768}, {64 * MIB, 512, 65536},
	};

	teardown();
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct swiotlb_params p = {.size = rows[i].size, .areas = rows[i].areas};

		bounce_bench_open(&b, 1, &p);
		ck_assert_uint_eq(b.layer.swiotlb->pools->nslabs, rows[i].nslabs);
		bounce_bench_close(&b);
	}
	open_default();
}
END_TEST

/* Reference 7.4, 7.5: who gets a pool, and how large. */
START_TEST(when_there_is_a_pool)
{
	teardown();
	bounce_bench_open(&b, 1, &(struct swiotlb_params){.size = 0}); /* 8 GiB of memory */
	ck_assert_uint_eq(b.layer.swiotlb->pools->nslabs, 32768);
	ck_assert(!is_swiotlb_force_bounce(&b.dev));
	teardown();
	bounce_bench_open(&b, 1, &(struct swiotlb_params){.force = true, .disable = true});
	ck_assert(!is_swiotlb_active(&b.dev));
	teardown();
	bounce_bench_open(&b, 1, &(struct swiotlb_params){.confidential = true});
	/* 6 % of 8 GiB is 491 MiB, rounded up to a power of two of slots. */
	ck_assert_uint_eq(b.layer.swiotlb->pools->nslabs, 512 * MIB / 2048);
	ck_assert(is_swiotlb_force_bounce(&b.dev));
}
END_TEST

/* Reference 7.18: orig, size, min_align_mask, align_mask -> offset, total, slots, pad slots, in slot. */
START_TEST(vectors_of_alignment)
{
	static const struct {
		uint64_t orig, size, min_align, align, offset, total, slots, pad, in_slot;
	} rows[] = {
	    {0x1234, 0x200, 0xfff, 0xfff, 0x234, 0x1000, 2, 0, 0x234},
	    {0x1a00, 0x200, 0xfff, 0xfff, 0xa00, 0x1000, 2, 1, 0x200},
	    {0x1a00, 0x200, 0, 0xfff, 0, 0x1000, 2, 0, 0},
	    {0x1a00, 0x200, 0, 0, 0, 0x200, 1, 0, 0},
	    {0x1a00, 0x1000, 0xfff, 0, 0x200, 0x1200, 3, 0, 0x200},
	    {0x1f00, 0x300, 0xfff, 0xfff, 0xf00, 0x2000, 4, 1, 0x700},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		phys_addr_t orig = 0x100000 + rows[i].orig, tlb;
		const struct io_tlb_pool *pool;
		uint64_t slot;

		b.dev.min_align_mask = (uint32_t)rows[i].min_align;
		ck_assert_uint_eq(swiotlb_align_offset(&b.dev, (unsigned)rows[i].align, orig),
				  rows[i].offset);
		tlb = swiotlb_tbl_map_single(&b.dev, orig, rows[i].size, (unsigned)rows[i].align,
					     DMA_TO_DEVICE, 0);
		ck_assert_uint_ne(tlb, DMA_MAPPING_ERROR);
		ck_assert_uint_eq(used(), rows[i].slots);
		pool = swiotlb_find_pool(&b.dev, tlb);
		slot = (tlb - pool->start) >> IO_TLB_SHIFT;
		ck_assert_uint_eq(tlb & (IO_TLB_SIZE - 1), rows[i].in_slot);
		ck_assert_uint_eq(pool->slots[slot].pad_slots, rows[i].pad);
		ck_assert_uint_eq(pool->slots[slot].orig_addr, orig);
		/* Bytes recorded to the end of the mapping: the padded total behind its offset. */
		ck_assert_uint_eq(pool->slots[slot].alloc_size, rows[i].total - rows[i].offset);
		ck_assert_uint_eq(tlb & rows[i].min_align, orig & rows[i].min_align);
		swiotlb_tbl_unmap_single(&b.dev, tlb, rows[i].size, DMA_TO_DEVICE, 0);
		ck_assert_uint_eq(used(), 0);
	}
}
END_TEST

/* Reference 7.8, 7.16. */
START_TEST(largest_mapping)
{
	phys_addr_t tlb;

	ck_assert_uint_eq(swiotlb_max_mapping_size(&b.dev), 262144);
	b.dev.min_align_mask = 4095;
	ck_assert_uint_eq(swiotlb_max_mapping_size(&b.dev), 258048);
	tlb = swiotlb_tbl_map_single(&b.dev, 0x100000, 262144, 0, DMA_TO_DEVICE, 0);
	ck_assert_uint_ne(tlb, DMA_MAPPING_ERROR);
	swiotlb_tbl_unmap_single(&b.dev, tlb, 262144, DMA_TO_DEVICE, 0);
	/* The offset inside the first page pushes it over a segment. */
	ck_assert_uint_eq(swiotlb_tbl_map_single(&b.dev, 0x100200, 262144, 0, DMA_TO_DEVICE, 0),
			  DMA_MAPPING_ERROR);
	ck_assert_uint_eq(swiotlb_tbl_map_single(&b.dev, 0x100000, 262145, 0, DMA_TO_DEVICE, 0),
			  DMA_MAPPING_ERROR);
	ck_assert_uint_eq(b.st.swiotlb_failures, 2);
	ck_assert_uint_eq(b.st.swiotlb_bounces, 3);
	ck_assert_uint_eq(used(), 0);
}
END_TEST

/* Exactly as many one-segment mappings as segments; the next one fails; one release makes room for it. */
START_TEST(exhaustion)
{
	phys_addr_t tlb[4];

	teardown();
	bounce_bench_open(&b, 1, &(struct swiotlb_params){.size = 1 * MIB});
	for (unsigned i = 0; i < 4; i++) {
		tlb[i] = swiotlb_tbl_map_single(&b.dev, 0x100000 + i * MIB, 262144, 0, DMA_TO_DEVICE, 0);
		ck_assert_uint_ne(tlb[i], DMA_MAPPING_ERROR);
	}
	ck_assert_uint_eq(swiotlb_tbl_map_single(&b.dev, 0x900000, 2048, 0, DMA_TO_DEVICE, 0),
			  DMA_MAPPING_ERROR);
	swiotlb_tbl_unmap_single(&b.dev, tlb[2], 262144, DMA_TO_DEVICE, 0);
	ck_assert_uint_eq(swiotlb_tbl_map_single(&b.dev, 0x900000, 2048, 0, DMA_TO_DEVICE, 0), tlb[2]);
	ck_assert_uint_eq(b.st.swiotlb_slots_peak, 512);
	ck_assert_uint_eq(b.st.swiotlb_failures, 1);
}
END_TEST

/* The CPU's own area first, the others when it is full (7.12). */
START_TEST(area_of_the_cpu)
{
	const struct io_tlb_pool *pool = b.layer.swiotlb->pools;
	phys_addr_t tlb;

	b.sim.cpu = &b.sim.cpus[1];
	tlb = swiotlb_tbl_map_single(&b.dev, 0x100000, 4096, 0, DMA_TO_DEVICE, 0);
	ck_assert_uint_eq(tlb, pool->start + 16384 * 2048);
	pool->areas[1].used = pool->area_nslabs - 1;
	ck_assert_uint_eq(swiotlb_tbl_map_single(&b.dev, 0x100000, 4096, 0, DMA_TO_DEVICE, 0), pool->start);
	b.sim.cpu = &b.sim.cpus[0];
}
END_TEST

static void write_pattern(phys_addr_t phys, size_t len, uint8_t seed)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)(seed + i * 7);

		memory_write(b.mem, phys + i, &byte, 1);
	}
}

static bool has_pattern(phys_addr_t phys, size_t len, uint8_t seed)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t byte;

		memory_read(b.mem, phys + i, &byte, 1);
		if (byte != (uint8_t)(seed + i * 7))
			return false;
	}
	return true;
}

/* Reference 7.19-7.24: which bytes move when. */
START_TEST(copies)
{
	static const enum dma_data_direction dirs[] = {DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL};
	phys_addr_t orig = 0x200300;
	size_t len = 5000;

	b.dev.min_align_mask = 4095;
	for (unsigned i = 0; i < 3; i++) {
		bool in = dirs[i] != DMA_TO_DEVICE, out = dirs[i] != DMA_FROM_DEVICE;
		phys_addr_t tlb;
		uint64_t before;

		write_pattern(orig, len, 1);
		tlb = swiotlb_tbl_map_single(&b.dev, orig, len, 0, dirs[i], DMA_ATTR_SKIP_CPU_SYNC);
		ck_assert(has_pattern(tlb, len, 1)); /* whatever the direction and the attribute */

		/* Whole and partial ownership changes: the rest of the buffer stays as it was. */
		write_pattern(orig, len, 2);
		before = b.st.swiotlb_bytes_copied;
		swiotlb_sync_single_for_device(&b.dev, tlb, len, dirs[i]);
		ck_assert(has_pattern(tlb, len, out ? 2 : 1));
		ck_assert_uint_eq(b.st.swiotlb_bytes_copied - before, out ? len : 0);

		write_pattern(tlb + 2100, 100, 77);
		swiotlb_sync_single_for_cpu(&b.dev, tlb + 2100, 100, dirs[i]);
		ck_assert(has_pattern(orig + 2100, 100, in ? 77 : (uint8_t)(2 + 2100 * 7)));
		ck_assert(has_pattern(orig, 2100, 2));
		ck_assert(has_pattern(orig + 2200, len - 2200, (uint8_t)(2 + 2200 * 7)));

		/* Clipped to what the slots record (7.23). */
		before = b.st.swiotlb_bytes_copied;
		swiotlb_sync_single_for_cpu(&b.dev, tlb + 4900, 1000, dirs[i]);
		ck_assert_uint_eq(b.st.swiotlb_bytes_copied - before, in ? 100 : 0);

		write_pattern(tlb, len, 9);
		swiotlb_tbl_unmap_single(&b.dev, tlb, len, dirs[i], 0);
		ck_assert_int_eq(has_pattern(orig, len, 9), in);
	}
	/* SKIP_CPU_SYNC keeps the original as it is. */
	write_pattern(orig, len, 3);
	phys_addr_t tlb = swiotlb_tbl_map_single(&b.dev, orig, len, 0, DMA_FROM_DEVICE, 0);

	write_pattern(tlb, len, 4);
	swiotlb_tbl_unmap_single(&b.dev, tlb, len, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	ck_assert(has_pattern(orig, len, 3));
}
END_TEST

/* A partial copy may begin in front of the kept offset of a later slot (negative distance). */
START_TEST(partial_sync_in_later_slot)
{
	phys_addr_t orig = 0x300700, tlb;

	b.dev.min_align_mask = 4095;
	write_pattern(orig, 8192, 1);
	tlb = swiotlb_tbl_map_single(&b.dev, orig, 8192, 0, DMA_BIDIRECTIONAL, 0);
	for (size_t at = 0; at < 8192; at += 37) {
		uint8_t byte = (uint8_t)(at * 3 + 11), seen;

		memory_write(b.mem, tlb + at, &byte, 1);
		swiotlb_sync_single_for_cpu(&b.dev, tlb + at, 1, DMA_BIDIRECTIONAL);
		memory_read(b.mem, orig + at, &seen, 1);
		ck_assert_uint_eq(seen, byte);
	}
}
END_TEST

/* Bounce address out of the device's reach: slots go back, nothing is copied back (7.28). */
START_TEST(unreachable_bounce)
{
	b.dev.dma_mask = 0xffff;
	ck_assert_uint_eq(swiotlb_map(&b.dev, 0x100000, 4096, DMA_FROM_DEVICE, 0), DMA_MAPPING_ERROR);
	ck_assert_uint_eq(used(), 0);
	ck_assert_uint_eq(b.st.swiotlb_bytes_copied, 4096);
}
END_TEST

/* Reference 7.26: the first bounce clears the skip flag. */
START_TEST(first_bounce_needs_sync)
{
	ck_assert(b.dev.dma_skip_sync);
	ck_assert(!b.dev.dma_uses_swiotlb);
	swiotlb_map(&b.dev, 0x100000, 4096, DMA_TO_DEVICE, 0);
	ck_assert(!b.dev.dma_skip_sync);
	ck_assert(b.dev.dma_uses_swiotlb);
}
END_TEST

/* Reference 7.29: transient pool at once, a further pool in the background. */
START_TEST(dynamic_growth)
{
	phys_addr_t held[4], tlb;
	struct swiotlb *sw;

	teardown();
	bounce_bench_open(&b, 1, &(struct swiotlb_params){.size = 1 * MIB, .dynamic = true});
	sw = b.layer.swiotlb;
	for (unsigned i = 0; i < 4; i++)
		held[i] = swiotlb_tbl_map_single(&b.dev, 0x100000 + i * MIB, 262144, 0, DMA_TO_DEVICE, 0);
	write_pattern(0x900000, 6000, 5);
	tlb = swiotlb_tbl_map_single(&b.dev, 0x900000, 6000, 0, DMA_BIDIRECTIONAL, 0);
	ck_assert_uint_ne(tlb, DMA_MAPPING_ERROR);
	ck_assert_uint_eq(sw->transient_nslabs, 3);
	ck_assert(has_pattern(tlb, 6000, 5));
	ck_assert(is_swiotlb_buffer(&b.dev, tlb));
	write_pattern(tlb, 6000, 6);
	swiotlb_tbl_unmap_single(&b.dev, tlb, 6000, DMA_BIDIRECTIONAL, 0);
	ck_assert(has_pattern(0x900000, 6000, 6));
	ck_assert_uint_eq(sw->transient_nslabs, 0);
	ck_assert_ptr_null(b.dev.transient_pools);
	ck_assert_uint_eq(sw->total_nslabs, 512);

	sim_advance(&b.sim, 1 * SIM_MS);
	ck_assert_uint_eq(sw->total_nslabs, 1024);
	tlb = swiotlb_tbl_map_single(&b.dev, 0x900000, 6000, 0, DMA_BIDIRECTIONAL, 0);
	ck_assert(tlb >= sw->pools->next->start && tlb < sw->pools->next->end);
	ck_assert_uint_eq(sw->transient_nslabs, 0);
	for (unsigned i = 0; i < 4; i++)
		swiotlb_tbl_unmap_single(&b.dev, held[i], 262144, DMA_TO_DEVICE, 0);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("swiotlb");

	tcase_add_checked_fixture(t, open_default, teardown);
	tcase_add_test(t, default_geometry);
	tcase_add_test(t, slots_grow_with_areas);
	tcase_add_test(t, when_there_is_a_pool);
	tcase_add_test(t, vectors_of_alignment);
	tcase_add_test(t, largest_mapping);
	tcase_add_test(t, exhaustion);
	tcase_add_test(t, area_of_the_cpu);
	tcase_add_test(t, copies);
	tcase_add_test(t, partial_sync_in_later_slot);
	tcase_add_test(t, unreachable_bounce);
	tcase_add_test(t, first_bounce_needs_sync);
	tcase_add_test(t, dynamic_growth);
	return test_run("swiotlb", t, NULL);
}
