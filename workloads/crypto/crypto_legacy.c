/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One scatterlist per buffer, as drivers/crypto maps source and destination. Nothing newer exists. */
#include <dmasim/cpu.h>
#include <dmasim/workload.h>

struct legacy_state {
	struct sg_table table;
};

static int legacy_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct legacy_state *st = obj->state;
	struct sim *sim = obj->dev->sim;
	struct scatterlist *sg;
	unsigned i;
	int err = sg_alloc_table(sim, &st->table, n);

	(void)offset;
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

static void legacy_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct legacy_state *st = obj->state;

	(void)offset;
	(void)len;
	dma_unmap_sgtable(obj->dev, &st->table, obj->dir, obj->attrs);
	sg_free_table(obj->dev->sim, &st->table);
}

const struct driver_path crypto_legacy_path = {
    .state_size = sizeof(struct legacy_state),
    .map = legacy_map,
    .unmap = legacy_unmap,
};
