/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel VT-d remapping unit as hardware: page-table formats, walker, IOTLB, paging-structure,
 * context and PASID caches, queued invalidation, device TLBs, faults.
 * Intel VT-d architecture specification rev 4.1: 3.4-3.7 (translation), 6.2-6.5 (caching and
 * invalidation), 7 (faults), 9 (entry formats), 10.4 (registers).
 *
 * Every access carries the time at which it starts and returns the time at which it is done; in
 * counts fidelity the two are equal. Caches, tables and descriptors behave identically in both.
 */
#ifndef DMASIM_MODELS_VTD_VTD_H
#define DMASIM_MODELS_VTD_VTD_H

#include "models/iommu/unit.h"
#include "models/memory/memory.h"
#include "sim/resource.h"
#include "tlb.h"

/* ---- page-table formats: one table of constants per format, every test runs over all of them ---- */

enum vtd_format {
	VTD_SS_39,
	VTD_SS_48,
	VTD_SS_57, /* second stage, 3, 4, 5 levels */
	VTD_FS_48,
	VTD_FS_57, /* first stage (x86-64), 4, 5 levels */
	VTD_FORMATS,
};

struct vtd_format_info {
	const char *name;
	unsigned levels, width;
	bool first_stage;
	uint64_t present_mask; /* entry is present iff (entry & mask) != 0 */
	uint64_t read, write, page_size_bit, address_mask;
	uint64_t accessed, dirty; /* written by the walker: always in first stage, if asked for in second */
	uint64_t table_bits;      /* what software sets in an entry that points to a table */
	uint64_t leaf_bits;       /* ... in every leaf, and in a writable one */
	uint64_t leaf_write_bits;
};
extern const struct vtd_format_info vtd_formats[VTD_FORMATS];

#define VTD_PAGES_4K (1u << 0)
#define VTD_PAGES_2M (1u << 1)
#define VTD_PAGES_1G (1u << 2)

/* ---- unit ---- */


struct iotlb_params {
	uint64_t entries; /* usable entries */
	uint64_t ways;    /* 0: fully associative */
	int replacement;  /* enum vtd_replacement */
	bool hash_sets;   /* set index by hash instead of low page bits */
	bool tag_sid;     /* tag entries by requester as well as by domain */
	sim_time_t hit_latency;
	uint64_t ageing_interval; /* requests per ageing step of VTD_AGEING */
};
struct pwc_params {
	uint64_t entries_512g, entries_1g, entries_2m; /* one cache per level; 256t for 5-level tables */
	uint64_t entries_256t;
	uint64_t context_entries, pasid_entries;
	int psi_nonleaf; /* what a page-selective invalidation with IH = 0 does to these: range or domain */
};
struct walker_params {
	uint64_t concurrency;     /* walks in flight */
	sim_time_t read_latency;  /* one table read */
	sim_time_t miss_overhead; /* fixed part of a miss */
	double slow_share;        /* of the table reads: so many take slow_extra longer than the others */
	sim_time_t slow_extra;    /* read_latency is the mean over both kinds */
	bool merge;               /* walks to the same page join */
	bool line_reuse; /* neighbouring entries of a fetched 64-byte line are free while in flight */
	bool coherent;   /* snoops CPU caches (ECAP.C) */
	bool llc;        /* coherent table reads hit the last-level cache */
};
struct qi_params {
	uint64_t entries;        /* descriptors in the ring */
	sim_time_t service;      /* hardware time of one IOTLB descriptor */
	sim_time_t wait_latency; /* status write and its observation */
	sim_time_t device_tlb_latency;
	bool drain; /* DW and DR honoured: wait for in-flight DMA */
};
struct iommu_params {
	int mode;           /* default mode when [compare] does not vary it: off, passthrough, lazy, strict */
	uint64_t cap, ecap; /* raw registers, as a kernel prints them */
	bool scalable;      /* scalable mode on (intel_iommu=sm_on) */
	bool caching_mode;  /* overrides CAP.CM */
	bool superpages;    /* false: sp_off */
	bool untrusted;     /* devices sit on an external port: strict, and partial pages bounce */
	uint64_t levels;    /* 3, 4, 5; 0: what CAP allows */
	bool nested;        /* first stage over second stage */
	char *reserved;     /* reserved IOVA windows: "80000000-afffffff,c0000000-febfffff" */
	char *dmar;         /* path of a DMAR ACPI table dump, "" if none */
	uint64_t units;     /* of a machine without such a table */
};
enum ats_devices { ATS_NONE, ATS_LISTED, ATS_ALL };
struct ats_params {
	int devices;                /* enum ats_devices: which use a device TLB, where the unit allows it */
	uint64_t entries, ways;     /* of each device's TLB */
	sim_time_t request_latency; /* translation request to the unit and its answer, without the walk */
	uint64_t page_requests;     /* entries of the page-request queue */
};
extern const struct param_table iotlb_param_table, pwc_param_table, walker_param_table, qi_param_table,
    iommu_param_table, ats_param_table;

