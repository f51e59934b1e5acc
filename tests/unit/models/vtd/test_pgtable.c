/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Software page tables: published vectors, rules, and random traffic against a flat model, per format. */
#include "support.h"
#include "vtd_support.h"

#include <string.h>

#define RW (PGTABLE_READ | PGTABLE_WRITE)
#define ALL_SIZES (VTD_PAGES_4K | VTD_PAGES_2M | VTD_PAGES_1G)

static struct vtd_fixture f;
static struct pgtable *t;
static struct pgtable_gather g;

static void start(int format, unsigned sizes)
{
	vtd_fixture_defaults(&f);
	vtd_fixture_start(&f, FIDELITY_COUNTS);
	t = pgtable_new(&f.sim, f.mem, (enum vtd_format)format, sizes, 0);
	g = (struct pgtable_gather)PGTABLE_GATHER_INIT;
}

static void stop(void)
{
	pgtable_free(t);
	ck_assert_uint_eq(f.sim.ledger.accounts[LEDGER_IOMMU_PAGE_TABLES].current, 0);
	vtd_fixture_stop(&f);
}

static int map(dma_addr_t iova, phys_addr_t pa, uint64_t len, uint64_t *done)
{
	return pgtable_map(t, iova, pa, len, RW, done, &g);
}

START_TEST(leaf_sizes)
{
	static const struct {
		uint64_t iova, pa, len;
		unsigned lg2;
		uint64_t count;
	} rows[] = {
	    {0x1ff000, 0x5ff000, 0x402000, 12, 1},
	    {0x200000, 0x600000, 0x401000, 21, 2},
	    {0x200000, 0x401000, 0x400000, 12, 1024},
	    {0x100000, 0x100000, 0x300000, 12, 256},
	    {0x100000, 0x100000, 0x2ff000, 12, 256},
	    {0x200000, 0x200000, 0x1ff000, 12, 511},
	    {0x1000, 0x1000, 0x40400000, 12, 511},
	    {0x200000, 0x200000, 0x40201000, 21, 511},
	    {0x40000000, 0x40000000, 0x1000, 12, 1},
	    {0, 0, 0x80000000, 30, 2},
	    {0, 0x800, 0x1000, 0, 0},
	};
	uint64_t count;

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		ck_assert_uint_eq(pgtable_leaf_size(ALL_SIZES, rows[i].iova, rows[i].pa, rows[i].len, &count),
				  rows[i].lg2);
		if (rows[i].lg2)
			ck_assert_uint_eq(count, rows[i].count);
	}
}
END_TEST

/* The rule word by word: largest size that divides both and fits; then as far as the next larger one. */
static unsigned leaf_size_slow(unsigned sizes, uint64_t iova, uint64_t pa, uint64_t len, uint64_t *count)
{
	static const unsigned lg2[] = {12, 21, 30};

	for (int s = 2; s >= 0; s--) {
		uint64_t size = UINT64_C(1) << lg2[s], bytes = len;

		if (!(sizes >> s & 1) || iova % size || pa % size || size > len)
			continue;
		for (int n = s + 1; n <= 2; n++) {
			uint64_t next = UINT64_C(1) << lg2[n];

			if (!(sizes >> n & 1))
				continue;
			if (iova % next == pa % next)
				bytes = MIN(bytes, next - iova % next);
			break;
		}
		*count = bytes / size;
		return lg2[s];
	}
	return 0;
}

START_TEST(leaf_size_equals_slow)
{
	static const unsigned sets[] = {1, 3, 5, 7};
	struct rng rng;

	rng_init(&rng, test_seed(), "leaf");
	for (uint64_t i = 0; i < test_scale(100000); i++) {
		unsigned shift = 9 + (unsigned)rng_below(&rng, 22), sizes = sets[rng_below(&rng, 4)];
		uint64_t iova = rng_below(&rng, 2048) << shift, pa = rng_below(&rng, 2048) << shift,
			 len = (1 + rng_below(&rng, 3000)) << 12, a = 0, b = 0;

		if (rng_below(&rng, 2))
			pa = iova + (rng_below(&rng, 4) << 21);
		ck_assert_uint_eq(pgtable_leaf_size(sizes, iova, pa, len, &a),
				  leaf_size_slow(sizes, iova, pa, len, &b));
		ck_assert_uint_eq(a, b);
	}
}
END_TEST

