/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmasim completion: shell completion generated from the command, option, parameter and API tables.
 * The scripts carry all words in themselves, so completing runs nothing.
 */
#include "cli.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

static void print_words(const char *const *words, const char *separator)
{
	for (; *words; words++)
		printf("%s%s", *words, words[1] ? separator : "");
}

static void print_apis(void)
{
	for (const struct dma_api *const *a = dma_apis; *a; a++)
		printf("%s%s", (*a)->name, a[1] ? " " : "");
}

static void print_keys(const char *suffix)
{
	bool first = true;

	for (const struct param_table *const *t = param_tables; *t; t++)
		for (size_t i = 0; i < (*t)->nspecs; i++) {
			printf("%s%s.%s%s", first ? "" : " ", (*t)->section, (*t)->specs[i].name, suffix);
			first = false;
		}
}

static void print_commands(void)
{
	for (const struct cli_command *const *c = cli_commands; *c; c++)
		printf("%s%s", (*c)->name, c[1] ? " " : "");
}

static void print_options(const struct cli_command *c)
{
	const struct cli_option *tables[4];

	cli_options_tables(c, tables);
	for (const struct cli_option **t = tables; *t; t++)
		for (const struct cli_option *o = *t; o->name; o++)
			printf("--%s ", o->name);
	printf("--help");
}

/* Words for an option's value or a command's arguments; "" means files. */
static void print_values(const char *what)
{
	if (!what || !strcmp(what, "@files") || !strcmp(what, "@scenarios"))
		return;
	if (!strcmp(what, "@apis"))
		print_apis();
	else if (!strcmp(what, "@modes"))
		print_words(iommu_mode_names, " ");
	else if (!strcmp(what, "@keys"))
		print_keys("");
	else if (!strcmp(what, "@commands"))
		print_commands();
	else
		printf("%s", what);
}

static void bash_option_values(const struct cli_option *table)
{
	for (const struct cli_option *o = table; o->name; o++) {
		if (o->type == CLI_FLAG)
			continue;
		printf("    --%s", o->name);
		if (o->letter)
			printf("|-%c", o->letter);
		printf(") ");
		if (o->type == CLI_PATH) {
			printf("COMPREPLY=($(compgen -f -- \"$cur\"))");
		} else if (o->values && !strcmp(o->values, "@keys")) {
			printf("compopt -o nospace 2>/dev/null; COMPREPLY=($(compgen -S = -W \"$keys\" -- "
			       "\"$cur\"))");
		} else {
			printf("COMPREPLY=($(compgen -W '");
			print_values(o->values);
			printf("' -- \"$cur\"))");
		}
		printf("; return ;;\n");
	}
}

static void bash(void)
{
	printf("# bash completion for dmasim; made by: dmasim completion bash\n"
	       "_dmasim() {\n"
	       "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
	       "command=${COMP_WORDS[1]}\n"
	       "  local keys='");
	print_keys("");
	printf("'\n  COMPREPLY=()\n  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W '");
	print_commands();
	printf(" --help --version' -- \"$cur\")); return\n  fi\n  case $prev in\n");
	bash_option_values(cli_run_options);
	printf("  esac\n  case $command in\n");
	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		printf("  %s)\n    case $prev in\n", (*c)->name);
		if ((*c)->options)
			bash_option_values((*c)->options);
		printf("    esac\n    if [[ $cur == -* ]]; then\n      COMPREPLY=($(compgen -W '");
		print_options(*c);
		printf("' -- \"$cur\"))\n    else\n      COMPREPLY=($(compgen -W '");
		if ((*c)->subcommands) {
			print_words((*c)->subcommands, " ");
			printf(" ");
		}
		print_values((*c)->completes);
		printf("' -- \"$cur\") $(compgen -f -- \"$cur\"))\n    fi ;;\n");
	}
	printf("  help)\n    COMPREPLY=($(compgen -W '");
	print_commands();
	printf("' -- \"$cur\")) ;;\n  esac\n}\ncomplete -o filenames -F _dmasim dmasim\n");
}

/* Text inside a zsh 'spec[...]' : brackets, colons and quotes escaped. */
static void zsh_text(const char *text)
{
	for (; *text; text++) {
		if (strchr("[]:", *text))
			putchar('\\');
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	}
}

static void zsh_options(const struct cli_option *table)
{
	for (const struct cli_option *o = table; o->name; o++) {
		printf(" \\\n      '%s--%s%s[", o->type == CLI_LIST ? "*" : "", o->name,
		       o->type == CLI_FLAG ? "" : "=");
		zsh_text(o->help);
		putchar(']');
		if (o->type == CLI_PATH) {
			printf(":%s:_files", o->arg);
		} else if (o->type != CLI_FLAG) {
			printf(":%s:(", o->arg ? o->arg : "value");
			if (o->values && !strcmp(o->values, "@keys"))
				print_keys("=");
			else
				print_values(o->values);
			putchar(')');
		}
		putchar('\'');
	}
}

static void zsh(void)
{
	printf("#compdef dmasim\n# zsh completion for dmasim; made by: dmasim completion zsh\n"
	       "_dmasim() {\n  local -a commands\n  commands=(\n");
	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		printf("    '%s:", (*c)->name);
		zsh_text((*c)->help);
		printf("'\n");
	}
	printf("  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
	       "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n");
	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		printf("    %s) _arguments", (*c)->name);
		if ((*c)->options)
			zsh_options((*c)->options);
		if ((*c)->run_options)
			zsh_options(cli_run_options);
		zsh_options(cli_common_options);
		if ((*c)->subcommands) {
			printf(" \\\n      '1:what:(");
			print_words((*c)->subcommands, " ");
			printf(")'");
		}
		if ((*c)->completes && strcmp((*c)->completes, "@files") &&
		    strcmp((*c)->completes, "@scenarios")) {
			printf(" \\\n      '*:name:(");
			print_values((*c)->completes);
			printf(")'");
		} else {
			printf(" \\\n      '*:file:_files'");
		}
		printf(" ;;\n");
	}
	printf("  esac\n}\n_dmasim \"$@\"\n");
}

static const char *const shells[] = {"bash", "zsh", NULL};

static int run(void *options, int nargs, char **args)
{
	(void)options;
	if (nargs != 1)
		return cli_usage("completion", "one shell is wanted: bash or zsh");
	if (!strcmp(args[0], "bash"))
		bash();
	else if (!strcmp(args[0], "zsh"))
		zsh();
	else
		return cli_unknown("completion", "shell", args[0], shells, 2);
	return cli_finish_output(CLI_OK);
}

const struct cli_command cli_command_completion = {
    .name = "completion",
    .args = "bash|zsh",
    .help = "print the completion script of a shell",
    .about =
	"Completes commands, options, APIs, modes, parameter names and files. The installed package has the "
	"scripts already.",
    .examples = "source <(dmasim completion bash)\tuse it in this shell",
    .group = CLI_GROUP_LEARN,
    .subcommands = shells,
    .run = run,
};
