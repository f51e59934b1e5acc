/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which kernel a run has: by name, or the one that first shipped the API as it is. */
#include "scenario.h"

#include <string.h>

const struct kernel_profile *scenario_kernel(const struct scenario *s, const struct dma_api *api,
					     const char *name, char **note, GError **error)
{
	const struct kernel_params *p = config_get(s->config, &kernel_param_table);
	const struct kernel_profile *k;
	struct kernel_profile changed;

	*note = NULL;
	k = strcmp(name, "as-shipped") ? kernel_profile_for(name, note, error)
				       : &kernel_profiles[api->shipped];
	if (!k) {
		g_prefix_error(error, "kernel.version: ");
		scenario_prefix_origin(s, "kernel.version", error);
		return NULL;
	}
	changed = *k;
	if (kernel_params_apply(p, &changed, error))
		return k;
	g_clear_pointer(note, g_free);
	scenario_prefix_origin(s, "kernel.facts", error);
	return NULL;
}

bool scenario_lacks_iova_api(const struct scenario *s, const struct dma_api *api,
			     const struct kernel_profile *k, GError **error)
{
	g_set_error(
	    error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
	    "kernel.version = %s has no dma_iova_* interface (it came with 6.16), which the API '%s' needs; "
	    "want 7.0 or as-shipped, or compare.api without '%s'",
	    k->name, api->name, api->name);
	scenario_prefix_origin(s, "kernel.version", error);
	return false;
}
