/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Storage or file server over RDMA: requests of some vectors, each turned into a read/write context,
 * posted as work requests, done when the NIC has moved the data (drivers/infiniband/core/rw.c).
 */
#include "rdma_rw.h"

#include "sim/cpu.h"

#define PARAMS_OF struct rdma_rw_params
static const struct param_spec param_specs[] = {
    PARAM(requests, UINT, "10000", .min = 1, .max = 1e12, .help = "transfers to run"),
    PARAM(vectors, UINT, "64", .min = 1, .max = 4096, .help = "vectors of one transfer"),
    PARAM(vec_bytes, SIZE, "4KiB", .min = 1, .max = 1 << 20, .help = "bytes of one vector"),
    PARAM(offset, SIZE, "0", .max = 4095, .help = "where the first vector starts inside its page"),
    PARAM(gap, SIZE, "0", .max = 4095, .help = "where all further vectors start inside their pages"),
    PARAM(depth, UINT, "32", .min = 1, .max = 65536, .help = "transfers under way per CPU"),
    PARAM(max_sge, UINT, "30", .min = 1, .max = 1024,
	  .help = "elements of one work request that the queue pair takes"),
    PARAM(max_sgl_rd, UINT, "0", .max = 4096,
	  .help = "elements above which a READ is better registered; 0: never (legacy path)"),
    PARAM(read_share, DOUBLE, "0.5", .max = 1, .help = "share of RDMA READs, which fill local memory"),
    PARAM(iwarp, BOOL, "false", .help = "iWARP: READs need registered memory"),
    PARAM(force_mr, BOOL, "false", .help = "ib_core.force_mr: register every transfer"),
    PARAM(wire_latency, TIME, "2us", .max = 1e12, .help = "network time of a transfer outside this machine",
	  .source = "a rack's RDMA round trip, order of magnitude (E)"),
};
const struct param_table rdma_rw_param_table = PARAM_TABLE(
    "rdma_rw", "RDMA read/write API (workload rdma_rw)", param_specs);
#undef PARAMS_OF

#define STATS_OF struct rdma_rw_stats
static const struct stat_spec stat_specs[] = {
    STAT_COUNT("rdma_rw.single", single, "contexts with one work request"),
    STAT_COUNT("rdma_rw.multi", multi, "contexts mapped vector by vector or list"),
    STAT_COUNT("rdma_rw.iova", iova, "contexts with one IOVA range"),
    STAT_COUNT("rdma_rw.mr", mr, "contexts with registered memory"),
    STAT_COUNT("rdma_rw.work_requests", work_requests, "RDMA work requests posted"),
    STAT_COUNT("rdma_rw.sges", sges, "elements of those work requests"),
};
const struct stat_table rdma_rw_stat_table = STAT_TABLE(stat_specs);
#undef STATS_OF

/* struct ib_sge. */
#define SGE_BYTES 16u

struct lane {
	struct cpu_work work;
	struct rdma_rw *w;
	struct rdma_rw_ctx *ctx; /* depth of them */
	uint64_t requests, submitted;
	struct rng rng;
};

struct rdma_rw {
	struct load base;
	struct rdma_rw_params p;
	struct rdma_rw_stats st;
	struct lane *lanes; /* one per CPU */
	/* the NIC: contexts in the order of their doorbells */
	struct event nic;
	struct rdma_rw_ctx **queue;
	uint64_t queued, served, room; /* room: a power of two */
};

/* ---- one transfer ---- */

/* What the NIC moves in one step. */
#define NIC_CHUNK 4096u

/* One chunk of a context, at when; returns when the NIC may go on. */
static sim_time_t move_chunk(struct rdma_rw *w, struct rdma_rw_ctx *c, sim_time_t when)
{
	const struct dma_segment *seg = &c->buffer.obj.segs[c->seg];
	dma_addr_t addr = seg->addr + c->seg_done;
	uint64_t len = MIN(seg->len - c->seg_done, NIC_CHUNK - addr % NIC_CHUNK);
	enum pcie_op op = rdma_rw_is_read(c) ? PCIE_WRITE : PCIE_READ;
	sim_time_t accepted = when;

	c->failed |= !load_access(&w->base, op, addr, len, when, &c->done, &accepted);
	c->seg_done += len;
	if (c->seg_done == seg->len) {
		c->seg++;
		c->seg_done = 0;
	}
	return accepted;
}

