/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of models/pcie share. */
#ifndef DMASIM_PCIE_INTERNAL_H
#define DMASIM_PCIE_INTERNAL_H

#include "pcie.h"

struct pcie_fabric {
	struct sim *sim;
	struct memory *mem;
	struct pcie_params params;
	struct p2p_params p2p;
	struct pcie_stats *st;
	GPtrArray *nodes;      /* struct pcie_node, owned, in order of addition */
	GHashTable *by_name;   /* name -> struct pcie_node */
	GPtrArray *bars;       /* struct pcie_bar, owned, ascending by base */
	phys_addr_t mmio_next; /* where the next BAR without a place goes */
	unsigned mps_lg2, mrrs_lg2;
	pcie_watch_fn watch; /* of every access; NULL: nobody */
	void *watch_arg;
	struct resource peer_bridge; /* peer traffic through the root complex */
	struct resource peer_cross;  /* peer traffic between sockets */
};

/* The TLPs of one page of an access, on their way (timing fidelity only). */
struct pcie_train {
	struct pcie_node *fn;
	const struct pcie_node *top; /* the switch at which a direct peer access turns; NULL: root complex */
	enum pcie_op op;
	dma_addr_t addr;
	phys_addr_t phys;
	uint64_t n, mps, first; /* bytes: all, largest TLP payload, of the first write TLP */
	uint32_t tlps;
	bool cold;
	sim_time_t start, sent,
	    arrival;             /* on the link, last byte sent so far, first TLP at the root complex */
	sim_time_t leaves, hold; /* a read in remapping: as in struct iommu_request */
};
void pcie_timing_init_node(struct pcie_node *node);
void pcie_timing_fini_node(struct pcie_node *node);
/* Send the train (a write: its first TLP): sets start, sent and arrival. */
void pcie_time_send(struct pcie_train *tr, sim_time_t when);
/* A read reaches the remapping hardware: when that takes it up. Sets leaves and hold. */
sim_time_t pcie_time_enter(struct pcie_train *tr);
/* It is translated at ready: when it goes on. */
sim_time_t pcie_time_leave(struct pcie_train *tr, sim_time_t ready);
/* Finish in memory, translated at ready: when read data is back, or the write is visible. */
sim_time_t pcie_time_memory(struct pcie_train *tr, sim_time_t ready);
/* Finish at a peer. */
sim_time_t pcie_time_peer(struct pcie_train *tr, struct pcie_node *target, enum pcie_route route,
			  sim_time_t ready);

unsigned pcie_completions(uint64_t addr, uint64_t n, uint64_t mrrs, uint64_t mps, uint64_t rcb);

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
