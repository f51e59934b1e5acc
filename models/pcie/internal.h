/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of models/pcie share. */
#ifndef DMASIM_PCIE_INTERNAL_H
#define DMASIM_PCIE_INTERNAL_H

#include <dmasim/pcie.h>

struct pcie_fabric {
	struct sim *sim;
	struct memory *mem;
	struct pcie_params params;
	struct pcie_stats *st;
	GPtrArray *nodes;      /* struct pcie_node, owned, in order of addition */
	GHashTable *by_name;   /* name -> struct pcie_node */
	GPtrArray *bars;       /* struct pcie_bar, owned, ascending by base */
	phys_addr_t mmio_next; /* where the next BAR without a place goes */
	unsigned mps_lg2, mrrs_lg2;
};

/* The node itself or one above it that both have in common, NULL if they hang under different roots. */
struct pcie_node *pcie_common(const struct pcie_node *a, const struct pcie_node *b);
/* Functions of one device. */
bool pcie_same_device(const struct pcie_node *a, const struct pcie_node *b);

/* TLPs of at most 2^lg2 bytes for n bytes at addr, none crossing a 2^lg2 boundary (8.2). */
static inline unsigned pcie_tlps(uint64_t addr, uint64_t n, unsigned lg2)
{
	return (unsigned)(((addr + n - 1) >> lg2) - (addr >> lg2) + 1);
}

#endif
