/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between cmd_sweep.c and the ways of running its points. */
#ifndef DMASIM_CLI_SWEEP_H
#define DMASIM_CLI_SWEEP_H

#include "cli.h"

#include "experiment/sweep/sweep.h"

struct sweep_options {
	struct cli_common common;
	char **vary;
	int jobs, retries;
	char *on, *hosts, *sbatch;
	gboolean collect, dry_run;
};

struct sweep_job {
	const struct sweep_options *o;
	const char *scenario; /* absolute path */
	const char *dir;      /* absolute path of the result */
	struct sweep_db *db;
	struct sweep_plan *plan;
	GPtrArray *missing; /* struct sweep_point *, not owned */
	unsigned done;      /* points of the plan in the database */
	unsigned before;    /* of them, there when we began */
	int status;         /* of the first point that failed, else CLI_OK */
	gint64 start;
};

/* Folder in which the worker of a point leaves its result. */
char *sweep_point_dir(const struct sweep_job *j, const struct sweep_point *p);
/* argv of the process that runs a point; g_strfreev. */
char **sweep_point_command(const struct sweep_job *j, const struct sweep_point *p);
/* Take a worker's result into the database. false: there is none, or *error. */
bool sweep_collect(struct sweep_job *j, const struct sweep_point *p, GError **error);
/* Collect all of missing that are there; the rest stays in missing. */
bool sweep_collect_all(struct sweep_job *j, GError **error);
void sweep_progress(const struct sweep_job *j);
void sweep_point_failed(struct sweep_job *j, const struct sweep_point *p, int status);

/* Open the database, run what is missing, report; an enum cli_status. */
int sweep_run_job(struct sweep_job *j);

/* Run missing points by processes of this machine; by Slurm; by GNU parallel. */
bool sweep_run_local(struct sweep_job *j, GError **error);
bool sweep_run_slurm(struct sweep_job *j, GError **error);
bool sweep_run_parallel(struct sweep_job *j, GError **error);

#endif
