/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sharing between devices: four kinds of memory through every entry point. */
#include "nowhere_api.h"
#include "support.h"
#include "workload_rig.h"

#define COUNT 50
#define PAGES 256 /* of the default buffer of 1 MiB */

/* Two functions below one switch. */
#define SWITCH(acs)                                                                             \
	"bridge pci0000:00 id=8086:09a2; port 0000:00:01.0 on pci0000:00;"                      \
	"switch 0000:01:00.0 on 0000:00:01.0; port 0000:02:00.0 on 0000:01:00.0 acs=" acs ";"   \
	"port 0000:02:01.0 on 0000:01:00.0 acs=" acs "; function 0000:03:00.0 on 0000:02:00.0;" \
	"function 0000:04:00.0 on 0000:02:01.0"

static void run(struct workload_rig *r, const char *api, enum iommu_mode mode, const char *const *settings)
{
	workload_rig_open(r, "dmabuf_p2p", api, mode, FIDELITY_COUNTS);
	workload_rig_set(r, "dmabuf_p2p.count", "50");
	for (; settings && *settings; settings += 2)
		workload_rig_set(r, settings[0], settings[1]);
	workload_rig_run(r);
}

static void identities(const struct workload_rig *r)
{
	const struct dma_stats *st = &r->m->dma_stats;

	ck_assert_uint_eq(st->iova_pages_allocated, st->iova_pages_freed);
	ck_assert_uint_eq(st->iommu_map_bytes, st->iommu_unmap_bytes);
	ck_assert_uint_eq(st->swiotlb_slots_used, 0);
	for (unsigned a = 0; a < LEDGER_TOTAL; a++)
		if (ledger_per_request(a))
			ck_assert_uint_eq(r->m->sim.ledger.accounts[a].current, 0);
}

/* Operations of one mapping of four ranges through the host bridge, strict. */
START_TEST(counts_per_kind)
{
	static const struct {
		const char *kind, *api;
		unsigned allocs, maps, syncs, flushes;
	} rows[] = {
	    {"dram", "legacy", 1, 4, 1, 1},      {"dram", "link", 1, 4, 1, 1},
	    {"p2p_pages", "legacy", 1, 4, 1, 1}, {"p2p_pages", "link", 1, 4, 1, 1},
	    {"p2p", "legacy", 4, 4, 4, 4},       {"p2p", "link", 1, 4, 1, 1},
	    {"resource", "legacy", 4, 4, 4, 4},  {"resource", "link", 4, 4, 4, 4},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const settings[] = {"dmabuf_p2p.kind",
						rows[i].kind,
						"dmabuf_p2p.ranges",
						"4",
						"dmabuf_p2p.link_at_zero",
						"false",
						"memory.fragmentation",
						"1",
						NULL};
		const struct dma_stats *st;
		struct workload_rig r;

		run(&r, rows[i].api, IOMMU_STRICT, settings);
		st = &r.m->dma_stats;
		ck_assert_uint_eq(r.m->io.completed, COUNT);
		ck_assert_uint_eq(workload_rig_stat(&r, "dmabuf.maps"), COUNT);
		ck_assert_uint_eq(st->iova_allocs, rows[i].allocs * COUNT);
		/* Ranges of DRAM may happen to be neighbours in a list. */
		if (strcmp(rows[i].kind, "dram") || !strcmp(rows[i].api, "link"))
			ck_assert_uint_eq(st->iommu_map_ops, rows[i].maps * COUNT);
		ck_assert_uint_eq(st->sync_maps, rows[i].syncs * COUNT);
		ck_assert_uint_eq(st->iotlb_syncs, rows[i].flushes * COUNT);
		ck_assert_uint_eq(st->ptes_written, PAGES * COUNT);
		if (strcmp(rows[i].kind, "dram"))
			ck_assert_uint_eq(r.m->pcie_stats.p2p_bytes_host_bridge, r.m->io.bytes);
		identities(&r);
		workload_rig_close(&r);
	}
}
END_TEST

