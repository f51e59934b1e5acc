/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDMA read/write contexts from bio vectors: rdma_rw_ctx_init_bvec of drivers/infiniband/core/rw.c
 * (Linux 7.0). One vector is mapped by itself; more go into one IOVA range behind an IOMMU and become one
 * work request with one element; without, each vector is mapped. A vector that does not fit into the
 * range fails the transfer: there is no way back to the other path.
 */
#include "rdma_rw.h"
#include "workloads/vectors.h"

#include "sim/cpu.h"

struct bvec_state {
	struct dma_iova_state iova;
	struct sg_table table; /* registrations only */
	size_t mapped;
};

/* 0, -EOPNOTSUPP when the device does not translate, or what linking said. */
static int map_iova(struct dma_object *obj, struct bvec_state *st, const struct phys_vec *vec, unsigned n)
{
	size_t total = vectors_bytes(vec, n);
	int err;

	if (!dma_iova_try_alloc(obj->dev, &st->iova, vec[0].paddr, total))
		return -EOPNOTSUPP;
	err = vectors_link(obj, &st->iova, vec, n);
	st->mapped = err ? 0 : total;
	return err;
}

static int bvec_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct rdma_rw_ctx *c = rdma_rw_ctx(obj);
	struct bvec_state *st = obj->state;
	int err;

	(void)offset;
	*st = (struct bvec_state){0};
	if (rdma_rw_needs_mr(c)) {
		c->type = RDMA_RW_MR; /* still works on a temporary scatterlist */
		cpu_charge_n(obj->dev->sim->cpu, COST_SG_SEGMENT, n);
		return vectors_map_list(obj, &st->table, vec, n);
	}
	if (n == 1) {
		c->type = RDMA_RW_SINGLE_WR;
		return vectors_map_each(obj, obj->attrs, vec, n);
	}
	c->type = RDMA_RW_IOVA;
	err = map_iova(obj, st, vec, n);
	if (err != -EOPNOTSUPP) {
		if (!err)
			ledger_charge(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, sizeof(st->iova));
		return err;
	}
	c->type = RDMA_RW_MULTI_WR;
	return vectors_map_each(obj, obj->attrs, vec, n);
}

static void bvec_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct rdma_rw_ctx *c = rdma_rw_ctx(obj);
	struct bvec_state *st = obj->state;

	(void)offset;
	(void)len;
	switch (c->type) {
	case RDMA_RW_MR:
		vectors_unmap_list(obj, &st->table);
		break;
	case RDMA_RW_IOVA:
		dma_iova_destroy(obj->dev, &st->iova, st->mapped, obj->dir, obj->attrs);
		ledger_release(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, sizeof(st->iova));
		break;
	default:
		vectors_unmap_each(obj, obj->attrs);
	}
}

const struct driver_path rdma_rw_link_path = {
    .state_size = sizeof(struct bvec_state),
    .map = bvec_map,
    .unmap = bvec_unmap,
};
