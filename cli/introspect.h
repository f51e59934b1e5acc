/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the listing commands. */
#ifndef DMASIM_CLI_INTROSPECT_H
#define DMASIM_CLI_INTROSPECT_H

#include "cli.h"

/* Cells of a table, owned, with the given headings. */
GPtrArray *introspect_cells(const char *first, ...) G_GNUC_NULL_TERMINATED;
/*
 * Print json (--json) or the cells; takes the reference of json. word: what the user asked for, for
 * the error when nothing matched.
 */
int introspect_print(const struct cli_common *o, struct json_t *json, GPtrArray *cells, unsigned columns,
		     uint64_t right, const char *word);

#endif
