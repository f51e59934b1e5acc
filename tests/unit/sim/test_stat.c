/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include <dmasim/stat.h>

struct values {
	uint64_t lookups, hits;
	struct hist *span;
	sim_time_t wait;
};

static double hit_rate(const void *p)
{
	const struct values *v = p;

	return (double)v->hits / (double)v->lookups;
}

#define STATS_OF struct values
static const struct stat_spec specs[] = {
    STAT_COUNT("tlb.hits", hits, "hits"),
    STAT_TIME("tlb.wait_ns", wait, "waiting", .needs_timing = true),
    STAT_COMPUTED("tlb.hit_rate", "ratio", hit_rate, "hits / lookups"),
    STAT_HIST("tlb.span", "pages", span, "a distribution"),
    STAT_COMPUTED("tlb.twice", "ns", hit_rate, "adds up", .summed = true),
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
	ck_assert_ptr_null(stat_histogram(&specs[3], &v));
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

/* The rows tell what adds up; no name does. */
START_TEST(kinds_tell_what_adds_up)
{
	static const bool additive[] = {true, true, false, false, true};

	for (size_t i = 0; i < G_N_ELEMENTS(specs); i++)
		ck_assert_msg(stat_is_additive(&specs[i]) == additive[i], "%s", specs[i].name);
	ck_assert(stat_is_histogram(&specs[3]) && !stat_is_histogram(&specs[0]));
	for (int k = 0; k < STAT_KINDS; k++)
		ck_assert_ptr_nonnull(stat_kind_name(k));
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("stat");

	tcase_add_test(t, counters_are_read);
	tcase_add_test(t, kinds_tell_what_adds_up);
	tcase_add_test(t, what_is_undefined_is_null);
	return test_run("stat", t, NULL);
}