static void nic_step(struct event *ev, sim_time_t now)
{
	struct rdma_rw *w = container_of(ev, struct rdma_rw, nic);
	struct rdma_rw_ctx *c = w->queue[w->served & (w->room - 1)];
	sim_time_t next = move_chunk(w, c, now);

	if (c->seg == c->buffer.obj.nsegs) {
		w->served++;
		c->done += w->p.wire_latency;
		cpu_post(&w->base.m->sim.cpus[c->lane - w->lanes], &c->work, c->done);
	}
	if (w->served < w->queued)
		sim_schedule(&w->base.m->sim, &w->nic, next);
}

/* Doorbell: the NIC reads (WRITE) or fills (READ) local memory. */
static void nic_moves(struct rdma_rw *w, struct rdma_rw_ctx *c, sim_time_t when)
{
	c->done = when;
	c->failed = false;
	c->seg = 0;
	c->seg_done = 0;
	if (w->base.m->sim.timing) {
		w->queue[w->queued++ & (w->room - 1)] = c;
		if (!event_is_scheduled(&w->nic))
			sim_schedule(&w->base.m->sim, &w->nic, when);
		return;
	}
	while (c->seg < c->buffer.obj.nsegs)
		move_chunk(w, c, when);
}

static void post(struct rdma_rw *w, struct rdma_rw_ctx *c, struct cpu *cpu)
{
	struct rdma_rw_stats *st = &w->st;
	uint64_t sges = c->type == RDMA_RW_MR ? 1 : c->buffer.obj.nsegs;

	switch (c->type) {
	case RDMA_RW_SINGLE_WR:
		st->single++;
		break;
	case RDMA_RW_MULTI_WR:
		st->multi++;
		break;
	case RDMA_RW_IOVA:
		st->iova++;
		break;
	case RDMA_RW_MR:
		st->mr++;
		break;
	}
	st->work_requests += div_round_up(sges, w->p.max_sge);
	st->sges += sges;
	/* One element is part of the context; more are an array. */
	c->command_bytes = sges > 1 ? sges * SGE_BYTES : 0;
	ledger_charge(&w->base.m->sim.ledger, LEDGER_DRIVER_COMMAND_BUFFERS, c->command_bytes);
	if (c->command_bytes)
		cpu_charge(cpu, COST_KMALLOC);
	cpu_charge_n(cpu, COST_DRIVER_DESCRIPTOR, sges);
	cpu_charge(cpu, COST_DOORBELL);
}

static void complete(struct rdma_rw *w, struct rdma_rw_ctx *c, struct cpu *cpu)
{
	if (!c->busy)
		return;
	cpu_charge(cpu, COST_DRIVER_COMPLETE);
	load_buffer_unmap(&w->base, &c->buffer);
	ledger_release(&w->base.m->sim.ledger, LEDGER_DRIVER_COMMAND_BUFFERS, c->command_bytes);
	c->busy = false;
	load_request_done(&w->base, !c->failed, c->buffer.obj.bytes, c->start, c->done);
}

static void submit(struct rdma_rw *w, struct rdma_rw_ctx *c, struct cpu *cpu, struct rng *rng)
{
	enum dma_data_direction dir = rng_double(rng) < w->p.read_share ? DMA_FROM_DEVICE : DMA_TO_DEVICE;

	c->start = cpu->now;
	c->type = RDMA_RW_MULTI_WR;
	cpu_charge(cpu, COST_DRIVER_SUBMIT);
	if (!load_buffer_map(&w->base, &c->buffer, (unsigned)w->p.vectors, dir)) {
		machine_io_refused(w->base.m);
		return;
	}
	post(w, c, cpu);
	nic_moves(w, c, cpu->now);
	c->busy = true;
}

/* Counts: a transfer completes when its context is wanted again. */
static void run_lane(struct cpu_work *work, struct cpu *cpu)
{
	struct lane *l = container_of(work, struct lane, work);
	struct rdma_rw *w = l->w;

	for (uint64_t i = 0; i < l->requests && !sim_interrupted(cpu->sim); i++) {
		struct rdma_rw_ctx *c = &l->ctx[i % w->p.depth];

		complete(w, c, cpu);
		submit(w, c, cpu, &l->rng);
	}
	for (uint64_t i = 0; i < w->p.depth; i++)
		complete(w, &l->ctx[(l->requests + i) % w->p.depth], cpu);
}

