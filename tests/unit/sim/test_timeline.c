/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include "sim/rng.h"
#include "sim/timeline.h"
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>

static char *directory;

static void make_directory(void)
{
	directory = g_dir_make_tmp("dmasim-timeline-XXXXXX", NULL);
	ck_assert_ptr_nonnull(directory);
}

static void remove_directory(void)
{
	const char *name;
	GDir *dir = g_dir_open(directory, 0, NULL);

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(directory, name, NULL);

		g_unlink(path);
	}
	g_dir_close(dir);
	g_rmdir(directory);
	g_free(directory);
}

static unsigned files(void)
{
	GDir *dir = g_dir_open(directory, 0, NULL);
	unsigned n = 0;

	while (g_dir_read_name(dir))
		n++;
	g_dir_close(dir);
	return n;
}

static json_t *load(const char *path)
{
	json_error_t e;
	json_t *root = json_load_file(path, 0, &e);

	ck_assert_msg(root != NULL, "%s:%d: %s", path, e.line, e.text);
	return root;
}

START_TEST(document_is_as_chrome_and_perfetto_read_it)
{
	g_autofree char *path = g_build_filename(directory, "timeline.json", NULL), *text = NULL;
	struct timeline *t = timeline_open(path, 0, NULL);
	unsigned map, walk;
	json_t *root, *events, *e;
	size_t i, slices = 0, names = 0;

	map = timeline_track(t, "link \"strict\"", "map");
	walk = timeline_track(t, "link \"strict\"", "walk");
	ck_assert_uint_eq(map, timeline_track(t, "link \"strict\"", "map"));
	ck_assert_uint_ne(map, timeline_track(t, "legacy", "map"));
	timeline_slice(t, map, "dma_iova_link", 1234567 * SIM_PS, 2 * SIM_US);
	timeline_slice(t, walk, "walk", 0, 10);
	timeline_instant(t, map, "completion", 5 * SIM_US);
	timeline_counter(t, walk, 5 * SIM_US, 7);
	ck_assert_uint_eq(files(), 1);
	ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
	ck_assert(timeline_close(t, NULL));
	ck_assert_uint_eq(files(), 1);
	ck_assert(g_file_get_contents(path, &text, NULL, NULL));
	ck_assert(g_str_has_prefix(text, "{\"displayTimeUnit\": \"ns\", \"traceEvents\": ["));
	ck_assert_ptr_nonnull(strstr(text, "\"ts\": 1.234567, \"dur\": 0.765433}"));
	root = load(path);
	events = json_object_get(root, "traceEvents");
	json_array_foreach (events, i, e) {
		const char *ph = json_string_value(json_object_get(e, "ph"));
		json_t *args = json_object_get(e, "args");

		ck_assert_msg(ph && strlen(ph) == 1 && strchr("XiCM", *ph), "event %zu", i);
		ck_assert(json_is_string(json_object_get(e, "name")));
		ck_assert(json_is_integer(json_object_get(e, "pid")));
		ck_assert(*ph == 'M' || json_is_real(json_object_get(e, "ts")));
		slices += *ph == 'X';
		if (!g_strcmp0(json_string_value(json_object_get(args, "name")), "link \"strict\""))
			names++;
	}
	ck_assert_uint_eq(slices, 2);
	ck_assert_uint_eq(names, 1);
	json_decref(root);
}
END_TEST

START_TEST(slices_of_a_row_never_overlap)
{
	g_autofree char *path = g_build_filename(directory, "overlap.json", NULL);
	struct timeline *t = timeline_open(path, 0, NULL);
	unsigned track = timeline_track(t, "run", "walk");
	double end[TIMELINE_MAX_LANES + 1] = {0};
	unsigned slices = 0;
	json_t *root, *e;
	struct rng r;
	size_t i;

	rng_init(&r, test_seed(), "timeline");
	for (unsigned k = 0; k < 500; k++) {
		sim_time_t start = k * SIM_US;

		timeline_slice(t, track, "walk", start, start + rng_below(&r, 20 * SIM_US));
	}
	ck_assert_uint_eq(timeline_dropped(t), 0);
	ck_assert(timeline_close(t, NULL));
	root = load(path);
	json_array_foreach (json_object_get(root, "traceEvents"), i, e) {
		json_int_t tid = json_integer_value(json_object_get(e, "tid"));
		double ts = json_number_value(json_object_get(e, "ts"));

		if (strcmp(json_string_value(json_object_get(e, "ph")), "X") != 0)
			continue;
		ck_assert_int_le(tid, TIMELINE_MAX_LANES);
		ck_assert_double_ge(ts + 1e-6, end[tid]);
		end[tid] = ts + json_number_value(json_object_get(e, "dur"));
		slices++;
	}
	ck_assert_uint_eq(slices, 500);
	json_decref(root);
}
END_TEST

START_TEST(limit_is_kept_and_drops_are_counted)
{
	g_autofree char *path = g_build_filename(directory, "small.json", NULL);
	struct timeline *t = timeline_open(path, 2000, NULL);
	unsigned track = timeline_track(t, "run", "map");
	json_t *root;
	GStatBuf st;

	for (unsigned k = 0; k < 1000; k++)
		timeline_slice(t, track, "map", 2 * k, 2 * k + 1);
	ck_assert_uint_gt(timeline_dropped(t), 900);
	ck_assert_uint_lt(timeline_dropped(t), 1000);
	ck_assert(timeline_close(t, NULL));
	ck_assert_int_eq(g_stat(path, &st), 0);
	ck_assert_int_le(st.st_size, 2000);
	root = load(path);
	json_decref(root);
}
END_TEST

START_TEST(what_cannot_be_written_is_an_error)
{
	g_autofree char *path = g_build_filename(directory, "none", "timeline.json", NULL);
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(timeline_open(path, 0, &error));
	ck_assert(strstr(error->message, path) != NULL);
	g_clear_error(&error);
	/* A folder, like a device, is not replaced. */
	ck_assert_ptr_null(timeline_open(directory, 0, &error));
	ck_assert(strstr(error->message, "not a regular file") != NULL);
	ck_assert_uint_eq(files(), 0);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("timeline");

	tcase_add_checked_fixture(t, make_directory, remove_directory);
	tcase_add_test(t, document_is_as_chrome_and_perfetto_read_it);
	tcase_add_test(t, slices_of_a_row_never_overlap);
	tcase_add_test(t, limit_is_kept_and_drops_are_counted);
	tcase_add_test(t, what_cannot_be_written_is_an_error);
	return test_run("timeline", t, NULL);
}
