/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one request costs in each driver generation and mode: operation counts and the
 * NVMe requests on machines with real page tables, invalidations and a drive.
 */
#include "nvme_support.h"

#include <string.h>

struct counts {
	uint64_t allocs, frees, maps, sync_maps, unmaps, iotlb_syncs, page_desc, fq;
};

static struct counts take(const struct nvme_rig *rig)
{
	const struct dma_stats *d = &rig->m->dma_stats;

	return (struct counts){d->iova_allocs,
			       d->iova_frees,
			       d->iommu_map_ops,
			       d->sync_maps,
			       d->iommu_unmap_ops,
			       d->iotlb_syncs,
			       rig->m->vtd_stats.qi_iotlb_page,
			       d->fq_entries};
}

static void assert_counts(struct counts got, struct counts want)
{
	ck_assert_uint_eq(got.allocs, want.allocs);
	ck_assert_uint_eq(got.frees, want.frees);
	ck_assert_uint_eq(got.maps, want.maps);
	ck_assert_uint_eq(got.sync_maps, want.sync_maps);
	ck_assert_uint_eq(got.unmaps, want.unmaps);
	ck_assert_uint_eq(got.iotlb_syncs, want.iotlb_syncs);
	ck_assert_uint_eq(got.page_desc, want.page_desc);
	ck_assert_uint_eq(got.fq, want.fq);
}

static uint64_t current(const struct nvme_rig *rig, enum ledger_account a)
{
	return rig->m->sim.ledger.accounts[a].current;
}

/* Nothing stays behind: mappings, ranges, memory of requests; the drive met no error. */
static void assert_clean(const struct nvme_rig *rig)
{
	const struct dma_stats *d = &rig->m->dma_stats;
	const struct vtd_stats *v = &rig->m->vtd_stats;

	ck_assert_uint_eq(rig->m->io.failed, 0);
	ck_assert_uint_eq(nvme_rig_stats(rig)->drive.errors, 0);
	ck_assert_uint_eq(nvme_rig_stats(rig)->mismatches + nvme_rig_stats(rig)->drive.mismatches, 0);
	ck_assert_uint_eq(d->iova_pages_allocated, d->iova_pages_freed);
	ck_assert_uint_eq(d->iommu_map_bytes, d->iommu_unmap_bytes);
	ck_assert_uint_eq(v->iotlb_hits + v->iotlb_misses, v->iotlb_lookups);
	ck_assert_uint_eq(v->faults, 0);
	for (unsigned a = 0; a < LEDGER_TOTAL; a++) {
		if (ledger_per_request(a))
			ck_assert_msg(current(rig, a) == 0, "%s: %" G_GUINT64_FORMAT " bytes left",
				      ledger_name(a), current(rig, a));
	}
}

struct cell {
	const char *api;
	enum kernel_version kernel;
	const char *sgl;
};
static const struct cell legacy_612 = {"legacy", KERNEL_6_12, "nvme.sgl=false"};
static const struct cell link_70 = {"link", KERNEL_7_0, "nvme.sgl=false"};
static const struct cell legacy_sgl = {"legacy", KERNEL_7_0, "nvme.sgl=true"};
static const struct cell link_sgl = {"link", KERNEL_7_0, "nvme.sgl=true"};

static struct nvme_rig rig_new(const struct cell *c, enum iommu_mode mode)
{
	return nvme_rig_new(c->api, mode, c->kernel, FIDELITY_COUNTS, c->sgl, "nvme.pattern=true",
			    "nvme.lift_limits=false", NULL);
}

