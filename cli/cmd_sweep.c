/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim sweep: all combinations, in parallel, resumable, into one database. */
#include "experiment/quote.h"
#include "run.h"
#include "sweep.h"

#include <string.h>

static const char *const engines[] = {"local", "slurm", "parallel"};

static int dry_run(const struct sweep_job *j)
{
	GError *error = NULL;

	for (unsigned i = 0; i < j->plan->points->len; i++) {
		g_auto(GStrv) argv = sweep_point_command(j, j->plan->points->pdata[i]);
		g_autofree char *line = quote_shell_line(argv, &error);

		if (!line)
			return cli_fail(error);
		puts(line);
	}
	cli_note(&j->o->common, "%u points, %u runs each; nothing was run", j->plan->points->len,
		 j->plan->runs_per_point);
	return cli_finish_output(CLI_OK);
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
		status = o->dry_run ? dry_run(&j) : sweep_run_job(&j);
	sweep_plan_free(j.plan);
	scenario_free(s);
	return status;
}

#define O(member) offsetof(struct sweep_options, member)
static const struct cli_option options[] = {
    {"vary", 0, CLI_LIST, O(vary), "KEY=VALUES",
     "values of a parameter: V1,V2 or 16..256*2 or 0..8+2 (repeatable)", &cli_words_settings},
    {"jobs", 'j', CLI_NUMBER, O(jobs), "N", "points at a time (default: one per CPU)", NULL},
    {"on", 0, CLI_STRING, O(on), "ENGINE",
     "where: local (default), slurm (job array), parallel (GNU parallel)", CLI_WORDS("local slurm parallel")},
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
    .completes = &cli_words_files,
    .run = run,
};
