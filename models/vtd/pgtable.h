/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Software side of the I/O page tables: what a driver does to build, change and read the tables that
 * the VT-d unit walks. Rules of the generic page-table code (drivers/iommu/generic_pt, Linux 7.0),
 * which on VT-d write the same entries as the driver's own code before it.
 *
 * Tables are real pages in simulated memory, charged to the ledger account iommu.page_tables from
 * allocation until pgtable_release(). No function here waits, charges CPU time or invalidates
 * anything: callers read the counters before and after, and the gather says what must be flushed.
 */
#ifndef DMASIM_MODELS_VTD_PGTABLE_H
#define DMASIM_MODELS_VTD_PGTABLE_H

#include "vtd.h"

enum pgtable_prot { PGTABLE_READ = 1, PGTABLE_WRITE = 2 };

/* Table pages that are detached but may still be in the unit's caches; released after a flush. */
struct pgtable_page;
struct pgtable_list {
	struct pgtable_page *head, *tail;
	unsigned count;
};
static inline bool pgtable_list_empty(const struct pgtable_list *l)
{
	return l->count == 0;
}
/* Append from to into and empty it. O(1). */
void pgtable_list_splice(struct pgtable_list *into, struct pgtable_list *from);

/* What a change leaves to be flushed: inclusive byte range (start > end: nothing) and tables. */
struct pgtable_gather {
	dma_addr_t start, end;
	struct pgtable_list tables;
};
#define PGTABLE_GATHER_INIT                                                \
	{                                                                  \
		.start = UINT64_MAX, .end = 0, .tables = { NULL, NULL, 0 } \
	}

/* Running totals; a caller that charges time takes differences. */
struct pgtable_counters {
	uint64_t ptes_written, ptes_cleared;     /* leaf entries of any size */
	uint64_t tables_allocated, tables_freed; /* pages, freed when released; the root counts */
	uint64_t tables_visited; /* tables in which at least one entry was written or cleared */
	uint64_t levels_read;    /* steps from a table down into the next */
	uint64_t leaves_4k, leaves_2m, leaves_1g; /* ptes_written by size */
	uint64_t large_cleared;                   /* those of ptes_cleared above 4 KiB */
};

struct pgtable;
/*
 * A table with an empty root. page_sizes: VTD_PAGES_*; 4 KiB is always included. node: where table
 * pages come from. NULL when memory is exhausted.
 */
struct pgtable *pgtable_new(struct sim *sim, struct memory *mem, enum vtd_format format, unsigned page_sizes,
			    unsigned node);
/* Frees all table pages, also those on lists that were never released. */
void pgtable_free(struct pgtable *t);
phys_addr_t pgtable_root(const struct pgtable *t);
enum vtd_format pgtable_format(const struct pgtable *t);
unsigned pgtable_page_sizes(const struct pgtable *t);
/* Last IOVA that can be mapped: 2^width - 1 for second stage, 2^(width-1) - 1 for first stage. */
dma_addr_t pgtable_last_iova(const struct pgtable *t);
const struct pgtable_counters *pgtable_counters(const struct pgtable *t);

/*
 * Map [iova, iova + len) to pa with the largest leaves that alignment allows. *mapped gets the bytes
 * done, also on error (the caller unmaps them). Lower tables that were empty and gave way to a large
 * leaf go to g, with the leaf's range. 0, -EINVAL (no permission, or zero length), -ENXIO (not page
 * aligned), -ERANGE (address beyond the table or 52 bits), -EOVERFLOW (range wraps), -EADDRINUSE
 * (already mapped), -ENOMEM.
 */
int pgtable_map(struct pgtable *t, dma_addr_t iova, phys_addr_t pa, uint64_t len, unsigned prot,
		uint64_t *mapped, struct pgtable_gather *g);
/*
 * Unmap [iova, iova + len). Returns the bytes unmapped: fewer when a hole stops it, 0 when it starts
 * inside a large leaf, more when it ends inside one (the whole leaf goes). Tables whose whole span
 * lies in the range are detached onto g->tables; g->start and g->end are left to the caller.
 */
uint64_t pgtable_unmap(struct pgtable *t, dma_addr_t iova, uint64_t len, struct pgtable_gather *g);
/*
 * The same for one page whose table is known from before, which is what most requests map: levels on the way
 * down to it; 0: not done, do it the general way.
 */
unsigned pgtable_map_page(struct pgtable *t, dma_addr_t iova, phys_addr_t pa, unsigned prot);
unsigned pgtable_unmap_page(struct pgtable *t, dma_addr_t iova);
/* Physical address behind iova, 0 if it is not mapped. size (may be NULL): bytes of the leaf. */
phys_addr_t pgtable_iova_to_phys(struct pgtable *t, dma_addr_t iova, uint64_t *size);
/* The flush that covers them has completed: free the tables of l and empty it. */
void pgtable_release(struct pgtable *t, struct pgtable_list *l);

/*
 * Largest leaf size (log2) for a map at iova and pa with len bytes to go, 0 if none fits; *count gets
 * how many such leaves to write before the size may change. Exposed for tests.
 */
unsigned pgtable_leaf_size(unsigned page_sizes, dma_addr_t iova, phys_addr_t pa, uint64_t len,
			   uint64_t *count);

#endif
