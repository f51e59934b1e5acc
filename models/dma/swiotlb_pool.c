/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounce pools: the default pool's size and areas, pools that growth adds, transient pools of one mapping,
 * look-up by address (Linux kernel/dma/swiotlb.c, arch/x86/kernel/pci-dma.c, arch/x86/mm/mem_encrypt.c).
 */
#include "swiotlb.h"

#define PARAMS_OF struct swiotlb_params
static const struct param_spec swiotlb_params[] = {
    PARAM(size, SIZE, "0", .max = 64.0 * GIB,
	  .help = "default bounce pool; 0: the kernel's choice (64 MiB, in an encrypted guest 6 % of memory)",
	  .source = "kernel/dma/swiotlb.c, arch/x86/mm/mem_encrypt.c (A)"),
    PARAM(areas, UINT, "0", .max = 4096,
	  .help = "areas with a lock of their own; 0: CPUs rounded up to a power of two",
	  .source = "kernel/dma/swiotlb.c (A)"),
    PARAM(force, BOOL, "false", .help = "swiotlb=force: every mapping of the direct path bounces"),
    PARAM(disable, BOOL, "false", .help = "swiotlb=noforce: never create a pool"),
    PARAM(dynamic, BOOL, "false",
	  .help = "CONFIG_SWIOTLB_DYNAMIC: transient pools and growth when the pool is exhausted"),
    PARAM(confidential, BOOL, "false",
	  .help = "encrypted guest (SEV, TDX): bouncing through shared memory is forced"),
    PARAM(base, SIZE, "0", .help = "physical address of the default pool; 0: allocated below 4 GiB"),
};

const struct param_table swiotlb_param_table = PARAM_TABLE("swiotlb", "bounce buffers", swiotlb_params);
#undef PARAMS_OF

/* ---- one pool ---- */

static void init_slots(struct io_tlb_pool *pool)
{
	for (uint64_t i = 0; i < pool->nslabs; i++) {
		uint64_t in_segment = IO_TLB_SEGSIZE - i % IO_TLB_SEGSIZE;

		pool->slots[i] = (struct io_tlb_slot){
		    .orig_addr = INVALID_PHYS_ADDR,
		    .list = (uint16_t)MIN(in_segment, pool->nslabs - i),
		};
	}
}

struct io_tlb_pool *swiotlb_pool_new(struct swiotlb *sw, uint64_t nslabs, unsigned nareas, phys_addr_t limit,
				     phys_addr_t base)
{
	struct dma_layer *l = sw->layer;
	uint64_t bytes = nslabs << IO_TLB_SHIFT;
	struct io_tlb_pool *pool;
	phys_addr_t start = base;

	if (!start)
		start = memory_alloc_pages_below(l->mem, limit == UINT64_MAX ? limit : limit + 1,
						 order_base_2(div_round_up(bytes, PAGE_SIZE)));
	if (!start)
		return NULL;
	pool = g_new0(struct io_tlb_pool, 1);
	pool->owned = !base;
	pool->start = start;
	pool->end = start + bytes;
	pool->nslabs = nslabs;
	pool->nareas = nareas;
	pool->area_nslabs = nslabs / nareas;
	pool->areas = g_new0(struct io_tlb_area, nareas);
	for (unsigned i = 0; i < nareas; i++)
		spin_lock_init(&pool->areas[i].lock, "swiotlb area");
	pool->slots = g_new(struct io_tlb_slot, nslabs);
	init_slots(pool);
	pool->ledger_bytes = align_up(bytes, PAGE_SIZE) +
			     align_up(nslabs * sizeof(struct io_tlb_slot), PAGE_SIZE) + 16ull * nareas;
	ledger_charge(&l->sim->ledger, LEDGER_SWIOTLB_POOL, pool->ledger_bytes);
	return pool;
}

void swiotlb_pool_free(struct swiotlb *sw, struct io_tlb_pool *pool)
{
	struct dma_layer *l = sw->layer;

	if (pool->owned)
		memory_free_pages(l->mem, pool->start,
				  order_base_2(div_round_up(pool->end - pool->start, PAGE_SIZE)));
	ledger_release(&l->sim->ledger, LEDGER_SWIOTLB_POOL, pool->ledger_bytes);
	g_free(pool->areas);
	g_free(pool->slots);
	g_free(pool);
}

static bool in_pool(const struct io_tlb_pool *pool, phys_addr_t phys)
{
	return phys >= pool->start && phys < pool->end;
}

struct io_tlb_pool *swiotlb_find_pool(const struct device *dev, phys_addr_t phys)
{
	const struct swiotlb *sw = dev->dma->swiotlb;

	if (!sw)
		return NULL;
	/* With more than one pool only a device that has ever bounced is looked for. */
	if (sw->can_grow && !dev->dma_uses_swiotlb)
		return NULL;
	for (struct io_tlb_pool *p = sw->pools; p; p = p->next)
		if (in_pool(p, phys))
			return p;
	for (struct io_tlb_pool *p = dev->transient_pools; p; p = p->next)
		if (in_pool(p, phys))
			return p;
	return NULL;
}

/* ---- growth ---- */

