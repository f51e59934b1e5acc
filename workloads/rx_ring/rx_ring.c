/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network-style receive rings: throughput and translation misses under load. */
#include "rx_ring.h"

#include <math.h>

#define ETHERNET_HEADER 14u
/* NET_SKB_PAD and struct skb_shared_info of Linux on x86-64 */
#define SKB_HEADROOM 64u
#define SKB_TAIL 320u

#define PARAMS_OF struct rx_ring_params
static const struct param_spec param_specs[] = {
    PARAM(cores, UINT, "1", .min = 1, .max = 1024, .help = "rings, each served by its own CPU"),
    PARAM(flows, UINT, "1", .min = 1, .max = 1e6, .help = "flows, spread over the rings"),
    PARAM(ring, UINT, "256", .min = 1, .max = 1 << 20, .help = "packets that one ring has buffers for"),
    PARAM(mtu, SIZE, "4096", .min = 64, .max = 65536, .help = "bytes of one packet"),
    PARAM(buffer, SIZE, "4096", .min = 64, .max = 65536,
	  .help = "bytes of one buffer: whole pages and a tail (up to a power of two) that shares its page "
		  "with others"),
    PARAM(page, SIZE, "4KiB", .min = 4096, .max = 4 << 20,
	  .help = "pages of the ring, each mapped by itself and cut into buffers (power of two); from 2MiB "
		  "on large "
		  "pages map them unless iommu.superpages = false"),
    PARAM(stride, SIZE, "0", .max = 4096,
	  .help = "packets lie end to end in the pages of a descriptor, each at a multiple of this, a power "
		  "of two; 0: one buffer each",
	  .source = "A: 64 in Linux, drivers/net/ethernet/mellanox/mlx5/core/en/params.c"),
    PARAM(page_cache, UINT, "0", .max = 1 << 20,
	  .help = "pages that a ring keeps mapped for reuse when its descriptors are done, first in, first "
		  "out; the oldest one blocks the others until it has been read",
	  .source = "A: 255 in mlx5e_rx_cache_put() until Linux 6.3, none since"),
    PARAM(batch, UINT, "64", .min = 1, .max = 4096, .help = "pages of one descriptor, returned together"),
    PARAM(packets, UINT, "20000", .min = 1, .max = 1e10, .help = "packets offered and measured"),
    PARAM(warm_up, UINT, "5000", .max = 1e10, .help = "packets offered before that"),
    PARAM(segment, SIZE, "64KiB", .min = 1, .max = 1 << 24,
	  .help = "bytes of one flow that arrive in a row, on average",
	  .source = "E: segmentation offload of the senders"),
    PARAM(offered, DOUBLE, "100", .unit = "Gb/s", .min = 0.001, .max = 10000, .help = "offered load"),
    PARAM(ack_rate, DOUBLE, "0.05", .max = 10, .help = "acknowledgements sent per packet"),
    PARAM(packet_cost, TIME, "300ns", .max = 1e12, .help = "CPU time of a packet outside the DMA layer",
	  .source = "E"),
    PARAM(ack_cost, TIME, "300ns", .max = 1e12,
	  .help = "CPU time of an acknowledgement outside the DMA layer", .source = "E"),
    PARAM(
	copy_rate, DOUBLE, "0", .unit = "GB/s", .max = 1e6,
	.help = "at which applications, which share the rings' CPUs, copy what was received; 0: in no time"),
    PARAM(window, SIZE, "3MiB", .max = 1e12,
	  .help = "bytes of a flow that have been sent and not yet read, at most, paced or not; 0: no limit; "
		  "nor is there one without copy_rate and page_cache, where data is read at once",
	  .source = "A: Linux, half of the 6 MiB of tcp_rmem"),
    PARAM(loss, DOUBLE, "0", .max = 1,
	  .help = "share of the packets that is lost on the way (rx_ring.lost), besides what the card drops"),
    PARAM(rtt, TIME, "100us", .max = 1e12,
	  .help = "round trip of a loaded path: what follows a lost packet waits for so long",
	  .source = "E: nic_buffer at the default rate takes 84 us"),
    PARAM(timeout, TIME, "2ms", .max = 1e12,
	  .help = "and how much longer if the retransmission is lost as well",
	  .source = "E: TCP_TIMEOUT_MIN of Linux, two timer ticks, at 1000 Hz"),
    PARAM(paced, BOOL, "false",
	  .help = "senders slow down to what the card takes, as congestion control makes them do; else that "
		  "is lost"),
    PARAM(aged, BOOL, "false",
	  .help = "the rings' pages have the addresses of a long-running system, passed from ring to ring: "
		  "in random order",
	  .source = "E: fully mixed"),
    PARAM(nic_buffer, SIZE, "1MiB", .max = 1e12, .help = "bytes the card holds before it drops packets",
	  .source = "E"),
    PARAM(recycle, BOOL, "false", .help = "pages stay mapped and are used again by the ring that had them"),
};
const struct param_table rx_ring_param_table = PARAM_TABLE(
    "rx_ring", "network-style receive rings (workload rx_ring)", param_specs);
