/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include "sim/resource.h"
#include "sim/rng.h"

START_TEST(one_unit_queues)
{
	struct resource r;

	resource_init(&r, 1);
	ck_assert_uint_eq(resource_serve(&r, 100, 50), 100);
	ck_assert_uint_eq(resource_serve(&r, 120, 50), 150);
	ck_assert_uint_eq(resource_serve(&r, 130, 0), 200);
	ck_assert_uint_eq(resource_serve(&r, 300, 10), 300);
	ck_assert_uint_eq(resource_first_free(&r), 310);
	resource_fini(&r);
}
END_TEST

/* Against a simulation of n counters tick by tick: the customer at the head takes the first free one. */
START_TEST(many_units_equal_ticked_servers)
{
	enum { CUSTOMERS = 400 };
	unsigned units = 1 + (unsigned)_i;
	sim_time_t arrival[CUSTOMERS], service[CUSTOMERS], start[CUSTOMERS], free_at[8] = {0};
	unsigned head = 0;
	struct resource r;
	struct rng rng;

	rng_init(&rng, test_seed(), "resource");
	resource_init(&r, units);
	for (unsigned i = 0; i < CUSTOMERS; i++) {
		arrival[i] = (i ? arrival[i - 1] : 0) + rng_below(&rng, 12);
		service[i] = rng_below(&rng, 6 * units + 4);
	}
	for (sim_time_t now = 0; head < CUSTOMERS; now++)
		for (unsigned u = 0; u < units; u++)
			while (head < CUSTOMERS && arrival[head] <= now && free_at[u] <= now) {
				start[head] = now;
				free_at[u] = now + service[head++];
			}
	for (unsigned i = 0; i < CUSTOMERS; i++)
		ck_assert_uint_eq(resource_serve(&r, arrival[i], service[i]), start[i]);
	resource_fini(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("resource");

	tcase_add_test(t, one_unit_queues);
	tcase_add_loop_test(t, many_units_equal_ticked_servers, 0, 8);
	return test_run("resource", t, NULL);
}
