/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NVMe workload: records to queues, in both fidelities. */
#include "io.h"

#include <dmasim/cpu.h>

#define S(m) offsetof(struct nvme_stats, m)

static const struct stat_spec specs[] = {
    {"nvme.records", STAT_COUNTER, "count", S(records), NULL, false, "requests of the trace"},
    {"nvme.commands", STAT_COUNTER, "count", S(commands), NULL, false,
     "commands issued to the drive, after splitting"},
    {"nvme.bytes_read", STAT_COUNTER, "bytes", S(bytes_read), NULL, false, "bytes of completed reads"},
    {"nvme.bytes_written", STAT_COUNTER, "bytes", S(bytes_written), NULL, false, "bytes of completed writes"},
    {"nvme.splits", STAT_COUNTER, "count", S(splits), NULL, false, "parts split off by the block layer"},
    {"nvme.segments", STAT_COUNTER, "count", S(segments), NULL, false, "physical segments of all commands"},
    {"nvme.dma_segments", STAT_COUNTER, "count", S(runs), NULL, false, "DMA ranges after mapping"},
    {"nvme.mapped_single", STAT_COUNTER, "count", S(single_mapped), NULL, false,
     "commands mapped as one page"},
    {"nvme.mapped_sg", STAT_COUNTER, "count", S(sg_mapped), NULL, false, "commands mapped by a scatterlist"},
    {"nvme.mapped_iova", STAT_COUNTER, "count", S(iova_mapped), NULL, false,
     "commands linked into one IOVA range"},
    {"nvme.mapped_per_segment", STAT_COUNTER, "count", S(per_segment_mapped), NULL, false,
     "commands mapped run by run, or by an API that is none of the driver's own"},
    {"nvme.mapped_bus", STAT_COUNTER, "count", S(bus_mapped), NULL, false,
     "commands to peer memory by bus address, which nobody maps"},
    {"nvme.p2p_commands", STAT_COUNTER, "count", S(p2p), NULL, false,
     "commands whose data lie in peer memory"},
    {"nvme.prp_only", STAT_COUNTER, "count", S(prp_only), NULL, false, "commands whose PRPs fit the entry"},
    {"nvme.prp_small_lists", STAT_COUNTER, "count", S(prp_small), NULL, false, "256-byte PRP lists"},
    {"nvme.prp_list_pages", STAT_COUNTER, "count", S(prp_pages), NULL, false, "PRP list pages"},
    {"nvme.sgl_inline", STAT_COUNTER, "count", S(sgl_inline), NULL, false,
     "commands with one SGL descriptor"},
    {"nvme.sgl_small_lists", STAT_COUNTER, "count", S(sgl_small), NULL, false, "256-byte SGL lists"},
    {"nvme.sgl_list_pages", STAT_COUNTER, "count", S(sgl_pages), NULL, false, "SGL list pages"},
    {"nvme.doorbells", STAT_COUNTER, "count", S(doorbells), NULL, false, "submission doorbell writes"},
    {"nvme.interrupts", STAT_COUNTER, "count", S(interrupts), NULL, false, "completion interrupts"},
    {"nvme.requeued", STAT_COUNTER, "count", S(requeued), NULL, false, "submissions that found no memory"},
    {"nvme.drive_commands", STAT_COUNTER, "count", S(drive.commands), NULL, false,
     "commands the drives executed"},
    {"nvme.drive_lists", STAT_COUNTER, "count", S(drive.fetched_lists), NULL, false,
     "PRP and SGL list reads of the drives"},
    {"nvme.drive_errors", STAT_COUNTER, "count", S(drive.errors), NULL, false,
     "commands that ended with an error status"},
    {"nvme.mismatches", STAT_COUNTER, "bytes", S(mismatches), NULL, false,
     "bytes read that were not what the drive holds (nvme.pattern)"},
    {"nvme.drive_mismatches", STAT_COUNTER, "bytes", S(drive.mismatches), NULL, false,
     "bytes the drive received that were not what was written (nvme.pattern)"},
    {"nvme.media_busy_ns", STAT_TIME_NS, "ns", S(drive.media_busy), NULL, true,
     "service time of all commands"},
};

const struct stat_table nvme_stat_table = {
    .specs = specs,
    .nspecs = G_N_ELEMENTS(specs),
    .struct_size = sizeof(struct nvme_stats),
};

static bool add_device(struct nvme_workload *w, GError **error)
{
	struct nvme_dev *d = nvme_dev_new(w, error);

	if (!d)
		return false;
	w->devs = g_renew(struct nvme_dev *, w->devs, w->ndevs + 1);
	w->devs[w->ndevs++] = d;
	for (unsigned i = 0; pcie_node_at(w->m->fabric, i); i++) {
		for (unsigned bar = 0; bar < PCIE_BARS; bar++)
			w->peers |= pcie_node_at(w->m->fabric, i)->bars[bar] != NULL;
	}
	return true;
}