/* 32 scattered pages, no SGL: one allocation of 32 pages in both, 31 PRPs in a small list. */
START_TEST(scattered_128k_without_sgl)
{
	const struct cell *cell = _i ? &link_70 : &legacy_612;
	struct nvme_rig rig = rig_new(cell, IOMMU_STRICT);
	const struct nvme_stats *st = nvme_rig_stats(&rig);
	struct trace_segment s[32];

	nvme_rig_scattered(&rig, s, 32);
	nvme_rig_submit(&rig, NVME_OP_READ, 0, 128 * KIB, s, 32);
	ck_assert_uint_eq(rig.m->dma_stats.iova_allocs, 1);
	ck_assert_uint_eq(rig.m->dma_stats.iova_pages_allocated, 32);
	ck_assert_uint_eq(rig.m->dma_stats.iommu_map_ops, 32);
	ck_assert_uint_eq(rig.m->dma_stats.link_calls, _i ? 32 : 0);
	ck_assert_uint_eq(rig.m->dma_stats.sync_calls, _i ? 1 : 0);
	ck_assert_uint_eq(rig.m->dma_stats.map_sg_calls, _i ? 0 : 1);
	ck_assert_uint_eq(current(&rig, LEDGER_SG_TABLES), _i ? 0 : 4096);
	ck_assert_uint_eq(current(&rig, LEDGER_DRIVER_DMA_ADDRESSES), 0);
	ck_assert_uint_eq(current(&rig, LEDGER_DRIVER_COMMAND_BUFFERS), 256);
	ck_assert_uint_eq(current(&rig, LEDGER_IOVA_STATE), _i ? 16 : 0);
	ck_assert_uint_eq(st->prp_small, 1);
	nvme_rig_finish(&rig);
	assert_counts(take(&rig), (struct counts){1, 1, 32, 1, 1, 1, 1, 0});
	ck_assert_uint_eq(hist_max(rig.m->vtd_stats.page_span), 32);
	assert_clean(&rig);
	nvme_rig_free(&rig);
}
END_TEST

/* 132 KiB is split at 128 KiB behind an IOMMU and stays whole in passthrough. */
START_TEST(request_of_132k)
{
	const struct cell *cell = _i ? &link_70 : &legacy_612;
	struct trace_segment s[33];

	for (unsigned mode = IOMMU_OFF; mode < IOMMU_MODES; mode++) {
		struct nvme_rig rig = rig_new(cell, mode);
		bool translated = mode >= IOMMU_LAZY;

		nvme_rig_scattered(&rig, s, 33);
		nvme_rig_submit(&rig, NVME_OP_WRITE, 0, 132 * KIB, s, 33);
		nvme_rig_finish(&rig);
		ck_assert_uint_eq(nvme_rig_stats(&rig)->commands, translated ? 2 : 1);
		ck_assert_uint_eq(nvme_rig_stats(&rig)->splits, translated ? 1 : 0);
		ck_assert_uint_eq(rig.m->io.completed, 1);
		ck_assert_uint_eq(rig.m->io.bytes, 132 * KIB);
		assert_clean(&rig);
		nvme_rig_free(&rig);
	}
}
END_TEST

/* A single page costs the same in both, to the last count and byte. */
START_TEST(single_page_is_equal)
{
	for (unsigned mode = IOMMU_OFF; mode < IOMMU_MODES; mode++) {
		struct nvme_rig old = rig_new(&legacy_612, mode), new = rig_new(&link_70, mode);
		struct nvme_rig *rigs[] = {&old, &new};
		bool strict = mode == IOMMU_STRICT, lazy = mode == IOMMU_LAZY, any = strict || lazy;

		for (unsigned i = 0; i < 2; i++) {
			struct trace_segment s = {.phys = nvme_rig_contiguous(rigs[i], 4096), .len = 4096};

			nvme_rig_submit(rigs[i], NVME_OP_READ, 0, 4096, &s, 1);
			for (unsigned a = 0; a < LEDGER_TOTAL; a++) {
				if (ledger_per_request(a))
					ck_assert_uint_eq(current(rigs[i], a), 0);
			}
			nvme_rig_finish(rigs[i]);
			ck_assert_uint_eq(nvme_rig_stats(rigs[i])->single_mapped, 1);
			assert_clean(rigs[i]);
		}
		assert_counts(take(&new), take(&old));
		assert_counts(take(&new), (struct counts){any, any, any, any, any, strict, strict, lazy});
		nvme_rig_free(&old);
		nvme_rig_free(&new);
	}
}
END_TEST

