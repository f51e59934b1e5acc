/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steering the DMA layer by a recorded kernel. struct dma_replay is what a replay decides while model code
 * runs: which range an allocation gets, when a flush happens, where coherent memory lies. The functions
 * below it set and read state that is older than the recording.
 *
 * Unknown state: a recording may begin in a kernel that has run before. Caches of a CPU and class can be
 * started as "unknown": below the entries that the recording has put there lies an unknown number of
 * entries with unknown pfns. When an allocation reaches them, the replay says what came out.
 */
#ifndef DMASIM_REPLAY_HOOKS_H
#define DMASIM_REPLAY_HOOKS_H

#include "dma_observer.h"

struct dma_replay {
	void *arg;
	/*
	 * The allocation reached an unknown entry of the cache of (e->cpu, e->order). Return true and what
	 * the recorded kernel got in *pfn: the entry is bound to it (its range enters the tree unless it is
	 * there). Return false if the recorded kernel went on to the tree: everything unknown in this cache
	 * is taken to be absent from now on.
	 */
	bool (*resolve_unknown)(void *arg, const struct iova_alloc_event *e, uint64_t *pfn);
	/*
	 * The allocation has a predicted outcome, e->pfn from e->source. Return false to accept it. Return
	 * true to have *pfn (0: failure) from *source (IOVA_FROM_CACHE or IOVA_FROM_TREE) instead: the
	 * prediction is undone (entry back on top of its magazine, or range out of the tree and hints as
	 * before) and the state changed as the recorded outcome implies; wherever *pfn was cached it is no
	 * longer, and a range that the tree does not know is inserted.
	 */
	bool (*outcome)(void *arg, const struct iova_alloc_event *e, uint64_t *pfn, enum iova_source *source);
	/*
	 * Coherent memory needs 1 << order pages: return true and the address of those that the recorded
	 * kernel got. They are never given back to the page allocator.
	 */
	bool (*coherent_pages)(void *arg, struct device *dev, unsigned order, phys_addr_t *base);
	/*
	 * The range is about to be queued: whether the next flush of the domain had begun already, though it
	 * shows later (clocks of CPUs differ a little), and does not cover it.
	 */
	bool (*queued_late)(void *arg, struct device *dev);
	/* The range is about to be queued: whether entries older than the recording fill the ring. */
	bool (*ring_full)(void *arg, struct device *dev);
	/*
	 * A flush queue asks for its timer, which would fire at expiry. Return true if the replay fires it:
	 * dma_replay_flush_timer().
	 */
	bool (*timer)(void *arg, struct device *dev, sim_time_t expiry);
};
/* r must live as long as it is set; NULL, and NULL members: the model decides. */
void dma_layer_set_replay(struct dma_layer *l, const struct dma_replay *r);

/* Number of dev's domain, 0: none. */
unsigned dma_replay_domain(const struct device *dev);

/* ---- IOVA allocator ---- */

/* All caches of dev's domain are unknown. */
void dma_replay_cache_unknown(struct device *dev);
/*
 * The cache of (cpu, order) holds that many unknown entries in its loaded and its previous magazine and
 * nothing else; what lies below is unknown. The depot of order holds full magazines of unknown entries.
 */
void dma_replay_cache_fill(struct device *dev, unsigned cpu, unsigned order, unsigned loaded, unsigned prev);
void dma_replay_depot_fill(struct device *dev, unsigned order, unsigned magazines);
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
/* Insert a live range of unknown origin into the tree. 0, or -EEXIST if it overlaps another one. */
int dma_replay_reserve(struct device *dev, uint64_t pfn, uint64_t pages);
/* The range is live, whatever was believed about it before. */
void dma_replay_claim(struct device *dev, uint64_t pfn, uint64_t pages);
/* The range is freed on the running CPU, wherever it was believed to be. */
void dma_replay_free(struct device *dev, uint64_t pfn, uint64_t pages);
/* Text dump of the allocator (caches of every CPU and class, hints, depot) for divergence reports. g_free. */
char *dma_replay_dump(struct device *dev);

/* ---- mappings and tables ---- */

/*
 * A mapping of unknown origin: its range enters the tree and its table entries exist, as if it had been
 * mapped before; small: by pages, else by the largest leaves that fit. 0, or -EEXIST if something else is
 * there.
 */
int dma_replay_adopt(struct device *dev, dma_addr_t iova, size_t size, bool small);
/* What is not mapped of it is mapped, by pages. */
void dma_replay_fill(struct device *dev, dma_addr_t iova, size_t size);
/* Nothing is mapped there any more; its range is not touched. */
void dma_replay_clear(struct device *dev, dma_addr_t iova, size_t size);
/* What VFIO and iommufd do: map and unmap at an address of their own. 0 or errno; bytes unmapped. */
int dma_replay_map(struct device *dev, dma_addr_t iova, phys_addr_t phys, size_t size);
size_t dma_replay_unmap(struct device *dev, dma_addr_t iova, size_t size);
/* Unmap it as the common end of all unmapping calls does: no look-up, no slots. */
void dma_replay_release(struct device *dev, dma_addr_t iova, size_t size);
/*
 * Whether an empty table of 4 KiB entries covers iova (a large page over it then has to flush) is older
 * state, too: make it so.
 */
void dma_replay_table(struct device *dev, dma_addr_t iova, bool present);

/* ---- flush queue of dev's domain ---- */

bool dma_replay_has_queue(struct device *dev);
/* fq_flush_timeout on CPU cpu, now. */
void dma_replay_flush_timer(struct device *dev, unsigned cpu);
/*
 * First page of the oldest range in the ring of cpu, and of the newest one that a finished flush covers;
 * false if the ring is empty.
 */
bool dma_replay_ring_head(struct device *dev, unsigned cpu, uint64_t *pfn, uint64_t *complete);
/* Entries now in the ring of cpu. */
unsigned dma_replay_ring_entries(struct device *dev, unsigned cpu);

/* ---- bounce pool ---- */

/* Number of areas of dev's default pool; area that holds addr, -1 if none does. */
unsigned dma_replay_bounce_areas(struct device *dev);
int dma_replay_bounce_area(struct device *dev, dma_addr_t addr);
/* The search of that area starts at the slot of addr. */
void dma_replay_bounce_hint(struct device *dev, dma_addr_t addr);

#endif
