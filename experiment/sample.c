/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Means over repetitions. */
#include "experiment/figures/figure.h"
#include <math.h>

/* 97.5 % quantiles of Student's t distribution for 1 to 30 degrees of freedom. */
static const double t975[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
			      2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
			      2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};

static double t_quantile(unsigned df)
{
	/* Beyond the table: expansion around the normal quantile z, z + (z^3 + z) / (4 df). */
	double z = 1.959964;

	return df <= G_N_ELEMENTS(t975) ? t975[df - 1] : z + (z * z * z + z) / (4.0 * df);
}

struct sample sample_of(const double *values, unsigned n)
{
	struct sample s = {.n = n, .mean = NAN, .low = NAN, .high = NAN};
	double sum = 0, squares = 0, half;

	if (!n)
		return s;
	for (unsigned i = 0; i < n; i++)
		sum += values[i];
	s.mean = s.low = s.high = sum / n;
	if (n < 2)
		return s;
	for (unsigned i = 0; i < n; i++)
		squares += (values[i] - s.mean) * (values[i] - s.mean);
	half = t_quantile(n - 1) * sqrt(squares / (n - 1) / n);
	s.low = s.mean - half;
	s.high = s.mean + half;
	return s;
}
