/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queue limits, bio building, splitting and gap tracking: block/blk-settings.c, block/bio.c,
 * block/blk-merge.c of Linux 6.1, 6.12 and 7.0 (which differ in the kernel profile's data only).
 */
#include "block.h"

#include "models/device/nvme_device.h"

#define SECTOR_SIZE 512u

void blk_nvme_limits(struct blk_limits *lim, struct device *dev, const struct kernel_profile *k,
		     const struct nvme_params *p)
{
	uint64_t cap = (uint64_t)k->nvme_max_kib * KIB;
	uint64_t hw = MIN(cap, dma_max_mapping_size(dev));

	if (k->opt_mapping_clamp && !p->lift_limits)
		hw = MIN(hw, dma_opt_mapping_size(dev));
	if (p->mdts)
		hw = MIN(hw, p->mdts);
	hw = align_down(hw, SECTOR_SIZE);
	*lim = (struct blk_limits){
	    .max_hw_bytes = hw,
	    .max_bytes = p->lift_limits ? hw : MIN(hw, (uint64_t)k->default_max_kib * KIB),
	    .max_segment_size = dev->max_segment_size,
	    .seg_boundary_mask = dev->seg_boundary_mask,
	    .virt_boundary_mask = p->sgl && !k->virt_boundary_sgl ? 0 : NVME_PAGE_SIZE - 1,
	    .max_segments = (unsigned)MIN(hw / PAGE_SIZE + 1, k->nvme_max_segments),
	    .logical_block_size = (uint32_t)p->block_size,
	    .merge_pages = k->bio_merges_pages,
	    .gap_bit = k->gap_bit,
	};
}

static unsigned add_one(const struct blk_limits *lim, struct phys_vec *vecs, unsigned n, phys_addr_t phys,
			uint32_t len)
{
	if (len == 0)
		return n;
	if (lim->merge_pages && n && vecs[n - 1].paddr + vecs[n - 1].len == phys &&
	    (uint64_t)vecs[n - 1].len + len <= UINT32_MAX) {
		vecs[n - 1].len += len;
		return n;
	}
	vecs[n] = (struct phys_vec){phys, len};
	return n + 1;
}

unsigned blk_add_segments(const struct blk_limits *lim, struct phys_vec *vecs, unsigned n,
			  const struct trace_segment *segs, unsigned nsegs)
{
	for (unsigned i = 0; i < nsegs; i++)
		n = add_one(lim, vecs, n, segs[i].phys, segs[i].len);
	return n;
}

unsigned blk_add_pieces(const struct blk_limits *lim, struct phys_vec *vecs, unsigned n,
			const struct phys_vec *pieces, unsigned npieces)
{
	for (unsigned i = 0; i < npieces; i++)
		n = add_one(lim, vecs, n, pieces[i].paddr, pieces[i].len);
	return n;
}

/* Bytes from paddr to the next segment boundary, at most the segment size (get_max_segment_size). */
static uint64_t max_segment(uint64_t size, uint64_t boundary, phys_addr_t paddr)
{
	uint64_t room = boundary - (boundary & paddr);

	return room >= size ? size : room + 1;
}

/* Count the segments of one vector into part (bvec_split_segs); true when it does not fit whole. */
static bool split_segs(const struct blk_limits *lim, phys_addr_t paddr, uint64_t bv_len,
		       struct blk_part *part)
{
	uint64_t max_len = lim->max_bytes - part->bytes;
	uint64_t len = MIN(bv_len, max_len), total = 0;

	while (len && part->segments < lim->max_segments) {
		uint64_t seg = MIN(max_segment(lim->max_segment_size, lim->seg_boundary_mask, paddr + total),
				   len);

		part->segments++;
		total += seg;
		len -= seg;
		if ((paddr + total) & lim->virt_boundary_mask)
			break;
	}
	part->bytes += total;
	return len > 0 || bv_len > max_len;
}

void blk_split(const struct blk_limits *lim, const struct phys_vec *vecs, unsigned n, struct blk_cursor from,
	       struct blk_part *part)
{
	uint64_t prev_end = 0;

	*part = (struct blk_part){0};
	/* One vector inside one page, the usual small request. */
	if (n - from.vec == 1 && from.done == 0 && vecs[from.vec].len <= lim->max_bytes &&
	    (vecs[from.vec].paddr & ~PAGE_MASK) + vecs[from.vec].len <=
		MIN(lim->max_segment_size, PAGE_SIZE)) {
		part->bytes = vecs[from.vec].len;
		part->segments = 1;
		return;
	}
	for (unsigned i = from.vec; i < n; i++) {
		uint32_t skip = i == from.vec ? from.done : 0;
		phys_addr_t paddr = vecs[i].paddr + skip;
		uint64_t len = vecs[i].len - skip;

		if (i > from.vec) {
			uint64_t seam = paddr | prev_end;

			if (seam & lim->virt_boundary_mask)
				goto split;
			part->gaps |= seam;
		}
		if (split_segs(lim, paddr, len, part))
			goto split;
		prev_end = paddr + len;
	}
	return;
split:
	part->bytes = align_down(part->bytes, lim->logical_block_size);
}

unsigned blk_cut(const struct phys_vec *vecs, struct blk_cursor *at, uint64_t bytes, struct phys_vec *out)
{
	unsigned n = 0;

	while (bytes) {
		uint32_t len = (uint32_t)MIN(bytes, vecs[at->vec].len - at->done);

		out[n++] = (struct phys_vec){vecs[at->vec].paddr + at->done, len};
		bytes -= len;
		at->done += len;
		if (at->done == vecs[at->vec].len) {
			at->vec++;
			at->done = 0;
		}
	}
	return n;
}

uint64_t blk_gap_mask(uint64_t gaps)
{
	return gaps ? ~((gaps & -gaps) - 1) : 0;
}

bool blk_map_iter_next(struct blk_map_iter *it, struct phys_vec *run)
{
	uint64_t len, max;

	if (it->i == it->n)
		return false;
	run->paddr = it->vecs[it->i].paddr + it->done;
	max = max_segment(it->max_segment_size, it->seg_boundary_mask, run->paddr);
	len = MIN(it->vecs[it->i].len - it->done, max);
	it->done += (uint32_t)len;
	while (it->done == it->vecs[it->i].len) {
		it->done = 0;
		if (++it->i == it->n)
			break;
		if (it->vecs[it->i].paddr != run->paddr + len || len + it->vecs[it->i].len > max)
			break;
		len += it->vecs[it->i].len;
		it->done = it->vecs[it->i].len;
	}
	run->len = (uint32_t)len;
	return true;
}
