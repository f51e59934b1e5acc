/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Separate metadata of a request (nvme_map_metadata of drivers/nvme/host/pci.c). In one piece it is mapped
 * as a page and the command's metadata pointer says where. In several pieces (a user's buffer, Linux 6.13
 * and later, a controller with SGLs) it is one scatterlist and a list of descriptors (up to 6.16), or goes
 * through the block layer's DMA iterator (7.0): one IOVA range where the data could have one, which needs
 * no list, else piece by piece with a list. Older kernels copy such a buffer into one piece.
 */
#include "request.h"
#include "workloads/vectors.h"

#include "sim/cpu.h"
#include <string.h>

#define NVME_META_ELEMENT_BYTES (NVME_MAX_META_SEGS * sizeof(struct scatterlist)) /* of their mempool */

/* ---- memory ---- */

void nvme_metadata_free(struct nvme_request *rq)
{
	struct memory *mem = nvme_request_workload(rq)->base.m->memory;
	struct nvme_dma_meta *m = &rq->meta;

	if (m->room)
		memory_free_pages(mem, m->phys, order_base_2(m->room / PAGE_SIZE));
	if (m->pieces) {
		memory_release(mem, m->pieces->taken, m->pieces->ntaken);
		g_free(m->pieces);
	}
}

static bool one_piece(struct nvme_request *rq, unsigned node)
{
	struct memory *mem = nvme_request_workload(rq)->base.m->memory;
	struct nvme_dma_meta *m = &rq->meta;
	unsigned order = order_base_2(div_round_up(m->len, PAGE_SIZE));

	if (m->len <= m->room)
		return true;
	if (m->room)
		memory_free_pages(mem, m->phys, order_base_2(m->room / PAGE_SIZE));
	m->phys = memory_alloc_pages(mem, node, order);
	m->room = m->phys ? (uint32_t)(PAGE_SIZE << order) : 0;
	return m->room > 0;
}

/* A user's buffer, as the memory model lays it out: 0 pieces when there is no memory for it. */
static unsigned lay_out_pieces(struct nvme_request *rq)
{
	struct nvme_dev *d = rq->queue->dev;
	struct memory *mem = d->w->base.m->memory;
	struct nvme_meta_pieces *p = rq->meta.pieces;
	uint64_t left = rq->meta.len;

	if (!p)
		p = rq->meta.pieces = g_new0(struct nvme_meta_pieces, 1);
	if (left > p->bytes) {
		memory_release(mem, p->taken, p->ntaken);
		p->ntaken = memory_lay_out(mem, &d->rng, d->base.dev->node, 0, align_up(left, PAGE_SIZE),
					   p->taken, NVME_MAX_META_SEGS);
		p->bytes = p->ntaken ? align_up(left, PAGE_SIZE) : 0;
	}
	p->n = 0;
	for (unsigned i = 0; i < p->ntaken && left; i++) {
		p->vecs[p->n] = p->taken[i];
		p->vecs[p->n].len = (uint32_t)MIN(p->taken[i].len, left);
		left -= p->vecs[p->n++].len;
	}
	return p->n;
}

bool nvme_metadata_prepare(struct nvme_request *rq)
{
	const struct nvme_workload *w = nvme_request_workload(rq);
	const struct nvme_params *p = &w->params;
	const struct nvme_dev *d = rq->queue->dev;
	struct nvme_dma_meta *m = &rq->meta;

	m->len = 0;
	m->segments = 1;
	if (!p->metadata || rq->op > NVME_OP_WRITE)
		return true;
	m->len = (uint32_t)((rq->bytes >> p->block_shift) * p->metadata);
	/* As many pages as may be a list: more are copied into one piece. */
	if (p->metadata_scattered && p->sgl && w->base.m->kernel->nvme_meta_segments > 1 &&
	    m->len > PAGE_SIZE && m->len <= NVME_MAX_META_SEGS * PAGE_SIZE) {
		m->segments = lay_out_pieces(rq);
		if (m->segments > 1 || m->segments == 0)
			return m->segments > 0;
	}
	return one_piece(rq, d->base.dev->node);
}

