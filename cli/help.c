/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --help, from the command and option tables. */
#include "options.h"

#include <string.h>

static const char *const group_titles[CLI_GROUPS] = {
    [CLI_GROUP_RUN] = "Run and compare",
    [CLI_GROUP_INPUT] = "Traces and scenarios",
    [CLI_GROUP_RESULT] = "Results",
    [CLI_GROUP_LEARN] = "Find out",
};

void cli_print_overview(FILE *out)
{
	fputs("dmasim: both Linux DMA APIs side by side on a simulated VT-d machine\n\n"
	      "usage: dmasim COMMAND [options] [arguments]\n",
	      out);
	for (int g = 0; g < CLI_GROUPS; g++) {
		bool any = false;

		for (const struct cli_command *const *c = cli_commands; *c; c++) {
			if ((int)(*c)->group != g)
				continue;
			if (!any)
				fprintf(out, "\n%s\n", group_titles[g]);
			any = true;
			fprintf(out, "  %-11s %s\n", (*c)->name, (*c)->help);
		}
	}
	fputs(
	    "\nStart with:  dmasim replay scenarios/data/nvme-mixed.trace.txt.zst\n"
	    "More on one: dmasim COMMAND --help    Parameters: dmasim params    Version: dmasim --version\n",
	    out);
}

void cli_print_wrapped(FILE *out, const char *text, unsigned indent, unsigned width)
{
	g_auto(GStrv) words = g_strsplit_set(text, " ", -1);
	unsigned column = 0;

	for (char **w = words; *w; w++) {
		unsigned len = (unsigned)g_utf8_strlen(*w, -1);

		if (!len)
			continue;
		if (column && column + 1 + len > width) {
			fputc('\n', out);
			column = 0;
		}
		fprintf(out, "%*s%s", column ? 1 : (int)indent, "", *w);
		column += (column ? 1 : indent) + len;
	}
	fputc('\n', out);
}

static void print_options(FILE *out, const struct cli_option *table)
{
	for (const struct cli_option *o = table; o->name; o++) {
		g_autofree char *left = o->letter ? g_strdup_printf("-%c, --%s%s%s", o->letter, o->name,
								    o->arg ? " " : "", o->arg ? o->arg : "")
						  : g_strdup_printf("    --%s%s%s", o->name,
								    o->arg ? " " : "", o->arg ? o->arg : "");

		if (strlen(left) > 24)
			fprintf(out, "  %s\n  %-24s %s\n", left, "", o->help);
		else
			fprintf(out, "  %-24s %s\n", left, o->help);
	}
}

static void print_examples(FILE *out, const char *examples)
{
	g_auto(GStrv) lines = g_strsplit(examples, "\n", -1);

	fputs("\nexamples:\n", out);
	for (char **l = lines; *l; l++) {
		g_auto(GStrv) parts = g_strsplit(*l, "\t", 2);

		if (!parts[0])
			continue;
		if (parts[1])
			fprintf(out, "  # %s\n", parts[1]);
		fprintf(out, "  %s\n", parts[0]);
	}
}

void cli_print_help(FILE *out, const struct cli_command *c)
{
	g_auto(GStrv) paragraphs = g_strsplit(c->about ? c->about : "", "\n", -1);

	fprintf(out, "usage: dmasim %s [options]%s%s\n\n%s\n", c->name, c->args[0] ? " " : "", c->args,
		c->help);
	for (char **p = paragraphs; *p; p++) {
		if (!**p)
			continue;
		fputc('\n', out);
		cli_print_wrapped(out, *p, 0, 92);
	}
	if (c->options && c->options->name) {
		fputs("\noptions:\n", out);
		print_options(out, c->options);
	}
	if (c->run_options) {
		fputs("\nwhat to run:\n", out);
		print_options(out, cli_run_options);
	}
	fputs("\ncommon:\n", out);
	print_options(out, cli_common_options);
	fputs("  -h, --help               this text\n", out);
	if (c->examples)
		print_examples(out, c->examples);
	fputs("\nexit status: 0 ok, 1 what was asked does not hold, 2 usage or scenario, 3 input, 4 output,\n"
	      "70 internal error, 130 interrupted\n",
	      out);
}
