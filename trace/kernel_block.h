/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block layer's events block_rq_issue and block_rq_complete (include/trace/events/block.h). */
#ifndef DMASIM_TRACE_KERNEL_BLOCK_H
#define DMASIM_TRACE_KERNEL_BLOCK_H

#include <dmasim/types.h>

struct kernel_block {
	uint64_t dev, major, minor, sector, sectors, bytes, end;
	char rwbs[12];
	bool has_bytes; /* else the sectors say it: kernels up to 4.x print 0 for all but passthrough */
};

/* From the formatted payload or the list of fields; issue: bytes stand in front of the command. */
bool kernel_block_parse(const char *payload, bool issue, struct kernel_block *b);
/* enum nvme_op by the letters of rwbs, -1 for none of them. */
int kernel_block_op(const char *rwbs);

#endif
