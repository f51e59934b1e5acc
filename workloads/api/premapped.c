/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A strategy of one's own in one file (docs/adding-an-api.md): every page is mapped when a device first
 * sees it and stays mapped until the driver goes away. A request then costs a look-up per page and no
 * IOTLB invalidation; the price is that the device can reach every buffer it ever used. (The idea behind
 * io_uring's registered buffers with pre-mapped DMA addresses, Keith Busch's series of 2022.)
 */
#include "sim/cpu.h"
#include "machine/machine.h"

#include <dmasim/workload.h>

/* Registrations, a leaf for each 2 MiB of physical memory that holds a registered page. */
#define LEAF_SHIFT 9
#define LEAF_PAGES (1u << LEAF_SHIFT)
/* One page in the driver's table: DMA address and physical address. */
#define REGISTRATION_BYTES 16u

struct leaf {
	dma_addr_t dma[LEAF_PAGES]; /* DMA_MAPPING_ERROR: not registered */
};

struct premapped {
	struct device *dev;
	struct leaf **leaves;
	uint64_t nleaves, pages;
};

static void *premapped_new(struct machine *m, struct device *dev)
{
	struct premapped *p = g_new0(struct premapped, 1);

	(void)m;
	p->dev = dev;
	return p;
}

/* Unmap everything, as the driver's remove function would. */
static void premapped_free(void *instance)
{
	struct premapped *p = instance;

	for (uint64_t i = 0; i < p->nleaves; i++) {
		for (unsigned k = 0; p->leaves[i] && k < LEAF_PAGES; k++) {
			if (p->leaves[i]->dma[k] != DMA_MAPPING_ERROR)
				dma_unmap_page(p->dev, p->leaves[i]->dma[k], PAGE_SIZE, DMA_BIDIRECTIONAL);
		}
		g_free(p->leaves[i]);
	}
	ledger_release(&p->dev->sim->ledger, LEDGER_DRIVER_REGISTRATIONS, p->pages * REGISTRATION_BYTES);
	g_free(p->leaves);
	g_free(p);
}

static dma_addr_t *slot(struct premapped *p, phys_addr_t page)
{
	uint64_t pfn = page >> PAGE_SHIFT, i = pfn >> LEAF_SHIFT;

	if (i >= p->nleaves) {
		uint64_t n = MAX(i + 1, 2 * p->nleaves);

		p->leaves = g_renew(struct leaf *, p->leaves, n);
		for (uint64_t k = p->nleaves; k < n; k++)
			p->leaves[k] = NULL;
		p->nleaves = n;
	}
	if (!p->leaves[i]) {
		p->leaves[i] = g_new(struct leaf, 1);
		for (unsigned k = 0; k < LEAF_PAGES; k++)
			p->leaves[i]->dma[k] = DMA_MAPPING_ERROR;
	}
	return &p->leaves[i]->dma[pfn & (LEAF_PAGES - 1)];
}

/* DMA address of the byte at phys; registers its page if it is new. */
static dma_addr_t lookup(struct premapped *p, phys_addr_t phys)
{
	dma_addr_t *dma = slot(p, phys);

	cpu_charge(p->dev->sim->cpu, COST_SG_SEGMENT); /* one step of a pass over the buffer's pages */
	if (*dma == DMA_MAPPING_ERROR) {
		*dma = dma_map_page(p->dev, phys & PAGE_MASK, 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
		if (dma_mapping_error(p->dev, *dma))
			return DMA_MAPPING_ERROR;
		p->pages++;
		ledger_charge(&p->dev->sim->ledger, LEDGER_DRIVER_REGISTRATIONS, REGISTRATION_BYTES);
	}
	return *dma + (phys & ~PAGE_MASK);
}

static int premapped_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	unsigned before = obj->nsegs;

	(void)offset;
	for (unsigned i = 0; i < n; i++) {
		for (uint32_t at = 0, len; at < vec[i].len; at += len) {
			phys_addr_t phys = vec[i].paddr + at;
			dma_addr_t dma = lookup(obj->instance, phys);

			len = (uint32_t)MIN(vec[i].len - at, PAGE_SIZE - (phys & ~PAGE_MASK));
			if (dma == DMA_MAPPING_ERROR || !dma_object_add(obj, dma, len)) {
				obj->nsegs = before;
				return -ENOMEM;
			}
			if (dma_need_sync(obj->dev, dma))
				dma_sync_single_for_device(obj->dev, dma, len, obj->dir);
		}
	}
	return 0;
}

/* The mapping stays; a bounce buffer's contents have to reach the application. */
static void premapped_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	(void)offset;
	(void)len;
	for (unsigned i = 0; i < obj->nsegs; i++) {
		if (dma_need_sync(obj->dev, obj->segs[i].addr))
			dma_sync_single_for_cpu(obj->dev, obj->segs[i].addr, obj->segs[i].len, obj->dir);
	}
}

static const struct driver_path premapped_path = {
    .map = premapped_map,
    .unmap = premapped_unmap,
};

const struct dma_api dma_api_premapped = {
    .name = "premapped",
    .help = "every page mapped at first use and kept mapped until the driver goes away",
    .shipped = KERNEL_7_0,
    .generic = &premapped_path,
    .instance_new = premapped_new,
    .instance_free = premapped_free,
};
