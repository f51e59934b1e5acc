/* SPDX-License-Identifier: GPL-2.0-or-later */
/* struct scenario, for the files that fill and resolve it. */
#ifndef DMASIM_SCENARIO_H
#define DMASIM_SCENARIO_H

#include "internal.h"

/* One "section.key = text", kept so that a preset chosen late still lies under all of them. */
struct assignment {
	char *name, *text, *origin;
};

struct scenario {
	struct config *config;
	char *path;           /* of the .ini file or result; NULL */
	GArray *assignments;  /* struct assignment, in order */
	GPtrArray *sweep;     /* "key=v1,v2" */
	GPtrArray *located;   /* loaded from a result: where its inputs lay; else NULL */
	char *located_origin; /* origin of workload.trace for which that holds */
	/* resolved */
	GPtrArray *traces; /* paths, NULL-terminated */
	const struct workload_ops *workload;
	const struct trace_generator *generator;
	GArray *runs;               /* struct run_spec */
	struct trace_reader *first; /* already open when its format had to be known; taken by the source */
};

/* Prefix an error with the place a value came from, unless that is the default. */
void scenario_prefix_origin(const struct scenario *s, const char *name, GError **error);

/* resolve_kernel.c: the row of that name for api; *note (g_free) where it is not the release's own. */
const struct kernel_profile *scenario_kernel(const struct scenario *s, const struct dma_api *api,
					     const char *name, char **note, GError **error);
/* Always false, with *error. */
bool scenario_lacks_iova_api(const struct scenario *s, const struct dma_api *api,
			     const struct kernel_profile *k, GError **error);

/* SHA-256 of a file, hex. */
char *file_sha256(const char *path, GError **error);
/* scenario_hash with the inputs' checksums given. */
char *scenario_hash_with(const struct scenario *s, char *const *input_sums);

#endif
