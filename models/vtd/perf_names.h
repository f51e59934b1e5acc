/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What perf calls the statistics of a remapping unit, so that a run can be laid beside a measurement. */
#ifndef DMASIM_MODELS_VTD_PERF_NAMES_H
#define DMASIM_MODELS_VTD_PERF_NAMES_H

struct perf_name {
	const char *stat;   /* "iotlb.misses" */
	const char *pmu;    /* event of the VT-d performance monitoring unit (dmar*), NULL if it has none */
	const char *uncore; /* uncore IIO event of server parts, NULL if it has none */
};
/* Ended by a row without stat. */
extern const struct perf_name perf_names[];
/* NULL if perf has no name for it. */
const struct perf_name *perf_name_find(const char *stat);
/* By the event, of either kind; NULL if no statistic counts it. */
const struct perf_name *perf_name_of_event(const char *event);

#endif
