/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of directions and attributes are those of the kernel's trace points
 * (include/trace/events/dma.h, include/linux/dma-mapping.h).
 */
#include <string.h>

#include "ftrace_line.h"
#include "parse.h"

/* Where "[ddd] " starts, behind a blank: comm may hold blanks, '-', ':' and brackets. */
static const char *find_cpu(const char *line)
{
	const char *p = line;

	while ((p = strchr(p, '[')) != NULL) {
		const char *q = p + 1;

		while (parse_is_digit(*q))
			q++;
		if (p > line && p[-1] == ' ' && q > p + 1 && q[0] == ']' && q[1] == ' ')
			return p;
		p++;
	}
	return NULL;
}

/* "=> function", or an address in hex with a symbol behind it. */
static bool is_stack(const char *p)
{
	const char *q = p;
	uint64_t address;

	if (parse_literal(&q, "=> "))
		return true;
	return parse_hex(&q, &address) && q - p >= 6 && *q == ' ' && strrchr(q, '(') && strrchr(q, ')');
}

/* Behind "CPU" of a line without an event; see trace_print_lost_events() and trace-cmd-report(1). */
static bool is_lost(const char *p, uint64_t *lost)
{
	uint64_t n = 0;

	if (!parse_char(&p, ':') || !(p = strchr(p, '[')) || !strstr(p, "EVENTS"))
		return false;
	p += strcspn(p, "0123456789");
	parse_u64(&p, &n);
	if (lost)
		*lost = n;
	return true;
}

static enum ftrace_kind other_line(const char *line, uint64_t *lost, const char **at)
{
	const char *p = line;

	parse_blanks(&p);
	if (*p == '\0' || *p == '#' || ftrace_is_header(p) || (p > line && is_stack(p)))
		return FTRACE_COMMENT;
	if (parse_literal(&p, "CPU") && is_lost(p, lost))
		return FTRACE_LOST;
	if (at)
		*at = p;
	return FTRACE_BAD;
}

bool ftrace_is_header(const char *line)
{
	uint64_t n;

	return g_str_has_prefix(line, "cpus=") || g_str_has_prefix(line, "version = ") ||
	       (parse_literal(&line, "CPU ") && parse_u64(&line, &n) && strcmp(line, " is empty") == 0);
}

/* The end of the task, without the blanks and the "(  175)" or "(-------)" of record-tgid behind it. */
static const char *without_tgid(const char *line, const char *end)
{
	const char *p;

	while (end > line && end[-1] == ' ')
		end--;
	if (end == line || end[-1] != ')')
		return end;
	for (p = end - 1; p > line && strchr("0123456789 -", p[-1]); p--)
		;
	if (p - 1 <= line || p[-1] != '(' || p[-2] != ' ')
		return end;
	end = p - 1;
	while (end > line && end[-1] == ' ')
		end--;
	return end;
}

/* "comm-pid" (the last '-' counts) or "comm pid" (the last blank). */
static bool parse_task(const char *line, const char *end, struct ftrace_line *out)
{
	const char *p;

	while (line < end && *line == ' ')
		line++;
	end = without_tgid(line, end);
	p = end;
	while (p > line && parse_is_digit(p[-1]))
		p--;
	if (p == end || p == line || (p[-1] != '-' && p[-1] != ' '))
		return false;
	out->comm = line;
	out->comm_len = (size_t)(p - 1 - line);
	while (out->comm_len > 0 && line[out->comm_len - 1] == ' ')
		out->comm_len--;
	return parse_u32(&p, &out->pid);
}

static bool parse_flags_and_time(const char **pp, struct ftrace_line *out)
{
	const char *p = *pp;
	size_t n = strcspn(p, " ");

	if (n < sizeof(out->flags) && n > 0 && p[n - 1] != ':') {
		memcpy(out->flags, p, n);
		out->flags[n] = '\0';
		p += n;
		parse_blanks(&p);
	}
	*pp = p;
	if (!parse_fixed(&p, 9, &out->time_ns) || *p != ':' || p[1] != ' ')
		return false;
	*pp = p + 1;
	return true;
}

static bool parse_event(const char **pp, struct ftrace_line *out)
{
	const char *p = *pp, *colon, *end;

	parse_blanks(&p);
	end = p + strcspn(p, " ");
	if (g_str_has_prefix(p, "<stack trace>")) /* the kernel's own event has no colon */
		end = p + strlen("<stack trace>");
	else if (end == p || *--end != ':') {
		*pp = p;
		return false;
	}
	colon = memchr(p, ':', (size_t)(end - p));
	out->group = p;
	out->group_len = colon ? (size_t)(colon - p) : 0;
	out->event = colon ? colon + 1 : p;
	out->event_len = (size_t)(end - out->event);
	p = end + (*end == ':');
	parse_blanks(&p);
	out->raw = parse_literal(&p, "[FAILED TO PARSE]");
	parse_blanks(&p);
	out->payload = p;
	*pp = p;
	return true;
}

