/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The remapping units of a machine: as many as the scenario says, or those that an ACPI DMAR table describes,
 * each with caches, walkers and a queue of its own and the parameters of the scenario.
 */
#include "internal.h"

#include "models/vtd/dmar.h"

static struct iommu_unit *new_unit(struct machine *m, unsigned number)
{
	const struct config *c = m->config;
	const struct vtd_params p = {
	    .iotlb = *(const struct iotlb_params *)config_get(c, &iotlb_param_table),
	    .pwc = *(const struct pwc_params *)config_get(c, &pwc_param_table),
	    .walker = *(const struct walker_params *)config_get(c, &walker_param_table),
	    .qi = *(const struct qi_params *)config_get(c, &qi_param_table),
	    .iommu = *(const struct iommu_params *)config_get(c, &iommu_param_table),
	    .ats = *(const struct ats_params *)config_get(c, &ats_param_table),
	    .number = number,
	};

	return vtd_iommu_unit(vtd_new(&m->sim, m->memory, &p, &m->vtd_stats));
}

static void free_unit(void *data)
{
	struct iommu_unit *u = data;

	u->ops->free(u);
}

static bool load_dmar(struct machine *m, const struct iommu_params *p, GError **error)
{
	GError *why = NULL;

	if (p->units > 1) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "iommu.units = %" G_GUINT64_FORMAT
			    " and iommu.dmar = %s: the table says how many units there "
			    "are; want one of the two",
			    p->units, p->dmar);
		return false;
	}
	m->dmar = dmar_load(p->dmar, &why);
	if (!m->dmar) {
		g_set_error(
		    error, DMASIM_ERROR, DMASIM_ERROR_INPUT,
		    "iommu.dmar: %s; want the ACPI table, raw as in /sys/firmware/acpi/tables/DMAR or as "
		    "acpidump prints it",
		    why->message);
		g_error_free(why);
		return false;
	}
	if (m->dmar->nunits)
		return true;
	g_set_error(
	    error, DMASIM_ERROR, DMASIM_ERROR_INPUT,
	    "%s: iommu.dmar: the table has no DRHD structure, so no unit; want the table of a machine with "
	    "VT-d",
	    p->dmar);
	return false;
}

/* Without a table the units are spread over the sockets: the first one of a socket. */
static unsigned first_unit(unsigned units, unsigned socket, unsigned sockets)
{
	return (unsigned)((uint64_t)units * (socket % sockets) / sockets);
}

static unsigned sockets_of(const struct machine *m)
{
	const struct memory_params *p = config_get(m->config, &memory_param_table);

	return (unsigned)MAX(p->nodes, 1);
}

/* NUMA node of a unit; -1: not known. */
static int node_of(const struct machine *m, unsigned unit, unsigned units)
{
	unsigned sockets = sockets_of(m), node = 0;

	if (m->dmar)
		return m->dmar->units[unit].node < (int)sockets ? m->dmar->units[unit].node : -1;
	while (node + 1 < sockets && first_unit(units, node + 1, sockets) <= unit)
		node++;
	return (int)node;
}

bool machine_add_units(struct machine *m, GError **error)
{
	const struct iommu_params *p = config_get(m->config, &iommu_param_table);
	unsigned units;

	if (!vtd_params_check(p, config_get(m->config, &walker_param_table), error))
		return false;
	m->units = g_ptr_array_new_with_free_func(free_unit);
	if (p->dmar && *p->dmar && !load_dmar(m, p, error))
		return false;
	units = m->dmar ? m->dmar->nunits : (unsigned)p->units;
	for (unsigned i = 0; i < units; i++) {
		struct iommu_unit *u = new_unit(m, i);
		int node = units > 1 || m->dmar ? node_of(m, i, units) : -1;

		if (node >= 0)
			u->ops->set_node(u, (unsigned)node);
		g_ptr_array_add(m->units, u);
	}
	m->iommu = m->units->pdata[0];
	return true;
}

