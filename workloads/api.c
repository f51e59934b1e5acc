/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking up DMA APIs and the path of each workload. */
#include <dmasim/workload.h>
#include <string.h>

const struct dma_api *dma_api_find(const char *name)
{
	for (const struct dma_api *const *api = dma_apis; *api; api++) {
		if (!strcmp((*api)->name, name))
			return *api;
	}
	return NULL;
}

const struct driver_path *dma_api_path(const struct dma_api *api, enum workload_kind kind)
{
	return api->paths[kind] ? api->paths[kind] : api->generic;
}
