/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the readers of one-request-per-line formats share. */
#ifndef DMASIM_TRACE_BLOCK_LINE_H
#define DMASIM_TRACE_BLOCK_LINE_H

#include "reader.h"

#define SECTOR_BYTES 512u

/* One request as its line gives it. */
struct block_line {
	uint64_t time_ns, offset, bytes;
	uint64_t latency_ns; /* TRACE_NO_TIME: not in the format */
	const char *device;
	size_t device_len;
	int op; /* enum nvme_op; -1: unknown */
};

/*
 * Why a line is bad: returned by parsers, NULL when the line is fine. *at then points to the place.
 * A parser may set skip to leave the line out.
 */
typedef const char *(*block_line_fn)(struct trace_reader *r, const char *line, const char **at,
				     struct block_line *b, int *skip);

/* Read one line, parse it with fn, push the request. To be called from format_ops.step. */
int block_line_step(struct trace_reader *r, block_line_fn fn, GError **error);

/* "N" sectors at *at as bytes. */
static inline bool parse_sectors(const char **at, uint64_t *bytes)
{
	const char *p = *at;
	uint64_t n;

	if (!parse_u64(&p, &n) || n > UINT64_MAX / SECTOR_BYTES)
		return false;
	*bytes = n * SECTOR_BYTES;
	*at = p;
	return true;
}

/* Does the whole of text match the sequence of field classes? See block_line.c. */
bool block_line_matches(const char *text, const char *pattern);

#endif
