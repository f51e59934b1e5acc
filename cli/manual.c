/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual pages of the commands. */
#include "manual.h"
#include "options.h"

#include <string.h>

void manual_text(GString *out, const char *text)
{
	bool line_start = true;

	for (const char *p = text; *p; p++) {
		if (line_start && (*p == '.' || *p == '\''))
			g_string_append(out, "\\&");
		if (*p == '\\')
			g_string_append(out, "\\e");
		else if (*p == '-')
			g_string_append(out, "\\-");
		else
			g_string_append_c(out, *p);
		line_start = *p == '\n';
	}
}

void manual_begin(GString *out, const char *page, unsigned section, const char *help)
{
	g_autofree char *upper = g_ascii_strup(page, -1);

	g_string_append_printf(out, ".TH %s %u \"\" \"dmasim %s\" \"%s\"\n.SH NAME\n", upper, section,
			       dmasim_version(), section == 1 ? "dmasim manual" : "dmasim file formats");
	manual_text(out, page);
	g_string_append(out, " \\- ");
	manual_text(out, help);
	g_string_append_c(out, '\n');
}

void manual_heading(GString *out, const char *title)
{
	g_string_append_printf(out, ".SH %s\n", title);
}

void manual_tag(GString *out, const char *tag, const char *text)
{
	g_string_append(out, ".TP\n.B ");
	manual_text(out, tag);
	g_string_append_c(out, '\n');
	manual_text(out, text);
	g_string_append_c(out, '\n');
}

static void options(GString *out, const struct cli_option *table)
{
	for (const struct cli_option *o = table; o->name; o++) {
		g_string_append(out, ".TP\n");
		if (o->letter)
			g_string_append_printf(out, "\\fB\\-%c\\fR, ", o->letter);
		g_string_append(out, "\\fB\\-\\-");
		manual_text(out, o->name);
		g_string_append(out, "\\fR");
		if (o->arg)
			g_string_append_printf(out, " \\fI%s\\fR", o->arg);
		g_string_append_c(out, '\n');
		manual_text(out, o->help);
		g_string_append_c(out, '\n');
	}
}

static void exit_status(GString *out)
{
	static const char *const rows[][2] = {
	    {"0", "ok"},
	    {"1", "the run worked, but what was asked does not hold (verify: divergence; validate, check: "
		  "failed)"},
	    {"2", "bad usage or scenario; the message names file, line, key and the nearest valid name"},
	    {"3",
	     "bad input: missing, unreadable, wrong format, truncated; the message names line or offset"},
	    {"4", "output failed: disk full, not writable"},
	    {"70", "internal error"},
	    {"130", "interrupted: finished points of a sweep are kept, an interrupted run leaves no result"},
	};

	manual_heading(out, "EXIT STATUS");
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		manual_tag(out, rows[i][0], rows[i][1]);
}

static void examples(GString *out, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	manual_heading(out, "EXAMPLES");
	for (char **l = lines; *l; l++) {
		g_auto(GStrv) parts = g_strsplit(*l, "\t", 2);

		if (!parts[0])
			continue;
		g_string_append(out, ".PP\n");
		if (parts[1]) {
			manual_text(out, parts[1]);
			g_string_append(out, ":\n");
		}
		g_string_append(out, ".PP\n.RS\n.nf\n");
		manual_text(out, parts[0]);
		g_string_append(out, "\n.fi\n.RE\n");
	}
}

static void see_also(GString *out, const char *self)
{
	manual_heading(out, "SEE ALSO");
	g_string_append(out, ".BR dmasim (1)");
	for (const struct cli_command *const *c = cli_commands; *c; c++)
		if (!self || strcmp((*c)->name, self))
			g_string_append_printf(out, ",\n.BR dmasim\\-%s (1)", (*c)->name);
	g_string_append(out,
			",\n.BR dmasim\\-scenario (5),\n.BR dmasim\\-trace (5),\n.BR dmasim\\-result (5)\n");
}

void manual_command(GString *out, const struct cli_command *c)
{
	g_autofree char *page = g_strdup_printf("dmasim-%s", c->name);
	g_auto(GStrv) paragraphs = g_strsplit(c->about ? c->about : "", "\n", -1);

	manual_begin(out, page, 1, c->help);
	manual_heading(out, "SYNOPSIS");
	g_string_append_printf(out, ".B dmasim %s\n[options]\n", c->name);
	manual_text(out, c->args);
	g_string_append_c(out, '\n');
	manual_heading(out, "DESCRIPTION");
	for (char **p = paragraphs; *p; p++) {
		if (!**p)
			continue;
		g_string_append(out, ".PP\n");
		manual_text(out, *p);
		g_string_append_c(out, '\n');
	}
	manual_heading(out, "OPTIONS");
	if (c->options)
		options(out, c->options);
	if (c->run_options)
		options(out, cli_run_options);
	options(out, cli_common_options);
	if (c->examples)
		examples(out, c->examples);
	exit_status(out);
	see_also(out, c->name);
}

void manual_overview(GString *out)
{
	manual_begin(out, "dmasim", 1, "both Linux DMA APIs side by side on a simulated VT-d machine");
	manual_heading(out, "SYNOPSIS");
	g_string_append(out, ".B dmasim\n.I COMMAND\n[options] [arguments]\n");
	manual_heading(out, "DESCRIPTION");
	manual_text(out,
		    "dmasim replays NVMe, RDMA on-demand-paging and VFIO-migration traces through the "
		    "scatterlist DMA API and through the two-step IOVA API of Linux, on the same simulated "
		    "machine, and reports what differs: IOTLB invalidations, memory, CPU time, latency and "
		    "throughput. Its counts equal those of recorded kernels (dmasim verify); its times come "
		    "from published measurements (dmasim validate, dmasim presets).\n");
	manual_heading(out, "COMMANDS");
	for (const struct cli_command *const *c = cli_commands; *c; c++)
		manual_tag(out, (*c)->name, (*c)->help);
	exit_status(out);
	manual_heading(out, "ENVIRONMENT");
	manual_tag(out, "NO_COLOR", "no colour, also on a terminal");
	manual_tag(
	    out, "DMASIM_RECORD_ROOT",
	    "a folder that holds proc and sys, for dmasim record instead of the machine's own (for tests)");
	see_also(out, NULL);
}
