/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's entries in a domain's table, by the generic page table or by its own code before that
 * (drivers/iommu/generic_pt; drivers/iommu/intel/iommu.c until 6.18).
 */
#include "internal.h"

#include "models/dma/io_pgtable.h"

/* Until the generic page table the driver names the last page of a range by its first byte. */
static dma_addr_t replaced_end(const struct iommu_domain *d, dma_addr_t end)
{
	return d->l->kernel->generic_pt ? end : end & PAGE_MASK;
}

/* A large leaf replaced emptied tables: walk caches may still refer to them. */
static void flush_replaced(struct iommu_domain *d, struct pgtable_gather *g, dma_addr_t end)
{
	cache_tag_flush_range(d, g->start, replaced_end(d, end), false);
	iommu_release_tables(d, &g->tables);
}

/*
 * A run of large pages of the old driver: tables are replaced and flushed leaf by leaf, in 6.12 each
 * flush reaching to the end of the run. The driver walks down twice per table, not per leaf: to write, and
 * before that to look for what it replaces (switch_to_super_page).
 */
static RARE int map_large(struct iommu_domain *d, dma_addr_t iova, phys_addr_t phys, size_t pgsize,
			  size_t count, unsigned prot, size_t *mapped)
{
	dma_addr_t end = iova + pgsize * count - 1;
	struct pgtable_work before = pgtable_work_now(d, true), work;
	uint64_t runs = end / (512 * pgsize) - iova / (512 * pgsize) + 1;
	int ret = 0;

	for (size_t i = 0; i < count && !ret; i++) {
		struct pgtable_gather g = PGTABLE_GATHER_INIT;
		uint64_t done = 0;

		ret = pgtable_map(d->pt, iova + i * pgsize, phys + i * pgsize, pgsize,
				  prot & (IOMMU_READ | IOMMU_WRITE), &done, &g);
		*mapped += done;
		if (!pgtable_list_empty(&g.tables))
			flush_replaced(d, &g, d->l->kernel->replace_flush_to_end ? end : g.end);
	}
	work = pgtable_work_since(d, &before, true);
	work.levels = 2 * runs * work.levels / MAX(work.visited, 1);
	work.visited = MIN(work.visited, runs);
	charge_map_work(d, &work);
	return ret;
}

int intel_map_pages(struct iommu_domain *d, dma_addr_t iova, phys_addr_t phys, size_t pgsize, size_t count,
		    unsigned prot, size_t *mapped)
{
	struct pgtable_gather g = PGTABLE_GATHER_INIT;
	int ret;

	if (pgsize > PAGE_SIZE && !d->l->kernel->generic_pt)
		return map_large(d, iova, phys, pgsize, count, prot, mapped);
	ret = io_pgtable_map(d, iova, phys, pgsize * count, prot, mapped, &g);
	if (G_UNLIKELY(!pgtable_list_empty(&g.tables)))
		flush_replaced(d, &g, g.end);
	return ret;
}

size_t intel_unmap_pages(struct iommu_domain *d, dma_addr_t iova, size_t pgsize, size_t count,
			 struct iommu_iotlb_gather *g)
{
	return io_pgtable_unmap(d, iova, pgsize * count, g);
}
