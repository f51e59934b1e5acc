/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a document what its schema says? Checked once, when a result is read, so that figures, tables and pages
 * need not ask again. Members that nobody reads may be anything.
 */
#include "internal.h"

#include <jansson.h>
#include <string.h>

static bool bad(const char *file, const char *what, GError **error)
{
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT, "%s: not a whole result: %s", file, what);
	return false;
}

static bool all_strings(const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		if (!json_is_string(value))
			return false;
	}
	return json_is_object(object);
}

/* Numbers, or null where there is none. */
static bool all_numbers(const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		if (!json_is_number(value) && !json_is_null(value))
			return false;
	}
	return json_is_object(object);
}

static bool all_of(const json_t *object, bool (*fits)(const json_t *))
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		if (!fits(value))
			return false;
	}
	return json_is_object(object);
}

static bool run_fits(const json_t *run, const char *file, GError **error)
{
	static const char *const texts[] = {"api", "iommu", "kernel", "workload", "fidelity"};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		if (!json_is_string(json_object_get(run, texts[i])))
			return bad(file, "a run has no text api, iommu, kernel, workload or fidelity", error);
	if (!json_is_integer(json_object_get(run, "seed")))
		return bad(file, "a run has no number seed", error);
	if (!all_strings(json_object_get(run, "varied")))
		return bad(file, "\"varied\" of a run wants an object of texts", error);
	if (!all_numbers(json_object_get(run, "stats")))
		return bad(file, "\"stats\" of a run wants an object of numbers", error);
	if (!all_of(json_object_get(run, "histograms"), all_numbers))
		return bad(file, "\"histograms\" of a run wants objects of numbers", error);
	if (!all_of(json_object_get(run, "memory"), all_numbers))
		return bad(file, "\"memory\" of a run wants objects of numbers", error);
	return true;
}

bool result_check(const json_t *doc, const char *file, GError **error)
{
	json_t *runs = json_object_get(doc, "runs"), *run, *input;
	const json_t *first = json_object_get(json_array_get(runs, 0), "varied");
	size_t i;

	if (!json_array_size(runs))
		return bad(file, "\"runs\" wants a list of at least one", error);
	if (!all_strings(json_object_get(doc, "scenario")))
		return bad(file, "\"scenario\" wants an object of texts", error);
	json_array_foreach (runs, i, run) {
		const char *key;
		json_t *value;

		if (!run_fits(run, file, error))
			return false;
		json_object_foreach ((json_t *)first, key, value) {
			if (!json_object_get(json_object_get(run, "varied"), key))
				return bad(file, "not all runs have the same \"varied\"", error);
		}
	}
	json_array_foreach (json_object_get(json_object_get(doc, "provenance"), "inputs"), i, input) {
		if (!json_is_string(json_object_get(input, "name")))
			return bad(file, "an input has no text name", error);
	}
	return true;
}
