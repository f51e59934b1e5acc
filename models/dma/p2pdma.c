/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether and how one PCI function may address another's memory: providers, distance, ACS, the list of
 * root complexes that forward (Linux drivers/pci/p2pdma.c, include/linux/pci-p2pdma.h).
 */
#include "internal.h"

/* A provider remembers what it found out per client, for as long as it lives. */
struct cached_type {
	uint64_t client; /* PCI domain << 16 | bus and function */
	enum pci_p2pdma_map_type type;
};

struct free_range {
	phys_addr_t first, end;
};

struct pci_p2pdma {
	struct p2pdma_provider mem[PCIE_BARS];
	GArray *types; /* struct cached_type: as many as clients, few */
	GArray *pool;  /* struct free_range of registered memory, ascending */
	bool published;
};

static void p2pdma_free(void *data)
{
	struct pci_p2pdma *p = data;

	g_array_free(p->types, TRUE);
	g_array_free(p->pool, TRUE);
	g_free(p);
}

int pcim_p2pdma_init(struct pcie_node *pdev)
{
	struct pci_p2pdma *p = pdev->p2pdma;

	if (p)
		return 0;
	p = g_new0(struct pci_p2pdma, 1);
	p->types = g_array_new(FALSE, FALSE, sizeof(struct cached_type));
	p->pool = g_array_new(FALSE, FALSE, sizeof(struct free_range));
	for (unsigned i = 0; i < PCIE_BARS; i++) {
		struct pcie_bar *bar = pdev->bars[i];

		if (bar)
			p->mem[i] = (struct p2pdma_provider){pdev, bar, bar->bus - bar->base};
	}
	pdev->p2pdma = p;
	pdev->p2pdma_free = p2pdma_free;
	return 0;
}

struct p2pdma_provider *pcim_p2pdma_provider(struct pcie_node *pdev, unsigned bar)
{
	struct pci_p2pdma *p = pdev->p2pdma;

	if (!p || bar >= PCIE_BARS || !pdev->bars[bar])
		return NULL;
	p->mem[bar] = (struct p2pdma_provider){pdev, pdev->bars[bar],
					       pdev->bars[bar]->bus - pdev->bars[bar]->base};
	return &p->mem[bar];
}

int pci_p2pdma_add_resource(struct pcie_node *pdev, unsigned index, uint64_t size, uint64_t offset)
{
	struct pcie_bar *bar = index < PCIE_BARS ? pdev->bars[index] : NULL;
	struct free_range range;
	struct pci_p2pdma *p;

	if (!bar || offset >= bar->size)
		return -EINVAL;
	if (!size)
		size = bar->size - offset;
	if (size > bar->size - offset)
		return -EINVAL;
	pcim_p2pdma_init(pdev);
	pcim_p2pdma_provider(pdev, index);
	p = pdev->p2pdma;
	pcie_register_pages(bar, offset, size);
	range = (struct free_range){bar->p2p_first, bar->p2p_end};
	g_array_append_val(p->pool, range);
	return 0;
}

/* ---- memory handed out by a provider ---- */

phys_addr_t pci_alloc_p2pmem(struct pcie_node *pdev, size_t size)
{
	struct pci_p2pdma *p = pdev->p2pdma;

	size = align_up(size, PAGE_SIZE);
	for (guint i = 0; p && i < p->pool->len; i++) {
		struct free_range *r = &g_array_index(p->pool, struct free_range, i);
		phys_addr_t addr = r->first;

		if (r->end - r->first < size)
			continue;
		r->first += size;
		if (r->first == r->end)
			g_array_remove_index(p->pool, i);
		return addr;
	}
	return 0;
}

void pci_free_p2pmem(struct pcie_node *pdev, phys_addr_t addr, size_t size)
{
	struct pci_p2pdma *p = pdev->p2pdma;
	struct free_range range = {addr, addr + align_up(size, PAGE_SIZE)}, *r;
	guint at = 0;

	while (at < p->pool->len && g_array_index(p->pool, struct free_range, at).first < addr)
		at++;
	g_array_insert_val(p->pool, at, range);
	r = &g_array_index(p->pool, struct free_range, at);
	if (at + 1 < p->pool->len && r[1].first == r->end) {
		r->end = r[1].end;
		g_array_remove_index(p->pool, at + 1);
		r = &g_array_index(p->pool, struct free_range, at);
	}
	if (at > 0 && r[-1].end == r->first) {
		r[-1].end = r->end;
		g_array_remove_index(p->pool, at);
	}
}

