/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synthetic block requests: where they go (sequential, random, zipf, a mix), when they come (evenly,
 * Poisson, in bursts), how large they are, from which CPUs, and how their buffers lie in memory.
 * Ranges follow what drivers and fio job files use: 512 B to 8 MiB, one queue per CPU.
 */
#include "generate.h"

#include <string.h>

enum pattern { PATTERN_SEQUENTIAL, PATTERN_RANDOM, PATTERN_ZIPF, PATTERN_MIXED };
enum arrival { ARRIVAL_EVEN, ARRIVAL_POISSON, ARRIVAL_BURST };
enum queue_layout { QUEUES_PER_CPU, QUEUES_SHARED, QUEUES_ONE };
enum buffers { BUFFERS_MEMORY, BUFFERS_PAGES, BUFFERS_CONTIGUOUS, BUFFERS_HUGE, BUFFERS_GAPS };

static const char *const pattern_names[] = {"sequential", "random", "zipf", "mixed", NULL};
static const char *const arrival_names[] = {"even", "poisson", "burst", NULL};
static const char *const queue_names[] = {"per_cpu", "shared", "one", NULL};
static const char *const buffer_names[] = {"memory", "pages", "contiguous", "huge", "gaps", NULL};

struct nvme_params {
	uint64_t requests, devices, cpus, queues;
	int pattern, arrival, queue_layout, buffers;
	char *sizes;
	double read_share, flush_share, discard_share, sequential_share, zipf_theta;
	uint64_t footprint, align, rate, burst_length;
	sim_time_t burst_gap, service, jitter;
	uint64_t buffer_base, buffer_pool, buffer_depth, buffer_offset, buffer_gap;
};

#define PARAMS_OF struct nvme_params
static const struct param_spec specs[] = {
    PARAM(requests, UINT, "1000000", .min = 1, .max = 1e15, .help = "number of requests"),
    PARAM(pattern, ENUM, "random", .choices = pattern_names, .help = "where requests go"),
    PARAM(sizes, STRING, "4KiB", .help = "request sizes, SIZE or SIZE:WEIGHT,SIZE:WEIGHT,..."),
    PARAM(read_share, DOUBLE, "1", .max = 1, .help = "reads among reads and writes"),
    PARAM(flush_share, DOUBLE, "0", .max = 1, .help = "flushes among all"),
    PARAM(discard_share, DOUBLE, "0", .max = 1, .help = "discards among all"),
    PARAM(sequential_share, DOUBLE, "0.5", .max = 1,
	  .help = "mixed: requests that follow the one before on their queue"),
    PARAM(zipf_theta, DOUBLE, "0.99", .max = 10, .help = "zipf: skew"),
    PARAM(footprint, SIZE, "64GiB", .min = 512, .max = 1e18, .help = "range of the device used"),
    PARAM(align, SIZE, "0", .max = 1e12, .help = "alignment of random offsets; 0: the smallest request size"),
    PARAM(devices, UINT, "1", .min = 1, .max = 4096, .help = "drives, used in turn"),
    PARAM(cpus, UINT, "1", .min = 1, .max = 4096, .help = "CPUs that submit, in turn"),
    PARAM(queues, UINT, "4", .min = 1, .max = 65535, .help = "queues of a drive for queue_layout = shared"),
    PARAM(queue_layout, ENUM, "per_cpu", .choices = queue_names,
	  .help = "one queue per CPU, several shared by all CPUs, or one"),
    PARAM(rate, UINT, "1000000", .unit = "1/s", .min = 1, .max = 1e12,
	  .help = "requests per second over all drives"),
    PARAM(arrival, ENUM, "even", .choices = arrival_names, .help = "when requests come"),
    PARAM(burst_length, UINT, "256", .min = 1, .max = 1e9,
	  .help = "burst: requests that come at rate before a pause"),
    PARAM(burst_gap, TIME, "10ms", .help = "burst: mean pause, exponential"),
    PARAM(service, TIME, "0ns", .help = "time from submission to completion written into the trace; 0: none"),
    PARAM(jitter, TIME, "0ns", .help = "mean of the exponential part added to service"),
    PARAM(buffers, ENUM, "memory", .choices = buffer_names,
	  .help = "memory: the memory model lays buffers out; else segments are written: single pages, "
		  "contiguous, 2 MiB pages, or pieces with gaps inside pages"),
    PARAM(buffer_base, SIZE, "256MiB", .min = 4096, .max = 1e15,
	  .help = "first physical address of the buffers"),
    PARAM(buffer_pool, SIZE, "512MiB", .min = 4096, .max = 1e15,
	  .help = "physical memory that buffers come from"),
    PARAM(buffer_depth, UINT, "0", .max = 1e9,
	  .help = "buffers in use in turn; 0: as many as the pool holds"),
    PARAM(buffer_offset, SIZE, "0", .max = 4095, .help = "start of a buffer inside its first page"),
    PARAM(buffer_gap, SIZE, "512", .min = 4, .max = 4092,
	  .help = "gaps: bytes left out before each page end"),
};
static const struct param_table table = PARAM_TABLE("generate.nvme", "synthetic block requests", specs);
#undef PARAMS_OF

