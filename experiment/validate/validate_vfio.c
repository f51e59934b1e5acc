/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published results of VFIO: mapping a guest's memory, DMA that faults, downtime of a migration. */
#include "validate_internal.h"

#include <math.h>

/* ---- mapping a guest's memory ---- */

/*
 * Li Zhe, VFIO type1 large-folio series, kernel lists 2025: seconds to map and unmap 16 GiB, before and
 * after the series. The IOMMU's share is the model's; what VFIO does besides it is pinning per page,
 * accounting per page (after the series: per folio) and a fixed part per folio. These three are fitted,
 * for each direction, on 4 KiB and transparent 2 MiB pages before and transparent 2 MiB pages after; the
 * other points are predicted.
 */
#define GUEST_BYTES (16ull << 30)

struct pinning {
	double folio, page, account; /* ns */
};
static const struct pinning pin = {53.6, 6.33, 4.77};      /* fitted */
static const struct pinning unpin = {41.03, 10.65, 21.45}; /* fitted */

struct guest_memory {
	const char *label;
	unsigned folio_pages;
	bool series, fitted;
	double map, unmap; /* s */
};
static const struct guest_memory guest_memory[] = {
    {"4 KiB pages", 1, false, true, 0.280, 0.312},
    {"transparent 2 MiB", 512, false, true, 0.047, 0.135},
    {"hugetlb 2 MiB", 512, false, false, 0.052, 0.136},
    {"4 KiB pages, with the series", 1, true, false, 0.261, 0.288},
    {"transparent 2 MiB, with the series", 512, true, true, 0.027, 0.045},
};

static double seconds(const struct pinning *p, const struct guest_memory *g, double table_ns)
{
	double accounted = g->series ? 1 : g->folio_pages;

	return (double)(GUEST_BYTES / 4096 / g->folio_pages) *
	       (p->folio + p->page * g->folio_pages + p->account * accounted + table_ns) * 1e-9;
}

static void add_seconds(struct validate_run_context *ctx, const struct guest_memory *g, const char *curve,
			double model, double measured)
{
	if (g->fitted)
		validate_add_fitted(ctx, curve, g->label, NAN, model, measured);
	else
		validate_add(ctx, curve, g->label, NAN, model, measured, 0.10);
}

static void study_guest_memory(struct validate_run_context *ctx)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(guest_memory); i++) {
		const struct guest_memory *g = &guest_memory[i];
		/* VFIO maps what is contiguous at once: batches of 256 entries stand for it. */
		struct validate_result *r = validate_scenario(
		    ctx, NULL, "legacy", "lazy", "kernel.version", "6.12", "workload.kind", "map_bench",
		    "map_bench.how", "sg", "map_bench.pages", "256", "map_bench.contiguous", "true",
		    "map_bench.unit", g->folio_pages > 1 ? "2MiB" : "4KiB", "map_bench.iterations", "100",
		    "map_bench.warm_up", "100", "memory.size", "64GiB", NULL);

		add_seconds(ctx, g, "map 16 GiB",
			    seconds(&pin, g, validate_stat(r, "map_bench.pt_map_ns") / 256), g->map);
		add_seconds(ctx, g, "unmap 16 GiB",
			    seconds(&unpin, g, validate_stat(r, "map_bench.pt_unmap_ns") / 256), g->unmap);
		validate_result_free(r);
	}
}

const struct validate_study validate_study_P14 = {
    .block =
	{.id = "P14",
	 .title = "Mapping and unmapping a guest's memory through VFIO",
	 .source =
	     "Li Zhe, VFIO type1 large-folio series, kernel lists 2025: 16 GiB, v6.16-rc4 with and without.",
	 .unit = "s",
	 .setup = "map_bench, 256 contiguous entries, Linux 6.12, for the page tables; pinning and "
		  "accounting, which are VFIO's, are fitted on the marked points."},
    .run = study_guest_memory,
};

/* ---- DMA that faults ---- */

/*
 * Shenming Lu, VFIO I/O page fault series, kernel lists 2021: Kunpeng 920, SMMUv3 in stall mode, an
 * accelerator that reads one buffer and writes another, again and again. Rates in KB/s without and with
 * faults. Rates without faults are inputs; the model gives the number of faults that two cold buffers
 * take and the time of one.
 */
struct faulting {
	const char *curve, *label, *message_bytes, *batch; /* batch: brought in behind the first page */
	double kib;
	unsigned uses;
	double without, with, faults;
	bool fitted; /* its time per fault was fitted */
};
static const struct faulting faulting[] = {
    {"1 MiB, VFIO", "1 use", "1MiB", "0", 1024, 1, 325596, 119152, 518, true},
    {"1 MiB, VFIO", "100 uses", "1MiB", "0", 1024, 100, 7524985, 5804659, 1058, false},
    {"1 MiB, VFIO", "1000 uses", "1MiB", "0", 1024, 1000, 8661817, 8440209, 1071, false},
    {"1 MiB, VFIO", "5000 uses", "1MiB", "0", 1024, 5000, 8804512, 8724368, 1216, false},
    {"1 MiB, host SVA", "1 use", "1MiB", "0", 1024, 1, 951672, 163866, 512, false},
    {"1 MiB, host SVA", "100 uses", "1MiB", "0", 1024, 100, 8691961, 4529971, 1024, false},
    {"1 MiB, host SVA", "1000 uses", "1MiB", "0", 1024, 1000, 9158721, 8376346, 1024, false},
    {"1 MiB, host SVA", "5000 uses", "1MiB", "0", 1024, 5000, 9184532, 9008739, 1024, false},
    {"10 MiB, 512 pages at a time, VFIO", "1 use", "10MiB", "2093056", 10240, 1, 1012758, 682257, 13, true},
    {"10 MiB, 512 pages at a time, VFIO", "100 uses", "10MiB", "2093056", 10240, 100, 8680688, 8374154, 26,
     false},
    {"10 MiB, 512 pages at a time, VFIO", "1000 uses", "10MiB", "2093056", 10240, 1000, 8860861, 8719918, 26,
     false},
};

