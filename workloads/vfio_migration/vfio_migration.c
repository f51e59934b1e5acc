/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The migration workload. Each VF carries out its events in the order of the trace, the next one when
 * the one before has ended; a save ends with its command, its data arrive later, and a read waits for
 * them. Downtime is the time from the first save while the VM stands still to the last read (or load)
 * of what was saved then.
 */
#include "vfio.h"

#include <dmasim/pcie.h>
#include <dmasim/vtd.h>
#include <string.h>

#define BURST (64 * PAGE_SIZE) /* bytes that a device moves between two looks at the clock */

#define P(m) offsetof(struct vfio_params, m)
static const struct param_spec param_specs[] = {
    {"tracked_page", PARAM_SIZE, "bytes", P(tracked_page), "4096", 4096, 1 << 30, NULL,
     "page size of dirty tracking", "the device's range is not published (E)"},
    {"report_bytes", PARAM_SIZE, "bytes", P(report_bytes), "4096", 8, 1 << 21, NULL,
     "bytes of one dirty report", "2^pg_track_log_max_msg_size, device dependent (E)"},
    {"max_queue", PARAM_UINT, "", P(max_queue), "64", 1, 1 << 20, NULL, "events of one VF that may wait",
     NULL},
    {"save_bandwidth", PARAM_DOUBLE, "GB/s", P(save_bandwidth), "0.42", 0.001, 1000, NULL,
     "at which firmware produces state", "400 MiB/s, from the downtime of 4 VFs with 400 MiB (E)"},
    {"load_bandwidth", PARAM_DOUBLE, "GB/s", P(load_bandwidth), "0.42", 0.001, 1000, NULL,
     "at which firmware takes state in", "as save_bandwidth (E)"},
    {"stop_cost", PARAM_TIME, "", P(stop_cost), "150ms", 0, 0, NULL,
     "fixed time to stop a VF before its last saves", "(E)"},
    {"copy_bandwidth", PARAM_DOUBLE, "GB/s", P(copy_bandwidth), "8", 0.001, 1000, NULL,
     "of the copy to the user", "(E)"},
    {"traffic", PARAM_BOOL, "", P(traffic), "true", 0, 0, NULL,
     "devices move the data (else only the driver works)", NULL},
    {"command_latency", PARAM_TIME, "", P(command_latency), "100us", 0, 0, NULL, "one firmware command",
     "(E)"},
    {"page_alloc", PARAM_TIME, "", P(page_alloc), "60ns", 0, 0, NULL,
     "CPU time per page of a bulk allocation", "(E)"},
    {"report_entry", PARAM_TIME, "", P(report_entry), "5ns", 0, 0, NULL,
     "CPU time to set one dirty page's bit", "(E)"},
};
#undef P
const struct param_table vfio_param_table = {
    .section = "vfio",
    .help = "VF migration (workload vfio_migration)",
    .specs = param_specs,
    .nspecs = G_N_ELEMENTS(param_specs),
    .struct_size = sizeof(struct vfio_params),
};

