/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FIU traces (IODedup, SRCMap): "ns pid process lba size op major minor md5", sectors of 512 bytes. The
 * process name may hold blanks, so fields are counted from the right.
 */
#include "block_line.h"

#include <string.h>

#define RIGHT_FIELDS 6 /* lba size op major minor md5 */

/* Start of the nth field from the right; NULL. */
static const char *field_from_right(const char *line, unsigned n)
{
	const char *p = line + strlen(line);

	while (n-- > 0) {
		while (p > line && p[-1] == ' ')
			p--;
		if (p == line)
			return NULL;
		while (p > line && p[-1] != ' ')
			p--;
	}
	return p;
}

static const char *parse(struct trace_reader *r, const char *line, const char **at, struct block_line *b,
			 int *skip G_GNUC_UNUSED)
{
	const char *right = field_from_right(line, RIGHT_FIELDS), *p;
	uint64_t pid, major, minor;

	(void)r;
	if (!parse_u64(at, &b->time_ns) || !parse_char(at, ' ') || !parse_u64(at, &pid) ||
	    !parse_char(at, ' '))
		return "a time in ns and a process id";
	if (!right || right <= *at)
		return "a process name, lba, size, operation, major, minor and hash";
	*at = right;
	if (!parse_sectors(at, &b->offset) || !parse_char(at, ' ') || !parse_sectors(at, &b->bytes) ||
	    !parse_char(at, ' '))
		return "a start and a length in sectors of 512 bytes";
	b->op = **at == 'R' ? NVME_OP_READ : **at == 'W' ? NVME_OP_WRITE : -1;
	if (b->op < 0)
		return "R or W";
	(*at)++;
	if (!parse_char(at, ' '))
		return "a blank";
	b->device = *at;
	if (!parse_u64(at, &major) || !parse_char(at, ' ') || !parse_u64(at, &minor))
		return "major and minor number";
	b->device_len = (size_t)(*at - b->device);
	if (!parse_char(at, ' '))
		return "a hash";
	p = *at;
	while (parse_hex_digit(*p) >= 0)
		p++;
	if (p == *at)
		return "a hash in hex";
	*at = p;
	return NULL;
}

static bool detect(const struct probe *p)
{
	const char *right = field_from_right(p->line, RIGHT_FIELDS);

	if (!right)
		return false;
	return block_line_matches(right, "d d R d d *") && block_line_matches(p->line, "d d *") &&
	       strlen(field_from_right(p->line, 1)) == 32;
}

static int step(struct trace_reader *r, GError **error)
{
	return block_line_step(r, parse, error);
}

const struct format_ops format_fiu = {
    .rank = 130,
    .pub = {"fiu", "FIU trace (IODedup, SRCMap)", TRACE_NVME, false,
	    "no addresses: the memory model lays buffers out"},
    .evidence = "ns, pid, process, lba, size, R or W, major, minor, 32 hex digits",
    .detect = detect,
    .step = step,
};
