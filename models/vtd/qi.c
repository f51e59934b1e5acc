/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queued invalidation: execution of descriptors. Intel VT-d architecture specification rev 4.1: 6.5.2
 * (descriptors, ordering, completion), 6.5.2.10 (errors).
 *
 * Descriptors take effect in queue order. IOTLB and cache invalidations occupy the unit for their
 * service time; device-TLB invalidations are messages whose answers only a wait looks for; a wait
 * completes when everything before it has.
 */
#include "vtd_internal.h"

#include <dmasim/timeline.h>

#define ANY_DRAIN (UINT64_C(3) << 6)

struct qi_run {
	struct vtd_unit *u;
	sim_time_t now;     /* service of the queue */
	sim_time_t pending; /* answers and drains that a wait must see */
	sim_time_t done;    /* last status write */
};

/* Bits that must be zero: qw0, qw1 by type; type 3 and 8 have been left lenient by all drivers' users. */
static const struct {
	uint64_t qw0, qw1;
} allowed_bits[] = {
    [QI_CC] = {0x0003ffffffff003f, 0},
    [QI_IOTLB] = {0x00000000ffff00ff, 0xfffffffffffff07f},
    [QI_DEV_TLB] = {0xfff0ffff001ff00f, 0xfffffffffffff001},
    [QI_IEC] = {0x0000fffff800001f, 0},
    [QI_WAIT] = {0xffffffff000000ff, ~UINT64_C(3)},
    [QI_P_IOTLB] = {0x000fffffffff003f, 0xfffffffffffff07f},
    [QI_PC] = {0x000fffffffff003f, 0},
    [QI_P_DEV_TLB] = {UINT64_MAX, 0xfffffffffffff801},
    [QI_PGRP_RESP] = {0x000ffffffffff01f, 0xfffffffffffffffc},
};

static enum qi_error check(const struct vtd_unit *u, const struct qi_desc *d)
{
	unsigned type = qi_desc_type(d), g = (unsigned)(d->qw0 >> 4 & 3);

	if (type < QI_CC || type > (u->scalable ? QI_PGRP_RESP : QI_WAIT))
		return QI_ERROR_TYPE;
	if (d->qw0 & ~allowed_bits[type].qw0 || d->qw1 & ~allowed_bits[type].qw1 || d->qw2 || d->qw3)
		return QI_ERROR_RESERVED;
	if (((type == QI_CC || type == QI_IOTLB) && g == 0) || (type == QI_PC && g == 2) ||
	    (type == QI_P_IOTLB && g < 2))
		return QI_ERROR_RESERVED;
	if (type == QI_IOTLB && g == QI_PAGE && (!u->caps.psi || (d->qw1 & 0x3f) > u->caps.mamv))
		return QI_ERROR_MASK;
	return QI_OK;
}

/* Completion must wait for requests that were translated with what is going away. */
static inline void drain(struct qi_run *r)
{
	if (!r->u->p.qi.drain)
		return;
	r->pending = MAX(r->pending, r->u->in_flight_until);
	r->pending = MAX(r->pending, r->u->walks_until);
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

static G_GNUC_NO_INLINE void invalidate_domain(struct vtd_unit *u, uint64_t did, uint64_t mask)
{
	u->st->invalidated_iotlb += tlb_invalidate_match(u->iotlb, did, mask, 0, UINT64_MAX);
	u->st->invalidated_pwc += pwc_invalidate(&u->second, did, mask, 0, UINT64_MAX);
	u->st->invalidated_pwc += pwc_invalidate(&u->first, did, mask, 0, UINT64_MAX);
}

static void run_iotlb(struct qi_run *r, const struct qi_desc *d)
{
	struct vtd_unit *u = r->u;
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
	r->now += u->p.qi.service;
	if (d->qw0 & ANY_DRAIN)
		drain(r);
}

/* PASID-based: entries reached through that domain id and PASID. */
static void run_piotlb(struct qi_run *r, const struct qi_desc *d)
{
	struct vtd_unit *u = r->u;
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
	r->now += u->p.qi.service;
	drain(r);
}

static void run_wait(struct qi_run *r, const struct qi_desc *d)
{
	struct vtd_unit *u = r->u;
	sim_time_t complete = MAX(r->now, r->pending) + u->p.qi.wait_latency;

	u->st->qi_wait++;
	if (d->qw0 >> 5 & 1) {
		uint32_t status = (uint32_t)(d->qw0 >> 32);
		uint32_t *at = memory_ptr(u->mem, d->qw1 & ~UINT64_C(3));

		if (at)
			*at = status;
	}
	/* FN: nothing later starts before the status is visible. */
	if (d->qw0 >> 6 & 1)
		r->now = complete;
	r->done = complete;
}

/* All but the two that every unmap submits. */
static G_GNUC_NO_INLINE void run_other(struct qi_run *r, const struct qi_desc *d)
{
	struct vtd_unit *u = r->u;

	switch ((enum qi_type)qi_desc_type(d)) {
	case QI_P_IOTLB:
		run_piotlb(r, d);
		break;
	case QI_CC:
		u->st->qi_context++;
		context_invalidate(u, (enum qi_context_granularity)(d->qw0 >> 4 & 3),
				   (uint16_t)(d->qw0 >> 16), (uint16_t)(d->qw0 >> 32),
				   (uint8_t)(d->qw0 >> 48 & 3));
		r->now += u->p.qi.service;
		break;
	case QI_PC:
		u->st->qi_pasid++;
		pasid_invalidate(u, (enum qi_pc_granularity)(d->qw0 >> 4 & 3), (uint16_t)(d->qw0 >> 16),
				 (uint32_t)(d->qw0 >> 32 & 0xfffff));
		r->now += u->p.qi.service;
		break;
	case QI_IEC:
		u->st->qi_iec++;
		r->now += u->p.qi.service;
		break;
	case QI_DEV_TLB:
	case QI_P_DEV_TLB:
		u->st->qi_device_tlb++;
		u->removal_time = r->now + (u->sim->timing ? u->p.qi.device_tlb_latency : 0);
		if (!ats_invalidate(u, d))
			u->qi_error = QI_ERROR_TIMEOUT;
		r->pending = MAX(r->pending, r->now + u->p.qi.device_tlb_latency);
		break;
	case QI_PGRP_RESP:
		page_request_respond(u, d, r->now);
		break;
	case QI_IOTLB:
	case QI_WAIT:
		g_assert_not_reached();
	}
}

static inline void run_one(struct qi_run *r, const struct qi_desc *d)
{
	unsigned type = qi_desc_type(d);

	r->u->removal_time = r->now + (r->u->sim->timing ? r->u->p.qi.service : 0);
	if (type == QI_IOTLB)
		run_iotlb(r, d);
	else if (type == QI_WAIT)
		run_wait(r, d);
	else
		run_other(r, d);
}

sim_time_t vtd_qi_execute(struct vtd_unit *u, const struct qi_desc *desc, unsigned n, sim_time_t when)
{
	struct qi_run r = {u, when, 0, when};

	if (u->sim->timing)
		r.now = MAX(when, u->qi_free);
	for (unsigned i = 0; i < n && !u->qi_error; i++) {
		u->qi_stopped = i;
		u->qi_error = check(u, &desc[i]);
		if (G_UNLIKELY(u->qi_error))
			break;
		u->st->qi_total++;
		if (u->qi_observer)
			u->qi_observer(u->qi_observer_arg, &desc[i], when);
		run_one(&r, &desc[i]);
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