static struct validate_result *cold_buffers(struct validate_run_context *ctx, const struct faulting *f)
{
	/*
	 * VFIO maps into one range of addresses that its user chose: the linked range is the nearest. Times
	 * are fitted on the two marked points: 10.5 us for one page, 377 us for 512.
	 */
	return validate_scenario(
	    ctx, NULL, "link", "lazy", "workload.kind", "rdma_odp", "workload.generator", "rdma_odp",
	    "workload.regions", "2", "workload.region_bytes", f->message_bytes, "workload.message_bytes",
	    f->message_bytes, "workload.messages", "2", "workload.pattern", "sequential",
	    "workload.write_share", "1", "rnic.packet", "4096", "rnic.max_prefetch", f->batch,
	    "rnic.event_latency", "3576ns", "rnic.resume_latency", "3576ns", "rnic.hmm_fixed", "1us",
	    "rnic.hmm_page", "623ns", "rnic.umr_latency", "0ns", NULL);
}

static void study_faulting_dma(struct validate_run_context *ctx)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(faulting); i++) {
		const struct faulting *f = &faulting[i];
		struct validate_result *r = cold_buffers(ctx, f);
		double n = validate_stat(r, "rnic.faults"),
		       fault_s = validate_stat(r, "rnic.fault_ns") / n * 1e-9;
		double kib = f->kib * f->uses, model = kib / (kib / f->without + f->faults * fault_s);

		if (f->uses == 1)
			validate_add(ctx, "faults of two cold buffers", f->curve, NAN, n, f->faults, 0.25);
		if (f->fitted)
			validate_add_fitted(ctx, f->curve, f->label, f->uses, model, f->with);
		else
			validate_add(ctx, f->curve, f->label, f->uses, model, f->with, 0.25);
		validate_result_free(r);
	}
}

const struct validate_study validate_study_P15 = {
    .block =
	{.id = "P15",
	 .title = "DMA that faults, against reuse of the buffer",
	 .source =
	     "Shenming Lu, VFIO I/O page fault series, kernel lists 2021: Kunpeng 920, SMMUv3 stall mode.",
	 .unit = "faults, or KB/s",
	 .x_label = "uses of the buffer",
	 .log_x = true,
	 .setup = "rdma_odp, linked range, two cold buffers, one fault per page or per 512 pages; rates "
		  "without faults and the number of faults that reuse takes are the published ones, the time "
		  "of a fault is fitted on the marked points.",
	 .why = "the block's own law does not hold in that row: time = bytes / rate + faults x time of a "
		"fault, with 10.5 us from the row of one use, makes the published 1058 faults 11.1 ms and "
		"the rate of 100 uses 4.14 million KB/s, which is the model's -28.7 %. The published rates "
		"of that row differ by 4.0 ms for 1058 faults (3.8 us each), those of one use by 5.5 ms for "
		"518 (10.5 us each): no constant time per fault gives both."},
    .run = study_faulting_dma,
};

/* ---- downtime of a migration ---- */

static double downtime_ms(struct validate_run_context *ctx, const char *vfs, const char *state)
{
	struct validate_result *r = validate_scenario(
	    ctx, NULL, "legacy", "lazy", "workload.kind", "vfio_migration", "workload.generator",
	    "vfio_migration", "workload.devices", vfs, "workload.cpus", vfs, "cpu.count", "4",
	    "workload.state_bytes", state, "workload.precopy", "false", "workload.track", "false",
	    "workload.load", "true", "workload.bandwidth", "12500", NULL);
	double v = validate_stat(r, "vfio.downtime_ns") / 1e6;

	validate_result_free(r);
	return v;
}

/*
 * Szmigiero, QEMU multifd VFIO series, RFC cover, qemu-devel 2024: 4 VFs of ConnectX-7, about 400 MiB of
 * state in all, 100 Gb/s Ethernet. Serial: one stream carries all state. Parallel: one channel for each.
 */
static void study_migration(struct validate_run_context *ctx)
{
	validate_add(ctx, "4 VFs, 400 MiB of state", "one stream", NAN, downtime_ms(ctx, "1", "400MiB"), 2100,
		     0.5);
	validate_add(ctx, "4 VFs, 400 MiB of state", "a channel for each VF", NAN,
		     downtime_ms(ctx, "4", "100MiB"), 1100, 0.5);
}

const struct validate_study validate_study_P16 = {
    .block =
	{.id = "P16",
	 .title = "Downtime of a migration of four VFs",
	 .source =
	     "Szmigiero, QEMU multifd VFIO series, qemu-devel 2024: 4 ConnectX-7 VFs, 100 Gb/s Ethernet.",
	 .unit = "ms",
	 .setup = "vfio_migration, default rates, save and load one after the other; one stream of 400 MiB, "
		  "or four of 100 MiB at once; 12.5 GB/s."},
    .run = study_migration,
};