#define MAX_SIZES 32
#define MAX_REQUEST (64 * MIB)

struct nvme_state {
	const struct nvme_params *p;
	struct rng where, when, what, done, pages;
	struct rng_zipf zipf;
	uint64_t left, time, step, remainder, acc, in_burst;
	uint64_t sizes[MAX_SIZES], limits[MAX_SIZES]; /* cumulative, of 2^32 */
	unsigned nsizes;
	uint64_t largest, align, blocks;
	uint64_t read_limit, flush_limit, discard_limit, seq_limit;
	uint32_t device, cpu, queue;
	uint64_t *heads; /* per device and queue: where the sequential stream goes on */
	uint32_t nqueues;
	uint64_t buffer, buffer_bytes, nbuffers;
	struct trace_segment *segs;
};

static uint64_t share(double x)
{
	return (uint64_t)(x * 4294967296.0);
}

static const struct param_spec size_spec = {
    .name = "sizes", .type = PARAM_SIZE, .def = "4KiB", .min = 512, .max = (double)MAX_REQUEST};

static bool parse_sizes(struct nvme_state *s, GError **error)
{
	char **items = g_strsplit(s->p->sizes, ",", -1);
	double weights[MAX_SIZES], total = 0, sum = 0;
	bool ok = true;

	for (unsigned i = 0; ok && items[i]; i++) {
		char *colon = strchr(items[i], ':'), *end = NULL;

		if (i == MAX_SIZES) {
			g_set_error(error, PARAM_ERROR, 0, "sizes: more than %d sizes", MAX_SIZES);
			ok = false;
			break;
		}
		weights[i] = colon ? g_ascii_strtod(colon + 1, &end) : 1;
		if (colon)
			*colon = '\0';
		ok = param_set(&size_spec, &s->sizes[i], g_strstrip(items[i]), error);
		if (ok && (!(weights[i] > 0) || weights[i] > 1e9 || (end && *end) || s->sizes[i] % 512)) {
			g_set_error(error, PARAM_ERROR, 0,
				    "sizes: expected SIZE:WEIGHT,... with sizes in multiples of 512 and "
				    "weights above 0, found \"%s\"",
				    s->p->sizes);
			ok = false;
		}
		total += weights[i];
		s->nsizes = i + 1;
	}
	if (!ok && error && *error && !g_str_has_prefix((*error)->message, "sizes"))
		g_prefix_error(error, "sizes: ");
	g_strfreev(items);
	for (unsigned i = 0; ok && i < s->nsizes; i++) {
		sum += weights[i];
		s->limits[i] = i + 1 == s->nsizes ? UINT64_MAX : share(sum / total);
		s->largest = MAX(s->largest, s->sizes[i]);
		s->align = i ? MIN(s->align, s->sizes[i]) : s->sizes[i];
	}
	return ok;
}

/* Bytes of one buffer with its gaps, page aligned. */
static uint64_t buffer_span(const struct nvme_state *s)
{
	const struct nvme_params *p = s->p;
	uint64_t per_page = PAGE_SIZE - p->buffer_gap;

	switch (p->buffers) {
	case BUFFERS_GAPS:
		return (s->largest / per_page + 2) * PAGE_SIZE;
	case BUFFERS_HUGE:
		return align_up(s->largest + p->buffer_offset, 2 * MIB);
	default:
		return align_up(s->largest + p->buffer_offset, PAGE_SIZE);
	}
}

