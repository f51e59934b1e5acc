/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The migration workload: parameters, statistics and the trace's events. Each VF carries out its own in
 * the order of the trace, the next one when the one before has ended. Downtime is the time from the first
 * save while the VM stands still to the last read (or load) of what was saved then.
 */
#include "vfio.h"

#define PARAMS_OF struct vfio_params
static const struct param_spec param_specs[] = {
    PARAM(tracked_page, SIZE, "4096", .min = 4096, .max = 1 << 30, .help = "page size of dirty tracking",
	  .source = "the device's range is not published (E)"),
    PARAM(report_bytes, SIZE, "4096", .min = 8, .max = 1 << 21, .help = "bytes of one dirty report",
	  .source = "2^pg_track_log_max_msg_size, device dependent (E)"),
    PARAM(max_queue, UINT, "64", .min = 1, .max = 1 << 20, .help = "events of one VF that may wait"),
    PARAM(save_bandwidth, DOUBLE, "0.42", .unit = "GB/s", .min = 0.001, .max = 1000,
	  .help = "at which firmware produces state",
	  .source = "400 MiB/s, from the downtime of 4 VFs with 400 MiB (E)"),
    PARAM(load_bandwidth, DOUBLE, "0.42", .unit = "GB/s", .min = 0.001, .max = 1000,
	  .help = "at which firmware takes state in", .source = "as save_bandwidth (E)"),
    PARAM(stop_cost, TIME, "150ms", .help = "fixed time to stop a VF before its last saves", .source = "(E)"),
    PARAM(copy_bandwidth, DOUBLE, "8", .unit = "GB/s", .min = 0.001, .max = 1000,
	  .help = "of the copy to the user", .source = "(E)"),
    PARAM(traffic, BOOL, "true", .help = "devices move the data (else only the driver works)"),
    PARAM(command_latency, TIME, "100us", .help = "one firmware command", .source = "(E)"),
    PARAM(page_alloc, TIME, "60ns", .help = "CPU time per page of a bulk allocation", .source = "(E)"),
    PARAM(report_entry, TIME, "5ns", .help = "CPU time to set one dirty page's bit", .source = "(E)"),
};
const struct param_table vfio_param_table = PARAM_TABLE("vfio", "VF migration (workload vfio_migration)",
							param_specs);
#undef PARAMS_OF

#define STATS_OF struct vfio_stats
static const struct stat_spec stat_specs[] = {
    STAT_COUNT("vfio.buffers_allocated", buffers_allocated, "buffers allocated"),
    STAT_COUNT("vfio.buffers_freed", buffers_freed, "buffers freed"),
    STAT_COUNT("vfio.buffers_reused", buffers_reused, "saves and loads into a buffer that was there"),
    STAT_COUNT("vfio.buffers_outgrown", buffers_outgrown,
	       "buffers freed because they were too small or of the other direction"),
    STAT_COUNT("vfio.pages", pages, "pages of all buffers"),
    STAT_COUNT("vfio.saves", saves, "SAVE commands"),
    STAT_COUNT("vfio.loads", loads, "LOAD commands"),
    STAT_COUNT("vfio.reads", reads, "reads by the user"),
    STAT_BYTES("vfio.save_bytes", save_bytes, "state saved"),
    STAT_BYTES("vfio.load_bytes", load_bytes, "state loaded"),
    STAT_BYTES("vfio.read_bytes", read_bytes, "state read by the user"),
    STAT_BYTES("vfio.precopy_bytes", precopy_bytes, "... saved while the VM ran"),
    STAT_BYTES("vfio.stop_copy_bytes", stop_copy_bytes, "... saved while it stood still"),
    STAT_COUNT("vfio.track_reads", track_reads, "reads of the dirty bitmap"),
    STAT_COUNT("vfio.track_entries", track_entries, "dirty pages reported"),
    STAT_COUNT("vfio.track_reports", track_reports, "report messages received"),
    STAT_COUNT("vfio.sg_entries", sg_entries, "scatterlist entries of all buffers"),
    STAT_COUNT("vfio.mtt_entries", mtt_entries, "translations written into memory keys"),
    STAT_COUNT("vfio.mkeys", mkeys, "memory keys created"),
    STAT_COUNT("vfio.transfer_errors", transfer_errors, "accesses that the IOMMU or the fabric refused"),
    STAT_TIME("vfio.downtime_ns", downtime, "longest stop-copy of a VF", .needs_timing = true),
    STAT_TIME("vfio.save_ns", save_time, "time of all SAVE commands until their data were there",
	      .needs_timing = true),
    STAT_TIME("vfio.load_ns", load_time, "time of all LOAD commands", .needs_timing = true),
};
const struct stat_table vfio_stat_table = STAT_TABLE(stat_specs);
#undef STATS_OF

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

static void dev_release(struct replayer_dev *base)
{
	GPtrArray *buffers = ((struct vfio_dev *)base)->buffers;

	while (buffers->len > 0)
		vfio_buffer_free(buffers->pdata[buffers->len - 1]);
}

static const char *explain(int err)
{
	return err == -EINVAL ? "the segments hold fewer bytes than the buffer: make them equal"
			      : "no memory for the buffer: raise memory.size";
}

extern const struct workload_ops vfio_migration_workload;
static const struct replayer_ops ops = {
    .workload = &vfio_migration_workload,
    .size = sizeof(struct vfio_workload),
    .stats = offsetof(struct vfio_workload, st),
    .params = offsetof(struct vfio_workload, params),
    .job_size = sizeof(struct vfio_job),
    .jobs = "events",
    .dev_new = dev_new,
    .dev_free = dev_free,
    .dev_release = dev_release,
    .explain = explain,
};

static struct workload *create(struct machine *m, const struct dma_api *api, GError **error)
{
	(void)error;
	return replayer_new(&ops, m, api);
}

const struct workload_ops vfio_migration_workload = {
    .kind = WORKLOAD_VFIO_MIGRATION,
    .name = "vfio_migration",
    .help = "live migration of VFs: buffers, saves, loads, dirty tracking",
    .input = TRACE_VFIO_MIGRATION,
    .needs_trace = true,
    .params = &vfio_param_table,
    .stats = &vfio_stat_table,
    .create = create,
    .record = vfio_record,
    .finish = replayer_finish,
    .destroy = replayer_destroy,
};
