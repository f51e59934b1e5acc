/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics declare themselves, as parameters do: one struct of uint64_t counters per model and
 * one table that names them. Text, JSON and CSV are visitors over the tables.
 */
#ifndef DMASIM_STAT_H
#define DMASIM_STAT_H

#include <dmasim/export.h>
#include <dmasim/types.h>

enum stat_kind {
	STAT_COUNTER,     /* uint64_t that only grows */
	STAT_GAUGE,       /* uint64_t, value at the end or peak */
	STAT_TIME_NS,     /* sim_time_t that only grows, shown in nanoseconds (rounded to nearest) */
	STAT_TIME_MAX_NS, /* the same, the longest of many */
	STAT_FORMULA,     /* double computed at the end; NaN becomes null */
	STAT_HISTOGRAM,   /* struct hist *, a bucket for each distinct value */
	STAT_LATENCIES,   /* struct hist *, log-linear buckets */
	STAT_KINDS
};
/* "counter", "histogram"... */
DMASIM_API const char *stat_kind_name(enum stat_kind kind);

struct stat_spec {
	const char *name; /* full: "iotlb.misses" */
	enum stat_kind kind;
	const char *unit; /* "count", "bytes", "ns", "1/s", "ratio"... */
	size_t offset;    /* of the member */
	double (*formula)(const void *values);
	bool needs_timing; /* null in fidelity = counts */
	bool measured;     /* a formula that leaves the warm-up out by itself */
	bool summed;       /* a formula that adds up over parts of a run */
	const char *help;
};

struct stat_table {
	const struct stat_spec *specs;
	size_t nspecs;
	size_t struct_size;
};

/*
 * Rows of a table, with STATS_OF naming the struct; further members of struct stat_spec may follow:
 *   STAT_COUNT("iotlb.misses", iotlb_misses, "not found"),
 */
#define STAT(name_, kind_, unit_, member_, help_, ...)                                                  \
	{                                                                                               \
		.name = name_, .kind = (kind_), .unit = (unit_), .offset = offsetof(STATS_OF, member_), \
		.help = help_, __VA_ARGS__                                                              \
	}
#define STAT_COUNT(name_, member_, ...) STAT(name_, STAT_COUNTER, "count", member_, __VA_ARGS__, )
#define STAT_BYTES(name_, member_, ...) STAT(name_, STAT_COUNTER, "bytes", member_, __VA_ARGS__, )
#define STAT_TIME(name_, member_, ...) STAT(name_, STAT_TIME_NS, "ns", member_, __VA_ARGS__, )
#define STAT_TIME_MAX(name_, member_, ...) STAT(name_, STAT_TIME_MAX_NS, "ns", member_, __VA_ARGS__, )
#define STAT_PEAK(name_, unit_, member_, ...) STAT(name_, STAT_GAUGE, unit_, member_, __VA_ARGS__, )
#define STAT_HIST(name_, unit_, member_, ...) STAT(name_, STAT_HISTOGRAM, unit_, member_, __VA_ARGS__, )
#define STAT_LATENCY(name_, member_, ...) STAT(name_, STAT_LATENCIES, "ns", member_, __VA_ARGS__, )
#define STAT_COMPUTED(name_, unit_, formula_, help_, ...)                                                   \
	{                                                                                                   \
		.name = name_, .kind = STAT_FORMULA, .unit = (unit_), .formula = (formula_), .help = help_, \
		__VA_ARGS__                                                                                 \
	}
/* What the kernel's lock_stat tells of a class of locks: five rows of a member struct lock_stats. */
#define STAT_LOCK(prefix_, member_, what_)                                                 \
	STAT_COUNT(prefix_ "_acquired", member_.acquired, "times " what_ " was taken",     \
		   .needs_timing = true),                                                  \
	    STAT_COUNT(prefix_ "_contended", member_.contended, "times it was waited for", \
		       .needs_timing = true),                                              \
	    STAT_TIME(prefix_ "_wait_ns", member_.wait, "CPU time spent waiting for it",   \
		      .needs_timing = true),                                               \
	    STAT_TIME_MAX(prefix_ "_wait_max_ns", member_.wait_max, "longest wait for it", \
			  .needs_timing = true),                                           \
	    STAT_TIME(prefix_ "_hold_ns", member_.hold, "time it was held", .needs_timing = true)
#define STAT_TABLE(specs_)                                                                         \
	{                                                                                          \
		.specs = (specs_), .nspecs = G_N_ELEMENTS(specs_), .struct_size = sizeof(STATS_OF) \
	}

/* Is it a distribution (STAT_HISTOGRAM, STAT_LATENCIES) rather than one number? */
DMASIM_API bool stat_is_histogram(const struct stat_spec *s);
/* Does it add up over parts of a run? Peaks, ratios and percentiles do not. */
DMASIM_API bool stat_is_additive(const struct stat_spec *s);

/* One number as results carry it. */
struct stat_value {
	enum { STAT_NULL, STAT_INT, STAT_REAL } type;
	uint64_t i;
	double d;
};
/* Null for a histogram, and for what this fidelity does not compute. */
DMASIM_API struct stat_value stat_read(const struct stat_spec *s, const void *values, enum fidelity f);

struct hist;
/* The histogram of a row that is one; NULL where nothing was recorded. */
DMASIM_API const struct hist *stat_histogram(const struct stat_spec *s, const void *values);

/*
 * Histogram. Exact: one bucket per distinct value (values are few: page spans, sizes).
 * Log-linear: 128 sub-buckets per power of two, so a value is known within 1/128 (0.8 %) of itself;
 * count, min, max and sum are exact. Fixed memory, nothing is allocated after the first records.
 */
DMASIM_API struct hist *hist_new_exact(void);
DMASIM_API struct hist *hist_new_log(void);
DMASIM_API void hist_free(struct hist *h);
DMASIM_API void hist_add(struct hist *h, uint64_t value, uint64_t count);
/* An empty one of the same kind. */
DMASIM_API struct hist *hist_new_like(const struct hist *h);
/* Take off what was recorded before: every bucket of before is in h with at least as many records. */
DMASIM_API void hist_subtract(struct hist *h, const struct hist *before);
DMASIM_API void hist_merge(struct hist *into, const struct hist *from);
DMASIM_API uint64_t hist_count(const struct hist *h);
DMASIM_API uint64_t hist_min(const struct hist *h);
DMASIM_API uint64_t hist_max(const struct hist *h);
DMASIM_API double hist_mean(const struct hist *h);
/* Smallest recorded bucket value v such that at least q (0..1) of the records are <= v; 0 if empty. */
DMASIM_API uint64_t hist_quantile(const struct hist *h, double q);
/* Visit non-empty buckets in ascending order; [lo, hi] inclusive. */
typedef void (*hist_visit_fn)(uint64_t lo, uint64_t hi, uint64_t count, void *arg);
DMASIM_API void hist_visit(const struct hist *h, hist_visit_fn fn, void *arg);
DMASIM_API double hist_stddev(const struct hist *h);
/*
 * Append the percentile text form of HdrHistogram ("Value Percentile TotalCount 1/(1-Percentile)",
 * 5 steps per halving of the distance to 100 %); values are divided by unit.
 */
DMASIM_API void hist_write_percentiles(const struct hist *h, double unit, GString *out);

#endif
