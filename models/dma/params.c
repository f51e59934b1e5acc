/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters and statistics of the IOMMU path. */
#include "iova.h"

const char *const iommu_mode_names[] = {"off", "passthrough", "lazy", "strict", NULL};

#define PARAMS_OF struct iova_params
static const struct param_spec iova_specs[] = {
    PARAM(forcedac, BOOL, "false", .help = "do not try below 4 GiB first (iommu.forcedac=1)",
	  .source = "Linux drivers/iommu/dma-iommu.c"),
    PARAM(magazine_size, UINT, "0", .min = 0, .max = 1 << 20,
	  .help = "ranges per magazine of the per-CPU caches; 0: as the kernel has it",
	  .source = "Linux drivers/iommu/iova.c, IOVA_MAG_SIZE: 127, in 5.15 128 (A)"),
    PARAM(cache_classes, UINT, "6", .min = 1, .max = IOVA_CACHE_CLASSES_MAX,
	  .help = "sizes that the per-CPU caches keep: 1, 2, 4 ... pages, the largest of which is the "
		  "advised mapping size",
	  .source = "Linux drivers/iommu/iova.c, IOVA_RANGE_CACHE_MAX_SIZE (A)"),
    PARAM(depot_delay, TIME, "100ms", .min = 1, .max = 1e15,
	  .help = "period of the depot trimmer (kernels since 6.7)",
	  .source = "Linux drivers/iommu/iova.c, IOVA_DEPOT_DELAY (A)"),
};
const struct param_table iova_param_table = PARAM_TABLE(
    "iova", "IOVA allocator: range tree and per-CPU caches", iova_specs);
#undef PARAMS_OF

#define PARAMS_OF struct flush_queue_params
static const struct param_spec flush_queue_specs[] = {
    PARAM(entries, UINT, "256", .min = 2, .max = 1 << 20,
	  .help = "ring size per CPU, rounded up to a power of two; one slot stays empty",
	  .source = "Linux drivers/iommu/dma-iommu.c, IOVA_DEFAULT_FQ_SIZE (A)"),
    PARAM(timeout, TIME, "10ms", .min = 1, .max = 1e15,
	  .help = "delay from the first entry to the flush of the domain",
	  .source = "Linux drivers/iommu/dma-iommu.c, IOVA_DEFAULT_FQ_TIMEOUT (A)"),
    PARAM(hz, UINT, "250", .min = 1, .max = 10000, .help = "CONFIG_HZ: timers fire on its ticks",
	  .source = "Debian kernels, recordings (A)"),
};
const struct param_table flush_queue_param_table = PARAM_TABLE(
    "flush_queue", "lazy mode: rings of freed ranges that wait for a flush", flush_queue_specs);
#undef PARAMS_OF