/* Expectation 6: bus addresses touch nothing. */
START_TEST(bus_addresses)
{
	static const char *const kinds[] = {"p2p", "p2p_pages", "p2p_pages"};
	static const char *const apis[] = {"link", "link", "legacy"};

	for (unsigned i = 0; i < 3; i++) {
		const char *const settings[] = {"dmabuf_p2p.kind",
						kinds[i],
						"dmabuf_p2p.ranges",
						"4",
						"pcie.topology",
						SWITCH("none"),
						"dmabuf_p2p.exporter",
						"0000:03:00.0",
						"dmabuf_p2p.importer",
						"0000:04:00.0",
						NULL};
		const struct dma_stats *st;
		struct workload_rig r;

		run(&r, apis[i], IOMMU_STRICT, settings);
		st = &r.m->dma_stats;
		ck_assert_uint_eq(r.m->io.completed, COUNT);
		ck_assert_uint_eq(workload_rig_stat(&r, "dmabuf.bus_address"), COUNT);
		ck_assert_uint_eq(st->iova_allocs + st->iommu_map_ops + st->iommu_unmap_ops + st->iotlb_syncs,
				  0);
		ck_assert_uint_eq(r.m->vtd_stats.iotlb_lookups, 0);
		ck_assert_uint_eq(r.m->pcie_stats.p2p_bytes_direct, r.m->io.bytes);
		identities(&r);
		workload_rig_close(&r);
	}
}
END_TEST

/* Redirection sends the same pair through the translation. */
START_TEST(redirected)
{
	const char *const settings[] = {"pcie.topology",
					SWITCH("sv,rr,cr,uf"),
					"dmabuf_p2p.exporter",
					"0000:03:00.0",
					"dmabuf_p2p.importer",
					"0000:04:00.0",
					NULL};
	struct workload_rig r;

	run(&r, "link", IOMMU_STRICT, settings);
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, COUNT);
	ck_assert_uint_eq(r.m->pcie_stats.p2p_bytes_direct, 0);
	ck_assert_uint_eq(r.m->pcie_stats.p2p_bytes_host_bridge, r.m->io.bytes);
	workload_rig_close(&r);
}
END_TEST

/* A root complex that Linux does not know to forward: refused where somebody looks. */
START_TEST(refused_routes)
{
	static const struct {
		const char *kind, *api;
		bool refused;
	} rows[] = {
	    {"p2p", "link", true},         {"p2p_pages", "link", true},
	    {"p2p_pages", "legacy", true}, {"p2p", "legacy", false}, /* dma_map_resource asks nobody */
	    {"resource", "link", false},   {"dram", "link", false},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const settings[] = {"dmabuf_p2p.kind", rows[i].kind, "p2p.host_bridge",
						"8086:6f00", NULL};
		struct workload_rig r;

		run(&r, rows[i].api, IOMMU_STRICT, settings);
		ck_assert_uint_eq(workload_rig_stat(&r, "dmabuf.refused"), rows[i].refused ? COUNT : 0);
		ck_assert_uint_eq(r.m->pcie_stats.p2p_refused, rows[i].refused ? COUNT : 0);
		ck_assert_uint_eq(r.m->io.completed, rows[i].refused ? 0 : COUNT);
		ck_assert_uint_eq(r.m->io.refused, rows[i].refused ? COUNT : 0);
		/* The port that refuses: the root complex itself. */
		if (rows[i].refused)
			ck_assert_str_eq(r.m->io.failure, "no way to the peer's memory past pci0000:00");
		identities(&r);
		workload_rig_close(&r);
	}
}
END_TEST

/* Peer memory mapped like DRAM: lists always, physical ranges only before 6.18 or with the defect back. */
START_TEST(cacheable_device_memory)
{
	static const struct {
		const char *api, *kind, *quirk;
		unsigned pages;
	} rows[] = {
	    {"legacy", "p2p_pages", "false", PAGES}, {"link", "p2p_pages", "false", 0},
	    {"link", "p2p_pages", "true", PAGES},    {"link", "p2p", "false", 0},
	    {"link", "p2p", "true", PAGES},          {"legacy", "p2p", "false", 0},
	    {"legacy", "dram", "false", 0},          {"link", "resource", "true", 0},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const settings[] = {"dmabuf_p2p.kind", rows[i].kind, "kernel.quirk_p2p_cacheable",
						rows[i].quirk, NULL};
		struct workload_rig r;

		run(&r, rows[i].api, IOMMU_STRICT, settings);
		ck_assert_uint_eq(r.m->dma_stats.cacheable_mmio_pages, rows[i].pages * COUNT);
		workload_rig_close(&r);
	}
}
END_TEST

/*
 * As the kernel has it since 6.19: the second range is linked where the first one lies, so that an export of
 * more than one is refused. What was linked is undone, and the window freed by as much.
 */
