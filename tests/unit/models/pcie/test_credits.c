/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "models/pcie/credits.h"
#include "support.h"

#include "sim/rng.h"

enum { STEPS = 4000 };

/* The same without an order: a list that is searched for the next unit to come back. */
struct twin {
	struct {
		sim_time_t free;
		uint32_t units;
	} out[STEPS];
	unsigned n;
	uint32_t used, limit;
};

static sim_time_t twin_wait(struct twin *w, sim_time_t t, uint32_t units)
{
	for (;;) {
		unsigned first = 0;

		for (unsigned i = 1; i < w->n; i++)
			if (w->out[i].free < w->out[first].free)
				first = i;
		if (!w->n || (w->out[first].free > t && w->used + units <= w->limit))
			return t;
		t = MAX(t, w->out[first].free);
		w->used -= w->out[first].units;
		w->out[first] = w->out[--w->n];
	}
}

static void twin_take(struct twin *w, uint32_t units, sim_time_t until)
{
	w->out[w->n].free = until;
	w->out[w->n++].units = units;
	w->used += units;
}

/* Mostly in order, now and then far from it, and with ties. */
START_TEST(equal_a_list_that_is_searched)
{
	struct pcie_credits c;
	struct twin w = {.limit = 1 + 37 * (uint32_t)_i};
	struct rng rng;
	sim_time_t t = 0, start;

	rng_init(&rng, test_seed() + (uint64_t)_i, "credits");
	credits_init(&c, w.limit);
	for (unsigned i = 0; i < STEPS; i++) {
		uint32_t units = 1 + (uint32_t)rng_below(&rng, 2 * w.limit);
		sim_time_t stay = rng_below(&rng, 10) ? 50 : rng_below(&rng, 400);

		units = rng_below(&rng, 20) ? MIN(units, 4) : units;
		t += rng_below(&rng, 12);
		start = twin_wait(&w, t, units);
		ck_assert_uint_eq(credits_wait(&c, t, units), start);
		t = start;
		ck_assert_uint_eq(c.used, w.used);
		ck_assert_uint_eq(c.n, w.n);
		credits_take(&c, units, t + stay);
		twin_take(&w, units, t + stay);
	}
	credits_fini(&c);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("credits");

	tcase_add_loop_test(t, equal_a_list_that_is_searched, 0, 8);
	return test_run("credits", t, NULL);
}
