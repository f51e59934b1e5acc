/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A NIC with its memory regions, explicit and implicit. */
#include "odp.h"

#include <string.h>

struct replayer_dev *odp_dev_new(struct replayer *r, GError **error)
{
	struct odp_workload *w = (struct odp_workload *)r;
	struct odp_dev *d = g_new0(struct odp_dev, 1);

	/* mlx5_core main.c, set_dma_caps */
	if (!replayer_dev_init(r, &d->base, UINT64_MAX, 1u << 31, error)) {
		g_free(d);
		return NULL;
	}
	d->w = w;
	d->next_key = 1;
	rng_init(&d->rng, r->m->sim.seed, "rdma_odp.layout");
	odp_cache_init(&d->cache, w->params.cache_entries, w->params.cache_ways);
	return &d->base;
}

void odp_dev_free(struct replayer *r, struct replayer_dev *base)
{
	struct odp_dev *d = (struct odp_dev *)base;

	replayer_dev_fini(r, base);
	odp_cache_fini(&d->cache);
	g_free(d->mrs);
	g_free(d);
}

/* Index of the first MR whose number is not below this one. */
static unsigned position(const struct odp_dev *d, uint32_t number)
{
	unsigned lo = 0, hi = d->nmrs;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (d->mrs[mid]->number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct odp_mr *odp_mr_find(struct odp_dev *d, uint32_t number)
{
	unsigned i = position(d, number);

	return i < d->nmrs && d->mrs[i]->number == number ? d->mrs[i] : NULL;
}

int odp_mr_register(struct odp_dev *d, uint32_t number, uint64_t bytes, bool implicit, unsigned page_shift)
{
	struct odp_mr *mr = g_new0(struct odp_mr, 1);
	unsigned at = position(d, number);
	int err = 0;

	mr->number = number;
	mr->implicit = implicit;
	mr->page_shift = implicit ? PAGE_SHIFT : page_shift;
	mr->bytes = bytes;
	if (implicit) {
		mr->nchildren = div_round_up(bytes, d->w->params.child_bytes);
		mr->children = g_new0(struct odp_umem *, mr->nchildren);
	} else {
		mr->umem = odp_umem_new(d, bytes, page_shift, &err);
	}
	if (err) {
		g_free(mr);
		return err;
	}
	d->mrs = g_renew(struct odp_mr *, d->mrs, d->nmrs + 1);
	memmove(d->mrs + at + 1, d->mrs + at, (d->nmrs - at) * sizeof(*d->mrs));
	d->mrs[at] = mr;
	d->nmrs++;
	d->w->st.registrations++;
	return 0;
}

void odp_mr_deregister(struct odp_dev *d, struct odp_mr *mr)
{
	unsigned at = position(d, mr->number);

	if (mr->umem)
		odp_umem_free(mr->umem);
	for (uint64_t i = 0; i < mr->nchildren; i++)
		if (mr->children[i])
			odp_umem_free(mr->children[i]);
	g_free(mr->children);
	d->nmrs--;
	memmove(d->mrs + at, d->mrs + at + 1, (d->nmrs - at) * sizeof(*d->mrs));
	d->w->st.deregistrations++;
	g_free(mr);
}

struct odp_umem *odp_mr_at(struct odp_dev *d, struct odp_mr *mr, uint64_t offset, bool create, uint64_t *page,
			   int *err)
{
	uint64_t child = d->w->params.child_bytes, i = offset / child;

	*err = 0;
	if (!mr->implicit) {
		*page = offset >> mr->page_shift;
		return mr->umem;
	}
	*page = offset % child >> PAGE_SHIFT;
	if (!mr->children[i] && create) {
		mr->children[i] = odp_umem_new(d, child, PAGE_SHIFT, err);
		if (mr->children[i]) {
			/* The child's key is enabled by one work request over all of its (empty) entries. */
			d->w->st.children_created++;
			d->w->st.umr_posts++;
			cpu_charge(d->w->base.m->sim.cpu, COST_DOORBELL);
		}
	}
	return mr->children[i];
}
