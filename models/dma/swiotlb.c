/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounce buffers: slots, areas and segments, alignment, copies (Linux kernel/dma/swiotlb.c).
 */
#include "swiotlb.h"

/* ---- copies ---- */

static void charge_copy(struct sim *sim, size_t bytes)
{
	cpu_charge_time(sim->cpu, COST_SWIOTLB_COPY_KIB, sim->cost[COST_SWIOTLB_COPY_KIB] * bytes / KIB);
}

/*
 * Copy size bytes between the bounce buffer at tlb_addr (any byte inside a mapping) and the original,
 * clipped to the mapping's end.
 */
static void swiotlb_bounce(struct device *dev, struct io_tlb_pool *pool, phys_addr_t tlb_addr, size_t size,
			   bool to_bounce)
{
	struct dma_layer *l = dev->dma;
	uint64_t index = (tlb_addr - pool->start) >> IO_TLB_SHIFT;
	const struct io_tlb_slot *slot = &pool->slots[index];
	phys_addr_t orig = slot->orig_addr;
	int64_t skip;

	if (orig == INVALID_PHYS_ADDR)
		return;
	/*
	 * The record of a slot is for its byte number "offset" (the low bits of the original that were kept);
	 * bytes in front of it, in all slots but the first, count backwards from there.
	 */
	skip = (int64_t)(tlb_addr & (IO_TLB_SIZE - 1)) - swiotlb_align_offset(dev, 0, orig);
	if (skip >= (int64_t)slot->alloc_size)
		return;
	size = MIN(size, (size_t)((int64_t)slot->alloc_size - skip));
	orig += (uint64_t)skip;
	if (to_bounce)
		memory_copy(l->mem, tlb_addr, orig, size);
	else
		memory_copy(l->mem, orig, tlb_addr, size);
	l->st->swiotlb_bytes_copied += size;
	charge_copy(dev->sim, size);
}

/* ---- slots ---- */

static uint32_t wrap_area_index(const struct io_tlb_pool *pool, uint64_t index)
{
	return (uint32_t)(index >= pool->area_nslabs ? 0 : index);
}

/* Whether count slots from index would cross the device's segment boundary. */
static bool spans_boundary(uint64_t index, uint64_t count, uint64_t first_slot, uint64_t max_slots)
{
	return ((first_slot + index) & (max_slots - 1)) + count > max_slots;
}

static uint64_t max_slots(uint64_t mask)
{
	return (mask >> IO_TLB_SHIFT) + 1;
}

static void take_slots(struct device *dev, struct io_tlb_pool *pool, struct io_tlb_area *area, uint64_t first,
		       uint64_t count, uint64_t total, unsigned offset)
{
	struct dma_stats *st = dev->dma->st;
	uint16_t free_run = 0;

	for (uint64_t i = 0; i < count; i++) {
		pool->slots[first + i].list = 0;
		pool->slots[first + i].alloc_size = total - (offset + (i << IO_TLB_SHIFT));
	}
	for (uint64_t i = first; i % IO_TLB_SEGSIZE && pool->slots[i - 1].list; i--)
		pool->slots[i - 1].list = ++free_run;
	/* The runs of all free slots before it in the segment change with it, under the lock. */
	cpu_charge_n(dev->sim->cpu, COST_SWIOTLB_PROBE, count + free_run);
	area->used += count;
	st->swiotlb_slots_used += count;
	if (st->swiotlb_slots_used > st->swiotlb_slots_peak)
		st->swiotlb_slots_peak = st->swiotlb_slots_used;
}

