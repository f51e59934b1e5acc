/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a file or of standard input, read, hashed as stored and decompressed (gzip, bzip2, xz, zstd,
 * and tar archives of such files, through libarchive) a few blocks ahead of who parses them, on a thread of
 * its own. What fits one block needs no thread.
 */
#ifndef DMASIM_TRACE_PUMP_H
#define DMASIM_TRACE_PUMP_H

#include <dmasim/types.h>

struct pump;
/* As input_open. */
struct pump *pump_open(const char *path, const char *member, GError **error);
void pump_close(struct pump *p);

struct pump_block {
	const char *member; /* a tar archive's next member begins, and the block has no bytes; else NULL */
	const char *data;
	size_t len;
};
/* Next block, valid until the next call. 1, 0 at the end, -1 on error. */
int pump_next(struct pump *p, struct pump_block *b, GError **error);

/* Stored bytes read so far, size of the file (0: unknown). */
uint64_t pump_raw_bytes(const struct pump *p, uint64_t *size);
/* Whether decoded bytes are the stored ones of a file, so that it can be read at any place. */
bool pump_seekable(const struct pump *p);
/* The bytes of a seekable one at offset; false if they are not there. */
bool pump_read_at(const struct pump *p, uint64_t offset, void *data, size_t len);
/* Go on at offset: what is passed over is not hashed, so there is no sum. */
bool pump_seek(struct pump *p, uint64_t offset);
/* SHA-256 of the stored bytes, hex; reads what is left. No pump_next afterwards. NULL behind pump_seek. */
const char *pump_sha256(struct pump *p);

#endif
