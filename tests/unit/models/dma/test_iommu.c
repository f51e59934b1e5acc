/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IOMMU core: chunk rule, gather, map and unmap per release, error unwinding. */
#include "dma_rig.h"
#include "models/dma/iommu.h"

#define SIZES (4 * KIB | 2 * MIB | GIB)

struct chunk {
	size_t pgsize, count;
};

static unsigned chunks(dma_addr_t iova, phys_addr_t phys, size_t size, struct chunk *out)
{
	unsigned n = 0;

	while (size) {
		size_t done;

		out[n].pgsize = iommu_pgsize(SIZES, iova, phys, size, &out[n].count);
		done = out[n].pgsize * out[n].count;
		n++;
		iova += done;
		phys += done;
		size -= done;
	}
	return n;
}

static void expect(dma_addr_t iova, phys_addr_t phys, size_t size, const struct chunk *want, unsigned nwant)
{
	struct chunk got[16];
	unsigned n = chunks(iova, phys, size, got);

	ck_assert_uint_eq(n, nwant);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_uint_eq(got[i].pgsize, want[i].pgsize);
		ck_assert_uint_eq(got[i].count, want[i].count);
	}
}

START_TEST(pgsize_vectors)
{
	static const struct chunk a[] = {{4 * KIB, 1}, {2 * MIB, 2}, {4 * KIB, 1}};
	static const struct chunk b[] = {{4 * KIB, 1024}};
	static const struct chunk c[] = {{4 * KIB, 256}, {2 * MIB, 1}};
	static const struct chunk d[] = {{4 * KIB, 767}};
	static const struct chunk e[] = {{4 * KIB, 511}, {2 * MIB, 513}, {4 * KIB, 1}};

	expect(0x1ff000, 0x5ff000, 0x402000, a, 3);
	expect(0x200000, 0x401000, 0x400000, b, 1);
	expect(0x100000, 0x100000, 0x300000, c, 2);
	expect(0x100000, 0x100000, 0x2ff000, d, 1);
	expect(0x1000, 0x1000, 0x40400000, e, 3);
}
END_TEST

/* Page by page: each piece takes the largest page that fits; runs of equal pages must come out. */
START_TEST(pgsize_brute_force)
{
	struct rng rng;

	rng_init(&rng, test_seed(), "pgsize");
	for (uint64_t round = 0; round < test_scale(20000); round++) {
		struct chunk got[64];
		dma_addr_t iova = rng_below(&rng, 3 * 512 * 512) << PAGE_SHIFT;
		phys_addr_t phys = rng_below(&rng, 2) ? iova + (rng_below(&rng, 4) << 21)
						      : rng_below(&rng, 1 << 20) << PAGE_SHIFT;
		size_t size = (1 + rng_below(&rng, rng_below(&rng, 2) ? 2000 : 512 * 600)) << PAGE_SHIFT;
		unsigned n = chunks(iova, phys, size, got);
		size_t at = 0;

		for (unsigned i = 0; i < n; i++) {
			size_t p = got[i].pgsize, left = size - at;

			/* The size is the largest that alignment and what is left allow. */
			ck_assert_uint_eq((iova + at) % p | (phys + at) % p, 0);
			ck_assert_uint_le(p, left);
			for (size_t q = p * 512; q <= GIB; q *= 512)
				ck_assert(q > left || (iova + at) % q || (phys + at) % q);
			/* The count ends at a boundary of the next size only if a page of it fits there. */
			if (got[i].count < left / p) {
				size_t end = at + p * got[i].count;

				ck_assert_uint_eq((iova + end) % (p * 512) | (phys + end) % (p * 512), 0);
				ck_assert_uint_ge(size - end, p * 512);
			}
			at += p * got[i].count;
		}
		ck_assert_uint_eq(at, size);
	}
}
END_TEST

START_TEST(gather_rules)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	struct iommu_domain *d = r.dev->domain;
	struct iommu_iotlb_gather g = IOMMU_IOTLB_GATHER_INIT;
	uint64_t *syncs = &r.m->dma_stats.iotlb_syncs;

	iommu_iotlb_sync(d, &g); /* empty: nothing */
	ck_assert_uint_eq(*syncs, 0);
	iommu_iotlb_gather_add_page(d, &g, 0x10000, 0x1000);
	iommu_iotlb_gather_add_page(d, &g, 0x11000, 0x1000); /* touching */
	iommu_iotlb_gather_add_page(d, &g, 0xf000, 0x1000);
	ck_assert_uint_eq(*syncs, 0);
	ck_assert_uint_eq(g.start, 0xf000);
	ck_assert_uint_eq(g.end, 0x11fff);
	iommu_iotlb_gather_add_page(d, &g, 0x20000, 0x1000); /* disjoint */
	ck_assert_uint_eq(*syncs, 1);
	ck_assert_uint_eq(g.start, 0x20000);
	iommu_iotlb_gather_add_page(d, &g, 0x21000, 0x2000); /* another size */
	ck_assert_uint_eq(*syncs, 2);
	ck_assert_uint_eq(g.pgsize, 0x2000);
	iommu_iotlb_sync(d, &g);
	ck_assert_uint_eq(*syncs, 3);
	ck_assert(iommu_iotlb_gather_empty(&g));
	iommu_iotlb_gather_add_range(&g, 0x40000, 0x1000);
	iommu_iotlb_gather_add_range(&g, 0x10000, 0x1000); /* ranges only grow */
	ck_assert_uint_eq(g.start, 0x10000);
	ck_assert_uint_eq(g.end, 0x40fff);
	rig_free(&r);
}
END_TEST

