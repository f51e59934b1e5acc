/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published DMA latency and throughput against the buffer window. */
#include "validate_internal.h"

#include <math.h>
#include <string.h>

/*
 * Neugebauer et al., "Understanding PCIe performance for end host networking", SIGCOMM 2018: raw data
 * set (repository pcie-bench/data). NFP-6000 at 1.2 GHz, PCIe 3.0 x8, Linux 3.19, 64 MiB buffer of 4
 * MiB pieces, random 64-byte units, cold host cache, superpages off.
 */
static const char *const latency_windows[] = {"256KiB", "512KiB", "1MiB",  "1536KiB", "2MiB", "3MiB",
					      "4MiB",   "8MiB",   "16MiB", "32MiB",   "64MiB"};
static const struct {
	const char *preset, *off, *on;
	double measured[2][G_N_ELEMENTS(latency_windows)];
} latency[] = {
    {"ivybridge-ep",
     "Ivy Bridge, no IOMMU",
     "Ivy Bridge, 4 KiB mappings",
     {{494, 494, 494, 494, 494, 494, 494, 494, 494, 494, 494},
      {495, 500, 647, 697, 721, 746, 758, 776, 785, 790, 792}}},
    {"broadwell-ep",
     "Broadwell, no IOMMU",
     "Broadwell, 4 KiB mappings",
     {{500, 487, 487, 487, 487, 487, 487, 488, 488, 488, 487},
      {490, 515, 646, 691, 713, 736, 747, 762, 770, 774, 777}}},
};

/* The same card and machines, with something else varied. */
static const struct variation {
	const char *preset, *curve, *mode, *column, *op, *cold, *node;
	double measured[G_N_ELEMENTS(latency_windows)]; /* 0: not published */
} variations[] = {
    {"broadwell-ep",
     "Broadwell, median",
     "strict",
     "latency_p50_ns",
     "read",
     "true",
     "0",
     {480, 480, 760, 760, 760, 760, 760, 760, 760, 760, 760}},
    {"broadwell-ep",
     "Broadwell, 95th percentile",
     "strict",
     "latency_p95_ns",
     "read",
     "true",
     "0",
     {493, 760, 787, 0, 893, 0, 933, 914, 914, 914, 914}},
    {"broadwell-ep",
     "Broadwell, device-warmed, no IOMMU",
     "off",
     "latency_mean_ns",
     "read",
     "false",
     "0",
     {413, 412, 412, 412, 413, 432, 441, 464, 477, 482, 485}},
    {"broadwell-ep",
     "Broadwell, device-warmed",
     "strict",
     "latency_mean_ns",
     "read",
     "false",
     "0",
     {415, 440, 572, 615, 637, 679, 700, 739, 758, 768, 774}},
    {"broadwell-ep",
     "Broadwell, write then read, no IOMMU",
     "off",
     "latency_mean_ns",
     "write_read",
     "false",
     "0",
     {564, 564, 565, 565, 565, 585, 594, 618, 630, 636, 639}},
    {"broadwell-ep",
     "Broadwell, write then read",
     "strict",
     "latency_mean_ns",
     "write_read",
     "false",
     "0",
     {567, 592, 726, 772, 794, 835, 856, 897, 917, 925, 931}},
    {"ivybridge-ep",
     "Ivy Bridge, remote memory",
     "strict",
     "latency_mean_ns",
     "read",
     "true",
     "1",
     {553, 558, 706, 0, 779, 0, 816, 0, 844, 0, 850}},
    {"broadwell-ep",
     "Broadwell, remote memory",
     "strict",
     "latency_mean_ns",
     "read",
     "true",
     "1",
     {541, 567, 701, 0, 767, 0, 799, 0, 823, 0, 829}},
};

static double window_mib(const struct validate_result *r, unsigned row)
{
	return validate_cell(r, row, "window_bytes") / (double)MIB;
}

