/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mapping calls of any recorded driver, replayed: an object per live mapping, named by the DMA address
 * that the recording gave it. What the recorded calls were does not matter, only what they mapped: the
 * API under test maps the same vectors its own way. A window of the two-step interface gathers the links
 * until they are synced; each synced part is one mapping. Calls come at their recorded times (open loop).
 */
#include "../paths.h"

#include <dmasim/pcie.h>
#include <dmasim/vtd.h>
#include <string.h>

enum { ACCESS_NONE, ACCESS_ONCE };
static const char *const accesses[] = {"none", "once", NULL};

struct replay_params {
	int access;
	uint64_t address_bits;
};

#define P(m) offsetof(struct replay_params, m)
static const struct param_spec param_specs[] = {
    {"access", PARAM_ENUM, "", P(access), "once", 0, 0, accesses,
     "once: the device reads or writes each mapping once before it is unmapped; none: it is only mapped",
     NULL},
    {"address_bits", PARAM_UINT, "bits", P(address_bits), "64", 24, 64, NULL,
     "DMA mask of the devices: recordings do not tell it", NULL},
};
#undef P
const struct param_table dma_replay_param_table = {
    .section = "dma_replay",
    .help = "recorded mapping calls (workload dma_replay)",
    .specs = param_specs,
    .nspecs = G_N_ELEMENTS(param_specs),
    .struct_size = sizeof(struct replay_params),
};

struct replay_stats {
	uint64_t maps, lists, windows, links, unmaps, coherent_allocs, coherent_frees, bytes, unknown_unmaps,
	    leftover, unsynced, failed, transfer_errors;
};

#define C(text, m, unit_, help_)                                          \
	{                                                                 \
		.name = text, .kind = STAT_COUNTER, .unit = unit_,        \
		.offset = offsetof(struct replay_stats, m), .help = help_ \
	}
static const struct stat_spec stat_specs[] = {
    C("dma_replay.maps", maps, "count", "mappings made: single buffers, lists, synced parts of windows"),
    C("dma_replay.lists", lists, "count", "... of more than one vector"),
    C("dma_replay.map_bytes", bytes, "bytes", "bytes in them"),
    C("dma_replay.unmaps", unmaps, "count", "mappings undone, the leftover ones too"),
    C("dma_replay.windows", windows, "count", "recorded windows (dma_iova_try_alloc)"),
    C("dma_replay.links", links, "count", "recorded links into them"),
    C("dma_replay.unsynced", unsynced, "count", "links that were never synced: not mapped"),
    C("dma_replay.coherent_allocs", coherent_allocs, "count", "coherent allocations"),
    C("dma_replay.coherent_frees", coherent_frees, "count", "coherent allocations freed"),
    C("dma_replay.unknown_unmaps", unknown_unmaps, "count",
      "recorded unmaps of what was mapped before the recording began: skipped"),
    C("dma_replay.leftover", leftover, "count", "mappings that the recording leaves, undone at its end"),
    C("dma_replay.failed", failed, "count", "mappings that the DMA layer refused"),
    C("dma_replay.transfer_errors", transfer_errors, "count",
      "accesses that the IOMMU or the fabric refused"),
};
#undef C
const struct stat_table dma_replay_stat_table = {
    .specs = stat_specs,
    .nspecs = G_N_ELEMENTS(stat_specs),
    .struct_size = sizeof(struct replay_stats),
};

enum mapping_kind { KIND_SINGLE, KIND_LIST, KIND_WINDOW, KIND_COHERENT, KIND_PART };
enum mapping_state { STATE_MAPPING, STATE_DEVICE, STATE_MAPPED, STATE_FAILED };

struct replay_dev {
	struct device *dev;
	void *instance;
};

struct replay_workload;
struct mapping {
	struct dma_object obj;
	struct cpu_work map_work, unmap_work;
	struct event touch;
	struct replay_workload *w;
	struct mapping *next;  /* of its bucket, its window or the free list */
	struct mapping *parts; /* of a window, newest first */
	struct cpu *unmap_cpu;
	struct phys_vec *vecs;
	unsigned nvecs, vec_room, seg_room;
	uint32_t device;
	uint8_t kind, state;
	bool unmap_wanted;
	uint64_t handle, offset, bytes;
	uint64_t pending; /* of a window: where the links not yet synced begin */
	phys_addr_t coherent;
	sim_time_t start, done, unmap_at;
};

