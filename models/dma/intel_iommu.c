/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Intel driver side of a remapping unit (drivers/iommu/intel/iommu.c, cache.c, dmar.c): domains,
 * attachment, range-to-descriptor rule, queued-invalidation submission.
 * Intel VT-d architecture specification rev 4.1: 6.5.2 (descriptors).
 */
#include "iommu.h"

#define QI_DONE 2u /* status value of a completed wait */
#define QI_BATCH_MAX 16u
#define DEV_TLB_QUEUE_DEPTH 0u /* encodes 32 */
#define FIRST_DOMAIN_ID 2u     /* 0 and 1 are the driver's own */
#define DID_PASSTHROUGH 1u     /* FLPT_DEFAULT_DID: the first that caching-mode units allow */

struct qi_outstanding {
	sim_time_t done;
	unsigned count;
};

/* The driver's side of one unit; a machine has one or, by its DMAR table, several. */
struct intel_iommu {
	struct intel_iommu *next;
	struct dma_layer *l;
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

/* The one of unit, made when its first device comes. NULL when memory is exhausted. */
static struct intel_iommu *intel_iommu_of(struct dma_layer *l, struct vtd_unit *unit)
{
	struct intel_iommu **link = &l->intel, *iommu;

	for (; *link; link = &(*link)->next)
		if ((*link)->unit == unit)
			return *link;
	iommu = g_new0(struct intel_iommu, 1);
	iommu->l = l;
	iommu->unit = unit;
	iommu->caps = *vtd_caps(unit);
	iommu->free_count = vtd_qi_entries(unit);
	iommu->last_slot = iommu->free_count - 1;
	iommu->status_order = order_base_2(div_round_up(4 * iommu->free_count, PAGE_SIZE));
	iommu->next_did = FIRST_DOMAIN_ID;
	dma_lock_init(&iommu->qi_lock, "qi_lock");
	iommu->status = memory_alloc_pages(l->mem, 0, iommu->status_order);
	if (!iommu->status) {
		g_free(iommu);
		return NULL;
	}
	iommu->outstanding = g_new0(struct qi_outstanding, iommu->free_count);
	*link = iommu;
	return iommu;
}

int intel_iommu_init(struct dma_layer *l)
{
	return intel_iommu_of(l, l->unit) ? 0 : -ENOMEM;
}

void intel_iommu_exit(struct dma_layer *l)
{
	while (l->intel) {
		struct intel_iommu *iommu = l->intel;

		l->intel = iommu->next;
		memory_free_pages(l->mem, iommu->status, iommu->status_order);
		g_free(iommu->outstanding);
		g_free(iommu);
	}
}

const struct vtd_caps *intel_iommu_caps(const struct dma_layer *l)
{
	return &l->intel->caps;
}

/* ---- queued invalidation ---- */

static void reclaim(struct intel_iommu *iommu, sim_time_t now)
{
	while (iommu->noutstanding && iommu->outstanding[iommu->oldest].done <= now) {
		iommu->free_count += iommu->outstanding[iommu->oldest].count;
		iommu->oldest = (iommu->oldest + 1) & iommu->last_slot;
		iommu->noutstanding--;
	}
}

/* The caller's descriptors, a wait and one slot that keeps head and tail apart must fit. */
static void wait_for_slots(struct intel_iommu *iommu, struct cpu *cpu, unsigned count)
{
	reclaim(iommu, dma_now(iommu->l));
	while (G_UNLIKELY(iommu->free_count < count + 2)) {
		sim_time_t until = iommu->outstanding[iommu->oldest].done;

		spin_unlock(cpu, &iommu->qi_lock);
		cpu_wait_until(cpu, until);
		spin_lock(cpu, &iommu->qi_lock);
		reclaim(iommu, MAX(until, dma_now(iommu->l)));
	}
}

/*
 * Each look at the status word reads the fault status register and happens under the lock, which is
 * dropped in between. Alone, the CPU sees the status as it arrives; among others, polls and submissions
 * of all CPUs queue for the same lock, so that more CPUs complete less.
 */
static void wait_for_status(struct intel_iommu *iommu, struct cpu *cpu, sim_time_t done)
{
	while (cpu->now < done && iommu->noutstanding > 1 && iommu->l->sim->cost[COST_QI_POLL]) {
		spin_lock(cpu, &iommu->qi_lock);
		if (cpu->now < done)
			cpu_charge(cpu, COST_QI_POLL);
		reclaim(iommu, cpu->now);
		spin_unlock(cpu, &iommu->qi_lock);
	}
	cpu_wait_until(cpu, done);
	spin_lock(cpu, &iommu->qi_lock);
	reclaim(iommu, cpu->now);
	spin_unlock(cpu, &iommu->qi_lock);
}

/* Descriptors of one submission, built where the unit reads them; the wait goes behind them. */
struct qi_batch {
	unsigned count;
	struct qi_desc desc[QI_BATCH_MAX + 1];
};

/* Field by field: a copy of the whole reads pairs of fields that are still on their way to memory. */
static inline void qi_put(struct qi_batch *b, unsigned at, struct qi_desc desc)
{
	b->desc[at].qw0 = desc.qw0;
	b->desc[at].qw1 = desc.qw1;
	b->desc[at].qw2 = desc.qw2;
	b->desc[at].qw3 = desc.qw3;
}

/*
 * Submit the batch and one trailing wait, and spin until it has completed. Without a queue (ECAP.QI clear)
 * the same requests go through the invalidation registers, which take one at a time: the lock is held until
 * it is done. Statistics count them as the descriptors that they equal.
 */
static void qi_submit_sync(struct intel_iommu *iommu, struct qi_batch *b)
{
	const struct dma_observer *o = iommu->l->observer;
	struct cpu *cpu = sim_cpu(iommu->l->sim);
	unsigned count = b->count;
	sim_time_t done;

	spin_lock(cpu, &iommu->qi_lock);
	wait_for_slots(iommu, cpu, count);
	if (G_UNLIKELY(o) && o->qi_submit && iommu->caps.queued)
		for (unsigned i = 0; i < count; i++)
			o->qi_submit(o->arg, &b->desc[i]);
	qi_put(b, count,
	       qi_desc_wait(iommu->status + 4 * ((iommu->free_head + count) & iommu->last_slot), QI_DONE));
	cpu_charge(cpu, COST_QI_SUBMIT);
	if (count > 1)
		cpu_charge_n(cpu, COST_QI_DESCRIPTOR, count - 1);
	cpu_charge(cpu, COST_QI_TAIL_WRITE);
	done = vtd_qi_execute(iommu->unit, b->desc, count + 1, dma_now(iommu->l));
	iommu->free_head = (iommu->free_head + count + 1) & iommu->last_slot;
	iommu->free_count -= count + 1;
	iommu->outstanding[(iommu->oldest + iommu->noutstanding++) & iommu->last_slot] =
	    (struct qi_outstanding){done, count + 1};
	if (G_UNLIKELY(!iommu->caps.queued))
		cpu_wait_until(cpu, done);
	spin_unlock(cpu, &iommu->qi_lock);
	if (iommu->l->sim->timing)
		wait_for_status(iommu, cpu, done);
	b->count = 0;
}

/* Submits the batch as soon as it is as long as this kernel makes them. */
static inline void qi_batch_add(struct intel_iommu *iommu, struct qi_batch *b, struct qi_desc desc)
{
	qi_put(b, b->count++, desc);
	if (b->count == iommu->l->kernel->qi_batch || !iommu->caps.queued)
		qi_submit_sync(iommu, b);
}

static inline void qi_batch_flush(struct intel_iommu *iommu, struct qi_batch *b)
{
	if (b->count)
		qi_submit_sync(iommu, b);
}

static void qi_submit_one(struct intel_iommu *iommu, struct qi_desc desc)
{
	struct qi_batch b;

	b.count = 0;
	qi_batch_add(iommu, &b, desc);
	qi_batch_flush(iommu, &b);
}

/* ---- descriptors ---- */

unsigned calculate_psi_aligned_address(dma_addr_t start, dma_addr_t end, dma_addr_t *base)
{
	uint64_t first = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	unsigned order = order_base_2(last - first + 1);

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

static struct qi_desc domain_desc(struct intel_iommu *iommu, struct iommu_domain *d)
{
	if (d->first_stage)
		return qi_desc_piotlb(d->did, 0, QI_PIOTLB_PASID, 0, 0, false);
	return qi_desc_iotlb(d->did, QI_DOMAIN, 0, 0, false, drains(iommu));
}

static struct qi_desc range_desc(struct intel_iommu *iommu, struct iommu_domain *d, dma_addr_t start,
				 dma_addr_t base, unsigned order, bool ih)
{
	const struct vtd_caps *caps = &iommu->caps;

	/* What 6.1 loses on the way into the queue arrives in the register. */
	ih = ih && (iommu->l->kernel->ih_hint || !caps->queued);
	if (order >= MAX_AGAW_PFN_WIDTH)
		return domain_desc(iommu, d);
	if (d->first_stage)
		return qi_desc_piotlb(d->did, 0, QI_PIOTLB_PAGE, base, order, ih);
	if (!caps->psi || order > caps->mamv)
		return domain_desc(iommu, d);
	if (!iommu->l->kernel->psi_aligns_base)
		base = start & PAGE_MASK;
	return qi_desc_iotlb(d->did, QI_PAGE, base, order, ih, drains(iommu));
}

/*
 * Invalidate what one order and base describe, on the unit and in the device's own cache. Since 6.10 the
 * list of cache tags is walked under the domain's lock, which is kept until the descriptors have been
 * awaited (drivers/iommu/intel/cache.c, cache_tag_flush_range): one flush per domain at a time.
 */
static void flush_tags(struct iommu_domain *d, dma_addr_t start, dma_addr_t end, bool leaf_only, bool device)
{
	struct intel_iommu *iommu = d->intel;
	const struct dma_observer *o = d->l->observer;
	bool lock = d->l->kernel->cache_tags;
	struct cpu *cpu = sim_cpu(d->l->sim);
	unsigned order = MAX_AGAW_PFN_WIDTH;
	dma_addr_t base = 0;
	struct qi_batch batch;

	if (end != UINT64_MAX)
		order = calculate_psi_aligned_address(start, end, &base);
	if (G_UNLIKELY(o) && o->cache_tag_flush)
		o->cache_tag_flush(o->arg, d->did, start, end, base, order, leaf_only);
	if (lock)
		spin_lock(cpu, &d->cache_lock);
	batch.count = 0;
	qi_batch_add(iommu, &batch, range_desc(iommu, d, start, base, order, leaf_only));
	if (G_UNLIKELY(d->ats) && device)
		qi_batch_add(
		    iommu, &batch,
		    qi_desc_device_tlb(d->dev->pci->sid, d->dev->pci->sid, DEV_TLB_QUEUE_DEPTH, base, order));
	qi_batch_flush(iommu, &batch);
	if (lock)
		spin_unlock(cpu, &d->cache_lock);
}

void cache_tag_flush_range(struct iommu_domain *d, dma_addr_t start, dma_addr_t end, bool leaf_only)
{
	flush_tags(d, start, end, leaf_only, true);
}

void intel_iotlb_sync_map(struct iommu_domain *d, dma_addr_t iova, size_t size)
{
	const struct intel_iommu *iommu = d->intel;

	if (!iommu->caps.caching_mode || d->first_stage) {
		if (iommu->caps.rwbf)
			d->l->st->write_buffer_flushes++;
		return;
	}
	flush_tags(d, iova, iova + size - 1, false, false);
}

void intel_iotlb_sync(struct iommu_domain *d, struct iommu_iotlb_gather *g)
{
	flush_tags(d, g->start, g->end, pgtable_list_empty(&g->freelist), true);
}

void intel_flush_iotlb_all(struct iommu_domain *d)
{
	d->l->st->flush_all++;
	d->l->st->indirect_calls++;
	cpu_charge(sim_cpu(d->l->sim), COST_INDIRECT_CALL);
	flush_tags(d, 0, UINT64_MAX, false, true);
}

/* ---- domains ---- */

int intel_domain_alloc(struct iommu_domain *d)
{
	struct dma_layer *l = d->l;
	struct vtd_unit *unit = d->dev->pci->iommu;
	enum vtd_format format = vtd_domain_format(unit);
	const struct vtd_caps *caps = vtd_caps(unit);
	unsigned page_sizes;

	d->intel = intel_iommu_of(l, unit);
	if (!d->intel)
		return -ENOMEM;
	if (d->intel->next_did >= caps->domains)
		return -ENOSPC;
	d->first_stage = vtd_formats[format].first_stage;
	d->pt = pgtable_new(l->sim, l->mem, format, vtd_domain_page_sizes(unit, format), d->dev->node);
	if (!d->pt)
		return -ENOMEM;
	page_sizes = pgtable_page_sizes(d->pt);
	d->pgsize_bitmap = PAGE_SIZE | (page_sizes & VTD_PAGES_2M ? 2 * MIB : 0) |
			   (page_sizes & VTD_PAGES_1G ? GIB : 0);
	d->aperture_end = MIN(pgtable_last_iova(d->pt), UINT64_MAX >> (64 - caps->mgaw));
	d->iotlb_sync_map = caps->rwbf || (caps->caching_mode && !d->first_stage);
	d->did = (uint16_t)d->intel->next_did++;
	dma_lock_init(&d->cache_lock, "cache_lock");
	l->st->table_pages_allocated++;
	return 0;
}

void intel_domain_free(struct iommu_domain *d)
{
	if (d->pt)
		pgtable_free(d->pt);
	d->pt = NULL;
}

void intel_attach_device(struct iommu_domain *d, struct device *dev)
{
	struct intel_iommu *iommu = d->intel;
	struct vtd_context ctx = {
	    .type = d->first_stage ? VTD_FIRST_STAGE : VTD_SECOND_STAGE,
	    .did = d->did,
	    .format = pgtable_format(d->pt),
	    .root = pgtable_root(d->pt),
	    .ats = dev->pci->ats && iommu->caps.device_tlb,
	};

	d->ats = ctx.ats;
	vtd_set_context(iommu->unit, dev->pci->sid, VTD_NO_PASID, &ctx);
	if (ctx.ats)
		vtd_ats_enable(iommu->unit, dev->pci->sid);
}

void intel_attach_passthrough(struct device *dev)
{
	struct vtd_context ctx = {.type = VTD_PASSTHROUGH, .did = DID_PASSTHROUGH};

	vtd_set_context(dev->pci->iommu, dev->pci->sid, VTD_NO_PASID, &ctx);
}

/* Nobody runs kernel code: the machine is being taken down. */
static bool no_kernel(const struct sim *sim)
{
	return !sim->cpu || (sim->timing && !sim->cpu->running);
}

/*
 * The entry goes, then what the unit remembers of it: context entry (in scalable mode PASID entry),
 * then all translations of the domain, then those in the device; each awaited before the next.
 */
void intel_detach_device(struct device *dev)
{
	struct intel_iommu *iommu = intel_iommu_of(dev->dma, dev->pci->iommu);
	struct iommu_domain *d = dev->domain;
	uint16_t did = d ? d->did : DID_PASSTHROUGH, sid = dev->pci->sid;
	struct qi_desc desc = qi_desc_context(did, QI_CC_DEVICE, sid, 0);

	vtd_set_context(dev->pci->iommu, sid, VTD_NO_PASID, NULL);
	if (!iommu || no_kernel(dev->sim))
		return;
	if (vtd_scalable(iommu->unit))
		desc = qi_desc_pasid_cache(did, 0, QI_PC_PASID);
	qi_submit_one(iommu, desc);
	if (!d)
		return;
	qi_submit_one(iommu, domain_desc(iommu, d));
	if (d->ats)
		qi_submit_one(iommu,
			      qi_desc_device_tlb(sid, sid, DEV_TLB_QUEUE_DEPTH, 0, MAX_AGAW_PFN_WIDTH));
}
