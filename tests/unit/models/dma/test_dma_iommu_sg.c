/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists over an IOMMU domain: layout, merging, restoring. */
#include "dma_rig.h"
#include "models/dma/iommu.h"

struct piece {
	uint64_t addr;
	uint32_t len;
};

struct maps {
	struct piece run[64];
	unsigned n;
	dma_addr_t base;
	size_t total;
};

static void log_map(void *arg, struct device *dev, dma_addr_t iova, phys_addr_t phys, size_t size)
{
	struct maps *m = arg;

	(void)dev;
	if (!m->n)
		m->base = iova;
	ck_assert_uint_eq(iova, m->base + m->total);
	ck_assert_uint_lt(m->n, G_N_ELEMENTS(m->run));
	m->run[m->n++] = (struct piece){phys, (uint32_t)size};
	m->total += size;
}

static void fill(struct scatterlist *sg, const struct piece *in, unsigned n)
{
	sg_init_table(sg, n);
	for (unsigned i = 0; i < n; i++)
		sg_set_phys(&sg[i], in[i].addr, in[i].len);
}

/* Worked examples; output addresses are relative to the range. */
static const struct vector {
	struct piece in[4];
	uint64_t mask;
	uint32_t max_seg;
	size_t iova_len;
	struct piece runs[4], out[3];
} vectors[] = {
    {{{0x10000, 0x1000}, {0x22000, 0x1000}, {0x23000, 0x1000}},
     UINT64_MAX,
     0x10000,
     0x3000,
     {{0x10000, 0x1000}, {0x22000, 0x2000}},
     {{0, 0x3000}}},
    {{{0x10200, 0xe00}, {0x22000, 0x1000}, {0x33000, 0x200}, {0x44000, 0x1000}},
     UINT64_MAX,
     0x10000,
     0x4000,
     {{0x10000, 0x1000}, {0x22000, 0x1000}, {0x33000, 0x1000}, {0x44000, 0x1000}},
     {{0x200, 0x2000}, {0x3000, 0x1000}}},
    {{{0x10000, 0xf000}, {0x40000, 0x2000}},
     0xffff,
     0x10000,
     0x12000,
     {{0x10000, 0x10000}, {0x40000, 0x2000}},
     {{0, 0xf000}, {0x10000, 0x2000}}},
    {{{0x10000, 0xf000}, {0x40000, 0x1000}, {0x50000, 0x1000}},
     0xffff,
     0x10000,
     0x11000,
     {{0x10000, 0xf000}, {0x40000, 0x1000}, {0x50000, 0x1000}},
     {{0, 0x10000}, {0x10000, 0x1000}}},
    {{{0x100000, 0x10000}, {0x110000, 0x10000}},
     UINT64_MAX,
     0x10000,
     0x20000,
     {{0x100000, 0x20000}},
     {{0, 0x10000}, {0x10000, 0x10000}}},
    {{{0x100000, 0x10000}, {0x110000, 0x10000}},
     UINT64_MAX,
     UINT32_MAX,
     0x20000,
     {{0x100000, 0x20000}},
     {{0, 0x20000}}},
    {{{0x5000, 0x200}, {0x5200, 0x200}},
     UINT64_MAX,
     0x10000,
     0x2000,
     {{0x5000, 0x1000}, {0x5000, 0x1000}},
     {{0, 0x200}, {0x1200, 0x200}}},
};

static unsigned count(const struct piece *p, unsigned max)
{
	unsigned n = 0;

	while (n < max && p[n].len)
		n++;
	return n;
}

