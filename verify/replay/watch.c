/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the DMA layer reports, against the recording, event by event. */
#include "internal.h"

#include <inttypes.h>

/* ---- allocations ---- */

static void log_cache(struct replay *r, unsigned cpu, unsigned order, uint64_t pfn, enum cache_op_kind what)
{
	struct cache_op op = {(uint32_t)pfn, (uint8_t)cpu, (uint8_t)order, (uint8_t)what};

	g_array_append_val(r->cache_ops, op);
}

/* What the recording says of the allocation that begins: its probes, else the address that came of it. */
static struct recorded_alloc look_ahead(struct replay *r)
{
	struct context_run *c = r->run;
	struct recorded_alloc a = {.ret = REPLAY_NEVER};

	for (uint32_t k = c->pos; k < c->op->nevents; k++) {
		uint32_t i = operations_event(r->ops, c->op, k);
		const struct recording_event *e = recording_at(r->rec, i);

		if (e->kind == REC_IOVA_TREE_ALLOC) {
			a.tree = true;
		} else if (e->kind == REC_IOVA_ALLOC_RET) {
			a.pfn = e->iova.pfn;
			a.known = a.tree_known = true;
			a.ret = i;
			return a;
		} else if (e->kind == REC_IOVA_ALLOC) {
			break;
		} else if (e->kind == REC_MAP || e->kind == REC_MAP_NOSYNC) {
			a.pfn = e->map.iova >> PAGE_SHIFT;
			a.known = true;
			a.tree_known = r->ops->has_probes;
			a.ret = i;
			return a;
		}
	}
	if (c->op->addr) {
		a.pfn = c->op->addr >> PAGE_SHIFT;
		a.known = true;
	}
	return a;
}

/* The allocator's fast path begins. */
static void begin_alloc(struct replay *r, struct device *dev)
{
	const struct recording_event *e = replay_expect(r, REC_IOVA_ALLOC, true);
	struct recorded_alloc *a = &r->run->alloc;

	*a = look_ahead(r);
	if (!e)
		return;
	a->pages = e->iova.pages;
	a->limit = e->iova.limit;
	replay_domain_begins(r, dev, a->pages, a->limit);
	replay_wait_for_cache(r, dev, a->pages, a->limit);
}

static void watch_place(void *arg, struct device *dev, unsigned cpu, enum dma_place place)
{
	struct replay *r = arg;

	if (replay_quiet(r))
		return;
	switch (place) {
	case DMA_AT_IOVA_ALLOC:
		begin_alloc(r, dev);
		break;
	case DMA_AT_TREE_ALLOC:
		if (r->run->alloc.tree || !r->run->alloc.tree_known)
			replay_expect(r, REC_IOVA_TREE_ALLOC, true);
		replay_wait_for_tree(r, dev);
		break;
	case DMA_AT_FLUSHED:
		replay_wait_after_flush(r, dev);
		break;
	case DMA_AT_RING:
		replay_wait_for_ring(r, dev, cpu);
		break;
	case DMA_AT_IOVA_FREE:
		r->run->free_event = replay_expect(r, REC_IOVA_FREE, true);
		break;
	}
}

/*
 * Tables are older state, too: a large page that the recorded kernel flushed for covers an emptied table
 * that this recording has not shown, and one that it did not flush for covers none.
 */
static void bind_table(struct replay *r, const struct iova_alloc_event *e)
{
	struct context_run *c = r->run;
	bool flushed = false, over = false; /* over: what follows is flushed because it was mapped */
	uint64_t large = 0;

	/* Nothing has been bound so far: everything is known. */
	if ((replay_domain(r, e->dev)->fresh && !r->totals.bound) || e->rounded < 2 * MIB >> PAGE_SHIFT)
		return;
	for (uint32_t k = c->pos; k < c->op->nevents; k++) {
		const struct recording_event *ev = recording_at(r->rec, operations_event(r->ops, c->op, k));

		over |= ev->kind == REC_MAP || ev->kind == REC_TAG_FLUSH_NP;
		flushed |= !over && ev->kind == REC_QI_SUBMIT && (ev->qi.qw0 >> 4 & 3) == QI_PAGE;
		if ((ev->kind == REC_MAP || ev->kind == REC_MAP_NOSYNC) && ev->map.size == 2 * MIB &&
		    !((ev->map.iova | ev->map.phys) & (2 * MIB - 1)))
			large = ev->map.iova;
	}
	if (large)
		dma_replay_table(e->dev, large, flushed);
}

