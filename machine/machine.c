/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine from its configuration: CPUs, memory, VT-d unit, PCIe fabric, DMA layer, devices. */
#include "internal.h"

#include "models/pcie/pcie.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COST_ROW(id, key, ns, where, what)                                                             \
	PARAM_AS("cost_" key, cost[COST_##id], DOUBLE, #ns, .unit = "ns", .max = 1e9, .source = where, \
		 .help = "cost of one step: " what),

#define PARAMS_OF struct cpu_params
static const struct param_spec cpu_specs[] = {
    PARAM(count, UINT, "2", .min = 1, .max = 4096,
	  .help = "simulated CPUs; a trace's CPU numbers wrap around"),
    PARAM(clock_scale, DOUBLE, "1", .min = 0.01, .max = 100,
	  .help = "multiplies every cost but the hand-over of locks: 1 is a 3 GHz server core, 1.5 a core at "
		  "2 GHz"),
    COST_STEPS(COST_ROW)};

const struct param_table cpu_param_table = PARAM_TABLE(
    "cpu", "simulated CPUs and what each step of the kernel costs", cpu_specs);
#undef PARAMS_OF

static void set_costs(struct sim *sim, const struct cpu_params *p)
{
	for (int i = 0; i < COST_COUNT; i++) {
		/* A cache line comes from another core no sooner because this one is clocked higher. */
		bool clocked = i != COST_LOCK_HANDOFF && i != COST_LOCK_WAITER;

		sim->cost[i] = (sim_time_t)llround(p->cost[i] * (clocked ? p->clock_scale : 1) *
						   (double)SIM_NS);
	}
}

static void place_cpus(struct machine *m, uint64_t nodes)
{
	unsigned per_node = (m->sim.ncpus + (unsigned)nodes - 1) / (unsigned)nodes;

	for (unsigned i = 0; i < m->sim.ncpus; i++)
		m->sim.cpus[i].node = i / per_node;
}

static void new_dma_layer(struct machine *m, const struct config *c)
{
	const struct iommu_params *iommu = config_get(c, &iommu_param_table);
	struct dma_params p = {
	    .iova = *(const struct iova_params *)config_get(c, &iova_param_table),
	    .flush_queue = *(const struct flush_queue_params *)config_get(c, &flush_queue_param_table),
	    .swiotlb = *(const struct swiotlb_params *)config_get(c, &swiotlb_param_table),
	    .reserved = iommu->reserved,
	};

	m->dma = dma_layer_new(&m->sim, m->memory, m->iommu, m->mode, m->kernel, &p, &m->dma_stats);
}

static void device_free(void *data)
{
	struct device *dev = data;

	if (dev->dma)
		dma_layer_detach(dev);
	g_free((char *)dev->name);
	g_free(dev->resv);
	g_free(dev);
}

void machine_free(struct machine *m)
{
	if (!m)
		return;
	g_ptr_array_free(m->devices, TRUE);
	if (m->dma)
		dma_layer_free(m->dma);
	if (m->fabric)
		pcie_fabric_free(m->fabric);
	machine_free_units(m);
	if (m->memory)
		memory_free(m->memory);
	hist_free(m->io.latency_ns);
	sim_fini(&m->sim);
	g_free(m);
}

struct machine *machine_new(const struct config *config, enum iommu_mode mode,
			    const struct kernel_profile *kernel, enum fidelity fidelity, uint64_t seed,
			    GError **error)
{
	const struct cpu_params *cpu = config_get(config, &cpu_param_table);
	const struct memory_params *memory = config_get(config, &memory_param_table);
	const struct pcie_params *pcie = config_get(config, &pcie_param_table);
	const struct iommu_params *iommu = config_get(config, &iommu_param_table);
	struct kernel_profile facts = *kernel;
	struct machine *m;

	if (!dma_reserved_check(iommu->reserved, error) ||
	    !kernel_params_apply(config_get(config, &kernel_param_table), &facts, error))
		return NULL;
	m = g_new0(struct machine, 1);
	m->config = config;
	m->mode = mode;
	m->devices = g_ptr_array_new_with_free_func(device_free);
	m->facts = facts;
	m->kernel = &m->facts;
	sim_init(&m->sim, fidelity, (unsigned)cpu->count, seed);
	set_costs(&m->sim, cpu);
	place_cpus(m, memory->nodes ? memory->nodes : 1);
	m->memory = memory_new(&m->sim, memory);
	m->io.latency_ns = hist_new_log();
	if (mode != IOMMU_OFF && !machine_add_units(m, error)) {
		machine_free(m);
		return NULL;
	}
	new_dma_layer(m, config);
	if (!m->dma) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "the DMA layer's own memory could not be had: want swiotlb.size of 1MiB or more "
			    "(0: the kernel's choice), and a memory.size that holds it below 4 GiB");
		machine_free(m);
		return NULL;
	}
	if (!pcie_params_check(pcie, config_get(config, &p2p_param_table), error)) {
		machine_free(m);
		return NULL;
	}
	m->fabric = pcie_fabric_new(&m->sim, m->memory, pcie, &m->pcie_stats);
	pcie_set_p2p(m->fabric, config_get(config, &p2p_param_table));
	if (pcie->topology && *pcie->topology && !pcie_load_topology(m->fabric, pcie->topology, error)) {
		machine_free(m);
		return NULL;
	}
	m->host_bridge = pcie_add(m->fabric, NULL, PCIE_HOST_BRIDGE, "pci0000:00");
	return m;
}

