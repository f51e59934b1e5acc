/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers of the trace tests: traces in memory-sized files, whole traces read into an array. */
#ifndef DMASIM_TRACE_SUPPORT_H
#define DMASIM_TRACE_SUPPORT_H

#include "support.h"

#include <dmasim/trace.h>

/* Records of a whole trace with copies of their segments and device names. */
struct trace_copy {
	GArray *records; /* struct trace_record, segs own memory */
	GPtrArray *devices;
	GError *error; /* why reading ended, NULL at the end */
	enum trace_workload workload;
	struct trace_counts counts;
	char *sha256;
};

/* Read to the end or the first error; o may be NULL. */
struct trace_copy *trace_copy_file(const char *path, const struct trace_options *o);
struct trace_copy *trace_copy_reader(struct trace_reader *r);
void trace_copy_free(struct trace_copy *c);
const struct trace_record *trace_copy_at(const struct trace_copy *c, unsigned i);
/* Path of a file in tests/data/trace; valid until the next call with the same name. */
char *trace_data(const char *name);
/* A temporary file with these bytes; the caller unlinks and frees. */
char *trace_temporary(const char *suffix, const void *data, size_t len);
void trace_unlink(char *path);
/* Equal in everything but where. */
void trace_assert_same(const struct trace_copy *a, const struct trace_copy *b);

#endif
