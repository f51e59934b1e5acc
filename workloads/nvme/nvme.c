/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NVMe workload: records to queues, in both fidelities. */
#include "io.h"

#include "sim/cpu.h"

#define STATS_OF struct nvme_stats
static const struct stat_spec specs[] = {
    STAT_COUNT("nvme.records", records, "requests of the trace"),
    STAT_COUNT("nvme.commands", commands, "commands issued to the drive, after splitting"),
    STAT_BYTES("nvme.bytes_read", bytes_read, "bytes of completed reads"),
    STAT_BYTES("nvme.bytes_written", bytes_written, "bytes of completed writes"),
    STAT_COUNT("nvme.splits", splits, "parts split off by the block layer"),
    STAT_COUNT("nvme.segments", segments, "physical segments of all commands"),
    STAT_COUNT("nvme.dma_segments", runs, "DMA ranges after mapping"),
    STAT_COUNT("nvme.mapped_single", single_mapped, "commands mapped as one page"),
    STAT_COUNT("nvme.mapped_sg", sg_mapped, "commands mapped by a scatterlist"),
    STAT_COUNT("nvme.mapped_iova", iova_mapped, "commands linked into one IOVA range"),
    STAT_COUNT("nvme.mapped_per_segment", per_segment_mapped,
	       "commands mapped run by run, or by an API that is none of the driver's own"),
    STAT_COUNT("nvme.mapped_bus", bus_mapped, "commands to peer memory by bus address, which nobody maps"),
    STAT_COUNT("nvme.p2p_commands", p2p, "commands whose data lie in peer memory"),
    STAT_COUNT("nvme.prp_only", prp_only, "commands whose PRPs fit the entry"),
    STAT_COUNT("nvme.prp_small_lists", prp_small, "256-byte PRP lists"),
    STAT_COUNT("nvme.prp_list_pages", prp_pages, "PRP list pages"),
    STAT_COUNT("nvme.sgl_inline", sgl_inline, "commands with one SGL descriptor"),
    STAT_COUNT("nvme.sgl_small_lists", sgl_small, "256-byte SGL lists"),
    STAT_COUNT("nvme.sgl_list_pages", sgl_pages, "SGL list pages"),
    STAT_COUNT("nvme.metadata_lists", meta_lists, "commands with a list of metadata descriptors"),
    STAT_COUNT("nvme.metadata_iova", meta_iova, "commands whose metadata is linked into one IOVA range"),
    STAT_COUNT("nvme.doorbells", doorbells, "submission doorbell writes"),
    STAT_COUNT("nvme.interrupts", interrupts, "completion interrupts"),
    STAT_COUNT("nvme.requeued", requeued, "submissions that found no memory"),
    STAT_COUNT("nvme.drive_commands", drive.commands, "commands the drives executed"),
    STAT_COUNT("nvme.drive_lists", drive.fetched_lists, "PRP and SGL list reads of the drives"),
    STAT_COUNT("nvme.drive_errors", drive.errors, "commands that ended with an error status"),
    STAT_BYTES("nvme.mismatches", mismatches, "bytes read that were not what the drive holds (nvme.pattern)"),
    STAT_BYTES("nvme.drive_mismatches", drive.mismatches,
	       "bytes the drive received that were not what was written (nvme.pattern)"),
    STAT_TIME("nvme.media_busy_ns", drive.media_busy, "service time of all commands", .needs_timing = true),
};

const struct stat_table nvme_stat_table = STAT_TABLE(specs);
#undef STATS_OF

static struct replayer_dev *dev_new(struct replayer *r, GError **error)
{
	struct nvme_workload *w = (struct nvme_workload *)r;
	struct replayer_dev *d = nvme_dev_new(r, error);

	for (unsigned i = 0; d && pcie_node_at(r->m->fabric, i); i++) {
		for (unsigned bar = 0; bar < PCIE_BARS; bar++)
			w->peers |= pcie_node_at(r->m->fabric, i)->bars[bar] != NULL;
	}
	return d;
}

extern const struct workload_ops nvme_workload;
static const struct replayer_ops ops = {
    .workload = &nvme_workload,
    .size = sizeof(struct nvme_workload),
    .stats = offsetof(struct nvme_workload, st),
    .params = offsetof(struct nvme_workload, params),
    .job_size = sizeof(struct nvme_io),
    .jobs = "requests",
    .dev_new = dev_new,
    .dev_free = nvme_dev_free,
    .job_free = nvme_io_free,
};

static void nvme_destroy(struct workload *base)
{
	struct nvme_workload *w = (struct nvme_workload *)base;

	if (!w)
		return;
	while (w->free_sg) {
		struct nvme_sg_element *e = w->free_sg;

		w->free_sg = e->next;
		g_free(e);
	}
	g_free(w->pending);
	replayer_destroy(base);
}

static struct workload *nvme_create(struct machine *m, const struct dma_api *api, GError **error)
{
	struct nvme_workload *w = replayer_new(&ops, m, api);

