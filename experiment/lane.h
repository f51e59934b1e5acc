/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of the comparison: its machine, its workload and where its numbers go. */
#ifndef DMASIM_LANE_H
#define DMASIM_LANE_H

#include "internal.h"
#include "models/dma/dma_debug.h"

#include "sim/timeline.h"
#include <stdio.h>

struct series;
struct lane {
	struct dma_debug *debug; /* of the machine; NULL: not asked for */
	struct run_result *result;
	struct machine *machine;
	struct workload *workload;
	const struct workload_ops *ops;
	struct series *series;     /* time series, NULL unless asked for */
	struct run_result *before; /* what was counted when the warm-up ended; NULL without one */
	uint64_t warmup;           /* records left of it */
	bool cut;                  /* statistics as of the last record */
	GError *error;
	uint64_t failed_at; /* ordinal of the record */
	double wall;
};

void lane_start(struct lane *l, const struct scenario *s, const struct experiment_options *o,
		struct timeline *timeline);
/* false when the run has failed (now or before). */
bool lane_feed(struct lane *l, const struct record_chunk *c);
/* Complete, tear down, read the statistics; abandoned: only free. */
void lane_finish(struct lane *l, bool abandoned);
void lane_clear(struct lane *l);

/* Rows of the time series of one run, spilled to an unlinked temporary file. */
struct series *series_new(sim_time_t interval);
void series_sample(struct series *s, const struct machine *m, bool last);
/* Could a row not be kept? Then *error says so. */
bool series_failed(struct series *s, GError **error);
/* The rows as a stream at its end; the caller owns it. NULL if the temporary file failed. */
FILE *series_take(struct series *s);
/* Column names of a row. */
char *series_heading(void);
void series_free(struct series *s);

#endif