/* Three runs with seams inside their pages: 0x800 | 0x1000 | 0x800, none adjacent. */
static void gapped(struct nvme_rig *rig, struct trace_segment *s)
{
	nvme_rig_scattered(rig, s, 3);
	s[0].len = 0x800;
	s[2].len = 0x800;
}

/*
 * With SGLs and no virtual boundary a gap makes the new
 * path map run by run, the old one still takes one (padded) range.
 */
START_TEST(gap_inside_a_page)
{
	struct trace_segment s[3];

	for (unsigned lazy = 0; lazy < 2; lazy++) {
		struct nvme_rig old = rig_new(&legacy_sgl, lazy ? IOMMU_LAZY : IOMMU_STRICT);
		struct nvme_rig new = rig_new(&link_sgl, lazy ? IOMMU_LAZY : IOMMU_STRICT);

		gapped(&old, s);
		nvme_rig_submit(&old, NVME_OP_READ, 0, 8192, s, 3);
		nvme_rig_finish(&old);
		gapped(&new, s);
		nvme_rig_submit(&new, NVME_OP_READ, 0, 8192, s, 3);
		ck_assert_uint_eq(current(&new, LEDGER_DRIVER_DMA_ADDRESSES), 0); /* SGLs hold the lengths */
		nvme_rig_finish(&new);
		assert_counts(take(&old), (struct counts){1, 1, 3, 1, 1, !lazy, !lazy, lazy});
		assert_counts(take(&new),
			      (struct counts){3, 3, 3, 3, 3, lazy ? 0 : 3, lazy ? 0 : 3, lazy ? 3 : 0});
		ck_assert_uint_eq(nvme_rig_stats(&old)->commands, 1);
		ck_assert_uint_eq(nvme_rig_stats(&new)->commands, 1);
		ck_assert_uint_eq(nvme_rig_stats(&new)->per_segment_mapped, 1);
		ck_assert_uint_eq(nvme_rig_stats(&new)->sgl_small, 1);
		assert_clean(&old);
		assert_clean(&new);
		nvme_rig_free(&old);
		nvme_rig_free(&new);
	}
}
END_TEST

/* ... and on a drive without SGLs such a request cannot occur: it is split at each gap. */
START_TEST(gap_splits_at_the_virtual_boundary)
{
	const struct cell *cell = _i ? &link_70 : &legacy_612;
	struct nvme_rig rig = rig_new(cell, IOMMU_STRICT);
	struct trace_segment s[3];

	gapped(&rig, s);
	s[2].phys += 0x800;
	nvme_rig_submit(&rig, NVME_OP_WRITE, 0, 8192, s, 3);
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(nvme_rig_stats(&rig)->commands, 3);
	assert_clean(&rig);
	nvme_rig_free(&rig);
}
END_TEST

/* Quirk of 7.0: the front of a split forgets its seams and is linked where they are page aligned in effect.
 */
START_TEST(front_of_a_split_forgets_gaps)
{
	struct nvme_rig rig = rig_new(&link_sgl, IOMMU_STRICT);
	struct trace_segment s[80];
	phys_addr_t base = nvme_rig_contiguous(&rig, 40 * PAGE_SIZE);

	/* Half pages, all adjacent: 33 segments per request, every second seam inside a page. */
	for (unsigned i = 0; i < 80; i++)
		s[i] = (struct trace_segment){.phys = base + 2048 * i, .len = 2048};
	nvme_rig_submit(&rig, NVME_OP_READ, 0, 160 * KIB, s, 80);
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(nvme_rig_stats(&rig)->commands, 3);
	ck_assert_uint_eq(nvme_rig_stats(&rig)->iova_mapped, 2);
	ck_assert_uint_eq(nvme_rig_stats(&rig)->per_segment_mapped, 1);
	assert_clean(&rig);
	nvme_rig_free(&rig);
}
END_TEST

