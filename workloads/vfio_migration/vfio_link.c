/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Migration buffers since Linux 6.16: an array of page pointers, one IOVA window into which each page
 * is linked, one sync; the memory-key command with its translations is kept and serves for unmapping
 * where there is no window (register_dma_pages, unregister_dma_pages).
 */
#include "vfio.h"

struct link_state {
	struct dma_iova_state iova;
	dma_addr_t *mtt; /* translations in the kept command buffer */
};

static int link_open(struct dma_object *obj, size_t bytes)
{
	ledger_charge(&obj->dev->sim->ledger, LEDGER_DRIVER_PAGE_LISTS,
		      (bytes >> PAGE_SHIFT) * VFIO_POINTER_BYTES);
	return 0;
}

static void link_close(struct dma_object *obj)
{
	ledger_release(&obj->dev->sim->ledger, LEDGER_DRIVER_PAGE_LISTS,
		       (obj->bytes >> PAGE_SHIFT) * VFIO_POINTER_BYTES);
}

static void release(struct vfio_buffer *b, struct link_state *st)
{
	struct ledger *ledger = &b->obj.dev->sim->ledger;

	ledger_release(ledger, LEDGER_DRIVER_COMMAND_BUFFERS, vfio_mkey_bytes(b->npages));
	ledger_release(ledger, LEDGER_IOVA_STATE, sizeof(struct dma_iova_state));
	g_clear_pointer(&st->mtt, g_free);
}

/* unregister_dma_pages, for the first n. */
static void unregister(struct vfio_buffer *b, struct link_state *st, unsigned n)
{
	struct device *dev = b->obj.dev;

	if (dma_use_iova(&st->iova)) {
		dma_iova_destroy(dev, &st->iova, (size_t)n << PAGE_SHIFT, b->obj.dir, b->obj.attrs);
		st->iova = (struct dma_iova_state){0};
		return;
	}
	while (n-- > 0)
		dma_unmap_page_attrs(dev, st->mtt[n], PAGE_SIZE, b->obj.dir, b->obj.attrs);
}

static int link_pages(struct vfio_buffer *b, struct link_state *st, const struct phys_vec *vec, unsigned n)
{
	struct device *dev = b->obj.dev;
	int err;

	for (unsigned i = 0; i < n; i++) {
		err = dma_iova_link(dev, &st->iova, vec[i].paddr, (size_t)i << PAGE_SHIFT, PAGE_SIZE,
				    b->obj.dir, b->obj.attrs);
		if (err) {
			unregister(b, st, i);
			return err;
		}
		st->mtt[i] = st->iova.addr + ((dma_addr_t)i << PAGE_SHIFT);
	}
	err = dma_iova_sync(dev, &st->iova, 0, (size_t)n << PAGE_SHIFT);
	if (err) {
		unregister(b, st, n);
		return err;
	}
	b->obj.segs[b->obj.nsegs++] = (struct dma_segment){st->iova.addr, (uint64_t)n << PAGE_SHIFT};
	return 0;
}

static int map_pages(struct vfio_buffer *b, struct link_state *st, const struct phys_vec *vec, unsigned n)
{
	struct device *dev = b->obj.dev;

	for (unsigned i = 0; i < n; i++) {
		st->mtt[i] = dma_map_page_attrs(dev, vec[i].paddr, 0, PAGE_SIZE, b->obj.dir, b->obj.attrs);
		if (dma_mapping_error(dev, st->mtt[i])) {
			unregister(b, st, i);
			b->obj.nsegs = 0;
			return -ENOMEM;
		}
		b->obj.segs[b->obj.nsegs++] = (struct dma_segment){st->mtt[i], PAGE_SIZE};
	}
	return 0;
}

static int link_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct vfio_buffer *b = vfio_buffer(obj);
	struct link_state *st = obj->state;
	struct ledger *ledger = &obj->dev->sim->ledger;
	int err;

	(void)offset;
	st->mtt = g_new0(dma_addr_t, n);
	ledger_charge(ledger, LEDGER_DRIVER_COMMAND_BUFFERS, vfio_mkey_bytes(n));
	ledger_charge(ledger, LEDGER_IOVA_STATE, sizeof(struct dma_iova_state));
	cpu_charge_n(obj->dev->sim->cpu, COST_DRIVER_DESCRIPTOR, n);
	err = dma_iova_try_alloc(obj->dev, &st->iova, 0, (size_t)n << PAGE_SHIFT) ? link_pages(b, st, vec, n)
										  : map_pages(b, st, vec, n);
	if (err)
		release(b, st);
	return err;
}

static void link_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct vfio_buffer *b = vfio_buffer(obj);

	(void)offset;
	(void)len;
	unregister(b, obj->state, (unsigned)b->npages);
	release(b, obj->state);
}

const struct driver_path vfio_link_path = {
    .state_size = sizeof(struct link_state),
    .open = link_open,
    .map = link_map,
    .unmap = link_unmap,
    .close = link_close,
};
