/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What matters of a trace before a run, in one pass and bounded memory. Footprint and reuse distance
 * are sampled beyond 16384 blocks of 4 KiB (reuse.h); of requests above 1 MiB only every n-th block is
 * followed, so that one of them costs no more than 256.
 */
#include "native.h"
#include "reuse.h"

#include "trace_info.h"
#include <jansson.h>
#include <math.h>
#include <string.h>

#define BLOCK PAGE_SIZE
#define MOST_BLOCKS 256u
#define TOP_SIZES 64u
#define EVENTS 16u
#define ALIGNMENTS 31u

struct size_count {
	uint64_t bytes, count;
};

struct trace_info {
	enum trace_workload workload;
	uint64_t records, bytes, first, last;
	uint64_t events[EVENTS], event_bytes[EVENTS];
	struct size_count sizes[TOP_SIZES]; /* sizes seen first; others in other_sizes */
	unsigned nsizes;
	uint64_t other_sizes;
	struct hist *size, *gap, *latency, *segments;
	uint64_t alignment[ALIGNMENTS]; /* by trailing zeros of the offset */
	uint64_t sequential, with_done, with_segments, inner_seams, runs, vectors;
	GArray *ends; /* per device: end of its last request */
	uint32_t max_cpu, max_queue;
	uint64_t in_flight_area; /* sum of latencies */
	struct reuse *reuse;
};

struct trace_info *trace_info_new(enum trace_workload w)
{
	struct trace_info *t = g_new0(struct trace_info, 1);

	t->workload = w;
	t->size = hist_new_log();
	t->gap = hist_new_log();
	t->latency = hist_new_log();
	t->segments = hist_new_log();
	t->ends = g_array_new(FALSE, TRUE, sizeof(uint64_t));
	t->reuse = reuse_new();
	return t;
}

void trace_info_free(struct trace_info *t)
{
	if (!t)
		return;
	hist_free(t->size);
	hist_free(t->gap);
	hist_free(t->latency);
	hist_free(t->segments);
	g_array_free(t->ends, TRUE);
	reuse_free(t->reuse);
	g_free(t);
}

static void count_size(struct trace_info *t, uint64_t bytes)
{
	hist_add(t->size, bytes, 1);
	for (unsigned i = 0; i < t->nsizes; i++)
		if (t->sizes[i].bytes == bytes) {
			t->sizes[i].count++;
			return;
		}
	if (t->nsizes < TOP_SIZES)
		t->sizes[t->nsizes++] = (struct size_count){bytes, 1};
	else
		t->other_sizes++;
}

/* Follow the 4 KiB blocks of [offset, offset + bytes) of an address space. */
static void follow(struct trace_info *t, uint64_t space, uint64_t offset, uint64_t bytes)
{
	uint64_t first = offset / BLOCK, n, step;

	if (bytes == 0)
		return;
	n = (offset + bytes - 1) / BLOCK - first + 1;
	step = div_round_up(n, MOST_BLOCKS);
	for (uint64_t i = 0; i < n; i += step)
		reuse_add(t->reuse, (first + i) ^ space * 0x9e3779b97f4a7c15ull);
}

static void count_segments(struct trace_info *t, const struct trace_record *rec)
{
	bool inner = false;

	if (rec->nsegs == 0)
		return;
	t->with_segments++;
	t->vectors += rec->nsegs;
	hist_add(t->segments, rec->nsegs, 1);
	for (uint32_t i = 0; i < rec->nsegs; i++) {
		const struct trace_segment *s = &rec->segs[i];

		t->runs += i == 0 || s[-1].phys + s[-1].len != s->phys;
		inner |= i > 0 && (s->phys | (s[-1].phys + s[-1].len)) % BLOCK;
	}
	t->inner_seams += inner;
}