void machine_free_units(struct machine *m)
{
	if (m->units)
		g_ptr_array_free(m->units, TRUE);
	dmar_free(m->dmar);
}

/* Bus of the node's host bridge, then device and function of every bridge down to the node. */
static bool node_path(const struct pcie_node *node, struct dmar_path *path)
{
	const struct pcie_node *chain[DMAR_MAX_HOPS];
	unsigned n = 0;

	for (; node && node->type != PCIE_HOST_BRIDGE; node = node->parent) {
		if (n == DMAR_MAX_HOPS)
			return false;
		chain[n++] = node;
	}
	if (!n)
		return false;
	path->segment = (uint16_t)chain[n - 1]->pci_domain;
	path->bus = (uint8_t)(chain[n - 1]->sid >> 8);
	path->hops = n;
	for (unsigned i = 0; i < n; i++)
		path->devfn[i] = (uint8_t)chain[n - 1 - i]->sid;
	return true;
}

/*
 * Without a table: a socket's ports, and the functions that are integrated in it, in the order in which they
 * were added, are dealt out to its units.
 */
static struct iommu_unit *dealt_unit(struct machine *m, const struct pcie_node *node)
{
	unsigned units = m->units->len, sockets = sockets_of(m);
	unsigned first = first_unit(units, node->socket, sockets);
	unsigned last = node->socket % sockets + 1 < sockets ? first_unit(units, node->socket + 1, sockets)
							     : units;
	const struct pcie_node *top = node, *n;
	unsigned before = 0;

	while (top->parent && top->parent->type != PCIE_HOST_BRIDGE)
		top = top->parent;
	for (unsigned i = 0; (n = pcie_node_at(m->fabric, i)) && n != top; i++)
		before += n->parent && n->parent->type == PCIE_HOST_BRIDGE && n->socket == top->socket;
	return m->units->pdata[first + before % MAX(last - first, 1)];
}

struct iommu_unit *machine_unit_of(struct machine *m, const struct pcie_node *node)
{
	struct dmar_path path = {0};
	int unit;

	if (!m->units)
		return NULL;
	if (!m->dmar)
		return m->units->len > 1 ? dealt_unit(m, node) : m->iommu;
	unit = node_path(node, &path) ? dmar_find_unit(m->dmar, &path) : -1;
	return unit < 0 ? NULL : m->units->pdata[unit];
}

bool machine_ats_supported(const struct machine *m, const struct pcie_node *node)
{
	struct dmar_path path = {0}, port_path = {0};
	const struct pcie_node *port = node;
	bool scalable = node->iommu && vtd_scalable(vtd_of(node->iommu));

	if (!m->dmar)
		return true;
	while (port && port->type != PCIE_ROOT_PORT && port->type != PCIE_HOST_BRIDGE)
		port = port->parent;
	if (port && port->type == PCIE_HOST_BRIDGE)
		port = NULL;
	return node_path(node, &path) && (!port || node_path(port, &port_path)) &&
	       dmar_ats_supported(m->dmar, &path, port ? &port_path : NULL, scalable);
}

void machine_reserved_regions(struct machine *m, struct device *dev)
{
	struct dmar_path path = {0};
	GArray *regions;

	if (!m->dmar || !m->dmar->nreserved || !node_path(dev->pci, &path))
		return;
	regions = g_array_new(FALSE, FALSE, sizeof(struct iommu_resv_region));
	for (unsigned i = 0; i < m->dmar->nreserved; i++) {
		const struct dmar_reserved *r = &m->dmar->reserved[i];
		struct iommu_resv_region region = {r->base, r->last};

		if (r->segment == path.segment && dmar_in_scope(&r->scopes, &path))
			g_array_append_val(regions, region);
	}
	dev->nresv = regions->len;
	dev->resv = (struct iommu_resv_region *)(void *)g_array_free(regions, FALSE);
}

void machine_finish_units(struct machine *m)
{
	for (guint i = 0; m->units && i < m->units->len; i++) {
		struct iommu_unit *u = m->units->pdata[i];

		u->ops->finish(u, m->sim.now);
	}
}
