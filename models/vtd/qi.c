/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queued invalidation: execution of descriptors. Intel VT-d architecture specification rev 4.1: 6.5.2
 * (descriptors, ordering, completion), 6.5.2.10 (errors).
 *
 * Descriptors take effect in queue order. IOTLB and cache invalidations occupy the unit for their
 * service time; device-TLB invalidations are messages whose answers only a wait looks for; a wait
 * completes when everything before it has.
 */
#include "internal.h"

#include "sim/timeline.h"

#define ANY_DRAIN (UINT64_C(3) << 6)

/* Where execution is; functions take it and return what becomes of it, so that it stays in registers. */
struct qi_run {
	sim_time_t now;     /* service of the queue */
	sim_time_t pending; /* answers and drains that a wait must see */
	sim_time_t done;    /* last status write */
};

/*
 * Bits and granularities (a set) that must not be. Reserved bits next to the source id and size fields of
 * device-TLB descriptors (types 3 and 8) are not looked at: drivers differ in them.
 */
static const struct {
	uint64_t qw0, qw1;
	uint8_t granularities;
} forbidden[] = {
    [QI_CC] = {~UINT64_C(0x0003ffffffff003f), UINT64_MAX, 1 << 0},
    [QI_IOTLB] = {~UINT64_C(0x00000000ffff00ff), ~UINT64_C(0xfffffffffffff07f), 1 << 0},
    [QI_DEV_TLB] = {~UINT64_C(0xfff0ffff001ff00f), ~UINT64_C(0xfffffffffffff001), 0},
    [QI_IEC] = {~UINT64_C(0x0000fffff800001f), UINT64_MAX, 0},
    [QI_WAIT] = {~UINT64_C(0xffffffff000000ff), 3, 0},
    [QI_P_IOTLB] = {~UINT64_C(0x000fffffffff003f), ~UINT64_C(0xfffffffffffff07f), 1 << 0 | 1 << 1},
    [QI_PC] = {~UINT64_C(0x000fffffffff003f), UINT64_MAX, 1 << 2},
    [QI_P_DEV_TLB] = {0, ~UINT64_C(0xfffffffffffff801), 0},
    [QI_PGRP_RESP] = {~UINT64_C(0x000ffffffffff01f), 3, 0},
};

static inline enum qi_error check(const struct vtd_unit *u, const struct qi_desc *d)
{
	unsigned type = qi_desc_type(d), g = (unsigned)(d->qw0 >> 4 & 3);

	if (type - QI_CC > (u->scalable ? QI_PGRP_RESP : QI_WAIT) - QI_CC)
		return QI_ERROR_TYPE;
	if ((d->qw0 & forbidden[type].qw0) | (d->qw1 & forbidden[type].qw1) | d->qw2 | d->qw3 |
	    (forbidden[type].granularities >> g & 1))
		return QI_ERROR_RESERVED;
	if (type == QI_IOTLB && g == QI_PAGE && (!u->caps.psi || (d->qw1 & 0x3f) > u->caps.mamv))
		return QI_ERROR_MASK;
	return QI_OK;
}

/* Completion must wait for requests that were, or are being, translated with what is going away. */
static inline struct qi_run drain(const struct vtd_unit *u, struct qi_run r)
{
	if (u->p.qi.drain)
		r.pending = MAX(r.pending, in_flight_until(&u->in_flight, r.now));
	return r;
}

/* Tags of a domain's entries, without and with those of other requesters and first stages. */
static inline uint64_t domain_mask(const struct vtd_unit *u)
{
	return u->p.iotlb.tag_sid || u->first_stage_used ? TAG_DID : UINT64_MAX;
}

static inline uint64_t span_pages(unsigned am)
{
	return UINT64_C(1) << MIN(am, 63u);
}

