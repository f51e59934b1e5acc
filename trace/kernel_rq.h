/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests out of the events of a traced kernel: what nvme_setup_cmd (or, without NVMe events,
 * block_rq_issue) starts and nvme_complete_rq (block_rq_complete) ends, with the physical vectors
 * that were mapped in between.
 */
#ifndef DMASIM_TRACE_KERNEL_RQ_H
#define DMASIM_TRACE_KERNEL_RQ_H

#include "ftrace_line.h"
#include "pairs.h"
#include "reader.h"

struct kernel_rq;
struct kernel_rq *kernel_rq_new(struct trace_reader *r);
void kernel_rq_free(struct kernel_rq *k);
/*
 * Take one event; where: its line or number. False when its text is not what the event has: *at
 * points to the place, *want says what was expected; or with *error set.
 */
bool kernel_rq_event(struct kernel_rq *k, const struct ftrace_line *l, uint64_t where, const char **want,
		     GError **error);
/* No more events: complete what is open. */
void kernel_rq_end(struct kernel_rq *k);
/* Mapping events were seen, though no request: what to say about a trace without requests. */
bool kernel_rq_only_mappings(const struct kernel_rq *k);

#endif
