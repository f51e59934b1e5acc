/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PRP or SGL? The policies of the driver's generations side by side, and the memory of the lists that both
 * formats share.
 */
#include "data_pointer.h"

#include "sim/cpu.h"

/* ---- policies ---- */

/* Segments of a request are long enough, on average, for descriptors. */
static bool long_segments(const struct nvme_request *rq, unsigned segments)
{
	uint64_t threshold = nvme_request_workload(rq)->params.sgl_threshold;

	return threshold && div_round_up(rq->bytes, segments) >= threshold;
}

/* nvme_pci_sgl_policy: gaps inside a controller page, or a list of metadata, leave no choice. */
static bool forced(const struct nvme_request *rq)
{
	return (rq->gap_mask & (NVME_PAGE_SIZE - 1)) || nvme_metadata_listed(rq);
}

enum nvme_format nvme_policy_page(const struct nvme_request *rq, bool fits)
{
	return fits && !forced(rq) ? NVME_FORMAT_PRP : NVME_FORMAT_SGL;
}

enum nvme_format nvme_policy_iter(const struct nvme_request *rq, unsigned segments)
{
	bool sgl = nvme_request_workload(rq)->params.sgl;

	return sgl && (forced(rq) || long_segments(rq, segments)) ? NVME_FORMAT_SGL : NVME_FORMAT_PRP;
}

enum nvme_format nvme_policy_list(const struct nvme_request *rq, unsigned segments)
{
	bool sgl = nvme_request_workload(rq)->params.sgl;

	if (nvme_metadata_listed(rq) || (sgl && long_segments(rq, segments)))
		return NVME_FORMAT_SGL;
	/* Without the virtual boundary a request may have seams that no PRP can express. */
	return sgl && segments > 1 && forced(rq) ? NVME_FORMAT_SGL : NVME_FORMAT_PRP;
}

/* For APIs that know nothing of NVMe: SGL where PRPs cannot express the ranges or segments are long. */
static enum nvme_format policy_generic(const struct nvme_request *rq)
{
	const struct dma_segment *s = rq->obj.segs;

	if (!nvme_request_workload(rq)->params.sgl)
		return NVME_FORMAT_PRP;
	if (nvme_metadata_listed(rq))
		return NVME_FORMAT_SGL;
	for (unsigned i = 1; i < rq->obj.nsegs; i++) {
		if (((s[i - 1].addr + s[i - 1].len) | s[i].addr) % NVME_PAGE_SIZE)
			return NVME_FORMAT_SGL;
	}
	return long_segments(rq, rq->obj.nsegs) ? NVME_FORMAT_SGL : NVME_FORMAT_PRP;
}

/* ---- lists ---- */

static uint64_t list_bytes(const struct nvme_request *rq)
{
	return rq->lists == 0 ? NVME_SMALL_POOL_SIZE : (uint64_t)rq->lists * NVME_PAGE_SIZE;
}

void *nvme_add_list(struct nvme_request *rq, bool small)
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

int nvme_setup_data(struct nvme_request *rq, struct nvme_command *cmd)
{
	int err;

	rq->lists = -1;
	if (rq->format == NVME_FORMAT_AUTO)
		rq->format = policy_generic(rq);
	err = rq->format == NVME_FORMAT_SGL ? nvme_setup_sgls(rq, cmd) : nvme_setup_prps(rq, cmd);
	if (err)
		nvme_free_lists(rq);
	return err;
}
