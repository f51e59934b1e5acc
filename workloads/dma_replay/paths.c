/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorded mappings through both APIs. Scatterlists: one vector by dma_map_page, several as a table.
 * Two-step: one vector by dma_map_phys, several linked into one window where they can touch there (inner
 * ends on page boundaries, Documentation/core-api/dma-api.rst), else one by one.
 */
#include "workloads/paths.h"
#include "workloads/vectors.h"

struct legacy_state {
	struct sg_table sgt; /* sgl NULL: one vector, in obj->segs */
};

static int legacy_single(struct dma_object *obj, const struct phys_vec *v)
{
	dma_addr_t addr;

	if (obj->attrs & DMA_ATTR_MMIO)
		addr = dma_map_resource(obj->dev, v->paddr, v->len, obj->dir, obj->attrs & ~DMA_ATTR_MMIO);
	else
		addr = dma_map_page_attrs(obj->dev, v->paddr & PAGE_MASK, v->paddr & ~PAGE_MASK, v->len,
					  obj->dir, obj->attrs);
	if (dma_mapping_error(obj->dev, addr))
		return -EIO;
	dma_object_add(obj, addr, v->len);
	return 0;
}

static int legacy_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct legacy_state *st = obj->state;
	int err;

	(void)offset;
	st->sgt.sgl = NULL;
	if (n == 1)
		return legacy_single(obj, vec);
	err = vectors_map_list(obj, &st->sgt, vec, n);
	if (err)
		st->sgt.sgl = NULL;
	return err;
}

static void legacy_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct legacy_state *st = obj->state;

	(void)offset;
	(void)len;
	if (st->sgt.sgl) {
		vectors_unmap_list(obj, &st->sgt);
		st->sgt.sgl = NULL;
	} else if (obj->attrs & DMA_ATTR_MMIO) {
		dma_unmap_resource(obj->dev, obj->segs[0].addr, obj->segs[0].len, obj->dir,
				   obj->attrs & ~DMA_ATTR_MMIO);
	} else {
		dma_unmap_page_attrs(obj->dev, obj->segs[0].addr, obj->segs[0].len, obj->dir, obj->attrs);
	}
}

const struct driver_path dma_replay_legacy_path = {
    .state_size = sizeof(struct legacy_state),
    .map = legacy_map,
    .unmap = legacy_unmap,
};

struct link_state {
	struct dma_iova_state iova; /* not in use: the vectors' own addresses are in obj->segs */
};

static bool can_touch(const struct phys_vec *vec, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if ((i > 0 && vec[i].paddr & ~PAGE_MASK) ||
		    (i < n - 1 && (vec[i].paddr + vec[i].len) & ~PAGE_MASK))
			return false;
	return true;
}

static int link_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct link_state *st = obj->state;

	(void)offset;
	st->iova = (struct dma_iova_state){0};
	if (n == 1 || !can_touch(vec, n) ||
	    !dma_iova_try_alloc(obj->dev, &st->iova, vec[0].paddr, obj->bytes))
		return vectors_map_each(obj, obj->attrs, vec, n);
	return vectors_link(obj, &st->iova, vec, n);
}

static void link_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct link_state *st = obj->state;

	(void)offset;
	(void)len;
	if (dma_use_iova(&st->iova))
		dma_iova_destroy(obj->dev, &st->iova, obj->bytes, obj->dir, obj->attrs);
	else if (dma_need_unmap(obj->dev))
		vectors_unmap_each(obj, obj->attrs);
}

const struct driver_path dma_replay_link_path = {
    .state_size = sizeof(struct link_state),
    .map = link_map,
    .unmap = link_unmap,
};
