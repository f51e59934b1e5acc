/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between kernel releases, as data: one row of facts per release, read by the DMA layer, the
 * block layer and the drivers. No code asks for a version.
 *
 * A row is the mainline release, but where a long-term release was read or recorded as distributions ship it
 * (6.1.192, 6.12.117, 6.18.15), and a stable backport changed it: the basis says so. Any fact of a row can be
 * changed (kernel_profile_set, key kernel.facts): that is how a kernel with another set of backports is
 * meant.
 */
#ifndef DMASIM_KERNEL_H
#define DMASIM_KERNEL_H

#include <dmasim/export.h>
#include <dmasim/types.h>

/* The releases of the table, oldest first. */
#define KERNEL_RELEASES(X)                                                                          \
	X(KERNEL_5_15, "5.15")                                                                      \
	X(KERNEL_6_1, "6.1")                                                                        \
	X(KERNEL_6_6, "6.6")                                                                        \
	X(KERNEL_6_12, "6.12")                                                                      \
	X(KERNEL_6_15, "6.15")                                                                      \
	X(KERNEL_6_16, "6.16") X(KERNEL_6_17, "6.17") X(KERNEL_6_18, "6.18") X(KERNEL_6_19, "6.19") \
	    X(KERNEL_7_0, "7.0") X(KERNEL_7_1, "7.1") X(KERNEL_7_2, "7.2") X(KERNEL_7_3, "7.3")

enum kernel_version {
#define X(id, name) id,
	KERNEL_RELEASES(X)
#undef X
	    KERNEL_VERSIONS,
};

/* The facts: type, member, value in release R, basis (commit, or the trees in which it was read), meaning. */
#define KERNEL_FACTS(X, R)                                                                                   \
	X(bool, has_iova_api, (R) >= KERNEL_6_16, "433a76207dcf (6.16)", "dma_iova_* exist")                 \
	X(bool, has_map_phys, (R) >= KERNEL_6_18, "read: 6.17.8 without, 6.18.15 with",                      \
	  "dma_map_page is dma_map_phys; one call counts as both")                                           \
	X(bool, generic_pt, (R) >= KERNEL_6_19, "read: 6.18.15 without, 6.19.6 with",                        \
	  "generic radix page table: one flush per unmapped range; other error codes, other costs")          \
	X(bool, map_range, (R) >= KERNEL_7_0, "recorded on 7.0, read: 6.19.6 without",                       \
	  "one driver call per contiguous range, else one per run of equal pages")                           \
	X(bool, map_untraced, (R) == KERNEL_7_0, "recorded on 7.0; read: 7.1.13 writes it again",            \
	  "no iommu:map event for generic page tables: recordings probe the entry of the function")          \
	X(bool, ih_hint, (R) == KERNEL_6_12 || (R) >= KERNEL_6_18,                                           \
	  "recorded on 6.12.117; read: 6.12.8 and 6.17.8 without, 6.12.117 and 6.18.15 with (backports)",    \
	  "unmaps that detach no table set the invalidation hint; before it is computed and lost")           \
	X(bool, cache_tags, (R) >= KERNEL_6_12, "3b1d9e2b2d68 (6.10)",                                       \
	  "flushes of one domain follow each other under its cache_lock")                                    \
	X(unsigned, qi_batch, (R) >= KERNEL_6_12 ? 16 : 1, "read: 6.1.192, 6.12.8",                          \
	  "descriptors per submission, each submission with one wait")                                       \
	X(bool, psi_aligns_base, (R) >= KERNEL_6_12, "3b1d9e2b2d68 (6.10)",                                  \
	  "page-selective descriptors carry the aligned base, else the first page of the range")             \
	X(bool, replace_flush_to_end, (R) >= KERNEL_6_12 && (R) < KERNEL_6_19, "read: 6.12.8 to 6.18.15",    \
	  "a large leaf over emptied tables flushes to the end of its run of large pages")                   \
	X(unsigned, magazine_size, (R) >= KERNEL_6_1 ? 127 : 128, "read: 5.10.262, 6.1.192",                 \
	  "ranges per magazine of the IOVA caches")                                                          \
	X(unsigned, depot_max, (R) >= KERNEL_6_12 ? 0 : 32, "911aa1245da8 (6.7)",                            \
	  "magazines per class in the IOVA depot; 0: unbounded and trimmed every 100 ms")                    \
	X(bool, lazy_magazines, (R) >= KERNEL_7_3, "read: 7.2.13 without, 7.3.4 with",                       \
	  "magazines are allocated when a CPU first frees a range, not with the domain")                     \
	X(bool, dac_gives_up, (R) >= KERNEL_6_6, "791c2b17fb40 (6.6)",                                       \
	  "a device that found no room below 4 GiB no longer tries there first; before it tries each time")  \
	X(bool, destroy_queues, (R) < KERNEL_7_3, "read and recorded: 7.2.13, 7.3.4",                        \
	  "dma_iova_destroy uses the flush queue and frees what it is told was mapped; "                     \
	  "without: it flushes at once and frees the whole window")                                          \
	X(bool, link_zero_middle, (R) >= KERNEL_6_16 && (R) < KERNEL_7_1, "read: 6.17.8, 7.1.13",            \
	  "defect: a bounced link without a whole page between head and tail maps an empty range there, "    \
	  "which fails with map_range")                                                                      \
	X(bool, direct_sg_thb, (R) >= KERNEL_6_16 && (R) < KERNEL_7_1,                                       \
	  "read: 6.12.8, 6.17.8, 6.19.6, 7.1.13; 6.16 as 6.17",                                              \
	  "defect: host-bridge peers in direct lists get no DMA address")                                    \
	X(bool, sg_bus_len, (R) >= KERNEL_6_16 && (R) < KERNEL_7_1,                                          \
	  "read: 6.12.8, 6.17.8, 6.19.6, 7.1.13; 6.16 as 6.17",                                              \
	  "defect: bus-address entries of lists behind an IOMMU get the length of the list's first entry")   \
	X(bool, sg_overflow, (R) == KERNEL_6_12 || (R) >= KERNEL_7_3, "read: 7.3.4, 6.12.117 (backport)",    \
	  "a list whose padded length no longer fits in 32 bits is refused (-EOVERFLOW)")                    \
	X(bool, mmio_bounces, (R) >= KERNEL_6_18 && (R) < KERNEL_7_2,                                        \
	  "read: 6.17.8, 6.18.15, 7.1.13, 7.2.13",                                                           \
	  "unaligned device memory mapped for an untrusted device fails; else it is mapped in place")        \
	X(bool, p2p_mmio_attr, (R) >= KERNEL_6_18, "read: 6.17.8, 6.18.15",                                  \
	  "DMA_ATTR_MMIO exists: peer memory through the host bridge is mapped as MMIO, not cacheable")      \
	X(bool, nvme_p2p_mmio, (R) >= KERNEL_6_19, "recorded: 6.18.15 links with attributes 0, 7.3 with it", \
	  "NVMe passes it for peers through the host bridge")                                                \
	X(bool, pool_page_lists, (R) < KERNEL_6_6, "read: 6.1.192; 6.3 changed it",                          \
	  "DMA pools keep one free list per page")                                                           \
	X(bool, opt_mapping_clamp, (R) >= KERNEL_6_6, "3710e2b056cb (6.4)",                                  \
	  "NVMe requests behind an IOMMU are at most 128 KiB")                                               \
	X(bool, bio_merges_pages, (R) < KERNEL_7_0, "read: 6.19.6, merge window of 7.1",                     \
	  "adjacent pages join when the bio is built: segments are physical runs")                           \
	X(bool, nvme_iterator, (R) >= KERNEL_6_17, "read: 6.12.8, 6.17.8",                                   \
	  "block DMA iterator instead of scatterlists")                                                      \
	X(bool, virt_boundary_sgl, (R) < KERNEL_6_19, "read: 6.18.15, 6.19.6",                               \
	  "requests split at gaps even where the controller takes SGLs")                                     \
	X(bool, gap_bit, (R) >= KERNEL_6_19, "read: 6.18.15, 6.19.6",                                        \
	  "the request's tracked gap decides whether its IOVA is coalesced")                                 \
	X(unsigned, nvme_max_segments,                                                                       \
	  (R) < KERNEL_6_6    ? 127                                                                          \
	  : (R) < KERNEL_6_17 ? 128                                                                          \
			      : 256,                                                                         \
	  "read: 6.1.192, 6.12.8, 6.17.8", "segments per command")                                           \
	X(unsigned, nvme_meta_segments, (R) >= KERNEL_6_15 ? 15 : 1,                                         \
	  "read: 6.12.8, 6.17.8 (6.13); backported to 6.12.y",                                               \
	  "segments of metadata per command, for controllers with SGLs")                                     \
	X(unsigned, nvme_max_kib, (R) < KERNEL_6_6 ? 4096 : 8192, "read: 6.1.192, 6.12.8",                   \
	  "KiB per command, before the drive's own limit")                                                   \
	X(unsigned, default_max_kib, (R) < KERNEL_6_17 ? 1280 : 4096, "9b8b84879d4a (6.17)",                 \
	  "default of max_sectors_kb")

