/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Experiments: a scenario (what to run), the comparison (one machine per API, mode and seed, fed the
 * same records in one bounded pass) and its results.
 */
#ifndef DMASIM_EXPERIMENT_H
#define DMASIM_EXPERIMENT_H

#include <dmasim/error.h>
#include <dmasim/machine.h>
#include <dmasim/workload.h>
#include <signal.h>
#include <stdio.h>

struct json_t;

/* "0.1.0" */
const char *dmasim_version(void);

/* ---- registry ---- */

/* Statistic tables of every machine; a workload adds its own (workload_ops.stats). */
struct stat_group {
	const struct stat_table *table;
	size_t offset; /* of the values in struct machine */
};
extern const struct stat_group stat_groups[]; /* ended by a NULL table */

/* ---- scenario ---- */

struct scenario_params {
	char *name, *description, *preset;
	uint64_t seed, seeds;
	int fidelity;
	bool check;
};
struct compare_params {
	char *api, *iommu; /* comma-separated */
};
struct workload_params {
	char *kind, *trace, *generator;
	char *columns;
	char *format, *device; /* of the trace: force a reader, keep one device */
	double time_scale;
	uint64_t limit;        /* records; 0: all */
	uint64_t skip, warmup; /* records passed over; records run before statistics begin */
	char *sha256;          /* of the trace; "": not known beforehand */
	bool cut;              /* statistics as of the last record, before what is in flight completes */
};
extern const struct param_table scenario_param_table, compare_param_table, workload_param_table;

struct scenario;
/* Nothing but defaults. */
struct scenario *scenario_new(void);
/*
 * Read an .ini file, or the effective scenario inside a result (its directory or result.json).
 * Every unknown section, key or bad value is an error that names file, line and remedy.
 */
struct scenario *scenario_load(const char *path, GError **error);
struct scenario *scenario_copy(const struct scenario *s);
void scenario_free(struct scenario *s);
/* "section.key" = text, as --set does; sweep.* is not accepted here. */
G_GNUC_WARN_UNUSED_RESULT bool scenario_set(struct scenario *s, const char *name, const char *text,
					    const char *origin, GError **error);
/* Check everything that needs more than one key and work out the runs. Idempotent. */
G_GNUC_WARN_UNUSED_RESULT bool scenario_resolve(struct scenario *s, GError **error);
const struct config *scenario_config(const struct scenario *s);
const char *scenario_path(const struct scenario *s); /* NULL when not from a file */
/* The [sweep] section: NULL-terminated "key=v1,v2" strings. */
char *const *scenario_sweep(const struct scenario *s);
/* Input files after resolution, NULL-terminated; empty when a generator or no trace is used. */
char *const *scenario_traces(const struct scenario *s);
const struct trace_generator *scenario_generator(const struct scenario *s);
const struct workload_ops *scenario_workload(const struct scenario *s);
void scenario_visit(const struct scenario *s, config_visit_fn fn, void *arg);
/* SHA-256 over the effective scenario, the inputs' contents and the tool's version, hex. */
char *scenario_hash(const struct scenario *s, GError **error);

/* One run of the comparison. */
struct run_spec {
	const struct dma_api *api;
	enum iommu_mode mode;
	const struct kernel_profile *kernel;
	enum fidelity fidelity;
	uint64_t seed;
};
const struct run_spec *scenario_runs(const struct scenario *s, unsigned *n);

/* ---- presets, embedded in the library ---- */

char **preset_names(void); /* NULL-terminated, g_strfreev */
/* The preset's text, NULL if there is none of that name; valid for ever. */
const char *preset_text(const char *name);

/* ---- results ---- */

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

struct experiment_progress {
	uint64_t records;
	uint64_t bytes, total_bytes; /* of the input; total 0 when unknown */
	double seconds;
};

struct experiment_options {
	unsigned threads;     /* 0: as many as there are CPUs */
	sim_time_t interval;  /* of the time series; 0: none */
	const char *timeline; /* path of the Chrome trace-event file; NULL: none; outlives the result */
	uint64_t timeline_limit;
	const volatile sig_atomic_t *cancel; /* may be NULL */
	void (*progress)(void *arg, const struct experiment_progress *p);
	void *progress_arg;
};

/* Could every run of a resolved scenario be set up: machine, devices, load? Nothing is run. */
bool experiment_check(const struct scenario *s, GError **error);
/* Run a resolved scenario. NULL with *error when any run fails or when interrupted. */
struct experiment_result *experiment_run(struct scenario *s, const struct experiment_options *o,
					 GError **error);
void experiment_result_free(struct experiment_result *r);
/* Value of a statistic in one run; STAT_NULL when there is none of that name. */
struct stat_value run_stat(const struct run_result *r, const char *name);
/* Did requests fail, in every run, and none succeed? Why the first did; NULL: no. */
const char *experiment_all_failed(const struct experiment_result *r);

/* The result.json document (new reference). */
struct json_t *result_to_json(const struct experiment_result *r);
/*
 * Write result.json, summary.csv, curve.csv, latency.hgrm, timing.json and what else was asked for into dir,
 * in place of all files of the result that is there. r->timeline must lie in dir; it becomes timeline.json.
 */
G_GNUC_WARN_UNUSED_RESULT bool result_write(const struct experiment_result *r, const char *dir,
					    GError **error);
/* Could a result be written there? Asked before a long run; makes nothing. */
G_GNUC_WARN_UNUSED_RESULT bool result_check_dir(const char *dir, GError **error);
/* Read result.json of a result directory (or the file itself). */
struct json_t *result_load(const char *path, GError **error);
/* Write a whole file under a temporary name, sync and rename it. */
G_GNUC_WARN_UNUSED_RESULT bool output_write_file(const char *path, const char *data, size_t len,
						 GError **error);

#endif
