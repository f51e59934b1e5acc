/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that build figures. */
#ifndef DMASIM_FIGURE_INTERNAL_H
#define DMASIM_FIGURE_INTERNAL_H

#include "experiment/quote.h"
#include "figure.h"
#include <jansson.h>

/* A gnuplot array assignment of strings, quoted for where they are shown. */
typedef char *(*quote_fn)(const char *text);
void gp_array(GString *vars, const char *name, const GPtrArray *texts, quote_fn quote);
/* A field of text. */
void csv_text(GString *csv, const char *text);
/* A finite number, else an empty field. */
void csv_number(GString *csv, double v);

/* Runs of doc whose "varied" equals that of the first run, and that hold this API and mode. */
GPtrArray *runs_of(json_t *doc, const char *api, const char *iommu);
/* Distinct values of a string member of the runs, in order of appearance. */
GPtrArray *distinct(json_t *doc, const char *member);
const char *run_text(const json_t *run, const char *member);
/* Mean of fn over runs. */
typedef double (*number_fn)(const json_t *run, const void *arg);
struct sample mean_over(const GPtrArray *runs, number_fn fn, const void *arg);
unsigned count_seeds(json_t *doc);
/* "nvme, 1000 requests, counts, n = 5 seeds" */
void put_subtitle(struct figure_draft *d, const char *lead);

bool build_bars(const struct figure *f, struct figure_draft *d);
bool build_steps(const struct figure *f, struct figure_draft *d);
bool build_latency_cdf(const struct figure *f, struct figure_draft *d);
bool build_latency_percentiles(const struct figure *f, struct figure_draft *d);
bool build_series(const struct figure *f, struct figure_draft *d);
bool build_sweep(const struct figure *f, struct figure_draft *d);
bool build_heat(const struct figure *f, struct figure_draft *d);

enum { PART_STATS = 9 };
/* What a bar figure stacks. */
struct bar_spec {
	const char *y_label;
	double scale;     /* of the numbers: 1 / 1024 for KiB */
	bool per_request; /* divided by io.completed */
	struct bar_part {
		const char *label;
		const char *stats[PART_STATS]; /* summed; a leading '-' subtracts */
	} parts[12];
	const char *unit; /* for the caption: "IOTLB flushes per request" */
};
struct sweep_spec {
	const char *y_label, *stat;
	double scale;
	bool per_request, si;
};

#endif
