/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim report: one HTML page about a result. */
#include "cli.h"

#include "experiment/figures/report.h"

static int run(void *options, int nargs, char **args)
{
	const struct cli_common *o = options;
	g_autofree char *out = NULL;
	GError *error = NULL;

	if (nargs != 1)
		return cli_usage("report", "one result is wanted: dmasim report DIR -o FILE.html");
	out = o->output ? g_strdup(o->output) : g_build_filename(args[0], "report.html", NULL);
	if (!report_write(args[0], out, &cli_interrupted, &error))
		return cli_fail(error);
	cli_note(o, "%s", out);
	return CLI_OK;
}

static const struct cli_option own_options[] = {
    {"output", 'o', CLI_PATH, offsetof(struct cli_common, output), "FILE",
     "where to write the page (default: report.html in the result)", NULL},
    {0},
};

const struct cli_command cli_command_report = {
    .name = "report",
    .args = "RESULT",
    .help = "one self-contained HTML page: findings, tables, figures, provenance, data",
    .about = "The page needs no network and no other file: pictures are inline SVG, the whole result is "
	     "inside as JSON.\n"
	     "Findings and captions are made from the numbers.",
    .examples = "dmasim report results/mine -o mine.html\tthe page about one result",
    .group = CLI_GROUP_RESULT,
    .options = own_options,
    .completes = &cli_words_files,
    .run = run,
};
