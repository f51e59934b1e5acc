/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim validate: the published measurements against the model. */
#include "cli.h"

#include "experiment/validate/validate.h"
#include <jansson.h>
#include <math.h>
#include <string.h>

struct validate_cli_options {
	struct cli_common common;
	char *only, *figures, *write;
	gboolean sensitivity, list;
	char **set;
};

static void progress(void *arg, const char *block)
{
	cli_note(arg, "block %s", block);
}

static const char *verdict(const struct validate_point *p)
{
	if (p->verdict == VALIDATE_SHOWN)
		return p->fitted ? "fitted" : "shown";
	return p->verdict == VALIDATE_PASS ? "PASS" : "FAIL";
}

static void print_block(const struct validate_block *b)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	static const char *const heading[] = {"curve", "point",     "model",  "measured",
					      "error", "tolerance", "verdict"};

	printf("\n%s: %s [%s]\n%s\nsetup: %s\n", b->id, b->title, b->unit, b->source, b->setup);
	for (unsigned i = 0; i < G_N_ELEMENTS(heading); i++)
		g_ptr_array_add(cells, g_strdup(heading[i]));
	for (unsigned i = 0; i < b->points->len; i++) {
		const struct validate_point *p = &g_array_index(b->points, struct validate_point, i);

		g_ptr_array_add(cells, g_strdup(p->curve));
		g_ptr_array_add(cells, g_strdup(p->label));
		g_ptr_array_add(cells, g_strdup_printf("%.4g", p->model));
		g_ptr_array_add(cells, g_strdup_printf("%.4g", p->measured));
		g_ptr_array_add(cells, fabs(p->measured) > 0
					   ? g_strdup_printf("%+.1f %%", 100 * (p->model / p->measured - 1))
					   : g_strdup("-"));
		g_ptr_array_add(cells, p->tolerance > 0 ? g_strdup_printf("%.*f %%", p->tolerance < 0.01,
									  100 * p->tolerance)
							: g_strdup("-"));
		g_ptr_array_add(cells, g_strdup(verdict(p)));
	}
	cli_print_columns(stdout, (char *const *)cells->pdata, G_N_ELEMENTS(heading), b->points->len + 1,
			  0x3c);
}

static int write_text(const char *path, char *text)
{
	GError *error = NULL;
	bool ok = output_write_file(path, text, strlen(text), &error);

	g_free(text);
	return ok ? CLI_OK : cli_fail(error);
}

static int print_effects(const struct validate_cli_options *o, const struct validate_options *v)
{
	GError *error = NULL;
	GPtrArray *effects = validate_sensitivity(v, &error);
	g_autofree char *text = NULL;

	if (!effects)
		return cli_fail(error);
	text = validate_sensitivity_markdown(effects);
	g_ptr_array_unref(effects);
	if (o->write)
		return write_text(o->write, g_steal_pointer(&text));
	fputs(text, stdout);
	return cli_finish_output(CLI_OK);
}

static int print_blocks(const struct validate_cli_options *o, GPtrArray *blocks)
{
	unsigned judged, bad, failed = validate_failures(blocks, &judged, &bad);
	int status = failed ? CLI_FAILED : CLI_OK;

	if (o->common.json) {
		int printed = cli_print_json(validate_json(blocks));

		return printed == CLI_OK ? status : printed;
	}
	for (unsigned i = 0; i < blocks->len; i++)
		print_block(blocks->pdata[i]);
	printf("\n%u of %u judged points within tolerance, %u of %u blocks PASS\n", judged - failed, judged,
	       blocks->len - bad, blocks->len);
	return cli_finish_output(status);
}

static int run(void *options, int nargs, char **args)
{
	struct validate_cli_options *o = options;
	struct validate_options v = {
	    .only = o->only, .set = o->set, .stop = &cli_interrupted, .progress_arg = &o->common};
	g_auto(GStrv) ids = validate_ids();
	GError *error = NULL;
	GPtrArray *blocks;
	int status;

	if (nargs)
		return cli_usage("validate", "takes no argument: '%s'", args[0]);
	if (o->only && !g_strv_contains((const char *const *)ids, o->only))
		return cli_unknown("validate", "block", o->only, (const char *const *)ids,
				   g_strv_length(ids));
	if (o->common.verbose)
		v.progress = progress;
	if (o->sensitivity)
		return print_effects(o, &v);
	blocks = validate_run(&v, &error);
	if (!blocks)
		return cli_interrupted ? CLI_INTERRUPTED : cli_fail(error);
	status = print_blocks(o, blocks);
	if ((status == CLI_OK || status == CLI_FAILED) && o->write) {
		int written = write_text(o->write, validate_markdown(blocks));

		status = written == CLI_OK ? status : written;
	}
	if ((status == CLI_OK || status == CLI_FAILED) && o->figures &&
	    !validate_figures(blocks, o->figures, &error))
		status = cli_fail(error);
	g_ptr_array_unref(blocks);
	return status;
}

#define O(member) offsetof(struct validate_cli_options, member)
static const struct cli_option options[] = {
    {"only", 0, CLI_STRING, O(only), "BLOCK", "run one block (P1, P3, ...)", &cli_words_studies},
    {"write", 0, CLI_PATH, O(write), "FILE", "write the tables as Markdown (docs/validation.md)", NULL},
    {"figures", 0, CLI_PATH, O(figures), "DIR", "write data files and figures, model and measurement", NULL},
    {"sensitivity", 0, CLI_FLAG, O(sensitivity), NULL,
     "vary each low-confidence constant over its range and say which conclusions change", NULL},
    {"set", 0, CLI_LIST, O(set), "KEY=VALUE", "set a parameter in every run", &cli_words_settings},
    {0},
};

const struct cli_command cli_command_validate = {
    .name = "validate",
    .args = "",
    .help = "run the published measurements against the model, PASS or FAIL per point",
    .about =
	"Every block is one published result with its own setup (machine, sizes, threads); all come from one "
	"set of presets. Model, measurement, error and tolerance are printed for each point. Points that a "
	"constant was fitted on are marked and not judged. Exit status 1 when a judged point is out of "
	"tolerance.",
    .examples = "dmasim validate --only P1\tDMA read latency against the buffer window\n"
		"dmasim validate --write docs/validation.md\tall blocks, as a document",
    .group = CLI_GROUP_RESULT,
    .options = options,
    .options_size = sizeof(struct validate_cli_options),
    .run = run,
};
