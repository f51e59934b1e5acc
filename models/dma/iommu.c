/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic IOMMU layer: map, unmap and the gather (drivers/iommu/iommu.c). Until 6.19 the driver is
 * called once per run of equal pages; since 7.0 it takes the whole range at once.
 */
#include "iommu.h"

static void indirect_call(struct iommu_domain *d)
{
	d->l->st->indirect_calls++;
	cpu_charge(sim_cpu(d->l->sim), COST_INDIRECT_CALL);
}

void iommu_release_tables(struct iommu_domain *d, struct pgtable_list *l)
{
	if (G_LIKELY(pgtable_list_empty(l)))
		return;
	d->l->st->table_pages_freed += l->count;
	pgtable_release(d->pt, l);
}

/* ---- map ---- */

/* Whether the driver is called once: for any range since 7.0, and for what is one page. */
static inline bool one_call(const struct iommu_domain *d, uint64_t addr_merge, size_t size)
{
	return d->l->kernel->map_range ||
	       (size == PAGE_SIZE && d->pgsize_bitmap & PAGE_SIZE && !(addr_merge & ~PAGE_MASK));
}

static int map_chunks(struct iommu_domain *d, dma_addr_t iova, phys_addr_t phys, size_t size, unsigned prot,
		      size_t *mapped)
{
	uint64_t min_page = d->pgsize_bitmap & -d->pgsize_bitmap;
	int ret = 0;

	if ((iova | phys | size) & (min_page - 1))
		return -EINVAL;
	while (*mapped < size && !ret) {
		size_t count, pgsize = iommu_pgsize(d->pgsize_bitmap, iova + *mapped, phys + *mapped,
						    size - *mapped, &count);
		dma_addr_t at = iova + *mapped;
		phys_addr_t pa = phys + *mapped;

		indirect_call(d);
		ret = d->ops->map_pages(d, at, pa, pgsize, count, prot, mapped);
	}
	return ret;
}

int iommu_map_nosync(struct iommu_domain *d, dma_addr_t iova, phys_addr_t phys, size_t size, unsigned prot)
{
	const struct dma_observer *o = d->l->observer;
	struct dma_stats *st = d->l->st;
	const struct kernel_profile *k = d->l->kernel;
	size_t mapped = 0;
	int ret;

	st->iommu_map_ops++;
	hist_add(st->map_size, size, 1);
	if (G_UNLIKELY(o) && o->map && k->map_untraced)
		o->map(o->arg, d->dev, iova, phys, size);
	if (k->map_range && G_UNLIKELY((iova | phys | size) & ~PAGE_MASK)) {
		ret = -ENXIO;
	} else if (one_call(d, iova | phys, size)) {
		indirect_call(d);
		ret = d->ops->map_pages(d, iova, phys, PAGE_SIZE, size >> PAGE_SHIFT, prot, &mapped);
	} else {
		ret = map_chunks(d, iova, phys, size, prot, &mapped);
	}
	if (G_UNLIKELY(ret)) {
		if (mapped)
			iommu_unmap(d, iova, mapped);
		return ret;
	}
	st->iommu_map_bytes += size;
	/* Policy: nothing may treat device memory as cacheable. */
	if ((prot & IOMMU_CACHE) && G_UNLIKELY(memory_kind(d->l->mem, phys) != MEMORY_RAM)) {
		enum memory_kind kind = memory_kind(d->l->mem, phys);

		if (kind == MEMORY_P2P || kind == MEMORY_MMIO)
			st->cacheable_mmio_pages += size >> PAGE_SHIFT;
	}
	if (G_UNLIKELY(o) && o->map && !k->map_untraced)
		o->map(o->arg, d->dev, iova, phys, size);
	return 0;
}

int iommu_sync_map(struct iommu_domain *d, dma_addr_t iova, size_t size)
{
	d->l->st->sync_maps++;
	indirect_call(d);
	if (G_UNLIKELY(d->iotlb_sync_map))
		d->ops->iotlb_sync_map(d, iova, size);
	return 0;
}

int iommu_map(struct iommu_domain *d, dma_addr_t iova, phys_addr_t phys, size_t size, unsigned prot)
{
	int ret = iommu_map_nosync(d, iova, phys, size, prot);

	return ret ? ret : iommu_sync_map(d, iova, size);
}

int64_t iommu_map_sg(struct iommu_domain *d, dma_addr_t iova, struct scatterlist *sg, unsigned nents,
		     unsigned prot)
{
	phys_addr_t start = 0;
	size_t len = 0, mapped = 0;
	int ret = 0;

	for (unsigned i = 0; i <= nents; i++) {
		phys_addr_t phys = i < nents ? sg_phys(sg) : 0;
		bool bus = i < nents && sg->dma_flags & SG_DMA_BUS_ADDRESS;

		if (len && (i == nents || (!bus && phys != start + len))) {
			ret = iommu_map_nosync(d, iova + mapped, start, len, prot);
			if (ret)
				break;
			mapped += len;
			len = 0;
		}
		if (i == nents)
			break;
		if (!bus) {
			if (!len)
				start = phys;
			len += sg->length;
		}
		sg = sg_next(sg);
	}
	if (!ret)
		ret = iommu_sync_map(d, iova, mapped);
	if (ret) {
		if (mapped)
			iommu_unmap(d, iova, mapped);
		return ret;
	}
	return (int64_t)mapped;
}

/* ---- unmap ---- */

