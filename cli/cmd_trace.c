/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim trace info|convert|generate|validate */
#include "cli.h"
#include "introspect.h"

#include "trace/trace_info.h"
#include <jansson.h>
#include <string.h>

struct trace_cli {
	struct cli_common common;
	char *format, *columns, *device, *member, *scale, *out, *as;
	int seed;
	gboolean strict, queue;
};

static const char *const subcommands[] = {"convert", "generate", "info", "validate", NULL};
#define CHECK_EVERY 4096 /* records between two looks at Ctrl-C */

static bool read_options(const struct trace_cli *o, struct trace_options *t, GError **error)
{
	char *end;

	*t = TRACE_OPTIONS_DEFAULT;
	t->format = o->format;
	t->columns = o->columns;
	t->device = o->device;
	t->member = o->member;
	t->strict = o->strict;
	t->queue_events = o->queue;
	t->calls = o->as && !strcmp(o->as, trace_workload_names[TRACE_DMA]);
	if (o->as && !t->calls) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "--as wants dma_replay (a recording's mapping calls), found \"%s\"", o->as);
		return false;
	}
	if (!o->scale)
		return true;
	t->time_scale = g_ascii_strtod(o->scale, &end);
	if (end != o->scale && !*end && t->time_scale > 0)
		return true;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
		    "--time-scale wants a number above 0, found \"%s\"", o->scale);
	return false;
}

static json_t *counts_json(const struct trace_reader *r)
{
	const struct trace_counts *c = trace_counts(r);
	json_t *bad = json_object(), *skipped = json_object();

	for (unsigned i = 0; i < TRACE_BAD_KINDS; i++)
		json_object_set_new(bad, trace_bad_names[i], json_integer((json_int_t)c->bad[i]));
	for (unsigned i = 0; i < TRACE_SKIP_KINDS; i++)
		json_object_set_new(skipped, trace_skip_names[i], json_integer((json_int_t)c->skipped[i]));
	return json_pack("{s:I,s:I,s:I,s:I,s:o,s:o,s:s?}", "out_of_order", (json_int_t)c->out_of_order,
			 "incomplete", (json_int_t)c->incomplete, "lost_events", (json_int_t)c->lost,
			 "without_vectors", (json_int_t)c->no_vectors, "bad", bad, "left_out", skipped,
			 "first_bad", trace_first_bad(r));
}

/* One line per leaf, names joined by dots. */
static void flatten(json_t *v, const char *name, GPtrArray *cells)
{
	const char *key;
	json_t *child;

	if (json_is_object(v)) {
		json_object_foreach (v, key, child) {
			g_autofree char *path = *name ? g_strdup_printf("%s.%s", name, key) : g_strdup(key);

			flatten(child, path, cells);
		}
		return;
	}
	g_ptr_array_add(cells, g_strdup(name));
	if (json_is_string(v)) {
		g_ptr_array_add(cells, g_strdup(json_string_value(v)));
	} else if (json_is_real(v)) {
		g_ptr_array_add(cells, g_strdup_printf("%.6g", json_real_value(v)));
	} else {
		char *text = json_is_null(v) ? NULL : json_dumps(v, JSON_ENCODE_ANY);

		g_ptr_array_add(cells, g_strdup(text ? text : "-"));
		free(text);
	}
}

/* Read path to its end into a description. NULL with *error. */
static json_t *describe(const char *path, const struct trace_options *t, GError **error)
{
	struct trace_reader *r = trace_open(path, t, error);
	struct trace_info *info;
	struct trace_record rec;
	json_t *doc = NULL;
	uint64_t n = 0;
	int rc;

	if (!r)
		return NULL;
	info = trace_info_new(trace_reader_workload(r));
	while ((rc = trace_next(r, &rec, error)) == 1) {
		trace_info_add(info, &rec);
		if (++n % CHECK_EVERY == 0 && cli_interrupted) {
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INTERRUPTED, "interrupted");
			rc = -1;
			break;
		}
	}
	if (rc == 0) {
		json_t *about = trace_info_json(info);

		doc = json_pack("{s:s,s:s,s:s,s:s?,s:s}", "trace", path, "format",
				trace_reader_format(r)->name, "about", trace_reader_format(r)->help, "note",
				trace_reader_format(r)->note, "sha256", trace_sha256(r));
		json_object_update(doc, about);
		json_decref(about);
		json_object_set_new(doc, "reading", counts_json(r));
	}
	trace_info_free(info);
	trace_close(r);
	return doc;
}

static int info(const struct trace_cli *o, const struct trace_options *t, int nargs, char **args)
{
	json_t *list = json_array();
	GError *error = NULL;

	for (int i = 0; i < nargs; i++) {
		json_t *doc = describe(args[i], t, &error);

		if (!doc) {
			json_decref(list);
			return cli_fail(error);
		}
		json_array_append_new(list, doc);
	}
	if (o->common.json)
		return cli_print_json(nargs == 1 ? json_incref(json_array_get(list, 0)) : list);
	for (int i = 0; i < nargs; i++) {
		g_autoptr(GPtrArray) cells = introspect_cells("what", "value", NULL);

		flatten(json_array_get(list, (size_t)i), "", cells);
		cli_print_columns(stdout, (char *const *)cells->pdata, 2, cells->len / 2, 0);
	}
	json_decref(list);
	return cli_finish_output(CLI_OK);
}

