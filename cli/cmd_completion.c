/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmasim completion: shell completion generated from the command, option, parameter and API tables.
 * The scripts carry all words in themselves, so completing runs nothing.
 */
#include "cli.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

static void print_list(char *const *words, const char *suffix)
{
	for (; *words; words++)
		printf("%s%s%s", *words, suffix ? suffix : "", words[1] ? " " : "");
}

static void print_words(const struct cli_words *w, const char *suffix)
{
	g_auto(GStrv) words = cli_words(w);

	print_list(words, suffix);
}

static bool are_files(const struct cli_words *w)
{
	return !w || (!w->add && !w->text);
}

/* Visit every option that command c takes, its own first. */
static void each_option(const struct cli_command *c, void (*fn)(const struct cli_option *o))
{
	const struct cli_option *tables[4];

	cli_options_tables(c, tables);
	for (const struct cli_option **t = tables; *t; t++)
		for (const struct cli_option *o = *t; o->name; o++)
			fn(o);
}

/* ---- bash ---- */

static void bash_name(const struct cli_option *o)
{
	printf("--%s ", o->name);
}

static void bash_values(const struct cli_option *o)
{
	if (o->type == CLI_FLAG)
		return;
	printf("    --%s", o->name);
	if (o->letter)
		printf("|-%c", o->letter);
	printf(") ");
	if (o->type == CLI_PATH)
		printf("COMPREPLY=($(compgen -f -- \"$cur\"))");
	else if (o->values == &cli_words_settings)
		printf(
		    "compopt -o nospace 2>/dev/null; COMPREPLY=($(compgen -S = -W \"$keys\" -- \"$cur\"))");
	else if (o->values) {
		printf("COMPREPLY=($(compgen -W '");
		print_words(o->values, NULL);
		printf("' -- \"$cur\"))");
	} else {
		printf(":");
	}
	printf("; return ;;\n");
}

static void bash_command(const struct cli_command *c)
{
	printf("  %s)\n    case $prev in\n", c->name);
	each_option(c, bash_values);
	printf("    esac\n    if [[ $cur == -* ]]; then\n      COMPREPLY=($(compgen -W '");
	each_option(c, bash_name);
	printf("--help' -- \"$cur\"))\n    else\n      COMPREPLY=($(compgen -W '");
	if (c->subcommands)
		print_list((char *const *)c->subcommands, NULL);
	printf("%s", c->subcommands ? " " : "");
	print_words(c->completes, NULL);
	printf("' -- \"$cur\")%s)\n    fi ;;\n", are_files(c->completes) ? " $(compgen -f -- \"$cur\")" : "");
}

static void bash(void)
{
	printf("# bash completion for dmasim; made by: dmasim completion bash\n"
	       "_dmasim() {\n"
	       "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
	       "command=${COMP_WORDS[1]}\n"
	       "  local keys='");
	print_words(&cli_words_settings, NULL);
	printf("'\n  COMPREPLY=()\n  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W '");
	print_words(&cli_words_commands, NULL);
	printf(" --help --version' -- \"$cur\")); return\n  fi\n  case $command in\n");
	for (const struct cli_command *const *c = cli_commands; *c; c++)
		bash_command(*c);
	printf("  help)\n    COMPREPLY=($(compgen -W '");
	print_words(&cli_words_commands, NULL);
	printf("' -- \"$cur\")) ;;\n  esac\n}\ncomplete -o filenames -F _dmasim dmasim\n");
}

/* ---- zsh ---- */

/* Text inside single quotes; inside a zsh 'spec[...]' brackets and colons are escaped too. */
static void quoted(const char *text, const char *escape)
{
	for (; *text; text++) {
		if (strchr(escape, *text))
			putchar('\\');
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	}
}

static void zsh_option(const struct cli_option *o)
{
	printf(" \\\n      '%s--%s%s[", o->type == CLI_LIST ? "*" : "", o->name,
	       o->type == CLI_FLAG ? "" : "=");
	quoted(o->help, "[]:");
	putchar(']');
	if (o->type == CLI_PATH) {
		printf(":%s:_files", o->arg);
	} else if (o->type != CLI_FLAG) {
		printf(":%s:(", o->arg ? o->arg : "value");
		if (o->values)
			print_words(o->values, o->values->suffix);
		putchar(')');
	}
	putchar('\'');
}