/* 8 MiB in one piece, identity domain: 5 PRP pages, or one SGL data block. */
START_TEST(contiguous_8m)
{
	const struct cell *cells[] = {&legacy_612, &link_70, &legacy_sgl, &link_sgl};
	struct nvme_rig rig = nvme_rig_new(cells[_i]->api, IOMMU_PASSTHROUGH, cells[_i]->kernel,
					   FIDELITY_COUNTS, cells[_i]->sgl, "nvme.lift_limits=true", NULL);
	struct trace_segment s = {.phys = nvme_rig_contiguous(&rig, 8 * MIB), .len = 8 * MIB};
	const struct nvme_stats *st = nvme_rig_stats(&rig);

	nvme_rig_submit(&rig, NVME_OP_READ, 0, 8 * MIB, &s, 1);
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(st->commands, 1);
	ck_assert_uint_eq(st->prp_pages, _i < 2 ? 5 : 0);
	ck_assert_uint_eq(st->sgl_inline, _i < 2 ? 0 : 1);
	assert_clean(&rig);
	nvme_rig_free(&rig);
}
END_TEST

/* Direct and coherent: the new path stores no addresses and never unmaps, the old builds lists.
 */
START_TEST(direct_needs_no_unmap)
{
	enum iommu_mode mode = _i ? IOMMU_PASSTHROUGH : IOMMU_OFF;
	struct nvme_rig old = rig_new(&legacy_612, mode), new = rig_new(&link_70, mode);
	struct trace_segment s[8];

	nvme_rig_scattered(&old, s, 8);
	nvme_rig_submit(&old, NVME_OP_READ, 0, 32 * KIB, s, 8);
	ck_assert_uint_eq(current(&old, LEDGER_SG_TABLES), 4096);
	nvme_rig_finish(&old);
	ck_assert_uint_eq(old.m->dma_stats.map_sg_calls, 1);
	ck_assert_uint_eq(old.m->dma_stats.unmap_sg_calls, 1);
	nvme_rig_scattered(&new, s, 8);
	nvme_rig_submit(&new, NVME_OP_READ, 0, 32 * KIB, s, 8);
	ck_assert_uint_eq(current(&new, LEDGER_SG_TABLES), 0);
	ck_assert_uint_eq(current(&new, LEDGER_DRIVER_DMA_ADDRESSES), 0);
	nvme_rig_finish(&new);
	ck_assert_uint_eq(new.m->dma_stats.map_phys_calls, 8);
	ck_assert_uint_eq(new.m->dma_stats.unmap_phys_calls, 0);
	ck_assert_uint_eq(new.m->dma_stats.iova_allocs + old.m->dma_stats.iova_allocs, 0);
	assert_clean(&old);
	assert_clean(&new);
	nvme_rig_free(&old);
	nvme_rig_free(&new);
}
END_TEST

/* The allocator sees one allocation and one free per request in both generations. */
START_TEST(equal_allocator_traffic)
{
	struct trace_segment s[32];
	uint64_t sizes[] = {4, 8, 16, 64, 128};

	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct nvme_rig old = rig_new(&legacy_612, IOMMU_STRICT),
				new = rig_new(&link_70, IOMMU_STRICT);
		unsigned n = (unsigned)(sizes[i] * KIB / PAGE_SIZE);

		nvme_rig_scattered(&old, s, n);
		nvme_rig_submit(&old, NVME_OP_READ, 0, sizes[i] * KIB, s, n);
		nvme_rig_finish(&old);
		nvme_rig_scattered(&new, s, n);
		nvme_rig_submit(&new, NVME_OP_READ, 0, sizes[i] * KIB, s, n);
		nvme_rig_finish(&new);
		ck_assert_uint_eq(old.m->dma_stats.iova_allocs, 1);
		ck_assert_uint_eq(new.m->dma_stats.iova_allocs, 1);
		ck_assert_uint_eq(old.m->dma_stats.iova_frees, 1);
		ck_assert_uint_eq(new.m->dma_stats.iova_frees, 1);
		nvme_rig_free(&old);
		nvme_rig_free(&new);
	}
}
END_TEST

