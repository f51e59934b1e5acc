/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of studies: what each published result is, where it was published, what its setup fixes. */
#include "validate_internal.h"

const struct validate_study validate_studies[] = {
    {{.id = "P1",
      .title = "DMA read latency against the buffer window",
      .source =
	  "Neugebauer et al., \"Understanding PCIe performance for end host networking\", SIGCOMM 2018, raw "
	  "data set. Mean of 64-byte reads, random, cold host cache, where a curve does not say otherwise.",
      .unit = "ns",
      .x_label = "window (MiB)",
      .log_x = true,
      .setup =
	  "presets ivybridge-ep and broadwell-ep; pcie_bench, latency, 64 B commands; superpages off. The "
	  "DMA engine's rows: 64 KiB, warm, median."},
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
    {{.id = "P4",
      .title = "Receive path under strict mode",
      .source = "Rubin et al., \"Fast & Safe IO Memory Protection\", SOSP 2024, figure 2 and text (10 flows "
		"read off "
		"the plot).",
      .unit = "Gb/s, or misses per 4 KiB",
      .setup =
	  "preset skylake-sp; Linux 6.1; rx_ring, 5 cores, ring 256, 64-page descriptors, 4 KiB "
	  "packets, 100 Gb/s offered; acknowledgement rate and losses are the published ones. mlx5 of "
	  "that kernel (and of the study's 6.0) keeps up to 255 pages of a ring mapped for reuse, unless "
	  "the oldest one has not been read yet, and puts packets end to end into its pages: most pages "
	  "are never unmapped. The time that a lost retransmission takes is fitted on the marked points; "
	  "addresses in random order, as after long traffic, are assumed."},
     study_receive},
    {{.id = "P6",
      .title = "Receive path with contiguous addresses and leaf-only, batched invalidation",
      .source = "The same study, text: upper-level misses 0, 2 MiB level at most 0.045 per page, throughput "
		"within a "
		"few percent of IOMMU off.",
      .unit = "ratio, or misses per 4 KiB",
      .setup = "as P4, but linked ranges on Linux 7.0, which do the three things by themselves."},
     study_mitigations},
    {{.id = "P9",
      .title = "NVMe drives that are the bottleneck",
      .source = "zhzh2001/nvme-iommu, 2026: fio io_uring, 4 jobs x queue depth 128, mean of ten runs.",
      .unit = "IOPS, or ratio",
      .setup = "presets sapphire-rapids (c6620) and broadwell-ep (m510); nvme, closed loop, the reference "
	       "drive of each; "
	       "the drives are made from the no-IOMMU rows (fitted)."},
     study_nvme},
    {{.id = "P11",
      .title = "Page-table micro-benchmark",
      .source = "Gunthorpe, \"Consolidate iommu page table implementations\", kernel lists 2025 and 2026; "
		"i7-12700, one call, hot caches. The 4 KiB second-stage points calibrate.",
      .unit = "ns",
      .x_label = "point",
      .setup =
	  "default costs; map_bench, contiguous memory, one linked range (7.0) or scatterlist (6.12); "
	  "four levels. What only entries above 4 KiB cost is counted in the two sources, in tests: "
	  "unmap of the generic table 2 (may this level have leaves, is this one), unmap before it 1, map "
	  "before it 5 (end of the run, and four of the pass that looks for tables to replace); each is "
	  "half a cycle of 4.9 GHz, a unit that was chosen with the rows known. What a level costs is "
	  "fitted on a later version's 2 MiB page, whose 4 KiB map takes 71 ns instead of 56: there only "
	  "ratios are compared."},
     study_page_table},
    {{.id = "P12",
      .title = "IOTLB misses and loss at 200 Gb/s",
      .source =
	  "Farshin et al., \"Overcoming the IOTLB wall for multi-100-Gbps Linux-based networking\", PeerJ CS "
	  "2023 (read off plots).",
      .unit = "misses per MiB, percent, Gb/s",
      .x_label = "MTU in bytes, or offered Gb/s",
      .setup = "preset icelake-sp; lazy; rx_ring, 32 rings of 1024, recycled pages, buffers of 2 KiB (MTU "
	       "1500) or whole "
	       "pages. pcie.write_buffer of the preset is fitted on the throughput of the last point."},
     study_iotlb_wall},
    {{.id = "P13",
      .title = "Cores against one invalidation queue under nested translation",
      .source = "xlab-uiuc/Fast-and-Safe-IO-Memory-Protection, 2025: Linux 6.12.9, iommufd, strict in host "
		"and guest.",
      .unit = "Gb/s",
      .x_label = "cores",
      .setup =
	  "preset sapphire-rapids; rx_ring, ring 512, flows = cores, linked ranges of 64 pages; "
	  "submit-and-wait of 7.0 us on one core is an input (qi), the packet's CPU time is fitted on "
	  "one core. Acknowledgements are left out, a choice made after seeing results: at 8 cores "
	  "submit-and-wait (8.2 us, one at a time) leaves room for 1.08 flushes per 64 pages; with 0.044 "
	  "of them per page, as in P4, the model's peak would be 76 Gb/s (--set rx_ring.ack_rate=0.044; with "
	  "0.001 it is 278).",
      .why = "from 6.10 on a domain's flushes follow each other under its cache_lock, which bounds the rate "
	     "at 64 pages per submit-and-wait: the measured peak. Beyond 8 cores one submit-and-wait, "
	     "without the wait for that lock, was measured at 69 to 70 us instead of 8, so the holder itself "
	     "is slowed inside the guest or the emulated unit. The guest's page-table work, which waits for "
	     "nobody, rises from 0.9 to 1.6 us to 4.2 us as well: the virtual CPUs lose host CPU time. Their "
	     "placement is not published; halted waiters of paravirtual locks do not explain it (16 waiters "
	     "of 8 us stay below 32768 pauses), nor do whole time slices of the host's scheduler, which are "
	     "milliseconds. Simulated CPUs are never descheduled. The last two points take those times as "
	     "given."},
     study_qi_cores},
    {{.id = "P14",
      .title = "Mapping and unmapping a guest's memory through VFIO",
      .source =
	  "Li Zhe, VFIO type1 large-folio series, kernel lists 2025: 16 GiB, v6.16-rc4 with and without.",
      .unit = "s",
      .setup = "map_bench, 256 contiguous entries, Linux 6.12, for the page tables; pinning and accounting, "
	       "which are VFIO's, are fitted on the marked points."},
     study_guest_memory},
    {{.id = "P15",
      .title = "DMA that faults, against reuse of the buffer",
      .source = "Shenming Lu, VFIO I/O page fault series, kernel lists 2021: Kunpeng 920, SMMUv3 stall mode.",
      .unit = "faults, or KB/s",
      .x_label = "uses of the buffer",
      .log_x = true,
      .setup = "rdma_odp, linked range, two cold buffers, one fault per page or per 512 pages; rates without "
	       "faults and "
	       "the number of faults that reuse takes are the published ones, the time of a fault is fitted "
	       "on the marked points.",
      .why =
	  "the block's own law does not hold in that row: time = bytes / rate + faults x time of a fault, "
	  "with 10.5 us from the row of one use, makes the published 1058 faults 11.1 ms and the rate of "
	  "100 uses 4.14 million KB/s, which is the model's -28.7 %. The published rates of that row differ "
	  "by 4.0 ms for 1058 faults (3.8 us each), those of one use by 5.5 ms for 518 (10.5 us each): no "
	  "constant time per fault gives both."},
     study_faulting_dma},
    {{.id = "P16",
      .title = "Downtime of a migration of four VFs",
      .source = "Szmigiero, QEMU multifd VFIO series, qemu-devel 2024: 4 ConnectX-7 VFs, 100 Gb/s Ethernet.",
      .unit = "ms",
      .setup = "vfio_migration, default rates, save and load one after the other; one stream of 400 MiB, or "
	       "four of 100 MiB at once; 12.5 GB/s."},
     study_migration},
    {{.id = "P17",
      .title = "Forced bounce buffers, one lock and many",
      .source =
	  "Tianyu Lan, swiotlb lock-splitting series, kernel lists 2022: network in a confidential guest. "
	  "Chao Gao, swiotlb optimisation RFC v2, 2022: one fio job of 4 KiB, queue depth 256, 8 CPUs.",
      .unit = "Gb/s, ratio, or thousand IOPS",
      .setup =
	  "preset icelake-sp; rx_ring, 8 cores, MTU 1500 in 2 KiB buffers, 40 Gb/s offered, IOMMU off, "
	  "swiotlb.force; the guest's CPU count is not published (8 assumed). fio: default costs, nvme on a "
	  "drive that costs nothing, the storage stack's time fitted on the marked point, copies at 8 GB/s "
	  "before and 12 GB/s with the tuned allocator. The published gain of pooled bounce buffers under "
	  "a virtio-iommu (2.8 to 4.7 times) has no rows: there is no model of that device, whose every "
	  "map and unmap is a message to the host."},
     study_swiotlb},
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
    {{.id = "P19",
      .title = "dma_map_benchmark (ARM) and rIOMMU (unconfirmed): shapes, not judged",
      .source = "Kernel lists 2025-26, Arm Morello with SMMUv3; Malka et al., ASPLOS 2015, second hand.",
      .unit = "ratio",
      .setup = "preset icelake-sp; map_bench, scatterlists, strict, Linux 6.12."},
     study_map_benchmark},
    {{.id = "E4",
      .title = "Address allocation, cached and not",
      .source =
	  "davidlohr/dma-opt-clamp-report, 2026: EPYC 9124, lazy, function profiler and lock_stat; includes "
	  "their overhead.",
      .unit = "ns, ratio, or as named",
      .setup =
	  "map_bench, linked ranges, 16 threads of depth 8 (4 KiB: 8 of 32; last but one: 32 of 16), a "
	  "random time between operations that makes the published rate, as many operations as were "
	  "measured, caches empty at first; the machine's costs are fitted on the 4 KiB row, on the tree "
	  "functions alone (1828 and 831 ns) and on the lock's 850 ns with 2 MiB.",
      .why =
	  "a free of 128 KiB took 1.5 times one of 4 KiB, while allocations took the same. The model knows "
	  "one difference: frees of 128 KiB come from the queue's timer on another CPU, those of 4 KiB "
	  "from full rings on their own; that makes depot exchanges, which add 1 %. The lock was taken "
	  "44 to 46 thousand times with cached sizes, in 60 s of 3.5 million commands and in 120 s of 0.4 "
	  "million: most of it does not come from these commands, 8 thousand of which missed the caches; "
	  "which other users the lock's class had is not published, so hold and contention of these are "
	  "shown. Jobs wander over 32 hardware threads, whose caches fill to 32 x 254 ranges; simulated "
	  "threads stay where they are and need fewer. The deep load runs two jobs per core: model and "
	  "measurement differ by the 1.5 that two threads slow each other, and simulated CPUs share no "
	  "core. Of the mixed load the sizes are not published."},
     study_allocator},
    {{.id = "E4R",
      .title = "Request size on the new NVMe path",
      .source = "davidlohr/dma-opt-clamp-report, 2026: EPYC 9124, PM9A3, v7.2-rc1, huge-page buffers, lazy.",
      .unit = "MiB/s, thousand IOPS, ratio",
      .setup = "nvme, closed loop, drive pm9a3, Gen4 x4, payload of 512 bytes (256 could not carry the "
	       "published 7.0 GB/s); requests of 128 KiB against nvme.lift_limits. The drive by itself loses "
	       "8 % with commands of 2 MiB: one number of the drive, fitted on the marked point. Interrupts "
	       "were counted on the whole machine: their change is judged."},
     study_request_size},
    {{0}, NULL},
};
