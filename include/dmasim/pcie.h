/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCIe fabric: functions, links, switches with ACS, root ports, host bridges, sockets. A transfer is
 * split at 4 KiB pages and at MPS / MRRS; the route decides what is translated. The TLPs of one page
 * and stage are one train, computed in one step.
 */
#ifndef DMASIM_PCIE_H
#define DMASIM_PCIE_H

#include <dmasim/memory.h>
#include <dmasim/vtd.h>

struct pcie_params {
	double rate; /* GT/s per lane of the device link */
	uint64_t lanes;
	uint64_t mps, mrrs, rcb; /* bytes */
	uint64_t tags;           /* outstanding reads per function */
	uint64_t write_buffer;   /* posted-write slots of the root complex, cache lines */
	sim_time_t read_rtt;     /* 64-byte read, LLC hit, no translation */
	sim_time_t switch_latency, host_bridge_latency;
	double host_bridge_p2p_bandwidth; /* GB/s, 0: unlimited */
	char *topology; /* path of an lspci -xxxx dump, or "" for one root port per device */
};
extern const struct param_table pcie_param_table;

struct pcie_stats {
	uint64_t reads, writes, tlps_read, tlps_write, bytes_read, bytes_written;
	uint64_t p2p_bytes_direct, p2p_bytes_host_bridge, p2p_refused;
};
extern const struct stat_table pcie_stat_table;

enum pcie_node_type { PCIE_HOST_BRIDGE, PCIE_ROOT_PORT, PCIE_SWITCH_UP, PCIE_SWITCH_DOWN, PCIE_ENDPOINT };
/* ACS control bits (PCIe base specification 7.7.11.3). */
enum { ACS_SV = 1, ACS_TB = 2, ACS_RR = 4, ACS_CR = 8, ACS_UF = 16, ACS_EC = 32, ACS_DT = 64 };

struct pcie_fabric;
struct pcie_node {
	struct pcie_fabric *fabric;
	struct pcie_node *parent;
	enum pcie_node_type type;
	char *name; /* "0000:01:00.0" */
	uint16_t sid;
	uint16_t vendor, device;
	uint32_t pci_domain;
	unsigned socket;
	bool has_acs;
	uint16_t acs;
	bool ats;
	struct vtd_unit *iommu;   /* unit in whose scope this function is; NULL: none */
	struct resource up, down; /* link directions */
	void *owner;
};

struct pcie_fabric *pcie_fabric_new(struct sim *sim, struct memory *mem, const struct pcie_params *p,
				    struct pcie_stats *st);
void pcie_fabric_free(struct pcie_fabric *f);
struct pcie_node *pcie_add(struct pcie_fabric *f, struct pcie_node *parent, enum pcie_node_type type,
			   const char *name);
struct pcie_node *pcie_find(struct pcie_fabric *f, const char *name);
/* Read an lspci -xxxx dump through libpci. */
bool pcie_load_dump(struct pcie_fabric *f, const char *path, GError **error);

enum pcie_op { PCIE_READ, PCIE_WRITE };
struct pcie_dma {
	struct pcie_node *fn; /* requester */
	enum pcie_op op;
	dma_addr_t addr;
	uint64_t len;
	uint32_t pasid; /* VTD_NO_PASID */
	void *data;     /* NULL: bytes do not matter; else read into or written from, functionally */
	/* out */
	uint8_t fault; /* of the first failing page, 0 if none */
	uint64_t done_bytes;
	sim_time_t done;     /* read: last data arrived; write: visible */
	sim_time_t accepted; /* write: the requester may go on (posted) */
};
/* Perform a device's memory access starting at when. 0, or -EFAULT (translation), -ENXIO (no route). */
int pcie_dma(struct pcie_dma *d, sim_time_t when);

#endif
