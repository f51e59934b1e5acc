/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim shards: one long trace in pieces that run side by side, merged again. */
#include "introspect.h"
#include "run.h"
#include "sweep.h"

#include "experiment/figures/figure.h"
#include <jansson.h>
#include <math.h>
#include <string.h>

struct shards_options {
	struct sweep_options sweep; /* first: the job reads it */
	int shards, warmup;
	gboolean compare;
};

static bool write_result(const char *dir, json_t *doc, GError **error)
{
	g_autofree char *path = g_build_filename(dir, "result.json", NULL);
	char *text = json_dumps(doc, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	bool ok = output_write_file(path, text, strlen(text), error);

	free(text);
	return ok;
}

/* The same scenario in one piece, as a process of its own. */
static json_t *run_whole(const struct sweep_job *j, GError **error)
{
	char *none[] = {NULL};
	struct sweep_point point = {.hash = (char *)"whole", .varied = none};
	g_auto(GStrv) argv = sweep_point_command(j, &point);
	g_autofree char *dir = sweep_point_dir(j, &point);
	int status;

	if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL, &status,
			  error))
		return NULL;
	return g_spawn_check_wait_status(status, error) ? result_load(dir, error) : NULL;
}

struct worst {
	const char *name;
	double error;
	unsigned exact, compared;
};

static void put_row(GPtrArray *cells, const json_t *run, const char *name, double whole, double merged,
		    double error)
{
	g_ptr_array_add(cells, g_strdup_printf("%s %s", json_string_value(json_object_get(run, "api")),
					       json_string_value(json_object_get(run, "iommu"))));
	g_ptr_array_add(cells, g_strdup(name));
	g_ptr_array_add(cells, g_strdup_printf("%.12g", whole));
	g_ptr_array_add(cells, g_strdup_printf("%.12g", merged));
	g_ptr_array_add(cells, g_strdup_printf("%+.4f %%", 100 * error));
}

/*
 * Statistics that add up and are worth a percentage: counts that reach 1 % of the requests, times that
 * reach 1 % of the CPU time.
 */
static bool worth_it(const json_t *whole, const char *name, double value)
{
	bool time = g_str_has_suffix(name, "_ns");
	double scale = run_number(whole, time ? "cpu.busy_ns" : "sim.records");

	return shards_add_up(name) && value > 0 && (!isfinite(scale) || value >= scale / 100);
}

static void compare_run(const json_t *whole, const json_t *merged, GPtrArray *cells, struct worst *w)
{
	const char *name;
	json_t *value;

	json_object_foreach (json_object_get(whole, "stats"), name, value) {
		double a = json_number_value(value), b = run_number(merged, name), error;

		if (!json_is_number(value) || !worth_it(whole, name, a) || !isfinite(b))
			continue;
		error = (b - a) / a;
		w->compared++;
		if (error == 0)
			w->exact++;
		else
			put_row(cells, whole, name, a, b, error);
		if (fabs(error) > fabs(w->error)) {
			w->error = error;
			w->name = name;
		}
	}
}

static int compare(const struct shards_options *o, json_t *whole, json_t *merged)
{
	g_autoptr(GPtrArray) cells = introspect_cells("run", "statistic", "whole", "shards", "error", NULL);
	json_t *runs = json_object_get(whole, "runs"), *parts = json_object_get(merged, "runs");
	struct worst w = {0};

	for (size_t i = 0; i < json_array_size(runs) && i < json_array_size(parts); i++)
		compare_run(json_array_get(runs, i), json_array_get(parts, i), cells, &w);
	if (o->sweep.common.json)
		return cli_print_json(json_pack("{s:i, s:i, s:s, s:f}", "compared", (int)w.compared, "exact",
						(int)w.exact, "worst", w.name ? w.name : "", "error",
						w.error));
	if (cells->len > 5)
		cli_print_columns(stdout, (char *const *)cells->pdata, 5, cells->len / 5, ~(uint64_t)3);
	printf("%u of %u statistics are exact; the largest error is %.4f %%%s%s\n", w.exact, w.compared,
	       100 * fabs(w.error), w.name ? " in " : "", w.name ? w.name : "");
	return cli_finish_output(CLI_OK);
}

