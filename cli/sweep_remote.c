/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points on other machines, through engines that exist: Slurm job arrays and GNU parallel. Workers
 * share a directory with us and leave whole result folders there; collecting them is idempotent, so
 * that a worker killed in the middle only leaves its point to be run again.
 */
#include "experiment/quote.h"
#include "sweep.h"

#include <gio/gio.h>
#include <string.h>

enum { MAX_ARRAY = 1000 }; /* Slurm's MaxArraySize is 1001 unless changed */

/* One command per line; a point whose result is there is passed over. */
static bool write_manifest(const struct sweep_job *j, const char *path, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (unsigned i = 0; i < j->missing->len; i++) {
		g_auto(GStrv) argv = sweep_point_command(j, j->missing->pdata[i]);
		g_autofree char *line = quote_shell_line(argv, error),
				*dir = sweep_point_dir(j, j->missing->pdata[i]);
		g_autofree char *file = g_build_filename(dir, "result.json", NULL),
				*quoted = quote_shell(file);

		if (!line)
			return false;
		g_string_append_printf(text, "[ -e %s ] || %s\n", quoted, line);
	}
	return output_write_file(path, text->str, text->len, error);
}

/* The engine ran to its end; what it left undone shows in the missing points. */
static bool run_engine(const char *const *argv, const char *package, GError **error)
{
	GError *why = NULL;
	g_autoptr(GSubprocess) process = g_subprocess_newv(argv, G_SUBPROCESS_FLAGS_STDOUT_SILENCE, &why);

	if (!process) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "%s could not be started: %s; install the package %s", argv[0], why->message,
			    package);
		g_error_free(why);
		return false;
	}
	g_subprocess_wait(process, NULL, NULL);
	return true;
}

static char *slurm_script(const struct sweep_job *j, const char *manifest)
{
	g_autofree char *quoted = quote_shell(manifest);
	unsigned tasks = MIN(j->missing->len, MAX_ARRAY);

	return g_strdup_printf("#!/bin/sh\n"
			       "#SBATCH --job-name=dmasim-sweep\n"
			       "#SBATCH --array=1-%u\n"
			       "#SBATCH --output=/dev/null\n"
			       "#SBATCH --requeue\n"
			       "%s%s%s"
			       "# Task k runs lines k, k + %u, ... of the manifest.\n"
			       "awk -v k=\"$SLURM_ARRAY_TASK_ID\" -v n=%u '(NR - k) %% n == 0' %s | sh\n",
			       tasks, j->o->sbatch ? "#SBATCH " : "", j->o->sbatch ? j->o->sbatch : "",
			       j->o->sbatch ? "\n" : "", tasks, tasks, quoted);
}

static bool submit_slurm(const struct sweep_job *j, const char *manifest, GError **error)
{
	g_autofree char *script = g_build_filename(j->dir, "sweep.sbatch", NULL);
	g_autofree char *text = slurm_script(j, manifest);
	const char *argv[] = {"sbatch", "--wait", "--parsable", script, NULL};

	return output_write_file(script, text, strlen(text), error) &&
	       run_engine(argv, "slurm-client", error);
}

static bool run_parallel(const struct sweep_job *j, const char *manifest, GError **error)
{
	g_autofree char *jobs = j->o->jobs ? g_strdup_printf("%d", j->o->jobs) : g_strdup("100%");
	const char *argv[] = {"parallel", "--will-cite", "--jobs", jobs, "--arg-file",
			      manifest,   NULL,          NULL,     NULL};

	if (j->o->hosts) {
		argv[6] = "--sshlogin";
		argv[7] = j->o->hosts;
	}
	return run_engine(argv, "parallel", error);
}

typedef bool (*engine_fn)(const struct sweep_job *j, const char *manifest, GError **error);

/* Hand out what is missing, collect, and again for what a killed worker left. */
static bool run_rounds(struct sweep_job *j, engine_fn engine, GError **error)
{
	g_autofree char *manifest = g_build_filename(j->dir, "manifest.txt", NULL);
	int rounds = j->o->retries ? j->o->retries : 3;

	for (int i = 0; i < rounds && j->missing->len && !cli_interrupted; i++) {
		if (!write_manifest(j, manifest, error) || !engine(j, manifest, error) ||
		    !sweep_collect_all(j, error))
			return false;
		sweep_progress(j);
	}
	for (unsigned i = 0; i < j->missing->len; i++)
		sweep_point_failed(j, j->missing->pdata[i], CLI_FAILED);
	return true;
}

bool sweep_run_slurm(struct sweep_job *j, GError **error)
{
	return run_rounds(j, submit_slurm, error);
}

bool sweep_run_parallel(struct sweep_job *j, GError **error)
{
	return run_rounds(j, run_parallel, error);
}
