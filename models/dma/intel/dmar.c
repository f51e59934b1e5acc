/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Submission to a unit's invalidation queue, or to its registers where it has none
 * (drivers/iommu/intel/dmar.c).
 */
#include "internal.h"

#define QI_DONE 2u       /* status value of a completed wait */
#define STATUS_BYTES 4u  /* that a wait descriptor writes */
#define QI_SPARE_SLOTS 2 /* the wait, and one slot that keeps head and tail apart */

int dmar_enable_qi(struct intel_iommu *iommu)
{
	struct dma_layer *l = iommu->iommu.l;

	iommu->free_count = vtd_qi_entries(iommu->unit);
	iommu->last_slot = iommu->free_count - 1;
	iommu->status_order = order_base_2(div_round_up(STATUS_BYTES * iommu->free_count, PAGE_SIZE));
	spin_lock_init(&iommu->qi_lock, "qi_lock");
	iommu->status = memory_alloc_pages(l->mem, 0, iommu->status_order);
	if (!iommu->status)
		return -ENOMEM;
	iommu->outstanding = g_new0(struct qi_outstanding, iommu->free_count);
	return 0;
}

void dmar_disable_qi(struct intel_iommu *iommu)
{
	if (iommu->status)
		memory_free_pages(iommu->iommu.l->mem, iommu->status, iommu->status_order);
	g_free(iommu->outstanding);
}

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
	reclaim(iommu, dma_now(iommu->iommu.l));
	while (G_UNLIKELY(iommu->free_count < count + QI_SPARE_SLOTS)) {
		sim_time_t until = iommu->outstanding[iommu->oldest].done;

		spin_unlock(cpu, &iommu->qi_lock);
		cpu_wait_until(cpu, until);
		spin_lock(cpu, &iommu->qi_lock);
		reclaim(iommu, MAX(until, dma_now(iommu->iommu.l)));
	}
}

/*
 * Each look at the status word reads the fault status register and happens under the lock, which is
 * dropped in between. Alone, the CPU sees the status as it arrives; among others, polls and submissions
 * of all CPUs queue for the same lock, so that more CPUs complete less.
 */
static void wait_for_status(struct intel_iommu *iommu, struct cpu *cpu, sim_time_t done)
{
	while (cpu->now < done && iommu->noutstanding > 1 && iommu->iommu.l->sim->cost[COST_QI_POLL]) {
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

/* The queue holds so many descriptors more until done; in counts they are executed already. */
static void post(struct intel_iommu *iommu, unsigned count, sim_time_t done)
{
	iommu->free_head = (iommu->free_head + count) & iommu->last_slot;
	if (!iommu->iommu.l->sim->timing)
		return;
	iommu->free_count -= count;
	iommu->outstanding[(iommu->oldest + iommu->noutstanding++) & iommu->last_slot] =
	    (struct qi_outstanding){done, count};
}

/*
 * Submit the batch and one trailing wait, and spin until it has completed. Without a queue (ECAP.QI clear)
 * the same requests go through the invalidation registers, which take one at a time: the lock is held until
 * it is done. Statistics count them as the descriptors that they equal.
 */
void qi_submit_sync(struct intel_iommu *iommu, struct qi_batch *b)
{
	const struct dma_observer *o = iommu->iommu.l->observer;
	struct cpu *cpu = sim_cpu(iommu->iommu.l->sim);
	unsigned count = b->count;
	sim_time_t done;

	spin_lock(cpu, &iommu->qi_lock);
	wait_for_slots(iommu, cpu, count);
	if (G_UNLIKELY(o) && o->qi_submit && iommu->caps.queued)
		for (unsigned i = 0; i < count; i++)
			o->qi_submit(o->arg, &b->desc[i]);
	qi_put(b, count,
	       qi_desc_wait(iommu->status + STATUS_BYTES * ((iommu->free_head + count) & iommu->last_slot),
			    QI_DONE));
	cpu_charge(cpu, COST_QI_SUBMIT);
	if (count > 1)
		cpu_charge_n(cpu, COST_QI_DESCRIPTOR, count - 1);
	cpu_charge(cpu, COST_QI_TAIL_WRITE);
	done = vtd_qi_execute(iommu->unit, b->desc, count + 1, dma_now(iommu->iommu.l));
	post(iommu, count + 1, done);
	if (G_UNLIKELY(!iommu->caps.queued))
		cpu_wait_until(cpu, done);
	spin_unlock(cpu, &iommu->qi_lock);
	if (iommu->iommu.l->sim->timing)
		wait_for_status(iommu, cpu, done);
	b->count = 0;
}

void qi_submit_one(struct intel_iommu *iommu, struct qi_desc desc)
{
	struct qi_batch b;

	b.count = 0;
	qi_batch_add(iommu, &b, desc);
	qi_batch_flush(iommu, &b);
}
