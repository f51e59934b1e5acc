/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe controller as hardware: submission and completion queues, PRP and SGL data pointers, media
 * channels. NVM Express base specification 2.0: 3.3.1 (queues), 3.3.3 (entry layouts), 4.1.1 (PRP),
 * 4.1.2 (SGL). Everything it reads and writes in host memory, commands and lists included, goes
 * through the PCIe fabric and the IOMMU.
 */
#ifndef DMASIM_MODELS_DEVICE_NVME_DEVICE_H
#define DMASIM_MODELS_DEVICE_NVME_DEVICE_H

#include <dmasim/param.h>
#include "models/pcie/pcie.h"
#include <dmasim/stat.h>

/* ---- what the wire carries ---- */

#define NVME_PAGE_SHIFT 12 /* controller page (CC.MPS = 0), whatever the CPU's page is */
#define NVME_PAGE_SIZE ((uint64_t)1 << NVME_PAGE_SHIFT)

enum nvme_opcode {
	NVME_CMD_FLUSH = 0x00,
	NVME_CMD_WRITE = 0x01,
	NVME_CMD_READ = 0x02,
	NVME_CMD_DSM = 0x09, /* dataset management: discard */
};

/* PSDT: how the data pointer is to be read (command dword 0, bits 15:14, here in the flags byte). */
#define NVME_CMD_SGL_METABUF (1u << 6)
#define NVME_CMD_SGL_METASEG (2u << 6)
#define NVME_CMD_SGL_ALL (3u << 6)

enum nvme_sgl_type {
	NVME_SGL_DATA_BLOCK = 0x00,
	NVME_SGL_SEGMENT = 0x20,
	NVME_SGL_LAST_SEGMENT = 0x30,
};

struct nvme_sgl_desc {
	uint64_t addr;
	uint32_t length;
	uint8_t rsvd[3];
	uint8_t type;
};
_Static_assert(sizeof(struct nvme_sgl_desc) == 16, "SGL descriptor, base specification 4.1.2.1");

struct nvme_command {
	uint8_t opcode, flags;
	uint16_t cid;
	uint32_t nsid;
	uint32_t cdw2, cdw3;
	uint64_t mptr;
	union {
		struct {
			uint64_t prp1, prp2;
		};
		struct nvme_sgl_desc sgl;
	};
	uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};
_Static_assert(sizeof(struct nvme_command) == 64, "submission queue entry, base specification 3.3.3.1");

struct nvme_completion {
	uint32_t result, rsvd;
	uint16_t sq_head, sq_id, cid;
	uint16_t status; /* bit 0: phase; status field from bit 1 */
};
_Static_assert(sizeof(struct nvme_completion) == 16, "completion queue entry, base specification 3.3.3.2");

/* Generic command status values (base specification 3.3.3.2.1). */
enum nvme_status {
	NVME_SC_SUCCESS = 0x00,
	NVME_SC_INVALID_OPCODE = 0x01,
	NVME_SC_DATA_XFER_ERROR = 0x04,
	NVME_SC_SGL_INVALID = 0x0d,
	NVME_SC_PRP_OFFSET_INVALID = 0x13,
};

/* ---- the drive ---- */

