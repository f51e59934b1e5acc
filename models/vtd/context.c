/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Root, context and PASID structures with their caches. Intel VT-d architecture specification rev 4.1:
 * 3.4 (structures), 6.2.1 (context and PASID cache), 9.1-9.6 (entries). The structures are host
 * objects; the reads that a unit makes to fetch them are counted as if they lay in memory: root and
 * context entry, and in scalable mode PASID directory and PASID entry.
 */
#include "internal.h"

#define PASID_TABLES (1u << 14)
#define REASON_ROOT_NOT_PRESENT 0x1
#define REASON_CONTEXT_NOT_PRESENT 0x2
#define REASON_SM_ROOT_NOT_PRESENT 0x39
#define REASON_SM_CONTEXT_NOT_PRESENT 0x41
#define REASON_SM_PASID_DISABLED 0x45
#define REASON_SM_PASID_TOO_LARGE 0x46
#define REASON_SM_DIRECTORY_NOT_PRESENT 0x51
#define REASON_SM_PASID_NOT_PRESENT 0x59
#define REASON_PASID_IN_LEGACY 0x31

void context_init(struct vtd_unit *u)
{
	struct context_caches *c = &u->contexts;
	const struct pwc_params *p = &u->p.pwc;

	c->context = tlb_new(p->context_entries, 0, VTD_LRU, false, 0, NULL);
	c->pasid = tlb_new(p->pasid_entries, 0, VTD_LRU, false, 0, NULL);
	c->context_copy = g_new0(struct vtd_context, tlb_capacity(c->context) + 1);
	c->pasid_copy = g_new0(struct vtd_context, tlb_capacity(c->pasid) + 1);
}

static void device_free(struct device_context *d)
{
	g_free(d->rid);
	for (unsigned t = 0; d->pasids && t < PASID_TABLES; t++) {
		for (unsigned i = 0; d->pasids[t] && i < 64; i++)
			g_free(d->pasids[t]->entry[i]);
		g_free(d->pasids[t]);
	}
	g_free(d->pasids);
}

void context_fini(struct vtd_unit *u)
{
	for (unsigned b = 0; b < 256; b++) {
		for (unsigned i = 0; u->buses[b] && i < 256; i++)
			device_free(&u->buses[b]->devfn[i]);
		g_free(u->buses[b]);
	}
	tlb_free(u->contexts.context);
	tlb_free(u->contexts.pasid);
	g_free(u->contexts.context_copy);
	g_free(u->contexts.pasid_copy);
}

static void store(const struct vtd_unit *u, struct vtd_context **slot, const struct vtd_context *ctx)
{
	g_free(*slot);
	*slot = ctx ? g_memdup2(ctx, sizeof(*ctx)) : NULL;
	if (*slot)
		nested_wrap(u, *slot);
}

void vtd_set_context(struct vtd_unit *u, uint16_t sid, uint32_t pasid, const struct vtd_context *ctx)
{
	struct context_bus **bus = &u->buses[sid >> 8];
	struct device_context *d;
	struct pasid_table **table;

	if (!*bus)
		*bus = g_new0(struct context_bus, 1);
	d = &(*bus)->devfn[sid & 0xff];
	if (ctx && ctx->type >= VTD_FIRST_STAGE)
		u->first_stage_used = true;
	if (pasid == NO_PASID) {
		store(u, &d->rid, ctx);
		return;
	}
	g_assert(u->scalable && pasid < 1u << 20);
	if (!d->pasids)
		d->pasids = g_new0(struct pasid_table *, PASID_TABLES);
	table = &d->pasids[pasid >> 6];
	if (!*table)
		*table = g_new0(struct pasid_table, 1);
	store(u, &(*table)->entry[pasid & 63], ctx);
}

uint16_t vtd_domain_of(const struct vtd_unit *u, uint16_t sid, uint32_t pasid)
{
	const struct context_bus *bus = u->buses[sid >> 8];
	const struct device_context *d = bus ? &bus->devfn[sid & 0xff] : NULL;
	const struct vtd_context *c;

	if (!d)
		return 0;
	if (pasid == NO_PASID)
		c = d->rid;
	else
		c = d->pasids && d->pasids[pasid >> 6] ? d->pasids[pasid >> 6]->entry[pasid & 63] : NULL;
	return c ? c->did : 0;
}