/* The slots below the page allocator's largest block, and half of that each time memory is short. */
static void grow_pool(struct event *ev, sim_time_t now)
{
	struct swiotlb *sw = container_of(ev, struct swiotlb, grow);
	uint64_t nslabs = MIN(sw->default_nslabs, IO_TLB_GROW_SLABS);
	struct io_tlb_pool *pool = NULL;
	unsigned nareas = sw->pools->nareas;

	(void)now;
	for (; nslabs >= IO_TLB_MIN_SLABS && !pool; nslabs /= 2) {
		while (nareas > 1 && nslabs < (uint64_t)nareas * IO_TLB_SEGSIZE)
			nareas /= 2;
		pool = swiotlb_pool_new(sw, nslabs, nareas, sw->phys_limit, 0);
	}
	if (!pool)
		return;
	*sw->tail = pool;
	sw->tail = &pool->next;
	sw->total_nslabs += pool->nslabs;
}

void swiotlb_grow(struct swiotlb *sw)
{
	if (!event_is_scheduled(&sw->grow))
		sim_schedule(sw->layer->sim, &sw->grow, sw->layer->sim->cpu->now);
}

struct io_tlb_pool *swiotlb_transient_new(struct device *dev, uint64_t nslabs)
{
	struct swiotlb *sw = dev->dma->swiotlb;
	phys_addr_t limit = dev->bus_dma_limit ? MIN(dev->dma_mask, dev->bus_dma_limit) : dev->dma_mask;
	struct io_tlb_pool *pool = swiotlb_pool_new(sw, nslabs, 1, limit, 0);

	if (!pool)
		return NULL;
	pool->transient = true;
	pool->next = dev->transient_pools;
	dev->transient_pools = pool;
	dev->dma_uses_swiotlb = true;
	sw->transient_nslabs += nslabs;
	return pool;
}

void swiotlb_transient_free(struct device *dev, struct io_tlb_pool *pool)
{
	struct swiotlb *sw = dev->dma->swiotlb;
	struct io_tlb_pool **p = &dev->transient_pools;

	while (*p != pool)
		p = &(*p)->next;
	*p = pool->next;
	sw->transient_nslabs -= pool->nslabs;
	swiotlb_pool_free(sw, pool);
}

/* ---- the default pool ---- */

/* Slots that the boot options, or the machine, ask for (7.1-7.4). */
static uint64_t wanted_slots(const struct dma_layer *l, unsigned nareas)
{
	const struct swiotlb_params *p = &l->params.swiotlb;
	uint64_t bytes = p->size, nslabs;

	if (!bytes && p->confidential)
		bytes = CLAMP(memory_params(l->mem)->size * 6 / 100, 64 * MIB, GIB);
	if (!bytes)
		bytes = IO_TLB_DEFAULT_SIZE;
	nslabs = align_up(nr_slots(bytes), IO_TLB_SEGSIZE);
	if (nslabs < (uint64_t)nareas * IO_TLB_SEGSIZE)
		nslabs = (uint64_t)nareas * IO_TLB_SEGSIZE;
	return (uint64_t)1 << order_base_2(nslabs);
}

int swiotlb_init(struct dma_layer *l)
{
	const struct swiotlb_params *p = &l->params.swiotlb;
	bool force = p->force || p->confidential;
	struct io_tlb_pool *pool = NULL;
	struct swiotlb *sw;
	unsigned nareas;
	uint64_t nslabs;

	l->swiotlb = NULL;
	/* Nothing lies out of a 32-bit device's reach, and nobody insists: no pool. */
	if (p->disable || (!force && !p->size && memory_max(l->mem) < 4 * GIB))
		return 0;
	nareas = 1u << order_base_2(p->areas ? p->areas : l->sim->ncpus);
	nslabs = wanted_slots(l, nareas);
	sw = g_new0(struct swiotlb, 1);
	sw->layer = l;
	sw->force = force;
	/* A pool at a fixed place, or one that the platform re-maps as shared, does not grow. */
	sw->can_grow = p->dynamic && !p->base && !p->confidential;
	sw->phys_limit = 4 * GIB - 1;
	sw->tail = &sw->pools;
	sw->grow.fn = grow_pool;
	sw->grow.priority = EVENT_TIMER;
	while (!pool && nslabs >= IO_TLB_MIN_SLABS) {
		while (nareas > 1 && nslabs < (uint64_t)nareas * IO_TLB_SEGSIZE)
			nareas /= 2;
		pool = swiotlb_pool_new(sw, nslabs, nareas, sw->phys_limit, p->base);
		if (!pool)
			nslabs = align_up(nslabs / 2, IO_TLB_SEGSIZE);
	}
	if (!pool) {
		g_free(sw);
		return -ENOMEM;
	}
	*sw->tail = pool;
	sw->tail = &pool->next;
	sw->default_nslabs = sw->total_nslabs = nslabs;
	l->swiotlb = sw;
	return 0;
}

void swiotlb_exit(struct dma_layer *l)
{
	struct swiotlb *sw = l->swiotlb;

	if (!sw)
		return;
	event_cancel(l->sim->events, &sw->grow);
	while (sw->pools) {
		struct io_tlb_pool *pool = sw->pools;

		sw->pools = pool->next;
		swiotlb_pool_free(sw, pool);
	}
	g_free(sw);
	l->swiotlb = NULL;
}

bool is_swiotlb_active(const struct device *dev)
{
	return dev->dma->swiotlb != NULL;
}

bool is_swiotlb_force_bounce(const struct device *dev)
{
	return dev->dma->swiotlb && dev->dma->swiotlb->force;
}

bool is_swiotlb_buffer(const struct device *dev, phys_addr_t phys)
{
	return swiotlb_find_pool(dev, phys) != NULL;
}
