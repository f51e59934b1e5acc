/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The on-demand-paging workload: what a trace's events do on the kernel's side, and the messages that a
 * NIC moves to and from the regions. A message translates each of its pages through the NIC's cache; a
 * page that is not mapped (or not writable) stops it until the kernel has handled the fault: the first
 * packet's bytes, then the rest of the message as a prefetch of at most 4 MiB.
 */
#include "odp.h"

#include <dmasim/pcie.h>
#include <dmasim/vtd.h>
#include <string.h>

static const char *const loops[] = {"closed", "open", NULL};

#define P(m) offsetof(struct odp_params, m)
static const struct param_spec param_specs[] = {
    {"loop", PARAM_ENUM, "", P(loop), "open", 0, 0, loops,
     "open: events come at the trace's times; closed: messages as soon as there is room", NULL},
    {"queue_depth", PARAM_UINT, "", P(queue_depth), "16", 1, 65536, NULL, "closed loop: messages in flight",
     NULL},
    {"traffic", PARAM_BOOL, "", P(traffic), "true", 0, 0, NULL,
     "messages read and write memory (else they only fault)", NULL},
    {"cache_entries", PARAM_UINT, "", P(cache_entries), "8192", 1, 1 << 24, NULL,
     "page translations that the NIC's cache holds", "no published size; order of magnitude (E)"},
    {"cache_ways", PARAM_UINT, "", P(cache_ways), "8", 0, 1 << 24, NULL, "associativity; 0: full", "(E)"},
    {"packet", PARAM_SIZE, "bytes", P(packet), "4096", 256, 65536, NULL,
     "bytes that a fault asks for first: one packet", "largest InfiniBand path MTU (A)"},
    {"max_prefetch", PARAM_SIZE, "bytes", P(max_prefetch), "4MiB", 0, 1 << 30, NULL,
     "most that is brought in behind a faulting packet",
     "Linux drivers/infiniband/hw/mlx5/odp.c, MAX_PREFETCH_LEN (A)"},
    {"child_bytes", PARAM_SIZE, "bytes", P(child_bytes), "1GiB", 1 << 20, 1ull << 40, NULL,
     "bytes of one child of an implicit region",
     "Linux drivers/infiniband/hw/mlx5/odp.c: 1 GiB with 4-level CPU page tables, 16 GiB with 5 (A)"},
    {"event_latency", PARAM_TIME, "", P(event_latency), "112us", 0, 0, NULL,
     "from the access that faults to the driver's handler: firmware, event queue, work queue",
     "220 us for a minor fault of 4 KiB, Lesokhin et al., ASPLOS 2017 (C); split over the steps (E)"},
    {"umr_latency", PARAM_TIME, "", P(umr_latency), "2us", 0, 0, NULL,
     "one UMR work request, posted to completed", "(E)"},
    {"resume_latency", PARAM_TIME, "", P(resume_latency), "90us", 0, 0, NULL,
     "command that lets a queue pair go on after a fault", "as event_latency (E)"},
    {"hmm_fixed", PARAM_TIME, "", P(hmm_fixed), "14us", 0, 0, NULL,
     "CPU time of memory management per fault, fixed part", "as event_latency (E)"},
    {"inval_fixed", PARAM_TIME, "", P(inval_fixed), "35us", 0, 0, NULL,
     "CPU time of an invalidation's notifier, fixed part", "only \"cheaper than a fault\" is published (E)"},
    {"mtt_latency", PARAM_TIME, "", P(mtt_latency), "700ns", 0, 0, NULL,
     "translation that the NIC's cache lacks: read of its table in host memory", "one PCIe read (E)"},
    {"hmm_page", PARAM_TIME, "", P(hmm_page), "85ns", 0, 0, NULL,
     "CPU time per page of a fault besides the DMA layer's",
     "fitted: 127 ns per further page in all without translation, from 350 us for 4 MiB, "
     "Lesokhin et al. (B)"},
    {"message_overhead", PARAM_TIME, "", P(message_overhead), "1us", 0, 0, NULL,
     "fixed time of a message in the NIC and on the wire", "(E)"},
};
#undef P
const struct param_table odp_param_table = {
    .section = "rnic",
    .help = "RDMA NIC and on-demand paging (workload rdma_odp)",
    .specs = param_specs,
    .nspecs = G_N_ELEMENTS(param_specs),
    .struct_size = sizeof(struct odp_params),
};

