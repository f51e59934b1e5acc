/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a configuration is made of and what a machine tells: the tables of the floors, then those of the
 * workloads. */
#include "internal.h"
#include "machine/internal.h"
#include "sim/config_schema.h"

#include "models/device/nvme_device.h"
#include <string.h>

/* Of the floors; a workload's table comes with its row. */
static const struct param_table *const floors[] = {
    &scenario_param_table, &compare_param_table,     &workload_param_table, &kernel_param_table,
    &cpu_param_table,      &memory_param_table,      &iommu_param_table,    &iotlb_param_table,
    &pwc_param_table,      &walker_param_table,      &qi_param_table,       &ats_param_table,
    &iova_param_table,     &flush_queue_param_table, &swiotlb_param_table,  &pcie_param_table,
    &p2p_param_table,
};

const struct param_table *const *config_tables(void)
{
	static const struct param_table *tables[G_N_ELEMENTS(floors) + WORKLOAD_KINDS + 1];
	static gsize made;

	if (g_once_init_enter(&made)) {
		size_t n = G_N_ELEMENTS(floors);

		memcpy(tables, floors, sizeof(floors));
		for (const struct workload_ops *const *w = workloads; *w; w++)
			if ((*w)->params)
				tables[n++] = (*w)->params;
		g_once_init_leave(&made, 1);
	}
	return tables;
}

static const struct param_table *generator_params(unsigned i)
{
	const struct trace_generator *g = trace_generators()[i];

	return g ? g->params : NULL;
}

static int generator_selected(const struct config *c)
{
	const struct workload_params *w = config_get(c, &workload_param_table);
	const struct trace_generator *const *g = trace_generators();

	for (int i = 0; w->generator && *w->generator && g[i]; i++)
		if (!strcmp(g[i]->name, w->generator))
			return i;
	return -1;
}

struct config *config_new(void)
{
	static const struct config_schema schema = {config_tables, "workload", generator_params,
						    generator_selected};

	return config_new_of(&schema);
}
