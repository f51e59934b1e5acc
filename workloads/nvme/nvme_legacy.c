/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe data mapping through scatterlists: nvme_map_data of drivers/nvme/host/pci.c up to Linux 6.16.
 * A request of one segment is mapped as a page; any other takes one whole element of the driver's
 * scatterlist mempool, however few segments it has.
 */
#include "nvme.h"

#include "sim/cpu.h"

struct legacy_state {
	struct nvme_sg_element *sg; /* NULL: mapped as a page */
	dma_addr_t addr;
	uint32_t len;
};

/* Bytes of one mempool element: it holds the largest request the driver accepts. */
static uint64_t element_bytes(const struct nvme_workload *w)
{
	return (uint64_t)align_up(w->base.m->kernel->nvme_max_segments, 128) * sizeof(struct scatterlist);
}

static struct nvme_sg_element *element_get(struct nvme_workload *w)
{
	struct nvme_sg_element *e = w->free_sg;
	uint64_t bytes = element_bytes(w);

	if (e)
		w->free_sg = e->next;
	else
		e = g_malloc0(sizeof(*e) + bytes);
	ledger_charge(&w->base.m->sim.ledger, LEDGER_SG_TABLES, bytes);
	cpu_charge(w->base.m->sim.cpu, COST_KMALLOC);
	return e;
}

static void element_put(struct nvme_workload *w, struct nvme_sg_element *e)
{
	e->next = w->free_sg;
	w->free_sg = e;
	ledger_release(&w->base.m->sim.ledger, LEDGER_SG_TABLES, element_bytes(w));
}

/* blk_rq_map_sg: adjacent vectors within the limits share an entry. */
static unsigned fill_list(const struct nvme_request *rq, struct scatterlist *sgl)
{
	const struct blk_limits *lim = &rq->queue->dev->limits;
	struct scatterlist *sg = NULL;
	struct blk_map_iter it;
	struct phys_vec run;
	unsigned n = 0;

	blk_map_iter_init(&it, rq->vecs, rq->nvecs, lim->max_segment_size, lim->seg_boundary_mask);
	while (blk_map_iter_next(&it, &run)) {
		sg = n++ ? sg + 1 : sgl;
		sg_set_phys(sg, run.paddr, run.len);
	}
	sg->page_link |= SG_END;
	return n;
}

static int map_list(struct nvme_request *rq, struct legacy_state *st)
{
	struct nvme_workload *w = nvme_request_workload(rq);
	struct cpu *cpu = w->base.m->sim.cpu;
	struct nvme_sg_element *e = element_get(w);
	struct scatterlist *sg;
	unsigned i;
	int err;

	cpu_charge(cpu, COST_SG_ALLOC);
	cpu_charge_n(cpu, COST_SG_SEGMENT, 2 * rq->nvecs); /* initialise, fill */
	sg_init_table(e->sgl, rq->nvecs);
	e->table = (struct sg_table){.sgl = e->sgl};
	e->table.orig_nents = e->table.nents = fill_list(rq, e->sgl);
	err = dma_map_sgtable(rq->obj.dev, &e->table, rq->obj.dir, rq->obj.attrs | DMA_ATTR_NO_WARN);
	if (err) {
		element_put(w, e);
		/* BLK_STS_TARGET for a peer out of reach, else BLK_STS_RESOURCE: issued again later. */
		return err == -EREMOTEIO ? err : -ENOMEM;
	}
	for_each_sg (e->sgl, sg, e->table.nents, i)
		dma_object_add(&rq->obj, sg->dma_address, sg->dma_length);
	st->sg = e;
	rq->mapping = NVME_MAP_SG;
	rq->format = nvme_policy_list(rq, e->table.nents);
	return 0;
}

static int legacy_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct nvme_request *rq = nvme_request(obj);
	struct legacy_state *st = obj->state;
	const struct nvme_params *p = &nvme_request_workload(rq)->params;
	bool fits;

	(void)offset;
	if (n > 1 || rq->peer)
		return map_list(rq, st);
	fits = vec->paddr % NVME_PAGE_SIZE + vec->len <= 2 * NVME_PAGE_SIZE && !nvme_metadata_listed(rq);
	if (!fits && !(p->sgl && p->sgl_threshold))
		return map_list(rq, st);
	st->addr = dma_map_page_attrs(obj->dev, vec->paddr & PAGE_MASK, vec->paddr & ~PAGE_MASK, vec->len,
				      obj->dir, obj->attrs);
	if (dma_mapping_error(obj->dev, st->addr))
		return -ENOMEM;
	st->len = vec->len;
	dma_object_add(obj, st->addr, vec->len);
	rq->mapping = NVME_MAP_SINGLE;
	rq->format = fits ? NVME_FORMAT_PRP : NVME_FORMAT_SGL;
	return 0;
}

static void legacy_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct nvme_request *rq = nvme_request(obj);
	struct legacy_state *st = obj->state;

	(void)offset;
	(void)len;
	if (!st->sg) {
		dma_unmap_page_attrs(obj->dev, st->addr, st->len, obj->dir, obj->attrs);
		return;
	}
	dma_unmap_sgtable(obj->dev, &st->sg->table, obj->dir, obj->attrs);
	element_put(nvme_request_workload(rq), st->sg);
	st->sg = NULL;
}

const struct driver_path nvme_legacy_path = {
    .state_size = sizeof(struct legacy_state),
    .map = legacy_map,
    .unmap = legacy_unmap,
};
