/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the events of a recording to the DMA API calls that caused them: per context (a task, or an
 * interrupt level of a CPU), because an interrupt's calls fall into the middle of a task's.
 */
#ifndef DMASIM_OPERATIONS_H
#define DMASIM_OPERATIONS_H

#include "verify/recording/recording.h"

enum replay_kind {
	REPLAY_MAP,    /* dma_map_page, dma_map_phys */
	REPLAY_MAP_SG, /* dma_map_sg, dma_map_sgtable */
	REPLAY_ALLOC,  /* dma_alloc_coherent */
	REPLAY_TRY_ALLOC,
	REPLAY_LINK,
	REPLAY_SYNC,
	REPLAY_UNLINK,
	REPLAY_DESTROY,
	REPLAY_API_FREE,
	REPLAY_UNMAP,
	REPLAY_UNMAP_SG,
	REPLAY_FREE,      /* dma_free_coherent */
	REPLAY_GIVEN_MAP, /* iommu_map at an address that somebody else gave: VFIO, iommufd */
	REPLAY_GIVEN_UNMAP,
	REPLAY_FLUSH_TIMER, /* fq_flush_timeout */
	REPLAY_STRAY,       /* events that belong to no call */
	REPLAY_REQUEST,     /* all mapping calls of one driver request */
	REPLAY_COMPLETE,    /* all unmapping calls of one driver request */
	REPLAY_MERGED,      /* part of one of these */
	REPLAY_KINDS
};
extern const char *const replay_kind_names[REPLAY_KINDS];

struct replay_op {
	uint8_t kind; /* enum replay_kind */
	uint8_t dir;
	uint16_t cpu;
	uint32_t context;
	uint32_t device;         /* name index of the recording, 0: not named */
	uint32_t first, nevents; /* into operations.index: its events in order */
	uint32_t request;        /* grouped: event of its nvme_setup_cmd or nvme_complete_rq */
	bool guessed;            /* the kind is inferred: no event names the call */
	bool complete;           /* its last event was seen */
	bool cut;                /* the recording began in the middle of it */
	bool opening;            /* first of its context: the recording may have begun in the middle of it */
	uint64_t addr;           /* DMA address: recorded result, or what is unmapped */
	uint64_t phys, size, offset, attrs;
	uint64_t state; /* two-step interface: address of the range's state, 0: not told */
	struct recording_list vectors, lens;       /* lists: physical address and length of each entry */
	struct recording_list out_addrs, out_lens; /* lists: DMA segments as recorded */
	uint32_t nents;                            /* of a list, also where the event holds fewer */
	uint64_t pfn;                              /* recorded IOVA allocation, 0 none */
	bool tree;                                 /* which fell through to the tree */
};

struct operations {
	const struct recording *recording;
	GArray *ops;       /* struct replay_op in order of their first event */
	GArray *index;     /* uint32_t event numbers, grouped by operation */
	uint32_t *owner;   /* per event: operation + 1, 0 for block, nvme and foreign descriptors */
	uint32_t *next;    /* per event: the context's next event of any kind, UINT32_MAX: none */
	uint32_t *context; /* per event */
	uint32_t ncontexts;
	bool has_iommu; /* any translation event */
	bool has_calls; /* any event of the DMA API: translation events without them are of given addresses */
	bool has_probes; /* the IOVA allocator's probes were armed */
};

struct operations *operations_new(struct recording *r);
void operations_free(struct operations *o);
/*
 * Join the calls of each NVMe I/O request whose vectors the recording shows (rq_vectors) into one
 * operation for submission and one for completion. Returns the number of requests.
 */
uint32_t operations_group(struct operations *o);
/* Group the events by operation again, after o->owner has changed. */
void operations_index(struct operations *o);

static inline struct replay_op *operations_at(const struct operations *o, size_t i)
{
	return &g_array_index(o->ops, struct replay_op, i);
}
/* k-th event of op. */
static inline uint32_t operations_event(const struct operations *o, const struct replay_op *op, uint32_t k)
{
	return g_array_index(o->index, uint32_t, op->first + k);
}

#endif
