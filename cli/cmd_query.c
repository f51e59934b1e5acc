/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim query: numbers out of results and sweeps as tables: means, intervals, ratios. */
#include "experiment/quote.h"
#include "introspect.h"

#include "experiment/figures/figure.h"
#include "models/vtd/perf_names.h"
#include <jansson.h>
#include <math.h>
#include <string.h>

struct query_options {
	struct cli_common common;
	char *by, *across, *per, *format;
	char **where;
	gboolean ratio, perf_names;
};

struct query {
	const struct query_options *o;
	json_t *doc;
	const char *const *stats; /* NULL-terminated */
	char **by;                /* row keys */
	char *across;             /* column key */
	GPtrArray *rows;          /* char *: the row keys' values joined by tabs, in order of appearance */
	struct place {
		unsigned row, column; /* of each run; UINT_MAX: not selected */
	} * places;
	GPtrArray *columns; /* values of the column key */
};

/* "api", "iommu", ... or a varied key; NULL if a run has no such member. */
static char *member_text(const json_t *run, const char *key)
{
	const json_t *v = json_object_get(json_object_get(run, "varied"), key);

	if (!v)
		v = json_object_get(run, key);
	if (json_is_string(v))
		return g_strdup(json_string_value(v));
	return json_is_integer(v) ? g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(v)) : NULL;
}

static bool selected(const struct query *q, const json_t *run)
{
	for (char **w = q->o->where; w && *w; w++) {
		g_auto(GStrv) parts = g_strsplit(*w, "=", 2);
		g_autofree char *text = member_text(run, parts[0]);

		if (!text || !parts[1] || strcmp(text, parts[1]))
			return false;
	}
	return true;
}

static char *row_key(const struct query *q, const json_t *run)
{
	GString *key = g_string_new(NULL);

	for (char **b = q->by; *b; b++) {
		g_autofree char *text = member_text(run, *b);

		g_string_append_printf(key, "%s%s", b == q->by ? "" : "\t", text ? text : "");
	}
	return g_string_free(key, FALSE);
}

static unsigned add_distinct(GPtrArray *list, char *text)
{
	for (unsigned i = list->len; i-- > 0;)
		if (!strcmp(list->pdata[i], text)) {
			g_free(text);
			return i;
		}
	g_ptr_array_add(list, text);
	return list->len - 1;
}

static double run_value(const struct query *q, const json_t *run, const char *stat)
{
	double v = 0, per = q->o->per ? run_number(run, q->o->per) : 1;

	if (strcmp(stat, "flushes"))
		v = run_number(run, stat);
	else
		v = run_number(run, "qi.desc_iotlb_page") + run_number(run, "qi.desc_iotlb_domain") +
		    run_number(run, "qi.desc_iotlb_global");
	return v / per;
}

static struct sample cell(const struct query *q, unsigned row, unsigned column, const char *stat)
{
	json_t *runs = json_object_get(q->doc, "runs"), *run;
	g_autofree double *values = g_new(double, json_array_size(runs) + 1);
	unsigned n = 0;
	size_t i;

	json_array_foreach (runs, i, run) {
		if (q->places[i].row == row && q->places[i].column == column) {
			double v = run_value(q, run, stat);

			if (isfinite(v))
				values[n++] = v;
		}
	}
	return sample_of(values, n);
}

/* Equal in everything that was varied or repeated, but for the key across the columns. */
static bool partners(const struct query *q, const json_t *a, const json_t *b)
{
	static const char *const members[] = {"seed", "api", "iommu"};
	const char *key;
	json_t *v;

	for (int i = 0; i < 3; i++)
		if (strcmp(members[i], q->across) &&
		    !json_equal(json_object_get(a, members[i]), json_object_get(b, members[i])))
			return false;
	json_object_foreach (json_object_get(a, "varied"), key, v) {
		if (strcmp(key, q->across) &&
		    !json_equal(v, json_object_get(json_object_get(b, "varied"), key)))
			return false;
	}
	return true;
}

/* Ratio of a column to the first, pair by pair: runs of one seed saw the same records. */
static struct sample ratio(const struct query *q, unsigned row, unsigned column, const char *stat)
{
	json_t *runs = json_object_get(q->doc, "runs"), *run, *first;
	g_autofree double *values = g_new(double, json_array_size(runs) + 1);
	unsigned n = 0;
	size_t i, k;

	json_array_foreach (runs, i, run) {
		if (q->places[i].row != row || q->places[i].column != column)
			continue;
		json_array_foreach (runs, k, first) {
			if (q->places[k].row == row && q->places[k].column == 0 && partners(q, run, first)) {
				double r = run_value(q, run, stat) / run_value(q, first, stat);

				if (isfinite(r))
					values[n++] = r;
				break;
			}
		}
	}
	return sample_of(values, n);
}

