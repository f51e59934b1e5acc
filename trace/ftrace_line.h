/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of Linux tracing text, in the three layouts that people have:
 *
 *	ftrace   comm-pid [cpu] flags sec.usec: event: payload      (tracefs "trace" file)
 *	report   comm-pid [cpu] sec.usec: event:   payload          (trace-cmd report)
 *	perf     comm pid [cpu] sec.usec: group:event: payload      (perf script)
 *
 * With the option record-tgid, ftrace has "(tgid)" in front of the CPU. Stack traces stand on lines of
 * their own behind their event ("=> function", perf script -g: "address function+offset (object)").
 *
 * A payload is the kernel's formatted text, or "name=value name=ARRAY[00, 80, ...]" where the reader
 * library could not parse the event's format (ARRAY: bytes in the recording machine's order, little
 * endian on every machine with VT-d).
 */
#ifndef DMASIM_FTRACE_LINE_H
#define DMASIM_FTRACE_LINE_H

#include <dmasim/types.h>

#include <string.h>

struct ftrace_line {
	const char *comm; /* not NUL-terminated */
	size_t comm_len;
	uint32_t pid, cpu;
	uint64_t time_ns;
	char flags[8];     /* "d.h1.", empty where the layout has none */
	const char *group; /* perf: "iommu"; else empty */
	size_t group_len;
	const char *event; /* not NUL-terminated */
	size_t event_len;
	const char *payload; /* to the end of the line, leading blanks skipped */
	bool raw;            /* field list instead of formatted text: the marker is skipped */
};

enum ftrace_kind {
	FTRACE_EVENT,   /* *out is filled */
	FTRACE_COMMENT, /* header, blank line, "version = 6", "cpus=N", "CPU n is empty", stack trace */
	FTRACE_LOST,    /* "CPU:n [LOST m EVENTS]" or "CPU:n [m EVENTS DROPPED]": *lost is m */
	FTRACE_BAD,     /* none of these; *at points to where it stopped */
};
/* line ends in NUL. lost and at may be NULL. */
enum ftrace_kind ftrace_parse(const char *line, struct ftrace_line *out, uint64_t *lost, const char **at);

/* A line that trace-cmd report prints before the events; line without leading blanks. */
bool ftrace_is_header(const char *line);

static inline bool ftrace_is(const struct ftrace_line *l, const char *event)
{
	return strncmp(l->event, event, l->event_len) == 0 && event[l->event_len] == '\0';
}
/* True while an interrupt handler runs (h or H), a soft interrupt too (s), by the flags. */
bool ftrace_in_interrupt(const struct ftrace_line *l);

/*
 * Value behind "key" (give the key with its "="); it must stand at the start or behind a blank, '(',
 * ',' or '['. NULL if there is none.
 */
const char *ftrace_field(const char *payload, const char *key);
/* Number fields; decimal, or hex with 0x; ftrace_hex always hex. False if missing or no number. */
bool ftrace_number(const char *payload, const char *key, uint64_t *v);
bool ftrace_hex(const char *payload, const char *key, uint64_t *v);

/*
 * A list "{0x1000,0x2000}" or "ARRAY[00, 10, ...]" of elements of width bytes at text. Writes at most
 * max of them; returns how many the list has, -1 if it is not a list.
 */
int ftrace_list(const char *text, unsigned width, uint64_t *v, unsigned max);

/* "TO_DEVICE" or "1" behind "dir=": enum dma_data_direction, -1 if missing. */
int ftrace_direction(const char *payload);
/* Flags behind "attrs=", names or hex. */
uint64_t ftrace_attrs(const char *payload);

#endif