void pci_p2pmem_publish(struct pcie_node *pdev, bool publish)
{
	struct pci_p2pdma *p = pdev->p2pdma;

	if (p)
		p->published = publish;
}

bool pci_has_p2pmem(const struct pcie_node *pdev)
{
	const struct pci_p2pdma *p = pdev->p2pdma;

	return p && p->published && p->pool->len;
}

/* ---- root complexes that forward between their ports ---- */

#define ANY_DEVICE 0xffff
#define REQ_SAME_HOST_BRIDGE 1

static const struct {
	uint16_t vendor, device, flags;
} forwarding_bridges[] = {
    {0x8086, 0x3c00, REQ_SAME_HOST_BRIDGE}, /* Xeon E5, Core i7 (Sandy Bridge) */
    {0x8086, 0x3c01, REQ_SAME_HOST_BRIDGE},
    {0x8086, 0x2f00, REQ_SAME_HOST_BRIDGE}, /* Xeon E7 v3, E5 v3, Core i7 (Haswell) */
    {0x8086, 0x2f01, REQ_SAME_HOST_BRIDGE},
    {0x8086, 0x2030, 0}, /* Skylake-E */
    {0x8086, 0x2031, 0},
    {0x8086, 0x2032, 0},
    {0x8086, 0x2033, 0},
    {0x8086, 0x2020, 0},
    {0x8086, 0x09a2, 0}, /* later Xeons: mesh to memory-mapped I/O agent */
    {0x1ae0, ANY_DEVICE, 0},
};

static struct pcie_node *host_bridge(const struct pcie_node *node)
{
	while (node->parent)
		node = node->parent;
	return (struct pcie_node *)node;
}

/*
 * The function whose id names the root complex: the first one of the root bus, if it is 00.0 or a root
 * port. A bridge object with an id of its own stands for 00.0 of a machine that is not dumped.
 */
static const struct pcie_node *bridge_function(const struct pcie_node *bridge)
{
	const struct pcie_node *first = NULL, *n;

	for (unsigned i = 0; (n = pcie_node_at(bridge->fabric, i)); i++)
		if (n->parent == bridge && (!first || n->sid < first->sid))
			first = n;
	if (bridge->vendor && (!first || (first->sid & 0xff) != 0))
		return bridge;
	if (!first || ((first->sid & 0xff) != 0 && first->type != PCIE_ROOT_PORT))
		return NULL;
	return first;
}

static bool bridge_listed(const struct pcie_node *bridge, bool same)
{
	const struct pcie_node *f = bridge_function(bridge);

	for (unsigned i = 0; f && i < G_N_ELEMENTS(forwarding_bridges); i++) {
		if (f->vendor != forwarding_bridges[i].vendor)
			continue;
		if (f->device != forwarding_bridges[i].device && forwarding_bridges[i].device != ANY_DEVICE)
			continue;
		return same || !(forwarding_bridges[i].flags & REQ_SAME_HOST_BRIDGE);
	}
	return false;
}

static bool host_bridge_forwards(const struct pcie_node *a, const struct pcie_node *b)
{
	const struct pcie_node *host_a = host_bridge(a), *host_b = host_bridge(b);

	if (pcie_p2p(a->fabric)->any_host_bridge)
		return true;
	if (host_a == host_b)
		return bridge_listed(host_a, true);
	return bridge_listed(host_a, false) && bridge_listed(host_b, false);
}

/* ---- distance ---- */

static const struct pcie_node *upstream_bridge(const struct pcie_node *n)
{
	return n->parent && n->parent->type != PCIE_HOST_BRIDGE ? n->parent : NULL;
}

static uint64_t client_key(const struct pcie_node *client)
{
	return (uint64_t)client->pci_domain << 16 | client->sid;
}

static void cache_type(struct pcie_node *provider, const struct pcie_node *client,
		       enum pci_p2pdma_map_type type)
{
	struct pci_p2pdma *p = provider->p2pdma;
	struct cached_type entry = {client_key(client), type};

	if (!p)
		return;
	for (guint i = 0; i < p->types->len; i++) {
		struct cached_type *t = &g_array_index(p->types, struct cached_type, i);

		if (t->client == entry.client) {
			t->type = type;
			return;
		}
	}
	g_array_append_val(p->types, entry);
}