static char *sample_text(const struct sample *s)
{
	if (!isfinite(s->mean))
		return g_strdup("-");
	if (s->n < 2 || s->high == s->mean)
		return g_strdup_printf("%.6g", s->mean);
	return g_strdup_printf("%.6g ± %.2g", s->mean, s->high - s->mean);
}

/* What a statistic is called in the output. */
static const char *shown_name(const struct query *q, const char *stat)
{
	const struct perf_name *p = q->o->perf_names ? perf_name_find(stat) : NULL;

	if (!p)
		return stat;
	return p->uncore ? p->uncore : p->pmu;
}

static void put_head(const struct query *q, GPtrArray *cells)
{
	for (char **b = q->by; *b; b++)
		g_ptr_array_add(cells, g_strdup(*b));
	g_ptr_array_add(cells, g_strdup("statistic"));
	for (unsigned c = 0; c < q->columns->len; c++)
		g_ptr_array_add(cells, g_strdup(q->columns->pdata[c]));
	for (unsigned c = 1; q->o->ratio && c < q->columns->len; c++)
		g_ptr_array_add(cells, g_strdup_printf("%s/%s", (char *)q->columns->pdata[c],
						       (char *)q->columns->pdata[0]));
}

static void put_row(const struct query *q, unsigned row, const char *stat, GPtrArray *cells)
{
	g_auto(GStrv) keys = g_strsplit(q->rows->pdata[row], "\t", -1);

	for (unsigned i = 0; q->by[i]; i++)
		g_ptr_array_add(cells, g_strdup(keys[i] ? keys[i] : ""));
	g_ptr_array_add(cells, g_strdup(shown_name(q, stat)));
	for (unsigned c = 0; c < q->columns->len; c++) {
		struct sample s = cell(q, row, c, stat);

		g_ptr_array_add(cells, sample_text(&s));
	}
	for (unsigned c = 1; q->o->ratio && c < q->columns->len; c++) {
		struct sample s = ratio(q, row, c, stat);

		g_ptr_array_add(cells, sample_text(&s));
	}
}

static int print_table(const struct query *q)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	unsigned keys = g_strv_length(q->by) + 1, width;

	put_head(q, cells);
	width = cells->len;
	for (unsigned r = 0; r < q->rows->len; r++)
		for (const char *const *s = q->stats; *s; s++)
			put_row(q, r, *s, cells);
	cli_print_columns(stdout, (char *const *)cells->pdata, width, cells->len / width,
			  ~(uint64_t)0 << keys);
	return cli_finish_output(CLI_OK);
}

/* ---- long form, for other programs ---- */

struct record {
	const char *row, *column, *stat;
	struct sample value, ratio;
};

typedef void (*record_fn)(const struct query *q, const struct record *r, void *arg);

static void each_record(const struct query *q, record_fn fn, void *arg)
{
	for (unsigned r = 0; r < q->rows->len; r++)
		for (const char *const *s = q->stats; *s; s++)
			for (unsigned c = 0; c < q->columns->len; c++) {
				struct record rec = {q->rows->pdata[r], q->columns->pdata[c], *s,
						     cell(q, r, c, *s), ratio(q, r, c, *s)};

				fn(q, &rec, arg);
			}
}

static void put_csv_number(double v)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	printf(",%s", isfinite(v) ? g_ascii_formatd(text, sizeof(text), "%.12g", v) : "");
}

static void print_field(const char *text, char end)
{
	g_autofree char *quoted = quote_csv(text);

	printf("%s%c", quoted, end);
}

static void put_csv(const struct query *q, const struct record *r, void *arg)
{
	g_auto(GStrv) keys = g_strsplit(r->row, "\t", -1);

	(void)arg;
	for (unsigned i = 0; q->by[i]; i++)
		print_field(keys[i], ',');
	print_field(r->column, ',');
	print_field(shown_name(q, r->stat), ',');
	printf("%u", r->value.n);
	put_csv_number(r->value.mean);
	put_csv_number(r->value.low);
	put_csv_number(r->value.high);
	put_csv_number(r->ratio.mean);
	put_csv_number(r->ratio.low);
	put_csv_number(r->ratio.high);
	putchar('\n');
}

static int print_csv(const struct query *q)
{
	for (char **b = q->by; *b; b++)
		print_field(*b, ',');
	print_field(q->across, ',');
	printf("statistic,n,mean,low,high,ratio,ratio_low,ratio_high\n");
	each_record(q, put_csv, NULL);
	return cli_finish_output(CLI_OK);
}

