/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The comparison: one block of columns per IOMMU mode, one column per API, and the last API's ratio to
 * the first. Made from a result document alone, for the terminal and for reports. Repetitions (seeds)
 * are averaged.
 */
#ifndef DMASIM_EXPERIMENT_COMPARISON_H
#define DMASIM_EXPERIMENT_COMPARISON_H

#include "result.h"

struct comparison {
	unsigned columns, rows; /* the first three rows are headings: mode, API, kernel */
	GPtrArray *cells;       /* rows * columns strings, row by row */
	GPtrArray *notes;       /* sentences below the table: why requests failed */
	char *title;
};

/* times: the multiplication sign that the output can show. */
struct comparison *comparison_new(struct json_t *doc, const char *times);
void comparison_free(struct comparison *c);

/* A number as people read it: 12 345, 1.5 MiB, 3.2 us. g_free. */
enum number_format { NUMBER_COUNT, NUMBER_BYTES, NUMBER_TIME_NS, NUMBER_RATE };
char *number_text(double v, enum number_format format);

/* The API and IOMMU mode of each run of the first seed, in order, once each. */
struct comparison_column {
	const char *api, *iommu, *kernel; /* owned by doc */
	GPtrArray *runs;                  /* of all seeds */
};
GPtrArray *comparison_columns(struct json_t *doc); /* of struct comparison_column *, freed with it */
/* Mean over the column's runs of the sum of the named numbers; NAN if none has them. */
double comparison_number(const struct comparison_column *c, const char *const *names);

#endif
