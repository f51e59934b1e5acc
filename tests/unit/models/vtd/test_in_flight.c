/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a drain waits for: accesses that began before it, not those computed ahead. */
#include "support.h"

#include "models/vtd/in_flight.h"

START_TEST(one_after_another)
{
	struct in_flight f = {0};

	ck_assert_uint_eq(in_flight_until(&f, 1000), 0);
	in_flight_add(&f, 10, 50, 0);
	in_flight_add(&f, 100, 900, 0); /* far ahead */
	ck_assert_uint_eq(in_flight_until(&f, 9), 0);
	ck_assert_uint_eq(in_flight_until(&f, 10), 50);
	ck_assert_uint_eq(in_flight_until(&f, 99), 50);
	ck_assert_uint_eq(in_flight_until(&f, 100), 900);
	in_flight_add(&f, 20, 40, 0); /* over before the first: tells nothing new */
	ck_assert_uint_eq(f.n, 2);
	in_flight_add(&f, 5, 950, 0); /* longer than all: the only one that counts */
	ck_assert_uint_eq(f.n, 1);
	ck_assert_uint_eq(in_flight_until(&f, 4), 0);
	ck_assert_uint_eq(in_flight_until(&f, 5), 950);
}
END_TEST

/* Against all accesses ever added: equal while there is room, never shorter when there is none. */
START_TEST(random_accesses)
{
	enum { N = 2000 };
	static struct in_flight_entry all[N];
	struct in_flight f = {0};
	sim_time_t now = 0;
	uint64_t ahead = _i ? 100000 : 300, checked = 0, exact = 0;
	struct rng rng;

	rng_init(&rng, test_seed(), "in_flight");
	for (unsigned i = 0; i < N; i++) {
		now += rng_below(&rng, 20);
		all[i].begin = now + rng_below(&rng, ahead);
		all[i].end = all[i].begin + 1 + rng_below(&rng, 500);
		in_flight_add(&f, all[i].begin, all[i].end, now);
		ck_assert_uint_le(f.n, IN_FLIGHT_ENTRIES);
		for (unsigned k = 0; k < 5; k++) {
			sim_time_t at = now + rng_below(&rng, 2 * ahead), want = 0, got;

			for (unsigned j = 0; j <= i; j++)
				if (all[j].begin <= at)
					want = MAX(want, all[j].end);
			got = in_flight_until(&f, at);
			/* An end that has passed need not be known. */
			ck_assert(got >= want || want <= now);
			ck_assert_uint_le(got, at + 500); /* no access is longer */
			checked++;
			exact += got == want || (want <= now && got <= now);
		}
	}
	if (_i)
		ck_assert_uint_gt(exact * 10, checked * 5);
	else
		ck_assert_uint_eq(exact, checked);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("in flight");

	tcase_add_test(t, one_after_another);
	tcase_add_loop_test(t, random_accesses, 0, 2);
	return test_run("in_flight", t, NULL);
}
