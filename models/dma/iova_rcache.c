/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Per-CPU caches of IOVA ranges: two magazines per CPU and size class, a depot of full magazines per
 * class, its trimmer, and the fast path of allocation in front of the tree (drivers/iommu/iova.c).
 * Releases differ in the depot only: at most kernel_profile.depot_max magazines with the overflow
 * going back to the tree (6.1), or unbounded and trimmed in the background (since 6.7).
 */
#include "iommu.h"
#include "iova.h"

#include "timer.h"

static uint64_t magazine_bytes(const struct iova_domain *iovad)
{
	return 8 * (1 + iovad->magazine_size);
}

static void charge_magazine(struct iova_domain *iovad, struct iova_magazine *m)
{
	m->charged = true;
	ledger_charge(&iovad->l->sim->ledger, LEDGER_IOVA_MAGAZINES, magazine_bytes(iovad));
}

/* Since 7.3 the kernel allocates one when a range is put into it: that alone differs, so it is charged then.
 */
struct iova_magazine *iova_magazine_alloc(struct iova_domain *iovad)
{
	struct sim *sim = iovad->l->sim;
	struct iova_magazine *m;

	m = slab_alloc(&sim->slab, sizeof(*m) + 8 * iovad->magazine_size);
	m->next = NULL;
	m->size = 0;
	m->charged = false;
	if (!iovad->l->kernel->lazy_magazines)
		charge_magazine(iovad, m);
	return m;
}

void iova_magazine_free(struct iova_domain *iovad, struct iova_magazine *m)
{
	struct sim *sim = iovad->l->sim;

	if (m->charged)
		ledger_release(&sim->ledger, LEDGER_IOVA_MAGAZINES, magazine_bytes(iovad));
	slab_free(&sim->slab, m, sizeof(*m) + 8 * iovad->magazine_size);
}

/* Every range of a magazine goes back to the tree, under one hold of its lock. */
static void iova_magazine_free_pfns(struct iova_domain *iovad, struct iova_magazine *m)
{
	struct cpu *cpu = sim_cpu(iovad->l->sim);
	struct iova *iova;

	spin_lock(cpu, &iovad->rbtree_lock);
	for (uint64_t i = 0; i < m->size; i++) {
		iova_charge_tree(iovad);
		cpu_charge(cpu, COST_IOVA_RANGE); /* here under the lock */
		iova = find_iova(iovad, m->pfns[i]);
		if (iova)
			remove_iova(iovad, iova);
	}
	spin_unlock(cpu, &iovad->rbtree_lock);
	m->size = 0;
}

void iova_depot_push(struct iova_rcache *rc, struct iova_magazine *m)
{
	m->next = rc->depot;
	rc->depot = m;
	rc->depot_size++;
}

struct iova_magazine *iova_depot_pop(struct iova_rcache *rc)
{
	struct iova_magazine *m = rc->depot;

	rc->depot = m->next;
	rc->depot_size--;
	return m;
}

/* ---- trimmer ---- */

static void arm_trimmer(struct iova_rcache *rc)
{
	struct dma_layer *l = rc->iovad->l;

	if (rc->trim_pending)
		return;
	rc->trim_pending = true;
	rc->trim_cpu = sim_cpu(l->sim);
	sim_schedule(l->sim, &rc->trim_timer,
		     timer_expiry(dma_now(l), l->params.iova.depot_delay, l->params.flush_queue.hz));
}

static void trim_depot(struct cpu_work *w, struct cpu *cpu)
{
	struct iova_rcache *rc = container_of(w, struct iova_rcache, trim_work);
	struct iova_domain *iovad = rc->iovad;
	struct iova_magazine *m = NULL;

	rc->trim_pending = false;
	spin_lock(cpu, &rc->lock);
	if (rc->depot_size > iovad->l->sim->ncpus)
		m = iova_depot_pop(rc);
	spin_unlock(cpu, &rc->lock);
	if (!m)
		return;
	iova_magazine_free_pfns(iovad, m);
	iova_magazine_free(iovad, m);
	iovad->l->st->depot_trims++;
	arm_trimmer(rc);
}

