/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Piece by piece, as drm_gpusvm_get_pages() and drm_pagemap's migration do it up to Linux 7.1. */
#include "gpu_svm.h"

int gpu_svm_map_pieces(struct dma_object *obj, const struct phys_vec *vec, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		dma_addr_t addr = dma_map_page(obj->dev, vec[i].paddr, 0, vec[i].len, obj->dir);

		if (dma_mapping_error(obj->dev, addr)) {
			gpu_svm_unmap_pieces(obj);
			return -EFAULT;
		}
		dma_object_add(obj, addr, vec[i].len);
	}
	gpu_range(obj)->st->singles += n;
	return 0;
}

void gpu_svm_unmap_pieces(struct dma_object *obj)
{
	for (unsigned i = 0; i < obj->nsegs; i++)
		dma_unmap_page(obj->dev, obj->segs[i].addr, obj->segs[i].len, obj->dir);
	obj->nsegs = 0;
}

static int legacy_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	(void)offset;
	return gpu_svm_map_pieces(obj, vec, n);
}

static void legacy_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	(void)offset;
	(void)len;
	gpu_svm_unmap_pieces(obj);
}

const struct driver_path gpu_svm_legacy_path = {.map = legacy_map, .unmap = legacy_unmap};