START_TEST(chunked_unmap_syncs_early)
{
	struct rig r = rig_new(IOMMU_STRICT, _i);
	struct iommu_domain *d = r.dev->domain;
	struct dma_stats *st = &r.m->dma_stats;
	bool runs = !r.m->kernel->map_range, pt = r.m->kernel->generic_pt;

	/* 1 MiB of 4 KiB pages and 4 MiB of 2 MiB ones: two chunks of different size. */
	ck_assert_int_eq(iommu_map(d, 0x40100000, 0x80100000, 5 * MIB, IOMMU_READ), 0);
	ck_assert_uint_eq(st->ptes_written, 256 + 2);
	ck_assert_uint_eq(st->iommu_map_ops, 1);
	ck_assert_uint_eq(st->indirect_calls, runs ? 2 + 1 : 1 + 1);
	ck_assert_uint_eq(iommu_unmap(d, 0x40100000, 5 * MIB), 5 * MIB);
	ck_assert_uint_eq(st->iotlb_syncs, pt ? 1 : 2);
	ck_assert_uint_eq(st->ptes_cleared, 256 + 2);
	rig_free(&r);
}
END_TEST

START_TEST(unmap_chunks_follow_iova_only)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	struct iommu_domain *d = r.dev->domain;
	struct dma_stats *st = &r.m->dma_stats;

	/* Mapped by 4 KiB (physical side unaligned), unmapped in one 2 MiB chunk. */
	ck_assert_int_eq(iommu_map(d, 0x40000000, 0x80001000, 2 * MIB, IOMMU_READ), 0);
	ck_assert_uint_eq(st->ptes_written, 512);
	st->indirect_calls = 0;
	ck_assert_uint_eq(iommu_unmap(d, 0x40000000, 2 * MIB), 2 * MIB);
	ck_assert_uint_eq(st->indirect_calls, 2);
	ck_assert_uint_eq(st->table_pages_freed, 1);
	rig_free(&r);
}
END_TEST

START_TEST(error_codes)
{
	struct rig r = rig_new(IOMMU_STRICT, _i);
	struct iommu_domain *d = r.dev->domain;
	bool pt = r.m->kernel->map_range;
	uint64_t entries;

	ck_assert_int_eq(iommu_map(d, 0x1000, 0x100800, 0x1000, IOMMU_READ), pt ? -ENXIO : -EINVAL);
	ck_assert_int_eq(iommu_map(d, 0x1800, 0x100000, 0x1000, IOMMU_READ), pt ? -ENXIO : -EINVAL);
	ck_assert_int_eq(iommu_map(d, 0x1000, 0x100000, 0x800, IOMMU_READ), pt ? -ENXIO : -EINVAL);
	ck_assert_int_eq(iommu_map(d, 0x1000, 0x100000, 0, IOMMU_READ), pt ? -EINVAL : 0);
	ck_assert_int_eq(iommu_map(d, 0x1000, 0x100000, 0x1000, 0), -EINVAL);
	ck_assert_int_eq(iommu_map(d, 0x5000, 0x100000, 0x1000, IOMMU_READ), 0);
	/* Over an existing entry: what was done before it is undone. */
	entries = r.m->dma_stats.ptes_written - r.m->dma_stats.ptes_cleared;
	ck_assert_int_eq(iommu_map(d, 0x3000, 0x200000, 0x4000, IOMMU_READ), -EADDRINUSE);
	ck_assert_uint_eq(r.m->dma_stats.ptes_written - r.m->dma_stats.ptes_cleared, entries);
	ck_assert_uint_eq(iommu_iova_to_phys(d, 0x3000), 0);
	ck_assert_uint_eq(iommu_iova_to_phys(d, 0x5123), 0x100123);
	rig_free(&r);
}
END_TEST

struct log {
	struct qi_desc desc[32];
	unsigned n;
};

static void log_desc(void *arg, const struct qi_desc *desc)
{
	struct log *l = arg;

	ck_assert_uint_lt(l->n, G_N_ELEMENTS(l->desc));
	l->desc[l->n++] = *desc;
}

