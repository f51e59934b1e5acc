/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim sweep: all combinations, in parallel, resumable, into one database. */
#include "run.h"
#include "sweep.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

static const char *const engines[] = {"local", "slurm", "parallel"};

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

static void remove_dir(const char *dir)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	const char *name;

	while (d && (name = g_dir_read_name(d))) {
		g_autofree char *path = g_build_filename(dir, name, NULL);

		g_unlink(path);
	}
	if (d)
		g_dir_close(d);
	g_rmdir(dir);
}

bool sweep_collect(struct sweep_job *j, const struct sweep_point *p, GError **error)
{
	g_autofree char *dir = sweep_point_dir(j, p);
	json_t *doc = result_load(dir, error);
	bool ok = doc && sweep_db_add(j->db, p, doc, error);

	json_decref(doc);
	if (!ok)
		return false;
	remove_dir(dir);
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

static int report(struct sweep_job *j)
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

static int dry_run(const struct sweep_job *j)
{
	for (unsigned i = 0; i < j->plan->points->len; i++) {
		g_auto(GStrv) argv = sweep_point_command(j, j->plan->points->pdata[i]);
		g_autofree char *line = g_strjoinv(" ", argv);

		puts(line);
	}
	cli_note(&j->o->common, "%u points, %u runs each; nothing was run", j->plan->points->len,
		 j->plan->runs_per_point);
	return cli_finish_output(CLI_OK);
}

static int run_job(struct sweep_job *j)
{
	GError *error = NULL;
	int status;

	j->db = sweep_db_open(j->dir, true, &error);
	if (!j->db)
		return cli_fail(error);
	j->missing = g_ptr_array_new();
	status = run_points(j, &error) ? report(j) : cli_fail(error);
	g_ptr_array_unref(j->missing);
	sweep_db_close(j->db);
	return status;
}

/* --vary, after what [sweep] of the scenario says; a key in both: --vary beats the file. */
static char **all_axes(const struct scenario *s, char **vary)
{
	GPtrArray *axes = g_ptr_array_new();

	for (char *const *a = scenario_sweep(s); *a; a++) {
		size_t key = strcspn(*a, "=") + 1;
		bool beaten = false;

		for (char **v = vary; v && *v; v++)
			beaten = beaten || !strncmp(*v, *a, key);
		if (!beaten)
			g_ptr_array_add(axes, g_strdup(*a));
	}
	for (char **v = vary; v && *v; v++)
		g_ptr_array_add(axes, g_strdup(*v));
	g_ptr_array_add(axes, NULL);
	return (char **)g_ptr_array_free(axes, FALSE);
}

static bool make_plan(struct sweep_job *j, struct scenario *s, GError **error)
{
	g_auto(GStrv) axes = all_axes(s, j->o->vary);

	if (!axes[0]) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "sweep: nothing to vary; want --vary KEY=V1,V2 or a [sweep] section in %s",
			    j->scenario);
		return false;
	}
	if (!cli_apply_run_options(s, &j->o->common, error))
		return false;
	j->plan = sweep_plan_new(s, axes, error);
	return j->plan != NULL;
}

static int run(void *options, int nargs, char **args)
{
	const struct sweep_options *o = options;
	g_autofree char *scenario = nargs ? g_canonicalize_filename(args[0], NULL) : NULL;
	g_autofree char *dir = o->common.output ? g_canonicalize_filename(o->common.output, NULL) : NULL;
	struct sweep_job j = {.o = o, .scenario = scenario, .dir = dir};
	GError *error = NULL;
	struct scenario *s;
	int status;

	if (nargs != 1)
		return cli_usage("sweep", "wants one scenario");
	if (!dir)
		return cli_usage("sweep", "wants -o DIR for its database");
	if (o->on && strcmp(o->on, "local") && strcmp(o->on, "slurm") && strcmp(o->on, "parallel"))
		return cli_unknown("sweep", "engine", o->on, engines, G_N_ELEMENTS(engines));
	s = scenario_load(args[0], &error);
	if (!s)
		return cli_fail(error);
	if (!make_plan(&j, s, &error))
		status = cli_fail(error);
	else
		status = o->dry_run ? dry_run(&j) : run_job(&j);
	sweep_plan_free(j.plan);
	scenario_free(s);
	return status;
}

#define O(member) offsetof(struct sweep_options, member)
static const struct cli_option options[] = {
    {"vary", 0, CLI_LIST, O(vary), "KEY=VALUES",
     "values of a parameter: V1,V2 or 16..256*2 or 0..8+2 (repeatable)", "@keys"},
    {"jobs", 'j', CLI_NUMBER, O(jobs), "N", "points at a time (default: one per CPU)", NULL},
    {"on", 0, CLI_STRING, O(on), "ENGINE",
     "where: local (default), slurm (job array), parallel (GNU parallel)", "local slurm parallel"},
    {"hosts", 0, CLI_STRING, O(hosts), "LIST", "with --on parallel: ssh hosts, as its --sshlogin takes them",
     NULL},
    {"sbatch", 0, CLI_STRING, O(sbatch), "OPTIONS",
     "with --on slurm: further sbatch options, e.g. --partition=long", NULL},
    {"retries", 0, CLI_NUMBER, O(retries), "N",
     "with slurm and parallel: rounds for points that workers lost (3)", NULL},
    {"collect", 0, CLI_FLAG, O(collect), NULL, "only take finished points of workers into the database",
     NULL},
    {"dry-run", 0, CLI_FLAG, O(dry_run), NULL, "print the command of every point and run none", NULL},
    {0},
};

const struct cli_command cli_command_sweep = {
    .name = "sweep",
    .args = "SCENARIO",
    .help = "run all combinations of parameter values into one database",
    .about = "Each combination is one point: every API, IOMMU mode and seed of the scenario. Points run in "
	     "parallel; each "
	     "is known by a hash of its effective scenario, inputs and version, so that after any "
	     "interruption, kill -9 "
	     "included, the same command runs only what is missing. The result is DIR/sweep.db (SQLite), "
	     "read by query, "
	     "plot and report.\n"
	     "With --on slurm or parallel the workers run elsewhere; DIR, the scenario and its inputs must "
	     "lie on a file "
	     "system they share.",
    .examples =
	"dmasim sweep s.ini --vary iotlb.entries=16..1024*2 --seeds 5 -o sweep\tone axis, five seeds\n"
	"dmasim sweep s.ini --vary iotlb.entries=32,64 --vary workload.sizes=4KiB,64KiB -o sweep\ttwo axes\n"
	"dmasim query sweep qi.desc_iotlb_page --per io.completed --ratio\twhat came out",
    .group = CLI_GROUP_RUN,
    .run_options = true,
    .options = options,
    .options_size = sizeof(struct sweep_options),
    .completes = "@scenarios",
    .run = run,
};