#define S(m) offsetof(struct odp_stats, m)
static const struct stat_spec stat_specs[] = {
    {"rnic.registrations", STAT_COUNTER, "count", S(registrations), NULL, false, "regions registered"},
    {"rnic.deregistrations", STAT_COUNTER, "count", S(deregistrations), NULL, false, "regions deregistered"},
    {"rnic.children_created", STAT_COUNTER, "count", S(children_created), NULL, false,
     "children of implicit regions"},
    {"rnic.children_destroyed", STAT_COUNTER, "count", S(children_destroyed), NULL, false,
     "children freed because nothing was mapped any more"},
    {"rnic.faults", STAT_COUNTER, "count", S(faults), NULL, false, "page faults handled"},
    {"rnic.prefetches", STAT_COUNTER, "count", S(prefetches), NULL, false,
     "prefetches, asked for or behind a fault"},
    {"rnic.invalidations", STAT_COUNTER, "count", S(invalidations), NULL, false,
     "notifications that pages go away"},
    {"rnic.invalidations_skipped", STAT_COUNTER, "count", S(invalidations_skipped), NULL, false,
     "... of regions with nothing mapped"},
    {"rnic.fault_pages", STAT_COUNTER, "count", S(fault_pages), NULL, false,
     "pages in faults and prefetches"},
    {"rnic.pages_mapped", STAT_COUNTER, "count", S(pages_mapped), NULL, false, "pages mapped for DMA"},
    {"rnic.pages_unmapped", STAT_COUNTER, "count", S(pages_unmapped), NULL, false, "pages unmapped"},
    {"rnic.pages_upgraded", STAT_COUNTER, "count", S(pages_upgraded), NULL, false,
     "mapped pages that became writable: no DMA call"},
    {"rnic.refused", STAT_COUNTER, "count", S(refused), NULL, false,
     "faults that found no memory or no mapping"},
    {"rnic.umr_posts", STAT_COUNTER, "count", S(umr_posts), NULL, false, "UMR work requests"},
    {"rnic.umr_entries", STAT_COUNTER, "count", S(umr_entries), NULL, false, "translations written by them"},
    {"rnic.umr_zaps", STAT_COUNTER, "count", S(umr_zaps), NULL, false, "runs zapped by invalidations"},
    {"rnic.ksm_updates", STAT_COUNTER, "count", S(ksm_updates), NULL, false,
     "updates of implicit regions' tables of children"},
    {"rnic.messages", STAT_COUNTER, "count", S(messages), NULL, false, "messages completed"},
    {"rnic.message_bytes", STAT_COUNTER, "bytes", S(message_bytes), NULL, false, "their bytes"},
    {"rnic.message_faults", STAT_COUNTER, "count", S(message_faults), NULL, false,
     "faults that stopped a message"},
    {"rnic.cache_hits", STAT_COUNTER, "count", S(cache_hits), NULL, false, "translations found in the NIC"},
    {"rnic.cache_misses", STAT_COUNTER, "count", S(cache_misses), NULL, false,
     "translations fetched from memory"},
    {"rnic.transfer_errors", STAT_COUNTER, "count", S(transfer_errors), NULL, false,
     "accesses that the IOMMU or the fabric refused"},
    {"rnic.fault_ns", STAT_TIME_NS, "ns", S(fault_time), NULL, true,
     "time that messages stood still in faults"},
};
#undef S
const struct stat_table odp_stat_table = {
    .specs = stat_specs,
    .nspecs = G_N_ELEMENTS(stat_specs),
    .struct_size = sizeof(struct odp_stats),
};

