/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lazy mode's flush queue (first third of drivers/iommu/dma-iommu.c): freed ranges wait on per-CPU
 * rings until the whole domain has been invalidated, because a ring is full or its timer fires.
 */
#include "flush_queue.h"
#include "replay_hooks.h"
#include "timer.h"

#define SIZEOF_FQ_ENTRY 40u
#define SIZEOF_FQ_HEADER 16u

static bool ring_full(const struct flush_queue *fq, const struct fq_ring *r)
{
	return ((r->tail + 1) & (fq->size - 1)) == r->head;
}

/* Entries that a completed flush covers, oldest first; runs with the ring's lock held. */
static void ring_free(struct flush_queue *fq, unsigned ring_cpu)
{
	struct fq_ring *r = &fq->rings[ring_cpu];
	struct iommu_domain *d = fq->domain;
	const struct dma_observer *o = d->l->observer;

	if (G_UNLIKELY(o) && o->reached && r->head != r->tail &&
	    r->entries[r->head].counter < fq->finish_count)
		o->reached(o->arg, d->dev, ring_cpu, DMA_AT_RING);
	while (r->head != r->tail) {
		struct fq_entry *e = &r->entries[r->head];

		if (e->counter >= fq->finish_count)
			break;
		if (G_UNLIKELY(o) && o->fq_release)
			o->fq_release(o->arg, d->dev, ring_cpu, e->iova_pfn, e->pages);
		iommu_release_tables(d, &e->freelist);
		free_iova_fast(&d->iovad, e->iova_pfn, e->pages);
		r->head = (r->head + 1) & (fq->size - 1);
	}
}

static void fq_flush_iotlb(struct flush_queue *fq, bool timer)
{
	struct iommu_domain *d = fq->domain;
	const struct dma_observer *o = d->l->observer;

	if (G_UNLIKELY(o) && o->fq_flush)
		o->fq_flush(o->arg, d->dev, sim_cpu(d->l->sim)->id, timer);
	fq->start_count++;
	iommu_flush_iotlb_all(d);
	if (G_UNLIKELY(o) && o->reached)
		o->reached(o->arg, d->dev, sim_cpu(d->l->sim)->id, DMA_AT_FLUSHED);
	fq->finish_count++;
}

/* ---- timer ---- */

static void fq_flush_timeout(struct cpu_work *w, struct cpu *cpu)
{
	struct flush_queue *fq = container_of(w, struct flush_queue, work);

	fq->timer_on = false;
	fq->domain->l->st->fq_timeouts++;
	fq_flush_iotlb(fq, true);
	for (unsigned c = 0; c < cpu->sim->ncpus; c++) {
		spin_lock(cpu, &fq->rings[c].lock);
		ring_free(fq, c);
		spin_unlock(cpu, &fq->rings[c].lock);
	}
}

static void fq_timer(struct event *ev, sim_time_t now)
{
	struct flush_queue *fq = container_of(ev, struct flush_queue, timer);

	cpu_post(fq->timer_cpu, &fq->work, now);
}

static void arm_timer(struct flush_queue *fq)
{
	struct dma_layer *l = fq->domain->l;
	const struct flush_queue_params *p = &l->params.flush_queue;
	const struct dma_replay *steer = l->replay;
	sim_time_t expiry;

	if (fq->timer_on)
		return;
	expiry = timer_expiry(dma_now(l), p->timeout, p->hz);
	if (G_UNLIKELY(steer) && steer->timer && steer->timer(steer->arg, fq->domain->dev, expiry))
		return;
	fq->timer_on = true;
	fq->timer_cpu = sim_cpu(l->sim);
	sim_schedule(l->sim, &fq->timer, expiry);
}

/* ---- enqueue ---- */

void queue_iova(struct iommu_domain *d, uint64_t pfn, uint64_t pages, struct pgtable_list *freelist)
{
	struct flush_queue *fq = d->fq;
	struct dma_layer *l = d->l;
	const struct dma_observer *o = l->observer;
	const struct dma_replay *steer = l->replay;
	struct cpu *cpu = sim_cpu(l->sim);
	struct fq_ring *r = &fq->rings[cpu->id];
	struct fq_entry *e;

	spin_lock(cpu, &r->lock);
	cpu_charge(cpu, COST_FQ_ENQUEUE);
	ring_free(fq, cpu->id);
	if (G_UNLIKELY(ring_full(fq, r)) ||
	    (G_UNLIKELY(steer) && steer->ring_full && steer->ring_full(steer->arg, d->dev))) {
		l->st->fq_ring_full++;
		fq_flush_iotlb(fq, false);
		ring_free(fq, cpu->id);
	}
	e = &r->entries[r->tail];
	e->iova_pfn = pfn;
	e->pages = pages;
	e->counter = fq->start_count;
	if (G_UNLIKELY(steer) && steer->queued_late && steer->queued_late(steer->arg, d->dev))
		e->counter++;
	pgtable_list_splice(&e->freelist, freelist);
	r->tail = (r->tail + 1) & (fq->size - 1);
	l->st->fq_entries++;
	spin_unlock(cpu, &r->lock);
	if (G_UNLIKELY(o) && o->fq_enqueue)
		o->fq_enqueue(o->arg, d->dev, cpu->id, pfn, pages);
	arm_timer(fq);
}

/* ---- set-up ---- */

static uint64_t rings_bytes(const struct flush_queue *fq, unsigned ncpus)
{
	return ncpus * (uint64_t)(SIZEOF_FQ_HEADER + SIZEOF_FQ_ENTRY * fq->size);
}

int iommu_dma_init_fq(struct iommu_domain *d)
{
	struct dma_layer *l = d->l;
	unsigned ncpus = l->sim->ncpus;
	struct flush_queue *fq;

	if (d->fq)
		return 0;
	fq = g_malloc0(sizeof(*fq) + ncpus * sizeof(fq->rings[0]));
	fq->domain = d;
	fq->size = 1u << order_base_2(l->params.flush_queue.entries);
	fq->timer = (struct event){.fn = fq_timer, .priority = EVENT_TIMER};
	fq->work.fn = fq_flush_timeout;
	for (unsigned c = 0; c < ncpus; c++) {
		spin_lock_init(&fq->rings[c].lock, "fq_lock");
		fq->rings[c].entries = g_new0(struct fq_entry, fq->size);
	}
	ledger_charge(&l->sim->ledger, LEDGER_FLUSH_QUEUE_RINGS, rings_bytes(fq, ncpus));
	d->fq = fq;
	return 0;
}

void iommu_dma_free_fq(struct iommu_domain *d)
{
	struct flush_queue *fq = d->fq;
	struct sim *sim = d->l->sim;

	if (!fq)
		return;
	event_cancel(sim->events, &fq->timer);
	for (unsigned c = 0; c < sim->ncpus; c++) {
		struct fq_ring *r = &fq->rings[c];

		for (; r->head != r->tail; r->head = (r->head + 1) & (fq->size - 1))
			iommu_release_tables(d, &r->entries[r->head].freelist);
		g_free(r->entries);
	}
	ledger_release(&sim->ledger, LEDGER_FLUSH_QUEUE_RINGS, rings_bytes(fq, sim->ncpus));
	g_free(fq);
	d->fq = NULL;
}
