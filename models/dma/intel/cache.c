/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a range to descriptors: what is submitted to the unit, and to the device's own cache
 * (drivers/iommu/intel/cache.c). Intel VT-d architecture specification rev 4.1: 6.5.2.
 */
#include "internal.h"

unsigned calculate_psi_aligned_address(dma_addr_t start, dma_addr_t end, dma_addr_t *base)
{
	uint64_t first = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	unsigned order;

	if (first == last) {
		*base = start & PAGE_MASK;
		return 0;
	}
	order = order_base_2(last - first + 1);
	if (first & ((1ull << order) - 1)) {
		uint64_t shared = ~(first ^ last) & ~((1ull << order) - 1);

		order = shared ? (unsigned)__builtin_ctzll(shared) : MAX_AGAW_PFN_WIDTH;
	}
	if (order > MAX_AGAW_PFN_WIDTH)
		order = MAX_AGAW_PFN_WIDTH;
	*base = order >= MAX_AGAW_PFN_WIDTH ? 0 : align_down(start, PAGE_SIZE << order);
	return order;
}

static bool drains(const struct intel_iommu *iommu)
{
	return iommu->caps.drain_read || iommu->caps.drain_write;
}

struct qi_desc intel_domain_desc(const struct intel_iommu *iommu, const struct dmar_domain *d)
{
	if (d->first_stage)
		return qi_desc_piotlb(d->domain.did, 0, QI_PIOTLB_PASID, 0, 0, false);
	return qi_desc_iotlb(d->domain.did, QI_DOMAIN, 0, 0, false, drains(iommu));
}

static struct qi_desc range_desc(const struct intel_iommu *iommu, const struct dmar_domain *d,
				 dma_addr_t start, dma_addr_t base, unsigned order, bool ih)
{
	const struct vtd_caps *caps = &iommu->caps;

	/* What 6.1 loses on the way into the queue arrives in the register. */
	ih = ih && (iommu->iommu.l->kernel->ih_hint || !caps->queued);
	if (order >= MAX_AGAW_PFN_WIDTH)
		return intel_domain_desc(iommu, d);
	if (d->first_stage)
		return qi_desc_piotlb(d->domain.did, 0, QI_PIOTLB_PAGE, base, order, ih);
	if (!caps->psi || order > caps->mamv)
		return intel_domain_desc(iommu, d);
	if (!iommu->iommu.l->kernel->psi_aligns_base)
		base = start & PAGE_MASK;
	return qi_desc_iotlb(d->domain.did, QI_PAGE, base, order, ih, drains(iommu));
}

struct qi_desc intel_device_desc(const struct intel_iommu *iommu, uint16_t sid, dma_addr_t base,
				 unsigned order)
{
	uint16_t pfsid = iommu->caps.invalidation_throttle ? sid : 0;

	return qi_desc_device_tlb(sid, pfsid, DEV_TLB_QUEUE_DEPTH, base, order);
}

/* What one block needs: on the unit and, if asked for, in the device's own cache. */
static void submit(struct iommu_domain *d, dma_addr_t start, dma_addr_t base, unsigned order, bool leaf_only,
		   bool device)
{
	struct intel_iommu *iommu = to_intel(d->iommu);
	const struct dmar_domain *dmar = to_dmar_domain(d);
	uint16_t sid = d->dev->pci->sid;
	struct qi_batch batch;

	batch.count = 0;
	qi_batch_add(iommu, &batch, range_desc(iommu, dmar, start, base, order, leaf_only));
	if (G_UNLIKELY(dmar->ats) && device)
		qi_batch_add(iommu, &batch, intel_device_desc(iommu, sid, base, order));
	qi_batch_flush(iommu, &batch);
}

/*
 * Since 6.10 the list of cache tags is walked under the domain's lock, which is kept until the descriptors
 * have been awaited (drivers/iommu/intel/cache.c, cache_tag_flush_range): one flush per domain at a time.
 */
static void lock_tags(struct iommu_domain *d)
{
	if (d->l->kernel->cache_tags)
		spin_lock(sim_cpu(d->l->sim), &to_dmar_domain(d)->cache_lock);
}

static void unlock_tags(struct iommu_domain *d)
{
	if (d->l->kernel->cache_tags)
		spin_unlock(sim_cpu(d->l->sim), &to_dmar_domain(d)->cache_lock);
}

/* Each tag of the domain is told before anything is submitted: the unit's, then the device's. */
static void observe_tags(struct iommu_domain *d, dma_addr_t start, dma_addr_t end, dma_addr_t base,
			 unsigned order)
{
	const struct dma_observer *o = d->l->observer;

	if (G_LIKELY(!o) || !o->cache_tag_flush)
		return;
	o->cache_tag_flush(o->arg, d->did, start, end, base, order, false);
	if (to_dmar_domain(d)->ats)
		o->cache_tag_flush(o->arg, d->did, start, end, base, order, true);
}

void cache_tag_flush_range(struct iommu_domain *d, dma_addr_t start, dma_addr_t end, bool leaf_only)
{
	dma_addr_t base;
	unsigned order = calculate_psi_aligned_address(start, end, &base);

	observe_tags(d, start, end, base, order);
	lock_tags(d);
	submit(d, start, base, order, leaf_only, true);
	unlock_tags(d);
}

/* Before the tags a unit in caching mode, which is a virtual one, was not told to flush devices with all. */
void cache_tag_flush_all(struct iommu_domain *d)
{
	bool device = d->l->kernel->cache_tags || !to_intel(d->iommu)->caps.caching_mode;

	observe_tags(d, 0, UINT64_MAX, 0, MAX_AGAW_PFN_WIDTH);
	lock_tags(d);
	submit(d, 0, 0, MAX_AGAW_PFN_WIDTH, false, device);
	unlock_tags(d);
}

void cache_tag_flush_range_np(struct iommu_domain *d, dma_addr_t start, dma_addr_t end)
{
	const struct dma_observer *o = d->l->observer;
	dma_addr_t base;
	unsigned order = calculate_psi_aligned_address(start, end, &base);

	if (G_UNLIKELY(o) && o->cache_tag_flush_np) {
		o->cache_tag_flush_np(o->arg, d->did, start, end, base, order, false);
		if (to_dmar_domain(d)->ats)
			o->cache_tag_flush_np(o->arg, d->did, start, end, base, order, true);
	}
	lock_tags(d);
	submit(d, start, base, order, false, false);
	unlock_tags(d);
}
