/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver's work on the table of a domain, and what it costs the CPU: differences of the table's own
 * counters, charged per call, per entry and per level. Shared by the drivers.
 */
#ifndef DMASIM_IO_PGTABLE_H
#define DMASIM_IO_PGTABLE_H

#include "iommu.h"

struct pgtable_work {
	uint64_t entries, large, tables, visited, levels;
};
struct pgtable_work pgtable_work_now(const struct iommu_domain *d, bool map);
struct pgtable_work pgtable_work_since(const struct iommu_domain *d, const struct pgtable_work *before,
				       bool map);
void charge_map_work(struct iommu_domain *d, const struct pgtable_work *w);

/* One call of the table code, charged. *mapped grows by what was done, also on error; g: what gave way. */
int io_pgtable_map(struct iommu_domain *d, dma_addr_t iova, phys_addr_t phys, size_t size, unsigned prot,
		   size_t *mapped, struct pgtable_gather *g);
/* Bytes unmapped; detached tables go to the gather's list. */
size_t io_pgtable_unmap(struct iommu_domain *d, dma_addr_t iova, size_t size, struct iommu_iotlb_gather *g);

#endif
