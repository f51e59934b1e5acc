/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual pages in roff, written from the same tables as --help, params and stats. */
#ifndef DMASIM_CLI_MANUAL_H
#define DMASIM_CLI_MANUAL_H

#include "cli.h"

/* Text with roff's special characters escaped; a leading full stop or quote is protected. */
void manual_text(GString *out, const char *text);
/* ".TH" and the NAME section. */
void manual_begin(GString *out, const char *page, unsigned section, const char *help);
void manual_heading(GString *out, const char *title);
/* Tagged paragraph: bold tag, then text. */
void manual_tag(GString *out, const char *tag, const char *text);

/* dmasim(1), and one command's page. */
void manual_overview(GString *out);
void manual_command(GString *out, const struct cli_command *c);
/* File formats: scenario, native traces, result directory (section 5). */
void manual_scenario(GString *out);
void manual_trace(GString *out);
void manual_result(GString *out);

#endif
