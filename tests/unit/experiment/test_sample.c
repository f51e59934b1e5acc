/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Means and intervals over repetitions, against textbook values. */
#include "support.h"

#include "experiment/figures/figure.h"
#include <math.h>

START_TEST(few_values)
{
	double one[] = {3}, five[] = {1, 2, 3, 4, 5};
	struct sample s = sample_of(one, 1);

	ck_assert(isnan(sample_of(NULL, 0).mean));
	ck_assert_double_eq(s.mean, 3);
	ck_assert_double_eq(s.low, 3);
	s = sample_of(five, 5);
	ck_assert_double_eq(s.mean, 3);
	/* sd = sqrt(2.5), t(0.975, 4) = 2.776 */
	ck_assert_double_eq_tol(s.high - s.mean, 2.776 * sqrt(2.5 / 5), 1e-9);
	ck_assert_double_eq_tol(s.mean - s.low, s.high - s.mean, 1e-12);
}
END_TEST

/* Beyond the table the expansion continues it: t(0.975, 40) = 2.0211, t(0.975, 120) = 1.9799. */
START_TEST(many_values)
{
	double values[121];
	struct sample s;

	for (int i = 0; i < 121; i++)
		values[i] = i % 2;
	s = sample_of(values, 41);
	ck_assert_double_eq_tol((s.high - s.mean) / sqrt(20.0 * 21 / 41 / 40 / 41), 2.0211, 2e-3);
	s = sample_of(values, 121);
	ck_assert_double_eq_tol((s.high - s.mean) / sqrt(60.0 * 61 / 121 / 120 / 121), 1.9799, 1e-3);
}
END_TEST

int main(void)
{
	TCase *samples = tcase_create("samples");

	tcase_add_test(samples, few_values);
	tcase_add_test(samples, many_values);
	return test_run("sample", samples, NULL);
}
