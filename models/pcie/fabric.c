/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fabric as a tree of functions with their memory windows, its parameters and statistics.
 * PCI Express base specification 5.0: 7.5.1 (type 0 and 1 headers), 7.7.8 (ACS extended capability).
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#define PARAMS_OF struct pcie_params
static const struct param_spec specs[] = {
    PARAM(rate, DOUBLE, "8", .unit = "GT/s", .min = 2.5, .max = 64,
	  .help = "signalling rate per lane of device links"),
    PARAM(lanes, UINT, "8", .min = 1, .max = 32, .help = "lanes of device links"),
    PARAM(mps, SIZE, "256", .min = 128, .max = 4096, .help = "largest payload of one TLP (power of two)"),
    PARAM(mrrs, SIZE, "512", .min = 128, .max = 4096, .help = "largest read request (power of two)"),
    PARAM(rcb, SIZE, "64", .min = 64, .max = 128, .help = "read completion boundary",
	  .source = "PCIe base 5.0 2.3.1.1"),
    PARAM(tags, UINT, "256", .min = 1, .max = 1024, .help = "outstanding reads per function"),
    PARAM(write_buffer, UINT, "100", .min = 1, .max = 100000,
	  .help = "cache lines of posted writes that the root complex buffers",
	  .source = "\"about 100 cachelines\", Farshin et al. citing earlier work (A)"),
    PARAM(read_window, UINT, "8", .min = 1, .max = 65536,
	  .help = "reads of a root port that remapping works on at a time; they leave it in order (those to "
		  "one page count as one)",
	  .source = "fitted: pcie-bench data, Broadwell, 64 B reads in a window of 1 MiB, where half of them "
		    "hit (14.3 Gb/s)"),
    PARAM(read_line, TIME, "24ns", .max = 1e9,
	  .help = "time that a read request which missed occupies its walker per cache line after the first",
	  .source = "fitted: pcie-bench data, Broadwell, 256 B reads that miss (33.5 Gb/s at 64 MiB)"),
    PARAM(read_rtt, TIME, "413ns", .max = 1e9,
	  .help = "64-byte read that hits the last-level cache, without translation",
	  .source = "Neugebauer et al., SIGCOMM 2018, Broadwell (A)"),
    PARAM(
	write_latency, TIME, "100ns", .max = 1e9,
	.help = "time that a translated posted write stays in the root complex's buffer",
	.source =
	    "Little's law on the two fitting points of \"Fast & Safe IO Memory Protection\", SOSP 2024 (B)"),
    PARAM(switch_latency, TIME, "110ns", .max = 1e9, .help = "one pass through a switch",
	  .source = "vendor figures of 100-150 ns (D)"),
    PARAM(host_bridge_latency, TIME, "150ns", .max = 1e9,
	  .help = "turn-around of peer traffic in the root complex", .source = "no public measurement (E)"),
    PARAM(host_bridge_p2p_bandwidth, DOUBLE, "0", .unit = "GB/s", .max = 1000,
	  .help = "cap on peer traffic through the root complex; 0: none"),
    PARAM(topology, STRING, "",
	  .help = "lspci -xxxx dump or description of a machine; empty: each device under its own root port"),
};

const struct param_table pcie_param_table = PARAM_TABLE("pcie", "PCIe links, switches, root complex", specs);
#undef PARAMS_OF

static const char *const acs_choices[] = {"as-found", "off", "on", NULL};
#define PARAMS_OF struct p2p_params
static const struct param_spec p2p_specs[] = {
    PARAM(host_bridge, STRING, "8086:09a2",
	  .help = "vendor:device of the root complex of a machine that no dump describes (Linux has a list "
		  "of those that forward peer traffic)"),
    PARAM(any_host_bridge, BOOL, "false",
	  .help = "the CPU's root complex forwards between all ports (AMD family 17h and later)"),
    PARAM(acs, ENUM, "as-found", .choices = acs_choices,
	  .help = "ACS redirection: as described or dumped, or switched off or on in all ports that have the "
		  "capability"),
    PARAM(forward_reads, BOOL, "true",
	  .help = "the root complex forwards peer reads between its ports (client parts: writes only)",
	  .source = "vendor engineer on Intel client parts (A)"),
    PARAM(read_bandwidth, DOUBLE, "0", .unit = "GB/s", .max = 1000,
	  .help = "cap on peer reads through the root complex; 0: pcie.host_bridge_p2p_bandwidth"),
    PARAM(cross_bandwidth, DOUBLE, "0", .unit = "GB/s", .max = 1000,
	  .help = "cap on peer traffic between sockets; 0: as within one"),
    PARAM(
	cross_latency, TIME, "50ns", .max = 1e9, .help = "more on the way to another socket",
	.source = "Neugebauer et al., SIGCOMM 2018: 51-58 ns to remote memory (A), taken over for peers (E)"),
};

