/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sharing by physical ranges: drivers/dma-buf/dma-buf-mapping.c (Linux 6.19). The route between provider
 * and importer decides: bus addresses need no mapping; through the host bridge all ranges go into one IOVA
 * window, or are mapped one by one where nothing translates.
 */
#include "dmabuf.h"
#include "workloads/vectors.h"

#include "sim/cpu.h"

struct link_state {
	struct dma_iova_state iova;
	bool window;       /* the IOVA state is in use */
	bool bus;          /* bus addresses: nothing was mapped */
	unsigned nsingles; /* mapped one by one: obj->segs holds them */
	size_t mapped;
};

static bool converts(const struct dma_object *obj)
{
	return dmabuf_object((struct dma_object *)obj)->npieces != 0;
}

static int link_open(struct dma_object *obj, size_t bytes)
{
	struct link_state *st = obj->state;

	*st = (struct link_state){0};
	/* Pieces that come and go live in one window that stays. */
	if (converts(obj)) {
		st->window = dma_iova_try_alloc(obj->dev, &st->iova, 0, bytes);
		if (st->window)
			ledger_charge(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, sizeof(st->iova));
	}
	return 0;
}

static void link_close(struct dma_object *obj)
{
	struct link_state *st = obj->state;

	if (converts(obj) && st->window) {
		dma_iova_free(obj->dev, &st->iova);
		ledger_release(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, sizeof(st->iova));
	}
}

static int map_singles(struct dma_object *obj, struct link_state *st, const struct phys_vec *vec, unsigned n,
		       unsigned long attrs)
{
	int err = vectors_map_each(obj, attrs, vec, n);

	if (err)
		return err;
	st->nsingles += n;
	dmabuf_object(obj)->st->singles++;
	return 0;
}

/*
 * Link all ranges from at on and make them usable. The kernel's code, to which only memory of peers goes,
 * counts the bytes it has linked and yet passes offset 0 for each range.
 */
static int link_ranges(struct dma_object *obj, struct link_state *st, size_t at, const struct phys_vec *vec,
		       unsigned n, unsigned long attrs, size_t *linked)
{
	bool literal = dmabuf_literal(obj);
	int err;

	*linked = 0;
	for (unsigned i = 0; i < n; i++) {
		err = dma_iova_link(obj->dev, &st->iova, vec[i].paddr, literal ? at : at + *linked,
				    vec[i].len, obj->dir, attrs);
		if (err)
			return err;
		*linked += vec[i].len;
	}
	return dma_iova_sync(obj->dev, &st->iova, at, *linked);
}

/* What a failed mapping leaves: the kernel's code forgets a window into which it has linked nothing. */
static void undo_window(struct dma_object *obj, struct link_state *st, unsigned long attrs)
{
	if (!st->mapped && dmabuf_literal(obj)) {
		dmabuf_object(obj)->st->leaked++;
		return;
	}
	dma_iova_destroy(obj->dev, &st->iova, st->mapped, obj->dir, attrs);
}

static int map_window(struct dma_object *obj, struct link_state *st, const struct phys_vec *vec, unsigned n,
		      unsigned long attrs)
{
	size_t total = vectors_bytes(vec, n);
	int err;

	if (!dma_iova_try_alloc(obj->dev, &st->iova, vec[0].paddr, total))
		return map_singles(obj, st, vec, n, attrs);
	err = link_ranges(obj, st, 0, vec, n, attrs, &st->mapped);
	if (err) {
		undo_window(obj, st, attrs);
		return err;
	}
	st->window = true;
	ledger_charge(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, sizeof(st->iova));
	dma_object_add(obj, st->iova.addr, total);
	dmabuf_object(obj)->st->windows++;
	return 0;
}

static int map_piece(struct dma_object *obj, struct link_state *st, size_t offset, const struct phys_vec *vec,
		     unsigned n, unsigned long attrs)
{
	size_t linked;
	int err;

	if (!st->window)
		return map_singles(obj, st, vec, n, attrs);
	err = link_ranges(obj, st, offset, vec, n, attrs, &linked);
	if (err && linked)
		dma_iova_unlink(obj->dev, &st->iova, offset, linked, obj->dir, attrs);
	if (!err)
		dma_object_add(obj, st->iova.addr + offset, linked);
	return err;
}

static int link_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct dmabuf_object *o = dmabuf_object(obj);
	struct link_state *st = obj->state;
	unsigned long attrs = obj->attrs | dmabuf_mmio_attr(obj->dev, o->p->kind);

	if (!converts(obj))
		*st = (struct link_state){0};
	if (o->p->kind == DMABUF_RESOURCE && !converts(obj))
		return map_singles(obj, st, vec, n, attrs);
	if (o->provider) {
		switch (pci_p2pdma_map_type(o->provider, obj->dev)) {
		case PCI_P2PDMA_MAP_BUS_ADDR:
			for (unsigned i = 0; i < n; i++)
				dma_object_add(obj, vec[i].paddr + o->provider->bus_offset, vec[i].len);
			st->bus = true;
			o->st->bus_address++;
			return 0;
		case PCI_P2PDMA_MAP_THRU_HOST_BRIDGE:
			break;
		default:
			pcie_refuse_peer(o->provider->owner, obj->dev->pci);
			return -EINVAL;
		}
	}
	if (converts(obj))
		return map_piece(obj, st, offset, vec, n, attrs);
	return map_window(obj, st, vec, n, attrs);
}

static void link_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct dmabuf_object *o = dmabuf_object(obj);
	struct link_state *st = obj->state;
	unsigned long attrs = obj->attrs | dmabuf_mmio_attr(obj->dev, o->p->kind);

	if (st->bus)
		return;
	if (st->window && converts(obj)) {
		dma_iova_unlink(obj->dev, &st->iova, offset, len, obj->dir, attrs);
		return;
	}
	if (st->window) {
		dma_iova_destroy(obj->dev, &st->iova, st->mapped, obj->dir, attrs);
		ledger_release(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, sizeof(st->iova));
		st->window = false;
		return;
	}
	vectors_unmap_each(obj, attrs);
	st->nsingles = 0;
}

const struct driver_path dmabuf_link_path = {
    .state_size = sizeof(struct link_state),
    .open = link_open,
    .map = link_map,
    .unmap = link_unmap,
    .close = link_close,
};