START_TEST(flush_and_discard)
{
	const struct cell *cell = _i ? &link_70 : &legacy_612;
	struct nvme_rig rig = rig_new(cell, IOMMU_STRICT);

	nvme_rig_submit(&rig, NVME_OP_FLUSH, 0, 0, NULL, 0);
	nvme_rig_finish(&rig);
	assert_counts(take(&rig), (struct counts){0});
	nvme_rig_submit(&rig, NVME_OP_DISCARD, 0, 1 * MIB, NULL, 0);
	nvme_rig_finish(&rig);
	assert_counts(take(&rig), (struct counts){1, 1, 1, 1, 1, 1, 1, 0});
	ck_assert_uint_eq(rig.m->io.completed, 2);
	assert_clean(&rig);
	nvme_rig_free(&rig);
}
END_TEST

#define SWITCHED                                                                                     \
	"pcie.topology=bridge root id=8086:09a2; port 0000:00:01.0 on root; switch 0000:01:00.0 on " \
	"0000:00:01.0;"                                                                              \
	" port 0000:02:00.0 on 0000:01:00.0; port 0000:02:01.0 on 0000:01:00.0;"                     \
	" function 0000:03:00.0 on 0000:02:00.0; function 0000:04:00.0 on 0000:02:01.0 bar0=64MiB"
#define TWO_PORTS                                                                                       \
	"pcie.topology=bridge root id=8086:09a2; port 0000:00:01.0 on root; port 0000:00:02.0 on root;" \
	" function 0000:03:00.0 on 0000:00:01.0; function 0000:04:00.0 on 0000:00:02.0 bar0=64MiB"

static struct nvme_rig peer_rig(const struct cell *c, const char *topology)
{
	return nvme_rig_new(c->api, IOMMU_STRICT, c->kernel, FIDELITY_COUNTS, c->sgl, topology,
			    "nvme.pattern=true", "nvme.functions=0000:03:00.0",
			    "nvme.p2p_provider=0000:04:00.0", NULL);
}

/* By bus address nothing is allocated, mapped, unmapped or flushed, in either generation. */
START_TEST(peer_below_the_same_switch)
{
	const struct cell *cell = _i ? &link_70 : &legacy_612;
	struct nvme_rig rig = peer_rig(cell, SWITCHED);

	nvme_rig_submit(&rig, NVME_OP_WRITE, 0, 64 * KIB, NULL, 0);
	nvme_rig_submit(&rig, NVME_OP_READ, 0, 64 * KIB, NULL, 0);
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(rig.m->io.completed, 2);
	assert_counts(take(&rig), (struct counts){0});
	ck_assert_uint_eq(nvme_rig_stats(&rig)->p2p, 2);
	ck_assert_uint_eq(rig.m->pcie_stats.p2p_bytes_direct, 128 * KIB);
	ck_assert_uint_eq(rig.m->pcie_stats.p2p_bytes_host_bridge, 0);
	assert_clean(&rig);
	nvme_rig_free(&rig);
}
END_TEST

/* Through the host bridge peer memory is mapped like any other: one range per request. */
START_TEST(peer_behind_the_host_bridge)
{
	const struct cell *cell = _i ? &link_70 : &legacy_612;
	struct nvme_rig rig = peer_rig(cell, TWO_PORTS);

	nvme_rig_submit(&rig, NVME_OP_WRITE, 0, 64 * KIB, NULL, 0);
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(rig.m->io.completed, 1);
	ck_assert_uint_eq(rig.m->dma_stats.iova_allocs, 1);
	ck_assert_uint_eq(rig.m->dma_stats.iommu_unmap_ops, 1);
	ck_assert_uint_eq(rig.m->vtd_stats.qi_iotlb_page, 1);
	ck_assert_uint_eq(rig.m->pcie_stats.p2p_bytes_direct, 0);
	ck_assert_uint_eq(rig.m->pcie_stats.p2p_bytes_host_bridge, 64 * KIB);
	assert_clean(&rig);
	nvme_rig_free(&rig);
}
END_TEST

