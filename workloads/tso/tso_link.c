/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tso_dma_map_init() and tso_dma_map_cleanup() of net/core/tso.c (Linux 7.1): one window for the packet if
 * its regions go into one, else each region by itself. A window holds regions only where each but the first
 * starts on a page and each but the last ends on one; whether it does, the first link that fails says.
 */
#include "tso.h"

#include "workloads/vectors.h"

struct link_state {
	struct dma_iova_state iova;
	size_t total;
};

static bool map_window(struct dma_object *obj, struct link_state *st, const struct phys_vec *vec, unsigned n)
{
	struct tso_stats *stats = tso_packet(obj)->st;
	size_t total = vectors_bytes(vec, n), linked = 0;
	int err = 0;

	if (!dma_iova_try_alloc(obj->dev, &st->iova, vec[0].paddr, total))
		return false;
	for (unsigned i = 0; i < n && !err; i++) {
		err = dma_iova_link(obj->dev, &st->iova, vec[i].paddr, linked, vec[i].len, DMA_TO_DEVICE, 0);
		if (!err)
			linked += vec[i].len;
		else if (err == -EIO)
			stats->starts_inside++;
		else
			stats->ends_inside++;
		stats->links += !err;
	}
	if (!err)
		err = dma_iova_sync(obj->dev, &st->iova, 0, total);
	if (err) {
		dma_iova_destroy(obj->dev, &st->iova, linked, DMA_TO_DEVICE, 0);
		*st = (struct link_state){0};
		return false;
	}
	st->total = total;
	dma_object_add(obj, st->iova.addr, total);
	ledger_charge(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, sizeof(st->iova));
	return true;
}

static bool count_piece(struct dma_object *obj, phys_addr_t phys, uint64_t len)
{
	(void)phys;
	(void)len;
	tso_packet(obj)->descriptors++;
	return true;
}

static int link_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct tso_packet *pkt = tso_packet(obj);
	struct link_state *st = obj->state;
	int err;

	(void)offset;
	*st = (struct link_state){0};
	pkt->descriptors = 0;
	if (map_window(obj, st, vec, n)) {
		pkt->descriptors = (unsigned)div_round_up(st->total, pkt->p->mss);
		pkt->st->windows++;
		pkt->st->mappings++;
		return 0;
	}
	err = vectors_map_each(obj, 0, vec, n);
	if (err)
		return err;
	tso_for_pieces(obj, vec, n, count_piece);
	pkt->st->fallbacks++;
	pkt->st->mappings += n;
	return 0;
}

static void link_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct link_state *st = obj->state;

	(void)offset;
	(void)len;
	if (!dma_use_iova(&st->iova)) {
		vectors_unmap_each(obj, 0);
		return;
	}
	dma_iova_destroy(obj->dev, &st->iova, st->total, DMA_TO_DEVICE, 0);
	ledger_release(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, sizeof(st->iova));
}

const struct driver_path tso_link_path = {
    .state_size = sizeof(struct link_state),
    .map = link_map,
    .unmap = link_unmap,
};
