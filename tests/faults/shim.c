/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into dmasim: fails the n-th call of one kind. DMASIM_FAULT = KIND:N[:ERRNO], KIND one of malloc
 * read write rename fsync open; ERRNO a number, 0: a short transfer. N = 0: none fails. At the end the number
 * of calls of each kind is written to the file DMASIM_FAULT_COUNTS, one "KIND N" a line.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { MALLOC, READ, WRITE, RENAME, FSYNC, OPEN, KINDS };
static const char *const names[KINDS] = {"malloc", "read", "write", "rename", "fsync", "open"};

static atomic_ulong calls[KINDS];
static enum kind failing = KINDS;
static unsigned long at;
static int error_number;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

__attribute__((constructor)) static void start(void)
{
	const char *text = getenv("DMASIM_FAULT");
	char *rest;

	if (!text || strcmp(program_invocation_short_name, "dmasim") != 0)
		return;
	for (int k = 0; k < KINDS; k++)
		if (!strncmp(text, names[k], strlen(names[k])) && text[strlen(names[k])] == ':') {
			at = strtoul(text + strlen(names[k]) + 1, &rest, 10);
			error_number = *rest == ':' ? atoi(rest + 1) : EIO;
			for (int i = 0; i < KINDS; i++)
				calls[i] = 0;
			failing = k;
		}
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("DMASIM_FAULT_COUNTS");
	unsigned long seen[KINDS];
	FILE *f;

	if (failing == KINDS || !path)
		return;
	failing = KINDS;
	for (int i = 0; i < KINDS; i++)
		seen[i] = calls[i];
	f = fopen(path, "w");
	for (int i = 0; f && i < KINDS; i++)
		fprintf(f, "%s %lu\n", names[i], seen[i]);
	if (f)
		fclose(f);
}

static bool fails(enum kind kind)
{
	return failing != KINDS && ++calls[kind] == at && failing == kind;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void *malloc(size_t n)
{
	if (fails(MALLOC)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	if (fails(MALLOC)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	if (fails(MALLOC)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(p, n);
}

/* Files only: on pipes and event descriptors these errors do not occur. */
static bool is_file(int fd)
{
	struct stat st;

	return failing != KINDS && !fstat(fd, &st) && S_ISREG(st.st_mode);
}

/* True: fail with errno set; else *n is perhaps shorter. */
static bool spoil(enum kind kind, int fd, size_t *n)
{
	if (!is_file(fd) || !fails(kind))
		return false;
	if (!error_number) {
		*n = (*n + 1) / 2;
		return false;
	}
	errno = error_number;
	return true;
}

ssize_t read(int fd, void *data, size_t n)
{
	return spoil(READ, fd, &n) ? -1 : NEXT(read)(fd, data, n);
}

ssize_t pread64(int fd, void *data, size_t n, off64_t offset)
{
	return spoil(READ, fd, &n) ? -1 : NEXT(pread64)(fd, data, n, offset);
}

ssize_t write(int fd, const void *data, size_t n)
{
	return spoil(WRITE, fd, &n) ? -1 : NEXT(write)(fd, data, n);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t offset)
{
	return spoil(WRITE, fd, &n) ? -1 : NEXT(pwrite64)(fd, data, n, offset);
}

/* stdio writes inside the C library, past the function above: its own entry is this one. */
size_t fwrite(const void *data, size_t size, size_t n, FILE *f)
{
	if (is_file(fileno(f)) && fails(WRITE) && error_number) {
		/* What the library would do: the stream's error, seen by ferror and fflush. */
		int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

		if (fd >= 0) {
			dup2(fd, fileno(f));
			close(fd);
		}
	}
	return NEXT(fwrite)(data, size, n, f);
}

int rename(const char *from, const char *to)
{
	if (fails(RENAME)) {
		errno = error_number;
		return -1;
	}
	return NEXT(rename)(from, to);
}

int fsync(int fd)
{
	if (fails(FSYNC)) {
		errno = error_number;
		return -1;
	}
	return NEXT(fsync)(fd);
}

/* What libraries read of the machine when they are loaded is not the command's. */
static bool is_ours(const char *path)
{
	return strncmp(path, "/proc/", 6) && strncmp(path, "/sys/", 5) && strncmp(path, "/dev/", 5);
}

int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (flags & (O_CREAT | __O_TMPFILE)) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if (is_ours(path) && fails(OPEN)) {
		errno = error_number;
		return -1;
	}
	return NEXT(open64)(path, flags, mode);
}

int open(const char *path, int flags, ...) __attribute__((alias("open64")));
FILE *fopen(const char *path, const char *mode) __attribute__((alias("fopen64")));
ssize_t pread(int fd, void *data, size_t n, off_t offset) __attribute__((alias("pread64")));
ssize_t pwrite(int fd, const void *data, size_t n, off_t offset) __attribute__((alias("pwrite64")));

FILE *fopen64(const char *path, const char *mode)
{
	if (is_ours(path) && fails(OPEN)) {
		errno = error_number;
		return NULL;
	}
	return NEXT(fopen64)(path, mode);
}