/* A function on the root bus is integrated in the root complex; any other gets its own root port. */
static struct pcie_node *place(struct machine *m, const char *name)
{
	struct pcie_node *node = pcie_find(m->fabric, name), *port;
	g_autofree char *port_name = NULL;
	unsigned domain, bus, slot, function;

	if (node)
		return node;
	if (sscanf(name, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return NULL;
	if (!bus)
		return pcie_add(m->fabric, m->host_bridge, PCIE_ENDPOINT, name);
	port_name = g_strdup_printf("%04x:00:%02x.%x", domain, bus / 8, bus % 8);
	port = pcie_find(m->fabric, port_name);
	/* On a dumped machine that place may be taken by something else. */
	if (port && port->type != PCIE_ROOT_PORT) {
		g_free(port_name);
		port_name = g_strdup_printf("port of %s", name);
		port = pcie_find(m->fabric, port_name);
	}
	if (!port)
		port = pcie_add(m->fabric, m->host_bridge, PCIE_ROOT_PORT, port_name);
	return pcie_add(m->fabric, port, PCIE_ENDPOINT, name);
}

static char *free_name(const struct machine *m)
{
	const struct pcie_node *n;

	/* A described machine's own slots come first. */
	for (unsigned i = 0; (n = pcie_node_at(m->fabric, i)); i++)
		if (n->type == PCIE_ENDPOINT && !n->owner && n->parent->type != PCIE_HOST_BRIDGE)
			return g_strdup(n->name);
	/* Root ports sit at 00:BUS/8.BUS%8; bus 8 is the first whose port is not the host bridge's slot. */
	for (unsigned bus = 8; bus < 256; bus++) {
		char *name = g_strdup_printf("0000:%02x:00.0", bus);

		if (!pcie_find(m->fabric, name))
			return name;
		g_free(name);
	}
	return NULL;
}

/* ats.devices over what the topology says; the kernel asks the DMAR table besides. */
static void apply_ats(struct machine *m, struct pcie_node *node)
{
	const struct ats_params *p = config_get(m->config, &ats_param_table);

	if (p->devices == ATS_ALL)
		node->ats = true;
	else if (p->devices == ATS_NONE)
		node->ats = false;
	node->ats = node->ats && machine_ats_supported(m, node);
}

struct device *machine_add_device(struct machine *m, const char *name, GError **error)
{
	g_autofree char *full = name ? g_strdup(name) : free_name(m);
	struct pcie_node *node = full ? place(m, full) : NULL;
	struct device *dev;
	int err;

	if (!full) {
		g_set_error(
		    error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
		    "no PCI bus is left for another device: want fewer of them (248 have a root port of "
		    "their own), or a pcie.topology");
		return NULL;
	}
	if (!node) {
		g_set_error(
		    error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
		    "'%s' is not a PCI function: want DOMAIN:BUS:SLOT.FUNCTION in hex, e.g. 0000:00:01.0",
		    full);
		return NULL;
	}
	node->iommu = machine_unit_of(m, node);
	apply_ats(m, node);
	dev = g_new0(struct device, 1);
	node->owner = dev;
	dev->sim = &m->sim;
	dev->pci = node;
	dev->name = g_steal_pointer(&full);
	dev->node = node->socket;
	dev->untrusted = ((const struct iommu_params *)config_get(m->config, &iommu_param_table))->untrusted;
	machine_reserved_regions(m, dev);
	err = dma_layer_attach(m->dma, dev);
	if (err) {
		if (err == -ENOSPC)
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
				    "device %s finds no free domain id: the ND field of iommu.cap (bits 2:0) "
				    "is too small; want fewer devices or a larger ND",
				    dev->name);
		else if (err == -ERANGE)
			g_set_error(
			    error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "device %s has a reserved region (RMRR of iommu.dmar) beyond what its unit "
			    "can map; want one below the width that iommu.cap (MGAW, SAGAW) and "
			    "iommu.levels give",
			    dev->name);
		else
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INTERNAL,
				    "device %s could not be attached: %s", dev->name, g_strerror(-err));
		dev->dma = NULL;
		device_free(dev);
		return NULL;
	}
	g_ptr_array_add(m->devices, dev);
	return dev;
}