struct replay_workload {
	struct machine *m;
	const struct dma_api *api;
	const struct driver_path *path;
	struct replay_params params;
	struct replay_stats st;
	struct replay_dev *devs;
	unsigned ndevs;
	struct mapping **buckets, *free;
	uint64_t nlive, mask;
	GPtrArray *mappings; /* all ever made, for the end */
	uint64_t in_flight;
};

/* ---- live mappings by device, kind and recorded address ---- */

static struct mapping **bucket(const struct replay_workload *w, uint32_t device, uint8_t kind,
			       uint64_t handle)
{
	uint64_t h = (handle ^ (uint64_t)device << 52 ^ (uint64_t)kind << 60) * 0x9e3779b97f4a7c15ull;

	return &w->buckets[(h ^ h >> 32) & w->mask];
}

static void link_live(struct replay_workload *w, struct mapping *p)
{
	struct mapping **b = bucket(w, p->device, p->kind, p->handle);

	p->next = *b;
	*b = p;
}

static void insert(struct replay_workload *w, struct mapping *p)
{
	if (w->nlive > w->mask) {
		struct mapping **old = w->buckets;
		uint64_t n = w->mask + 1;

		w->mask = n * 2 - 1;
		w->buckets = g_new0(struct mapping *, n * 2);
		for (uint64_t i = 0; i < n; i++)
			while (old[i]) {
				struct mapping *q = old[i];

				old[i] = q->next;
				link_live(w, q);
			}
		g_free(old);
	}
	link_live(w, p);
	w->nlive++;
}

/* Where the newest of that address hangs, NULL if there is none. */
static struct mapping **find(struct replay_workload *w, uint32_t device, uint8_t kind, uint64_t handle)
{
	for (struct mapping **at = bucket(w, device, kind, handle); *at; at = &(*at)->next)
		if ((*at)->handle == handle && (*at)->device == device && (*at)->kind == kind)
			return at;
	return NULL;
}

static struct mapping *take(struct replay_workload *w, uint32_t device, uint8_t kind, uint64_t handle)
{
	struct mapping **at = find(w, device, kind, handle), *p;

	if (!at)
		return NULL;
	p = *at;
	*at = p->next;
	w->nlive--;
	return p;
}

static struct mapping *mapping_get(struct replay_workload *w, const struct trace_record *rec, uint8_t kind)
{
	struct mapping *p = w->free;

	if (p) {
		w->free = p->next;
	} else {
		p = g_new0(struct mapping, 1);
		p->w = w;
		p->obj.path = w->path;
		p->obj.state = g_malloc0(MAX(w->path->state_size, 1));
		g_ptr_array_add(w->mappings, p);
	}
	p->kind = kind;
	p->device = rec->device;
	p->handle = rec->dma.handle;
	p->offset = rec->dma.offset;
	p->bytes = 0;
	p->nvecs = 0;
	p->pending = 0;
	p->parts = NULL;
	p->next = NULL;
	p->unmap_wanted = false;
	p->obj.dev = w->devs[rec->device].dev;
	p->obj.instance = w->devs[rec->device].instance;
	p->obj.dir = rec->dma.dir;
	p->obj.attrs = rec->dma.attrs;
	p->obj.nsegs = 0;
	return p;
}

static void mapping_put(struct mapping *p)
{
	p->next = p->w->free;
	p->w->free = p;
}

static void mapping_free(void *arg)
{
	struct mapping *p = arg;

	g_free(p->obj.state);
	g_free(p->obj.segs);
	g_free(p->vecs);
	g_free(p);
}

