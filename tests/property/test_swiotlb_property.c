/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random mappings and releases against a naive bounce allocator: one flag per slot, free runs counted by
 * scanning, the search rule written down literally. Every address, every byte and
 * the free-run bookkeeping must agree.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "bounce.h"

#define MAX_LIVE 256

struct live {
	phys_addr_t orig, tlb;
	size_t size;
	uint64_t first, count; /* oracle's slots */
	uint8_t seed;
};

struct oracle {
	bool *used;
	uint64_t nslabs, area_nslabs;
	unsigned nareas;
	uint64_t *hint;
	phys_addr_t start;
	bool bytes; /* compare contents too */
};

static uint64_t free_run(const struct oracle *o, uint64_t slot)
{
	uint64_t n = 0;

	while (slot + n < o->nslabs && !o->used[slot + n]) {
		n++;
		if ((slot + n) % 128 == 0)
			break;
	}
	return n;
}

static uint64_t area_used(const struct oracle *o, unsigned area)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < o->area_nslabs; i++)
		n += o->used[area * o->area_nslabs + i];
	return n;
}

/* First slot that the rule finds, or -1. */
static int64_t oracle_find(struct oracle *o, const struct device *dev, unsigned cpu, phys_addr_t orig,
			   uint64_t total, uint64_t align)
{
	uint64_t need = (total + 2047) / 2048, min = dev->min_align_mask, stride;

	if (!align && !min && total >= 4096)
		align = 4095;
	align |= 2047;
	min &= ~align;
	stride = ((align > min ? align : min) >> 11) + 1;
	for (unsigned step = 0; step < o->nareas; step++) {
		unsigned area = (cpu + step) & (o->nareas - 1);
		uint64_t at = o->hint[area], tested = 0;

		if (need > o->area_nslabs - area_used(o, area))
			continue;
		while (tested < o->area_nslabs) {
			uint64_t slot = area * o->area_nslabs + at;
			phys_addr_t addr = o->start + slot * 2048, last = addr + need * 2048 - 1;
			bool aligned = !(addr & align) && (!orig || (addr & min) == (orig & min));
			uint64_t move = aligned ? stride : 1;

			if (aligned && free_run(o, slot) >= need &&
			    (addr & ~dev->seg_boundary_mask) == (last & ~dev->seg_boundary_mask)) {
				for (uint64_t i = 0; i < need; i++)
					o->used[slot + i] = true;
				o->hint[area] = at + need >= o->area_nslabs ? 0 : at + need;
				return (int64_t)slot;
			}
			at = at + move >= o->area_nslabs ? 0 : at + move;
			tested += move;
		}
	}
	return -1;
}

static uint8_t pattern(const struct live *l, size_t i)
{
	return (uint8_t)(l->seed + i * 13 + (i >> 8));
}

static void fill(struct bounce_bench *b, const struct live *l, phys_addr_t at)
{
	uint8_t *bytes = g_malloc(l->size);

	for (size_t i = 0; i < l->size; i++)
		bytes[i] = pattern(l, i);
	memory_write(b->mem, at, bytes, l->size);
	g_free(bytes);
}

static bool holds(struct bounce_bench *b, const struct live *l, phys_addr_t at)
{
	uint8_t *bytes = g_malloc(l->size);
	bool same = true;

	memory_read(b->mem, at, bytes, l->size);
	for (size_t i = 0; i < l->size && same; i++)
		same = bytes[i] == pattern(l, i);
	g_free(bytes);
	return same;
}

static void check_lists(const struct bounce_bench *b, const struct oracle *o)
{
	const struct io_tlb_pool *pool = b->layer.swiotlb->pools;

	for (uint64_t i = 0; i < o->nslabs; i++) {
		ck_assert_uint_eq(pool->slots[i].list, o->used[i] ? 0 : free_run(o, i));
		if (!o->used[i])
			ck_assert_uint_eq(pool->slots[i].orig_addr, INVALID_PHYS_ADDR);
	}
}

