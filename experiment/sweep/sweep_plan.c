/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From --vary to points. */
#include "experiment/scenario.h"

#include "sweep.h"
#include <math.h>
#include <string.h>

struct axis {
	char *key;
	char **values;
};

static bool bad(const char *text, const char *why, GError **error)
{
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
		    "--vary %s: %s; want KEY=V1,V2 or KEY=16..256*2 or KEY=0..8+2", text, why);
	return false;
}

/* "16..256*2": from, to, and how to get to the next. 1: it is a range, 0: it is a plain value. */
static int parse_range(const char *text, double *from, double *to, char *op, double *step, char **unit)
{
	const char *dots = strstr(text, "..");
	g_autofree char *first = dots ? g_strndup(text, (size_t)(dots - text)) : NULL;
	char *end;

	if (!first)
		return 0;
	*from = g_ascii_strtod(first, &end);
	if (end == first)
		return 0;
	*unit = g_strdup(end);
	*to = g_ascii_strtod(dots + 2, &end);
	if (end != dots + 2 && g_str_has_prefix(end, *unit)) {
		end += strlen(*unit);
		*op = *end ? *end : '+';
		*step = *end ? g_ascii_strtod(end + 1, &end) : 1;
		if (!*end && ((*op == '*' && *step > 1) || (*op == '+' && *step > 0)))
			return 1;
	}
	g_clear_pointer(unit, g_free);
	return 0;
}

/* A range with more is a slip (1..1000000), not a plan. */
#define MAX_VALUES 10000
/* Each is resolved and hashed before the first one runs. */
#define MAX_POINTS 1000000

static bool expand_range(const char *whole, const char *text, GPtrArray *values, GError **error)
{
	double from, to, step;
	char *unit = NULL, op;
	char digits[G_ASCII_DTOSTR_BUF_SIZE];

	if (!parse_range(text, &from, &to, &op, &step, &unit)) {
		if (strstr(text, ".."))
			return bad(whole, "the range is not understood", error);
		g_ptr_array_add(values, g_strdup(text));
		return true;
	}
	if (op == '*' && from <= 0) {
		g_free(unit);
		return bad(whole, "a range with * starts above 0", error);
	}
	for (double v = from; v <= to * (1 + 1e-12); v = op == '*' ? v * step : v + step) {
		if (values->len == MAX_VALUES) {
			g_free(unit);
			return bad(whole, "more values than one sweep should have; want a larger step",
				   error);
		}
		g_ptr_array_add(
		    values,
		    g_strdup_printf("%s%s", g_ascii_formatd(digits, sizeof(digits), "%.12g", v), unit));
	}
	g_free(unit);
	return true;
}

static bool parse_axis(const char *text, struct axis *axis, GError **error)
{
	const char *equals = strchr(text, '=');
	g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) words = NULL;

	if (!equals || equals == text || !equals[1])
		return bad(text, "no values", error);
	words = g_strsplit(equals + 1, strchr(equals, ';') ? ";" : ",", -1);
	for (char **w = words; *w; w++)
		if (!expand_range(text, g_strstrip(*w), values, error))
			return false;
	for (unsigned i = 0; i < values->len; i++)
		for (unsigned k = 0; k < i; k++)
			if (!strcmp(values->pdata[i], values->pdata[k]))
				return bad(text, "a value stands there twice", error);
	if (!values->len)
		return bad(text, "no values", error);
	axis->key = g_strstrip(g_strndup(text, (size_t)(equals - text)));
	g_ptr_array_add(values, NULL);
	axis->values = (char **)g_ptr_array_steal(values, NULL);
	return true;
}

static void axis_clear(void *p)
{
	struct axis *a = p;

	g_free(a->key);
	g_strfreev(a->values);
}

static void point_free(void *p)
{
	struct sweep_point *point = p;

	g_free(point->hash);
	g_strfreev(point->varied);
	g_free(point);
}

/* Input checksums, each file read once for all points. */
static char **input_sums(const struct scenario *s, GHashTable *cache, GError **error)
{
	g_autoptr(GPtrArray) sums = g_ptr_array_new();

	for (char *const *t = scenario_traces(s); *t; t++) {
		char *sum = g_hash_table_lookup(cache, *t);

		if (!sum) {
			sum = file_sha256(*t, error);
			if (!sum)
				return NULL;
			g_hash_table_insert(cache, g_strdup(*t), sum);
		}
		g_ptr_array_add(sums, sum);
	}
	g_ptr_array_add(sums, NULL);
	return (char **)g_ptr_array_steal(sums, NULL);
}

static bool add_point(struct sweep_plan *plan, const struct scenario *base, const GArray *axes,
		      const unsigned *at, GHashTable *cache, GError **error)
{
	struct scenario *s = scenario_copy(base);
	struct sweep_point *point = g_new0(struct sweep_point, 1);
	g_autofree char **sums = NULL;
	bool ok = true;

	point->varied = g_new0(char *, axes->len + 1);
	for (unsigned i = 0; ok && i < axes->len; i++) {
		const struct axis *a = &g_array_index(axes, struct axis, i);

		point->varied[i] = g_strdup_printf("%s=%s", a->key, a->values[at[i]]);
		ok = scenario_set(s, a->key, a->values[at[i]], "--vary", error);
	}
	ok = ok && scenario_resolve(s, error);
	sums = ok ? input_sums(s, cache, error) : NULL;
	if (sums) {
		point->hash = scenario_hash_with(s, sums);
		point->position = plan->points->len;
		scenario_runs(s, &plan->runs_per_point);
		g_ptr_array_add(plan->points, point);
	} else {
		point_free(point);
	}
	scenario_free(s);
	return sums != NULL;
}