/* One event of the trace on its way. */
struct odp_job {
	struct cpu_work work;
	struct event step;
	struct odp_dev *dev;
	struct odp_job *next;
	struct odp_mr *mr;
	uint32_t number;
	struct cpu *cpu;
	uint8_t event;
	bool write, implicit, done;
	uint64_t offset, bytes, pos, where;
	sim_time_t start, finished, stopped;
	struct trace_segment *segs;
	uint32_t nsegs, room;
};

static struct odp_job *job_get(struct odp_workload *w)
{
	struct odp_job *j = w->free_jobs;

	if (j) {
		w->free_jobs = j->next;
		return j;
	}
	j = g_new0(struct odp_job, 1);
	g_ptr_array_add(w->jobs, j);
	return j;
}

static void job_end(struct odp_job *j)
{
	struct odp_workload *w = j->dev->w;

	j->done = true;
	j->dev->in_flight--;
	w->in_flight--;
	j->next = w->free_jobs;
	w->free_jobs = j;
}

static void job_failed(struct odp_job *j, int err)
{
	struct odp_workload *w = j->dev->w;

	if (!w->failed) {
		w->failed = err;
		w->failed_where = j->where;
	}
}

/* Run fn over the parts of [offset, offset + bytes) of the MR. */
typedef int (*part_fn)(struct odp_job *j, struct odp_umem *u, uint64_t page, uint64_t n);

static int for_parts(struct odp_job *j, uint64_t offset, uint64_t bytes, bool create, part_fn fn)
{
	uint64_t at = align_down(offset, PAGE_SIZE), end = align_up(offset + bytes, PAGE_SIZE);
	uint64_t before = j->dev->w->st.children_created;
	int err = 0;

	while (at < end && !err) {
		uint64_t page, n;
		struct odp_umem *u = odp_mr_at(j->dev, j->mr, at, create, &page, &err);

		n = (end - at) >> PAGE_SHIFT;
		if (j->mr->implicit)
			n = MIN(n, (j->dev->w->params.child_bytes >> PAGE_SHIFT) - page);
		if (u && !err)
			err = fn(j, u, page, MIN(n, u->npages - page));
		at += n << PAGE_SHIFT;
	}
	if (j->dev->w->st.children_created != before)
		j->dev->w->st.ksm_updates++; /* one covers all new children of this fault */
	return err;
}

static int fault_part(struct odp_job *j, struct odp_umem *u, uint64_t page, uint64_t n)
{
	return odp_fault_pages(u, page, n, j->write, j->segs, j->nsegs);
}

static int invalidate_part(struct odp_job *j, struct odp_umem *u, uint64_t page, uint64_t n)
{
	odp_invalidate_pages(u, page, n);
	if (!j->mr->implicit || u->mapped > 0)
		return 0;
	for (uint64_t i = 0; i < j->mr->nchildren; i++)
		if (j->mr->children[i] == u)
			j->mr->children[i] = NULL;
	odp_umem_free(u);
	j->dev->w->st.children_destroyed++;
	j->dev->w->st.ksm_updates++;
	return 0;
}

/* The kernel's part of an event, on its CPU. */
static int handle(struct odp_job *j)
{
	struct odp_workload *w = j->dev->w;
	int err = 0;

	cpu_charge(j->cpu, COST_DRIVER_SUBMIT);
	switch (j->event) {
	case ODP_REG:
		err = odp_mr_register(j->dev, j->number, j->bytes, j->implicit);
		if (err || !j->nsegs)
			break;
		j->mr = odp_mr_find(j->dev, j->number);
		for (uint32_t i = 0; i < j->nsegs; i++)
			j->pos += j->segs[i].len;
		return for_parts(j, 0, MIN(j->pos, j->bytes), true, fault_part); /* what is there already */
	case ODP_DEREG:
		odp_mr_deregister(j->dev, j->mr);
		break;
	case ODP_FAULT:
		w->st.faults++;
		return for_parts(j, j->offset, j->bytes, true, fault_part);
	case ODP_PREFETCH:
		w->st.prefetches++;
		return for_parts(j, j->offset, j->bytes, true, fault_part);
	case ODP_INVAL:
		w->st.invalidations++;
		return for_parts(j, j->offset, j->bytes, false, invalidate_part);
	default:
		break;
	}
	return err;
}