/* The drive's own controller memory buffer: always by bus address. */
START_TEST(controller_memory_buffer)
{
	const struct cell *cell = _i ? &link_70 : &legacy_612;
	struct nvme_rig rig = nvme_rig_new(cell->api, IOMMU_STRICT, cell->kernel, FIDELITY_COUNTS, cell->sgl,
					   "nvme.pattern=true", "nvme.cmb=1MiB", "nvme.p2p_provider=self",
					   NULL);

	nvme_rig_submit(&rig, NVME_OP_READ, 0, 16 * KIB, NULL, 0);
	nvme_rig_finish(&rig);
	assert_counts(take(&rig), (struct counts){0});
	ck_assert_uint_eq(nvme_rig_stats(&rig)->p2p, 1);
	assert_clean(&rig);
	nvme_rig_free(&rig);
}
END_TEST

/* A route that the platform does not forward: the request fails, nothing is left behind. */
START_TEST(peer_out_of_reach)
{
	const struct cell *cell = _i ? &link_70 : &legacy_612;
	g_autofree char *topology = g_strdup(TWO_PORTS);
	struct nvme_rig rig;

	memcpy(strstr(topology, "8086:09a2"), "1234:5678", 9); /* no host bridge that is known to forward */
	rig = peer_rig(cell, topology);
	nvme_rig_submit(&rig, NVME_OP_READ, 0, 64 * KIB, NULL, 0);
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(rig.m->io.failed, 1);
	assert_counts(take(&rig), (struct counts){0});
	for (unsigned a = 0; a < LEDGER_TOTAL; a++) {
		if (ledger_per_request(a))
			ck_assert_uint_eq(current(&rig, a), 0);
	}
	nvme_rig_free(&rig);
}
END_TEST

/* A bounce pool that is too small for all requests at once makes the rest wait, it fails none. */
START_TEST(full_bounce_pool_requeues)
{
	const struct cell *cell = _i & 1 ? &link_70 : &legacy_612;
	struct nvme_rig rig = nvme_rig_new(cell->api, IOMMU_PASSTHROUGH, cell->kernel,
					   _i & 2 ? FIDELITY_TIMING : FIDELITY_COUNTS, cell->sgl,
					   "swiotlb.force=true", "swiotlb.size=1MiB", "swiotlb.areas=1",
					   "nvme.pattern=true", "nvme.queue_depth=64", NULL);

	for (unsigned i = 0; i < 64; i++)
		nvme_rig_submit(&rig, i & 1 ? NVME_OP_READ : NVME_OP_WRITE, i * 64 * KIB, 64 * KIB, NULL, 0);
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(rig.m->io.completed, 64);
	ck_assert_uint_gt(nvme_rig_stats(&rig)->requeued, 0);
	assert_clean(&rig);
	nvme_rig_free(&rig);
}
END_TEST

