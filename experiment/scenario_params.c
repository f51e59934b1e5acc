/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parameters of the experiment itself: [scenario], [compare], [workload]. */
#include "internal.h"

static const char *const fidelity_names[] = {"counts", "timing", NULL};

#define S(member) offsetof(struct scenario_params, member)
static const struct param_spec scenario_specs[] = {
    {"name", PARAM_STRING, "", S(name), "", 0, 0, NULL, "short name, shown in tables and figures", NULL},
    {"description", PARAM_STRING, "", S(description), "", 0, 0, NULL, "what the scenario shows", NULL},
    {"preset", PARAM_STRING, "", S(preset), "", 0, 0, NULL,
     "machine whose values stand under this scenario's (dmasim presets)", NULL},
    {"seed", PARAM_UINT, "", S(seed), "1", 0, 9.2e18, NULL, "of all random streams", NULL},
    {"seeds", PARAM_UINT, "", S(seeds), "1", 1, 10000, NULL, "repetitions, with seed, seed + 1, ...", NULL},
    {"fidelity", PARAM_ENUM, "", S(fidelity), "counts", 0, 0, fidelity_names,
     "counts: exact counts at the trace's time; timing: full event simulation", NULL},
};
const struct param_table scenario_param_table = {
    "scenario", "what is run", scenario_specs, G_N_ELEMENTS(scenario_specs), sizeof(struct scenario_params)};

#define C(member) offsetof(struct compare_params, member)
static const struct param_spec compare_specs[] = {
    {"api", PARAM_STRING, "", C(api), "legacy,link", 0, 0, NULL, "DMA APIs to compare (dmasim apis)", NULL},
    {"iommu", PARAM_STRING, "", C(iommu), "strict,lazy,passthrough", 0, 0, NULL,
     "IOMMU modes to compare: strict, lazy, passthrough, off", NULL},
};
const struct param_table compare_param_table = {"compare", "what is laid side by side", compare_specs,
						G_N_ELEMENTS(compare_specs), sizeof(struct compare_params)};

#define W(member) offsetof(struct workload_params, member)
static const struct param_spec workload_specs[] = {
    {"kind", PARAM_STRING, "", W(kind), "", 0, 0, NULL,
     "workload (dmasim workloads); empty: the one the trace's format implies", NULL},
    {"trace", PARAM_STRING, "", W(trace), "", 0, 0, NULL,
     "input file, relative to the scenario; several: comma-separated, in order; - is standard input", NULL},
    {"generator", PARAM_STRING, "", W(generator), "", 0, 0, NULL,
     "generator of records instead of a trace; its keys stand in this section too", NULL},
    {"format", PARAM_STRING, "", W(format), "", 0, 0, NULL, "force a trace format; empty: found by content",
     NULL},
    {"device", PARAM_STRING, "", W(device), "", 0, 0, NULL, "keep only this device's records", NULL},
    {"time_scale", PARAM_DOUBLE, "", W(time_scale), "1", 1e-6, 1e6, NULL,
     "multiplies the times of the trace: 0.5 runs it twice as fast", NULL},
    {"skip", PARAM_UINT, "", W(skip), "0", 0, 9.2e18, NULL, "records passed over at the start", NULL},
    {"warmup", PARAM_UINT, "", W(warmup), "0", 0, 9.2e18, NULL,
     "records that are run before statistics begin (memory peaks include them)", NULL},
    {"limit", PARAM_UINT, "", W(limit), "0", 0, 9.2e18, NULL,
     "stop after so many records, warm-up included; 0: all", NULL},
    {"cut", PARAM_BOOL, "", W(cut), "false", 0, 0, NULL,
     "statistics as of the last record, before what is in flight completes (time shards)", NULL},
};
const struct param_table workload_param_table = {"workload", "what is run on the machines", workload_specs,
						 G_N_ELEMENTS(workload_specs),
						 sizeof(struct workload_params)};
