/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The on-demand-paging workload: parameters, statistics, and the trace's events, each of which becomes
 * work for the kernel (event.c) or a message of the NIC (message.c).
 */
#include "odp.h"

static const char *const loops[] = {"closed", "open", NULL};
static const char *const huge_pages[] = {"2MiB", "1GiB", NULL};

#define PARAMS_OF struct odp_params
static const struct param_spec param_specs[] = {
    PARAM(loop, ENUM, "open", .choices = loops,
	  .help = "open: events come at the trace's times; closed: messages as soon as there is room"),
    PARAM(queue_depth, UINT, "16", .min = 1, .max = 65536, .help = "closed loop: messages in flight"),
    PARAM(traffic, BOOL, "true", .help = "messages read and write memory (else they only fault)"),
    PARAM(cache_entries, UINT, "8192", .min = 1, .max = 1 << 24,
	  .help = "page translations that the NIC's cache holds",
	  .source = "no published size; order of magnitude (E)"),
    PARAM(cache_ways, UINT, "8", .max = 1 << 24, .help = "associativity; 0: full", .source = "(E)"),
    PARAM(packet, SIZE, "4096", .min = 256, .max = 65536,
	  .help = "bytes that a fault asks for first: one packet",
	  .source = "largest InfiniBand path MTU (A)"),
    PARAM(max_prefetch, SIZE, "4MiB", .max = 1 << 30,
	  .help = "most that is brought in behind a faulting packet",
	  .source = "Linux drivers/infiniband/hw/mlx5/odp.c, MAX_PREFETCH_LEN (A)"),
    PARAM(
	child_bytes, SIZE, "1GiB", .min = 1 << 20, .max = 1ull << 40,
	.help = "bytes of one child of an implicit region",
	.source =
	    "Linux drivers/infiniband/hw/mlx5/odp.c: 1 GiB with 4-level CPU page tables, 16 GiB with 5 (A)"),
    PARAM(huge_page, ENUM, "2MiB", .choices = huge_pages,
	  .help = "page of regions that are registered as huge (access flag 0x80)",
	  .source = "Linux drivers/infiniband/core/umem_odp.c: the huge page size of the mapping (A)"),
    PARAM(
	event_latency, TIME, "112us",
	.help = "from the access that faults to the driver's handler: firmware, event queue, work queue",
	.source =
	    "220 us for a minor fault of 4 KiB, Lesokhin et al., ASPLOS 2017 (C); split over the steps (E)"),
    PARAM(umr_latency, TIME, "2us", .help = "one UMR work request, posted to completed", .source = "(E)"),
    PARAM(resume_latency, TIME, "90us", .help = "command that lets a queue pair go on after a fault",
	  .source = "as event_latency (E)"),
    PARAM(hmm_fixed, TIME, "14us", .help = "CPU time of memory management per fault, fixed part",
	  .source = "as event_latency (E)"),
    PARAM(inval_fixed, TIME, "35us", .help = "CPU time of an invalidation's notifier, fixed part",
	  .source = "only \"cheaper than a fault\" is published (E)"),
    PARAM(mtt_latency, TIME, "700ns",
	  .help = "translation that the NIC's cache lacks: read of its table in host memory",
	  .source = "one PCIe read (E)"),
    PARAM(hmm_page, TIME, "85ns", .help = "CPU time per page of a fault besides the DMA layer's",
	  .source = "fitted: 127 ns per further page in all without translation, from 350 us for 4 MiB, "
		    "Lesokhin et al. (B)"),
    PARAM(message_overhead, TIME, "1us", .help = "fixed time of a message in the NIC and on the wire",
	  .source = "(E)"),
};
const struct param_table odp_param_table = PARAM_TABLE(
    "rnic", "RDMA NIC and on-demand paging (workload rdma_odp)", param_specs);
#undef PARAMS_OF

#define STATS_OF struct odp_stats
static const struct stat_spec stat_specs[] = {
    STAT_COUNT("rnic.registrations", registrations, "regions registered"),
    STAT_COUNT("rnic.deregistrations", deregistrations, "regions deregistered"),
    STAT_COUNT("rnic.children_created", children_created, "children of implicit regions"),
    STAT_COUNT("rnic.children_destroyed", children_destroyed,
	       "children freed because nothing was mapped any more"),
    STAT_COUNT("rnic.faults", faults, "page faults handled"),
    STAT_COUNT("rnic.prefetches", prefetches, "prefetches, asked for or behind a fault"),
    STAT_COUNT("rnic.invalidations", invalidations, "notifications that pages go away"),
    STAT_COUNT("rnic.invalidations_skipped", invalidations_skipped, "... of regions with nothing mapped"),
    STAT_COUNT("rnic.fault_pages", fault_pages, "pages in faults and prefetches"),
    STAT_COUNT("rnic.pages_mapped", pages_mapped, "pages mapped for DMA"),
    STAT_COUNT("rnic.pages_unmapped", pages_unmapped, "pages unmapped"),
    STAT_COUNT("rnic.pages_upgraded", pages_upgraded, "mapped pages that became writable: no DMA call"),
    STAT_COUNT("rnic.refused", refused, "faults that found no memory or no mapping"),
    STAT_COUNT("rnic.umr_posts", umr_posts, "UMR work requests"),
    STAT_COUNT("rnic.umr_entries", umr_entries, "translations written by them"),
    STAT_COUNT("rnic.umr_zaps", umr_zaps, "runs zapped by invalidations"),
    STAT_COUNT("rnic.ksm_updates", ksm_updates, "updates of implicit regions' tables of children"),
    STAT_COUNT("rnic.messages", messages, "messages completed"),
    STAT_BYTES("rnic.message_bytes", message_bytes, "their bytes"),
    STAT_COUNT("rnic.message_faults", message_faults, "faults that stopped a message"),
    STAT_COUNT("rnic.cache_hits", cache_hits, "translations found in the NIC"),
    STAT_COUNT("rnic.cache_misses", cache_misses, "translations fetched from memory"),
    STAT_COUNT("rnic.transfer_errors", transfer_errors, "accesses that the IOMMU or the fabric refused"),
    STAT_TIME("rnic.fault_ns", fault_time, "time that messages stood still in faults", .needs_timing = true),
};
const struct stat_table odp_stat_table = STAT_TABLE(stat_specs);
#undef STATS_OF

