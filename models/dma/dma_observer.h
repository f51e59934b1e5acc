/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching the DMA layer: one function per thing that a kernel's trace events show (iommu:map, iommu:unmap,
 * intel_iommu:qi_submit, ...), per place that its probes show, and per decision of the IOVA allocator that no
 * event shows. An observer changes nothing. NULL members are skipped; without an observer each place costs
 * one untaken branch. What a replay changes: replay_hooks.h.
 */
#ifndef DMASIM_DMA_OBSERVER_H
#define DMASIM_DMA_OBSERVER_H

#include "dma_layer.h"
#include <dmasim/scatterlist.h>

/* How an allocation was served. */
enum iova_source {
	IOVA_FROM_CACHE,   /* per-CPU magazine (possibly after a depot refill) */
	IOVA_FROM_TREE,    /* red-black tree search */
	IOVA_FROM_UNKNOWN, /* replay: entry of unknown contents, bound to the recorded range */
	IOVA_FAILED,
};

/* Places in kernel code that have been reached. */
enum dma_place {
	DMA_AT_IOVA_ALLOC, /* alloc_iova_fast entered, the cache not yet accessed */
	DMA_AT_TREE_ALLOC, /* the cache missed, the tree not yet searched */
	DMA_AT_IOVA_FREE,  /* free_iova_fast entered, the range not yet in the cache or out of the tree */
	DMA_AT_FLUSHED,    /* whole-domain flush done, not yet counted as finished */
	DMA_AT_RING,       /* ring of cpu locked, about to release what is complete */
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
	/* What no event of the kernel shows, for the checker. */
	DMA_CALL_UNMAPPING,   /* before, as the driver says it */
	DMA_CALL_LINKED,      /* after, on success: addr is the range, offset and size the piece */
	DMA_CALL_UNLINK,      /* before */
	DMA_CALL_FREE_RANGE,  /* before; also where destroy has nothing to unmap */
	DMA_CALL_SYNC_SINGLE, /* before */
	DMA_CALL_ALLOC,       /* coherent memory: after, on success */
	DMA_CALL_FREE,        /* before */
};
struct dma_call_args {
	dma_addr_t addr;
	phys_addr_t phys;
	uint64_t offset, size;
	enum dma_data_direction dir;
	const struct scatterlist *sg;
	unsigned nents, segments; /* entries; DMA segments made of them */
	bool ok;                  /* result of try_alloc */
};

struct dma_observer {
	void *arg;
	void (*reached)(void *arg, struct device *dev, unsigned cpu, enum dma_place place);
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
	/*
	 * Invalidation of one cache tag (cache_tag_flush_range), of the unit or of the device's own TLB;
	 * flush_all: 0 .. UINT64_MAX. order: AM.
	 */
	void (*cache_tag_flush)(void *arg, uint16_t did, uint64_t start, uint64_t end, uint64_t base,
				unsigned order, bool device_tlb);
	/* The same after mapping, where the unit may have cached that nothing was there. */
	void (*cache_tag_flush_np)(void *arg, uint16_t did, uint64_t start, uint64_t end, uint64_t base,
				   unsigned order, bool device_tlb);
	/* Descriptor submitted, without the trailing wait (intel_iommu:qi_submit). */
	void (*qi_submit)(void *arg, const struct qi_desc *desc);
	/* Entry stored in, and released from, the ring of a CPU. */
	void (*fq_enqueue)(void *arg, struct device *dev, unsigned cpu, uint64_t pfn, uint64_t pages);
	void (*fq_release)(void *arg, struct device *dev, unsigned ring_cpu, uint64_t pfn, uint64_t pages);
	/* Flush of a whole domain, before its descriptor; timer: by the timer, else by a full ring. */
	void (*fq_flush)(void *arg, struct device *dev, unsigned cpu, bool timer);
	/* A buffer is about to be bounced on the direct path (swiotlb_bounced). */
	void (*bounce)(void *arg, struct device *dev, phys_addr_t phys, size_t size);
};

/* o must live as long as it is set; NULL: nobody watches. */
void dma_layer_set_observer(struct dma_layer *l, const struct dma_observer *o);

#endif