static void map_one(struct bounce_bench *b, struct oracle *o, struct rng *rng, struct live *l, unsigned n)
{
	static const uint64_t aligns[] = {0, 0, 4095, 16383};
	uint64_t align = aligns[rng_below(rng, 4)], offset, total;
	int64_t slot;

	/* Originals of their own 512 KiB each, at any byte. */
	l->orig = 16 * MIB + (uint64_t)n * 512 * KIB + rng_below(rng, 8192);
	l->size = 1 + rng_below(rng, rng_below(rng, 4) ? 9000 : 265000);
	l->seed = (uint8_t)rng_u64(rng);
	if (o->bytes)
		fill(b, l, l->orig);
	offset = l->orig & b->dev.min_align_mask & (align | 2047);
	total = (l->size + offset + align) / (align + 1) * (align + 1);
	slot = total > 262144 ? -1
			      : oracle_find(o, &b->dev, smp_processor_id(&b->sim), l->orig, total, align);
	l->tlb = swiotlb_tbl_map_single(&b->dev, l->orig, l->size, (unsigned)align, DMA_BIDIRECTIONAL, 0);
	if (slot < 0) {
		ck_assert_uint_eq(l->tlb, DMA_MAPPING_ERROR);
		l->size = 0;
		return;
	}
	ck_assert_uint_eq(l->tlb, o->start + (uint64_t)slot * 2048 + offset);
	ck_assert_uint_eq(l->tlb & b->dev.min_align_mask, l->orig & b->dev.min_align_mask);
	l->first = (uint64_t)slot;
	l->count = (total + 2047) / 2048;
	ck_assert_uint_eq(l->first / 128, (l->first + l->count - 1) / 128);
	if (o->bytes)
		ck_assert(holds(b, l, l->tlb));
}

static void unmap_one(struct bounce_bench *b, struct oracle *o, struct rng *rng, struct live *l)
{
	l->seed = (uint8_t)rng_u64(rng);
	if (o->bytes)
		fill(b, l, l->tlb); /* what the device wrote */
	swiotlb_tbl_unmap_single(&b->dev, l->tlb, l->size, DMA_BIDIRECTIONAL, 0);
	if (o->bytes)
		ck_assert(holds(b, l, l->orig));
	for (uint64_t i = 0; i < l->count; i++)
		o->used[l->first + i] = false;
	l->size = 0;
}

static void run(uint32_t min_align, uint64_t boundary, unsigned ncpus, uint64_t seed, uint64_t steps,
		uint64_t size, bool bytes)
{
	struct live live[MAX_LIVE] = {{0}};
	struct bounce_bench b;
	struct oracle o;
	struct rng rng;

	bounce_bench_open(&b, ncpus, &(struct swiotlb_params){.size = size});
	b.dev.min_align_mask = min_align;
	b.dev.seg_boundary_mask = boundary;
	rng_init(&rng, seed, "swiotlb");
	o = (struct oracle){
	    .nslabs = b.layer.swiotlb->pools->nslabs,
	    .area_nslabs = b.layer.swiotlb->pools->area_nslabs,
	    .nareas = b.layer.swiotlb->pools->nareas,
	    .start = b.layer.swiotlb->pools->start,
	    .bytes = bytes,
	};
	o.used = g_new0(bool, o.nslabs);
	o.hint = g_new0(uint64_t, o.nareas);
	for (uint64_t i = 0; i < steps; i++) {
		unsigned n = (unsigned)rng_below(&rng, MAX_LIVE);

		b.sim.cpu = &b.sim.cpus[rng_below(&rng, ncpus)];
		if (live[n].size)
			unmap_one(&b, &o, &rng, &live[n]);
		else
			map_one(&b, &o, &rng, &live[n], n);
		if (i % (bytes ? 64 : 4096) == 0)
			check_lists(&b, &o);
	}
	for (unsigned n = 0; n < MAX_LIVE; n++)
		if (live[n].size)
			unmap_one(&b, &o, &rng, &live[n]);
	check_lists(&b, &o);
	ck_assert_uint_eq(b.st.swiotlb_slots_used, 0);
	ck_assert_uint_gt(b.st.swiotlb_failures, 0); /* small pool: exhaustion was part of it */
	g_free(o.used);
	g_free(o.hint);
	b.sim.cpu = b.sim.cpus;
	bounce_bench_close(&b);
}

START_TEST(against_naive_allocator)
{
	static const struct {
		uint32_t min_align;
		uint64_t boundary;
		unsigned ncpus;
	} rows[] = {
	    {0, UINT32_MAX, 1}, {4095, UINT32_MAX, 2}, {511, UINT32_MAX, 4},
	    {0, 0xffff, 2},     {4095, UINT64_MAX, 3}, {16383, UINT32_MAX, 1},
	};
	uint64_t seed = test_seed();

	fprintf(stderr, "seed %" G_GUINT64_FORMAT "\n", seed);
	run(rows[_i].min_align, rows[_i].boundary, rows[_i].ncpus, seed + (uint64_t)_i, test_scale(3000),
	    4 * MIB, true);
	/* Many more without contents, in the smallest pool. */
	run(rows[_i].min_align, rows[_i].boundary, rows[_i].ncpus, seed + (uint64_t)_i, test_scale(150000),
	    MIB, false);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("swiotlb");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, against_naive_allocator, 0, 6);
	return test_run("swiotlb property", t, NULL);
}
