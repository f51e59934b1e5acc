/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings with what lies beside them: files of a directory, files named one by one. */
#include "internal.h"

#include <string.h>

static void input_free(void *data)
{
	struct verify_input *in = data;

	recording_free(in->recording);
	json_decref(in->summary);
	g_free(in->path);
	g_free(in->directory);
	g_free(in->name);
	g_free(in);
}

GPtrArray *verify_inputs_new(void)
{
	return g_ptr_array_new_with_free_func(input_free);
}

/* "d01.trace.txt.zst" -> "d01" */
static char *workload_name(const char *path)
{
	g_autofree char *base = g_path_get_basename(path);
	char *dot = strstr(base, ".trace.");

	if (!dot)
		dot = strchr(base, '.');
	return dot && dot > base ? g_strndup(base, (gsize)(dot - base)) : g_strdup(base);
}

static struct verify_input *input_new(const char *path, GError **error)
{
	struct verify_input *in = g_new0(struct verify_input, 1);
	g_autofree char *file = NULL, *summary = NULL;

	in->path = g_strdup(path);
	in->directory = g_path_get_dirname(path);
	in->name = workload_name(path);
	in->recording = recording_read(path, error);
	if (!in->recording) {
		input_free(in);
		return NULL;
	}
	file = g_strdup_printf("%s.summary.json", in->name);
	summary = g_build_filename(in->directory, file, NULL);
	if (g_file_test(summary, G_FILE_TEST_EXISTS)) {
		json_error_t problem;

		in->summary = json_load_file(summary, 0, &problem);
		if (!in->summary) {
			g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT, "%s:%d: %s", summary,
				    problem.line, problem.text);
			input_free(in);
			return NULL;
		}
	}
	return in;
}

static bool is_recording_name(const char *name)
{
	return strstr(name, ".trace.txt") || strstr(name, ".trace.dat");
}

/* The same workload as text and as trace.dat: the text is enough. */
static bool doubled(GPtrArray *names, const char *name)
{
	g_autofree char *own = workload_name(name);

	if (!strstr(name, ".trace.dat"))
		return false;
	for (unsigned i = 0; i < names->len; i++) {
		const char *other = g_ptr_array_index(names, i);
		g_autofree char *stem = workload_name(other);

		if (strstr(other, ".trace.txt") && !strcmp(stem, own))
			return true;
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_time(const void *a, const void *b)
{
	const struct verify_input *x = *(struct verify_input *const *)a,
				  *y = *(struct verify_input *const *)b;
	uint64_t s = x->recording->events->len ? recording_at(x->recording, 0)->time_ns : 0;
	uint64_t t = y->recording->events->len ? recording_at(y->recording, 0)->time_ns : 0;

	return s != t ? (s > t) - (s < t) : (x->order > y->order) - (x->order < y->order);
}

GPtrArray *verify_recording_files(const char *path, GError **error)
{
	GDir *dir = g_dir_open(path, 0, error);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	GPtrArray *files;
	const char *name;

	if (!dir)
		return NULL;
	while ((name = g_dir_read_name(dir)))
		if (is_recording_name(name))
			g_ptr_array_add(names, g_strdup(name));
	g_dir_close(dir);
	g_ptr_array_sort(names, by_name);
	files = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 0; i < names->len; i++)
		if (!doubled(names, g_ptr_array_index(names, i)))
			g_ptr_array_add(files, g_build_filename(path, g_ptr_array_index(names, i), NULL));
	if (files->len)
		return files;
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN,
		    "%s: holds no recording (NAME.trace.txt[.zst] or NAME.trace.dat[.zst])", path);
	g_ptr_array_unref(files);
	return NULL;
}

GPtrArray *verify_read_directory(const char *path, GError **error)
{
	g_autoptr(GPtrArray) files = verify_recording_files(path, error);
	GPtrArray *inputs;

	if (!files)
		return NULL;
	inputs = verify_inputs_new();
	for (unsigned i = 0; i < files->len; i++) {
		struct verify_input *in = input_new(g_ptr_array_index(files, i), error);

		if (!in) {
			g_ptr_array_unref(inputs);
			return NULL;
		}
		in->order = i;
		g_ptr_array_add(inputs, in);
	}
	g_ptr_array_sort(inputs, by_time);
	return inputs;
}

unsigned verify_read_files(char *const *paths, unsigned n, GPtrArray *inputs, GError **error)
{
	unsigned used = 0;

	for (; used < n && !g_file_test(paths[used], G_FILE_TEST_IS_DIR); used++) {
		struct verify_input *in = input_new(paths[used], error);
		const struct verify_input *first;

		if (!in)
			return 0;
		first = inputs->len ? g_ptr_array_index(inputs, 0) : in;
		if (strcmp(first->directory, in->directory)) {
			input_free(in);
			break;
		}
		g_ptr_array_add(inputs, in);
	}
	return used;
}
