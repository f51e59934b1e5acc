/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of models/vtd share. */
#ifndef DMASIM_VTD_INTERNAL_H
#define DMASIM_VTD_INTERNAL_H

#include "in_flight.h"

#include "sim/rng.h"
#include "vtd.h"

#define VTD_MAX_LEVELS 5u
/* Requests to this window are interrupts and never translated (rev 4.1 3.15). */
#define INTERRUPT_BASE UINT64_C(0xfee00000)
#define INTERRUPT_LAST UINT64_C(0xfeefffff)
/* RID_PASID: what requests without a PASID use in scalable mode (Linux: IOMMU_NO_PASID). */
#define RID_PASID 0u

/* Tags of IOTLB and paging-structure entries: domain id, requester (if asked for), PASID. */
#define TAG_DID UINT64_C(0xffff)
#define TAG_SID_SHIFT 16
#define TAG_PASID_SHIFT 32
#define TAG_PASID (UINT64_C(0xfffff) << TAG_PASID_SHIFT)
#define TAG_FIRST_STAGE (UINT64_C(1) << 63) /* first stage and nested */
#define TAG_ALL_BUT_SID (~(UINT64_C(0xffff) << TAG_SID_SHIFT))

/* Payload of IOTLB and paging-structure entries: address in 51:12, rights in 1:0. */
#define PAYLOAD_RIGHTS UINT64_C(3)
#define PAYLOAD_ADDRESS UINT64_C(0x000ffffffffff000)

/* Paging-structure caches of one stage: level[k] holds entries of level k, each leading to a table of k - 1.
 */
struct pwc {
	struct tlb *level[VTD_MAX_LEVELS + 1];
	sim_time_t *ready[VTD_MAX_LEVELS + 1]; /* per slot: when the walk that brought it had it */
	/*
	 * The last look-up and what it found. Until an entry comes or goes the same look-up finds the same,
	 * and leaves every level as it is: its entries are the youngest already. found 0: none.
	 */
	struct {
		uint64_t tag, region, payload;
		sim_time_t ready;
		unsigned top, found;
	} memo;
	bool ageing; /* look-ups are counted: no memo */
};

/* What software wrote for one requester. */
struct pasid_table {
	struct vtd_context *entry[64];
};
struct device_context {
	struct vtd_context *rid;     /* NULL: not present */
	struct pasid_table **pasids; /* scalable mode: directory of 2^14 tables, NULL: no PASID enabled */
};
struct context_bus {
	struct device_context devfn[256];
};

struct context_caches {
	struct tlb *context, *pasid;
	struct vtd_context *context_copy, *pasid_copy; /* per slot: caches hold what they read */
	/* The last requester's entry and tag, while both caches still have it in the first place; NULL: none.
	 */
	const struct vtd_context *memo;
	uint64_t memo_requester, memo_tag;
};

#define LINE_SLOTS 64u
struct line_fetch {
	uint64_t line;
	sim_time_t start, ready;
};

#define FAULT_RECORDS_MAX 256u
struct fault_log {
	struct vtd_fault records[FAULT_RECORDS_MAX];
	unsigned next, first, pending;
	bool overflow;
	vtd_fault_handler handler;
	void *handler_arg;
};

/* What a page-selective invalidation with IH = 0 does to paging-structure entries. */
enum { PSI_NONLEAF_RANGE, PSI_NONLEAF_DOMAIN };

struct stale {
	sim_time_t since;
	uint64_t bytes;
};

struct device_tlb {
	struct vtd_unit *u;
	uint16_t sid;
	bool silent; /* answers no invalidation */
	struct tlb *tlb;
	struct stale *stale; /* per slot */
};

/* Page-request queue: rev 4.1 7.4. */
struct page_requests {
	struct iommu_page_request *ring;
	unsigned size, head, count;
	bool overflow;
	void (*handler)(void *arg, struct vtd_unit *u);
	void *handler_arg;
	vtd_page_response_fn response;
	void *response_arg;
};

struct vtd_unit {
	struct iommu_unit unit;
	struct sim *sim;
	struct memory *mem;
	struct vtd_params p;
	struct vtd_stats *st;
	struct hist *page_span; /* the one made here, when the owner of the statistics brought none */
	struct vtd_caps caps;
	struct rng rng;
	unsigned node;
	bool scalable;
	bool plain; /* counts, legacy mode, IOTLB by plain LRU: the usual request has a short way */
	bool first_stage_used; /* some context has first-stage tables: their entries need extra tags */