START_TEST(errors)
{
	uint64_t done, last;

	start(_i, ALL_SIZES);
	last = pgtable_last_iova(t);
	ck_assert_uint_eq(last + 1, UINT64_C(1) << (vtd_formats[_i].width - vtd_formats[_i].first_stage));
	ck_assert_int_eq(pgtable_map(t, 0x1000, 0x1000, 0x1000, 0, &done, &g), -EINVAL);
	ck_assert_int_eq(map(0x1000, 0x1000, 0, &done), -EINVAL);
	ck_assert_int_eq(map(0x1000, UINT64_C(1) << 52, 0x1000, &done), -ERANGE);
	ck_assert_int_eq(map(last + 1, 0x1000, 0x1000, &done), -ERANGE);
	ck_assert_int_eq(map(last - 0xfff, 0x1000, 0x2000, &done), -ERANGE);
	ck_assert_int_eq(map(UINT64_MAX - 0xfff, 0x1000, 0x2000, &done), -EOVERFLOW);
	ck_assert_int_eq(map(0x1800, 0x1000, 0x1000, &done), -ENXIO);
	ck_assert_int_eq(map(0x1000, 0x1800, 0x1000, &done), -ENXIO);
	ck_assert_int_eq(map(0x1800, 0x1800, 0x2000, &done), -ENXIO);
	ck_assert_int_eq(map(last - 0xfff, 0x1000, 0x1000, &done), 0);
	ck_assert_int_eq(map(last - 0xfff, 0x1000, 0x1000, &done), -EADDRINUSE);
	ck_assert_uint_eq(done, 0);
	/* The second page is taken: one page is done and reported. */
	ck_assert_int_eq(map(last - 0x1fff, 0x1000, 0x2000, &done), -EADDRINUSE);
	ck_assert_uint_eq(done, 0x1000);
	ck_assert_uint_eq(pgtable_unmap(t, last - 0x1fff, 0x2000, &g), 0x2000);
	ck_assert_uint_eq(pgtable_unmap(t, last - 0x1fff, 0x2000, &g), 0);
	stop();
}
END_TEST

START_TEST(large_leaf_replaces_empty_table)
{
	uint64_t done;

	start(_i, ALL_SIZES);
	test_map(t, 0x40000000, 0x80000000, 0x1000, RW);
	ck_assert_int_eq(map(0x40000000, 0x80000000, 0x200000, &done), -EADDRINUSE);
	ck_assert_uint_eq(pgtable_unmap(t, 0x40000000, 0x1000, &g), 0x1000);
	ck_assert_uint_eq(g.tables.count, 0);
	ck_assert_int_eq(map(0x40000000, 0x80000000, 0x200000, &done), 0);
	ck_assert_uint_eq(done, 0x200000);
	ck_assert_uint_eq(g.tables.count, 1);
	ck_assert_uint_eq(g.start, 0x40000000);
	ck_assert_uint_eq(g.end, 0x401fffff);
	/* Not freed before the flush. */
	ck_assert_uint_eq(pgtable_counters(t)->tables_freed, 0);
	pgtable_release(t, &g.tables);
	ck_assert_uint_eq(pgtable_counters(t)->tables_freed, 1);
	stop();
}
END_TEST