static char *all_windows(void)
{
	char *list[G_N_ELEMENTS(latency_windows) + 1] = {NULL};

	for (unsigned i = 0; i < G_N_ELEMENTS(latency_windows); i++)
		list[i] = (char *)(uintptr_t)latency_windows[i];
	return g_strjoinv(",", list);
}

static void add_variation(struct validate_run_context *ctx, const struct variation *v, const char *windows)
{
	struct validate_result *r = validate_scenario(
	    ctx, v->preset, "legacy", v->mode, "workload.kind", "pcie_bench", "pcie_bench.windows", windows,
	    "pcie_bench.op", v->op, "pcie_bench.cold", v->cold, "pcie_bench.node", v->node, "memory.nodes",
	    *v->node == '0' ? "1" : "2", "pcie_bench.piece", "4MiB", "iommu.superpages", "false", NULL);

	for (unsigned i = 0; i < validate_rows(r); i++)
		if (v->measured[i] > 0)
			validate_add(ctx, v->curve, latency_windows[i], window_mib(r, i),
				     validate_cell(r, i, v->column), v->measured[i], 0.05);
	validate_result_free(r);
}

/* The DMA engine, warm, without translation: median against the size. */
static const struct {
	const char *curve, *op;
	double measured[6], tolerance;
} engine[] = {
    {"Broadwell, DMA engine, read", "read", {547, 573, 627, 707, 853, 1133}, 0.05},
    {"Broadwell, DMA engine, write then read", "write_read", {773, 813, 880, 1013, 1267, 1840}, 0.10},
};

static void add_engine(struct validate_run_context *ctx)
{
	static const char *const sizes[] = {"64", "128", "256", "512", "1024", "2048"};

	for (unsigned k = 0; k < G_N_ELEMENTS(engine); k++)
		for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
			g_autofree char *label = g_strconcat(sizes[i], " B", NULL);
			struct validate_result *r = validate_scenario(
			    ctx, "broadwell-ep", "legacy", "off", "workload.kind", "pcie_bench",
			    "pcie_bench.windows", "64KiB", "pcie_bench.op", engine[k].op, "pcie_bench.cold",
			    "false", "pcie_bench.size", sizes[i], "pcie_bench.command_limit", "0", NULL);

			if (r)
				validate_add(ctx, engine[k].curve, label, NAN,
					     validate_cell(r, 0, "latency_p50_ns"), engine[k].measured[i],
					     engine[k].tolerance);
			validate_result_free(r);
		}
}

static void study_read_latency(struct validate_run_context *ctx)
{
	g_autofree char *windows = all_windows();

	for (unsigned p = 0; p < G_N_ELEMENTS(latency); p++)
		for (unsigned on = 0; on < 2; on++) {
			struct validate_result *r = validate_scenario(
			    ctx, latency[p].preset, "legacy", on ? "strict" : "off", "workload.kind",
			    "pcie_bench", "pcie_bench.windows", windows, "pcie_bench.piece", "4MiB",
			    "iommu.superpages", "false", NULL);

			for (unsigned i = 0; i < validate_rows(r); i++)
				validate_add(ctx, on ? latency[p].on : latency[p].off, latency_windows[i],
					     window_mib(r, i), validate_cell(r, i, "latency_mean_ns"),
					     latency[p].measured[on][i], 0.05);
			validate_result_free(r);
		}
	for (unsigned i = 0; i < G_N_ELEMENTS(variations); i++)
		add_variation(ctx, &variations[i], windows);
	add_engine(ctx);
}

const struct validate_study validate_study_P1 = {
    .block = {.id = "P1",
	      .title = "DMA read latency against the buffer window",
	      .source = "Neugebauer et al., \"Understanding PCIe performance for end host networking\", "
			"SIGCOMM 2018, raw data set. Mean of 64-byte reads, random, cold host cache, where a "
			"curve does not say otherwise.",
	      .unit = "ns",
	      .x_label = "window (MiB)",
	      .log_x = true,
	      .setup = "presets ivybridge-ep and broadwell-ep; pcie_bench, latency, 64 B commands; "
		       "superpages off. The DMA engine's rows: 64 KiB, warm, median."},
    .run = study_read_latency,
};