static void trim_timer(struct event *ev, sim_time_t now)
{
	struct iova_rcache *rc = container_of(ev, struct iova_rcache, trim_timer);

	cpu_post(rc->trim_cpu, &rc->trim_work, now);
}

/* ---- set-up ---- */

static uint64_t rcaches_bytes(const struct iova_domain *iovad)
{
	return 1ull << order_base_2(SIZEOF_IOVA_RCACHE * iovad->classes);
}

int iova_domain_init_rcaches(struct iova_domain *iovad)
{
	struct sim *sim = iovad->l->sim;

	ledger_charge(&sim->ledger, LEDGER_IOVA_MAGAZINES, rcaches_bytes(iovad));
	for (unsigned i = 0; i < iovad->classes; i++) {
		struct iova_rcache *rc = &iovad->rcaches[i];

		rc->iovad = iovad;
		spin_lock_init(&rc->lock, "iova_depot_lock");
		rc->trim_timer = (struct event){.fn = trim_timer, .priority = EVENT_TIMER};
		rc->trim_work.fn = trim_depot;
		rc->cpu_rcaches = g_new0(struct iova_cpu_rcache, sim->ncpus);
		ledger_charge(&sim->ledger, LEDGER_IOVA_MAGAZINES, sim->ncpus * SIZEOF_CPU_RCACHE);
		for (unsigned c = 0; c < sim->ncpus; c++) {
			rc->cpu_rcaches[c].loaded = iova_magazine_alloc(iovad);
			rc->cpu_rcaches[c].prev = iova_magazine_alloc(iovad);
		}
	}
	return 0;
}

static void free_iova_rcaches(struct iova_domain *iovad)
{
	struct sim *sim = iovad->l->sim;

	if (!iovad->rcaches[0].cpu_rcaches)
		return;
	for (unsigned i = 0; i < iovad->classes; i++) {
		struct iova_rcache *rc = &iovad->rcaches[i];

		event_cancel(sim->events, &rc->trim_timer);
		while (rc->depot)
			iova_magazine_free(iovad, iova_depot_pop(rc));
		for (unsigned c = 0; c < sim->ncpus; c++) {
			iova_magazine_free(iovad, rc->cpu_rcaches[c].loaded);
			iova_magazine_free(iovad, rc->cpu_rcaches[c].prev);
		}
		g_free(rc->cpu_rcaches);
		rc->cpu_rcaches = NULL;
		ledger_release(&sim->ledger, LEDGER_IOVA_MAGAZINES, sim->ncpus * SIZEOF_CPU_RCACHE);
	}
	ledger_release(&sim->ledger, LEDGER_IOVA_MAGAZINES, rcaches_bytes(iovad));
}

void put_iova_domain(struct iova_domain *iovad)
{
	free_iova_rcaches(iovad);
	iova_tree_free(iovad);
	g_free(iovad->replay);
	iovad->replay = NULL;
}

/* ---- get and put ---- */

/* The topmost pfn within the limit; the top entry fills its place. 0: none. */
static bool magazine_pop(struct iova_magazine *m, uint64_t limit_pfn, uint64_t *pfn)
{
	uint64_t i = m->size;

	while (i && m->pfns[i - 1] > limit_pfn)
		i--;
	if (!i)
		return false;
	*pfn = m->pfns[i - 1];
	m->pfns[i - 1] = m->pfns[--m->size];
	return true;
}

/* Bring a magazine with something in it into the loaded place; false if there is none. */
static RARE bool load_magazine(struct iova_rcache *rc, struct iova_cpu_rcache *c)
{
	struct iova_domain *iovad = rc->iovad;
	struct cpu *cpu = sim_cpu(iovad->l->sim);
	bool found = false;

	if (c->prev->size) {
		struct iova_magazine *m = c->prev;

		c->prev = c->loaded;
		c->loaded = m;
		return true;
	}
	spin_lock(cpu, &rc->lock);
	if (rc->depot) {
		iova_magazine_free(iovad, c->loaded);
		c->loaded = iova_depot_pop(rc);
		found = true;
	}
	spin_unlock(cpu, &rc->lock);
	if (found) {
		cpu_charge(cpu, COST_IOVA_DEPOT_SWAP);
		iovad->l->st->depot_refills++;
	}
	return found;
}

