/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Four kinds of memory through every mapping entry point: what is accepted, how it is mapped, what is
 * refused and why. One row per pair, as numbers (docs/memory-kinds.md explains the codes).
 */
#include "dmabuf.h"

#include <string.h>

enum entry {
	ENTRY_MAP_PAGE,
	ENTRY_MAP_SG,
	ENTRY_MAP_RESOURCE,
	ENTRY_MAP_PHYS,
	ENTRY_MAP_PHYS_MMIO,
	ENTRY_LINK,
	ENTRY_LINK_MMIO,
	ENTRIES
};

/* Why a row is as it is. */
enum reason {
	REASON_OK,
	REASON_NO_PAGE,     /* the entry point takes struct pages, the memory has none */
	REASON_NO_ROUTE,    /* no way between the two functions */
	REASON_BOUNCE,      /* device memory cannot bounce, and bouncing is forced */
	REASON_MISSING,     /* this kernel has no such entry point */
	REASON_DIRECT,      /* no IOVA range: the device is not behind a translating IOMMU */
	REASON_UNREACHABLE, /* out of the device's mask */
	REASON_CACHEABLE,   /* accepted, but device memory was mapped cacheable */
	REASON_NO_TOPOLOGY, /* accepted, but nobody looked whether the route exists */
};

const char *const dmabuf_matrix_columns[DMABUF_MATRIX_COLUMNS] = {
    "kind", "entry", "errno", "reason", "iova_allocs", "page_table_maps", "bus_address", "cacheable_pages",
};

unsigned dmabuf_matrix_entries(void)
{
	return ENTRIES;
}

unsigned dmabuf_matrix_rows(void)
{
	return ENTRIES * (DMABUF_RESOURCE + 1);
}

struct attempt {
	struct device *dev;
	phys_addr_t phys;
	size_t len;
	unsigned long attrs;
	bool bus;
};

static int try_single(struct attempt *a, enum entry entry)
{
	dma_addr_t addr;

	switch (entry) {
	case ENTRY_MAP_PAGE:
		addr = dma_map_page_attrs(a->dev, a->phys, 0, a->len, DMA_BIDIRECTIONAL, 0);
		break;
	case ENTRY_MAP_RESOURCE:
		addr = dma_map_resource(a->dev, a->phys, a->len, DMA_BIDIRECTIONAL, 0);
		break;
	default:
		addr = dma_map_phys(a->dev, a->phys, a->len, DMA_BIDIRECTIONAL, a->attrs);
	}
	if (addr == DMA_MAPPING_ERROR)
		return -EIO;
	if (entry == ENTRY_MAP_PAGE)
		dma_unmap_page_attrs(a->dev, addr, a->len, DMA_BIDIRECTIONAL, 0);
	else if (entry == ENTRY_MAP_RESOURCE)
		dma_unmap_resource(a->dev, addr, a->len, DMA_BIDIRECTIONAL, 0);
	else
		dma_unmap_phys(a->dev, addr, a->len, DMA_BIDIRECTIONAL, a->attrs);
	return 0;
}

static int try_list(struct attempt *a)
{
	struct scatterlist sg;
	struct sg_table table = {&sg, 1, 1};
	int err;

	sg_init_table(&sg, 1);
	sg_set_phys(&sg, a->phys, (uint32_t)a->len);
	err = dma_map_sgtable(a->dev, &table, DMA_BIDIRECTIONAL, 0);
	if (err)
		return err;
	a->bus = sg.dma_flags & SG_DMA_BUS_ADDRESS;
	dma_unmap_sgtable(a->dev, &table, DMA_BIDIRECTIONAL, 0);
	return 0;
}

static int try_link(struct attempt *a)
{
	struct dma_iova_state st;
	int err;

	if (!dma_iova_try_alloc(a->dev, &st, a->phys, a->len))
		return -EOPNOTSUPP;
	err = dma_iova_link(a->dev, &st, a->phys, 0, a->len, DMA_BIDIRECTIONAL, a->attrs);
	if (!err)
		err = dma_iova_sync(a->dev, &st, 0, a->len);
	dma_iova_destroy(a->dev, &st, err ? 0 : a->len, DMA_BIDIRECTIONAL, a->attrs);
	return err;
}

