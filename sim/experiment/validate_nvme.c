/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published results of NVMe drives. */
#include "validate_internal.h"

#include <math.h>
#include <string.h>

/* ---- device-bound drives: zhzh2001/nvme-iommu (2026), fio io_uring, 4 jobs x queue depth 128 ---- */

struct bound {
	const char *curve, *preset, *drive, *size, *pattern, *read_share, *requests;
	double measured[4]; /* off, passthrough, lazy, strict */
};
static const char *const modes[] = {"off", "passthrough", "lazy", "strict"};
static const struct bound bound[] = {
    {"c6620 random read 4 KiB",
     "sapphire-rapids",
     "c6620",
     "4KiB",
     "random",
     "1",
     "60000",
     {562631, 567910, 568638, 554423}},
    {"c6620 random write 4 KiB",
     "sapphire-rapids",
     "c6620",
     "4KiB",
     "random",
     "0",
     "60000",
     {351347, 348138, 351704, 349570}},
    {"c6620 sequential read 128 KiB",
     "sapphire-rapids",
     "c6620",
     "128KiB",
     "sequential",
     "1",
     "6000",
     {17615, 17601, 17480, 17511}},
    {"c6620 sequential write 128 KiB",
     "sapphire-rapids",
     "c6620",
     "128KiB",
     "sequential",
     "0",
     "6000",
     {10959, 10957, 10969, 10979}},
    {"m510 random read 4 KiB",
     "broadwell-ep",
     "m510",
     "4KiB",
     "random",
     "1",
     "60000",
     {209954, 208559, 210405, 211092}},
    {"m510 random write 4 KiB",
     "broadwell-ep",
     "m510",
     "4KiB",
     "random",
     "0",
     "60000",
     {162214, 156570, 173232, 172788}},
    {"m510 sequential read 128 KiB",
     "broadwell-ep",
     "m510",
     "128KiB",
     "sequential",
     "1",
     "6000",
     {6691, 6698, 6640, 6733}},
    {"m510 sequential write 128 KiB",
     "broadwell-ep",
     "m510",
     "128KiB",
     "sequential",
     "0",
     "6000",
     {8369, 8378, 8398, 8427}},
};

void study_nvme(struct validate_run_context *ctx)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(bound); i++) {
		const struct bound *b = &bound[i];
		double iops[4];

		for (unsigned m = 0; m < 4; m++) {
			struct validate_result *r = validate_scenario(
			    ctx, b->preset, "link", modes[m], "workload.generator", "nvme",
			    "workload.requests", b->requests, "workload.sizes", b->size, "workload.pattern",
			    b->pattern, "workload.read_share", b->read_share, "workload.cpus", "4",
			    "cpu.count", "4", "nvme.loop", "closed", "nvme.queue_depth", "128", "nvme.drive",
			    b->drive, NULL);

			iops[m] = validate_stat(r, "io.iops");
			if (m)
				validate_add(ctx, b->curve, modes[m], m, iops[m], b->measured[m], 0.10);
			else
				validate_add_fitted(ctx, b->curve, modes[m], m, iops[m], b->measured[m]);
			validate_result_free(r);
		}
		validate_add(ctx, b->curve, "strict / off", NAN, iops[3] / iops[0],
			     b->measured[3] / b->measured[0], 0.10);
	}
}

/* ---- request size on the new path: davidlohr/dma-opt-clamp-report (2026) ---- */

static const struct {
	const char *curve, *size, *pattern, *depth, *cpus, *requests;
	double base, lifted; /* MiB/s, or thousands of requests per second */
	bool iops;
} sizes[] = {
    {"sequential read 2 MiB, depth 8", "2MiB", "sequential", "8", "1", "1500", 6607, 6083, false},
    {"sequential read 2 MiB, depth 32 x 4", "2MiB", "sequential", "32", "4", "2000", 6676, 6132, false},
    {"random read 1 MiB, depth 16", "1MiB", "random", "16", "1", "3000", 6608, 6549, false},
    {"random read 512 KiB, depth 32", "512KiB", "random", "32", "1", "5000", 6607, 6612, false},
    {"random read 128 KiB, depth 32", "128KiB", "random", "32", "1", "10000", 6453, 6455, false},
    {"random read 4 KiB, depth 32 x 8", "4KiB", "random", "32", "8", "60000", 914.952, 915.388, true},
};

static double size_run(struct validate_run_context *ctx, unsigned i, const char *lift, double *interrupts)
{
	struct validate_result *r = validate_scenario(
	    ctx, NULL, "link", "lazy", "kernel.version", "7.0", "cpu.count", "16", "workload.generator",
	    "nvme", "workload.requests", sizes[i].requests, "workload.sizes", sizes[i].size,
	    "workload.pattern", sizes[i].pattern, "workload.cpus", sizes[i].cpus, "workload.buffers", "huge",
	    "nvme.loop", "closed", "nvme.queue_depth", sizes[i].depth, "nvme.drive", "pm9a3",
	    "nvme.lift_limits", lift, NULL);
	double bytes = validate_stat(r, "io.bytes");
	double v = sizes[i].iops ? validate_stat(r, "io.iops") / 1000
				 : validate_stat(r, "io.bandwidth") / (double)MIB;

	*interrupts = validate_stat(r, "nvme.commands") / (bytes / 1e9);
	validate_result_free(r);
	return v;
}

void study_request_size(struct validate_run_context *ctx)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		double commands[2], base = size_run(ctx, i, "false", &commands[0]);
		double lifted = size_run(ctx, i, "true", &commands[1]);
		double change = sizes[i].lifted / sizes[i].base - 1;

		validate_add(ctx, sizes[i].curve, "128 KiB requests", NAN, base, sizes[i].base, 0.10);
		validate_add(ctx, sizes[i].curve, "requests up to 2 MiB", NAN, lifted, sizes[i].lifted, 0.10);
		/* The sign is judged where the published change is more than noise. */
		validate_add(ctx, sizes[i].curve, "sign of the change (1: right)", NAN,
			     fabs(change) < 0.01 ? fabs(lifted / base - 1) < 0.02
						 : (lifted - base) * change > 0,
			     1, 0.10);
		if (i == 0)
			validate_add(ctx, sizes[i].curve, "commands saved by larger requests", NAN,
				     1 - commands[1] / commands[0], 0.937, 0.10);
	}
}
