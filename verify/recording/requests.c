/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Payloads of the events about requests: NVMe commands, block requests, and the vectors that a probe
 * shows (include/trace/events/block.h, drivers/nvme/host/trace.h).
 */
#include "internal.h"
#include "recording.h"

#include <string.h>

bool recording_decode_vectors(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	uint64_t qid, cid, op, bytes, segs, bios, vecs, gap;
	const char *text = s->payload ? text_value(s->payload, "gap_bit") : NULL;

	if (!source_u64(s, "qid", "qid", 10, &qid) || !source_u64(s, "cmdid", "cmdid", 10, &cid) ||
	    !source_u64(s, "op", "op", 10, &op) || !source_u64(s, "bytes", "bytes", 10, &bytes) ||
	    !source_u64(s, "segs", "segs", 10, &segs) || !source_u64(s, "bios", "bios", 10, &bios) ||
	    !source_u64(s, "vecs", "vecs", 10, &vecs))
		return false;
	if (text && *text == '-')
		gap = UINT64_MAX;
	else if (!source_u64(s, "gap_bit", "gap_bit", 10, &gap))
		return false;
	e->vectors.qid = (uint32_t)qid;
	e->vectors.cid = (uint32_t)cid;
	e->vectors.op = (uint32_t)op;
	e->vectors.bytes = (uint32_t)bytes;
	e->vectors.segs = (uint32_t)segs;
	e->vectors.bios = (uint32_t)bios;
	e->vectors.vecs = (uint32_t)vecs;
	e->vectors.gap_bit = (int32_t)(uint32_t)gap;
	return source_list(r, s, "phys", "phys", &e->vectors.phys) &&
	       source_list(r, s, "len", "len", &e->vectors.lens) &&
	       e->vectors.phys.count == e->vectors.lens.count;
}

static uint8_t nvme_op(uint64_t opcode)
{
	switch (opcode) {
	case 0:
		return REC_NVME_FLUSH;
	case 1:
		return REC_NVME_WRITE;
	case 2:
		return REC_NVME_READ;
	case 9:
		return REC_NVME_DISCARD;
	default:
		return REC_NVME_OTHER;
	}
}

bool recording_decode_nvme_head(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	uint64_t qid, cid, ctrl = 0;

	if (s->payload) {
		const char *disk = text_value(s->payload, "disk");

		if (strncmp(s->payload, "nvme", 4) || !text_number(s->payload + 4, 10, &ctrl, NULL) ||
		    !source_u64(s, "cmdid", NULL, 10, &cid))
			return false;
		e->nvme.io = disk != NULL;
		if (disk)
			e->device = recording_intern(r, disk, strcspn(disk, ", "));
	} else {
		if (!source_u64(s, NULL, "ctrl_id", 10, &ctrl) || !source_u64(s, NULL, "cid", 10, &cid) ||
		    !source_device(r, s, "disk", &e->device))
			return false;
		e->nvme.io = *recording_name(r, e->device) != '\0';
	}
	if (!source_u64(s, "qid", "qid", 10, &qid))
		return false;
	e->nvme.ctrl = (uint32_t)ctrl;
	e->nvme.qid = (uint32_t)qid;
	e->nvme.cid = (uint32_t)cid;
	return true;
}

static void nvme_text_op(struct recording_event *e, const char *payload)
{
	static const struct {
		const char *name;
		uint8_t op;
	} ops[] = {{"(nvme_cmd_read ", REC_NVME_READ},
		   {"(nvme_cmd_write ", REC_NVME_WRITE},
		   {"(nvme_cmd_flush", REC_NVME_FLUSH},
		   {"(nvme_cmd_dsm", REC_NVME_DISCARD}};
	uint64_t v;

	e->nvme.op = REC_NVME_OTHER;
	for (unsigned i = 0; i < G_N_ELEMENTS(ops); i++)
		if (strstr(payload, ops[i].name))
			e->nvme.op = ops[i].op;
	if (text_after(payload, "slba=", 10, &v))
		e->nvme.slba = v;
	if (text_after(payload, " len=", 10, &v))
		e->nvme.nlb = (uint32_t)v;
}

