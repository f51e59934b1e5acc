/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The translation of one request. Intel VT-d architecture specification rev 4.1: 3.4-3.8 (translation), 6.2
 * (what is cached under which tag).
 *
 * Along the way down res->ready is the time at which the next step begins.
 */
#include "internal.h"

#include "sim/timeline.h"

/* TLPs of the train that this request stands for. */
static inline unsigned train(const struct iommu_request *rq)
{
	return rq->tlps ? rq->tlps : 1;
}

/* ctx: what governs the request, NULL if the fault was in finding that (then FPD does not apply). */
static RARE int failed(struct vtd_unit *u, const struct vtd_context *ctx, const struct iommu_request *rq,
		       uint8_t reason, struct iommu_result *res)
{
	res->fault = reason;
	/* An ATS request that only lacks rights is answered so; broken structures are faults all the same. */
	if (!(rq->ats && fault_is_permission(reason)) && !(ctx && ctx->fault_disable))
		fault_record(u, rq, reason);
	return -EFAULT;
}

static inline void found(struct iommu_result *res, const struct iommu_request *rq, uint64_t payload,
			 unsigned shift)
{
	res->phys = (payload & PAYLOAD_ADDRESS) | (rq->addr & ((UINT64_C(1) << shift) - 1));
	res->page_shift = (uint8_t)shift;
}

static inline void count_hits(struct vtd_stats *st, unsigned shift, unsigned n)
{
	st->iotlb_hits += n;
	if (G_LIKELY(shift == 12))
		st->iotlb_hits_4k += n;
	else if (shift == 21)
		st->iotlb_hits_2m += n;
	else
		st->iotlb_hits_1g += n;
}

/* When a walker is free for a request that arrives at when. */
static sim_time_t walker_free(const struct vtd_unit *u, sim_time_t when)
{
	return MAX(resource_first_free(&u->walkers), when);
}

static inline bool walk(struct vtd_unit *u, const struct vtd_context *ctx, const struct iommu_request *rq,
			struct walk_leaf *leaf, struct iommu_result *res)
{
	sim_time_t when = res->ready;
	struct walk w;
	bool ok;

	w.u = u;
	w.ctx = ctx;
	w.rq = rq;
	w.reads = w.nfills = 0;
	w.fault = 0;
	w.now = when;
	if (u->sim->timing) {
		sim_time_t start = walker_free(u, when);

		w.now = start + u->p.walker.miss_overhead;
		ok = walk_tables(&w, leaf);
		resource_serve(&u->walkers, when, MAX(w.now, rq->leaves) + rq->hold - start);
		in_flight_add(&u->in_flight, when, w.now, u->sim->now);
		u->st->walk_time += w.now - when;
		sim_slice(u->sim, TIMELINE_WALK, "walk", start, w.now);
	} else {
		ok = walk_tables(&w, leaf);
	}
	u->st->walks++;
	u->st->walk_memory_reads += w.reads;
	walk_fill_caches(&w);
	res->ready = w.now;
	res->fault = w.fault;
	return ok;
}

/* Not in the IOTLB: walk, keep the result, answer. */
static inline int translate_miss(struct vtd_unit *u, const struct vtd_context *ctx,
				 const struct iommu_request *rq, uint64_t tag, struct iommu_result *res)
{
	sim_time_t when = res->ready;
	struct walk_leaf leaf;
	struct tlb_key key;

	if (!walk(u, ctx, rq, &leaf, res))
		return failed(u, ctx, rq, res->fault, res);
	key = (struct tlb_key){tag, rq->addr >> leaf.shift, leaf.shift};
	if (tlb_capacity(u->iotlb)) {
		u->removal_time = when;
		u->st->iotlb_evictions += tlb_insert(u->iotlb, &key, leaf.base | leaf.rights);
		u->iotlb_ready[tlb_last_slot(u->iotlb)] = res->ready;
	}
	found(res, rq, leaf.base, leaf.shift);
	return 0;
}

