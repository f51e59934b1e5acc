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

FILE *output_open(struct output_set *s, const char *name, GError **error)
{
	char *temp = g_strdup_printf("%s/.%s.%d.tmp", s->dir, name, (int)getpid());

	g_assert(!s->current);
	s->current = fopen(temp, "we");
	if (!s->current) {
		failed(temp, "could not be written", errno, error);
		g_free(temp);
		return NULL;
	}
	g_ptr_array_add(s->temps, temp);
	g_ptr_array_add(s->names, g_strdup_printf("%s/%s", s->dir, name));
	return s->current;
}

bool output_close(struct output_set *s, GError **error)
{
	FILE *f = g_steal_pointer(&s->current);
	const char *temp = s->temps->pdata[s->temps->len - 1];
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
	return !bad || failed(temp, "could not be written", err ? err : EIO, error);
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

bool output_write_file(const char *path, const char *data, size_t len, GError **error)
{
	g_autofree char *dir = g_path_get_dirname(path), *name = g_path_get_basename(path);
	struct output_set *s = output_set_new(dir, error);
	FILE *f = s ? output_open(s, name, error) : NULL;
	bool ok = false;

	if (f) {
		fwrite(data, 1, len, f);
		ok = output_close(s, error) && output_commit(s, error);
	}
	output_set_free(s);
	return ok;
}
