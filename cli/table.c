/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The comparison on the terminal. */
#include "experiment/quote.h"
#include "run.h"

#include "experiment/comparison.h"
#include <jansson.h>
#include <langinfo.h>
#include <string.h>

void cli_print_comparison(FILE *out, const struct experiment_result *r)
{
	json_t *doc = result_to_json(r);
	g_autofree char *title = NULL;
	struct comparison *c = comparison_new(doc, strcmp(nl_langinfo(CODESET), "UTF-8") ? "x" : "×");

	title = quote_terminal(c->title);
	fprintf(out, "%s\n\n", title);
	cli_print_columns(out, (char *const *)c->cells->pdata, c->columns, c->rows, ~(uint64_t)1);
	for (unsigned i = 0; i < c->notes->len; i++) {
		g_autofree char *note = quote_terminal(c->notes->pdata[i]);

		fprintf(out, "%s%s\n", i ? "" : "\n", note);
	}
	comparison_free(c);
	json_decref(doc);
}
