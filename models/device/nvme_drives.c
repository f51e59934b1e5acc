/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters of NVMe controllers, their drivers and the reference drives. */
#include "nvme_device.h"

/*
 * Sources are the sections of docs/calibration.md, with its confidence tags. Service times of flash
 * drives follow 12.11; channels are what makes the measured request rate: rate x service time.
 */
const struct nvme_drive nvme_drives[] = {
    {"optane-gen2", 32, 3000 * SIM_NS, 3000 * SIM_NS, 7.2, 6.2, 0, 0, "12.11 E from 12.1 A"},
    {"p4800x", 4, 6800 * SIM_NS, 6800 * SIM_NS, 2.4, 2.0, 128 * KIB, 0,
     "B from 12.3 A: 584.8k at queue depth 16"},
    {"p3700", 32, 75 * SIM_US, 12 * SIM_US, 2.8, 1.9, 128 * KIB, 0, "12.11 E from 12.4 A"},
    {"micron-9100", 32, 105 * SIM_US, 12 * SIM_US, 3.0, 2.0, 128 * KIB, 0, "12.11 E from 12.4 A"},
    {"pm1753", 256, 75 * SIM_US, 12 * SIM_US, 14.5, 10.0, 2 * MIB, 0, "12.5 A bandwidth, 12.11 E service"},
    {"9100-pro", 305, 75 * SIM_US, 12 * SIM_US, 14.5, 13.0, 2 * MIB, 0, "B from 12.6 A: 4.07M; 12.11 E"},
    {"980-pro", 83, 75 * SIM_US, 12 * SIM_US, 6.9, 5.0, 2 * MIB, 0, "B from 12.6 A: 1.10M; 12.11 E"},
    {"pm9a3", 73, 80 * SIM_US, 12 * SIM_US, 7.0, 4.0, 2 * MIB, 6.38,
     "B from E4 C40, C41, C45: 915k, 7.0 GB/s; 2 MiB reads: fitted on C40"},
    {"mztl63t8hflt", 150, 75 * SIM_US, 12 * SIM_US, 14.0, 7.0, 2 * MIB, 0, "B from 12.7 A: 2M; 12.11 E"},
    {"c6620", 43, 75 * SIM_US, 12 * SIM_US, 2.33, 1.44, 512 * KIB, 0,
     "B from 12.8 A: 567.9k, 17.6k x 128 KiB"},
    {"m510", 16, 75 * SIM_US, 97 * SIM_US, 0.88, 1.10, 512 * KIB, 0,
     "B from 12.9 A: 210.0k and 162.2k at 4 KiB, 6.69k x 128 KiB"},
    {"qemu", 64, 20 * SIM_US, 20 * SIM_US, 0, 0, 512 * KIB, 0, "MDTS of QEMU 7.2's drive A; times E"},
    {"null", 4096, 0, 0, 0, 0, 0, 0, "a drive that costs nothing, to find the host's ceiling"},
};

static const char *const drive_names[] = {
    "optane-gen2", "p4800x",       "p3700", "micron-9100", "pm1753", "9100-pro", "980-pro",
    "pm9a3",       "mztl63t8hflt", "c6620", "m510",        "qemu",   "null",     NULL};
_Static_assert(G_N_ELEMENTS(drive_names) == G_N_ELEMENTS(nvme_drives) + 1, "one name per drive");
static const char *const loop_names[] = {"open", "closed", NULL};