static void invalidate_page(struct vtd_unit *u, uint16_t did, uint64_t page, unsigned am, bool ih)
{
	uint64_t count = span_pages(am), mask = u->p.iotlb.tag_sid ? TAG_ALL_BUT_SID : UINT64_MAX;
	unsigned iotlb, pwc = 0;

	page &= ~(count - 1);
	if (mask == UINT64_MAX)
		iotlb = tlb_invalidate_range(u->iotlb, did, page, count);
	else
		iotlb = tlb_invalidate_match(u->iotlb, did, mask, page, count);
	if (G_UNLIKELY(u->first_stage_used))
		/* First-stage and nested entries have guest addresses: all of the domain go. */
		iotlb += tlb_invalidate_match(u->iotlb, did | TAG_FIRST_STAGE, TAG_DID | TAG_FIRST_STAGE, 0,
					      UINT64_MAX);
	if (!ih) {
		if (u->p.pwc.psi_nonleaf == PSI_NONLEAF_DOMAIN)
			pwc = pwc_invalidate(&u->second, did, domain_mask(u), 0, UINT64_MAX);
		else
			pwc = pwc_invalidate(&u->second, did, mask, page, count);
		if (G_UNLIKELY(u->first_stage_used))
			pwc += pwc_invalidate(&u->first, did, TAG_DID, 0, UINT64_MAX);
	}
	u->st->invalidated_iotlb += iotlb;
	u->st->invalidated_pwc += pwc;
}

static RARE void invalidate_domain(struct vtd_unit *u, uint64_t did, uint64_t mask)
{
	u->st->invalidated_iotlb += tlb_invalidate_match(u->iotlb, did, mask, 0, UINT64_MAX);
	u->st->invalidated_pwc += pwc_invalidate(&u->second, did, mask, 0, UINT64_MAX);
	u->st->invalidated_pwc += pwc_invalidate(&u->first, did, mask, 0, UINT64_MAX);
}

static inline struct qi_run run_iotlb(struct vtd_unit *u, struct qi_run r, const struct qi_desc *d)
{
	unsigned am = (unsigned)(d->qw1 & 0x3f);
	uint16_t did = (uint16_t)(d->qw0 >> 16);

	switch ((enum qi_granularity)(d->qw0 >> 4 & 3)) {
	case QI_PAGE:
		u->st->qi_iotlb_page++;
		hist_add(u->st->page_span, span_pages(am), 1);
		invalidate_page(u, did, d->qw1 >> PAGE_SHIFT, am, d->qw1 >> 6 & 1);
		break;
	case QI_DOMAIN:
		u->st->qi_iotlb_domain++;
		invalidate_domain(u, did, TAG_DID);
		break;
	case QI_GLOBAL:
		u->st->qi_iotlb_global++;
		invalidate_domain(u, 0, 0);
		break;
	}
	r.now += u->p.qi.service;
	return d->qw0 & ANY_DRAIN ? drain(u, r) : r;
}

/* PASID-based: entries reached through that domain id and PASID. */
static void run_piotlb(struct vtd_unit *u, const struct qi_desc *d)
{
	uint64_t did = d->qw0 >> 16 & TAG_DID, pasid = (d->qw0 >> 32 & 0xfffff) << TAG_PASID_SHIFT;
	uint64_t tag = did | pasid | TAG_FIRST_STAGE, mask = TAG_DID | TAG_PASID | TAG_FIRST_STAGE;
	uint64_t count = span_pages((unsigned)(d->qw1 & 0x3f)), page = (d->qw1 >> PAGE_SHIFT) & ~(count - 1);

	if ((d->qw0 >> 4 & 3) == QI_PIOTLB_PAGE) {
		u->st->qi_iotlb_page++;
		hist_add(u->st->page_span, count, 1);
		u->st->invalidated_iotlb += tlb_invalidate_match(u->iotlb, tag, mask, page, count);
		if (!(d->qw1 >> 6 & 1))
			u->st->invalidated_pwc += pwc_invalidate(&u->first, tag, mask, page, count);
	} else {
		u->st->qi_iotlb_domain++;
		u->st->invalidated_iotlb += tlb_invalidate_match(u->iotlb, tag, mask, 0, UINT64_MAX);
		u->st->invalidated_pwc += pwc_invalidate(&u->first, tag, mask, 0, UINT64_MAX);
		/* Second-stage entries are tagged by domain only: those of the domain go as well. */
		u->st->invalidated_iotlb += tlb_invalidate_match(u->iotlb, did, TAG_DID | TAG_FIRST_STAGE, 0,
								 UINT64_MAX);
	}
}