enum ftrace_kind ftrace_parse(const char *line, struct ftrace_line *out, uint64_t *lost, const char **at)
{
	const char *p = find_cpu(line), *stop = line;
	uint64_t cpu;

	if (!p)
		return other_line(line, lost, at);
	memset(out, 0, sizeof(*out));
	if (parse_task(line, p, out)) {
		stop = ++p;
		if (parse_u64(&p, &cpu) && cpu <= UINT16_MAX && parse_literal(&p, "] ")) {
			out->cpu = (uint32_t)cpu;
			parse_blanks(&p);
			if (parse_flags_and_time(&p, out) && parse_event(&p, out))
				return FTRACE_EVENT;
			stop = p;
		}
	}
	if (at)
		*at = stop;
	return FTRACE_BAD;
}

bool ftrace_in_interrupt(const struct ftrace_line *l)
{
	return strpbrk(l->flags, "hHs") != NULL;
}

const char *ftrace_field(const char *payload, const char *key)
{
	size_t n = strlen(key);
	const char *p = payload;

	while ((p = strstr(p, key)) != NULL) {
		if (p == payload || strchr(" (,[", p[-1]))
			return p + n;
		p += n;
	}
	return NULL;
}

bool ftrace_number(const char *payload, const char *key, uint64_t *v)
{
	const char *p = ftrace_field(payload, key);

	return p && parse_number(&p, v);
}

bool ftrace_hex(const char *payload, const char *key, uint64_t *v)
{
	const char *p = ftrace_field(payload, key);

	return p && parse_hex(&p, v);
}

static int byte_array(const char *p, unsigned width, uint64_t *v, unsigned max)
{
	unsigned n = 0, have = 0;
	uint64_t x = 0;

	while (*p != ']') {
		int hi = parse_hex_digit(p[0]), lo = hi < 0 ? -1 : parse_hex_digit(p[1]);

		if (lo < 0)
			return -1;
		x |= (uint64_t)(hi << 4 | lo) << 8 * have;
		if (++have == width) {
			if (n < max)
				v[n] = x;
			n++;
			have = 0;
			x = 0;
		}
		p += 2;
		if (*p == ',')
			p++;
		parse_blanks(&p);
	}
	return have ? -1 : (int)n;
}

int ftrace_list(const char *text, unsigned width, uint64_t *v, unsigned max)
{
	const char *p = text;
	unsigned n = 0;

	if (parse_literal(&p, "ARRAY["))
		return byte_array(p, width, v, max);
	if (!parse_char(&p, '{'))
		return -1;
	while (*p != '}') {
		uint64_t x;

		if (!parse_hex(&p, &x))
			return -1;
		if (n < max)
			v[n] = x;
		n++;
		if (*p == ',')
			p++;
		parse_blanks(&p);
	}
	return (int)n;
}

int ftrace_direction(const char *payload)
{
	static const char *const names[] = {"BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE", "NONE"};
	const char *p = ftrace_field(payload, "dir=");
	uint64_t v;

	if (!p)
		return -1;
	if (parse_u64(&p, &v))
		return v < G_N_ELEMENTS(names) ? (int)v : -1;
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		if (strncmp(p, names[i], strlen(names[i])) == 0)
			return (int)i;
	return -1;
}

uint64_t ftrace_attrs(const char *payload)
{
	static const struct {
		const char *name;
		unsigned bit;
	} names[] = {
	    {"WEAK_ORDERING", 1},     {"WRITE_COMBINE", 2},    {"NO_KERNEL_MAPPING", 4},
	    {"SKIP_CPU_SYNC", 5},     {"FORCE_CONTIGUOUS", 6}, {"ALLOC_SINGLE_PAGES", 7},
	    {"NO_WARN", 8},           {"PRIVILEGED", 9},       {"MMIO", 10},
	    {"REQUIRE_COHERENT", 12}, {"CC_SHARED", 13},
	};
	const char *p = ftrace_field(payload, "attrs=");
	uint64_t v = 0, x;

	while (p && *p && *p != ' ') {
		size_t n = strcspn(p, "| ");

		for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
			if (n == strlen(names[i].name) && strncmp(p, names[i].name, n) == 0)
				v |= 1ull << names[i].bit;
		if (parse_is_digit(*p)) {
			const char *q = p;

			if (parse_number(&q, &x))
				v |= x;
		}
		p += n;
		if (*p == '|')
			p++;
	}
	return v;
}
