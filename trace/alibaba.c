/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alibaba cloud block traces (2020): device_id,opcode,offset,length,timestamp without a header; bytes
 * and microseconds since 1970. Cite Li et al., IISWC 2020. Obtained through the owner's form.
 */
#include "block_line.h"

#include <string.h>

static bool detect(const struct probe *p)
{
	return block_line_matches(p->line, "d,R,d,d,M");
}

static const char *parse(struct trace_reader *r G_GNUC_UNUSED, const char *line, const char **at,
			 struct block_line *b, int *skip G_GNUC_UNUSED)
{
	uint64_t v;

	if (!parse_u64(at, &v) || **at != ',')
		return "the number of a device";
	b->device = line;
	b->device_len = (size_t)(*at - line);
	(*at)++;
	b->op = **at == 'R' ? NVME_OP_READ : **at == 'W' ? NVME_OP_WRITE : -1;
	if (b->op < 0)
		return "R or W";
	(*at)++;
	if (!parse_char(at, ',') || !parse_u64(at, &b->offset) || !parse_char(at, ',') ||
	    !parse_u64(at, &b->bytes))
		return "an offset and a length in bytes";
	if (!parse_char(at, ',') || !parse_u64(at, &v) || v > UINT64_MAX / 1000)
		return "a time in microseconds";
	b->time_ns = v * 1000;
	return NULL;
}

static int step(struct trace_reader *r, GError **error)
{
	return block_line_step(r, parse, error);
}

const struct format_ops format_alibaba = {
    .rank = 80,
    .pub = {"alibaba", "Alibaba cloud block trace 2020 (cite Li et al., IISWC 2020)", TRACE_NVME, false,
	    "no addresses: the memory model lays buffers out"},
    .evidence = "device, R or W, offset, length, 16 digits of microseconds",
    .detect = detect,
    .columns = "device_id,opcode,offset,length,timestamp",
    .step = step,
};
