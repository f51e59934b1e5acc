/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include <dmasim/param.h>
#include <string.h>

struct values {
	bool flag;
	uint64_t count, size, rate, raw;
	sim_time_t time;
	double share, speed;
	int choice;
	char *text;
};

static const char *const choices[] = {"lru", "fifo", "random", NULL};
#define PARAMS_OF struct values
static const struct param_spec specs[] = {
    PARAM(flag, BOOL, "true", .help = "a switch"),
    PARAM(count, UINT, "256", .min = 1, .max = 65536, .help = "entries"),
    PARAM(size, SIZE, "4KiB", .help = "bytes"),
    PARAM(rate, UINT, "1000", .unit = "Hz", .help = "with a unit"),
    PARAM(raw, UINT, "0x10", .unit = "hex", .help = "a register"),
    PARAM(time, TIME, "10ms", .max = 1e12, .help = "a delay of at most 1 s"),
    PARAM(share, DOUBLE, "0.5", .max = 1, .help = "a share"),
    PARAM(speed, DOUBLE, "16GT/s", .unit = "GT/s", .help = "lane rate"),
    PARAM(choice, ENUM, "lru", .choices = choices, .help = "replacement"),
    PARAM(text, STRING, "", .help = "a path"),
};
static const struct param_table table = PARAM_TABLE("test", "for the tests", specs);
#undef PARAMS_OF

START_TEST(defaults_are_filled)
{
	struct values v, w;

	param_defaults(&table, &v);
	ck_assert(v.flag);
	ck_assert_uint_eq(v.count, 256);
	ck_assert_uint_eq(v.size, 4096);
	ck_assert_uint_eq(v.time, 10 * SIM_MS);
	ck_assert_double_eq(v.share, 0.5);
	ck_assert_double_eq(v.speed, 16);
	ck_assert_int_eq(v.choice, 0);
	ck_assert_str_eq(v.text, "");
	param_copy(&table, &w, &v);
	ck_assert_ptr_ne(v.text, w.text);
	ck_assert_ptr_eq(param_find(&table, "size"), &specs[2]);
	ck_assert_ptr_null(param_find(&table, "siz"));
	param_clear(&table, &v);
	param_clear(&table, &w);
	ck_assert_ptr_null(v.text);
}
END_TEST

/* Ranges as people read them; what its type allows has none. */
START_TEST(ranges)
{
	static const struct param_spec large = {.name = "large", .type = PARAM_UINT, .max = 1 << 24},
				       piece = {.name = "piece",
						.type = PARAM_SIZE,
						.min = 4096,
						.max = 4 << 20},
				       cost = {
					   .name = "cost", .type = PARAM_DOUBLE, .unit = "ns", .max = 1e9};
	const struct {
		const struct param_spec *spec;
		const char *range;
	} cases[] = {{&specs[0], "true|false"}, {&specs[1], "1..65536"},        {&specs[2], NULL},
		     {&specs[3], NULL},         {&specs[5], "0..1s"},           {&specs[6], "0..1"},
		     {&specs[7], NULL},         {&specs[8], "lru|fifo|random"}, {&specs[9], NULL},
		     {&large, "0..16777216"},   {&piece, "4KiB..4MiB"},         {&cost, "0..1000000000 ns"}};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *range = param_range(cases[i].spec);

		ck_assert_msg(!g_strcmp0(range, cases[i].range), "%s: %s", cases[i].spec->name, range);
	}
}
END_TEST

/* key, what is written, canonical text */
static const char *const good[][3] = {
    {"flag", "off", "false"},
    {"flag", "YES", "true"},
    {"flag", "0", "false"},
    {"count", "0x10", "16"},
    {"count", "64k", "64000"},
    {"count", " 7 ", "7"},
    {"count", "1.5k", "1500"},
    {"count", "1e3", "1000"},
    {"size", "4kB", "4000"},
    {"size", "1.5MiB", "1536KiB"},
    {"size", "0x1000", "4KiB"},
    {"size", "2 GiB", "2GiB"},
    {"size", "123", "123"},
    {"size", "18446744073709551615", "18446744073709551615"},
    {"rate", "250Hz", "250"},
    {"raw", "8d2078c106f0466", "0x8d2078c106f0466"},
    {"raw", "0xF020DF", "0xf020df"},
    {"raw", "10", "0x10"},
    {"raw", "ffffffffffffffff", "0xffffffffffffffff"},
    {"time", "1.5us", "1500ns"},
    {"time", "0", "0"},
    {"time", "1s", "1s"},
    {"time", "17ps", "17ps"},
    {"time", "0.0005ns", "1ps"},
    {"share", "0.1", "0.1"},
    {"share", "1", "1"},
    {"speed", "2.5GT/s", "2.5"},
    {"speed", "8 GT/s", "8"},
    {"speed", "0.30000000000000004", "0.30000000000000004"},
    {"choice", "random", "random"},
    {"text", "a b # c", "a b # c"},
};