struct vtd_params {
	struct iotlb_params iotlb;
	struct pwc_params pwc;
	struct walker_params walker;
	struct qi_params qi;
	struct iommu_params iommu;
	struct ats_params ats;
	unsigned number; /* of the unit in its machine: each has its own random streams */
};

struct vtd_stats {
	uint64_t iotlb_lookups, iotlb_hits, iotlb_misses, iotlb_evictions;
	uint64_t iotlb_hits_4k, iotlb_hits_2m, iotlb_hits_1g; /* iotlb_hits by page size */
	uint64_t walks, walk_memory_reads, walks_merged;
	uint64_t pwc_hits_256t, pwc_hits_512g, pwc_hits_1g, pwc_hits_2m;
	uint64_t context_lookups, context_hits, pasid_lookups, pasid_hits;
	uint64_t context_memory_reads; /* part of walk_memory_reads: root, context, PASID structures */
	uint64_t walk_line_reuses;     /* table reads served by a 64-byte line that was on its way */
	uint64_t ad_updates;           /* accessed and dirty bits written by the walker */
	sim_time_t walk_time;          /* from request to translation, summed over walks */
	uint64_t invalidated_iotlb, invalidated_pwc; /* entries removed by descriptors */
	uint64_t qi_iotlb_page, qi_iotlb_domain, qi_iotlb_global, qi_device_tlb, qi_context, qi_pasid, qi_iec,
	    qi_wait, qi_total;
	sim_time_t qi_wait_time;
	uint64_t faults, faults_lost, page_requests, page_requests_lost, page_responses;
	uint64_t ats_lookups, ats_hits, ats_requests, ats_invalidated;
	uint64_t stale_ns_bytes; /* bytes of unmapped memory times ns that a cached translation outlived it */
	sim_time_t stale_max;    /* longest such time */
	uint64_t stale_entries;  /* cached translations that were unmapped before they were invalidated */
	uint64_t stale_accesses; /* requests that one of them served: memory reached after its unmap */
	struct hist *page_span;  /* qi.page_span; made by vtd_new if NULL, and then gone with the unit */
};
extern const struct stat_table vtd_stat_table;

/* Whether a unit with these registers and this walker can do what is asked of it; the error names key and
 * remedy. */
bool vtd_params_check(const struct iommu_params *p, const struct walker_params *w, GError **error);

struct vtd_unit;
struct vtd_unit *vtd_new(struct sim *sim, struct memory *mem, const struct vtd_params *p,
			 struct vtd_stats *st);
