/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of the NVMe controller. */
#ifndef DMASIM_NVME_INTERNAL_H
#define DMASIM_NVME_INTERNAL_H

#include "nvme_device.h"
#include "sim/resource.h"

struct nvme_range {
	dma_addr_t addr;
	uint64_t len;
};

/* A command between fetch and completion; one per command identifier. */
struct ctrl_command {
	struct event event;
	struct ctrl_queue *queue;
	uint16_t cid;
	uint8_t opcode, status;
	uint32_t metadata; /* bytes, at mptr or in meta */
	uint64_t lba, bytes;
	dma_addr_t mptr;
	struct nvme_range first; /* the only range of most commands */
	struct nvme_range *ranges;
	unsigned nranges, room;
	struct nvme_range *meta; /* a list's ranges, NVME_META_RANGES of them; NULL until needed */
	unsigned nmeta;          /* 0: one range at mptr */
};

#define NVME_META_RANGES 256u /* one list page */

/* A doorbell's promise to fetch one entry. */
struct ctrl_fetch {
	struct event event;
	struct ctrl_queue *queue;
};

struct ctrl_queue {
	struct nvme_ctrl *ctrl;
	dma_addr_t sq, cq;
	unsigned qid, entries;
	unsigned tail, head; /* submission queue */
	unsigned cq_tail;
	uint16_t phase;
	struct ctrl_command *commands; /* by command identifier */
	struct ctrl_fetch *fetches;    /* by submission queue slot */
};

struct nvme_ctrl {
	struct sim *sim;
	struct memory *mem;
	struct pcie_node *fn;
	const struct nvme_params *p;
	struct nvme_device_stats *st;
	nvme_interrupt_fn interrupt;
	void *arg;
	struct ctrl_queue **queues;
	unsigned nqueues;
	struct resource channels;
	struct resource media[2]; /* read and write bandwidth */
};

/* Collect the ranges that the data pointer of sqe describes; returns when they are known. */
sim_time_t nvme_data_pointer(struct nvme_ctrl *c, struct ctrl_command *cmd, const struct nvme_command *sqe,
			     sim_time_t when);
/* Move cmd->bytes between its ranges and the drive. */
struct nvme_moved {
	sim_time_t done; /* the last byte has arrived */
	sim_time_t sent; /* the drive has handed it to its link */
};
struct nvme_moved nvme_move_data(struct nvme_ctrl *c, struct ctrl_command *cmd, enum pcie_op op,
				 sim_time_t when);

#endif
