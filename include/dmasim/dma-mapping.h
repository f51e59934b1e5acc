/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Linux DMA API (include/linux/dma-mapping.h, Documentation/core-api/dma-api.rst): the kernel's
 * names and argument order, so that a driver's DMA path ports by copying its calls. Pages are
 * physical addresses here. The calling CPU is dev->sim->cpu.
 */
#ifndef DMASIM_DMA_MAPPING_H
#define DMASIM_DMA_MAPPING_H

#include <dmasim/device.h>
#include <dmasim/export.h>
#include <dmasim/scatterlist.h>
#include <dmasim/types.h>

#define DMA_MAPPING_ERROR (~(dma_addr_t)0)

#define DMA_ATTR_WEAK_ORDERING (1ul << 1)
#define DMA_ATTR_WRITE_COMBINE (1ul << 2)
#define DMA_ATTR_NO_KERNEL_MAPPING (1ul << 4)
#define DMA_ATTR_SKIP_CPU_SYNC (1ul << 5)
#define DMA_ATTR_FORCE_CONTIGUOUS (1ul << 6)
#define DMA_ATTR_ALLOC_SINGLE_PAGES (1ul << 7)
#define DMA_ATTR_NO_WARN (1ul << 8)
#define DMA_ATTR_PRIVILEGED (1ul << 9)
#define DMA_ATTR_MMIO (1ul << 10)
#define DMA_ATTR_REQUIRE_COHERENT (1ul << 12)
#define DMA_ATTR_CC_SHARED (1ul << 13)

/* Single mappings. DMA_MAPPING_ERROR on failure. */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT dma_addr_t dma_map_phys(struct device *dev, phys_addr_t phys,
							     size_t size, enum dma_data_direction dir,
							     unsigned long attrs);
DMASIM_API void dma_unmap_phys(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
			       unsigned long attrs);
DMASIM_API G_GNUC_WARN_UNUSED_RESULT dma_addr_t dma_map_page_attrs(struct device *dev, phys_addr_t page,
								   size_t offset, size_t size,
								   enum dma_data_direction dir,
								   unsigned long attrs);
DMASIM_API void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size,
				     enum dma_data_direction dir, unsigned long attrs);
#define dma_map_page(d, p, o, s, r) dma_map_page_attrs(d, p, o, s, r, 0)
#define dma_unmap_page(d, a, s, r) dma_unmap_page_attrs(d, a, s, r, 0)
DMASIM_API G_GNUC_WARN_UNUSED_RESULT dma_addr_t dma_map_resource(struct device *dev, phys_addr_t phys,
								 size_t size, enum dma_data_direction dir,
								 unsigned long attrs);
DMASIM_API void dma_unmap_resource(struct device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir, unsigned long attrs);
DMASIM_API int dma_mapping_error(struct device *dev, dma_addr_t addr);

/* Scatterlists. dma_map_sg_attrs: number of DMA segments, 0 on failure. dma_map_sgtable: 0 or errno. */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT unsigned dma_map_sg_attrs(struct device *dev, struct scatterlist *sg,
							       int nents, enum dma_data_direction dir,
							       unsigned long attrs);
DMASIM_API void dma_unmap_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
				   enum dma_data_direction dir, unsigned long attrs);
DMASIM_API G_GNUC_WARN_UNUSED_RESULT int dma_map_sgtable(struct device *dev, struct sg_table *sgt,
							 enum dma_data_direction dir, unsigned long attrs);
DMASIM_API void dma_unmap_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
				  unsigned long attrs);

/* Two-step IOVA API (6.16). */
#define DMA_IOVA_USE_SWIOTLB (1ull << 63)
struct dma_iova_state {
	dma_addr_t addr;
	uint64_t __size; /* bit 63: at least one piece was bounced */
};
static inline bool dma_use_iova(const struct dma_iova_state *state)
{
	return state->__size != 0;
}
static inline size_t dma_iova_size(const struct dma_iova_state *state)
{
	return state->__size & ~DMA_IOVA_USE_SWIOTLB;
}
DMASIM_API G_GNUC_WARN_UNUSED_RESULT bool dma_iova_try_alloc(struct device *dev, struct dma_iova_state *state,
							     phys_addr_t phys, size_t size);