START_TEST(worked_examples)
{
	const struct vector *v = &vectors[_i];
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	struct maps maps = {.n = 0};
	struct dma_observer o = {.arg = &maps, .map = log_map};
	unsigned nin = count(v->in, 4), nout = count(v->out, 3), nruns = count(v->runs, 4);
	struct scatterlist sg[4];

	r.dev->seg_boundary_mask = v->mask;
	r.dev->max_segment_size = v->max_seg;
	dma_layer_set_observer(r.dev->dma, &o);
	fill(sg, v->in, nin);
	ck_assert_uint_eq(dma_map_sg_attrs(r.dev, sg, (int)nin, DMA_TO_DEVICE, 0), nout);
	ck_assert_uint_eq(maps.total, v->iova_len);
	ck_assert_uint_eq(maps.n, nruns);
	for (unsigned i = 0; i < nruns; i++) {
		ck_assert_uint_eq(maps.run[i].addr, v->runs[i].addr);
		ck_assert_uint_eq(maps.run[i].len, v->runs[i].len);
	}
	for (unsigned i = 0; i < nout; i++) {
		ck_assert_uint_eq(sg[i].dma_address, maps.base + v->out[i].addr);
		ck_assert_uint_eq(sg[i].dma_length, v->out[i].len);
	}
	for (unsigned i = 0; i < nin; i++) {
		ck_assert_uint_eq(sg_phys(&sg[i]), v->in[i].addr);
		ck_assert_uint_eq(sg[i].length, v->in[i].len);
	}
	dma_unmap_sg_attrs(r.dev, sg, (int)nin, DMA_TO_DEVICE, 0);
	ck_assert_uint_eq(r.m->dma_stats.iommu_unmap_ops, 1);
	ck_assert_uint_eq(r.m->dma_stats.walks_software, 0);
	ck_assert_uint_eq(r.m->dma_stats.ptes_written, r.m->dma_stats.ptes_cleared);
	rig_free(&r);
}
END_TEST

/* Sum over outputs = sum over inputs, every byte where the outputs say, inputs restored. */
static void check_list(struct rig *r, struct scatterlist *sg, const struct piece *in, unsigned n,
		       unsigned nout)
{
	uint64_t left = sg[0].dma_length, at = sg[0].dma_address;
	unsigned out = 0;

	for (unsigned i = 0; i < n; i++) {
		ck_assert_uint_eq(sg_phys(&sg[i]), in[i].addr);
		ck_assert_uint_eq(sg[i].length, in[i].len);
		if (!left) {
			ck_assert_uint_lt(++out, nout);
			left = sg[out].dma_length;
			at = sg[out].dma_address;
		}
		ck_assert_uint_ge(left, in[i].len);
		for (uint64_t b = 0; b < in[i].len; b += MIN(in[i].len - b, 512))
			ck_assert_uint_eq(iommu_iova_to_phys(r->dev->domain, at + b), in[i].addr + b);
		left -= in[i].len;
		at += in[i].len;
		if (!left && sg[out].dma_length > r->dev->max_segment_size)
			ck_assert_uint_eq(sg[out].dma_length, in[i].len);
	}
	ck_assert_uint_eq(left, 0);
	ck_assert_uint_eq(out + 1, nout);
	for (unsigned i = 0; i < nout; i++) {
		uint64_t first = sg[i].dma_address, last = first + sg[i].dma_length - 1;

		if (sg[i].dma_length <= r->dev->seg_boundary_mask)
			ck_assert_uint_eq(first & ~r->dev->seg_boundary_mask,
					  last & ~r->dev->seg_boundary_mask);
	}
}