/* Interrupts scale as one over the request size, 128 KiB against 2 MiB. */
START_TEST(interrupts_follow_the_request_size)
{
	uint64_t interrupts[2];

	for (unsigned lifted = 0; lifted < 2; lifted++) {
		struct nvme_rig rig = nvme_rig_new(
		    "link", IOMMU_LAZY, KERNEL_7_0, FIDELITY_COUNTS,
		    lifted ? "nvme.lift_limits=true" : "nvme.lift_limits=false", "nvme.drive=pm9a3", NULL);
		struct trace_segment s = {.phys = nvme_rig_contiguous(&rig, 2 * MIB), .len = 2 * MIB};

		for (unsigned i = 0; i < 10; i++)
			nvme_rig_submit(&rig, NVME_OP_READ, i * 2 * MIB, 2 * MIB, &s, 1);
		nvme_rig_finish(&rig);
		interrupts[lifted] = nvme_rig_stats(&rig)->interrupts;
		assert_clean(&rig);
		nvme_rig_free(&rig);
	}
	ck_assert_uint_eq(interrupts[0], 160);
	ck_assert_uint_eq(interrupts[1], 10);
}
END_TEST

/* A record of more parts than the queue has tags: its first parts end before the rest can start. */
START_TEST(more_parts_than_tags)
{
	struct nvme_rig rig = nvme_rig_new("link", IOMMU_STRICT, KERNEL_7_0,
					   _i ? FIDELITY_TIMING : FIDELITY_COUNTS, "nvme.queue_entries=8",
					   "memory.size=1GiB", NULL);

	nvme_rig_submit(&rig, NVME_OP_READ, 0, 8 * MIB, NULL, 0);
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(nvme_rig_stats(&rig)->commands, 64);
	ck_assert_uint_eq(rig.m->io.completed, 1);
	assert_clean(&rig);
	nvme_rig_free(&rig);
}
END_TEST

/* What no driver could do is refused with the place and the remedy. */
START_TEST(impossible_records)
{
	static const struct trace_segment half = {.phys = 0x10000000, .len = 256},
					  page = {.phys = 0x10000000, .len = 4096},
					  peer = {.phys = 0x20000000, .len = 4096, .kind = MEMORY_P2P};
	static const struct {
		struct trace_record rec;
		const char *says;
	} rows[] = {
	    {{.where = 7, .nvme = {.bytes = 0}}, "at least one logical block"},
	    {{.where = 7, .nvme = {.bytes = 1ull << 60}}, "less than 4 GiB"},
	    {{.where = 7, .nvme = {.bytes = 8192}, .segs = &page, .nsegs = 1}, "make them equal"},
	    {{.where = 7, .nvme = {.bytes = 256}, .segs = &half, .nsegs = 1}, "nvme.block_size"},
	    {{.where = 7, .nvme = {.bytes = 4096}, .segs = &peer, .nsegs = 1}, "pcie.topology"},
	};
	struct nvme_rig rig = rig_new(&link_70, IOMMU_STRICT);

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		GError *error = NULL;

		ck_assert(!nvme_workload.record(rig.workload, &rows[i].rec, &error));
		ck_assert_msg(strstr(error->message, "record at 7") && strstr(error->message, rows[i].says),
			      "%s", error->message);
		g_error_free(error);
	}
	nvme_rig_finish(&rig);
	assert_clean(&rig);
	nvme_rig_free(&rig);
}
END_TEST

/* Separate metadata: one more page mapping per request, gone at the end. */
START_TEST(metadata_is_mapped)
{
	const struct cell *cell = _i ? &link_70 : &legacy_612;
	struct nvme_rig rig = nvme_rig_new(cell->api, IOMMU_STRICT, cell->kernel, FIDELITY_COUNTS, cell->sgl,
					   "nvme.metadata=8B", NULL);
	struct trace_segment s[8];

	nvme_rig_scattered(&rig, s, 8);
	nvme_rig_submit(&rig, NVME_OP_WRITE, 0, 32 * KIB, s, 8);
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(rig.m->dma_stats.iova_allocs, 2);
	ck_assert_uint_eq(rig.m->dma_stats.map_page_calls, 1);
	ck_assert_uint_eq(rig.m->vtd_stats.qi_iotlb_page, 2);
	assert_clean(&rig);
	nvme_rig_free(&rig);
}
END_TEST