static void add_nvme(struct trace_info *t, const struct trace_record *rec)
{
	uint64_t *end;

	t->max_queue = MAX(t->max_queue, rec->nvme.queue);
	if (rec->nvme.done_ns != TRACE_NO_TIME) {
		t->with_done++;
		t->in_flight_area += rec->nvme.done_ns - rec->time_ns;
		hist_add(t->latency, rec->nvme.done_ns - rec->time_ns, 1);
	}
	if (rec->nvme.op == NVME_OP_FLUSH)
		return;
	count_size(t, rec->nvme.bytes);
	t->alignment[rec->nvme.offset ? MIN((unsigned)__builtin_ctzll(rec->nvme.offset), ALIGNMENTS - 1)
				      : ALIGNMENTS - 1]++;
	if (rec->device >= t->ends->len)
		g_array_set_size(t->ends, rec->device + 1);
	end = &g_array_index(t->ends, uint64_t, rec->device);
	t->sequential += *end == rec->nvme.offset && rec->nvme.offset > 0;
	*end = rec->nvme.offset + rec->nvme.bytes;
	if (rec->nvme.op <= NVME_OP_WRITE)
		follow(t, rec->device, rec->nvme.offset, rec->nvme.bytes);
}

void trace_info_add(struct trace_info *t, const struct trace_record *rec)
{
	uint64_t bytes;
	unsigned event;

	if (t->records++ == 0)
		t->first = rec->time_ns;
	else
		hist_add(t->gap, rec->time_ns - MIN(t->last, rec->time_ns), 1);
	t->last = MAX(t->last, rec->time_ns);
	t->max_cpu = MAX(t->max_cpu, rec->cpu);
	switch (t->workload) {
	case TRACE_NVME:
		event = rec->nvme.op;
		bytes = rec->nvme.bytes;
		add_nvme(t, rec);
		break;
	case TRACE_RDMA_ODP:
		event = rec->odp.event;
		bytes = rec->odp.bytes;
		count_size(t, bytes);
		if (event != ODP_REG && event != ODP_DEREG)
			follow(t, rec->odp.mr, rec->odp.offset, bytes);
		break;
	case TRACE_VFIO_MIGRATION:
		event = rec->vfio.event;
		bytes = rec->vfio.bytes;
		count_size(t, bytes);
		break;
	default:
		event = rec->dma.event;
		bytes = rec->dma.bytes;
		count_size(t, bytes);
	}
	t->bytes += bytes;
	t->events[event % EVENTS]++;
	t->event_bytes[event % EVENTS] += bytes;
	count_segments(t, rec);
}

static json_t *hist_json(const struct hist *h)
{
	if (hist_count(h) == 0)
		return json_null();
	return json_pack("{s:I,s:f,s:I,s:I,s:I,s:I}", "min", (json_int_t)hist_min(h), "mean", hist_mean(h),
			 "p50", (json_int_t)hist_quantile(h, 0.5), "p90", (json_int_t)hist_quantile(h, 0.9),
			 "p99", (json_int_t)hist_quantile(h, 0.99), "max", (json_int_t)hist_max(h));
}

static int by_size(const void *a, const void *b)
{
	const struct size_count *x = a, *y = b;

	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* Of up to TOP_SIZES different sizes the quantiles are exact; of more they are upper ends of buckets. */
static json_t *size_json(struct trace_info *t)
{
	static const struct {
		const char *name;
		double q;
	} wanted[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}};
	json_t *o = hist_json(t->size);

	if (t->other_sizes || !t->nsizes)
		return o;
	qsort(t->sizes, t->nsizes, sizeof(t->sizes[0]), by_size);
	for (unsigned k = 0; k < G_N_ELEMENTS(wanted); k++) {
		uint64_t rank = (uint64_t)ceil(wanted[k].q * (double)hist_count(t->size)), below = 0;
		unsigned i = 0;

		while (i + 1 < t->nsizes && (below += t->sizes[i].count) < rank)
			i++;
		json_object_set_new(o, wanted[k].name, json_integer((json_int_t)t->sizes[i].bytes));
	}
	return o;
}

