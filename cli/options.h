/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between main.c, options.c and help.c. */
#ifndef DMASIM_CLI_OPTIONS_H
#define DMASIM_CLI_OPTIONS_H

#include "cli.h"

bool cli_options_parse(const struct cli_command *c, void *options, int argc, char **argv, GPtrArray *args,
		       bool *help, GError **error);
void cli_options_clear(const struct cli_command *c, void *options);
/* Visit the option tables of a command, its own first. */
void cli_options_tables(const struct cli_command *c, const struct cli_option *tables[4]);
void cli_print_overview(FILE *out);

#endif
