/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a replay decides in place of the model. */
#include "dma_rig.h"
#include "models/dma/iommu.h"

struct oracle {
	uint64_t next[8];
	unsigned n, used, asked;
};

static bool resolve(void *arg, const struct iova_alloc_event *e, uint64_t *pfn)
{
	struct oracle *o = arg;

	o->asked++;
	ck_assert_int_eq(e->source, IOVA_FROM_UNKNOWN);
	if (o->used == o->n)
		return false;
	*pfn = o->next[o->used++];
	return true;
}

START_TEST(unknown_cache_is_bound_when_reached)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	struct iova_domain *d = &r.dev->domain->iovad;
	struct oracle o = {.next = {0xabc00, 0xabc10}, .n = 2};
	struct dma_replay hooks = {.arg = &o, .resolve_unknown = resolve};
	uint64_t p;

	dma_layer_set_replay(r.dev->dma, &hooks);
	dma_replay_cache_unknown(r.dev);
	free_iova_fast(d, 0x12345, 1);
	ck_assert_uint_eq(alloc_iova_fast(d, 1, 0xfffff, true), 0x12345);
	ck_assert_uint_eq(o.asked, 0);
	ck_assert_uint_eq(alloc_iova_fast(d, 1, 0xfffff, true), 0xabc00);
	ck_assert_uint_eq(alloc_iova_fast(d, 1, 0xfffff, true), 0xabc10);
	ck_assert_ptr_nonnull(find_iova(d, 0xabc10));
	/* The recorded kernel went to the tree: nothing unknown is left. */
	p = alloc_iova_fast(d, 1, 0xfffff, true);
	ck_assert_uint_eq(p, 0xfffff);
	ck_assert_uint_eq(o.asked, 3);
	ck_assert_uint_eq(alloc_iova_fast(d, 1, 0xfffff, true), 0xffffe);
	ck_assert_uint_eq(o.asked, 3);
	rig_free(&r);
}
END_TEST

START_TEST(unknown_fill_counts_against_magazines)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	struct iova_domain *d = &r.dev->domain->iovad;
	struct oracle o = {.next = {0xabc00}, .n = 1};
	struct dma_replay hooks = {.arg = &o, .resolve_unknown = resolve};

	dma_layer_set_replay(r.dev->dma, &hooks);
	dma_replay_cache_fill(r.dev, 0, 0, 127, 3);
	ck_assert_uint_eq(d->rcaches[0].cpu_rcaches[0].loaded->size, 127);
	ck_assert_uint_eq(d->rcaches[0].cpu_rcaches[0].prev->size, 3);
	free_iova_fast(d, 0x12345, 1); /* loaded is full: swap */
	ck_assert_uint_eq(d->rcaches[0].cpu_rcaches[0].loaded->size, 4);
	ck_assert_uint_eq(alloc_iova_fast(d, 1, 0xfffff, true), 0x12345);
	ck_assert_uint_eq(alloc_iova_fast(d, 1, 0xfffff, true), 0xabc00);
	/* The tree answers: all placeholders are dropped. */
	ck_assert_uint_eq(alloc_iova_fast(d, 1, 0xfffff, true), 0xfffff);
	ck_assert_uint_eq(d->rcaches[0].cpu_rcaches[0].prev->size, 0);
	rig_free(&r);
}
END_TEST

static bool force(void *arg, const struct iova_alloc_event *e, uint64_t *pfn, enum iova_source *source)
{
	struct iova_alloc_event *want = arg;

	(void)e;
	if (!want->pfn)
		return false;
	*pfn = want->pfn;
	*source = want->source;
	return true;
}

