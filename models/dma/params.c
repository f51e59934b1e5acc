/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters and statistics of the IOMMU path. */
#include "iova.h"

const char *const iommu_mode_names[] = {"off", "passthrough", "lazy", "strict", NULL};

#define P(member) offsetof(struct iova_params, member)
static const struct param_spec iova_specs[] = {
    {"forcedac", PARAM_BOOL, "", P(forcedac), "false", 0, 0, NULL,
     "do not try below 4 GiB first (iommu.forcedac=1)", "Linux drivers/iommu/dma-iommu.c"},
    {"magazine_size", PARAM_UINT, "", P(magazine_size), "127", 1, 1 << 20, NULL,
     "ranges per magazine of the per-CPU caches", "Linux drivers/iommu/iova.c, IOVA_MAG_SIZE (A)"},
    {"cache_classes", PARAM_UINT, "", P(cache_classes), "6", 1, IOVA_CACHE_CLASSES_MAX, NULL,
     "sizes that the per-CPU caches keep: 1, 2, 4 ... pages, the largest of which is the advised mapping "
     "size",
     "Linux drivers/iommu/iova.c, IOVA_RANGE_CACHE_MAX_SIZE (A)"},
    {"depot_delay", PARAM_TIME, "ps", P(depot_delay), "100ms", 1, 1e15, NULL,
     "period of the depot trimmer (kernels since 6.7)", "Linux drivers/iommu/iova.c, IOVA_DEPOT_DELAY (A)"},
};
#undef P
const struct param_table iova_param_table = {"iova", "IOVA allocator: range tree and per-CPU caches",
					     iova_specs, G_N_ELEMENTS(iova_specs),
					     sizeof(struct iova_params)};

#define P(member) offsetof(struct flush_queue_params, member)
static const struct param_spec flush_queue_specs[] = {
    {"entries", PARAM_UINT, "", P(entries), "256", 2, 1 << 20, NULL,
     "ring size per CPU, rounded up to a power of two; one slot stays empty",
     "Linux drivers/iommu/dma-iommu.c, IOVA_DEFAULT_FQ_SIZE (A)"},
    {"timeout", PARAM_TIME, "ps", P(timeout), "10ms", 1, 1e15, NULL,
     "delay from the first entry to the flush of the domain",
     "Linux drivers/iommu/dma-iommu.c, IOVA_DEFAULT_FQ_TIMEOUT (A)"},
    {"hz", PARAM_UINT, "", P(hz), "250", 1, 10000, NULL, "CONFIG_HZ: timers fire on its ticks",
     "Debian kernels, recordings (A)"},
};
#undef P
const struct param_table flush_queue_param_table = {
    "flush_queue", "lazy mode: rings of freed ranges that wait for a flush", flush_queue_specs,
    G_N_ELEMENTS(flush_queue_specs), sizeof(struct flush_queue_params)};

#define COUNT(nm, member, h)                                            \
	{                                                               \
		.name = nm, .kind = STAT_COUNTER, .unit = "count",      \
		.offset = offsetof(struct dma_stats, member), .help = h \
	}
#define BYTES(nm, member, h)                                            \
	{                                                               \
		.name = nm, .kind = STAT_COUNTER, .unit = "bytes",      \
		.offset = offsetof(struct dma_stats, member), .help = h \
	}
#define PEAK(nm, member, h)                                             \
	{                                                               \
		.name = nm, .kind = STAT_GAUGE, .unit = "count",        \
		.offset = offsetof(struct dma_stats, member), .help = h \
	}

#define LOCK_COUNT(nm, member, h)                                                             \
	{                                                                                     \
		.name = nm, .kind = STAT_COUNTER, .unit = "count",                            \
		.offset = offsetof(struct dma_stats, member), .needs_timing = true, .help = h \
	}
#define TIME(nm, k, member, timing, h)                                                             \
	{                                                                                          \
		.name = nm, .kind = k, .unit = "ns", .offset = offsetof(struct dma_stats, member), \
		.needs_timing = timing, .help = h                                                  \
	}

