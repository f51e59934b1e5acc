/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYSTOR '17 (Fujitsu VDI) traces: Timestamp,Response,IOType,LUN,Offset,Size with that header; seconds
 * and bytes. Blank type: the recorder saw no answer, such lines are left out and counted. Cite Lee et
 * al., SYSTOR 2017. The data may not be passed on: bring your own copy.
 */
#include "block_line.h"

#include <string.h>

#define HEADER "Timestamp,Response,IOType,LUN,Offset,Size"

static const char *parse(struct trace_reader *r G_GNUC_UNUSED, const char *line G_GNUC_UNUSED,
			 const char **at, struct block_line *b, int *skip)
{
	uint64_t lun;

	if (!parse_fixed(at, 9, &b->time_ns) || !parse_char(at, ','))
		return "a time in seconds";
	if (**at != ',' && !parse_fixed(at, 9, &b->latency_ns))
		return "a response time in seconds";
	if (!parse_char(at, ','))
		return "a comma";
	if (**at == ',') {
		*skip = TRACE_SKIP_NO_REPLY;
	} else {
		b->op = **at == 'R' ? NVME_OP_READ : **at == 'W' ? NVME_OP_WRITE : -1;
		if (b->op < 0)
			return "R, W or nothing";
		(*at)++;
	}
	if (!parse_char(at, ','))
		return "a comma";
	b->device = *at;
	if (!parse_u64(at, &lun))
		return "the number of a LUN";
	b->device_len = (size_t)(*at - b->device);
	if (!parse_char(at, ',') || !parse_u64(at, &b->offset) || !parse_char(at, ',') ||
	    !parse_u64(at, &b->bytes))
		return "an offset and a size in bytes";
	return NULL;
}

static int step(struct trace_reader *r, GError **error)
{
	return block_line_step(r, parse, error);
}

const struct format_ops format_systor = {
    .rank = 60,
    .pub = {"systor", "SYSTOR '17 VDI trace (cite Lee et al., SYSTOR 2017)", TRACE_NVME, false,
	    "no addresses: the memory model lays buffers out"},
    .evidence = "the header " HEADER,
    .columns = HEADER,
    .step = step,
};
