/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sweep's database. Keys come from hashes, so that the content does not depend on the order in
 * which points finish; a point is added in one transaction, so that it is there whole or not at all.
 */
#include "experiment/internal.h"
#include "sweep_internal.h"

#include "sweep.h"
#include <jansson.h>
#include <string.h>

static const char schema[] =
    "BEGIN;"
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS points (point TEXT PRIMARY KEY, position INTEGER NOT NULL, version TEXT NOT "
    "NULL, workload TEXT NOT "
    "NULL,"
    " records INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS varied (point TEXT NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL,"
    " value TEXT NOT NULL, PRIMARY KEY (point, position)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS parameters (point TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT "
    "NULL,"
    " value TEXT NOT NULL, PRIMARY KEY (point, position)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS provenance (point TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT "
    "NULL,"
    " format TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (point, position)) "
    "WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS runs (run INTEGER PRIMARY KEY, point TEXT NOT NULL, position INTEGER NOT "
    "NULL,"
    " api TEXT NOT NULL, iommu TEXT NOT NULL, kernel TEXT NOT NULL, workload TEXT NOT NULL, fidelity TEXT "
    "NOT NULL,"
    " seed INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS statistics (run INTEGER NOT NULL, name TEXT NOT NULL, value NUMERIC,"
    " PRIMARY KEY (run, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS memory (run INTEGER NOT NULL, account TEXT NOT NULL, current INTEGER NOT "
    "NULL,"
    " peak INTEGER NOT NULL, PRIMARY KEY (run, account)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS histograms (run INTEGER NOT NULL, name TEXT NOT NULL, bucket INTEGER NOT "
    "NULL,"
    " count INTEGER NOT NULL, PRIMARY KEY (run, name, bucket)) WITHOUT ROWID;"
    "INSERT OR IGNORE INTO meta VALUES ('schema', 'dmasim-sweep'), ('schema_version', '1');"
    "COMMIT;";

struct sweep_db {
	sqlite3 *sql;
	char *path;
	sqlite3_stmt *cached[16]; /* by table, prepared when first used */
};

static bool failed(struct sweep_db *db, GError **error)
{
	bool corrupt = sqlite3_errcode(db->sql) == SQLITE_NOTADB ||
		       sqlite3_errcode(db->sql) == SQLITE_CORRUPT;

	g_set_error(error, DMASIM_ERROR, corrupt ? DMASIM_ERROR_INPUT : DMASIM_ERROR_OUTPUT, "%s: %s",
		    db->path, sqlite3_errmsg(db->sql));
	return false;
}

/* Text of a cell of meta; NULL if there is none. */
static char *meta_value(sqlite3 *sql, const char *key)
{
	sqlite3_stmt *st = NULL;
	char *value = NULL;

	if (!sqlite3_prepare_v2(sql, "SELECT value FROM meta WHERE key = ?", -1, &st, NULL) &&
	    !sqlite3_bind_text(st, 1, key, -1, SQLITE_TRANSIENT) && sqlite3_step(st) == SQLITE_ROW)
		value = g_strdup((const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return value;
}

bool sweep_db_check(sqlite3 *sql, const char *path, GError **error)
{
	g_autofree char *schema_name = meta_value(sql, "schema"),
			*version = meta_value(sql, "schema_version");

	if (!g_strcmp0(schema_name, "dmasim-sweep") && !g_strcmp0(version, "1"))
		return true;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT,
		    "%s: not a sweep database of this program (want schema dmasim-sweep, version 1, found "
		    "%s, version "
		    "%s)",
		    path, schema_name ? schema_name : "none", version ? version : "none");
	return false;
}

bool sweep_exists(const char *dir)
{
	g_autofree char *path = g_build_filename(dir, "sweep.db", NULL);

	return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

struct sweep_db *sweep_db_open(const char *dir, bool create, GError **error)
{
	struct sweep_db *db;
	int flags = create ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;

	if (create && g_mkdir_with_parents(dir, 0777)) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT,
			    "%s: directory could not be made: %s; choose another place with -o", dir,
			    g_strerror(errno));
		return NULL;
	}
	db = g_new0(struct sweep_db, 1);
	db->path = g_build_filename(dir, "sweep.db", NULL);
	if (sqlite3_open_v2(db->path, &db->sql, flags, NULL) || sqlite3_busy_timeout(db->sql, 60000) ||
	    (create && sqlite3_exec(db->sql, schema, NULL, NULL, NULL))) {
		failed(db, error);
		sweep_db_close(db);
		return NULL;
	}
	if (!sweep_db_check(db->sql, db->path, error)) {
		sweep_db_close(db);
		return NULL;
	}
	return db;
}

void sweep_db_close(struct sweep_db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(db->cached); i++)
		sqlite3_finalize(db->cached[i]);
	sqlite3_close(db->sql);
	g_free(db->path);
	g_free(db);
}

enum statement {
	HAS,
	ADD_POINT,
	ADD_VARIED,
	ADD_PARAMETER,
	ADD_INPUT,
	ADD_RUN,
	ADD_STATISTIC,
	ADD_MEMORY,
	ADD_BUCKET
};
static const char *const statements[] = {
    [HAS] = "SELECT 1 FROM points WHERE point = ?",
    [ADD_POINT] = "INSERT INTO points VALUES (?, ?, ?, ?, ?)",
    [ADD_VARIED] = "INSERT INTO varied VALUES (?, ?, ?, ?)",
    [ADD_PARAMETER] = "INSERT INTO parameters VALUES (?, ?, ?, ?)",
    [ADD_INPUT] = "INSERT INTO provenance VALUES (?, ?, ?, ?, ?, ?)",
    [ADD_RUN] = "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [ADD_STATISTIC] = "INSERT INTO statistics VALUES (?, ?, ?)",
    [ADD_MEMORY] = "INSERT INTO memory VALUES (?, ?, ?, ?)",
    [ADD_BUCKET] = "INSERT INTO histograms VALUES (?, ?, ?, ?)",
};

