/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines and bytes of one input, across the pieces it is read in. */
#include "trace/input.h"
#include "trace_support.h"

#include "sim/rng.h"

#include <string.h>

static struct trace_input *opened(const char *path)
{
	GError *error = NULL;
	struct trace_input *in = input_open(path, NULL, &error);

	ck_assert_msg(in != NULL, "%s", error ? error->message : "");
	return in;
}

/* Ends of both kinds, a mark at the start, an empty line, a last line without its end. */
START_TEST(lines)
{
	static const char text[] = "\xef\xbb\xbf"
				   "one\r\ntwo\n\nfour\rfour\nlast";
	static const char *const want[] = {"one", "two", "", "four\rfour", "last"};
	char *path = trace_temporary(".txt", text, sizeof(text) - 1);
	struct trace_input *in = opened(path);
	const char *line;
	size_t len;

	for (unsigned i = 0; i < G_N_ELEMENTS(want); i++) {
		/* Handed out once more, it is the same line of the same number. */
		for (unsigned again = 0; again < 2; again++) {
			ck_assert_int_eq(input_line(in, &line, &len, NULL), 1);
			ck_assert_str_eq(line, want[i]);
			ck_assert_uint_eq(len, strlen(want[i]));
			ck_assert_uint_eq(input_line_number(in), i + 1);
			ck_assert_int_eq(input_line_open(in), i + 1 == G_N_ELEMENTS(want));
			if (!again)
				input_unread_line(in);
		}
	}
	ck_assert_int_eq(input_line(in, &line, &len, NULL), 0);
	input_close(in);
	trace_unlink(path);
}
END_TEST

/* Several MiB of random lines against the text they came from. */
START_TEST(long_text)
{
	GString *text = g_string_new(NULL);
	struct trace_input *in;
	struct rng rng;
	const char *line, *at;
	size_t len;
	char *path;

	rng_init(&rng, test_seed(), "input");
	while (text->len < 3u << 20) {
		for (uint64_t n = rng_below(&rng, rng_below(&rng, 50) ? 120 : 100000); n > 0; n--)
			g_string_append_c(text, (char)('!' + rng_below(&rng, 90)));
		g_string_append_c(text, '\n');
	}
	path = trace_temporary(".txt", text->str, text->len);
	in = opened(path);
	for (at = text->str; input_line(in, &line, &len, NULL) > 0; at += len + 1) {
		ck_assert_uint_eq(len, (size_t)(strchr(at, '\n') - at));
		ck_assert(!memcmp(at, line, len));
	}
	ck_assert_uint_eq((size_t)(at - text->str), text->len);
	input_close(in);
	trace_unlink(path);
	g_string_free(text, TRUE);
}
END_TEST

START_TEST(bytes)
{
	g_autofree uint8_t *data = g_malloc(1u << 20);
	g_autofree char *sum = NULL;
	size_t at = 0;
	struct trace_input *in;
	struct rng rng;
	char *path;

	rng_init(&rng, test_seed(), "input");
	for (size_t i = 0; i < 1u << 20; i++)
		data[i] = (uint8_t)rng_below(&rng, 256);
	path = trace_temporary(".bin", data, 1u << 20);
	in = opened(path);
	while (at < 1u << 20) {
		const uint8_t *p;
		size_t want = rng_below(&rng, 5000) + 1, left = (1u << 20) - at;
		ssize_t n = input_peek(in, want, &p, NULL);
		size_t step = rng_below(&rng, MIN(want, left)) + 1;

		ck_assert_int_ge(n, (ssize_t)MIN(want, left));
		ck_assert(!memcmp(p, data + at, MIN(want, left)));
		input_skip(in, step);
		at += step;
		ck_assert_uint_eq(input_offset(in), at);
	}
	sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, 1u << 20);
	ck_assert_str_eq(input_sha256(in), sum);
	input_close(in);
	trace_unlink(path);
}
END_TEST

START_TEST(absent)
{
	GError *error = NULL;

	ck_assert_ptr_null(input_open("/nowhere/trace.csv", NULL, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "/nowhere/trace.csv"));
	g_error_free(error);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("input");

	tcase_add_test(t, lines);
	tcase_add_test(t, long_text);
	tcase_add_test(t, bytes);
	tcase_add_test(t, absent);
	return test_run("input", t, NULL);
}