static void add_vec(struct mapping *p, phys_addr_t phys, uint64_t len)
{
	if (p->nvecs == p->vec_room) {
		p->vec_room = p->vec_room ? p->vec_room * 2 : 8;
		p->vecs = g_renew(struct phys_vec, p->vecs, p->vec_room);
	}
	p->vecs[p->nvecs++] = (struct phys_vec){phys, (uint32_t)len};
	p->bytes += len;
}

/* ---- mapping, access, unmapping ---- */

static void undo(struct mapping *p)
{
	struct replay_workload *w = p->w;

	if (p->state == STATE_FAILED) {
		mapping_put(p);
		return;
	}
	if (p->kind == KIND_COHERENT) {
		dma_free_attrs(p->obj.dev, p->bytes, p->coherent, p->obj.segs[0].addr, p->obj.attrs);
		w->st.coherent_frees++;
	} else {
		w->path->unmap(&p->obj, 0, p->bytes);
		if (w->path->close)
			w->path->close(&p->obj);
		w->st.unmaps++;
	}
	mapping_put(p);
}

static void run_unmap(struct cpu_work *work, struct cpu *cpu)
{
	struct mapping *p = (struct mapping *)((char *)work - offsetof(struct mapping, unmap_work));
	struct replay_workload *w = p->w;

	(void)cpu;
	undo(p);
	w->in_flight--;
}

static void post_unmap(struct mapping *p)
{
	p->unmap_work.fn = run_unmap;
	p->w->in_flight++;
	cpu_post(p->unmap_cpu, &p->unmap_work, MAX(p->unmap_at, p->done));
}

/* The driver wants it gone: now, or as soon as the device has done with it. */
static void unmap(struct mapping *p, struct cpu *cpu, sim_time_t at)
{
	p->unmap_cpu = cpu;
	p->unmap_at = at;
	p->unmap_wanted = true;
	if (p->state >= STATE_MAPPED)
		post_unmap(p);
}

/* In use, or refused: what waits for that may go on. */
static void settle(struct mapping *p, uint8_t state, sim_time_t when)
{
	struct replay_workload *w = p->w;
	struct io_stats *io = &w->m->io;

	p->state = state;
	p->done = when;
	w->in_flight--;
	if (state == STATE_FAILED) {
		w->st.failed++;
		io->failed++;
	} else {
		io->completed++;
		io->bytes += p->bytes;
		io->last = MAX(io->last, when);
		if (w->m->sim.timing && io->latency_ns)
			hist_add(io->latency_ns, (when - p->start) / SIM_NS, 1);
	}
	if (p->unmap_wanted)
		post_unmap(p);
}

static void run_touch(struct event *ev, sim_time_t now)
{
	struct mapping *p = (struct mapping *)((char *)ev - offsetof(struct mapping, touch));
	sim_time_t when = now, done = now;

	for (unsigned i = 0; i < p->obj.nsegs; i++) {
		struct pcie_dma d = {.fn = p->obj.dev->pci,
				     .op = p->obj.dir == DMA_TO_DEVICE ? PCIE_READ : PCIE_WRITE,
				     .addr = p->obj.segs[i].addr,
				     .len = p->obj.segs[i].len,
				     .pasid = VTD_NO_PASID};

		if (pcie_dma(&d, when))
			p->w->st.transfer_errors++;
		done = MAX(done, d.done);
		if (d.op == PCIE_WRITE)
			when = MAX(when, d.accepted);
	}
	settle(p, STATE_MAPPED, done);
}

static int do_map(struct mapping *p)
{
	struct replay_workload *w = p->w;
	int err;

	if (p->kind == KIND_COHERENT) {
		p->obj.nsegs = 1;
		p->coherent = dma_alloc_attrs(p->obj.dev, p->bytes, &p->obj.segs[0].addr, p->obj.attrs);
		w->st.coherent_allocs += p->coherent != 0;
		return p->coherent ? 0 : -ENOMEM;
	}
	memset(p->obj.state, 0, w->path->state_size);
	err = w->path->open ? w->path->open(&p->obj, p->bytes) : 0;
	if (err)
		return err;
	err = w->path->map(&p->obj, 0, p->vecs, p->nvecs);
	if (err) {
		if (w->path->close)
			w->path->close(&p->obj);
		return err;
	}
	w->st.maps++;
	w->st.lists += p->nvecs > 1;
	w->st.bytes += p->bytes;
	return 0;
}

