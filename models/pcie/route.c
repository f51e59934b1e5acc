/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who answers an address: switches route peer requests by bus address unless ACS sends them upstream;
 * what reaches the root complex is translated first (PCI Express base specification 5.0, 6.12.3: ACS).
 */
#include "internal.h"

struct pcie_node *pcie_common(const struct pcie_node *a, const struct pcie_node *b)
{
	for (; a; a = a->parent)
		for (const struct pcie_node *up = b; up; up = up->parent)
			if (up == a)
				return (struct pcie_node *)up;
	return NULL;
}

bool pcie_same_device(const struct pcie_node *a, const struct pcie_node *b)
{
	return a->parent == b->parent && a->pci_domain == b->pci_domain && a->sid >> 3 == b->sid >> 3;
}

uint16_t pcie_acs(const struct pcie_node *node)
{
	if (!node->has_acs && !(node->hidden && node->type != PCIE_ENDPOINT))
		return 0;
	switch (node->fabric->p2p.acs) {
	case P2P_ACS_OFF:
		return 0;
	case P2P_ACS_ON:
		return node->acs | ACS_SV | ACS_RR | ACS_CR | ACS_UF; /* what Linux enables */
	default:
		return node->acs;
	}
}

const struct pcie_node *pcie_hidden_port(const struct pcie_fabric *f)
{
	for (unsigned i = 0; i < f->nodes->len; i++) {
		const struct pcie_node *n = g_ptr_array_index(f->nodes, i);

		if (n->hidden && n->type == PCIE_SWITCH_DOWN)
			return n;
	}
	return NULL;
}

bool pcie_redirects(const struct pcie_node *node)
{
	return (pcie_acs(node) & (ACS_RR | ACS_CR | ACS_EC)) != 0;
}

/* What sends the requests between two functions to the root complex, or that itself, which drops them. */
static const struct pcie_node *barrier(const struct pcie_node *a, const struct pcie_node *b)
{
	const struct pcie_node *top = pcie_common(a, b), *n;

	for (n = b; top && n != top; n = n->parent)
		if (top->type != PCIE_HOST_BRIDGE && pcie_redirects(n))
			return n;
	for (n = a; top && n != top; n = n->parent)
		if (top->type != PCIE_HOST_BRIDGE && pcie_redirects(n))
			return n;
	for (n = b; n->parent; n = n->parent)
		;
	return n;
}

void pcie_refuse_peer(const struct pcie_node *provider, const struct pcie_node *client)
{
	client->fabric->st->p2p_refused++;
	sim_refuse(client->fabric->sim, "no way to the peer's memory past", barrier(provider, client)->name,
		   0);
}

/* The port through which fn's requests enter the node top above it. */
static const struct pcie_node *ingress(const struct pcie_node *fn, const struct pcie_node *top)
{
	while (fn->parent != top)
		fn = fn->parent;
	return fn;
}

struct pcie_bar *pcie_route_direct(const struct pcie_node *fn, dma_addr_t addr, bool translated)
{
	const struct pcie_fabric *f = fn->fabric;
	const struct pcie_node *top, *gate;
	struct pcie_bar *bar;

	if (G_LIKELY(!f->bars->len))
		return NULL;
	bar = pcie_bar_at_bus(f, addr);
	if (!bar)
		return NULL;
	if (bar->node == fn || pcie_same_device(fn, bar->node)) {
		gate = fn;
	} else {
		top = pcie_common(fn, bar->node);
		if (!top || top->type != PCIE_SWITCH_UP)
			return NULL;
		gate = ingress(fn, top);
	}
	if (translated && (pcie_acs(gate) & ACS_DT))
		return bar;
	/* Egress control is an unconditional redirect here: the egress vector is not modelled. */
	return pcie_acs(gate) & (ACS_RR | ACS_EC) ? NULL : bar;
}

bool pcie_is_peer_address(const struct pcie_node *fn, dma_addr_t addr)
{
	return pcie_route_direct(fn, addr, false) != NULL;
}

enum pcie_route pcie_route_phys(const struct pcie_node *fn, enum pcie_op op, phys_addr_t phys,
				struct pcie_bar **bar)
{
	const struct pcie_fabric *f = fn->fabric;
	const struct pcie_node *top;

	*bar = NULL;
	if (G_LIKELY(!f->bars->len))
		return PCIE_ROUTE_MEMORY;
	*bar = pcie_bar_at(f, phys);
	if (!*bar)
		return memory_kind(f->mem, phys) == MEMORY_NONE ? PCIE_ROUTE_NONE : PCIE_ROUTE_MEMORY;
	top = pcie_common(fn, (*bar)->node);
	if (top && top->type != PCIE_HOST_BRIDGE)
		return PCIE_ROUTE_REDIRECT;
	if (op == PCIE_READ && !f->p2p.forward_reads)
		return PCIE_ROUTE_NONE;
	return fn->socket == (*bar)->node->socket ? PCIE_ROUTE_HOST_BRIDGE : PCIE_ROUTE_CROSS;
}
