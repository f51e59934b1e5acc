/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters of the remapping unit. Defaults: the Broadwell-EP machine, on which most was measured. */
#include "internal.h"

static const char *const replacements[] = {"lru", "fifo", "random", "plru", "ageing", NULL};
static const char *const psi_nonleaf[] = {"range", "domain", NULL};
static const char *const ats_devices[] = {"none", "listed", "all", NULL};
static const char *const modes[] = {"off", "passthrough", "lazy", "strict", NULL};

#define PARAMS_OF struct iotlb_params
static const struct param_spec iotlb_specs[] = {
    PARAM(entries, UINT, "118", .max = 1 << 24, .help = "usable entries, all page sizes together",
	  .source = "B: pcie-bench (SIGCOMM 2018) latency sweeps, Broadwell E5-2630 v4: 128, about 10 of "
		    "them held by other traffic"),
    PARAM(ways, UINT, "0", .max = 1 << 24, .help = "associativity; 0: fully associative",
	  .source = "B: pcie-bench: no conflict misses visible near capacity"),
    PARAM(replacement, ENUM, "lru", .choices = replacements,
	  .help = "which entry gives way (ageing: bucketed LRU); the paging-structure caches do the same",
	  .source = "E; ageing: Xeon E5 datasheet vol. 2, VTGENCTRL2"),
    PARAM(hash_sets, BOOL, "false", .help = "choose the set by a hash instead of the low page-number bits",
	  .source = "E"),
    PARAM(tag_sid, BOOL, "false", .help = "requesters of one domain do not share entries",
	  .source = "VT-d rev 4.1 6.2.3 allows both"),
    PARAM(hit_latency, TIME, "2ns", .max = 1e9, .help = "time that a hit adds",
	  .source = "B: pcie-bench, Broadwell, translation on against off"),
    PARAM(ageing_interval, UINT, "112", .min = 1, .max = 1e9,
	  .help = "requests per ageing step of replacement = ageing",
	  .source = "A: Xeon E5 datasheet vol. 2, VTGENCTRL2: 16 * 7"),
};
const struct param_table iotlb_param_table = PARAM_TABLE("iotlb", "IOTLB of the remapping unit", iotlb_specs);
#undef PARAMS_OF

#define PARAMS_OF struct pwc_params
static const struct param_spec pwc_specs[] = {
    PARAM(entries_2m, UINT, "64", .max = 1 << 20, .help = "entries that lead to a leaf table (2 MiB each)",
	  .source =
	      "B: pcie-bench: at least 32; SOSP 2024 (Fast & Safe IO Memory Protection): 64 to 128 likely"),
    PARAM(entries_1g, UINT, "32", .max = 1 << 20, .help = "entries that cover 1 GiB each",
	  .source = "E: size assumed by SOSP 2024"),
    PARAM(entries_512g, UINT, "32", .max = 1 << 20, .help = "entries that cover 512 GiB each",
	  .source = "E: size assumed by SOSP 2024"),
    PARAM(entries_256t, UINT, "32", .max = 1 << 20,
	  .help = "entries that cover 256 TiB each (5-level tables)", .source = "E: as entries_512g"),
    PARAM(context_entries, UINT, "64", .max = 1 << 16, .help = "context cache", .source = "E"),
    PARAM(pasid_entries, UINT, "64", .max = 1 << 16, .help = "PASID cache", .source = "E"),
    PARAM(psi_nonleaf, ENUM, "domain", .choices = psi_nonleaf,
	  .help = "what a page-selective invalidation without hint (IH = 0) removes here",
	  .source = "A: Xeon E7-8800 v2 datasheet vol. 2, IOTLB register: domain"),
};
const struct param_table pwc_param_table = PARAM_TABLE("pwc", "Paging-structure, context and PASID caches",
						       pwc_specs);
#undef PARAMS_OF

#define PARAMS_OF struct walker_params
static const struct param_spec walker_specs[] = {
    PARAM(concurrency, UINT, "6", .min = 1, .max = 1024, .help = "walks in flight",
	  .source = "B: pcie-bench, Broadwell: 19.2 to 22.5 M misses/s at 289 ns"),
    PARAM(read_latency, TIME, "197ns", .max = 1e9, .help = "one table read from local DRAM",
	  .source = "A: SOSP 2024, lm = 197 ns per memory read (fitted by its authors)"),
    PARAM(miss_overhead, TIME, "92ns", .max = 1e9, .help = "fixed part of a miss",
	  .source = "B: pcie-bench, Broadwell: a miss with one read costs 289 ns; less read_latency"),
    PARAM(slow_share, DOUBLE, "0.09", .max = 1,
	  .help = "share of the table reads that take walker.slow_extra longer than the others; read_latency "
		  "is the mean of all",
	  .source = "B: pcie-bench, Broadwell, percentiles of missing reads: the 95th leaves the median "
		    "between windows of 1 and 2 MiB, where 54 and 77 % miss"),
    PARAM(slow_extra, TIME, "160ns", .max = 1e9, .help = "what a slow table read takes longer",
	  .source = "B: pcie-bench, Broadwell: 95th percentile 907 to 933 ns, median 760 ns"),
    PARAM(merge, BOOL, "true", .help = "requests to a page that is being walked wait for it",
	  .source = "B: pcie-bench write-then-read: one penalty, not two"),
    PARAM(line_reuse, BOOL, "true",
	  .help = "a 64-byte line of table entries that is on its way serves other walks too",
	  .source = "A: Xeon E5 datasheet vol. 2, VTGENCTRL2, default on for page walks"),
    PARAM(coherent, BOOL, "true",
	  .help = "table reads snoop CPU caches; otherwise software flushes what it writes",
	  .source = "A: ECAP.C"),
    PARAM(llc, BOOL, "false", .help = "table reads of a coherent walker hit the last-level cache",
	  .source = "E"),
};
const struct param_table walker_param_table = PARAM_TABLE("walker", "Page walker", walker_specs);
#undef PARAMS_OF