static void run_map(struct cpu_work *work, struct cpu *cpu)
{
	struct mapping *p = (struct mapping *)((char *)work - offsetof(struct mapping, map_work));
	struct sim *sim = &p->w->m->sim;

	if (do_map(p)) {
		settle(p, STATE_FAILED, cpu->now);
	} else if (p->kind == KIND_COHERENT || p->w->params.access == ACCESS_NONE) {
		settle(p, STATE_MAPPED, cpu->now);
	} else {
		p->state = STATE_DEVICE;
		p->touch.fn = run_touch;
		p->touch.priority = EVENT_HARDWARE;
		if (sim->timing)
			sim_schedule(sim, &p->touch, cpu->now);
		else
			run_touch(&p->touch, sim->now);
	}
}

static void map(struct mapping *p, struct cpu *cpu, sim_time_t at)
{
	unsigned segs = p->nvecs + 1;

	for (unsigned i = 0; i < p->nvecs; i++)
		segs += (unsigned)((align_up(p->vecs[i].paddr + p->vecs[i].len, PAGE_SIZE) -
				    align_down(p->vecs[i].paddr, PAGE_SIZE)) >>
				   PAGE_SHIFT);
	if (segs > p->seg_room) {
		p->seg_room = segs;
		p->obj.segs = g_renew(struct dma_segment, p->obj.segs, segs);
	}
	p->obj.max_segs = p->seg_room;
	p->obj.bytes = p->bytes;
	p->state = STATE_MAPPING;
	p->start = at;
	p->map_work.fn = run_map;
	p->w->in_flight++;
	cpu_post(cpu, &p->map_work, at);
}

/* ---- windows ---- */

/* The links gathered since the last sync become one mapping. */
static void window_sync(struct mapping *win, const struct trace_record *rec, struct cpu *cpu, sim_time_t at)
{
	struct mapping *p;
	struct phys_vec *vecs;
	unsigned room;

	if (!win->nvecs)
		return;
	p = mapping_get(win->w, rec, KIND_PART);
	vecs = p->vecs;
	room = p->vec_room;
	p->vecs = win->vecs;
	p->nvecs = win->nvecs;
	p->vec_room = win->vec_room;
	p->bytes = win->bytes;
	p->offset = win->pending;
	p->obj.dir = win->obj.dir;
	p->obj.attrs = win->obj.attrs;
	win->vecs = vecs;
	win->vec_room = room;
	win->nvecs = 0;
	win->bytes = 0;
	p->next = win->parts;
	win->parts = p;
	map(p, cpu, at);
}

/* Undo the parts that begin in [from, from + bytes). Returns how many. */
static unsigned window_unmap(struct mapping *win, uint64_t from, uint64_t bytes, struct cpu *cpu,
			     sim_time_t at)
{
	struct mapping **link = &win->parts;
	unsigned n = 0;

	while (*link) {
		struct mapping *p = *link;

		if (p->offset < from || p->offset - from >= bytes) {
			link = &p->next;
			continue;
		}
		*link = p->next;
		unmap(p, cpu, at);
		n++;
	}
	return n;
}

static unsigned window_end(struct mapping *win, struct cpu *cpu, sim_time_t at)
{
	unsigned n = window_unmap(win, 0, UINT64_MAX, cpu, at);

	win->w->st.unsynced += win->nvecs;
	mapping_put(win);
	return n;
}

