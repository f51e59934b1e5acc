/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quoted text reads back as it was, in each language, whatever it holds. */
#include "support.h"

#include "experiment/quote.h"

#include <jansson.h>
#include <string.h>

static const char *const hostile[] = {
    "plain",
    "",
    "`touch x`",
    "$(touch x)",
    "'; system('touch x'); '",
    "''; system('touch x'); ''",
    "\"; system(\"touch x\"); \"",
    "back\\slash\\",
    "percent %s %n %%",
    "comma, and \"quotes\"",
    "two\nlines",
    "<!-- <script>alert(1)</script>",
    "a & b",
    "\033[2J",
    "{/:Bold x}_1^2@~&{}",
};

/* What gnuplot reads between double quotes; a backquote there would run a command. */
static char *read_double(const char *quoted)
{
	GString *out = g_string_new(NULL);
	size_t n = strlen(quoted);

	ck_assert(n >= 2 && quoted[0] == '"' && quoted[n - 1] == '"');
	for (size_t i = 1; i < n - 1; i++) {
		ck_assert_msg(!strchr("\"'`", quoted[i]) && !g_ascii_iscntrl(quoted[i]), "%s", quoted);
		if (quoted[i] == '\\') {
			g_autofree char *digits = g_strndup(quoted + i + 1, 3);

			g_string_append_c(out, (char)g_ascii_strtoull(digits, NULL, 8));
			i += 3;
		} else {
			g_string_append_c(out, quoted[i]);
		}
	}
	return g_string_free(out, FALSE);
}

START_TEST(gnuplot)
{
	g_autofree char *quoted = quote_gnuplot(hostile[_i]), *read = read_double(quoted);
	g_autofree char *flat = g_strdelimit(g_strdup(hostile[_i]), "\n\033", ' ');
	g_autofree char *tic = quote_gnuplot_tic(hostile[_i]),
			*enhanced = quote_gnuplot_enhanced(hostile[_i]);
	g_autofree char *read_tic = read_double(tic), *read_enhanced = read_double(enhanced);
	g_autoptr(GString) shown = g_string_new(NULL);

	ck_assert_str_eq(read, flat);
	for (const char *p = read_tic; *p; p++)
		ck_assert_msg(*p != '%' || *++p == '%', "%s is a format", read_tic);
	for (const char *p = read_enhanced; *p; p++) {
		ck_assert_ptr_null(strchr("{}_^@&~", *p));
		if (*p == '\\')
			p++;
		g_string_append_c(shown, *p);
	}
	ck_assert_str_eq(shown->str, flat);
}
END_TEST

START_TEST(csv)
{
	g_autofree char *quoted = quote_csv(hostile[_i]);
	g_autoptr(GString) read = g_string_new(NULL);

	if (quoted[0] != '"') {
		ck_assert_str_eq(quoted, hostile[_i]);
		ck_assert_ptr_null(strpbrk(quoted, ",\"\n\r"));
		return;
	}
	for (size_t i = 1; i < strlen(quoted) - 1; i++) {
		if (quoted[i] == '"')
			ck_assert_int_eq(quoted[++i], '"');
		g_string_append_c(read, quoted[i]);
	}
	ck_assert_str_eq(read->str, hostile[_i]);
}
END_TEST

START_TEST(json_in_html)
{
	json_t *doc = json_pack("{s:s}", "name", hostile[_i]), *read;
	char *dump = json_dumps(doc, 0);
	g_autofree char *quoted = quote_json_in_html(dump), *html = quote_html(hostile[_i]);

	ck_assert_ptr_null(strpbrk(quoted, "<>&"));
	ck_assert_ptr_null(strpbrk(html, "<>\"'"));
	read = json_loads(quoted, 0, NULL);
	ck_assert(json_equal(doc, read));
	json_decref(read);
	json_decref(doc);
	free(dump);
}
END_TEST

START_TEST(shell)
{
	char *words[] = {(char *)"echo", (char *)hostile[_i], NULL};
	g_autoptr(GError) error = NULL;
	g_autofree char *line = quote_shell_line(words, &error);
	g_auto(GStrv) read = NULL;
	int n;

	if (strchr(hostile[_i], '\n')) {
		ck_assert_ptr_null(line);
		ck_assert_ptr_nonnull(strstr(error->message, "line break"));
		return;
	}
	ck_assert(g_shell_parse_argv(line, &n, &read, NULL));
	ck_assert_int_eq(n, 2);
	ck_assert_str_eq(read[1], hostile[_i]);
}
END_TEST

START_TEST(terminal)
{
	g_autofree char *clean = quote_terminal("a\033[31mb\x9b\tc\nd\x7f");

	ck_assert_ptr_null(strpbrk(clean, "\033\x7f"));
	ck_assert_ptr_nonnull(strstr(clean, "\tc\nd?"));
	ck_assert(g_utf8_validate(clean, -1, NULL));
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("quote");

	tcase_add_loop_test(t, gnuplot, 0, G_N_ELEMENTS(hostile));
	tcase_add_loop_test(t, csv, 0, G_N_ELEMENTS(hostile));
	tcase_add_loop_test(t, json_in_html, 0, G_N_ELEMENTS(hostile));
	tcase_add_loop_test(t, shell, 0, G_N_ELEMENTS(hostile));
	tcase_add_test(t, terminal);
	return test_run("quote", t, NULL);
}