const struct param_table p2p_param_table = PARAM_TABLE("p2p", "peer-to-peer traffic", p2p_specs);
#undef PARAMS_OF

#define STATS_OF struct pcie_stats
static const struct stat_spec stats[] = {
    STAT_COUNT("pcie.reads", reads, "read operations of devices"),
    STAT_COUNT("pcie.writes", writes, "write operations of devices"),
    STAT_COUNT("pcie.tlps_read", tlps_read, "read-request TLPs"),
    STAT_COUNT("pcie.tlps_write", tlps_write, "write TLPs"),
    STAT_BYTES("pcie.bytes_read", bytes_read, "bytes that devices read"),
    STAT_BYTES("pcie.bytes_written", bytes_written, "bytes that devices wrote"),
    STAT_BYTES("p2p.bytes_direct", p2p_bytes_direct,
	       "peer bytes that a switch forwarded without the root complex"),
    STAT_BYTES("p2p.bytes_host_bridge", p2p_bytes_host_bridge, "peer bytes that went up to the root complex"),
    STAT_COUNT("p2p.refused", p2p_refused, "peer mappings refused and peer accesses without a route"),
};

const struct stat_table pcie_stat_table = STAT_TABLE(stats);
#undef STATS_OF

/* BARs without a place of their own go above all DRAM: 64-bit prefetchable windows do. */
#define MMIO_WINDOW ((phys_addr_t)1 << 45)

static void node_free(void *data)
{
	struct pcie_node *n = data;

	resource_fini(&n->up);
	resource_fini(&n->down);
	pcie_timing_fini_node(n);
	if (n->p2pdma_free)
		n->p2pdma_free(n->p2pdma);
	g_free(n->name);
	g_free(n);
}

static bool power_of_two(const char *name, uint64_t v, GError **error)
{
	if (v && !(v & (v - 1)))
		return true;
	g_set_error(error, PARAM_ERROR, 0,
		    "%s = %" G_GUINT64_FORMAT
		    ": want a power of two (the register field holds its logarithm)",
		    name, v);
	return false;
}

bool pcie_params_check(const struct pcie_params *p, const struct p2p_params *p2p, GError **error)
{
	unsigned vendor, device;
	char rest;

	if (!power_of_two("pcie.mps", p->mps, error) || !power_of_two("pcie.mrrs", p->mrrs, error) ||
	    !power_of_two("pcie.rcb", p->rcb, error))
		return false;
	if (!*p2p->host_bridge || (sscanf(p2p->host_bridge, "%x:%x%c", &vendor, &device, &rest) == 2 &&
				   vendor <= 0xffff && device <= 0xffff))
		return true;
	g_set_error(error, PARAM_ERROR, 0, "p2p.host_bridge = %s: want VENDOR:DEVICE in hex, e.g. 8086:09a2",
		    p2p->host_bridge);
	return false;
}

struct pcie_fabric *pcie_fabric_new(struct sim *sim, struct memory *mem, const struct pcie_params *p,
				    struct pcie_stats *st)
{
	struct pcie_fabric *f = g_new0(struct pcie_fabric, 1);

	f->sim = sim;
	f->mem = mem;
	f->params = *p;
	f->params.topology = NULL;
	param_defaults(&p2p_param_table, &f->p2p);
	f->st = st;
	f->nodes = g_ptr_array_new_with_free_func(node_free);
	f->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	f->bars = g_ptr_array_new_with_free_func(g_free);
	f->mmio_next = MMIO_WINDOW;
	resource_init(&f->peer_bridge, 1);
	resource_init(&f->peer_cross, 1);
	/* A register field holds log2 of these. */
	f->mps_lg2 = 63 - (unsigned)__builtin_clzll(p->mps);
	f->mrrs_lg2 = 63 - (unsigned)__builtin_clzll(p->mrrs);
	return f;
}

void pcie_fabric_free(struct pcie_fabric *f)
{
	if (!f)
		return;
	param_clear(&p2p_param_table, &f->p2p);
	resource_fini(&f->peer_bridge);
	resource_fini(&f->peer_cross);
	g_ptr_array_free(f->bars, TRUE);
	g_hash_table_destroy(f->by_name);
	g_ptr_array_free(f->nodes, TRUE);
	g_free(f);
}

void pcie_set_p2p(struct pcie_fabric *f, const struct p2p_params *p)
{
	param_clear(&p2p_param_table, &f->p2p);
	param_copy(&p2p_param_table, &f->p2p, p);
}

const struct p2p_params *pcie_p2p(const struct pcie_fabric *f)
{
	return &f->p2p;
}

