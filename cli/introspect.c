/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "introspect.h"

#include <jansson.h>
#include <stdarg.h>

GPtrArray *introspect_cells(const char *first, ...)
{
	GPtrArray *cells = g_ptr_array_new_with_free_func(g_free);
	va_list args;

	va_start(args, first);
	for (const char *s = first; s; s = va_arg(args, const char *))
		g_ptr_array_add(cells, g_strdup(s));
	va_end(args);
	return cells;
}

int introspect_print(const struct cli_common *o, json_t *json, GPtrArray *cells, unsigned columns,
		     uint64_t right, const char *word)
{
	unsigned rows = cells->len / columns;

	if (rows < 2 && word) {
		g_autofree const char **names = NULL;
		size_t n = 0;

		for (const struct param_table *const *t = config_tables(); *t; t++)
			n++;
		names = g_new(const char *, n);
		n = 0;
		for (const struct param_table *const *t = config_tables(); *t; t++)
			names[n++] = (*t)->section;
		json_decref(json);
		return cli_unknown(NULL, "name", word, names, n);
	}
	if (o->json)
		return cli_print_json(json);
	json_decref(json);
	cli_print_columns(stdout, (char *const *)cells->pdata, columns, rows, right);
	return cli_finish_output(CLI_OK);
}
