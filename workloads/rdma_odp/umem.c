/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of one region: fault and invalidation (ib_umem_odp_map_dma_and_lock, pagefault_real_mr,
 * mlx5_ib_invalidate_range), with the UMR work requests that write the NIC's translations. The pages are
 * those of the region: 4 KiB, or huge pages, which are mapped whole. (Linux 6.16 to 7.0 index their list
 * of pages in units of 4 KiB when they fault and in whole pages elsewhere; done here as it is meant.)
 */
#include "odp.h"

#include <string.h>

#define UMR_LARGEST 1048512u /* bytes of the largest translation buffer: 1 MiB - 64, rounded (umr.c) */

/* Bytes of the list of pages: an entry for every 4 KiB, whatever the pages are. */
static uint64_t list_bytes(const struct odp_umem *u)
{
	return (u->obj.bytes >> PAGE_SHIFT) * ODP_PFN_BYTES;
}

struct odp_umem *odp_umem_new(struct odp_dev *d, uint64_t bytes, unsigned page_shift, int *err)
{
	struct odp_workload *w = d->w;
	struct odp_umem *u = g_new0(struct odp_umem, 1);

	u->dev = d;
	u->key = d->next_key++;
	u->page_shift = page_shift;
	u->npages = div_round_up(bytes, odp_page_bytes(u));
	u->obj.dev = d->base.dev;
	u->obj.path = w->base.path;
	u->obj.dir = DMA_BIDIRECTIONAL;
	u->obj.bytes = u->npages << page_shift;
	u->obj.instance = d->base.instance;
	u->obj.state = g_malloc0(MAX(w->base.path->state_size, 1));
	u->taken = g_array_new(FALSE, FALSE, sizeof(struct phys_vec));
	mutex_init(&u->lock, "umem_mutex");
	u->pfns = g_try_malloc0_n(u->npages, sizeof(*u->pfns));
	u->mtt = g_try_malloc0_n(u->npages, sizeof(*u->mtt));
	*err = u->pfns && u->mtt ? 0 : -ENOMEM;
	if (!*err && w->base.path->open)
		*err = w->base.path->open(&u->obj, u->obj.bytes);
	if (*err) {
		g_free(u->pfns);
		g_free(u->mtt);
		g_free(u->obj.state);
		g_array_free(u->taken, TRUE);
		g_free(u);
		return NULL;
	}
	ledger_charge(&w->base.m->sim.ledger, LEDGER_DRIVER_PAGE_LISTS, list_bytes(u));
	cpu_charge_n(w->base.m->sim.cpu, COST_KMALLOC, 2);
	return u;
}

static void unmap_pages(struct odp_umem *u, uint64_t first, uint64_t n)
{
	struct odp_stats *st = &u->dev->w->st;
	uint64_t end = first + n;

	for (uint64_t i = first; i < end; i++) {
		uint64_t start = i;

		while (i < end && u->pfns[i] & ODP_PFN_DMA_MAPPED) {
			/* Every flag goes, the page's address stays. */
			u->pfns[i] = (u->pfns[i] & PAGE_MASK) | ODP_PFN_KNOWN;
			i++;
		}
		if (i > start) {
			u->obj.path->unmap(&u->obj, start << u->page_shift, (i - start) << u->page_shift);
			u->mapped -= i - start;
			st->pages_unmapped += i - start;
		}
		if (i < end)
			u->pfns[i] &= PAGE_MASK | ODP_PFN_KNOWN;
	}
}

void odp_umem_free(struct odp_umem *u)
{
	struct odp_workload *w = u->dev->w;

	unmap_pages(u, 0, u->npages);
	if (u->obj.path->close)
		u->obj.path->close(&u->obj);
	ledger_release(&w->base.m->sim.ledger, LEDGER_DRIVER_PAGE_LISTS, list_bytes(u));
	memory_release(w->base.m->memory, (struct phys_vec *)u->taken->data, u->taken->len);
	g_array_free(u->taken, TRUE);
	g_free(u->pfns);
	g_free(u->mtt);
	g_free(u->vecs);
	g_free(u->obj.segs);
	g_free(u->obj.state);
	g_free(u);
}

