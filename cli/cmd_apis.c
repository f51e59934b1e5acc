/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim apis: the DMA strategies that can be compared. */
#include "introspect.h"

#include <jansson.h>

static int run(void *options, int nargs, char **args)
{
	g_autoptr(GPtrArray) cells = introspect_cells("api", "as shipped in", "what it is", NULL);
	json_t *json = json_array();

	if (nargs)
		return cli_usage("apis", "takes no argument ('%s')", args[0]);
	for (const struct dma_api *const *a = dma_apis; *a; a++) {
		json_t *row = json_object();

		json_object_set_new(row, "name", json_string((*a)->name));
		json_object_set_new(row, "kernel", json_string(kernel_profiles[(*a)->shipped].name));
		json_object_set_new(row, "needs_iova_api", json_boolean((*a)->needs_iova_api));
		json_object_set_new(row, "help", json_string((*a)->help));
		json_array_append_new(json, row);
		g_ptr_array_add(cells, g_strdup((*a)->name));
		g_ptr_array_add(cells, g_strdup(kernel_profiles[(*a)->shipped].name));
		g_ptr_array_add(cells, g_strdup((*a)->help));
	}
	return introspect_print(options, json, cells, 3, 0, NULL);
}

const struct cli_command cli_command_apis = {
    .name = "apis",
    .args = "",
    .help = "list the DMA APIs that can be compared",
    .about =
	"With kernel.version = as-shipped each API runs over the kernel named here. An API is one file in "
	"workloads/api/; adding a file adds it everywhere.",
    .group = CLI_GROUP_LEARN,
    .run = run,
};
