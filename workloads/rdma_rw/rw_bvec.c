/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDMA read/write contexts from bio vectors: rdma_rw_ctx_init_bvec of drivers/infiniband/core/rw.c
 * (Linux 7.0). One vector is mapped by itself; more go into one IOVA range behind an IOMMU and become one
 * work request with one element; without, each vector is mapped. A vector that does not fit into the
 * range fails the transfer: there is no way back to the other path.
 */
#include "rdma_rw.h"

#include <dmasim/cpu.h>

struct bvec_state {
	struct dma_iova_state iova;
	struct sg_table table; /* registrations only */
	size_t mapped;
};

/* Registration still works on a temporary scatterlist. */
static int map_mr(struct dma_object *obj, struct bvec_state *st, const struct phys_vec *vec, unsigned n)
{
	struct sim *sim = obj->dev->sim;
	struct scatterlist *sg;
	unsigned i;
	int err = sg_alloc_table(sim, &st->table, n);

	if (err)
		return err;
	cpu_charge_n(sim->cpu, COST_SG_SEGMENT, n);
	for_each_sg (st->table.sgl, sg, n, i)
		sg_set_phys(sg, vec[i].paddr, vec[i].len);
	err = dma_map_sgtable(obj->dev, &st->table, obj->dir, obj->attrs);
	if (err) {
		sg_free_table(sim, &st->table);
		return err;
	}
	for_each_sg (st->table.sgl, sg, st->table.nents, i)
		dma_object_add(obj, sg->dma_address, sg->dma_length);
	return 0;
}

static int map_each(struct dma_object *obj, const struct phys_vec *vec, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		dma_addr_t addr = dma_map_phys(obj->dev, vec[i].paddr, vec[i].len, obj->dir, obj->attrs);

		if (dma_mapping_error(obj->dev, addr)) {
			while (i-- > 0)
				dma_unmap_phys(obj->dev, obj->segs[i].addr, obj->segs[i].len, obj->dir,
					       obj->attrs);
			obj->nsegs = 0;
			return -ENOMEM;
		}
		dma_object_add(obj, addr, vec[i].len);
	}
	return 0;
}

/* 0, -EOPNOTSUPP when the device does not translate, or what linking said. */
static int map_iova(struct dma_object *obj, struct bvec_state *st, const struct phys_vec *vec, unsigned n)
{
	size_t total = 0;
	int err = 0;

	for (unsigned i = 0; i < n; i++)
		total += vec[i].len;
	if (!dma_iova_try_alloc(obj->dev, &st->iova, vec[0].paddr, total))
		return -EOPNOTSUPP;
	for (unsigned i = 0; i < n && !err; i++) {
		err = dma_iova_link(obj->dev, &st->iova, vec[i].paddr, st->mapped, vec[i].len, obj->dir,
				    obj->attrs);
		if (!err)
			st->mapped += vec[i].len;
	}
	if (!err)
		err = dma_iova_sync(obj->dev, &st->iova, 0, st->mapped);
	if (err) {
		dma_iova_destroy(obj->dev, &st->iova, st->mapped, obj->dir, obj->attrs);
		return err;
	}
	dma_object_add(obj, st->iova.addr, total);
	return 0;
}

static int bvec_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct rdma_rw_ctx *c = rdma_rw_ctx(obj);
	struct bvec_state *st = obj->state;
	int err;

	(void)offset;
	*st = (struct bvec_state){0};
	if (rdma_rw_needs_mr(c)) {
		c->type = RDMA_RW_MR;
		return map_mr(obj, st, vec, n);
	}
	if (n == 1) {
		c->type = RDMA_RW_SINGLE_WR;
		return map_each(obj, vec, n);
	}
	c->type = RDMA_RW_IOVA;
	err = map_iova(obj, st, vec, n);
	if (err != -EOPNOTSUPP) {
		if (!err)
			ledger_charge(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, sizeof(st->iova));
		return err;
	}
	c->type = RDMA_RW_MULTI_WR;
	return map_each(obj, vec, n);
}

static void bvec_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct rdma_rw_ctx *c = rdma_rw_ctx(obj);
	struct bvec_state *st = obj->state;

	(void)offset;
	(void)len;
	switch (c->type) {
	case RDMA_RW_MR:
		dma_unmap_sgtable(obj->dev, &st->table, obj->dir, obj->attrs);
		sg_free_table(obj->dev->sim, &st->table);
		break;
	case RDMA_RW_IOVA:
		dma_iova_destroy(obj->dev, &st->iova, st->mapped, obj->dir, obj->attrs);
		ledger_release(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, sizeof(st->iova));
		break;
	default:
		for (unsigned i = 0; i < obj->nsegs; i++)
			dma_unmap_phys(obj->dev, obj->segs[i].addr, obj->segs[i].len, obj->dir, obj->attrs);
	}
}

const struct driver_path rdma_rw_link_path = {
    .state_size = sizeof(struct bvec_state),
    .map = bvec_map,
    .unmap = bvec_unmap,
};