START_TEST(large_leaf_over_empty_table)
{
	struct rig r = rig_new(IOMMU_LAZY, _i);
	struct iommu_domain *d = r.dev->domain;
	struct log log = {.n = 0};
	struct dma_observer o = {.arg = &log, .qi_submit = log_desc};

	/* A 4 KiB page leaves an empty leaf table behind. */
	ck_assert_int_eq(iommu_map(d, 0x40000000, 0x80001000, 4096, IOMMU_READ), 0);
	iommu_unmap(d, 0x40000000, 4096);
	dma_layer_set_observer(r.dev->dma, &o);
	ck_assert_int_eq(iommu_map(d, 0x40000000, 0x80000000, 2 * MIB, IOMMU_READ), 0);
	/* Flushed at once, also in lazy mode: page-selective, AM 9, IH 0. */
	ck_assert_uint_eq(log.n, 1);
	ck_assert_uint_eq(log.desc[0].qw0, (uint64_t)d->did << 16 | 0xf2);
	ck_assert_uint_eq(log.desc[0].qw1, 0x40000000 | 9);
	ck_assert_uint_eq(r.m->dma_stats.table_pages_freed, 1);
	rig_free(&r);
}
END_TEST

START_TEST(large_leaves_over_several_tables)
{
	struct rig r = rig_new(IOMMU_STRICT, _i);
	struct iommu_domain *d = r.dev->domain;
	struct log log = {.n = 0};
	struct dma_observer o = {.arg = &log, .qi_submit = log_desc};
	const struct kernel_profile *k = r.m->kernel;
	/* One per run of large pages with a range each, or everything once per call. */
	unsigned want = k->generic_pt ? 1 : 2;

	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(iommu_map(d, 0x40000000 + i * 2 * MIB, 0x80001000, 4096, IOMMU_READ), 0);
		iommu_unmap(d, 0x40000000 + i * 2 * MIB, 4096);
	}
	dma_layer_set_observer(r.dev->dma, &o);
	ck_assert_int_eq(iommu_map(d, 0x40000000, 0x80000000, 4 * MIB, IOMMU_READ), 0);
	ck_assert_uint_eq(log.n, want);
	/* 6.12 flushes from each leaf to the end of the run, 7.0 everything once. */
	ck_assert_uint_eq(log.desc[0].qw1 & 0x3f, !k->replace_flush_to_end && !k->generic_pt ? 9 : 10);
	rig_free(&r);
}
END_TEST

START_TEST(detached_table_clears_the_hint)
{
	struct rig r = rig_new(IOMMU_STRICT, _i);
	struct iommu_domain *d = r.dev->domain;
	struct log log = {.n = 0};
	struct dma_observer o = {.arg = &log, .qi_submit = log_desc};
	bool hint = r.m->kernel->ih_hint;

	dma_layer_set_observer(r.dev->dma, &o);
	ck_assert_int_eq(iommu_map(d, 0x40000000, 0x80001000, 2 * MIB, IOMMU_READ), 0);
	iommu_unmap(d, 0x40000000, 4096);
	iommu_map(d, 0x40000000, 0x80001000, 4096, IOMMU_READ);
	iommu_unmap(d, 0x40000000, 2 * MIB);
	ck_assert_uint_eq(log.n, 2);
	ck_assert_uint_eq(log.desc[0].qw1, 0x40000000 | (hint ? 0x40 : 0));
	ck_assert_uint_eq(log.desc[1].qw1, 0x40000000 | 9);
	rig_free(&r);
}
END_TEST

START_TEST(map_sg_merges_runs)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	struct iommu_domain *d = r.dev->domain;
	struct scatterlist sg[4];

	sg_init_table(sg, 4);
	sg_set_phys(&sg[0], 0x10000, 0x1000);
	sg_set_phys(&sg[1], 0x11000, 0x2000);
	sg_set_phys(&sg[2], 0x20000, 0x1000);
	sg_set_phys(&sg[3], 0x21000, 0x1000);
	ck_assert_int_eq(iommu_map_sg(d, 0x40000000, sg, 4, IOMMU_READ), 0x5000);
	ck_assert_uint_eq(r.m->dma_stats.iommu_map_ops, 2);
	ck_assert_uint_eq(r.m->dma_stats.sync_maps, 1);
	ck_assert_uint_eq(iommu_iova_to_phys(d, 0x40003000), 0x20000);
	/* The second run hits a mapping: the first one is taken back. */
	ck_assert_int_eq(iommu_map(d, 0x50003000, 0x90000, 0x1000, IOMMU_READ), 0);
	ck_assert_int_eq(iommu_map_sg(d, 0x50000000, sg, 4, IOMMU_READ), -EADDRINUSE);
	ck_assert_uint_eq(iommu_iova_to_phys(d, 0x50000000), 0);
	rig_free(&r);
}
END_TEST

