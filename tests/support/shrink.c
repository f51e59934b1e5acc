/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shrink.h"

#include <string.h>

static bool fails(const struct sequence_test *t, const struct op *ops, unsigned n, uint64_t seed)
{
	g_autofree char *why = t->run(ops, n, seed, t->arg);

	return why != NULL;
}

unsigned sequence_shrink(const struct sequence_test *t, struct op *ops, unsigned n, uint64_t seed)
{
	struct op *trial = g_new(struct op, n);

	for (unsigned chunk = n / 2; chunk; chunk /= 2) {
		for (unsigned at = 0; at + chunk <= n;) {
			memcpy(trial, ops, at * sizeof(*ops));
			memcpy(trial + at, ops + at + chunk, (n - at - chunk) * sizeof(*ops));
			if (!fails(t, trial, n - chunk, seed)) {
				at += chunk;
				continue;
			}
			n -= chunk;
			memcpy(ops, trial, n * sizeof(*ops));
		}
	}
	g_free(trial);
	return n;
}

static void draw(const struct sequence_test *t, struct op *ops, uint64_t seed)
{
	struct rng rng;

	rng_init(&rng, seed, t->name);
	for (unsigned i = 0; i < t->length; i++) {
		ops[i].kind = (uint8_t)rng_below(&rng, t->kinds);
		ops[i].a = (uint32_t)rng_u64(&rng);
		ops[i].b = (uint32_t)rng_u64(&rng);
		ops[i].c = (uint32_t)rng_u64(&rng);
	}
}

static void report(const struct sequence_test *t, struct op *ops, uint64_t seed)
{
	unsigned n = sequence_shrink(t, ops, t->length, seed);
	g_autofree char *why = t->run(ops, n, seed, t->arg);
	GString *s = g_string_new(NULL);

	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(s, "  %2u %-10s %08x %08x %08x\n", i, t->kind_names[ops[i].kind],
				       ops[i].a, ops[i].b, ops[i].c);
	ck_abort_msg("%s: seed %" G_GUINT64_FORMAT ": %s\nshrunk to %u operations:\n%s", t->name, seed, why,
		     n, s->str);
}

void sequence_test_run(struct sequence_test *t, uint64_t total)
{
	struct op *ops = g_new(struct op, t->length);

	for (uint64_t done = 0; done < total; done += t->length) {
		uint64_t seed = test_seed() + t->rounds++;

		draw(t, ops, seed);
		if (fails(t, ops, t->length, seed))
			report(t, ops, seed);
	}
	g_free(ops);
}