START_TEST(linked_at_zero)
{
	static const char *const two[] = {"dmabuf_p2p.ranges", "2", NULL};
	static const char *const one[] = {"dmabuf_p2p.ranges", "1", NULL};
	static const char *const dram[] = {"dmabuf_p2p.ranges", "2", "dmabuf_p2p.kind", "dram", NULL};
	struct workload_rig r;
	const struct dma_stats *st;

	run(&r, "link", IOMMU_STRICT, two);
	st = &r.m->dma_stats;
	ck_assert_uint_eq(workload_rig_stat(&r, "dmabuf.refused"), COUNT);
	ck_assert_uint_eq(r.m->io.refused, COUNT);
	ck_assert_str_eq(r.m->io.failure, "something is mapped at this IOVA already");
	ck_assert_uint_eq(st->iova_try_alloc_calls, COUNT);
	ck_assert_uint_eq(st->link_calls, 2 * COUNT);
	ck_assert_uint_eq(st->sync_calls, 0);
	ck_assert_uint_eq(st->destroy_calls, COUNT);
	ck_assert_uint_eq(st->iotlb_syncs, COUNT);
	ck_assert_uint_eq(st->iommu_map_bytes, st->iommu_unmap_bytes);
	ck_assert_uint_eq(workload_rig_stat(&r, "dmabuf.leaked_windows"), 0);
	workload_rig_close(&r);
	run(&r, "link", IOMMU_STRICT, one);
	ck_assert_uint_eq(workload_rig_stat(&r, "dmabuf.refused"), 0);
	identities(&r);
	workload_rig_close(&r);
	/* Nothing translates: each range is mapped by itself. */
	run(&r, "link", IOMMU_PASSTHROUGH, two);
	ck_assert_uint_eq(workload_rig_stat(&r, "dmabuf.refused"), 0);
	workload_rig_close(&r);
	/* The helper never sees system memory. */
	run(&r, "link", IOMMU_STRICT, dram);
	ck_assert_uint_eq(workload_rig_stat(&r, "dmabuf.refused"), 0);
	identities(&r);
	workload_rig_close(&r);
}
END_TEST

/* Unmap, flush, map anew: a piece per conversion; the flush may only be queued with the old API. */
START_TEST(conversions)
{
	static const char *const kinds[] = {"dram", "p2p"};

	for (unsigned k = 0; k < 2; k++) {
		const char *const settings[] = {"dmabuf_p2p.kind", kinds[k], "dmabuf_p2p.op", "convert",
						NULL};

		for (unsigned lazy = 0; lazy < 2; lazy++) {
			enum iommu_mode mode = lazy ? IOMMU_LAZY : IOMMU_STRICT;
			const struct dma_stats *st;
			struct workload_rig r;

			/* 16 pieces are mapped at first and unmapped in the end. */
			run(&r, "link", mode, settings);
			st = &r.m->dma_stats;
			ck_assert_uint_eq(workload_rig_stat(&r, "dmabuf.conversions"), COUNT);
			ck_assert_uint_eq(st->iova_allocs, 1);
			ck_assert_uint_eq(st->link_calls, COUNT + 16);
			ck_assert_uint_eq(st->unlink_calls, COUNT + 16);
			ck_assert_uint_eq(st->iotlb_syncs, COUNT + 16);
			ck_assert_uint_eq(st->fq_entries, 0);
			ck_assert_uint_eq(workload_rig_stat(&r, "dmabuf.late_flushes"), 0);
			identities(&r);
			workload_rig_close(&r);

			run(&r, "legacy", mode, settings);
			st = &r.m->dma_stats;
			ck_assert_uint_eq(st->iova_allocs, COUNT + 16);
			ck_assert_uint_eq(st->iotlb_syncs, lazy ? 0 : COUNT + 16);
			ck_assert_uint_eq(st->fq_entries, lazy ? COUNT + 16 : 0);
			ck_assert_uint_eq(workload_rig_stat(&r, "dmabuf.late_flushes"), lazy ? COUNT : 0);
			ck_assert_uint_eq(r.m->io.completed, COUNT);
			identities(&r);
			workload_rig_close(&r);
		}
	}
}
END_TEST

