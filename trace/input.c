/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "input.h"

#include <dmasim/trace.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAW_BLOCK ((size_t)256 * 1024)
#define FIRST_BUFFER ((size_t)256 * 1024)
/* No format has longer lines; a binary file read as text must not fill the memory. */
#define LONGEST_LINE ((size_t)16 * 1024 * 1024)

struct trace_input {
	char *path, *name, *member;
	int fd;
	struct archive *archive;
	bool tar;
	uint8_t *raw;
	uint64_t raw_bytes, raw_size;
	GChecksum *sha;
	char *sha_text;
	int read_errno;

	char *buf; /* decoded bytes [pos, end), room for a NUL behind end */
	size_t cap, pos, end;
	uint64_t consumed;
	bool ended;
	GError *failed; /* reported once the good part is used up */

	uint64_t line_number;
	size_t line_start;
	bool line_open, in_text;
};

GQuark trace_error_quark(void)
{
	return g_quark_from_static_string("dmasim-trace");
}

static la_ssize_t read_raw(struct archive *a, void *data, const void **block)
{
	struct trace_input *in = data;
	ssize_t n;

	do
		n = read(in->fd, in->raw, RAW_BLOCK);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		in->read_errno = errno;
		archive_set_error(a, errno, "%s", g_strerror(errno));
		return -1;
	}
	in->raw_bytes += (uint64_t)n;
	g_checksum_update(in->sha, in->raw, n);
	*block = in->raw;
	return n;
}

/* Turn the archive's error into ours. */
static GError *archive_failure(struct trace_input *in)
{
	const char *text = archive_error_string(in->archive);

	if (!text)
		text = "unknown error";
	if (in->read_errno)
		return g_error_new(TRACE_ERROR, TRACE_ERROR_OPEN, "%s: cannot read: %s", in->name,
				   g_strerror(in->read_errno));
	if (strcasestr(text, "truncated") || strcasestr(text, "unexpected end") ||
	    strcasestr(text, "premature") || strcasestr(text, "no progress") ||
	    strcasestr(text, "unrecoverable"))
		return g_error_new(TRACE_ERROR, TRACE_ERROR_TRUNCATED,
				   "%s: compressed data ends early at byte %" G_GUINT64_FORMAT
				   " (%s); the file was cut off: copy or record it again",
				   in->name, in->raw_bytes, text);
	return g_error_new(TRACE_ERROR, TRACE_ERROR_FORMAT,
			   "%s: compressed data is damaged before byte %" G_GUINT64_FORMAT
			   " (%s); check the file with its own tool (gzip -t, xz -t, zstd -t, bzip2 -t)",
			   in->name, in->raw_bytes, text);
}

/* Step to the next wanted member. False at the end or on failure. */
static bool next_member(struct trace_input *in)
{
	struct archive_entry *entry;
	int rc;

	while ((rc = archive_read_next_header(in->archive, &entry)) != ARCHIVE_EOF) {
		const char *path;

		if (rc < ARCHIVE_WARN) {
			in->failed = archive_failure(in);
			return false;
		}
		in->tar = (archive_format(in->archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
		if (!in->tar)
			return true;
		path = archive_entry_pathname(entry);
		if (archive_entry_filetype(entry) != AE_IFREG ||
		    (in->member && path && !g_pattern_match_simple(in->member, path)))
			continue;
		g_free(in->name);
		in->name = g_strdup_printf("%s(%s)", in->path, path ? path : "?");
		in->line_number = 0;
		return true;
	}
	return false;
}

static void open_archive(struct trace_input *in)
{
	struct archive *a = in->archive = archive_read_new();

	archive_read_support_filter_gzip(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_format_raw(a);
	archive_read_support_format_tar(a);
	archive_read_support_format_empty(a);
	if (archive_read_open2(a, in, NULL, read_raw, NULL, NULL) != ARCHIVE_OK)
		in->failed = archive_failure(in);
	else if (!next_member(in))
		in->ended = true;
}

struct trace_input *input_open(const char *path, const char *member, GError **error)
{
	struct trace_input *in = g_new0(struct trace_input, 1);
	struct stat st;
	const char *why = NULL;

	in->path = g_strdup(strcmp(path, "-") == 0 ? "standard input" : path);
	in->name = g_strdup(in->path);
	in->member = g_strdup(member);
	in->sha = g_checksum_new(G_CHECKSUM_SHA256);
	in->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0 || fstat(in->fd, &st) < 0)
		why = g_strerror(errno);
	else if (S_ISDIR(st.st_mode))
		why = "it is a directory; name a trace file in it";
	if (why) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN, "%s: cannot open trace: %s", in->name, why);
		input_close(in);
		return NULL;
	}
	in->raw_size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	in->raw = g_malloc(RAW_BLOCK);
	in->cap = FIRST_BUFFER;
	in->buf = g_malloc(in->cap + 1);
	in->buf[0] = '\0';
	open_archive(in);
	if (in->failed && in->raw_bytes == 0 && in->read_errno) {
		g_propagate_error(error, g_steal_pointer(&in->failed));
		input_close(in);
		return NULL;
	}
	return in;
}