#define S(m) offsetof(struct vfio_stats, m)
static const struct stat_spec stat_specs[] = {
    {"vfio.buffers_allocated", STAT_COUNTER, "count", S(buffers_allocated), NULL, false, "buffers allocated"},
    {"vfio.buffers_freed", STAT_COUNTER, "count", S(buffers_freed), NULL, false, "buffers freed"},
    {"vfio.buffers_reused", STAT_COUNTER, "count", S(buffers_reused), NULL, false,
     "saves and loads into a buffer that was there"},
    {"vfio.buffers_outgrown", STAT_COUNTER, "count", S(buffers_outgrown), NULL, false,
     "buffers freed because they were too small or of the other direction"},
    {"vfio.pages", STAT_COUNTER, "count", S(pages), NULL, false, "pages of all buffers"},
    {"vfio.saves", STAT_COUNTER, "count", S(saves), NULL, false, "SAVE commands"},
    {"vfio.loads", STAT_COUNTER, "count", S(loads), NULL, false, "LOAD commands"},
    {"vfio.reads", STAT_COUNTER, "count", S(reads), NULL, false, "reads by the user"},
    {"vfio.save_bytes", STAT_COUNTER, "bytes", S(save_bytes), NULL, false, "state saved"},
    {"vfio.load_bytes", STAT_COUNTER, "bytes", S(load_bytes), NULL, false, "state loaded"},
    {"vfio.read_bytes", STAT_COUNTER, "bytes", S(read_bytes), NULL, false, "state read by the user"},
    {"vfio.precopy_bytes", STAT_COUNTER, "bytes", S(precopy_bytes), NULL, false,
     "... saved while the VM ran"},
    {"vfio.stop_copy_bytes", STAT_COUNTER, "bytes", S(stop_copy_bytes), NULL, false,
     "... saved while it stood still"},
    {"vfio.track_reads", STAT_COUNTER, "count", S(track_reads), NULL, false, "reads of the dirty bitmap"},
    {"vfio.track_entries", STAT_COUNTER, "count", S(track_entries), NULL, false, "dirty pages reported"},
    {"vfio.track_reports", STAT_COUNTER, "count", S(track_reports), NULL, false, "report messages received"},
    {"vfio.sg_entries", STAT_COUNTER, "count", S(sg_entries), NULL, false,
     "scatterlist entries of all buffers"},
    {"vfio.mtt_entries", STAT_COUNTER, "count", S(mtt_entries), NULL, false,
     "translations written into memory keys"},
    {"vfio.mkeys", STAT_COUNTER, "count", S(mkeys), NULL, false, "memory keys created"},
    {"vfio.transfer_errors", STAT_COUNTER, "count", S(transfer_errors), NULL, false,
     "accesses that the IOMMU or the fabric refused"},
    {"vfio.downtime_ns", STAT_TIME_NS, "ns", S(downtime), NULL, true, "longest stop-copy of a VF"},
    {"vfio.save_ns", STAT_TIME_NS, "ns", S(save_time), NULL, true,
     "time of all SAVE commands until their data were there"},
    {"vfio.load_ns", STAT_TIME_NS, "ns", S(load_time), NULL, true, "time of all LOAD commands"},
};
#undef S
const struct stat_table vfio_stat_table = {
    .specs = stat_specs,
    .nspecs = G_N_ELEMENTS(stat_specs),
    .struct_size = sizeof(struct vfio_stats),
};

struct vfio_job {
	struct cpu_work work;
	struct event step;
	struct vfio_dev *dev;
	struct vfio_job *next;
	struct vfio_buffer *buffer;
	unsigned cpu;
	uint8_t event, purpose, dir;
	uint32_t id;
	uint64_t offset, bytes, moved, where;
	sim_time_t start, begun, pace;
	struct trace_segment *segs;
	uint32_t nsegs, room;
};

static void start_next(struct vfio_dev *d);

static struct vfio_job *job_get(struct vfio_workload *w)
{
	struct vfio_job *j = w->free_jobs;

	if (j) {
		w->free_jobs = j->next;
		return j;
	}
	j = g_new0(struct vfio_job, 1);
	g_ptr_array_add(w->jobs, j);
	return j;
}

static void job_put(struct vfio_job *j)
{
	struct vfio_workload *w = j->dev->w;

	w->in_flight--;
	j->next = w->free_jobs;
	w->free_jobs = j;
}

/* The VF may go on with its next event. */
static void next_event(struct vfio_dev *d)
{
	d->busy = false;
	start_next(d);
}

static void job_failed(struct vfio_job *j, int err)
{
	struct vfio_workload *w = j->dev->w;

	if (!w->failed) {
		w->failed = err;
		w->failed_where = j->where;
	}
}

static sim_time_t transfer_time(uint64_t bytes, double gb_per_s)
{
	return (sim_time_t)((double)bytes / gb_per_s * 1000.0); /* ps */
}

static void note_stop_copy(struct vfio_dev *d, sim_time_t from, sim_time_t to)
{
	struct vfio_workload *w = d->w;

	if (!d->stopped)
		d->stop_first = from;
	d->stopped = true;
	d->stop_last = MAX(d->stop_last, to);
	w->st.downtime = MAX(w->st.downtime, d->stop_last - d->stop_first);
}