/* Type and number of hops between two functions (9.4-9.6). */
static enum pci_p2pdma_map_type calc_map_type_and_dist(struct pcie_node *provider,
						       const struct pcie_node *client, int *dist)
{
	int hops_a = 0, hops_b = 0;
	unsigned redirects = 0;
	enum pci_p2pdma_map_type type;
	const struct pcie_node *a, *b;

	for (a = provider; a; a = upstream_bridge(a), hops_a++) {
		redirects += pcie_redirects(a);
		for (b = client, hops_b = 0; b && b != a; b = upstream_bridge(b))
			hops_b++;
		if (b)
			break;
	}
	*dist = hops_a + hops_b;
	if (a)
		for (b = client; b != a; b = upstream_bridge(b))
			redirects += pcie_redirects(b);
	if (a && !redirects)
		type = PCI_P2PDMA_MAP_BUS_ADDR;
	else if (host_bridge_forwards(provider, client))
		type = PCI_P2PDMA_MAP_THRU_HOST_BRIDGE;
	else
		type = PCI_P2PDMA_MAP_NOT_SUPPORTED;
	cache_type(provider, client, type);
	return type;
}

int pci_p2pdma_distance_many(struct pcie_node *provider, struct device *const *clients, unsigned n)
{
	bool supported = true;
	int total = 0;

	if (!n)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		int dist;

		if (!clients[i]->pci)
			return -1;
		if (calc_map_type_and_dist(provider, clients[i]->pci, &dist) == PCI_P2PDMA_MAP_NOT_SUPPORTED)
			supported = false;
		total += dist;
	}
	return supported ? total : -1;
}

struct pcie_node *pci_p2pmem_find_many(struct pcie_fabric *f, struct device *const *clients, unsigned n,
				       struct rng *rng)
{
	struct pcie_node *best = NULL, *node;
	int nearest = INT32_MAX;
	unsigned ties = 0;

	for (unsigned i = 0; (node = pcie_node_at(f, i)); i++) {
		int dist;

		if (!pci_has_p2pmem(node))
			continue;
		dist = pci_p2pdma_distance_many(node, clients, n);
		if (dist < 0 || dist > nearest)
			continue;
		if (dist < nearest)
			ties = 0;
		nearest = dist;
		/* Each of k equally near ones ends up chosen with probability 1/k. */
		if (rng_below(rng, ++ties) == 0)
			best = node;
	}
	return best;
}

/* ---- decision for a mapping ---- */

enum pci_p2pdma_map_type pci_p2pdma_map_type(struct p2pdma_provider *provider, struct device *client)
{
	struct pci_p2pdma *p = provider->owner->p2pdma;
	uint64_t key;
	int dist;

	if (!p || !client->pci)
		return PCI_P2PDMA_MAP_NOT_SUPPORTED;
	key = client_key(client->pci);
	for (guint i = 0; i < p->types->len; i++) {
		const struct cached_type *t = &g_array_index(p->types, struct cached_type, i);

		if (t->client == key)
			return t->type;
	}
	return calc_map_type_and_dist(provider->owner, client->pci, &dist);
}

enum pci_p2pdma_map_type pci_p2pdma_state(struct pci_p2pdma_map_state *state, struct device *dev,
					  phys_addr_t phys)
{
	struct p2pdma_provider *provider;
	struct pcie_bar *bar;

	if (G_LIKELY(memory_kind(dev->dma->mem, phys) != MEMORY_P2P))
		return PCI_P2PDMA_MAP_NONE;
	bar = memory_bar_owner(dev->dma->mem, phys, NULL);
	if (!bar || phys < bar->p2p_first || phys >= bar->p2p_end)
		return PCI_P2PDMA_MAP_NONE;
	pcim_p2pdma_init(bar->node);
	provider = pcim_p2pdma_provider(bar->node, bar->index);
	if (state->mem == provider)
		return state->map;
	state->mem = provider;
	state->map = pci_p2pdma_map_type(provider, dev);
	state->bus_off = provider->bus_offset;
	if (state->map == PCI_P2PDMA_MAP_NOT_SUPPORTED && dev->pci)
		pcie_refuse_peer(bar->node, dev->pci);
	return state->map;
}