static bool init(void *state, const void *params, uint64_t seed, GError **error)
{
	struct nvme_state *s = state;
	const struct nvme_params *p = s->p = params;

	if (!parse_sizes(s, error))
		return false;
	if (p->align)
		s->align = p->align;
	if (p->footprint < s->largest || s->align % 512) {
		g_set_error(error, PARAM_ERROR, 0,
			    "footprint must hold the largest request (%" G_GUINT64_FORMAT
			    " bytes) and align be a multiple of 512",
			    s->largest);
		return false;
	}
	s->blocks = (p->footprint - s->largest) / s->align + 1;
	rng_init(&s->where, seed, "generate.nvme.where");
	rng_init(&s->when, seed, "generate.nvme.when");
	rng_init(&s->what, seed, "generate.nvme.what");
	rng_init(&s->done, seed, "generate.nvme.done");
	rng_init(&s->pages, seed, "generate.nvme.pages");
	if (p->pattern == PATTERN_ZIPF)
		rng_zipf_init(&s->zipf, s->blocks, p->zipf_theta);
	s->left = p->requests;
	s->step = 1000000000 / p->rate;
	s->remainder = 1000000000 % p->rate;
	s->flush_limit = share(p->flush_share);
	s->discard_limit = s->flush_limit + share(p->discard_share);
	s->read_limit = share(p->read_share);
	s->seq_limit = p->pattern == PATTERN_SEQUENTIAL ? UINT64_MAX
		       : p->pattern == PATTERN_MIXED    ? share(p->sequential_share)
							: 0;
	s->nqueues = p->queue_layout == QUEUES_PER_CPU ? (uint32_t)p->cpus
		     : p->queue_layout == QUEUES_ONE   ? 1
						       : (uint32_t)p->queues;
	s->heads = g_new0(uint64_t, (size_t)s->nqueues * p->devices);
	for (uint32_t i = 0; i < s->nqueues * p->devices; i++)
		s->heads[i] = (s->blocks / s->nqueues * (i % s->nqueues)) * s->align;
	s->buffer_bytes = buffer_span(s);
	s->nbuffers = p->buffer_pool / s->buffer_bytes;
	if (p->buffer_depth)
		s->nbuffers = MIN(s->nbuffers, p->buffer_depth);
	if (p->buffers != BUFFERS_MEMORY) {
		if (s->nbuffers == 0) {
			g_set_error(error, PARAM_ERROR, 0,
				    "buffer_pool must hold one buffer of %" G_GUINT64_FORMAT " bytes",
				    s->buffer_bytes);
			return false;
		}
		s->segs = g_new0(struct trace_segment, s->buffer_bytes / PAGE_SIZE + 2);
	}
	return true;
}

static unsigned devices(const void *state)
{
	return (unsigned)((const struct nvme_state *)state)->p->devices;
}

static uint64_t pick_offset(struct nvme_state *s, uint64_t *head, uint64_t bytes)
{
	uint64_t block, offset;

	if (s->seq_limit && (s->seq_limit == UINT64_MAX || (uint32_t)rng_u64(&s->where) < s->seq_limit)) {
		offset = *head + bytes <= s->p->footprint ? *head : 0;
		*head = offset + bytes;
		return offset;
	}
	if (s->p->pattern == PATTERN_ZIPF) /* popular blocks lie apart: a permutation by a prime step */
		block = (uint64_t)((unsigned __int128)rng_zipf(&s->zipf, &s->where) * 2654435761u %
				   s->blocks);
	else
		block = rng_below(&s->where, s->blocks);
	offset = block * s->align;
	*head = offset + bytes;
	return offset;
}

static uint64_t pick_time(struct nvme_state *s)
{
	const struct nvme_params *p = s->p;
	uint64_t now = s->time;

	switch (p->arrival) {
	case ARRIVAL_POISSON:
		s->time += (uint64_t)rng_exponential(&s->when, 1e9 / (double)p->rate);
		return now;
	case ARRIVAL_BURST:
		if (++s->in_burst == p->burst_length) {
			s->in_burst = 0;
			s->time += (uint64_t)rng_exponential(&s->when, (double)p->burst_gap / (double)SIM_NS);
		}
		break;
	default:
		break;
	}
	s->time += s->step;
	s->acc += s->remainder;
	if (s->acc >= p->rate) {
		s->acc -= p->rate;
		s->time++;
	}
	return now;
}