/* Search one area, one lap from its hint. Returns the slot's number in the pool, or -1. */
int64_t swiotlb_search_pool(struct device *dev, struct io_tlb_pool *pool, unsigned area_index,
			    phys_addr_t orig, uint64_t total, unsigned align_mask)
{
	struct io_tlb_area *area = &pool->areas[area_index];
	struct cpu *cpu = dev->sim->cpu;
	uint64_t boundary = max_slots(dev->seg_boundary_mask);
	phys_addr_t base = pool->start & dev->seg_boundary_mask;
	uint64_t first_slot = nr_slots(base);
	uint64_t count = nr_slots(total), slot_base = area_index * pool->area_nslabs;
	unsigned match = dev->min_align_mask, offset = swiotlb_align_offset(dev, 0, orig);
	uint64_t stride, probed = 0;
	uint32_t index;
	int64_t found = -1;

	/* Requests of a page or more are page aligned even when nobody asks. */
	if (!align_mask && !match && total >= PAGE_SIZE)
		align_mask = PAGE_SIZE - 1;
	align_mask |= IO_TLB_SIZE - 1;
	match &= ~align_mask;
	stride = max_slots(MAX(align_mask, match));

	spin_lock(cpu, &area->lock);
	cpu_charge(cpu, COST_SWIOTLB_SEARCH);
	if (count > pool->area_nslabs - area->used)
		goto out;
	index = area->index;
	for (uint64_t checked = 0; checked < pool->area_nslabs; probed++) {
		uint64_t slot = slot_base + index;
		phys_addr_t addr = slot_addr(base, slot);

		if ((addr & align_mask) || (orig && (addr & match) != (orig & match))) {
			index = wrap_area_index(pool, index + 1);
			checked++;
			continue;
		}
		if (!spans_boundary(slot, count, first_slot, boundary) && pool->slots[slot].list >= count) {
			take_slots(dev, pool, area, slot, count, total, offset);
			area->index = wrap_area_index(pool, index + count);
			found = (int64_t)slot;
			break;
		}
		index = wrap_area_index(pool, index + stride);
		checked += stride;
	}
	cpu_charge_n(cpu, COST_SWIOTLB_PROBE, probed);
out:
	spin_unlock(cpu, &area->lock);
	return found;
}

int64_t swiotlb_find_slots(struct device *dev, phys_addr_t orig, uint64_t total, unsigned align_mask,
			   struct io_tlb_pool **pool)
{
	struct swiotlb *sw = dev->dma->swiotlb;
	unsigned cpu = smp_processor_id(dev->sim);
	unsigned most = 1;
	uint64_t count = nr_slots(total);
	int64_t index;

	if (count > IO_TLB_SEGSIZE)
		return -1;
	for (struct io_tlb_pool *p = sw->pools; p; p = p->next)
		most = MAX(most, p->nareas);
	/* Every pool's own area first, then the neighbours': locks stay apart. */
	for (unsigned step = 0; step < most; step++) {
		for (struct io_tlb_pool *p = sw->pools; p; p = p->next) {
			if (step >= p->nareas)
				continue;
			index = swiotlb_search_pool(dev, p, (cpu + step) & (p->nareas - 1), orig, total,
						    align_mask);
			if (index >= 0) {
				*pool = p;
				return index;
			}
		}
	}
	if (!sw->can_grow)
		return -1;
	swiotlb_grow(sw);
	*pool = swiotlb_transient_new(dev, count);
	if (!*pool)
		return -1;
	index = swiotlb_search_pool(dev, *pool, 0, orig, total, align_mask);
	if (index < 0)
		swiotlb_transient_free(dev, *pool);
	return index;
}

void swiotlb_release_slots(struct device *dev, struct io_tlb_pool *pool, phys_addr_t tlb_addr)
{
	unsigned offset = swiotlb_align_offset(dev, 0, tlb_addr);
	uint64_t index = (tlb_addr - offset - pool->start) >> IO_TLB_SHIFT;
	struct io_tlb_area *area;
	uint64_t count;
	uint16_t run = 0, before;

	index -= pool->slots[index].pad_slots;
	count = nr_slots(pool->slots[index].alloc_size + offset);
	area = &pool->areas[index / pool->area_nslabs];

	spin_lock(dev->sim->cpu, &area->lock);
	/* The free run behind joins, if it is in the same segment. */
	if ((index + count) % IO_TLB_SEGSIZE && index + count < pool->nslabs)
		run = pool->slots[index + count].list;
	for (uint64_t i = index + count; i-- > index;) {
		struct io_tlb_slot *slot = &pool->slots[i];

		slot->list = ++run;
		slot->orig_addr = INVALID_PHYS_ADDR;
		slot->alloc_size = 0;
		slot->pad_slots = 0;
	}
	before = run;
	for (uint64_t i = index; i % IO_TLB_SEGSIZE && pool->slots[i - 1].list; i--)
		pool->slots[i - 1].list = ++run;
	cpu_charge_n(dev->sim->cpu, COST_SWIOTLB_PROBE, count + (unsigned)(run - before));
	area->used -= count;
	dev->dma->st->swiotlb_slots_used -= count;
	spin_unlock(dev->sim->cpu, &area->lock);
}

