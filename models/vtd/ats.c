/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address translation services: a device asks its own TLB, then the unit, and keeps the answer.
 * PCI Express base specification 10.2, 10.3.
 */
#include "internal.h"

int vtd_ats_translate(struct vtd_unit *u, const struct iommu_request *rq, sim_time_t when,
		      struct iommu_result *res)
{
	struct device_tlb *d = device_tlb_find(u, rq->sid);
	struct iommu_request ask = *rq;
	unsigned n = rq->tlps ? rq->tlps : 1, shift;
	struct tlb_key key;
	uint64_t *p, tag;
	int ret;

	if (!d)
		return vtd_translate(u, rq, when, res);
	tag = device_tlb_tag(vtd_domain_of(u, rq->sid, rq->pasid), rq->pasid);
	u->st->ats_lookups += n;
	u->removal_time = when;
	p = device_tlb_lookup(d, tag, rq, &shift);
	if (p) {
		u->st->ats_hits += n;
		if (*p & TLB_REPORT)
			u->st->stale_accesses += n;
		*res = (struct iommu_result){.phys = (*p & PAYLOAD_ADDRESS) |
						     (rq->addr & ((UINT64_C(1) << shift) - 1)),
					     .page_shift = (uint8_t)shift,
					     .hit = true,
					     .ready = when};
		return 0;
	}
	u->st->ats_hits += n - 1;
	u->st->ats_requests++;
	ask.ats = true;
	ask.tlps = 1;
	if (u->sim->timing)
		when += u->p.ats.request_latency / 2;
	ret = vtd_translate(u, &ask, when, res);
	res->hit = false;
	if (u->sim->timing)
		res->ready += u->p.ats.request_latency - u->p.ats.request_latency / 2;
	if (ret)
		return ret;
	key = (struct tlb_key){tag, rq->addr >> res->page_shift, res->page_shift};
	/* The answer grants what was asked for, not more: a later write asks again. */
	tlb_insert(d->tlb, &key,
		   align_down(res->phys, UINT64_C(1) << res->page_shift) | (rq->access & PAYLOAD_RIGHTS));
	return 0;
}