#define PARAMS_OF struct nvme_params
static const struct param_spec specs[] = {
    PARAM(drive, ENUM, "optane-gen2", .choices = drive_names,
	  .help = "reference drive: channels, service times, bandwidth and MDTS", .source = "12"),
    PARAM(loop, ENUM, "open", .choices = loop_names,
	  .help = "open: requests come at the trace's times; closed: as soon as queue_depth allows"),
    PARAM(sgl, BOOL, "true", .help = "controller supports SGLs"),
    PARAM(polled, BOOL, "false", .help = "completions are polled for instead of raising interrupts"),
    PARAM(pattern, BOOL, "false", .help = "move real data and check every byte at the other end"),
    PARAM(lift_limits, BOOL, "false",
	  .help = "ignore the DMA layer's advised mapping size: requests up to MDTS and the driver's cap"),
    PARAM(mdts, SIZE, "0", .max = 1ull << 40, .help = "largest transfer of one command, 0: the drive's own"),
    PARAM(sgl_threshold, SIZE, "32KiB", .max = UINT32_MAX,
	  .help = "average segment size from which the driver uses SGLs, 0: never (module parameter)",
	  .source = "drivers/nvme/host/pci.c A"),
    PARAM(
	queue_depth, UINT, "32", .min = 1, .max = 4095,
	.help = "requests in flight per queue in a closed loop, and where the trace records no completions"),
    PARAM(queues, UINT, "0", .max = 4096, .help = "I/O queue pairs per controller, 0: one per CPU"),
    PARAM(queue_entries, UINT, "1024", .min = 2, .max = 4096,
	  .help = "entries of an I/O queue (io_queue_depth)", .source = "drivers/nvme/host/pci.c A"),
    PARAM(controllers, UINT, "1", .min = 1, .max = 1024,
	  .help = "controllers present from the start; further devices of a trace appear when first used"),
    PARAM(
	functions, STRING, "",
	.help = "PCI functions of the controllers in order, as in pcie.topology: 0000:01:00.0,0000:02:00.0"),
    PARAM(cmb, SIZE, "0", .max = 1ull << 40,
	  .help = "controller memory buffer of each drive, usable by peers, 0: none"),
    PARAM(p2p_provider, STRING, "none",
	  .help = "whose memory peer-to-peer requests use: none, self (the drive's own CMB), or a function "
		  "of the topology"),
    PARAM(p2p_share, DOUBLE, "1", .max = 1,
	  .help = "share of the requests without recorded vectors whose data lie in peer memory"),
    PARAM(namespaces, UINT, "1", .min = 1, .max = 1024,
	  .help = "consecutive devices of the trace that are namespaces of one controller"),
    PARAM(metadata, SIZE, "0", .max = 128,
	  .help = "metadata bytes per logical block in a separate buffer, 0: none"),
    PARAM(metadata_scattered, BOOL, "false",
	  .help = "metadata beyond a page lies in single pieces, as a user's buffer does: a list for drives "
		  "with nvme.sgl and 7.0, else copied into one piece",
	  .source = "Linux drivers/nvme/host/pci.c since 6.13: NVME_MAX_META_SEGS = 15 (A)"),
    PARAM(block_size, SIZE, "512", .min = 512, .max = 4096, .help = "logical block"),
    PARAM(channels, UINT, "0", .max = 1 << 20,
	  .help = "commands the media serves at once, 0: the drive's own"),
    PARAM(read_service, TIME, "0ns", .max = 1e15, .help = "media time of a read, 0: the drive's own"),
    PARAM(write_service, TIME, "0ns", .max = 1e15, .help = "media time of a write, 0: the drive's own"),
    PARAM(read_bandwidth, DOUBLE, "0", .unit = "GB/s", .max = 1e6,
	  .help = "media bandwidth of reads, 0: the drive's own"),
    PARAM(read_bandwidth_mdts, DOUBLE, "0", .unit = "GB/s", .max = 1e6,
	  .help = "media bandwidth of reads as large as MDTS allows, 0: the drive's own, or as smaller ones"),
    PARAM(write_bandwidth, DOUBLE, "0", .unit = "GB/s", .max = 1e6,
	  .help = "media bandwidth of writes, 0: the drive's own"),
    PARAM(doorbell_latency, TIME, "150ns", .max = 1e9,
	  .help = "from the CPU's doorbell write to the start of the command fetch",
	  .source = "E: one posted write across the link"),
};

const struct param_table nvme_param_table = PARAM_TABLE("nvme", "NVMe controllers, their drives and driver",
							specs);
#undef PARAMS_OF

bool nvme_params_resolve(struct nvme_params *p, GError **error)
{
	const struct nvme_drive *d = &nvme_drives[p->drive];

	if (p->channels == 0)
		p->channels = d->channels;
	if (p->read_service == 0)
		p->read_service = d->read_service;
	if (p->write_service == 0)
		p->write_service = d->write_service;
	if (p->read_bandwidth_mdts == 0 && p->read_bandwidth == 0 && (p->mdts == 0 || p->mdts == d->mdts))
		p->read_bandwidth_mdts = d->read_bandwidth_mdts;
	if (p->read_bandwidth == 0)
		p->read_bandwidth = d->read_bandwidth;
	if (p->write_bandwidth == 0)
		p->write_bandwidth = d->write_bandwidth;
	if (p->mdts == 0)
		p->mdts = d->mdts;
	p->block_shift = order_base_2(p->block_size);
	if (p->block_size == 1ull << p->block_shift)
		return true;
	g_set_error(error, PARAM_ERROR, 0,
		    "nvme.block_size: a logical block is a power of two, 512 B to 4 KiB; %" G_GUINT64_FORMAT
		    " bytes is none",
		    p->block_size);
	return false;
}
