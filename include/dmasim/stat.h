/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics declare themselves, as parameters do: one struct of uint64_t counters per model and
 * one table that names them. Text, JSON and CSV are visitors over the tables.
 */
#ifndef DMASIM_STAT_H
#define DMASIM_STAT_H

#include <dmasim/types.h>

enum stat_kind {
	STAT_COUNTER,     /* uint64_t that only grows */
	STAT_GAUGE,       /* uint64_t, value at the end or peak */
	STAT_TIME_NS,     /* sim_time_t that only grows, shown in nanoseconds (rounded to nearest) */
	STAT_TIME_MAX_NS, /* the same, the longest of many */
	STAT_FORMULA,     /* double computed at the end; NaN becomes null */
	STAT_ABSENT,      /* named, but no model computes it in this build: always null */
};

struct stat_spec {
	const char *name; /* full: "iotlb.misses" */
	enum stat_kind kind;
	const char *unit; /* "count", "bytes", "ns", "1/s", "ratio"... */
	size_t offset;    /* of the member */
	double (*formula)(const void *values);
	bool needs_timing; /* null in fidelity = counts */
	const char *help;
};

struct stat_table {
	const struct stat_spec *specs;
	size_t nspecs;
	size_t struct_size;
};

/* One number as results carry it. */
struct stat_value {
	enum { STAT_NULL, STAT_INT, STAT_REAL } type;
	uint64_t i;
	double d;
};
struct stat_value stat_read(const struct stat_spec *s, const void *values, enum fidelity f);

/*
 * Histogram. Exact: one bucket per distinct value (values are few: page spans, sizes).
 * Log-linear: 128 sub-buckets per power of two, so a value is known within 1/128 (0.8 %) of itself;
 * count, min, max and sum are exact. Fixed memory, nothing is allocated after the first records.
 */
struct hist;
struct hist *hist_new_exact(void);
struct hist *hist_new_log(void);
void hist_free(struct hist *h);
void hist_add(struct hist *h, uint64_t value, uint64_t count);
void hist_merge(struct hist *into, const struct hist *from);
uint64_t hist_count(const struct hist *h);
uint64_t hist_min(const struct hist *h);
uint64_t hist_max(const struct hist *h);
double hist_mean(const struct hist *h);
/* Smallest recorded bucket value v such that at least q (0..1) of the records are <= v; 0 if empty. */
uint64_t hist_quantile(const struct hist *h, double q);
/* Visit non-empty buckets in ascending order; [lo, hi] inclusive. */
typedef void (*hist_visit_fn)(uint64_t lo, uint64_t hi, uint64_t count, void *arg);
void hist_visit(const struct hist *h, hist_visit_fn fn, void *arg);
double hist_stddev(const struct hist *h);
/*
 * Append the percentile text form of HdrHistogram ("Value Percentile TotalCount 1/(1-Percentile)",
 * 5 steps per halving of the distance to 100 %); values are divided by unit.
 */
void hist_write_percentiles(const struct hist *h, double unit, GString *out);

#endif
