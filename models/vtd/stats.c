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

#define S(member) offsetof(struct vtd_stats, member)
#define COUNTER(name, member, help)                                       \
	{                                                                 \
		name, STAT_COUNTER, "count", S(member), NULL, false, help \
	}
static const struct stat_spec specs[] = {
    COUNTER("iotlb.lookups", iotlb_lookups, "translation requests, one per TLP"),
    COUNTER("iotlb.hits", iotlb_hits, "found in the IOTLB"),
    COUNTER("iotlb.hits_4k", iotlb_hits_4k, "hits to a 4 KiB page"),
    COUNTER("iotlb.hits_2m", iotlb_hits_2m, "hits to a 2 MiB page"),
    COUNTER("iotlb.hits_1g", iotlb_hits_1g, "hits to a 1 GiB page"),
    COUNTER("iotlb.misses", iotlb_misses, "not found, or found but still being walked"),
    COUNTER("iotlb.evictions", iotlb_evictions, "entries that gave way to others"),
    COUNTER("iotlb.invalidated", invalidated_iotlb, "entries removed by invalidation descriptors"),
    {"iotlb.hit_rate", STAT_FORMULA, "ratio", 0, hit_rate, false, "hits per lookup"},
    COUNTER("walker.walks", walks, "page walks"),
    COUNTER("walker.memory_reads", walk_memory_reads,
	    "entries read by the unit: root, context, PASID and page-table entries"),
    COUNTER("walker.merged", walks_merged, "misses that joined a walk in flight"),
    {"walker.line_reuses", STAT_COUNTER, "count", S(walk_line_reuses), NULL, true,
     "of those, how many a line already on its way served"},
    COUNTER("walker.ad_updates", ad_updates, "accessed and dirty bits written"),
    {"walker.reads_per_miss", STAT_FORMULA, "ratio", 0, reads_per_miss, false,
     "page-table reads per IOTLB miss"},
    {"walker.time_ns", STAT_TIME_NS, "ns", S(walk_time), NULL, true,
     "from request to translation, all walks together"},
    COUNTER("pwc.hits_2m", pwc_hits_2m, "walks that began at a cached leaf-table pointer"),
    COUNTER("pwc.hits_1g", pwc_hits_1g, "walks whose deepest cached entry covers 1 GiB"),
    COUNTER("pwc.hits_512g", pwc_hits_512g, "walks whose deepest cached entry covers 512 GiB"),
    COUNTER("pwc.hits_256t", pwc_hits_256t, "walks whose deepest cached entry covers 256 TiB"),
    COUNTER("pwc.invalidated", invalidated_pwc, "entries removed by invalidation descriptors"),
    COUNTER("context.lookups", context_lookups, "context-cache lookups"),
    COUNTER("context.hits", context_hits, "context-cache hits"),
    COUNTER("context.memory_reads", context_memory_reads, "reads of root, context and PASID structures"),
    COUNTER("pasid.lookups", pasid_lookups, "PASID-cache lookups"),
    COUNTER("pasid.hits", pasid_hits, "PASID-cache hits"),
    COUNTER("qi.desc_iotlb_page", qi_iotlb_page, "page-selective IOTLB invalidations"),
    COUNTER("qi.desc_iotlb_domain", qi_iotlb_domain, "domain-selective (or PASID-selective) ones"),
    COUNTER("qi.desc_iotlb_global", qi_iotlb_global, "global ones"),
    COUNTER("qi.desc_device_tlb", qi_device_tlb, "device-TLB invalidations"),
    COUNTER("qi.desc_context", qi_context, "context-cache invalidations"),
    COUNTER("qi.desc_pasid", qi_pasid, "PASID-cache invalidations"),
    COUNTER("qi.desc_iec", qi_iec, "interrupt-entry-cache invalidations"),
    COUNTER("qi.desc_wait", qi_wait, "wait descriptors"),
    COUNTER("qi.desc_total", qi_total, "all descriptors"),
    {"qi.wait_ns", STAT_TIME_NS, "ns", S(qi_wait_time), NULL, true,
     "from tail write to status write, all submissions together"},
    COUNTER("fault.recorded", faults, "translation faults, recorded or lost"),
    COUNTER("fault.lost", faults_lost, "faults lost because all records were pending"),
    COUNTER("ats.lookups", ats_lookups, "device-TLB lookups, one per TLP"),
    COUNTER("ats.hits", ats_hits, "device-TLB hits"),
    COUNTER("ats.requests", ats_requests, "translation requests of devices"),
    COUNTER("ats.invalidated", ats_invalidated, "device-TLB entries removed by descriptors"),
    COUNTER("ats.page_requests", page_requests, "page requests of devices, queued or lost"),
    COUNTER("ats.page_requests_lost", page_requests_lost, "page requests lost because the queue was full"),
    COUNTER("ats.page_responses", page_responses, "page-group responses"),
    {"exposure.stale_ns_bytes", STAT_COUNTER, "ns*bytes", S(stale_ns_bytes), NULL, false,
     "unmapped bytes times the time that a cached translation outlived the unmap"},
    {"exposure.stale_max_ns", STAT_TIME_MAX_NS, "ns", S(stale_max), NULL, false,
     "longest time that a cached translation outlived its unmap"},
    COUNTER("exposure.stale_entries", stale_entries, "translations still cached when they were unmapped"),
    COUNTER("exposure.stale_accesses", stale_accesses, "TLPs served by a translation after its unmap"),
};

const struct stat_table vtd_stat_table = {specs, G_N_ELEMENTS(specs), sizeof(struct vtd_stats)};
