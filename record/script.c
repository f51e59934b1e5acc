/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The same recording as a shell script, from the same tables. */
#include "internal.h"

#include <string.h>

static void add_event(GString *out, const struct record_event *e)
{
	if (e->system) {
		g_string_append_printf(out, "event %s %s\n", e->system, e->name);
		return;
	}
	g_string_append_printf(out, "probe %s %s %u %u", e->name, e->instead ? e->instead : "-",
			       e->only ? e->since : 0, e->only ? e->until : 0);
	for (enum probe_kind kind = 0; kind < PROBE_KINDS; kind++) {
		for (enum probe_arguments form = 0; form < ARGUMENTS_FORMS; form++) {
			g_autofree char *definition = record_probe_definition(e, "", e->function, kind, form);

			if (form && !strchr(e->arguments, '{'))
				break; /* both forms are one */
			g_string_append_printf(out, " \\\n\t'%s'", definition);
		}
	}
	g_string_append_c(out, '\n');
}

static void replace(GString *script, const char *mark, const char *text)
{
	g_string_replace(script, mark, text, 1);
}

char *record_script(void)
{
	GString *script = g_string_new(record_by_hand_sh);
	g_autoptr(GString) settings = g_string_new(NULL), events = g_string_new(NULL);

	for (const struct setting *s = session_settings; s->file; s++)
		g_string_append_printf(settings, "echo %s > $instance/%s\n", s->value, s->file);
	for (unsigned i = 0; i < record_events_count; i++)
		add_event(events, &record_events[i]);
	replace(script, "@SETTINGS@\n", settings->str);
	replace(script, "@EVENTS@\n", events->str);
	replace(script, "@ENVIRONMENT@\n", record_environment_sh);
	return g_string_free(script, FALSE);
}
