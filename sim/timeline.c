/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chrome's trace-event format (Trace Event Format, object form: "traceEvents" array of events; X =
 * complete slice, i = instant, C = counter, M = metadata; ts and dur in microseconds with a fraction).
 */
#include "timeline.h"
#include <glib/gstdio.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Closing brackets are written even when the limit is reached. */
#define TIMELINE_TAIL "\n]}\n"

struct lane {
	unsigned tid;
	sim_time_t end;
};

/* A track shows slices side by side in as many lanes as overlap; each lane is one thread row. */
struct track {
	unsigned pid;
	char *name;
	GArray *lanes;
};

struct timeline {
	char *path, *temporary;
	FILE *file;
	uint64_t limit, written, dropped;
	bool first;
	GHashTable *escaped; /* name -> JSON string */
	GPtrArray *processes;
	GArray *tracks;
	unsigned next_tid;
};

static bool io_error(GError **error, const char *what, const char *path)
{
	int e = errno;

	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(e), "%s: cannot %s: %s", path, what,
		    g_strerror(e));
	return false;
}

/* Everything but the tail goes through here. */
static bool emit(struct timeline *t, const char *text, int length)
{
	uint64_t size = (uint64_t)length + 2;

	if (t->limit && t->written + size + strlen(TIMELINE_TAIL) > t->limit)
		return false;
	fputs(t->first ? "\n" : ",\n", t->file);
	fwrite(text, 1, (size_t)length, t->file);
	t->first = false;
	t->written += size;
	return true;
}

static G_GNUC_PRINTF(2, 3) bool event(struct timeline *t, const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0 || n >= (int)sizeof(text) || !emit(t, text, n)) {
		t->dropped++;
		return false;
	}
	return true;
}

static const char *escape(struct timeline *t, const char *name)
{
	const char *known = g_hash_table_lookup(t->escaped, name);
	g_autofree char *copy = NULL;
	json_t *string;
	char *text;

	if (known)
		return known;
	copy = g_strndup(name, 200);
	string = json_string(copy);
	text = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
	g_hash_table_insert(t->escaped, g_strdup(name), g_strdup(text ? text : "\"?\""));
	free(text);
	json_decref(string);
	return g_hash_table_lookup(t->escaped, name);
}

struct timeline *timeline_open(const char *path, uint64_t limit, GError **error)
{
	static const char head[] = "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [";
	g_autofree char *temporary = g_strdup_printf("%s.tmp%d", path, (int)getpid());
	FILE *file = NULL;
	struct timeline *t;

	/* A rename would replace a device or a folder by a file. */
	if (g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
			    "%s: exists and is not a regular file: name another one for the timeline", path);
		return NULL;
	}
	file = g_fopen(temporary, "we");
	if (!file) {
		io_error(error, "write", path);
		return NULL;
	}
	t = g_new0(struct timeline, 1);
	t->path = g_strdup(path);
	t->temporary = g_steal_pointer(&temporary);
	t->file = file;
	t->limit = limit;
	t->first = true;
	t->written = strlen(head);
	t->escaped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	t->processes = g_ptr_array_new_with_free_func(g_free);
	t->tracks = g_array_new(FALSE, FALSE, sizeof(struct track));
	fputs(head, file);
	return t;
}

bool timeline_close(struct timeline *t, GError **error)
{
	bool ok;

	fputs(TIMELINE_TAIL, t->file);
	ok = fflush(t->file) == 0 && !ferror(t->file) && fsync(fileno(t->file)) == 0;
	if (fclose(t->file) != 0)
		ok = false;
	if (!ok)
		io_error(error, "write", t->path);
	else if (g_rename(t->temporary, t->path) != 0)
		ok = io_error(error, "rename the finished timeline to", t->path);
	if (!ok)
		g_unlink(t->temporary);
	for (guint i = 0; i < t->tracks->len; i++) {
		struct track *track = &g_array_index(t->tracks, struct track, i);

		g_free(track->name);
		g_array_unref(track->lanes);
	}
	g_array_unref(t->tracks);
	g_ptr_array_unref(t->processes);
	g_hash_table_unref(t->escaped);
	g_free(t->path);
	g_free(t->temporary);
	g_free(t);
	return ok;
}

uint64_t timeline_dropped(const struct timeline *t)
{
	return t->dropped;
}

static unsigned process_id(struct timeline *t, const char *process)
{
	for (guint i = 0; i < t->processes->len; i++)
		if (strcmp(t->processes->pdata[i], process) == 0)
			return i + 1;
	g_ptr_array_add(t->processes, g_strdup(process));
	event(t, "{\"ph\": \"M\", \"name\": \"process_name\", \"pid\": %u, \"args\": {\"name\": %s}}",
	      t->processes->len, escape(t, process));
	return t->processes->len;
}

