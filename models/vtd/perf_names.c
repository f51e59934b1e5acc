/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that Intel's own counters give to what a unit counts: the VT-d performance monitoring unit
 * (rev 4.1 11.4.13; drivers/iommu/intel/perfmon.c) and the uncore IIO events of Ice Lake and Sapphire
 * Rapids servers (perf's UNC_IIO_IOMMU0 and UNC_IIO_IOMMU1).
 */
#include "perf_names.h"

#include <string.h>

const struct perf_name perf_names[] = {
    {"iotlb.lookups", "iommu_requests", "UNC_IIO_IOMMU0.FIRST_LOOKUPS"},
    {"iotlb.hits", "iotlb_hit", NULL},
    {"iotlb.hits_4k", NULL, "UNC_IIO_IOMMU0.4K_HITS"},
    {"iotlb.hits_2m", NULL, "UNC_IIO_IOMMU0.2M_HITS"},
    {"iotlb.hits_1g", NULL, "UNC_IIO_IOMMU0.1G_HITS"},
    {"iotlb.misses", NULL, "UNC_IIO_IOMMU0.MISSES"},
    {"context.lookups", "ctxt_cache_lookup", "UNC_IIO_IOMMU0.CTXT_CACHE_LOOKUPS"},
    {"context.hits", "ctxt_cache_hit", "UNC_IIO_IOMMU0.CTXT_CACHE_HITS"},
    {"pasid.lookups", "pasid_cache_lookup", NULL},
    {"pasid.hits", "pasid_cache_hit", NULL},
    {"walker.memory_reads", "iommu_mrds", "UNC_IIO_IOMMU1.NUM_MEM_ACCESSES"},
    {"pwc.hits_2m", NULL, "UNC_IIO_IOMMU1.PWC_2M_HITS"},
    {"pwc.hits_1g", NULL, "UNC_IIO_IOMMU1.PWC_1G_HITS"},
    {"pwc.hits_512g", NULL, "UNC_IIO_IOMMU1.PWC_512G_HITS"},
    {"pwc.hits_256t", NULL, "UNC_IIO_IOMMU1.PWC_256T_HITS"},
    {"ats.page_requests", "pg_req_posted", NULL},
    {NULL, NULL, NULL},
};

const struct perf_name *perf_name_find(const char *stat)
{
	for (const struct perf_name *p = perf_names; p->stat; p++)
		if (!strcmp(p->stat, stat))
			return p;
	return NULL;
}

const struct perf_name *perf_name_of_event(const char *event)
{
	for (const struct perf_name *p = perf_names; p->stat; p++)
		if ((p->pmu && !strcmp(p->pmu, event)) || (p->uncore && !strcmp(p->uncore, event)))
			return p;
	return NULL;
}
