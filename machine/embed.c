/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program outside the tree does with a machine (<dmasim/machine.h>). */
#include "internal.h"

#include <string.h>

unsigned machine_cpus(const struct machine *m)
{
	return m->sim.ncpus;
}

void machine_run(struct machine *m, unsigned cpu, void (*fn)(void *arg), void *arg)
{
	g_return_if_fail(cpu < m->sim.ncpus);
	cpu_run(&m->sim.cpus[cpu], fn, arg);
}

sim_time_t machine_now(const struct machine *m)
{
	return m->sim.cpu && m->sim.cpu->running ? m->sim.cpu->now : m->sim.now;
}

phys_addr_t machine_alloc_pages(struct machine *m, unsigned node, unsigned order)
{
	return memory_alloc_pages(m->memory, node, order);
}

void machine_free_pages(struct machine *m, phys_addr_t base, unsigned order)
{
	memory_free_pages(m->memory, base, order);
}

struct stat_value machine_stat(const struct machine *m, const char *name)
{
	for (const struct stat_group *g = stat_groups; g->table; g++)
		for (size_t i = 0; i < g->table->nspecs; i++)
			if (!strcmp(g->table->specs[i].name, name))
				return stat_read(&g->table->specs[i], (const char *)m + g->offset,
						 m->sim.fidelity);
	return (struct stat_value){.type = STAT_NULL};
}

const struct stat_group stat_groups[] = {
    {&dma_stat_table, offsetof(struct machine, dma_stats)},
    {&vtd_stat_table, offsetof(struct machine, vtd_stats)},
    {&pcie_stat_table, offsetof(struct machine, pcie_stats)},
    {&machine_stat_table, 0},
    {NULL, 0},
};
