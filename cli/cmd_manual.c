/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim manual: the manual pages, generated from the program's own tables. */
#include "manual.h"

#include <string.h>

static bool write_page(const char *dir, const char *name, unsigned section, GString *text, GError **error)
{
	g_autofree char *sub = g_strdup_printf("%s/man%u", dir, section);
	g_autofree char *path = g_strdup_printf("%s/%s.%u", sub, name, section);
	bool ok;

	if (g_mkdir_with_parents(sub, 0777) != 0) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT, "%s: cannot make the directory: %s",
			    sub, g_strerror(errno));
		ok = false;
	} else {
		ok = output_write_file(path, text->str, text->len, error);
	}
	g_string_truncate(text, 0);
	return ok;
}

static bool write_all(const char *dir, GError **error)
{
	static const struct {
		const char *name;
		void (*write)(GString *out);
	} formats[] = {{"dmasim-scenario", manual_scenario},
		       {"dmasim-trace", manual_trace},
		       {"dmasim-result", manual_result}};
	g_autoptr(GString) text = g_string_new(NULL);

	manual_overview(text);
	if (!write_page(dir, "dmasim", 1, text, error))
		return false;
	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		g_autofree char *name = g_strdup_printf("dmasim-%s", (*c)->name);

		manual_command(text, *c);
		if (!write_page(dir, name, 1, text, error))
			return false;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
		formats[i].write(text);
		if (!write_page(dir, formats[i].name, 5, text, error))
			return false;
	}
	return true;
}

struct manual_options {
	struct cli_common common;
	char *output;
};

static const struct cli_option manual_options[] = {
    {"output", 'o', CLI_PATH, offsetof(struct manual_options, output), "DIR", "directory for the pages",
     NULL},
    {0},
};

static int run(void *options, int nargs, char **args)
{
	const struct manual_options *o = options;
	GError *error = NULL;

	if (nargs + (o->output != NULL) != 1)
		return cli_usage("manual", "one directory is wanted: dmasim manual -o DIR");
	if (!write_all(o->output ? o->output : args[0], &error))
		return cli_fail(error);
	return CLI_OK;
}

const struct cli_command cli_command_manual = {
    .name = "manual",
    .args = "[DIR]",
    .help = "write the manual pages: every command, scenario, trace and result",
    .about =
	"Writes DIR/man1/*.1 and DIR/man5/*.5. The installed package has them already; this is for a build "
	"that is not installed.",
    .examples = "dmasim manual -o man && man -l man/man1/dmasim-run.1\tread a page without installing",
    .group = CLI_GROUP_LEARN,
    .completes = &cli_words_files,
    .options = manual_options,
    .options_size = sizeof(struct manual_options),
    .run = run,
};
