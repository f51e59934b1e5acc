/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of output files appears whole or not at all. */
#include "support.h"

#include "experiment/output.h"

#include "experiment/result.h"
#include <glib/gstdio.h>
#include <string.h>

static char *scratch(void)
{
	char *dir = g_dir_make_tmp("dmasim-output-XXXXXX", NULL);

	ck_assert_ptr_nonnull(dir);
	return dir;
}

static unsigned files_in(const char *dir)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	unsigned n = 0;

	while (d && g_dir_read_name(d))
		n++;
	if (d)
		g_dir_close(d);
	return n;
}

static void put(struct output_set *s, const char *name, const char *text)
{
	FILE *f = output_open(s, name, NULL);

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert(output_close(s, NULL));
}

static void check_text(const char *dir, const char *name, const char *expected)
{
	g_autofree char *path = g_build_filename(dir, name, NULL), *text = NULL;

	ck_assert_msg(g_file_get_contents(path, &text, NULL, NULL), "%s is missing", path);
	ck_assert_str_eq(text, expected);
}

static void clear(char *dir, const char *const *names)
{
	for (const char *const *n = names; *n; n++) {
		g_autofree char *path = g_build_filename(dir, *n, NULL);

		g_unlink(path);
	}
	g_rmdir(dir);
	g_free(dir);
}

START_TEST(commit_replaces)
{
	char *dir = scratch();
	struct output_set *s = output_set_new(dir, NULL);

	put(s, "a", "one");
	put(s, "b", "two");
	ck_assert_uint_eq(files_in(dir), 2); /* only temporary names so far */
	ck_assert(output_commit(s, NULL));
	output_set_free(s);
	check_text(dir, "a", "one");
	check_text(dir, "b", "two");
	s = output_set_new(dir, NULL);
	put(s, "b", "new");
	ck_assert(output_commit(s, NULL));
	output_set_free(s);
	check_text(dir, "a", "one");
	check_text(dir, "b", "new");
	ck_assert_uint_eq(files_in(dir), 2);
	clear(dir, (const char *const[]){"a", "b", NULL});
}
END_TEST

START_TEST(abandoned_leaves_nothing)
{
	char *dir = scratch(), *inner = g_build_filename(dir, "result", NULL);
	struct output_set *s = output_set_new(dir, NULL);

	put(s, "a", "old");
	ck_assert(output_commit(s, NULL));
	output_set_free(s);
	s = output_set_new(dir, NULL);
	put(s, "a", "never");
	ck_assert_ptr_nonnull(output_open(s, "b", NULL)); /* and one still being written */
	output_set_free(s);
	check_text(dir, "a", "old");
	ck_assert_uint_eq(files_in(dir), 1);
	s = output_set_new(inner, NULL);
	put(s, "a", "never");
	output_set_free(s);
	ck_assert(!g_file_test(inner, G_FILE_TEST_EXISTS));
	g_free(inner);
	clear(dir, (const char *const[]){"a", NULL});
}
END_TEST

START_TEST(errors_name_the_place)
{
	GError *error = NULL;

	ck_assert(!output_set_new("/proc/dmasim/result", &error));
	ck_assert_int_eq(dmasim_error_status(error), DMASIM_ERROR_OUTPUT);
	ck_assert_ptr_nonnull(strstr(error->message, "/proc/dmasim/result"));
	g_clear_error(&error);
	ck_assert(!output_write_file("/dev/null/x", "", 0, &error));
	ck_assert_int_eq(dmasim_error_status(error), DMASIM_ERROR_OUTPUT);
	g_clear_error(&error);
	ck_assert(!result_check_dir("/dev/null/x", &error));
	ck_assert_int_eq(dmasim_error_status(error), DMASIM_ERROR_OUTPUT);
	g_clear_error(&error);
}
END_TEST

int main(void)
{
	TCase *sets = tcase_create("sets");

	tcase_add_test(sets, commit_replaces);
	tcase_add_test(sets, abandoned_leaves_nothing);
	tcase_add_test(sets, errors_name_the_place);
	return test_run("output", sets, NULL);
}
