/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSR Cambridge block traces: Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime without a
 * header; times are Windows FILETIME ticks of 100 ns, sizes bytes. Cite Narayanan, Donnelly and
 * Rowstron, "Write Off-Loading", FAST 2008. The data may not be passed on: bring your own copy.
 */
#include "block_line.h"

#include <string.h>

static bool detect(const struct probe *p)
{
	return block_line_matches(p->line, "D,T,d,O,d,d,d");
}

static const char *parse(struct trace_reader *r G_GNUC_UNUSED, const char *line G_GNUC_UNUSED,
			 const char **at, struct block_line *b, int *skip G_GNUC_UNUSED)
{
	uint64_t ticks, response, disk;

	if (!parse_u64(at, &ticks) || ticks > UINT64_MAX / 100 || !parse_char(at, ','))
		return "a FILETIME of 100 ns ticks";
	/* ns since 1601 fit 64 bits until 2185. */
	b->time_ns = ticks * 100;
	b->device = *at;
	*at = strchrnul(*at, ',');
	if (!parse_char(at, ',') || !parse_u64(at, &disk))
		return "a host name and a disk number";
	b->device_len = (size_t)(*at - b->device);
	if (!parse_char(at, ','))
		return "a comma";
	b->op = parse_literal(at, "Read") ? NVME_OP_READ : parse_literal(at, "Write") ? NVME_OP_WRITE : -1;
	if (b->op < 0)
		return "Read or Write";
	if (!parse_char(at, ',') || !parse_u64(at, &b->offset) || !parse_char(at, ',') ||
	    !parse_u64(at, &b->bytes))
		return "an offset and a size in bytes";
	if (!parse_char(at, ',') || !parse_u64(at, &response) || response > UINT64_MAX / 100)
		return "a response time of 100 ns ticks";
	b->latency_ns = response * 100;
	return NULL;
}

static int step(struct trace_reader *r, GError **error)
{
	return block_line_step(r, parse, error);
}

const struct format_ops format_msr = {
    .rank = 70,
    .pub = {"msr", "MSR Cambridge block trace (cite Narayanan et al., FAST 2008)", TRACE_NVME, false,
	    "no addresses: the memory model lays buffers out"},
    .evidence = "17 or 18 digits, host, disk, Read or Write, offset, size, response time",
    .detect = detect,
    .columns = "Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime",
    .step = step,
};
