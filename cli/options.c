/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options by table. GOptionContext is not used: its rows point at storage, so that they could be
 * neither constant nor read by the generators of man pages and completion, and it knows no nearest
 * name.
 */
#include "options.h"

#include <string.h>

#define COMMON(member) offsetof(struct cli_common, member)

const struct cli_option cli_common_options[] = {
    {"json", 0, CLI_FLAG, COMMON(json), NULL, "machine form on standard output, and nothing else there",
     NULL},
    {"quiet", 'q', CLI_FLAG, COMMON(quiet), NULL, "only errors on standard error", NULL},
    {"verbose", 'v', CLI_FLAG, COMMON(verbose), NULL, "say more on standard error", NULL},
    {"no-progress", 0, CLI_FLAG, COMMON(no_progress), NULL, "no progress line, even on a terminal", NULL},
    {0},
};

const struct cli_option cli_run_options[] = {
    {"output", 'o', CLI_PATH, COMMON(output), "DIR", "directory for the result (made if missing)", NULL},
    {"set", 0, CLI_LIST, COMMON(set), "KEY=VALUE",
     "set a parameter, e.g. iotlb.entries=64 (repeatable, beats the file)", &cli_words_settings},
    {"api", 0, CLI_STRING, COMMON(api), "LIST", "DMA APIs to compare, e.g. legacy,link", &cli_words_apis},
    {"iommu", 0, CLI_STRING, COMMON(iommu), "LIST", "IOMMU modes: strict, lazy, passthrough, off",
     &cli_words_modes},
    {"seeds", 0, CLI_NUMBER, COMMON(seeds), "N", "repeat with N seeds, counting up from scenario.seed", NULL},
    {"fidelity", 0, CLI_STRING, COMMON(fidelity), "NAME", "counts (exact counts, the trace's time) or timing",
     &cli_words_fidelities},
    {"check", 0, CLI_FLAG, COMMON(check), NULL,
     "stop with status 1 at the first broken rule of the DMA API, of a device or of the IOMMU", NULL},
    {0},
};

void cli_options_tables(const struct cli_command *c, const struct cli_option *tables[4])
{
	unsigned n = 0;

	if (c->options)
		tables[n++] = c->options;
	if (c->run_options)
		tables[n++] = cli_run_options;
	tables[n++] = cli_common_options;
	tables[n] = NULL;
}

static const struct cli_option *find_option(const struct cli_command *c, const char *name, size_t len,
					    char letter)
{
	const struct cli_option *tables[4];

	cli_options_tables(c, tables);
	for (const struct cli_option **t = tables; *t; t++)
		for (const struct cli_option *o = *t; o->name; o++)
			if (letter ? o->letter == letter
				   : strlen(o->name) == len && !strncmp(o->name, name, len))
				return o;
	return NULL;
}

static void unknown_option(const struct cli_command *c, const char *word, GError **error)
{
	const struct cli_option *tables[4];
	g_autofree char *bare = g_strndup(word + strspn(word, "-"), strcspn(word + strspn(word, "-"), "="));
	const char *names[64], *near;
	size_t n = 0;

	cli_options_tables(c, tables);
	for (const struct cli_option **t = tables; *t; t++)
		for (const struct cli_option *o = *t; o->name && n < G_N_ELEMENTS(names); o++)
			names[n++] = o->name;
	near = nearest_name(bare, names, n);
	if (near)
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "%s: unknown option %s; did you mean --%s? See: dmasim %s --help", c->name, word,
			    near, c->name);
	else
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "%s: unknown option %s; see: dmasim %s --help", c->name, word, c->name);
}

static void append(char ***list, const char *value)
{
	size_t n = *list ? g_strv_length(*list) : 0;

	*list = g_renew(char *, *list, n + 2);
	(*list)[n] = g_strdup(value);
	(*list)[n + 1] = NULL;
}

static bool store(const struct cli_command *c, const struct cli_option *o, void *options, const char *value,
		  GError **error)
{
	void *member = (char *)options + o->offset;
	gint64 number;

	switch (o->type) {
	case CLI_FLAG:
		*(gboolean *)member = TRUE;
		return true;
	case CLI_NUMBER:
		if (!g_ascii_string_to_signed(value, 10, 1, G_MAXINT, &number, NULL)) {
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
				    "%s: --%s wants a whole number from 1 upwards, not '%s'", c->name,
				    o->name, value);
			return false;
		}
		*(int *)member = (int)number;
		return true;
	case CLI_STRING:
	case CLI_PATH:
		g_free(*(char **)member);
		*(char **)member = g_strdup(value);
		return true;
	case CLI_LIST:
		append(member, value);
		return true;
	}
	return true;
}

struct cursor {
	const struct cli_command *command;
	void *options;
	int argc, next;
	char **argv;
};

/* The option's value: attached, or the next argument. */
static bool take(struct cursor *cur, const struct cli_option *o, const char *attached, GError **error)
{
	if (o->type == CLI_FLAG && attached) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE, "%s: --%s takes no value",
			    cur->command->name, o->name);
		return false;
	}
	if (o->type != CLI_FLAG && !attached) {
		if (cur->next >= cur->argc) {
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
				    "%s: --%s needs a value: --%s %s", cur->command->name, o->name, o->name,
				    o->arg);
			return false;
		}
		attached = cur->argv[cur->next++];
	}
	return store(cur->command, o, cur->options, attached, error);
}

static bool parse_long(struct cursor *cur, const char *word, GError **error)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word - 2) : strlen(word + 2);
	const struct cli_option *o = find_option(cur->command, word + 2, len, 0);

	if (!o) {
		unknown_option(cur->command, word, error);
		return false;
	}
	return take(cur, o, equals ? equals + 1 : NULL, error);
}

static bool parse_short(struct cursor *cur, const char *word, GError **error)
{
	for (const char *p = word + 1; *p; p++) {
		const struct cli_option *o = find_option(cur->command, NULL, 0, *p);

		if (!o) {
			unknown_option(cur->command, word, error);
			return false;
		}
		if (o->type != CLI_FLAG)
			return take(cur, o, p[1] ? p + 1 : NULL, error);
		if (!take(cur, o, NULL, error))
			return false;
	}
	return true;
}

bool cli_options_parse(const struct cli_command *c, void *options, int argc, char **argv, GPtrArray *args,
		       bool *help, GError **error)
{
	struct cursor cur = {.command = c, .options = options, .argc = argc, .argv = argv};
	bool only_args = false;

	while (cur.next < argc) {
		char *word = argv[cur.next++];

		if (only_args || word[0] != '-' || !word[1]) {
			g_ptr_array_add(args, word);
		} else if (!strcmp(word, "--")) {
			only_args = true;
		} else if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
			*help = true;
			return true;
		} else if (!(word[1] == '-' ? parse_long(&cur, word, error)
					    : parse_short(&cur, word, error))) {
			return false;
		}
	}
	return true;
}

void cli_options_clear(const struct cli_command *c, void *options)
{
	const struct cli_option *tables[4];

	cli_options_tables(c, tables);
	for (const struct cli_option **t = tables; *t; t++)
		for (const struct cli_option *o = *t; o->name; o++) {
			void *member = (char *)options + o->offset;

			if (o->type == CLI_STRING || o->type == CLI_PATH)
				g_clear_pointer((char **)member, g_free);
			else if (o->type == CLI_LIST)
				g_clear_pointer((char ***)member, g_strfreev);
		}
}
