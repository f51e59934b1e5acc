/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes to standard error, and the last check of standard output. */
#include "cli.h"
#include "experiment/quote.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

int cli_fail(GError *error)
{
	int status = dmasim_error_status(error);
	g_autofree char *shown = quote_terminal(error->message);

	fprintf(stderr, "dmasim: %s\n", shown);
	g_error_free(error);
	return status;
}

int cli_usage(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (command)
		fprintf(stderr, "dmasim: %s: ", command);
	else
		fputs("dmasim: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	if (command)
		fprintf(stderr, "; see: dmasim %s --help\n", command);
	else
		fputs("; see: dmasim --help\n", stderr);
	return CLI_USAGE;
}

int cli_unknown(const char *command, const char *what, const char *word, const char *const *known, size_t n)
{
	const char *near = nearest_name(word, known, n);
	g_autoptr(GString) list = g_string_new(NULL);

	if (near)
		return cli_usage(command, "unknown %s '%s'; did you mean '%s'?", what, word, near);
	if (n > 30)
		return cli_usage(command, "unknown %s '%s'", what, word);
	for (size_t i = 0; i < n; i++)
		g_string_append_printf(list, "%s%s", i ? ", " : "", known[i]);
	return cli_usage(command, "unknown %s '%s' (want one of: %s)", what, word, list->str);
}

void cli_note(const struct cli_common *o, const char *format, ...)
{
	va_list args;

	if (o->quiet)
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* Whoever read our output has seen enough: `dmasim params | head` ends as any other program does. */
static bool reader_left(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

int cli_finish_output(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		if (reader_left()) {
			signal(SIGPIPE, SIG_DFL);
			raise(SIGPIPE);
		}
		fprintf(stderr, "dmasim: standard output could not be written: %s\n", g_strerror(errno));
		return CLI_OUTPUT;
	}
	return status;
}

int cli_print_json(json_t *doc)
{
	json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	fputc('\n', stdout);
	json_decref(doc);
	return cli_finish_output(CLI_OK);
}

bool cli_wants_colour(FILE *out)
{
	const char *term = g_getenv("TERM"), *no_colour = g_getenv("NO_COLOR");

	return isatty(fileno(out)) && term && strcmp(term, "dumb") && !(no_colour && *no_colour);
}
