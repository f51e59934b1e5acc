/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layout of data buffers: sizes, contiguity by fragmentation, huge pages, reuse, determinism. */
#include "support.h"

static struct sim sim;
static struct memory *m;
static struct rng rng;

static void start(uint64_t size, double fragmentation, double huge)
{
	struct memory_params p;

	param_defaults(&memory_param_table, &p);
	p.size = size;
	p.fragmentation = fragmentation;
	p.huge_share = huge;
	sim_init(&sim, FIDELITY_COUNTS, 1, test_seed());
	m = memory_new(&sim, &p);
	rng_init(&rng, test_seed(), "layout");
}

static void stop(void)
{
	memory_free(m);
	sim_fini(&sim);
}

static uint64_t total(const struct phys_vec *v, unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += v[i].len;
	return sum;
}

static unsigned breaks(const struct phys_vec *v, unsigned n)
{
	unsigned b = 0;

	for (unsigned i = 1; i < n; i++)
		b += v[i - 1].paddr + v[i - 1].len != v[i].paddr;
	return b;
}

START_TEST(pieces_are_pages)
{
	struct phys_vec v[64];
	unsigned n;

	for (unsigned f = 0; f < 3; f++) {
		start(4 * GIB, f / 2.0, 0);
		for (unsigned i = 0; i < 2000; i++) {
			uint64_t offset = rng_below(&rng, 4096), bytes = 1 + rng_below(&rng, 128 * KIB);

			n = memory_lay_out(m, &rng, 0, offset, bytes, v, 64);
			ck_assert_uint_eq(n, div_round_up(offset + bytes, PAGE_SIZE));
			ck_assert_uint_eq(total(v, n), bytes);
			ck_assert_uint_eq(v[0].paddr & 4095, offset);
			for (unsigned k = 1; k < n; k++)
				ck_assert_uint_eq(v[k].paddr & 4095, 0);
			for (unsigned k = 0; k < n; k++)
				ck_assert_int_eq(memory_kind(m, v[k].paddr), MEMORY_RAM);
			if (rng_below(&rng, 2))
				memory_release(m, v, n);
		}
		stop();
	}
}
END_TEST

START_TEST(fragmentation_sets_breaks)
{
	static const double f[] = {0, 0.1, 0.5, 1};
	struct phys_vec v[64];

	for (unsigned k = 0; k < G_N_ELEMENTS(f); k++) {
		uint64_t n = 0, b = 0;

		start(16 * GIB, f[k], 0);
		for (unsigned i = 0; i < 4000; i++) {
			n += memory_lay_out(m, &rng, 0, 0, 32 * PAGE_SIZE, v, 64) - 1;
			b += breaks(v, 32);
			memory_release(m, v, 32);
		}
		if (f[k] == 0 || f[k] == 1)
			ck_assert_uint_eq(b, f[k] == 0 ? 0 : n);
		else
			ck_assert_double_eq_tol((double)b / (double)n, f[k], 0.02);
		stop();
	}
}
END_TEST

START_TEST(huge_pages)
{
	struct phys_vec v[64];
	unsigned n;

	start(4 * GIB, 1, 1);
	n = memory_lay_out(m, &rng, 0, 0, 4 * MIB + 8192, v, 64);
	ck_assert_uint_eq(n, 3);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_uint_eq(v[i].paddr & (2 * MIB - 1), 0);
		ck_assert_uint_eq(v[i].len, 2 * MIB);
	}
	ck_assert_uint_eq(v[2].len, 8192);
	memory_release(m, v, n);
	n = memory_lay_out(m, &rng, 0, 512, 128 * KIB, v, 64);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(v[0].paddr & 4095, 512);
	stop();
}
END_TEST

/* Buffers that live at the same time never share a page, whatever the mix; released pages come back. */
START_TEST(buffers_are_disjoint)
{
	const uint64_t pages = 64 * MIB >> PAGE_SHIFT;
	uint8_t *used = g_malloc0(pages);
	struct phys_vec v[32][40];
	unsigned n[32] = {0};

	start(64 * MIB, 0.3, 0.2);
	for (uint64_t i = 0; i < test_scale(20000); i++) {
		unsigned k = (unsigned)rng_below(&rng, 32);
		bool take = !n[k];
		uint64_t offset = rng_below(&rng, 4096);

		if (take)
			n[k] = memory_lay_out(m, &rng, 0, offset, 1 + rng_below(&rng, 32 * PAGE_SIZE), v[k],
					      40);
		ck_assert_uint_gt(n[k], 0);
		for (unsigned p = 0; p < n[k]; p++)
			for (uint64_t a = v[k][p].paddr >> PAGE_SHIFT;
			     a <= (v[k][p].paddr + v[k][p].len - 1) >> PAGE_SHIFT; a++) {
				ck_assert_uint_eq(used[a], !take);
				used[a] = take;
			}
		if (take)
			continue;
		memory_release(m, v[k], n[k]);
		n[k] = 0;
	}
	g_free(used);
	stop();
}
END_TEST

START_TEST(exhaustion_takes_nothing)
{
	struct phys_vec *v = g_new(struct phys_vec, 20000);

	for (unsigned f = 0; f < 3; f++) {
		start(32 * MIB, f / 2.0, 0);
		ck_assert_uint_eq(memory_lay_out(m, &rng, 0, 0, 40 * MIB, v, 20000), 0);
		ck_assert_uint_eq(memory_lay_out(m, &rng, 0, 0, 16 * MIB, v, 20000), 16 * MIB >> PAGE_SHIFT);
		stop();
	}
	g_free(v);
}
END_TEST

START_TEST(same_seed_same_layout)
{
	struct phys_vec a[64], b[64];
	unsigned n[2];

	for (unsigned i = 0; i < 2; i++) {
		start(4 * GIB, 0.5, 0.5);
		for (unsigned k = 0; k < 100; k++)
			n[i] = memory_lay_out(m, &rng, 0, 0, 100 * KIB, i ? b : a, 64);
		stop();
	}
	ck_assert_uint_eq(n[0], n[1]);
	for (unsigned k = 0; k < n[0]; k++) {
		ck_assert_uint_eq(a[k].paddr, b[k].paddr);
		ck_assert_uint_eq(a[k].len, b[k].len);
	}
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("layout");

	tcase_add_test(c, pieces_are_pages);
	tcase_add_test(c, fragmentation_sets_breaks);
	tcase_add_test(c, huge_pages);
	tcase_add_test(c, buffers_are_disjoint);
	tcase_add_test(c, exhaustion_takes_nothing);
	tcase_add_test(c, same_seed_same_layout);
	return test_run("layout", c, NULL);
}
