/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data pointers of NVMe commands, built from the DMA ranges of a request: PRP entries and lists, SGL
 * descriptors and lists (drivers/nvme/host/pci.c; NVM Express base specification 2.0, 4.1).
 */
#include "nvme.h"

#include "sim/cpu.h"
#include <string.h>

#define PRPS_PER_PAGE ((unsigned)(NVME_PAGE_SIZE / sizeof(uint64_t)))
#define SGLS_PER_PAGE ((unsigned)(NVME_PAGE_SIZE / sizeof(struct nvme_sgl_desc)))

static uint64_t list_bytes(const struct nvme_request *rq)
{
	return rq->lists == 0 ? NVME_SMALL_POOL_SIZE : (uint64_t)rq->lists * NVME_PAGE_SIZE;
}

/* One more block for the lists of rq; its host address, NULL when out of memory. */
static void *add_list(struct nvme_request *rq, bool small)
{
	struct nvme_dev *d = rq->queue->dev;
	unsigned i = rq->lists < 0 ? 0 : (unsigned)rq->lists;
	phys_addr_t phys;

	g_assert(i < NVME_MAX_DESCRIPTORS);
	phys = dma_pool_alloc(small ? d->small_pool : d->page_pool, &rq->list_dma[i]);
	if (!phys)
		return NULL;
	rq->list_phys[i] = phys;
	rq->lists = small ? 0 : (int8_t)(i + 1);
	cpu_charge(d->base.dev->sim->cpu, COST_KMALLOC);
	ledger_charge(&d->base.dev->sim->ledger, LEDGER_DRIVER_COMMAND_BUFFERS,
		      small ? NVME_SMALL_POOL_SIZE : NVME_PAGE_SIZE);
	return memory_ptr(d->w->base.m->memory, phys);
}

void nvme_free_lists(struct nvme_request *rq)
{
	struct nvme_dev *d = rq->queue->dev;

	if (rq->lists < 0)
		return;
	ledger_release(&d->base.dev->sim->ledger, LEDGER_DRIVER_COMMAND_BUFFERS, list_bytes(rq));
	if (rq->lists == 0)
		dma_pool_free(d->small_pool, rq->list_phys[0], rq->list_dma[0]);
	for (int i = 0; i < rq->lists; i++)
		dma_pool_free(d->page_pool, rq->list_phys[i], rq->list_dma[i]);
	rq->lists = -1;
}

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
	uint64_t *list = add_list(rq, small);
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

			list = add_list(rq, false);
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

static int setup_prps(struct nvme_request *rq, struct nvme_command *cmd)
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

static struct nvme_sgl_desc sgl_desc(dma_addr_t addr, uint64_t len, enum nvme_sgl_type type)
{
	return (struct nvme_sgl_desc){.addr = addr, .length = (uint32_t)len, .type = (uint8_t)type};
}

static int setup_sgls(struct nvme_request *rq, struct nvme_command *cmd)
{
	struct nvme_stats *st = &nvme_request_workload(rq)->st;
	unsigned n = rq->obj.nsegs;
	bool small = n <= NVME_SMALL_POOL_SIZE / sizeof(struct nvme_sgl_desc);
	struct nvme_sgl_desc *list;

	cmd->flags |= NVME_CMD_SGL_METABUF;
	if (n == 1) {
		cmd->sgl = sgl_desc(rq->obj.segs[0].addr, rq->obj.segs[0].len, NVME_SGL_DATA_BLOCK);
		st->sgl_inline++;
		return 0;
	}
	if (n > SGLS_PER_PAGE)
		return -EIO;
	list = add_list(rq, small);
	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		list[i] = sgl_desc(rq->obj.segs[i].addr, rq->obj.segs[i].len, NVME_SGL_DATA_BLOCK);
	cmd->sgl = sgl_desc(rq->list_dma[0], n * sizeof(*list), NVME_SGL_LAST_SEGMENT);
	cpu_charge_n(rq->queue->dev->base.dev->sim->cpu, COST_DRIVER_DESCRIPTOR, n);
	*(small ? &st->sgl_small : &st->sgl_pages) += 1;
	return 0;
}

/* For APIs that know nothing of NVMe: SGL where PRPs cannot express the ranges or segments are long. */
static bool generic_sgl(const struct nvme_request *rq)
{
	const struct nvme_params *p = &nvme_request_workload(rq)->params;
	const struct dma_segment *s = rq->obj.segs;

	if (!p->sgl)
		return false;
	if (nvme_metadata_listed(rq))
		return true;
	for (unsigned i = 1; i < rq->obj.nsegs; i++) {
		if (((s[i - 1].addr + s[i - 1].len) | s[i].addr) % NVME_PAGE_SIZE)
			return true;
	}
	return p->sgl_threshold && div_round_up(rq->bytes, rq->obj.nsegs) >= p->sgl_threshold;
}

int nvme_setup_data(struct nvme_request *rq, struct nvme_command *cmd)
{
	int err;

	rq->lists = -1;
	if (rq->format == NVME_FORMAT_AUTO)
		rq->format = generic_sgl(rq) ? NVME_FORMAT_SGL : NVME_FORMAT_PRP;
	err = rq->format == NVME_FORMAT_SGL ? setup_sgls(rq, cmd) : setup_prps(rq, cmd);
	if (err)
		nvme_free_lists(rq);
	return err;
}