/* What the caller of a physical-address entry point does first: ask for the route (7.0). */
static bool routed(struct attempt *a, struct p2pdma_provider *provider, int *err)
{
	if (!provider)
		return false;
	switch (pci_p2pdma_map_type(provider, a->dev)) {
	case PCI_P2PDMA_MAP_BUS_ADDR:
		a->bus = true;
		*err = 0;
		return true;
	case PCI_P2PDMA_MAP_THRU_HOST_BRIDGE:
		return false;
	default:
		pcie_refuse_peer(provider->owner, a->dev->pci);
		*err = -EREMOTEIO;
		return true;
	}
}

static int attempt(struct attempt *a, int kind, enum entry entry, struct p2pdma_provider *provider)
{
	const struct kernel_profile *k = dma_kernel(a->dev);
	bool takes_pages = entry == ENTRY_MAP_PAGE || entry == ENTRY_MAP_SG;
	int err;

	if (takes_pages && !dmabuf_has_pages(kind))
		return -EINVAL;
	if ((entry == ENTRY_MAP_PHYS || entry == ENTRY_MAP_PHYS_MMIO) && !k->has_map_phys)
		return -ENOSYS;
	if ((entry == ENTRY_LINK || entry == ENTRY_LINK_MMIO) && !k->has_iova_api)
		return -ENOSYS;
	if (entry == ENTRY_MAP_SG)
		return try_list(a);
	if (entry >= ENTRY_MAP_PHYS && routed(a, provider, &err))
		return err;
	return entry >= ENTRY_LINK ? try_link(a) : try_single(a, entry);
}

static enum reason explain(const struct attempt *a, int kind, enum entry entry, int err, bool cacheable,
			   const struct p2pdma_provider *provider)
{
	bool mmio = entry == ENTRY_MAP_RESOURCE || (a->attrs & DMA_ATTR_MMIO);

	switch (err) {
	case 0:
		if (cacheable)
			return REASON_CACHEABLE;
		/* Only lists and callers of the physical-address functions ask for the route. */
		return provider && (entry == ENTRY_MAP_PAGE || entry == ENTRY_MAP_RESOURCE)
			   ? REASON_NO_TOPOLOGY
			   : REASON_OK;
	case -EINVAL:
		return REASON_NO_PAGE;
	case -ENOSYS:
		return REASON_MISSING;
	case -EREMOTEIO:
		return REASON_NO_ROUTE;
	case -EOPNOTSUPP:
		return REASON_DIRECT;
	default:
		return !a->dev->use_dma_iommu && kind != DMABUF_DRAM && mmio ? REASON_BOUNCE
									     : REASON_UNREACHABLE;
	}
}

void dmabuf_matrix_row(struct machine *m, struct device *dev, int kind, unsigned entry, phys_addr_t phys,
		       size_t len, struct p2pdma_provider *provider, double *row)
{
	const struct dma_stats *st = &m->dma_stats;
	uint64_t allocs = st->iova_allocs, maps = st->iommu_map_ops, cacheable = st->cacheable_mmio_pages;
	struct attempt a = {.dev = dev, .phys = phys, .len = len};
	int err;

	if (entry == ENTRY_MAP_PHYS_MMIO || entry == ENTRY_LINK_MMIO)
		a.attrs = DMA_ATTR_MMIO;
	err = attempt(&a, kind, (enum entry)entry, provider);
	cacheable = st->cacheable_mmio_pages - cacheable;
	*row++ = kind;
	*row++ = entry;
	*row++ = -err;
	*row++ = explain(&a, kind, (enum entry)entry, err, cacheable != 0, provider);
	*row++ = (double)(st->iova_allocs - allocs);
	*row++ = (double)(st->iommu_map_ops - maps);
	*row++ = a.bus;
	*row++ = (double)cacheable;
}