static const char *explain(int err)
{
	return err == -EOPNOTSUPP
		   ? "on-demand paging needs a coherent device that reaches all memory and never bounces"
		   : "no memory for the region's pages or lists: raise memory.size";
}

static bool check(struct odp_dev *d, const struct trace_record *rec, struct odp_mr **mr, GError **error)
{
	const char *what = NULL;

	*mr = odp_mr_find(d, rec->odp.mr);
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
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
		    "record at %" G_GUINT64_FORMAT ": memory region %u %s", rec->where, rec->odp.mr, what);
	return false;
}

static struct odp_job *make_job(struct odp_dev *d, struct odp_mr *mr, const struct trace_record *rec)
{
	struct odp_job *j = replayer_job_begin(&d->w->base, rec);

	j->dev = d;
	j->mr = mr;
	j->number = rec->odp.mr;
	j->access = rec->odp.access;
	j->event = rec->odp.event;
	j->write = rec->odp.write;
	j->implicit = rec->odp.implicit;
	j->offset = rec->odp.offset;
	j->bytes = rec->odp.bytes;
	j->pos = 0;
	j->finished = 0;
	j->failed = false;
	return j;
}

static bool odp_record(struct workload *base, const struct trace_record *rec, GError **error)
{
	struct replayer *r = (struct replayer *)base;
	const struct odp_params *p = &((struct odp_workload *)base)->params;
	struct sim *sim = &r->m->sim;
	bool open = p->loop == ODP_LOOP_OPEN,
	     alone = rec->odp.event == ODP_REG || rec->odp.event == ODP_DEREG;
	sim_time_t start = rec->time_ns * SIM_NS;
	struct odp_dev *d = (struct odp_dev *)replayer_dev(r, rec->device, error);
	struct odp_mr *mr;
	struct odp_job *j;

	if (!d)
		return false;
	if (open || !sim->timing)
		sim_advance(sim, start);
	else
		start = sim->now;
	/* Regions come and go only while nothing uses them. */
	if (sim->timing && !replayer_wait(r, alone ? 0 : open ? UINT_MAX : (unsigned)p->queue_depth - 1))
		return replayer_stuck(r, rec, error);
	start = MAX(start, sim->timing && (!open || alone) ? sim->now : start);
	if (!replayer_report(r, error) || !check(d, rec, &mr, error))
		return false;
	replayer_count_record(r, start);
	j = make_job(d, mr, rec);
	j->base.start = start;
	if (j->event == ODP_ACCESS) {
		j->step.fn = odp_run_message;
		j->step.priority = EVENT_HARDWARE;
		if (sim->timing)
			sim_schedule(sim, &j->step, start);
		else
			odp_run_message(&j->step, sim->now);
	} else {
		j->base.work.fn = odp_run_event;
		cpu_post(j->base.cpu, &j->base.work,
			 start + (sim->timing && j->event == ODP_FAULT ? p->event_latency : 0));
	}
	if (alone && sim->timing)
		replayer_wait(r, 0);
	return replayer_report(r, error);
}

/* Regions that the trace leaves registered go when the process ends. */
static void dev_release(struct replayer_dev *base)
{
	struct odp_dev *d = (struct odp_dev *)base;

	while (d->nmrs > 0)
		odp_mr_deregister(d, d->mrs[d->nmrs - 1]);
}

extern const struct workload_ops rdma_odp_workload;
static const struct replayer_ops ops = {
    .workload = &rdma_odp_workload,
    .size = sizeof(struct odp_workload),
    .stats = offsetof(struct odp_workload, st),
    .params = offsetof(struct odp_workload, params),
    .job_size = sizeof(struct odp_job),
    .jobs = "messages",
    .dev_new = odp_dev_new,
    .dev_free = odp_dev_free,
    .dev_release = dev_release,
    .explain = explain,
};

static struct workload *create(struct machine *m, const struct dma_api *api, GError **error)
{
	(void)error;
	return replayer_new(&ops, m, api);
}

const struct workload_ops rdma_odp_workload = {
    .kind = WORKLOAD_RDMA_ODP,
    .name = "rdma_odp",
    .help = "RDMA on-demand paging: registrations, faults, invalidations, messages",
    .input = TRACE_RDMA_ODP,
    .needs_trace = true,
    .params = &odp_param_table,
    .stats = &odp_stat_table,
    .create = create,
    .record = odp_record,
    .finish = replayer_finish,
    .destroy = replayer_destroy,
};
