/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One recording's events: a tracefs instance with a buffer of its own, so that nobody else's tracing is
 * touched, and probes in a group of its own. Both carry the process id; what a killed recorder left behind is
 * found by it and removed by the next one.
 */
#include "internal.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define INSTANCE "dmasim-"
#define GROUP "dmasim_"

/* The text as the readers know it; an instance inherits what others have set for the whole machine. */
const struct setting session_settings[] = {
    {"tracing_on", "0"},
    {"trace_clock", "mono"},
    {"current_tracer", "nop"},
    {"options/context-info", "1"},
    {"options/irq-info", "1"},
    {"options/record-tgid", "0"},
    {"options/latency-format", "0"},
    {"options/overwrite", "1"},
    {NULL, NULL},
};

static bool is_missed(const struct session *s, const struct record_event *e)
{
	return !e->optional && record_event_expected(e, s->tracefs->release);
}

static void arm_tracepoint(struct session *s, const struct record_event *e, unsigned *armed)
{
	g_autofree char *file = g_strdup_printf("events/%s/%s/enable", e->system, e->name);

	if (!tracefs_has_event(s->tracefs, e->system, e->name)) {
		if (is_missed(s, e))
			record_note(s->notes, "tracepoint %s:%s is not there: %s", e->system, e->name,
				    e->what);
	} else if (!tracefs_write(s->instance, file, "1")) {
		record_note(s->notes, "tracepoint %s:%s could not be switched on (%s): %s", e->system,
			    e->name, g_strerror(errno), e->what);
	} else {
		++*armed;
	}
}

/* Try the forms that this kernel knows, the best first. */
static bool define_probe(struct session *s, const struct record_event *e, const char *symbol)
{
	const struct tracefs *t = s->tracefs;
	int problem = ENOTSUP;

	for (unsigned i = 0; i < PROBE_KINDS * ARGUMENTS_FORMS; i++) {
		enum probe_kind kind = i / ARGUMENTS_FORMS;
		enum probe_arguments arguments = i % ARGUMENTS_FORMS;
		char *definition;

		if (!t->kinds[kind] || !t->arguments[arguments])
			continue;
		definition = record_probe_definition(e, s->group, symbol, kind, arguments);
		if (tracefs_append(t->path, "dynamic_events", definition)) {
			g_ptr_array_add(s->definitions, definition);
			g_ptr_array_add(s->probes, g_strdup(e->name));
			return true;
		}
		problem = errno;
		g_free(definition);
	}
	errno = problem;
	return false;
}

static bool wanted(const struct session *s, const struct record_event *e)
{
	if (e->only && !record_event_expected(e, s->tracefs->release))
		return false;
	return !e->instead || !tracefs_has_events(s->tracefs, e->instead);
}

/* false: no probe at all can be had. */
static bool arm_probe(struct session *s, const struct record_event *e, unsigned *armed)
{
	g_autofree char *symbol = tracefs_symbol(s->tracefs, e->function, !strchr(e->arguments, '{'));

	if (!symbol) {
		if (is_missed(s, e))
			record_note(s->notes, "function %s cannot be probed here: %s", e->function, e->what);
	} else if (define_probe(s, e, symbol)) {
		++*armed;
	} else if (errno == EPERM || errno == EACCES) {
		record_note(s->notes, "no probes: the kernel forbids them (%s; is it locked down?)",
			    g_strerror(errno));
		return false;
	} else {
		record_note(s->notes, "probe on %s refused (%s): %s", e->function, g_strerror(errno),
			    e->what);
	}
	return true;
}

static bool arm(struct session *s, GError **error)
{
	const struct tracefs *t = s->tracefs;
	bool probes = (t->kinds[PROBE_FUNCTION] || t->kinds[PROBE_KPROBE]) &&
		      (t->arguments[ARGUMENTS_BY_NAME] || t->arguments[ARGUMENTS_BY_NUMBER]);
	g_autofree char *enable = g_strdup_printf("events/%senable", s->group);
	unsigned armed = 0;

	if (!probes)
		record_note(s->notes,
			    "no probes: this kernel has none with arguments (CONFIG_KPROBE_EVENTS, "
			    "CONFIG_FPROBE_EVENTS); IOVA allocation and the two-step interface do not show");
	for (unsigned i = 0; i < record_events_count; i++) {
		const struct record_event *e = &record_events[i];

		if (e->system)
			arm_tracepoint(s, e, &armed);
		else if (probes && wanted(s, e))
			probes = arm_probe(s, e, &armed);
	}
	if (!armed) {
		g_set_error(
		    error, DMASIM_ERROR, DMASIM_ERROR_INPUT,
		    "%s: this kernel offers none of the events that dmasim reads: neither tracepoints "
		    "(dma, iommu, nvme, block) nor probes",
		    t->path);
		return false;
	}
	if (s->probes->len && !tracefs_write(s->instance, enable, "1")) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT, "%s/%s: %s", s->instance, enable,
			    g_strerror(errno));
		return false;
	}
	return true;
}

static void remove_probe(struct session *s, const char *group, const char *name)
{
	g_autofree char *removal = g_strdup_printf("-:%s%s", group, name);

	if (!tracefs_append(s->tracefs->path, "dynamic_events", removal))
		record_note(s->notes, "probe %s%s could not be removed: %s", group, name, g_strerror(errno));
}