/* ---- mapping ---- */

static int map_pointer(struct nvme_request *rq, struct nvme_command *cmd)
{
	struct device *dev = rq->obj.dev;
	struct nvme_dma_meta *m = &rq->meta;

	m->dma = dma_map_page(dev, m->phys & PAGE_MASK, m->phys & ~PAGE_MASK, m->len, rq->obj.dir);
	if (dma_mapping_error(dev, m->dma))
		return -ENOMEM;
	cmd->mptr = m->dma;
	m->mapping = NVME_META_POINTER;
	return 0;
}

/* nvme_pci_setup_meta_sgls: descriptors of the n ranges in one block of the small pool. */
static int write_list(struct nvme_request *rq, struct nvme_command *cmd)
{
	struct nvme_dev *d = rq->queue->dev;
	struct nvme_meta_pieces *p = rq->meta.pieces;
	struct nvme_sgl_desc *list;

	p->list_phys = dma_pool_alloc(d->small_pool, &p->list_dma);
	if (!p->list_phys)
		return -ENOMEM;
	list = memory_ptr(d->w->base.m->memory, p->list_phys);
	cpu_charge(d->base.dev->sim->cpu, COST_KMALLOC);
	cpu_charge_n(d->base.dev->sim->cpu, COST_DRIVER_DESCRIPTOR, p->obj.nsegs);
	ledger_charge(&d->base.dev->sim->ledger, LEDGER_DRIVER_COMMAND_BUFFERS, NVME_SMALL_POOL_SIZE);
	if (p->obj.nsegs > 1)
		*list++ = (struct nvme_sgl_desc){.addr = p->list_dma + sizeof(*list),
						 .length = (uint32_t)(p->obj.nsegs * sizeof(*list)),
						 .type = NVME_SGL_LAST_SEGMENT};
	for (unsigned i = 0; i < p->obj.nsegs; i++)
		list[i] = (struct nvme_sgl_desc){.addr = p->ranges[i].addr,
						 .length = (uint32_t)p->ranges[i].len,
						 .type = NVME_SGL_DATA_BLOCK};
	cmd->flags = (uint8_t)((cmd->flags & ~NVME_CMD_SGL_ALL) | NVME_CMD_SGL_METASEG);
	cmd->mptr = p->list_dma;
	d->w->st.meta_lists++;
	return 0;
}

static void free_list(struct nvme_request *rq)
{
	struct nvme_dev *d = rq->queue->dev;
	struct nvme_meta_pieces *p = rq->meta.pieces;

	if (!p->list_phys)
		return;
	dma_pool_free(d->small_pool, p->list_phys, p->list_dma);
	p->list_phys = 0;
	ledger_release(&d->base.dev->sim->ledger, LEDGER_DRIVER_COMMAND_BUFFERS, NVME_SMALL_POOL_SIZE);
}

static void unmap_scatterlist(struct nvme_request *rq)
{
	struct device *dev = rq->obj.dev;

	dma_unmap_sgtable(dev, &rq->meta.pieces->table, rq->obj.dir, 0);
	ledger_release(&dev->sim->ledger, LEDGER_SG_TABLES, NVME_META_ELEMENT_BYTES);
}