struct kernel_profile {
	const char *name; /* "6.12" */
#define X(type, member, value, basis, help) type member;
	KERNEL_FACTS(X, 0)
#undef X
};
DMASIM_API extern const struct kernel_profile kernel_profiles[KERNEL_VERSIONS];

/* The facts as a table: for documents, comparisons of releases, and changes by name. */
struct kernel_fact {
	const char *name, *basis, *help;
	size_t offset;
	bool number; /* unsigned, else bool */
};
DMASIM_API extern const struct kernel_fact kernel_facts[];
DMASIM_API extern const unsigned kernel_nfacts;
/* Value of a fact; a bool is 0 or 1. */
DMASIM_API unsigned kernel_fact_value(const struct kernel_profile *k, const struct kernel_fact *f);

/* The row of that name ("6.12"), NULL if there is none. */
DMASIM_API const struct kernel_profile *kernel_profile_find(const char *name);
/*
 * The row for a release as uname or a person names it ("6.12.8", "6.1.0-51-amd64", "7.0-rc3",
 * "6.14"): its own, else the next lower one. *note (g_free; may be NULL) says so where it is not
 * its own, and is NULL where it is. NULL with *error for what is no release, or is older than the
 * table.
 */
DMASIM_API const struct kernel_profile *kernel_profile_for(const char *release, char **note, GError **error);
/*
 * Change facts of k: "ih_hint=no, nvme_meta_segments=15". False with *error for an unknown name or
 * a value that is none; k is then unchanged.
 */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT bool kernel_profile_set(struct kernel_profile *k, const char *facts,
							     GError **error);

/* How its IOMMU driver runs: off, iommu=pt, iommu.strict=0, iommu.strict=1. */
enum iommu_mode { IOMMU_OFF, IOMMU_PASSTHROUGH, IOMMU_LAZY, IOMMU_STRICT, IOMMU_MODES };
DMASIM_API extern const char *const iommu_mode_names[]; /* "off" "passthrough" "lazy" "strict", NULL */

#endif
