/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the scheduler (schedule.c), the calls (calls.c) and the comparison (watch.c). */
#ifndef DMASIM_REPLAY_INTERNAL_H
#define DMASIM_REPLAY_INTERNAL_H

#include "models/dma/replay_hooks.h"
#include "replay.h"
#include "sim/fibre.h"

#include <dmasim/dma-mapping.h>

enum { REPLAY_LOG = 24, REPLAY_NEVER = UINT32_MAX };

/* What the caches saw, in order. */
enum cache_op_kind { CACHE_PUT, CACHE_GET, CACHE_GET_TREE };
struct cache_op {
	uint32_t pfn;
	uint8_t cpu, order, what;
};

/* Something mapped by a replayed call, until it is unmapped. */
struct replayed {
	uint8_t kind; /* enum replay_kind of the call that made it */
	struct device *dev;
	dma_addr_t addr;
	phys_addr_t phys;
	uint64_t size;
	struct scatterlist *sg;
	unsigned nents;
	struct dma_iova_state state;
	uint64_t window; /* address of its state in the recorded kernel, 0: not told */
	bool older;      /* than the recording: its size shows piece by piece */
};

/* One IOMMU domain of the machine, by its model id. */
struct domain_state {
	struct device *dev;
	bool fresh;         /* it was new when its first event was recorded: no state is older */
	uint64_t *known;    /* per CPU: bit per order: the cache's fill is known since it was found empty */
	unsigned tree_file; /* number of the recording of the last tree search */
};

/* What the recording says about the allocation that runs. */
struct recorded_alloc {
	bool known, tree_known, tree;
	uint64_t pfn, pages, limit;
	uint32_t ret; /* event of its return, REPLAY_NEVER */
	bool waited;
};

/* A context of the recording: a task or an interrupt level. */
struct context_run {
	struct replay *r;
	struct fibre *fibre;
	const struct replay_op *op; /* NULL: idle */
	struct device *dev;         /* that it works on */
	uint32_t pos;               /* next of the operation's events */
	uint32_t at;                /* event that it last consumed */
	uint32_t wake;              /* goes on when the recording comes to this event */
	unsigned cpu;
	bool suspended;
	bool deaf;    /* apart from the recording: runs to the call's end without comparing or waiting */
	bool passive; /* waits for others, not for an event of its own */
	struct recorded_alloc alloc;
	const struct recording_event *free_event; /* line of the range being freed, NULL: missing */
	struct replayed *api;                     /* range of the two-step interface in work */
	struct replayed *in_hand;                 /* being mapped, not yet kept */
	struct replayed *made;                    /* by this call, kept */
	bool late;                                /* a flush has begun that does not cover what it queues */
	bool bound;                               /* the bounce slot that it takes next was bound */
	uint32_t pages_given;                     /* coherent pages handed out of the recorded ones */
};

/* One thing that the model did, for reports. */
struct model_event {
	uint8_t kind;
	uint16_t cpu;
	uint32_t at;
	uint64_t a, b, c;
};

struct replay {
	struct replay_config config;
	struct dma_observer observer;
	struct dma_replay hooks;
	struct replay_totals totals;
	struct fibre *main;
	GPtrArray *contexts;     /* struct context_run, by operations' context number */
	struct context_run *run; /* whose code runs; NULL: the scheduler's */
	struct operations *ops;
	struct recording *rec;
	uint32_t event;             /* where the recording is */
	uint64_t first_ns, last_ns; /* of the boot; of the last recording's end */
	unsigned last_cpu;
	bool first_seen;
	bool seen[REC_KINDS]; /* events of that kind are recorded */
	unsigned file;        /* number of the recording in the boot */
	uint64_t partings;    /* calls of this recording that could not be compared whole */
	GHashTable *mappings; /* replay_key() -> struct replayed */
	GHashTable *windows;  /* address of a dma_iova_state -> struct replayed */
	GPtrArray *states;    /* struct domain_state, by domain id; NULL where there is none */
	GHashTable *lists;  /* first physical address -> GPtrArray of struct replayed, direct scatter lists */
	GHashTable *direct; /* DMA address of a mapping without translation -> its size */
	GHashTable *pfns;   /* first pfn of a range -> enum pfn_state | file << 8 */
	GHashTable *commands;  /* replay_command() of the NVMe commands in flight that were set up here */
	GHashTable *deadlines; /* device -> when the model's own flush timer would fire, sim_time_t */
	GHashTable *domains;   /* recorded domain id -> model's + 1 */
	uint64_t *area_file;   /* per bounce area: file + 1 in which its hint was bound */
	GArray *cache_ops;     /* struct cache_op of this recording */
	uint64_t explained[REPLAY_ORDERS];
	struct hist *hists[REPLAY_HISTS];
	struct model_event log[REPLAY_LOG];
	uint64_t logged;
	char *divergence;
};

enum pfn_state { PFN_FREE, PFN_LIVE, PFN_QUEUED };

/* ---- schedule.c ---- */

/* Stop until the recording comes to event; returns at once if it is there, or if the call is deaf. */
void replay_wait(struct replay *r, uint32_t event);
/* A contradiction: counted, the first of a recording described. */
void replay_diverge(struct replay *r, const char *format, ...) G_GNUC_PRINTF(2, 3);
void replay_log(struct replay *r, enum recording_kind kind, uint64_t a, uint64_t b, uint64_t c);
/* Next event of the running operation, NULL behind its last. */
const struct recording_event *replay_peek(struct replay *r);
/*
 * The model does kind: wait for the recording to show it. NULL if the line of a probe is missing.
 * Where a tracepoint's line is missing the call and the recording part: replay_part().
 */
