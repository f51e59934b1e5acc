/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page allocator: no page is handed out twice, alignment, exhaustion, nodes, limits. */
#include "support.h"

static struct sim sim;
static struct memory *m;

static void start(uint64_t size, uint64_t nodes)
{
	struct memory_params p;

	param_defaults(&memory_param_table, &p);
	p.size = size;
	p.nodes = nodes;
	sim_init(&sim, FIDELITY_COUNTS, 1, test_seed());
	m = memory_new(&sim, &p);
}

static void stop(void)
{
	memory_free(m);
	sim_fini(&sim);
}

struct block {
	phys_addr_t base;
	unsigned order;
};

static void mark(uint8_t *used, phys_addr_t base, unsigned order, bool take)
{
	bool ok = true;

	for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
		uint8_t *u = &used[(base >> PAGE_SHIFT) + i];

		ok &= *u == !take;
		*u = take;
	}
	ck_assert(ok);
}

/* Random allocations and releases of all orders: disjoint, aligned, in RAM; all comes together again. */
START_TEST(blocks_are_disjoint)
{
	const uint64_t size = 256 * MIB;
	uint8_t *used = g_malloc0(size >> PAGE_SHIFT);
	GArray *live = g_array_new(FALSE, FALSE, sizeof(struct block));
	struct rng rng;

	start(size, 2);
	rng_init(&rng, test_seed(), "pages");
	for (uint64_t i = 0; i < test_scale(50000); i++) {
		if (rng_below(&rng, 2) && live->len < 4000) {
			struct block b = {.order = rng_below(&rng, 4) ? (unsigned)rng_below(&rng, 3)
								      : (unsigned)rng_below(&rng, 13)};

			b.base = memory_alloc_pages(m, (unsigned)rng_below(&rng, 2), b.order);
			if (!b.base)
				continue;
			ck_assert_uint_eq(b.base & ((PAGE_SIZE << b.order) - 1), 0);
			ck_assert_uint_ge(b.base, MIB);
			ck_assert_uint_le(b.base + (PAGE_SIZE << b.order), size);
			mark(used, b.base, b.order, true);
			g_array_append_val(live, b);
		} else if (live->len) {
			guint k = (guint)rng_below(&rng, live->len);
			struct block b = g_array_index(live, struct block, k);

			mark(used, b.base, b.order, false);
			memory_free_pages(m, b.base, b.order);
			g_array_remove_index_fast(live, k);
		}
	}
	for (guint k = 0; k < live->len; k++) {
		struct block b = g_array_index(live, struct block, k);

		memory_free_pages(m, b.base, b.order);
	}
	/* Everything is free again: half of each node is one block (the first MiB is never free). */
	ck_assert_uint_ne(memory_alloc_pages(m, 0, 14), 0);
	ck_assert_uint_ne(memory_alloc_pages(m, 1, 15), 0);
	g_array_free(live, TRUE);
	g_free(used);
	stop();
}
END_TEST

START_TEST(exhaustion)
{
	uint64_t n = 0;

	start(32 * MIB, 1);
	while (memory_alloc_pages(m, 0, 0))
		n++;
	ck_assert_uint_eq(n, (32 * MIB - MIB) >> PAGE_SHIFT);
	ck_assert_uint_eq(memory_alloc_pages(m, 0, 3), 0);
	ck_assert_uint_eq(memory_alloc_pages(m, 0, 40), 0);
	stop();
}
END_TEST

START_TEST(own_node_first)
{
	start(64 * MIB, 2);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_eq(memory_node(m, memory_alloc_pages(m, i % 2, i % 4)), i % 2);
	/* Node 1 used up: node 0 helps out. */
	while (memory_node(m, memory_alloc_pages(m, 1, 0)) == 1)
		;
	ck_assert_uint_ne(memory_alloc_pages(m, 1, 0), 0);
	stop();
}
END_TEST

START_TEST(below_a_limit)
{
	phys_addr_t a;

	start(16 * GIB, 1);
	ck_assert_uint_ge(memory_alloc_pages(m, 0, 0), 4 * GIB);
	for (unsigned order = 0; order <= 14; order++) {
		a = memory_alloc_pages_below(m, 4 * GIB, order);
		ck_assert_uint_ne(a, 0);
		ck_assert_uint_le(a + (PAGE_SIZE << order), 4 * GIB);
	}
	ck_assert_uint_eq(memory_alloc_pages_below(m, MIB, 0), 0);
	stop();
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("pages");

	tcase_add_test(c, blocks_are_disjoint);
	tcase_add_test(c, exhaustion);
	tcase_add_test(c, own_node_first);
	tcase_add_test(c, below_a_limit);
	return test_run("page_alloc", c, NULL);
}