/* The buffer for a save or load of bytes: the one of this number if it fits, else a new one. */
static struct vfio_buffer *buffer_for(struct vfio_job *j, enum dma_data_direction dir, int *err)
{
	struct vfio_workload *w = j->dev->w;
	struct vfio_buffer *b = vfio_buffer_find(j->dev, j->id, j->purpose == VFIO_PURPOSE_TRACKER);

	*err = 0;
	if (b && b->obj.dir == dir && b->obj.bytes >= j->bytes) {
		w->st.buffers_reused++;
		return b;
	}
	if (b) {
		w->st.buffers_outgrown++;
		vfio_buffer_free(b);
	}
	b = vfio_buffer_alloc(j->dev, j->id, j->purpose, j->bytes, dir, j->segs, j->nsegs, err);
	return b;
}

/* ---- what the device does ---- */

static void transfer_done(struct vfio_job *j, sim_time_t when)
{
	struct vfio_workload *w = j->dev->w;
	struct io_stats *io = &w->m->io;

	io->completed++;
	io->bytes += j->bytes;
	io->last = MAX(io->last, when);
	if (w->m->sim.timing && io->latency_ns)
		hist_add(io->latency_ns, (when - j->start) / SIM_NS, 1);
	j->buffer->ready = when;
	if (j->buffer->waiter)
		cpu_post(j->buffer->waiter_cpu, j->buffer->waiter, when);
	j->buffer->waiter = NULL;
	if (j->event == VFIO_SAVE) {
		w->st.save_time += when - j->begun;
	} else {
		w->st.load_time += when - j->begun;
	}
	if (j->purpose == VFIO_PURPOSE_STOP_COPY)
		note_stop_copy(j->dev, j->begun, when);
}

/* Move a burst of the image; the pace of the firmware and the fabric both hold it back. */
static sim_time_t move_burst(struct vfio_job *j, sim_time_t when)
{
	struct vfio_workload *w = j->dev->w;
	uint64_t end = MIN(j->moved + BURST, j->bytes);
	sim_time_t done = when;

	j->pace += transfer_time(end - j->moved,
				 j->event == VFIO_SAVE ? w->params.save_bandwidth : w->params.load_bandwidth);
	while (j->moved < end) {
		uint64_t len = end - j->moved;
		struct pcie_dma d = {.fn = j->dev->dev->pci,
				     .op = j->event == VFIO_SAVE ? PCIE_WRITE : PCIE_READ,
				     .addr = vfio_buffer_address(j->buffer, j->moved, &len),
				     .pasid = VTD_NO_PASID};

		d.len = len;
		if (w->params.traffic && pcie_dma(&d, when))
			w->st.transfer_errors++;
		done = MAX(done, d.done);
		j->moved += len;
	}
	return w->m->sim.timing ? MAX(done, j->pace) : when;
}

static void run_transfer(struct event *ev, sim_time_t now)
{
	struct vfio_job *j = (struct vfio_job *)((char *)ev - offsetof(struct vfio_job, step));
	struct vfio_dev *d = j->dev;
	bool load = j->event == VFIO_LOAD;

	do
		now = move_burst(j, now);
	while (!d->w->m->sim.timing && j->moved < j->bytes);
	if (j->moved < j->bytes) {
		sim_schedule(&d->w->m->sim, &j->step, now);
		return;
	}
	transfer_done(j, now);
	job_put(j);
	if (load)
		next_event(d);
}

/* ---- what the driver does ---- */

/* SAVE or LOAD: the command; its data move on their own. */
static int start_transfer(struct vfio_job *j, struct cpu *cpu)
{
	struct vfio_workload *w = j->dev->w;
	struct vfio_dev *d = j->dev;
	bool save = j->event == VFIO_SAVE;
	int err;

	j->buffer = buffer_for(j, save ? DMA_FROM_DEVICE : DMA_TO_DEVICE, &err);
	if (!err)
		err = vfio_buffer_map(j->buffer);
	if (err)
		return err;
	if (save) {
		w->st.saves++;
		w->st.save_bytes += j->bytes;
		*(j->purpose == VFIO_PURPOSE_STOP_COPY ? &w->st.stop_copy_bytes
						       : &w->st.precopy_bytes) += j->bytes;
	} else {
		w->st.loads++;
		w->st.load_bytes += j->bytes;
	}
	j->begun = cpu->now;
	j->moved = 0;
	j->buffer->ready = SIM_TIME_NEVER;
	j->step.fn = run_transfer;
	j->step.priority = EVENT_HARDWARE;
	if (w->m->sim.timing) {
		/* One engine in the firmware: commands of a VF follow one another. */
		j->pace = MAX(cpu->now + w->params.command_latency, d->engine_free);
		if (save && j->purpose == VFIO_PURPOSE_STOP_COPY && !d->stopping)
			j->pace += w->params.stop_cost;
		d->stopping |= j->purpose == VFIO_PURPOSE_STOP_COPY;
		d->engine_free = j->pace + transfer_time(j->bytes, save ? w->params.save_bandwidth
									: w->params.load_bandwidth);
		sim_schedule(&w->m->sim, &j->step, j->pace);
	} else {
		run_transfer(&j->step, w->m->sim.now);
	}
	if (save)
		next_event(d);
	return 0;
}

