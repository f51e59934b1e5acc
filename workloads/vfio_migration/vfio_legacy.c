/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Migration buffers before Linux 6.16: pages appended to a chained scatterlist, neighbours joined, the
 * list mapped at once, its addresses copied into the memory-key command. The receive buffer of the
 * dirty tracker maps page by page and keeps an array of addresses.
 */
#include "vfio.h"

#define ENTRY_LARGEST (UINT32_MAX & ~(uint32_t)(PAGE_SIZE - 1))

struct legacy_state {
	struct scatterlist *sgl;
	struct sg_table table;
	uint64_t bytes;    /* of the chained chunks, as allocated */
	dma_addr_t *addrs; /* tracker */
};

/* The append call always asks for full chunks: one page each, 127 entries and a link. */
static uint64_t chunk_bytes(uint64_t entries)
{
	return MAX(div_round_up(entries - 1, SG_MAX_SINGLE_ALLOC - 1), 1) * PAGE_SIZE;
}

/* sg_alloc_append_table_from_pages, for all rounds together. */
static unsigned append_pages(struct scatterlist *sgl, const struct phys_vec *vec, unsigned n)
{
	struct scatterlist *sg = NULL;
	unsigned entries = 0;

	for (unsigned i = 0; i < n; i++) {
		if (sg && sg_phys(sg) + sg->length == vec[i].paddr &&
		    sg->length <= ENTRY_LARGEST - vec[i].len) {
			sg->length += vec[i].len;
			continue;
		}
		sg = &sgl[entries++];
		sg_set_phys(sg, vec[i].paddr, vec[i].len);
	}
	sg->page_link |= SG_END;
	return entries;
}

static int map_list(struct vfio_buffer *b, struct legacy_state *st, const struct phys_vec *vec, unsigned n)
{
	struct vfio_workload *w = vfio_buffer_workload(b);
	struct ledger *ledger = &w->base.m->sim.ledger;
	struct cpu *cpu = w->base.m->sim.cpu;
	uint64_t round = MIN(n, VFIO_BULK_PAGES) * VFIO_POINTER_BYTES;
	struct scatterlist *sg;
	unsigned i;
	int err;

	st->sgl = g_new0(struct scatterlist, n);
	sg_init_table(st->sgl, n);
	ledger_charge(ledger, LEDGER_DRIVER_PAGE_LISTS, round); /* only while pages are being allocated */
	st->table.sgl = st->sgl;
	st->table.orig_nents = append_pages(st->sgl, vec, n);
	st->bytes = chunk_bytes(st->table.orig_nents);
	ledger_charge(ledger, LEDGER_SG_TABLES, st->bytes);
	ledger_release(ledger, LEDGER_DRIVER_PAGE_LISTS, round);
	cpu_charge_n(cpu, COST_SG_ALLOC, st->bytes / PAGE_SIZE);
	cpu_charge_n(cpu, COST_SG_SEGMENT, n);
	w->st.sg_entries += st->table.orig_nents;
	err = dma_map_sgtable(b->obj.dev, &st->table, b->obj.dir, b->obj.attrs);
	if (err) {
		ledger_release(ledger, LEDGER_SG_TABLES, st->bytes);
		g_clear_pointer(&st->sgl, g_free);
		return err;
	}
	/* create_mkey: the command with its translations exists only during the command. */
	ledger_charge(ledger, LEDGER_DRIVER_COMMAND_BUFFERS, vfio_mkey_bytes(n));
	cpu_charge_n(cpu, COST_DRIVER_DESCRIPTOR, n);
	for_each_sg (st->sgl, sg, st->table.nents, i)
		b->obj.segs[b->obj.nsegs++] = (struct dma_segment){sg->dma_address, sg->dma_length};
	ledger_release(ledger, LEDGER_DRIVER_COMMAND_BUFFERS, vfio_mkey_bytes(n));
	return 0;
}

static void unmap_tracker(struct vfio_buffer *b, struct legacy_state *st, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		dma_unmap_page_attrs(b->obj.dev, st->addrs[i], PAGE_SIZE, b->obj.dir, b->obj.attrs);
	ledger_release(&b->obj.dev->sim->ledger, LEDGER_DRIVER_PAGE_LISTS, b->npages * VFIO_POINTER_BYTES);
	ledger_release(&b->obj.dev->sim->ledger, LEDGER_DRIVER_DMA_ADDRESSES, b->npages * sizeof(dma_addr_t));
	g_clear_pointer(&st->addrs, g_free);
}

static int map_tracker(struct vfio_buffer *b, struct legacy_state *st, const struct phys_vec *vec, unsigned n)
{
	struct ledger *ledger = &b->obj.dev->sim->ledger;

	st->addrs = g_new0(dma_addr_t, n);
	ledger_charge(ledger, LEDGER_DRIVER_PAGE_LISTS, b->npages * VFIO_POINTER_BYTES);
	ledger_charge(ledger, LEDGER_DRIVER_DMA_ADDRESSES, b->npages * sizeof(dma_addr_t));
	for (unsigned i = 0; i < n; i++) {
		st->addrs[i] = dma_map_page_attrs(b->obj.dev, vec[i].paddr, 0, PAGE_SIZE, b->obj.dir,
						  b->obj.attrs);
		if (dma_mapping_error(b->obj.dev, st->addrs[i])) {
			unmap_tracker(b, st, i);
			return -ENOMEM;
		}
		b->obj.segs[b->obj.nsegs++] = (struct dma_segment){st->addrs[i], PAGE_SIZE};
	}
	return 0;
}

static int legacy_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct vfio_buffer *b = vfio_buffer(obj);

	(void)offset;
	return b->purpose == VFIO_PURPOSE_TRACKER ? map_tracker(b, obj->state, vec, n)
						  : map_list(b, obj->state, vec, n);
}

static void legacy_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct vfio_buffer *b = vfio_buffer(obj);
	struct legacy_state *st = obj->state;

	(void)offset;
	(void)len;
	if (st->addrs) {
		unmap_tracker(b, st, (unsigned)b->npages);
		return;
	}
	dma_unmap_sgtable(obj->dev, &st->table, obj->dir, obj->attrs);
	ledger_release(&obj->dev->sim->ledger, LEDGER_SG_TABLES, st->bytes);
	g_clear_pointer(&st->sgl, g_free);
}

const struct driver_path vfio_legacy_path = {
    .state_size = sizeof(struct legacy_state),
    .map = legacy_map,
    .unmap = legacy_unmap,
};