#define PARAMS_OF struct qi_params
static const struct param_spec qi_specs[] = {
    PARAM(entries, UINT, "256", .min = 32, .max = 1 << 15,
	  .help = "descriptors in the ring, rounded up to a power of two",
	  .source = "A: drivers/iommu/intel/dmar.c"),
    PARAM(service, TIME, "400ns", .max = 1e9, .help = "unit's time for one invalidation descriptor",
	  .source = "E: share of 1060 ns for a synchronous invalidation (Xeon Silver 4314, C)"),
    PARAM(wait_latency, TIME, "500ns", .max = 1e9,
	  .help = "status write of a wait descriptor until a spinning CPU sees it",
	  .source = "E: as service"),
    PARAM(device_tlb_latency, TIME, "1500ns", .max = 1e12,
	  .help = "device-TLB invalidation until the device has answered", .source = "E"),
    PARAM(drain, BOOL, "true", .help = "IOTLB invalidation completes after DMA in flight (DW, DR)",
	  .source = "A: VT-d rev 4.1 6.5.5; CAP.DWD, CAP.DRD"),
};
const struct param_table qi_param_table = PARAM_TABLE("qi", "Invalidation queue", qi_specs);
#undef PARAMS_OF

#define PARAMS_OF struct iommu_params
static const struct param_spec iommu_specs[] = {
    PARAM(mode, ENUM, "strict", .choices = modes, .help = "mode where [compare] does not name modes"),
    PARAM(cap, UINT, "0x8d2078c106f0466", .unit = "hex",
	  .help = "capability register as the kernel prints it (dmasim explain iommu.cap=VALUE decodes one)",
	  .source = "A: pcie-bench boot log, Broadwell: 48 bits, 2 MiB and 1 GiB pages, MAMV 18"),
    PARAM(ecap, UINT, "0xf020df", .unit = "hex",
	  .help = "extended capability register as the kernel prints it (dmasim explain iommu.ecap=VALUE)",
	  .source = "A: Xeon E5 boot logs"),
    PARAM(scalable, BOOL, "false", .help = "scalable mode (intel_iommu=sm_on); ECAP.SMTS must be set"),
    PARAM(caching_mode, BOOL, "false", .help = "report caching mode (CAP.CM), as virtual units do"),
    PARAM(
	untrusted, BOOL, "false",
	.help = "all devices are untrusted, as behind an external port: always strict, partial pages bounce"),
    PARAM(superpages, BOOL, "true", .help = "use the large pages of CAP.SSLPS; false: intel_iommu=sp_off"),
    PARAM(levels, UINT, "0", .max = 5,
	  .help = "page-table levels, 3 to 5, of those that CAP.SAGAW (first stage: CAP.FS5LP) has; 0: most"),
    PARAM(nested, BOOL, "false",
	  .help = "first stage over second stage, as in a guest; needs scalable mode and ECAP.NEST"),
    PARAM(reserved, STRING, "",
	  .help = "IOVA windows that are never handed out: 80000000-afffffff,c0000000-febfffff"),
    PARAM(dmar, STRING, "",
	  .help = "file with the ACPI DMAR table that describes the units: raw, or as acpidump prints it"),
    PARAM(units, UINT, "1", .min = 1, .max = 64,
	  .help = "remapping units of a machine without iommu.dmar, each with its own walkers, caches and "
		  "queue: the "
		  "ports of a socket are dealt out to its units"),
};
const struct param_table iommu_param_table = PARAM_TABLE("iommu", "IOMMU: mode and capabilities",
							 iommu_specs);
#undef PARAMS_OF

#define PARAMS_OF struct ats_params
static const struct param_spec ats_specs[] = {
    PARAM(devices, ENUM, "listed", .choices = ats_devices,
	  .help =
	      "who uses a device TLB, if ECAP.DT allows it: those that the topology gives ATS, all, or none",
	  .source = "drivers/iommu/intel/iommu.c: whoever has the capability"),
    PARAM(entries, UINT, "64", .max = 1 << 20, .help = "entries of each device's TLB",
	  .source = "E; HyperTRIO (ISCA 2020) simulates 64"),
    PARAM(ways, UINT, "0", .max = 1 << 20, .help = "its associativity; 0: fully associative", .source = "E"),
    PARAM(request_latency, TIME, "413ns", .max = 1e9,
	  .help = "translation request and its answer, without the walk",
	  .source = "E: as a 64-byte read (pcie-bench, Broadwell)"),
    PARAM(page_requests, UINT, "2048", .min = 16, .max = 1 << 16, .help = "entries of the page-request queue",
	  .source = "A: drivers/iommu/intel/prq.c, 64 KiB of 32-byte entries"),
};
const struct param_table ats_param_table = PARAM_TABLE("ats", "Device TLBs (ATS) and page requests",
						       ats_specs);
#undef PARAMS_OF