/* A reader that still has one of its files open keeps an instance alive for a moment. */
static void remove_instance(struct session *s, const char *path)
{
	g_autofree char *events = g_build_filename(path, "events", NULL);

	tracefs_write(path, "tracing_on", "0");
	tracefs_write(events, "enable", "0");
	for (unsigned tries = 0; g_rmdir(path); tries++) {
		if (tries == 100) {
			record_note(s->notes, "%s could not be removed: %s", path, g_strerror(errno));
			return;
		}
		g_usleep(10000);
	}
}

/* Of a recorder that was killed: its process is no more. */
static bool is_left_over(const char *name, const char *prefix)
{
	gint64 pid;

	return g_str_has_prefix(name, prefix) &&
	       g_ascii_string_to_signed(name + strlen(prefix), 10, 1, G_MAXINT, &pid, NULL) &&
	       kill((pid_t)pid, 0) && errno == ESRCH;
}

static void remove_left_overs(struct session *s)
{
	g_autofree char *instances = g_build_filename(s->tracefs->path, "instances", NULL);
	g_autofree char *events = g_build_filename(s->tracefs->path, "dynamic_events", NULL), *text = NULL;
	g_auto(GStrv) lines = NULL;
	GDir *dir = g_dir_open(instances, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(instances, name, NULL);

		if (is_left_over(name, INSTANCE))
			remove_instance(s, path);
	}
	g_clear_pointer(&dir, g_dir_close);
	if (!g_file_get_contents(events, &text, NULL, NULL))
		return;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit_set(*line, ":/ ", 4); /* "p:GROUP/NAME place" */

		if (g_strv_length(words) == 4 && is_left_over(words[1], GROUP)) {
			g_autofree char *group = g_strconcat(words[1], "/", NULL);

			remove_probe(s, group, words[2]);
		}
	}
}

static bool make_instance(struct session *s, uint64_t buffer_kib, GError **error)
{
	g_autofree char *size = g_strdup_printf("%" PRIu64, buffer_kib);

	if (g_mkdir(s->instance, 0700)) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT, "%s: %s", s->instance,
			    g_strerror(errno));
		g_clear_pointer(&s->instance, g_free);
		return false;
	}
	for (const struct setting *set = session_settings; set->file; set++)
		if (!tracefs_write(s->instance, set->file, set->value))
			record_note(s->notes, "%s/%s could not be set to %s: %s", s->instance, set->file,
				    set->value, g_strerror(errno));
	if (tracefs_write(s->instance, "buffer_size_kb", size))
		return true;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT,
		    "no buffer of %s KiB per CPU: %s; ask for less with --buffer", size, g_strerror(errno));
	return false;
}

struct session *session_new(struct tracefs *t, uint64_t buffer_kib, GPtrArray *notes, GError **error)
{
	struct session *s = g_new0(struct session, 1);

	s->tracefs = t;
	s->notes = notes;
	s->probes = g_ptr_array_new_with_free_func(g_free);
	s->definitions = g_ptr_array_new_with_free_func(g_free);
	s->group = g_strdup_printf(GROUP "%d/", (int)getpid());
	s->instance = g_strdup_printf("%s/instances/" INSTANCE "%d", t->path, (int)getpid());
	remove_left_overs(s);
	if (make_instance(s, buffer_kib, error) && arm(s, error))
		return s;
	session_end(s);
	return NULL;
}

static bool switch_tracing(struct session *s, const char *value, GError **error)
{
	if (tracefs_write(s->instance, "tracing_on", value))
		return true;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT, "%s/tracing_on: %s", s->instance,
		    g_strerror(errno));
	return false;
}

bool session_start(struct session *s, GError **error)
{
	return switch_tracing(s, "1", error);
}

bool session_stop(struct session *s, GError **error)
{
	return switch_tracing(s, "0", error);
}

void session_end(struct session *s)
{
	if (s->instance)
		remove_instance(s, s->instance);
	for (unsigned i = 0; i < s->probes->len; i++)
		remove_probe(s, s->group, g_ptr_array_index(s->probes, i));
	g_ptr_array_unref(s->probes);
	g_ptr_array_unref(s->definitions);
	g_free(s->instance);
	g_free(s->group);
	g_free(s);
}

/* kprobe_profile: "name hits misses"; a kprobe misses while another one is handled on that CPU. */
uint64_t session_missed(const struct session *s)
{
	g_autofree char *file = g_build_filename(s->tracefs->path, "kprobe_profile", NULL), *text = NULL;
	g_auto(GStrv) lines = NULL;
	uint64_t missed = 0;

	if (!g_file_get_contents(file, &text, NULL, NULL))
		return 0;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		char name[64];
		uint64_t hits, misses;

		if (sscanf(*line, "%63s %" SCNu64 " %" SCNu64, name, &hits, &misses) == 3 && misses &&
		    g_ptr_array_find_with_equal_func(s->probes, name, g_str_equal, NULL)) {
			missed += misses;
			record_note(s->notes,
				    "probe %s left no line %" PRIu64 " times (another probe was handled)",
				    name, misses);
		}
	}
	return missed;
}
