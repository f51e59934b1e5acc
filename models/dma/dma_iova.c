/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two-step IOVA API (drivers/iommu/dma-iommu.c since 6.16): reserve one range, link pieces into it,
 * sync once; destroy undoes everything at once. Bounced pieces of untrusted devices included.
 */
#include "iommu.h"

#include "sim/timeline.h"

/* Time of one public call, for cpu.map_ns and cpu.unmap_ns. */
static inline sim_time_t clock_of(const struct device *dev)
{
	return dev->sim->cpu->now;
}

static bool needs_swiotlb(const struct device *dev, phys_addr_t phys, size_t size)
{
	return G_UNLIKELY(dev_use_swiotlb(dev)) && (phys | size) & ~PAGE_MASK;
}

bool dma_iova_try_alloc(struct device *dev, struct dma_iova_state *state, phys_addr_t phys, size_t size)
{
	struct dma_stats *st = dev->dma->st;
	size_t offset = phys & ~PAGE_MASK;
	sim_time_t start = clock_of(dev);
	dma_addr_t addr;

	*state = (struct dma_iova_state){0};
	st->iova_try_alloc_calls++;
	dma_observe(dev, DMA_CALL_TRY_ALLOC, .phys = phys, .size = size);
	if (!use_dma_iommu(dev) || !size || size & DMA_IOVA_USE_SWIOTLB) {
		dma_observe(dev, DMA_CALL_TRY_ALLOC_RET, .ok = false);
		return false;
	}
	cpu_charge(sim_cpu(dev->sim), COST_DMA_MAP_FIXED);
	addr = iommu_dma_alloc_iova(dev->domain, align_up(size + offset, PAGE_SIZE), dev->dma_mask, dev);
	if (addr) {
		state->addr = addr + offset;
		state->__size = size;
	}
	st->map_time += clock_of(dev) - start;
	sim_slice(dev->sim, TIMELINE_MAP, "dma_iova_try_alloc", start, clock_of(dev));
	dma_observe(dev, DMA_CALL_TRY_ALLOC_RET, .addr = addr, .size = align_up(size + offset, PAGE_SIZE),
		    .ok = addr != 0);
	return addr != 0;
}

/* All that was reserved, past the flush queue. */
static void free_window(struct device *dev, const struct dma_iova_state *state)
{
	size_t offset = state->addr & ~PAGE_MASK;

	dma_observe(dev, DMA_CALL_FREE_RANGE, .addr = state->addr, .dir = DMA_NONE);
	iommu_dma_free_iova(dev->domain, state->addr - offset,
			    align_up(dma_iova_size(state) + offset, PAGE_SIZE), NULL);
}

void dma_iova_free(struct device *dev, struct dma_iova_state *state)
{
	sim_time_t start = clock_of(dev);

	free_window(dev, state);
	dev->dma->st->unmap_time += clock_of(dev) - start;
	sim_slice(dev->sim, TIMELINE_UNMAP, "dma_iova_free", start, clock_of(dev));
}

/* ---- link ---- */

/* Copy size bytes through the pool and map the slots' pages at addr; the pieces end or start in a page. */
static int link_bounced(struct device *dev, struct dma_iova_state *state, dma_addr_t addr, phys_addr_t phys,
			size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	unsigned prot = dma_info_to_prot(dir, dev->coherent, attrs);
	size_t offset = phys & ~PAGE_MASK;
	phys_addr_t tlb = iommu_dma_map_swiotlb(dev, phys, size, dir, attrs);
	int ret;

	if (tlb == DMA_MAPPING_ERROR)
		return -ENOMEM;
	ret = iommu_map_nosync(dev->domain, addr - offset, tlb - offset, align_up(size + offset, PAGE_SIZE),
			       prot);
	if (ret)
		swiotlb_tbl_unmap_single(dev, tlb, size, dir, attrs);
	else
		state->__size |= DMA_IOVA_USE_SWIOTLB;
	return ret;
}

