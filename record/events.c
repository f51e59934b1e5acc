/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which events dmasim reads, where they come from in which kernel, and what they are for. Names of lines and
 * of their values are those that the readers know (verify/recording). Releases: of the commit that brought or
 * took the tracepoint or the function.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define V RECORD_RELEASE
#define DEVICE " device=+0(+0({dev|1})):string"
#define STATE " state={state|2}:x64"

#define TRACEPOINT(system_, name_, ...)                       \
	{                                                     \
		.name = name_, .system = system_, __VA_ARGS__ \
	}
#define ENTRY(name_, function_, arguments_, ...)                                           \
	{                                                                                  \
		.name = name_, .function = function_, .arguments = arguments_, __VA_ARGS__ \
	}
#define RETURN(name_, function_, arguments_, ...)                                                           \
	{                                                                                                   \
		.name = name_, .function = function_, .arguments = arguments_, .returns = true, __VA_ARGS__ \
	}

const struct record_event record_events[] = {
    /* Requests, and what became of them. */
    TRACEPOINT("nvme", "nvme_setup_cmd", .what = "requests: queue, command, blocks"),
    TRACEPOINT("nvme", "nvme_complete_rq", .what = "when requests end, and on which CPU"),
    TRACEPOINT("block", "block_rq_issue", .what = "requests after splitting"),
    TRACEPOINT("block", "block_rq_complete", .what = "requests of other drivers: their ends"),
    TRACEPOINT("block", "block_split", .what = "where a request was cut"),
    TRACEPOINT("rqvec", "rq_vectors", .optional = true,
	       .what = "vectors of requests, where a module tells them"),

    /* Calls of the DMA API. */
    TRACEPOINT("dma", "dma_map_page", .since = V(6, 12), .until = V(6, 17), .what = "single mappings"),
    TRACEPOINT("dma", "dma_map_resource", .since = V(6, 12), .until = V(6, 17),
	       .what = "mappings of device memory"),
    TRACEPOINT("dma", "dma_map_phys", .since = V(6, 18), .what = "single mappings"),
    TRACEPOINT("dma", "dma_unmap_page", .since = V(6, 12), .until = V(6, 17), .what = "their ends"),
    TRACEPOINT("dma", "dma_unmap_resource", .since = V(6, 12), .until = V(6, 17), .what = "their ends"),
    TRACEPOINT("dma", "dma_unmap_phys", .since = V(6, 18), .what = "their ends"),
    TRACEPOINT("dma", "dma_map_sg", .since = V(6, 12), .what = "mappings of lists"),
    TRACEPOINT("dma", "dma_map_sg_err", .since = V(6, 13), .what = "lists that could not be mapped"),
    TRACEPOINT("dma", "dma_unmap_sg", .since = V(6, 12), .what = "their ends"),
    TRACEPOINT("dma", "dma_alloc", .since = V(6, 12), .what = "coherent memory"),
    TRACEPOINT("dma", "dma_free", .since = V(6, 12), .what = "its end"),
    TRACEPOINT("dma", "dma_alloc_pages", .since = V(6, 13), .what = "pages for DMA"),
    TRACEPOINT("dma", "dma_free_pages", .since = V(6, 13), .what = "their ends"),
    TRACEPOINT("dma", "dma_alloc_sgt", .since = V(6, 13), .what = "lists of pages for DMA"),
    TRACEPOINT("dma", "dma_free_sgt", .since = V(6, 13), .what = "their ends"),
    ENTRY("dma_map_page", "dma_map_page_attrs", "off={offset|3}:u64 size={size|4}:u64 dir={dir|5}:u32",
	  .instead = "dma", .until = V(6, 11), .what = "single mappings"),
    RETURN("dma_map_page_ret", "dma_map_page_attrs", "addr=$retval:x64", .instead = "dma", .until = V(6, 11),
	   .what = "their addresses"),
    ENTRY("dma_unmap_page", "dma_unmap_page_attrs", "addr={addr|2}:x64 size={size|3}:u64 dir={dir|4}:u32",
	  .instead = "dma", .until = V(6, 11), .what = "their ends"),
    ENTRY("dma_map_sgtable", "dma_map_sgtable",
	  "nents=+8({sgt|2}):u32 orig_nents=+12({sgt|2}):u32 dir={dir|3}:u32", .instead = "dma",
	  .since = V(5, 15), .until = V(6, 11), .what = "mappings of lists"),
    ENTRY("dma_map_sg", "dma_map_sg_attrs", "nents={nents|3}:u32 dir={dir|4}:u32", .instead = "dma",
	  .until = V(6, 11), .what = "mappings of lists"),
    ENTRY("dma_unmap_sg", "dma_unmap_sg_attrs", "nents={nents|3}:u32 dir={dir|4}:u32", .instead = "dma",
	  .until = V(6, 11), .what = "their ends"),

    /* The two-step interface has no tracepoints. */
    ENTRY("dma_iova_try_alloc", "dma_iova_try_alloc", "phys={phys|3}:x64 size={size|4}:u64" STATE DEVICE,
	  .since = V(6, 16), .what = "windows of the two-step interface"),
    RETURN("dma_iova_try_alloc_ret", "dma_iova_try_alloc", "ok=$retval:u8", .since = V(6, 16),
	   .what = "whether there was one"),
    ENTRY("dma_iova_link", "dma_iova_link",
	  "phys={phys|3}:x64 off={offset|4}:u64 size={size|5}:u64" STATE
	  " dir={dir|6}:u32 attrs={attrs|7}:x64" DEVICE,
	  .since = V(6, 16), .what = "what is mapped into them"),
    ENTRY("dma_iova_sync", "dma_iova_sync", "off={offset|3}:u64 size={size|4}:u64" STATE DEVICE,
	  .since = V(6, 16), .what = "when it is made known to the unit"),
    ENTRY("dma_iova_unlink", "dma_iova_unlink",
	  "off={offset|3}:u64 size={size|4}:u64" STATE " dir={dir|5}:u32 attrs={attrs|6}:x64" DEVICE,
	  .since = V(6, 16), .what = "parts that are taken out again"),
    ENTRY("dma_iova_destroy", "dma_iova_destroy", "mapped={mapped_len|3}:u64" STATE DEVICE, .since = V(6, 16),
	  .what = "the end of windows"),
    ENTRY("dma_iova_free", "dma_iova_free", "state={state|2}:x64" DEVICE, .since = V(6, 16),
	  .what = "the end of empty windows"),

    /* Page by page: on-demand paging, GPU memory. */
    ENTRY("hmm_dma_map_pfn", "hmm_dma_map_pfn", "map={map|2}:x64 idx={idx|3}:u64", .since = V(6, 16),
	  .what = "pages that are faulted in"),
    ENTRY("hmm_dma_unmap_pfn", "hmm_dma_unmap_pfn", "map={map|2}:x64 idx={idx|3}:u64", .since = V(6, 16),
	  .what = "pages that are invalidated"),

    /* Memory of peer devices: how a page or segment was classified. */
    RETURN("p2p_map_segment", "pci_p2pdma_map_segment", "type=$retval:u32", .since = V(6, 0),
	   .until = V(6, 15), .optional = true, .what = "peer memory: the way chosen for a segment"),
    RETURN("p2p_map_type", "pci_p2pdma_map_type", "type=$retval:u32", .since = V(6, 16), .optional = true,
	   .what = "peer memory: the way chosen for a page"),
    RETURN("p2p_update_state", "__pci_p2pdma_update_state", "", .since = V(6, 16), .optional = true,
	   .what = "peer memory: another provider than for the page before"),
    RETURN("p2p_calc", "calc_map_type_and_dist", "type=$retval:u32", .optional = true,
	   .what = "peer memory: routes computed anew"),

    /* The IOVA allocator: sizes, limits and addresses in pages of 4 KiB. */
    ENTRY("iova_alloc", "alloc_iova_fast", "size={size|2}:u64 limit={limit_pfn|3}:x64",
	  .what = "addresses asked for"),
    RETURN("iova_alloc_ret", "alloc_iova_fast", "pfn=$retval:x64", .what = "addresses given"),
    ENTRY("iova_tree_alloc", "alloc_iova", "size={size|2}:u64 limit={limit_pfn|3}:x64",
	  .what = "the caches had none"),
    ENTRY("iova_free", "free_iova_fast", "pfn={pfn|2}:x64 size={size|3}:u64", .what = "addresses given back"),
    ENTRY("iova_tree_free", "free_iova", "pfn={pfn|2}:x64", .what = "the caches were full"),

    /* Page tables: what was mapped, with which protection. */
    TRACEPOINT("iommu", "map", .what = "page table entries made"),
    TRACEPOINT("iommu", "unmap", .what = "page table entries removed"),
    TRACEPOINT("iommu", "io_page_fault", .what = "translations that failed"),
    /* In 7.0 the tracepoint is not where the work is, and most mappings pass it by. */
    ENTRY("iommu_map_nosync", "iommu_map_nosync",
	  "iova={iova|2}:x64 paddr={paddr|3}:x64 size={size|4}:u64 prot={prot|5}:x32", .since = V(7, 0),
	  .until = V(7, 0), .only = true, .what = "page table entries made"),
    ENTRY("iommu_map_prot", "iommu_map_nosync",
	  "iova={iova|2}:x64 paddr={paddr|3}:x64 size={size|4}:u64 prot={prot|5}:x32", .since = V(7, 1),
	  .only = true, .what = "their protection"),
    ENTRY("iommu_map_prot", "iommu_map",
	  "iova={iova|2}:x64 paddr={paddr|3}:x64 size={size|4}:u64 prot={prot|5}:x32", .since = V(6, 12),
	  .until = V(6, 15), .only = true, .what = "their protection"),
    ENTRY("iommu_map_sg_prot", "iommu_map_sg", "iova={iova|2}:x64 nents={nents|4}:u32 prot={prot|5}:x32",
	  .since = V(6, 12), .what = "protection of lists"),

    /* Invalidation, Intel's unit. */
    TRACEPOINT("intel_iommu", "qi_submit", .what = "every invalidation descriptor"),
    TRACEPOINT("intel_iommu", "cache_tag_flush_range", .since = V(6, 10), .what = "ranges invalidated"),
    TRACEPOINT("intel_iommu", "cache_tag_flush_range_np", .since = V(6, 10),
	       .what = "ranges made known (caching mode)"),
    TRACEPOINT("intel_iommu", "cache_tag_flush_all", .since = V(6, 10), .until = V(6, 16),
	       .what = "whole domains invalidated"),

    TRACEPOINT("swiotlb", "swiotlb_bounced", .what = "bounce buffers"),
};
const unsigned record_events_count = G_N_ELEMENTS(record_events);