static void run_handler(struct cpu_work *work, struct cpu *cpu)
{
	struct odp_job *j = (struct odp_job *)((char *)work - offsetof(struct odp_job, work));
	int err;

	j->cpu = cpu;
	err = handle(j);
	/* A fault that fails is answered with an error; regions that cannot be made end the run. */
	if (err && j->event == ODP_REG)
		job_failed(j, err);
	cpu_charge(cpu, COST_DRIVER_COMPLETE);
	job_end(j);
}

/* ---- messages ---- */

static void message_end(struct odp_job *j, sim_time_t when)
{
	struct odp_workload *w = j->dev->w;
	struct io_stats *io = &w->m->io;

	when += w->m->sim.timing ? w->params.message_overhead : 0;
	w->st.messages++;
	w->st.message_bytes += j->bytes;
	io->completed++;
	io->bytes += j->bytes;
	io->last = MAX(io->last, when);
	if (w->m->sim.timing && io->latency_ns)
		hist_add(io->latency_ns, (when - j->start) / SIM_NS, 1);
	job_end(j);
}

/* Kernel side of a message's fault: the packet, then the rest as a prefetch. */
static void run_fault(struct cpu_work *work, struct cpu *cpu)
{
	struct odp_job *j = (struct odp_job *)((char *)work - offsetof(struct odp_job, work));
	struct odp_workload *w = j->dev->w;
	uint64_t at = j->offset + j->pos, left = j->bytes - j->pos;
	uint64_t first = MIN(left, w->params.packet), more;
	int err;

	j->cpu = cpu;
	w->st.faults++;
	cpu_charge(cpu, COST_INTERRUPT);
	err = for_parts(j, at, first, true, fault_part);
	at = align_up(at + first, PAGE_SIZE);
	more = MIN(j->offset + j->bytes > at ? j->offset + j->bytes - at : 0, w->params.max_prefetch);
	if (!err && more > 0) {
		w->st.prefetches++;
		err = for_parts(j, at, more, true, fault_part);
	}
	if (err) {
		job_failed(j, err);
		j->pos = j->bytes; /* the queue pair goes to error: the message ends here */
	}
	if (!w->m->sim.timing)
		return;
	w->st.fault_time += cpu->now + w->params.resume_latency - j->stopped;
	sim_schedule(&w->m->sim, &j->step, cpu->now + w->params.resume_latency);
}

/* Move one page's part of the message; false when its page must be faulted in first. */
static bool move_part(struct odp_job *j, sim_time_t *when)
{
	struct odp_workload *w = j->dev->w;
	uint64_t at = j->offset + j->pos, page, len = MIN(PAGE_SIZE - at % PAGE_SIZE, j->bytes - j->pos);
	struct odp_umem *u;
	struct pcie_dma d;
	int err;

	u = odp_mr_at(j->dev, j->mr, at, false, &page, &err);
	if (!u || !odp_page_allows(u, page, j->write))
		return false;
	if (odp_cache_lookup(&j->dev->cache, u->key, page)) {
		w->st.cache_hits++;
	} else {
		w->st.cache_misses++;
		*when += w->m->sim.timing ? w->params.mtt_latency : 0;
	}
	if (w->params.traffic) {
		d = (struct pcie_dma){.fn = j->dev->dev->pci,
				      .op = j->write ? PCIE_WRITE : PCIE_READ,
				      .addr = u->mtt[page] + at % PAGE_SIZE,
				      .len = len,
				      .pasid = VTD_NO_PASID};
		if (pcie_dma(&d, *when))
			w->st.transfer_errors++;
		j->finished = MAX(j->finished, d.done);
		*when = MAX(*when, j->write ? d.accepted : *when);
	}
	j->pos += len;
	return true;
}

