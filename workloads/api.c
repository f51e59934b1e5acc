/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking up DMA APIs and the path of each workload; an API's state for a device. */
#include "sim/cpu.h"
#include "machine/machine.h"

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

void *dma_api_instance_new(const struct dma_api *api, struct machine *m, struct device *dev)
{
	return api->instance_new ? api->instance_new(m, dev) : NULL;
}

struct instance {
	const struct dma_api *api;
	void *state;
};

static void free_instance(void *arg)
{
	struct instance *i = arg;

	i->api->instance_free(i->state);
}

void dma_api_instance_free(const struct dma_api *api, struct machine *m, void *instance)
{
	struct instance i = {api, instance};

	if (instance && api->instance_free)
		cpu_run(m->sim.cpus, free_instance, &i);
}

const struct workload_ops *workload_find(const char *name)
{
	for (const struct workload_ops *const *w = workloads; *w; w++)
		if (!strcmp((*w)->name, name))
			return *w;
	return NULL;
}