static size_t driver_unmap(struct iommu_domain *d, dma_addr_t iova, size_t pgsize, size_t count,
			   struct iommu_iotlb_gather *g)
{
	indirect_call(d);
	return d->ops->unmap_pages(d, iova, pgsize, count, g);
}

static size_t unmap_chunks(struct iommu_domain *d, dma_addr_t iova, size_t size, struct iommu_iotlb_gather *g)
{
	size_t unmapped = 0;

	while (unmapped < size) {
		size_t count, done;
		size_t pgsize = iommu_pgsize(d->pgsize_bitmap, iova + unmapped, iova + unmapped,
					     size - unmapped, &count);

		done = driver_unmap(d, iova + unmapped, pgsize, count, g);
		if (!done)
			break;
		if (!d->l->kernel->generic_pt && !g->queued)
			iommu_iotlb_gather_add_page(d, g, iova + unmapped, done);
		unmapped += done;
	}
	return unmapped;
}

size_t iommu_unmap_fast(struct iommu_domain *d, dma_addr_t iova, size_t size, struct iommu_iotlb_gather *g)
{
	const struct dma_observer *o = d->l->observer;
	struct dma_stats *st = d->l->st;
	size_t unmapped;

	st->iommu_unmap_ops++;
	if (one_call(d, iova, size)) {
		unmapped = driver_unmap(d, iova, PAGE_SIZE, size >> PAGE_SHIFT, g);
		if (!d->l->kernel->generic_pt && !g->queued && unmapped)
			iommu_iotlb_gather_add_page(d, g, iova, unmapped);
	} else {
		unmapped = unmap_chunks(d, iova, size, g);
	}
	/* The old drivers flush in between where the page size changes, the generic table never does. */
	if (d->l->kernel->generic_pt && !g->queued && unmapped)
		iommu_iotlb_gather_add_range(g, iova, unmapped);
	st->iommu_unmap_bytes += unmapped;
	hist_add(st->unmap_size, unmapped, 1);
	if (G_UNLIKELY(o) && o->unmap)
		o->unmap(o->arg, d->dev, iova, size, unmapped);
	return unmapped;
}

size_t iommu_unmap(struct iommu_domain *d, dma_addr_t iova, size_t size)
{
	struct iommu_iotlb_gather g = IOMMU_IOTLB_GATHER_INIT;
	size_t unmapped = iommu_unmap_fast(d, iova, size, &g);

	iommu_iotlb_sync(d, &g);
	return unmapped;
}

phys_addr_t iommu_iova_to_phys(struct iommu_domain *d, dma_addr_t iova)
{
	d->l->st->walks_software++;
	indirect_call(d);
	cpu_charge(sim_cpu(d->l->sim), COST_PT_LOOKUP);
	return pgtable_iova_to_phys(d->pt, iova, NULL);
}

/* ---- gather ---- */

void iommu_iotlb_gather_add_range(struct iommu_iotlb_gather *g, dma_addr_t iova, size_t size)
{
	dma_addr_t end = iova + size - 1;

	if (g->start > iova)
		g->start = iova;
	if (g->end < end)
		g->end = end;
}

static bool gather_is_disjoint(const struct iommu_iotlb_gather *g, dma_addr_t iova, size_t size)
{
	dma_addr_t end = iova + size - 1;

	return g->end != 0 && (end + 1 < g->start || iova > g->end + 1);
}

void iommu_iotlb_gather_add_page(struct iommu_domain *d, struct iommu_iotlb_gather *g, dma_addr_t iova,
				 size_t size)
{
	if ((g->pgsize && g->pgsize != size) || gather_is_disjoint(g, iova, size))
		iommu_iotlb_sync(d, g);
	g->pgsize = size;
	iommu_iotlb_gather_add_range(g, iova, size);
}

void iommu_iotlb_sync(struct iommu_domain *d, struct iommu_iotlb_gather *g)
{
	if (g->start < g->end) {
		d->l->st->iotlb_syncs++;
		indirect_call(d);
		d->ops->iotlb_sync(d, g);
		iommu_release_tables(d, &g->freelist);
	}
	*g = IOMMU_IOTLB_GATHER_INIT;
}

void iommu_flush_iotlb_all(struct iommu_domain *d)
{
	d->l->st->flush_all++;
	indirect_call(d);
	d->ops->flush_iotlb_all(d);
}

/* ---- page sizes ---- */

size_t iommu_pgsize(uint64_t bitmap, dma_addr_t iova, phys_addr_t phys, size_t size, size_t *count)
{
	uint64_t addr_merge = iova | phys, usable, larger, pgsize, next, to_next;
	unsigned lg2;

	/* Most calls: one page. What is larger than it cannot be used. */
	if (size == PAGE_SIZE && bitmap & PAGE_SIZE && !(addr_merge & ~PAGE_MASK)) {
		*count = 1;
		return PAGE_SIZE;
	}
	usable = bitmap & (~0ull >> __builtin_clzll(size));
	if (addr_merge)
		usable &= (addr_merge & -addr_merge) * 2 - 1;
	g_assert(usable);
	lg2 = 63 - (unsigned)__builtin_clzll(usable);
	pgsize = 1ull << lg2;
	*count = size >> lg2;
	larger = bitmap & ~(pgsize * 2 - 1);
	if (!larger)
		return pgsize;
	next = larger & -larger;
	if ((iova ^ phys) & (next - 1))
		return pgsize;
	to_next = next - (addr_merge & (next - 1));
	if (to_next + next <= size)
		*count = to_next >> lg2;
	return pgsize;
}
