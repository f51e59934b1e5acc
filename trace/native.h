/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that the two native forms (text and binary) share. */
#ifndef DMASIM_TRACE_NATIVE_H
#define DMASIM_TRACE_NATIVE_H

#include <dmasim/trace.h>

#define NATIVE_MAGIC "# dmasim-trace v"
#define NATIVE_VERSION 1

enum native_column {
	COL_TIME,
	COL_CPU,
	COL_DEVICE,
	COL_QUEUE,
	COL_OP,
	COL_OFFSET,
	COL_BYTES,
	COL_SEGMENTS,
	COL_DONE_NS,
	COL_DONE_CPU,
	COL_SPLIT,
	COL_EVENT,
	COL_MR,
	COL_WRITE,
	COL_VA,
	COL_ACCESS,
	COL_IMPLICIT,
	COL_BUFFER,
	COL_DIRECTION,
	COL_PURPOSE,
	COL_INCREMENTAL,
	COL_HANDLE,
	COL_PHYS,
	COL_ATTRS,
	COLUMNS,
};

struct native_form {
	const enum native_column *columns; /* in the order written */
	unsigned ncolumns, nrequired;      /* the first nrequired must be there */
};
extern const char *const native_columns[COLUMNS];
extern const struct native_form native_forms[TRACE_WORKLOADS];
extern const char *const native_ops[],
    *const native_splits[], *const native_directions[], *const native_purposes[], *const native_kinds[];
/* Event names of a workload, NULL-terminated; NULL for nvme. */
extern const char *const *const native_events[TRACE_WORKLOADS];

#endif