/* Post work requests that write n translations, wait for the last one. */
static void post_umr(struct odp_umem *u, uint64_t n)
{
	struct odp_workload *w = u->dev->w;
	struct cpu *cpu = w->base.m->sim.cpu;
	uint64_t bytes = MIN(n * ODP_MTT_BYTES, UMR_LARGEST),
		 posts = div_round_up(n * ODP_MTT_BYTES, UMR_LARGEST);

	ledger_charge(&w->base.m->sim.ledger, LEDGER_DRIVER_COMMAND_BUFFERS, bytes);
	cpu_charge(cpu, COST_KMALLOC);
	cpu_charge_n(cpu, COST_DRIVER_DESCRIPTOR, n);
	cpu_charge_n(cpu, COST_DOORBELL, posts);
	w->st.umr_posts += posts;
	w->st.umr_entries += n;
	if (w->base.m->sim.timing)
		cpu_wait_until(cpu, cpu->now + posts * w->params.umr_latency);
	ledger_release(&w->base.m->sim.ledger, LEDGER_DRIVER_COMMAND_BUFFERS, bytes);
}

static void set_page(struct odp_umem *u, uint64_t page, phys_addr_t phys)
{
	if (!(u->pfns[page] & ODP_PFN_DMA_MAPPED))
		u->pfns[page] = (u->pfns[page] & ~PAGE_MASK) | (phys & PAGE_MASK) | ODP_PFN_KNOWN;
}

/* 0, or -EINVAL when the memory is not in pages of the region's size. */
static int use_segments(struct odp_umem *u, uint64_t first, uint64_t n, const struct trace_segment *segs,
			uint32_t nsegs)
{
	uint64_t page = first, bytes = odp_page_bytes(u);

	for (uint32_t i = 0; i < nsegs; i++) {
		if (bytes > PAGE_SIZE && ((segs[i].phys | segs[i].len) & (bytes - 1)))
			return -EINVAL;
		for (uint64_t at = 0; at < segs[i].len && page < first + n; at += bytes)
			set_page(u, page++, segs[i].phys + at);
	}
	return 0;
}

/* Huge pages for [first, first + n). */
static int lay_out_huge(struct odp_umem *u, uint64_t first, uint64_t n)
{
	for (uint64_t i = first; i < first + n; i++) {
		struct phys_vec v = {.len = (uint32_t)odp_page_bytes(u)};

		if (u->pfns[i] & ODP_PFN_KNOWN)
			continue;
		v.paddr = memory_alloc_pages(u->dev->w->base.m->memory, u->obj.dev->node,
					     u->page_shift - PAGE_SHIFT);
		if (!v.paddr)
			return -ENOMEM;
		g_array_append_val(u->taken, v);
		set_page(u, i, v.paddr);
	}
	return 0;
}

/* Memory for the pages of [first, first + n) that never had any. */
static int lay_out(struct odp_umem *u, uint64_t first, uint64_t n)
{
	struct odp_workload *w = u->dev->w;

	if (u->page_shift > PAGE_SHIFT)
		return lay_out_huge(u, first, n);
	for (uint64_t i = first; i < first + n; i++) {
		uint64_t start = i, page;
		unsigned got;

		while (i < first + n && !(u->pfns[i] & ODP_PFN_KNOWN))
			i++;
		if (i == start)
			continue;
		got = memory_lay_out(w->base.m->memory, &u->dev->rng, u->obj.dev->node, 0,
				     (i - start) << PAGE_SHIFT, u->vecs, (unsigned)(i - start));
		if (got == 0)
			return -ENOMEM;
		g_array_append_vals(u->taken, u->vecs, got);
		page = start;
		for (unsigned k = 0; k < got; k++)
			for (uint64_t at = 0; at < u->vecs[k].len && page < i; at += PAGE_SIZE)
				set_page(u, page++, u->vecs[k].paddr + at);
	}
	return 0;
}

static void reserve(struct odp_umem *u, uint64_t n)
{
	if (n <= u->obj.max_segs)
		return;
	u->obj.max_segs = (unsigned)n;
	u->obj.segs = g_renew(struct dma_segment, u->obj.segs, n);
	u->vecs = g_renew(struct phys_vec, u->vecs, n);
}

