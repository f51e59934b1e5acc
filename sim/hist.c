/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dmasim/stat.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Log-linear: values below 128 have a bucket each; above, each power of two [2^e, 2^(e+1)) is cut in
 * 128 buckets of 2^(e-7).
 */
#define HIST_SUB_LG2 7
#define HIST_SUB (1u << HIST_SUB_LG2)
#define HIST_LOG_BUCKETS (HIST_SUB * (64 - HIST_SUB_LG2 + 1))

/* Exact: open addressing over the values, at most half full. */
struct hist_slot {
	uint64_t value, count;
};

struct hist {
	bool exact;
	uint64_t count, min, max;
	double sum, sum_squares; /* log-linear; an exact histogram knows its values */
	uint64_t *buckets;       /* log-linear */
	struct hist_slot *slots; /* exact; count 0: free */
	struct hist_slot *last;  /* exact: of the value added last; most values come in rows */
	unsigned nslots_lg2, used;
};

struct hist *hist_new_exact(void)
{
	struct hist *h = g_new0(struct hist, 1);

	h->exact = true;
	h->min = UINT64_MAX;
	h->nslots_lg2 = 6;
	h->slots = g_new0(struct hist_slot, (size_t)1 << h->nslots_lg2);
	return h;
}

struct hist *hist_new_log(void)
{
	struct hist *h = g_new0(struct hist, 1);

	h->min = UINT64_MAX;
	h->buckets = g_new0(uint64_t, HIST_LOG_BUCKETS);
	return h;
}

struct hist *hist_new_like(const struct hist *h)
{
	return h->exact ? hist_new_exact() : hist_new_log();
}

void hist_free(struct hist *h)
{
	if (!h)
		return;
	g_free(h->buckets);
	g_free(h->slots);
	g_free(h);
}

static unsigned log_index(uint64_t v)
{
	unsigned shift;

	if (v < HIST_SUB)
		return (unsigned)v;
	shift = 63 - (unsigned)__builtin_clzll(v) - HIST_SUB_LG2;
	return (shift << HIST_SUB_LG2) + (unsigned)(v >> shift);
}

static void log_range(unsigned index, uint64_t *lo, uint64_t *hi)
{
	unsigned shift = index < 2 * HIST_SUB ? 0 : (index >> HIST_SUB_LG2) - 1;

	*lo = (uint64_t)(index - (shift << HIST_SUB_LG2)) << shift;
	*hi = *lo + (((uint64_t)1 << shift) - 1);
}

static struct hist_slot *exact_slot(struct hist *h, uint64_t value)
{
	size_t mask = ((size_t)1 << h->nslots_lg2) - 1;
	size_t i = value * 0x9e3779b97f4a7c15 >> (64 - h->nslots_lg2);

	while (h->slots[i].count && h->slots[i].value != value)
		i = (i + 1) & mask;
	return &h->slots[i];
}

static void exact_grow(struct hist *h)
{
	struct hist_slot *old = h->slots;
	size_t n = (size_t)1 << h->nslots_lg2++;

	h->slots = g_new0(struct hist_slot, 2 * n);
	for (size_t i = 0; i < n; i++)
		if (old[i].count)
			*exact_slot(h, old[i].value) = old[i];
	g_free(old);
}

static void exact_add(struct hist *h, uint64_t value, uint64_t count)
{
	struct hist_slot *slot = exact_slot(h, value);

	if (!slot->count) {
		slot->value = value;
		h->used++;
	}
	slot->count += count;
	h->last = slot;
	if (2 * h->used > 1u << h->nslots_lg2) {
		exact_grow(h);
		h->last = NULL;
	}
}

