/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peer-to-peer DMA between PCI functions (include/linux/pci-p2pdma.h): which memory of whom may be
 * mapped for whom, and by which address.
 */
#ifndef DMASIM_P2PDMA_H
#define DMASIM_P2PDMA_H

#include <dmasim/device.h>
#include <dmasim/export.h>
#include <dmasim/pcie.h>

struct pcie_fabric;
struct rng;

enum pci_p2pdma_map_type {
	PCI_P2PDMA_MAP_UNKNOWN,          /* not in the cache */
	PCI_P2PDMA_MAP_NONE,             /* no peer memory */
	PCI_P2PDMA_MAP_NOT_SUPPORTED,    /* the route is refused */
	PCI_P2PDMA_MAP_BUS_ADDR,         /* bus address: below one switch, no translation, nothing to unmap */
	PCI_P2PDMA_MAP_THRU_HOST_BRIDGE, /* like memory: translated, through the root complex */
};

/* One per memory BAR that may be mapped by peers. */
struct p2pdma_provider {
	struct pcie_node *owner;
	struct pcie_bar *bar;
	uint64_t bus_offset; /* bus address - CPU address, modulo 2^64 */
};

/* Make pdev's BARs usable by peers without struct pages (6.19). 0 or errno. */
DMASIM_API int pcim_p2pdma_init(struct pcie_node *pdev);
/* Provider of a memory BAR; NULL if there is no such BAR or pcim_p2pdma_init was not called. */
DMASIM_API struct p2pdma_provider *pcim_p2pdma_provider(struct pcie_node *pdev, unsigned bar);

/*
 * Register size bytes of a BAR from offset on as pages (size 0: the rest), for pci_alloc_p2pmem and for
 * lists and requests. -EINVAL: no memory BAR, or it ends before.
 */
DMASIM_API int pci_p2pdma_add_resource(struct pcie_node *pdev, unsigned bar, uint64_t size, uint64_t offset);
/* Let pci_p2pmem_find consider pdev. */
DMASIM_API void pci_p2pmem_publish(struct pcie_node *pdev, bool publish);
DMASIM_API bool pci_has_p2pmem(const struct pcie_node *pdev);
/* CPU address of size bytes of pdev's registered memory, 0 when there is no room. */
DMASIM_API phys_addr_t pci_alloc_p2pmem(struct pcie_node *pdev, size_t size);
DMASIM_API void pci_free_p2pmem(struct pcie_node *pdev, phys_addr_t addr, size_t size);

/* Sum of distances between provider and all clients, -1 if one of them cannot reach it. */
DMASIM_API int pci_p2pdma_distance_many(struct pcie_node *provider, struct device *const *clients,
					unsigned n);
static inline int pci_p2pdma_distance(struct pcie_node *provider, struct device *client)
{
	return pci_p2pdma_distance_many(provider, &client, 1);
}
/* The published provider nearest to all clients; ties broken by the random stream. NULL: none. */
DMASIM_API struct pcie_node *pci_p2pmem_find_many(struct pcie_fabric *f, struct device *const *clients,
						  unsigned n, struct rng *rng);

/* How client reaches provider's memory, from the provider's cache when it is there. */
DMASIM_API enum pci_p2pdma_map_type pci_p2pdma_map_type(struct p2pdma_provider *provider,
							struct device *client);

/* Kept per list, zeroed by its owner: one look-up per provider change, not per page. */
struct pci_p2pdma_map_state {
	const struct p2pdma_provider *mem;
	enum pci_p2pdma_map_type map;
	uint64_t bus_off;
};
DMASIM_API enum pci_p2pdma_map_type pci_p2pdma_state(struct pci_p2pdma_map_state *state, struct device *dev,
						     phys_addr_t phys);
static inline dma_addr_t pci_p2pdma_bus_addr_map(const struct pci_p2pdma_map_state *state, phys_addr_t phys)
{
	return phys + state->bus_off;
}

#endif
