/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On-demand paging before Linux 6.16: an array of DMA addresses beside the pfn list, each page mapped
 * and unmapped by itself (ib_umem_odp_map_dma_single_page, ib_umem_odp_unmap_dma_pages).
 */
#include "odp.h"

struct legacy_state {
	dma_addr_t *dma_list; /* 0: not mapped; bit 0 set else, as the kernel keeps its access bits there */
};

static int legacy_open(struct dma_object *obj, size_t bytes)
{
	struct legacy_state *st = obj->state;
	uint64_t npages = bytes >> odp_umem(obj)->page_shift;

	st->dma_list = g_try_malloc0_n(npages, sizeof(dma_addr_t));
	if (!st->dma_list)
		return -ENOMEM;
	ledger_charge(&obj->dev->sim->ledger, LEDGER_DRIVER_DMA_ADDRESSES, npages * sizeof(dma_addr_t));
	return 0;
}

static void legacy_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct legacy_state *st = obj->state;
	const struct odp_umem *u = odp_umem(obj);
	uint64_t bytes = odp_page_bytes(u);

	for (size_t i = offset >> u->page_shift; i < (offset + len) >> u->page_shift; i++) {
		if (!st->dma_list[i])
			continue;
		dma_unmap_page_attrs(obj->dev, st->dma_list[i] & PAGE_MASK, bytes, obj->dir, obj->attrs);
		st->dma_list[i] = 0;
	}
}

static int legacy_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct legacy_state *st = obj->state;
	const struct odp_umem *u = odp_umem(obj);
	size_t first = offset >> u->page_shift, bytes = odp_page_bytes(u);

	for (unsigned i = 0; i < n; i++) {
		dma_addr_t addr = dma_map_page_attrs(obj->dev, vec[i].paddr, 0, bytes, obj->dir, obj->attrs);

		if (dma_mapping_error(obj->dev, addr)) {
			legacy_unmap(obj, offset, (size_t)i << u->page_shift);
			return -ENOMEM;
		}
		st->dma_list[first + i] = addr | 1;
		obj->segs[obj->nsegs++] = (struct dma_segment){addr, bytes};
	}
	return 0;
}

static void legacy_close(struct dma_object *obj)
{
	struct legacy_state *st = obj->state;

	ledger_release(&obj->dev->sim->ledger, LEDGER_DRIVER_DMA_ADDRESSES,
		       (obj->bytes >> odp_umem(obj)->page_shift) * sizeof(dma_addr_t));
	g_free(st->dma_list);
	st->dma_list = NULL;
}

const struct driver_path odp_legacy_path = {
    .state_size = sizeof(struct legacy_state),
    .open = legacy_open,
    .map = legacy_map,
    .unmap = legacy_unmap,
    .close = legacy_close,
};
