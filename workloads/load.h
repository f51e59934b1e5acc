/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the workloads that make their own load have in common, as replayer.h is for those that replay a
 * trace: a device, the parameters and statistics of the run, buffers for the driver's path, the device's
 * accesses, and how requests end.
 */
#ifndef DMASIM_LOAD_H
#define DMASIM_LOAD_H

#include "machine/machine_io.h"
#include "sim/cpu.h"
#include "machine/machine.h"

#include <dmasim/workload.h>

struct load;

struct load_ops {
	const struct workload_ops *workload;
	size_t size;          /* of the workload's own struct */
	size_t stats, params; /* where in it are its statistics and its copy of the parameters */
	/* Devices and memory; false with *error. */
	bool (*set_up)(struct load *l, GError **error);
	/* The whole run, up to and including what is undone at its end; false with *error. */
	bool (*run)(struct load *l, GError **error);
	/* Free what set_up has made, all or part of it. NULL: nothing. */
	void (*release)(struct load *l);
};

/* Head of the workload's own struct. */
struct load {
	struct workload base;
	const struct load_ops *ops;
	struct machine *m;
	const struct dma_api *api;
	const struct driver_path *path; /* of the API for this workload, NULL: it has none */
	struct device *dev;             /* of load_device */
	void *instance;                 /* of the API, for that device */
};

/* workload_ops.create (called by the workload's own), .finish and .destroy. */
struct workload *load_new(const struct load_ops *ops, struct machine *m, const struct dma_api *api,
			  GError **error);
bool load_finish(struct workload *base, GError **error);
void load_destroy(struct workload *base);

/* The device under load, for set_up: function NULL or "": the next free one; max_seg_size 0: the default. */
bool load_device(struct load *l, const char *function, uint32_t max_seg_size, GError **error);
/* A curve of so many rows, all zero. */
void load_curve(struct load *l, const char *const *columns, unsigned ncolumns, unsigned nrows);
/* Run one piece of work on the first CPU, and the machine until nothing is left to do. */
void load_run_on_first_cpu(struct load *l, struct cpu_work *work);

/* An object of the driver's path and the memory behind it: vectors of pages of their own. */
struct load_buffer {
	struct dma_object obj;
	struct phys_vec *vecs;
	unsigned n; /* vectors */
	bool open;
};
/*
 * n vectors of bytes each; the first starts at offset first of its page, all others at rest. false when
 * there is no memory; close it in any case.
 */
bool load_buffer_open(struct load *l, struct load_buffer *b, unsigned n, uint64_t bytes, uint64_t first,
		      uint64_t rest);
void load_buffer_close(struct load *l, struct load_buffer *b);
/* Map the first n vectors. false: refused. */
bool load_buffer_map(struct load *l, struct load_buffer *b, unsigned n, enum dma_data_direction dir);
void load_buffer_unmap(struct load *l, struct load_buffer *b);

/* The device reads or writes len bytes at when. false: it failed; *done and *accepted only grow. */
static inline bool load_access(const struct load *l, enum pcie_op op, dma_addr_t addr, uint64_t len,
			       sim_time_t when, sim_time_t *done, sim_time_t *accepted)
{
	struct pcie_dma d = {.fn = l->dev->pci, .op = op, .addr = addr, .len = len, .pasid = NO_PASID};
	bool ok = !pcie_dma(&d, when);

	*done = MAX(*done, d.done);
	if (accepted)
		*accepted = MAX(*accepted, d.accepted);
	return ok;
}
/* ... all DMA ranges of an object at once. */
bool load_access_all(const struct load *l, const struct dma_object *obj, enum pcie_op op, sim_time_t when,
		     sim_time_t *done);

/* A request has ended at end, done or failed by the device. */
static inline void load_request_done(struct load *l, bool ok, uint64_t bytes, sim_time_t start,
				     sim_time_t end)
{
	l->m->io.last = MAX(l->m->io.last, end);
	if (G_UNLIKELY(!ok)) {
		machine_io_failed(l->m);
		return;
	}
	machine_io_completed(l->m, bytes, end);
	machine_io_latency(l->m, start, end);
}

#endif
