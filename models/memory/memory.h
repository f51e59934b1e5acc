/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical memory: DRAM with a page allocator whose fragmentation is a parameter, MMIO windows
 * (BARs), and real contents for the few pages whose bytes matter (page tables, queues, PRP lists,
 * bounce buffers); any page gets contents, zeroed, when first asked for.
 */
#ifndef DMASIM_MODELS_MEMORY_MEMORY_H
#define DMASIM_MODELS_MEMORY_MEMORY_H

#include "sim/sim.h"
#include <dmasim/param.h>
#include <dmasim/stat.h>

struct memory_params {
	uint64_t size;          /* bytes of DRAM */
	uint64_t nodes;         /* NUMA nodes, equal shares */
	double fragmentation;   /* 0: neighbours stay neighbours; 1: every 4 KiB page lies by itself */
	double huge_share;      /* share of data buffers backed by 2 MiB pages, 0..1 */
	uint64_t low_hole_base; /* start of the MMIO hole below 4 GiB; DRAM goes on at 4 GiB */
	sim_time_t latency_dram, latency_llc, latency_remote; /* one read as the I/O side sees it */
	bool io_hits_llc;  /* device reads of CPU-written lines hit the last-level cache */
	uint64_t llc_size; /* last-level cache of a socket, 0: as large as it takes */
	uint64_t llc_io;   /* ... and its part that lines written by devices may occupy */
};
extern const struct param_table memory_param_table;

struct memory;
struct memory *memory_new(struct sim *sim, const struct memory_params *p);
void memory_free(struct memory *m);
/* The parameters it was built from. */
const struct memory_params *memory_params(const struct memory *m);

/* 2^order contiguous pages on node, 0 when exhausted (physical page 0 is never handed out). */
phys_addr_t memory_alloc_pages(struct memory *m, unsigned node, unsigned order);
/* The same with every byte below limit (GFP_DMA32: limit 4 GiB). */
phys_addr_t memory_alloc_pages_below(struct memory *m, phys_addr_t limit, unsigned order);
/* Freed pages lose their contents. */
void memory_free_pages(struct memory *m, phys_addr_t base, unsigned order);

/*
 * Lay out a data buffer of bytes that starts offset bytes into its first page, as the page
 * allocator of a machine with this fragmentation would. Writes at most max pieces, each one page
 * or folio (never merged here), returns how many; 0 when memory is exhausted. Deterministic in the rng.
 */
unsigned memory_lay_out(struct memory *m, struct rng *rng, unsigned node, uint64_t offset, uint64_t bytes,
			struct phys_vec *vec, unsigned max);
/* Give back what memory_lay_out took. */
void memory_release(struct memory *m, const struct phys_vec *vec, unsigned n);

/*
 * Host address of the byte at phys; valid to the end of its 4 KiB page, until the page is freed or
 * dropped. Allocates zeroed contents. NULL where there is neither RAM nor a BAR.
 */
void *memory_ptr(struct memory *m, phys_addr_t phys);
/* The same without allocating: NULL for a page that never got contents (it reads as zeroes). */
void *memory_peek(const struct memory *m, phys_addr_t phys);
/* Copy inside simulated memory; a page without contents stays without when it only receives zeroes. */
void memory_copy(struct memory *m, phys_addr_t dst, phys_addr_t src, size_t len);
/* Copy across page boundaries. */
void memory_read(struct memory *m, phys_addr_t phys, void *dst, size_t len);
void memory_write(struct memory *m, phys_addr_t phys, const void *src, size_t len);
/* Drop contents of a freed page (table pages, pools). */
void memory_drop(struct memory *m, phys_addr_t page);

/* Register a BAR; owner is opaque to memory. Overlaps are a programming error. */
void memory_add_bar(struct memory *m, phys_addr_t base, uint64_t size, enum memory_kind kind, void *owner);
/* The BAR that holds phys becomes memory of kind (registering pages for it, or taking them away). */
void memory_set_bar_kind(struct memory *m, phys_addr_t phys, enum memory_kind kind);
enum memory_kind memory_kind(const struct memory *m, phys_addr_t phys);
void *memory_bar_owner(const struct memory *m, phys_addr_t phys, phys_addr_t *base);
unsigned memory_node(const struct memory *m, phys_addr_t phys);
/* Highest RAM byte. */
phys_addr_t memory_max(const struct memory *m);

#endif