void input_close(struct trace_input *in)
{
	if (!in)
		return;
	if (in->archive)
		archive_read_free(in->archive);
	if (in->fd >= 0)
		close(in->fd);
	g_checksum_free(in->sha);
	g_clear_error(&in->failed);
	g_free(in->sha_text);
	g_free(in->path);
	g_free(in->name);
	g_free(in->member);
	g_free(in->raw);
	g_free(in->buf);
	g_free(in);
}

/* Read more behind in->end; the bytes from keep on stay. False when nothing more will come. */
static bool fill(struct trace_input *in, size_t keep)
{
	la_ssize_t n;

	if (in->ended || in->failed)
		return false;
	if (keep > 0) {
		memmove(in->buf, in->buf + keep, in->end - keep);
		in->pos -= keep;
		in->end -= keep;
		in->line_start = in->line_start >= keep ? in->line_start - keep : 0;
	}
	if (in->end == in->cap) {
		in->cap *= 2;
		in->buf = g_realloc(in->buf, in->cap + 1);
	}
	for (;;) {
		n = archive_read_data(in->archive, in->buf + in->end, in->cap - in->end);
		if (n > 0) {
			in->end += (size_t)n;
			in->buf[in->end] = '\0';
			return true;
		}
		if (n == ARCHIVE_RETRY || n == ARCHIVE_WARN)
			continue;
		if (n < 0) {
			in->failed = archive_failure(in);
			return false;
		}
		if (!in->tar || !next_member(in)) {
			in->ended = true;
			return false;
		}
		if (in->in_text && in->end > in->pos && in->buf[in->end - 1] != '\n') {
			/* The last line of a member does not run into the next one. */
			in->buf[in->end++] = '\n';
			in->buf[in->end] = '\0';
			return true;
		}
	}
}

static int fail(struct trace_input *in, GError **error)
{
	g_propagate_error(error, g_error_copy(in->failed));
	return -1;
}

int input_line(struct trace_input *in, const char **line, size_t *len, GError **error)
{
	size_t scanned = in->pos;
	char *nl;

	in->in_text = true;
	while (!(nl = memchr(in->buf + scanned, '\n', in->end - scanned))) {
		size_t have = in->end - in->pos;

		if (have > LONGEST_LINE) {
			g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
				    "%s:%" G_GUINT64_FORMAT
				    ": line is longer than %zu bytes; this is not a text trace",
				    in->name, in->line_number + 1, LONGEST_LINE);
			return -1;
		}
		if (!fill(in, in->pos))
			break;
		scanned = in->pos + have;
	}
	if (!nl && in->failed)
		return fail(in, error);
	if (!nl && in->pos == in->end)
		return 0;
	in->line_open = !nl;
	in->line_start = in->pos;
	*line = in->buf + in->pos;
	*len = nl ? (size_t)(nl - *line) : in->end - in->pos;
	in->consumed += *len + (nl != NULL);
	in->pos += *len + (nl != NULL);
	if (*len > 0 && (*line)[*len - 1] == '\r')
		(*len)--;
	in->buf[(size_t)(*line - in->buf) + *len] = '\0';
	if (in->line_number++ == 0 && strncmp(*line, "\xef\xbb\xbf", 3) == 0) {
		*line += 3;
		*len -= 3;
	}
	return 1;
}

void input_unread_line(struct trace_input *in)
{
	size_t n = in->pos - in->line_start;

	/* The line end may have been overwritten by NUL: put it back. */
	if (!in->line_open) {
		if (n >= 2 && in->buf[in->pos - 2] == '\0')
			in->buf[in->pos - 2] = '\r';
		in->buf[in->pos - 1] = '\n';
	}
	in->consumed -= n;
	in->pos = in->line_start;
	in->line_number--;
}

uint64_t input_line_number(const struct trace_input *in)
{
	return in->line_number;
}

bool input_line_open(const struct trace_input *in)
{
	return in->line_open;
}

ssize_t input_peek(struct trace_input *in, size_t n, const uint8_t **p, GError **error)
{
	while (in->end - in->pos < n) {
		if (fill(in, in->pos))
			continue;
		if (in->failed && in->pos == in->end)
			return fail(in, error);
		break;
	}
	*p = (const uint8_t *)in->buf + in->pos;
	return (ssize_t)(in->end - in->pos);
}

void input_skip(struct trace_input *in, size_t n)
{
	g_assert(n <= in->end - in->pos);
	in->pos += n;
	in->consumed += n;
}

uint64_t input_offset(const struct trace_input *in)
{
	return in->consumed;
}

const char *input_name(const struct trace_input *in)
{
	return in->name;
}

uint64_t input_raw_bytes(const struct trace_input *in, uint64_t *size)
{
	if (size)
		*size = in->raw_size;
	return in->raw_bytes;
}

const char *input_sha256(struct trace_input *in)
{
	ssize_t n;

	if (in->sha_text)
		return in->sha_text;
	while ((n = read(in->fd, in->raw, RAW_BLOCK)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0) {
			in->raw_bytes += (uint64_t)n;
			g_checksum_update(in->sha, in->raw, n);
		}
	in->sha_text = g_strdup(g_checksum_get_string(in->sha));
	return in->sha_text;
}
