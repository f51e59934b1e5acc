/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Intel driver (drivers/iommu/intel): its side of a unit, of a domain, and the seams of its files. */
#ifndef DMASIM_INTEL_INTERNAL_H
#define DMASIM_INTEL_INTERNAL_H

#include "models/dma/iommu.h"
#include "models/vtd/vtd.h"

#define QI_BATCH_MAX 16u
#define DEV_TLB_QUEUE_DEPTH 0u /* encodes 32 */

struct qi_outstanding {
	sim_time_t done;
	unsigned count;
};

/* The driver's side of one unit; a machine has one or, by its DMAR table, several. */
struct intel_iommu {
	struct iommu_device iommu;
	struct vtd_unit *unit;
	struct vtd_caps caps;
	struct spinlock qi_lock;
	phys_addr_t status; /* one 32-bit word per ring slot */
	unsigned status_order;
	unsigned last_slot; /* of the ring, a power of two long; drivers/iommu/intel/dmar.c has 256 */
	unsigned free_head, free_count;
	/* Submissions whose wait has not been reclaimed, oldest first. */
	struct qi_outstanding *outstanding; /* as many as ring slots */
	unsigned oldest, noutstanding;
	unsigned next_did;
};

static inline struct intel_iommu *to_intel(struct iommu_device *iommu)
{
	return container_of(iommu, struct intel_iommu, iommu);
}

/* A domain of this driver. */
struct dmar_domain {
	struct iommu_domain domain;
	struct spinlock cache_lock; /* kernels with cache tags: held while a flush is submitted and awaited */
	bool first_stage;
	bool ats; /* its device has a device TLB */
};

static inline struct dmar_domain *to_dmar_domain(struct iommu_domain *d)
{
	return container_of(d, struct dmar_domain, domain);
}

/* ---- dmar.c: the invalidation queue ---- */

/* 0 or -ENOMEM. */
int dmar_enable_qi(struct intel_iommu *iommu);
void dmar_disable_qi(struct intel_iommu *iommu);

/* Descriptors of one submission, built where the unit reads them; the wait goes behind them. */
struct qi_batch {
	unsigned count;
	struct qi_desc desc[QI_BATCH_MAX + 1];
};
/* Submit the batch and one trailing wait, and spin until it has completed. */
void qi_submit_sync(struct intel_iommu *iommu, struct qi_batch *b);
void qi_submit_one(struct intel_iommu *iommu, struct qi_desc desc);

/* Field by field: a copy of the whole reads pairs of fields that are still on their way to memory. */
static inline void qi_put(struct qi_batch *b, unsigned at, struct qi_desc desc)
{
	b->desc[at].qw0 = desc.qw0;
	b->desc[at].qw1 = desc.qw1;
	b->desc[at].qw2 = desc.qw2;
	b->desc[at].qw3 = desc.qw3;
}

/* Submits the batch as soon as it is as long as this kernel makes them. */
static inline void qi_batch_add(struct intel_iommu *iommu, struct qi_batch *b, struct qi_desc desc)
{
	qi_put(b, b->count++, desc);
	if (b->count == iommu->iommu.l->kernel->qi_batch || !iommu->caps.queued)
		qi_submit_sync(iommu, b);
}

static inline void qi_batch_flush(struct intel_iommu *iommu, struct qi_batch *b)
{
	if (b->count)
		qi_submit_sync(iommu, b);
}

/* ---- cache.c: which descriptors a change needs ---- */

/* Invalidate [start, end]; leaf_only: no table page was detached. */
void cache_tag_flush_range(struct iommu_domain *d, dma_addr_t start, dma_addr_t end, bool leaf_only);
void cache_tag_flush_all(struct iommu_domain *d);
/* What has been mapped, where the unit may have cached that it was not. */
void cache_tag_flush_range_np(struct iommu_domain *d, dma_addr_t start, dma_addr_t end);
/* The descriptor that drops all translations of the domain. */
/* The physical function is named only where the unit throttles by it (ECAP.DIT). */
struct qi_desc intel_device_desc(const struct intel_iommu *iommu, uint16_t sid, dma_addr_t base,
				 unsigned order);
struct qi_desc intel_domain_desc(const struct intel_iommu *iommu, const struct dmar_domain *d);
/* Smallest aligned power of two of pages that covers [start, end]: its order, its base in *base. */
unsigned calculate_psi_aligned_address(dma_addr_t start, dma_addr_t end, dma_addr_t *base);

/* ---- pages.c: entries in the domain's table ---- */

int intel_map_pages(struct iommu_domain *d, dma_addr_t iova, phys_addr_t phys, size_t pgsize, size_t count,
		    unsigned prot, size_t *mapped);
size_t intel_unmap_pages(struct iommu_domain *d, dma_addr_t iova, size_t pgsize, size_t count,
			 struct iommu_iotlb_gather *g);

#endif
