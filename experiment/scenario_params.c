/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parameters of the experiment itself: [scenario], [compare], [workload]. */
#include "internal.h"

static const char *const fidelity_names[] = {"counts", "timing", NULL};

#define PARAMS_OF struct scenario_params
static const struct param_spec scenario_specs[] = {
    PARAM(name, STRING, "", .help = "short name, shown in tables and figures"),
    PARAM(description, STRING, "", .help = "what the scenario shows"),
    PARAM(preset, STRING, "", .help = "machine whose values stand under this scenario's (dmasim presets)"),
    PARAM(seed, UINT, "1", .max = 9.2e18, .help = "of all random streams"),
    PARAM(seeds, UINT, "1", .min = 1, .max = 10000, .help = "repetitions, with seed, seed + 1, ..."),
    PARAM(fidelity, ENUM, "counts", .choices = fidelity_names,
	  .help = "counts: exact counts at the trace's time; timing: full event simulation"),
    PARAM(check, BOOL, "false",
	  .help = "stop at the first broken rule of the DMA API, of a device or of the IOMMU "
		  "(docs/reliability.md)"),
};
const struct param_table scenario_param_table = PARAM_TABLE("scenario", "what is run", scenario_specs);
#undef PARAMS_OF

#define PARAMS_OF struct compare_params
static const struct param_spec compare_specs[] = {
    PARAM(api, STRING, "legacy,link", .help = "DMA APIs to compare (dmasim apis)"),
    PARAM(iommu, STRING, "strict,lazy,passthrough",
	  .help = "IOMMU modes to compare: strict, lazy, passthrough, off"),
};
const struct param_table compare_param_table = PARAM_TABLE("compare", "what is laid side by side",
							   compare_specs);
#undef PARAMS_OF

#define PARAMS_OF struct workload_params
static const struct param_spec workload_specs[] = {
    PARAM(kind, STRING, "", .help = "workload (dmasim workloads); empty: the one the trace's format implies"),
    PARAM(
	trace, STRING, "",
	.help =
	    "input file, relative to the scenario; several: comma-separated, in order; - is standard input"),
    PARAM(generator, STRING, "",
	  .help = "generator of records instead of a trace; its keys stand in this section too"),
    PARAM(format, STRING, "", .help = "force a trace format; empty: found by content"),
    PARAM(columns, STRING, "",
	  .help =
	      "what the columns of a text are, e.g. time=1:us,op=2,offset=3:sectors,size=4 (docs/traces.md)"),
    PARAM(device, STRING, "", .help = "keep only this device's records"),
    PARAM(time_scale, DOUBLE, "1", .min = 1e-6, .max = 1e6,
	  .help = "multiplies the times of the trace: 0.5 runs it twice as fast"),
    PARAM(skip, UINT, "0", .max = 9.2e18, .help = "records passed over at the start"),
    PARAM(warmup, UINT, "0", .max = 9.2e18,
	  .help = "records that are run before statistics begin (memory peaks include them)"),
    PARAM(limit, UINT, "0", .max = 9.2e18, .help = "stop after so many records, warm-up included; 0: all"),
    PARAM(sha256, STRING, "",
	  .help = "sum of the one trace file, known beforehand, so that a piece need not read it all"),
    PARAM(cut, BOOL, "false",
	  .help = "statistics as of the last record, before what is in flight completes (time shards)"),
};
const struct param_table workload_param_table = PARAM_TABLE("workload", "what is run on the machines",
							    workload_specs);
#undef PARAMS_OF
