/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include "sim/rng.h"
#include <math.h>

START_TEST(streams_depend_on_seed_and_name_only)
{
	struct rng a, b, c, d;

	rng_init(&a, 7, "buffers");
	rng_init(&b, 7, "buffers");
	rng_init(&c, 7, "walker");
	rng_init(&d, 8, "buffers");
	for (unsigned i = 0; i < 100; i++) {
		uint64_t x = rng_u64(&a);

		ck_assert_uint_eq(x, rng_u64(&b));
		ck_assert_uint_ne(x, rng_u64(&c));
		ck_assert_uint_ne(x, rng_u64(&d));
	}
}
END_TEST

/* The generator's published algorithm from state 1, 2, 3, 4, first outputs worked out by hand. */
START_TEST(generator_is_xoshiro256_starstar)
{
	struct rng r = {{1, 2, 3, 4}};

	ck_assert_uint_eq(rng_u64(&r), 11520);
	ck_assert_uint_eq(rng_u64(&r), 0);
	ck_assert_uint_eq(rng_u64(&r), 1509978240);
	ck_assert_uint_eq(rng_u64(&r), 1215971899390074240);
}
END_TEST

START_TEST(below_is_uniform)
{
	enum { N = 70000 };
	unsigned counts[7] = {0};
	double chi = 0;
	struct rng r;

	rng_init(&r, test_seed(), "below");
	for (unsigned i = 0; i < N; i++)
		counts[rng_below(&r, 7)]++;
	for (unsigned i = 0; i < 7; i++)
		chi += pow(counts[i] - N / 7.0, 2) / (N / 7.0);
	ck_assert_double_lt(chi, 22.5); /* 6 degrees of freedom, p = 0.001 */
	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_eq(rng_below(&r, 1), 0);
}
END_TEST

START_TEST(means_are_right)
{
	enum { N = 200000 };
	double uniform = 0, exponential = 0, pareto = 0;
	struct rng r;

	rng_init(&r, test_seed(), "means");
	for (unsigned i = 0; i < N; i++) {
		double u = rng_double(&r), p = rng_pareto(&r, 2, 3);

		ck_assert(u >= 0 && u < 1 && p >= 2);
		uniform += u;
		exponential += rng_exponential(&r, 10);
		pareto += p;
	}
	ck_assert_double_eq_tol(uniform / N, 0.5, 0.005);
	ck_assert_double_eq_tol(exponential / N, 10, 0.2);
	ck_assert_double_eq_tol(pareto / N, 3, 0.05); /* alpha xm / (alpha - 1) */
}
END_TEST

START_TEST(zipf_follows_its_law)
{
	static const double thetas[] = {0.5, 0.99, 1.0, 1.2};
	enum { N = 300000, ITEMS = 50 };
	unsigned counts[ITEMS] = {0};
	double theta = thetas[_i], norm = 0, chi = 0;
	struct rng_zipf z;
	struct rng r;

	rng_init(&r, test_seed(), "zipf");
	rng_zipf_init(&z, ITEMS, theta);
	for (unsigned i = 0; i < N; i++) {
		uint64_t k = rng_zipf(&z, &r);

		ck_assert_uint_lt(k, ITEMS);
		counts[k]++;
	}
	for (unsigned k = 0; k < ITEMS; k++)
		norm += pow(k + 1, -theta);
	for (unsigned k = 0; k < ITEMS; k++) {
		double expect = N * pow(k + 1, -theta) / norm;

		chi += pow(counts[k] - expect, 2) / expect;
	}
	ck_assert_double_lt(chi, 85.4); /* 49 degrees of freedom, p = 0.001 */
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("rng");

	tcase_add_test(t, streams_depend_on_seed_and_name_only);
	tcase_add_test(t, generator_is_xoshiro256_starstar);
	tcase_add_test(t, below_is_uniform);
	tcase_add_test(t, means_are_right);
	tcase_add_loop_test(t, zipf_follows_its_law, 0, 4);
	return test_run("rng", t, NULL);
}