static void nvme_destroy(struct workload *base)
{
	struct nvme_workload *w = (struct nvme_workload *)base;

	if (!w)
		return;
	for (unsigned i = 0; i < w->all_ios->len; i++)
		nvme_io_destroy(g_ptr_array_index(w->all_ios, i));
	g_ptr_array_free(w->all_ios, TRUE);
	for (unsigned i = 0; i < w->ndevs; i++)
		nvme_dev_free(w->devs[i]);
	while (w->free_sg) {
		struct nvme_sg_element *e = w->free_sg;

		w->free_sg = e->next;
		g_free(e);
	}
	g_free(w->devs);
	g_free(w->pending);
	g_free(w);
}

static struct workload *nvme_create(struct machine *m, const struct dma_api *api, GError **error)
{
	struct nvme_workload *w = g_new0(struct nvme_workload, 1);

	w->m = m;
	w->api = api;
	w->path = dma_api_path(api, WORKLOAD_NVME);
	w->params = *(const struct nvme_params *)config_get(m->config, &nvme_param_table);
	if (!nvme_params_resolve(&w->params, error)) {
		g_free(w);
		return NULL;
	}
	w->params.queue_depth = MIN(w->params.queue_depth, w->params.queue_entries - 1);
	w->all_ios = g_ptr_array_new();
	for (unsigned i = 0; i < w->params.controllers; i++) {
		if (!add_device(w, error)) {
			nvme_destroy((struct workload *)w);
			return NULL;
		}
	}
	return (struct workload *)w;
}

/* Run the machine until something has happened; false when nothing will any more. */
static bool step(struct nvme_workload *w)
{
	struct sim *s = &w->m->sim;
	sim_time_t t = event_peek_time(s->events);

	if (t == SIM_TIME_NEVER)
		return false;
	sim_advance(s, t);
	return true;
}

/* Counts: the record's effects now; completions that are due before it come first. */
static void record_counts(struct nvme_workload *w, struct nvme_io *io, sim_time_t t)
{
	struct cpu *cpu = &w->m->sim.cpus[io->cpu];
	struct nvme_queue *q = io->queue;

	io->start = t;
	do {
		io->work.fn = nvme_io_submit;
		cpu_post(cpu, &io->work, t);
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
	sim_advance(&w->m->sim, t);
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

	*start = open ? rec->time_ns * SIM_NS : w->m->sim.now;
	if (open)
		sim_advance(&w->m->sim, *start);
	while (q->in_flight >= room) {
		if (!step(w)) {
			g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
				    "record at %" G_GUINT64_FORMAT ": the requests before it never end",
				    rec->where);
			return false;
		}
		if (!open)
			*start = MAX(w->m->sim.now, q->room_at);
	}
	return true;
}

static struct nvme_queue *find_queue(struct nvme_workload *w, const struct trace_record *rec, GError **error)
{
	uint64_t per = w->params.namespaces, ctrl = per == 1 ? rec->device : rec->device / per;
	struct nvme_dev *d;
	uint32_t i;

	while (ctrl >= w->ndevs) {
		if (!add_device(w, error))
			return NULL;
	}
	d = w->devs[ctrl];
	i = rec->nvme.queue;
	return &d->queues[i < d->nqueues ? i : i % d->nqueues];
}

static bool nvme_record(struct workload *base, const struct trace_record *rec, GError **error)
{
	struct nvme_workload *w = (struct nvme_workload *)base;
	struct sim *sim = &w->m->sim;
	struct nvme_queue *q = find_queue(w, rec, error);
	sim_time_t start = rec->time_ns * SIM_NS;
	struct nvme_io *io;

	if (!q)
		return false;
	if (sim->timing ? !room_timing(w, q, rec, &start, error) : !room_counts(w, q, rec))
		return false;
	io = nvme_io_get(w);
	io->queue = q;
	io->nsid = w->params.namespaces == 1 ? 1 : (uint32_t)(rec->device % w->params.namespaces) + 1;
	if (!nvme_io_fill(io, rec, error)) {
		nvme_io_put(w, io);
		return false;
	}
	if (w->st.records++ == 0)
		w->m->io.first = start;
	w->m->io.records++;
	q->in_flight++;
	w->in_flight++;
	if (!sim->timing) {
		record_counts(w, io, sim->now);
		return true;
	}
	io->start = start;
	io->work.fn = nvme_io_submit;
	cpu_post(&sim->cpus[io->cpu], &io->work, start);
	return true;
}

static bool nvme_finish(struct workload *base, GError **error)
{
	struct nvme_workload *w = (struct nvme_workload *)base;

	if (!w->m->sim.timing) {
		nvme_pending_until(w, SIM_TIME_NEVER);
		while (w->in_flight && nvme_complete_next(w, &w->devs[0]->queues[0]))
			;
	} else {
		while (w->in_flight && step(w))
			;
	}
	if (w->in_flight) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD, "%u requests never end", w->in_flight);
		return false;
	}
	sim_run(&w->m->sim); /* the last flush-queue timers */
	return true;
}

static const void *nvme_stats_values(struct workload *base)
{
	return &((struct nvme_workload *)base)->st;
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
    .stats_values = nvme_stats_values,
    .destroy = nvme_destroy,
};
