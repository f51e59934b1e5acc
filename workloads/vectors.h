/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What driver paths do with the vectors of one object: map them as one scatterlist, one by one, or linked
 * into one IOVA range. Each appends the ranges for the device to obj->segs; on error nothing stays mapped.
 */
#ifndef DMASIM_VECTORS_H
#define DMASIM_VECTORS_H

#include "machine/machine.h"

#include <dmasim/workload.h>

/* As one table (sg_alloc_table, dma_map_sgtable). The time to fill it in is the driver's to charge. */
int vectors_map_list(struct dma_object *obj, struct sg_table *t, const struct phys_vec *vec, unsigned n);
void vectors_unmap_list(struct dma_object *obj, struct sg_table *t);
/* Each by itself (dma_map_phys); the way back unmaps all ranges of the object. */
int vectors_map_each(struct dma_object *obj, unsigned long attrs, const struct phys_vec *vec, unsigned n);
void vectors_unmap_each(struct dma_object *obj, unsigned long attrs);
/* All into the range that state stands for, from its start, and synced: one range for the device. */
int vectors_link(struct dma_object *obj, struct dma_iova_state *state, const struct phys_vec *vec,
		 unsigned n);

static inline size_t vectors_bytes(const struct phys_vec *vec, unsigned n)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < n; i++)
		bytes += vec[i].len;
	return bytes;
}

#endif
