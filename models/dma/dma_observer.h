/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching and steering the DMA layer, for replaying a recorded kernel.
 *
 * struct dma_observer: one function per thing that a kernel's trace events show (iommu:map,
 * iommu:unmap, intel_iommu:qi_submit, ...) and per decision of the IOVA allocator that no event shows.
 * NULL members are skipped; without an observer each place costs one untaken branch.
 *
 * Unknown state: a recording may begin in a kernel that has run before. Caches of a CPU and class can be
 * started as "unknown": below the entries that the recording has put there lies an unknown number of
 * entries with unknown pfns. When an allocation reaches them, the oracle says what came out.
 */
#ifndef DMASIM_MODELS_DMA_DMA_OBSERVER_H
#define DMASIM_MODELS_DMA_DMA_OBSERVER_H

#include "dma_layer.h"
#include <dmasim/scatterlist.h>

/* How an allocation was served. */
enum iova_source {
	IOVA_FROM_CACHE,   /* per-CPU magazine (possibly after a depot refill) */
	IOVA_FROM_TREE,    /* red-black tree search */
	IOVA_FROM_UNKNOWN, /* entry of unknown contents, bound by the oracle */
	IOVA_FAILED,
};

/* An allocation of the fast path (alloc_iova_fast). */
struct iova_alloc_event {
	struct device *dev;
	unsigned cpu;
	uint64_t pages;     /* asked for */
	uint64_t rounded;   /* after rounding to a cacheable size */
	uint64_t limit_pfn; /* inclusive */
	int order;          /* cache class, -1: not cacheable */
	uint64_t pfn;       /* result, 0 on failure */
	enum iova_source source;
};

/* DMA API calls as the kernel's own events show them: before the work, or after it with its result. */
enum dma_call {
	DMA_CALL_MAP,       /* after */
	DMA_CALL_MAP_SG,    /* after, on success */
	DMA_CALL_UNMAP,     /* after */
	DMA_CALL_UNMAP_SG,  /* before */
	DMA_CALL_TRY_ALLOC, /* before */
	DMA_CALL_TRY_ALLOC_RET,
	DMA_CALL_LINK,    /* before */
	DMA_CALL_SYNC,    /* before */
	DMA_CALL_DESTROY, /* before */
};
struct dma_call_args {
	dma_addr_t addr;
	phys_addr_t phys;
	uint64_t offset, size;
	const struct scatterlist *sg;
	unsigned nents, segments; /* entries; DMA segments made of them */
	bool ok;                  /* result of try_alloc */
};

struct dma_observer {
	void *arg;
	void (*call)(void *arg, struct device *dev, enum dma_call call, const struct dma_call_args *a);
	void (*iova_alloc)(void *arg, const struct iova_alloc_event *e);
	/* free_iova_fast: cached is false when the range went to the tree. */
	void (*iova_free)(void *arg, struct device *dev, unsigned cpu, uint64_t pfn, uint64_t pages,
			  bool cached);
	/* Range inserted into or removed from the tree, whatever the reason. */
	void (*tree_insert)(void *arg, struct device *dev, uint64_t pfn_lo, uint64_t pfn_hi);
	void (*tree_remove)(void *arg, struct device *dev, uint64_t pfn_lo, uint64_t pfn_hi);
	/* One map_nosync / unmap call of the IOMMU core with its whole range (iommu:map, iommu:unmap). */
	void (*map)(void *arg, struct device *dev, dma_addr_t iova, phys_addr_t phys, size_t size);
	void (*unmap)(void *arg, struct device *dev, dma_addr_t iova, size_t size, size_t unmapped);
	/* Invalidation of one cache tag (cache_tag_flush_range); flush_all: 0 .. UINT64_MAX. order: AM. */
	void (*cache_tag_flush)(void *arg, uint16_t did, uint64_t start, uint64_t end, uint64_t base,
				unsigned order, bool leaf_only);
	/* Descriptor submitted, without the trailing wait (intel_iommu:qi_submit). */
	void (*qi_submit)(void *arg, const struct qi_desc *desc);
	/* Entry stored in, and released from, the ring of a CPU. */
	void (*fq_enqueue)(void *arg, struct device *dev, unsigned cpu, uint64_t pfn, uint64_t pages);
	void (*fq_release)(void *arg, struct device *dev, unsigned ring_cpu, uint64_t pfn, uint64_t pages);
	/* Flush of a whole domain, before its descriptor; timer: by the timer, else by a full ring. */
	void (*fq_flush)(void *arg, struct device *dev, unsigned cpu, bool timer);
	/* A buffer is about to be bounced on the direct path (swiotlb_bounced). */
	void (*bounce)(void *arg, struct device *dev, phys_addr_t phys, size_t size);