bool iova_rcache_get(struct iova_domain *iovad, struct iova_alloc_event *e)
{
	struct iova_rcache *rc;
	struct iova_cpu_rcache *c;

	if (e->order < 0 || e->limit_pfn + 1 <= e->rounded)
		return false;
	rc = &iovad->rcaches[e->order];
	c = &rc->cpu_rcaches[e->cpu];
	if ((!c->loaded->size && !load_magazine(rc, c)) ||
	    !magazine_pop(c->loaded, e->limit_pfn + 1 - e->rounded, &e->pfn))
		return false;
	e->source = IOVA_FROM_CACHE;
	cpu_charge(sim_cpu(iovad->l->sim), COST_IOVA_ALLOC_HIT);
	return true;
}

static void magazine_push(struct iova_domain *iovad, struct iova_magazine *m, uint64_t pfn)
{
	if (G_UNLIKELY(!m->charged))
		charge_magazine(iovad, m);
	m->pfns[m->size++] = pfn;
}

static bool rcache_put(struct iova_rcache *rc, unsigned cpu_id, uint64_t pfn)
{
	struct iova_domain *iovad = rc->iovad;
	struct dma_layer *l = iovad->l;
	struct iova_cpu_rcache *c = &rc->cpu_rcaches[cpu_id];
	uint64_t full = iovad->magazine_size;

	if (c->loaded->size == full && c->prev->size < full) {
		struct iova_magazine *m = c->prev;

		c->prev = c->loaded;
		c->loaded = m;
	} else if (c->loaded->size == full) {
		struct cpu *cpu = sim_cpu(l->sim);
		struct iova_magazine *to_free = NULL;

		spin_lock(cpu, &rc->lock);
		if (l->kernel->depot_max && rc->depot_size >= l->kernel->depot_max) {
			to_free = c->loaded;
		} else {
			iova_depot_push(rc, c->loaded);
			l->st->depot_spills++;
			if (!l->kernel->depot_max)
				arm_trimmer(rc);
		}
		spin_unlock(cpu, &rc->lock);
		cpu_charge(cpu, COST_IOVA_DEPOT_SWAP);
		c->loaded = iova_magazine_alloc(iovad);
		magazine_push(iovad, c->loaded, pfn);
		if (to_free) {
			iova_magazine_free_pfns(iovad, to_free);
			iova_magazine_free(iovad, to_free);
		}
		return true;
	}
	magazine_push(iovad, c->loaded, pfn);
	return true;
}

void free_cpu_cached_iovas(struct iova_domain *iovad, unsigned cpu)
{
	for (unsigned i = 0; i < iovad->classes; i++) {
		struct iova_cpu_rcache *c = &iovad->rcaches[i].cpu_rcaches[cpu];

		iova_magazine_free_pfns(iovad, c->loaded);
		iova_magazine_free_pfns(iovad, c->prev);
	}
}

/* The last resort of an allocation: everything that is cached goes back to the tree. */
void iova_flush_rcaches(struct iova_domain *iovad)
{
	for (unsigned c = 0; c < iovad->l->sim->ncpus; c++)
		free_cpu_cached_iovas(iovad, c);
	for (unsigned i = 0; i < iovad->classes; i++) {
		struct iova_rcache *rc = &iovad->rcaches[i];

		while (rc->depot) {
			struct iova_magazine *m = iova_depot_pop(rc);

			iova_magazine_free_pfns(iovad, m);
			iova_magazine_free(iovad, m);
		}
	}
	iovad->l->st->rcache_flushes++;
}

