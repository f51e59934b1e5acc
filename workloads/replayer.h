/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the workloads that replay a trace have in common. A record becomes a job: it is handed to a CPU at
 * its time and ends when its driver and its device have done with it. Devices come into being as records
 * name them. At the end all jobs in flight end, what the trace has left is undone on a CPU, as a driver
 * being removed would, and everything is freed.
 */
#ifndef DMASIM_REPLAYER_H
#define DMASIM_REPLAYER_H

#include "machine/machine_io.h"
#include "sim/cpu.h"
#include "machine/machine.h"

#include <dmasim/workload.h>

struct replayer;

/* A PCI function of the replayed driver: head of the workload's own struct. */
struct replayer_dev {
	struct device *dev;
	void *instance; /* of the DMA API */
};

/* One record on its way: head of the workload's own struct. Jobs are used again, their memory stays. */
struct replayer_job {
	struct cpu_work work;
	struct replayer_job *next; /* of the free list, or whatever queue the workload has it in */
	struct cpu *cpu;           /* the record's */
	uint64_t where;            /* the record, for messages */
	sim_time_t start;          /* the record's time */
	struct trace_segment *segs;
	uint32_t nsegs, room;
};

struct replayer_ops {
	const struct workload_ops *workload;
	size_t size, job_size; /* of the workload's own structs */
	size_t stats, params;  /* where in it are its statistics and its copy of the parameters */
	const char *jobs;      /* what jobs are in messages: "requests" */
	/* A new device, NULL with *error; and its end, after release. */
	struct replayer_dev *(*dev_new)(struct replayer *r, GError **error);
	void (*dev_free)(struct replayer *r, struct replayer_dev *d);
	/* Undo what the trace has left of a device, on a CPU; may be called twice. NULL: nothing is left. */
	void (*dev_release)(struct replayer_dev *d);
	/* What a job owns besides its head. NULL: nothing. */
	void (*job_free)(struct replayer_job *j);
	/* Why the run cannot go on, for replayer_job_failed. */
	const char *(*explain)(int err);
};

struct replayer {
	struct workload base;
	const struct replayer_ops *ops;
	struct machine *m;
	const struct dma_api *api;
	const struct driver_path *path; /* of the API for this workload */
	struct replayer_dev **devs;     /* as the trace numbers them */
	unsigned ndevs, in_flight;
	struct replayer_job *free;
	GPtrArray *jobs; /* all ever made */
	int failed;      /* errno of a job that could not be carried out; its record: */
	uint64_t failed_where;
};

/* A zeroed struct of ops->size with its head and its parameters filled in. */
void *replayer_new(const struct replayer_ops *ops, struct machine *m, const struct dma_api *api);
/* workload_ops.finish and .destroy. */
bool replayer_finish(struct workload *base, GError **error);
void replayer_destroy(struct workload *base);

/* The device with this number, and all before it. NULL with *error. */
struct replayer_dev *replayer_dev(struct replayer *r, unsigned number, GError **error);
/* Give d the next free PCI function, limits, and what the API keeps for it; for ops->dev_new. */
bool replayer_dev_init(struct replayer *r, struct replayer_dev *d, uint64_t mask, unsigned max_seg_size,
		       GError **error);
void replayer_dev_fini(struct replayer *r, struct replayer_dev *d);

/* A job, of the free list or new; its memory back to the list. */
void *replayer_job_get(struct replayer *r);
void replayer_job_put(struct replayer *r, struct replayer_job *j);
/* A job in flight that has taken over what every record says; and its end. */
void *replayer_job_begin(struct replayer *r, const struct trace_record *rec);
void replayer_job_end(struct replayer *r, struct replayer_job *j);
/* The first one is what replayer_report tells the user. */
void replayer_job_failed(struct replayer *r, const struct replayer_job *j, int err);

/* Run the machine to its next event; false when there is none. */
bool replayer_step(struct replayer *r);
/* Run it until at most in_flight jobs are; false when they never end. */
bool replayer_wait(struct replayer *r, unsigned in_flight);
/* false with *error when a job has failed. */
bool replayer_report(const struct replayer *r, GError **error);
/* Sets *error: what is before rec never ends. Returns false. */
bool replayer_stuck(const struct replayer *r, const struct trace_record *rec, GError **error);

/* A record begins at start. */
static inline void replayer_count_record(struct replayer *r, sim_time_t start)
{
	if (r->m->io.records++ == 0)
		r->m->io.first = start;
}

/* Data of a request that began at start have moved. */
static inline void replayer_count_io(struct replayer *r, uint64_t bytes, sim_time_t start, sim_time_t end)
{
	machine_io_completed(r->m, bytes, end);
	if (r->m->sim.timing)
		machine_io_latency(r->m, start, end);
}

#endif