START_TEST(unmap_rules)
{
	uint64_t done, size;

	start(_i, ALL_SIZES);
	ck_assert_int_eq(map(0x40000000, 0x80000000, 0x400000, &done), 0);
	/* Inside a large leaf: nothing. Ends inside one: all of it. */
	ck_assert_uint_eq(pgtable_unmap(t, 0x40001000, 0x1000, &g), 0);
	ck_assert_uint_eq(pgtable_iova_to_phys(t, 0x40001234, &size), 0x80001234);
	ck_assert_uint_eq(size, 0x200000);
	ck_assert_uint_eq(pgtable_unmap(t, 0x40000000, 0x1000, &g), 0x200000);
	ck_assert_uint_eq(pgtable_unmap(t, 0x40200000, 0x201000, &g), 0x200000);
	/* A hole stops it. */
	ck_assert_int_eq(map(0x40000000, 0x80001000, 0x2000, &done), 0);
	ck_assert_int_eq(map(0x40003000, 0x80003000, 0x1000, &done), 0);
	ck_assert_uint_eq(pgtable_unmap(t, 0x40000000, 0x4000, &g), 0x2000);
	ck_assert_uint_eq(pgtable_iova_to_phys(t, 0x40003000, NULL), 0x80003000);
	ck_assert_uint_eq(pgtable_iova_to_phys(t, 0x40000000, NULL), 0);
	/* A table goes only when one unmap covers its span. */
	ck_assert_uint_eq(g.tables.count, 0);
	ck_assert_uint_eq(pgtable_unmap(t, 0x40003000, 0x1000, &g), 0x1000);
	ck_assert_int_eq(map(0x40000000, 0x80001000, 0x200000, &done), 0);
	ck_assert_uint_eq(pgtable_unmap(t, 0x40000000, 0x200000, &g), 0x200000);
	ck_assert_uint_eq(g.tables.count, 1);
	stop();
}
END_TEST

START_TEST(list_splices)
{
	struct pgtable_list all = {NULL, NULL, 0};
	uint64_t done;

	start(VTD_SS_48, VTD_PAGES_4K);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(map(0x40000000, 0x1000, 0x200000, &done), 0);
		ck_assert_uint_eq(pgtable_unmap(t, 0x40000000, 0x200000, &g), 0x200000);
		pgtable_list_splice(&all, &g.tables);
		ck_assert(pgtable_list_empty(&g.tables));
		ck_assert_uint_eq(all.count, i + 1);
	}
	pgtable_release(t, &all);
	ck_assert_uint_eq(all.count, 0);
	ck_assert_uint_eq(pgtable_counters(t)->tables_freed, 3);
	/* Tables on a list that nobody releases go with the table (stop() checks the ledger). */
	ck_assert_int_eq(map(0x40000000, 0x1000, 0x200000, &done), 0);
	pgtable_unmap(t, 0x40000000, 0x200000, &g);
	stop();
}
END_TEST

/* ---- flat model: one record per 4 KiB page of a few windows ---- */

#define WINDOW_PAGES (4u * 512)
struct flat {
	phys_addr_t pa; /* of this page; 0: not mapped */
	unsigned leaf;  /* log2 of the leaf that maps it */
};

static int flat_map(struct flat *m, dma_addr_t base, unsigned sizes, dma_addr_t iova, phys_addr_t pa,
		    uint64_t len, uint64_t *done)
{
	*done = 0;
	while (len) {
		uint64_t count = 0;
		unsigned lg2 = leaf_size_slow(sizes, iova, pa, len, &count);

		if (!lg2)
			return -ENXIO;
		for (uint64_t i = 0; i < UINT64_C(1) << (lg2 - 12); i++)
			if (m[(iova - base) / PAGE_SIZE + i].pa)
				return -EADDRINUSE;
		for (uint64_t i = 0; i < UINT64_C(1) << (lg2 - 12); i++)
			m[(iova - base) / PAGE_SIZE + i] = (struct flat){pa + i * PAGE_SIZE, lg2};
		iova += UINT64_C(1) << lg2;
		pa += UINT64_C(1) << lg2;
		*done += UINT64_C(1) << lg2;
		len -= UINT64_C(1) << lg2;
	}
	return 0;
}