void vtd_free(struct vtd_unit *u);
/* The unit as the rest of the machine knows it, and back. */
struct iommu_unit *vtd_iommu_unit(struct vtd_unit *u);
struct vtd_unit *vtd_of(struct iommu_unit *u);
/* NUMA node of the unit (DMAR: RHSA): table reads from other nodes take longer. 0 unless set. */
void vtd_set_node(struct vtd_unit *u, unsigned node);
/* Descriptors in its invalidation queue: qi.entries, rounded up to a power of two. */
unsigned vtd_qi_entries(const struct vtd_unit *u);
/* Whether it runs in scalable mode: asked for, and the unit can. */
bool vtd_scalable(const struct vtd_unit *u);
/*
 * Format that the driver gives to the tables of a DMA-API domain on this unit: first stage in
 * scalable mode where the unit has it, else the widest second stage that CAP and iommu.levels allow.
 */
enum vtd_format vtd_domain_format(const struct vtd_unit *u);
/* VTD_PAGES_* for tables of that format, after iommu.superpages. */
unsigned vtd_domain_page_sizes(const struct vtd_unit *u, enum vtd_format format);

/* What software programmed for a requester (source id) or a PASID of it. */
enum vtd_translation { VTD_BLOCKED, VTD_PASSTHROUGH, VTD_SECOND_STAGE, VTD_FIRST_STAGE, VTD_NESTED };
struct vtd_context {
	enum vtd_translation type;
	uint16_t did;
	enum vtd_format format, outer_format; /* outer: the second stage under a nested first stage */
	phys_addr_t root, outer_root;
	bool ats;
	bool fault_disable;  /* FPD: faults of its requests are not recorded */
	bool dirty_tracking; /* second stage: the walker sets accessed and dirty bits (SSADE) */
};
/*
 * Write the context entry of sid (and in scalable mode the PASID entry behind it), or the entry of a
 * PASID; ctx NULL makes it not present. What the unit has cached stays until it is invalidated.
 */
void vtd_set_context(struct vtd_unit *u, uint16_t sid, uint32_t pasid, const struct vtd_context *ctx);

/* Translate one access (it must not cross a 4 KiB page). Returns 0, or -EFAULT with res->fault set. */
int vtd_translate(struct vtd_unit *u, const struct iommu_request *rq, sim_time_t when,
		  struct iommu_result *res);
/* Tell the unit that a DMA which reached it at begin is in flight until done (for drain). */
void vtd_in_flight(struct vtd_unit *u, sim_time_t begin, sim_time_t done);

/*
 * Exposure: the driver tells that it has taken [iova, iova + len) of domain did out of the tables.
 * Translations that IOTLB and device TLBs still hold are stale from then until they go.
 */
void vtd_note_unmap(struct vtd_unit *u, uint16_t did, dma_addr_t iova, uint64_t len, sim_time_t when);
/* Does the IOTLB or a device TLB hold a translation of any page of [iova, iova + len)? */
bool vtd_is_cached(struct vtd_unit *u, uint16_t did, dma_addr_t iova, uint64_t len);
/* The run ends: what is stale still counts up to when. */
void vtd_finish(struct vtd_unit *u, sim_time_t when);

/* ---- ATS: device TLBs and page requests, rev 4.1 4.2, 7.4 ---- */

/* Give the requester a device TLB (ats.entries). Its context must allow ATS for it to be of use. */
void vtd_ats_enable(struct vtd_unit *u, uint16_t sid);
/*
 * A device that does not answer invalidations (gone, hung): the next one for it ends in QI_ERROR_TIMEOUT
 * (ITE), and waits behind it do not complete.
 */
void vtd_ats_set_answering(struct vtd_unit *u, uint16_t sid, bool answering);
/*
 * Translate as a device with ATS does: device TLB first, then a translation request; what comes back
 * is kept. 0; -EFAULT without rights (no fault is recorded unless the unit's structures are wrong).
 * A device without a device TLB gets what vtd_translate gives.
 */
int vtd_ats_translate(struct vtd_unit *u, const struct iommu_request *rq, sim_time_t when,
		      struct iommu_result *res);

