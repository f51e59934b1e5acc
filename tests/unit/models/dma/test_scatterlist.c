/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include <dmasim/scatterlist.h>

static struct sim sim;

static void setup(void)
{
	sim_init(&sim, FIDELITY_COUNTS, 1, 1);
}

static void teardown(void)
{
	sim_fini(&sim);
}

/* Reference 1.10: entries -> (linked arrays, entries of the final array). */
START_TEST(arrays_of_a_table)
{
	static const unsigned rows[][3] = {
	    {1, 0, 1},   {127, 0, 127}, {128, 0, 128}, {129, 1, 2},    {255, 1, 128},
	    {256, 2, 2}, {257, 2, 3},   {1024, 8, 8},  {2048, 16, 16},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		unsigned n = rows[i][0], k = rows[i][1], r = rows[i][2];

		ck_assert_uint_eq(sg_linked_arrays(n), k);
		ck_assert_uint_eq(n - 127 * k, r);
		/* The same by taking arrays away one by one. */
		unsigned left = n, arrays = 0;

		for (; left > 128; left -= 127)
			arrays++;
		ck_assert_uint_eq(arrays, k);
		ck_assert_uint_eq(left, r);
	}
}
END_TEST

/* Reference 1.11. */
START_TEST(bytes_of_a_table)
{
	ck_assert_uint_eq(sg_table_bytes(0), 0);
	ck_assert_uint_eq(sg_table_bytes(1), 32);
	ck_assert_uint_eq(sg_table_bytes(2), 64);
	ck_assert_uint_eq(sg_table_bytes(3), 96);
	ck_assert_uint_eq(sg_table_bytes(4), 128);
	ck_assert_uint_eq(sg_table_bytes(5), 192);
	ck_assert_uint_eq(sg_table_bytes(6), 192);
	ck_assert_uint_eq(sg_table_bytes(7), 256);
	ck_assert_uint_eq(sg_table_bytes(33), 2048);
	ck_assert_uint_eq(sg_table_bytes(65), 4096);
	ck_assert_uint_eq(sg_table_bytes(128), 4096);
	ck_assert_uint_eq(sg_table_bytes(129), 4096 + 64);
	ck_assert_uint_eq(sg_table_bytes(255), 4096 + 4096);
	ck_assert_uint_eq(sg_table_bytes(256), 2 * 4096 + 64);
	ck_assert_uint_eq(sg_table_bytes(2048), 16 * 4096 + 512);

	ck_assert_uint_eq(sg_pool_bytes(0), 0);
	ck_assert_uint_eq(sg_pool_bytes(1), 256);
	ck_assert_uint_eq(sg_pool_bytes(8), 256);
	ck_assert_uint_eq(sg_pool_bytes(9), 512);
	ck_assert_uint_eq(sg_pool_bytes(17), 1024);
	ck_assert_uint_eq(sg_pool_bytes(64), 2048);
	ck_assert_uint_eq(sg_pool_bytes(65), 4096);
	ck_assert_uint_eq(sg_pool_bytes(129), 4096 + 256);
}
END_TEST

static unsigned walk(struct sg_table *t, uint32_t first)
{
	unsigned n = 0;

	for (struct scatterlist *sg = t->sgl; sg; sg = sg_next(sg), n++) {
		ck_assert(!(sg->page_link & SG_CHAIN));
		ck_assert_uint_eq(sg->length, first + n);
	}
	return n;
}

static void fill(struct sg_table *t, uint32_t first)
{
	struct scatterlist *sg;
	unsigned i;

	for_each_sg (t->sgl, sg, t->orig_nents, i)
		sg_set_phys(sg, (phys_addr_t)(i + 1) << PAGE_SHIFT, first + i);
}

/* All lengths up to three arrays: the chain has exactly n entries, the ledger what 1.11 says. */
START_TEST(chains_and_charges)
{
	struct ledger_entry *account = &sim.ledger.accounts[LEDGER_SG_TABLES];

	for (unsigned n = 1; n <= 400; n++) {
		struct sg_table t, chained;

		ck_assert_int_eq(sg_alloc_table(&sim, &t, n), 0);
		ck_assert_uint_eq(account->current, sg_table_bytes(n));
		ck_assert_int_eq(sg_alloc_table_chained(&sim, &chained, n, NULL, 0), 0);
		ck_assert_uint_eq(account->current, sg_table_bytes(n) + sg_pool_bytes(n));
		fill(&t, 7);
		fill(&chained, 9);
		ck_assert_uint_eq(walk(&t, 7), n);
		ck_assert_uint_eq(walk(&chained, 9), n);
		sg_free_table(&sim, &t);
		sg_free_table_chained(&sim, &chained, 0);
		ck_assert_uint_eq(account->current, 0);
	}
}
END_TEST

/* An inline first array of F entries: free up to F, then F - 1 of them and a link. */
START_TEST(inline_first_array)
{
	struct ledger_entry *account = &sim.ledger.accounts[LEDGER_SG_TABLES];

	for (unsigned f = 2; f <= 12; f++) {
		for (unsigned n = 1; n <= 300; n += n > 20 && n < 120 ? 9 : 1) {
			struct scatterlist first[12];
			struct sg_table t;

			ck_assert_int_eq(sg_alloc_table_chained(&sim, &t, n, first, f), 0);
			ck_assert_ptr_eq(t.sgl, first);
			ck_assert_uint_eq(account->current, n <= f ? 0 : sg_pool_bytes(n - (f - 1)));
			fill(&t, 3);
			ck_assert_uint_eq(walk(&t, 3), n);
			sg_free_table_chained(&sim, &t, f);
			ck_assert_uint_eq(account->current, 0);
		}
	}
}
END_TEST

START_TEST(empty_table_is_refused)
{
	struct sg_table t;

	ck_assert_int_eq(sg_alloc_table(&sim, &t, 0), -EINVAL);
	ck_assert_int_eq(sg_alloc_table_chained(&sim, &t, 0, NULL, 0), -EINVAL);
}
END_TEST

/* In the steady state the arrays are the ones that were freed before. */
START_TEST(arrays_are_recycled)
{
	struct sg_table a, b;
	void *first;

	ck_assert_int_eq(sg_alloc_table(&sim, &a, 200), 0);
	first = a.sgl;
	sg_free_table(&sim, &a);
	ck_assert_int_eq(sg_alloc_table(&sim, &b, 200), 0);
	ck_assert(b.sgl == first || ((uint64_t)b.sgl[127].page_link & ~3ull) == (uint64_t)(uintptr_t)first);
	sg_free_table(&sim, &b);
}
END_TEST

START_TEST(physical_address_of_an_entry)
{
	struct scatterlist sg[2];

	sg_init_table(sg, 2);
	sg_set_phys(&sg[0], 0x12345678, 99);
	sg_set_phys(&sg[1], 0xabcde000, 4096);
	ck_assert_uint_eq(sg_phys(&sg[0]), 0x12345678);
	ck_assert_uint_eq(sg[0].offset, 0x678);
	ck_assert_uint_eq(sg_phys(&sg[1]), 0xabcde000);
	ck_assert_ptr_eq(sg_next(&sg[0]), &sg[1]);
	ck_assert_ptr_null(sg_next(&sg[1]));
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("scatterlist");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, arrays_of_a_table);
	tcase_add_test(t, bytes_of_a_table);
	tcase_add_test(t, chains_and_charges);
	tcase_add_test(t, inline_first_array);
	tcase_add_test(t, empty_table_is_refused);
	tcase_add_test(t, arrays_are_recycled);
	tcase_add_test(t, physical_address_of_an_entry);
	return test_run("scatterlist", t, NULL);
}
