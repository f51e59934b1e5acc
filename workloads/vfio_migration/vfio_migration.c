/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The migration workload: parameters, statistics and the trace's events. Each VF carries out its own in
 * the order of the trace, the next one when the one before has ended. Downtime is the time from the first
 * save while the VM stands still to the last read (or load) of what was saved then.
 */
#include "vfio.h"

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

static void make_job(struct vfio_dev *d, const struct trace_record *rec)
{
	struct vfio_job *j = replayer_job_begin(&d->w->base, rec);
	bool tracker = rec->vfio.event >= VFIO_TRACK_START;

	j->dev = d;
	j->event = rec->vfio.event;
	j->purpose = tracker ? VFIO_PURPOSE_TRACKER : rec->vfio.purpose;
	j->dir = rec->vfio.event == VFIO_LOAD ? DMA_TO_DEVICE
		 : tracker                    ? DMA_FROM_DEVICE
					      : rec->vfio.direction;
	j->id = rec->vfio.buffer;
	j->bytes = rec->vfio.bytes;
	*d->tail = &j->base;
	d->tail = &j->base.next;
	d->queued++;
}

static bool vfio_record(struct workload *base, const struct trace_record *rec, GError **error)
{
	struct replayer *r = (struct replayer *)base;
	const struct vfio_params *p = &((struct vfio_workload *)base)->params;
	struct vfio_dev *d;

	if (!check(rec, error))
		return false;
	d = (struct vfio_dev *)replayer_dev(r, rec->device, error);
	if (!d)
		return false;
	sim_advance(&r->m->sim, rec->time_ns * SIM_NS);
	while (d->queued >= p->max_queue)
		if (!replayer_step(r))
			break;
	replayer_count_record(r, r->m->sim.now);
	make_job(d, rec);
	vfio_start_next(d);
	return replayer_report(r, error);
}

static struct replayer_dev *dev_new(struct replayer *r, GError **error)
{
	struct vfio_dev *d = g_new0(struct vfio_dev, 1);

	if (!replayer_dev_init(r, &d->base, UINT64_MAX, UINT32_MAX, error)) {
		g_free(d);
		return NULL;
	}
	d->w = (struct vfio_workload *)r;
	d->buffers = g_ptr_array_new();
	d->tail = &d->head;
	rng_init(&d->rng, r->m->sim.seed, "vfio_migration.layout");
	return &d->base;
}

static void dev_free(struct replayer *r, struct replayer_dev *base)
{
	struct vfio_dev *d = (struct vfio_dev *)base;

	replayer_dev_fini(r, base);
	g_ptr_array_free(d->buffers, TRUE);
	g_free(d);
}

static void release(struct replayer *r)
{
	for (unsigned i = 0; i < r->ndevs; i++) {
		GPtrArray *buffers = ((struct vfio_dev *)r->devs[i])->buffers;

		while (buffers->len > 0)
			vfio_buffer_free(buffers->pdata[buffers->len - 1]);
	}
}

static const char *explain(int err)
{
	return err == -EINVAL ? "the segments hold fewer bytes than the buffer: make them equal"
			      : "no memory for the buffer: raise memory.size";
}

static const struct replayer_ops ops = {
    .size = sizeof(struct vfio_workload),
    .job_size = sizeof(struct vfio_job),
    .jobs = "events",
    .dev_new = dev_new,
    .dev_free = dev_free,
    .release = release,
    .explain = explain,
};

static struct workload *vfio_create(struct machine *m, const struct dma_api *api, GError **error)
{
	struct vfio_workload *w = replayer_new(&ops, WORKLOAD_VFIO_MIGRATION,
					       offsetof(struct vfio_workload, st), m, api);

	(void)error;
	w->params = *(const struct vfio_params *)config_get(m->config, &vfio_param_table);
	return &w->base.base;
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
    .finish = replayer_finish,
    .destroy = replayer_destroy,
};
