/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel_block.h"

#include "ftrace_line.h"
#include "parse.h"

#include <dmasim/trace.h>
#include <string.h>

/* "259,0 WS 65536 () 126464 + 128 ..." or "dev=271581184 sector=... nr_sector=... bytes=... rwbs=WS". */
bool kernel_block_parse(const char *payload, bool issue, struct kernel_block *b)
{
	const char *p = payload;
	size_t n;

	memset(b, 0, sizeof(*b));
	if (ftrace_field(payload, "nr_sector=") == NULL) {
		if (!parse_u64(&p, &b->major) || !parse_char(&p, ',') || !parse_u64(&p, &b->minor) ||
		    !parse_char(&p, ' '))
			return false;
	} else {
		if (!ftrace_number(payload, "dev=", &b->dev) ||
		    !ftrace_number(payload, "sector=", &b->sector) ||
		    !ftrace_number(payload, "nr_sector=", &b->sectors))
			return false;
		b->has_bytes = ftrace_number(payload, "bytes=", &b->bytes) && b->bytes > 0;
		b->major = b->dev >> 20;
		b->minor = b->dev & 0xfffff;
		p = ftrace_field(payload, "rwbs=");
		if (!p)
			return false;
	}
	n = strcspn(p, " ");
	if (n == 0 || n >= sizeof(b->rwbs))
		return false;
	memcpy(b->rwbs, p, n);
	b->dev = b->major << 20 | b->minor;
	if (ftrace_field(payload, "nr_sector="))
		return true;
	p += n;
	parse_blanks(&p);
	if (issue) {
		b->has_bytes = parse_u64(&p, &b->bytes) && b->bytes > 0;
		parse_blanks(&p);
	}
	if (!parse_char(&p, '('))
		return false;
	p = strchr(p, ')');
	if (!p)
		return false;
	p++;
	parse_blanks(&p);
	return parse_u64(&p, &b->sector) && parse_literal(&p, " + ") && parse_u64(&p, &b->sectors);
}

/* Direction by the letters: F before the direction is a preflush, behind it FUA. */
int kernel_block_op(const char *rwbs)
{
	if (rwbs[0] == 'F' && rwbs[1] != '\0' && strchr("RWD", rwbs[1]))
		rwbs++;
	switch (rwbs[0]) {
	case 'R':
		return NVME_OP_READ;
	case 'W':
		return NVME_OP_WRITE;
	case 'D':
		return NVME_OP_DISCARD;
	case 'F':
		return NVME_OP_FLUSH;
	default:
		return -1;
	}
}
