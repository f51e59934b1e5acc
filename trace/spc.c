/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SPC traces (UMass repository: OLTP, web search): ASU,LBA,Size,Opcode,Timestamp[,...], blanks allowed;
 * LBA in blocks of 512 bytes, Size in bytes (0 allowed), Timestamp in seconds from the start.
 */
#include "block_line.h"

#include <string.h>

static bool detect(const struct probe *p)
{
	return block_line_matches(p->line, "_d_,_d_,_d_,_R_,_N_") ||
	       block_line_matches(p->line, "_d_,_d_,_d_,_R_,_N_,*");
}

static bool next_field(const char **at)
{
	parse_blanks(at);
	if (!parse_char(at, ','))
		return false;
	parse_blanks(at);
	return true;
}

static const char *parse(struct trace_reader *r G_GNUC_UNUSED, const char *line G_GNUC_UNUSED,
			 const char **at, struct block_line *b, int *skip G_GNUC_UNUSED)
{
	uint64_t asu;

	parse_blanks(at);
	b->device = *at;
	if (!parse_u64(at, &asu))
		return "the number of an ASU";
	b->device_len = (size_t)(*at - b->device);
	if (!next_field(at) || !parse_sectors(at, &b->offset))
		return "an LBA in blocks of 512 bytes";
	if (!next_field(at) || !parse_u64(at, &b->bytes))
		return "a size in bytes";
	if (!next_field(at))
		return "a comma";
	b->op = (**at | 0x20) == 'r' ? NVME_OP_READ : (**at | 0x20) == 'w' ? NVME_OP_WRITE : -1;
	if (b->op < 0)
		return "R or W";
	(*at)++;
	if (!next_field(at) || !parse_fixed(at, 9, &b->time_ns))
		return "a time in seconds";
	parse_blanks(at);
	if (**at == ',') /* optional fields that the format leaves open */
		*at += strlen(*at);
	return NULL;
}

static int step(struct trace_reader *r, GError **error)
{
	return block_line_step(r, parse, error);
}

const struct format_ops format_spc = {
    .rank = 100,
    .pub = {"spc", "SPC trace (UMass: OLTP, web search)", TRACE_NVME, false,
	    "no addresses: the memory model lays buffers out"},
    .evidence = "ASU, LBA, size, R or W, seconds",
    .detect = detect,
    .step = step,
};