/* ---- fast path ---- */

RARE bool iova_tree_get(struct iova_domain *iovad, struct iova_alloc_event *e)
{
	const struct dma_observer *o = iovad->l->observer;
	struct iova *iova;

	if (G_UNLIKELY(o) && o->reached)
		o->reached(o->arg, iovad->dev, e->cpu, DMA_AT_TREE_ALLOC);
	iova = alloc_iova(iovad, e->rounded, e->limit_pfn, true);
	e->pfn = iova ? iova->pfn_lo : 0;
	e->source = iova ? IOVA_FROM_TREE : IOVA_FAILED;
	return iova != NULL;
}

static RARE void alloc_from_tree(struct iova_domain *iovad, struct iova_alloc_event *e, bool flush_rcache)
{
	if (!iova_tree_get(iovad, e) && flush_rcache) {
		iova_flush_rcaches(iovad);
		iova_tree_get(iovad, e);
	}
}

static void count_alloc(struct dma_layer *l, const struct iova_alloc_event *e)
{
	switch (e->source) {
	case IOVA_FAILED:
		l->st->iova_failures++;
		return;
	case IOVA_FROM_TREE:
		l->st->tree_allocs++;
		break;
	case IOVA_FROM_CACHE:
	case IOVA_FROM_UNKNOWN:
		l->st->rcache_hits++;
		break;
	}
	l->st->iova_allocs++;
	l->st->iova_pages_allocated += e->pages;
	hist_add(l->st->iova_pages, e->pages, 1);
}

uint64_t alloc_iova_fast(struct iova_domain *iovad, uint64_t size, uint64_t limit_pfn, bool flush_rcache)
{
	struct dma_layer *l = iovad->l;
	const struct dma_observer *o = l->observer;
	struct cpu *cpu = sim_cpu(l->sim);
	unsigned order = order_base_2(size);
	struct iova_alloc_event e = {
	    .dev = iovad->dev,
	    .cpu = cpu->id,
	    .pages = size,
	    .rounded = order < iovad->classes ? 1ull << order : size,
	    .order = order < iovad->classes ? (int)order : -1,
	    .limit_pfn = limit_pfn,
	};
	sim_time_t start;

	if (G_UNLIKELY(o) && o->reached)
		o->reached(o->arg, iovad->dev, cpu->id, DMA_AT_IOVA_ALLOC);
	start = cpu->now;
	if (G_UNLIKELY(l->steered_alloc))
		l->steered_alloc(iovad, &e, flush_rcache);
	else if (!iova_rcache_get(iovad, &e))
		alloc_from_tree(iovad, &e, flush_rcache);
	if (G_UNLIKELY(o) && o->iova_alloc)
		o->iova_alloc(o->arg, &e);
	count_alloc(l, &e);
	l->st->iova_alloc_time += cpu->now - start;
	return e.pfn;
}

void free_iova_fast(struct iova_domain *iovad, uint64_t pfn, uint64_t size)
{
	struct dma_layer *l = iovad->l;
	const struct dma_observer *o = l->observer;
	struct cpu *cpu = sim_cpu(l->sim);
	unsigned order = order_base_2(size);
	bool cached = order < iovad->classes;
	sim_time_t start;

	if (G_UNLIKELY(o) && o->reached)
		o->reached(o->arg, iovad->dev, cpu->id, DMA_AT_IOVA_FREE);
	start = cpu->now;
	l->st->iova_frees++;
	l->st->iova_pages_freed += size;
	if (cached)
		rcache_put(&iovad->rcaches[order], cpu->id, pfn);
	if (cached) {
		cpu_charge(cpu, COST_IOVA_FREE_HIT);
		l->st->rcache_puts++;
	} else {
		free_iova(iovad, pfn);
		l->st->tree_frees++;
	}
	l->st->iova_free_time += cpu->now - start;
	if (G_UNLIKELY(o) && o->iova_free)
		o->iova_free(o->arg, iovad->dev, cpu->id, pfn, size, cached);
}