static void watch_alloc(void *arg, const struct iova_alloc_event *e)
{
	struct replay *r = arg;
	const struct recorded_alloc *a;
	const struct recording_event *ret;

	if (replay_quiet(r)) {
		replay_set_pfn(r, e->dev, e->pfn, PFN_LIVE);
		return;
	}
	a = &r->run->alloc;
	ret = replay_expect(r, REC_IOVA_ALLOC_RET, true);
	replay_log(r, REC_IOVA_ALLOC_RET, e->pfn, e->pages, e->source);
	hist_add(r->hists[REPLAY_HIST_ALLOC], e->pages, 1);
	if (e->order >= 0)
		log_cache(r, e->cpu, (unsigned)e->order, e->pfn,
			  e->source == IOVA_FROM_TREE ? CACHE_GET_TREE : CACHE_GET);
	if (e->source == IOVA_FROM_TREE && a->tree)
		replay_domain(r, e->dev)->tree_file = r->file;
	replay_set_pfn(r, e->dev, e->pfn, PFN_LIVE);
	bind_table(r, e);
	if (a->pages && (a->pages != e->pages || a->limit != e->limit_pfn))
		replay_diverge(r,
			       "allocation of %" PRIu64 " pages up to 0x%" PRIx64 ", recorded %" PRIu64
			       " up to 0x%" PRIx64,
			       e->pages, e->limit_pfn, a->pages, a->limit);
	if (ret && ret->iova.pfn != e->pfn)
		replay_diverge(r, "IOVA page 0x%" PRIx64 ", recorded 0x%" PRIx64, e->pfn, ret->iova.pfn);
}

static void watch_free(void *arg, struct device *dev, unsigned cpu, uint64_t pfn, uint64_t pages, bool cached)
{
	struct replay *r = arg;
	const struct recording_event *e;

	replay_log(r, REC_IOVA_FREE, pfn, pages, cached);
	replay_set_pfn(r, dev, pfn, PFN_FREE);
	if (replay_quiet(r))
		return;
	r->totals.frees++;
	if (cached)
		log_cache(r, cpu, order_base_2(pages), pfn, CACHE_PUT);
	hist_add(r->hists[REPLAY_HIST_FREE], pages, 1);
	e = r->run->free_event;
	r->run->free_event = NULL;
	if (e && (e->iova.pfn != pfn || e->iova.pages != pages))
		replay_diverge(
		    r, "frees IOVA page 0x%" PRIx64 " of %" PRIu64 ", recorded 0x%" PRIx64 " of %" PRIu64,
		    pfn, pages, e->iova.pfn, e->iova.pages);
	if (!cached && replay_peek(r) && replay_peek(r)->kind == REC_IOVA_TREE_FREE) {
		e = replay_expect(r, REC_IOVA_TREE_FREE, true);
		if (e && e->iova.pfn != pfn)
			replay_diverge(r, "tree free of 0x%" PRIx64 ", recorded 0x%" PRIx64, pfn,
				       e->iova.pfn);
	}
}

/* ---- page table ---- */

