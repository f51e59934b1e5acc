/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entry point: finds the command, reads its options, runs it. */
#include "cli.h"
#include "options.h"

#include <jansson.h>
#include <locale.h>
#include <string.h>

volatile sig_atomic_t cli_interrupted;

static void on_signal(int signum)
{
	cli_interrupted = signum;
}

void cli_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* A parent that ignores it passes that on, and then nobody could tell how a child ended. */
	signal(SIGCHLD, SIG_DFL);
	/* A closed pipe or a full quota is an output error with a message, not a silent death. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

const struct cli_command *cli_command_find(const char *name)
{
	for (const struct cli_command *const *c = cli_commands; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

static int unknown_command(const char *word)
{
	const char *names[64];
	size_t n = 0;

	for (const struct cli_command *const *c = cli_commands; *c && n < G_N_ELEMENTS(names); c++)
		names[n++] = (*c)->name;
	return cli_unknown(NULL, "command", word, names, n);
}

int cli_run_command(const struct cli_command *command, int argc, char **argv)
{
	g_autofree void *options = g_malloc0(MAX(command->options_size, sizeof(struct cli_common)));
	g_autoptr(GPtrArray) args = g_ptr_array_new();
	GError *error = NULL;
	bool help = false;
	int status;

	if (!cli_options_parse(command, options, argc, argv, args, &help, &error)) {
		status = cli_fail(error);
	} else if (help) {
		cli_print_help(stdout, command);
		status = cli_finish_output(CLI_OK);
	} else {
		g_ptr_array_add(args, NULL);
		status = command->run(options, (int)args->len - 1, (char **)args->pdata);
	}
	cli_options_clear(command, options);
	return status;
}

static int help_on(const char *word)
{
	const struct cli_command *command = cli_command_find(word);

	if (!command)
		return unknown_command(word);
	cli_print_help(stdout, command);
	return cli_finish_output(CLI_OK);
}

int main(int argc, char **argv)
{
	const struct cli_command *command;

	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C"); /* files and tables read the same everywhere */
	cli_catch_signals();
	json_set_alloc_funcs(
	    g_malloc, g_free); /* no memory ends the program, as everywhere: no document lacks a part */
	if (argc < 2) {
		cli_print_overview(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("dmasim %s\n", dmasim_version());
		return cli_finish_output(CLI_OK);
	}
	if (!strcmp(argv[1], "help") && argc > 2)
		return help_on(argv[2]);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		cli_print_overview(stdout);
		return cli_finish_output(CLI_OK);
	}
	command = cli_command_find(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	return cli_run_command(command, argc - 2, argv + 2);
}