static RARE void add_other(struct hist *h, uint64_t value, uint64_t count)
{
	if (value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	if (h->exact) {
		exact_add(h, value, count);
		return;
	}
	h->sum += (double)value * (double)count;
	h->sum_squares += (double)value * (double)value * (double)count;
	h->buckets[log_index(value)] += count;
}

inline void hist_add(struct hist *h, uint64_t value, uint64_t count)
{
	if (!count)
		return;
	h->count += count;
	if (G_LIKELY(h->last && h->last->value == value))
		h->last->count += count;
	else
		add_other(h, value, count);
}

/* Sum of value^power over all records. */
static double moment(const struct hist *h, unsigned power)
{
	double sum = 0;

	if (!h->exact)
		return power == 1 ? h->sum : h->sum_squares;
	for (size_t i = 0; i < (size_t)1 << h->nslots_lg2; i++) {
		double v = (double)h->slots[i].value;

		sum += (power == 1 ? v : v * v) * (double)h->slots[i].count;
	}
	return sum;
}

void hist_merge(struct hist *into, const struct hist *from)
{
	g_assert(into->exact == from->exact);
	if (!from->count)
		return;
	if (from->exact) {
		for (size_t i = 0; i < (size_t)1 << from->nslots_lg2; i++)
			if (from->slots[i].count)
				exact_add(into, from->slots[i].value, from->slots[i].count);
	} else {
		for (unsigned i = 0; i < HIST_LOG_BUCKETS; i++)
			into->buckets[i] += from->buckets[i];
	}
	into->count += from->count;
	into->sum += from->sum;
	into->sum_squares += from->sum_squares;
	into->min = MIN(into->min, from->min);
	into->max = MAX(into->max, from->max);
}

uint64_t hist_count(const struct hist *h)
{
	return h->count;
}

uint64_t hist_min(const struct hist *h)
{
	return h->count ? h->min : 0;
}

uint64_t hist_max(const struct hist *h)
{
	return h->max;
}

double hist_mean(const struct hist *h)
{
	return h->count ? moment(h, 1) / (double)h->count : 0;
}

double hist_stddev(const struct hist *h)
{
	double mean = hist_mean(h), variance;

	if (!h->count)
		return 0;
	variance = moment(h, 2) / (double)h->count - mean * mean;
	return variance > 0 ? sqrt(variance) : 0;
}

static int by_value(const void *a, const void *b)
{
	const struct hist_slot *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

void hist_visit(const struct hist *h, hist_visit_fn fn, void *arg)
{
	g_autofree struct hist_slot *sorted = NULL;
	unsigned n = 0;

	if (!h->exact) {
		for (unsigned i = 0; i < HIST_LOG_BUCKETS; i++)
			if (h->buckets[i]) {
				uint64_t lo, hi;

				log_range(i, &lo, &hi);
				fn(lo, hi, h->buckets[i], arg);
			}
		return;
	}
	if (!h->used)
		return;
	sorted = g_new(struct hist_slot, h->used);
	for (size_t i = 0; i < (size_t)1 << h->nslots_lg2; i++)
		if (h->slots[i].count)
			sorted[n++] = h->slots[i];
	qsort(sorted, n, sizeof(*sorted), by_value);
	for (unsigned i = 0; i < n; i++)
		fn(sorted[i].value, sorted[i].value, sorted[i].count, arg);
}

struct quantile {
	uint64_t rank, seen, value;
};

static void quantile_visit(uint64_t lo, uint64_t hi, uint64_t count, void *arg)
{
	struct quantile *q = arg;

	(void)lo;
	if (q->seen < q->rank)
		q->value = hi;
	q->seen += count;
}

uint64_t hist_quantile(const struct hist *h, double q)
{
	double rank = q * (double)h->count;
	struct quantile find = {.rank = (uint64_t)rank};

	if ((double)find.rank < rank || !find.rank)
		find.rank++;
	hist_visit(h, quantile_visit, &find);
	return MIN(find.value, h->max);
}

/* ---- differences ---- */

struct difference {
	struct hist *out;
	GHashTable *before; /* lowest value of a bucket -> count */
};

static void note_bucket(uint64_t lo, uint64_t hi, uint64_t count, void *arg)
{
	struct difference *d = arg;
	uint64_t *entry = g_new(uint64_t, 2);

	(void)hi;
	entry[0] = lo;
	entry[1] = count;
	g_hash_table_insert(d->before, entry, entry);
}

static void subtract_bucket(uint64_t lo, uint64_t hi, uint64_t count, void *arg)
{
	struct difference *d = arg;
	const uint64_t *entry = g_hash_table_lookup(d->before, &lo);

	(void)hi;
	if (!entry || count > entry[1])
		hist_add(d->out, lo, count - (entry ? entry[1] : 0));
}

void hist_subtract(struct hist *h, const struct hist *before)
{
	struct difference d = {hist_new_like(h),
			       g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL)};
	struct hist old = *h;

	hist_visit(before, note_bucket, &d);
	hist_visit(h, subtract_bucket, &d);
	*h = *d.out;
	*d.out = old;
	hist_free(d.out);
	g_hash_table_unref(d.before);
}
