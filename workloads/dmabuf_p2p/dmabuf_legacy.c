/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sharing before the physical-address API: memory with pages goes through a scatterlist, memory without
 * through dma_map_resource, range by range, whatever route there is to it.
 */
#include "dmabuf.h"
#include "workloads/vectors.h"

#include "sim/cpu.h"

/* One independently mapped part: the whole buffer, or a piece that is converted by itself. */
struct part {
	struct sg_table table;
	dma_addr_t *addr; /* resources: one per range */
	uint32_t *len;
	unsigned n;
};

struct legacy_state {
	struct part *parts;
	unsigned nparts;
	uint64_t part_bytes;
};

static int legacy_open(struct dma_object *obj, size_t bytes)
{
	struct dmabuf_object *o = dmabuf_object(obj);
	struct legacy_state *st = obj->state;

	st->nparts = o->npieces ? o->npieces : 1;
	st->part_bytes = bytes / st->nparts;
	st->parts = g_new0(struct part, st->nparts);
	return 0;
}

static void legacy_close(struct dma_object *obj)
{
	struct legacy_state *st = obj->state;

	g_free(st->parts);
	st->parts = NULL;
}

static int map_list(struct dma_object *obj, struct part *part, const struct phys_vec *vec, unsigned n)
{
	int err = vectors_map_list(obj, &part->table, vec, n);

	if (err)
		return err;
	if (part->table.sgl->dma_flags & SG_DMA_BUS_ADDRESS)
		dmabuf_object(obj)->st->bus_address++;
	else
		dmabuf_object(obj)->st->lists++;
	return 0;
}

static void unmap_resources(struct dma_object *obj, struct part *part)
{
	uint64_t bytes = part->n * (sizeof(*part->addr) + sizeof(*part->len));

	for (unsigned i = 0; i < part->n; i++)
		if (part->addr[i] != DMA_MAPPING_ERROR)
			dma_unmap_resource(obj->dev, part->addr[i], part->len[i], obj->dir, obj->attrs);
	ledger_release(&obj->dev->sim->ledger, LEDGER_DRIVER_DMA_ADDRESSES, bytes);
	g_free(part->addr);
	g_free(part->len);
	*part = (struct part){0};
}

static int map_resources(struct dma_object *obj, struct part *part, const struct phys_vec *vec, unsigned n)
{
	bool failed = false;

	part->addr = g_new(dma_addr_t, n);
	part->len = g_new(uint32_t, n);
	part->n = n;
	ledger_charge(&obj->dev->sim->ledger, LEDGER_DRIVER_DMA_ADDRESSES,
		      n * (sizeof(*part->addr) + sizeof(*part->len)));
	for (unsigned i = 0; i < n; i++) {
		part->len[i] = vec[i].len;
		part->addr[i] = failed ? DMA_MAPPING_ERROR
				       : dma_map_resource(obj->dev, vec[i].paddr, vec[i].len, obj->dir,
							  obj->attrs);
		failed = failed || part->addr[i] == DMA_MAPPING_ERROR;
	}
	if (failed) {
		unmap_resources(obj, part);
		return -EIO;
	}
	for (unsigned i = 0; i < n; i++)
		dma_object_add(obj, part->addr[i], part->len[i]);
	dmabuf_object(obj)->st->singles++;
	return 0;
}

static int legacy_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct legacy_state *st = obj->state;
	struct part *part = &st->parts[offset / st->part_bytes];

	if (dmabuf_has_pages(dmabuf_object(obj)->p->kind))
		return map_list(obj, part, vec, n);
	return map_resources(obj, part, vec, n);
}

static void legacy_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct legacy_state *st = obj->state;
	struct part *part = &st->parts[offset / st->part_bytes];

	(void)len;
	if (!part->table.sgl) {
		unmap_resources(obj, part);
		return;
	}
	vectors_unmap_list(obj, &part->table);
}

const struct driver_path dmabuf_legacy_path = {
    .state_size = sizeof(struct legacy_state),
    .open = legacy_open,
    .map = legacy_map,
    .unmap = legacy_unmap,
    .close = legacy_close,
};
