/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two native writers behind trace_writer_open. */
#ifndef DMASIM_TRACE_WRITER_H
#define DMASIM_TRACE_WRITER_H

#include "native.h"
#include "output.h"

struct writer_ops {
	size_t state_size;
	bool (*open)(struct trace_writer *w, GError **error);
	bool (*write)(struct trace_writer *w, const struct trace_record *rec, const char *device,
		      GError **error);
	bool (*finish)(struct trace_writer *w, GError **error);
	void (*close)(struct trace_writer *w);
};

struct trace_writer {
	const struct writer_ops *ops;
	enum trace_workload workload;
	struct trace_output *out;
	char *path;
	uint64_t records;
	bool failed;
	void *state;
};

extern const struct writer_ops writer_csv, writer_dmt;

#endif