static bool window_record(struct replay_workload *w, const struct trace_record *rec, struct cpu *cpu,
			  sim_time_t at)
{
	struct mapping **found, *win;

	if (rec->dma.event == DMA_EV_TRY_ALLOC) {
		w->st.windows++;
		insert(w, mapping_get(w, rec, KIND_WINDOW));
		return true;
	}
	found = find(w, rec->device, KIND_WINDOW, rec->dma.handle);
	win = found ? *found : NULL;
	if (rec->dma.event == DMA_EV_LINK) {
		if (!win) /* its allocation is older than the recording */
			insert(w, win = mapping_get(w, rec, KIND_WINDOW));
		if (!win->nvecs)
			win->pending = rec->dma.offset;
		win->obj.dir = rec->dma.dir;
		win->obj.attrs = rec->dma.attrs;
		w->st.links++;
		add_vec(win, rec->dma.phys, rec->dma.bytes);
		return true;
	}
	if (!win)
		return rec->dma.event == DMA_EV_SYNC;
	if (rec->dma.event == DMA_EV_SYNC)
		window_sync(win, rec, cpu, at);
	else if (rec->dma.event == DMA_EV_UNLINK)
		return window_unmap(win, rec->dma.offset, rec->dma.bytes, cpu, at) > 0;
	else
		window_end(take(w, rec->device, KIND_WINDOW, rec->dma.handle), cpu, at);
	return true;
}

/* ---- records ---- */

static bool check(const struct trace_record *rec, GError **error)
{
	static const char *const what[] = {"of 1 byte to 4 GiB - 1",
					   "with direction to_device, from_device or bidirectional"};
	bool maps = rec->dma.event == DMA_EV_MAP || rec->dma.event == DMA_EV_MAP_SG ||
		    rec->dma.event == DMA_EV_LINK;
	int wrong = -1;

	if (maps && rec->dma.dir == DMA_NONE)
		wrong = 1;
	if (rec->nsegs && maps) {
		for (uint32_t i = 0; i < rec->nsegs; i++)
			if (!rec->segs[i].len)
				wrong = 0;
	} else if ((maps || rec->dma.event == DMA_EV_ALLOC_COHERENT) &&
		   (rec->dma.bytes == 0 || rec->dma.bytes > UINT32_MAX)) {
		wrong = 0;
	}
	if (wrong < 0)
		return true;
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
		    "record at %" G_GUINT64_FORMAT ": expected a mapping %s", rec->where, what[wrong]);
	return false;
}

static bool add_device(struct replay_workload *w, GError **error)
{
	struct device *dev = machine_add_device(w->m, NULL, error);

	if (!dev)
		return false;
	dma_set_mask(dev,
		     w->params.address_bits == 64 ? UINT64_MAX : ((uint64_t)1 << w->params.address_bits) - 1);
	dma_set_max_seg_size(dev, UINT32_MAX);
	w->devs = g_renew(struct replay_dev, w->devs, w->ndevs + 1);
	w->devs[w->ndevs++] = (struct replay_dev){
	    .dev = dev, .instance = w->api->instance_new ? w->api->instance_new(w->m, dev) : NULL};
	return true;
}

static void map_record(struct replay_workload *w, const struct trace_record *rec, uint8_t kind,
		       struct cpu *cpu, sim_time_t at)
{
	struct mapping *p = mapping_get(w, rec, kind);

	if (rec->nsegs && kind != KIND_COHERENT)
		for (uint32_t i = 0; i < rec->nsegs; i++)
			add_vec(p, rec->segs[i].phys, rec->segs[i].len);
	else
		add_vec(p, rec->dma.phys, rec->dma.bytes);
	insert(w, p);
	map(p, cpu, at);
}

static bool unmap_record(struct replay_workload *w, const struct trace_record *rec, uint8_t kind,
			 struct cpu *cpu, sim_time_t at)
{
	struct mapping *p = take(w, rec->device, kind, rec->dma.handle);

	if (p)
		unmap(p, cpu, at);
	return p != NULL;
}

