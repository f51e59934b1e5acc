/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fabric as a tree of functions with their memory windows, its parameters and statistics.
 * PCI Express base specification 5.0: 7.5.1 (type 0 and 1 headers), 7.7.8 (ACS extended capability).
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#define P(member) offsetof(struct pcie_params, member)
static const struct param_spec specs[] = {
    {"rate", PARAM_DOUBLE, "GT/s", P(rate), "8", 2.5, 64, NULL, "signalling rate per lane of device links",
     NULL},
    {"lanes", PARAM_UINT, "", P(lanes), "8", 1, 32, NULL, "lanes of device links", NULL},
    {"mps", PARAM_SIZE, "bytes", P(mps), "256", 128, 4096, NULL, "largest payload of one TLP (power of two)",
     NULL},
    {"mrrs", PARAM_SIZE, "bytes", P(mrrs), "512", 128, 4096, NULL, "largest read request (power of two)",
     NULL},
    {"rcb", PARAM_SIZE, "bytes", P(rcb), "64", 64, 128, NULL, "read completion boundary",
     "PCIe base 5.0 2.3.1.1"},
    {"tags", PARAM_UINT, "", P(tags), "256", 1, 1024, NULL, "outstanding reads per function", NULL},
    {"write_buffer", PARAM_UINT, "", P(write_buffer), "100", 1, 100000, NULL,
     "cache lines of posted writes that the root complex buffers",
     "\"about 100 cachelines\", Farshin et al. citing earlier work (A)"},
    {"read_window", PARAM_UINT, "", P(read_window), "8", 1, 65536, NULL,
     "reads of a root port that remapping works on at a time; they leave it in order (those to one page "
     "count as one)",
     "fitted: pcie-bench data, Broadwell, 64 B reads in a window of 1 MiB, where half of them hit (14.3 "
     "Gb/s)"},
    {"read_line", PARAM_TIME, "ps", P(read_line), "24ns", 0, 1e9, NULL,
     "time that a read request which missed occupies its walker per cache line after the first",
     "fitted: pcie-bench data, Broadwell, 256 B reads that miss (33.5 Gb/s at 64 MiB)"},
    {"read_rtt", PARAM_TIME, "ps", P(read_rtt), "413ns", 0, 1e9, NULL,
     "64-byte read that hits the last-level cache, without translation",
     "Neugebauer et al., SIGCOMM 2018, Broadwell (A)"},
    {"write_latency", PARAM_TIME, "ps", P(write_latency), "100ns", 0, 1e9, NULL,
     "time that a translated posted write stays in the root complex's buffer",
     "Little's law on the two fitting points of \"Fast & Safe IO Memory Protection\", SOSP 2024 (B)"},
    {"switch_latency", PARAM_TIME, "ps", P(switch_latency), "110ns", 0, 1e9, NULL,
     "one pass through a switch", "vendor figures of 100-150 ns (D)"},
    {"host_bridge_latency", PARAM_TIME, "ps", P(host_bridge_latency), "150ns", 0, 1e9, NULL,
     "turn-around of peer traffic in the root complex", "no public measurement (E)"},
    {"host_bridge_p2p_bandwidth", PARAM_DOUBLE, "GB/s", P(host_bridge_p2p_bandwidth), "0", 0, 1000, NULL,
     "cap on peer traffic through the root complex; 0: none", NULL},
    {"topology", PARAM_STRING, "", P(topology), "", 0, 0, NULL,
     "lspci -xxxx dump or description of a machine; empty: each device under its own root port", NULL},
};
#undef P

const struct param_table pcie_param_table = {
    .section = "pcie",
    .help = "PCIe links, switches, root complex",
    .specs = specs,
    .nspecs = G_N_ELEMENTS(specs),
    .struct_size = sizeof(struct pcie_params),
};

static const char *const acs_choices[] = {"as-found", "off", "on", NULL};
#define Q(member) offsetof(struct p2p_params, member)
static const struct param_spec p2p_specs[] = {
    {"host_bridge", PARAM_STRING, "", Q(host_bridge), "8086:09a2", 0, 0, NULL,
     "vendor:device of the root complex of a machine that no dump describes (Linux has a list of those that "
     "forward peer traffic)",
     NULL},
    {"any_host_bridge", PARAM_BOOL, "", Q(any_host_bridge), "false", 0, 0, NULL,
     "the CPU's root complex forwards between all ports (AMD family 17h and later)", NULL},
    {"acs", PARAM_ENUM, "", Q(acs), "as-found", 0, 0, acs_choices,
     "ACS redirection: as described or dumped, or switched off or on in all ports that have the capability",
     NULL},
    {"forward_reads", PARAM_BOOL, "", Q(forward_reads), "true", 0, 0, NULL,
     "the root complex forwards peer reads between its ports (client parts: writes only)",
     "vendor engineer on Intel client parts (A)"},
    {"read_bandwidth", PARAM_DOUBLE, "GB/s", Q(read_bandwidth), "0", 0, 1000, NULL,
     "cap on peer reads through the root complex; 0: pcie.host_bridge_p2p_bandwidth", NULL},
    {"cross_bandwidth", PARAM_DOUBLE, "GB/s", Q(cross_bandwidth), "0", 0, 1000, NULL,
     "cap on peer traffic between sockets; 0: as within one", NULL},
    {"cross_latency", PARAM_TIME, "ps", Q(cross_latency), "50ns", 0, 1e9, NULL,
     "more on the way to another socket",
     "Neugebauer et al., SIGCOMM 2018: 51-58 ns to remote memory (A), taken over for peers (E)"},
};
#undef Q

const struct param_table p2p_param_table = {
    .section = "p2p",
    .help = "peer-to-peer traffic",
    .specs = p2p_specs,
    .nspecs = G_N_ELEMENTS(p2p_specs),
    .struct_size = sizeof(struct p2p_params),
};

#define S(member) offsetof(struct pcie_stats, member)
static const struct stat_spec stats[] = {
    {"pcie.reads", STAT_COUNTER, "count", S(reads), NULL, false, "read operations of devices"},
    {"pcie.writes", STAT_COUNTER, "count", S(writes), NULL, false, "write operations of devices"},
    {"pcie.tlps_read", STAT_COUNTER, "count", S(tlps_read), NULL, false, "read-request TLPs"},
    {"pcie.tlps_write", STAT_COUNTER, "count", S(tlps_write), NULL, false, "write TLPs"},
    {"pcie.bytes_read", STAT_COUNTER, "bytes", S(bytes_read), NULL, false, "bytes that devices read"},
    {"pcie.bytes_written", STAT_COUNTER, "bytes", S(bytes_written), NULL, false, "bytes that devices wrote"},
    {"p2p.bytes_direct", STAT_COUNTER, "bytes", S(p2p_bytes_direct), NULL, false,
     "peer bytes that a switch forwarded without the root complex"},
    {"p2p.bytes_host_bridge", STAT_COUNTER, "bytes", S(p2p_bytes_host_bridge), NULL, false,
     "peer bytes that went up to the root complex"},
    {"p2p.refused", STAT_COUNTER, "count", S(p2p_refused), NULL, false,
     "peer mappings refused and peer accesses without a route"},
};
#undef S

const struct stat_table pcie_stat_table = {
    .specs = stats,
    .nspecs = G_N_ELEMENTS(stats),
    .struct_size = sizeof(struct pcie_stats),
};

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
