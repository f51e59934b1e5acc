/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters of the remapping unit. Defaults: the Broadwell-EP machine, on which most was measured. */
#include "internal.h"

static const char *const replacements[] = {"lru", "fifo", "random", "plru", "ageing", NULL};
static const char *const psi_nonleaf[] = {"range", "domain", NULL};
static const char *const ats_devices[] = {"none", "listed", "all", NULL};
static const char *const modes[] = {"off", "passthrough", "lazy", "strict", NULL};

#define P(member) offsetof(struct iotlb_params, member)
static const struct param_spec iotlb_specs[] = {
    {"entries", PARAM_UINT, "", P(entries), "118", 0, 1 << 24, NULL,
     "usable entries, all page sizes together",
     "B: pcie-bench (SIGCOMM 2018) latency sweeps, Broadwell E5-2630 v4: 128, about 10 of them held by other "
     "traffic"},
    {"ways", PARAM_UINT, "", P(ways), "0", 0, 1 << 24, NULL, "associativity; 0: fully associative",
     "B: pcie-bench: no conflict misses visible near capacity"},
    {"replacement", PARAM_ENUM, "", P(replacement), "lru", 0, 0, replacements,
     "which entry gives way (ageing: bucketed LRU); the paging-structure caches do the same",
     "E; ageing: Xeon E5 datasheet vol. 2, VTGENCTRL2"},
    {"hash_sets", PARAM_BOOL, "", P(hash_sets), "false", 0, 0, NULL,
     "choose the set by a hash instead of the low page-number bits", "E"},
    {"tag_sid", PARAM_BOOL, "", P(tag_sid), "false", 0, 0, NULL,
     "requesters of one domain do not share entries", "VT-d rev 4.1 6.2.3 allows both"},
    {"hit_latency", PARAM_TIME, "", P(hit_latency), "2ns", 0, 1e9, NULL, "time that a hit adds",
     "B: pcie-bench, Broadwell, translation on against off"},
    {"ageing_interval", PARAM_UINT, "", P(ageing_interval), "112", 1, 1e9, NULL,
     "requests per ageing step of replacement = ageing", "A: Xeon E5 datasheet vol. 2, VTGENCTRL2: 16 * 7"},
};
#undef P
const struct param_table iotlb_param_table = {"iotlb", "IOTLB of the remapping unit", iotlb_specs,
					      G_N_ELEMENTS(iotlb_specs), sizeof(struct iotlb_params)};

#define P(member) offsetof(struct pwc_params, member)
static const struct param_spec pwc_specs[] = {
    {"entries_2m", PARAM_UINT, "", P(entries_2m), "64", 0, 1 << 20, NULL,
     "entries that lead to a leaf table (2 MiB each)",
     "B: pcie-bench: at least 32; SOSP 2024 (Fast & Safe IO Memory Protection): 64 to 128 likely"},
    {"entries_1g", PARAM_UINT, "", P(entries_1g), "32", 0, 1 << 20, NULL, "entries that cover 1 GiB each",
     "E: size assumed by SOSP 2024"},
    {"entries_512g", PARAM_UINT, "", P(entries_512g), "32", 0, 1 << 20, NULL,
     "entries that cover 512 GiB each", "E: size assumed by SOSP 2024"},
    {"entries_256t", PARAM_UINT, "", P(entries_256t), "32", 0, 1 << 20, NULL,
     "entries that cover 256 TiB each (5-level tables)", "E: as entries_512g"},
    {"context_entries", PARAM_UINT, "", P(context_entries), "64", 0, 1 << 16, NULL, "context cache", "E"},
    {"pasid_entries", PARAM_UINT, "", P(pasid_entries), "64", 0, 1 << 16, NULL, "PASID cache", "E"},
    {"psi_nonleaf", PARAM_ENUM, "", P(psi_nonleaf), "domain", 0, 0, psi_nonleaf,
     "what a page-selective invalidation without hint (IH = 0) removes here",
     "A: Xeon E7-8800 v2 datasheet vol. 2, IOTLB register: domain"},
};
#undef P
const struct param_table pwc_param_table = {"pwc", "Paging-structure, context and PASID caches", pwc_specs,
					    G_N_ELEMENTS(pwc_specs), sizeof(struct pwc_params)};