#undef PARAMS_OF

static double ratio(double a, double b)
{
	return b > 0 ? a / b : NAN;
}
#define ST ((const struct rx_ring_stats *)v)
static double gbit(const void *v)
{
	return ratio((double)ST->bytes * 8, (double)ST->elapsed / SIM_NS);
}
static double drop_share(const void *v)
{
	return ratio((double)ST->dropped, (double)(ST->packets + ST->dropped + ST->lost));
}
static double pages(const void *v)
{
	return (double)ST->bytes / PAGE_SIZE;
}
static double iotlb_page(const void *v)
{
	return ratio((double)ST->walks, pages(v));
}
static double l1_page(const void *v)
{
	return ratio((double)ST->misses_512g, pages(v));
}
static double l2_page(const void *v)
{
	return ratio((double)ST->misses_1g, pages(v));
}
static double l3_page(const void *v)
{
	return ratio((double)ST->misses_2m, pages(v));
}
static double reads_page(const void *v)
{
	return ratio((double)ST->memory_reads, pages(v));
}
static double misses_mib(const void *v)
{
	return ratio((double)ST->walks, (double)ST->bytes / MIB);
}
static double map_ns(const void *v)
{
	return ratio((double)ST->map / SIM_NS, (double)ST->maps);
}
static double unmap_ns(const void *v)
{
	return ratio((double)ST->unmap / SIM_NS, (double)ST->unmaps);
}

#define STATS_OF struct rx_ring_stats
static const struct stat_spec stat_specs[] = {
    STAT_COUNT("rx_ring.packets", packets, "packets received"),
    STAT_COUNT("rx_ring.dropped", dropped,
	       "packets dropped: no buffer posted, or the card's own buffer full"),
    STAT_COUNT("rx_ring.lost", lost, "packets lost on the way (rx_ring.loss)"),
    STAT_COUNT("rx_ring.acks", acks, "acknowledgements sent"),
    STAT_COUNT("rx_ring.refills", refills, "batches of pages returned and posted again"),
    STAT_COUNT("rx_ring.failed", failed,
	       "batches, acknowledgements and accesses that could not be mapped or done"),
    STAT_COMPUTED("rx_ring.gbit_per_s", "Gb/s", gbit, "received data", .needs_timing = true),
    STAT_COMPUTED("rx_ring.drop_share", "ratio", drop_share, "dropped by the card, of offered"),
    STAT_COMPUTED("rx_ring.iotlb_misses_per_page", "ratio", iotlb_page, "IOTLB misses per 4 KiB received"),
    STAT_COMPUTED("rx_ring.pwc_512g_misses_per_page", "ratio", l1_page,
		  "512 GiB paging-structure misses per 4 KiB, of misses below it"),
    STAT_COMPUTED("rx_ring.pwc_1g_misses_per_page", "ratio", l2_page, "the same at 1 GiB"),
    STAT_COMPUTED("rx_ring.pwc_2m_misses_per_page", "ratio", l3_page, "the same at 2 MiB"),
    STAT_COMPUTED("rx_ring.memory_reads_per_page", "ratio", reads_page, "table reads per 4 KiB received"),
    STAT_COMPUTED("rx_ring.misses_per_mib", "ratio", misses_mib, "IOTLB misses per MiB received"),
    STAT_COMPUTED("rx_ring.map_ns", "ns", map_ns, "CPU time in map calls per page"),
    STAT_COMPUTED("rx_ring.unmap_ns", "ns", unmap_ns, "CPU time in unmap calls per page"),
};
const struct stat_table rx_ring_stat_table = STAT_TABLE(stat_specs);
#undef STATS_OF

static const char *const columns[] = {"offered_gbit",   "gbit_per_s", "drop_share", "iotlb_misses_per_page",
				      "pwc_512g",       "pwc_1g",     "pwc_2m",     "memory_reads_per_page",
				      "misses_per_mib", "map_ns",     "unmap_ns"};

