/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named random streams: the stream of a name depends on the run's seed and that name only, so that
 * adding a consumer never changes what another one draws. Generator: xoshiro256** (Blackman and
 * Vigna), seeded through splitmix64 from seed and a hash of the name.
 */
#ifndef DMASIM_SIM_RNG_H
#define DMASIM_SIM_RNG_H

#include <dmasim/types.h>

struct rng {
	uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed, const char *name);
uint64_t rng_u64(struct rng *r);
/* Uniform in [0, n), unbiased; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* Uniform in [0, 1). */
double rng_double(struct rng *r);
/* Exponential with the given mean. */
double rng_exponential(struct rng *r, double mean);
/* Pareto with minimum xm > 0 and shape alpha > 0. */
double rng_pareto(struct rng *r, double xm, double alpha);

/* Zipf over [0, n): P(k) proportional to 1/(k+1)^theta, rejection inversion (Hoermann, Derflinger). */
struct rng_zipf {
	uint64_t n;
	double theta, h_x1, h_n, s;
};
void rng_zipf_init(struct rng_zipf *z, uint64_t n, double theta);
uint64_t rng_zipf(struct rng_zipf *z, struct rng *r);

#endif
