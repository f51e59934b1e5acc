/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pump.h"
#include "digest.h"

#include <dmasim/trace.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAW_BLOCK ((size_t)256 * 1024)
#define BLOCK ((size_t)128 * 1024)
#define AHEAD 4u /* blocks */

enum slot_kind { SLOT_DATA, SLOT_MEMBER, SLOT_END, SLOT_FAILED };
struct slot {
	enum slot_kind kind;
	char *data; /* BLOCK bytes */
	size_t len;
	char *member;
	GError *error;
};

struct pump {
	char *path, *name, *member; /* name: with the member that is being read */
	int fd;
	bool regular;
	/* what the thread works with; the caller's before it starts and after it has ended */
	struct archive *archive;
	bool tar, at_member;
	uint8_t *raw;
	struct digest *sha; /* NULL: finished, or not all of the file was read */
	int read_errno;
	GError *failed;
	/* between the two */
	GThread *thread;
	GMutex lock;
	GCond changed;
	struct slot slots[AHEAD];
	unsigned made, taken; /* slots, ever; [taken, made) are ready */
	bool stop;
	int wake; /* ends a wait for a pipe */
	uint64_t raw_bytes, raw_size;
	bool started, ended;
	char *sha_text;
};

/* ---- stored bytes ---- */

/* A pipe may never say anything more: wait for it or for the one who gives up. */
static bool wait_for_input(struct pump *p)
{
	struct pollfd fds[2] = {{.fd = p->fd, .events = POLLIN}, {.fd = p->wake, .events = POLLIN}};

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return true; /* read() will say what is wrong */
	return !(fds[1].revents & POLLIN);
}

static ssize_t read_stored(struct pump *p)
{
	ssize_t n;

	do {
		if (!p->regular && !wait_for_input(p))
			return 0;
		n = read(p->fd, p->raw, RAW_BLOCK);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		__atomic_fetch_add(&p->raw_bytes, (uint64_t)n, __ATOMIC_RELAXED);
		if (p->sha)
			digest_add(p->sha, p->raw, (size_t)n);
	}
	return n;
}

static la_ssize_t archive_reads(struct archive *a, void *data, const void **block)
{
	struct pump *p = data;
	ssize_t n = read_stored(p);

	if (n < 0) {
		p->read_errno = errno;
		archive_set_error(a, errno, "%s", g_strerror(errno));
		return -1;
	}
	*block = p->raw;
	return n;
}

/* Turn the archive's error into ours. */
static void archive_failed(struct pump *p)
{
	const char *text = archive_error_string(p->archive);

	if (!text)
		text = "unknown error";
	if (p->read_errno)
		p->failed = g_error_new(TRACE_ERROR, TRACE_ERROR_OPEN, "%s: cannot read: %s", p->name,
					g_strerror(p->read_errno));
	else if (strcasestr(text, "truncated") || strcasestr(text, "unexpected end") ||
		 strcasestr(text, "premature") || strcasestr(text, "no progress") ||
		 strcasestr(text, "unrecoverable"))
		p->failed = g_error_new(TRACE_ERROR, TRACE_ERROR_TRUNCATED,
					"%s: compressed data ends early at byte %" G_GUINT64_FORMAT
					" (%s); the file was cut off: copy or record it again",
					p->name, p->raw_bytes, text);
	else
		p->failed = g_error_new(
		    TRACE_ERROR, TRACE_ERROR_FORMAT,
		    "%s: compressed data is damaged before byte %" G_GUINT64_FORMAT
		    " (%s); check the file with its own tool (gzip -t, xz -t, zstd -t, bzip2 -t)",
		    p->name, p->raw_bytes, text);
}

/* ---- decoded blocks ---- */