/* ---- what the unit does ---- */

/* Root and context entry of sid: 2 reads. */
static struct device_context *fetch_device(struct vtd_unit *u, uint16_t sid, unsigned *reads, uint8_t *fault)
{
	struct context_bus *bus = u->buses[sid >> 8];
	struct device_context *d;

	*reads += 1;
	if (!bus) {
		*fault = u->scalable ? REASON_SM_ROOT_NOT_PRESENT : REASON_ROOT_NOT_PRESENT;
		return NULL;
	}
	*reads += 1;
	d = &bus->devfn[sid & 0xff];
	if (!d->rid && !d->pasids) {
		*fault = u->scalable ? REASON_SM_CONTEXT_NOT_PRESENT : REASON_CONTEXT_NOT_PRESENT;
		return NULL;
	}
	return d;
}

/* PASID directory entry and PASID entry: 2 reads. */
static struct vtd_context *fetch_pasid(struct vtd_unit *u, const struct device_context *d, uint32_t pasid,
				       unsigned *reads, uint8_t *fault)
{
	struct pasid_table *table;

	if (pasid == NO_PASID) {
		*reads += 2;
		if (!d->rid)
			*fault = REASON_SM_PASID_NOT_PRESENT;
		return d->rid;
	}
	if (!d->pasids) {
		*fault = REASON_SM_PASID_DISABLED;
		return NULL;
	}
	if (pasid >> MIN(u->caps.pasid_bits, 20u)) {
		*fault = REASON_SM_PASID_TOO_LARGE;
		return NULL;
	}
	*reads += 1;
	table = d->pasids[pasid >> 6];
	if (!table) {
		*fault = REASON_SM_DIRECTORY_NOT_PRESENT;
		return NULL;
	}
	*reads += 1;
	if (!table->entry[pasid & 63])
		*fault = REASON_SM_PASID_NOT_PRESENT;
	return table->entry[pasid & 63];
}

static struct device_context *device_of(struct vtd_unit *u, uint16_t sid)
{
	return &u->buses[sid >> 8]->devfn[sid & 0xff];
}

/* Legacy mode: the context cache holds everything. */
static const struct vtd_context *find_legacy(struct vtd_unit *u, const struct iommu_request *rq,
					     unsigned *reads, uint8_t *fault)
{
	struct context_caches *c = &u->contexts;
	struct tlb_key key = {0, rq->sid, PAGE_SHIFT};
	struct device_context *d;

	if (tlb_lookup(c->context, &key)) {
		u->st->context_hits++;
		return &c->context_copy[tlb_last_slot(c->context)];
	}
	d = fetch_device(u, rq->sid, reads, fault);
	if (!d)
		return NULL;
	tlb_insert(c->context, &key, 0);
	if (!tlb_capacity(c->context))
		return d->rid;
	c->context_copy[tlb_last_slot(c->context)] = *d->rid;
	return &c->context_copy[tlb_last_slot(c->context)];
}

/* Scalable mode: context cache (the way to the PASID directory), then PASID cache. */
static const struct vtd_context *find_scalable(struct vtd_unit *u, const struct iommu_request *rq,
					       unsigned *reads, uint8_t *fault)
{
	struct context_caches *c = &u->contexts;
	uint32_t pasid = rq->pasid;
	struct tlb_key ckey = {0, rq->sid, PAGE_SHIFT},
		       pkey = {rq->sid, pasid == NO_PASID ? UINT32_MAX : pasid, PAGE_SHIFT};
	struct device_context *d;
	struct vtd_context *entry;

	if (tlb_lookup(c->context, &ckey)) {
		u->st->context_hits++;
		d = device_of(u, rq->sid);
	} else {
		d = fetch_device(u, rq->sid, reads, fault);
		if (!d)
			return NULL;
		tlb_insert(c->context, &ckey, 0);
	}
	u->st->pasid_lookups++;
	if (tlb_lookup(c->pasid, &pkey)) {
		u->st->pasid_hits++;
		return &c->pasid_copy[tlb_last_slot(c->pasid)];
	}
	entry = fetch_pasid(u, d, pasid, reads, fault);
	if (!entry)
		return NULL;
	tlb_insert(c->pasid, &pkey, 0);
	if (!tlb_capacity(c->pasid))
		return entry;
	c->pasid_copy[tlb_last_slot(c->pasid)] = *entry;
	return &c->pasid_copy[tlb_last_slot(c->pasid)];
}