/* Hit on a translation that is still being fetched: join that walk, or make one's own. */
static RARE int translate_pending(struct vtd_unit *u, const struct vtd_context *ctx,
				  const struct iommu_request *rq, uint64_t tag, unsigned shift,
				  struct iommu_result *res)
{
	struct tlb_key key = {tag, rq->addr >> shift, (uint8_t)shift};

	res->hit = false;
	u->st->iotlb_misses++;
	if (u->p.walker.merge) {
		u->st->walks_merged++;
		res->ready = u->iotlb_ready[tlb_last_slot(u->iotlb)];
		return 0;
	}
	tlb_remove(u->iotlb, &key);
	return translate_miss(u, ctx, rq, tag, res);
}

/* No entry, or one that does not do: n TLPs wait for one walk. */
static inline int translate_first_miss(struct vtd_unit *u, const struct vtd_context *ctx,
				       const struct iommu_request *rq, uint64_t tag, struct iommu_result *res)
{
	unsigned n = train(rq);

	u->st->iotlb_misses++;
	if (G_UNLIKELY(translate_miss(u, ctx, rq, tag, res))) {
		/* Nothing was cached: every TLP of the train misses and faults with the first. */
		u->st->iotlb_misses += n - 1;
		u->st->walks_merged += n - 1;
		return -EFAULT;
	}
	count_hits(u->st, res->page_shift, n - 1);
	return 0;
}

/* Rights may have grown since it was cached (3.3 of the caching rules): walk again. */
static RARE int translate_again(struct vtd_unit *u, const struct vtd_context *ctx,
				const struct iommu_request *rq, uint64_t tag, unsigned shift,
				struct iommu_result *res)
{
	struct tlb_key key = {tag, rq->addr >> shift, (uint8_t)shift};

	u->removal_time = res->ready;
	tlb_remove(u->iotlb, &key);
	return translate_first_miss(u, ctx, rq, tag, res);
}

static inline int translate_hit(struct vtd_unit *u, const struct vtd_context *ctx,
				const struct iommu_request *rq, uint64_t tag, unsigned shift,
				uint64_t payload, struct iommu_result *res)
{
	unsigned n = train(rq);

	if (n > 1)
		tlb_note_requests(u->iotlb, n - 1);
	if (G_UNLIKELY(rq->access & ~payload & PAYLOAD_RIGHTS))
		return translate_again(u, ctx, rq, tag, shift, res);
	found(res, rq, payload, shift);
	if (G_UNLIKELY(payload & TLB_REPORT))
		u->st->stale_accesses += n;
	if (G_UNLIKELY(u->sim->timing)) {
		if (u->iotlb_ready[tlb_last_slot(u->iotlb)] > res->ready) {
			count_hits(u->st, shift, n - 1);
			return translate_pending(u, ctx, rq, tag, shift, res);
		}
		res->ready += u->p.iotlb.hit_latency;
	}
	count_hits(u->st, shift, n);
	res->hit = true;
	return 0;
}

/* Not there as a 4 KiB entry. Sizes that nobody uses are not looked for. */
static G_GNUC_NO_INLINE int translate_other(struct vtd_unit *u, const struct vtd_context *ctx,
					    const struct iommu_request *rq, uint64_t tag,
					    struct iommu_result *res)
{
	for (unsigned shift = 21; shift <= 30 && G_UNLIKELY(!tlb_only_base_pages(u->iotlb)); shift += 9) {
		struct tlb_key key = {tag, rq->addr >> shift, (uint8_t)shift};
		const uint64_t *p = tlb_count_shift(u->iotlb, shift) ? tlb_lookup(u->iotlb, &key) : NULL;

		if (p)
			return translate_hit(u, ctx, rq, tag, shift, *p, res);
	}
	if (train(rq) > 1)
		tlb_note_requests(u->iotlb, train(rq) - 1);
	return translate_first_miss(u, ctx, rq, tag, res);
}

static inline int translate_paged(struct vtd_unit *u, const struct vtd_context *ctx,
				  const struct iommu_request *rq, uint64_t tag, struct iommu_result *res)
{
	struct tlb_key key = {tag, rq->addr >> PAGE_SHIFT, PAGE_SHIFT};
	const uint64_t *p = tlb_lookup(u->iotlb, &key);

	u->st->iotlb_lookups += train(rq);
	if (G_LIKELY(p))
		return translate_hit(u, ctx, rq, tag, PAGE_SHIFT, *p, res);
	return translate_other(u, ctx, rq, tag, res);
}

