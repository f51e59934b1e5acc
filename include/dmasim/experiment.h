/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Experiments: a scenario (what to run), the comparison (one machine per API, mode and seed, fed the
 * same records in one bounded pass) and its results.
 */
#ifndef DMASIM_EXPERIMENT_H
#define DMASIM_EXPERIMENT_H

#include <dmasim/error.h>
#include <dmasim/export.h>
#include <dmasim/machine.h>
#include <dmasim/workload.h>
#include <signal.h>

struct json_t;

/* "0.1.0" */
DMASIM_API const char *dmasim_version(void);

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
DMASIM_API extern const struct param_table scenario_param_table, compare_param_table, workload_param_table;

struct scenario;
/* Nothing but defaults. */
DMASIM_API struct scenario *scenario_new(void);
/*
 * Read an .ini file, or the effective scenario inside a result (its directory or result.json).
 * Every unknown section, key or bad value is an error that names file, line and remedy.
 */
DMASIM_API struct scenario *scenario_load(const char *path, GError **error);
DMASIM_API struct scenario *scenario_copy(const struct scenario *s);
DMASIM_API void scenario_free(struct scenario *s);
/* "section.key" = text, as --set does; sweep.* is not accepted here. */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT bool scenario_set(struct scenario *s, const char *name, const char *text,
						       const char *origin, GError **error);
/* Check everything that needs more than one key and work out the runs. Idempotent. */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT bool scenario_resolve(struct scenario *s, GError **error);
DMASIM_API const struct config *scenario_config(const struct scenario *s);
/* The [sweep] section: NULL-terminated "key=v1,v2" strings. */
DMASIM_API char *const *scenario_sweep(const struct scenario *s);
/* Input files after resolution, NULL-terminated; empty when a generator or no trace is used. */
DMASIM_API char *const *scenario_traces(const struct scenario *s);
DMASIM_API const struct trace_generator *scenario_generator(const struct scenario *s);
DMASIM_API const struct workload_ops *scenario_workload(const struct scenario *s);
DMASIM_API void scenario_visit(const struct scenario *s, config_visit_fn fn, void *arg);
/* SHA-256 over the effective scenario, the inputs' contents and the tool's version, hex. */
DMASIM_API char *scenario_hash(const struct scenario *s, GError **error);

/* One run of the comparison. */
struct run_spec {
	const struct dma_api *api;
	enum iommu_mode mode;
	const struct kernel_profile *kernel;
	char *kernel_note; /* where the row is not the release's own: what was taken; else NULL */
	enum fidelity fidelity;
	uint64_t seed;
};
DMASIM_API const struct run_spec *scenario_runs(const struct scenario *s, unsigned *n);

/* ---- presets, embedded in the library ---- */

DMASIM_API char **preset_names(void); /* NULL-terminated, g_strfreev */
/* The preset's text, NULL if there is none of that name; valid for ever. */
DMASIM_API const char *preset_text(const char *name);

/* ---- results ---- */

struct experiment_result;

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
DMASIM_API bool experiment_check(const struct scenario *s, GError **error);
/* Run a resolved scenario. NULL with *error when any run fails or when interrupted. */
DMASIM_API struct experiment_result *experiment_run(struct scenario *s, const struct experiment_options *o,
						    GError **error);
DMASIM_API void experiment_result_free(struct experiment_result *r);
/* Runs of the result, in the order of scenario_runs. */
DMASIM_API unsigned experiment_result_runs(const struct experiment_result *r);
/* What run number run was; lives as long as the scenario. */
DMASIM_API const struct run_spec *experiment_result_spec(const struct experiment_result *r, unsigned run);
/* Value of a statistic in one run; STAT_NULL when the run does not compute it or there is none of that name.
 */
DMASIM_API struct stat_value experiment_result_stat(const struct experiment_result *r, unsigned run,
						    const char *name);

/* The result.json document (new reference). */
DMASIM_API struct json_t *result_to_json(const struct experiment_result *r);
/*
 * Write result.json, summary.csv, curve.csv, latency.hgrm, timing.json and what else was asked for into dir,
 * in place of all files of the result that is there. r->timeline must lie in dir; it becomes timeline.json.
 */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT bool result_write(const struct experiment_result *r, const char *dir,
						       GError **error);
/* Could a result be written there? Asked before a long run; makes nothing. */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT bool result_check_dir(const char *dir, GError **error);
/* Read result.json of a result directory (or the file itself). */
DMASIM_API struct json_t *result_load(const char *path, GError **error);

#endif