/* ---- what page-table work costs ---- */

static const struct table_work {
	uint64_t bytes, entries, large, levels, tables; /* levels: below the root; tables: with entries */
} table_work[] = {
    {4 * KIB, 1, 0, 3, 1},
    {MIB, 256, 0, 3, 1},
    {2 * MIB, 1, 1, 2, 1},
    {64 * MIB, 32, 32, 2, 1},
};

static void charge_of(const struct cpu *cpu, uint64_t *steps)
{
	for (unsigned i = 0; i < COST_COUNT; i++)
		steps[i] = cpu->steps[i] - steps[i];
}

/* Steps of one call on tables that exist; each release's own, and only those. */
START_TEST(table_work_is_charged_by_call_entry_and_level)
{
	const struct table_work *w = &table_work[_i % 4];
	enum kernel_version k = _i / 4 % KERNEL_VERSIONS;
	bool generic = kernel_profiles[k].generic_pt, coherent = _i / 4 / KERNEL_VERSIONS == 0;
	const char *const set[] = {"iommu.cap", "0x8d2078c106f0466", "iommu.ecap",
				   coherent ? "0xf020df" : "0xf020de", NULL};
	struct rig r = rig_new_with(IOMMU_LAZY, k, set);
	struct iommu_domain *d = r.dev->domain;
	const struct cpu *cpu = r.m->sim.cpu;
	uint64_t s[COST_COUNT], want[COST_COUNT] = {0};
	struct iommu_iotlb_gather g = IOMMU_IOTLB_GATHER_INIT;

	g.queued = true;
	for (unsigned round = 0; round < 2; round++) {
		memcpy(s, cpu->steps, sizeof(s));
		ck_assert_int_eq(iommu_map_nosync(d, 0x40000000, 0x80000000, w->bytes, IOMMU_READ), 0);
		charge_of(cpu, s);
		if (round == 0)
			ck_assert_uint_eq(iommu_unmap_fast(d, 0x40000000, w->bytes, &g), w->bytes);
	}
	want[COST_INDIRECT_CALL] = 1;
	want[generic ? COST_PT_MAP_CALL : COST_PT_OLD_MAP_CALL] = 1;
	want[generic ? COST_PT_MAP_PAGE : COST_PT_OLD_MAP_PAGE] = w->entries;
	/* Before the generic table: down once more, to look for tables that large leaves replace. */
	want[COST_PT_MAP_LEVEL] = !generic && w->large ? 2 * w->levels : w->levels;
	want[COST_PT_OLD_MAP_LARGE] = generic ? 0 : w->large;
	want[COST_PT_CACHE_FLUSH] = coherent ? 0 : w->tables;
	ck_assert_mem_eq(s, want, sizeof(want));

	memcpy(s, cpu->steps, sizeof(s));
	ck_assert_uint_eq(iommu_unmap_fast(d, 0x40000000, w->bytes, &g), w->bytes);
	charge_of(cpu, s);
	memset(want, 0, sizeof(want));
	want[COST_INDIRECT_CALL] = 1;
	want[generic ? COST_PT_UNMAP_CALL : COST_PT_OLD_UNMAP_CALL] = 1;
	want[generic ? COST_PT_UNMAP_PAGE : COST_PT_OLD_UNMAP_PAGE] = w->entries;
	want[generic ? COST_PT_UNMAP_LARGE : COST_PT_OLD_UNMAP_LARGE] = w->large;
	want[COST_PT_UNMAP_LEVEL] = w->levels;
	want[COST_PT_UNMAP_FLUSH] = coherent ? 0 : w->tables;
	ck_assert_mem_eq(s, want, sizeof(want));
	iommu_iotlb_sync(d, &g);
	rig_free(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("core");

	tcase_add_test(t, pgsize_vectors);
	tcase_add_test(t, pgsize_brute_force);
	tcase_add_test(t, gather_rules);
	tcase_add_loop_test(t, chunked_unmap_syncs_early, 0, KERNEL_VERSIONS);
	tcase_add_test(t, unmap_chunks_follow_iova_only);
	tcase_add_loop_test(t, error_codes, 0, KERNEL_VERSIONS);
	tcase_add_loop_test(t, large_leaf_over_empty_table, 0, KERNEL_VERSIONS);
	tcase_add_loop_test(t, large_leaves_over_several_tables, 0, KERNEL_VERSIONS);
	tcase_add_loop_test(t, detached_table_clears_the_hint, 0, KERNEL_VERSIONS);
	tcase_add_test(t, map_sg_merges_runs);
	tcase_add_loop_test(t, table_work_is_charged_by_call_entry_and_level, 0, 2 * 4 * KERNEL_VERSIONS);
	return test_run("iommu", t, NULL);
}
