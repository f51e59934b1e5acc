/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a sweep: what is there, what is missing, running it, taking it in, saying so. */
#include "experiment/output.h"
#include "run.h"
#include "sweep.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

char *sweep_point_dir(const struct sweep_job *j, const struct sweep_point *p)
{
	return g_build_filename(j->dir, "points", p->hash, NULL);
}

static void add_option(GPtrArray *argv, const char *option, const char *value)
{
	if (!value)
		return;
	g_ptr_array_add(argv, g_strdup(option));
	g_ptr_array_add(argv, g_strdup(value));
}

char **sweep_point_command(const struct sweep_job *j, const struct sweep_point *p)
{
	const struct cli_common *c = &j->o->common;
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *seeds = c->seeds ? g_strdup_printf("%d", c->seeds) : NULL;
	GPtrArray *argv = g_ptr_array_new();

	g_ptr_array_add(argv, g_strdup(self ? self : "dmasim"));
	g_ptr_array_add(argv, g_strdup("run"));
	g_ptr_array_add(argv, g_strdup(j->scenario));
	for (char **s = c->set; s && *s; s++)
		add_option(argv, "--set", *s);
	add_option(argv, "--api", c->api);
	add_option(argv, "--iommu", c->iommu);
	add_option(argv, "--seeds", seeds);
	add_option(argv, "--fidelity", c->fidelity);
	if (c->check)
		g_ptr_array_add(argv, g_strdup("--check"));
	for (char **v = p->varied; *v; v++)
		add_option(argv, "--set", *v);
	g_ptr_array_add(argv, g_strdup("--output"));
	g_ptr_array_add(argv, sweep_point_dir(j, p));
	add_option(argv, "--threads", "1");
	g_ptr_array_add(argv, g_strdup("--quiet"));
	g_ptr_array_add(argv, g_strdup("--no-progress"));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

bool sweep_collect(struct sweep_job *j, const struct sweep_point *p, GError **error)
{
	g_autofree char *dir = sweep_point_dir(j, p);
	json_t *doc = result_load(dir, error);
	bool ok = doc && sweep_db_add(j->db, p, doc, error);

	json_decref(doc);
	if (!ok)
		return false;
	output_remove_dir(dir);
	j->done++;
	return true;
}

bool sweep_collect_all(struct sweep_job *j, GError **error)
{
	for (unsigned i = 0; i < j->missing->len;) {
		g_autofree char *dir = sweep_point_dir(j, j->missing->pdata[i]);
		g_autofree char *file = g_build_filename(dir, "result.json", NULL);

		if (!g_file_test(file, G_FILE_TEST_EXISTS)) {
			i++;
			continue;
		}
		if (!sweep_collect(j, j->missing->pdata[i], error))
			return false;
		g_ptr_array_remove_index(j->missing, i);
	}
	return true;
}

void sweep_progress(const struct sweep_job *j)
{
	const char *term = g_getenv("TERM");
	unsigned total = j->plan->points->len;
	double seconds = (double)(g_get_monotonic_time() - j->start) / 1e6;
	unsigned here = j->done - j->before;

	if (j->o->common.no_progress || j->o->common.quiet || !isatty(STDERR_FILENO) ||
	    (term && !strcmp(term, "dumb")))
		return;
	fprintf(stderr, "\r\033[K%u of %u points", j->done, total);
	if (here)
		fprintf(stderr, ", %.0f s left", seconds / here * (total - j->done));
	fflush(stderr);
}

void sweep_point_failed(struct sweep_job *j, const struct sweep_point *p, int status)
{
	g_autofree char *varied = g_strjoinv(" ", p->varied);

	fprintf(stderr, "dmasim: sweep: point %s failed (status %d)\n", *varied ? varied : p->hash, status);
	if (j->status == CLI_OK)
		j->status = status;
}

/* Everything that runs the job, between the opened database and the report. */
static bool run_points(struct sweep_job *j, GError **error)
{
	for (unsigned i = 0; i < j->plan->points->len; i++) {
		struct sweep_point *p = j->plan->points->pdata[i];

		if (sweep_db_has(j->db, p->hash))
			j->done++;
		else
			g_ptr_array_add(j->missing, p);
	}
	if (!sweep_collect_all(j, error))
		return false;
	j->start = g_get_monotonic_time();
	j->before = j->done;
	if (j->o->collect || !j->missing->len)
		return true;
	if (j->o->on && !strcmp(j->o->on, "slurm"))
		return sweep_run_slurm(j, error);
	if (j->o->on && !strcmp(j->o->on, "parallel"))
		return sweep_run_parallel(j, error);
	return sweep_run_local(j, error);
}

static int report_end(struct sweep_job *j)
{
	g_autofree char *points = g_build_filename(j->dir, "points", NULL);
	GError *error = NULL;
	json_t *doc;

	g_rmdir(points); /* stays while a worker's result is in it */
	if (isatty(STDERR_FILENO) && !j->o->common.quiet && !j->o->common.no_progress)
		fputs("\r\033[K", stderr);
	cli_note(&j->o->common, "%s/sweep.db: %u of %u points (%u were there), %u runs each", j->dir, j->done,
		 j->plan->points->len, j->before, j->plan->runs_per_point);
	if (cli_interrupted) {
		fputs("dmasim: sweep: interrupted; the same command goes on from here\n", stderr);
		return CLI_INTERRUPTED;
	}
	if (j->status != CLI_OK || !j->o->common.json)
		return j->status;
	doc = sweep_db_load(j->dir, &error);
	return doc ? cli_print_json(doc) : cli_fail(error);
}

int sweep_run_job(struct sweep_job *j)
{
	GError *error = NULL;
	int status, lock;

	j->db = sweep_db_open(j->dir, true, &error);
	lock = j->db ? output_lock(j->dir, false, &error) : -1;
	if (lock < 0) {
		sweep_db_close(j->db);
		return cli_fail(error);
	}
	j->missing = g_ptr_array_new();
	status = run_points(j, &error) ? report_end(j) : cli_fail(error);
	g_ptr_array_unref(j->missing);
	sweep_db_close(j->db);
	output_unlock(lock);
	return status;
}