	struct outer_stage *outer; /* NULL: not nested */
	struct context_bus *buses[256];
	struct context_caches contexts;

	struct tlb *iotlb;
	sim_time_t *iotlb_ready; /* per slot */
	struct pwc second, first;
	struct resource walkers;
	struct rng read_rng;  /* which table reads are slow */
	uint64_t slow_below;  /* those whose number is below this */
	sim_time_t slow_mean; /* what slow reads add to the mean */
	struct line_fetch lines[LINE_SLOTS];
	struct in_flight in_flight; /* accesses and walks */

	struct fault_log faults;
	GPtrArray *device_tlbs; /* struct device_tlb */
	struct page_requests page_requests;

	struct stale *stale;     /* per IOTLB slot */
	sim_time_t removal_time; /* of the entries that are being removed */

	sim_time_t qi_free;
	enum qi_error qi_error;
	unsigned qi_stopped;
	vtd_qi_observer qi_observer;
	void *qi_observer_arg;
};

/* Leaf that a walk found. */
struct walk_leaf {
	phys_addr_t base; /* of the page */
	uint8_t shift;
	uint8_t rights; /* enum iommu_access */
};

/* A table read whose entry goes to the paging-structure caches when the walk is over. */
struct walk_fill {
	struct pwc *cache;
	unsigned level;
	uint64_t tag, addr, payload;
	sim_time_t ready;
};
/* Nested, 5 over 5 levels: 5 first-stage tables and the final address, each behind 4 pointers; 5 own. */
#define WALK_MAX_FILLS 32u

struct walk {
	struct vtd_unit *u;
	const struct vtd_context *ctx;
	const struct iommu_request *rq;
	unsigned reads;
	sim_time_t now; /* in counts: does not move */
	uint8_t fault;
	bool dirty; /* leaf: dirty bit is set, or not kept */
	unsigned nfills;
	struct walk_fill fills[WALK_MAX_FILLS];
};

/* context.c */
void context_init(struct vtd_unit *u);
void context_fini(struct vtd_unit *u);
/* The entry that governs rq, through the caches; NULL with *fault set. *reads: structure reads made. */
RARE const struct vtd_context *context_find_slow(struct vtd_unit *u, const struct iommu_request *rq,
						 unsigned n, unsigned *reads, uint8_t *fault);
/* Domain id that software has given to the requester now, 0 if it has no entry. */
uint16_t vtd_domain_of(const struct vtd_unit *u, uint16_t sid, uint32_t pasid);
void context_invalidate(struct vtd_unit *u, enum qi_context_granularity g, uint16_t did, uint16_t sid,
			uint8_t fm);
void pasid_invalidate(struct vtd_unit *u, enum qi_pc_granularity g, uint16_t did, uint32_t pasid);

/* pwc.c */
void pwc_init(struct pwc *c, const struct vtd_unit *u);
void pwc_fini(struct pwc *c);
/* Deepest level with an entry for addr (0: none), among levels 2..top; its payload and time. */
unsigned pwc_find_all(struct pwc *c, uint64_t tag, uint64_t addr, unsigned top, uint64_t *payload,
		      sim_time_t *ready);
#define PWC_REGION_SHIFT 21u /* what an entry of the lowest cached level covers */
/* The same, by the memo where it stands. */
static inline unsigned pwc_find(struct pwc *c, uint64_t tag, uint64_t addr, unsigned top, uint64_t *payload,
				sim_time_t *ready)
{
	if (G_LIKELY(c->memo.found && c->memo.region == addr >> PWC_REGION_SHIFT && c->memo.tag == tag &&
		     c->memo.top == top)) {
		*payload = c->memo.payload;
		*ready = c->memo.ready;
		return c->memo.found;
	}
	return pwc_find_all(c, tag, addr, top, payload, ready);
}
void pwc_fill(struct pwc *c, const struct walk_fill *f);
/* Remove what matches tag under mask and intersects count 4 KiB pages from page. */
unsigned pwc_invalidate(struct pwc *c, uint64_t tag, uint64_t mask, uint64_t page, uint64_t count);
void pwc_count_hit(struct vtd_stats *st, unsigned level);

/* walker.c */
/* Walk for w->rq; true with *leaf filled, false with w->fault. Caches are filled by walk_fill_caches. */
bool walk_tables(struct walk *w, struct walk_leaf *leaf);
void walk_fill_caches(struct walk *w);

