/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of studies: what each published result is, where it was published, what its setup fixes. */
#include "validate_internal.h"

const struct validate_study validate_studies[] = {
    {{.id = "P1",
      .title = "DMA read latency against the buffer window",
      .source =
	  "Neugebauer et al., \"Understanding PCIe performance for end host networking\", SIGCOMM 2018, raw "
	  "data set. Mean of 64-byte reads, random, cold host cache.",
      .unit = "ns",
      .x_label = "window (MiB)",
      .log_x = true,
      .setup = "presets ivybridge-ep and broadwell-ep; pcie_bench, latency, 64 B; superpages off."},
     study_read_latency},
    {{.id = "P3",
      .title = "DMA throughput against the buffer window",
      .source = "The same data set. Random, cold, 4 KiB mappings.",
      .unit = "Gb/s",
      .x_label = "window (MiB)",
      .log_x = true,
      .setup = "presets ivybridge-ep and broadwell-ep; pcie_bench, throughput, transfer size and direction "
	       "of each "
	       "curve; superpages off. A knee is the first window that loses 5 %."},
     study_throughput},
    {{.id = "P11",
      .title = "Page-table micro-benchmark",
      .source = "Gunthorpe, \"Consolidate iommu page table implementations\", kernel lists 2025 and 2026; "
		"i7-12700, "
		"one call, hot caches. The 4 KiB second-stage points calibrate.",
      .unit = "ns",
      .x_label = "point",
      .setup = "default costs; map_bench, contiguous memory, one linked range (7.0) or scatterlist (6.12)."},
     study_page_table},
    {{.id = "P18",
      .title = "Peer-to-peer bandwidth",
      .source = "Broadwell: vendor forum measurement, E5-2650v4 with one to three drives of 3.2 GB/s. Gen5: "
		"published array of 16 drives into one x16 GPU.",
      .unit = "GB/s",
      .x_label = "point",
      .setup = "preset broadwell-ep, and a fabric without a limit of its own for the Gen5 array; dmabuf_p2p, "
	       "op = stream, no translation; number, rate, size and depth of each point. The three-drive "
	       "point gave the root complex's limit; the "
	       "Gen5 drives' latency and command rate come from the two fitted points."},
     study_peer},
    {{0}, NULL},
};
