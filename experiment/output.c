/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output.h"

#include "result.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct output_set {
	char *dir;
	bool made_dir, committed;
	GPtrArray *names, *temps; /* paths: where each file will be, where it is so far */
	GPtrArray *stale;         /* of an older set, not in this one */
	GPtrArray *aside;         /* pairs: a path of the older set, where it waits until all is in place */
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
	s->stale = g_ptr_array_new_with_free_func(g_free);
	s->aside = g_ptr_array_new_with_free_func(g_free);
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

bool output_adopt(struct output_set *s, const char *file, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(s->dir, name, NULL);

	g_assert(!s->current);
	if (output_is_special(path))
		return failed(path, "could not be written", ENOTSUP, error);
	g_ptr_array_add(s->temps, g_strdup(file));
	g_ptr_array_add(s->names, g_steal_pointer(&path));
	return true;
}

void output_replaces(struct output_set *s, const char *const *members)
{
	for (const char *const *m = members; *m; m++) {
		g_autofree char *path = g_build_filename(s->dir, *m, NULL);

		if (!g_ptr_array_find_with_equal_func(s->names, path, g_str_equal, NULL))
			g_ptr_array_add(s->stale, g_steal_pointer(&path));
	}
}

int output_lock(const char *dir, bool wait, GError **error)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		failed(dir, "could not be opened", errno, error);
		return -1;
	}
	while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB))) {
		if (errno == EWOULDBLOCK) {
			close(fd);
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT,
				    "%s: another dmasim is at work in it; wait for it, or choose another "
				    "place with -o",
				    dir);
			return -1;
		}
		if (errno != EINTR)
			break; /* a file system without locks */
	}
	return fd;
}

void output_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

bool output_scratch(char *path, GError **error)
{
	return g_mkdtemp(path) || failed(path, "could not be made", errno, error);
}

void output_remove_dir(const char *dir)
{
	GDir *d = g_dir_open(dir, 0, NULL);

	for (const char *name = d ? g_dir_read_name(d) : NULL; name; name = g_dir_read_name(d)) {
		g_autofree char *path = g_build_filename(dir, name, NULL);

		g_unlink(path);
	}
	if (d)
		g_dir_close(d);
	g_rmdir(dir);
}

static void sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static bool move_aside(struct output_set *s, const char *path, GError **error)
{
	g_autofree char *dir = g_path_get_dirname(path), *name = g_path_get_basename(path);
	char *aside = g_strdup_printf("%s/.%s.%d.old", dir, name, (int)getpid());

	if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
		g_free(aside);
		return true;
	}
	if (g_rename(path, aside)) {
		g_free(aside);
		return failed(path, "could not be replaced", errno, error);
	}
	g_ptr_array_add(s->aside, g_strdup(path));
	g_ptr_array_add(s->aside, aside);
	return true;
}

/* The old set as it was: what has been put in place goes, what was moved aside comes back, its last file
 * last. */
static void undo(struct output_set *s, unsigned placed)
{
	while (placed--)
		g_unlink(s->names->pdata[placed]);
	for (unsigned i = s->aside->len; i; i -= 2)
		g_rename(s->aside->pdata[i - 1], s->aside->pdata[i - 2]);
}

bool output_commit(struct output_set *s, GError **error)
{
	unsigned n = s->names->len, placed = 0;
	bool ok = move_aside(s, s->names->pdata[n - 1], error);

	for (unsigned i = 0; ok && i < s->stale->len; i++)
		ok = move_aside(s, s->stale->pdata[i], error);
	for (unsigned i = 0; ok && i + 1 < n; i++)
		ok = move_aside(s, s->names->pdata[i], error);
	for (; ok && placed < n; placed += ok) {
		ok = !g_rename(s->temps->pdata[placed], s->names->pdata[placed]);
		if (!ok)
			failed(s->names->pdata[placed], "could not be put in place", errno, error);
	}
	if (!ok) {
		undo(s, placed);
		return false;
	}
	for (unsigned i = 1; i < s->aside->len; i += 2)
		g_unlink(s->aside->pdata[i]);
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
	g_ptr_array_unref(s->stale);
	g_ptr_array_unref(s->aside);
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