DMASIM_API void dma_iova_free(struct device *dev, struct dma_iova_state *state);
DMASIM_API G_GNUC_WARN_UNUSED_RESULT int dma_iova_link(struct device *dev, struct dma_iova_state *state,
						       phys_addr_t phys, size_t offset, size_t size,
						       enum dma_data_direction dir, unsigned long attrs);
DMASIM_API G_GNUC_WARN_UNUSED_RESULT int dma_iova_sync(struct device *dev, struct dma_iova_state *state,
						       size_t offset, size_t size);
DMASIM_API void dma_iova_unlink(struct device *dev, struct dma_iova_state *state, size_t offset, size_t size,
				enum dma_data_direction dir, unsigned long attrs);
DMASIM_API void dma_iova_destroy(struct device *dev, struct dma_iova_state *state, size_t mapped_len,
				 enum dma_data_direction dir, unsigned long attrs);

/* Explicit ownership changes. */
DMASIM_API void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
					enum dma_data_direction dir);
DMASIM_API void dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
					   enum dma_data_direction dir);
DMASIM_API void dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents,
				    enum dma_data_direction dir);
DMASIM_API void dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nents,
				       enum dma_data_direction dir);

/* Coherent memory: *handle is the DMA address, the result the physical address of the first page
 * (pages need not be contiguous behind an IOMMU), 0 on failure. */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT phys_addr_t dma_alloc_attrs(struct device *dev, size_t size,
								 dma_addr_t *handle, unsigned long attrs);
DMASIM_API void dma_free_attrs(struct device *dev, size_t size, phys_addr_t phys, dma_addr_t handle,
			       unsigned long attrs);
/* Physical address of the byte at offset of an allocation (drivers reach it through a mapping of its pages).
 */
DMASIM_API phys_addr_t dma_coherent_phys(struct device *dev, phys_addr_t phys, dma_addr_t handle,
					 size_t offset);
#define dma_alloc_coherent(d, s, h) dma_alloc_attrs(d, s, h, 0)
#define dma_free_coherent(d, s, p, h) dma_free_attrs(d, s, p, h, 0)

/* Pools of small coherent blocks (mm/dmapool.c). */
struct dma_pool;
DMASIM_API struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size, size_t align,
					    size_t boundary);
DMASIM_API void dma_pool_destroy(struct dma_pool *pool);
/* Physical address of a block, 0 when out of memory; *handle its DMA address. */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT phys_addr_t dma_pool_alloc(struct dma_pool *pool, dma_addr_t *handle);
DMASIM_API void dma_pool_free(struct dma_pool *pool, phys_addr_t block, dma_addr_t addr);

/* Queries. */
DMASIM_API bool dma_need_unmap(struct device *dev);
DMASIM_API bool dma_need_sync(struct device *dev, dma_addr_t addr);
DMASIM_API size_t dma_max_mapping_size(struct device *dev);
DMASIM_API size_t dma_opt_mapping_size(struct device *dev);
DMASIM_API unsigned long dma_get_merge_boundary(struct device *dev);
DMASIM_API uint64_t dma_get_required_mask(struct device *dev);
DMASIM_API bool dma_addressing_limited(struct device *dev);
DMASIM_API int dma_set_mask(struct device *dev, uint64_t mask);
static inline void dma_set_max_seg_size(struct device *dev, uint32_t size)
{
	dev->max_segment_size = size;
}
static inline void dma_set_seg_boundary(struct device *dev, uint64_t mask)
{
	dev->seg_boundary_mask = mask;
}
static inline void dma_set_min_align_mask(struct device *dev, uint32_t mask)
{
	dev->min_align_mask = mask;
}

#endif
