/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scatterlists (include/linux/scatterlist.h): 32 bytes per entry, chained in arrays of 128. */
#ifndef DMASIM_SCATTERLIST_H
#define DMASIM_SCATTERLIST_H

#include <dmasim/export.h>
#include <dmasim/types.h>

#define SG_CHAIN 1ul
#define SG_END 2ul
#define SG_MAX_SINGLE_ALLOC 128u /* PAGE_SIZE / 32 */

#define SG_DMA_BUS_ADDRESS (1u << 0)
#define SG_DMA_SWIOTLB (1u << 1)

struct scatterlist {
	uint64_t page_link; /* phys address of the page, low 2 bits: SG_CHAIN, SG_END; or next array */
	uint32_t offset, length;
	dma_addr_t dma_address;
	uint32_t dma_length, dma_flags;
};
_Static_assert(sizeof(struct scatterlist) == 32, "x86-64 scatterlist entry");

struct sg_table {
	struct scatterlist *sgl;
	unsigned nents, orig_nents;
};

struct sim;
/*
 * Page-based table (lib/scatterlist.c): arrays of 128 entries, all but the last one ending in a link.
 * Charges sg.tables, which freeing releases. 0, or -EINVAL for n = 0.
 */
DMASIM_API int sg_alloc_table(struct sim *sim, struct sg_table *t, unsigned n);
DMASIM_API void sg_free_table(struct sim *sim, struct sg_table *t);
/*
 * The same from the pools of lib/sg_pool.c, after an inline first array of ninline entries that the
 * caller owns (first may be NULL and ninline 0 or 1: no inline array). Free with the same ninline.
 */
DMASIM_API int sg_alloc_table_chained(struct sim *sim, struct sg_table *t, unsigned n,
				      struct scatterlist *first, unsigned ninline);
DMASIM_API void sg_free_table_chained(struct sim *sim, struct sg_table *t, unsigned ninline);
/* Zero one array of n entries and mark its end. */
DMASIM_API void sg_init_table(struct scatterlist *sg, unsigned n);
/* Make the last of the nprev entries of prev a link to next. */
DMASIM_API void sg_chain(struct scatterlist *prev, unsigned nprev, struct scatterlist *next);
DMASIM_API struct scatterlist *sg_next(struct scatterlist *sg);
/* Bytes that the kernel allocates for n entries: page-based table and chained pools. */
DMASIM_API uint64_t sg_table_bytes(unsigned n);
DMASIM_API uint64_t sg_pool_bytes(unsigned n);
/* Linked arrays of 128 entries, and entries in the final array, of a table of n. */
DMASIM_API unsigned sg_linked_arrays(unsigned n);

static inline phys_addr_t sg_phys(const struct scatterlist *sg)
{
	return (sg->page_link & ~3ull) + sg->offset;
}
static inline void sg_set_phys(struct scatterlist *sg, phys_addr_t phys, uint32_t len)
{
	sg->page_link = (phys & PAGE_MASK) | (sg->page_link & SG_END);
	sg->offset = (uint32_t)(phys & ~PAGE_MASK);
	sg->length = len;
}
#define for_each_sg(sgl, sg, n, i) for ((i) = 0, (sg) = (sgl); (i) < (n); (i)++, (sg) = sg_next(sg))

#endif
