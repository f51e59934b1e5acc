/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mapping calls of any recorded driver, replayed: an object per live mapping, named by the DMA address
 * that the recording gave it. What the recorded calls were does not matter, only what they mapped: the
 * API under test maps the same vectors its own way. Calls come at their recorded times (open loop).
 */
#include "mapping.h"

static const char *const accesses[] = {"none", "once", NULL};

#define PARAMS_OF struct replay_params
static const struct param_spec param_specs[] = {
    PARAM(access, ENUM, "once", .choices = accesses,
	  .help = "once: the device reads or writes each mapping once before it is unmapped; none: it is "
		  "only mapped"),
    PARAM(address_bits, UINT, "64", .unit = "bits", .min = 24, .max = 64,
	  .help = "DMA mask of the devices: recordings do not tell it"),
};
const struct param_table dma_replay_param_table = PARAM_TABLE(
    "dma_replay", "recorded mapping calls (workload dma_replay)", param_specs);
#undef PARAMS_OF

#define STATS_OF struct replay_stats
static const struct stat_spec stat_specs[] = {
    STAT_COUNT("dma_replay.maps", maps, "mappings made: single buffers, lists, synced parts of windows"),
    STAT_COUNT("dma_replay.lists", lists, "... of more than one vector"),
    STAT_BYTES("dma_replay.map_bytes", bytes, "bytes in them"),
    STAT_COUNT("dma_replay.unmaps", unmaps, "mappings undone, the leftover ones too"),
    STAT_COUNT("dma_replay.windows", windows, "recorded windows (dma_iova_try_alloc)"),
    STAT_COUNT("dma_replay.links", links, "recorded links into them"),
    STAT_COUNT("dma_replay.unsynced", unsynced, "links that were never synced: not mapped"),
    STAT_COUNT("dma_replay.coherent_allocs", coherent_allocs, "coherent allocations"),
    STAT_COUNT("dma_replay.coherent_frees", coherent_frees, "coherent allocations freed"),
    STAT_COUNT("dma_replay.unknown_unmaps", unknown_unmaps,
	       "recorded unmaps of what was mapped before the recording began: skipped"),
    STAT_COUNT("dma_replay.leftover", leftover, "mappings that the recording leaves, undone at its end"),
    STAT_COUNT("dma_replay.failed", failed, "mappings that the DMA layer refused"),
    STAT_COUNT("dma_replay.transfer_errors", transfer_errors,
	       "accesses that the IOMMU or the fabric refused"),
};
const struct stat_table dma_replay_stat_table = STAT_TABLE(stat_specs);
#undef STATS_OF

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

static void map_record(struct replay_workload *w, const struct trace_record *rec, uint8_t kind,
		       struct cpu *cpu, sim_time_t at)
{
	struct mapping *p = mapping_get(w, rec, kind);

	if (rec->nsegs && kind != KIND_COHERENT)
		for (uint32_t i = 0; i < rec->nsegs; i++)
			mapping_add_vec(p, rec->segs[i].phys, rec->segs[i].len);
	else
		mapping_add_vec(p, rec->dma.phys, rec->dma.bytes);
	mapping_insert(w, p);
	mapping_map(p, cpu, at);
}

static bool unmap_record(struct replay_workload *w, const struct trace_record *rec, uint8_t kind,
			 struct cpu *cpu, sim_time_t at)
{
	struct mapping *p = mapping_take(w, rec->device, kind, rec->dma.handle);

	if (p)
		mapping_unmap(p, cpu, at);
	return p != NULL;
}

static bool replay_record(struct workload *base, const struct trace_record *rec, GError **error)
{
	struct replay_workload *w = (struct replay_workload *)base;
	struct sim *sim = &w->base.m->sim;
	sim_time_t at = rec->time_ns * SIM_NS;
	struct cpu *cpu = &sim->cpus[rec->cpu % sim->ncpus];
	bool known = true;

	if (!check(rec, error))
		return false;
	if (!replayer_dev(&w->base, rec->device, error))
		return false;
	sim_advance(sim, at);
	replayer_count_record(&w->base, at);
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

/* What the recording leaves mapped goes when the driver does. */
static void undo_all(struct replay_workload *w)
{
	struct cpu *cpu = w->base.m->sim.cpus;
	struct mapping *p;
	uint64_t at = 0;

	while ((p = mapping_take_any(w, &at))) {
		if (p->kind == KIND_WINDOW) {
			w->st.leftover += window_end(p, cpu, w->base.m->sim.now);
			continue;
		}
		w->st.leftover++;
		mapping_unmap(p, cpu, w->base.m->sim.now);
	}
}

static bool replay_finish(struct workload *base, GError **error)
{
	undo_all((struct replay_workload *)base);
	return replayer_finish(base, error);
}

static void replay_destroy(struct workload *base)
{
	struct replay_workload *w = (struct replay_workload *)base;

	if (!w)
		return;
	undo_all(w);
	replayer_wait(&w->base, 0);
	g_ptr_array_free(w->mappings, TRUE);
	g_free(w->buckets);
	replayer_destroy(base);
}

static struct replayer_dev *dev_new(struct replayer *r, GError **error)
{
	uint64_t bits = ((struct replay_workload *)r)->params.address_bits;
	struct replayer_dev *d = g_new0(struct replayer_dev, 1);

	if (replayer_dev_init(r, d, bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1, UINT32_MAX, error))
		return d;
	g_free(d);
	return NULL;
}

static void dev_free(struct replayer *r, struct replayer_dev *d)
{
	replayer_dev_fini(r, d);
	g_free(d);
}

extern const struct workload_ops dma_replay_workload;
static const struct replayer_ops ops = {
    .workload = &dma_replay_workload,
    .size = sizeof(struct replay_workload),
    .stats = offsetof(struct replay_workload, st),
    .params = offsetof(struct replay_workload, params),
    .job_size = sizeof(struct replayer_job),
    .jobs = "mappings",
    .dev_new = dev_new,
    .dev_free = dev_free,
};

static struct workload *replay_create(struct machine *m, const struct dma_api *api, GError **error)
{
	struct replay_workload *w = replayer_new(&ops, m, api);

	(void)error;
	w->mappings = g_ptr_array_new_with_free_func(mapping_destroy);
	live_init(w);
	return &w->base.base;
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
    .destroy = replay_destroy,
};
