/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Axes of a sweep, hashes of its points, shards of a trace. */
#include "support.h"

#include "experiment/sweep/sweep.h"
#include <string.h>

static struct scenario *base(void)
{
	struct scenario *s = scenario_new();

	ck_assert(scenario_set(s, "workload.generator", "nvme", "test", NULL));
	ck_assert(scenario_set(s, "workload.requests", "10", "test", NULL));
	return s;
}

static struct sweep_plan *plan_of(const char *first, const char *second)
{
	char *vary[] = {(char *)first, (char *)second, NULL};
	struct scenario *s = base();
	GError *error = NULL;
	struct sweep_plan *p = sweep_plan_new(s, vary, &error);

	ck_assert_msg(p, "%s", error ? error->message : "");
	scenario_free(s);
	return p;
}

static void check_points(const char *first, const char *second, const char *expected)
{
	struct sweep_plan *p = plan_of(first, second);
	g_autoptr(GString) all = g_string_new(NULL);

	for (unsigned i = 0; i < p->points->len; i++) {
		struct sweep_point *point = p->points->pdata[i];
		g_autofree char *varied = g_strjoinv(" ", point->varied);

		ck_assert_uint_eq(point->position, i);
		g_string_append_printf(all, "%s%s", i ? "|" : "", varied);
	}
	ck_assert_str_eq(all->str, expected);
	sweep_plan_free(p);
}

START_TEST(axes)
{
	check_points("iotlb.entries=16,32", NULL, "iotlb.entries=16|iotlb.entries=32");
	check_points("iotlb.entries=16..100*2", NULL, "iotlb.entries=16|iotlb.entries=32|iotlb.entries=64");
	check_points("iotlb.entries=1..3", NULL, "iotlb.entries=1|iotlb.entries=2|iotlb.entries=3");
	check_points("memory.size=1GiB..4GiB*2", NULL, "memory.size=1GiB|memory.size=2GiB|memory.size=4GiB");
	check_points("workload.sizes=4KiB:1,8KiB:1;4KiB", NULL,
		     "workload.sizes=4KiB:1,8KiB:1|workload.sizes=4KiB");
	check_points("iotlb.entries=8,16", "cpu.count=1,2",
		     "iotlb.entries=8 cpu.count=1|iotlb.entries=8 cpu.count=2|"
		     "iotlb.entries=16 cpu.count=1|iotlb.entries=16 cpu.count=2");
}
END_TEST

START_TEST(bad_axes)
{
	static const char *const bad[] = {
	    "iotlb.entries",        "iotlb.entries=",       "=4",
	    "iotlb.entries=4,4",    "iotlb.entries=1..2*1", "iotlb.entries=0..8*2",
	    "iotlb.entries=1..2+0", "iotlb.entires=4",      "iotlb.entries=x"};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		char *vary[] = {(char *)bad[i], NULL};
		struct scenario *s = base();
		GError *error = NULL;

		ck_assert_msg(!sweep_plan_new(s, vary, &error), "%s is taken", bad[i]);
		ck_assert_msg(error && dmasim_error_status(error) == DMASIM_ERROR_USAGE, "%s: status",
			      bad[i]);
		g_error_free(error);
		scenario_free(s);
	}
}
END_TEST

static char *hash_with(const char *name, const char *text)
{
	struct scenario *s = base();
	char *hash;

	ck_assert(!name || scenario_set(s, name, text, "test", NULL));
	ck_assert(scenario_resolve(s, NULL));
	hash = scenario_hash(s, NULL);
	scenario_free(s);
	ck_assert_ptr_nonnull(hash);
	ck_assert_uint_eq(strlen(hash), 64);
	return hash;
}

/* What a result is called does not name it; any value that can change it does. */
START_TEST(hashes)
{
	g_autofree char *plain = hash_with(NULL, NULL), *again = hash_with(NULL, NULL),
			*named = hash_with("scenario.name", "x"),
			*spelled = hash_with("workload.requests", "0xa"),
			*other = hash_with("iotlb.entries", "77"), *seeded = hash_with("scenario.seed", "9");

	ck_assert_str_eq(plain, again);
	ck_assert_str_eq(plain, named);
	ck_assert_str_eq(plain, spelled);
	ck_assert_str_ne(plain, other);
	ck_assert_str_ne(plain, seeded);
}
END_TEST

/* Pieces cover every record once; only the last one runs to the end. */
START_TEST(shards)
{
	struct scenario *s = base();
	struct sweep_plan *p;
	static const char *const expected[] = {
	    "workload.skip=0 workload.warmup=0 workload.limit=3 workload.cut=true",
	    "workload.skip=1 workload.warmup=2 workload.limit=5 workload.cut=true",
	    "workload.skip=4 workload.warmup=2 workload.limit=6 workload.cut=false",
	};

	ck_assert(scenario_resolve(s, NULL));
	p = sweep_plan_shards(s, 3, 2, 10, NULL);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(p->points->len, 3);
	for (unsigned i = 0; i < 3; i++) {
		g_autofree char *varied = g_strjoinv(" ",
						     ((struct sweep_point *)p->points->pdata[i])->varied);

		ck_assert_str_eq(varied, expected[i]);
	}
	ck_assert_uint_eq(scenario_count_records(s, NULL), 10);
	sweep_plan_free(p);
	/* A piece without records would be one with all of them. */
	ck_assert_ptr_null(sweep_plan_shards(s, 11, 2, 10, NULL));
	ck_assert_ptr_null(sweep_plan_shards(s, 0, 2, 10, NULL));
	scenario_free(s);
}
END_TEST

int main(void)
{
	TCase *plans = tcase_create("plans");

	tcase_add_test(plans, axes);
	tcase_add_test(plans, bad_axes);
	tcase_add_test(plans, hashes);
	tcase_add_test(plans, shards);
	return test_run("sweep_plan", plans, NULL);
}