	/* ---- steering ---- */

	/*
	 * The allocation reached an unknown entry of the cache of (e->cpu, e->order). Return true and what
	 * the recorded kernel got in *pfn: the entry is bound to it (its range enters the tree unless it is
	 * there). Return false if the recorded kernel went on to the tree: everything unknown in this cache
	 * is taken to be absent from now on. NULL: as if it returned false.
	 */
	bool (*resolve_unknown)(void *arg, const struct iova_alloc_event *e, uint64_t *pfn);
	/*
	 * The allocation has a predicted outcome, e->pfn from e->source. Return false to accept it. Return
	 * true to have *pfn (0: failure) from *source (IOVA_FROM_CACHE or IOVA_FROM_TREE) instead: the
	 * prediction is undone (entry back on top of its magazine, or range out of the tree and hints as
	 * before) and the state changed as the recorded outcome implies; wherever *pfn was cached it is no
	 * longer, and a range that the tree does not know is inserted. iova_alloc then reports the final one.
	 */
	bool (*outcome)(void *arg, const struct iova_alloc_event *e, uint64_t *pfn, enum iova_source *source);
	/*
	 * Waiting points at which an interrupt of the recorded kernel may have run: the observer may call
	 * dma_replay_flush_timer() from here. See enum.
	 */
	void (*window)(void *arg, struct device *dev, unsigned cpu, int where);
	/*
	 * Coherent memory needs 1 << order pages: return true and the address of those that the recorded
	 * kernel got. They are never given back to the page allocator.
	 */
	bool (*coherent_pages)(void *arg, struct device *dev, unsigned order, phys_addr_t *base);
};

/* Where an interrupt can fall inside one allocation or enqueue. */
enum dma_window {
	DMA_WINDOW_BEFORE_CACHE,  /* before the cache is accessed */
	DMA_WINDOW_BEFORE_TREE,   /* after the cache missed, before the tree search */
	DMA_WINDOW_AFTER_ENQUEUE, /* entry stored, ring unlocked, timer not yet tested */
	DMA_WINDOW_AFTER_FLUSH,   /* whole-domain flush done, not yet counted as finished */
	DMA_WINDOW_BEFORE_RING,   /* ring of cpu locked, about to release what is complete */
	DMA_WINDOW_BEFORE_FREE,   /* free_iova_fast entered, range not yet in the cache or out of the tree */
};

void dma_layer_set_observer(struct dma_layer *l, const struct dma_observer *o);

/* ---- state of a recorded kernel that is older than the recording ---- */

/*
 * Caches of dev's domain for (cpu, order 0..5) are unknown: cpu = -1: all, order = -1: all. fill
 * entries whose pfns are unknown are put on the loaded and then the previous magazine (at most both);
 * more: below all of them and in front of the depot there may be any number of further ones.
 */
void dma_replay_cache_unknown(struct device *dev, int cpu, int order, unsigned fill, bool more);
/*
 * The cache of (cpu, order) holds that many unknown entries in its loaded and its previous magazine and
 * nothing else; what lies below is unknown. The depot of order holds full magazines of unknown entries.
 */
