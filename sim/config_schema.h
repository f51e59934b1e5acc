/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a configuration is made of: given by the floor that knows all parameter tables. */
#ifndef DMASIM_SIM_CONFIG_SCHEMA_H
#define DMASIM_SIM_CONFIG_SCHEMA_H

#include <dmasim/config.h>

struct config_schema {
	const struct param_table *const *(*tables)(void); /* NULL-terminated */
	/*
	 * Variants: tables of which one at a time is in force (the trace generators); its keys join those of
	 * variant_section. variant: the i-th one, NULL behind the last. selected: its index, -1 for none.
	 */
	const char *variant_section;
	const struct param_table *(*variant)(unsigned i);
	int (*selected)(const struct config *c);
};

struct config *config_new_of(const struct config_schema *schema);

#endif