/* The user reads a part of the stream; false when its data are still on their way. */
static bool read_part(struct vfio_job *j, struct cpu *cpu)
{
	struct vfio_workload *w = j->dev->w;
	struct vfio_buffer *b = vfio_buffer_find(j->dev, j->id, false);

	if (w->m->sim.timing && b && b->ready > cpu->now) {
		cpu_post(cpu, &j->work, b->ready);
		return false;
	}
	w->st.reads++;
	w->st.read_bytes += j->bytes;
	if (w->m->sim.timing)
		cpu_spend(cpu, transfer_time(j->bytes, w->params.copy_bandwidth));
	if (j->purpose == VFIO_PURPOSE_STOP_COPY)
		note_stop_copy(j->dev, cpu->now, cpu->now);
	return true;
}

/* Reports arrive in the receive buffer, one after the other, round and round. */
static int read_tracker(struct vfio_job *j, struct cpu *cpu)
{
	struct vfio_workload *w = j->dev->w;
	struct vfio_buffer *b = vfio_buffer_find(j->dev, j->id, true);
	uint64_t entries = j->bytes / w->params.tracked_page, left = entries * 8;

	w->st.track_reads++;
	w->st.track_entries += entries;
	while (b && left > 0) {
		uint64_t message = MIN(left, w->params.report_bytes);

		left -= message;
		w->st.track_reports++;
		while (message > 0) {
			uint64_t len = message;
			struct pcie_dma d = {.fn = j->dev->dev->pci, .op = PCIE_WRITE, .pasid = VTD_NO_PASID};

			d.addr = vfio_buffer_address(b, j->dev->report_at, &len);
			d.len = len;
			if (w->params.traffic && pcie_dma(&d, cpu->now))
				w->st.transfer_errors++;
			j->dev->report_at = (j->dev->report_at + len) % b->obj.bytes;
			message -= len;
		}
	}
	cpu_spend(cpu, entries * w->params.report_entry);
	return 0;
}

static int alloc_buffer(struct vfio_job *j)
{
	struct vfio_buffer *b = vfio_buffer_find(j->dev, j->id, j->purpose == VFIO_PURPOSE_TRACKER);
	int err;

	if (b)
		vfio_buffer_free(b);
	if (j->event == VFIO_TRACK_START)
		j->bytes = MAX(j->bytes, VFIO_TRACKER_PAGES * PAGE_SIZE);
	b = vfio_buffer_alloc(j->dev, j->id, j->purpose, j->bytes,
			      j->purpose == VFIO_PURPOSE_HEADER ? DMA_NONE : (enum dma_data_direction)j->dir,
			      j->segs, j->nsegs, &err);
	if (!b)
		return err;
	/* A buffer to load from is mapped when it is loaded. */
	return b->obj.dir == DMA_TO_DEVICE ? 0 : vfio_buffer_map(b);
}

static int free_buffer(struct vfio_job *j)
{
	struct vfio_buffer *b = vfio_buffer_find(j->dev, j->id, j->purpose == VFIO_PURPOSE_TRACKER);

	if (b)
		vfio_buffer_free(b);
	return 0;
}

