/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one list of parameter tables, statistic tables and workloads: a new one adds its line here. */
#include "internal.h"
#include "machine/internal.h"
#include "sim/config_schema.h"

#include "models/device/nvme_device.h"
#include <string.h>

extern const struct workload_ops rdma_odp_workload;
extern const struct workload_ops vfio_migration_workload;
extern const struct workload_ops nvme_workload;
extern const struct workload_ops dma_replay_workload;
extern const struct workload_ops pcie_bench_workload;
extern const struct workload_ops map_bench_workload;
extern const struct workload_ops rdma_rw_workload;
extern const struct workload_ops dmabuf_p2p_workload;
extern const struct workload_ops crypto_workload;
extern const struct param_table odp_param_table;
extern const struct param_table vfio_param_table;
extern const struct param_table dma_replay_param_table;
extern const struct param_table pcie_bench_param_table;
extern const struct param_table map_bench_param_table;
extern const struct param_table rdma_rw_param_table;
extern const struct param_table dmabuf_p2p_param_table;
extern const struct param_table crypto_param_table;
extern const struct workload_ops rx_ring_workload;
extern const struct param_table rx_ring_param_table;

/* One table per line, so that additions do not meet. */
/* clang-format off */
const struct param_table *const param_tables[] = {
    &scenario_param_table,
    &compare_param_table,
    &workload_param_table,
    &kernel_param_table,
    &cpu_param_table,
    &memory_param_table,
    &iommu_param_table,
    &iotlb_param_table,
    &pwc_param_table,
    &walker_param_table,
    &qi_param_table,
    &ats_param_table,
    &iova_param_table,
    &flush_queue_param_table,
    &swiotlb_param_table,
    &pcie_param_table,
    &p2p_param_table,
    &nvme_param_table,
    &odp_param_table,
    &vfio_param_table,
    &dma_replay_param_table,
    &pcie_bench_param_table,
    &map_bench_param_table,
    &rdma_rw_param_table,
    &dmabuf_p2p_param_table,
    &crypto_param_table,
    &rx_ring_param_table,
    NULL,
};
/* clang-format on */

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
	static const struct config_schema schema = {param_tables, "workload", generator_params,
						    generator_selected};

	return config_new_of(&schema);
}

const struct stat_group stat_groups[] = {
    {&dma_stat_table, offsetof(struct machine, dma_stats)},
    {&vtd_stat_table, offsetof(struct machine, vtd_stats)},
    {&pcie_stat_table, offsetof(struct machine, pcie_stats)},
    {&machine_stat_table, 0},
    {NULL, 0},
};

/* clang-format off */
const struct workload_ops *const workloads[] = {
    &nvme_workload,
    &rdma_odp_workload,
    &vfio_migration_workload,
    &dma_replay_workload,
    &pcie_bench_workload,
    &map_bench_workload,
    &rdma_rw_workload,
    &dmabuf_p2p_workload,
    &crypto_workload,
    &rx_ring_workload,
    NULL,
};
/* clang-format on */

const struct workload_ops *workload_find(const char *name)
{
	for (const struct workload_ops *const *w = workloads; *w; w++)
		if (!strcmp((*w)->name, name))
			return *w;
	return NULL;
}
