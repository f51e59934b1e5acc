/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters of NVMe controllers, their drivers and the reference drives. */
#include "nvme_device.h"

#define OFF(m) offsetof(struct nvme_params, m)

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

static const struct param_spec specs[] = {
    {"drive", PARAM_ENUM, "", OFF(drive), "optane-gen2", 0, 0, drive_names,
     "reference drive: channels, service times, bandwidth and MDTS", "12"},
    {"loop", PARAM_ENUM, "", OFF(loop), "open", 0, 0, loop_names,
     "open: requests come at the trace's times; closed: as soon as queue_depth allows", NULL},
    {"sgl", PARAM_BOOL, "", OFF(sgl), "true", 0, 0, NULL, "controller supports SGLs", NULL},
    {"polled", PARAM_BOOL, "", OFF(polled), "false", 0, 0, NULL,
     "completions are polled for instead of raising interrupts", NULL},
    {"pattern", PARAM_BOOL, "", OFF(pattern), "false", 0, 0, NULL,
     "move real data and check every byte at the other end", NULL},
    {"lift_limits", PARAM_BOOL, "", OFF(lift_limits), "false", 0, 0, NULL,
     "ignore the DMA layer's advised mapping size: requests up to MDTS and the driver's cap", NULL},
    {"mdts", PARAM_SIZE, "bytes", OFF(mdts), "0", 0, 1ull << 40, NULL,
     "largest transfer of one command, 0: the drive's own", NULL},
    {"sgl_threshold", PARAM_SIZE, "bytes", OFF(sgl_threshold), "32KiB", 0, UINT32_MAX, NULL,
     "average segment size from which the driver uses SGLs, 0: never (module parameter)",
     "drivers/nvme/host/pci.c A"},
    {"queue_depth", PARAM_UINT, "", OFF(queue_depth), "32", 1, 4095, NULL,
     "requests in flight per queue in a closed loop, and where the trace records no completions", NULL},
    {"queues", PARAM_UINT, "", OFF(queues), "0", 0, 4096, NULL,
     "I/O queue pairs per controller, 0: one per CPU", NULL},
    {"queue_entries", PARAM_UINT, "", OFF(queue_entries), "1024", 2, 4096, NULL,
     "entries of an I/O queue (io_queue_depth)", "drivers/nvme/host/pci.c A"},
    {"controllers", PARAM_UINT, "", OFF(controllers), "1", 1, 1024, NULL,
     "controllers present from the start; further devices of a trace appear when first used", NULL},
    {"functions", PARAM_STRING, "", OFF(functions), "", 0, 0, NULL,
     "PCI functions of the controllers in order, as in pcie.topology: 0000:01:00.0,0000:02:00.0", NULL},
    {"cmb", PARAM_SIZE, "bytes", OFF(cmb), "0", 0, 1ull << 40, NULL,
     "controller memory buffer of each drive, usable by peers, 0: none", NULL},
    {"p2p_provider", PARAM_STRING, "", OFF(p2p_provider), "none", 0, 0, NULL,
     "whose memory peer-to-peer requests use: none, self (the drive's own CMB), or a function of the "
     "topology",
     NULL},
    {"p2p_share", PARAM_DOUBLE, "", OFF(p2p_share), "1", 0, 1, NULL,
     "share of the requests without recorded vectors whose data lie in peer memory", NULL},
    {"namespaces", PARAM_UINT, "", OFF(namespaces), "1", 1, 1024, NULL,
     "consecutive devices of the trace that are namespaces of one controller", NULL},
    {"metadata", PARAM_SIZE, "bytes", OFF(metadata), "0", 0, 128, NULL,
     "metadata bytes per logical block in a separate buffer, 0: none", NULL},
    {"metadata_scattered", PARAM_BOOL, "", OFF(metadata_scattered), "false", 0, 0, NULL,
     "metadata beyond a page lies in single pieces, as a user's buffer does: a list for drives with nvme.sgl "
     "and 7.0, else copied into one piece",
     "Linux drivers/nvme/host/pci.c since 6.13: NVME_MAX_META_SEGS = 15 (A)"},
    {"block_size", PARAM_SIZE, "bytes", OFF(block_size), "512", 512, 4096, NULL, "logical block", NULL},
    {"channels", PARAM_UINT, "", OFF(channels), "0", 0, 1 << 20, NULL,
     "commands the media serves at once, 0: the drive's own", NULL},
    {"read_service", PARAM_TIME, "", OFF(read_service), "0ns", 0, 1e15, NULL,
     "media time of a read, 0: the drive's own", NULL},
    {"write_service", PARAM_TIME, "", OFF(write_service), "0ns", 0, 1e15, NULL,
     "media time of a write, 0: the drive's own", NULL},
    {"read_bandwidth", PARAM_DOUBLE, "GB/s", OFF(read_bandwidth), "0", 0, 1e6, NULL,
     "media bandwidth of reads, 0: the drive's own", NULL},
    {"read_bandwidth_mdts", PARAM_DOUBLE, "GB/s", OFF(read_bandwidth_mdts), "0", 0, 1e6, NULL,
     "media bandwidth of reads as large as MDTS allows, 0: the drive's own, or as smaller ones", NULL},
    {"write_bandwidth", PARAM_DOUBLE, "GB/s", OFF(write_bandwidth), "0", 0, 1e6, NULL,
     "media bandwidth of writes, 0: the drive's own", NULL},
    {"doorbell_latency", PARAM_TIME, "", OFF(doorbell_latency), "150ns", 0, 1e9, NULL,
     "from the CPU's doorbell write to the start of the command fetch",
     "E: one posted write across the link"},
};

const struct param_table nvme_param_table = {
    .section = "nvme",
    .help = "NVMe controllers, their drives and driver",
    .specs = specs,
    .nspecs = G_N_ELEMENTS(specs),
    .struct_size = sizeof(struct nvme_params),
};

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