static int by_count(const void *a, const void *b)
{
	const struct size_count *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
				    : (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static json_t *sizes_json(struct trace_info *t)
{
	json_t *o = json_object();
	char key[32];

	qsort(t->sizes, t->nsizes, sizeof(t->sizes[0]), by_count);
	for (unsigned i = 0; i < MIN(t->nsizes, 10); i++) {
		g_snprintf(key, sizeof(key), "%" G_GUINT64_FORMAT, t->sizes[i].bytes);
		json_object_set_new(o, key, json_integer((json_int_t)t->sizes[i].count));
	}
	return o;
}

static json_t *events_json(const struct trace_info *t)
{
	static const char *const op_names[] = {"read", "write", "flush", "discard", NULL};
	const char *const *names = t->workload == TRACE_NVME ? op_names : native_events[t->workload];
	json_t *o = json_object();

	for (unsigned i = 0; names[i]; i++)
		json_object_set_new(o, names[i],
				    json_pack("{s:I,s:I}", "records", (json_int_t)t->events[i], "bytes",
					      (json_int_t)t->event_bytes[i]));
	return o;
}

static json_t *ratio(uint64_t a, uint64_t b)
{
	return b ? json_real((double)a / (double)b) : json_null();
}

static void add_nvme_json(const struct trace_info *t, json_t *o)
{
	uint64_t data = t->events[NVME_OP_READ] + t->events[NVME_OP_WRITE];
	json_t *align = json_object();
	char key[32];

	json_object_set_new(o, "read_share", ratio(t->events[NVME_OP_READ], data));
	json_object_set_new(o, "sequential_share", ratio(t->sequential, t->records));
	json_object_set_new(o, "queues", json_integer(t->max_queue + 1));
	for (unsigned i = 0; i < ALIGNMENTS; i++)
		if (t->alignment[i]) {
			g_snprintf(key, sizeof(key), "%" G_GUINT64_FORMAT, (uint64_t)1 << i);
			json_object_set_new(align, key, json_integer((json_int_t)t->alignment[i]));
		}
	json_object_set_new(o, "offset_alignment", align);
	json_object_set_new(o, "completions", ratio(t->with_done, t->records));
	json_object_set_new(o, "latency_ns", hist_json(t->latency));
	json_object_set_new(o, "mean_in_flight",
			    ratio(t->in_flight_area, t->with_done ? t->last - t->first : 0));
}

struct json_t *trace_info_json(struct trace_info *t)
{
	uint64_t span = t->last - t->first;
	json_t *o = json_object();

	json_object_set_new(o, "workload", json_string(trace_workload_names[t->workload]));
	json_object_set_new(o, "records", json_integer((json_int_t)t->records));
	json_object_set_new(o, "bytes", json_integer((json_int_t)t->bytes));
	json_object_set_new(o, "duration_ns", json_integer((json_int_t)span));
	json_object_set_new(o, "records_per_s",
			    span ? json_real((double)t->records * 1e9 / (double)span) : json_null());
	json_object_set_new(o, "bytes_per_s",
			    span ? json_real((double)t->bytes * 1e9 / (double)span) : json_null());
	json_object_set_new(o, "cpus", json_integer(t->max_cpu + 1));
	json_object_set_new(o, "events", events_json(t));
	json_object_set_new(o, "size_bytes", size_json(t));
	json_object_set_new(o, "common_sizes", sizes_json(t));
	json_object_set_new(o, "gap_ns", hist_json(t->gap));
	if (t->workload == TRACE_NVME)
		add_nvme_json(t, o);
	if (t->workload == TRACE_NVME || t->workload == TRACE_RDMA_ODP) {
		json_object_set_new(o, "footprint_bytes",
				    json_integer((json_int_t)(reuse_footprint(t->reuse) * BLOCK)));
		json_object_set_new(o, "reuse_distance_blocks", hist_json(reuse_distances(t->reuse)));
		json_object_set_new(o, "reuse_sampled_share", json_real(reuse_rate(t->reuse)));
	}
	json_object_set_new(o, "with_segments", json_integer((json_int_t)t->with_segments));
	json_object_set_new(o, "segments_per_record", hist_json(t->segments));
	json_object_set_new(o, "runs_per_record", ratio(t->runs, t->with_segments));
	json_object_set_new(o, "seam_inside_page", json_integer((json_int_t)t->inner_seams));
	return o;
}
