/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim releases: what differs between kernel releases, from the table of their facts. */
#include "introspect.h"

#include <jansson.h>
#include <string.h>

static char *value_text(const struct kernel_fact *f, unsigned v)
{
	return f->number ? g_strdup_printf("%u", v) : g_strdup(v ? "yes" : "no");
}

/* "no, 6.16 yes": the first row's value, then each release that changed it. */
static char *history(const struct kernel_fact *f)
{
	GString *text = g_string_new(NULL);
	unsigned last = 0;

	for (int i = 0; i < KERNEL_VERSIONS; i++) {
		unsigned v = kernel_fact_value(&kernel_profiles[i], f);
		g_autofree char *word = value_text(f, v);

		if (i && v == last)
			continue;
		if (i)
			g_string_append_printf(text, ", %s %s", kernel_profiles[i].name, word);
		else
			g_string_append(text, word);
		last = v;
	}
	return g_string_free(text, FALSE);
}

/* The facts themselves, without arguments. */
static int list_facts(struct cli_common *o)
{
	g_autoptr(GPtrArray)
	    cells = introspect_cells("fact", "from the oldest release on", "what it means", "basis", NULL);
	json_t *json = json_array();

	for (unsigned i = 0; i < kernel_nfacts; i++) {
		const struct kernel_fact *f = &kernel_facts[i];
		json_t *values = json_object(), *row = json_object();

		for (int k = 0; k < KERNEL_VERSIONS; k++) {
			unsigned v = kernel_fact_value(&kernel_profiles[k], f);

			json_object_set_new(values, kernel_profiles[k].name,
					    f->number ? json_integer(v) : json_boolean(v));
		}
		json_object_set_new(row, "name", json_string(f->name));
		json_object_set_new(row, "values", values);
		json_object_set_new(row, "help", json_string(f->help));
		json_object_set_new(row, "basis", json_string(f->basis));
		json_array_append_new(json, row);
		g_ptr_array_add(cells, g_strdup(f->name));
		g_ptr_array_add(cells, history(f));
		g_ptr_array_add(cells, g_strdup(f->help));
		g_ptr_array_add(cells, g_strdup(f->basis));
	}
	return introspect_print(o, json, cells, 4, 0, NULL);
}

/* What changed from one release to another: at each release between them that changed something. */
static int list_changes(struct cli_common *o, const struct kernel_profile *from,
			const struct kernel_profile *to)
{
	g_autoptr(GPtrArray)
	    cells = introspect_cells("in", "fact", "was", "is", "what it means", "basis", NULL);
	int step = from < to ? 1 : -1;
	json_t *json = json_array();

	for (const struct kernel_profile *k = from; k != to; k += step) {
		const struct kernel_profile *next = k + step;

		for (unsigned i = 0; i < kernel_nfacts; i++) {
			const struct kernel_fact *f = &kernel_facts[i];
			unsigned was = kernel_fact_value(k, f), is = kernel_fact_value(next, f);
			g_autofree char *before = value_text(f, was), *after = value_text(f, is);

			if (was == is)
				continue;
			json_array_append_new(json,
					      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "release",
							next->name, "name", f->name, "was", before, "is",
							after, "help", f->help, "basis", f->basis));
			g_ptr_array_add(cells, g_strdup(next->name));
			g_ptr_array_add(cells, g_strdup(f->name));
			g_ptr_array_add(cells, g_steal_pointer(&before));
			g_ptr_array_add(cells, g_steal_pointer(&after));
			g_ptr_array_add(cells, g_strdup(f->help));
			g_ptr_array_add(cells, g_strdup(f->basis));
		}
	}
	if (!json_array_size(json))
		cli_note(o, "%s and %s do not differ in anything that is modelled", from->name, to->name);
	return introspect_print(o, json, cells, 6, 0, NULL);
}

static const struct kernel_profile *release(const struct cli_common *o, const char *text, GError **error)
{
	g_autofree char *note = NULL;
	const struct kernel_profile *k = kernel_profile_for(text, &note, error);

	if (note)
		cli_note(o, "%s", note);
	return k;
}

static int run(void *options, int nargs, char **args)
{
	const struct kernel_profile *from, *to = NULL;
	struct cli_common *o = options;
	GError *error = NULL;

	if (nargs == 0)
		return list_facts(o);
	if (nargs > 2)
		return cli_usage("releases", "takes two releases at most ('%s')", args[2]);
	from = release(o, args[0], &error);
	if (from)
		to = nargs == 2 ? release(o, args[1], &error) : &kernel_profiles[KERNEL_VERSIONS - 1];
	if (!to) {
		g_prefix_error(&error, "releases: ");
		error->code = DMASIM_ERROR_USAGE;
		error->domain = DMASIM_ERROR;
		return cli_fail(error);
	}
	return list_changes(o, from, to);
}

const struct cli_command cli_command_releases = {
    .name = "releases",
    .args = "[FROM [TO]]",
    .help = "list what differs between kernel releases",
    .about = "Without argument: every fact of the table of releases, its values from the oldest release on, "
	     "what it "
	     "means and what it rests on. With one or two releases: what changes from the first to the "
	     "second (or to the "
	     "newest). A release without a row of its own is taken as the next lower one, and that is said.\n"
	     "Run a scenario on several releases with --set kernel.version=6.12,7.0,7.3; change one fact, as "
	     "a stable "
	     "backport does, with --set kernel.facts=NAME=VALUE.",
    .examples = "dmasim releases\tall facts\n"
		"dmasim releases 7.2 7.3\twhat an upgrade changes\n"
		"dmasim run scenarios/nvme-128k-scattered.ini --iommu lazy --api link --set "
		"kernel.version=7.0,7.2,7.3\twhat it does to a trace",
    .group = CLI_GROUP_LEARN,
    .run = run,
};