static json_t *json_number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static void put_json(const struct query *q, const struct record *r, void *arg)
{
	g_auto(GStrv) keys = g_strsplit(r->row, "\t", -1);
	json_t *o = json_object();

	for (unsigned i = 0; q->by[i]; i++)
		json_object_set_new(o, q->by[i], json_string(keys[i]));
	json_object_set_new(o, q->across, json_string(r->column));
	json_object_set_new(o, "statistic", json_string(shown_name(q, r->stat)));
	json_object_set_new(o, "n", json_integer(r->value.n));
	json_object_set_new(o, "mean", json_number(r->value.mean));
	json_object_set_new(o, "low", json_number(r->value.low));
	json_object_set_new(o, "high", json_number(r->value.high));
	json_object_set_new(o, "ratio", json_number(r->ratio.mean));
	json_object_set_new(o, "ratio_low", json_number(r->ratio.low));
	json_object_set_new(o, "ratio_high", json_number(r->ratio.high));
	json_array_append_new(arg, o);
}

/* ---- set-up ---- */

/* Without --by: the varied keys and the mode; without --across: the API. */
static void choose_keys(struct query *q)
{
	const json_t *first = json_array_get(json_object_get(q->doc, "runs"), 0);
	g_autoptr(GPtrArray) by = g_ptr_array_new();
	const char *key;
	json_t *v;

	q->across = g_strdup(q->o->across ? q->o->across : "api");
	if (q->o->by) {
		q->by = g_strsplit(q->o->by, ",", -1);
		return;
	}
	json_object_foreach (json_object_get(first, "varied"), key, v) {
		if (strcmp(key, q->across))
			g_ptr_array_add(by, g_strdup(key));
	}
	if (strcmp(q->across, "iommu"))
		g_ptr_array_add(by, g_strdup("iommu"));
	if (strcmp(q->across, "api"))
		g_ptr_array_add(by, g_strdup("api"));
	g_ptr_array_add(by, NULL);
	q->by = (char **)g_ptr_array_steal(by, NULL);
}

static bool known_key(const struct query *q, const char *key)
{
	g_autofree char *text = member_text(json_array_get(json_object_get(q->doc, "runs"), 0), key);

	return text != NULL;
}

static int check_names(const struct query *q)
{
	const json_t *stats = json_object_get(json_array_get(json_object_get(q->doc, "runs"), 0), "stats");
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const char *name;
	json_t *v;

	g_ptr_array_add(names, (void *)"flushes");
	json_object_foreach ((json_t *)stats, name, v)
		g_ptr_array_add(names, (void *)name);
	for (const struct perf_name *p = perf_names; p->stat; p++)
		g_ptr_array_add(names, (void *)(p->uncore ? p->uncore : p->pmu));
	for (const char *const *s = q->stats; *s; s++)
		if (strcmp(*s, "flushes") && !g_str_has_prefix(*s, "memory.") && !json_object_get(stats, *s))
			return cli_unknown("query", "statistic", *s, (const char *const *)names->pdata,
					   names->len);
	if (q->o->per && !json_object_get(stats, q->o->per))
		return cli_unknown("query", "statistic", q->o->per, (const char *const *)names->pdata,
				   names->len);
	for (char **b = q->by; *b; b++)
		if (!known_key(q, *b))
			return cli_usage(
			    "query", "no run has '%s'; --by takes api, iommu, kernel, seed or a varied key",
			    *b);
	for (char **w = q->o->where; w && *w; w++) {
		g_autofree char *key = g_strndup(*w, strcspn(*w, "="));

		if (!strchr(*w, '=') || !known_key(q, key))
			return cli_usage(
			    "query",
			    "--where %s: want KEY=VALUE with api, iommu, kernel, seed or a varied key", *w);
	}
	if (!known_key(q, q->across))
		return cli_usage(
		    "query", "no run has '%s'; --across takes api, iommu, kernel or a varied key", q->across);
	return CLI_OK;
}

static void find_cells(struct query *q)
{
	json_t *runs = json_object_get(q->doc, "runs"), *run;
	size_t i;

	q->places = g_new(struct place, json_array_size(runs) + 1);
	json_array_foreach (runs, i, run) {
		q->places[i] = (struct place){UINT_MAX, UINT_MAX};
		if (!selected(q, run))
			continue;
		q->places[i].row = add_distinct(q->rows, row_key(q, run));
		q->places[i].column = add_distinct(q->columns, member_text(run, q->across));
	}
}