static void run_message(struct event *ev, sim_time_t now)
{
	struct odp_job *j = (struct odp_job *)((char *)ev - offsetof(struct odp_job, step));
	struct odp_workload *w = j->dev->w;
	sim_time_t when = now;

	while (j->pos < j->bytes) {
		if (move_part(j, &when))
			continue;
		w->st.message_faults++;
		j->stopped = when;
		j->work.fn = run_fault;
		cpu_post(j->cpu, &j->work, when + (w->m->sim.timing ? w->params.event_latency : 0));
		if (w->m->sim.timing)
			return;
	}
	message_end(j, MAX(j->finished, when));
}

/* ---- records ---- */

static bool step(struct odp_workload *w)
{
	sim_time_t t = event_peek_time(w->m->sim.events);

	if (t == SIM_TIME_NEVER)
		return false;
	sim_advance(&w->m->sim, t);
	return true;
}

static bool report(struct odp_workload *w, GError **error)
{
	if (!w->failed)
		return true;
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD, "record at %" G_GUINT64_FORMAT ": %s",
		    w->failed_where,
		    w->failed == -EOPNOTSUPP
			? "on-demand paging needs a coherent device that reaches all memory and never bounces"
			: "no memory for the region's pages or lists: raise memory.size");
	return false;
}

static bool wait_until_idle(struct odp_workload *w, unsigned room)
{
	while (w->in_flight > room)
		if (!step(w))
			return false;
	return true;
}

static bool check(struct odp_workload *w, const struct odp_dev *d, const struct trace_record *rec,
		  struct odp_mr **mr, GError **error)
{
	const char *what = NULL;

	*mr = odp_mr_find((struct odp_dev *)d, rec->odp.mr);
	if (rec->odp.event == ODP_REG) {
		if (*mr)
			what = "is registered already";
		else if (rec->odp.bytes == 0 || rec->odp.bytes > (uint64_t)1 << 48)
			what = "must have 1 byte to 256 TiB";
		else if (!rec->odp.implicit && rec->odp.bytes > (uint64_t)1 << 42)
			what = "is explicit and larger than 4 TiB: its lists would not fit; register it as "
			       "implicit";
	} else if (!*mr) {
		what = "is not registered";
	} else if (rec->odp.event != ODP_DEREG &&
		   (rec->odp.bytes > (*mr)->bytes || rec->odp.offset > (*mr)->bytes - rec->odp.bytes)) {
		what = "is smaller than the range of this event";
	}
	if (!what)
		return true;
	(void)w;
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
		    "record at %" G_GUINT64_FORMAT ": memory region %u %s", rec->where, rec->odp.mr, what);
	return false;
}

static struct odp_job *make_job(struct odp_workload *w, struct odp_dev *d, struct odp_mr *mr,
				const struct trace_record *rec)
{
	struct odp_job *j = job_get(w);

	j->dev = d;
	j->mr = mr;
	j->number = rec->odp.mr;
	j->event = rec->odp.event;
	j->write = rec->odp.write;
	j->implicit = rec->odp.implicit;
	j->offset = rec->odp.offset;
	j->bytes = rec->odp.bytes;
	j->where = rec->where;
	j->pos = 0;
	j->done = false;
	j->finished = 0;
	j->cpu = &w->m->sim.cpus[rec->cpu % w->m->sim.ncpus];
	if (rec->nsegs > j->room) {
		j->room = rec->nsegs;
		j->segs = g_renew(struct trace_segment, j->segs, j->room);
	}
	j->nsegs = rec->nsegs;
	if (rec->nsegs)
		memcpy(j->segs, rec->segs, rec->nsegs * sizeof(*j->segs));
	d->in_flight++;
	w->in_flight++;
	return j;
}

