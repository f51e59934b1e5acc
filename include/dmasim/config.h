/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The effective configuration of one run: for each parameter table one filled struct, with the
 * origin of every value. Built from defaults, preset, scenario file and --set.
 */
#ifndef DMASIM_CONFIG_H
#define DMASIM_CONFIG_H

#include <dmasim/param.h>

struct config;

/* Every parameter table of the program, NULL-terminated: the machine's, then the workloads'. */
const struct param_table *const *config_tables(void);

struct config *config_new(void); /* all defaults */
struct config *config_copy(const struct config *c);
void config_free(struct config *c);
/* The filled struct of table t, also of a trace generator's; lives as long as c. */
const void *config_get(const struct config *c, const struct param_table *t);
/* Set "section.key" from text. origin: "default", "preset NAME", "FILE:LINE", "--set". */
G_GNUC_WARN_UNUSED_RESULT bool config_set(struct config *c, const char *name, const char *text,
					  const char *origin, GError **error);
/* Value and origin in text form; NULL if there is no such name. */
char *config_text(const struct config *c, const char *name);
const char *config_origin(const struct config *c, const char *name);
/* Visit all values in table order: name, text, origin, row. */
typedef void (*config_visit_fn)(const char *name, const char *text, const char *origin,
				const struct param_spec *spec, void *arg);
void config_visit(const struct config *c, config_visit_fn fn, void *arg);

#endif