#define P(member) offsetof(struct walker_params, member)
static const struct param_spec walker_specs[] = {
    {"concurrency", PARAM_UINT, "", P(concurrency), "6", 1, 1024, NULL, "walks in flight",
     "B: pcie-bench, Broadwell: 19.2 to 22.5 M misses/s at 289 ns"},
    {"read_latency", PARAM_TIME, "", P(read_latency), "197ns", 0, 1e9, NULL, "one table read from local DRAM",
     "A: SOSP 2024, lm = 197 ns per memory read (fitted by its authors)"},
    {"miss_overhead", PARAM_TIME, "", P(miss_overhead), "92ns", 0, 1e9, NULL, "fixed part of a miss",
     "B: pcie-bench, Broadwell: a miss with one read costs 289 ns; less read_latency"},
    {"slow_share", PARAM_DOUBLE, "", P(slow_share), "0.09", 0, 1, NULL,
     "share of the table reads that take walker.slow_extra longer than the others; read_latency is the mean "
     "of all",
     "B: pcie-bench, Broadwell, percentiles of missing reads: the 95th leaves the median between windows of "
     "1 and 2 "
     "MiB, where 54 and 77 % miss"},
    {"slow_extra", PARAM_TIME, "", P(slow_extra), "160ns", 0, 1e9, NULL,
     "what a slow table read takes longer",
     "B: pcie-bench, Broadwell: 95th percentile 907 to 933 ns, median 760 ns"},
    {"merge", PARAM_BOOL, "", P(merge), "true", 0, 0, NULL,
     "requests to a page that is being walked wait for it",
     "B: pcie-bench write-then-read: one penalty, not two"},
    {"line_reuse", PARAM_BOOL, "", P(line_reuse), "true", 0, 0, NULL,
     "a 64-byte line of table entries that is on its way serves other walks too",
     "A: Xeon E5 datasheet vol. 2, VTGENCTRL2, default on for page walks"},
    {"coherent", PARAM_BOOL, "", P(coherent), "true", 0, 0, NULL,
     "table reads snoop CPU caches; otherwise software flushes what it writes", "A: ECAP.C"},
    {"llc", PARAM_BOOL, "", P(llc), "false", 0, 0, NULL,
     "table reads of a coherent walker hit the last-level cache", "E"},
};
#undef P
const struct param_table walker_param_table = {"walker", "Page walker", walker_specs,
					       G_N_ELEMENTS(walker_specs), sizeof(struct walker_params)};

#define P(member) offsetof(struct qi_params, member)
static const struct param_spec qi_specs[] = {
    {"entries", PARAM_UINT, "", P(entries), "256", 32, 1 << 15, NULL,
     "descriptors in the ring, rounded up to a power of two", "A: drivers/iommu/intel/dmar.c"},
    {"service", PARAM_TIME, "", P(service), "400ns", 0, 1e9, NULL,
     "unit's time for one invalidation descriptor",
     "E: share of 1060 ns for a synchronous invalidation (Xeon Silver 4314, C)"},
    {"wait_latency", PARAM_TIME, "", P(wait_latency), "500ns", 0, 1e9, NULL,
     "status write of a wait descriptor until a spinning CPU sees it", "E: as service"},
    {"device_tlb_latency", PARAM_TIME, "", P(device_tlb_latency), "1500ns", 0, 1e12, NULL,
     "device-TLB invalidation until the device has answered", "E"},
    {"drain", PARAM_BOOL, "", P(drain), "true", 0, 0, NULL,
     "IOTLB invalidation completes after DMA in flight (DW, DR)", "A: VT-d rev 4.1 6.5.5; CAP.DWD, CAP.DRD"},
};
#undef P
const struct param_table qi_param_table = {"qi", "Invalidation queue", qi_specs, G_N_ELEMENTS(qi_specs),
					   sizeof(struct qi_params)};