/* Step to the next wanted member. False at the end or on failure. */
static bool next_member(struct pump *p)
{
	struct archive_entry *entry;
	int rc;

	while ((rc = archive_read_next_header(p->archive, &entry)) != ARCHIVE_EOF) {
		const char *path;

		if (rc < ARCHIVE_WARN) {
			archive_failed(p);
			return false;
		}
		p->tar = (archive_format(p->archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
		if (!p->tar)
			return true;
		path = archive_entry_pathname(entry);
		if (archive_entry_filetype(entry) != AE_IFREG ||
		    (p->member && path && !g_pattern_match_simple(p->member, path)))
			continue;
		g_free(p->name);
		p->name = g_strdup_printf("%s(%s)", p->path, path ? path : "?");
		p->at_member = true;
		return true;
	}
	return false;
}

/* Fill s with whatever comes next. */
static void make(struct pump *p, struct slot *s)
{
	la_ssize_t n = 0;

	g_clear_pointer(&s->member, g_free);
	s->kind = SLOT_DATA;
	if (!s->data)
		s->data = g_malloc(BLOCK);
	while (!p->failed && !p->ended && !p->at_member) {
		n = archive_read_data(p->archive, s->data, BLOCK);
		if (n > 0) {
			s->len = (size_t)n;
			return;
		}
		if (n == ARCHIVE_RETRY || n == ARCHIVE_WARN)
			continue;
		if (n < 0)
			archive_failed(p);
		else
			p->ended = !p->tar || !next_member(p);
	}
	if (p->failed) {
		s->kind = SLOT_FAILED;
		s->error = g_error_copy(p->failed);
	} else if (p->at_member) {
		p->at_member = false;
		s->kind = SLOT_MEMBER;
		s->member = g_strdup(p->name);
	} else {
		s->kind = SLOT_END;
	}
}

static void *run(void *data)
{
	struct pump *p = data;
	enum slot_kind kind = SLOT_DATA;

	g_mutex_lock(&p->lock);
	while (!p->stop && kind < SLOT_END) {
		struct slot *s = &p->slots[p->made % AHEAD];

		/* The slot taken last is still being read. */
		if (p->made - p->taken == AHEAD - 1) {
			g_cond_wait(&p->changed, &p->lock);
			continue;
		}
		g_mutex_unlock(&p->lock);
		make(p, s);
		kind = s->kind;
		g_mutex_lock(&p->lock);
		p->made++;
		g_cond_signal(&p->changed);
	}
	g_mutex_unlock(&p->lock);
	return NULL;
}

/* The thread is done, or was never needed: all is the caller's. */
static void stop(struct pump *p)
{
	const uint64_t one = 1;
	uint64_t token;

	if (!p->thread)
		return;
	g_mutex_lock(&p->lock);
	p->stop = true;
	g_cond_signal(&p->changed);
	g_mutex_unlock(&p->lock);
	while (write(p->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	g_thread_join(g_steal_pointer(&p->thread));
	while (read(p->wake, &token, sizeof(token)) < 0 && errno == EINTR)
		;
}

/* The next slot; the first is made here, all others on the thread. */
static const struct slot *take(struct pump *p)
{
	struct slot *s;

	g_mutex_lock(&p->lock);
	if (!p->started) {
		p->started = true;
		make(p, &p->slots[p->made++]);
	} else if (!p->thread) {
		p->thread = g_thread_new("trace input", run, p);
	}
	while (p->made == p->taken)
		g_cond_wait(&p->changed, &p->lock);
	s = &p->slots[p->taken++ % AHEAD];
	g_cond_signal(&p->changed);
	g_mutex_unlock(&p->lock);
	return s;
}

int pump_next(struct pump *p, struct pump_block *b, GError **error)
{
	const struct slot *s = take(p);

	*b = (struct pump_block){s->member, s->data, s->kind == SLOT_DATA ? s->len : 0};
	if (s->kind != SLOT_FAILED)
		return s->kind != SLOT_END;
	g_propagate_error(error, s->error);
	return -1;
}

/* ---- opening and closing ---- */

static bool open_file(struct pump *p, GError **error)
{
	bool standard = strcmp(p->path, "-") == 0;
	const char *why = NULL;
	struct stat st;

	p->fd = standard ? dup(STDIN_FILENO) : open(p->path, O_RDONLY | O_CLOEXEC);
	if (standard) {
		g_free(p->path);
		p->path = g_strdup("standard input");
	}
	p->name = g_strdup(p->path);
	if (p->fd < 0 || fstat(p->fd, &st) < 0)
		why = g_strerror(errno);
	else if (S_ISDIR(st.st_mode))
		why = "it is a directory; name a trace file in it";
	if (why) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN, "%s: cannot open trace: %s", p->name, why);
		return false;
	}
	p->regular = S_ISREG(st.st_mode);
	p->raw_size = p->regular ? (uint64_t)st.st_size : 0;
	return true;
}

/* decode: the bytes may be compressed or an archive. */
static void open_archive(struct pump *p, bool decode)
{
	struct archive *a = p->archive = archive_read_new();

	if (decode) {
		archive_read_support_filter_gzip(a);
		archive_read_support_filter_bzip2(a);
		archive_read_support_filter_xz(a);
		archive_read_support_filter_zstd(a);
		archive_read_support_format_tar(a);
	}
	archive_read_support_format_raw(a);
	archive_read_support_format_empty(a);
	if (archive_read_open2(a, p, NULL, archive_reads, NULL, NULL) != ARCHIVE_OK)
		archive_failed(p);
	else
		p->ended = !next_member(p);
}

struct pump *pump_open(const char *path, const char *member, GError **error)
{
	struct pump *p = g_new0(struct pump, 1);

	p->path = g_strdup(path);
	p->member = g_strdup(member);
	p->wake = eventfd(0, EFD_CLOEXEC);
	if (!open_file(p, error)) {
		pump_close(p);
		return NULL;
	}
	if (p->wake < 0) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN,
			    "%s: cannot open trace: no file descriptor is left", p->name);
		pump_close(p);
		return NULL;
	}
	p->sha = digest_new();
	p->raw = g_malloc(RAW_BLOCK);
	open_archive(p, true);
	if (p->failed && p->raw_bytes == 0 && p->read_errno) {
		g_propagate_error(error, g_steal_pointer(&p->failed));
		pump_close(p);
		return NULL;
	}
	return p;
}

