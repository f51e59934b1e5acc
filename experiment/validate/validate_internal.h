/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of validate. */
#ifndef DMASIM_VALIDATE_INTERNAL_H
#define DMASIM_VALIDATE_INTERNAL_H

#include "validate.h"

struct validate_run_context {
	const struct validate_options *o;
	GError *error; /* first failure; later runs are skipped */
	struct validate_block *block;
};

/* One study: fills ctx->block with points. */
struct validate_study {
	struct validate_block block; /* without points */
	void (*run)(struct validate_run_context *ctx);
};
/* Made by the build from the rows validate_study_ID of this folder, NULL-terminated. */
extern const struct validate_study *const validate_studies[];

/*
 * One run in timing fidelity: preset (NULL: none), API, mode, then pairs of "section.key", "value"
 * up to NULL. NULL after an error. Free with experiment_result_free and scenario.
 */
struct validate_result {
	struct scenario *scenario;
	struct experiment_result *result;
};
struct validate_result *validate_scenario(struct validate_run_context *ctx, const char *preset,
					  const char *api, const char *mode, ...) G_GNUC_NULL_TERMINATED;
void validate_result_free(struct validate_result *r);
/* Statistic of its only run; NaN when null. */
double validate_stat(const struct validate_result *r, const char *name);
/* Cell of its curve. */
double validate_cell(const struct validate_result *r, unsigned row, const char *column);
unsigned validate_rows(const struct validate_result *r);

/* Judge model against measured; tolerance 0: shown only. label is copied. */
void validate_add(struct validate_run_context *ctx, const char *curve, const char *label, double x,
		  double model, double measured, double tolerance);
/* The same for a point that a constant was fitted on. */
void validate_add_fitted(struct validate_run_context *ctx, const char *curve, const char *label, double x,
			 double model, double measured);

void study_swiotlb_fio(struct validate_run_context *ctx); /* the part of P17 with a drive */

#endif
