/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The effective configuration of one run: for each parameter table one filled struct, with the
 * origin of every value. Built from defaults, preset, scenario file and --set.
 */
#ifndef DMASIM_CONFIG_H
#define DMASIM_CONFIG_H

#include <dmasim/export.h>
#include <dmasim/param.h>

struct config;

/* Every parameter table of the program, NULL-terminated: the machine's, then the workloads'. */
DMASIM_API const struct param_table *const *config_tables(void);

DMASIM_API struct config *config_new(void); /* all defaults */
DMASIM_API struct config *config_copy(const struct config *c);
DMASIM_API void config_free(struct config *c);
/* The filled struct of table t, also of a trace generator's; lives as long as c. */
DMASIM_API const void *config_get(const struct config *c, const struct param_table *t);
/* Set "section.key" from text. origin: "default", "preset NAME", "FILE:LINE", "--set". */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT bool config_set(struct config *c, const char *name, const char *text,
						     const char *origin, GError **error);
/* Value and origin in text form; NULL if there is no such name. */
DMASIM_API char *config_text(const struct config *c, const char *name);
DMASIM_API const char *config_origin(const struct config *c, const char *name);
/* Visit all values in table order: name, text, origin, row. */
typedef void (*config_visit_fn)(const char *name, const char *text, const char *origin,
				const struct param_spec *spec, void *arg);
DMASIM_API void config_visit(const struct config *c, config_visit_fn fn, void *arg);

#endif