enum vtd_page_response { VTD_PAGE_SUCCESS = 0, VTD_PAGE_INVALID = 1, VTD_PAGE_FAILURE = 0xf };
/* The device asks for a page. 0; -ENOSPC when the queue is full or has overflowed (the request is lost). */
int vtd_page_request(struct vtd_unit *u, const struct iommu_page_request *r);
/* The driver takes the oldest request; false when the queue is empty. */
bool vtd_page_request_read(struct vtd_unit *u, struct iommu_page_request *r);
/* PRS.PRO; while it is set all further requests are lost. */
bool vtd_page_request_overflow(struct vtd_unit *u, bool clear);
/* Called when the queue becomes non-empty (the page-request interrupt). */
void vtd_set_page_request_handler(struct vtd_unit *u, void (*fn)(void *arg, struct vtd_unit *u), void *arg);
/* Called for each page-group response descriptor. */
typedef void (*vtd_page_response_fn)(void *arg, uint16_t sid, uint32_t pasid, enum vtd_page_response code,
				     uint16_t group, sim_time_t when);
void vtd_set_page_response(struct vtd_unit *u, vtd_page_response_fn fn, void *arg);

/* ---- faults: what the fault recording registers hold, rev 4.1 11.4.14 ---- */

struct vtd_fault {
	dma_addr_t addr; /* page */
	uint32_t pasid;  /* NO_PASID */
	uint16_t sid;
	uint8_t reason;
	bool write;
	bool pending; /* F */
};
/* The oldest pending record, which is cleared; false if there is none. */
bool vtd_fault_read(struct vtd_unit *u, struct vtd_fault *f);
/* FSTS.PFO: a fault was lost because all records were pending; no more are logged until it is cleared. */
bool vtd_fault_overflow(struct vtd_unit *u, bool clear);
/* Called when the first record becomes pending (the fault interrupt). */
typedef void (*vtd_fault_handler)(void *arg, struct vtd_unit *u);
void vtd_set_fault_handler(struct vtd_unit *u, vtd_fault_handler fn, void *arg);

/* ---- invalidation queue ---- */

/* Queued-invalidation descriptors: 128-bit (legacy) or 256-bit, rev 4.1 6.5.2. */
struct qi_desc {
	uint64_t qw0, qw1, qw2, qw3;
};
enum qi_type {
	QI_CC = 1,
	QI_IOTLB = 2,
	QI_DEV_TLB = 3,
	QI_IEC = 4,
	QI_WAIT = 5,
	QI_P_IOTLB = 6,
	QI_PC = 7,
	QI_P_DEV_TLB = 8,
	QI_PGRP_RESP = 9,
};
enum qi_granularity { QI_GLOBAL = 1, QI_DOMAIN = 2, QI_PAGE = 3 };
struct qi_desc qi_desc_iotlb(uint16_t did, enum qi_granularity g, uint64_t addr, unsigned am, bool ih,
			     bool drain);
struct qi_desc qi_desc_wait(phys_addr_t status_addr, uint32_t status_data);
enum qi_context_granularity { QI_CC_GLOBAL = 1, QI_CC_DOMAIN = 2, QI_CC_DEVICE = 3 };
struct qi_desc qi_desc_context(uint16_t did, enum qi_context_granularity g, uint16_t sid, uint8_t fm);
/* size_order: log2 of 4 KiB pages, 52: everything. */
struct qi_desc qi_desc_device_tlb(uint16_t sid, uint16_t pfsid, unsigned queue_depth, uint64_t addr,
				  unsigned size_order);
struct qi_desc qi_desc_iec(bool index, uint16_t iidx, unsigned im);
enum qi_piotlb_granularity { QI_PIOTLB_PASID = 2, QI_PIOTLB_PAGE = 3 };
struct qi_desc qi_desc_piotlb(uint16_t did, uint32_t pasid, enum qi_piotlb_granularity g, uint64_t addr,
			      unsigned am, bool ih);
