/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include <dmasim/stat.h>

struct values {
	uint64_t lookups, hits;
	sim_time_t wait;
};

static double hit_rate(const void *p)
{
	const struct values *v = p;

	return (double)v->hits / (double)v->lookups;
}

static const struct stat_spec specs[] = {
    {"tlb.hits", STAT_COUNTER, "count", offsetof(struct values, hits), NULL, false, "hits"},
    {"tlb.wait_ns", STAT_TIME_NS, "ns", offsetof(struct values, wait), NULL, true, "waiting"},
    {"tlb.hit_rate", STAT_FORMULA, "ratio", 0, hit_rate, false, "hits / lookups"},
    {"tlb.other", STAT_ABSENT, "count", 0, NULL, false, "nobody counts it"},
};

START_TEST(counters_are_read)
{
	struct values v = {.lookups = 4, .hits = 3, .wait = 1500 * SIM_PS};

	ck_assert_int_eq(stat_read(&specs[0], &v, FIDELITY_COUNTS).type, STAT_INT);
	ck_assert_uint_eq(stat_read(&specs[0], &v, FIDELITY_COUNTS).i, 3);
	ck_assert_int_eq(stat_read(&specs[1], &v, FIDELITY_COUNTS).type, STAT_NULL);
	ck_assert_uint_eq(stat_read(&specs[1], &v, FIDELITY_TIMING).i, 2);
	ck_assert_int_eq(stat_read(&specs[2], &v, FIDELITY_COUNTS).type, STAT_REAL);
	ck_assert_double_eq(stat_read(&specs[2], &v, FIDELITY_COUNTS).d, 0.75);
	ck_assert_int_eq(stat_read(&specs[3], &v, FIDELITY_TIMING).type, STAT_NULL);
}
END_TEST

START_TEST(what_is_undefined_is_null)
{
	struct values v = {0};

	ck_assert_int_eq(stat_read(&specs[2], &v, FIDELITY_COUNTS).type, STAT_NULL);
	ck_assert_int_eq(stat_read(&specs[0], NULL, FIDELITY_COUNTS).type, STAT_NULL);
	ck_assert_int_eq(stat_read(&specs[0], &v, FIDELITY_COUNTS).type, STAT_INT);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("stat");

	tcase_add_test(t, counters_are_read);
	tcase_add_test(t, what_is_undefined_is_null);
	return test_run("stat", t, NULL);
}
