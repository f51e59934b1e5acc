/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and keys of an event's text. */
#include "support.h"

#include "verify/recording/internal.h"

START_TEST(numbers)
{
	static const struct {
		const char *text;
		int base;
		bool ok;
		uint64_t value;
		unsigned used;
	} rows[] = {
	    {"42 rest", 10, true, 42, 2},
	    {"ff,", 16, true, 0xff, 2},
	    {"0xFF,", 16, true, 0xff, 4},
	    {"0x10", 0, true, 16, 4},
	    {"10", 0, true, 10, 2},
	    {"0x10", 10, true, 0, 1},
	    {"18446744073709551615", 10, true, UINT64_MAX, 20},
	    {"18446744073709551616", 10, false, 0, 0},
	    {"0xffffffffffffffff", 16, true, UINT64_MAX, 18},
	    {"0x10000000000000000", 16, false, 0, 0},
	    {"0x", 16, false, 0, 0},
	    {"-1", 10, false, 0, 0},
	    {"", 10, false, 0, 0},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint64_t v = 7;
		const char *end = NULL;

		ck_assert_int_eq(text_number(rows[i].text, rows[i].base, &v, &end), rows[i].ok);
		if (!rows[i].ok)
			continue;
		ck_assert_uint_eq(v, rows[i].value);
		ck_assert_ptr_eq(end, rows[i].text + rows[i].used);
	}
}
END_TEST

/* A key starts a word; what only ends like it is another key. */
START_TEST(keys)
{
	static const char payload[] = "dma_addr=0x1000 addr=0x2000,len=64 biglen=9 note";
	uint64_t v;

	ck_assert_ptr_eq(text_value(payload, "dma_addr"), payload + 9);
	ck_assert(text_field(payload, "addr", 16, &v) && v == 0x2000);
	ck_assert(text_field(payload, "len", 10, &v) && v == 64);
	ck_assert(text_field(payload, "biglen", 10, &v) && v == 9);
	ck_assert_ptr_null(text_value(payload, "note"));
	ck_assert(!text_field(payload, "ddr", 16, &v));
}
END_TEST

START_TEST(little_endian)
{
	static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 0x88};

	ck_assert_uint_eq(source_le(bytes, 1), 1);
	ck_assert_uint_eq(source_le(bytes, 4), 0x04030201);
	ck_assert_uint_eq(source_le(bytes, 8), 0x8807060504030201);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("source");

	tcase_add_test(t, numbers);
	tcase_add_test(t, keys);
	tcase_add_test(t, little_endian);
	return test_run("source", t, NULL);
}
