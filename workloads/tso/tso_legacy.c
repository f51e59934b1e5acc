/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Before tso_dma_map_*: drivers of cards without segmentation map each piece of each segment by itself
 * (tso_build_data); those of cards with it map each fragment (skb_frag_dma_map).
 */
#include "tso.h"

static bool map_piece(struct dma_object *obj, phys_addr_t phys, uint64_t len)
{
	dma_addr_t addr = dma_map_page(obj->dev, phys & PAGE_MASK, phys & ~PAGE_MASK, len, DMA_TO_DEVICE);

	if (dma_mapping_error(obj->dev, addr))
		return false;
	return dma_object_add(obj, addr, len);
}

static void legacy_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	(void)offset;
	(void)len;
	for (unsigned i = 0; i < obj->nsegs; i++)
		dma_unmap_page(obj->dev, obj->segs[i].addr, obj->segs[i].len, DMA_TO_DEVICE);
	obj->nsegs = 0;
}

static int legacy_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct tso_packet *pkt = tso_packet(obj);
	bool ok = true;

	(void)offset;
	if (pkt->p->before == TSO_PIECES)
		ok = tso_for_pieces(obj, vec, n, map_piece);
	else
		for (unsigned i = 0; ok && i < n; i++)
			ok = map_piece(obj, vec[i].paddr, vec[i].len);
	if (!ok) {
		legacy_unmap(obj, 0, 0);
		return -ENOMEM;
	}
	pkt->descriptors = obj->nsegs;
	pkt->st->mappings += obj->nsegs;
	return 0;
}

const struct driver_path tso_legacy_path = {.map = legacy_map, .unmap = legacy_unmap};
