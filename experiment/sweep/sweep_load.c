/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sweep's database as one document of the form of result.json, for figures, queries and reports. */
#include "experiment/internal.h"
#include "sweep_internal.h"

#include "sweep.h"
#include <jansson.h>
#include <string.h>

typedef void (*row_fn)(sqlite3_stmt *st, void *arg);

static const char *column(sqlite3_stmt *st, int i)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	return s ? s : "";
}

static bool each_row(sqlite3 *sql, const char *query, const char *text, json_int_t number, row_fn fn,
		     void *arg)
{
	sqlite3_stmt *st;
	bool ok = true;

	if (sqlite3_prepare_v2(sql, query, -1, &st, NULL))
		return false;
	if (text)
		ok = !sqlite3_bind_text(st, 1, text, -1, SQLITE_TRANSIENT);
	else if (number)
		ok = !sqlite3_bind_int64(st, 1, number);
	while (ok && sqlite3_step(st) == SQLITE_ROW) {
		fn(st, arg);
		ok = sqlite3_errcode(sql) != SQLITE_NOMEM; /* a text that could not be had */
	}
	return sqlite3_finalize(st) == SQLITE_OK && ok;
}

static void put_text(sqlite3_stmt *st, void *arg)
{
	json_object_set_new(arg, column(st, 0), json_text(column(st, 1)));
}

static void put_number(sqlite3_stmt *st, void *arg)
{
	json_t *v = json_null();

	if (sqlite3_column_type(st, 1) == SQLITE_INTEGER)
		v = json_integer(sqlite3_column_int64(st, 1));
	else if (sqlite3_column_type(st, 1) == SQLITE_FLOAT)
		v = json_real(sqlite3_column_double(st, 1));
	json_object_set_new(arg, column(st, 0), v);
}

static void put_memory(sqlite3_stmt *st, void *arg)
{
	json_object_set_new(arg, column(st, 0),
			    json_pack("{s:I, s:I}", "current", (json_int_t)sqlite3_column_int64(st, 1),
				      "peak", (json_int_t)sqlite3_column_int64(st, 2)));
}

static void put_bucket(sqlite3_stmt *st, void *arg)
{
	json_t *buckets = json_object_get(arg, column(st, 0));

	if (!buckets) {
		buckets = json_object();
		json_object_set_new(arg, column(st, 0), buckets);
	}
	json_object_set_new(buckets, column(st, 1), json_integer(sqlite3_column_int64(st, 2)));
}

static void put_input(sqlite3_stmt *st, void *arg)
{
	json_array_append_new(arg,
			      json_pack("{s:o, s:o, s:o, s:I}", "name", json_text(column(st, 0)), "format",
					json_text(column(st, 1)), "sha256", json_text(column(st, 2)), "bytes",
					(json_int_t)sqlite3_column_int64(st, 3)));
}

struct loading {
	sqlite3 *sql;
	json_t *runs;
	char *first; /* a point, for the scenario and provenance */
	bool ok;
};

static void put_run(sqlite3_stmt *st, void *arg)
{
	static const char *const members[] = {"api", "iommu", "kernel", "workload", "fidelity"};
	struct loading *l = arg;
	json_int_t key = sqlite3_column_int64(st, 0);
	json_t *run = json_object(), *varied = json_object(), *stats = json_object(),
	       *histograms = json_object(), *memory = json_object();

	for (int i = 0; i < 5; i++)
		json_object_set_new(run, members[i], json_text(column(st, 2 + i)));
	json_object_set_new(run, "seed", json_integer(sqlite3_column_int64(st, 7)));
	l->ok = l->ok &&
		each_row(l->sql, "SELECT key, value FROM varied WHERE point = ? ORDER BY position",
			 column(st, 1), 0, put_text, varied) &&
		each_row(l->sql, "SELECT name, value FROM statistics WHERE run = ?", NULL, key, put_number,
			 stats) &&
		each_row(l->sql,
			 "SELECT name, bucket, count FROM histograms WHERE run = ? ORDER BY name, bucket",
			 NULL, key, put_bucket, histograms) &&
		each_row(l->sql, "SELECT account, current, peak FROM memory WHERE run = ?", NULL, key,
			 put_memory, memory);
	json_object_set_new(run, "varied", varied);
	json_object_set_new(run, "stats", stats);
	json_object_set_new(run, "histograms", histograms);
	json_object_set_new(run, "memory", memory);
	json_array_append_new(l->runs, run);
	if (!l->first)
		l->first = g_strdup(column(st, 1));
}

static json_t *document(struct loading *l)
{
	json_t *doc = json_object(), *scenario = json_object(), *provenance = json_object(),
	       *inputs = json_array();
	bool rows;

	rows = each_row(
	    l->sql,
	    "SELECT run, point, api, iommu, kernel, runs.workload, fidelity, seed FROM runs JOIN points "
	    "USING (point) ORDER BY points.position, point, runs.position",
	    NULL, 0, put_run, l);
	l->ok = l->ok && rows;
	if (l->first)
		l->ok = l->ok &&
			each_row(l->sql,
				 "SELECT name, value FROM parameters WHERE point = ? ORDER BY position",
				 l->first, 0, put_text, scenario) &&
			each_row(l->sql,
				 "SELECT name, format, sha256, bytes FROM provenance WHERE point = ? ORDER "
				 "BY position",
				 l->first, 0, put_input, inputs) &&
			each_row(l->sql, "SELECT 'version', version FROM points WHERE point = ?", l->first, 0,
				 put_text, provenance) &&
			each_row(l->sql, "SELECT 'workload', workload FROM points WHERE point = ?", l->first,
				 0, put_text, provenance) &&
			each_row(l->sql, "SELECT 'records', records FROM points WHERE point = ?", l->first, 0,
				 put_number, provenance);
	json_object_set_new(provenance, "tool", json_string("dmasim"));
	json_object_set_new(provenance, "inputs", inputs);
	json_object_set_new(doc, "schema", json_string("dmasim-result"));
	json_object_set_new(doc, "schema_version", json_integer(1));
	json_object_set_new(doc, "provenance", provenance);
	json_object_set_new(doc, "scenario", scenario);
	json_object_set(doc, "runs", l->runs);
	return doc;
}

json_t *sweep_db_load(const char *dir, GError **error)
{
	g_autofree char *path = g_build_filename(dir, "sweep.db", NULL);
	struct loading l = {.runs = json_array(), .ok = true};
	json_t *doc = NULL;
	GError *why = NULL;

	if (!sqlite3_open_v2(path, &l.sql, SQLITE_OPEN_READONLY, NULL) &&
	    !sqlite3_busy_timeout(l.sql, 60000) && sweep_db_check(l.sql, path, &why)) {
		doc = document(&l);
		if (!l.ok)
			g_clear_pointer(&doc, json_decref);
	}
	if (why)
		g_propagate_error(error, why);
	else if (!doc)
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT, "%s: not a sweep database: %s", path,
			    sqlite3_errmsg(l.sql));
	else if (!json_array_size(l.runs)) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT, "%s: no finished point in it yet", path);
		g_clear_pointer(&doc, json_decref);
	}
	if (doc && !result_check(doc, path, error))
		g_clear_pointer(&doc, json_decref);
	json_decref(l.runs);
	sqlite3_close(l.sql);
	g_free(l.first);
	return doc;
}
