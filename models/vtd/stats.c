/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics of the remapping unit. */
#include "vtd.h"

#include <math.h>

static double ratio(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : NAN;
}

static double hit_rate(const void *values)
{
	const struct vtd_stats *s = values;

	return ratio(s->iotlb_hits, s->iotlb_lookups);
}

static double reads_per_miss(const void *values)
{
	const struct vtd_stats *s = values;

	return ratio(s->walk_memory_reads - s->walk_line_reuses - s->context_memory_reads, s->iotlb_misses);
}

#define STATS_OF struct vtd_stats
static const struct stat_spec specs[] = {
    STAT_COUNT("iotlb.lookups", iotlb_lookups, "translation requests, one per TLP"),
    STAT_COUNT("iotlb.hits", iotlb_hits, "found in the IOTLB"),
    STAT_COUNT("iotlb.hits_4k", iotlb_hits_4k, "hits to a 4 KiB page"),
    STAT_COUNT("iotlb.hits_2m", iotlb_hits_2m, "hits to a 2 MiB page"),
    STAT_COUNT("iotlb.hits_1g", iotlb_hits_1g, "hits to a 1 GiB page"),
    STAT_COUNT("iotlb.misses", iotlb_misses, "not found, or found but still being walked"),
    STAT_COUNT("iotlb.evictions", iotlb_evictions, "entries that gave way to others"),
    STAT_COUNT("iotlb.invalidated", invalidated_iotlb, "entries removed by invalidation descriptors"),
    STAT_COMPUTED("iotlb.hit_rate", "ratio", hit_rate, "hits per lookup"),
    STAT_COUNT("walker.walks", walks, "page walks"),
    STAT_COUNT("walker.memory_reads", walk_memory_reads,
	       "entries read by the unit: root, context, PASID and page-table entries"),
    STAT_COUNT("walker.merged", walks_merged, "misses that joined a walk in flight"),
    STAT_COUNT("walker.line_reuses", walk_line_reuses, "of those, how many a line already on its way served",
	       .needs_timing = true),
    STAT_COUNT("walker.ad_updates", ad_updates, "accessed and dirty bits written"),
    STAT_COMPUTED("walker.reads_per_miss", "ratio", reads_per_miss, "page-table reads per IOTLB miss"),
    STAT_TIME("walker.time_ns", walk_time, "from request to translation, all walks together",
	      .needs_timing = true),
    STAT_COUNT("pwc.hits_2m", pwc_hits_2m, "walks that began at a cached leaf-table pointer"),
    STAT_COUNT("pwc.hits_1g", pwc_hits_1g, "walks whose deepest cached entry covers 1 GiB"),
    STAT_COUNT("pwc.hits_512g", pwc_hits_512g, "walks whose deepest cached entry covers 512 GiB"),
    STAT_COUNT("pwc.hits_256t", pwc_hits_256t, "walks whose deepest cached entry covers 256 TiB"),
    STAT_COUNT("pwc.invalidated", invalidated_pwc, "entries removed by invalidation descriptors"),
    STAT_COUNT("context.lookups", context_lookups, "context-cache lookups"),
    STAT_COUNT("context.hits", context_hits, "context-cache hits"),
    STAT_COUNT("context.memory_reads", context_memory_reads, "reads of root, context and PASID structures"),
    STAT_COUNT("pasid.lookups", pasid_lookups, "PASID-cache lookups"),
    STAT_COUNT("pasid.hits", pasid_hits, "PASID-cache hits"),
    STAT_COUNT("qi.desc_iotlb_page", qi_iotlb_page, "page-selective IOTLB invalidations"),
    STAT_COUNT("qi.desc_iotlb_domain", qi_iotlb_domain, "domain-selective (or PASID-selective) ones"),
    STAT_COUNT("qi.desc_iotlb_global", qi_iotlb_global, "global ones"),
    STAT_COUNT("qi.desc_device_tlb", qi_device_tlb, "device-TLB invalidations"),
    STAT_COUNT("qi.desc_context", qi_context, "context-cache invalidations"),
    STAT_COUNT("qi.desc_pasid", qi_pasid, "PASID-cache invalidations"),
    STAT_COUNT("qi.desc_iec", qi_iec, "interrupt-entry-cache invalidations"),
    STAT_COUNT("qi.desc_wait", qi_wait, "wait descriptors"),
    STAT_COUNT("qi.desc_total", qi_total, "all descriptors"),
    STAT_TIME("qi.wait_ns", qi_wait_time, "from tail write to status write, all submissions together",
	      .needs_timing = true),
    STAT_COUNT("fault.recorded", faults, "translation faults, recorded or lost"),
    STAT_COUNT("fault.lost", faults_lost, "faults lost because all records were pending"),
    STAT_COUNT("ats.lookups", ats_lookups, "device-TLB lookups, one per TLP"),
    STAT_COUNT("ats.hits", ats_hits, "device-TLB hits"),
    STAT_COUNT("ats.requests", ats_requests, "translation requests of devices"),
    STAT_COUNT("ats.invalidated", ats_invalidated, "device-TLB entries removed by descriptors"),
    STAT_COUNT("ats.page_requests", page_requests, "page requests of devices, queued or lost"),
    STAT_COUNT("ats.page_requests_lost", page_requests_lost, "page requests lost because the queue was full"),
    STAT_COUNT("ats.page_responses", page_responses, "page-group responses"),
    STAT("exposure.stale_ns_bytes", STAT_COUNTER, "ns*bytes", stale_ns_bytes,
	 "unmapped bytes times the time that a cached translation outlived the unmap"),
    STAT_TIME_MAX("exposure.stale_max_ns", stale_max,
		  "longest time that a cached translation outlived its unmap"),
    STAT_COUNT("exposure.stale_entries", stale_entries, "translations still cached when they were unmapped"),
    STAT_HIST("qi.page_span", "pages", page_span, "pages that each page-selective IOTLB invalidation covers"),
    STAT_COUNT("exposure.stale_accesses", stale_accesses, "TLPs served by a translation after its unmap"),
};

const struct stat_table vtd_stat_table = STAT_TABLE(specs);
#undef STATS_OF