/* validate: read everything strictly, say what was found; errors are the reader's. */
static int validate(const struct trace_cli *o, struct trace_options *t, int nargs, char **args)
{
	json_t *list = json_array();
	int status = CLI_OK;

	t->strict = true;
	for (int i = 0; i < nargs; i++) {
		GError *error = NULL;
		json_t *doc = describe(args[i], t, &error);

		if (!doc) {
			json_decref(list);
			return cli_fail(error);
		}
		if (!o->common.json && !o->common.quiet)
			printf("%s: ok, %" JSON_INTEGER_FORMAT " %s records (%s)\n", args[i],
			       json_integer_value(json_object_get(doc, "records")),
			       json_string_value(json_object_get(doc, "workload")),
			       json_string_value(json_object_get(doc, "format")));
		json_array_append_new(list, doc);
	}
	if (o->common.json)
		return cli_print_json(list);
	json_decref(list);
	return cli_finish_output(status);
}

/* Write all records of r to path. Takes r. */
static int copy(struct trace_reader *r, const char *path, const struct trace_cli *o)
{
	struct trace_writer *w;
	struct trace_record rec;
	GError *error = NULL;
	uint64_t n = 0;
	int rc;

	w = trace_writer_open(path, trace_reader_workload(r), &error);
	if (!w) {
		trace_close(r);
		return cli_fail(error);
	}
	while ((rc = trace_next(r, &rec, &error)) == 1) {
		if (!trace_write(w, &rec, trace_device_name(r, rec.device), &error)) {
			rc = -1;
			break;
		}
		if (++n % CHECK_EVERY == 0 && cli_interrupted) {
			g_set_error(&error, DMASIM_ERROR, DMASIM_ERROR_INTERRUPTED,
				    "interrupted, nothing was written");
			rc = -1;
			break;
		}
	}
	if (rc < 0)
		trace_writer_abandon(w);
	else if (!trace_writer_close(w, &error))
		rc = -1;
	if (rc == 0)
		cli_note(&o->common, "%s: %" G_GUINT64_FORMAT " %s records", path, n,
			 trace_workload_names[trace_reader_workload(r)]);
	trace_close(r);
	return rc < 0 ? cli_fail(error) : CLI_OK;
}

static int convert(const struct trace_cli *o, const struct trace_options *t, int nargs, char **args)
{
	GError *error = NULL;
	struct trace_reader *r;

	if (nargs + (o->out != NULL) != 2)
		return cli_usage(
		    "trace", "convert wants an input and an output (.csv or .dmt, - for standard output)");
	r = trace_open(args[0], t, &error);
	return r ? copy(r, o->out ? o->out : args[1], o) : cli_fail(error);
}

/* Without a name: what there is. */
static int list_generators(const struct trace_cli *o)
{
	g_autoptr(GPtrArray) cells = introspect_cells("name", "default", "what it is", NULL);
	json_t *doc = json_object(), *generators = json_object(), *named = json_object();
	const struct trace_preset *p;
	unsigned n;

	for (const struct trace_generator *const *g = trace_generators(); *g; g++) {
		json_t *keys = json_object();

		g_ptr_array_add(cells, g_strdup((*g)->name));
		g_ptr_array_add(cells, g_strdup("-"));
		g_ptr_array_add(cells, g_strdup((*g)->help));
		for (size_t i = 0; i < (*g)->params->nspecs; i++) {
			const struct param_spec *s = &(*g)->params->specs[i];

			g_ptr_array_add(cells, g_strdup_printf("  %s", s->name));
			g_ptr_array_add(cells, g_strdup(s->def));
			g_ptr_array_add(cells, g_strdup(s->help));
			json_object_set_new(keys, s->name,
					    json_pack("{s:s,s:s}", "default", s->def, "help", s->help));
		}
		json_object_set_new(generators, (*g)->name, keys);
	}
	p = trace_presets(&n);
	for (unsigned i = 0; i < n; i++) {
		g_ptr_array_add(cells, g_strdup(p[i].name));
		g_ptr_array_add(cells, g_strdup(p[i].generator));
		g_ptr_array_add(cells, g_strdup(p[i].help));
		json_object_set_new(named, p[i].name,
				    json_pack("{s:s,s:s,s:s}", "generator", p[i].generator, "help", p[i].help,
					      "settings", p[i].settings));
	}
	json_object_set_new(doc, "generators", generators);
	json_object_set_new(doc, "presets", named);
	if (o->common.json)
		return cli_print_json(doc);
	json_decref(doc);
	cli_print_columns(stdout, (char *const *)cells->pdata, 3, cells->len / 3, 0);
	return cli_finish_output(CLI_OK);
}