	if (!nvme_params_resolve(&w->params, error)) {
		nvme_destroy(&w->base.base);
		return NULL;
	}
	w->params.queue_depth = MIN(w->params.queue_depth, w->params.queue_entries - 1);
	if (w->params.controllers && !replayer_dev(&w->base, (unsigned)w->params.controllers - 1, error)) {
		nvme_destroy(&w->base.base);
		return NULL;
	}
	return &w->base.base;
}

/* Counts: the record's effects now; completions that are due before it come first. */
static void record_counts(struct nvme_workload *w, struct nvme_io *io, sim_time_t t)
{
	struct nvme_queue *q = io->queue;

	io->base.start = t;
	do {
		io->base.work.fn = nvme_io_submit;
		cpu_post(io->base.cpu, &io->base.work, t);
		if (io->submitted)
			break;
		if (!nvme_complete_next(w, q) && io->nrequests)
			nvme_complete_own(io);
	} while (true);
	if (io->outstanding)
		nvme_pending_add(w, io);
}

static bool room_counts(struct nvme_workload *w, struct nvme_queue *q, const struct trace_record *rec)
{
	sim_time_t t = rec->time_ns * SIM_NS;

	nvme_pending_until(w, t);
	sim_advance(&w->base.m->sim, t);
	while (rec->nvme.done_ns == TRACE_NO_TIME && q->fifo_len >= w->params.queue_depth)
		nvme_complete_next(w, q);
	return true;
}

/* Timing: wait for the record's time (open loop) and for room in the queue. */
static bool room_timing(struct nvme_workload *w, struct nvme_queue *q, const struct trace_record *rec,
			sim_time_t *start, GError **error)
{
	bool open = w->params.loop == NVME_LOOP_OPEN;
	uint64_t room = open ? q->entries - 1 : w->params.queue_depth;

	*start = open ? rec->time_ns * SIM_NS : w->base.m->sim.now;
	if (open)
		sim_advance(&w->base.m->sim, *start);
	while (q->in_flight >= room) {
		if (!replayer_step(&w->base))
			return replayer_stuck(&w->base, rec, error);
		if (!open)
			*start = MAX(w->base.m->sim.now, q->room_at);
	}
	return true;
}

static struct nvme_queue *find_queue(struct nvme_workload *w, const struct trace_record *rec, GError **error)
{
	uint64_t ctrl = rec->device;
	uint32_t i = rec->nvme.queue;
	struct nvme_dev *d;

	if (G_UNLIKELY(w->params.namespaces > 1))
		ctrl /= w->params.namespaces;
	d = (struct nvme_dev *)replayer_dev(&w->base, (unsigned)ctrl, error);
	if (!d)
		return NULL;
	if (G_UNLIKELY(i >= d->nqueues))
		i %= d->nqueues;
	return &d->queues[i];
}

static bool nvme_record(struct workload *base, const struct trace_record *rec, GError **error)
{
	struct nvme_workload *w = (struct nvme_workload *)base;
	struct sim *sim = &w->base.m->sim;
	struct nvme_queue *q = find_queue(w, rec, error);
	sim_time_t start = rec->time_ns * SIM_NS;
	struct nvme_io *io;

	if (!q)
		return false;
	if (sim->timing ? !room_timing(w, q, rec, &start, error) : !room_counts(w, q, rec))
		return false;
	io = replayer_job_get(&w->base);
	io->w = w;
	io->queue = q;
	io->nsid = 1;
	if (G_UNLIKELY(w->params.namespaces > 1))
		io->nsid += (uint32_t)(rec->device % w->params.namespaces);
	if (!nvme_io_fill(io, rec, error)) {
		replayer_job_put(&w->base, &io->base);
		return false;
	}
	w->st.records++;
	replayer_count_record(&w->base, start);
	q->in_flight++;
	w->base.in_flight++;
	if (!sim->timing) {
		record_counts(w, io, sim->now);
		return true;
	}
	io->base.start = start;
	io->base.work.fn = nvme_io_submit;
	cpu_post(io->base.cpu, &io->base.work, start);
	return true;
}

static bool nvme_finish(struct workload *base, GError **error)
{
	struct nvme_workload *w = (struct nvme_workload *)base;

	if (!w->base.m->sim.timing) {
		nvme_pending_until(w, SIM_TIME_NEVER);
		while (w->base.in_flight && nvme_complete_next(w, &nvme_dev_at(w, 0)->queues[0]))
			;
	}
	return replayer_finish(base, error);
}

const struct workload_ops nvme_workload = {
    .kind = WORKLOAD_NVME,
    .name = "nvme",
    .help = "block requests through the NVMe PCI driver",
    .input = TRACE_NVME,
    .needs_trace = true,
    .params = &nvme_param_table,
    .stats = &nvme_stat_table,
    .create = nvme_create,
    .record = nvme_record,
    .finish = nvme_finish,
    .destroy = nvme_destroy,
};
