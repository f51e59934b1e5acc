/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDMA on-demand paging as mlx5 does it (Linux drivers/infiniband/core/umem_odp.c,
 * drivers/infiniband/hw/mlx5/odp.c, umr.c, mm/hmm.c): what the files of the workload share.
 */
#ifndef DMASIM_ODP_H
#define DMASIM_ODP_H

#include "workloads/paths.h"
#include "workloads/replayer.h"

/* Entry of a region's pfn list: the page's address and what HMM and the driver know of it. */
#define ODP_PFN_VALID 1ull      /* present: the device may read it */
#define ODP_PFN_WRITE 2ull      /* ... and write it */
#define ODP_PFN_DMA_MAPPED 4ull /* sticky: survives a second fault */
#define ODP_PFN_KNOWN 8ull      /* the address below was set before */
#define ODP_PFN_BYTES 8u
#define ODP_HMM_DMA_MAP_BYTES 40u /* struct hmm_dma_map with its dma_iova_state */
#define ODP_MTT_BYTES 8u
#define ODP_MTT_ALIGN 8u             /* entries of one 64-byte UMR granule */
#define ODP_ACCESS_HUGETLB (1u << 7) /* IB_ACCESS_HUGETLB: the region lies in huge pages */

struct odp_params {
	uint64_t cache_entries, cache_ways, queue_depth, packet, max_prefetch, child_bytes;
	int loop, huge_page;
	bool traffic;
	sim_time_t event_latency, umr_latency, resume_latency, mtt_latency, hmm_fixed, hmm_page, inval_fixed,
	    message_overhead;
};
extern const struct param_table odp_param_table;
enum { ODP_LOOP_CLOSED, ODP_LOOP_OPEN };
enum { ODP_HUGE_2MIB, ODP_HUGE_1GIB };

struct odp_stats {
	uint64_t registrations, deregistrations, children_created, children_destroyed;
	uint64_t faults, prefetches, invalidations, invalidations_skipped;
	uint64_t fault_pages, pages_mapped, pages_unmapped, pages_upgraded, refused;
	uint64_t umr_posts, umr_entries, umr_zaps, ksm_updates;
	uint64_t messages, message_bytes, cache_hits, cache_misses, message_faults, transfer_errors;
	sim_time_t fault_time;
};
extern const struct stat_table odp_stat_table;

struct odp_workload;
struct odp_dev;

/* A region with pages of its own: an explicit MR, or one child of an implicit one. */
struct odp_umem {
	struct dma_object obj; /* what the DMA API's path works on */
	struct odp_dev *dev;
	uint32_t key;        /* of the NIC's translations, unique */
	unsigned page_shift; /* of its pages: 12, or a huge page's; all counts of pages are in these */
	uint64_t npages, mapped;
	uint64_t *pfns; /* address | ODP_PFN_* */
	dma_addr_t *mtt;
	GArray *taken;         /* struct phys_vec: memory laid out for it */
	struct phys_vec *vecs; /* of one mapping call, as many as obj.max_segs */
	struct spinlock lock;  /* the umem mutex */
};

struct odp_mr {
	uint32_t number;
	bool implicit;
	unsigned page_shift;
	uint64_t bytes;
	struct odp_umem *umem;      /* explicit */
	struct odp_umem **children; /* implicit, by offset / child_bytes */
	uint64_t nchildren;
};

/* Translations that the NIC holds: set associative, least recently used. */
struct odp_cache {
	struct odp_cache_entry {
		uint64_t tag; /* key << 40 | page, + 1; 0: empty */
		uint64_t used;
	} * entries;
	uint64_t sets, ways, clock;
};

struct odp_dev {
	struct replayer_dev base;
	struct odp_workload *w;
	struct odp_mr **mrs; /* ascending numbers */
	unsigned nmrs;
	uint32_t next_key;
	struct odp_cache cache;
	struct rng rng;
};

/* One event of the trace on its way. */
struct odp_job {
	struct replayer_job base;
	struct event step;
	struct odp_dev *dev;
	struct odp_mr *mr;
	uint32_t number, access;
	uint8_t event;
	bool write, implicit;
	bool failed; /* an access of the message */
	uint64_t offset, bytes, pos;
	sim_time_t finished, stopped;
};

struct odp_workload {
	struct replayer base;
	struct odp_params params;
	struct odp_stats st;
};

static inline struct odp_umem *odp_umem(struct dma_object *obj)
{
	return (struct odp_umem *)obj;
}
static inline uint64_t odp_page_bytes(const struct odp_umem *u)
{
	return (uint64_t)1 << u->page_shift;
}

/* umem.c */
struct odp_umem *odp_umem_new(struct odp_dev *d, uint64_t bytes, unsigned page_shift, int *err);
void odp_umem_free(struct odp_umem *u);
/*
 * Make [first, first + n) present with the access, map it, post the UMR. segs: the pages' physical
 * vectors (NULL: laid out by the memory model). 0 or errno.
 */
int odp_fault_pages(struct odp_umem *u, uint64_t first, uint64_t n, bool write,
		    const struct trace_segment *segs, uint32_t nsegs);
void odp_invalidate_pages(struct odp_umem *u, uint64_t first, uint64_t n);
static inline bool odp_page_allows(const struct odp_umem *u, uint64_t page, bool write)
{
	uint64_t want = ODP_PFN_DMA_MAPPED | ODP_PFN_VALID | (write ? ODP_PFN_WRITE : 0);

	return (u->pfns[page] & want) == want;
}

/* cache.c */
void odp_cache_init(struct odp_cache *c, uint64_t entries, uint64_t ways);
void odp_cache_fini(struct odp_cache *c);
bool odp_cache_lookup(struct odp_cache *c, uint32_t key, uint64_t page); /* fills on a miss */
void odp_cache_drop(struct odp_cache *c, uint32_t key, uint64_t first, uint64_t n);

/* event.c: work for a job's CPU. The kernel's part of an event; a message's fault, which resumes it. */
void odp_run_event(struct cpu_work *work, struct cpu *cpu);
void odp_run_fault(struct cpu_work *work, struct cpu *cpu);

/* message.c: step of a job that moves data. */
void odp_run_message(struct event *ev, sim_time_t now);

/* dev.c */
struct replayer_dev *odp_dev_new(struct replayer *r, GError **error);
void odp_dev_free(struct replayer *r, struct replayer_dev *base);
struct odp_mr *odp_mr_find(struct odp_dev *d, uint32_t number);
int odp_mr_register(struct odp_dev *d, uint32_t number, uint64_t bytes, bool implicit, unsigned page_shift);
void odp_mr_deregister(struct odp_dev *d, struct odp_mr *mr);
/* Part of an MR that holds offset: its umem, the page in it, pages up to its end. */
struct odp_umem *odp_mr_at(struct odp_dev *d, struct odp_mr *mr, uint64_t offset, bool create, uint64_t *page,
			   int *err);

#endif