static int generate(const struct trace_cli *o, int nargs, char **args)
{
	const struct trace_preset *preset;
	const struct trace_generator *g;
	struct trace_reader *r = NULL;
	GError *error = NULL;
	bool ok = true;
	void *params;

	if (nargs == 0)
		return list_generators(o);
	preset = trace_preset_find(args[0]);
	g = trace_generator_find(preset ? preset->generator : args[0]);
	if (!g) {
		static const char *known[64];
		unsigned n, k = 0;
		const struct trace_preset *p = trace_presets(&n);

		for (const struct trace_generator *const *i = trace_generators(); *i; i++)
			known[k++] = (*i)->name;
		for (unsigned i = 0; i < n && k < G_N_ELEMENTS(known); i++)
			known[k++] = p[i].name;
		return cli_unknown("trace", "generator", args[0], known, k);
	}
	params = g_malloc0(g->params->struct_size);
	param_defaults(g->params, params);
	if (preset)
		ok = trace_preset_apply(preset, params, &error);
	for (int i = 1; ok && i < nargs; i++)
		ok = trace_generator_set(g, params, args[i], &error);
	if (ok)
		r = trace_generate(g, params, (uint64_t)o->seed, &error);
	param_clear(g->params, params);
	g_free(params);
	return r ? copy(r, o->out ? o->out : "-", o) : cli_fail(error);
}

static int run(void *options, int nargs, char **args)
{
	struct trace_cli *o = options;
	struct trace_options t;
	GError *error = NULL;

	if (nargs < 1)
		return cli_usage("trace", "wants info, convert, generate or validate");
	if (!read_options(o, &t, &error))
		return cli_fail(error);
	if (!strcmp(args[0], "generate"))
		return generate(o, nargs - 1, args + 1);
	if (!strcmp(args[0], "convert"))
		return convert(o, &t, nargs - 1, args + 1);
	if (strcmp(args[0], "info") && strcmp(args[0], "validate"))
		return cli_unknown("trace", "subcommand", args[0], subcommands, 4);
	if (nargs < 2)
		return cli_usage("trace", "%s wants a trace file, or - for standard input", args[0]);
	return strcmp(args[0], "info") ? validate(o, &t, nargs - 1, args + 1)
				       : info(o, &t, nargs - 1, args + 1);
}

#define O(member) offsetof(struct trace_cli, member)
static const struct cli_option options[] = {
    {"out", 'o', CLI_PATH, O(out), "FILE",
     "convert, generate: where to write; .dmt is binary, anything else text, .gz .xz .zst .bz2 compress",
     NULL},
    {"seed", 0, CLI_NUMBER, O(seed), "N", "generate: random seed (0)", NULL},
    {"format", 0, CLI_STRING, O(format), "NAME", "force a trace format (else: found by content)",
     &cli_words_formats},
    {"as", 0, CLI_STRING, O(as), "WORKLOAD",
     "dma_replay: read a recording (ftrace text, trace.dat) as its mapping calls, not as block requests",
     &cli_words_inputs},
    {"columns", 0, CLI_STRING, O(columns), "ROLE=COLUMN,...",
     "what the columns of a text are, e.g. time=1:us,op=2,offset=3:sectors,size=4", NULL},
    {"device", 0, CLI_STRING, O(device), "NAME", "keep only this device's records", NULL},
    {"member", 0, CLI_STRING, O(member), "GLOB", "tar archives: which files in it to read", NULL},
    {"time-scale", 0, CLI_STRING, O(scale), "X", "multiply all times (2: half as fast)", NULL},
    {"queue-events", 0, CLI_FLAG, O(queue), NULL, "blktrace: when requests were queued (Q), not issued (D)",
     NULL},
    {"strict", 0, CLI_FLAG, O(strict), NULL, "stop at the first bad record instead of counting up to 1 %",
     NULL},
    {0},
};

const struct cli_command cli_command_trace = {
    .name = "trace",
    .args = "info TRACE... | convert IN OUT | generate NAME [KEY=VALUE...] | validate TRACE...",
    .help = "look at traces, convert them into the native form, make synthetic ones, check them",
    .about = "info reads a trace once and prints what matters before a run: duration, rate, sizes, "
	     "alignment, read "
	     "share, footprint, reuse distance, gaps, vectors. convert turns any format into the native text "
	     "or binary "
	     "form. generate writes a synthetic trace of a generator or of one of its presets; without a "
	     "name it lists "
	     "them with their keys. validate reads strictly: the first bad record ends it with status 3 and "
	     "its place.",
    .examples =
	"dmasim trace info fio.log\twhat is in it\n"
	"dmasim trace convert nvme.trace.xz nvme.dmt\tload at disk speed later\n"
	"dmasim trace generate rand4k requests=100000 -o r.csv.zst\ta preset with one key changed\n"
	"dmasim trace generate nvme sizes=4KiB:3,64KiB:1 pattern=zipf | dmasim replay -\tstraight into a run",
    .group = CLI_GROUP_INPUT,
    .options = options,
    .options_size = sizeof(struct trace_cli),
    .subcommands = subcommands,
    .completes = &cli_words_files,
    .run = run,
};