/* The entry of a requester that is not the last one, NULL after a fault; res->ready moves by what it took. */
static RARE const struct vtd_context *find_requester(struct vtd_unit *u, const struct iommu_request *rq,
						     struct iommu_result *res)
{
	unsigned reads = 0;
	uint8_t reason;
	const struct vtd_context *ctx = context_find_slow(u, rq, train(rq), &reads, &reason);

	if (u->sim->timing)
		res->ready += reads * u->p.walker.read_latency;
	if (!ctx)
		failed(u, NULL, rq, reason, res);
	return ctx;
}

static G_GNUC_NO_INLINE int translate(struct vtd_unit *u, const struct iommu_request *rq, sim_time_t when,
				      struct iommu_result *res)
{
	const struct context_caches *c = &u->contexts;
	const struct vtd_context *ctx = c->memo;
	unsigned n = train(rq);
	uint64_t tag = c->memo_tag;

	*res = (struct iommu_result){.phys = rq->addr, .page_shift = PAGE_SHIFT, .ready = when};
	if (G_UNLIKELY(rq->addr - INTERRUPT_BASE <= INTERRUPT_LAST - INTERRUPT_BASE))
		return 0;
	if (G_LIKELY(ctx && c->memo_requester == requester(rq))) {
		u->st->context_lookups += n;
		u->st->context_hits += n;
		if (u->scalable) {
			u->st->pasid_lookups += n;
			u->st->pasid_hits += n;
		}
	} else {
		ctx = find_requester(u, rq, res);
		if (!ctx)
			return -EFAULT;
		tag = context_tag(u, ctx, rq);
	}
	if (G_UNLIKELY(rq->ats && !ctx->ats))
		return failed(u, ctx, rq, u->scalable ? 0x44 : 0xd, res);
	if (G_LIKELY(ctx->type >= VTD_SECOND_STAGE))
		return translate_paged(u, ctx, rq, tag, res);
	if (ctx->type == VTD_PASSTHROUGH)
		return 0;
	return failed(u, ctx, rq, fault_blocked(u), res);
}

/*
 * The usual request in counts, in one piece: from the requester of the last one, to a 4 KiB page that is
 * cached with the rights it takes. Nothing is counted or moved here that translate() would not; what is
 * anything else has not been touched when it gets there. (The interrupt window is never cached.)
 */
int vtd_translate(struct vtd_unit *u, const struct iommu_request *rq, sim_time_t when,
		  struct iommu_result *res)
{
	const struct context_caches *c = &u->contexts;
	struct tlb_key key = {c->memo_tag, rq->addr >> PAGE_SHIFT, PAGE_SHIFT};
	struct tlb *t = u->iotlb;
	unsigned n = train(rq);
	uint32_t slot;
	uint64_t payload;

	if (G_UNLIKELY(!u->plain || !c->memo || c->memo_requester != requester(rq) || rq->ats ||
		       c->memo->type < VTD_SECOND_STAGE))
		return translate(u, rq, when, res);
	slot = tlb_find(t, &key);
	if (slot == TLB_NONE)
		return translate(u, rq, when, res);
	payload = t->entries[slot].payload;
	if (G_UNLIKELY(((rq->access & ~payload) & PAYLOAD_RIGHTS) | (payload & TLB_REPORT)))
		return translate(u, rq, when, res);
	t->last = slot;
	tlb_touch(t, slot);
	u->st->context_lookups += n;
	u->st->context_hits += n;
	u->st->iotlb_lookups += n;
	u->st->iotlb_hits += n;
	u->st->iotlb_hits_4k += n;
	res->phys = (payload & PAYLOAD_ADDRESS) | (rq->addr & ~PAGE_MASK);
	res->page_shift = PAGE_SHIFT;
	res->fault = 0;
	res->hit = true;
	res->ready = when;
	return 0;
}
