/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCIe fabric: functions, links, switches with ACS, root ports, host bridges, sockets. A transfer is
 * split at 4 KiB pages and at MPS / MRRS; the route decides what is translated. The TLPs of one page
 * and stage are one train, computed in one step.
 */
#ifndef DMASIM_MODELS_PCIE_PCIE_H
#define DMASIM_MODELS_PCIE_PCIE_H

#include "models/iommu/unit.h"
#include "models/memory/memory.h"
#include "sim/resource.h"
#include <dmasim/pcie.h>

struct pcie_params {
	double rate; /* GT/s per lane of the device link */
	uint64_t lanes;
	uint64_t mps, mrrs, rcb;  /* bytes */
	uint64_t tags;            /* outstanding reads per function */
	uint64_t write_buffer;    /* posted-write slots of the root complex, cache lines */
	uint64_t read_window;     /* reads of a root port in remapping at a time */
	sim_time_t read_line;     /* a read that walked occupies what walked so long per further line */
	sim_time_t read_rtt;      /* 64-byte read, LLC hit, no translation */
	sim_time_t write_latency; /* a posted write's stay in its buffer once it is translated and in order */
	sim_time_t switch_latency, host_bridge_latency;
	double host_bridge_p2p_bandwidth; /* GB/s, 0: unlimited */
	char *topology; /* lspci -xxxx dump, or description; "" for one root port per device */
};
extern const struct param_table pcie_param_table;

/* Peer-to-peer: what the machine's root complex is, and what Linux makes of it. */
enum p2p_acs { P2P_ACS_FOUND, P2P_ACS_OFF, P2P_ACS_ON };
struct p2p_params {
	char *host_bridge;      /* "8086:09a2": function 00.0 of a machine that no dump describes */
	bool any_host_bridge;   /* CPU whose root complex forwards between all ports (AMD family 17h on) */
	int acs;                /* enum p2p_acs */
	bool forward_reads;     /* root complex forwards peer reads (client parts: writes only) */
	double read_bandwidth;  /* GB/s through the root complex; 0: pcie.host_bridge_p2p_bandwidth */
	double cross_bandwidth; /* GB/s between sockets; 0: as within one */
	sim_time_t cross_latency;
};
extern const struct param_table p2p_param_table;

struct pcie_stats {
	uint64_t reads, writes, tlps_read, tlps_write, bytes_read, bytes_written;
	uint64_t p2p_bytes_direct, p2p_bytes_host_bridge, p2p_refused;
};
extern const struct stat_table pcie_stat_table;

/* Units (tags, buffer lines) in use, in the order in which they are given back (models/pcie/credits.h). */
struct pcie_credits {
	struct pcie_credit {
		sim_time_t free;
		uint32_t units;
	} * entries;
	uint32_t first, n, capacity, used, limit;
};

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
	bool hidden; /* the dump was cut before extended capabilities: ACS and ATS are not known */
	bool ats;
	double rate;              /* GT/s per lane of the link above this node */
	unsigned lanes;           /* of that link */
	struct iommu_unit *iommu; /* unit in whose scope this function is; NULL: none */
	struct resource up, down; /* link directions */
	uint64_t link_cost;       /* ps per 1024 bytes of TLPs */
	sim_time_t flight;        /* one way to the root complex without serialisation */
	bool below_switch;
	struct pcie_credits tags;
	/* of a port of the root complex (port points to it): posted writes of everything below */
	struct pcie_node *port;
	struct pcie_credits write_buffer;
	sim_time_t committed; /* the last posted write was in order; pcie.write_latency later it is visible */
	/* ... and the reads that remapping works on: when each of the last so many left it, in a ring */
	sim_time_t *reads_left;
	unsigned reads_next;
	sim_time_t read_arrived, read_left; /* the last one */
	struct pcie_bar *bars[PCIE_BARS];
	unsigned nchildren;
	void *owner;
	void *p2pdma; /* the DMA layer's record of this function as a provider, freed with the node */
	void (*p2pdma_free)(void *p2pdma);
};

/* Whether registers can hold these values; *error names the one that cannot. */
G_GNUC_WARN_UNUSED_RESULT bool pcie_params_check(const struct pcie_params *p, const struct p2p_params *p2p,
						 GError **error);
