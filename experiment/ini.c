/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of an .ini file: [section], key = value, comment lines (# or ;). GKeyFile reads the same
 * syntax but cannot say on which line a value stands, which every message of ours must.
 */
#include "internal.h"

#include <string.h>

static bool bad(const char *name, unsigned line, const char *text, GError **error)
{
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
		    "%s:%u: '%.60s' is neither [section], nor key = value, nor a comment (#)", name, line,
		    text);
	return false;
}

static bool scan_line(const char *name, char *text, unsigned line, char **section, ini_fn fn, void *arg,
		      GError **error)
{
	char *equals = strchr(text, '=');
	size_t len = strlen(text);

	if (*text == '[') {
		if (text[len - 1] != ']' || len < 3)
			return bad(name, line, text, error);
		g_free(*section);
		*section = g_strstrip(g_strndup(text + 1, len - 2));
		return fn(arg, *section, NULL, NULL, line, error);
	}
	if (!equals || equals == text)
		return bad(name, line, text, error);
	if (!*section) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "%s:%u: '%.60s' stands before the first [section]", name, line, text);
		return false;
	}
	*equals = '\0';
	return fn(arg, *section, g_strchomp(text), g_strchug(equals + 1), line, error);
}

bool ini_scan(const char *name, const char *text, ini_fn fn, void *arg, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *section = NULL;

	for (unsigned i = 0; lines[i]; i++) {
		bool mark = !i && g_str_has_prefix(lines[0], "\xef\xbb\xbf"); /* byte-order mark */
		char *line = g_strstrip(lines[i] + (mark ? 3 : 0));

		if (*line && *line != '#' && *line != ';' &&
		    !scan_line(name, line, i + 1, &section, fn, arg, error))
			return false;
	}
	return true;
}
