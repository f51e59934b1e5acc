/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vectors to the DMA API: what the device is given covers them in order, and all of it can be undone. */
#include "models/dma/iommu.h"
#include "workload_rig.h"
#include "workloads/vectors.h"

#include "sim/cpu.h"

#define MOST 40u

struct rig {
	struct workload_rig r;
	struct dma_object obj;
	struct dma_segment segs[MOST];
	struct phys_vec vecs[MOST];
	unsigned n;
	bool whole; /* vectors of whole pages: they can be linked */
};

static void rig_open(struct rig *g, enum iommu_mode mode)
{
	GError *error = NULL;

	workload_rig_open(&g->r, "dma_replay", "link", mode, FIDELITY_COUNTS);
	g->r.m = machine_new(g->r.config, mode, &kernel_profiles[KERNEL_7_0], FIDELITY_COUNTS, 1, &error);
	ck_assert_ptr_nonnull(g->r.m);
	g->obj = (struct dma_object){.dev = machine_add_device(g->r.m, NULL, &error),
				     .dir = DMA_FROM_DEVICE,
				     .segs = g->segs,
				     .max_segs = MOST};
	ck_assert_ptr_nonnull(g->obj.dev);
	dma_set_mask(g->obj.dev, UINT64_MAX);
	dma_set_max_seg_size(g->obj.dev, UINT32_MAX);
}

static void rig_close(struct rig *g)
{
	ck_assert_uint_eq(g->r.m->dma_stats.iova_allocs, g->r.m->dma_stats.iova_frees);
	ck_assert_uint_eq(g->r.m->sim.ledger.accounts[LEDGER_SG_TABLES].current, 0);
	machine_free(g->r.m);
	config_free(g->r.config);
}

static void random_vectors(struct rig *g, struct rng *rng)
{
	g->n = 1 + (unsigned)rng_below(rng, MOST);
	for (unsigned i = 0; i < g->n; i++) {
		uint64_t at = (1 + rng_below(rng, 100000)) * PAGE_SIZE;

		g->vecs[i] = (struct phys_vec){at, (uint32_t)PAGE_SIZE};
		if (!g->whole)
			g->vecs[i] = (struct phys_vec){at + rng_below(rng, 2048),
						       1 + (uint32_t)rng_below(rng, 2048)};
	}
}

/* Byte by byte (at both ends of each vector): where the device finds it, and what memory that is. */
static void check(struct rig *g)
{
	uint64_t at = 0;

	for (unsigned i = 0; i < g->n; at += g->vecs[i++].len)
		for (unsigned end = 0; end < 2; end++) {
			uint64_t k = end ? g->vecs[i].len - 1 : 0, pos = at + k;
			unsigned s = 0;

			while (s < g->obj.nsegs && pos >= g->segs[s].len)
				pos -= g->segs[s++].len;
			ck_assert_uint_lt(s, g->obj.nsegs);
			ck_assert_uint_eq(iommu_iova_to_phys(g->obj.dev->domain, g->segs[s].addr + pos),
					  g->vecs[i].paddr + k);
		}
	ck_assert_uint_eq(at, vectors_bytes(g->vecs, g->n));
}

struct round {
	struct rig *g;
	unsigned way;
};

static void one_round(void *arg)
{
	const struct round *round = arg;
	struct rig *g = round->g;
	struct dma_object *obj = &g->obj;
	struct sg_table table = {0};
	struct dma_iova_state iova = {0};

	obj->nsegs = 0;
	switch (round->way) {
	case 0:
		ck_assert_int_eq(vectors_map_list(obj, &table, g->vecs, g->n), 0);
		check(g);
		vectors_unmap_list(obj, &table);
		break;
	case 1:
		ck_assert_int_eq(vectors_map_each(obj, 0, g->vecs, g->n), 0);
		ck_assert_uint_eq(obj->nsegs, g->n);
		check(g);
		vectors_unmap_each(obj, 0);
		break;
	default:
		if (!dma_iova_try_alloc(obj->dev, &iova, g->vecs[0].paddr, vectors_bytes(g->vecs, g->n)))
			return;
		ck_assert_int_eq(vectors_link(obj, &iova, g->vecs, g->n), 0);
		ck_assert_uint_eq(obj->nsegs, 1);
		check(g);
		dma_iova_destroy(obj->dev, &iova, vectors_bytes(g->vecs, g->n), obj->dir, 0);
	}
}

START_TEST(every_byte)
{
	struct rig g = {.whole = _i == 2};
	struct round round = {&g, (unsigned)_i};
	struct rng rng;

	rng_init(&rng, 5, "vectors");
	rig_open(&g, IOMMU_STRICT);
	for (unsigned k = 0; k < 100; k++) {
		random_vectors(&g, &rng);
		cpu_run(g.r.m->sim.cpus, one_round, &round);
	}
	rig_close(&g);
}
END_TEST

static void too_many(void *arg)
{
	struct rig *g = arg;
	struct dma_iova_state iova;

	/* Two single pages before it, which are not its own. */
	g->obj.nsegs = 0;
	ck_assert_int_eq(vectors_map_each(&g->obj, 0, g->vecs, 2), 0);
	for (unsigned i = 0; i < g->n; i++)
		g->vecs[i].len = MIB;
	ck_assert_int_eq(vectors_map_each(&g->obj, 0, g->vecs, g->n), -ENOMEM);
	ck_assert_uint_eq(g->obj.nsegs, 2);
	vectors_unmap_each(&g->obj, 0);
	/* A seam inside a page cannot be linked. */
	g->obj.nsegs = 0;
	g->vecs[0].len = 100;
	g->vecs[1] = (struct phys_vec){GIB + 8, 100};
	ck_assert(dma_iova_try_alloc(g->obj.dev, &iova, g->vecs[0].paddr, 200));
	ck_assert_int_ne(vectors_link(&g->obj, &iova, g->vecs, 2), 0);
	ck_assert_uint_eq(g->obj.nsegs, 0);
}

/* A device that reaches 16 MiB: its address space runs out; nothing of the failed call stays. */
START_TEST(failures_leave_nothing)
{
	struct rig g = {.whole = true};
	struct rng rng;

	rng_init(&rng, 6, "vectors");
	rig_open(&g, IOMMU_STRICT);
	do
		random_vectors(&g, &rng);
	while (g.n < 20);
	dma_set_mask(g.obj.dev, (1u << 24) - 1);
	cpu_run(g.r.m->sim.cpus, too_many, &g);
	rig_close(&g);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("vectors");

	tcase_add_loop_test(t, every_byte, 0, 3);
	tcase_add_test(t, failures_leave_nothing);
	return test_run("vectors", t, NULL);
}
