/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vectors to the DMA API: scatterlist, one by one, linked (Documentation/core-api/dma-api.rst). */
#include "vectors.h"

int vectors_map_list(struct dma_object *obj, struct sg_table *t, const struct phys_vec *vec, unsigned n)
{
	struct sim *sim = obj->dev->sim;
	struct scatterlist *sg;
	unsigned i;
	int err = sg_alloc_table(sim, t, n);

	if (err)
		return err;
	for_each_sg (t->sgl, sg, n, i)
		sg_set_phys(sg, vec[i].paddr, vec[i].len);
	err = dma_map_sgtable(obj->dev, t, obj->dir, obj->attrs);
	if (err) {
		sg_free_table(sim, t);
		return err;
	}
	for_each_sg (t->sgl, sg, t->nents, i)
		dma_object_add(obj, sg->dma_address, sg->dma_length);
	return 0;
}

void vectors_unmap_list(struct dma_object *obj, struct sg_table *t)
{
	dma_unmap_sgtable(obj->dev, t, obj->dir, obj->attrs);
	sg_free_table(obj->dev->sim, t);
}

int vectors_map_each(struct dma_object *obj, unsigned long attrs, const struct phys_vec *vec, unsigned n)
{
	unsigned before = obj->nsegs;

	for (unsigned i = 0; i < n; i++) {
		dma_addr_t addr = dma_map_phys(obj->dev, vec[i].paddr, vec[i].len, obj->dir, attrs);

		if (dma_mapping_error(obj->dev, addr)) {
			while (obj->nsegs > before) {
				const struct dma_segment *s = &obj->segs[--obj->nsegs];

				dma_unmap_phys(obj->dev, s->addr, s->len, obj->dir, attrs);
			}
			return -ENOMEM;
		}
		dma_object_add(obj, addr, vec[i].len);
	}
	return 0;
}

void vectors_unmap_each(struct dma_object *obj, unsigned long attrs)
{
	for (unsigned i = 0; i < obj->nsegs; i++)
		dma_unmap_phys(obj->dev, obj->segs[i].addr, obj->segs[i].len, obj->dir, attrs);
}

int vectors_link(struct dma_object *obj, struct dma_iova_state *state, const struct phys_vec *vec, unsigned n)
{
	size_t linked = 0;
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++) {
		err = dma_iova_link(obj->dev, state, vec[i].paddr, linked, vec[i].len, obj->dir, obj->attrs);
		linked += err ? 0 : vec[i].len;
	}
	if (!err)
		err = dma_iova_sync(obj->dev, state, 0, linked);
	if (err)
		dma_iova_destroy(obj->dev, state, linked, obj->dir, obj->attrs);
	else
		dma_object_add(obj, state->addr, linked);
	return err;
}
