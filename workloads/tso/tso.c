/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Software segmentation offload: TCP hands over packets of up to 64 KiB, the driver makes a header per
 * segment and describes the payload to the card. One CPU sends; a packet is unmapped when its place in the
 * ring is wanted again.
 */
#include "tso.h"

#include <math.h>

static const char *const sources[] = {"send", "sendfile", NULL};
static const char *const befores[] = {"pieces", "fragments", NULL};

#define PARAMS_OF struct tso_params
static const struct param_spec param_specs[] = {
    PARAM(packets, UINT, "20000", .min = 1, .max = 1e10, .help = "large packets to send"),
    PARAM(bytes, SIZE, "65160", .min = 64, .max = 1 << 20,
	  .help = "payload of one packet, at most: a packet also ends when it has 17 fragments",
	  .source = "A: 64 KiB less headers, rounded down to whole segments (tcp_tso_autosize)"),
    PARAM(mss, SIZE, "1448", .min = 64, .max = 65536, .help = "payload of one segment",
	  .source = "A: 1500 bytes on the wire, less IPv4, TCP and time stamps"),
    PARAM(linear, SIZE, "0", .max = 3072, .help = "payload behind the header in the packet's head"),
    PARAM(source, ENUM, "send", .choices = sources,
	  .help = "send: applications' data, copied into chunks of 32 KiB that the sockets of a task share; "
		  "sendfile: pages of files"),
    PARAM(write_bytes, SIZE, "64KiB", .min = 1, .max = 1 << 30, .help = "that one call hands over"),
    PARAM(sockets, UINT, "1", .min = 1, .max = 65536, .help = "sockets that one task writes to in turn"),
    PARAM(folio, SIZE, "4KiB", .min = 4096, .max = 2 << 20, .help = "folios of the files (power of two)"),
    PARAM(depth, UINT, "64", .min = 1, .max = 65536, .help = "packets under way"),
    PARAM(
	before, ENUM, "pieces", .choices = befores,
	.help = "what the legacy path maps: each piece of a segment, as drivers of cards that do not segment "
		"do; or each fragment, as those of cards that do"),
};
const struct param_table tso_param_table = PARAM_TABLE("tso", "software segmentation offload (workload tso)",
						       param_specs);
#undef PARAMS_OF

#define ST ((const struct tso_stats *)v)
static double ratio(double a, uint64_t n)
{
	return n ? a / (double)n : NAN;
}
static double mappings_packet(const void *v)
{
	return ratio((double)ST->mappings, ST->packets);
}
static double fallback_share(const void *v)
{
	return ratio((double)ST->fallbacks, ST->windows + ST->fallbacks);
}
static double map_packet(const void *v)
{
	return ratio((double)ST->map_time / SIM_NS, ST->packets);
}
static double unmap_packet(const void *v)
{
	return ratio((double)ST->unmap_time / SIM_NS, ST->packets);
}
#undef ST

#define STATS_OF struct tso_stats
static const struct stat_spec stat_specs[] = {
    STAT_COUNT("tso.packets", packets, "packets mapped"),
    STAT_COUNT("tso.regions", regions, "their heads' payloads and fragments"),
    STAT_COUNT("tso.segments", segments, "segments made of them"),
    STAT_COUNT("tso.descriptors", descriptors, "descriptors of payload"),
    STAT_COUNT("tso.mappings", mappings, "mappings made, a window counts as one"),
    STAT_COUNT("tso.windows", windows, "packets in one IOVA range"),
    STAT_COUNT("tso.links", links, "regions linked, those undone again included"),
    STAT_COUNT("tso.fallbacks", fallbacks, "packets mapped region by region instead"),
    STAT_COUNT("tso.starts_inside", starts_inside, "... because a later region starts inside a page"),
    STAT_COUNT("tso.ends_inside", ends_inside, "... because an earlier region ends inside a page"),
    STAT_COMPUTED("tso.mappings_per_packet", "ratio", mappings_packet, "mappings per packet"),
    STAT_COMPUTED("tso.fallback_share", "ratio", fallback_share, "packets that no window could hold"),
    STAT_COMPUTED("tso.map_ns", "ns", map_packet, "CPU time of mapping, per packet"),
    STAT_COMPUTED("tso.unmap_ns", "ns", unmap_packet, "CPU time of unmapping, per packet"),
};
const struct stat_table tso_stat_table = STAT_TABLE(stat_specs);
#undef STATS_OF

struct tso {
	struct load base;
	struct tso_params p;
	struct tso_stats st;
	struct tso_stream stream;
	struct tso_packet *ring; /* depth of them */
	struct cpu_work work;
};

static void complete(struct tso *w, struct tso_packet *pkt, struct cpu *cpu)
{
	sim_time_t start;

	if (!pkt->busy)
		return;
	cpu_wait_until(cpu, pkt->done);
	cpu_charge(cpu, COST_DRIVER_COMPLETE);
	start = cpu->now;
	w->base.path->unmap(&pkt->obj, 0, pkt->obj.bytes);
	w->st.unmap_time += cpu->now - start;
	pkt->busy = false;
	load_request_done(&w->base, !pkt->failed, pkt->obj.bytes, pkt->start, pkt->done);
}

