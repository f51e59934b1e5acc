/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output.h"

#include <dmasim/experiment.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

struct output_set {
	char *dir;
	bool made_dir, committed;
	GPtrArray *names, *temps;
	FILE *current;
};

static bool failed(const char *path, const char *what, int err, GError **error)
{
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT, "%s: %s: %s; choose another place with -o",
		    path, what, g_strerror(err));
	return false;
}

struct output_set *output_set_new(const char *dir, GError **error)
{
	struct output_set *s;
	bool existed = g_file_test(dir, G_FILE_TEST_EXISTS);

	if (g_mkdir_with_parents(dir, 0777)) {
		failed(dir, "result directory could not be made", errno, error);
		return NULL;
	}
	if (!g_file_test(dir, G_FILE_TEST_IS_DIR)) {
		failed(dir, "result directory could not be made", ENOTDIR, error);
		return NULL;
	}
	s = g_new0(struct output_set, 1);
	s->dir = g_strdup(dir);
	s->made_dir = !existed;
	s->names = g_ptr_array_new_with_free_func(g_free);
	s->temps = g_ptr_array_new_with_free_func(g_free);
	return s;
}

bool result_check_dir(const char *dir, GError **error)
{
	g_autofree char *at = g_canonicalize_filename(dir, NULL);

	while (!g_file_test(at, G_FILE_TEST_EXISTS)) {
		char *up = g_path_get_dirname(at);

		g_free(at);
		at = up;
	}
	if (!g_file_test(at, G_FILE_TEST_IS_DIR))
		return failed(dir, "result directory could not be made", ENOTDIR, error);
	if (access(at, W_OK | X_OK))
		return failed(dir, "result directory could not be written", errno, error);
	return true;
}

bool output_is_special(const char *path)
{
	return g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_REGULAR) &&
	       !g_file_test(path, G_FILE_TEST_IS_DIR);
}

FILE *output_open(struct output_set *s, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(s->dir, name, NULL);
	g_autofree char *temp = g_strdup_printf("%s/.%s.%d.tmp", s->dir, name, (int)getpid());

	g_assert(!s->current);
	if (output_is_special(path)) {
		failed(path, "could not be written", ENOTSUP, error);
		return NULL;
	}
	s->current = fopen(temp, "we");
	if (!s->current) {
		failed(path, "could not be written", errno, error);
		return NULL;
	}
	g_ptr_array_add(s->temps, g_steal_pointer(&temp));
	g_ptr_array_add(s->names, g_steal_pointer(&path));
	return s->current;
}

bool output_close(struct output_set *s, GError **error)
{
	FILE *f = g_steal_pointer(&s->current);
	const char *name = s->names->pdata[s->names->len - 1];
	bool bad = ferror(f);
	int err = errno;

	/* Pipes and special files cannot be synced: that is not a failure. */
	if (fflush(f) || (fsync(fileno(f)) && errno != EINVAL && errno != EROFS)) {
		err = errno;
		bad = true;
	}
	if (fclose(f) && !bad) {
		err = errno;
		bad = true;
	}
	return !bad || failed(name, "could not be written", err ? err : EIO, error);
}

static void sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

bool output_commit(struct output_set *s, GError **error)
{
	const char *last = s->names->pdata[s->names->len - 1];

	if (g_unlink(last) && errno != ENOENT)
		return failed(last, "could not be replaced", errno, error);
	for (unsigned i = 0; i < s->names->len; i++)
		if (g_rename(s->temps->pdata[i], s->names->pdata[i]))
			return failed(s->names->pdata[i], "could not be put in place", errno, error);
	sync_dir(s->dir);
	s->committed = true;
	return true;
}

void output_set_free(struct output_set *s)
{
	if (!s)
		return;
	if (s->current)
		fclose(s->current);
	for (unsigned i = 0; !s->committed && i < s->temps->len; i++)
		g_unlink(s->temps->pdata[i]);
	if (!s->committed && s->made_dir)
		g_rmdir(s->dir);
	g_ptr_array_unref(s->names);
	g_ptr_array_unref(s->temps);
	g_free(s->dir);
	g_free(s);
}

static bool write_special(const char *path, const char *data, size_t len, GError **error)
{
	FILE *f = fopen(path, "we");
	bool bad = !f || fwrite(data, 1, len, f) != len || fflush(f);
	int err = errno;

	if (f && fclose(f) && !bad) {
		err = errno;
		bad = true;
	}
	return !bad || failed(path, "could not be written", err ? err : EIO, error);
}

bool output_write_file(const char *path, const char *data, size_t len, GError **error)
{
	g_autofree char *dir = g_path_get_dirname(path), *name = g_path_get_basename(path);
	struct output_set *s;
	FILE *f;
	bool ok = false;

	if (output_is_special(path))
		return write_special(path, data, len, error);
	s = output_set_new(dir, error);
	f = s ? output_open(s, name, error) : NULL;
	if (f) {
		fwrite(data, 1, len, f);
		ok = output_close(s, error) && output_commit(s, error);
	}
	output_set_free(s);
	return ok;
}