struct nvme_params {
	int drive;    /* row of nvme_drives */
	int loop;     /* enum nvme_loop */
	bool sgl;     /* controller supports SGLs */
	bool polled;  /* completions are polled for, no interrupts */
	bool pattern; /* data really move: the drive writes and checks a pattern made of the address */
	bool metadata_scattered; /* metadata beyond a page lies in pieces */
	bool lift_limits;        /* requests up to MDTS and the driver's cap whatever the DMA layer advises */
	uint64_t mdts;           /* bytes; 0: the drive's own */
	uint64_t sgl_threshold;  /* module parameter of the driver, bytes; 0: never */
	uint64_t
	    queue_depth; /* requests in flight per queue (closed loop, or without recorded completions) */
	uint64_t queues; /* I/O queue pairs per controller; 0: one per CPU */
	uint64_t queue_entries; /* entries of an I/O queue */
	char *functions;        /* PCI functions of the controllers in order, "" for the next free ones */
	char *p2p_provider; /* whose memory peer requests use: "none", "self" (the drive's CMB), a function */
	double p2p_share;   /* of the requests without recorded vectors */
	uint64_t cmb;       /* bytes of controller memory buffer of each drive; 0: none */
	uint64_t controllers; /* devices present from the start; further ones appear with the trace */
	uint64_t namespaces;  /* per controller: trace devices that share one controller */
	uint64_t metadata;    /* metadata bytes per logical block; 0: none */
	uint64_t block_size;  /* bytes of a logical block */
	unsigned block_shift; /* its logarithm, by nvme_params_resolve */
	uint64_t channels;    /* commands served at once; 0: the drive's own */
	sim_time_t read_service, write_service; /* media time of one command; 0: the drive's own */
	double read_bandwidth, write_bandwidth; /* GB/s of the media; 0: the drive's own */
	double read_bandwidth_mdts;             /* of reads as large as MDTS allows; 0: the drive's own */
	sim_time_t doorbell_latency;            /* from the CPU's write to the controller's fetch */
};
extern const struct param_table nvme_param_table;

enum nvme_loop { NVME_LOOP_OPEN, NVME_LOOP_CLOSED };

/* A reference drive; which of these values are measured stands in source. */
struct nvme_drive {
	const char *name;
	uint64_t channels;
	sim_time_t read_service, write_service;
	double read_bandwidth, write_bandwidth; /* GB/s, 0: the link decides */
	uint64_t mdts;                          /* bytes, 0: unlimited */
	double read_bandwidth_mdts;             /* GB/s of reads of that size, 0: as smaller ones */
	const char *source;
};
extern const struct nvme_drive nvme_drives[];
/* Replace every "the drive's own" of p by the value of its drive; false: a value that no drive has. */
G_GNUC_WARN_UNUSED_RESULT bool nvme_params_resolve(struct nvme_params *p, GError **error);

struct nvme_device_stats {
	uint64_t commands, fetched_lists; /* commands executed; PRP and SGL lists read */
	uint64_t bytes_read, bytes_written;
	uint64_t errors;     /* commands that ended with an error status */
	uint64_t mismatches; /* pattern bytes that were not what was written */
	sim_time_t media_busy;
};

struct nvme_ctrl;
/* The completion of a command is visible in the completion queue of qid at when. */
typedef void (*nvme_interrupt_fn)(void *arg, unsigned qid, sim_time_t when);

/* p must be resolved and outlive the controller. */
struct nvme_ctrl *nvme_ctrl_new(struct sim *sim, struct memory *mem, struct pcie_node *fn,
				const struct nvme_params *p, struct nvme_device_stats *st,
				nvme_interrupt_fn interrupt, void *arg);
void nvme_ctrl_free(struct nvme_ctrl *c);
/* Create queue pair qid (0: admin) of entries each at the given bus addresses. */
void nvme_ctrl_create_queue(struct nvme_ctrl *c, unsigned qid, unsigned entries, dma_addr_t sq,
			    dma_addr_t cq);
/*
 * The submission queue doorbell of qid is written at when. Counts: the new commands are fetched and
 * their data moved before return; each then waits for nvme_ctrl_complete(). Timing: the controller
 * does all of it by itself.
 */
void nvme_ctrl_ring(struct nvme_ctrl *c, unsigned qid, unsigned tail, sim_time_t when);
/* Counts: the drive finishes command cid of qid now: writes the completion entry, interrupts. */
void nvme_ctrl_complete(struct nvme_ctrl *c, unsigned qid, unsigned cid);

/* Bytes [offset, offset + len) of a transfer that starts at lba, as nvme.pattern has them; how many differ.
 */
void nvme_pattern_fill(uint64_t lba, uint64_t offset, uint8_t *data, uint64_t len);
uint64_t nvme_pattern_check(uint64_t lba, uint64_t offset, const uint8_t *data, uint64_t len);

#endif