const struct recording_event *replay_expect(struct replay *r, enum recording_kind kind, bool probe);
/* Nobody is to be told: no call runs, or one that has parted from the recording. */
static inline bool replay_quiet(const struct replay *r)
{
	return !r->run || r->run->deaf;
}

/* An NVMe command as a key. */
static inline gpointer replay_command(const struct recording_event *e)
{
	return GSIZE_TO_POINTER((size_t)e->nvme.ctrl << 32 | (size_t)e->nvme.qid << 16 |
				(e->nvme.cid & 0xffff));
}

/* ---- domains.c: what is known of each domain ---- */

/* A page of dev's domain as one number. */
uint64_t replay_key(const struct device *dev, uint64_t pfn);
/*
 * State of dev's domain; it comes into being with its first event, which tells whether it was new: an
 * allocation of pages up to limit that got pfn from the tree. limit 0: something else.
 */
struct domain_state *replay_domain(struct replay *r, struct device *dev);
void replay_domain_begins(struct replay *r, struct device *dev, uint64_t pages, uint64_t limit);
enum pfn_state replay_pfn_state(struct replay *r, const struct device *dev, uint64_t pfn);
void replay_set_pfn(struct replay *r, const struct device *dev, uint64_t pfn, enum pfn_state state);
/* Whether a free range was freed before this recording began, and may have moved meanwhile. */
bool replay_pfn_stale(const struct replay *r, const struct device *dev, uint64_t pfn);
/* Whether this recording has shown nothing of the range yet, and something older may be there. */
bool replay_pfn_older(struct replay *r, struct device *dev, uint64_t pfn);
/* The device that a flush of a whole domain is for: op names none, its events tell. */
struct device *replay_flushed_device(struct replay *r, const struct replay_op *op);
uint16_t replay_recorded_domain(struct replay *r, uint16_t model, uint16_t recorded);

/* ---- resync.c: where call and recording part ---- */

/* The running call goes on deaf. */
void replay_part(struct replay *r);
/* Ranges older than the recording that the recorded kernel frees here: they go to the model's caches. */
void replay_older_frees(struct replay *r);
/* A ring that holds entries older than the recording is full: the recorded kernel flushes here. */
bool replay_older_ring_full(struct replay *r);
/* The call is over: what it did not show is made so, and the model is again where the recording is. */
void replay_settle(struct replay *r);

/* ---- order.c: each waits until the recording has come to where the model may go on ---- */

/* Before the cache is accessed for pages up to limit. */
void replay_wait_for_cache(struct replay *r, struct device *dev, uint64_t pages, uint64_t limit);
/* Before the tree is searched. */
void replay_wait_for_tree(struct replay *r, struct device *dev);
/* Before the range at pfn, just unmapped, is queued. */
void replay_wait_for_flush(struct replay *r, struct device *dev, uint64_t pfn);
/* Before a flush counts as finished. */
void replay_wait_after_flush(struct replay *r, struct device *dev);
/* Before the complete entries of a ring are released. */
void replay_wait_for_ring(struct replay *r, struct device *dev, unsigned ring_cpu);

/* ---- replayed.c: what replayed calls have mapped ---- */

struct replayed *replayed_new(const struct replay_op *op, struct device *dev);
void replayed_free(void *m);
/* By an address in its first page; dev NULL: of whatever device. */
struct replayed *replayed_find(struct replay *r, const struct device *dev, dma_addr_t addr);
void replayed_keep(struct replay *r, struct replayed *m, dma_addr_t addr);
void replayed_drop(struct replay *r, struct replayed *m);
/* Unmap through the API, as op says. */
void replayed_unmap(const struct replay_op *op, struct replayed *m);
/* Direct scatter lists have no range of their own: the list finds its mapping, the last one first. */
void replayed_list_keep(struct replay *r, struct replayed *m, uint64_t phys);
struct replayed *replayed_list_take(struct replay *r, const struct replay_op *op);
/* A mapping that is older than the recording, made known with its table entries. False if it cannot be. */
bool replayed_adopt(struct replay *r, struct device *dev, dma_addr_t addr, size_t size);
/* Before an older window is unlinked or freed: what was linked before the recording began is there. */
void replayed_complete_window(struct replay *r, const struct replay_op *op, struct replayed *m);
/* A range of the two-step interface that is older than the recording. */
struct replayed *replayed_adopt_window(struct replay *r, const struct replay_op *op, struct device *dev);

/* ---- calls.c ---- */

/* Direct and bounced addresses; IOVAs are judged where they are allocated (steer.c). */
void replay_judge_direct(struct replay *r, dma_addr_t got, dma_addr_t recorded);
/*
 * The search in a bounce area starts where the last one ended. Where that was when the recording
 * began, or went meanwhile, is unknown: the first slot that shows tells.
 */
void replay_bind_hint(struct replay *r, struct device *dev, dma_addr_t recorded);
/* Run the call of r->run->op to its end. */
void replay_call(struct replay *r);
struct device *replay_device(struct replay *r, const struct replay_op *op);

/* ---- nvme.c ---- */

/* Whether requests of some controller run through the driver path. */
bool replay_has_nvme(const struct replay *r);
/* Plan all requests of the recording. */
void replay_nvme_plan(struct replay *r);
void replay_nvme_submit(struct replay *r);
/* Event i tells how the memory of a peer was classified. */
void replay_nvme_classified(struct replay *r, uint32_t i);
void replay_nvme_complete(struct replay *r);
void replay_nvme_completed(struct replay *r, const struct recording_event *e);
void replay_nvme_call(void *arg, struct device *dev, enum dma_call call, const struct dma_call_args *a);

/* ---- watch.c, steer.c: compare what the model does; decide what it cannot know ---- */

void replay_watch(struct replay *r);
void replay_steer(struct replay *r);

#endif