/* Map the pages [first, first + n), none of which is mapped. */
static int map_run(struct odp_umem *u, uint64_t first, uint64_t n)
{
	struct odp_stats *st = &u->dev->w->st;
	uint64_t page = first;
	int err;

	for (uint64_t k = 0; k < n; k++)
		u->vecs[k] = (struct phys_vec){u->pfns[first + k] & PAGE_MASK, (uint32_t)odp_page_bytes(u)};
	u->obj.nsegs = 0;
	err = u->obj.path->map(&u->obj, first << u->page_shift, u->vecs, (unsigned)n);
	if (err)
		return err;
	/* A path may give one range for several pages. */
	for (unsigned i = 0; i < u->obj.nsegs; i++)
		for (uint64_t at = 0; at < u->obj.segs[i].len && page < first + n; at += odp_page_bytes(u))
			u->mtt[page++] = u->obj.segs[i].addr + at;
	for (page = first; page < first + n; page++)
		u->pfns[page] |= ODP_PFN_DMA_MAPPED;
	u->mapped += n;
	st->pages_mapped += n;
	return 0;
}

static int map_range(struct odp_umem *u, uint64_t first, uint64_t n, bool write)
{
	struct odp_stats *st = &u->dev->w->st;
	uint64_t end = first + n;
	int err = 0;

	for (uint64_t i = first; i < end; i++) {
		if (write && (u->pfns[i] & (ODP_PFN_DMA_MAPPED | ODP_PFN_WRITE)) == ODP_PFN_DMA_MAPPED)
			st->pages_upgraded++;
		u->pfns[i] |= ODP_PFN_VALID | (write ? ODP_PFN_WRITE : 0);
	}
	for (uint64_t i = first; i < end && !err;) {
		uint64_t start = i;

		while (i < end && !(u->pfns[i] & ODP_PFN_DMA_MAPPED))
			i++;
		if (i > start)
			err = map_run(u, start, i - start);
		while (i < end && u->pfns[i] & ODP_PFN_DMA_MAPPED)
			i++;
	}
	return err;
}

int odp_fault_pages(struct odp_umem *u, uint64_t first, uint64_t n, bool write,
		    const struct trace_segment *segs, uint32_t nsegs)
{
	struct odp_workload *w = u->dev->w;
	struct cpu *cpu = w->base.m->sim.cpu;
	uint64_t from, to;
	int err;

	if (n == 0)
		return 0;
	spin_lock(cpu, &u->lock);
	reserve(u, n);
	cpu_spend(cpu, w->params.hmm_fixed + n * w->params.hmm_page);
	w->st.fault_pages += n;
	err = use_segments(u, first, n, segs, nsegs);
	if (!err)
		err = lay_out(u, first, n);
	if (!err)
		err = map_range(u, first, n, write);
	if (!err) {
		from = align_down(first, ODP_MTT_ALIGN);
		to = MIN(align_up(first + n, ODP_MTT_ALIGN), u->npages);
		post_umr(u, to - from);
	} else {
		w->st.refused++;
	}
	spin_unlock(cpu, &u->lock);
	return err;
}

static void zap(struct odp_umem *u, uint64_t first, uint64_t n)
{
	post_umr(u, n);
	u->dev->w->st.umr_zaps++;
	odp_cache_drop(&u->dev->cache, u->key, first, n);
}

/* Zap the runs of mapped pages; a hole splits one only where a 64-byte granule of entries begins. */
static void zap_range(struct odp_umem *u, uint64_t first, uint64_t n)
{
	uint64_t start = 0;
	bool in_run = false;

	for (uint64_t i = first; i < first + n; i++) {
		if (u->pfns[i] & ODP_PFN_VALID) {
			if (!in_run)
				start = i;
			in_run = true;
		} else if (in_run && i % ODP_MTT_ALIGN == 0) {
			zap(u, start, i - start);
			in_run = false;
		}
	}
	if (in_run)
		zap(u, start, first + n - start);
}

void odp_invalidate_pages(struct odp_umem *u, uint64_t first, uint64_t n)
{
	struct odp_workload *w = u->dev->w;
	struct cpu *cpu = w->base.m->sim.cpu;

	spin_lock(cpu, &u->lock);
	if (u->mapped == 0) {
		w->st.invalidations_skipped++;
	} else {
		cpu_spend(cpu, w->params.inval_fixed);
		/* The NIC must have stopped using a page before it is unmapped. */
		zap_range(u, first, n);
		unmap_pages(u, first, n);
	}
	spin_unlock(cpu, &u->lock);
}