static bool replay_record(struct workload *base, const struct trace_record *rec, GError **error)
{
	struct replay_workload *w = (struct replay_workload *)base;
	struct sim *sim = &w->m->sim;
	sim_time_t at = rec->time_ns * SIM_NS;
	struct cpu *cpu = &sim->cpus[rec->cpu % sim->ncpus];
	bool known = true;

	if (!check(rec, error))
		return false;
	while (rec->device >= w->ndevs)
		if (!add_device(w, error))
			return false;
	sim_advance(sim, at);
	if (w->m->io.records++ == 0)
		w->m->io.first = at;
	switch ((enum dma_event)rec->dma.event) {
	case DMA_EV_MAP:
		map_record(w, rec, KIND_SINGLE, cpu, at);
		break;
	case DMA_EV_MAP_SG:
		map_record(w, rec, KIND_LIST, cpu, at);
		break;
	case DMA_EV_ALLOC_COHERENT:
		map_record(w, rec, KIND_COHERENT, cpu, at);
		break;
	case DMA_EV_UNMAP:
		known = unmap_record(w, rec, KIND_SINGLE, cpu, at);
		break;
	case DMA_EV_UNMAP_SG:
		known = unmap_record(w, rec, KIND_LIST, cpu, at);
		break;
	case DMA_EV_FREE_COHERENT:
		known = unmap_record(w, rec, KIND_COHERENT, cpu, at);
		break;
	default:
		known = window_record(w, rec, cpu, at);
	}
	w->st.unknown_unmaps += !known;
	return true;
}

/* ---- from begin to end ---- */

/* What the recording leaves mapped goes when the driver does. */
static void undo_all(struct replay_workload *w)
{
	struct cpu *cpu = w->m->sim.cpus;

	for (uint64_t i = 0; i <= w->mask; i++)
		while (w->buckets[i]) {
			struct mapping *p = w->buckets[i];

			w->buckets[i] = p->next;
			if (p->kind == KIND_WINDOW) {
				w->st.leftover += window_end(p, cpu, w->m->sim.now);
				continue;
			}
			w->st.leftover++;
			unmap(p, cpu, w->m->sim.now);
		}
	w->nlive = 0;
	while (w->in_flight && event_peek_time(w->m->sim.events) != SIM_TIME_NEVER)
		sim_advance(&w->m->sim, event_peek_time(w->m->sim.events));
}

static bool replay_finish(struct workload *base, GError **error)
{
	struct replay_workload *w = (struct replay_workload *)base;

	undo_all(w);
	sim_run(&w->m->sim);
	if (!w->in_flight)
		return true;
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD, "%" G_GUINT64_FORMAT " mappings never end",
		    w->in_flight);
	return false;
}

/* An API's own mappings are undone as a driver's code is, on a CPU. */
static void free_instances(void *arg)
{
	struct replay_workload *w = arg;

	for (unsigned i = 0; i < w->ndevs; i++)
		if (w->api->instance_free && w->devs[i].instance)
			w->api->instance_free(w->devs[i].instance);
}

static void replay_destroy(struct workload *base)
{
	struct replay_workload *w = (struct replay_workload *)base;

	if (!w)
		return;
	undo_all(w);
	if (w->ndevs)
		cpu_run(w->m->sim.cpus, free_instances, w);
	g_ptr_array_free(w->mappings, TRUE);
	g_free(w->buckets);
	g_free(w->devs);
	g_free(w);
}

static struct workload *replay_create(struct machine *m, const struct dma_api *api, GError **error)
{
	struct replay_workload *w = g_new0(struct replay_workload, 1);

	(void)error;
	w->m = m;
	w->api = api;
	w->path = dma_api_path(api, WORKLOAD_DMA_REPLAY);
	w->params = *(const struct replay_params *)config_get(m->config, &dma_replay_param_table);
	w->mappings = g_ptr_array_new_with_free_func(mapping_free);
	w->mask = 255;
	w->buckets = g_new0(struct mapping *, w->mask + 1);
	return (struct workload *)w;
}

static const void *replay_stats_values(struct workload *base)
{
	return &((struct replay_workload *)base)->st;
}

const struct workload_ops dma_replay_workload = {
    .kind = WORKLOAD_DMA_REPLAY,
    .name = "dma_replay",
    .help = "recorded mapping calls of any driver: maps, lists, windows, coherent memory",
    .input = TRACE_DMA,
    .needs_trace = true,
    .params = &dma_replay_param_table,
    .stats = &dma_replay_stat_table,
    .create = replay_create,
    .record = replay_record,
    .finish = replay_finish,
    .stats_values = replay_stats_values,
    .destroy = replay_destroy,
};
