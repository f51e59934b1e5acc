/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reuse distances against a list that is searched, and the estimate beyond the sample's size. */
#include "support.h"
#include "trace/reuse.h"

#include "sim/rng.h"

START_TEST(test_exact)
{
	struct reuse *u = reuse_new();
	struct hist *want = hist_new_log();
	GArray *recent = g_array_new(FALSE, FALSE, sizeof(uint64_t)); /* latest last, each block once */
	struct rng rng;
	struct rng_zipf zipf;

	rng_init(&rng, test_seed(), "reuse");
	rng_zipf_init(&zipf, 3000, 0.8);
	for (unsigned i = 0; i < 150000; i++) {
		uint64_t block = i % 50 ? rng_zipf(&zipf, &rng) : 5000 + i % 700;
		unsigned k = recent->len;

		while (k > 0 && g_array_index(recent, uint64_t, k - 1) != block)
			k--;
		if (k > 0) {
			hist_add(want, recent->len - k, 1);
			g_array_remove_index(recent, k - 1);
		}
		g_array_append_val(recent, block);
		reuse_add(u, block);
	}
	ck_assert(reuse_rate(u) == 1.0);
	ck_assert_uint_eq(reuse_footprint(u), recent->len);
	ck_assert_uint_eq(hist_count(reuse_distances(u)), hist_count(want));
	ck_assert_uint_eq(hist_max(reuse_distances(u)), hist_max(want));
	ck_assert(hist_mean(reuse_distances(u)) == hist_mean(want));
	for (double q = 0.05; q < 1; q += 0.05)
		ck_assert_uint_eq(hist_quantile(reuse_distances(u), q), hist_quantile(want, q));
	g_array_free(recent, TRUE);
	hist_free(want);
	reuse_free(u);
}
END_TEST

/* A loop over n blocks: every distance is n - 1, the footprint n. */
START_TEST(test_sampled)
{
	struct reuse *u = reuse_new();
	const uint64_t n = 1000000;

	for (unsigned round = 0; round < 3; round++)
		for (uint64_t i = 0; i < n; i++)
			reuse_add(u, i);
	ck_assert(reuse_rate(u) < 0.05);
	ck_assert_uint_ge(reuse_footprint(u), n * 97 / 100);
	ck_assert_uint_le(reuse_footprint(u), n * 103 / 100);
	ck_assert_uint_ge(hist_quantile(reuse_distances(u), 0.5), n * 97 / 100);
	ck_assert_uint_le(hist_quantile(reuse_distances(u), 0.5), n * 103 / 100);
	reuse_free(u);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("reuse");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_exact);
	tcase_add_test(tc, test_sampled);
	return test_run("reuse distances", tc, NULL);
}