enum qi_pc_granularity { QI_PC_DOMAIN = 0, QI_PC_PASID = 1, QI_PC_GLOBAL = 3 };
struct qi_desc qi_desc_pasid_cache(uint16_t did, uint32_t pasid, enum qi_pc_granularity g);
struct qi_desc qi_desc_pdevice_tlb(uint16_t sid, uint16_t pfsid, unsigned queue_depth, uint32_t pasid,
				   uint64_t addr, unsigned size_order);
struct qi_desc qi_desc_page_response(uint16_t rid, bool pasid_present, uint32_t pasid, unsigned code,
				     unsigned group);
/* Type of a descriptor: bits 11:9 and 3:0 of qw0; 0 is invalid. */
static inline unsigned qi_desc_type(const struct qi_desc *d)
{
	return (unsigned)((d->qw0 & 0xf) | (d->qw0 >> 9 & 7) << 4);
}
/* Range of an ATS invalidation (S bit and lowest clear address bit): order of 4 KiB pages, 52: all. */
unsigned qi_device_tlb_order(uint64_t qw1);
/*
 * Smallest naturally aligned block of 2^order pages that contains first..last (page numbers): the
 * bit length of their exclusive or.
 */
static inline unsigned qi_range_order(uint64_t first, uint64_t last)
{
	return first == last ? 0 : 64 - (unsigned)__builtin_clzll(first ^ last);
}

/*
 * The tail register moves: the unit executes n descriptors starting no earlier than when and
 * returns when the last wait among them has written its status. Invalidation takes effect in queue
 * order. Every executed descriptor is reported to the observer, if one is set.
 */
sim_time_t vtd_qi_execute(struct vtd_unit *u, const struct qi_desc *desc, unsigned n, sim_time_t when);
/* Queue error (FSTS.IQE, ITE and IQERCD): after one, nothing is executed until it is cleared. */
enum qi_error {
	QI_OK,
	QI_ERROR_TYPE,     /* invalid type, or one that needs scalable mode */
	QI_ERROR_RESERVED, /* reserved bits, invalid granularity */
	QI_ERROR_MASK,     /* page-selective without CAP.PSI, or address mask beyond MAMV */
	QI_ERROR_TIMEOUT,  /* ITE: a device did not answer its TLB invalidation */
};
enum qi_error vtd_qi_error(const struct vtd_unit *u);
/* Index of the descriptor, in the array of the last call, at which execution stopped. */
unsigned vtd_qi_stopped_at(const struct vtd_unit *u);
void vtd_qi_clear_error(struct vtd_unit *u);
typedef void (*vtd_qi_observer)(void *arg, const struct qi_desc *desc, sim_time_t when);
void vtd_set_qi_observer(struct vtd_unit *u, vtd_qi_observer fn, void *arg);

/* Capabilities decoded from the raw registers (rev 4.1 11.4.2, 11.4.3). */
struct vtd_caps {
	/* CAP */
	bool caching_mode, psi, drain_read, drain_write, rwbf, zero_length_read, posted_interrupts, first_1g,
	    five_level_first, root_set_invalidates;
	unsigned mamv;       /* maximum address-mask value */
	unsigned widths;     /* SAGAW bits */
	unsigned mgaw;       /* bits */
	unsigned page_sizes; /* VTD_PAGES_* of the second stage */
	unsigned domains;    /* number of domain ids */
	unsigned fault_records, fault_offset;
	/* ECAP */
	bool coherent, queued, device_tlb, interrupt_remapping, extended_interrupts, pass_through,
	    snoop_control, memory_types, nested, page_requests, supervisor, no_write_flag, extended_accessed,
	    pasid, invalidation_throttle, page_request_drain, scalable, second_stage_ad, second_stage,
	    first_stage, walk_snoop, rid_pasid;
	unsigned iotlb_offset, pasid_bits;
};
void vtd_decode_caps(uint64_t cap, uint64_t ecap, struct vtd_caps *caps);
const struct vtd_caps *vtd_caps(const struct vtd_unit *u);

#endif
