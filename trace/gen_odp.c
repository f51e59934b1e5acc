/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synthetic RDMA on-demand-paging traffic: regions are registered, messages touch them, the kernel
 * takes pages back (reclaim, copy-on-write after fork), prefetches bring them in. A message on pages
 * that are not mapped faults in the simulator; with faults = true the fault itself is in the trace.
 */
#include "generate.h"

enum pattern { PATTERN_SEQUENTIAL, PATTERN_RANDOM, PATTERN_ZIPF };
enum inval { INVAL_RANDOM, INVAL_WAVE };

static const char *const pattern_names[] = {"sequential", "random", "zipf", NULL};
static const char *const inval_names[] = {"random", "wave", NULL};

struct odp_params {
	uint64_t messages, regions, region_bytes, message_bytes, cpus, rate;
	int pattern, invalidate_pattern;
	double zipf_theta, write_share;
	uint64_t invalidate_every, invalidate_bytes, prefetch, prefetch_every, reregister_every;
	bool implicit, hugetlb, faults;
};

#define PARAMS_OF struct odp_params
static const struct param_spec specs[] = {
    PARAM(messages, UINT, "100000", .min = 1, .max = 1e15, .help = "number of messages"),
    PARAM(regions, UINT, "4", .min = 1, .max = 1e6, .help = "memory regions"),
    PARAM(region_bytes, SIZE, "1GiB", .min = 4096, .max = 1e15, .help = "bytes of a region"),
    PARAM(implicit, BOOL, "false",
	  .help = "regions are implicit: children of the whole address space made on demand"),
    PARAM(hugetlb, BOOL, "false",
	  .help = "regions lie in huge pages and are registered as such (access flag 0x80)"),
    PARAM(message_bytes, SIZE, "64KiB", .min = 1, .max = 1e12, .help = "bytes of a message"),
    PARAM(pattern, ENUM, "random", .choices = pattern_names, .help = "where messages go"),
    PARAM(zipf_theta, DOUBLE, "0.99", .max = 10, .help = "zipf: skew"),
    PARAM(write_share, DOUBLE, "0.5", .max = 1, .help = "messages that write memory"),
    PARAM(rate, UINT, "100000", .unit = "1/s", .min = 1, .max = 1e12, .help = "messages per second"),
    PARAM(cpus, UINT, "1", .min = 1, .max = 4096, .help = "CPUs that handle events, in turn"),
    PARAM(faults, BOOL, "false", .help = "write a fault for each message instead of the message"),
    PARAM(invalidate_every, UINT, "0", .max = 1e15,
	  .help = "messages between two invalidations by the kernel; 0: none"),
    PARAM(invalidate_bytes, SIZE, "64KiB", .min = 4096, .max = 1e15, .help = "bytes of an invalidation"),
    PARAM(invalidate_pattern, ENUM, "random", .choices = inval_names,
	  .help = "random places, or a wave that runs over one region after the other"),
    PARAM(prefetch, SIZE, "0", .max = 1e12, .help = "bytes of a prefetch; 0: none"),
    PARAM(prefetch_every, UINT, "64", .min = 1, .max = 1e15, .help = "messages between two prefetches"),
    PARAM(reregister_every, UINT, "0", .max = 1e15,
	  .help = "messages after which the oldest region is deregistered and registered again; 0: never"),
};
static const struct param_table table = PARAM_TABLE("generate.rdma_odp", "synthetic on-demand-paging traffic",
						    specs);
#undef PARAMS_OF

#define FIRST_VA 0x7f0000000000ull
#define ACCESS_ALL 0x1fu /* local and remote write, remote read and atomic, and more (ibv_access_flags) */

#define ACCESS_HUGETLB 0x80u

enum stage { STAGE_REGISTER, STAGE_RUN, STAGE_DEREGISTER };

struct odp_state {
	const struct odp_params *p;
	struct rng where, what;
	struct rng_zipf zipf;
	enum stage stage;
	uint64_t blocks, left, n, index;
	uint64_t head, wave, prefetch_head;
	bool prefetched, invalidated, reregistered, again;
	uint32_t *numbers; /* region -> number of its current registration */
	uint32_t next_number;
	uint64_t oldest;
};

static bool init(void *state, const void *params, uint64_t seed, GError **error)
{
	struct odp_state *s = state;
	const struct odp_params *p = s->p = params;

	if (p->message_bytes > p->region_bytes || p->invalidate_bytes > p->region_bytes ||
	    p->prefetch > p->region_bytes) {
		g_set_error(error, PARAM_ERROR, 0,
			    "region_bytes must hold message_bytes, invalidate_bytes and prefetch");
		return false;
	}
	rng_init(&s->where, seed, "generate.odp.where");
	rng_init(&s->what, seed, "generate.odp.what");
	s->blocks = p->region_bytes / p->message_bytes;
	if (p->pattern == PATTERN_ZIPF)
		rng_zipf_init(&s->zipf, s->blocks, p->zipf_theta);
	s->left = p->messages;
	s->numbers = g_new0(uint32_t, p->regions);
	return true;
}

static unsigned devices(const void *state)
{
	(void)state;
	return 1;
}