void pump_close(struct pump *p)
{
	if (!p)
		return;
	stop(p);
	if (p->archive)
		archive_read_free(p->archive);
	if (p->fd >= 0)
		close(p->fd);
	if (p->wake >= 0)
		close(p->wake);
	digest_free(p->sha);
	for (unsigned i = 0; i < AHEAD; i++) {
		g_free(p->slots[i].data);
		g_free(p->slots[i].member);
	}
	/* An error that nobody took. */
	for (unsigned i = p->taken; i < p->made; i++)
		g_clear_error(&p->slots[i % AHEAD].error);
	g_clear_error(&p->failed);
	g_free(p->sha_text);
	g_free(p->path);
	g_free(p->name);
	g_free(p->member);
	g_free(p->raw);
	g_free(p);
}

uint64_t pump_raw_bytes(const struct pump *p, uint64_t *size)
{
	if (size)
		*size = p->raw_size;
	return __atomic_load_n(&p->raw_bytes, __ATOMIC_RELAXED);
}

bool pump_seekable(const struct pump *p)
{
	return p->regular && !p->tar && archive_filter_count(p->archive) == 1;
}

bool pump_read_at(const struct pump *p, uint64_t offset, void *data, size_t len)
{
	return pread(p->fd, data, len, (off_t)offset) == (ssize_t)len;
}

bool pump_seek(struct pump *p, uint64_t offset)
{
	stop(p);
	if (lseek(p->fd, (off_t)offset, SEEK_SET) < 0)
		return false;
	archive_read_free(p->archive);
	for (unsigned i = p->taken; i < p->made; i++)
		g_clear_error(&p->slots[i % AHEAD].error);
	g_clear_pointer(&p->sha, digest_free);
	g_clear_error(&p->failed);
	p->made = p->taken = 0;
	p->stop = p->started = p->ended = false;
	open_archive(p, false);
	return true;
}

const char *pump_sha256(struct pump *p)
{
	if (!p->sha)
		return p->sha_text;
	stop(p);
	while (read_stored(p) > 0)
		;
	return p->sha_text = digest_finish(g_steal_pointer(&p->sha));
}