/* Unlink what one call has linked so far. */
static void undo_link(struct device *dev, struct dma_iova_state *state, size_t offset, size_t done,
		      enum dma_data_direction dir, unsigned long attrs);

static RARE int link_swiotlb(struct device *dev, struct dma_iova_state *state, phys_addr_t phys,
			     size_t offset, size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	bool defect = dev->dma->kernel->link_zero_middle;
	unsigned prot = dma_info_to_prot(dir, dev->coherent, attrs);
	size_t head = phys & ~PAGE_MASK, tail = (phys + size) & ~PAGE_MASK, done = 0;
	int ret;

	if (head) {
		size_t bytes = MIN(size, PAGE_SIZE - head);

		ret = link_bounced(dev, state, state->addr + offset, phys, bytes, dir, attrs);
		if (ret)
			return ret;
		size -= bytes;
		done += bytes;
		if (!size)
			return 0;
	}
	size -= tail;
	ret = 0;
	if (size || defect)
		ret = iommu_map_nosync(dev->domain, state->addr + offset + done, phys + done, size, prot);
	if (ret)
		goto undo;
	done += size;
	if (tail) {
		ret = link_bounced(dev, state, state->addr + offset + done, phys + done, tail, dir, attrs);
		if (ret)
			goto undo;
	}
	return 0;
undo:
	if (defect)
		undo_link(dev, state, 0, done, dir, attrs);
	else if (done)
		undo_link(dev, state, offset, done, dir, attrs);
	return ret;
}

static int link_checked(struct device *dev, struct dma_iova_state *state, phys_addr_t phys, size_t offset,
			size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	size_t pad = phys & ~PAGE_MASK;

	if (pad && offset) {
		sim_refuse(dev->sim, "a piece behind the first starts inside a page for", dev->name, size);
		return -EIO;
	}
	if (attrs & DMA_ATTR_REQUIRE_COHERENT && (state->__size & DMA_IOVA_USE_SWIOTLB || !dev->coherent))
		return -EOPNOTSUPP;
	if (needs_swiotlb(dev, phys, size)) {
		if (attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT)) {
			sim_refuse(dev->sim, "memory that must bounce and cannot for", dev->name, size);
			return -EPERM;
		}
		return link_swiotlb(dev, state, phys, offset, size, dir, attrs);
	}
	dev->dma->st->overmapped_bytes += align_up(size + pad, PAGE_SIZE) - size;
	return iommu_map_nosync(dev->domain, state->addr + offset - pad, phys - pad,
				align_up(size + pad, PAGE_SIZE), dma_info_to_prot(dir, dev->coherent, attrs));
}

int dma_iova_link(struct device *dev, struct dma_iova_state *state, phys_addr_t phys, size_t offset,
		  size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_stats *st = dev->dma->st;
	sim_time_t start = clock_of(dev);
	int ret;

	g_assert(offset + size <= dma_iova_size(state));
	cpu_charge(sim_cpu(dev->sim), COST_LINK_SEGMENT);
	st->link_calls++;
	dma_observe(dev, DMA_CALL_LINK, .phys = phys, .offset = offset, .size = size);
	ret = link_checked(dev, state, phys, offset, size, dir, attrs);
	if (!ret) {
		st->bytes_mapped += size;
		dma_observe(dev, DMA_CALL_LINKED, .addr = state->addr, .offset = offset, .size = size,
			    .dir = dir);
	}
	st->map_time += clock_of(dev) - start;
	sim_slice(dev->sim, TIMELINE_LINK, "dma_iova_link", start, clock_of(dev));
	return ret;
}

int dma_iova_sync(struct device *dev, struct dma_iova_state *state, size_t offset, size_t size)
{
	dma_addr_t addr = state->addr + offset;
	size_t pad = addr & ~PAGE_MASK;
	sim_time_t start = clock_of(dev);
	int ret;

	dev->dma->st->sync_calls++;
	dma_observe(dev, DMA_CALL_SYNC, .offset = offset, .size = size);
	ret = iommu_sync_map(dev->domain, addr - pad, align_up(size + pad, PAGE_SIZE));
	dev->dma->st->map_time += clock_of(dev) - start;
	sim_slice(dev->sim, TIMELINE_SYNC, "dma_iova_sync", start, clock_of(dev));
	return ret;
}