bool recording_decode_nvme_setup(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	uint64_t nsid, opcode;
	uint8_t cdw[24];

	if (!recording_decode_nvme_head(r, s, e) || !source_u64(s, "nsid", "nsid", 10, &nsid))
		return false;
	e->nvme.nsid = (uint32_t)nsid;
	if (s->payload) {
		nvme_text_op(e, s->payload);
		return true;
	}
	if (!source_u64(s, NULL, "opcode", 10, &opcode) || !source_bytes(s, "cdw10", cdw, sizeof(cdw)))
		return false;
	e->nvme.op = e->nvme.io ? nvme_op(opcode) : REC_NVME_OTHER;
	if (e->nvme.op <= REC_NVME_WRITE) {
		e->nvme.slba = source_le(cdw, 8);
		e->nvme.nlb = (uint32_t)source_le(cdw + 8, 2);
	}
	return true;
}

/* ---- block: "maj,min RWBS bytes () sector + nr prio [comm]" and its shorter kin ---- */

static bool block_head(struct recording *r, const char **p, struct recording_event *e)
{
	uint64_t major, minor;
	size_t len;

	if (!text_number(*p, 10, &major, p) || **p != ',' || !text_number(*p + 1, 10, &minor, p) ||
	    **p != ' ' || major > 4095 || minor >= 1u << 20)
		return false;
	e->block.dev = (uint32_t)(major << 20 | minor);
	*p += 1;
	len = strcspn(*p, " ");
	if (!len)
		return false;
	e->block.flags = recording_intern(r, *p, len);
	*p += len;
	*p += strspn(*p, " ");
	return true;
}

static bool block_range(const char *p, struct recording_event *e)
{
	const char *q = strchr(p, ')');

	p = q ? q + 1 : p;
	p += strspn(p, " ");
	return text_number(p, 10, &e->block.sector, &p) && !strncmp(p, " + ", 3) &&
	       text_number(p + 3, 10, &e->block.nr, NULL);
}

static bool block_fields(struct recording *r, const struct field_source *s, struct recording_event *e,
			 const char *nr)
{
	uint64_t dev;
	char rwbs[16] = "";

	if (!source_u64(s, NULL, "dev", 10, &dev) || !source_u64(s, NULL, "sector", 10, &e->block.sector) ||
	    !source_u64(s, NULL, nr, 10, &e->block.nr) || !source_string(s, "rwbs", rwbs, sizeof(rwbs)))
		return false;
	e->block.dev = (uint32_t)dev;
	e->block.flags = recording_intern(r, rwbs, strlen(rwbs));
	return true;
}

bool recording_decode_block_issue(struct recording *r, const struct field_source *s,
				  struct recording_event *e)
{
	const char *p = s->payload;

	if (p ? !block_head(r, &p, e) || !text_number(p, 10, &e->block.bytes, &p) || !block_range(p, e)
	      : !block_fields(r, s, e, "nr_sector") || !source_u64(s, NULL, "bytes", 10, &e->block.bytes))
		return false;
	if (e->block.bytes == 0) /* kernels up to 4.x: only of passthrough */
		e->block.bytes = e->block.nr * 512;
	return true;
}

bool recording_decode_block_complete(struct recording *r, const struct field_source *s,
				     struct recording_event *e)
{
	const char *p = s->payload;

	return p ? block_head(r, &p, e) && block_range(p, e) : block_fields(r, s, e, "nr_sector");
}

bool recording_decode_block_split(struct recording *r, const struct field_source *s,
				  struct recording_event *e)
{
	const char *p = s->payload;

	if (!p)
		return block_fields(r, s, e, "new_sector");
	return block_head(r, &p, e) && text_number(p, 10, &e->block.sector, &p) && !strncmp(p, " / ", 3) &&
	       text_number(p + 3, 10, &e->block.nr, NULL);
}