static void run_event(struct cpu_work *work, struct cpu *cpu)
{
	struct vfio_job *j = (struct vfio_job *)((char *)work - offsetof(struct vfio_job, work));
	struct vfio_dev *d = j->dev;
	struct vfio_buffer *b = vfio_buffer_find(d, j->id, j->purpose == VFIO_PURPOSE_TRACKER);
	int err = 0;

	if (b && b->ready == SIM_TIME_NEVER) { /* its data are still on their way */
		b->waiter = &j->work;
		b->waiter_cpu = cpu;
		return;
	}
	switch (j->event) {
	case VFIO_ALLOC:
	case VFIO_TRACK_START:
		err = alloc_buffer(j);
		break;
	case VFIO_FREE:
	case VFIO_TRACK_STOP:
		err = free_buffer(j);
		break;
	case VFIO_READ:
		if (!read_part(j, cpu))
			return;
		break;
	case VFIO_TRACK_READ:
		err = read_tracker(j, cpu);
		break;
	default:
		cpu_charge(cpu, COST_DRIVER_SUBMIT);
		err = start_transfer(j, cpu);
		if (!err)
			return;
	}
	if (err)
		job_failed(j, err);
	job_put(j);
	next_event(d);
}

/* Begin the VF's next event if it is free. */
static void start_next(struct vfio_dev *d)
{
	struct vfio_workload *w = d->w;
	struct vfio_job *j = d->head;

	if (!j || d->busy)
		return;
	d->head = j->next;
	if (!d->head)
		d->tail = &d->head;
	d->queued--;
	d->busy = true;
	j->work.fn = run_event;
	cpu_post(&w->m->sim.cpus[j->cpu], &j->work, MAX(j->start, w->m->sim.now));
}

/* ---- records ---- */

static bool step(struct vfio_workload *w)
{
	sim_time_t t = event_peek_time(w->m->sim.events);

	if (t == SIM_TIME_NEVER)
		return false;
	sim_advance(&w->m->sim, t);
	return true;
}

static bool report(struct vfio_workload *w, GError **error)
{
	if (!w->failed)
		return true;
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD, "record at %" G_GUINT64_FORMAT ": %s",
		    w->failed_where,
		    w->failed == -EINVAL ? "the segments hold fewer bytes than the buffer: make them equal"
					 : "no memory for the buffer: raise memory.size");
	return false;
}

static struct vfio_dev *dev_new(struct vfio_workload *w, GError **error)
{
	struct device *dev = machine_add_device(w->m, NULL, error);
	struct vfio_dev *d;

	if (!dev)
		return NULL;
	dma_set_mask(dev, UINT64_MAX);
	dma_set_max_seg_size(dev, UINT32_MAX);
	d = g_new0(struct vfio_dev, 1);
	d->w = w;
	d->dev = dev;
	d->buffers = g_ptr_array_new();
	d->tail = &d->head;
	rng_init(&d->rng, w->m->sim.seed, "vfio_migration.layout");
	d->instance = w->api->instance_new ? w->api->instance_new(w->m, dev) : NULL;
	return d;
}

static bool check(const struct trace_record *rec, GError **error)
{
	const char *what = NULL;
	bool data = rec->vfio.event == VFIO_SAVE || rec->vfio.event == VFIO_LOAD ||
		    rec->vfio.event == VFIO_ALLOC;

	if (data && rec->vfio.bytes == 0)
		what = "0 bytes";
	else if (rec->vfio.bytes > (uint64_t)UINT32_MAX && rec->vfio.event != VFIO_TRACK_READ)
		what = "more than 4 GiB - 1 byte in one command";
	if (!what)
		return true;
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
		    "record at %" G_GUINT64_FORMAT ": a buffer event of %s", rec->where, what);
	return false;
}

static struct vfio_job *make_job(struct vfio_workload *w, struct vfio_dev *d, const struct trace_record *rec)
{
	struct vfio_job *j = job_get(w);