/* ---- unlink ---- */

/*
 * Per-page walk that gives bounce slots back. It runs before the page tables are touched: for a moment
 * the device can reach slots that are free already.
 */
static RARE void unlink_range_slow(struct device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir, unsigned long attrs)
{
	size_t offset = addr & ~PAGE_MASK;

	while (size) {
		size_t len = MIN(PAGE_SIZE - offset, size);
		phys_addr_t phys = iommu_iova_to_phys(dev->domain, addr);

		if (!phys)
			return;
		if (is_swiotlb_buffer(dev, phys))
			swiotlb_tbl_unmap_single(dev, phys, len, dir, attrs);
		addr += len;
		size -= len;
		offset = 0;
	}
}

static void iova_unlink(struct device *dev, struct dma_iova_state *state, size_t offset, size_t size,
			enum dma_data_direction dir, unsigned long attrs, bool free_iova)
{
	struct iommu_domain *d = dev->domain;
	struct iommu_iotlb_gather gather = IOMMU_IOTLB_GATHER_INIT;
	dma_addr_t addr = state->addr + offset;
	size_t pad = addr & ~PAGE_MASK;

	if (G_UNLIKELY(state->__size & DMA_IOVA_USE_SWIOTLB) ||
	    (!dev->coherent && !(attrs & (DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_MMIO))))
		unlink_range_slow(dev, addr, size, dir, attrs);
	addr -= pad;
	size = align_up(size + pad, PAGE_SIZE);
	gather.queued = free_iova && d->fq;
	iommu_unmap_fast(d, addr, size, &gather);
	if (!gather.queued)
		iommu_iotlb_sync(d, &gather);
	if (free_iova)
		iommu_dma_free_iova(d, addr, size, &gather);
}

static void undo_link(struct device *dev, struct dma_iova_state *state, size_t offset, size_t done,
		      enum dma_data_direction dir, unsigned long attrs)
{
	iova_unlink(dev, state, offset, done, dir, attrs, false);
}

void dma_iova_unlink(struct device *dev, struct dma_iova_state *state, size_t offset, size_t size,
		     enum dma_data_direction dir, unsigned long attrs)
{
	sim_time_t start = clock_of(dev);

	dev->dma->st->unlink_calls++;
	dma_observe(dev, DMA_CALL_UNLINK, .addr = state->addr, .offset = offset, .size = size, .dir = dir);
	cpu_charge(sim_cpu(dev->sim), COST_DMA_MAP_FIXED);
	iova_unlink(dev, state, offset, size, dir, attrs, false);
	dev->dma->st->unmap_time += clock_of(dev) - start;
	sim_slice(dev->sim, TIMELINE_UNMAP, "dma_iova_unlink", start, clock_of(dev));
}

void dma_iova_destroy(struct device *dev, struct dma_iova_state *state, size_t mapped_len,
		      enum dma_data_direction dir, unsigned long attrs)
{
	sim_time_t start = clock_of(dev);

	dev->dma->st->destroy_calls++;
	dma_observe(dev, DMA_CALL_DESTROY, .addr = state->addr, .size = mapped_len, .dir = dir);
	if (!mapped_len) {
		dma_iova_free(dev, state);
		return;
	}
	cpu_charge(sim_cpu(dev->sim), COST_DMA_MAP_FIXED);
	if (dev->dma->kernel->destroy_queues) {
		/* mapped_len alone decides how much address space goes back. */
		iova_unlink(dev, state, 0, mapped_len, dir, attrs, true);
	} else {
		iova_unlink(dev, state, 0, mapped_len, dir, attrs, false);
		free_window(dev, state);
	}
	dev->dma->st->unmap_time += clock_of(dev) - start;
	sim_slice(dev->sim, TIMELINE_UNMAP, "dma_iova_destroy", start, clock_of(dev));
}
