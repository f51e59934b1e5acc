/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The on-demand-paging workload: parameters, statistics, and the trace's events, each of which becomes
 * work for the kernel (event.c) or a message of the NIC (message.c).
 */
#include "odp.h"

static const char *const loops[] = {"closed", "open", NULL};
static const char *const huge_pages[] = {"2MiB", "1GiB", NULL};

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
    {"huge_page", PARAM_ENUM, "", P(huge_page), "2MiB", 0, 0, huge_pages,
     "page of regions that are registered as huge (access flag 0x80)",
     "Linux drivers/infiniband/core/umem_odp.c: the huge page size of the mapping (A)"},
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
static void release(struct replayer *r)
{
	for (unsigned i = 0; i < r->ndevs; i++) {
		struct odp_dev *d = (struct odp_dev *)r->devs[i];

		while (d->nmrs > 0)
			odp_mr_deregister(d, d->mrs[d->nmrs - 1]);
	}
}

static const struct replayer_ops ops = {
    .size = sizeof(struct odp_workload),
    .job_size = sizeof(struct odp_job),
    .jobs = "messages",
    .dev_new = odp_dev_new,
    .dev_free = odp_dev_free,
    .release = release,
    .explain = explain,
};

static struct workload *odp_create(struct machine *m, const struct dma_api *api, GError **error)
{
	struct odp_workload *w = replayer_new(&ops, WORKLOAD_RDMA_ODP, offsetof(struct odp_workload, st), m,
					      api);

	(void)error;
	w->params = *(const struct odp_params *)config_get(m->config, &odp_param_table);
	return &w->base.base;
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
    .finish = replayer_finish,
    .destroy = replayer_destroy,
};