/* Encrypted guest: ordinary memory bounces through shared memory, device memory is refused. */
START_TEST(confidential_guest)
{
	static const struct {
		const char *kind, *api;
		bool refused, bounced;
	} rows[] = {
	    {"dram", "link", false, true},
	    {"dram", "legacy", false, true},
	    {"p2p", "link", true, false},
	    {"p2p_pages", "link", true, false},
	    {"resource", "link", true, false},
	    {"resource", "legacy", false, false}, /* 6.12: resources have a path of their own */
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const settings[] = {"dmabuf_p2p.kind",
						rows[i].kind,
						"dmabuf_p2p.bytes",
						"128KiB",
						"swiotlb.confidential",
						"true",
						NULL};
		struct workload_rig r;

		run(&r, rows[i].api, IOMMU_OFF, settings);
		ck_assert_uint_eq(workload_rig_stat(&r, "dmabuf.refused"), rows[i].refused ? COUNT : 0);
		ck_assert_uint_eq(r.m->dma_stats.swiotlb_bounces, rows[i].bounced ? COUNT : 0);
		/* Both ways: at the mapping whatever the direction, and back. */
		ck_assert_uint_eq(r.m->dma_stats.swiotlb_bytes_copied,
				  rows[i].bounced ? 2 * 131072 * COUNT : 0);
		identities(&r);
		workload_rig_close(&r);
	}
}
END_TEST

static const double *matrix_row(struct workload_rig *r, unsigned kind, unsigned entry)
{
	const struct workload_curve *c = &r->w->curve;

	ck_assert_uint_eq(c->nrows, 28);
	return &c->values[(kind * 7 + entry) * c->ncolumns];
}

/* Reference D.3: what each entry point says to each kind. */
START_TEST(matrix_of_entry_points)
{
	enum { OK, NO_PAGE, NO_ROUTE, BOUNCE, MISSING, DIRECT, UNREACHABLE, CACHEABLE, NO_TOPOLOGY };
	static const int strict_7_0[4][7] = {
	    {OK, OK, OK, OK, OK, OK, OK},
	    {CACHEABLE, CACHEABLE, NO_TOPOLOGY, CACHEABLE, OK, CACHEABLE, OK},
	    {NO_PAGE, NO_PAGE, NO_TOPOLOGY, CACHEABLE, OK, CACHEABLE, OK},
	    {NO_PAGE, NO_PAGE, OK, CACHEABLE, OK, CACHEABLE, OK},
	};
	static const int strict_6_12[4][7] = {
	    {OK, OK, OK, MISSING, MISSING, MISSING, MISSING},
	    {CACHEABLE, CACHEABLE, NO_TOPOLOGY, MISSING, MISSING, MISSING, MISSING},
	    {NO_PAGE, NO_PAGE, NO_TOPOLOGY, MISSING, MISSING, MISSING, MISSING},
	    {NO_PAGE, NO_PAGE, OK, MISSING, MISSING, MISSING, MISSING},
	};
	static const int forced_7_0[4][7] = {
	    {OK, OK, UNREACHABLE, OK, UNREACHABLE, DIRECT, DIRECT},
	    {NO_TOPOLOGY, OK, BOUNCE, OK, BOUNCE, DIRECT, DIRECT},
	    {NO_PAGE, NO_PAGE, BOUNCE, OK, BOUNCE, DIRECT, DIRECT},
	    {NO_PAGE, NO_PAGE, BOUNCE, OK, BOUNCE, DIRECT, DIRECT},
	};
	static const struct {
		const char *api;
		enum iommu_mode mode;
		bool force;
		const int (*want)[7];
	} rows[] = {
	    {"link", IOMMU_STRICT, false, strict_7_0},
	    {"legacy", IOMMU_STRICT, false, strict_6_12},
	    {"link", IOMMU_OFF, true, forced_7_0},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const settings[] = {"dmabuf_p2p.op", "matrix", "swiotlb.force",
						rows[i].force ? "true" : "false", NULL};
		struct workload_rig r;

		run(&r, rows[i].api, rows[i].mode, settings);
		for (unsigned kind = 0; kind < 4; kind++)
			for (unsigned entry = 0; entry < 7; entry++) {
				const double *row = matrix_row(&r, kind, entry);

				ck_assert_msg((int)row[3] == rows[i].want[kind][entry],
					      "case %u kind %u entry %u: reason %g, errno %g", i, kind, entry,
					      row[3], row[2]);
			}
		identities(&r);
		workload_rig_close(&r);
	}
}
END_TEST

