/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xoshiro256** 1.0 and splitmix64: D. Blackman, S. Vigna, "Scrambled linear pseudorandom number
 * generators", ACM TOMS 47(4), 2021. Bounded integers: D. Lemire, "Fast random integer generation in
 * an interval", ACM TOMACS 29(1), 2019. Zipf: W. Hoermann, G. Derflinger, "Rejection-inversion to
 * generate variates from monotone discrete distributions", ACM TOMACS 6(3), 1996.
 */
#include "rng.h"
#include <math.h>

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_name(const char *name)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3;
	return h;
}

void rng_init(struct rng *r, uint64_t seed, const char *name)
{
	uint64_t state = hash_name(name);

	state = splitmix64(&state) ^ seed;
	for (unsigned i = 0; i < 4; i++)
		r->s[i] = splitmix64(&state);
}

static inline uint64_t rotl(uint64_t x, unsigned k)
{
	return x << k | x >> (64 - k);
}

uint64_t rng_u64(struct rng *r)
{
	uint64_t *s = r->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

__extension__ typedef unsigned __int128 wide_t;

uint64_t rng_below(struct rng *r, uint64_t n)
{
	wide_t m = (wide_t)rng_u64(r) * n;

	if ((uint64_t)m < n) {
		uint64_t threshold = -n % n;

		while ((uint64_t)m < threshold)
			m = (wide_t)rng_u64(r) * n;
	}
	return (uint64_t)(m >> 64);
}

double rng_double(struct rng *r)
{
	return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

double rng_exponential(struct rng *r, double mean)
{
	return -mean * log1p(-rng_double(r));
}

double rng_pareto(struct rng *r, double xm, double alpha)
{
	return xm * pow(1.0 - rng_double(r), -1.0 / alpha);
}

/* H(x), an integral of h(x) = (1 + x)^-theta, and its inverse; accurate near theta = 1. */
static double zipf_h_integral(double theta, double x)
{
	double l = log1p(x);

	return (1 - theta) * l == 0 ? l : expm1((1 - theta) * l) / (1 - theta);
}

static double zipf_h_inverse(double theta, double y)
{
	double t = (1 - theta) * y;

	if (theta == 1)
		return expm1(y);
	return expm1(log1p(t < -1 ? -1 : t) / (1 - theta));
}

void rng_zipf_init(struct rng_zipf *z, uint64_t n, double theta)
{
	z->n = n;
	z->theta = theta;
	z->h_x1 = zipf_h_integral(theta, 0.5) - 1;
	z->h_n = zipf_h_integral(theta, (double)n - 0.5);
	z->s = 1 - zipf_h_inverse(theta, zipf_h_integral(theta, 1.5) - pow(2, -theta));
}

uint64_t rng_zipf(struct rng_zipf *z, struct rng *r)
{
	for (;;) {
		double u = z->h_n + rng_double(r) * (z->h_x1 - z->h_n);
		double x = zipf_h_inverse(z->theta, u), k = floor(x + 0.5);

		if (k < 0)
			k = 0;
		else if (k > (double)z->n - 1)
			k = (double)z->n - 1;
		if (k - x <= z->s || u >= zipf_h_integral(z->theta, k + 0.5) - pow(1 + k, -z->theta))
			return (uint64_t)k;
	}
}
