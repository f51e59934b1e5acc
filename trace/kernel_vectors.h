/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The physical vectors of the request that one CPU of a traced kernel is mapping. */
#ifndef DMASIM_TRACE_KERNEL_VECTORS_H
#define DMASIM_TRACE_KERNEL_VECTORS_H

#include "ftrace_line.h"
#include "reader.h"

struct kernel_run {
	uint64_t phys, len;
	uint64_t iova; /* of iommu map events */
};

struct kernel_vectors {
	int page_off; /* offset in the page, where a probe gives only that; -1 */
	struct kernel_run *runs, *calls;
	unsigned nruns, ncalls, cap_runs, cap_calls;
	uint64_t *sg, *sg_len;
	unsigned nsg, nsg_len;
	/* from rq_vectors, for the command that follows */
	bool probed;
	uint32_t probe_qid, probe_cid, nprobe;
	uint64_t probe_bytes;
	int gap_bit;
	uint64_t *probe_phys, *probe_len;
};

void kernel_vectors_init(struct kernel_vectors *v);
void kernel_vectors_fini(struct kernel_vectors *v);
/* Forget the mapping events (not the probe's). */
void kernel_vectors_clear(struct kernel_vectors *v);
/* h, of bytes, gets the vectors of the best source. False when they do not hold its bytes. */
bool kernel_vectors_use(const struct kernel_vectors *v, struct held *h, uint64_t bytes);

/*
 * Take one event; v NULL: it is nobody's, only its form counts. False with *want when its text is not what
 * the event has.
 */
bool kernel_vectors_single(struct kernel_vectors *v, const struct ftrace_line *l, const char **want);
bool kernel_vectors_sg(struct kernel_vectors *v, const struct ftrace_line *l, const char **want);
bool kernel_vectors_run(struct kernel_vectors *v, const struct ftrace_line *l, const char **want);
bool kernel_vectors_probe(struct kernel_vectors *v, const struct ftrace_line *l, const char **want);

#endif
