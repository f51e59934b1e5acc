/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output.h"

#include <dmasim/trace.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct trace_output {
	char *path, *temporary;
	int fd;
	struct archive *archive;
};

static bool fail(struct trace_output *out, GError **error, int code, const char *what)
{
	const char *text = out->archive && code == 0 ? archive_error_string(out->archive) : NULL;
	int number = out->archive && code == 0 ? archive_errno(out->archive) : code;

	g_set_error(error, TRACE_ERROR, TRACE_ERROR_WRITE, "%s: cannot %s trace: %s", out->path, what,
		    number > 0 ? g_strerror(number)
		    : text     ? text
			       : "unknown error");
	return false;
}

static void add_filter(struct archive *a, const char *path)
{
	if (g_str_has_suffix(path, ".gz"))
		archive_write_add_filter_gzip(a);
	else if (g_str_has_suffix(path, ".xz"))
		archive_write_add_filter_xz(a);
	else if (g_str_has_suffix(path, ".zst"))
		archive_write_add_filter_zstd(a);
	else if (g_str_has_suffix(path, ".bz2"))
		archive_write_add_filter_bzip2(a);
	else
		archive_write_add_filter_none(a);
}

static bool start_archive(struct trace_output *out, GError **error)
{
	struct archive *a = out->archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	bool ok;

	archive_write_set_format_raw(a);
	add_filter(a, out->path);
	archive_write_set_bytes_in_last_block(a, 1);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_pathname(entry, "trace");
	ok = archive_write_open_fd(a, out->fd) == ARCHIVE_OK && archive_write_header(a, entry) == ARCHIVE_OK;
	archive_entry_free(entry);
	return ok || fail(out, error, 0, "start");
}

struct trace_output *trace_output_open(const char *path, GError **error)
{
	struct trace_output *out = g_new0(struct trace_output, 1);
	struct stat st;

	out->path = g_strdup(path);
	if (strcmp(path, "-") == 0) {
		out->fd = dup(STDOUT_FILENO);
	} else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		/* A device or a pipe is written in place: a rename would put a file there instead. */
		out->fd = open(path, O_WRONLY | O_CLOEXEC);
	} else {
		out->temporary = g_strdup_printf("%s.%ld.tmp", path, (long)getpid());
		out->fd = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	}
	if (out->fd < 0) {
		fail(out, error, errno, "create");
		g_clear_pointer(&out->temporary, g_free);
		trace_output_abandon(out);
		return NULL;
	}
	if (!start_archive(out, error)) {
		trace_output_abandon(out);
		return NULL;
	}
	return out;
}

bool trace_output_write(struct trace_output *out, const void *data, size_t len, GError **error)
{
	if (archive_write_data(out->archive, data, len) == (la_ssize_t)len)
		return true;
	return fail(out, error, 0, "write");
}

bool trace_output_close(struct trace_output *out, GError **error)
{
	bool ok = archive_write_close(out->archive) == ARCHIVE_OK || fail(out, error, 0, "write");

	if (ok && out->temporary) {
		if (fsync(out->fd) < 0 && errno != EINVAL && errno != EROFS)
			ok = fail(out, error, errno, "write");
		else if (rename(out->temporary, out->path) < 0)
			ok = fail(out, error, errno, "rename");
		else
			g_clear_pointer(&out->temporary, g_free);
	}
	trace_output_abandon(out);
	return ok;
}

void trace_output_abandon(struct trace_output *out)
{
	if (out->archive) {
		archive_write_fail(out->archive);
		archive_write_free(out->archive);
	}
	if (out->fd >= 0)
		close(out->fd);
	if (out->temporary)
		unlink(out->temporary);
	g_free(out->temporary);
	g_free(out->path);
	g_free(out);
}