static int finish(const struct shards_options *o, struct sweep_job *j)
{
	GError *error = NULL;
	json_t *doc = sweep_db_load(j->dir, &error), *merged = doc ? shards_merge(doc) : NULL, *whole = NULL;
	int status = CLI_OK;

	if (!merged || !write_result(j->dir, merged, &error))
		status = cli_fail(error);
	if (status == CLI_OK && o->compare) {
		whole = run_whole(j, &error);
		status = whole ? compare(o, whole, merged) : cli_fail(error);
	} else if (status == CLI_OK && o->sweep.common.json) {
		status = cli_print_json(json_incref(merged));
	}
	json_decref(whole);
	json_decref(merged);
	json_decref(doc);
	return status;
}

static int run_shards(const struct shards_options *o, struct sweep_job *j, struct scenario *s)
{
	uint64_t records;
	GError *error = NULL;
	int status;

	if (!cli_apply_run_options(s, &o->sweep.common, &error) || !scenario_resolve(s, &error))
		return cli_fail(error);
	records = scenario_count_records(s, &error);
	if (!records)
		return cli_fail(error);
	j->plan = sweep_plan_shards(s, (unsigned)o->shards, o->warmup ? (uint64_t)o->warmup : 100000, records,
				    &error);
	if (!j->plan)
		return cli_fail(error);
	status = sweep_run_job(j);
	return status == CLI_OK ? finish(o, j) : status;
}

static int run(void *options, int nargs, char **args)
{
	const struct shards_options *o = options;
	g_autofree char *scenario = nargs ? g_canonicalize_filename(args[0], NULL) : NULL;
	g_autofree char *dir = o->sweep.common.output ? g_canonicalize_filename(o->sweep.common.output, NULL)
						      : NULL;
	struct sweep_options quiet = o->sweep;
	struct sweep_job j = {.o = &quiet, .scenario = scenario, .dir = dir};
	GError *error = NULL;
	struct scenario *s;
	int status;

	if (nargs != 1 || !dir || !o->shards)
		return cli_usage("shards", "wants one scenario, --shards N and -o DIR");
	quiet.common.json = FALSE; /* the document is the merged one, printed here */
	s = scenario_load(args[0], &error);
	if (!s)
		return cli_fail(error);
	status = run_shards(o, &j, s);
	sweep_plan_free(j.plan);
	scenario_free(s);
	return status;
}

#define S(member) offsetof(struct shards_options, sweep.member)
#define O(member) offsetof(struct shards_options, member)
static const struct cli_option options[] = {
    {"shards", 0, CLI_NUMBER, O(shards), "N", "pieces of equal length", NULL},
    {"warmup", 0, CLI_NUMBER, O(warmup), "RECORDS", "records run before each piece, not counted (100000)",
     NULL},
    {"compare", 0, CLI_FLAG, O(compare), NULL, "also run the trace in one piece and print the error", NULL},
    {"jobs", 'j', CLI_NUMBER, S(jobs), "N", "pieces at a time (default: one per CPU)", NULL},
    {"on", 0, CLI_STRING, S(on), "ENGINE", "where: local (default), slurm, parallel",
     CLI_WORDS("local slurm parallel")},
    {"hosts", 0, CLI_STRING, S(hosts), "LIST", "with --on parallel: ssh hosts, as its --sshlogin takes them",
     NULL},
    {"sbatch", 0, CLI_STRING, S(sbatch), "OPTIONS", "with --on slurm: further sbatch options", NULL},
    {0},
};

const struct cli_command cli_command_shards = {
    .name = "shards",
    .args = "SCENARIO",
    .help = "run one long trace in pieces side by side, and merge their results",
    .about =
	"Each piece first runs --warmup records before it, which fill caches and allocator but are not "
	"counted. DIR "
	"holds the merged result.json and the pieces in sweep.db.\n"
	"Exact whatever the pieces: what depends on the records alone (requests, bytes, splits, mapping "
	"calls, "
	"invalidations in strict mode and their spans). Close: what depends on state that a warm-up rebuilds "
	"(IOVA "
	"caches, IOTLB, flush queue). Peaks of memory are the largest of a piece; ratios are null. Times of "
	"fidelity timing do not add up over pieces: use counts.",
    .examples =
	"dmasim shards long.ini --shards 16 -o result --compare\tsixteen pieces, and how far off they are",
    .group = CLI_GROUP_RUN,
    .run_options = true,
    .options = options,
    .options_size = sizeof(struct shards_options),
    .completes = &cli_words_files,
    .run = run,
};