	j->dev = d;
	j->cpu = rec->cpu % w->m->sim.ncpus;
	j->event = rec->vfio.event;
	j->purpose = rec->vfio.event >= VFIO_TRACK_START ? VFIO_PURPOSE_TRACKER : rec->vfio.purpose;
	j->dir = rec->vfio.event == VFIO_LOAD          ? DMA_TO_DEVICE
		 : rec->vfio.event >= VFIO_TRACK_START ? DMA_FROM_DEVICE
						       : rec->vfio.direction;
	j->id = rec->vfio.buffer;
	j->offset = rec->vfio.offset;
	j->bytes = rec->vfio.bytes;
	j->where = rec->where;
	j->start = rec->time_ns * SIM_NS;
	if (rec->nsegs > j->room) {
		j->room = rec->nsegs;
		j->segs = g_renew(struct trace_segment, j->segs, j->room);
	}
	j->nsegs = rec->nsegs;
	if (rec->nsegs)
		memcpy(j->segs, rec->segs, rec->nsegs * sizeof(*j->segs));
	j->next = NULL;
	*d->tail = j;
	d->tail = &j->next;
	d->queued++;
	w->in_flight++;
	return j;
}

static bool vfio_record(struct workload *base, const struct trace_record *rec, GError **error)
{
	struct vfio_workload *w = (struct vfio_workload *)base;
	struct vfio_dev *d;

	if (!check(rec, error))
		return false;
	while (rec->device >= w->ndevs) {
		d = dev_new(w, error);
		if (!d)
			return false;
		w->devs = g_renew(struct vfio_dev *, w->devs, w->ndevs + 1);
		w->devs[w->ndevs++] = d;
	}
	d = w->devs[rec->device];
	sim_advance(&w->m->sim, rec->time_ns * SIM_NS);
	while (d->queued >= w->params.max_queue)
		if (!step(w))
			break;
	if (w->m->io.records++ == 0)
		w->m->io.first = w->m->sim.now;
	make_job(w, d, rec);
	start_next(d);
	return report(w, error);
}

static void free_buffers(void *arg)
{
	struct vfio_workload *w = arg;

	for (unsigned i = 0; i < w->ndevs; i++)
		while (w->devs[i]->buffers->len > 0)
			vfio_buffer_free(w->devs[i]->buffers->pdata[w->devs[i]->buffers->len - 1]);
}

static bool vfio_finish(struct workload *base, GError **error)
{
	struct vfio_workload *w = (struct vfio_workload *)base;

	while (w->in_flight && step(w))
		;
	if (w->in_flight) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD, "%u events never end", w->in_flight);
		return false;
	}
	cpu_run(&w->m->sim.cpus[0], free_buffers, w);
	sim_run(&w->m->sim);
	return report(w, error);
}

static void vfio_destroy(struct workload *base)
{
	struct vfio_workload *w = (struct vfio_workload *)base;

	if (!w)
		return;
	if (w->ndevs)
		cpu_run(&w->m->sim.cpus[0], free_buffers, w);
	for (unsigned i = 0; i < w->ndevs; i++) {
		if (w->api->instance_free && w->devs[i]->instance)
			w->api->instance_free(w->devs[i]->instance);
		g_ptr_array_free(w->devs[i]->buffers, TRUE);
		g_free(w->devs[i]);
	}
	for (unsigned i = 0; i < w->jobs->len; i++)
		g_free(((struct vfio_job *)w->jobs->pdata[i])->segs);
	g_ptr_array_free(w->jobs, TRUE);
	g_free(w->devs);
	g_free(w);
}

static struct workload *vfio_create(struct machine *m, const struct dma_api *api, GError **error)
{
	struct vfio_workload *w = g_new0(struct vfio_workload, 1);

	(void)error;
	w->m = m;
	w->api = api;
	w->path = dma_api_path(api, WORKLOAD_VFIO_MIGRATION);
	w->params = *(const struct vfio_params *)config_get(m->config, &vfio_param_table);
	w->jobs = g_ptr_array_new_with_free_func(g_free);
	return (struct workload *)w;
}

static const void *vfio_stats_values(struct workload *base)
{
	return &((struct vfio_workload *)base)->st;
}

const struct workload_ops vfio_migration_workload = {
    .kind = WORKLOAD_VFIO_MIGRATION,
    .name = "vfio_migration",
    .help = "live migration of VFs: buffers, saves, loads, dirty tracking",
    .input = TRACE_VFIO_MIGRATION,
    .needs_trace = true,
    .params = &vfio_param_table,
    .stats = &vfio_stat_table,
    .create = vfio_create,
    .record = vfio_record,
    .finish = vfio_finish,
    .stats_values = vfio_stats_values,
    .destroy = vfio_destroy,
};