const struct vtd_context *context_find_slow(struct vtd_unit *u, const struct iommu_request *rq, unsigned n,
					    unsigned *reads, uint8_t *fault)
{
	struct context_caches *c = &u->contexts;
	const struct vtd_context *found;

	c->memo = NULL;
	*reads = 0;
	*fault = 0;
	u->st->context_lookups++;
	if (u->scalable) {
		found = find_scalable(u, rq, reads, fault);
	} else if (rq->pasid != NO_PASID) {
		*fault = REASON_PASID_IN_LEGACY;
		return NULL;
	} else {
		found = find_legacy(u, rq, reads, fault);
	}
	u->st->context_memory_reads += *reads;
	u->st->walk_memory_reads += *reads;
	if (!found)
		return NULL;
	/* The other TLPs of the train hit. */
	u->st->context_lookups += n - 1;
	u->st->context_hits += n - 1;
	if (u->scalable) {
		u->st->pasid_lookups += n - 1;
		u->st->pasid_hits += n - 1;
	}
	if (tlb_capacity(c->context) && (!u->scalable || tlb_capacity(c->pasid))) {
		c->memo = found;
		c->memo_requester = requester(rq);
		c->memo_tag = context_tag(u, found, rq);
	}
	return found;
}

/* ---- invalidation ---- */

struct match {
	const struct vtd_context *copy;
	uint16_t did;
	GArray *keys;
};

static void match_did(void *arg, const struct tlb_key *k, uint64_t *payload, unsigned slot)
{
	struct match *m = arg;

	(void)payload;
	if (m->copy[slot].did == m->did)
		g_array_append_val(m->keys, *k);
}

/* Entries that carry a domain id in their contents. Rare: attach and detach of devices. */
static void invalidate_did(struct tlb *t, const struct vtd_context *copy, uint16_t did)
{
	struct match m = {copy, did, g_array_new(FALSE, FALSE, sizeof(struct tlb_key))};

	tlb_visit(t, match_did, &m);
	for (guint i = 0; i < m.keys->len; i++)
		tlb_remove(t, &g_array_index(m.keys, struct tlb_key, i));
	g_array_free(m.keys, TRUE);
}

void context_invalidate(struct vtd_unit *u, enum qi_context_granularity g, uint16_t did, uint16_t sid,
			uint8_t fm)
{
	static const uint16_t masked[4] = {0, 4, 6, 7}; /* function bits that FM leaves out */
	struct context_caches *c = &u->contexts;

	c->memo = NULL;
	if (g == QI_CC_DEVICE) {
		for (unsigned f = 0; f <= masked[fm & 3]; f++) {
			struct tlb_key key = {0, (sid & ~masked[fm & 3]) | (f & masked[fm & 3]), PAGE_SHIFT};

			tlb_remove(c->context, &key);
		}
	} else if (g == QI_CC_DOMAIN && !u->scalable) {
		invalidate_did(c->context, c->context_copy, did);
	} else {
		/* Scalable-mode context entries have no domain id: coarser is legal. */
		tlb_invalidate_all(c->context);
	}
}

void pasid_invalidate(struct vtd_unit *u, enum qi_pc_granularity g, uint16_t did, uint32_t pasid)
{
	struct context_caches *c = &u->contexts;

	c->memo = NULL;
	if (g == QI_PC_GLOBAL)
		tlb_invalidate_all(c->pasid);
	else if (g == QI_PC_DOMAIN)
		invalidate_did(c->pasid, c->pasid_copy, did);
	else {
		/* Any requester; RID_PASID also stands for requests without a PASID. */
		tlb_invalidate_match(c->pasid, 0, 0, pasid, 1);
		if (pasid == RID_PASID)
			tlb_invalidate_match(c->pasid, 0, 0, UINT32_MAX, 1);
	}
}
