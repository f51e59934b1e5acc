/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "block_line.h"

#include <string.h>

int block_line_step(struct trace_reader *r, block_line_fn fn, GError **error)
{
	const char *line, *at, *want;
	struct block_line b = {.latency_ns = TRACE_NO_TIME};
	struct trace_record *rec;
	struct held *h;
	size_t len;
	int skip = -1, rc = reader_line(r, &line, &len, error);

	if (rc <= 0)
		return rc;
	at = line;
	want = fn(r, line, &at, &b, &skip);
	if (want)
		return reader_bad(r, b.op < 0 ? TRACE_BAD_OPERATION : TRACE_BAD_MALFORMED, line, at, error,
				  want)
			   ? 1
			   : -1;
	if (skip < 0 && at != line + len)
		return reader_bad(r, TRACE_BAD_MALFORMED, line, at, error, "the end of the line") ? 1 : -1;
	if (skip < 0 && b.bytes == 0)
		skip = TRACE_SKIP_EMPTY;
	if (skip >= 0) {
		reader_skip(r, (enum trace_skip)skip);
		return 1;
	}
	if (b.offset + b.bytes < b.offset ||
	    (b.latency_ns != TRACE_NO_TIME && b.time_ns + b.latency_ns < b.time_ns))
		return reader_bad(r, TRACE_BAD_RANGE, line, NULL, error, "offset, length and time below 2^64")
			   ? 1
			   : -1;
	h = reader_slot(r);
	rec = &h->rec;
	rec->where = input_line_number(r->in);
	rec->time_ns = b.time_ns;
	rec->device = reader_device(r, b.device, b.device_len);
	rec->nvme.op = (uint8_t)b.op;
	rec->nvme.offset = b.offset;
	rec->nvme.bytes = b.bytes;
	rec->nvme.done_ns = b.latency_ns == TRACE_NO_TIME ? TRACE_NO_TIME : b.time_ns + b.latency_ns;
	return reader_push(r, h, error) ? 1 : -1;
}

/*
 * Pattern letters, each for one run of characters: 'd' digits, 'D' 17 or 18 digits, 'M' 16 digits,
 * 'S' 10 digits, 'F' digits with a fraction, 'N' digits with or without, 'T' anything but a comma,
 * 'R' R or W in either case, 'O' Read or Write, 'B' 0 or 1, '_' any number of blanks, ' ' one or
 * more, '*' the rest; other characters stand for themselves.
 */
bool block_line_matches(const char *text, const char *pattern)
{
	const char *p = text;

	for (; *pattern; pattern++) {
		const char *start = p;

		switch (*pattern) {
		case 'd':
		case 'D':
		case 'M':
		case 'S':
		case 'F':
		case 'N':
			while (parse_is_digit(*p))
				p++;
			if (p == start || (*pattern == 'D' && p - start != 17 && p - start != 18) ||
			    (*pattern == 'M' && p - start != 16) || (*pattern == 'S' && p - start != 10))
				return false;
			if ((*pattern == 'F' || *pattern == 'N') && *p == '.') {
				start = ++p;
				while (parse_is_digit(*p))
					p++;
				if (p == start)
					return false;
			} else if (*pattern == 'F') {
				return false;
			}
			break;
		case 'T':
			p += strcspn(p, ",");
			break;
		case 'R':
			if (*p == '\0' || !strchr("RWrw", *p++))
				return false;
			break;
		case 'O':
			if (!parse_literal(&p, "Read") && !parse_literal(&p, "Write"))
				return false;
			break;
		case 'B':
			if (*p != '0' && *p != '1')
				return false;
			p++;
			break;
		case ' ':
		case '_':
			parse_blanks(&p);
			if (p == start && *pattern == ' ')
				return false;
			break;
		case '*':
			return true;
		default:
			if (*p++ != *pattern)
				return false;
		}
	}
	return *p == '\0';
}