struct pcie_fabric *pcie_fabric_new(struct sim *sim, struct memory *mem, const struct pcie_params *p,
				    struct pcie_stats *st);
/* Before nodes are added. */
void pcie_set_p2p(struct pcie_fabric *f, const struct p2p_params *p);
const struct p2p_params *pcie_p2p(const struct pcie_fabric *f);
void pcie_fabric_free(struct pcie_fabric *f);
struct pcie_node *pcie_add(struct pcie_fabric *f, struct pcie_node *parent, enum pcie_node_type type,
			   const char *name);
/* Give the link above node another rate (GT/s per lane) and width than pcie.rate and pcie.lanes. */
void pcie_set_link(struct pcie_node *node, double rate, uint64_t lanes);
/* Nodes in order of addition, NULL after the last. */
struct pcie_node *pcie_node_at(const struct pcie_fabric *f, unsigned i);
struct pcie_node *pcie_find(struct pcie_fabric *f, const char *name);
/* Make bus address = CPU address + offset. */
void pcie_set_bus_offset(struct pcie_bar *bar, uint64_t offset);
/* The window that holds a CPU or a bus address; NULL if none does. */
struct pcie_bar *pcie_bar_at(const struct pcie_fabric *f, phys_addr_t phys);
struct pcie_bar *pcie_bar_at_bus(const struct pcie_fabric *f, dma_addr_t bus);
/* ACS control bits as the machine runs: found, or as the user decided for all ports (p2p.acs). */
uint16_t pcie_acs(const struct pcie_node *node);
/* The function that stands for node's IOMMU group. */
const struct pcie_node *pcie_group(const struct pcie_node *node);
/* Whether node sends peer requests upstream: ACS with request or completion redirect or egress control. */
bool pcie_redirects(const struct pcie_node *node);
/* A mapping of provider's memory for client has no route (p2p.refused); says which port is in its way. */
void pcie_refuse_peer(const struct pcie_node *provider, const struct pcie_node *client);

/* How a memory access gets to where it goes. */
enum pcie_route {
	PCIE_ROUTE_MEMORY,      /* root complex, DRAM */
	PCIE_ROUTE_DIRECT,      /* peer below the same switch: never reaches the root complex */
	PCIE_ROUTE_REDIRECT,    /* peer below the same root port, but up to it and down again */
	PCIE_ROUTE_HOST_BRIDGE, /* peer below another root port of the same host bridge or socket */
	PCIE_ROUTE_CROSS,       /* peer on another socket */
	PCIE_ROUTE_NONE,        /* nobody answers */
};
/* Route of an untranslated access by bus address: DIRECT with the target, else NULL (goes upstream). */
struct pcie_bar *pcie_route_direct(const struct pcie_node *fn, dma_addr_t addr, bool translated);
/* Route from the root complex to a physical address. */
enum pcie_route pcie_route_phys(const struct pcie_node *fn, enum pcie_op op, phys_addr_t phys,
				struct pcie_bar **bar);
/* Read an lspci -xxxx dump through libpci. */
bool pcie_load_dump(struct pcie_fabric *f, const char *path, GError **error);
/* Nodes from a description (syntax: models/pcie/describe.c, docs/topology.md); origin names it in errors. */
bool pcie_describe(struct pcie_fabric *f, const char *text, const char *origin, GError **error);
/* A port of a switch whose ACS a cut dump does not show, so that routes between peers are not known; NULL. */
const struct pcie_node *pcie_hidden_port(const struct pcie_fabric *f);
/* Nodes from value: path of a dump or of a description, or a description itself. */
bool pcie_read_topology(struct pcie_fabric *f, const char *value, GError **error);
/* pcie.topology: the same, refused where p2p.acs would have to be as found but is hidden. */
bool pcie_load_topology(struct pcie_fabric *f, const char *value, GError **error);

/* Be told of every access before it is done; NULL: no longer. */
typedef void (*pcie_watch_fn)(void *arg, const struct pcie_dma *d);
void pcie_set_watch(struct pcie_fabric *f, pcie_watch_fn fn, void *arg);
/* Does this address lead fn to a peer without passing the root complex? */
bool pcie_is_peer_address(const struct pcie_node *fn, dma_addr_t addr);

#endif