static void zsh_command(const struct cli_command *c)
{
	printf("    %s) _arguments", c->name);
	each_option(c, zsh_option);
	if (c->subcommands) {
		printf(" \\\n      '1:what:(");
		print_list((char *const *)c->subcommands, NULL);
		printf(")'");
	}
	if (are_files(c->completes)) {
		printf(" \\\n      '*:file:_files'");
	} else {
		printf(" \\\n      '*:name:(");
		print_words(c->completes, NULL);
		printf(")'");
	}
	printf(" ;;\n");
}

static void zsh(void)
{
	printf("#compdef dmasim\n# zsh completion for dmasim; made by: dmasim completion zsh\n"
	       "_dmasim() {\n  local -a commands\n  commands=(\n");
	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		printf("    '%s:", (*c)->name);
		quoted((*c)->help, "[]:");
		printf("'\n");
	}
	printf("  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
	       "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n");
	for (const struct cli_command *const *c = cli_commands; *c; c++)
		zsh_command(*c);
	printf("  esac\n}\n_dmasim \"$@\"\n");
}

/* ---- fish ---- */

static const char *fish_command; /* whose options are being printed */

static void fish_option(const struct cli_option *o)
{
	printf("complete -c dmasim -n '__fish_seen_subcommand_from %s' -l %s", fish_command, o->name);
	if (o->letter)
		printf(" -s %c", o->letter);
	if (o->type == CLI_PATH)
		printf(" -r -F");
	else if (o->type != CLI_FLAG) {
		printf(" -x");
		if (o->values) {
			printf(" -a '");
			print_words(o->values, o->values->suffix);
			putchar('\'');
		}
	}
	printf(" -d '");
	quoted(o->help, "\\");
	printf("'\n");
}

static void fish_arguments(const struct cli_command *c)
{
	if (c->subcommands) {
		printf("complete -c dmasim -n '__fish_seen_subcommand_from %s' -a '", c->name);
		print_list((char *const *)c->subcommands, NULL);
		printf("'\n");
	}
	printf("complete -c dmasim -n '__fish_seen_subcommand_from %s' ", c->name);
	if (are_files(c->completes)) {
		printf("-F\n");
		return;
	}
	printf("-f -a '");
	print_words(c->completes, NULL);
	printf("'\n");
}

static void fish(void)
{
	printf("# fish completion for dmasim; made by: dmasim completion fish\n"
	       "complete -c dmasim -n __fish_use_subcommand -f\n"
	       "complete -c dmasim -n __fish_use_subcommand -l version -d 'print the version'\n"
	       "complete -c dmasim -l help -d 'print help'\n");
	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		printf("complete -c dmasim -n __fish_use_subcommand -a %s -d '", (*c)->name);
		quoted((*c)->help, "\\");
		printf("'\n");
		fish_command = (*c)->name;
		each_option(*c, fish_option);
		fish_arguments(*c);
	}
}

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

static int run(void *options, int nargs, char **args)
{
	(void)options;
	if (nargs != 1)
		return cli_usage("completion", "one shell is wanted: bash, zsh or fish");
	if (!strcmp(args[0], "bash"))
		bash();
	else if (!strcmp(args[0], "zsh"))
		zsh();
	else if (!strcmp(args[0], "fish"))
		fish();
	else
		return cli_unknown("completion", "shell", args[0], shells, 3);
	return cli_finish_output(CLI_OK);
}

const struct cli_command cli_command_completion = {
    .name = "completion",
    .args = "bash|zsh|fish",
    .help = "print the completion script of a shell",
    .about = "Completes commands, options, parameters and their sections, statistics, APIs, modes, presets, "
	     "figures, trace formats and files. The installed package has the "
	     "scripts already.",
    .examples = "source <(dmasim completion bash)\tuse it in this shell",
    .group = CLI_GROUP_LEARN,
    .subcommands = shells,
    .run = run,
};
