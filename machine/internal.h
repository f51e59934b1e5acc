/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of machine. */
#ifndef DMASIM_MACHINE_INTERNAL_H
#define DMASIM_MACHINE_INTERNAL_H

#include "machine.h"
#include <dmasim/error.h>
#include <dmasim/stat.h>

/* Statistics over struct machine itself: io.*, cpu.*, sim.*, exposure.* */
extern const struct stat_table machine_stat_table;

/* Remapping units. */
struct pcie_node;
bool machine_add_units(struct machine *m, GError **error);
void machine_free_units(struct machine *m);
/* The unit that translates for the function, NULL if none does. */
struct iommu_unit *machine_unit_of(struct machine *m, const struct pcie_node *node);
/* The regions that the DMAR table reserves for dev (RMRR), into dev->resv. */
void machine_reserved_regions(struct machine *m, struct device *dev);
/* The run ends: what is still exposed counts. */
void machine_finish_units(struct machine *m);

#endif
