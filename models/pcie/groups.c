/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IOMMU groups: functions between which the fabric may forward without the IOMMU seeing it, by the rule of
 * pci_device_group() (drivers/iommu/iommu.c): up from the function to the first bus behind which each port to
 * the root isolates, then all functions of that device that do not isolate among themselves. Not here: quirks
 * of devices that isolate without ACS, and requester ids that a conventional bridge replaces.
 */
#include "internal.h"

#define ISOLATES (ACS_SV | ACS_RR | ACS_CR | ACS_UF)

static bool has_siblings(const struct pcie_node *node)
{
	const struct pcie_node *n;

	for (unsigned i = 0; (n = pcie_node_at(node->fabric, i)); i++)
		if (n != node && pcie_same_device(n, node))
			return true;
	return false;
}

/* pci_acs_enabled(): what has nothing to isolate needs no capability. */
static bool isolates(const struct pcie_node *node)
{
	bool port = node->type == PCIE_ROOT_PORT || node->type == PCIE_SWITCH_DOWN;

	if (!port && !has_siblings(node))
		return true;
	return (pcie_acs(node) & ISOLATES) == ISOLATES;
}

static const struct pcie_node *port_above(const struct pcie_node *node)
{
	return node->parent && node->parent->type != PCIE_HOST_BRIDGE ? node->parent : NULL;
}

static bool path_isolates(const struct pcie_node *node)
{
	for (; node; node = port_above(node))
		if (!isolates(node))
			return false;
	return true;
}

const struct pcie_node *pcie_group(const struct pcie_node *node)
{
	const struct pcie_node *n;

	for (const struct pcie_node *up = port_above(node); up && !path_isolates(up); up = port_above(up))
		node = up;
	for (unsigned i = 0; !isolates(node) && (n = pcie_node_at(node->fabric, i)); i++)
		if (pcie_same_device(n, node) && n->sid < node->sid && !isolates(n))
			node = n;
	return node;
}