START_TEST(random_lists)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	static const uint64_t masks[] = {UINT64_MAX, UINT32_MAX, 0xffff, 0x1fffff};
	static const uint32_t max_segs[] = {0x10000, UINT32_MAX, 0x20000};
	struct rng rng;

	rng_init(&rng, test_seed(), "sg");
	for (uint64_t round = 0; round < test_scale(3000); round++) {
		unsigned n = 1 + (unsigned)rng_below(&rng, 20), nout;
		struct scatterlist sg[20];
		struct piece in[20];
		phys_addr_t next = PAGE_SIZE;

		r.dev->seg_boundary_mask = masks[rng_below(&rng, 4)];
		r.dev->max_segment_size = max_segs[rng_below(&rng, 3)];
		for (unsigned i = 0; i < n; i++) {
			bool odd = rng_below(&rng, 4) == 0;

			in[i].addr = rng_below(&rng, 2) ? next : (1 + rng_below(&rng, 4096)) << PAGE_SHIFT;
			in[i].addr += odd ? rng_below(&rng, 8) * 512 & ~PAGE_MASK : 0;
			in[i].len = (uint32_t)(odd ? 512 * (1 + rng_below(&rng, 12))
						   : (1 + rng_below(&rng, 12)) << PAGE_SHIFT);
			next = in[i].addr + in[i].len;
		}
		fill(sg, in, n);
		nout = dma_map_sg_attrs(r.dev, sg, (int)n, DMA_BIDIRECTIONAL, 0);
		ck_assert_uint_gt(nout, 0);
		check_list(&r, sg, in, n, nout);
		dma_unmap_sg_attrs(r.dev, sg, (int)n, DMA_BIDIRECTIONAL, 0);
	}
	ck_assert_uint_eq(r.m->dma_stats.ptes_written, r.m->dma_stats.ptes_cleared);
	rig_free(&r);
}
END_TEST

START_TEST(failure_restores_the_list)
{
	static const struct piece in[] = {{0x10200, 0xe00}, {0x22000, 0x1000}, {0x33000, 0x200}};
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	struct sg_table t;
	uint64_t live = r.m->sim.ledger.accounts[LEDGER_IOVA_RANGES].current;

	reserve_iova(&r.dev->domain->iovad, 1, (1ull << 36) - 1);
	live = r.m->sim.ledger.accounts[LEDGER_IOVA_RANGES].current;
	ck_assert_int_eq(sg_alloc_table(&r.m->sim, &t, 3), 0);
	fill(t.sgl, in, 3);
	ck_assert_int_eq(dma_map_sgtable(r.dev, &t, DMA_TO_DEVICE, 0), -ENOMEM);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(sg_phys(&t.sgl[i]), in[i].addr);
		ck_assert_uint_eq(t.sgl[i].length, in[i].len);
		ck_assert_uint_eq(t.sgl[i].dma_address, DMA_MAPPING_ERROR);
		ck_assert_uint_eq(t.sgl[i].dma_length, 0);
	}
	ck_assert_uint_eq(dma_map_sg_attrs(r.dev, t.sgl, 3, DMA_TO_DEVICE, 0), 0);
	ck_assert_uint_eq(r.m->sim.ledger.accounts[LEDGER_IOVA_RANGES].current, live);
	ck_assert_uint_eq(r.m->dma_stats.iommu_map_ops, 0);
	sg_free_table(&r.m->sim, &t);
	rig_free(&r);
}
END_TEST

START_TEST(map_error_frees_the_iova)
{
	static const struct piece in[] = {{0x10000, 0x1000}, {1ull << 52, 0x1000}};
	struct rig r = rig_new(IOMMU_LAZY, _i);
	struct scatterlist sg[2];
	struct dma_stats *st = &r.m->dma_stats;

	fill(sg, in, 2);
	ck_assert_int_eq(iommu_dma_map_sg(r.dev, sg, 2, DMA_TO_DEVICE, 0), -EINVAL);
	/* At once, never through the queue, and nothing stays mapped. */
	ck_assert_uint_eq(st->fq_entries, 0);
	ck_assert_uint_eq(st->iova_frees, 1);
	ck_assert_uint_eq(st->ptes_written, st->ptes_cleared);
	ck_assert_uint_eq(sg_phys(&sg[1]), in[1].addr);
	rig_free(&r);
}
END_TEST