/* ---- throughput ---- */

struct throughput {
	const char *preset, *curve, *op, *size;
	double tolerance;
	unsigned n;
	const char *windows;
	double measured[10];
	unsigned fitted; /* bit i: a constant was fitted on this window */
};
#define BROADWELL_WINDOWS "256KiB,512KiB,1MiB,1536KiB,2MiB,3MiB,4MiB,8MiB,16MiB,64MiB"
#define IVYBRIDGE_WINDOWS "256KiB,512KiB,1MiB,2MiB,4MiB,8MiB,64MiB"
static const struct throughput throughput[] = {
    {"broadwell-ep",
     "Broadwell read 64 B",
     "read",
     "64",
     0.25,
     10,
     BROADWELL_WINDOWS,
     {27.6, 20.2, 14.3, 12.6, 11.7, 11.0, 10.7, 10.2, 9.9, 9.8},
     1u << 1 | 1u << 2},
    {"broadwell-ep",
     "Broadwell read 128 B",
     "read",
     "128",
     0.25,
     10,
     BROADWELL_WINDOWS,
     {41.9, 35.9, 27.6, 24.5, 23.0, 21.7, 21.0, 20.1, 19.7, 19.5},
     0},
    {"broadwell-ep",
     "Broadwell read 256 B",
     "read",
     "256",
     0.10,
     10,
     BROADWELL_WINDOWS,
     {46.4, 44.7, 40.9, 39.4, 38.4, 36.9, 36.0, 34.5, 33.8, 33.5},
     1u << 2 | 1u << 9},
    {"broadwell-ep",
     "Broadwell read 512 B",
     "read",
     "512",
     0.10,
     10,
     BROADWELL_WINDOWS,
     {55.0, 55.0, 54.8, 54.7, 54.6, 54.5, 54.4, 54.1, 53.9, 53.6},
     1u << 0},
    {"broadwell-ep",
     "Broadwell write 64 B",
     "write",
     "64",
     0.25,
     10,
     BROADWELL_WINDOWS,
     {24.3, 24.3, 19.4, 15.1, 13.6, 12.4, 11.9, 11.5, 11.3, 11.2},
     0},
    {"broadwell-ep",
     "Broadwell write 128 B",
     "write",
     "128",
     0.25,
     10,
     BROADWELL_WINDOWS,
     {42.4, 42.4, 40.6, 32.3, 29.0, 26.5, 25.4, 24.0, 23.4, 23.1},
     0},
    {"broadwell-ep",
     "Broadwell write 256 B",
     "write",
     "256",
     0.10,
     10,
     BROADWELL_WINDOWS,
     {50.5, 50.5, 50.5, 50.5, 50.5, 50.3, 49.8, 47.5, 46.1, 45.3},
     0},
    {"broadwell-ep",
     "Broadwell write 512 B",
     "write",
     "512",
     0.10,
     10,
     BROADWELL_WINDOWS,
     {54.4, 54.4, 54.4, 54.4, 54.4, 54.4, 54.4, 54.4, 54.4, 54.4},
     1u << 0},
    {"ivybridge-ep",
     "Ivy Bridge read 64 B",
     "read",
     "64",
     0.25,
     7,
     IVYBRIDGE_WINDOWS,
     {27.7, 26.5, 14.5, 11.4, 10.1, 9.6, 9.2},
     0},
    {"ivybridge-ep",
     "Ivy Bridge read 128 B",
     "read",
     "128",
     0.25,
     7,
     IVYBRIDGE_WINDOWS,
     {42.4, 41.7, 27.7, 22.3, 20.0, 19.0, 18.2},
     0},
    {"ivybridge-ep",
     "Ivy Bridge read 256 B",
     "read",
     "256",
     0.10,
     7,
     IVYBRIDGE_WINDOWS,
     {46.4, 46.2, 41.9, 39.2, 36.0, 33.8, 31.7},
     0},
    {"ivybridge-ep",
     "Ivy Bridge read 512 B",
     "read",
     "512",
     0.10,
     7,
     IVYBRIDGE_WINDOWS,
     {55.3, 55.3, 54.9, 54.5, 53.3, 52.3, 51.5},
     1u << 0},
    {"ivybridge-ep",
     "Ivy Bridge write 64 B",
     "write",
     "64",
     0.25,
     7,
     IVYBRIDGE_WINDOWS,
     {24.3, 24.3, 18.6, 12.6, 11.0, 10.2, 9.6},
     0},
    {"ivybridge-ep",
     "Ivy Bridge write 128 B",
     "write",
     "128",
     0.25,
     7,
     IVYBRIDGE_WINDOWS,
     {42.4, 42.4, 38.0, 26.3, 22.6, 21.1, 19.9},
     0},
    {"ivybridge-ep",
     "Ivy Bridge write 256 B",
     "write",
     "256",
     0.10,
     7,
     IVYBRIDGE_WINDOWS,
     {50.5, 50.5, 50.5, 49.7, 46.5, 43.4, 40.8},
     0},
    {"ivybridge-ep",
     "Ivy Bridge write 512 B",
     "write",
     "512",
     0.10,
     7,
     IVYBRIDGE_WINDOWS,
     {54.5, 54.4, 54.5, 54.5, 54.5, 54.4, 54.5},
     1u << 0},
};

