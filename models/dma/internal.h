/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of models/dma know of each other: the seams of kernel/dma (dispatch, direct,
 * swiotlb, P2P) and drivers/iommu (dma-iommu, iommu core, allocator, flush queue, Intel driver).
 */
#ifndef DMASIM_DMA_INTERNAL_H
#define DMASIM_DMA_INTERNAL_H

#include "dma_layer.h"
#include "dma_observer.h"
#include "sim/cpu.h"
#include <dmasim/dma-mapping.h>
#include <dmasim/p2pdma.h>
#include "models/pcie/pcie.h"

struct swiotlb;
struct iommu_device;
struct iova_domain;
struct dma_replay;

/* One machine's DMA layer. */
struct dma_layer {
	struct sim *sim;
	struct memory *mem;
	struct iommu_unit *unit; /* NULL: no IOMMU in the machine */
	enum iommu_mode mode;
	const struct kernel_profile *kernel;
	struct dma_params params;
	struct dma_stats *st;
	const struct dma_observer *observer; /* NULL: nobody watches */
	const struct dma_replay *replay;     /* NULL: nobody steers; then so is its steered_alloc */
	void (*steered_alloc)(struct iova_domain *iovad, struct iova_alloc_event *e, bool flush_rcache);
	struct swiotlb *swiotlb;      /* NULL: no bounce pool */
	struct iommu_device *iommus;  /* driver side of unit and, behind it, of others; NULL without units */
	struct iommu_domain *domains; /* list of all domains */
};

/* Time as the running kernel code sees it. */
static inline sim_time_t dma_now(const struct dma_layer *l)
{
	return l->sim->timing ? l->sim->cpu->now : l->sim->now;
}

/* A macro, so that the arguments are built only if somebody listens. dev is evaluated twice. */
#define dma_observe(dev, what, ...)                                                                     \
	do {                                                                                            \
		const struct dma_observer *listener = (dev)->dma->observer;                             \
                                                                                                        \
		if (G_UNLIKELY(listener) && listener->call)                                             \
			listener->call(listener->arg, dev, what, &(struct dma_call_args){__VA_ARGS__}); \
	} while (0)

/* ---- what a device can address ---- */

/* Whether the last byte of [addr, addr + size) is within the device's mask and bus limit. */
bool dma_capable(const struct device *dev, dma_addr_t addr, size_t size);
/* "skip sync" flag as setting the mask computes it. */
void dma_setup_need_sync(struct device *dev);

/* ---- kernel/dma/direct.c ---- */

dma_addr_t dma_direct_map_phys(struct device *dev, phys_addr_t phys, size_t size, enum dma_data_direction dir,
			       unsigned long attrs);
void dma_direct_unmap_phys(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
			   unsigned long attrs);
/* Number of entries, or a negative errno. */
int dma_direct_map_sg(struct device *dev, struct scatterlist *sg, int nents, enum dma_data_direction dir,
		      unsigned long attrs);
void dma_direct_unmap_sg(struct device *dev, struct scatterlist *sg, int nents, enum dma_data_direction dir,
			 unsigned long attrs);
void dma_direct_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
				    enum dma_data_direction dir);
void dma_direct_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				       enum dma_data_direction dir);
void dma_direct_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents,
				enum dma_data_direction dir);
void dma_direct_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nents,
				   enum dma_data_direction dir);
size_t dma_direct_max_mapping_size(struct device *dev);

/* ---- kernel/dma/swiotlb.c ---- */

/* The default pool by params.swiotlb; sets l->swiotlb (NULL when there is none). 0 or errno. */
int swiotlb_init(struct dma_layer *l);
void swiotlb_exit(struct dma_layer *l);
/* Slots for mapping_size bytes of orig; copies in. DMA_MAPPING_ERROR (all ones) on failure. */
phys_addr_t swiotlb_tbl_map_single(struct device *dev, phys_addr_t orig, size_t mapping_size,
				   unsigned alloc_align_mask, enum dma_data_direction dir,
				   unsigned long attrs);
void swiotlb_tbl_unmap_single(struct device *dev, phys_addr_t tlb_addr, size_t mapping_size,
			      enum dma_data_direction dir, unsigned long attrs);
void swiotlb_sync_single_for_cpu(struct device *dev, phys_addr_t tlb_addr, size_t size,
				 enum dma_data_direction dir);
void swiotlb_sync_single_for_device(struct device *dev, phys_addr_t tlb_addr, size_t size,
				    enum dma_data_direction dir);
/* Bounce for the direct path: event, slots, addressability. DMA_MAPPING_ERROR on failure. */
dma_addr_t swiotlb_map(struct device *dev, phys_addr_t phys, size_t size, enum dma_data_direction dir,
		       unsigned long attrs);
bool is_swiotlb_active(const struct device *dev);
bool is_swiotlb_force_bounce(const struct device *dev);
/* Whether phys lies in a bounce pool of dev (swiotlb_find_pool). */
bool is_swiotlb_buffer(const struct device *dev, phys_addr_t phys);
size_t swiotlb_max_mapping_size(const struct device *dev);

/*
 * ---- kernel/dma/mapping.c ----
 *
 * mapping.c dispatches, counts and times every function of dma-mapping.h but these: dma_iova_* live with
 * the IOMMU path, dma_alloc_attrs, dma_free_attrs and dma_pool_* with the coherent allocator, masks in
 * addressing.c.
 */

/* ---- coherent.c ---- */

/* What a domain still has of it goes with the domain. */
void coherent_exit(struct iommu_domain *d);

/* ---- drivers/iommu/dma-iommu.c: the IOMMU path, called by the dispatch ---- */

static inline bool use_dma_iommu(const struct device *dev)
{
	return dev->use_dma_iommu;
}
dma_addr_t iommu_dma_map_phys(struct device *dev, phys_addr_t phys, size_t size, enum dma_data_direction dir,
			      unsigned long attrs);
void iommu_dma_unmap_phys(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
			  unsigned long attrs);
/* Number of DMA segments, or a negative errno. */
int iommu_dma_map_sg(struct device *dev, struct scatterlist *sg, int nents, enum dma_data_direction dir,
		     unsigned long attrs);
void iommu_dma_unmap_sg(struct device *dev, struct scatterlist *sg, int nents, enum dma_data_direction dir,
			unsigned long attrs);
void iommu_dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir);
void iommu_dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				      enum dma_data_direction dir);
void iommu_dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents,
			       enum dma_data_direction dir);
void iommu_dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nents,
				  enum dma_data_direction dir);
size_t iommu_dma_opt_mapping_size(const struct device *dev);
size_t iommu_dma_max_mapping_size(struct device *dev);
unsigned long iommu_dma_get_merge_boundary(struct device *dev);

#endif
