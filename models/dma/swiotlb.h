/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounce pools: geometry shared by slot management (swiotlb.c) and pool management (swiotlb_pool.c). */
#ifndef DMASIM_SWIOTLB_H
#define DMASIM_SWIOTLB_H

#include "internal.h"

#define IO_TLB_SHIFT 11
#define IO_TLB_SIZE ((size_t)1 << IO_TLB_SHIFT)
#define IO_TLB_SEGSIZE 128u                                 /* slots per segment */
#define IO_TLB_SEGMENT_BYTES (IO_TLB_SEGSIZE * IO_TLB_SIZE) /* 256 KiB */
#define IO_TLB_DEFAULT_SIZE (64 * MIB)
#define IO_TLB_MIN_SLABS ((uint64_t)(1 * MIB) >> IO_TLB_SHIFT)
/* Largest pool that growth creates: one page-allocator block of 4 MiB. */
#define IO_TLB_GROW_SLABS ((uint64_t)(4 * MIB) >> IO_TLB_SHIFT)
#define INVALID_PHYS_ADDR (~(phys_addr_t)0)

struct io_tlb_slot {
	phys_addr_t orig_addr; /* of this slot's first byte; INVALID_PHYS_ADDR: free or padding */
	size_t alloc_size;     /* bytes from this slot to the end of the mapping */
	uint16_t list;         /* free slots from here inside the segment; 0: in use */
	uint16_t pad_slots;    /* in front of the first data slot */
};
_Static_assert(sizeof(struct io_tlb_slot) == 24, "slot record");

/* One lock and one search hint. */
struct io_tlb_area {
	uint64_t used;
	uint32_t index; /* slot inside the area where the next search starts */
	struct spinlock lock;
};

struct io_tlb_pool {
	struct io_tlb_pool *next;
	phys_addr_t start, end; /* end: exclusive */
	uint64_t nslabs, area_nslabs;
	unsigned nareas;
	bool transient; /* private to one device, for one mapping */
	bool owned;     /* memory came from the page allocator */
	struct io_tlb_area *areas;
	struct io_tlb_slot *slots;
	uint64_t ledger_bytes;
};

struct swiotlb {
	struct dma_layer *layer;
	struct io_tlb_pool *pools; /* default pool first, then those that growth added */
	struct io_tlb_pool **tail;
	phys_addr_t phys_limit;
	uint64_t default_nslabs, total_nslabs, transient_nslabs;
	bool force, can_grow;
	struct event grow; /* background creation of one more pool */
};

static inline uint64_t nr_slots(uint64_t bytes)
{
	return (bytes >> IO_TLB_SHIFT) + ((bytes & (IO_TLB_SIZE - 1)) != 0);
}

static inline phys_addr_t slot_addr(phys_addr_t start, uint64_t index)
{
	return start + (index << IO_TLB_SHIFT);
}

/* Low address bits that the device wants kept, as far as slots and align_mask do not give them. */
static inline unsigned swiotlb_align_offset(const struct device *dev, unsigned align_mask, phys_addr_t addr)
{
	return (unsigned)(addr & dev->min_align_mask & (align_mask | (IO_TLB_SIZE - 1)));
}

/* Slots reserved for total bytes; *pool is where. -1 when no pool has room. */
int64_t swiotlb_find_slots(struct device *dev, phys_addr_t orig, uint64_t total, unsigned align_mask,
			   struct io_tlb_pool **pool);
int64_t swiotlb_search_pool(struct device *dev, struct io_tlb_pool *pool, unsigned area, phys_addr_t orig,
			    uint64_t total, unsigned align_mask);
void swiotlb_release_slots(struct device *dev, struct io_tlb_pool *pool, phys_addr_t tlb_addr);

/* Pool of dev that holds phys, NULL if none. */
struct io_tlb_pool *swiotlb_find_pool(const struct device *dev, phys_addr_t phys);
struct io_tlb_pool *swiotlb_pool_new(struct swiotlb *sw, uint64_t nslabs, unsigned nareas, phys_addr_t limit,
				     phys_addr_t base);
void swiotlb_pool_free(struct swiotlb *sw, struct io_tlb_pool *pool);
/* A pool of exactly nslabs slots for one mapping of dev, and its end. */
struct io_tlb_pool *swiotlb_transient_new(struct device *dev, uint64_t nslabs);
void swiotlb_transient_free(struct device *dev, struct io_tlb_pool *pool);
/* Ask for one more pool in the background. */
void swiotlb_grow(struct swiotlb *sw);

#endif
