/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine is made of, for the floors above; programs outside the tree have <dmasim/machine.h>. */
#ifndef DMASIM_MACHINE_MACHINE_H
#define DMASIM_MACHINE_MACHINE_H

#include "models/dma/dma_layer.h"
#include "models/memory/memory.h"
#include "models/pcie/pcie.h"
#include "models/vtd/vtd.h"
#include "sim/cpu.h"
#include <dmasim/machine.h>

struct cpu_params {
	uint64_t count;
	double clock_scale;      /* multiplies every step cost: 1.0 = 3 GHz server core */
	double cost[COST_COUNT]; /* ns per unit, cpu.cost_<key> */
};
extern const struct param_table cpu_param_table;

struct kernel_params {
	char *version; /* "as-shipped", or releases, comma-separated */
	char *facts;   /* that differ from the release's row */
	bool quirk_link_zero_middle, quirk_direct_sg_thb, quirk_sg_bus_len, quirk_p2p_cacheable;
};
extern const struct param_table kernel_param_table;
/* Change a copy of a release's row as the parameters ask for. */
G_GNUC_WARN_UNUSED_RESULT bool kernel_params_apply(const struct kernel_params *p, struct kernel_profile *k,
						   GError **error);

/* What every workload reports about its requests. Each ends as completed or failed. */
struct io_stats {
	uint64_t completed, bytes;
	uint64_t failed;        /* for whatever reason, those that were refused included */
	uint64_t refused;       /* before the device saw them: their memory could not be mapped */
	uint64_t records;       /* trace records consumed */
	sim_time_t first, last; /* first submission, last completion */
	struct {
		sim_time_t end; /* 0: there was none */
		uint64_t completed, bytes;
	} warmup; /* what came before the measured part, which is what rates are about */
	struct hist *latency_ns;
	char failure[160]; /* why the first one failed; "": none has */
};

struct machine {
	struct sim sim;
	const struct config *config;
	enum iommu_mode mode;
	const struct kernel_profile *kernel; /* &facts */
	struct kernel_profile facts;         /* of the release, changed by kernel.facts and the quirks */
	struct memory *memory;
	struct pcie_fabric *fabric;
	struct pcie_node *host_bridge;
	struct iommu_unit *iommu; /* the only unit, or the first of units; NULL: off */
	GPtrArray *units;         /* struct iommu_unit */
	struct dmar *dmar;        /* iommu.dmar, NULL if not given */
	struct dma_layer *dma;
	GPtrArray *devices; /* struct device *, in the order they were added */
	struct vtd_stats vtd_stats;
	struct pcie_stats pcie_stats;
	struct dma_stats dma_stats;
	struct io_stats io;
};

/* Whether iommu.dmar lets Linux use ATS of this function (ATSR, SATC); without a table it does. */
bool machine_ats_supported(const struct machine *m, const struct pcie_node *node);

/* Statistic tables of every machine; a workload adds its own (workload_ops.stats). */
struct stat_group {
	const struct stat_table *table;
	size_t offset; /* of the values in struct machine */
};
extern const struct stat_group stat_groups[]; /* ended by a NULL table */

#endif
