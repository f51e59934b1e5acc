/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RDMA read/write API contexts (drivers/infiniband/core/rw.c, include/rdma/rw.h). */
#ifndef DMASIM_RDMA_RW_H
#define DMASIM_RDMA_RW_H

#include "workloads/load.h"

struct rdma_rw_params {
	uint64_t requests, vectors, vec_bytes, offset, gap;
	uint64_t depth, max_sge, max_sgl_rd;
	double read_share;
	bool iwarp, force_mr;
	sim_time_t wire_latency;
};

struct rdma_rw_stats {
	uint64_t single, multi, iova, mr; /* contexts by type */
	uint64_t work_requests, sges;
};

/* What a path made of the vectors: which kind of context (enum rdma_rw_type of the kernel). */
enum rdma_rw_type { RDMA_RW_SINGLE_WR, RDMA_RW_MULTI_WR, RDMA_RW_MR, RDMA_RW_IOVA };

struct rdma_rw;
struct rdma_rw_ctx {
	struct load_buffer buffer;
	struct rdma_rw *w;
	const struct rdma_rw_params *p;
	enum rdma_rw_type type;
	struct cpu_work work; /* completion */
	struct lane *lane;
	sim_time_t start, done;
	unsigned seg;           /* what the NIC moves next: segment, */
	uint64_t seg_done;      /* and bytes of it that are done */
	uint64_t command_bytes; /* scatter-gather elements of the work requests */
	bool busy, failed;      /* under way; an access of it has failed */
};

static inline struct rdma_rw_ctx *rdma_rw_ctx(struct dma_object *obj)
{
	return container_of(obj, struct rdma_rw_ctx, buffer.obj);
}
/* A READ: the network writes local memory. */
static inline bool rdma_rw_is_read(const struct rdma_rw_ctx *c)
{
	return c->buffer.obj.dir == DMA_FROM_DEVICE;
}
/* rdma_rw_io_needs_mr: registration asked for, or the only way (iWARP READ). */
static inline bool rdma_rw_needs_mr(const struct rdma_rw_ctx *c)
{
	return c->p->force_mr || (c->p->iwarp && rdma_rw_is_read(c));
}

#endif
