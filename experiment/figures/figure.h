/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures: each is computed from a result document alone (result.json, or a sweep in the same form)
 * and written as NAME.csv (the numbers), NAME.gp (a script that stands by itself) and the picture.
 */
#ifndef DMASIM_EXPERIMENT_FIGURES_FIGURE_H
#define DMASIM_EXPERIMENT_FIGURES_FIGURE_H

#include "experiment/result.h"

struct figure_draft {
	struct json_t *doc;  /* in */
	const char *dir;     /* in: result directory, for timeseries.csv; may be NULL */
	GString *csv, *vars; /* out: data file, gnuplot assignments */
	GString *extra;      /* out: NAME-edges.csv; empty: none */
	GString *subtitle;   /* out */
	GString *caption;    /* out: what the numbers say */
	unsigned entries;    /* out: of the key */
	bool error_bars;     /* out: intervals are drawn where there are seeds */
};

struct figure {
	const char *name, *title, *help;
	const char *script; /* of plots/: "bars.gp" */
	/* Fill the draft; false when the result does not hold what the figure shows. */
	bool (*build)(const struct figure *f, struct figure_draft *d);
	const void *spec; /* of the builder */
};
extern const struct figure figures[]; /* ended by a NULL name */
const struct figure *figure_find(const char *name);

/* Is there anything to draw? */
bool figure_applies(const struct figure *f, struct json_t *doc, const char *dir);
/*
 * Write data, script and pictures into dir, all of them or none: run gnuplot for each of the NULL-terminated
 * formats ("svg", "png", "pdf"). caption (may be NULL) is set to one sentence made from the numbers; g_free
 * it.
 */
G_GNUC_WARN_UNUSED_RESULT bool figure_write(const struct figure *f, struct json_t *doc,
					    const char *result_dir, const char *dir,
					    const char *const *formats, char **caption, GError **error);
/* Remove what figure_write left in dir for another result. */
void figure_remove(const struct figure *f, const char *dir);

/* A mean over repetitions with its 95 % confidence interval (Student's t). */
struct sample {
	unsigned n;
	double mean, low, high; /* low = high = mean for n < 2; all NaN for n = 0 */
};
struct sample sample_of(const double *values, unsigned n);

/* A number of a run object of a result: statistic, "memory.ACCOUNT.peak|current", NaN if null. */
double run_number(const struct json_t *run, const char *name);

#endif
