/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One scatterlist per buffer, as drivers/crypto maps source and destination. Nothing newer exists. */
#include "workloads/vectors.h"

#include "sim/cpu.h"

struct legacy_state {
	struct sg_table table;
};

static int legacy_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct legacy_state *st = obj->state;

	(void)offset;
	cpu_charge_n(obj->dev->sim->cpu, COST_SG_SEGMENT, n);
	return vectors_map_list(obj, &st->table, vec, n);
}

static void legacy_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct legacy_state *st = obj->state;

	(void)offset;
	(void)len;
	vectors_unmap_list(obj, &st->table);
}

const struct driver_path crypto_legacy_path = {
    .state_size = sizeof(struct legacy_state),
    .map = legacy_map,
    .unmap = legacy_unmap,
};
