/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether and how one PCI function may address another's memory (Linux drivers/pci/p2pdma.c).
 */
#include "internal.h"

enum pci_p2pdma_map_type pci_p2pdma_state(struct pci_p2pdma_map_state *state, struct device *dev,
					  phys_addr_t phys)
{
	if (G_LIKELY(memory_kind(dev->dma->mem, phys) != MEMORY_P2P))
		return PCI_P2PDMA_MAP_NONE;
	state->map = PCI_P2PDMA_MAP_NOT_SUPPORTED;
	return state->map;
}
