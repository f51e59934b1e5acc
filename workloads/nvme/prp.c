/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PRP entries and lists of an NVMe command, from the DMA ranges of a request (nvme_pci_setup_data_prp of
 * drivers/nvme/host/pci.c; NVM Express base specification 2.0, 4.1.1).
 */
#include "data_pointer.h"

#include "sim/cpu.h"

#define PRPS_PER_PAGE ((unsigned)(NVME_PAGE_SIZE / sizeof(uint64_t)))

/* Walks the DMA ranges in controller pages. */
struct prp_walk {
	const struct dma_segment *seg, *end;
	uint64_t done; /* bytes of seg consumed */
};

/* The next piece of len bytes; false when the range ends inside it: no PRP can express that. */
static bool next_piece(struct prp_walk *w, uint64_t len, dma_addr_t *addr)
{
	if (w->seg == w->end || w->seg->len - w->done < len)
		return false;
	*addr = w->seg->addr + w->done;
	w->done += len;
	if (w->done == w->seg->len) {
		w->seg++;
		w->done = 0;
	}
	return true;
}

static int write_prp_list(struct nvme_request *rq, struct prp_walk *walk, uint64_t left)
{
	uint64_t entries = div_round_up(left, NVME_PAGE_SIZE);
	bool small = entries <= NVME_SMALL_POOL_SIZE / sizeof(uint64_t);
	uint64_t *list = nvme_add_list(rq, small);
	unsigned i = 0;

	if (!list)
		return -ENOMEM;
	while (left) {
		uint64_t len = MIN(left, NVME_PAGE_SIZE);
		dma_addr_t addr;

		if (!next_piece(walk, len, &addr) || addr % NVME_PAGE_SIZE)
			return -EIO;
		if (i == PRPS_PER_PAGE) {
			uint64_t *full = list;

			list = nvme_add_list(rq, false);
			if (!list)
				return -ENOMEM;
			list[0] = full[i - 1];
			full[i - 1] = rq->list_dma[rq->lists - 1];
			i = 1;
		}
		list[i++] = addr;
		left -= len;
	}
	cpu_charge_n(rq->queue->dev->base.dev->sim->cpu, COST_DRIVER_DESCRIPTOR, entries);
	return 0;
}

int nvme_setup_prps(struct nvme_request *rq, struct nvme_command *cmd)
{
	struct nvme_stats *st = &nvme_request_workload(rq)->st;
	struct prp_walk walk = {rq->obj.segs, rq->obj.segs + rq->obj.nsegs, 0};
	uint64_t first = MIN(rq->bytes, NVME_PAGE_SIZE - walk.seg->addr % NVME_PAGE_SIZE);
	uint64_t left = rq->bytes - first;
	dma_addr_t addr;
	int err;

	if (left == 0 && walk.seg->len >= first) {
		cmd->prp1 = walk.seg->addr;
		st->prp_only++;
		return 0;
	}
	if (!next_piece(&walk, first, &addr))
		return -EIO;
	cmd->prp1 = addr;
	cmd->prp2 = 0;
	if (left <= NVME_PAGE_SIZE) {
		st->prp_only++;
		if (!next_piece(&walk, left, &addr) || addr % NVME_PAGE_SIZE)
			return -EIO;
		cmd->prp2 = addr;
		return 0;
	}
	err = write_prp_list(rq, &walk, left);
	if (err)
		return err;
	cmd->prp2 = rq->list_dma[0];
	if (rq->lists == 0)
		st->prp_small++;
	else
		st->prp_pages += (uint64_t)rq->lists;
	return 0;
}
