/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a result is made of, for the floors that write and show it. */
#ifndef DMASIM_EXPERIMENT_RESULT_H
#define DMASIM_EXPERIMENT_RESULT_H

#include "machine/machine.h"

#include <dmasim/experiment.h>
#include <stdio.h>

struct run_result {
	struct run_spec spec;
	unsigned nstats;
	const struct stat_spec **specs; /* nstats */
	struct stat_value *stats;       /* nstats */
	struct ledger ledger;
	struct run_histogram {
		const struct stat_spec *spec;
		struct hist *hist;
	} * histograms;
	unsigned nhistograms;
	char *failure;               /* why the first failed request failed; NULL: none did */
	struct workload_curve curve; /* nrows 0: none; values owned */
	FILE *series;                /* rows of the time series, NULL if none */
	double wall_seconds;         /* host time, never part of deterministic outputs */
};

struct experiment_result {
	const struct scenario *scenario; /* outlives the result */
	struct run_result *runs;
	unsigned nruns;
	struct input_file {
		char *path, *sha256, *format;
		uint64_t bytes;
	} * inputs;
	unsigned ninputs;
	uint64_t records;
	const char *timeline; /* as in the options: the file, written and synced */
	double wall_seconds;
};

/* Value of a statistic in one run; STAT_NULL when there is none of that name. */
struct stat_value run_stat(const struct run_result *r, const char *name);
/* Did requests fail, in every run, and none succeed? Why the first did; NULL: no. */
const char *experiment_all_failed(const struct experiment_result *r);
/* Write a whole file under a temporary name, sync and rename it. */
G_GNUC_WARN_UNUSED_RESULT bool output_write_file(const char *path, const char *data, size_t len,
						 GError **error);

#endif
