/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs, devices and the end of a workload that replays a trace. */
#include "replayer.h"

#include <string.h>

void *replayer_new(const struct replayer_ops *ops, struct machine *m, const struct dma_api *api)
{
	const struct workload_ops *w = ops->workload;
	struct replayer *r = g_malloc0(ops->size);

	r->base.stats = (const char *)r + ops->stats;
	memcpy((char *)r + ops->params, config_get(m->config, w->params), w->params->struct_size);
	r->ops = ops;
	r->m = m;
	r->api = api;
	r->path = dma_api_path(api, w->kind);
	r->jobs = g_ptr_array_new();
	return r;
}

/* ---- devices ---- */

struct replayer_dev *replayer_dev(struct replayer *r, unsigned number, GError **error)
{
	while (number >= r->ndevs) {
		struct replayer_dev *d = r->ops->dev_new(r, error);

		if (!d)
			return NULL;
		r->devs = g_renew(struct replayer_dev *, r->devs, r->ndevs + 1);
		r->devs[r->ndevs++] = d;
	}
	return r->devs[number];
}

bool replayer_dev_init(struct replayer *r, struct replayer_dev *d, uint64_t mask, unsigned max_seg_size,
		       GError **error)
{
	d->dev = machine_add_device(r->m, NULL, error);
	if (!d->dev)
		return false;
	dma_set_mask(d->dev, mask);
	dma_set_max_seg_size(d->dev, max_seg_size);
	d->instance = dma_api_instance_new(r->api, r->m, d->dev);
	return true;
}

void replayer_dev_fini(struct replayer *r, struct replayer_dev *d)
{
	dma_api_instance_free(r->api, r->m, d->instance);
}

/* ---- jobs ---- */

void *replayer_job_get(struct replayer *r)
{
	struct replayer_job *j = r->free;

	if (j) {
		r->free = j->next;
		return j;
	}
	j = g_malloc0(r->ops->job_size);
	g_ptr_array_add(r->jobs, j);
	return j;
}

void replayer_job_put(struct replayer *r, struct replayer_job *j)
{
	j->next = r->free;
	r->free = j;
}

void *replayer_job_begin(struct replayer *r, const struct trace_record *rec)
{
	struct replayer_job *j = replayer_job_get(r);

	j->next = NULL;
	j->cpu = &r->m->sim.cpus[rec->cpu % r->m->sim.ncpus];
	j->where = rec->where;
	j->start = rec->time_ns * SIM_NS;
	if (rec->nsegs > j->room) {
		j->room = rec->nsegs;
		j->segs = g_renew(struct trace_segment, j->segs, j->room);
	}
	j->nsegs = rec->nsegs;
	if (rec->nsegs)
		memcpy(j->segs, rec->segs, rec->nsegs * sizeof(*j->segs));
	r->in_flight++;
	return j;
}

void replayer_job_end(struct replayer *r, struct replayer_job *j)
{
	r->in_flight--;
	replayer_job_put(r, j);
}

void replayer_job_failed(struct replayer *r, const struct replayer_job *j, int err)
{
	if (r->failed)
		return;
	r->failed = err;
	r->failed_where = j->where;
}

/* ---- time ---- */

bool replayer_step(struct replayer *r)
{
	sim_time_t t = event_peek_time(r->m->sim.events);

	if (t == SIM_TIME_NEVER)
		return false;
	sim_advance(&r->m->sim, t);
	return true;
}

bool replayer_wait(struct replayer *r, unsigned in_flight)
{
	while (r->in_flight > in_flight)
		if (!replayer_step(r))
			return false;
	return true;
}

bool replayer_report(const struct replayer *r, GError **error)
{
	if (!r->failed)
		return true;
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD, "record at %" G_GUINT64_FORMAT ": %s",
		    r->failed_where, r->ops->explain(r->failed));
	return false;
}

bool replayer_stuck(const struct replayer *r, const struct trace_record *rec, GError **error)
{
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
		    "record at %" G_GUINT64_FORMAT ": the %s before it never end", rec->where, r->ops->jobs);
	return false;
}

/* ---- the end ---- */

static void release(void *arg)
{
	struct replayer *r = arg;

	for (unsigned i = 0; i < r->ndevs; i++)
		r->ops->dev_release(r->devs[i]);
}

bool replayer_finish(struct workload *base, GError **error)
{
	struct replayer *r = (struct replayer *)base;

	if (!replayer_wait(r, 0)) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD, "%u %s never end", r->in_flight,
			    r->ops->jobs);
		return false;
	}
	if (r->ops->dev_release)
		cpu_run(r->m->sim.cpus, release, r);
	sim_run(&r->m->sim); /* the last timers: flush queues */
	return replayer_report(r, error);
}

void replayer_destroy(struct workload *base)
{
	struct replayer *r = (struct replayer *)base;

	if (!r)
		return;
	if (r->ndevs && r->ops->dev_release)
		cpu_run(r->m->sim.cpus, release, r);
	for (unsigned i = 0; i < r->jobs->len; i++) {
		struct replayer_job *j = r->jobs->pdata[i];

		if (r->ops->job_free)
			r->ops->job_free(j);
		g_free(j->segs);
		g_free(j);
	}
	for (unsigned i = 0; i < r->ndevs; i++)
		r->ops->dev_free(r, r->devs[i]);
	g_ptr_array_free(r->jobs, TRUE);
	g_free(r->devs);
	g_free(r);
}
