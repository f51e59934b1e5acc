/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recording this machine's kernel: the tracepoints and probes that dmasim reads, in a tracefs instance of
 * their own, and what a reader must know of the machine. The result is one directory, which `dmasim verify`
 * and `dmasim replay` take as it is.
 */
#ifndef DMASIM_RECORD_H
#define DMASIM_RECORD_H

#include <dmasim/error.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct record_options {
	const char *output;                /* directory that is made; must not exist */
	const char *root;                  /* "" or a folder that holds proc and sys, for tests */
	char *const *command;              /* what to record, NULL: until *stop or duration */
	uint64_t duration_ns;              /* 0: without end */
	uint64_t buffer_kib;               /* per CPU; 0: an eighth of the available memory */
	const volatile sig_atomic_t *stop; /* set: the recording ends and is kept */
	void (*say)(void *arg, const char *text);
	void *arg;
};

struct record_result {
	uint64_t events;  /* lines of the recording */
	uint64_t lost;    /* events that did not fit into the buffer */
	uint64_t cut;     /* events left out, because others of their time were lost */
	uint64_t missed;  /* hits of probes that left no line */
	int status;       /* of the command, as wait(2) gives it */
	GPtrArray *notes; /* what could not be had, one line each */
};

/*
 * false with *error (DMASIM_ERROR), and nothing left of it on the machine or in the output. result is to be
 * cleared in both cases.
 */
bool record_run(const struct record_options *o, struct record_result *result, GError **error);
void record_result_clear(struct record_result *result);

/* A shell script that records the same by hand; g_free it. */
char *record_script(void);
/* Could it be recorded on this machine, by this user? false with *error as record_run would fail. */
bool record_possible(const char *root, GError **error);

/* The events that a recording can hold. */
struct record_event {
	const char *name;      /* of its lines */
	const char *system;    /* a tracepoint's group, NULL: a probe */
	const char *function;  /* a probe's function */
	bool returns;          /* probed where it returns */
	const char *arguments; /* "size={size|2}:u64": name, the function's parameter and its place, type */
	unsigned since, until; /* releases that have it, 0: all; see RECORD_RELEASE */
	bool optional;         /* may be missing without a loss: a matter of configuration */
	bool only;             /* elsewhere the probe would mean something else: not armed there */
	const char *instead;   /* a probe: only where this group of tracepoints is missing */
	const char *what;      /* it is for */
};
#define RECORD_RELEASE(major, minor) ((major) << 8 | (minor))
extern const struct record_event record_events[];
extern const unsigned record_events_count;

#endif
