/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe data mapping through the block layer's DMA iterator: drivers/nvme/host/pci.c and
 * block/blk-mq-dma.c of Linux 7.0. One segment: mapped as a page. More: one IOVA range, every run
 * linked into it, if no seam lies inside an IOMMU page and the device translates; else run by run.
 */
#include "nvme.h"

#include "sim/cpu.h"
#include <dmasim/p2pdma.h>

struct link_state {
	struct dma_iova_state iova;
	bool stored_vecs; /* an element of the dma_vec mempool is taken */
};

static uint64_t vec_element_bytes(const struct nvme_workload *w)
{
	return (uint64_t)w->base.m->kernel->nvme_max_segments * NVME_DMA_VEC_BYTES;
}

static int map_single(struct nvme_request *rq, bool fits)
{
	struct dma_object *obj = &rq->obj;
	const struct phys_vec *v = rq->vecs;
	dma_addr_t addr = dma_map_page_attrs(obj->dev, v->paddr & PAGE_MASK, v->paddr & ~PAGE_MASK, v->len,
					     obj->dir, obj->attrs);

	if (dma_mapping_error(obj->dev, addr))
		return -ENOMEM;
	dma_object_add(obj, addr, v->len);
	rq->mapping = NVME_MAP_SINGLE;
	rq->format = nvme_policy_page(rq, fits);
	return 0;
}

/* blk_rq_dma_map_iter_start, IOVA half: link every run, sync once. */
static int map_iova(struct nvme_request *rq, struct link_state *st, struct blk_map_iter *it)
{
	struct dma_object *obj = &rq->obj;
	struct phys_vec run;
	size_t mapped = 0;
	int err = 0;

	while (!err && blk_map_iter_next(it, &run)) {
		err = dma_iova_link(obj->dev, &st->iova, run.paddr, mapped, run.len, obj->dir, obj->attrs);
		if (!err)
			mapped += run.len;
	}
	if (!err)
		err = dma_iova_sync(obj->dev, &st->iova, 0, mapped);
	if (err) {
		dma_iova_destroy(obj->dev, &st->iova, mapped, obj->dir, obj->attrs);
		st->iova = (struct dma_iova_state){0};
		return err;
	}
	dma_object_add(obj, st->iova.addr, dma_iova_size(&st->iova));
	rq->mapping = NVME_MAP_IOVA;
	ledger_charge(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, NVME_IOVA_STATE_BYTES);
	return 0;
}

/* Peer memory below the same switch: by bus address, without the DMA API. */
static int map_bus(struct nvme_request *rq, const struct pci_p2pdma_map_state *p2p, struct blk_map_iter *it)
{
	struct phys_vec run;

	rq->mapping = NVME_MAP_BUS;
	while (blk_map_iter_next(it, &run))
		dma_object_add(&rq->obj, pci_p2pdma_bus_addr_map(p2p, run.paddr), run.len);
	return 0;
}

/* PRPs do not tell how long each mapping is, so the driver keeps the ranges until it unmaps them. */
static void store_vecs(struct nvme_request *rq, struct link_state *st)
{
	struct nvme_workload *w = nvme_request_workload(rq);

	if (!dma_need_unmap(rq->obj.dev))
		return;
	st->stored_vecs = true;
	ledger_charge(&w->base.m->sim.ledger, LEDGER_DRIVER_DMA_ADDRESSES, vec_element_bytes(w));
	cpu_charge(w->base.m->sim.cpu, COST_KMALLOC);
}

static void unmap_runs(struct nvme_request *rq, struct link_state *st)
{
	struct nvme_workload *w = nvme_request_workload(rq);
	struct dma_object *obj = &rq->obj;

	if (dma_need_unmap(obj->dev)) {
		for (unsigned i = 0; i < obj->nsegs; i++)
			dma_unmap_phys(obj->dev, obj->segs[i].addr, obj->segs[i].len, obj->dir, obj->attrs);
	}
	if (st->stored_vecs)
		ledger_release(&w->base.m->sim.ledger, LEDGER_DRIVER_DMA_ADDRESSES, vec_element_bytes(w));
	st->stored_vecs = false;
}

static int map_runs(struct nvme_request *rq, struct link_state *st, struct blk_map_iter *it)
{
	struct dma_object *obj = &rq->obj;
	struct phys_vec run;

	st->iova = (struct dma_iova_state){0};
	rq->mapping = NVME_MAP_PER_SEGMENT;
	while (blk_map_iter_next(it, &run)) {
		dma_addr_t addr = dma_map_phys(obj->dev, run.paddr, run.len, obj->dir, obj->attrs);

		if (dma_mapping_error(obj->dev, addr)) {
			unmap_runs(rq, st);
			return -ENOMEM;
		}
		if (obj->nsegs == 0 && rq->format == NVME_FORMAT_PRP)
			store_vecs(rq, st);
		dma_object_add(obj, addr, run.len);
	}
	return 0;
}

static int link_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct nvme_request *rq = nvme_request(obj);
	struct link_state *st = obj->state;
	const struct nvme_params *p = &nvme_request_workload(rq)->params;
	const struct blk_limits *lim = &rq->queue->dev->limits;
	struct blk_map_iter it;
	struct pci_p2pdma_map_state p2p = {0};
	enum pci_p2pdma_map_type type = PCI_P2PDMA_MAP_NONE;
	bool coalesced;

	(void)offset;
	if (rq->peer) /* one kind of memory per request, so its first page speaks for all */
		type = pci_p2pdma_state(&p2p, obj->dev, vec->paddr);
	if (type == PCI_P2PDMA_MAP_NOT_SUPPORTED)
		return -EREMOTEIO;
	if (n == 1 && type == PCI_P2PDMA_MAP_NONE) {
		bool fits = vec->paddr % NVME_PAGE_SIZE + vec->len <= 2 * NVME_PAGE_SIZE;

		if (p->sgl || fits)
			return map_single(rq, fits);
	}
	blk_map_iter_init(&it, vec, n, lim->max_segment_size, lim->seg_boundary_mask);
	if (type == PCI_P2PDMA_MAP_BUS_ADDR) {
		rq->format = nvme_policy_iter(rq, n);
		return map_bus(rq, &p2p, &it);
	}
	if (type == PCI_P2PDMA_MAP_THRU_HOST_BRIDGE && dma_kernel(obj->dev)->nvme_p2p_mmio)
		obj->attrs |= DMA_ATTR_MMIO;
	coalesced = !(rq->gap_mask & dma_get_merge_boundary(obj->dev)) &&
		    dma_iova_try_alloc(obj->dev, &st->iova, vec->paddr, rq->bytes);
	rq->format = nvme_policy_iter(rq, coalesced ? 1 : n);
	return coalesced ? map_iova(rq, st, &it) : map_runs(rq, st, &it);
}

static void link_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct nvme_request *rq = nvme_request(obj);
	struct link_state *st = obj->state;

	(void)offset;
	switch (rq->mapping) {
	case NVME_MAP_SINGLE:
		dma_unmap_page_attrs(obj->dev, obj->segs[0].addr, obj->segs[0].len, obj->dir, obj->attrs);
		break;
	case NVME_MAP_IOVA:
		dma_iova_destroy(obj->dev, &st->iova, len, obj->dir, obj->attrs);
		st->iova = (struct dma_iova_state){0};
		ledger_release(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, NVME_IOVA_STATE_BYTES);
		break;
	case NVME_MAP_BUS:
		break;
	default:
		unmap_runs(rq, st);
	}
}

const struct driver_path nvme_link_path = {
    .state_size = sizeof(struct link_state),
    .map = link_map,
    .unmap = link_unmap,
};