/* Pieces of at most piece bytes, the first shortened by the offset in its page. */
static uint32_t cut(struct nvme_state *s, uint64_t bytes, uint64_t piece, bool shuffle)
{
	uint64_t base = s->p->buffer_base + s->buffer * s->buffer_bytes, offset = s->p->buffer_offset;
	uint64_t pages = s->p->buffer_pool / PAGE_SIZE;
	uint32_t n = 0;

	for (; bytes > 0; n++) {
		uint64_t len = MIN(bytes, piece - offset);
		uint64_t at = shuffle ? s->p->buffer_base + rng_below(&s->pages, pages) * PAGE_SIZE : base;

		s->segs[n].phys = at + offset;
		s->segs[n].len = (uint32_t)len;
		base += piece;
		bytes -= len;
		offset = 0;
	}
	return n;
}

static uint32_t lay_out(struct nvme_state *s, uint64_t bytes)
{
	uint64_t base = s->p->buffer_base + s->buffer * s->buffer_bytes;
	uint64_t per_page = PAGE_SIZE - s->p->buffer_gap;
	uint32_t n = 0;

	switch (s->p->buffers) {
	case BUFFERS_PAGES:
		n = cut(s, bytes, PAGE_SIZE, true);
		break;
	case BUFFERS_HUGE:
		n = cut(s, bytes, 2 * MIB, false);
		break;
	case BUFFERS_CONTIGUOUS:
		n = cut(s, bytes, UINT32_MAX, false);
		break;
	default:
		for (; bytes > 0; n++, base += PAGE_SIZE) {
			s->segs[n].phys = base;
			s->segs[n].len = (uint32_t)MIN(bytes, per_page);
			bytes -= s->segs[n].len;
		}
	}
	if (++s->buffer == s->nbuffers)
		s->buffer = 0;
	return n;
}

static int next(void *state, struct trace_record *rec)
{
	struct nvme_state *s = state;
	uint64_t bytes = s->sizes[0], what = UINT64_MAX, draw;
	uint8_t op;

	if (s->left == 0)
		return 0;
	s->left--;
	draw = rng_u64(&s->what);
	for (unsigned i = 0; i + 1 < s->nsizes && (draw >> 32) >= s->limits[i]; i++)
		bytes = s->sizes[i + 1];
	op = (uint32_t)draw < s->read_limit ? NVME_OP_READ : NVME_OP_WRITE;
	if (G_UNLIKELY(s->discard_limit)) {
		what = (uint32_t)rng_u64(&s->what);
		if (what < s->discard_limit)
			op = what < s->flush_limit ? NVME_OP_FLUSH : NVME_OP_DISCARD;
	}
	rec->time_ns = pick_time(s);
	rec->where = s->p->requests - s->left;
	rec->cpu = s->cpu;
	rec->device = s->device;
	rec->nvme.queue = s->queue;
	rec->nvme.op = op;
	rec->nvme.split_front = rec->nvme.split_done = false;
	rec->nvme.bytes = op == NVME_OP_FLUSH ? 0 : bytes;
	rec->nvme.offset = op == NVME_OP_FLUSH
			       ? 0
			       : pick_offset(s, &s->heads[s->device * s->nqueues + s->queue], bytes);
	rec->nvme.done_cpu = s->cpu;
	rec->nvme.done_ns = TRACE_NO_TIME;
	if (s->p->service || s->p->jitter)
		rec->nvme.done_ns =
		    rec->time_ns + s->p->service / SIM_NS +
		    (s->p->jitter ? (uint64_t)rng_exponential(&s->done, (double)s->p->jitter / (double)SIM_NS)
				  : 0);
	rec->nsegs = 0;
	rec->segs = NULL;
	if (s->segs && op <= NVME_OP_WRITE) {
		rec->nsegs = lay_out(s, bytes);
		rec->segs = s->segs;
	}
	if (++s->cpu == s->p->cpus) {
		s->cpu = 0;
		if (++s->device == s->p->devices)
			s->device = 0;
	}
	if (s->nqueues > 1)
		s->queue = s->p->queue_layout == QUEUES_PER_CPU ? s->cpu : (s->queue + 1) % s->nqueues;
	return 1;
}

static void fini(void *state)
{
	struct nvme_state *s = state;

	g_free(s->heads);
	g_free(s->segs);
}

const struct generator_ops generator_nvme = {
    .pub = {"nvme", "block requests: sequential, random, zipf or mixed, evenly or in bursts", TRACE_NVME,
	    &table},
    .state_size = sizeof(struct nvme_state),
    .init = init,
    .devices = devices,
    .device_prefix = "nvme",
    .next = next,
    .fini = fini,
};