#define STATS_OF struct dma_stats
static const struct stat_spec specs[] = {
    STAT_COUNT("dma.map_calls", map_calls, "mapping calls: single mappings and whole lists"),
    STAT_COUNT("dma.unmap_calls", unmap_calls, "unmapping calls: single mappings and whole lists"),
    STAT_COUNT("dma.map_page_calls", map_page_calls, "dma_map_page calls"),
    STAT_COUNT("dma.unmap_page_calls", unmap_page_calls, "dma_unmap_page calls"),
    STAT_COUNT("dma.map_phys_calls", map_phys_calls,
	       "dma_map_phys calls, dma_map_page included where it is one"),
    STAT_COUNT("dma.unmap_phys_calls", unmap_phys_calls,
	       "dma_unmap_phys calls, dma_unmap_page included where it is one"),
    STAT_COUNT("dma.map_sg_calls", map_sg_calls, "lists mapped"),
    STAT_COUNT("dma.unmap_sg_calls", unmap_sg_calls, "lists unmapped"),
    STAT_COUNT("dma.try_alloc_calls", iova_try_alloc_calls, "dma_iova_try_alloc calls"),
    STAT_COUNT("dma.link_calls", link_calls, "dma_iova_link calls"),
    STAT_COUNT("dma.sync_calls", sync_calls, "dma_iova_sync calls"),
    STAT_COUNT("dma.unlink_calls", unlink_calls, "dma_iova_unlink calls"),
    STAT_COUNT("dma.destroy_calls", destroy_calls, "dma_iova_destroy calls"),
    STAT_COUNT("dma.coherent_allocs", coherent_allocs, "coherent allocations, pages of DMA pools included"),
    STAT_COUNT("dma.coherent_frees", coherent_frees, "coherent memory freed"),
    STAT_BYTES("dma.bytes_mapped", bytes_mapped, "bytes handed to mapping and link calls that succeeded"),
    STAT_COUNT("dma.cacheable_mmio_pages", cacheable_mmio_pages,
	       "4 KiB pages of device memory that were mapped cacheable"),
    STAT_COUNT("iommu.direct_pages", direct_pages,
	       "4 KiB pages of firmware's reserved regions (RMRR), mapped to themselves for their devices"),
    STAT_COUNT("iova.allocs", iova_allocs, "IOVA ranges allocated"),
    STAT_COUNT("iova.frees", iova_frees, "IOVA ranges freed to the caches or the tree"),
    STAT_COUNT("iova.pages_allocated", iova_pages_allocated, "pages of IOVA allocated, as asked for"),
    STAT_COUNT("iova.pages_freed", iova_pages_freed, "pages of IOVA freed"),
    STAT_COUNT("iova.failures", iova_failures, "allocations that found no range"),
    STAT_COUNT("iova.rcache_hits", rcache_hits, "allocations served by a per-CPU cache"),
    STAT_COUNT("iova.rcache_puts", rcache_puts, "frees taken by a per-CPU cache"),
    STAT_COUNT("iova.depot_refills", depot_refills, "full magazines taken from the depot"),
    STAT_COUNT("iova.depot_spills", depot_spills, "full magazines given to the depot"),
    STAT_COUNT("iova.depot_trims", depot_trims, "magazines that the trimmer returned to the tree"),
    STAT_COUNT("iova.tree_allocs", tree_allocs, "allocations served by the range tree"),
    STAT_COUNT("iova.tree_frees", tree_frees, "frees of sizes that are not cached"),
    STAT_COUNT("iova.tree_steps", tree_steps, "ranges that searches for a gap in the tree stepped over"),
    STAT_LOCK("iova.tree_lock", tree_lock, "the lock of a range tree"),
    STAT_TIME("iova.alloc_ns", iova_alloc_time,
	      "CPU time in address allocation, from caches or tree, lock waits included"),
    STAT_TIME("iova.free_ns", iova_free_time,
	      "CPU time in address release, to caches or tree, lock waits included"),
    STAT_COUNT("iova.rcache_flushes", rcache_flushes, "times all caches were emptied to make room"),
    STAT_COUNT("iova.below_4g_given_up", iova_32bit_given_up,
	       "devices that stopped trying below 4 GiB first"),
    STAT_COUNT("iommu.map_ops", iommu_map_ops, "map calls of the IOMMU core (one physical run each)"),
    STAT_COUNT("iommu.unmap_ops", iommu_unmap_ops, "unmap calls of the IOMMU core"),
    STAT_BYTES("iommu.map_bytes", iommu_map_bytes, "bytes mapped, in whole pages"),
    STAT_BYTES("iommu.unmap_bytes", iommu_unmap_bytes, "bytes unmapped, in whole pages"),
    STAT_COUNT("iommu.ptes_written", ptes_written, "leaf entries written, of any size"),
    STAT_COUNT("iommu.ptes_cleared", ptes_cleared, "leaf entries cleared, of any size"),
    STAT_COUNT("iommu.walks_software", walks_software, "page-table look-ups by the CPU (iova_to_phys)"),
    STAT_COUNT("iommu.table_pages_allocated", table_pages_allocated,
	       "page-table pages allocated, roots included"),
    STAT_COUNT("iommu.table_pages_freed", table_pages_freed,
	       "page-table pages freed while their domain lives"),
    STAT_COUNT("iommu.iotlb_syncs", iotlb_syncs, "range invalidations after unmapping"),
    STAT_COUNT("iommu.sync_maps", sync_maps, "sync_map callbacks after mapping"),
    STAT_COUNT("iommu.flush_all", flush_all, "invalidations of a whole domain by the flush queue"),
    STAT_COUNT("iommu.indirect_calls", indirect_calls, "calls of the IOMMU driver through function pointers"),
    STAT_COUNT("iommu.write_buffer_flushes", write_buffer_flushes,
	       "register writes that flush the unit's write buffer"),
    STAT_COUNT("flush_queue.entries", fq_entries, "ranges put on a ring"),
    STAT_COUNT("flush_queue.timeouts", fq_timeouts, "flushes by the timer"),
    STAT_COUNT("flush_queue.ring_full", fq_ring_full, "flushes because a ring was full"),
    STAT_COUNT("swiotlb.bounces", swiotlb_bounces, "mappings that went through the bounce pool"),
    STAT_BYTES("swiotlb.bytes_copied", swiotlb_bytes_copied, "bytes copied to and from the bounce pool"),
    STAT_PEAK("swiotlb.slots_used", "count", swiotlb_slots_used, "2 KiB slots in use at the end"),
    STAT_PEAK("swiotlb.slots_peak", "count", swiotlb_slots_peak, "most 2 KiB slots in use at one time"),
    STAT_COUNT("swiotlb.failures", swiotlb_failures, "bounces that found no room"),
};
const struct stat_table dma_stat_table = STAT_TABLE(specs);
#undef STATS_OF