static void fill(struct odp_state *s, struct trace_record *rec, enum odp_event event, uint64_t region,
		 uint64_t offset, uint64_t bytes, bool write)
{
	const struct odp_params *p = s->p;
	uint64_t number = s->n++;

	/* Events of one message share its time. */
	rec->time_ns = (uint64_t)((unsigned __int128)(p->messages - s->left) * 1000000000u / p->rate);
	rec->where = number + 1;
	rec->cpu = (uint32_t)((p->messages - s->left) % p->cpus);
	rec->device = 0;
	rec->nsegs = 0;
	rec->segs = NULL;
	rec->odp.event = (uint8_t)event;
	rec->odp.write = write;
	rec->odp.implicit = p->implicit;
	rec->odp.mr = s->numbers[region];
	rec->odp.access = event != ODP_REG ? 0 : p->hugetlb ? ACCESS_ALL | ACCESS_HUGETLB : ACCESS_ALL;
	rec->odp.offset = offset;
	rec->odp.bytes = bytes;
	rec->odp.va = FIRST_VA + region * align_up(p->region_bytes, GIB) + offset;
}

static int register_region(struct odp_state *s, struct trace_record *rec, uint64_t region)
{
	s->numbers[region] = s->next_number++;
	fill(s, rec, ODP_REG, region, 0, s->p->region_bytes, false);
	return 1;
}

/* Prefetches, invalidations and registrations that come before message number done. */
static bool extra(struct odp_state *s, struct trace_record *rec, uint64_t done)
{
	const struct odp_params *p = s->p;

	if (s->again) {
		s->again = false;
		register_region(s, rec, s->oldest);
		s->oldest = (s->oldest + 1) % p->regions;
		return true;
	}
	if (p->reregister_every && done && done % p->reregister_every == 0 && !s->reregistered) {
		s->reregistered = s->again = true;
		fill(s, rec, ODP_DEREG, s->oldest, 0, 0, false);
		return true;
	}
	if (p->prefetch && done % p->prefetch_every == 0 && !s->prefetched) {
		uint64_t steps = p->region_bytes / p->prefetch;
		uint64_t at = p->pattern == PATTERN_SEQUENTIAL ? s->prefetch_head++ % steps
							       : rng_below(&s->where, steps);

		s->prefetched = true;
		fill(s, rec, ODP_PREFETCH, done / p->prefetch_every % p->regions, at * p->prefetch,
		     p->prefetch, p->write_share > 0.5);
		return true;
	}
	if (p->invalidate_every && done && done % p->invalidate_every == 0 && !s->invalidated) {
		uint64_t per = p->region_bytes / p->invalidate_bytes;
		uint64_t k = p->invalidate_pattern == INVAL_WAVE ? s->wave++ % (per * p->regions)
								 : rng_below(&s->where, per * p->regions);

		s->invalidated = true;
		fill(s, rec, ODP_INVAL, k / per, k % per * p->invalidate_bytes, p->invalidate_bytes, false);
		return true;
	}
	return false;
}

static int message(struct odp_state *s, struct trace_record *rec)
{
	const struct odp_params *p = s->p;
	uint64_t region = rng_below(&s->where, p->regions), block;
	bool write = rng_double(&s->what) < p->write_share;

	switch (p->pattern) {
	case PATTERN_SEQUENTIAL:
		block = s->head++;
		region = block / s->blocks % p->regions;
		block %= s->blocks;
		break;
	case PATTERN_ZIPF:
		block = (uint64_t)((unsigned __int128)rng_zipf(&s->zipf, &s->where) * 2654435761u %
				   s->blocks);
		break;
	default:
		block = rng_below(&s->where, s->blocks);
	}
	fill(s, rec, p->faults ? ODP_FAULT : ODP_ACCESS, region, block * p->message_bytes, p->message_bytes,
	     write);
	s->left--;
	s->prefetched = s->invalidated = s->reregistered = false;
	return 1;
}

static int next(void *state, struct trace_record *rec)
{
	struct odp_state *s = state;

	if (s->stage == STAGE_REGISTER) {
		register_region(s, rec, s->index);
		if (++s->index == s->p->regions) {
			s->index = 0;
			s->stage = STAGE_RUN;
		}
		return 1;
	}
	if (s->stage == STAGE_RUN) {
		if (s->left == 0) {
			s->stage = STAGE_DEREGISTER;
		} else if (extra(s, rec, s->p->messages - s->left)) {
			return 1;
		} else {
			return message(s, rec);
		}
	}
	if (s->index == s->p->regions)
		return 0;
	fill(s, rec, ODP_DEREG, s->index++, 0, 0, false);
	return 1;
}

static void fini(void *state)
{
	g_free(((struct odp_state *)state)->numbers);
}

const struct generator_ops generator_odp = {
    .pub = {"rdma_odp", "RDMA on-demand paging: messages, faults, invalidations, prefetches", TRACE_RDMA_ODP,
	    &table},
    .state_size = sizeof(struct odp_state),
    .init = init,
    .devices = devices,
    .device_prefix = "mlx5_",
    .next = next,
    .fini = fini,
};