static inline struct qi_run run_wait(struct vtd_unit *u, struct qi_run r, const struct qi_desc *d)
{
	r.done = MAX(r.now, r.pending) + u->p.qi.wait_latency;
	u->st->qi_wait++;
	if (d->qw0 >> 5 & 1) {
		uint32_t status = (uint32_t)(d->qw0 >> 32);
		uint32_t *at = memory_ptr(u->mem, d->qw1 & ~UINT64_C(3));

		if (at)
			*at = status;
	}
	/* FN: nothing later starts before the status is visible. */
	if (d->qw0 >> 6 & 1)
		r.now = r.done;
	return r;
}

/* All but the two that every unmap submits. */
static RARE struct qi_run run_other(struct vtd_unit *u, struct qi_run r, const struct qi_desc *d)
{
	switch ((enum qi_type)qi_desc_type(d)) {
	case QI_P_IOTLB:
		run_piotlb(u, d);
		r.now += u->p.qi.service;
		return drain(u, r);
	case QI_CC:
		u->st->qi_context++;
		context_invalidate(u, (enum qi_context_granularity)(d->qw0 >> 4 & 3),
				   (uint16_t)(d->qw0 >> 16), (uint16_t)(d->qw0 >> 32),
				   (uint8_t)(d->qw0 >> 48 & 3));
		r.now += u->p.qi.service;
		break;
	case QI_PC:
		u->st->qi_pasid++;
		pasid_invalidate(u, (enum qi_pc_granularity)(d->qw0 >> 4 & 3), (uint16_t)(d->qw0 >> 16),
				 (uint32_t)(d->qw0 >> 32 & 0xfffff));
		r.now += u->p.qi.service;
		break;
	case QI_IEC:
		u->st->qi_iec++;
		r.now += u->p.qi.service;
		break;
	case QI_DEV_TLB:
	case QI_P_DEV_TLB:
		u->st->qi_device_tlb++;
		u->removal_time = r.now + (u->sim->timing ? u->p.qi.device_tlb_latency : 0);
		if (!device_tlb_invalidate(u, d))
			u->qi_error = QI_ERROR_TIMEOUT;
		r.pending = MAX(r.pending, r.now + u->p.qi.device_tlb_latency);
		break;
	case QI_PGRP_RESP:
		page_request_respond(u, d, r.now);
		break;
	case QI_IOTLB:
	case QI_WAIT:
		g_assert_not_reached();
	}
	return r;
}

static inline struct qi_run run_one(struct vtd_unit *u, struct qi_run r, const struct qi_desc *d)
{
	unsigned type = qi_desc_type(d);

	u->removal_time = r.now + (u->sim->timing ? u->p.qi.service : 0);
	if (type == QI_WAIT)
		return run_wait(u, r, d);
	return G_LIKELY(type == QI_IOTLB) ? run_iotlb(u, r, d) : run_other(u, r, d);
}

sim_time_t vtd_qi_execute(struct vtd_unit *u, const struct qi_desc *desc, unsigned n, sim_time_t when)
{
	struct qi_run r = {when, 0, when};

	if (u->sim->timing)
		r.now = MAX(when, u->qi_free);
	for (unsigned i = 0; i < n && G_LIKELY(!u->qi_error); i++) {
		enum qi_error err = check(u, &desc[i]);

		u->qi_stopped = i;
		if (G_UNLIKELY(err)) {
			u->qi_error = err;
			break;
		}
		u->st->qi_total++;
		if (G_UNLIKELY(u->qi_observer))
			u->qi_observer(u->qi_observer_arg, &desc[i], when);
		r = run_one(u, r, &desc[i]);
	}
	if (!u->sim->timing)
		return when;
	u->qi_free = r.now;
	u->st->qi_wait_time += r.done - when;
	sim_slice(u->sim, TIMELINE_INVALIDATION, n > 2 ? "invalidate (batch)" : "invalidate", when, r.done);
	return r.done;
}

void vtd_set_qi_observer(struct vtd_unit *u, vtd_qi_observer fn, void *arg)
{
	u->qi_observer = fn;
	u->qi_observer_arg = arg;
}

enum qi_error vtd_qi_error(const struct vtd_unit *u)
{
	return u->qi_error;
}

unsigned vtd_qi_stopped_at(const struct vtd_unit *u)
{
	return u->qi_stopped;
}

void vtd_qi_clear_error(struct vtd_unit *u)
{
	u->qi_error = QI_OK;
}