static int map_scatterlist(struct nvme_request *rq, struct nvme_command *cmd)
{
	struct nvme_meta_pieces *p = rq->meta.pieces;
	struct device *dev = rq->obj.dev;
	struct scatterlist *sg;
	unsigned i;
	int err;

	ledger_charge(&dev->sim->ledger, LEDGER_SG_TABLES, NVME_META_ELEMENT_BYTES);
	cpu_charge(dev->sim->cpu, COST_KMALLOC);
	cpu_charge_n(dev->sim->cpu, COST_SG_SEGMENT, 2 * p->n); /* initialise, fill */
	sg_init_table(p->sgl, p->n);
	p->table = (struct sg_table){.sgl = p->sgl, .nents = p->n, .orig_nents = p->n};
	for_each_sg (p->sgl, sg, p->n, i)
		sg_set_phys(sg, p->vecs[i].paddr, p->vecs[i].len);
	err = dma_map_sgtable(dev, &p->table, rq->obj.dir, DMA_ATTR_NO_WARN);
	if (err) {
		ledger_release(&dev->sim->ledger, LEDGER_SG_TABLES, NVME_META_ELEMENT_BYTES);
		return -ENOMEM;
	}
	for_each_sg (p->sgl, sg, p->table.nents, i)
		dma_object_add(&p->obj, sg->dma_address, sg->dma_length);
	err = write_list(rq, cmd);
	if (err) {
		unmap_scatterlist(rq);
		return err;
	}
	rq->meta.mapping = NVME_META_SG;
	return 0;
}

/* blk_rq_integrity_dma_map_iter_start: whether one range will do is asked of the data's seams. */
static int map_range(struct nvme_request *rq, struct nvme_command *cmd)
{
	struct nvme_meta_pieces *p = rq->meta.pieces;
	struct device *dev = rq->obj.dev;
	int err = vectors_link(&p->obj, &p->iova, p->vecs, p->n);

	if (err)
		return err;
	ledger_charge(&dev->sim->ledger, LEDGER_IOVA_STATE, NVME_IOVA_STATE_BYTES);
	cmd->mptr = p->iova.addr;
	rq->meta.mapping = NVME_META_IOVA;
	nvme_request_workload(rq)->st.meta_iova++;
	return 0;
}

static void unmap_pieces(struct nvme_request *rq)
{
	if (dma_need_unmap(rq->obj.dev))
		vectors_unmap_each(&rq->meta.pieces->obj, 0);
}

static int map_pieces(struct nvme_request *rq, struct nvme_command *cmd)
{
	struct nvme_meta_pieces *p = rq->meta.pieces;
	int err = vectors_map_each(&p->obj, 0, p->vecs, p->n);

	if (err)
		return err;
	err = write_list(rq, cmd);
	if (err)
		unmap_pieces(rq);
	else
		rq->meta.mapping = NVME_META_PIECES;
	return err;
}

int nvme_map_metadata(struct nvme_request *rq, struct nvme_command *cmd)
{
	struct nvme_meta_pieces *p = rq->meta.pieces;
	struct device *dev = rq->obj.dev;

	rq->meta.mapping = NVME_META_NONE;
	if (!rq->meta.len)
		return 0;
	if (rq->meta.segments == 1)
		return map_pointer(rq, cmd);
	p->obj = (struct dma_object){
	    .dev = dev, .dir = rq->obj.dir, .segs = p->ranges, .max_segs = NVME_MAX_META_SEGS};
	if (rq->obj.path == &nvme_legacy_path)
		return map_scatterlist(rq, cmd);
	if (!(rq->gap_mask & dma_get_merge_boundary(dev)) &&
	    dma_iova_try_alloc(dev, &p->iova, p->vecs[0].paddr, rq->meta.len))
		return map_range(rq, cmd);
	return map_pieces(rq, cmd);
}

void nvme_unmap_metadata(struct nvme_request *rq)
{
	struct device *dev = rq->obj.dev;
	struct nvme_dma_meta *m = &rq->meta;

	switch (m->mapping) {
	case NVME_META_NONE:
		return;
	case NVME_META_POINTER:
		dma_unmap_page(dev, m->dma, m->len, rq->obj.dir);
		break;
	case NVME_META_IOVA:
		dma_iova_destroy(dev, &m->pieces->iova, m->len, rq->obj.dir, 0);
		ledger_release(&dev->sim->ledger, LEDGER_IOVA_STATE, NVME_IOVA_STATE_BYTES);
		break;
	case NVME_META_SG:
		free_list(rq);
		unmap_scatterlist(rq);
		break;
	case NVME_META_PIECES:
		unmap_pieces(rq);
		free_list(rq);
	}
	m->mapping = NVME_META_NONE;
}