START_TEST(good_values_round_trip)
{
	const struct param_spec *s = param_find(&table, good[_i][0]);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL, *again = NULL;
	struct values v;

	param_defaults(&table, &v);
	ck_assert_msg(param_set(s, &v, good[_i][1], &error), "%s = %s: %s", good[_i][0], good[_i][1],
		      error ? error->message : "");
	text = param_get(s, &v);
	ck_assert_str_eq(text, good[_i][2]);
	ck_assert(param_set(s, &v, text, &error));
	again = param_get(s, &v);
	ck_assert_str_eq(again, text);
	param_clear(&table, &v);
}
END_TEST

/* key, what is written, the message */
static const char *const bad[][3] = {
    {"flag", "maybe", "\"maybe\" is neither: expected true or false"},
    {"count", "0", "\"0\" is out of range: expected a whole number from 1 to 65536"},
    {"count", "65537", "\"65537\" is out of range: expected a whole number from 1 to 65536"},
    {"count", "-1", "\"-1\" is negative: expected a whole number from 1 to 65536"},
    {"count", "12ms", "\"12ms\" has an unknown unit: expected a whole number from 1 to 65536"},
    {"count", "2.5", "\"2.5\" is not a whole number: expected a whole number from 1 to 65536"},
    {"count", "", "\"\" is not a number: expected a whole number from 1 to 65536"},
    {"size", "4KB/s", "\"4KB/s\" has an unknown unit: expected a size such as 4KiB or 8MiB"},
    {"size", "18446744073709551616",
     "\"18446744073709551616\" is no whole number that fits 64 bits: expected a size such as 4KiB or 8MiB"},
    {"size", "99999999TiB",
     "\"99999999TiB\" is no whole number that fits 64 bits: expected a size such as 4KiB or 8MiB"},
    {"rate", "1k", "\"1k\" has an unknown unit: expected a whole number"},
    {"raw", "0xg", "\"0xg\" is not hexadecimal: expected a hexadecimal number"},
    {"raw", "0x", "\"0x\" is not hexadecimal: expected a hexadecimal number"},
    {"raw", "1ffffffffffffffff", "\"1ffffffffffffffff\" does not fit 64 bits: expected a hexadecimal number"},
    {"time", "10",
     "\"10\" has no unit: expected a time with its unit (ps, ns, us, ms or s), such as 100ns from 0 to 1s"},
    {"time", "10MS",
     "\"10MS\" has an unknown unit: expected a time with its unit (ps, ns, us, ms or s), such as 100ns from "
     "0 to "
     "1s"},
    {"time", "1001ms",
     "\"1001ms\" is out of range: expected a time with its unit (ps, ns, us, ms or s), such as 100ns from 0 "
     "to 1s"},
    {"share", "1.01", "\"1.01\" is out of range: expected a number from 0 to 1"},
    {"share", "nan", "\"nan\" is not a number: expected a number from 0 to 1"},
    {"speed", "8GB/s", "\"8GB/s\" has an unknown unit: expected a number in GT/s"},
    {"choice", "lri", "\"lri\" is not a choice: expected one of lru, fifo, random; did you mean \"lru\"?"},
    {"choice", "clock", "\"clock\" is not a choice: expected one of lru, fifo, random"},
};

START_TEST(bad_values_say_what_was_expected)
{
	const struct param_spec *s = param_find(&table, bad[_i][0]);
	g_autoptr(GError) error = NULL;
	g_autofree char *before = NULL, *after = NULL;
	struct values v;

	param_defaults(&table, &v);
	before = param_get(s, &v);
	ck_assert_msg(!param_set(s, &v, bad[_i][1], &error), "%s = %s was accepted", bad[_i][0], bad[_i][1]);
	ck_assert_str_eq(error->message, bad[_i][2]);
	after = param_get(s, &v);
	ck_assert_str_eq(before, after);
	param_clear(&table, &v);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("param");

	tcase_add_test(t, defaults_are_filled);
	tcase_add_loop_test(t, good_values_round_trip, 0, G_N_ELEMENTS(good));
	tcase_add_loop_test(t, bad_values_say_what_was_expected, 0, G_N_ELEMENTS(bad));
	tcase_add_test(t, ranges);
	return test_run("param", t, NULL);
}