static bool map(struct tso *w, struct tso_packet *pkt, struct cpu *cpu)
{
	sim_time_t start = cpu->now;

	pkt->obj.nsegs = 0;
	pkt->descriptors = 0; /* a path of no driver's own leaves it so */
	if (w->base.path->map(&pkt->obj, 0, pkt->regions, pkt->n))
		return false;
	if (!pkt->descriptors)
		pkt->descriptors = pkt->obj.nsegs;
	w->st.map_time += cpu->now - start;
	return true;
}

static void send_packet(struct tso *w, struct tso_packet *pkt, struct cpu *cpu)
{
	uint64_t segments;

	pkt->n = tso_stream_next(&w->stream, pkt->regions);
	pkt->obj.bytes = 0;
	for (unsigned i = 0; i < pkt->n; i++)
		pkt->obj.bytes += pkt->regions[i].len;
	segments = div_round_up(pkt->obj.bytes, w->p.mss);
	pkt->start = cpu->now;
	cpu_charge(cpu, COST_DRIVER_SUBMIT);
	if (!map(w, pkt, cpu)) {
		machine_io_refused(w->base.m);
		return;
	}
	w->st.packets++;
	w->st.regions += pkt->n;
	w->st.segments += segments;
	w->st.descriptors += pkt->descriptors;
	/* A header lies in the driver's ring and has a descriptor of its own. */
	cpu_charge_n(cpu, COST_DRIVER_DESCRIPTOR, segments + pkt->descriptors);
	cpu_charge(cpu, COST_DOORBELL);
	pkt->done = cpu->now;
	pkt->failed = !load_access_all(&w->base, &pkt->obj, PCIE_READ, cpu->now, &pkt->done);
	pkt->busy = true;
}

static void run_packets(struct cpu_work *work, struct cpu *cpu)
{
	struct tso *w = container_of(work, struct tso, work);
	uint64_t i = 0;

	for (; i < w->p.packets && !sim_interrupted(cpu->sim); i++) {
		struct tso_packet *pkt = &w->ring[i % w->p.depth];

		complete(w, pkt, cpu);
		send_packet(w, pkt, cpu);
		cpu_sync(cpu);
	}
	for (uint64_t k = 0; k < w->p.depth; k++)
		complete(w, &w->ring[(i + k) % w->p.depth], cpu);
}

static bool run(struct load *l, GError **error)
{
	(void)error;
	load_run_on_first_cpu(l, &((struct tso *)l)->work);
	return true;
}

static void open_packet(struct tso *w, struct tso_packet *pkt)
{
	const struct load *l = &w->base;

	pkt->p = &w->p;
	pkt->st = &w->st;
	pkt->obj = (struct dma_object){.dev = l->dev, .path = l->path, .instance = l->instance};
	pkt->obj.dir = DMA_TO_DEVICE;
	/* One per region and per border of a segment or a page. */
	pkt->obj.max_segs = 2 * TSO_MAX_REGIONS + (unsigned)(w->p.bytes / w->p.mss + w->p.bytes / PAGE_SIZE);
	pkt->obj.segs = g_new0(struct dma_segment, pkt->obj.max_segs);
	pkt->obj.state = g_malloc0(MAX(l->path->state_size, 1));
}

static bool set_up(struct load *l, GError **error)
{
	struct tso *w = (struct tso *)l;

	w->work.fn = run_packets;
	w->p.folio = (uint64_t)1 << order_base_2(w->p.folio);
	if (w->p.linear >= w->p.bytes) {
		g_set_error(error, PARAM_ERROR, 0,
			    "tso.linear = %" G_GUINT64_FORMAT
			    ": want less than tso.bytes = %" G_GUINT64_FORMAT,
			    w->p.linear, w->p.bytes);
		return false;
	}
	if (!load_device(l, NULL, UINT32_MAX, error))
		return false;
	tso_stream_init(&w->stream, &w->p);
	w->ring = g_new0(struct tso_packet, w->p.depth);
	for (uint64_t i = 0; i < w->p.depth; i++)
		open_packet(w, &w->ring[i]);
	return true;
}

static void release(struct load *l)
{
	struct tso *w = (struct tso *)l;

	for (uint64_t i = 0; w->ring && i < w->p.depth; i++) {
		g_free(w->ring[i].obj.segs);
		g_free(w->ring[i].obj.state);
	}
	g_free(w->ring);
	tso_stream_fini(&w->stream);
}

extern const struct workload_ops tso_workload;
static const struct load_ops ops = {
    .workload = &tso_workload,
    .size = sizeof(struct tso),
    .stats = offsetof(struct tso, st),
    .params = offsetof(struct tso, p),
    .set_up = set_up,
    .run = run,
    .release = release,
};

static struct workload *create(struct machine *m, const struct dma_api *api, GError **error)
{
	return load_new(&ops, m, api, error);
}

const struct workload_ops tso_workload = {
    .kind = WORKLOAD_TSO,
    .name = "tso",
    .help = "software segmentation offload: packets mapped in one window, or what falls back",
    .params = &tso_param_table,
    .stats = &tso_stat_table,
    .create = create,
    .finish = load_finish,
    .destroy = load_destroy,
};