START_TEST(untrusted_maps_entry_by_entry)
{
	static const struct piece in[] = {{0x10000, 0x1000}, {0x11000, 0x1000}, {0x12000, 0x1000}};
	struct rig r = rig_new(IOMMU_LAZY, KERNEL_6_12);
	struct dma_stats *st = &r.m->dma_stats;
	struct scatterlist sg[3];

	dma_layer_detach(r.dev);
	r.dev->untrusted = true;
	ck_assert_int_eq(dma_layer_attach(r.m->dma, r.dev), 0);
	ck_assert_ptr_null(r.dev->domain->fq); /* always strict */
	fill(sg, in, 3);
	ck_assert_uint_eq(dma_map_sg_attrs(r.dev, sg, 3, DMA_TO_DEVICE, 0), 3);
	ck_assert_uint_eq(st->iova_allocs, 3);
	ck_assert_uint_eq(st->swiotlb_bounces, 0);
	dma_unmap_sg_attrs(r.dev, sg, 3, DMA_TO_DEVICE, 0);
	ck_assert_uint_eq(st->iommu_unmap_ops, 3);
	ck_assert_uint_eq(st->iotlb_syncs, 3);
	ck_assert_uint_eq(st->walks_software, 3);
	rig_free(&r);
}
END_TEST

START_TEST(untrusted_bounces_unaligned_entries)
{
	static const struct piece in[] = {{0x10200, 0x200}, {0x22000, 0x1000}};
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	struct scatterlist sg[2];
	phys_addr_t bounce;

	dma_layer_detach(r.dev);
	r.dev->untrusted = true;
	ck_assert_int_eq(dma_layer_attach(r.m->dma, r.dev), 0);
	fill(sg, in, 2);
	ck_assert_uint_eq(dma_map_sg_attrs(r.dev, sg, 2, DMA_TO_DEVICE, 0), 2);
	ck_assert_uint_eq(r.m->dma_stats.swiotlb_bounces, 1);
	bounce = iommu_iova_to_phys(r.dev->domain, sg[0].dma_address);
	ck_assert(is_swiotlb_buffer(r.dev, bounce));
	ck_assert_uint_eq(bounce & 0xfff, sg[0].dma_address & 0xfff);
	ck_assert_uint_eq(iommu_iova_to_phys(r.dev->domain, sg[1].dma_address), 0x22000);
	dma_unmap_sg_attrs(r.dev, sg, 2, DMA_TO_DEVICE, 0);
	ck_assert_uint_eq(r.m->dma_stats.swiotlb_slots_used, 0);
	rig_free(&r);
}
END_TEST

/* A boundary inside a list of 4 GiB entries: the padded length of the first no longer fits in 32 bits. */
START_TEST(overflow_per_release)
{
	static const enum kernel_version kernels[] = {KERNEL_6_6, KERNEL_6_12, KERNEL_6_15, KERNEL_7_2,
						      KERNEL_7_3};

	for (unsigned i = 0; i < G_N_ELEMENTS(kernels); i++) {
		struct rig r = rig_new(IOMMU_STRICT, kernels[i]);
		struct scatterlist sg[1];
		struct sg_table table = {.sgl = sg, .nents = 1, .orig_nents = 1};
		bool refused = r.m->kernel->sg_overflow;
		int ret;

		r.dev->dma_mask = UINT64_MAX;
		sg_init_table(sg, 1);
		sg_set_phys(&sg[0], 0x100000200, UINT32_MAX - 0xff);
		ret = dma_map_sgtable(r.dev, &table, DMA_TO_DEVICE, 0);
		ck_assert_int_eq(ret == -EIO, refused); /* what callers are told of -EOVERFLOW */
		if (refused) {
			ck_assert_uint_eq(sg[0].length, UINT32_MAX - 0xff);
			ck_assert_uint_eq(sg[0].offset & 0xfff, 0x200);
			ck_assert_uint_eq(r.m->dma_stats.iova_allocs, 0);
		}
		rig_free(&r);
	}
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("lists");

	tcase_add_loop_test(t, worked_examples, 0, G_N_ELEMENTS(vectors));
	tcase_add_test(t, random_lists);
	tcase_add_test(t, failure_restores_the_list);
	tcase_add_loop_test(t, map_error_frees_the_iova, 0, KERNEL_VERSIONS);
	tcase_add_test(t, untrusted_maps_entry_by_entry);
	tcase_add_test(t, untrusted_bounces_unaligned_entries);
	tcase_add_test(t, overflow_per_release);
	return test_run("dma_iommu_sg", t, NULL);
}