static int bind_number(sqlite3_stmt *st, int at, const json_t *v)
{
	if (json_is_integer(v))
		return sqlite3_bind_int64(st, at, json_integer_value(v));
	if (json_is_real(v))
		return sqlite3_bind_double(st, at, json_real_value(v));
	return sqlite3_bind_null(st, at);
}

/* Bind and run: format has one letter per value: s text, i json_int_t, j JSON number or null. */
static bool execute(struct sweep_db *db, enum statement which, const char *format, ...)
{
	sqlite3_stmt **st = &db->cached[which];
	int rc = SQLITE_OK;
	va_list args;
	bool ok;

	if (!*st && sqlite3_prepare_v2(db->sql, statements[which], -1, st, NULL))
		return false;
	va_start(args, format);
	for (int i = 0; rc == SQLITE_OK && format[i]; i++) {
		if (format[i] == 's')
			rc = sqlite3_bind_text(*st, i + 1, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
		else if (format[i] == 'i')
			rc = sqlite3_bind_int64(*st, i + 1, va_arg(args, json_int_t));
		else
			rc = bind_number(*st, i + 1, va_arg(args, const json_t *));
	}
	va_end(args);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(*st);
	ok = rc == SQLITE_DONE || rc == SQLITE_ROW;
	ok = sqlite3_reset(*st) == SQLITE_OK && ok;
	return ok;
}

bool sweep_db_has(struct sweep_db *db, const char *hash)
{
	sqlite3_stmt **st = &db->cached[HAS];
	bool found;

	if (!*st && sqlite3_prepare_v2(db->sql, statements[HAS], -1, st, NULL))
		return false;
	sqlite3_bind_text(*st, 1, hash, -1, SQLITE_TRANSIENT);
	found = sqlite3_step(*st) == SQLITE_ROW;
	sqlite3_reset(*st);
	return found;
}

/* ---- adding a point ---- */

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static json_int_t integer(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* 62 bits of the point's hash, and the position of the run in it. */
static json_int_t run_key(const char *hash, size_t position)
{
	g_autofree char *head = g_strndup(hash, 12);

	return (json_int_t)((g_ascii_strtoull(head, NULL, 16) << 14) + position);
}

static bool add_point_rows(struct sweep_db *db, const struct sweep_point *p, json_t *doc)
{
	json_t *provenance = json_object_get(doc, "provenance"), *value, *input;
	json_int_t position = 0;
	const char *name;
	size_t i;
	bool ok = execute(db, ADD_POINT, "sissi", p->hash, (json_int_t)p->position,
			  text(provenance, "version"), text(provenance, "workload"),
			  integer(provenance, "records"));

	for (i = 0; ok && p->varied[i]; i++) {
		const char *equals = strchr(p->varied[i], '=');
		g_autofree char *key = g_strndup(p->varied[i], (size_t)(equals - p->varied[i]));

		ok = execute(db, ADD_VARIED, "siss", p->hash, (json_int_t)i, key, equals + 1);
	}
	json_object_foreach (json_object_get(doc, "scenario"), name, value) {
		ok = ok &&
		     execute(db, ADD_PARAMETER, "siss", p->hash, position++, name, json_string_value(value));
	}
	json_array_foreach (json_object_get(provenance, "inputs"), i, input) {
		ok = ok && execute(db, ADD_INPUT, "sisssi", p->hash, (json_int_t)i, text(input, "name"),
				   text(input, "format"), text(input, "sha256"), integer(input, "bytes"));
	}
	return ok;
}

static bool add_run(struct sweep_db *db, const char *hash, size_t position, const json_t *run)
{
	json_int_t key = run_key(hash, position);
	const char *name, *bucket;
	json_t *value, *count;
	bool ok = execute(db, ADD_RUN, "isisssssi", key, hash, (json_int_t)position, text(run, "api"),
			  text(run, "iommu"), text(run, "kernel"), text(run, "workload"),
			  text(run, "fidelity"), integer(run, "seed"));

	json_object_foreach (json_object_get(run, "stats"), name, value) {
		ok = ok && execute(db, ADD_STATISTIC, "isj", key, name, value);
	}
	json_object_foreach (json_object_get(run, "memory"), name, value) {
		ok = ok && execute(db, ADD_MEMORY, "isii", key, name, integer(value, "current"),
				   integer(value, "peak"));
	}
	json_object_foreach (json_object_get(run, "histograms"), name, value) {
		json_object_foreach (value, bucket, count) {
			ok = ok && execute(db, ADD_BUCKET, "isii", key, name,
					   (json_int_t)g_ascii_strtoll(bucket, NULL, 10),
					   json_integer_value(count));
		}
	}
	return ok;
}

bool sweep_db_add(struct sweep_db *db, const struct sweep_point *point, const json_t *result, GError **error)
{
	json_t *doc = (json_t *)result, *run;
	size_t i;
	bool ok;

	if (sqlite3_exec(db->sql, "BEGIN IMMEDIATE", NULL, NULL, NULL))
		return failed(db, error);
	if (sweep_db_has(db, point->hash)) {
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
		return true;
	}
	ok = add_point_rows(db, point, doc);
	json_array_foreach (json_object_get(doc, "runs"), i, run) {
		ok = ok && add_run(db, point->hash, i, run);
	}
	if (ok && sqlite3_exec(db->sql, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return true;
	failed(db, error);
	sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	return false;
}