/* Devices of the trace: controllers of their own, or namespaces of one. */
START_TEST(several_controllers)
{
	struct nvme_rig rig = nvme_rig_new("link", IOMMU_STRICT, KERNEL_7_0, FIDELITY_COUNTS,
					   _i ? "nvme.namespaces=4" : "nvme.namespaces=1", NULL);
	const struct nvme_workload *w = (const void *)rig.workload;
	GError *error = NULL;

	for (unsigned i = 0; i < 8; i++) {
		struct trace_record rec = {
		    .time_ns = i, .device = i % 4, .nvme = {.bytes = 4096, .done_ns = TRACE_NO_TIME}};

		ck_assert(nvme_workload.record(rig.workload, &rec, &error));
	}
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(w->base.ndevs, _i ? 1 : 4);
	ck_assert_uint_eq(rig.m->io.completed, 8);
	ck_assert_uint_eq(rig.m->dma_stats.iova_allocs, 8);
	assert_clean(&rig);
	nvme_rig_free(&rig);
}
END_TEST

/* Reference A.2: what each kernel lets through, by mode, for a drive of unlimited MDTS. */
START_TEST(queue_limits)
{
	static const struct {
		enum kernel_version kernel;
		const char *api;
		uint64_t translated_kib, direct_kib;
		unsigned translated_segments, direct_segments;
	} rows[] = {
	    {KERNEL_6_1, "legacy", 4096, 4096, 127, 127},
	    {KERNEL_6_12, "legacy", 128, 8192, 33, 128},
	    {KERNEL_7_0, "link", 128, 8192, 33, 256},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		for (unsigned mode = IOMMU_OFF; mode < IOMMU_MODES; mode++) {
			struct nvme_rig rig = nvme_rig_new(rows[i].api, mode, rows[i].kernel, FIDELITY_COUNTS,
							   NULL);
			const struct nvme_workload *w = (const void *)rig.workload;
			const struct blk_limits *lim = &nvme_dev_at(w, 0)->limits;
			bool translated = mode >= IOMMU_LAZY;

			ck_assert_uint_eq(lim->max_hw_bytes / KIB,
					  translated ? rows[i].translated_kib : rows[i].direct_kib);
			ck_assert_uint_eq(lim->max_segments,
					  translated ? rows[i].translated_segments : rows[i].direct_segments);
			ck_assert_uint_eq(lim->virt_boundary_mask, rows[i].kernel == KERNEL_7_0 ? 0 : 4095);
			nvme_rig_free(&rig);
		}
	}
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("requests");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, scattered_128k_without_sgl, 0, 2);
	tcase_add_loop_test(t, request_of_132k, 0, 2);
	tcase_add_test(t, single_page_is_equal);
	tcase_add_test(t, gap_inside_a_page);
	tcase_add_loop_test(t, gap_splits_at_the_virtual_boundary, 0, 2);
	tcase_add_test(t, front_of_a_split_forgets_gaps);
	tcase_add_loop_test(t, contiguous_8m, 0, 4);
	tcase_add_loop_test(t, direct_needs_no_unmap, 0, 2);
	tcase_add_test(t, equal_allocator_traffic);
	tcase_add_loop_test(t, flush_and_discard, 0, 2);
	tcase_add_test(t, queue_limits);
	tcase_add_loop_test(t, peer_below_the_same_switch, 0, 2);
	tcase_add_loop_test(t, peer_behind_the_host_bridge, 0, 2);
	tcase_add_loop_test(t, controller_memory_buffer, 0, 2);
	tcase_add_loop_test(t, peer_out_of_reach, 0, 2);
	tcase_add_loop_test(t, metadata_is_mapped, 0, 2);
	tcase_add_loop_test(t, full_bounce_pool_requeues, 0, 4);
	tcase_add_test(t, interrupts_follow_the_request_size);
	tcase_add_test(t, impossible_records);
	tcase_add_loop_test(t, more_parts_than_tags, 0, 2);
	tcase_add_loop_test(t, several_controllers, 0, 2);
	return test_run("nvme paths", t, NULL);
}