void dma_replay_cache_fill(struct device *dev, unsigned cpu, unsigned order, unsigned loaded, unsigned prev);
void dma_replay_depot_fill(struct device *dev, unsigned order, unsigned magazines);
/* Put known pfns into the cache of (cpu, order), the last one on top; nodes are inserted if missing. */
int dma_replay_cache_load(struct device *dev, unsigned cpu, unsigned order, const uint64_t *pfns, unsigned n);
/* Insert a live range of unknown origin into the tree. 0, or -EEXIST if it overlaps another one. */
int dma_replay_reserve(struct device *dev, uint64_t pfn, uint64_t pages);
/* Range node that holds pfn: false if none. */
bool dma_replay_find(struct device *dev, uint64_t pfn, uint64_t *pfn_lo, uint64_t *pfn_hi);

/* Where an allocation of pages on cpu would come from now, and its pfn if that is the cache. */
enum iova_source dma_replay_cache_peek(struct device *dev, unsigned cpu, uint64_t pages, uint64_t limit_pfn,
				       uint64_t *pfn);
/*
 * Entries of (cpu, order) for which stale() holds become unknown, and so does what lies below: they may
 * have moved while nobody recorded. empty: the recorded kernel found the cache empty, so they have. Inside
 * outcome() this takes in what the prediction came from.
 */
void dma_replay_cache_forget(struct device *dev, unsigned cpu, unsigned order,
			     bool (*stale)(void *arg, uint64_t pfn), void *arg, bool empty);
/*
 * A mapping of unknown origin: its range enters the tree and its table entries exist, as if it had been
 * mapped before. 0, or -EEXIST if something else is there.
 */
int dma_replay_adopt(struct device *dev, dma_addr_t iova, size_t size);
/* Unmap it as the common end of all unmapping calls does: no look-up, no slots. */
void dma_replay_release(struct device *dev, dma_addr_t iova, size_t size);

/* ---- bounce pool of a recorded kernel ---- */

/* Number of areas of dev's default pool; area that holds addr, -1 if none does. */
unsigned dma_replay_bounce_areas(struct device *dev);
int dma_replay_bounce_area(struct device *dev, dma_addr_t addr);
/* The search of that area starts at the slot of addr. */
void dma_replay_bounce_hint(struct device *dev, dma_addr_t addr);

/*
 * Whether an empty table of 4 KiB entries covers iova (a large page over it then has to flush) is older
 * state, too: make it so.
 */
void dma_replay_table(struct device *dev, dma_addr_t iova, bool present);

/* Text dump of the allocator (caches of every CPU and class, hints, depot) for divergence reports. g_free. */
char *dma_replay_dump(struct device *dev);

/* ---- recorded flushes instead of the model's timer ---- */

/* Off: the flush-queue timer never fires by itself; dma_replay_flush_timer is its only source. */
void dma_replay_own_timer(struct dma_layer *l, bool on);
/* fq_flush_timeout of dev's domain on CPU cpu, now. */
void dma_replay_flush_timer(struct device *dev, unsigned cpu);
/* How often the model's own timer would have fired so far, while dma_replay_own_timer is on. */
uint64_t dma_replay_model_timeouts(struct device *dev);
/* Whether dev's domain has a flush queue. */
bool dma_replay_has_queue(struct device *dev);
/*
 * The next range to be queued is not covered by the next flush: that has begun already, though it shows
 * later (clocks of CPUs differ a little).
 */
void dma_replay_queue_late(struct device *dev);
/*
 * First page of the oldest range in the ring of cpu, and of the newest one that a finished flush covers;
 * false if the ring is empty.
 */
bool dma_replay_ring_head(struct device *dev, unsigned cpu, uint64_t *pfn, uint64_t *complete);
/* Entries now in the ring of cpu. */
unsigned dma_replay_ring_entries(struct device *dev, unsigned cpu);

/*
 * Bounce pool: the next search of the area that holds tlb_addr starts at its slot, as after an
 * unrecorded run. False if no pool holds it.
 */
bool dma_replay_swiotlb_hint(struct dma_layer *l, phys_addr_t tlb_addr);

#endif
