/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exposure: translations that outlive their unmap in the IOTLB or a device TLB, from the moment the
 * page-table entries are cleared until the cached entry is gone (invalidated or evicted).
 */
#include "internal.h"

void exposure_removed(struct vtd_unit *u, struct stale *s)
{
	if (u->removal_time > s->since) {
		sim_time_t t = u->removal_time - s->since;

		u->st->stale_ns_bytes += t / SIM_NS * s->bytes;
		u->st->stale_max = MAX(u->st->stale_max, t);
	}
	s->bytes = 0;
}

static void iotlb_removed(void *arg, const struct tlb_key *k, uint64_t payload, unsigned slot)
{
	struct vtd_unit *u = arg;

	(void)k;
	(void)payload;
	exposure_removed(u, &u->stale[slot]);
}

void exposure_device_removed(void *arg, const struct tlb_key *k, uint64_t payload, unsigned slot)
{
	struct device_tlb *d = arg;

	(void)k;
	(void)payload;
	exposure_removed(d->u, &d->stale[slot]);
}

void exposure_init(struct vtd_unit *u)
{
	u->stale = g_new0(struct stale, tlb_capacity(u->iotlb) + 1);
	tlb_set_removed(u->iotlb, iotlb_removed, u);
}

struct mark {
	struct vtd_unit *u;
	struct stale *stale;
	dma_addr_t first, last; /* unmapped, inclusive */
	sim_time_t when;
};

/* bytes of an entry of size bytes are unmapped. */
static inline void mark_entry(struct vtd_unit *u, struct stale *s, uint64_t *payload, uint64_t bytes,
			      uint64_t size, sim_time_t when)
{
	if (!(*payload & TLB_REPORT)) {
		*payload |= TLB_REPORT;
		*s = (struct stale){when, bytes};
		u->st->stale_entries++;
	} else if (s->bytes < size) {
		/* A large entry whose pages go one by one: count from the first of them. */
		s->bytes = MIN(s->bytes + bytes, size);
	}
}

static void mark_stale(void *arg, const struct tlb_key *k, uint64_t *payload, unsigned slot)
{
	struct mark *m = arg;
	uint64_t size = UINT64_C(1) << k->shift;
	dma_addr_t start = k->page << k->shift, end = start + size - 1;

	mark_entry(m->u, &m->stale[slot], payload, MIN(end, m->last) - MAX(start, m->first) + 1, size,
		   m->when);
}

/* All tags of the domain, if entries carry more than the domain id. */
static uint64_t tag_mask(const struct vtd_unit *u)
{
	return u->p.iotlb.tag_sid || u->first_stage_used ? TAG_DID : UINT64_MAX;
}

static void note_range(struct vtd_unit *u, uint16_t did, dma_addr_t iova, uint64_t len, sim_time_t when)
{
	struct mark m = {u, u->stale, iova, iova + len - 1, when};
	uint64_t page = iova >> PAGE_SHIFT, count = (m.last >> PAGE_SHIFT) - page + 1;

	tlb_visit_range(u->iotlb, did, tag_mask(u), page, count, mark_stale, &m);
	for (guint i = 0; i < u->device_tlbs->len; i++) {
		struct device_tlb *d = u->device_tlbs->pdata[i];

		m.stale = d->stale;
		tlb_visit_range(d->tlb, did, TAG_DID, page, count, mark_stale, &m);
	}
}

static void found(void *arg, const struct tlb_key *k, uint64_t *payload, unsigned slot)
{
	(void)k;
	(void)payload;
	(void)slot;
	*(bool *)arg = true;
}

bool vtd_is_cached(struct vtd_unit *u, uint16_t did, dma_addr_t iova, uint64_t len)
{
	uint64_t page = iova >> PAGE_SHIFT, count = ((iova + len - 1) >> PAGE_SHIFT) - page + 1;
	bool cached = false;

	tlb_visit_range(u->iotlb, did, tag_mask(u), page, count, found, &cached);
	for (guint i = 0; !cached && i < u->device_tlbs->len; i++) {
		struct device_tlb *d = u->device_tlbs->pdata[i];

		tlb_visit_range(d->tlb, did, TAG_DID, page, count, found, &cached);
	}
	return cached;
}

/* The usual unmap is of one page, in a cache of nothing but such. */
void vtd_note_unmap(struct vtd_unit *u, uint16_t did, dma_addr_t iova, uint64_t len, sim_time_t when)
{
	struct tlb_key key = {did, iova >> PAGE_SHIFT, PAGE_SHIFT};
	uint32_t slot;

	if (len != PAGE_SIZE || iova & ~PAGE_MASK || tag_mask(u) != UINT64_MAX ||
	    !tlb_only_base_pages(u->iotlb) || u->device_tlbs->len) {
		note_range(u, did, iova, len, when);
		return;
	}
	slot = tlb_find(u->iotlb, &key);
	if (slot != TLB_NONE)
		mark_entry(u, &u->stale[slot], &u->iotlb->entries[slot].payload, PAGE_SIZE, PAGE_SIZE, when);
}

struct finish {
	struct vtd_unit *u;
	struct stale *stale;
};

static void finish_entry(void *arg, const struct tlb_key *k, uint64_t *payload, unsigned slot)
{
	struct finish *f = arg;

	(void)k;
	if (!(*payload & TLB_REPORT))
		return;
	*payload &= ~TLB_REPORT;
	exposure_removed(f->u, &f->stale[slot]);
}

void vtd_finish(struct vtd_unit *u, sim_time_t when)
{
	struct finish f = {u, u->stale};

	u->removal_time = when;
	tlb_visit(u->iotlb, finish_entry, &f);
	for (guint i = 0; i < u->device_tlbs->len; i++) {
		struct device_tlb *d = u->device_tlbs->pdata[i];

		f.stale = d->stale;
		tlb_visit(d->tlb, finish_entry, &f);
	}
}
