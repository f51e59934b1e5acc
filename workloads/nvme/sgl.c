/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SGL descriptors and lists of an NVMe command, from the DMA ranges of a request (nvme_pci_setup_data_sgl
 * of drivers/nvme/host/pci.c; NVM Express base specification 2.0, 4.1.2).
 */
#include "data_pointer.h"

#include "sim/cpu.h"

#define SGLS_PER_PAGE ((unsigned)(NVME_PAGE_SIZE / sizeof(struct nvme_sgl_desc)))

static struct nvme_sgl_desc sgl_desc(dma_addr_t addr, uint64_t len, enum nvme_sgl_type type)
{
	return (struct nvme_sgl_desc){.addr = addr, .length = (uint32_t)len, .type = (uint8_t)type};
}

int nvme_setup_sgls(struct nvme_request *rq, struct nvme_command *cmd)
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
	list = nvme_add_list(rq, small);
	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		list[i] = sgl_desc(rq->obj.segs[i].addr, rq->obj.segs[i].len, NVME_SGL_DATA_BLOCK);
	cmd->sgl = sgl_desc(rq->list_dma[0], n * sizeof(*list), NVME_SGL_LAST_SEGMENT);
	cpu_charge_n(rq->queue->dev->base.dev->sim->cpu, COST_DRIVER_DESCRIPTOR, n);
	*(small ? &st->sgl_small : &st->sgl_pages) += 1;
	return 0;
}