static void release(struct load *l)
{
	struct rx_ring *r = (struct rx_ring *)l;

	for (uint64_t i = 0; r->queues && i < r->p.cores; i++) {
		g_free(r->queues[i].pages);
		g_free(r->queues[i].cache);
		g_free(r->queues[i].states);
		g_free(r->queues[i].slots);
	}
	for (uint64_t i = 0; r->flows && i < r->p.flows; i++)
		g_free(r->flows[i].unread);
	g_free(r->flows);
	g_free(r->queues);
}

/*
 * Descriptors of several packets. As many of them as hold the ring's packets if each took a power of two
 * (mlx5e_mpwqe_log_pkts_per_wqe() in en/params.c of Linux).
 */
static bool shape_strides(struct rx_ring *r, GError **error)
{
	struct rx_ring_params *p = &r->p;
	uint64_t room = p->batch * p->page, reserved;

	if (p->stride & (p->stride - 1)) {
		g_set_error(error, PARAM_ERROR, 0,
			    "rx_ring.stride = %" G_GUINT64_FORMAT
			    ": want a power of two, as 64, or 0 for none",
			    p->stride);
		return false;
	}
	r->frame = p->mtu + ETHERNET_HEADER;
	r->step = align_up(r->frame, p->stride);
	reserved = (uint64_t)1 << order_base_2(r->frame);
	/* Packets that leave room for the stack's own data in a page become its buffers where they are. */
	if (SKB_HEADROOM + r->frame + SKB_TAIL <= PAGE_SIZE) {
		r->headroom = SKB_HEADROOM;
		reserved = (uint64_t)1 << order_base_2(SKB_HEADROOM + r->frame + SKB_TAIL);
		r->step = MAX(reserved, r->step);
	}
	r->group_packets = r->group_pages = 1;
	r->batch_packets = room / r->step;
	if (!r->batch_packets) {
		g_set_error(error, PARAM_ERROR, 0,
			    "rx_ring.mtu is larger than rx_ring.batch pages: want at most them");
		return false;
	}
	r->nbatches = MAX(div_round_up(p->ring * reserved, room), 2);
	p->ring = r->nbatches * r->batch_packets;
	/* mlx5e_mpwqe_get_min_wqe_bulk() */
	r->bulk = CLAMP(r->nbatches / 2 - 1, 1, 2);
	return true;
}

static bool shape(struct rx_ring *r, GError **error)
{
	struct rx_ring_params *p = &r->p;

	p->page = (uint64_t)1 << order_base_2(p->page);
	r->full = p->buffer / p->page;
	r->tail = p->buffer % p->page ? (uint64_t)1 << order_base_2(p->buffer % p->page) : 0;
	if (r->tail == p->page) {
		r->full++;
		r->tail = 0;
	}
	r->group_packets = r->tail ? p->page / r->tail : 1;
	r->group_pages = r->full * r->group_packets + (r->tail ? 1 : 0);
	if (p->mtu > p->buffer && !p->stride) {
		g_set_error(error, PARAM_ERROR, 0,
			    "rx_ring.mtu is larger than rx_ring.buffer: want at most it");
		return false;
	}
	if (p->cores > r->base.m->sim.ncpus) {
		g_set_error(error, PARAM_ERROR, 0, "rx_ring.cores: want at most cpu.count = %u",
			    r->base.m->sim.ncpus);
		return false;
	}
	r->frame = p->mtu;
	r->bulk = 1;
	if (p->stride)
		return shape_strides(r, error);
	/* A batch is whole groups, the ring whole batches, at least two. */
	p->batch = MAX(p->batch / r->group_pages, 1) * r->group_pages;
	r->batch_packets = p->batch / r->group_pages * r->group_packets;
	r->nbatches = MAX(div_round_up(p->ring, r->batch_packets), 2);
	p->ring = r->nbatches * r->batch_packets;
	return true;
}

static void open_queue(struct rx_ring *r, uint64_t i)
{
	struct rx_queue *q = &r->queues[i];

	q->r = r;
	q->cpu = &r->base.m->sim.cpus[i];
	q->napi.fn = rx_driver_poll;
	q->base = 8 * GIB + i * align_up(r->places * 2 * r->p.page, GIB);
	q->nbatches = r->nbatches;
	q->npages = q->nbatches * r->p.batch;
	q->pages = g_new0(struct rx_page *, q->npages);
	q->cache = g_new0(struct rx_page *, r->p.page_cache);
	q->states = g_new0(struct dma_iova_state, q->nbatches);
	q->slots = g_new0(struct rx_slot, r->p.ring);
}