/* clang-format off */
static const struct stat_spec specs[] = {
	COUNT("dma.map_calls", map_calls, "mapping calls: single mappings and whole lists"),
	COUNT("dma.unmap_calls", unmap_calls, "unmapping calls: single mappings and whole lists"),
	COUNT("dma.map_page_calls", map_page_calls, "dma_map_page calls"),
	COUNT("dma.unmap_page_calls", unmap_page_calls, "dma_unmap_page calls"),
	COUNT("dma.map_phys_calls", map_phys_calls, "dma_map_phys calls, dma_map_page included where it is one"),
	COUNT("dma.unmap_phys_calls", unmap_phys_calls, "dma_unmap_phys calls, dma_unmap_page included where it is one"),
	COUNT("dma.map_sg_calls", map_sg_calls, "lists mapped"),
	COUNT("dma.unmap_sg_calls", unmap_sg_calls, "lists unmapped"),
	COUNT("dma.try_alloc_calls", iova_try_alloc_calls, "dma_iova_try_alloc calls"),
	COUNT("dma.link_calls", link_calls, "dma_iova_link calls"),
	COUNT("dma.sync_calls", sync_calls, "dma_iova_sync calls"),
	COUNT("dma.unlink_calls", unlink_calls, "dma_iova_unlink calls"),
	COUNT("dma.destroy_calls", destroy_calls, "dma_iova_destroy calls"),
	COUNT("dma.coherent_allocs", coherent_allocs, "coherent allocations, pages of DMA pools included"),
	COUNT("dma.coherent_frees", coherent_frees, "coherent memory freed"),
	BYTES("dma.bytes_mapped", bytes_mapped, "bytes handed to mapping and link calls that succeeded"),
	COUNT("dma.cacheable_mmio_pages", cacheable_mmio_pages,
	      "4 KiB pages of device memory that were mapped cacheable"),
	COUNT("iommu.direct_pages", direct_pages,
	      "4 KiB pages of firmware's reserved regions (RMRR), mapped to themselves for their devices"),
	COUNT("iova.allocs", iova_allocs, "IOVA ranges allocated"),
	COUNT("iova.frees", iova_frees, "IOVA ranges freed to the caches or the tree"),
	COUNT("iova.pages_allocated", iova_pages_allocated, "pages of IOVA allocated, as asked for"),
	COUNT("iova.pages_freed", iova_pages_freed, "pages of IOVA freed"),
	COUNT("iova.failures", iova_failures, "allocations that found no range"),
	COUNT("iova.rcache_hits", rcache_hits, "allocations served by a per-CPU cache"),
	COUNT("iova.rcache_puts", rcache_puts, "frees taken by a per-CPU cache"),
	COUNT("iova.depot_refills", depot_refills, "full magazines taken from the depot"),
	COUNT("iova.depot_spills", depot_spills, "full magazines given to the depot"),
	COUNT("iova.depot_trims", depot_trims, "magazines that the trimmer returned to the tree"),
	COUNT("iova.tree_allocs", tree_allocs, "allocations served by the range tree"),
	COUNT("iova.tree_frees", tree_frees, "frees of sizes that are not cached"),
	COUNT("iova.tree_steps", tree_steps, "ranges that searches for a gap in the tree stepped over"),
	LOCK_COUNT("iova.tree_lock_acquired", tree_lock.acquired, "times the lock of a range tree was taken"),
	LOCK_COUNT("iova.tree_lock_contended", tree_lock.contended, "times it was waited for"),
	TIME("iova.tree_lock_wait_ns", STAT_TIME_NS, tree_lock.wait, true, "CPU time spent waiting for it"),
	TIME("iova.tree_lock_wait_max_ns", STAT_TIME_MAX_NS, tree_lock.wait_max, true, "longest wait for it"),
	TIME("iova.tree_lock_hold_ns", STAT_TIME_NS, tree_lock.hold, true, "time it was held"),
	TIME("iova.alloc_ns", STAT_TIME_NS, iova_alloc_time, false,
	     "CPU time in address allocation, from caches or tree, lock waits included"),
	TIME("iova.free_ns", STAT_TIME_NS, iova_free_time, false,
	     "CPU time in address release, to caches or tree, lock waits included"),
	COUNT("iova.rcache_flushes", rcache_flushes, "times all caches were emptied to make room"),
	COUNT("iova.below_4g_given_up", iova_32bit_given_up, "devices that stopped trying below 4 GiB first"),
	COUNT("iommu.map_ops", iommu_map_ops, "map calls of the IOMMU core (one physical run each)"),
	COUNT("iommu.unmap_ops", iommu_unmap_ops, "unmap calls of the IOMMU core"),
	BYTES("iommu.map_bytes", iommu_map_bytes, "bytes mapped, in whole pages"),
	BYTES("iommu.unmap_bytes", iommu_unmap_bytes, "bytes unmapped, in whole pages"),
	COUNT("iommu.ptes_written", ptes_written, "leaf entries written, of any size"),
	COUNT("iommu.ptes_cleared", ptes_cleared, "leaf entries cleared, of any size"),
	COUNT("iommu.walks_software", walks_software, "page-table look-ups by the CPU (iova_to_phys)"),
	COUNT("iommu.table_pages_allocated", table_pages_allocated, "page-table pages allocated, roots included"),
	COUNT("iommu.table_pages_freed", table_pages_freed, "page-table pages freed while their domain lives"),
	COUNT("iommu.iotlb_syncs", iotlb_syncs, "range invalidations after unmapping"),
	COUNT("iommu.sync_maps", sync_maps, "sync_map callbacks after mapping"),
	COUNT("iommu.flush_all", flush_all, "invalidations of a whole domain by the flush queue"),
	COUNT("iommu.indirect_calls", indirect_calls, "calls of the IOMMU driver through function pointers"),
	COUNT("iommu.write_buffer_flushes", write_buffer_flushes, "register writes that flush the unit's write buffer"),
	COUNT("flush_queue.entries", fq_entries, "ranges put on a ring"),
	COUNT("flush_queue.timeouts", fq_timeouts, "flushes by the timer"),
	COUNT("flush_queue.ring_full", fq_ring_full, "flushes because a ring was full"),
	COUNT("swiotlb.bounces", swiotlb_bounces, "mappings that went through the bounce pool"),
	BYTES("swiotlb.bytes_copied", swiotlb_bytes_copied, "bytes copied to and from the bounce pool"),
	PEAK("swiotlb.slots_used", swiotlb_slots_used, "2 KiB slots in use at the end"),
	PEAK("swiotlb.slots_peak", swiotlb_slots_peak, "most 2 KiB slots in use at one time"),
	COUNT("swiotlb.failures", swiotlb_failures, "bounces that found no room"),
};
/* clang-format on */
const struct stat_table dma_stat_table = {specs, G_N_ELEMENTS(specs), sizeof(struct dma_stats)};