static void watch_map(void *arg, struct device *dev, dma_addr_t iova, phys_addr_t phys, size_t size)
{
	struct replay *r = arg;
	const struct recording_event *next, *e;
	bool entry;

	(void)dev;
	if (replay_quiet(r))
		return;
	replay_log(r, REC_MAP, iova, phys, size);
	hist_add(r->hists[REPLAY_HIST_MAP], size, 1);
	next = replay_peek(r);
	entry = next && next->kind == REC_MAP_NOSYNC;
	e = replay_expect(r, entry ? REC_MAP_NOSYNC : REC_MAP, entry || r->rec->nosync_only);
	if (!e)
		return;
	r->totals.maps++;
	if (e->map.iova != iova || e->map.phys != phys || e->map.size != size)
		replay_diverge(r,
			       "maps 0x%" PRIx64 " to 0x%" PRIx64 " size %zu, recorded 0x%" PRIx64
			       " to 0x%" PRIx64 " size %" PRIu64,
			       iova, phys, size, e->map.iova, e->map.phys, e->map.size);
}

static void watch_unmap(void *arg, struct device *dev, dma_addr_t iova, size_t size, size_t unmapped)
{
	struct replay *r = arg;
	const struct recording_event *e;

	if (replay_quiet(r))
		return;
	replay_log(r, REC_UNMAP, iova, size, unmapped);
	hist_add(r->hists[REPLAY_HIST_UNMAP], size, 1);
	e = replay_expect(r, REC_UNMAP, false);
	if (!e)
		return;
	r->totals.unmaps++;
	if (e->map.iova != iova || e->map.size != size || e->map.unmapped != unmapped)
		replay_diverge(r,
			       "unmaps 0x%" PRIx64 " size %zu (%zu done), recorded 0x%" PRIx64
			       " size %" PRIu64 " (%" PRIu64 " done)",
			       iova, size, unmapped, e->map.iova, e->map.size, e->map.unmapped);
	replay_wait_for_flush(r, dev, iova >> PAGE_SHIFT);
}

/* ---- invalidation ---- */

static void compare_tag(struct replay *r, enum recording_kind kind, uint16_t did, uint64_t start,
			uint64_t end, uint64_t base, unsigned order, bool device_tlb)
{
	const struct recording_event *e;

	if (replay_quiet(r))
		return;
	replay_log(r, kind, start, end, order);
	e = replay_expect(r, kind, false);
	if (!e)
		return;
	r->totals.tag_flushes++;
	if (e->tag.did != replay_recorded_domain(r, did, e->tag.did) || e->tag.start != start ||
	    e->tag.end != end || e->tag.addr != base || e->tag.mask != order ||
	    e->tag.device_tlb != device_tlb)
		replay_diverge(r,
			       "flushes domain %u [0x%" PRIx64 "-0x%" PRIx64 "] base 0x%" PRIx64
			       " mask %u%s, recorded domain %u [0x%" PRIx64 "-0x%" PRIx64 "] base 0x%" PRIx64
			       " mask %" PRIu64 "%s",
			       did, start, end, base, order, device_tlb ? " of the device's TLB" : "",
			       e->tag.did, e->tag.start, e->tag.end, e->tag.addr, e->tag.mask,
			       e->tag.device_tlb ? " of the device's TLB" : "");
}

static void watch_tag(void *arg, uint16_t did, uint64_t start, uint64_t end, uint64_t base, unsigned order,
		      bool device_tlb)
{
	compare_tag(arg, REC_TAG_FLUSH, did, start, end, base, order, device_tlb);
}

static void watch_tag_np(void *arg, uint16_t did, uint64_t start, uint64_t end, uint64_t base, unsigned order,
			 bool device_tlb)
{
	compare_tag(arg, REC_TAG_FLUSH_NP, did, start, end, base, order, device_tlb);
}

