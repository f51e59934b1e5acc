/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io_pgtable.h"

struct pgtable_work pgtable_work_now(const struct iommu_domain *d, bool map)
{
	const struct pgtable_counters *c = pgtable_counters(d->pt);

	return (struct pgtable_work){.entries = map ? c->ptes_written : c->ptes_cleared,
				     .large = map ? c->leaves_2m + c->leaves_1g : c->large_cleared,
				     .tables = c->tables_allocated,
				     .visited = c->tables_visited,
				     .levels = c->levels_read};
}

struct pgtable_work pgtable_work_since(const struct iommu_domain *d, const struct pgtable_work *before,
				       bool map)
{
	struct pgtable_work w = pgtable_work_now(d, map);

	w.entries -= before->entries;
	w.large -= before->large;
	w.tables -= before->tables;
	w.visited -= before->visited;
	w.levels -= before->levels;
	return w;
}

ALWAYS_INLINE void charge_map(struct iommu_domain *d, const struct pgtable_work *w)
{
	struct cpu *cpu = sim_cpu(d->l->sim);
	bool generic = d->l->kernel->generic_pt;

	d->l->st->ptes_written += w->entries;
	cpu_charge(cpu, generic ? COST_PT_MAP_CALL : COST_PT_OLD_MAP_CALL);
	cpu_charge_n(cpu, generic ? COST_PT_MAP_PAGE : COST_PT_OLD_MAP_PAGE, w->entries);
	cpu_charge_n(cpu, COST_PT_MAP_LEVEL, w->levels);
	/* The generic code's loop over the leaves asks the same at all levels. */
	if (w->large && !generic)
		cpu_charge_n(cpu, COST_PT_OLD_MAP_LARGE, w->large);
	if (G_UNLIKELY(w->tables)) {
		cpu_charge_n(cpu, COST_PT_TABLE_ALLOC, w->tables);
		d->l->st->table_pages_allocated += w->tables;
	}
	if (G_UNLIKELY(d->flush_tables))
		cpu_charge_n(cpu, COST_PT_CACHE_FLUSH, w->visited + w->tables);
}

void charge_map_work(struct iommu_domain *d, const struct pgtable_work *w)
{
	charge_map(d, w);
}

ALWAYS_INLINE void charge_unmap(struct iommu_domain *d, const struct pgtable_work *w)
{
	struct cpu *cpu = sim_cpu(d->l->sim);
	bool generic = d->l->kernel->generic_pt;

	d->l->st->ptes_cleared += w->entries;
	cpu_charge(cpu, generic ? COST_PT_UNMAP_CALL : COST_PT_OLD_UNMAP_CALL);
	cpu_charge_n(cpu, generic ? COST_PT_UNMAP_PAGE : COST_PT_OLD_UNMAP_PAGE, w->entries);
	cpu_charge_n(cpu, COST_PT_UNMAP_LEVEL, w->levels);
	if (w->large)
		cpu_charge_n(cpu, generic ? COST_PT_UNMAP_LARGE : COST_PT_OLD_UNMAP_LARGE, w->large);
	if (G_UNLIKELY(d->flush_tables))
		cpu_charge_n(cpu, COST_PT_UNMAP_FLUSH, w->visited);
}

int io_pgtable_map(struct iommu_domain *d, dma_addr_t iova, phys_addr_t phys, size_t size, unsigned prot,
		   size_t *mapped, struct pgtable_gather *g)
{
	struct pgtable_work before, work;
	uint64_t done = 0;
	int ret;

	if (size == PAGE_SIZE) {
		unsigned levels = pgtable_map_page(d->pt, iova, phys, prot);

		if (G_LIKELY(levels)) {
			*mapped += PAGE_SIZE;
			charge_map(d, &(struct pgtable_work){.entries = 1, .visited = 1, .levels = levels});
			return 0;
		}
	}
	before = pgtable_work_now(d, true);
	ret = pgtable_map(d->pt, iova, phys, size, prot & (IOMMU_READ | IOMMU_WRITE), &done, g);
	*mapped += done;
	work = pgtable_work_since(d, &before, true);
	charge_map(d, &work);
	return ret;
}

size_t io_pgtable_unmap(struct iommu_domain *d, dma_addr_t iova, size_t size, struct iommu_iotlb_gather *g)
{
	struct pgtable_gather tables = PGTABLE_GATHER_INIT;
	struct pgtable_work before, work;
	size_t done;

	if (size == PAGE_SIZE) {
		unsigned levels = pgtable_unmap_page(d->pt, iova);

		if (G_LIKELY(levels)) {
			iommu_note_unmap(d->iommu->unit, d->did, iova, PAGE_SIZE, dma_now(d->l));
			charge_unmap(d, &(struct pgtable_work){.entries = 1, .visited = 1, .levels = levels});
			return PAGE_SIZE;
		}
	}
	before = pgtable_work_now(d, false);
	done = pgtable_unmap(d->pt, iova, size, &tables);
	pgtable_list_splice(&g->freelist, &tables.tables);
	if (done)
		iommu_note_unmap(d->iommu->unit, d->did, iova, done, dma_now(d->l));
	work = pgtable_work_since(d, &before, false);
	charge_unmap(d, &work);
	return done;
}