static bool set_up(struct load *l, GError **error)
{
	struct rx_ring *r = (struct rx_ring *)l;

	r->linked = l->api->needs_iova_api;
	rng_init(&r->rng, l->m->sim.seed, "rx_ring");
	if (!load_device(l, NULL, 0, error) || !shape(r, error))
		return false;
	/* So many that a page which comes into use is none that is still in use. */
	r->places = MAX(65536 / (r->p.page / PAGE_SIZE),
			(uint64_t)4 << order_base_2(r->nbatches * r->p.batch));
	r->queues = g_new0(struct rx_queue, r->p.cores);
	for (uint64_t i = 0; i < r->p.cores; i++)
		open_queue(r, i);
	r->readers = r->p.copy_rate > 0 || r->p.page_cache;
	r->flows = g_new0(struct rx_flow, r->p.flows);
	for (uint64_t i = 0; i < r->p.flows; i++) {
		r->flows[i].reader.fn = rx_flow_read;
		r->flows[i].q = &r->queues[i % r->p.cores];
	}
	load_curve(l, columns, G_N_ELEMENTS(columns), 1);
	return true;
}

struct setup {
	struct rx_queue *q;
	bool ok;
};

static void setup(void *arg)
{
	struct setup *s = arg;

	s->ok = rx_driver_setup(s->q);
}

static void teardown(void *arg)
{
	rx_driver_teardown(arg);
}

static void collect(struct rx_ring *r)
{
	const struct vtd_stats *v = &r->base.m->vtd_stats;
	struct rx_ring_stats *st = &r->st, *b = &r->before;
	double *row = r->base.base.curve.values;

	st->walks = v->walks - b->walks;
	st->misses_2m = st->walks - (v->pwc_hits_2m - b->misses_2m);
	st->misses_1g = st->misses_2m - (v->pwc_hits_1g - b->misses_1g);
	st->misses_512g = st->misses_1g - (v->pwc_hits_512g - b->misses_512g);
	st->memory_reads = v->walk_memory_reads - v->walk_line_reuses - b->memory_reads;
	st->map = r->base.m->dma_stats.map_time - b->map;
	st->unmap = r->base.m->dma_stats.unmap_time - b->unmap;
	st->maps -= b->maps;
	st->unmaps -= b->unmaps;
	*row++ = r->p.offered;
	*row++ = gbit(st);
	*row++ = drop_share(st);
	*row++ = iotlb_page(st);
	*row++ = l1_page(st);
	*row++ = l2_page(st);
	*row++ = l3_page(st);
	*row++ = reads_page(st);
	*row++ = misses_mib(st);
	*row++ = map_ns(st);
	*row++ = unmap_ns(st);
	r->base.base.curve.nrows = 1;
	r->base.m->io.completed = st->packets;
	r->base.m->io.bytes = st->bytes;
}

static bool run(struct load *l, GError **error)
{
	struct rx_ring *r = (struct rx_ring *)l;
	struct sim *s = &r->base.m->sim;
	bool ok = true;

	for (uint64_t i = 0; i < r->p.cores; i++) {
		struct setup u = {&r->queues[i], false};

		cpu_run(r->queues[i].cpu, setup, &u);
		ok = ok && u.ok;
	}
	if (ok) {
		if (r->p.aged)
			rx_driver_age(r);
		rx_card_start(r);
		sim_run(s);
		/* What was measured: neither the warm-up nor timers that fire after the load. */
		r->base.m->io.first = r->begin;
		r->base.m->io.last = r->begin + r->st.elapsed;
		collect(r);
	}
	for (uint64_t i = 0; i < r->p.cores; i++)
		cpu_run(r->queues[i].cpu, teardown, &r->queues[i]);
	if (!ok)
		g_set_error(error, PARAM_ERROR, 0,
			    "the rings could not be mapped: want fewer or smaller ones, or more memory.size "
			    "(bounced: swiotlb.size)");
	return ok;
}

extern const struct workload_ops rx_ring_workload;
static const struct load_ops ops = {
    .workload = &rx_ring_workload,
    .size = sizeof(struct rx_ring),
    .stats = offsetof(struct rx_ring, st),
    .params = offsetof(struct rx_ring, p),
    .set_up = set_up,
    .run = run,
    .release = release,
};

static struct workload *create(struct machine *m, const struct dma_api *api, GError **error)
{
	return load_new(&ops, m, api, error);
}

const struct workload_ops rx_ring_workload = {
    .kind = WORKLOAD_RX_RING,
    .name = "rx_ring",
    .help = "network receive rings: throughput, drops and translation misses under load",
    .any_api = true,
    .params = &rx_ring_param_table,
    .stats = &rx_ring_stat_table,
    .create = create,
    .finish = load_finish,
    .destroy = load_destroy,
};
