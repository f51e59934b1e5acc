/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hash that names a result before it exists: effective scenario, inputs, version. */
#include "scenario.h"

#include "trace/digest.h"

#include <stdio.h>
#include <string.h>

static void add_value(const char *name, const char *text, const char *origin, const struct param_spec *spec,
		      void *arg)
{
	GChecksum *sum = arg;

	(void)origin;
	(void)spec;
	/* How a result is called does not change it; where its input lies does not either. */
	if (!strcmp(name, "scenario.name") || !strcmp(name, "scenario.description") ||
	    !strcmp(name, "scenario.preset") || !strcmp(name, "workload.trace") ||
	    !strcmp(name, "workload.sha256"))
		return;
	g_checksum_update(sum, (const guchar *)name, (gssize)strlen(name) + 1);
	g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text) + 1);
}

char *file_sha256(const char *path, GError **error)
{
	g_autofree guchar *buffer = g_malloc(MIB);
	struct digest *sum;
	FILE *f;
	size_t n;

	if (!strcmp(path, "-")) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "standard input cannot be read once per point; write it to a file first");
		return NULL;
	}
	f = fopen(path, "re");
	if (!f) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT, "%s: %s", path, g_strerror(errno));
		return NULL;
	}
	sum = digest_new();
	while ((n = fread(buffer, 1, MIB, f)) > 0)
		digest_add(sum, buffer, n);
	fclose(f);
	return digest_finish(sum);
}

char *scenario_hash_with(const struct scenario *s, char *const *input_sums)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	g_checksum_update(sum, (const guchar *)dmasim_version(), (gssize)strlen(dmasim_version()) + 1);
	scenario_visit(s, add_value, sum);
	for (char *const *i = input_sums; *i; i++)
		g_checksum_update(sum, (const guchar *)*i, (gssize)strlen(*i) + 1);
	return g_strdup(g_checksum_get_string(sum));
}

char *scenario_hash(const struct scenario *s, GError **error)
{
	g_autoptr(GPtrArray) sums = g_ptr_array_new_with_free_func(g_free);

	for (char *const *t = scenario_traces(s); *t; t++) {
		char *sum = file_sha256(*t, error);

		if (!sum)
			return NULL;
		g_ptr_array_add(sums, sum);
	}
	g_ptr_array_add(sums, NULL);
	return scenario_hash_with(s, (char *const *)sums->pdata);
}
