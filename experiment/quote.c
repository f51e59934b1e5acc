/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quote.h"

#include <dmasim/error.h>
#include <string.h>

/*
 * Between double quotes, with everything that gnuplot looks at there written as an octal escape: its scanner
 * runs what stands between backquotes, before escapes are read. (Single quotes will not do: a quote at the
 * beginning or after another one cannot be written in them.) special characters get before in front.
 */
static void put_gnuplot(GString *out, char c)
{
	if (g_ascii_iscntrl(c))
		g_string_append_c(out, ' '); /* a picture has no use for it */
	else if (strchr("\"'`\\", c))
		g_string_append_printf(out, "\\%03o", (unsigned char)c);
	else
		g_string_append_c(out, c);
}

static char *in_double_quotes(const char *text, const char *special, char before)
{
	GString *out = g_string_new("\"");

	for (const char *p = text; *p; p++) {
		if (strchr(special, *p))
			put_gnuplot(out, before);
		put_gnuplot(out, *p);
	}
	g_string_append_c(out, '"');
	return g_string_free(out, FALSE);
}

char *quote_gnuplot(const char *text)
{
	return in_double_quotes(text, "", 0);
}

char *quote_gnuplot_enhanced(const char *text)
{
	return in_double_quotes(text, "\\_^@&~{}", '\\');
}

char *quote_gnuplot_tic(const char *text)
{
	return in_double_quotes(text, "%", '%');
}

/* RFC 4180, section 2. */
char *quote_csv(const char *text)
{
	GString *out;

	if (!text[strcspn(text, ",\"\r\n")] && !g_ascii_isspace(text[0]))
		return g_strdup(text);
	out = g_string_new("\"");
	for (const char *p = text; *p; p++) {
		if (*p == '"')
			g_string_append_c(out, '"');
		g_string_append_c(out, *p);
	}
	g_string_append_c(out, '"');
	return g_string_free(out, FALSE);
}

char *quote_html(const char *text)
{
	return g_markup_escape_text(text, -1);
}

/* These characters stand only inside strings of a JSON document, where an escape means the same. */
char *quote_json_in_html(const char *json)
{
	GString *out = g_string_sized_new(strlen(json));

	for (const char *p = json; *p; p++) {
		if (strchr("<>&", *p))
			g_string_append_printf(out, "\\u%04x", (unsigned)*p);
		else
			g_string_append_c(out, *p);
	}
	return g_string_free(out, FALSE);
}

char *quote_shell(const char *word)
{
	return g_shell_quote(word);
}

char *quote_shell_line(char *const *words, GError **error)
{
	GString *line = g_string_new(NULL);

	for (char *const *w = words; *w; w++) {
		g_autofree char *quoted = quote_shell(*w);

		if (strpbrk(*w, "\r\n")) {
			g_autofree char *shown = quote_terminal(*w);

			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
				    "'%s' holds a line break, which a list of one command per line cannot",
				    shown);
			g_string_free(line, TRUE);
			return NULL;
		}
		g_string_append_printf(line, "%s%s", w == words ? "" : " ", quoted);
	}
	return g_string_free(line, FALSE);
}

char *quote_terminal(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *out = g_string_new(NULL);

	for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		g_string_append_unichar(out, g_unichar_iscntrl(c) && !strchr("\n\t", (int)c) ? '?' : c);
	}
	return g_string_free(out, FALSE);
}
