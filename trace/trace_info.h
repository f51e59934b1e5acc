/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a trace is like, before it is run: one pass, bounded memory. */
#ifndef DMASIM_TRACE_TRACE_INFO_H
#define DMASIM_TRACE_TRACE_INFO_H

#include <dmasim/trace.h>

struct json_t;
struct trace_info;
struct trace_info *trace_info_new(enum trace_workload w);
void trace_info_free(struct trace_info *t);
void trace_info_add(struct trace_info *t, const struct trace_record *rec);
/*
 * Duration, rate, sizes, alignment, read share, footprint, reuse distance, gaps, vectors as a JSON
 * object; the caller owns the reference.
 */
struct json_t *trace_info_json(struct trace_info *t);

#endif
