/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What came first, where the kernel leaves no event at the instant that matters: an interrupt inside an
 * allocation, a flush while ranges are queued. The recorded outcome tells.
 */
#include "internal.h"

/* End of the first call of another context on cpu whose events lie between two events; NEVER if none. */
static uint32_t next_interrupt(struct replay *r, uint32_t from, uint32_t to)
{
	const struct context_run *c = r->run;

	for (uint32_t i = from + 1; i < to && i < r->rec->events->len; i++) {
		uint32_t owner = r->ops->owner[i];
		const struct replay_op *op = owner ? operations_at(r->ops, owner - 1) : NULL;
		uint32_t last;

		if (!op || op->context == c->op->context)
			continue;
		last = operations_event(r->ops, op, op->nevents - 1);
		if (op->kind >= REPLAY_UNLINK && last < to && last >= i)
			return last + 1;
	}
	return REPLAY_NEVER;
}

/*
 * Two CPUs search the tree at once: its lock, which no event shows, decides who is first. The search takes
 * the topmost free range, so an allocation that returns meanwhile with a range above this one's was. Where in
 * the recording it returns; NEVER if there is none.
 */
static uint32_t earlier_search(struct replay *r, const struct device *dev)
{
	const struct context_run *c = r->run;

	for (uint32_t i = r->event + 1; i < c->alloc.ret; i++) {
		const struct recording_event *e = recording_at(r->rec, i);
		const struct replay_op *op;

		if (e->kind != REC_IOVA_ALLOC_RET || !r->ops->owner[i])
			continue;
		op = operations_at(r->ops, r->ops->owner[i] - 1);
		if (op->context != c->op->context && op->tree && op->pfn == e->iova.pfn &&
		    op->pfn > c->alloc.pfn && replay_pfn_state(r, dev, op->pfn) == PFN_FREE)
			return i + 1;
	}
	return REPLAY_NEVER;
}

/*
 * An interrupt of the recording may free ranges between the entry of an allocation and its access to
 * the cache. Which came first shows in the outcome: a range that was not free at the entry.
 */
void replay_wait_for_cache(struct replay *r, struct device *dev, uint64_t pages, uint64_t limit)
{
	struct recorded_alloc *a = &r->run->alloc;
	uint32_t end;

	if (!a->known || a->ret == REPLAY_NEVER)
		return;
	while (a->tree && (end = earlier_search(r, dev)) != REPLAY_NEVER) {
		a->waited = true;
		replay_wait(r, end);
	}
	if (a->tree)
		return;
	while (replay_pfn_state(r, dev, a->pfn) != PFN_FREE) {
		uint64_t pfn;

		if (dma_replay_cache_peek(dev, r->run->cpu, pages, limit, &pfn) == IOVA_FROM_CACHE &&
		    pfn == a->pfn)
			return;
		end = next_interrupt(r, r->event, a->ret);
		if (end == REPLAY_NEVER)
			return;
		a->waited = true;
		replay_wait(r, end);
	}
}

/* Index of the IOVA_FREE line for pfn among the events of op from its k-th on; NEVER. pfn 0: any. */
static uint32_t free_line(const struct replay *r, const struct replay_op *op, uint32_t k, uint64_t pfn)
{
	for (; k < op->nevents; k++) {
		uint32_t i = operations_event(r->ops, op, k);
		const struct recording_event *e = recording_at(r->rec, i);

		if (e->kind == REC_IOVA_FREE && (!pfn || e->iova.pfn == pfn))
			return i;
	}
	return REPLAY_NEVER;
}

/* Whether a line after event i, but before the next flush by the timer, frees pfn. */
static bool freed_soon(const struct replay *r, uint32_t i, uint64_t pfn)
{
	for (i++; i < r->rec->events->len; i++) {
		const struct recording_event *e = recording_at(r->rec, i);
		uint32_t owner = r->ops->owner[i];

		if (e->kind == REC_IOVA_FREE && e->iova.pfn == pfn)
			return true;
		if (owner && operations_at(r->ops, owner - 1)->kind == REPLAY_FLUSH_TIMER &&
		    e->kind == REC_QI_SUBMIT)
			return false;
	}
	return false;
}

/*
 * A flush is done but not yet counted as finished. What others queue meanwhile releases nothing: the
 * ranges that it would have released show in this call's own lines.
 */
void replay_wait_after_flush(struct replay *r, struct device *dev)
{
	struct context_run *c = r->run;
	const struct recording_event *own = recording_at(r->rec, c->at);
	uint32_t end = r->ops->next[c->at], wait = 0;

	for (uint32_t i = c->at + 1; i < end && i < r->rec->events->len; i++) {
		const struct recording_event *e = recording_at(r->rec, i);
		uint64_t head, last;

		if (e->cpu == own->cpu && e->level <= own->level)
			break; /* what was interrupted goes on: this call is over */
		if (e->kind == REC_IOVA_FREE)
			break;
		if (e->kind != REC_UNMAP ||
		    !dma_replay_ring_head(dev, e->cpu % r->config.sim->ncpus, &head, &last))
			continue;
		if (free_line(r, operations_at(r->ops, r->ops->owner[i] - 1), 0, head) != REPLAY_NEVER)
			break;
		if (e->cpu == own->cpu || freed_soon(r, i, head))
			wait = i + 1;
	}
	if (wait)
		replay_wait(r, wait);
}

