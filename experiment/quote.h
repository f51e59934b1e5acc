/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One quoting function per language that text is put into. Names, values and traces come from files of
 * others (SECURITY.md): such text reaches gnuplot, HTML, CSV, a shell or a terminal through here only.
 * SQL has no function: values are bound, never written into a statement. All results: g_free.
 */
#ifndef DMASIM_QUOTE_H
#define DMASIM_QUOTE_H

#include <glib.h>
#include <stdbool.h>

/* A gnuplot string, quotes included, that is shown as it stands where text is not enhanced. */
char *quote_gnuplot(const char *text);
/* The same where text is enhanced (titles, axis labels). */
char *quote_gnuplot_enhanced(const char *text);
/* The same for labels of tics, which gnuplot takes for number formats. */
char *quote_gnuplot_tic(const char *text);
/* A field of a CSV file, in quotes only where it needs them. */
char *quote_csv(const char *text);
/* Text or attribute value of HTML. */
char *quote_html(const char *text);
/* A JSON document as content of a <script> element. */
char *quote_json_in_html(const char *json);
/*
 * Words as one line of shell, for Slurm, GNU parallel and people; NULL with *error if a word holds a line
 * break, which files of one command per line cannot.
 */
char *quote_shell_line(char *const *words, GError **error);
/* One word, without the check for line breaks. */
char *quote_shell(const char *word);
/*
 * For a terminal: control characters, which could move the cursor or start a sequence, become '?'; line
 * breaks and tabs stay.
 */
char *quote_terminal(const char *text);

#endif