static void watch_qi(void *arg, const struct qi_desc *desc)
{
	struct replay *r = arg;
	const struct recording_event *e;
	struct qi_desc d = *desc;

	if (replay_quiet(r))
		return;
	replay_log(r, REC_QI_SUBMIT, d.qw0, d.qw1, 0);
	if ((d.qw0 & 15) == QI_IOTLB && (d.qw0 >> 4 & 3) == QI_PAGE)
		hist_add(r->hists[REPLAY_HIST_SPAN], 1ull << (d.qw1 & 63), 1);
	e = replay_expect(r, REC_QI_SUBMIT, false);
	if (!e)
		return;
	r->totals.descriptors++;
	if ((d.qw0 & 15) == QI_P_IOTLB)
		*((d.qw0 >> 4 & 3) == QI_PIOTLB_PAGE ? &r->totals.pasid_pages
						     : &r->totals.pasid_domains) += 1;
	if ((d.qw0 & 15) == QI_P_IOTLB || ((d.qw0 & 15) == QI_IOTLB && (d.qw0 >> 4 & 3) != QI_GLOBAL)) {
		uint16_t did = replay_recorded_domain(r, (uint16_t)(d.qw0 >> 16),
						      (uint16_t)(e->qi.qw0 >> 16));

		d.qw0 = (d.qw0 & ~0xffff0000ull) | (uint64_t)did << 16;
	}
	if (d.qw0 != e->qi.qw0 || d.qw1 != e->qi.qw1 || d.qw2 != e->qi.qw2 || d.qw3 != e->qi.qw3)
		replay_diverge(r,
			       "descriptor 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64
			       ", recorded 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64,
			       d.qw0, d.qw1, d.qw2, d.qw3, e->qi.qw0, e->qi.qw1, e->qi.qw2, e->qi.qw3);
}

/* ---- flush queue, bounces ---- */

static void watch_enqueue(void *arg, struct device *dev, unsigned cpu, uint64_t pfn, uint64_t pages)
{
	(void)cpu, (void)pages;
	replay_set_pfn(arg, dev, pfn, PFN_QUEUED);
}

static void watch_flush(void *arg, struct device *dev, unsigned cpu, bool timer)
{
	struct replay *r = arg;

	(void)dev, (void)cpu;
	r->totals.full_flushes += !timer;
}

/* A request's slots show in the mapping lines that follow. */
static void bind_slot(struct replay *r, struct device *dev)
{
	const struct context_run *c = r->run;

	for (uint32_t k = c->pos; c->op->kind == REPLAY_REQUEST && k < c->op->nevents; k++) {
		const struct recording_event *e = recording_at(r->rec, operations_event(r->ops, c->op, k));

		if (e->kind == REC_DMA_MAP)
			replay_bind_hint(r, dev, e->dma.addr);
		else if (e->kind == REC_DMA_MAP_SG && e->sg.addrs.count)
			replay_bind_hint(r, dev, *recording_list(r->rec, e->sg.addrs));
		else
			continue;
		return;
	}
}

static void watch_bounce(void *arg, struct device *dev, phys_addr_t phys, size_t size)
{
	struct replay *r = arg;
	const struct recording_event *e;

	if (replay_quiet(r))
		return;
	replay_log(r, REC_BOUNCE, phys, size, 0);
	hist_add(r->hists[REPLAY_HIST_BOUNCE], size, 1);
	e = replay_expect(r, REC_BOUNCE, false);
	if (e && (e->bounce.addr != phys || e->bounce.size != size))
		replay_diverge(r, "bounces 0x%" PRIx64 "+%zu, recorded 0x%" PRIx64 "+%" PRIu64, phys, size,
			       e->bounce.addr, e->bounce.size);
	bind_slot(r, dev);
}

void replay_watch(struct replay *r)
{
	r->observer = (struct dma_observer){
	    .arg = r,
	    .reached = watch_place,
	    .call = replay_has_nvme(r) ? replay_nvme_call : NULL,
	    .iova_alloc = watch_alloc,
	    .iova_free = watch_free,
	    .map = watch_map,
	    .unmap = watch_unmap,
	    .cache_tag_flush = watch_tag,
	    .cache_tag_flush_np = watch_tag_np,
	    .qi_submit = watch_qi,
	    .fq_enqueue = watch_enqueue,
	    .fq_flush = watch_flush,
	    .bounce = watch_bounce,
	};
	dma_layer_set_observer(r->config.layer, &r->observer);
}
