/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scalars every part of dmasim shares.
 *
 * Error conventions of the whole project: functions returning a pointer give NULL, functions
 * returning int give 0 or a negative errno value (as the kernel functions that they model),
 * functions that can fail because of what a user wrote take a GError ** and give false, NULL or -1.
 * The library neither prints nor exits.
 */
#ifndef DMASIM_TYPES_H
#define DMASIM_TYPES_H

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t dma_addr_t;  /* address that a device puts on the bus: IOVA, or bus address */
typedef uint64_t phys_addr_t; /* CPU physical address */

/* Simulated time in picoseconds since the start of the run (range: 213 days). */
typedef uint64_t sim_time_t;

#define SIM_PS ((sim_time_t)1)
#define SIM_NS ((sim_time_t)1000)
#define SIM_US (1000 * SIM_NS)
#define SIM_MS (1000 * SIM_US)
#define SIM_S (1000 * SIM_MS)
#define SIM_TIME_NEVER UINT64_MAX

/* x86-64 base page (Intel SDM vol. 3, 4.1). */
#define PAGE_SHIFT 12
#define PAGE_SIZE ((size_t)1 << PAGE_SHIFT)
#define PAGE_MASK (~((uint64_t)PAGE_SIZE - 1))

/*
 * What most requests do not need: kept out of the functions that call it, so that these stay short, and
 * the branch to it is taken to be unlikely.
 */
#define RARE __attribute__((noinline, cold))
/* A function whose callers know so much of its arguments that most of it falls away. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The structure of that type whose member is at ptr. The pointer's type is checked, as in the kernel. */
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(1 ? (ptr) : &((type *)NULL)->member) - offsetof(type, member)))

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* include/linux/dma-direction.h: same values, they appear in recordings. */
enum dma_data_direction {
	DMA_BIDIRECTIONAL = 0,
	DMA_TO_DEVICE = 1,
	DMA_FROM_DEVICE = 2,
	DMA_NONE = 3,
};

/* One physically contiguous piece of memory (Linux: struct phys_vec). */
struct phys_vec {
	phys_addr_t paddr;
	uint32_t len;
};

/* Counts: the trace's time, no hardware time. Timing: full event simulation. */
enum fidelity {
	FIDELITY_COUNTS,
	FIDELITY_TIMING,
};

static inline uint64_t align_down(uint64_t x, uint64_t a)
{
	return x & ~(a - 1);
}
static inline uint64_t align_up(uint64_t x, uint64_t a)
{
	return (x + a - 1) & ~(a - 1);
}
static inline uint64_t div_round_up(uint64_t n, uint64_t d)
{
	return (n + d - 1) / d;
}
/* ceil(log2(x)); 0 for 0 and 1. */
static inline unsigned order_base_2(uint64_t x)
{
	return x <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(x - 1);
}

/* What lies at a physical address. */
enum memory_kind {
	MEMORY_RAM,  /* DRAM with struct page */
	MEMORY_P2P,  /* BAR registered as ZONE_DEVICE pages */
	MEMORY_MMIO, /* BAR without struct page */
	MEMORY_NONE, /* hole */
};

#define NO_PASID UINT32_MAX /* of a request without one */

#endif