unsigned record_release(const char *text)
{
	char *end;
	unsigned long major = strtoul(text, &end, 10), minor;

	if (end == text || *end != '.' || major > 99)
		return 0;
	minor = strtoul(end + 1, &end, 10);
	return minor > 255 ? 0 : RECORD_RELEASE((unsigned)major, (unsigned)minor);
}

bool record_event_expected(const struct record_event *e, unsigned release)
{
	return release >= e->since && (!e->until || release <= e->until);
}

/* "size={size|2}:u64" as "size=size:u64" or "size=$arg2:u64" */
static void append_arguments(GString *out, const char *text, enum probe_arguments form)
{
	while (*text) {
		const char *bar, *close;

		if (*text != '{') {
			g_string_append_c(out, *text++);
			continue;
		}
		bar = strchr(text, '|');
		close = strchr(text, '}');
		if (form == ARGUMENTS_BY_NAME)
			g_string_append_len(out, text + 1, bar - text - 1);
		else
			g_string_append_printf(out, "$arg%.*s", (int)(close - bar - 1), bar + 1);
		text = close + 1;
	}
}

char *record_probe_definition(const struct record_event *e, const char *group, const char *symbol,
			      enum probe_kind kind, enum probe_arguments arguments)
{
	bool fprobe = kind == PROBE_FUNCTION;
	GString *out = g_string_new(NULL);

	g_string_printf(out, "%s:%s%s %s%s",
			fprobe       ? "f"
			: e->returns ? "r"
				     : "p",
			group, e->name, symbol, fprobe && e->returns ? "%return" : "");
	if (*e->arguments)
		g_string_append_c(out, ' ');
	append_arguments(out, e->arguments, arguments);
	return g_string_free(out, FALSE);
}
