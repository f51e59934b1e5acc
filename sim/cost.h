/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU cost of the kernel's steps, one row per step: what it is, default in ns at 3 GHz server clocks,
 * and where the number comes from: its confidence and the publication, both explained in docs/calibration.md
 * (A exact published, B derived, C second hand, D from memory, E estimated).
 * Each row is also the parameter cpu.cost_<key> and the statistic cpu.step.<key>_ns.
 */
#ifndef DMASIM_SIM_COST_H
#define DMASIM_SIM_COST_H

#include <dmasim/types.h>

#define COST_STEPS(X)                                                                                       \
	X(DMA_MAP_FIXED, "dma_map_fixed", 20, "E, scaled from GP and rIOMMU",                               \
	  "DMA API entry, checks, address arithmetic")                                                      \
	X(SG_SEGMENT, "sg_segment", 12, "E, scaled from GP and rIOMMU",                                     \
	  "per scatterlist entry, each mapping pass")                                                       \
	X(LINK_SEGMENT, "link_segment", 15, "E, scaled from GP and rIOMMU", "per dma_iova_link call")       \
	X(IOVA_ALLOC_HIT, "iova_alloc_hit", 35, "E, scaled from GP and rIOMMU",                             \
	  "IOVA from the per-CPU cache")                                                                    \
	X(IOVA_FREE_HIT, "iova_free_hit", 20, "E, scaled from GP and rIOMMU", "IOVA to the per-CPU cache")  \
	X(IOVA_DEPOT_SWAP, "iova_depot_swap", 250, "E, scaled from GP and rIOMMU",                          \
	  "magazine exchange with the depot")                                                               \
	X(IOVA_TREE_FIXED, "iova_tree_fixed", 260, "E, scaled from GP and rIOMMU, split as in E4",          \
	  "IOVA tree operation under its lock, fixed part")                                                 \
	X(IOVA_TREE_LEVEL, "iova_tree_level", 30, "E, scaled from GP and rIOMMU",                           \
	  "IOVA tree operation, per log2(nodes)")                                                           \
	X(IOVA_TREE_STEP, "iova_tree_step", 0, "E",                                                         \
	  "each range that a search for a gap steps over; 0: in the fixed part")                            \
	X(IOVA_RANGE, "iova_range", 140, "E, scaled from GP and rIOMMU, split as in E4",                    \
	  "object of a range in the tree, made or freed: outside the lock")                                 \
	X(PT_MAP_CALL, "pt_map_call", 39, "B, GP",                                                          \
	  "page-table map, per call, levels below the root left out")                                       \
	X(PT_MAP_PAGE, "pt_map_page", 1.32, "B, GP", "page-table map, per entry written")                   \
	X(PT_MAP_LEVEL, "pt_map_level", 5, "fitted, GP", "page-table map, per level walked below the root") \
	X(PT_UNMAP_CALL, "pt_unmap_call", 53, "B, GP",                                                      \
	  "page-table unmap, per call, levels below the root left out")                                     \
	X(PT_UNMAP_PAGE, "pt_unmap_page", 0.55, "B, GP", "page-table unmap, per entry cleared")             \
	X(PT_UNMAP_LARGE, "pt_unmap_large", 0.204, "E, two tests",                                          \
	  "..., more per entry above 4 KiB: may this level have leaves, is this one")                       \
	X(PT_UNMAP_LEVEL, "pt_unmap_level", 5, "fitted, GP",                                                \
	  "page-table unmap, per level walked below the root")                                              \
	X(PT_OLD_MAP_CALL, "pt_old_map_call", 48, "B, GP", "map before the generic page table, per call")   \
	X(PT_OLD_MAP_PAGE, "pt_old_map_page", 1.78, "B, GP", "..., per entry written")                      \
	X(PT_OLD_MAP_LARGE, "pt_old_map_large", 0.51, "E, five tests",                                      \
	  "..., more per entry above 4 KiB: pass that looks for tables to replace, rest of the run")        \
	X(PT_OLD_UNMAP_CALL, "pt_old_unmap_call", 71, "B, GP",                                              \
	  "unmap before the generic page table, per call")                                                  \
	X(PT_OLD_UNMAP_PAGE, "pt_old_unmap_page", 0.92, "B, GP", "..., per entry cleared")                  \
	X(PT_OLD_UNMAP_LARGE, "pt_old_unmap_large", 0.102, "E, one test",                                   \
	  "..., more per entry above 4 KiB: is this a leaf")                                                \
	X(PT_TABLE_ALLOC, "pt_table_alloc", 150, "E", "allocation of a page-table page")                    \
	X(PT_LOOKUP, "pt_lookup", 40, "E", "iova_to_phys walk on a legacy unmap")                           \
	X(PT_CACHE_FLUSH, "pt_cache_flush", 190, "fitted, GP",                                              \
	  "cache-line flush of entries written by a map, per table, non-coherent walker")                   \
	X(PT_UNMAP_FLUSH, "pt_unmap_flush", 190, "fitted, GP", "the same for entries cleared by an unmap")  \
	X(FQ_ENQUEUE, "fq_enqueue", 40, "E, scaled from GP and rIOMMU", "flush-queue entry")                \
	X(QI_SUBMIT, "qi_submit", 60, "E, split of the sums in SV and NR",                                  \
	  "descriptor build and queue lock")                                                                \
	X(QI_TAIL_WRITE, "qi_tail_write", 100, "E, split of the sums in SV and NR",                         \
	  "MMIO write of the queue tail")                                                                   \
	X(QI_DESCRIPTOR, "qi_descriptor", 50, "E, split of the sums in SV and NR",                          \
	  "each further descriptor of one submission")                                                      \
	X(QI_POLL, "qi_poll", 0, "E",                                                                       \
	  "poll of a pending invalidation under the queue lock; 0: polls do not queue for it; "             \
	  "on virtual units each poll is an exit")                                                          \
	X(LOCK_HANDOFF, "lock_handoff", 100, "E",                                                           \
	  "release of a contended spinlock until its next owner's first instruction")                       \
	X(LOCK_WAITER, "lock_waiter", 40, "E", "..., more per CPU that waits behind that one")              \
	X(INDIRECT_CALL, "indirect_call", 5, "E", "indirect call with retpoline off")                       \
	X(SWIOTLB_SEARCH, "swiotlb_search", 60, "E", "search of one bounce area, fixed part")               \
	X(SWIOTLB_PROBE, "swiotlb_probe", 5, "E",                                                           \
	  "each further bounce slot looked at or updated under the lock")                                   \
	X(SWIOTLB_COPY_KIB, "swiotlb_copy_kib", 100, "E", "bounce copy per KiB (10 GB/s)")                  \
	X(SG_ALLOC, "sg_alloc", 60, "E", "scatterlist allocation and initialisation, fixed part")           \
	X(KMALLOC, "kmalloc", 40, "E", "slab allocation plus free of a small object")                       \
	X(DRIVER_SUBMIT, "driver_submit", 250, "E", "driver's fixed work to issue one request")             \
	X(DRIVER_COMPLETE, "driver_complete", 250, "E", "driver's fixed work to complete one request")      \
	X(DRIVER_DESCRIPTOR, "driver_descriptor", 3, "E", "per PRP or SGL entry written")                   \
	X(DOORBELL, "doorbell", 100, "E", "MMIO doorbell write")                                            \
	X(INTERRUPT, "interrupt", 1500, "E", "interrupt entry, exit and wake-up")

enum cost {
#define X(id, key, ns, source, help) COST_##id,
	COST_STEPS(X)
#undef X
	    COST_COUNT,
};

struct cost_info {
	const char *key, *source, *help;
	double default_ns;
};
extern const struct cost_info cost_info[COST_COUNT];

#endif
