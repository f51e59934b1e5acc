/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace input: a file or standard input, decompressed and hashed ahead (pump.h), handed out as lines or as
 * bytes.
 */
#ifndef DMASIM_TRACE_INPUT_H
#define DMASIM_TRACE_INPUT_H

#include <dmasim/types.h>

struct trace_input;

/* path "-" is standard input; member: glob for members of a tar archive, NULL for all. */
struct trace_input *input_open(const char *path, const char *member, GError **error);
void input_close(struct trace_input *in);

/*
 * Next line without its end (LF or CR LF) and without a leading byte-order mark, NUL-terminated,
 * valid until the next call. 1, 0 at the end, -1 on error.
 */
int input_line(struct trace_input *in, const char **line, size_t *len, GError **error);
/* Hand the last line out once more. */
void input_unread_line(struct trace_input *in);
/* Number of the last line, from 1. */
uint64_t input_line_number(const struct trace_input *in);
/* The last line had no line end: it is the last one of the file and may be cut off. */
bool input_line_open(const struct trace_input *in);

/*
 * At least n decoded bytes at *p, without consuming them; fewer only at the end. Returns how many
 * are there, -1 on error. Follow with input_skip.
 */
ssize_t input_peek(struct trace_input *in, size_t n, const uint8_t **p, GError **error);
void input_skip(struct trace_input *in, size_t n);
/* Decoded bytes consumed. */
uint64_t input_offset(const struct trace_input *in);

/* As in pump.h; offsets are decoded bytes. */
bool input_seekable(const struct trace_input *in);
bool input_read_at(const struct trace_input *in, uint64_t offset, void *data, size_t len);
bool input_seek(struct trace_input *in, uint64_t offset);

/* "trace.csv", "standard input", "all.tar(part.csv)". */
const char *input_name(const struct trace_input *in);
/* Stored bytes read so far, size of the file (0: unknown). */
uint64_t input_raw_bytes(const struct trace_input *in, uint64_t *size);
/* SHA-256 of the stored bytes; reads what is left. NULL where input_seek passed over some. */
const char *input_sha256(struct trace_input *in);

#endif
