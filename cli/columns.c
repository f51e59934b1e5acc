/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Aligned columns for terminals and files. */
#include "cli.h"
#include "experiment/quote.h"

static unsigned width_of(const char *cell)
{
	return (unsigned)g_utf8_strlen(cell, -1);
}

void cli_print_columns(FILE *out, char *const *cells, unsigned columns, unsigned rows, uint64_t right)
{
	g_autofree unsigned *width = g_new0(unsigned, columns);
	g_autoptr(GPtrArray) shown = g_ptr_array_new_full(rows * columns, g_free);
	bool bold = cli_wants_colour(out);

	for (unsigned i = 0; i < rows * columns; i++) {
		g_ptr_array_add(shown, quote_terminal(cells[i] ? cells[i] : ""));
		width[i % columns] = MAX(width[i % columns], width_of(shown->pdata[i]));
	}
	for (unsigned r = 0; r < rows; r++) {
		if (bold && !r)
			fputs("\033[1m", out);
		for (unsigned c = 0; c < columns; c++) {
			const char *cell = shown->pdata[r * columns + c];
			int pad = (int)(width[c] - width_of(cell));
			bool last = c + 1 == columns;

			if (right >> c & 1)
				fprintf(out, "%*s%s%s", pad, "", cell, last ? "" : "  ");
			else
				fprintf(out, "%s%*s%s", cell, last ? 0 : pad, "", last ? "" : "  ");
		}
		fputs(bold && !r ? "\033[0m\n" : "\n", out);
	}
}