/* Timing: each completion frees its context for the next transfer. */
static void submit_next(struct rdma_rw *w, struct rdma_rw_ctx *c, struct cpu *cpu)
{
	struct lane *l = c->lane;

	while (l->submitted < l->requests && !c->busy && !sim_interrupted(cpu->sim)) {
		l->submitted++;
		submit(w, c, cpu, &l->rng);
	}
}

static void on_completion(struct cpu_work *work, struct cpu *cpu)
{
	struct rdma_rw_ctx *c = container_of(work, struct rdma_rw_ctx, work);

	complete(c->w, c, cpu);
	submit_next(c->w, c, cpu);
}

static void start_lane(struct cpu_work *work, struct cpu *cpu)
{
	struct lane *l = container_of(work, struct lane, work);

	for (uint64_t k = 0; k < l->w->p.depth; k++)
		submit_next(l->w, &l->ctx[k], cpu);
}

/* ---- set-up ---- */

static bool open_lane(struct rdma_rw *w, unsigned i)
{
	const struct rdma_rw_params *p = &w->p;
	const struct sim *s = &w->base.m->sim;
	struct lane *l = &w->lanes[i];

	l->w = w;
	l->work.fn = s->timing ? start_lane : run_lane;
	l->requests = p->requests / s->ncpus + (i < p->requests % s->ncpus);
	rng_init(&l->rng, s->seed + i, "rdma_rw");
	l->ctx = g_new0(struct rdma_rw_ctx, p->depth);
	for (uint64_t k = 0; k < p->depth; k++) {
		struct rdma_rw_ctx *c = &l->ctx[k];

		c->lane = l;
		c->work.fn = on_completion;
		c->w = w;
		c->p = p;
		if (!load_buffer_open(&w->base, &c->buffer, (unsigned)p->vectors, p->vec_bytes, p->offset,
				      p->gap))
			return false;
	}
	return true;
}

static bool set_up(struct load *l, GError **error)
{
	struct rdma_rw *w = (struct rdma_rw *)l;
	unsigned n = l->m->sim.ncpus;

	if (!load_device(l, NULL, 2u << 30, error)) /* what mlx5_core sets */
		return false;
	w->lanes = g_new0(struct lane, n);
	w->nic.fn = nic_step;
	w->nic.priority = EVENT_HARDWARE;
	w->room = (uint64_t)1 << order_base_2(n * w->p.depth);
	w->queue = g_new0(struct rdma_rw_ctx *, w->room);
	for (unsigned i = 0; i < n; i++)
		if (!open_lane(w, i)) {
			g_set_error(error, PARAM_ERROR, 0,
				    "no memory for the buffers: want a larger memory.size, or a smaller "
				    "rdma_rw.depth, rdma_rw.vectors or rdma_rw.vec_bytes");
			return false;
		}
	return true;
}

static void release(struct load *l)
{
	struct rdma_rw *w = (struct rdma_rw *)l;

	for (unsigned i = 0; w->lanes && i < l->m->sim.ncpus; i++) {
		for (uint64_t k = 0; w->lanes[i].ctx && k < w->p.depth; k++)
			load_buffer_close(l, &w->lanes[i].ctx[k].buffer);
		g_free(w->lanes[i].ctx);
	}
	g_free(w->lanes);
	g_free(w->queue);
}

static bool run(struct load *l, GError **error)
{
	struct rdma_rw *w = (struct rdma_rw *)l;
	struct sim *s = &l->m->sim;

	(void)error;
	l->m->io.first = s->now;
	for (unsigned i = 0; i < s->ncpus; i++)
		if (w->lanes[i].requests)
			cpu_post(&s->cpus[i], &w->lanes[i].work, s->now);
	sim_run(s);
	return true;
}

extern const struct workload_ops rdma_rw_workload;
static const struct load_ops ops = {
    .workload = &rdma_rw_workload,
    .size = sizeof(struct rdma_rw),
    .stats = offsetof(struct rdma_rw, st),
    .params = offsetof(struct rdma_rw, p),
    .set_up = set_up,
    .run = run,
    .release = release,
};

static struct workload *create(struct machine *m, const struct dma_api *api, GError **error)
{
	return load_new(&ops, m, api, error);
}

const struct workload_ops rdma_rw_workload = {
    .kind = WORKLOAD_RDMA_RW,
    .name = "rdma_rw",
    .help = "RDMA read/write API before and after its conversion to bio vectors",
    .params = &rdma_rw_param_table,
    .stats = &rdma_rw_stat_table,
    .create = create,
    .finish = load_finish,
    .destroy = load_destroy,
};
