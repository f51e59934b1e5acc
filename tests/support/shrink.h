/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Property tests over operation sequences: run many seeded sequences; when one fails, remove operations
 * while it still fails, then report seed and the short sequence.
 */
#ifndef DMASIM_TEST_SHRINK_H
#define DMASIM_TEST_SHRINK_H

#include "support.h"

/* One operation; what the numbers mean is the test's business. Any subsequence must be valid. */
struct op {
	uint8_t kind;
	uint32_t a, b, c;
};

struct sequence_test {
	const char *name;
	unsigned kinds; /* kind is drawn from [0, kinds) */
	const char *const *kind_names;
	unsigned length; /* operations per sequence */
	/* Run from a fresh state. NULL if all holds, else what does not (g_free it). */
	char *(*run)(const struct op *ops, unsigned n, uint64_t seed, void *arg);
	void *arg;
	uint64_t rounds; /* sequences run so far: seeds are not repeated */
};

/* Run sequences until total operations are done; fails the libcheck test with the shrunk sequence. */
void sequence_test_run(struct sequence_test *t, uint64_t total);
/* Shrink ops in place; returns the new length. ops must fail. */
unsigned sequence_shrink(const struct sequence_test *t, struct op *ops, unsigned n, uint64_t seed);

#endif
