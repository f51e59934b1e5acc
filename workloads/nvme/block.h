/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The block layer as far as it shapes requests: queue limits, bio building, splitting, gap tracking
 * (block/blk-settings.c, block/bio.c, block/blk-merge.c), and the DMA iterator (block/blk-mq-dma.c).
 */
#ifndef DMASIM_BLOCK_H
#define DMASIM_BLOCK_H

#include "models/dma/dma_layer.h"
#include <dmasim/dma-mapping.h>
#include <dmasim/trace.h>

#define BIO_MAX_VECS 256u

struct blk_limits {
	uint64_t max_hw_bytes, max_bytes; /* max_hw_sectors, max_sectors */
	uint64_t max_segment_size;
	uint64_t seg_boundary_mask, virt_boundary_mask;
	unsigned max_segments;
	uint32_t logical_block_size;
	bool merge_pages; /* adjacent pages join when the bio is built */
	bool gap_bit;     /* gaps are tracked per request */
};

struct nvme_params;
/* Limits that the NVMe driver of this kernel sets for its I/O queues (block/blk-settings.c,
 * drivers/nvme/host/pci.c). */
void blk_nvme_limits(struct blk_limits *lim, struct device *dev, const struct kernel_profile *k,
		     const struct nvme_params *p);

/* Append pieces of memory to a bio's vectors as this kernel's bio_add_page does; returns the new count. */
unsigned blk_add_segments(const struct blk_limits *lim, struct phys_vec *vecs, unsigned n,
			  const struct trace_segment *segs, unsigned nsegs);
unsigned blk_add_pieces(const struct blk_limits *lim, struct phys_vec *vecs, unsigned n,
			const struct phys_vec *pieces, unsigned npieces);

/* A position inside a list of vectors. */
struct blk_cursor {
	unsigned vec;
	uint32_t done; /* bytes of vecs[vec] consumed */
};

struct blk_part {
	uint64_t bytes;
	unsigned segments;
	uint64_t gaps; /* OR over all seams; only bits below the page size mean something */
};

/*
 * The largest front of vecs[from...n) that one request may carry (bio_split_io_at). part->bytes is 0
 * when the limits allow no logical block at all.
 */
void blk_split(const struct blk_limits *lim, const struct phys_vec *vecs, unsigned n, struct blk_cursor from,
	       struct blk_part *part);
/* The vectors of the front bytes, cut out; advances *at. Returns how many were written. */
unsigned blk_cut(const struct phys_vec *vecs, struct blk_cursor *at, uint64_t bytes, struct phys_vec *out);
/* All bits from the lowest set gap bit upwards (queue's req_phys_gap_mask); 0 without gaps. */
uint64_t blk_gap_mask(uint64_t gaps);

/* blk_map_iter_next: physical runs, adjacent vectors joined within the segment limits. */
struct blk_map_iter {
	const struct phys_vec *vecs;
	unsigned n, i;
	uint32_t done;
	uint64_t max_segment_size, seg_boundary_mask;
};
static inline void blk_map_iter_init(struct blk_map_iter *it, const struct phys_vec *vecs, unsigned n,
				     uint64_t max_segment_size, uint64_t seg_boundary_mask)
{
	*it = (struct blk_map_iter){vecs, n, 0, 0, max_segment_size, seg_boundary_mask};
}
bool blk_map_iter_next(struct blk_map_iter *it, struct phys_vec *run);

#endif