/* Two drives of 1 GB/s each through a root complex that passes 1.5: both share it. */
START_TEST(streams)
{
	static const struct {
		const char *kind, *cap;
		double gbs;
	} rows[] = {{"p2p", "1.5", 1.5}, {"p2p", "0", 2}, {"dram", "1.5", 2}};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct workload_rig r;
		double seconds;

		workload_rig_open(&r, "dmabuf_p2p", "link", IOMMU_STRICT, FIDELITY_TIMING);
		workload_rig_set(&r, "dmabuf_p2p.op", "stream");
		workload_rig_set(&r, "dmabuf_p2p.kind", rows[i].kind);
		workload_rig_set(&r, "dmabuf_p2p.drives", "2");
		workload_rig_set(&r, "dmabuf_p2p.count", "400");
		workload_rig_set(&r, "dmabuf_p2p.io_bytes", "16KiB");
		workload_rig_set(&r, "dmabuf_p2p.drive_bandwidth", "1");
		workload_rig_set(&r, "pcie.host_bridge_p2p_bandwidth", rows[i].cap);
		workload_rig_run(&r);
		ck_assert_uint_eq(r.m->io.completed, 800);
		ck_assert_uint_eq(r.m->io.bytes, 800 * 16 * KIB);
		seconds = (double)(r.m->io.last - r.m->io.first) / SIM_S;
		ck_assert_double_eq_tol((double)r.m->io.bytes / seconds / 1e9, rows[i].gbs, 0.03);
		/* One mapping per drive, made once. */
		ck_assert_uint_eq(workload_rig_stat(&r, "dmabuf.maps"), 2);
		ck_assert_uint_eq(r.m->dma_stats.iova_allocs, 2);
		identities(&r);
		workload_rig_close(&r);
	}
}
END_TEST

START_TEST(fidelities_agree)
{
	for (unsigned op = 0; op < 2; op++) {
		struct workload_rig r[2];

		for (unsigned k = 0; k < 2; k++) {
			workload_rig_open(&r[k], "dmabuf_p2p", "link", IOMMU_STRICT,
					  k ? FIDELITY_TIMING : FIDELITY_COUNTS);
			workload_rig_set(&r[k], "dmabuf_p2p.count", "50");
			workload_rig_set(&r[k], "dmabuf_p2p.op", op ? "convert" : "map");
			workload_rig_run(&r[k]);
		}
		ck_assert_uint_eq(r[0].m->dma_stats.iotlb_syncs, r[1].m->dma_stats.iotlb_syncs);
		ck_assert_uint_eq(r[0].m->vtd_stats.iotlb_misses, r[1].m->vtd_stats.iotlb_misses);
		ck_assert_uint_eq(r[0].m->vtd_stats.qi_total, r[1].m->vtd_stats.qi_total);
		ck_assert_uint_eq(r[0].m->pcie_stats.p2p_bytes_host_bridge,
				  r[1].m->pcie_stats.p2p_bytes_host_bridge);
		workload_rig_close(&r[0]);
		workload_rig_close(&r[1]);
	}
}
END_TEST

/* A stream that arrives nowhere, and one that has no mapping to arrive in. */
START_TEST(failed_streams)
{
	for (unsigned i = 0; i < 2; i++) {
		struct workload_rig r;

		workload_rig_open(&r, "dmabuf_p2p", "link", IOMMU_STRICT, FIDELITY_TIMING);
		workload_rig_set(&r, "dmabuf_p2p.op", "stream");
		workload_rig_set(&r, "dmabuf_p2p.drives", "2");
		workload_rig_set(&r, "dmabuf_p2p.count", "40");
		r.api = i ? &refuse_api : &nowhere_api;
		workload_rig_run(&r);
		ck_assert_uint_eq(r.m->io.completed, 0);
		ck_assert_uint_eq(r.m->io.bytes, 0);
		ck_assert_uint_eq(r.m->io.failed, i ? 1 : 80);
		ck_assert_uint_eq(r.m->io.refused, i);
		workload_rig_close(&r);
	}
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("dmabuf_p2p");

	tcase_add_test(t, counts_per_kind);
	tcase_add_test(t, bus_addresses);
	tcase_add_test(t, redirected);
	tcase_add_test(t, refused_routes);
	tcase_add_test(t, cacheable_device_memory);
	tcase_add_test(t, linked_at_zero);
	tcase_add_test(t, conversions);
	tcase_add_test(t, confidential_guest);
	tcase_add_test(t, matrix_of_entry_points);
	tcase_add_test(t, streams);
	tcase_add_test(t, fidelities_agree);
	tcase_add_test(t, failed_streams);
	return test_run("dmabuf_p2p", t, NULL);
}
