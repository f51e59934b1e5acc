/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of experiment. */
#ifndef DMASIM_EXPERIMENT_INTERNAL_H
#define DMASIM_EXPERIMENT_INTERNAL_H

#include "result.h"

/* The effective scenario inside result.json. */
struct scenario *scenario_load_result(const char *path, GError **error);

/* ---- files carried in the library (preset.c) ---- */

/* Text of "/dmasim/presets/x.ini"; NULL if there is none. */
const char *resource_text(const char *path);
char **resource_names(const char *path);

/* ---- .ini files ---- */

/* A [section], or key = value in it (key NULL for the section line itself). false stops. */
typedef bool (*ini_fn)(void *arg, const char *section, const char *key, const char *value, unsigned line,
		       GError **error);
/* Scan text; name is for messages ("file.ini:12: ..."). */
bool ini_scan(const char *name, const char *text, ini_fn fn, void *arg, GError **error);

/* ---- records, shared read-only by all machines ---- */

enum { CHUNK_RECORDS = 1024 };
struct record_chunk {
	unsigned n;
	uint64_t first; /* ordinal of the first record */
	struct trace_record records[CHUNK_RECORDS];
	GArray *segments; /* struct trace_segment; records point into it */
};
struct record_chunk *record_chunk_new(void);
void record_chunk_free(struct record_chunk *c);

/* All inputs of a scenario as one stream. */
struct record_source;
struct record_source *record_source_new(struct scenario *s, uint64_t seed, GError **error);
/* Fill the chunk; c->n is 0 at the end of the last input. */
bool record_source_fill(struct record_source *r, struct record_chunk *c, GError **error);
/* Raw bytes read of all inputs and their sizes together, for progress. */
uint64_t record_source_bytes(const struct record_source *r, uint64_t *total);
/* Records given out so far. */
uint64_t record_source_count(const struct record_source *r);
/* After the end: what was read; the caller takes over. */
struct input_file *record_source_inputs(struct record_source *r, unsigned *n);
void record_source_free(struct record_source *r);

/* ---- results ---- */

/* Does a document hold what its readers look for, in the types they expect? */
bool result_check(const struct json_t *doc, const char *file, GError **error);
/* A JSON string; bytes that are no UTF-8 (of a path, of a database) are replaced, as a string must be. */
struct json_t *json_text(const char *text);

/* Read all statistics of a finished machine and workload. */
void run_collect(struct run_result *r, struct machine *m, const struct workload_ops *ops, struct workload *w);
void run_clear(struct run_result *r);
/* Take off what had been counted before the measured part; ratios become null. */
void run_subtract(struct run_result *r, const struct run_result *before);
/* A number, or null; whole numbers as integers. */
struct json_t *stat_to_json(const struct stat_value *v);

#endif
