/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace records, readers, the native writer. A reader streams: a record and its segments are valid
 * until the next call. Formats are found by content; compression (.gz .xz .zst .bz2) and standard
 * input ("-") are transparent.
 */
#ifndef DMASIM_TRACE_H
#define DMASIM_TRACE_H

#include <dmasim/export.h>
#include <dmasim/param.h>

enum trace_workload { TRACE_NVME, TRACE_RDMA_ODP, TRACE_VFIO_MIGRATION, TRACE_DMA, TRACE_WORKLOADS };
DMASIM_API extern const char
    *const trace_workload_names[]; /* "nvme" "rdma_odp" "vfio_migration" "dma_replay", NULL */

struct trace_segment {
	phys_addr_t phys;
	uint32_t len;
	uint8_t kind; /* enum memory_kind */
	uint8_t node;
};

enum nvme_op { NVME_OP_READ, NVME_OP_WRITE, NVME_OP_FLUSH, NVME_OP_DISCARD };
enum odp_event { ODP_REG, ODP_FAULT, ODP_PREFETCH, ODP_INVAL, ODP_DEREG, ODP_ACCESS };
enum vfio_event {
	VFIO_ALLOC,
	VFIO_SAVE,
	VFIO_LOAD,
	VFIO_READ,
	VFIO_FREE,
	VFIO_TRACK_START,
	VFIO_TRACK_READ,
	VFIO_TRACK_STOP
};
/* What a migration buffer is for; stop_copy: data saved while the VM stands still. */
enum vfio_purpose { VFIO_PURPOSE_DATA, VFIO_PURPOSE_HEADER, VFIO_PURPOSE_TRACKER, VFIO_PURPOSE_STOP_COPY };
enum dma_event {
	DMA_EV_MAP,
	DMA_EV_UNMAP,
	DMA_EV_MAP_SG,
	DMA_EV_UNMAP_SG,
	DMA_EV_TRY_ALLOC,
	DMA_EV_LINK,
	DMA_EV_SYNC,
	DMA_EV_UNLINK,
	DMA_EV_DESTROY,
	DMA_EV_FREE,
	DMA_EV_ALLOC_COHERENT,
	DMA_EV_FREE_COHERENT,
};

#define TRACE_NO_TIME UINT64_MAX

struct trace_record {
	uint64_t time_ns; /* since the first record */
	uint32_t cpu;
	uint32_t device; /* index into trace_device_name */
	uint64_t where;  /* line (text) or byte offset (binary) of the record in its file */
	uint32_t nsegs;
	const struct trace_segment *segs; /* the request's vectors as handed over; NULL: lay them out */
	union {
		struct {
			uint32_t queue;
			uint8_t op;       /* enum nvme_op */
			bool split_front; /* a front part of a split: its gap information is lost on 7.0 */
			bool split_done;  /* already split by the recorded kernel: do not split again */
			uint64_t offset, bytes;
			uint64_t done_ns; /* TRACE_NO_TIME when the trace does not record it */
			uint32_t done_cpu;
		} nvme;
		struct {
			uint8_t event; /* enum odp_event */
			bool write, implicit;
			uint32_t mr, access;
			uint64_t offset, bytes, va;
		} odp;
		struct {
			uint8_t event;     /* enum vfio_event */
			uint8_t direction; /* enum dma_data_direction */
			uint8_t purpose;   /* enum vfio_purpose */
			bool incremental;
			uint32_t buffer;
			uint64_t offset, bytes;
		} vfio;
		struct {
			uint8_t event; /* enum dma_event */
			uint8_t dir;
			uint64_t attrs;
			uint64_t handle; /* recorded DMA address: names the mapping until unmap */
			uint64_t phys, offset, bytes;
		} dma;
	};
};

struct trace_reader;
struct trace_options {
	const char *format;  /* force a format by name; NULL: by content */
	const char *columns; /* what the columns of a text are (trace/columns.c); NULL: a set that is known */
	const char *device;  /* keep only this device; NULL: all */
	const char *member;  /* tar archives: glob of the members to read; NULL: all */
	bool calls;          /* recordings of a kernel: its DMA API calls, not block requests */
	bool strict;         /* stop at the first bad record */
	bool queue_events;   /* blktrace: Q instead of D */
	bool keep_time;      /* times as recorded, not from the first record */
	double time_scale;   /* 1.0 */
	double bad_limit;    /* share of bad records that is an error; 0: 0.01 */
	uint64_t window_ns;  /* how far out of order records may be; 0: 1 s of trace time */
	uint32_t window_records; /* ... and how many may be held back; 0: 65536 */
	uint64_t fio_wait_ns;    /* unit of fio version 2 wait times; 0: 1 ms, as fio's code reads them */
};
#define TRACE_OPTIONS_DEFAULT ((struct trace_options){.time_scale = 1.0})