static uint64_t flat_unmap(struct flat *m, dma_addr_t base, dma_addr_t iova, uint64_t len)
{
	uint64_t done = 0;

	while (done < len) {
		struct flat *e = &m[(iova + done - base) / PAGE_SIZE];
		unsigned lg2 = e->leaf;

		if (!e->pa || (iova + done) & ((UINT64_C(1) << lg2) - 1))
			break;
		for (uint64_t i = 0; i < UINT64_C(1) << (lg2 - 12); i++)
			e[i] = (struct flat){0, 0};
		done += UINT64_C(1) << lg2;
	}
	return done;
}

START_TEST(random_equals_flat)
{
	static const unsigned sets[] = {VTD_PAGES_4K, VTD_PAGES_4K | VTD_PAGES_2M};
	struct flat *m = g_new0(struct flat, WINDOW_PAGES);
	struct rng rng;

	rng_init(&rng, test_seed(), "pgtable");
	for (unsigned s = 0; s < 2; s++) {
		dma_addr_t base;

		start(_i, sets[s]);
		memset(m, 0, sizeof(*m) * WINDOW_PAGES);
		/* Up to the very last address: nothing may wrap. */
		base = pgtable_last_iova(t) + 1 - WINDOW_PAGES * PAGE_SIZE;
		for (uint64_t i = 0; i < test_scale(6000); i++) {
			unsigned align = rng_below(&rng, 3) ? 12 : 21;
			uint64_t first = rng_below(&rng, WINDOW_PAGES) >> (align - 12) << (align - 12),
				 max = WINDOW_PAGES - first,
				 n = 1 + rng_below(&rng, rng_below(&rng, 4) ? MIN(max, 40) : max), a = 0,
				 b = 0;
			dma_addr_t iova = base + first * PAGE_SIZE;
			phys_addr_t pa = UINT64_C(0x100000000) +
					 (rng_below(&rng, 1 << 20) >> (align - 12) << align);

			if (rng_below(&rng, 2)) {
				ck_assert_int_eq(map(iova, pa, n * PAGE_SIZE, &a),
						 flat_map(m, base, sets[s], iova, pa, n * PAGE_SIZE, &b));
			} else {
				a = pgtable_unmap(t, iova, n * PAGE_SIZE, &g);
				b = flat_unmap(m, base, iova, n * PAGE_SIZE);
			}
			ck_assert_uint_eq(a, b);
			if (rng_below(&rng, 8) == 0)
				pgtable_release(t, &g.tables);
			for (unsigned k = 0; k < 8; k++) {
				uint64_t page = rng_below(&rng, WINDOW_PAGES), size = 0;
				phys_addr_t phys = pgtable_iova_to_phys(t, base + page * PAGE_SIZE + 5,
									&size);

				ck_assert_uint_eq(phys, m[page].pa ? m[page].pa + 5 : 0);
				if (phys)
					ck_assert_uint_eq(size, UINT64_C(1) << m[page].leaf);
			}
			ck_assert_uint_eq(
			    (pgtable_counters(t)->tables_allocated - pgtable_counters(t)->tables_freed) *
				PAGE_SIZE,
			    f.sim.ledger.accounts[LEDGER_IOMMU_PAGE_TABLES].current);
		}
		stop();
	}
	g_free(m);
}
END_TEST

/* Entry bits that real tables have. */
START_TEST(entry_bits)
{
	const struct vtd_format_info *fi = &vtd_formats[_i];
	phys_addr_t table;
	uint64_t *e;

	start(_i, ALL_SIZES);
	test_map(t, 0x40000000, 0x123456000, 0x1000, PGTABLE_READ);
	test_map(t, 0x40200000, 0x140000000, 0x200000, RW);
	table = pgtable_root(t);
	for (unsigned l = fi->levels; l > 2; l--) {
		e = memory_ptr(f.mem, table + (UINT64_C(0x40000000) >> (12 + 9 * (l - 1)) & 511) * 8);
		ck_assert_uint_eq(*e & ~fi->address_mask, fi->first_stage ? 0x27 : 0x3);
		table = *e & fi->address_mask;
	}
	e = memory_ptr(f.mem, table);
	ck_assert_uint_eq(e[1], UINT64_C(0x140000000) | (fi->first_stage ? 0xe7 : 0x83));
	e = memory_ptr(f.mem, e[0] & fi->address_mask);
	ck_assert_uint_eq(e[0], UINT64_C(0x123456000) | (fi->first_stage ? 0x25 : 0x1));
	stop();
}
END_TEST