#define P(member) offsetof(struct iommu_params, member)
static const struct param_spec iommu_specs[] = {
    {"mode", PARAM_ENUM, "", P(mode), "strict", 0, 0, modes, "mode where [compare] does not name modes",
     NULL},
    {"cap", PARAM_UINT, "hex", P(cap), "0x8d2078c106f0466", 0, 0, NULL,
     "capability register as the kernel prints it (dmasim explain iommu.cap=VALUE decodes one)",
     "A: pcie-bench boot log, Broadwell: 48 bits, 2 MiB and 1 GiB pages, MAMV 18"},
    {"ecap", PARAM_UINT, "hex", P(ecap), "0xf020df", 0, 0, NULL,
     "extended capability register as the kernel prints it (dmasim explain iommu.ecap=VALUE)",
     "A: Xeon E5 boot logs"},
    {"scalable", PARAM_BOOL, "", P(scalable), "false", 0, 0, NULL,
     "scalable mode (intel_iommu=sm_on); ECAP.SMTS must be set", NULL},
    {"caching_mode", PARAM_BOOL, "", P(caching_mode), "false", 0, 0, NULL,
     "report caching mode (CAP.CM), as virtual units do", NULL},
    {"untrusted", PARAM_BOOL, "", P(untrusted), "false", 0, 0, NULL,
     "all devices are untrusted, as behind an external port: always strict, partial pages bounce", NULL},
    {"superpages", PARAM_BOOL, "", P(superpages), "true", 0, 0, NULL,
     "use the large pages of CAP.SSLPS; false: intel_iommu=sp_off", NULL},
    {"levels", PARAM_UINT, "", P(levels), "0", 0, 5, NULL,
     "page-table levels, 3 to 5, of those that CAP.SAGAW (first stage: CAP.FS5LP) has; 0: most", NULL},
    {"nested", PARAM_BOOL, "", P(nested), "false", 0, 0, NULL,
     "first stage over second stage, as in a guest; needs scalable mode and ECAP.NEST", NULL},
    {"reserved", PARAM_STRING, "", P(reserved), "", 0, 0, NULL,
     "IOVA windows that are never handed out: 80000000-afffffff,c0000000-febfffff", NULL},
    {"dmar", PARAM_STRING, "", P(dmar), "", 0, 0, NULL,
     "file with the ACPI DMAR table that describes the units: raw, or as acpidump prints it", NULL},
};
#undef P
const struct param_table iommu_param_table = {"iommu", "IOMMU: mode and capabilities", iommu_specs,
					      G_N_ELEMENTS(iommu_specs), sizeof(struct iommu_params)};

#define P(member) offsetof(struct ats_params, member)
static const struct param_spec ats_specs[] = {
    {"devices", PARAM_ENUM, "", P(devices), "listed", 0, 0, ats_devices,
     "who uses a device TLB, if ECAP.DT allows it: those that the topology gives ATS, all, or none",
     "drivers/iommu/intel/iommu.c: whoever has the capability"},
    {"entries", PARAM_UINT, "", P(entries), "64", 0, 1 << 20, NULL, "entries of each device's TLB",
     "E; HyperTRIO (ISCA 2020) simulates 64"},
    {"ways", PARAM_UINT, "", P(ways), "0", 0, 1 << 20, NULL, "its associativity; 0: fully associative", "E"},
    {"request_latency", PARAM_TIME, "", P(request_latency), "413ns", 0, 1e9, NULL,
     "translation request and its answer, without the walk", "E: as a 64-byte read (pcie-bench, Broadwell)"},
    {"page_requests", PARAM_UINT, "", P(page_requests), "2048", 16, 1 << 16, NULL,
     "entries of the page-request queue", "A: drivers/iommu/intel/prq.c, 64 KiB of 32-byte entries"},
};
#undef P
const struct param_table ats_param_table = {"ats", "Device TLBs (ATS) and page requests", ats_specs,
					    G_N_ELEMENTS(ats_specs), sizeof(struct ats_params)};