/* A call that has not begun yet releases head, the next range of a ring: the event after its last release. */
static uint32_t released_later(const struct replay *r, uint64_t head, uint64_t last)
{
	const struct recording_event *own = recording_at(r->rec, r->run->at);

	for (uint32_t i = r->event + 1; i < r->rec->events->len; i++) {
		const struct recording_event *e = recording_at(r->rec, i);
		const struct replay_op *op = r->ops->owner[i] ? operations_at(r->ops, r->ops->owner[i] - 1)
							      : NULL;
		uint32_t end;

		if (e->cpu == own->cpu && e->level <= own->level)
			break; /* what was interrupted goes on: this call is over */
		if (e->kind != REC_IOVA_FREE || e->iova.pfn != head || !op)
			continue;
		end = free_line(r, op, 0, last);
		return (end == REPLAY_NEVER ? i : end) + 1;
	}
	return REPLAY_NEVER;
}

/* Somebody else has the ring's lock: the recording shows who released its ranges. */
void replay_wait_for_ring(struct replay *r, struct device *dev, unsigned ring_cpu)
{
	struct context_run *self = r->run;
	uint64_t head, last;
	uint32_t end;

	if (!dma_replay_ring_head(dev, ring_cpu, &head, &last) ||
	    free_line(r, self->op, self->pos, head) != REPLAY_NEVER)
		return;
	for (unsigned i = 0; i < r->contexts->len; i++) {
		struct context_run *c = g_ptr_array_index(r->contexts, i);

		/* The range that it is about to free has its line taken already. */
		if (c == self || !c->suspended || !c->op ||
		    free_line(r, c->op, c->pos ? c->pos - 1 : 0, head) == REPLAY_NEVER ||
		    free_line(r, c->op, c->pos ? c->pos - 1 : 0, last) == REPLAY_NEVER)
			continue;
		replay_wait(r, free_line(r, c->op, c->pos ? c->pos - 1 : 0, last) + 1);
		return;
	}
	if (self->op->kind == REPLAY_FLUSH_TIMER && (end = released_later(r, head, last)) != REPLAY_NEVER)
		replay_wait(r, end);
}

/* An interrupt freed the recorded range between the tree's line and the search. */
void replay_wait_for_tree(struct replay *r, struct device *dev)
{
	struct recorded_alloc *a = &r->run->alloc;
	uint32_t end;

	if (!a->known || !a->tree || a->ret == REPLAY_NEVER)
		return;
	while (replay_pfn_state(r, dev, a->pfn) != PFN_FREE) {
		end = next_interrupt(r, r->event, a->ret);
		if (end == REPLAY_NEVER)
			return;
		a->waited = true;
		replay_wait(r, end);
	}
}

/*
 * Lazy mode: a timer flush of the recording that falls between this unmapping and the context's next
 * event came before the range was queued iff it did not release it.
 */
void replay_wait_for_flush(struct replay *r, struct device *dev, uint64_t pfn)
{
	uint32_t at = r->run->at, end = r->ops->next[at];
	const struct recording_event *own = recording_at(r->rec, at);
	bool inside = own->level == TRACE_HARDIRQ; /* perhaps of the flush that shows next on this CPU */
	uint32_t first = REPLAY_NEVER;
	const struct replay_op *flush = NULL;

	if (!dma_replay_has_queue(dev))
		return;
	for (uint32_t i = at + 1; i < r->rec->events->len; i++) {
		uint32_t owner = r->ops->owner[i];
		const struct recording_event *e = recording_at(r->rec, i);
		const struct replay_op *op = owner ? operations_at(r->ops, owner - 1) : NULL;

		if (e->kind == REC_IOVA_FREE && e->iova.pfn == pfn)
			return; /* the flush covered it */
		if (flush && op != flush && recording_is_domain_flush(e))
			break; /* another one, of a full ring */
		if (!flush)
			inside = inside && (e->cpu != own->cpu || e->level != TRACE_TASK);
		if (!op || op->kind != REPLAY_FLUSH_TIMER || operations_event(r->ops, op, 0) != i)
			continue;
		if (flush)
			break;
		if (free_line(r, op, 0, 0) == REPLAY_NEVER)
			return; /* its lines are missing */
		first = i;
		flush = op;
	}
	if (!flush)
		return;
	/* Had it begun, nothing queued later on this ring would be covered either: else a line is missing. */
	for (uint32_t i = at + 1; first >= end && i < first; i++) {
		const struct recording_event *e = recording_at(r->rec, i);

		if (e->kind == REC_UNMAP && e->cpu == own->cpu &&
		    free_line(r, flush, 0, e->map.iova >> PAGE_SHIFT) != REPLAY_NEVER)
			return;
	}
	if (first < end && recording_at(r->rec, first)->cpu == own->cpu)
		replay_wait(r,
			    operations_event(r->ops, flush, flush->nevents - 1) + 1); /* it ran in between */
	else if (recording_at(r->rec, first)->cpu != own->cpu || inside)
		r->run->late = true; /* begun, though its descriptor shows later */
}