static int answer(struct query *q)
{
	const char *format = q->o->common.json ? "json" : q->o->format ? q->o->format : "table";
	json_t *list;

	find_cells(q);
	if (!q->rows->len)
		return cli_usage("query", "no run is left by --where");
	if (!strcmp(format, "table"))
		return print_table(q);
	if (!strcmp(format, "csv"))
		return print_csv(q);
	list = json_array();
	each_record(q, put_json, list);
	return cli_print_json(list);
}

/* The statistics asked for; an event of Intel's counters stands for the one that counts the same. */
static const char **chosen_stats(const struct query *q, int nargs, char **args)
{
	static const char *const usual[] = {"flushes", "io.completed"};
	GPtrArray *list = g_ptr_array_new();

	for (int i = 1; i < nargs; i++) {
		const struct perf_name *p = perf_name_of_event(args[i]);

		g_ptr_array_add(list, p ? (char *)p->stat : args[i]);
	}
	if (!list->len && q->o->perf_names)
		for (const struct perf_name *p = perf_names; p->stat; p++)
			g_ptr_array_add(list, (char *)p->stat);
	if (!list->len)
		for (size_t i = 0; i < G_N_ELEMENTS(usual); i++)
			g_ptr_array_add(list, (char *)usual[i]);
	g_ptr_array_add(list, NULL);
	return (const char **)g_ptr_array_free(list, FALSE);
}

static int run(void *options, int nargs, char **args)
{
	static const char *const formats[] = {"table", "csv", "json"};
	g_autofree const char **stats = NULL;
	struct query q = {.o = options};
	GError *error = NULL;
	int status;

	if (!nargs)
		return cli_usage("query", "wants a result or sweep directory, and statistics");
	if (q.o->format && strcmp(q.o->format, "table") && strcmp(q.o->format, "csv") &&
	    strcmp(q.o->format, "json"))
		return cli_unknown("query", "format", q.o->format, formats, 3);
	q.doc = result_load(args[0], &error);
	if (!q.doc)
		return cli_fail(error);
	q.stats = stats = chosen_stats(&q, nargs, args);
	q.rows = g_ptr_array_new_with_free_func(g_free);
	q.columns = g_ptr_array_new_with_free_func(g_free);
	choose_keys(&q);
	status = check_names(&q);
	if (status == CLI_OK)
		status = answer(&q);
	g_strfreev(q.by);
	g_free(q.across);
	g_free(q.places);
	g_ptr_array_unref(q.rows);
	g_ptr_array_unref(q.columns);
	json_decref(q.doc);
	return status;
}

#define O(member) offsetof(struct query_options, member)
static const struct cli_option options[] = {
    {"by", 0, CLI_STRING, O(by), "KEYS",
     "what makes a row, e.g. iotlb.entries,iommu (else: varied keys, iommu)", &cli_words_keys},
    {"across", 0, CLI_STRING, O(across), "KEY", "what makes the columns (else: api)",
     CLI_WORDS("api iommu kernel")},
    {"per", 0, CLI_STRING, O(per), "STAT", "divide by a statistic of the same run, e.g. io.completed",
     &cli_words_stats},
    {"where", 0, CLI_LIST, O(where), "KEY=VALUE", "only runs with this (repeatable), e.g. iommu=strict",
     NULL},
    {"ratio", 0, CLI_FLAG, O(ratio), NULL, "also each column's ratio to the first, paired by seed", NULL},
    {"perf-names", 0, CLI_FLAG, O(perf_names), NULL,
     "what Intel's counters count, under the names of perf stat's events", NULL},
    {"format", 0, CLI_STRING, O(format), "NAME",
     "table (default), csv or json (long form with 95 % intervals)", CLI_WORDS("table csv json")},
    {0},
};

const struct cli_command cli_command_query = {
    .name = "query",
    .args = "RESULT [STATISTIC...]",
    .help = "tables of numbers out of a result or sweep: means, 95 % intervals, ratios",
    .about =
	"RESULT is a result directory or a sweep's. Repetitions (seeds) become a mean and a 95 % interval by "
	"Student's t. Besides the names of dmasim stats there are flushes (page-selective, domain-selective "
	"and "
	"global descriptors together) and memory.ACCOUNT.peak or .current; events of Intel's counters, such "
	"as "
	"UNC_IIO_IOMMU0.MISSES, stand for the statistic that counts the same.",
    .examples =
	"dmasim query sweep flushes --per io.completed --ratio\tflushes per request, link against legacy\n"
	"dmasim query sweep iotlb.misses --by iotlb.entries --where iommu=strict --format csv\tfor pandas\n"
	"dmasim query result --perf-names --where iommu=strict\tto lay beside perf stat",
    .group = CLI_GROUP_RESULT,
    .options = options,
    .options_size = sizeof(struct query_options),
    .completes = &cli_words_files,
    .run = run,
};
