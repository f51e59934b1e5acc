/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device's side of the bus: reading and writing memory through the fabric and the IOMMU, and windows (BARs)
 * of its own that others may read and write.
 */
#ifndef DMASIM_PCIE_H
#define DMASIM_PCIE_H

#include <dmasim/export.h>
#include <dmasim/types.h>

struct pcie_node; /* one function (struct device, member pci) */

enum pcie_op { PCIE_READ, PCIE_WRITE };

struct pcie_dma {
	struct pcie_node *fn; /* requester */
	enum pcie_op op;
	dma_addr_t addr;
	uint64_t len;
	uint32_t pasid;  /* NO_PASID */
	void *data;      /* NULL: bytes do not matter; else read into or written from, functionally */
	bool translated; /* AT = 10: the address came from the function's device TLB */
	bool astray;     /* on purpose where it has no right to be: no error of the device */
	bool cold;       /* reads go to DRAM even where memory.io_hits_llc */
	/* out */
	uint8_t fault; /* of the first failing page, 0 if none */
	uint64_t done_bytes;
	sim_time_t done;     /* read: last data arrived; write: visible */
	sim_time_t accepted; /* write: the requester may go on (posted) */
};
/* Perform a device's memory access starting at when. 0, or -EFAULT (translation), -ENXIO (no route). */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT int pcie_dma(struct pcie_dma *d, sim_time_t when);

/* One memory window of a function. */
struct pcie_bar {
	struct pcie_node *node;
	unsigned index;   /* 0..5 */
	phys_addr_t base; /* as the CPU addresses it */
	dma_addr_t bus;   /* as the bus addresses it (differs only where a host bridge translates) */
	uint64_t size;
	enum memory_kind kind; /* as memory_kind reports it */
	/* pages of peer memory: registered part, CPU addresses; empty without pages */
	phys_addr_t p2p_first, p2p_end;
	uint64_t found;     /* where a dump has it; 0: not from a dump */
	bool size_is_bound; /* the dump does not tell its size: the largest that its address allows */
};
#define PCIE_BARS 6

/*
 * Give node a BAR. base 0: the next free place of the fabric's MMIO window; bus address = base unless
 * changed afterwards with pcie_set_bus_offset. NULL if the index is taken or the place is.
 */
DMASIM_API struct pcie_bar *pcie_add_bar(struct pcie_node *node, unsigned index, phys_addr_t base,
					 uint64_t size, enum memory_kind kind);
/* Back part of a BAR with pages that can be mapped for peers (MEMORY_P2P). */
DMASIM_API void pcie_register_pages(struct pcie_bar *bar, uint64_t offset, uint64_t size);

#endif
