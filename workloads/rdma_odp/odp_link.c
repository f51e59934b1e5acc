/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On-demand paging since Linux 6.16: one IOVA window for the whole region, each page linked and synced
 * at its place (hmm_dma_map_alloc, hmm_dma_map_pfn, hmm_dma_unmap_pfn of mm/hmm.c). Unlinking one page
 * flushes at once in every mode, because the window is not freed with it.
 */
#include "odp.h"

struct link_state {
	struct dma_iova_state iova;
	dma_addr_t *dma_list; /* no window, but addresses are needed to unmap; as long as the list of pages */
};

static int link_open(struct dma_object *obj, size_t bytes)
{
	struct link_state *st = obj->state;
	struct ledger *ledger = &obj->dev->sim->ledger;

	/* Streaming ownership changes are not possible here: no bouncing, no incoherent device. */
	if (!obj->dev->coherent || obj->dev->dma_uses_swiotlb || dma_addressing_limited(obj->dev))
		return -EOPNOTSUPP;
	obj->attrs |= DMA_ATTR_REQUIRE_COHERENT;
	if (!dma_iova_try_alloc(obj->dev, &st->iova, 0, bytes) && dma_need_unmap(obj->dev)) {
		st->dma_list = g_try_malloc0_n(bytes >> PAGE_SHIFT, sizeof(dma_addr_t));
		if (!st->dma_list)
			return -ENOMEM;
		ledger_charge(ledger, LEDGER_DRIVER_DMA_ADDRESSES,
			      (bytes >> PAGE_SHIFT) * sizeof(dma_addr_t));
	}
	ledger_charge(ledger, LEDGER_IOVA_STATE, ODP_HMM_DMA_MAP_BYTES);
	return 0;
}

/* hmm_dma_unmap_pfn */
static void link_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct link_state *st = obj->state;
	const struct odp_umem *u = odp_umem(obj);
	size_t bytes = odp_page_bytes(u);

	for (size_t at = offset; at < offset + len; at += bytes) {
		if (dma_use_iova(&st->iova))
			dma_iova_unlink(obj->dev, &st->iova, at, bytes, obj->dir, obj->attrs);
		else if (st->dma_list)
			dma_unmap_phys(obj->dev, st->dma_list[at >> u->page_shift], bytes, obj->dir,
				       obj->attrs);
	}
}

/* hmm_dma_map_pfn: one page. */
static int map_page(struct dma_object *obj, size_t at, phys_addr_t phys, dma_addr_t *addr)
{
	struct link_state *st = obj->state;
	size_t bytes = odp_page_bytes(odp_umem(obj));
	int err;

	if (!dma_use_iova(&st->iova)) {
		*addr = dma_map_phys(obj->dev, phys, bytes, obj->dir, obj->attrs);
		if (dma_mapping_error(obj->dev, *addr))
			return -ENOMEM;
		if (st->dma_list)
			st->dma_list[at >> odp_umem(obj)->page_shift] = *addr;
		return 0;
	}
	*addr = st->iova.addr + at;
	err = dma_iova_link(obj->dev, &st->iova, phys, at, bytes, obj->dir, obj->attrs);
	if (err)
		return err;
	err = dma_iova_sync(obj->dev, &st->iova, at, bytes);
	if (err)
		dma_iova_unlink(obj->dev, &st->iova, at, bytes, obj->dir, obj->attrs);
	return err;
}

static int link_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		size_t at = offset + ((size_t)i << odp_umem(obj)->page_shift);
		dma_addr_t addr;
		int err = map_page(obj, at, vec[i].paddr, &addr);

		if (err) {
			link_unmap(obj, offset, at - offset);
			return err;
		}
		obj->segs[obj->nsegs++] = (struct dma_segment){addr, vec[i].len};
	}
	return 0;
}

static void link_close(struct dma_object *obj)
{
	struct link_state *st = obj->state;
	struct ledger *ledger = &obj->dev->sim->ledger;

	if (dma_use_iova(&st->iova))
		dma_iova_free(obj->dev, &st->iova);
	if (st->dma_list)
		ledger_release(ledger, LEDGER_DRIVER_DMA_ADDRESSES,
			       (obj->bytes >> PAGE_SHIFT) * sizeof(dma_addr_t));
	g_free(st->dma_list);
	st->dma_list = NULL;
	ledger_release(ledger, LEDGER_IOVA_STATE, ODP_HMM_DMA_MAP_BYTES);
}

const struct driver_path odp_link_path = {
    .state_size = sizeof(struct link_state),
    .open = link_open,
    .map = link_map,
    .unmap = link_unmap,
    .close = link_close,
};