/* "DOMAIN:BUS:SLOT.FUNCTION"; bridges of another name keep source id 0. */
static void parse_name(struct pcie_node *n)
{
	unsigned domain, bus, slot, function;

	if (sscanf(n->name, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return;
	n->pci_domain = domain;
	n->sid = (uint16_t)(bus << 8 | (slot & 31) << 3 | (function & 7));
}

/* "VENDOR:DEVICE" in hex; the id stands for function 00.0 of the root bus. */
static void parse_host_bridge(struct pcie_node *n, const char *id)
{
	unsigned vendor, device;

	if (!id || sscanf(id, "%x:%x", &vendor, &device) != 2)
		return;
	n->vendor = (uint16_t)vendor;
	n->device = (uint16_t)device;
}

struct pcie_node *pcie_node_at(const struct pcie_fabric *f, unsigned i)
{
	return i < f->nodes->len ? g_ptr_array_index(f->nodes, i) : NULL;
}

struct pcie_node *pcie_find(struct pcie_fabric *f, const char *name)
{
	return g_hash_table_lookup(f->by_name, name);
}

struct pcie_node *pcie_add(struct pcie_fabric *f, struct pcie_node *parent, enum pcie_node_type type,
			   const char *name)
{
	struct pcie_node *n = pcie_find(f, name);

	if (n)
		return n;
	n = g_new0(struct pcie_node, 1);
	n->fabric = f;
	n->parent = parent;
	n->type = type;
	n->name = g_strdup(name);
	parse_name(n);
	if (type == PCIE_HOST_BRIDGE)
		parse_host_bridge(n, f->p2p.host_bridge);
	resource_init(&n->up, 1);
	resource_init(&n->down, 1);
	if (parent) {
		n->socket = parent->socket;
		parent->nchildren++;
	}
	pcie_timing_init_node(n);
	g_ptr_array_add(f->nodes, n);
	g_hash_table_insert(f->by_name, n->name, n);
	return n;
}

/* ---- memory windows ---- */

/* Index of the first BAR that ends after phys. */
static unsigned bar_index(const struct pcie_fabric *f, phys_addr_t phys)
{
	unsigned lo = 0, hi = f->bars->len;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		const struct pcie_bar *bar = g_ptr_array_index(f->bars, mid);

		if (bar->base + bar->size - 1 < phys)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct pcie_bar *pcie_bar_at(const struct pcie_fabric *f, phys_addr_t phys)
{
	unsigned i = bar_index(f, phys);
	struct pcie_bar *bar = i < f->bars->len ? g_ptr_array_index(f->bars, i) : NULL;

	return bar && phys >= bar->base ? bar : NULL;
}

struct pcie_bar *pcie_bar_at_bus(const struct pcie_fabric *f, dma_addr_t bus)
{
	/* Host bridges with an offset are rare and BARs few: no second index. */
	for (unsigned i = 0; i < f->bars->len; i++) {
		struct pcie_bar *bar = g_ptr_array_index(f->bars, i);

		if (bus - bar->bus < bar->size)
			return bar;
	}
	return NULL;
}

struct pcie_bar *pcie_add_bar(struct pcie_node *node, unsigned index, phys_addr_t base, uint64_t size,
			      enum memory_kind kind)
{
	struct pcie_fabric *f = node->fabric;
	struct pcie_bar *bar;
	unsigned at;

	if (index >= PCIE_BARS || node->bars[index] || !size)
		return NULL;
	size = align_up(size, PAGE_SIZE);
	if (base &&
	    (memory_kind(f->mem, base) != MEMORY_NONE || memory_kind(f->mem, base + size - 1) != MEMORY_NONE))
		return NULL;
	if (!base) {
		/* A BAR is aligned to its size, which is a power of two. */
		base = align_up(f->mmio_next, (uint64_t)1 << order_base_2(size));
		f->mmio_next = base + size;
	}
	at = bar_index(f, base);
	if (at < f->bars->len) {
		const struct pcie_bar *next = g_ptr_array_index(f->bars, at);

		if (next->base <= base + size - 1)
			return NULL;
	}
	bar = g_new(struct pcie_bar, 1);
	*bar = (struct pcie_bar){
	    .node = node, .index = index, .base = base, .bus = base, .size = size, .kind = kind};
	node->bars[index] = bar;
	g_ptr_array_insert(f->bars, (int)at, bar);
	memory_add_bar(f->mem, base, size, kind, bar);
	if (kind == MEMORY_P2P)
		pcie_register_pages(bar, 0, size);
	return bar;
}

void pcie_register_pages(struct pcie_bar *bar, uint64_t offset, uint64_t size)
{
	bar->kind = MEMORY_P2P;
	bar->p2p_first = bar->base + offset;
	bar->p2p_end = bar->p2p_first + size;
	memory_set_bar_kind(bar->node->fabric->mem, bar->base, MEMORY_P2P);
}

void pcie_set_bus_offset(struct pcie_bar *bar, uint64_t offset)
{
	bar->bus = bar->base + offset;
}
