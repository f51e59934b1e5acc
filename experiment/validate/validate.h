/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Published measurements against the model. Each block is one published result: what was measured, the
 * scenario that fixes its setup, the points. All blocks run from one set of presets; what a block sets
 * besides is its setup (machine, sizes, threads) and is listed with it.
 */
#ifndef DMASIM_EXPERIMENT_VALIDATE_VALIDATE_H
#define DMASIM_EXPERIMENT_VALIDATE_VALIDATE_H

#include "experiment/result.h"

enum validate_verdict {
	VALIDATE_PASS,
	VALIDATE_FAIL,
	VALIDATE_SHOWN, /* printed, not judged */
};

struct validate_point {
	const char *curve;                 /* "Broadwell, 4 KiB pages" */
	char *label;                       /* "1 MiB" */
	double x;                          /* for the figure */
	double model, measured, tolerance; /* tolerance relative; 0: see block */
	enum validate_verdict verdict;
	bool fitted; /* a constant was fitted on this very point: not judged */
};

struct validate_block {
	const char *id, *title, *source, *unit, *x_label, *setup;
	const char *why; /* where it fails: the reason; NULL */
	bool log_x;
	GArray *points; /* struct validate_point */
};

struct validate_options {
	const char *only; /* block id, NULL: all */
	char **set;       /* "section.key=value" over every run; NULL: none */
	const volatile sig_atomic_t *stop;
	void (*progress)(void *arg, const char *block);
	void *progress_arg;
};

/* Ids of all blocks, NULL-terminated; g_strfreev. */
char **validate_ids(void);
/* Run; NULL with *error when a run cannot be made. Elements: struct validate_block *. */
GPtrArray *validate_run(const struct validate_options *o, GError **error);
/* Judged points and blocks that fail. */
unsigned validate_failures(const GPtrArray *blocks, unsigned *judged, unsigned *blocks_failed);
char *validate_markdown(const GPtrArray *blocks);
struct json_t *validate_json(const GPtrArray *blocks);
/* Data files and, if gnuplot is there, one SVG per block into dir. */
G_GNUC_WARN_UNUSED_RESULT bool validate_figures(const GPtrArray *blocks, const char *dir, GError **error);

/* ---- sensitivity ---- */

struct validate_effect {
	const char *parameter, *low, *high;
	char *conclusion;
	double base, at_low, at_high; /* the conclusion's number */
	bool sign, large;             /* changes sign; changes by more than 10 % */
};
/* Vary each low-confidence parameter over its range. Elements: struct validate_effect *. */
GPtrArray *validate_sensitivity(const struct validate_options *o, GError **error);
char *validate_sensitivity_markdown(const GPtrArray *effects);

#endif