/* Records that could not be used, by cause. */
enum trace_bad { TRACE_BAD_MALFORMED, TRACE_BAD_OPERATION, TRACE_BAD_RANGE, TRACE_BAD_KINDS };
/* Records that are well formed but are none of this trace's requests, by cause. */
enum trace_skip {
	TRACE_SKIP_EMPTY,    /* no bytes */
	TRACE_SKIP_DEVICE,   /* another device than the chosen one */
	TRACE_SKIP_EVENT,    /* another kind of event */
	TRACE_SKIP_NO_REPLY, /* the recorder saw no answer, so the operation is not known */
	TRACE_SKIP_KINDS
};
DMASIM_API extern const char *const trace_bad_names[TRACE_BAD_KINDS],
    *const trace_skip_names[TRACE_SKIP_KINDS];

struct trace_counts {
	uint64_t records;      /* handed out */
	uint64_t out_of_order; /* sorted into place */
	uint64_t incomplete;   /* requests whose completion the trace should hold but does not */
	uint64_t lost;         /* events that the recorder says it dropped */
	uint64_t no_vectors;   /* requests whose vectors the trace should hold but does not */
	uint64_t bad[TRACE_BAD_KINDS], skipped[TRACE_SKIP_KINDS];
};

/* What a format is, for detection, listing and help. */
struct trace_format {
	const char *name, *help;
	enum trace_workload workload; /* native formats: the header decides, see trace_reader_workload */
	bool binary;                  /* places are byte offsets, not lines */
	const char *note;             /* what reading it assumes; NULL: nothing */
};
DMASIM_API const struct trace_format *const *trace_formats(void); /* NULL-terminated */

/* Open path ("-": standard input). NULL with *error naming file, line or offset, and remedy. */
DMASIM_API struct trace_reader *trace_open(const char *path, const struct trace_options *o, GError **error);
DMASIM_API const struct trace_format *trace_reader_format(const struct trace_reader *r);
/* What this trace's records are. */
DMASIM_API enum trace_workload trace_reader_workload(const struct trace_reader *r);
/* 1: *rec filled; 0: end of trace; -1: error. */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT int trace_next(struct trace_reader *r, struct trace_record *rec,
						    GError **error);
/*
 * Pass over *n records, by blocks where the format allows it; *n becomes those that are left, *last_ns the
 * time of the last where it is known. As trace_next.
 */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT int trace_skip(struct trace_reader *r, uint64_t *n, uint64_t *last_ns,
						    GError **error);
DMASIM_API const char *trace_device_name(const struct trace_reader *r, uint32_t device);
/* Raw input bytes consumed so far and the file's size (0 if unknown), for progress. */
DMASIM_API uint64_t trace_bytes_read(const struct trace_reader *r, uint64_t *size);
/* SHA-256 of the input as stored, hex; valid after the end of the trace. NULL where trace_skip has not read
 * all. */
DMASIM_API const char *trace_sha256(struct trace_reader *r);
/* What was read and what was left out so far. */
DMASIM_API const struct trace_counts *trace_counts(const struct trace_reader *r);
/* Place and cause of the first bad record, NULL if there was none. */
DMASIM_API const char *trace_first_bad(const struct trace_reader *r);
DMASIM_API void trace_close(struct trace_reader *r);

/* Native writers: ".csv" or ".dmt" by name, compressed by suffix; temporary name, then renamed. */
struct trace_writer;
DMASIM_API struct trace_writer *trace_writer_open(const char *path, enum trace_workload w, GError **error);
DMASIM_API G_GNUC_WARN_UNUSED_RESULT bool trace_write(struct trace_writer *w, const struct trace_record *rec,
						      const char *device, GError **error);
DMASIM_API G_GNUC_WARN_UNUSED_RESULT bool trace_writer_close(struct trace_writer *w, GError **error);
/* Give up: the file that was there before stays. */
DMASIM_API void trace_writer_abandon(struct trace_writer *w);

/* Generators look like readers: name plus key=value parameters. */
struct trace_generator {
	const char *name, *help;
	enum trace_workload workload;
	const struct param_table *params;
};
DMASIM_API const struct trace_generator *const *trace_generators(void);          /* NULL-terminated */
DMASIM_API const struct trace_generator *trace_generator_find(const char *name); /* NULL if unknown */
/* Set one parameter from "key=value". */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT bool trace_generator_set(const struct trace_generator *g, void *params,
							      const char *setting, GError **error);
/* Named settings of a generator. */
struct trace_preset {
	const char *name, *generator, *help, *settings; /* settings: "key=value key=value" */
};
DMASIM_API const struct trace_preset *trace_presets(unsigned *n);
DMASIM_API const struct trace_preset *trace_preset_find(const char *name); /* NULL if unknown */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT bool trace_preset_apply(const struct trace_preset *p, void *params,
							     GError **error);
DMASIM_API struct trace_reader *trace_generate(const struct trace_generator *g, const void *params,
					       uint64_t seed, GError **error);

#define TRACE_ERROR (trace_error_quark())
DMASIM_API GQuark trace_error_quark(void);
enum trace_error {
	TRACE_ERROR_OPEN,
	TRACE_ERROR_FORMAT,
	TRACE_ERROR_RECORD,
	TRACE_ERROR_TRUNCATED,
	TRACE_ERROR_WRITE,
	TRACE_ERROR_USAGE /* what was asked for does not exist, e.g. the name of a format */
};

#endif
