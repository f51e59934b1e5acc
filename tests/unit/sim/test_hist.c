/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include "sim/rng.h"
#include <dmasim/stat.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

enum { N = 20000 };

/* Values over the whole range, with many ties and both ends. */
static uint64_t *random_values(struct rng *r)
{
	uint64_t *v = g_new(uint64_t, N);

	for (unsigned i = 0; i < N; i++)
		v[i] = rng_u64(r) >> rng_below(r, 64);
	v[0] = 0;
	v[1] = UINT64_MAX;
	return v;
}

struct check {
	const uint64_t *sorted;
	unsigned at;
	uint64_t last;
	bool first;
};

/* Each bucket holds exactly the sorted values of its range, and the ranges ascend. */
static void check_bucket(uint64_t lo, uint64_t hi, uint64_t count, void *arg)
{
	struct check *c = arg;

	ck_assert_uint_le(lo, hi);
	ck_assert(c->first || lo > c->last);
	ck_assert_uint_gt(count, 0);
	for (uint64_t i = 0; i < count; i++, c->at++) {
		ck_assert_uint_lt(c->at, N);
		ck_assert(c->sorted[c->at] >= lo && c->sorted[c->at] <= hi);
	}
	ck_assert_double_le((double)(hi - lo), (double)lo / 128);
	c->last = hi;
	c->first = false;
}

START_TEST(histogram_equals_sorted_values)
{
	static const double quantiles[] = {0, 0.001, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1};
	struct hist *h = _i ? hist_new_exact() : hist_new_log(), *half[2];
	g_autofree uint64_t *v = NULL;
	struct check c = {.first = true};
	double sum = 0;
	struct rng r;

	rng_init(&r, test_seed(), "hist");
	v = random_values(&r);
	half[0] = _i ? hist_new_exact() : hist_new_log();
	half[1] = _i ? hist_new_exact() : hist_new_log();
	for (unsigned i = 0; i < N; i++) {
		hist_add(half[i & 1], v[i], 1);
		sum += (double)v[i];
	}
	hist_merge(h, half[0]);
	hist_merge(h, half[1]);
	qsort(v, N, sizeof(*v), compare);
	c.sorted = v;
	hist_visit(h, check_bucket, &c);
	ck_assert_uint_eq(c.at, N);
	ck_assert_uint_eq(hist_count(h), N);
	ck_assert_uint_eq(hist_min(h), 0);
	ck_assert_uint_eq(hist_max(h), UINT64_MAX);
	ck_assert_double_eq_tol(hist_mean(h) / (sum / N), 1, 1e-9);
	for (unsigned i = 0; i < G_N_ELEMENTS(quantiles); i++) {
		double rank = ceil(quantiles[i] * N);
		uint64_t truth = v[rank < 1 ? 0 : (unsigned)rank - 1], got = hist_quantile(h, quantiles[i]);

		ck_assert_uint_ge(got, truth);
		ck_assert_double_le((double)(got - truth), _i ? 0 : (double)truth / 128);
	}
	hist_free(h);
	hist_free(half[0]);
	hist_free(half[1]);
}
END_TEST

START_TEST(empty_histogram)
{
	struct hist *h = _i ? hist_new_exact() : hist_new_log();

	hist_add(h, 5, 0);
	ck_assert_uint_eq(hist_count(h), 0);
	ck_assert_uint_eq(hist_min(h), 0);
	ck_assert_uint_eq(hist_max(h), 0);
	ck_assert_uint_eq(hist_quantile(h, 0.5), 0);
	ck_assert_double_eq(hist_mean(h), 0);
	hist_free(h);
}
END_TEST

START_TEST(percentile_text)
{
	static const char expect[] = "       Value     Percentile TotalCount 1/(1-Percentile)\n"
				     "\n"
				     "       1.000 0.000000000000          1           1.00\n"
				     "       1.000 0.100000000000          1           1.11\n"
				     "       1.000 0.200000000000          1           1.25\n"
				     "       2.000 0.300000000000          2           1.43\n"
				     "       2.000 0.400000000000          2           1.67\n"
				     "       2.000 0.500000000000          2           2.00\n"
				     "       3.000 0.550000000000          3           2.22\n"
				     "       3.000 0.600000000000          3           2.50\n"
				     "       3.000 0.650000000000          3           2.86\n"
				     "       3.000 0.700000000000          3           3.33\n"
				     "       3.000 0.750000000000          3           4.00\n"
				     "      10.000 1.000000000000          4\n"
				     "#[Mean    =        4.000, StdDeviation   =        3.536]\n"
				     "#[Max     =       10.000, Total count    =            4]\n"
				     "#[Buckets =           57, SubBuckets     =          128]\n";
	struct hist *h = hist_new_log();
	GString *out = g_string_new(NULL);

	hist_add(h, 1000, 1);
	hist_add(h, 2000, 1);
	hist_add(h, 3000, 1);
	hist_add(h, 10000, 1);
	hist_write_percentiles(h, 1000, out);
	/* Bucket upper ends show as values: 1000 lies in [1000, 1003]. */
	for (char *p; (p = strstr(out->str, "1.003"));)
		memcpy(p, "1.000", 5);
	for (char *p; (p = strstr(out->str, "2.007"));)
		memcpy(p, "2.000", 5);
	for (char *p; (p = strstr(out->str, "3.007"));)
		memcpy(p, "3.000", 5);
	ck_assert_str_eq(out->str, expect);
	g_string_free(out, TRUE);
	hist_free(h);
}
END_TEST

START_TEST(difference_is_what_came_after)
{
	struct hist *h = _i ? hist_new_log() : hist_new_exact(), *before = hist_new_like(h);

	hist_add(before, 4, 3);
	hist_add(before, 900, 1);
	hist_merge(h, before);
	hist_add(h, 4, 2);
	hist_add(h, 70, 5);
	hist_subtract(h, before);
	ck_assert_uint_eq(hist_count(h), 7);
	ck_assert_uint_eq(hist_max(h), 70);
	ck_assert_uint_eq(hist_quantile(h, 0.1), 4);
	hist_subtract(h, h);
	ck_assert_uint_eq(hist_count(h), 0);
	hist_free(before);
	hist_free(h);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("hist");

	tcase_add_loop_test(t, histogram_equals_sorted_values, 0, 2);
	tcase_add_loop_test(t, empty_histogram, 0, 2);
	tcase_add_loop_test(t, difference_is_what_came_after, 0, 2);
	tcase_add_test(t, percentile_text);
	return test_run("hist", t, NULL);
}
