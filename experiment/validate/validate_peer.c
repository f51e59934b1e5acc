/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published peer-to-peer bandwidth: drives that fill a GPU's memory through the root complex. */
#include "validate_internal.h"

#include <math.h>

#define GB 1e9

static double stream_gbs(struct validate_run_context *ctx, const char *preset, const char *kind,
			 const char *drives, const char *io_bytes, const char *depth, const char *rate,
			 const char *bandwidth, const char *iops, const char *latency)
{
	struct validate_result *r = validate_scenario(
	    ctx, preset, "legacy", "off", "workload.kind", "dmabuf_p2p", "dmabuf_p2p.op", "stream",
	    "dmabuf_p2p.kind", kind, "dmabuf_p2p.bytes", "64MiB", "dmabuf_p2p.count", "1500",
	    "dmabuf_p2p.drives", drives, "dmabuf_p2p.io_bytes", io_bytes, "dmabuf_p2p.depth", depth,
	    "pcie.rate", rate, "pcie.lanes", "16", "dmabuf_p2p.drive_bandwidth", bandwidth,
	    "dmabuf_p2p.drive_iops", iops, "dmabuf_p2p.drive_latency", latency, NULL);
	double v = r ? validate_stat(r, "io.bandwidth") / GB : NAN;

	validate_result_free(r);
	return v;
}

/*
 * Vendor forum measurement, E5-2650v4: drives of 3.2 GB/s (Gen3 x4) into a Gen3 x16 GPU through the root
 * complex, and into memory. Three drives give the root complex's own limit, which the preset carries.
 */
static void through_broadwell(struct validate_run_context *ctx)
{
	static const char *const drives[] = {"1", "2", "3"};
	static const double peer[] = {3.2, 6.3, 7.1}, ram[] = {3.2, 6.4, 9.45};

	for (unsigned i = 0; i < 3; i++) {
		double v = stream_gbs(ctx, "broadwell-ep", "p2p", drives[i], "128KiB", "32", "8", "3.2", "0",
				      "80us");

		if (i == 2)
			validate_add_fitted(ctx, "Broadwell, into a GPU", drives[i], i + 1, v, peer[i]);
		else
			validate_add(ctx, "Broadwell, into a GPU", drives[i], i + 1, v, peer[i], 0.25);
	}
	/* For one and two drives into memory nothing is published but that they reach their own rate. */
	validate_add(
	    ctx, "Broadwell, into memory", drives[2], 3,
	    stream_gbs(ctx, "broadwell-ep", "dram", drives[2], "128KiB", "32", "8", "3.2", "0", "80us"),
	    ram[2], 0.25);
}

#define GEN5_DRIVE "2.64e6", "20us" /* commands per second at 512 B; fitted on 64 KiB, depth 1 */

/* Smallest power of two of commands per drive that reaches 95 % of what 128 reach. */
static unsigned saturating_depth(struct validate_run_context *ctx, const char *io_bytes, double *ceiling)
{
	*ceiling = stream_gbs(ctx, NULL, "p2p", "16", io_bytes, "128", "32", "0", GEN5_DRIVE);
	for (unsigned depth = 1; depth < 128; depth *= 2) {
		g_autofree char *text = g_strdup_printf("%u", depth);

		if (stream_gbs(ctx, NULL, "p2p", "16", io_bytes, text, "32", "0", GEN5_DRIVE) >=
		    0.95 * *ceiling)
			return depth;
		if (ctx->error)
			break;
	}
	return 128;
}

/*
 * 16 drives into a Gen5 x16 GPU: 44 to 45 GB/s from 4 KiB on, reached at these depths per drive. No limit
 * but links and drives is given to the model (which fabric lay between them is not published).
 */
static void into_gen5_gpu(struct validate_run_context *ctx)
{
	static const struct {
		const char *io_bytes;
		double kib;
		unsigned depth;
	} rows[] = {{"2KiB", 2, 64},  {"4KiB", 4, 32},  {"8KiB", 8, 16},
		    {"16KiB", 16, 8}, {"32KiB", 32, 4}, {"64KiB", 64, 2}};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		double ceiling;
		unsigned depth = saturating_depth(ctx, rows[i].io_bytes, &ceiling);
		g_autofree char *label = g_strdup_printf("%s: depth %u, measured %u, within one power of two",
							 rows[i].io_bytes, depth, rows[i].depth);

		if (rows[i].kib >= 4)
			validate_add(ctx, "Gen5 ceiling", rows[i].io_bytes, rows[i].kib, ceiling, 44.5, 0.25);
		validate_add(ctx, "Gen5 saturating depth (log2)", label, rows[i].kib, log2(depth) + 1,
			     log2(rows[i].depth) + 1, (1 + 1e-9) / (log2(rows[i].depth) + 1));
	}
	validate_add_fitted(ctx, "Gen5, 64 KiB, depth 1", "64KiB", 64,
			    stream_gbs(ctx, NULL, "p2p", "16", "64KiB", "1", "32", "0", GEN5_DRIVE), 41.7);
	validate_add_fitted(ctx, "Gen5, 512 B, depth 128", "512B", 0.5,
			    stream_gbs(ctx, NULL, "p2p", "16", "512", "128", "32", "0", GEN5_DRIVE), 21.6);
}

static void study_peer(struct validate_run_context *ctx)
{
	through_broadwell(ctx);
	into_gen5_gpu(ctx);
}

const struct validate_study validate_study_P18 = {
    .block = {.id = "P18",
	      .title = "Peer-to-peer bandwidth",
	      .source = "Broadwell: vendor forum measurement, E5-2650v4 with one to three drives of 3.2 "
			"GB/s. Gen5: published array of 16 drives into one x16 GPU.",
	      .unit = "GB/s",
	      .x_label = "point",
	      .setup = "preset broadwell-ep, and a fabric without a limit of its own for the Gen5 array; "
		       "dmabuf_p2p, op = stream, no translation; number, rate, size and depth of each point. "
		       "The three-drive point gave the root complex's limit; the Gen5 drives' latency and "
		       "command rate come from the two fitted points."},
    .run = study_peer,
};
