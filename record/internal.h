/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the recorder. */
#ifndef DMASIM_RECORD_INTERNAL_H
#define DMASIM_RECORD_INTERNAL_H

#include "record/record.h"

/* ---- events.c: the table, and how a probe is written ---- */

/* The two kinds of probe, and the two ways to name an argument, in order of preference. */
enum probe_kind { PROBE_FUNCTION, PROBE_KPROBE, PROBE_KINDS };
enum probe_arguments { ARGUMENTS_BY_NAME, ARGUMENTS_BY_NUMBER, ARGUMENTS_FORMS };
/* "f:GROUP/NAME FUNCTION ARGUMENTS"; group with its slash; symbol: the function as this kernel calls it. */
char *record_probe_definition(const struct record_event *e, const char *group, const char *symbol,
			      enum probe_kind kind, enum probe_arguments arguments);
unsigned record_release(const char *text); /* "6.12.117+deb12-amd64" -> RECORD_RELEASE(6, 12), 0: none */
bool record_event_expected(const struct record_event *e, unsigned release);

/* ---- tracefs.c: the kernel's tracing files ---- */

struct tracefs {
	char *path;
	bool mounted;            /* by us */
	bool kinds[PROBE_KINDS]; /* of probe that this kernel has */
	bool arguments[ARGUMENTS_FORMS];
	char *functions; /* that can be probed, one a line; NULL: not known */
	char *release_text;
	unsigned release;
};
/* NULL with *error: there is none, or this user may not. */
struct tracefs *tracefs_open(const char *root, GError **error);
void tracefs_close(struct tracefs *t);
bool tracefs_has_events(const struct tracefs *t, const char *system);
bool tracefs_has_event(const struct tracefs *t, const char *system, const char *name);
/* The function as this kernel calls it (suffixed: or "f.isra.0"), NULL: it has none; g_free it. */
char *tracefs_symbol(const struct tracefs *t, const char *function, bool suffixed);
/* Write text to a file below path; errno tells on false. */
bool tracefs_write(const char *path, const char *file, const char *text);
bool tracefs_append(const char *path, const char *file, const char *text);

/* ---- session.c: an instance with its events, and back ---- */

struct session {
	struct tracefs *tracefs;
	char *instance, *group; /* group: with its slash */
	GPtrArray *probes;      /* "name", armed */
	GPtrArray *definitions; /* as the kernel took them */
	GPtrArray *notes;
};
struct setting {
	const char *file, *value;
};
extern const struct setting session_settings[]; /* of the instance, ended by a NULL file */
struct session *session_new(struct tracefs *t, uint64_t buffer_kib, GPtrArray *notes, GError **error);
bool session_start(struct session *s, GError **error);
bool session_stop(struct session *s, GError **error);
/* Everything as it was; frees s. What could not be undone goes into the notes. */
void session_end(struct session *s);
uint64_t session_missed(const struct session *s);

/* ---- collect.c: the lines, compressed ---- */

bool collect_trace(const char *instance, const char *path, struct record_result *result, GError **error);

/* ---- drives.c: what drives say of themselves ---- */

/* Lines "drive ..." of environment.txt. */
void drives_describe(const char *root, GString *out, GPtrArray *notes);

/* ---- scripts, generated from the .sh files beside this one ---- */

extern const char record_environment_sh[], record_by_hand_sh[];

void record_note(GPtrArray *notes, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