static bool odp_record(struct workload *base, const struct trace_record *rec, GError **error)
{
	struct odp_workload *w = (struct odp_workload *)base;
	struct sim *sim = &w->m->sim;
	bool open = w->params.loop == ODP_LOOP_OPEN,
	     alone = rec->odp.event == ODP_REG || rec->odp.event == ODP_DEREG;
	sim_time_t start = rec->time_ns * SIM_NS;
	struct odp_dev *d;
	struct odp_mr *mr;
	struct odp_job *j;

	while (rec->device >= w->ndevs) {
		d = odp_dev_new(w, error);
		if (!d)
			return false;
		w->devs = g_renew(struct odp_dev *, w->devs, w->ndevs + 1);
		w->devs[w->ndevs++] = d;
	}
	d = w->devs[rec->device];
	if (open || !sim->timing)
		sim_advance(sim, start);
	else
		start = sim->now;
	/* Regions come and go only while nothing uses them. */
	if (sim->timing && !wait_until_idle(w, alone  ? 0
					       : open ? UINT_MAX
						      : (unsigned)w->params.queue_depth - 1)) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
			    "record at %" G_GUINT64_FORMAT ": the messages before it never end", rec->where);
		return false;
	}
	start = MAX(start, sim->timing && (!open || alone) ? sim->now : start);
	if (!report(w, error) || !check(w, d, rec, &mr, error))
		return false;
	if (w->m->io.records++ == 0)
		w->m->io.first = start;
	j = make_job(w, d, mr, rec);
	j->start = start;
	if (j->event == ODP_ACCESS) {
		j->step.fn = run_message;
		j->step.priority = EVENT_HARDWARE;
		if (sim->timing)
			sim_schedule(sim, &j->step, start);
		else
			run_message(&j->step, sim->now);
	} else {
		j->work.fn = run_handler;
		cpu_post(j->cpu, &j->work,
			 start + (sim->timing && j->event == ODP_FAULT ? w->params.event_latency : 0));
	}
	if (alone && sim->timing)
		wait_until_idle(w, 0);
	return report(w, error);
}

static void free_mrs(void *arg)
{
	struct odp_workload *w = arg;

	for (unsigned i = 0; i < w->ndevs; i++)
		while (w->devs[i]->nmrs > 0)
			odp_mr_deregister(w->devs[i], w->devs[i]->mrs[w->devs[i]->nmrs - 1]);
}

static bool odp_finish(struct workload *base, GError **error)
{
	struct odp_workload *w = (struct odp_workload *)base;

	if (!wait_until_idle(w, 0)) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD, "%u messages never end", w->in_flight);
		return false;
	}
	/* Regions that the trace leaves registered go when the process ends. */
	cpu_run(&w->m->sim.cpus[0], free_mrs, w);
	sim_run(&w->m->sim);
	return report(w, error);
}

static void odp_destroy(struct workload *base)
{
	struct odp_workload *w = (struct odp_workload *)base;

	if (!w)
		return;
	if (w->ndevs)
		cpu_run(&w->m->sim.cpus[0], free_mrs, w);
	for (unsigned i = 0; i < w->ndevs; i++)
		odp_dev_free(w->devs[i]);
	for (unsigned i = 0; i < w->jobs->len; i++)
		g_free(((struct odp_job *)w->jobs->pdata[i])->segs);
	g_ptr_array_free(w->jobs, TRUE);
	g_free(w->devs);
	g_free(w);
}

static struct workload *odp_create(struct machine *m, const struct dma_api *api, GError **error)
{
	struct odp_workload *w = g_new0(struct odp_workload, 1);

	(void)error;
	w->m = m;
	w->api = api;
	w->path = dma_api_path(api, WORKLOAD_RDMA_ODP);
	w->params = *(const struct odp_params *)config_get(m->config, &odp_param_table);
	w->jobs = g_ptr_array_new_with_free_func(g_free);
	return (struct workload *)w;
}

static const void *odp_stats_values(struct workload *base)
{
	return &((struct odp_workload *)base)->st;
}

const struct workload_ops rdma_odp_workload = {
    .kind = WORKLOAD_RDMA_ODP,
    .name = "rdma_odp",
    .help = "RDMA on-demand paging: registrations, faults, invalidations, messages",
    .input = TRACE_RDMA_ODP,
    .needs_trace = true,
    .params = &odp_param_table,
    .stats = &odp_stat_table,
    .create = odp_create,
    .record = odp_record,
    .finish = odp_finish,
    .stats_values = odp_stats_values,
    .destroy = odp_destroy,
};