/* The next combination; false after the last. */
static bool advance(const GArray *axes, unsigned *at)
{
	for (unsigned i = axes->len; i-- > 0;) {
		if (g_array_index(axes, struct axis, i).values[++at[i]])
			return true;
		at[i] = 0;
	}
	return false;
}

static bool points_fit(uint64_t points, GError **error)
{
	if (points <= MAX_POINTS)
		return true;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
		    "%" G_GUINT64_FORMAT " points or more are too many for one directory; want at most %d",
		    points, MAX_POINTS);
	return false;
}

static bool add_points(struct sweep_plan *plan, const struct scenario *base, const GArray *axes,
		       GError **error)
{
	g_autofree unsigned *at = g_new0(unsigned, axes->len + 1);
	g_autoptr(GHashTable) cache = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	uint64_t points = 1;

	for (unsigned i = 0; points <= MAX_POINTS && i < axes->len; i++)
		points *= g_strv_length(g_array_index(axes, struct axis, i).values);
	if (!points_fit(points, error))
		return false;
	do {
		if (!add_point(plan, base, axes, at, cache, error))
			return false;
	} while (advance(axes, at));
	return true;
}

struct sweep_plan *sweep_plan_new(const struct scenario *base, char *const *vary, GError **error)
{
	struct sweep_plan *plan = g_new0(struct sweep_plan, 1);
	g_autoptr(GArray) axes = g_array_new(FALSE, TRUE, sizeof(struct axis));
	bool ok = true;

	g_array_set_clear_func(axes, axis_clear);
	plan->points = g_ptr_array_new_with_free_func(point_free);
	for (char *const *v = vary; ok && *v; v++) {
		struct axis axis = {0};

		ok = parse_axis(*v, &axis, error);
		if (ok)
			g_array_append_val(axes, axis);
	}
	if (ok && add_points(plan, base, axes, error))
		return plan;
	sweep_plan_free(plan);
	return NULL;
}

void sweep_plan_free(struct sweep_plan *p)
{
	if (!p)
		return;
	g_ptr_array_unref(p->points);
	g_free(p);
}

/* ---- time shards ---- */

#define MOST_SHARDS ((uint64_t)65536) /* each is a process and a row of results */

static bool add_shard(struct sweep_plan *plan, const struct scenario *base, uint64_t first, uint64_t end,
		      uint64_t warmup, bool last, GHashTable *cache, GError **error)
{
	uint64_t skip = first - MIN(first, warmup);
	const char *keys[] = {"workload.skip", "workload.warmup", "workload.limit", "workload.cut",
			      "workload.sha256"};
	char *const *traces = scenario_traces(base);
	const char *sum = traces[0] && !traces[1] ? g_hash_table_lookup(cache, traces[0]) : NULL;
	g_autoptr(GArray) axes = g_array_new(FALSE, TRUE, sizeof(struct axis));
	unsigned at[5] = {0};

	g_array_set_clear_func(axes, axis_clear);
	for (int i = 0; i < (sum ? 5 : 4); i++) {
		struct axis axis = {g_strdup(keys[i]), g_new0(char *, 2)};
		uint64_t values[] = {skip, first - skip, end - skip};

		axis.values[0] = i < 3   ? g_strdup_printf("%" G_GUINT64_FORMAT, values[i])
				 : i < 4 ? g_strdup(last ? "false" : "true")
					 : g_strdup(sum);
		g_array_append_val(axes, axis);
	}
	return add_point(plan, base, axes, at, cache, error);
}

/* The first record of piece k of n; no product overflows. */
static uint64_t shard_start(uint64_t records, unsigned k, unsigned n)
{
	return records / n * k + records % n * k / n;
}

struct sweep_plan *sweep_plan_shards(const struct scenario *base, unsigned n, uint64_t warmup,
				     uint64_t records, GError **error)
{
	g_autoptr(GHashTable) cache = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autofree char **sums = NULL;
	struct sweep_plan *plan;

	if (n == 0 || n > MIN(records, MOST_SHARDS)) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "--shards %u: want 1 to %" G_GUINT64_FORMAT " pieces of these %" G_GUINT64_FORMAT
			    " records",
			    n, MIN(records, MOST_SHARDS), records);
		return NULL;
	}
	sums = input_sums(base, cache, error);
	if (!sums)
		return NULL;
	plan = g_new0(struct sweep_plan, 1);
	plan->points = g_ptr_array_new_with_free_func(point_free);
	if (!points_fit(n, error)) {
		sweep_plan_free(plan);
		return NULL;
	}
	for (unsigned k = 0; k < n; k++)
		if (!add_shard(plan, base, shard_start(records, k, n), shard_start(records, k + 1, n), warmup,
			       k + 1 == n, cache, error)) {
			sweep_plan_free(plan);
			return NULL;
		}
	return plan;
}