/* First window where 5 % of the throughput is lost; n if none is. */
static unsigned knee(const double *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (v[i] < 0.95 * v[0])
			return i;
	return n;
}

/* Within one step of the window grid. */
static void add_knee(struct validate_run_context *ctx, const struct throughput *t, const double *model)
{
	unsigned m = knee(model, t->n), p = knee(t->measured, t->n);
	g_autofree char *label = g_strdup_printf("knee: step %u, measured %u of %u, within one", m + 1, p + 1,
						 t->n);

	validate_add(ctx, t->curve, label, NAN, m + 1, p + 1, (1 + 1e-9) / (p + 1));
}

static void study_throughput(struct validate_run_context *ctx)
{
	for (unsigned k = 0; k < G_N_ELEMENTS(throughput); k++) {
		const struct throughput *t = &throughput[k];
		g_auto(GStrv) windows = g_strsplit(t->windows, ",", -1);
		double model[10] = {0};
		struct validate_result *r = validate_scenario(
		    ctx, t->preset, "legacy", "strict", "workload.kind", "pcie_bench", "pcie_bench.windows",
		    t->windows, "pcie_bench.measure", "throughput", "pcie_bench.op", t->op, "pcie_bench.size",
		    t->size, "pcie_bench.piece", "4MiB", "iommu.superpages", "false", NULL);

		for (unsigned i = 0; i < validate_rows(r); i++) {
			model[i] = validate_cell(r, i, "gbit_per_s");
			if (t->fitted >> i & 1)
				validate_add_fitted(ctx, t->curve, windows[i], window_mib(r, i), model[i],
						    t->measured[i]);
			else
				validate_add(ctx, t->curve, windows[i], window_mib(r, i), model[i],
					     t->measured[i], t->tolerance);
		}
		if (r)
			add_knee(ctx, t, model);
		validate_result_free(r);
	}
}

const struct validate_study validate_study_P3 = {
    .block = {.id = "P3",
	      .title = "DMA throughput against the buffer window",
	      .source = "The same data set. Random, cold, 4 KiB mappings.",
	      .unit = "Gb/s",
	      .x_label = "window (MiB)",
	      .log_x = true,
	      .setup = "presets ivybridge-ep and broadwell-ep; pcie_bench, throughput, transfer size and "
		       "direction of each curve; superpages off. A knee is the first window that loses 5 %."},
    .run = study_throughput,
};
