/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The remapping units of a machine: one for everything, or those that an ACPI DMAR table describes,
 * each with caches and a queue of its own and the parameters of the scenario.
 */
#include "internal.h"

#include "models/vtd/dmar.h"

static struct iommu_unit *new_unit(struct machine *m)
{
	const struct config *c = m->config;
	const struct vtd_params p = {
	    .iotlb = *(const struct iotlb_params *)config_get(c, &iotlb_param_table),
	    .pwc = *(const struct pwc_params *)config_get(c, &pwc_param_table),
	    .walker = *(const struct walker_params *)config_get(c, &walker_param_table),
	    .qi = *(const struct qi_params *)config_get(c, &qi_param_table),
	    .iommu = *(const struct iommu_params *)config_get(c, &iommu_param_table),
	    .ats = *(const struct ats_params *)config_get(c, &ats_param_table),
	};

	return vtd_iommu_unit(vtd_new(&m->sim, m->memory, &p, &m->vtd_stats));
}

static void free_unit(void *data)
{
	struct iommu_unit *u = data;

	u->ops->free(u);
}

bool machine_add_units(struct machine *m, GError **error)
{
	const struct iommu_params *p = config_get(m->config, &iommu_param_table);
	const struct memory_params *memory = config_get(m->config, &memory_param_table);

	if (!vtd_params_check(p, config_get(m->config, &walker_param_table), error))
		return false;
	m->units = g_ptr_array_new_with_free_func(free_unit);
	if (p->dmar && *p->dmar) {
		GError *why = NULL;

		m->dmar = dmar_load(p->dmar, &why);
		if (!m->dmar) {
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT,
				    "iommu.dmar: %s; want the ACPI table, raw as in "
				    "/sys/firmware/acpi/tables/DMAR or "
				    "as acpidump prints it",
				    why->message);
			g_error_free(why);
			return false;
		}
		if (!m->dmar->nunits) {
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT,
				    "%s: iommu.dmar: the table has no DRHD structure, so no unit; want the "
				    "table of a "
				    "machine with VT-d",
				    p->dmar);
			return false;
		}
	}
	for (unsigned i = 0; i < (m->dmar ? m->dmar->nunits : 1); i++) {
		struct iommu_unit *u = new_unit(m);

		if (m->dmar && m->dmar->units[i].node >= 0 &&
		    (uint64_t)m->dmar->units[i].node < memory->nodes)
			u->ops->set_node(u, (unsigned)m->dmar->units[i].node);
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

struct iommu_unit *machine_unit_of(struct machine *m, const struct pcie_node *node)
{
	struct dmar_path path = {0};
	int unit;

	if (!m->dmar)
		return m->iommu;
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