static struct lane *add_lane(struct timeline *t, struct track *track)
{
	struct lane lane = {.tid = ++t->next_tid};
	g_autofree char *name = track->lanes->len
				    ? g_strdup_printf("%s %u", track->name, track->lanes->len + 1)
				    : g_strdup(track->name);

	event(
	    t,
	    "{\"ph\": \"M\", \"name\": \"thread_name\", \"pid\": %u, \"tid\": %u, \"args\": {\"name\": %s}}",
	    track->pid, lane.tid, escape(t, name));
	event(t,
	      "{\"ph\": \"M\", \"name\": \"thread_sort_index\", \"pid\": %u, \"tid\": %u, "
	      "\"args\": {\"sort_index\": %u}}",
	      track->pid, lane.tid, lane.tid);
	g_array_append_val(track->lanes, lane);
	return &g_array_index(track->lanes, struct lane, track->lanes->len - 1);
}

unsigned timeline_track(struct timeline *t, const char *process, const char *name)
{
	unsigned pid = process_id(t, process);
	struct track track = {.pid = pid};

	for (guint i = 0; i < t->tracks->len; i++) {
		const struct track *old = &g_array_index(t->tracks, struct track, i);

		if (old->pid == pid && strcmp(old->name, name) == 0)
			return i;
	}
	track.name = g_strdup(name);
	track.lanes = g_array_new(FALSE, TRUE, sizeof(struct lane));
	add_lane(t, &track);
	g_array_append_val(t->tracks, track);
	return t->tracks->len - 1;
}

void timeline_slice(struct timeline *t, unsigned id, const char *name, sim_time_t start, sim_time_t end)
{
	struct track *track = &g_array_index(t->tracks, struct track, id);
	struct lane *lane = NULL;
	sim_time_t length = end > start ? end - start : 0;

	for (guint i = 0; i < track->lanes->len && !lane; i++)
		if (g_array_index(track->lanes, struct lane, i).end <= start)
			lane = &g_array_index(track->lanes, struct lane, i);
	if (!lane && track->lanes->len < TIMELINE_MAX_LANES)
		lane = add_lane(t, track);
	if (!lane) {
		t->dropped++;
		return;
	}
	if (event(t,
		  "{\"ph\": \"X\", \"name\": %s, \"pid\": %u, \"tid\": %u, \"ts\": %" G_GUINT64_FORMAT
		  ".%06u, \"dur\": %" G_GUINT64_FORMAT ".%06u}",
		  escape(t, name), track->pid, lane->tid, start / SIM_US, (unsigned)(start % SIM_US),
		  length / SIM_US, (unsigned)(length % SIM_US)))
		lane->end = start + length;
}

void timeline_instant(struct timeline *t, unsigned id, const char *name, sim_time_t at)
{
	const struct track *track = &g_array_index(t->tracks, struct track, id);

	event(
	    t,
	    "{\"ph\": \"i\", \"s\": \"t\", \"name\": %s, \"pid\": %u, \"tid\": %u, \"ts\": %" G_GUINT64_FORMAT
	    ".%06u}",
	    escape(t, name), track->pid, g_array_index(track->lanes, struct lane, 0).tid, at / SIM_US,
	    (unsigned)(at % SIM_US));
}

void timeline_counter(struct timeline *t, unsigned id, sim_time_t at, uint64_t value)
{
	const struct track *track = &g_array_index(t->tracks, struct track, id);

	event(t,
	      "{\"ph\": \"C\", \"name\": %s, \"pid\": %u, \"ts\": %" G_GUINT64_FORMAT
	      ".%06u, \"args\": {\"value\": %" G_GUINT64_FORMAT "}}",
	      escape(t, track->name), track->pid, at / SIM_US, (unsigned)(at % SIM_US), value);
}

void sim_attach_timeline(struct sim *s, struct timeline *t, const char *process)
{
	static const char *const names[TIMELINE_KINDS] = {
	    [TIMELINE_MAP] = "map",
	    [TIMELINE_LINK] = "link",
	    [TIMELINE_SYNC] = "sync",
	    [TIMELINE_UNMAP] = "unmap",
	    [TIMELINE_INVALIDATION] = "invalidation",
	    [TIMELINE_WALK] = "walk",
	    [TIMELINE_TRANSFER] = "transfer",
	};

	s->timeline = t;
	for (int k = 0; k < TIMELINE_KINDS; k++) {
		unsigned track = timeline_track(t, process, names[k]);

		if (!k)
			s->timeline_first = track;
	}
}
