/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sweeps: every combination of values is one point, keyed by a hash of what determines its result,
 * so that a finished point is known again after any interruption. Finished points live in one SQLite
 * database (docs/sweep-database.md).
 */
#ifndef DMASIM_EXPERIMENT_SWEEP_SWEEP_H
#define DMASIM_EXPERIMENT_SWEEP_SWEEP_H

#include "experiment/result.h"

struct sweep_point {
	unsigned position; /* in the plan: the order of figures and tables */
	char *hash;        /* SHA-256 over effective scenario, inputs and version, hex */
	char **varied;     /* "key=value", NULL-terminated, in the order of the --vary options */
};

struct sweep_plan {
	GPtrArray *points; /* struct sweep_point *, in order: the last key varies fastest */
	unsigned runs_per_point;
};

/*
 * All combinations of vary ("key=v1,v2", "key=16..256*2", "key=0..8+2"; values that hold commas are
 * separated by ;) over base. Every point is resolved, so that a bad value is found before the first
 * one runs.
 */
struct sweep_plan *sweep_plan_new(const struct scenario *base, char *const *vary, GError **error);
void sweep_plan_free(struct sweep_plan *p);

struct sweep_db;
/* Open DIR/sweep.db, making it (and DIR) if create is set. */
struct sweep_db *sweep_db_open(const char *dir, bool create, GError **error);
void sweep_db_close(struct sweep_db *db);
bool sweep_db_has(struct sweep_db *db, const char *hash);
/* Add a point's result document: one transaction; adding it again changes nothing. */
G_GNUC_WARN_UNUSED_RESULT bool sweep_db_add(struct sweep_db *db, const struct sweep_point *point,
					    const struct json_t *doc, GError **error);
/* All points as one document of the form of result.json; runs[].varied tells the points apart. */
struct json_t *sweep_db_load(const char *dir, GError **error);
/* Is there a sweep database in dir? */
bool sweep_exists(const char *dir);

/* ---- one long trace as time shards ---- */

/* Records of the scenario's input, by reading it once; 0 with *error on failure. */
uint64_t scenario_count_records(struct scenario *s, GError **error);
/*
 * Shard k of n runs records [k/n, (k+1)/n) of the input after a warm-up of so many records before it;
 * its statistics are those of its own records. base is resolved.
 */
struct sweep_plan *sweep_plan_shards(const struct scenario *base, unsigned n, uint64_t warmup,
				     uint64_t records, GError **error);
/*
 * The shards' document (sweep_db_load) merged into one with a run per API, mode and seed: counts and
 * times are added, peaks are the largest, what is neither becomes null.
 */
struct json_t *shards_merge(const struct json_t *doc);
/* Does this statistic add up over shards? */
bool shards_add_up(const char *statistic);

#endif
