/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDMA read/write contexts from scatterlists: rdma_rw_ctx_init of drivers/infiniband/core/rw.c. The whole
 * list is mapped at once; then one memory registration, one work request, or as many as it needs.
 */
#include "rdma_rw.h"
#include "workloads/vectors.h"

#include "sim/cpu.h"

struct legacy_state {
	struct sg_table table;
};

static int legacy_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct rdma_rw_ctx *c = rdma_rw_ctx(obj);
	struct legacy_state *st = obj->state;
	int err;

	(void)offset;
	cpu_charge_n(obj->dev->sim->cpu, COST_SG_SEGMENT, n);
	err = vectors_map_list(obj, &st->table, vec, n);
	if (err)
		return err;
	if (rdma_rw_needs_mr(c) || (rdma_rw_is_read(c) && c->p->max_sgl_rd && obj->nsegs > c->p->max_sgl_rd))
		c->type = RDMA_RW_MR;
	else
		c->type = obj->nsegs == 1 ? RDMA_RW_SINGLE_WR : RDMA_RW_MULTI_WR;
	return 0;
}

static void legacy_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct legacy_state *st = obj->state;

	(void)offset;
	(void)len;
	vectors_unmap_list(obj, &st->table);
}

const struct driver_path rdma_rw_legacy_path = {
    .state_size = sizeof(struct legacy_state),
    .map = legacy_map,
    .unmap = legacy_unmap,
};