START_TEST(counts_tables_and_entries)
{
	const struct pgtable_counters *c;
	unsigned levels = vtd_formats[_i].levels;
	uint64_t done;

	start(_i, VTD_PAGES_4K);
	c = pgtable_counters(t);
	/* 600 pages across a 2 MiB bound: two leaf tables and one of each level between. */
	ck_assert_int_eq(map(0x401ff000, 0x1000, 600 * PAGE_SIZE, &done), 0);
	ck_assert_uint_eq(c->ptes_written, 600);
	ck_assert_uint_eq(c->tables_allocated, 1 + (levels - 2) + 3);
	ck_assert_uint_eq(c->tables_visited, 3);
	ck_assert_uint_eq(c->levels_read, 3 * (levels - 1)); /* each leaf table from the root */
	ck_assert_uint_eq(pgtable_unmap(t, 0x401ff000, 600 * PAGE_SIZE, &g), 600 * PAGE_SIZE);
	ck_assert_uint_eq(c->ptes_cleared, 600);
	ck_assert_uint_eq(c->large_cleared, 0);
	/* Down to the level above the leaf tables, then into each of them. */
	ck_assert_uint_eq(c->levels_read, 3 * (levels - 1) + (levels - 2) + 3);
	/* The middle table is covered whole. */
	ck_assert_uint_eq(g.tables.count, 1);
	stop();
}
END_TEST

START_TEST(counts_large_leaves_and_levels_above_them)
{
	const struct pgtable_counters *c;
	unsigned levels = vtd_formats[_i].levels;
	uint64_t done;

	start(_i, VTD_PAGES_4K | VTD_PAGES_2M);
	c = pgtable_counters(t);
	ck_assert_int_eq(map(0x40200000, 0x200000, 6 * MIB + PAGE_SIZE, &done), 0);
	ck_assert_uint_eq(c->leaves_2m, 3);
	ck_assert_uint_eq(c->levels_read, (levels - 2) + (levels - 1));
	ck_assert_uint_eq(pgtable_unmap(t, 0x40200000, 6 * MIB, &g), 6 * MIB);
	ck_assert_uint_eq(c->large_cleared, 3);
	ck_assert_uint_eq(c->levels_read, 2 * (levels - 2) + (levels - 1));
	ck_assert_uint_eq(pgtable_unmap(t, 0x40800000, PAGE_SIZE, &g), PAGE_SIZE);
	ck_assert_uint_eq(c->large_cleared, 3);
	ck_assert_uint_eq(c->levels_read, 2 * (levels - 2) + 2 * (levels - 1));
	stop();
}
END_TEST

int main(void)
{
	TCase *rules = tcase_create("rules"), *random = tcase_create("random");

	tcase_add_test(rules, leaf_sizes);
	tcase_add_test(rules, leaf_size_equals_slow);
	tcase_add_loop_test(rules, errors, 0, VTD_FORMATS);
	tcase_add_loop_test(rules, large_leaf_replaces_empty_table, 0, VTD_FORMATS);
	tcase_add_loop_test(rules, unmap_rules, 0, VTD_FORMATS);
	tcase_add_test(rules, list_splices);
	tcase_add_loop_test(rules, entry_bits, 0, VTD_FORMATS);
	tcase_add_loop_test(rules, counts_tables_and_entries, 0, VTD_FORMATS);
	tcase_add_loop_test(rules, counts_large_leaves_and_levels_above_them, 0, VTD_FORMATS);
	tcase_add_loop_test(random, random_equals_flat, 0, VTD_FORMATS);
	tcase_set_timeout(random, 300);
	return test_run("pgtable", rules, random, NULL);
}
