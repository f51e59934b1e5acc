/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device TLBs: life, look-up and invalidation. Intel VT-d architecture specification rev 4.1: 4.2
 * (device TLB), 6.5.2.5 and 6.5.2.6 (invalidation).
 */
#include "internal.h"

void device_tlb_init(struct vtd_unit *u)
{
	u->device_tlbs = g_ptr_array_new();
}

void device_tlb_fini(struct vtd_unit *u)
{
	for (guint i = 0; i < u->device_tlbs->len; i++) {
		struct device_tlb *d = u->device_tlbs->pdata[i];

		tlb_free(d->tlb);
		g_free(d->stale);
		g_free(d);
	}
	g_ptr_array_free(u->device_tlbs, TRUE);
}

struct device_tlb *device_tlb_find(const struct vtd_unit *u, uint16_t sid)
{
	for (guint i = 0; i < u->device_tlbs->len; i++) {
		struct device_tlb *d = u->device_tlbs->pdata[i];

		if (d->sid == sid)
			return d;
	}
	return NULL;
}

void vtd_ats_enable(struct vtd_unit *u, uint16_t sid)
{
	struct device_tlb *d;

	if (device_tlb_find(u, sid))
		return;
	d = g_new0(struct device_tlb, 1);
	d->u = u;
	d->sid = sid;
	d->tlb = tlb_new(u->p.ats.entries, u->p.ats.ways, VTD_LRU, false, 0, NULL);
	d->stale = g_new0(struct stale, tlb_capacity(d->tlb) + 1);
	tlb_set_removed(d->tlb, exposure_device_removed, d);
	g_ptr_array_add(u->device_tlbs, d);
}

uint64_t device_tlb_tag(uint16_t did, uint32_t pasid)
{
	return did | (pasid == NO_PASID ? 0 : (uint64_t)(pasid + 1) << TAG_PASID_SHIFT);
}

uint64_t *device_tlb_lookup(struct device_tlb *d, uint64_t tag, const struct iommu_request *rq,
			    unsigned *shift)
{
	for (*shift = 12; *shift <= 30; *shift += 9) {
		struct tlb_key key = {tag, rq->addr >> *shift, (uint8_t)*shift};
		uint64_t *p = tlb_count_shift(d->tlb, *shift) ? tlb_lookup(d->tlb, &key) : NULL;

		if (!p)
			continue;
		if (!(rq->access & ~*p & PAYLOAD_RIGHTS))
			return p;
		tlb_remove(d->tlb, &key);
	}
	return NULL;
}

bool device_tlb_invalidate(struct vtd_unit *u, const struct qi_desc *d)
{
	bool pasid_based = qi_desc_type(d) == QI_P_DEV_TLB;
	uint16_t sid = (uint16_t)(d->qw0 >> (pasid_based ? 16 : 32));
	struct device_tlb *dev = device_tlb_find(u, sid);
	bool sized = d->qw1 >> (pasid_based ? 11 : 0) & 1;
	unsigned order = sized ? qi_device_tlb_order(d->qw1) : 0;
	uint64_t count = UINT64_C(1) << order, page = (d->qw1 >> PAGE_SHIFT) & ~(count - 1);
	uint64_t tag = 0, mask = 0;

	if (!dev)
		return true;
	if (dev->silent)
		return false;
	if (!pasid_based) {
		mask = ~TAG_DID;
	} else if (!(d->qw1 & 1)) { /* G = 0: this PASID only */
		tag = device_tlb_tag(0, (uint32_t)(d->qw0 >> 32 & 0xfffff));
		mask = ~TAG_DID;
	}
	u->st->ats_invalidated += tlb_invalidate_match(dev->tlb, tag, mask, page, count);
	return true;
}

void vtd_ats_set_answering(struct vtd_unit *u, uint16_t sid, bool answering)
{
	struct device_tlb *d = device_tlb_find(u, sid);

	if (d)
		d->silent = !answering;
}
