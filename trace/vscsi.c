/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CloudPhysics' vscsi traces (Waldspurger et al., FAST 2015), little endian, without a head:
 *
 *	version 1	sn u32, len u32, nSG u32, cmd u16, ver u16, lbn u64, ts u64
 *	version 2	cmd u16, ver u16, sn u32, len u32, nSG u32, lbn u64, ts u64, rt u64
 *
 * len is bytes, lbn sectors of 512 bytes, ts and rt microseconds, cmd a SCSI operation code (SPC, SBC: READ
 *and WRITE of 6, 10, 12 and 16 bytes). nSG, the number of pieces in memory, has no addresses beside it: it is
 *not used.
 */
#include "block_line.h"

#include <string.h>

#define RECORD_1 32u
#define RECORD_2 40u
#define NS_PER_US 1000u

struct vscsi {
	unsigned version;
};

static uint64_t get(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

/* enum nvme_op of the operation code, -1: moves no data of the disk. */
static int operation(unsigned cmd)
{
	switch (cmd) {
	case 0x08:
	case 0x28:
	case 0x88:
	case 0xa8:
		return NVME_OP_READ;
	case 0x0a:
	case 0x2a:
	case 0x8a:
	case 0xaa:
		return NVME_OP_WRITE;
	default:
		return -1;
	}
}

/* Two records in a row that agree on the version. */
static unsigned version_of(const uint8_t *p, size_t n)
{
	if (n >= 2 * RECORD_2 && get(p + 2, 2) >> 8 == 2 && get(p + RECORD_2 + 2, 2) >> 8 == 2 &&
	    get(p, 2) <= 0xff)
		return 2;
	if (n >= 2 * RECORD_1 && get(p + 14, 2) >> 8 == 1 && get(p + RECORD_1 + 14, 2) >> 8 == 1 &&
	    get(p + 12, 2) <= 0xff)
		return 1;
	return 0;
}

static bool detect(const struct probe *p)
{
	return memchr(p->bytes, 0, MIN(p->nbytes, RECORD_1)) && version_of(p->bytes, p->nbytes);
}

static bool open_vscsi(struct trace_reader *r, GError **error)
{
	struct vscsi *v = r->state;
	const uint8_t *p;
	ssize_t n = input_peek(r->in, (size_t)2 * RECORD_2, &p, error);

	if (n < 0)
		return false;
	v->version = version_of(p, (size_t)n);
	if (v->version)
		return true;
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
		    "%s: byte 0: no two records of vscsi version 1 or 2 at the start", input_name(r->in));
	return false;
}

static int step(struct trace_reader *r, GError **error)
{
	const struct vscsi *v = r->state;
	unsigned size = v->version == 1 ? RECORD_1 : RECORD_2;
	const uint8_t *p, *tail;
	ssize_t n = input_peek(r->in, size, &p, error);
	uint64_t lbn, us, rt;
	struct held *h;
	int op;

	if (n <= 0)
		return (int)n;
	if (n < (ssize_t)size) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_TRUNCATED,
			    "%s: byte %" G_GUINT64_FORMAT ": the trace ends inside a record; copy it again",
			    input_name(r->in), input_offset(r->in));
		return -1;
	}
	op = operation((unsigned)get(p + (v->version == 1 ? 12 : 0), 2));
	tail = p + 16;
	lbn = get(tail, 8);
	us = get(tail + 8, 8);
	rt = v->version == 1 ? 0 : get(tail + 16, 8);
	h = reader_slot(r);
	h->rec.where = input_offset(r->in);
	h->rec.nvme.bytes = get(p + (v->version == 1 ? 4 : 8), 4);
	input_skip(r->in, size);
	if (get(p + (v->version == 1 ? 14 : 2), 2) >> 8 != v->version ||
	    lbn > UINT64_MAX / SECTOR_BYTES / 2 || us > UINT64_MAX / NS_PER_US / 2 ||
	    rt > UINT64_MAX / NS_PER_US / 2)
		return reader_bad(r, TRACE_BAD_RANGE, NULL, NULL, error,
				  "a record of the same version, in range")
			   ? 1
			   : -1;
	if (op < 0 || h->rec.nvme.bytes == 0) {
		reader_skip(r, op < 0 ? TRACE_SKIP_EVENT : TRACE_SKIP_EMPTY);
		return 1;
	}
	h->rec.time_ns = us * NS_PER_US;
	h->rec.device = reader_device(r, "vscsi", strlen("vscsi"));
	h->rec.nvme.op = (uint8_t)op;
	h->rec.nvme.offset = lbn * SECTOR_BYTES;
	h->rec.nvme.done_ns = v->version == 1 ? TRACE_NO_TIME : h->rec.time_ns + rt * NS_PER_US;
	return reader_push(r, h, error) ? 1 : -1;
}

const struct format_ops format_vscsi = {
    .rank = 35,
    .pub = {"vscsi", "CloudPhysics vscsi trace, version 1 or 2 (cite Waldspurger et al., FAST 2015)",
	    TRACE_NVME, true, "no addresses: the memory model lays buffers out"},
    .evidence = "two records in a row of one version",
    .detect = detect,
    .state_size = sizeof(struct vscsi),
    .open = open_vscsi,
    .step = step,
};
