/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ASCII traces of MQSim and DiskSim: "time device sector sectors type", blanks between, sectors of 512
 * bytes. MQSim: integer time in ns, type 0 write, 1 read. DiskSim: time in ms with decimals, bit 0 of
 * the flags set for reads. The fields are the same, so detection goes by the dot in the time.
 */
#include "block_line.h"

#include <string.h>

static bool detect_mqsim(const struct probe *p)
{
	return block_line_matches(p->line, "_d d d d B_");
}

static bool detect_disksim(const struct probe *p)
{
	return block_line_matches(p->line, "_F d d d d_");
}

static bool blanks(const char **at)
{
	const char *p = *at;

	parse_blanks(at);
	return *at != p;
}

static const char *parse_rest(const char **at, struct block_line *b)
{
	uint64_t device, type;

	if (!blanks(at))
		return "a blank";
	b->device = *at;
	if (!parse_u64(at, &device))
		return "the number of a device";
	b->device_len = (size_t)(*at - b->device);
	if (!blanks(at) || !parse_sectors(at, &b->offset) || !blanks(at) || !parse_sectors(at, &b->bytes))
		return "a start and a length in sectors of 512 bytes";
	if (!blanks(at) || !parse_u64(at, &type))
		return "a type";
	b->op = type & 1 ? NVME_OP_READ : NVME_OP_WRITE;
	parse_blanks(at);
	return NULL;
}

static const char *parse_mqsim(struct trace_reader *r G_GNUC_UNUSED, const char *line G_GNUC_UNUSED,
			       const char **at, struct block_line *b, int *skip G_GNUC_UNUSED)
{
	parse_blanks(at);
	return parse_u64(at, &b->time_ns) ? parse_rest(at, b) : "a time in ns";
}

static const char *parse_disksim(struct trace_reader *r G_GNUC_UNUSED, const char *line G_GNUC_UNUSED,
				 const char **at, struct block_line *b, int *skip G_GNUC_UNUSED)
{
	parse_blanks(at);
	return parse_fixed(at, 6, &b->time_ns) ? parse_rest(at, b) : "a time in ms";
}

static int step_mqsim(struct trace_reader *r, GError **error)
{
	return block_line_step(r, parse_mqsim, error);
}

static int step_disksim(struct trace_reader *r, GError **error)
{
	return block_line_step(r, parse_disksim, error);
}

const struct format_ops format_mqsim = {
    .rank = 110,
    .pub = {"mqsim", "MQSim ASCII trace, times in ns", TRACE_NVME, false, NULL},
    .evidence = "five numbers with blanks between, the first an integer, the last 0 or 1",
    .detect = detect_mqsim,
    .step = step_mqsim,
};
const struct format_ops format_disksim = {
    .rank = 120,
    .pub = {"disksim", "DiskSim ASCII trace, times in ms", TRACE_NVME, false, NULL},
    .evidence = "five numbers with blanks between, the first with a dot",
    .detect = detect_disksim,
    .step = step_disksim,
};