START_TEST(forced_outcome_replaces_prediction)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	struct iova_domain *d = &r.dev->domain->iovad;
	struct iova_alloc_event want = {.pfn = 0};
	struct dma_replay hooks = {.arg = &want, .outcome = force};
	uint64_t a, b;

	dma_layer_set_replay(r.dev->dma, &hooks);
	a = alloc_iova_fast(d, 1, 0xfffff, true);
	b = alloc_iova_fast(d, 1, 0xfffff, true);
	free_iova_fast(d, a, 1);
	free_iova_fast(d, b, 1);
	/* Predicted: b from the cache. Recorded: a. Then b is still there. */
	want = (struct iova_alloc_event){.pfn = a, .source = IOVA_FROM_CACHE};
	ck_assert_uint_eq(alloc_iova_fast(d, 1, 0xfffff, true), a);
	want.pfn = 0;
	ck_assert_uint_eq(alloc_iova_fast(d, 1, 0xfffff, true), b);
	/* Predicted: below b. Recorded: elsewhere in the tree, and the hint follows. */
	want = (struct iova_alloc_event){.pfn = 0xf0000, .source = IOVA_FROM_TREE};
	ck_assert_uint_eq(alloc_iova_fast(d, 1, 0xfffff, true), 0xf0000);
	want.pfn = 0;
	ck_assert_ptr_null(find_iova(d, b - 1));
	ck_assert_uint_eq(alloc_iova_fast(d, 1, 0xfffff, true), 0xeffff);
	rig_free(&r);
}
END_TEST

/* ---- flush queue ---- */

static bool keep_timer(void *arg, struct device *dev, sim_time_t expiry)
{
	(void)dev;
	*(sim_time_t *)arg = expiry;
	return true;
}

static bool late_once(void *arg, struct device *dev)
{
	(void)arg, (void)dev;
	return true;
}

static void map_unmap(struct rig *r)
{
	dma_addr_t a = dma_map_phys(r->dev, 0x200000, 4096, DMA_TO_DEVICE, 0);

	ck_assert(!dma_mapping_error(r->dev, a));
	dma_unmap_phys(r->dev, a, 4096, DMA_TO_DEVICE, 0);
}

START_TEST(recorded_timer_only)
{
	struct rig r = rig_new(IOMMU_LAZY, KERNEL_7_0);
	struct sim *s = &r.m->sim;
	sim_time_t asked = 0;
	struct dma_replay hooks = {.arg = &asked, .timer = keep_timer};

	dma_layer_set_replay(r.dev->dma, &hooks);
	map_unmap(&r);
	ck_assert_uint_eq(asked, 16 * SIM_MS);
	sim_advance(s, 100 * SIM_MS);
	ck_assert_uint_eq(r.m->dma_stats.flush_all, 0);
	dma_replay_flush_timer(r.dev, 1);
	ck_assert_uint_eq(r.m->dma_stats.flush_all, 1);
	ck_assert_uint_eq(r.dev->domain->iovad.rcaches[0].cpu_rcaches[1].loaded->size, 1);
	ck_assert_ptr_eq(s->cpu, &s->cpus[0]);
	rig_free(&r);
}
END_TEST

START_TEST(what_is_queued_late_waits_for_one_more_flush)
{
	struct rig r = rig_new(IOMMU_LAZY, KERNEL_7_0);
	sim_time_t asked = 0;
	struct dma_replay hooks = {.arg = &asked, .timer = keep_timer, .queued_late = late_once};

	dma_layer_set_replay(r.dev->dma, &hooks);
	map_unmap(&r);
	dma_replay_flush_timer(r.dev, 0);
	ck_assert_uint_eq(dma_replay_ring_entries(r.dev, 0), 1);
	dma_replay_flush_timer(r.dev, 0);
	ck_assert_uint_eq(dma_replay_ring_entries(r.dev, 0), 0);
	rig_free(&r);
}
END_TEST

int main(void)
{
	TCase *alloc = tcase_create("allocations"), *queue = tcase_create("flush queue");

	tcase_add_test(alloc, unknown_cache_is_bound_when_reached);
	tcase_add_test(alloc, unknown_fill_counts_against_magazines);
	tcase_add_test(alloc, forced_outcome_replaces_prediction);
	tcase_add_test(queue, recorded_timer_only);
	tcase_add_test(queue, what_is_queued_late_waits_for_one_more_flush);
	return test_run("replay_hooks", alloc, queue, NULL);
}
