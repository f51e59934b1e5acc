/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all importers share: the reader object, device names, the accounting of records that could
 * not be used, the sorting window. An importer is one row, `const struct format_ops format_NAME`, in its own
 * file; the build finds it.
 */
#ifndef DMASIM_TRACE_READER_H
#define DMASIM_TRACE_READER_H

#include "input.h"
#include "parse.h"
#include "window.h"

#include <dmasim/trace.h>

/* The beginning of an input, decompressed, as detection sees it. */
struct probe {
	const uint8_t *bytes;
	size_t nbytes;
	const char *line;    /* first line that is neither empty nor a # comment, NUL-terminated */
	const char *comment; /* first line if it is a # comment, else "" */
};

struct format_ops {
	struct trace_format pub;
	unsigned rank; /* detection asks in this order: magic bytes first, then the most telling lines */
	bool (*detect)(const struct probe *p); /* NULL: by the names of the columns alone */
	const char *evidence;                  /* what detect looks for, for the user */
	const char *columns; /* the names of its columns, which may stand on the first line; NULL */
	size_t state_size;   /* zeroed, in reader->state */
	/* May be NULL. Reads headers; false with *error. */
	bool (*open)(struct trace_reader *r, GError **error);
	/*
	 * Read a bit of input, push any number of records. 1: go on, 0: end of input, -1 error.
	 */
	int (*step)(struct trace_reader *r, GError **error);
	void (*close)(struct trace_reader *r);
	/* Inputs besides reader->in, from 1; NULL behind the last. For traces of several files. */
	struct trace_input *(*more)(const struct trace_reader *r, unsigned i);
	bool keep_time; /* the format's own zero is the trace's start (native) */
	bool recording; /* events of a kernel: can be read as requests or as DMA API calls */
	bool calls;     /* reads such a recording as DMA API calls */
	/* Instead of step, for sources that are in order already: fill *rec. As trace_next. */
	int (*next)(struct trace_reader *r, struct trace_record *rec, GError **error);
	/* Of such sources, may be NULL: pass over some or all of *n records. As trace_next, and *last_ns when
	 * the end is reached. */
	int (*skip)(struct trace_reader *r, uint64_t *n, uint64_t *last_ns, GError **error);
};

struct device_names {
	GPtrArray *names;
	uint32_t *slots; /* open addressing, index + 1 */
	uint32_t mask;
	uint32_t last;
	size_t *lengths;
	bool *keep;
};

struct trace_reader {
	const struct format_ops *ops;
	struct trace_options options;
	struct trace_input *in;
	enum trace_workload workload;
	char *name;    /* as errors spell it */
	bool siblings; /* the name stands for NAME.blktrace.0, .1, ... */
	void *state;
	struct window *window;
	struct device_names devices;
	struct trace_counts counts;
	char *first_bad, *sha256;
	uint64_t base; /* time of the first record */
	bool based, ended;
	GError *error; /* sticky */
	GError *late;  /* waits until the records before it are handed out */
};

/* Index of a device name, added when new. */
uint32_t reader_device(struct trace_reader *r, const char *name, size_t len);

/*
 * Account for a record that cannot be used. at points into the current line (NULL: no column), want
 * says what was expected there. True when reading may go on; false with *error in strict mode, when
 * the line is the last of a file that ends in its middle, or when too many are bad.
 */
bool reader_bad(struct trace_reader *r, enum trace_bad kind, const char *line, const char *at, GError **error,
		const char *want);
/* A record that is fine but of no use here (other device, other event, empty). */
static inline void reader_skip(struct trace_reader *r, enum trace_skip kind)
{
	r->counts.skipped[kind]++;
}

/* The next line that says something: not empty, no # comment, not the names of the columns. As input_line. */
int reader_line(struct trace_reader *r, const char **line, size_t *len, GError **error);

static inline struct held *reader_slot(struct trace_reader *r)
{
	return window_slot(r->window);
}
/* Hand a filled slot to the window; drops it when its device is not wanted. */
bool reader_push(struct trace_reader *r, struct held *h, GError **error);

/* "FILE:LINE" or "FILE: byte N"; g_free it. */
char *reader_place(const struct trace_reader *r, const char *line, const char *at);

/*
 * trace_open with the formats to choose from, NULL-terminated in order of detection. The floor that knows all
 * formats (experiment/formats.c) passes them.
 */
struct trace_reader *reader_open(const struct format_ops *const *formats, const char *path,
				 const struct trace_options *o, GError **error);
/* Does a line name the columns of a format? */
bool reader_names_columns(const struct format_ops *ops, const char *line);
/* detect.c: choose r->ops by the name in the options or by content; false with *error. */
bool reader_detect(struct trace_reader *r, const struct format_ops *const *formats, GError **error);
/* A reader without input (generators). */
struct trace_reader *reader_new_source(const struct format_ops *ops, const char *name);

#endif