/* nested.c: iommu.nested */
struct outer_stage;
void nested_init(struct vtd_unit *u);
void nested_fini(struct vtd_unit *u);
/* Put the host's second stage under a first-stage context. */
void nested_wrap(const struct vtd_unit *u, struct vtd_context *ctx);

/* caps.c */
enum vtd_format vtd_second_stage_format(const struct vtd_unit *u);

/* fault.c */
enum fault_kind {
	FAULT_ADDRESS,     /* beyond the table's width */
	FAULT_ACCESS,      /* table lies where there is no memory */
	FAULT_NOT_PRESENT, /* first stage only */
	FAULT_READ,
	FAULT_WRITE,
	FAULT_USER,
	FAULT_RESERVED,
	FAULT_INTERRUPT, /* translated into the interrupt window */
};
bool fault_is_permission(uint8_t reason);
uint8_t fault_blocked(const struct vtd_unit *u);
uint8_t fault_code(const struct vtd_unit *u, bool first_stage, enum fault_kind kind);
void fault_record(struct vtd_unit *u, const struct iommu_request *rq, uint8_t reason);

/* exposure.c */
void exposure_init(struct vtd_unit *u);
void exposure_removed(struct vtd_unit *u, struct stale *s);
void exposure_device_removed(void *arg, const struct tlb_key *k, uint64_t payload, unsigned slot);

/* device_tlb.c */
void device_tlb_init(struct vtd_unit *u);
void device_tlb_fini(struct vtd_unit *u);
/* The requester's, NULL if it has none. */
struct device_tlb *device_tlb_find(const struct vtd_unit *u, uint16_t sid);
/*
 * Tags: PASID above, and the domain id below, which a device does not know; it is there so that exposure
 * can tell whose pages an entry shows. Lookups therefore go by the requester's domain.
 */
uint64_t device_tlb_tag(uint16_t did, uint32_t pasid);
/* Payload of an entry that grants what rq asks for, its page size in *shift; NULL: none. */
uint64_t *device_tlb_lookup(struct device_tlb *d, uint64_t tag, const struct iommu_request *rq,
			    unsigned *shift);
/* Invalidation of type 3 or 8; false: the device does not answer. */
bool device_tlb_invalidate(struct vtd_unit *u, const struct qi_desc *d);

/* page_request.c */
void page_request_init(struct vtd_unit *u);
void page_request_fini(struct vtd_unit *u);
void page_request_respond(struct vtd_unit *u, const struct qi_desc *d, sim_time_t when);

static inline uint64_t context_tag(const struct vtd_unit *u, const struct vtd_context *c,
				   const struct iommu_request *rq)
{
	uint64_t tag = c->did;

	if (u->p.iotlb.tag_sid)
		tag |= (uint64_t)rq->sid << TAG_SID_SHIFT;
	if (c->type >= VTD_FIRST_STAGE)
		tag |= TAG_FIRST_STAGE | (uint64_t)(rq->pasid == NO_PASID ? RID_PASID : rq->pasid)
					     << TAG_PASID_SHIFT;
	return tag;
}

static inline uint64_t requester(const struct iommu_request *rq)
{
	return (uint64_t)rq->sid << 32 | rq->pasid;
}

/* Mean time of one table read at phys from the unit. */
static inline sim_time_t mean_read_latency(const struct vtd_unit *u, phys_addr_t phys)
{
	const struct memory_params *mp = memory_params(u->mem);
	sim_time_t t = u->p.walker.read_latency;

	if (mp->nodes > 1 && memory_node(u->mem, phys) != u->node)
		t += mp->latency_remote - MIN(mp->latency_dram, mp->latency_remote);
	else if (u->p.walker.llc && u->p.walker.coherent && mp->latency_dram > mp->latency_llc)
		t -= MIN(t, mp->latency_dram - mp->latency_llc);
	return t;
}

/* Time of the table read that is made now. */
static inline sim_time_t read_latency(struct vtd_unit *u, phys_addr_t phys)
{
	sim_time_t t = mean_read_latency(u, phys);

	if (!u->slow_below)
		return t;
	t -= MIN(t, u->slow_mean);
	return rng_u64(&u->read_rng) >> 11 < u->slow_below ? t + u->p.walker.slow_extra : t;
}

#endif