/* ---- interface ---- */

phys_addr_t swiotlb_tbl_map_single(struct device *dev, phys_addr_t orig, size_t mapping_size,
				   unsigned align_mask, enum dma_data_direction dir, unsigned long attrs)
{
	struct swiotlb *sw = dev->dma->swiotlb;
	struct dma_stats *st = dev->dma->st;
	unsigned offset = swiotlb_align_offset(dev, align_mask, orig);
	uint64_t total = align_up((uint64_t)mapping_size + offset, (uint64_t)align_mask + 1), slots;
	unsigned pad = offset >> IO_TLB_SHIFT;
	struct io_tlb_pool *pool;
	phys_addr_t tlb_addr;
	int64_t index;

	(void)dir;
	(void)attrs;
	st->swiotlb_bounces++; /* also those that fail: the event comes before the allocation */
	if (!sw) {
		st->swiotlb_failures++;
		sim_refuse(dev->sim, "no bounce pool for", dev->name, mapping_size);
		return DMA_MAPPING_ERROR;
	}
	dev->dma_skip_sync = false;
	index = swiotlb_find_slots(dev, orig, total, align_mask, &pool);
	if (index < 0) {
		st->swiotlb_failures++;
		sim_refuse(dev->sim, "bounce pool full for", dev->name, mapping_size);
		return DMA_MAPPING_ERROR;
	}
	dev->dma_uses_swiotlb = true;
	slots = nr_slots(total) - pad;
	index += pad;
	pool->slots[index].pad_slots = (uint16_t)pad;
	for (uint64_t i = 0; i < slots; i++)
		pool->slots[index + (int64_t)i].orig_addr = slot_addr(orig, i);
	tlb_addr = slot_addr(pool->start, (uint64_t)index) + (offset & (IO_TLB_SIZE - 1));
	/* Whatever the direction: a device that writes less than all must not destroy the rest. */
	swiotlb_bounce(dev, pool, tlb_addr, mapping_size, true);
	return tlb_addr;
}

void swiotlb_tbl_unmap_single(struct device *dev, phys_addr_t tlb_addr, size_t mapping_size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct io_tlb_pool *pool = swiotlb_find_pool(dev, tlb_addr);

	if (!pool)
		return;
	if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC) && (dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL))
		swiotlb_bounce(dev, pool, tlb_addr, mapping_size, false);
	swiotlb_release_slots(dev, pool, tlb_addr);
	if (pool->transient)
		swiotlb_transient_free(dev, pool);
}

void swiotlb_sync_single_for_cpu(struct device *dev, phys_addr_t tlb_addr, size_t size,
				 enum dma_data_direction dir)
{
	struct io_tlb_pool *pool = swiotlb_find_pool(dev, tlb_addr);

	if (pool && (dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL))
		swiotlb_bounce(dev, pool, tlb_addr, size, false);
}

void swiotlb_sync_single_for_device(struct device *dev, phys_addr_t tlb_addr, size_t size,
				    enum dma_data_direction dir)
{
	struct io_tlb_pool *pool = swiotlb_find_pool(dev, tlb_addr);

	if (pool && (dir == DMA_TO_DEVICE || dir == DMA_BIDIRECTIONAL))
		swiotlb_bounce(dev, pool, tlb_addr, size, true);
}

dma_addr_t swiotlb_map(struct device *dev, phys_addr_t phys, size_t size, enum dma_data_direction dir,
		       unsigned long attrs)
{
	const struct dma_observer *o = dev->dma->observer;
	phys_addr_t tlb_addr;

	if (G_UNLIKELY(o) && o->bounce)
		o->bounce(o->arg, dev, phys, size);
	tlb_addr = swiotlb_tbl_map_single(dev, phys, size, 0, dir, attrs);
	if (tlb_addr == DMA_MAPPING_ERROR)
		return DMA_MAPPING_ERROR;
	if (!dma_capable(dev, tlb_addr, size)) {
		swiotlb_tbl_unmap_single(dev, tlb_addr, size, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC);
		sim_refuse(dev->sim, "bounce pool out of reach for", dev->name, size);
		return DMA_MAPPING_ERROR;
	}
	return tlb_addr;
}

size_t swiotlb_max_mapping_size(const struct device *dev)
{
	return IO_TLB_SEGMENT_BYTES - align_up(dev->min_align_mask, IO_TLB_SIZE);
}
