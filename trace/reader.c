/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reader.h"

#include <string.h>

#define DEFAULT_WINDOW_NS (1000000000ull)
#define DEFAULT_WINDOW_RECORDS 65536u
#define DEFAULT_BAD_LIMIT 0.01

const char *const trace_workload_names[] = {"nvme", "rdma_odp", "vfio_migration", "dma_replay", NULL};
const char *const trace_bad_names[TRACE_BAD_KINDS] = {"malformed", "unknown operation", "out of range"};
const char *const trace_skip_names[TRACE_SKIP_KINDS] = {"empty", "other device", "other event", "no reply"};

/* ---- device names ---- */

static uint32_t hash_name(const char *s, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h ^ h >> 15;
}

static bool same_name(const struct device_names *d, uint32_t i, const char *name, size_t len)
{
	return d->lengths[i] == len && memcmp(d->names->pdata[i], name, len) == 0;
}

static void rehash(struct device_names *d)
{
	uint32_t size = (d->mask + 1) * 2;

	d->mask = size - 1;
	g_free(d->slots);
	d->slots = g_new0(uint32_t, size);
	d->keep = g_renew(bool, d->keep, size);
	d->lengths = g_renew(size_t, d->lengths, size);
	for (uint32_t i = 0; i < d->names->len; i++) {
		uint32_t k = hash_name(d->names->pdata[i], d->lengths[i]) & d->mask;

		while (d->slots[k])
			k = (k + 1) & d->mask;
		d->slots[k] = i + 1;
	}
}

uint32_t reader_device(struct trace_reader *r, const char *name, size_t len)
{
	struct device_names *d = &r->devices;
	uint32_t k;

	if (d->names->len && same_name(d, d->last, name, len))
		return d->last;
	if (d->names->len * 2 >= d->mask)
		rehash(d);
	for (k = hash_name(name, len) & d->mask; d->slots[k]; k = (k + 1) & d->mask)
		if (same_name(d, d->slots[k] - 1, name, len))
			return d->last = d->slots[k] - 1;
	d->last = d->names->len;
	g_ptr_array_add(d->names, g_strndup(name, len));
	d->slots[k] = d->names->len;
	d->lengths[d->last] = len;
	d->keep[d->last] = !r->options.device || strcmp(r->options.device, d->names->pdata[d->last]) == 0;
	return d->last;
}

/* ---- bad records ---- */

char *reader_place(const struct trace_reader *r, const char *line, const char *at)
{
	if (!line)
		return g_strdup_printf("%s: byte %" G_GUINT64_FORMAT, input_name(r->in), input_offset(r->in));
	if (!at)
		return g_strdup_printf("%s:%" G_GUINT64_FORMAT, input_name(r->in), input_line_number(r->in));
	return g_strdup_printf("%s:%" G_GUINT64_FORMAT ":%td", input_name(r->in), input_line_number(r->in),
			       at - line + 1);
}

static uint64_t count_bad(const struct trace_counts *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < TRACE_BAD_KINDS; i++)
		n += c->bad[i];
	return n;
}

static bool too_many_bad(struct trace_reader *r, uint64_t total, GError **error)
{
	double limit = r->options.bad_limit > 0 ? r->options.bad_limit : DEFAULT_BAD_LIMIT;
	uint64_t bad = count_bad(&r->counts);

	if ((double)bad <= limit * (double)total)
		return false;
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
		    "%s; %" G_GUINT64_FORMAT " of the first %" G_GUINT64_FORMAT
		    " records are bad, more than %g %%: repair the file, or name its format with --format",
		    r->first_bad, bad, total, 100 * limit);
	return true;
}

/* What stands at the bad place, short and printable. */
static char *quote(const char *at)
{
	size_t n = strcspn(at, ",\t");
	char *raw, *text;

	if (*at == '\0')
		return g_strdup("the end of the line");
	if (n == 0)
		n = 1;
	raw = g_strndup(at, MIN(n, 40));
	text = g_strescape(raw, NULL);
	g_free(raw);
	raw = g_strdup_printf("\"%s%s\"", text, n > 40 ? "..." : "");
	g_free(text);
	return raw;
}

bool reader_bad(struct trace_reader *r, enum trace_bad kind, const char *line, const char *at, GError **error,
		const char *want)
{
	bool cut = line && input_line_open(r->in);
	uint64_t total;

	r->counts.bad[kind]++;
	if (!r->first_bad || r->options.strict || cut) {
		char *place = reader_place(r, line, at), *found = at ? quote(at) : NULL;

		g_free(r->first_bad);
		r->first_bad = found ? g_strdup_printf("%s: %s record: expected %s, found %s", place,
						       trace_bad_names[kind], want, found)
				     : g_strdup_printf("%s: %s record: expected %s", place,
						       trace_bad_names[kind], want);
		g_free(place);
		g_free(found);
	}
	if (cut) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_TRUNCATED,
			    "%s; the last line has no end: the file was cut off, copy or record it again",
			    r->first_bad);
		return false;
	}
	if (r->options.strict) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD, "%s (strict reading stops here)",
			    r->first_bad);
		return false;
	}
	/* Judged at the end, and on the way once there are enough to judge by. */
	total = r->counts.records + window_count(r->window) + count_bad(&r->counts);
	return total < 1000 || !too_many_bad(r, total, error);
}

bool reader_push(struct trace_reader *r, struct held *h, GError **error)
{
	char *place;

	if (!r->devices.keep[h->rec.device]) {
		h->pending = false;
		reader_skip(r, TRACE_SKIP_DEVICE);
		return true;
	}
	switch (window_push(r->window, h)) {
	case WINDOW_SORTED:
		r->counts.out_of_order++;
		return true;
	case WINDOW_IN_ORDER:
		return true;
	case WINDOW_TOO_LATE:
		break;
	}
	place = reader_place(r, r->ops->pub.binary ? NULL : "", NULL);
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
		    "%s: time %" G_GUINT64_FORMAT
		    " ns is earlier than records already read, by more than the sorting window holds; "
		    "sort the trace by time first",
		    place, h->rec.time_ns);
	g_free(place);
	return false;
}

int reader_line(struct trace_reader *r, const char **line, size_t *len, GError **error)
{
	int rc;

	do
		rc = input_line(r->in, line, len, error);
	while (rc == 1 && (*len == 0 || **line == '#' ||
			   (G_UNLIKELY(g_ascii_isalpha(**line)) && reader_names_columns(r->ops, *line))));
	return rc;
}

/* ---- reader ---- */

static struct trace_reader *reader_new(const struct trace_options *o)
{
	struct trace_reader *r = g_new0(struct trace_reader, 1);

	r->options = *o;
	r->options.format = g_strdup(o->format);
	r->options.device = g_strdup(o->device);
	r->options.columns = g_strdup(o->columns && *o->columns ? o->columns : NULL);
	r->options.member = NULL;
	if (r->options.time_scale <= 0)
		r->options.time_scale = 1.0;
	r->devices.names = g_ptr_array_new_with_free_func(g_free);
	r->devices.mask = 7;
	rehash(&r->devices);
	return r;
}

struct trace_reader *reader_new_source(const struct format_ops *ops, const char *name)
{
	struct trace_reader *r = reader_new(&TRACE_OPTIONS_DEFAULT);

	r->ops = ops;
	r->workload = ops->pub.workload;
	r->name = g_strdup(name);
	r->state = g_malloc0(MAX(ops->state_size, 1));
	return r;
}

/* The file, or the first of the per-CPU files that blktrace writes under this name. */
static struct trace_input *open_input(struct trace_reader *r, const char *path, const char *member,
				      GError **error)
{
	char *first = g_strdup_printf("%s.blktrace.0", path);
	struct trace_input *in;

	r->siblings = !g_file_test(path, G_FILE_TEST_EXISTS) && g_file_test(first, G_FILE_TEST_EXISTS);
	in = input_open(r->siblings ? first : path, member, error);
	g_free(first);
	return in;
}

struct trace_reader *reader_open(const struct format_ops *const *formats, const char *path,
				 const struct trace_options *o, GError **error)
{
	struct trace_reader *r = reader_new(o);

	r->name = g_strdup(strcmp(path, "-") == 0 ? "standard input" : path);
	r->in = open_input(r, path, o->member, error);
	if (!r->in || !reader_detect(r, formats, error)) {
		trace_close(r);
		return NULL;
	}
	r->workload = r->ops->pub.workload;
	r->state = g_malloc0(MAX(r->ops->state_size, 1));
	if (!r->ops->next)
		r->window = window_new(o->window_ns ? o->window_ns : DEFAULT_WINDOW_NS,
				       o->window_records ? o->window_records : DEFAULT_WINDOW_RECORDS);
	if (r->ops->open && !r->ops->open(r, error)) {
		trace_close(r);
		return NULL;
	}
	return r;
}

const struct trace_format *trace_reader_format(const struct trace_reader *r)
{
	return &r->ops->pub;
}

enum trace_workload trace_reader_workload(const struct trace_reader *r)
{
	return r->workload;
}

static int fail(struct trace_reader *r, GError *e, GError **error)
{
	if (e)
		r->error = e;
	g_propagate_error(error, g_error_copy(r->error));
	return -1;
}

/* All input is read: judge it. */
static void judge(struct trace_reader *r, GError **error)
{
	uint64_t bad = count_bad(&r->counts), good = r->counts.records + window_count(r->window);

	if ((bad > 0 && too_many_bad(r, good + bad, error)) || good > 0)
		return;
	if (r->options.device)
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
			    "%s: no request of device \"%s\"; the trace has %u other devices, the first is "
			    "\"%s\"",
			    r->name, r->options.device, r->devices.names->len,
			    r->devices.names->len ? (const char *)r->devices.names->pdata[0] : "");
	else
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
			    "%s: no records in this %s trace; it holds nothing to replay", r->name,
			    r->ops->pub.name);
}

static uint64_t scaled(const struct trace_reader *r, uint64_t t)
{
	return r->options.time_scale == 1.0 ? t : (uint64_t)((double)t * r->options.time_scale);
}

int trace_next(struct trace_reader *r, struct trace_record *rec, GError **error)
{
	struct held *h;
	GError *e = NULL;
	int rc;

	if (G_UNLIKELY(r->error != NULL))
		return fail(r, NULL, error);
	if (r->ops->next) {
		rc = r->ops->next(r, rec, &e);
		if (rc < 0)
			return fail(r, e, error);
		r->counts.records += (uint64_t)rc;
		return rc;
	}
	while (!window_ready(r->window, r->ended)) {
		if (r->ended) /* an error comes after the good part */
			return r->late ? fail(r, g_steal_pointer(&r->late), error) : 0;
		rc = r->ops->step(r, &r->late);
		r->ended = rc <= 0;
		if (rc == 0)
			judge(r, &r->late);
	}
	h = window_take(r->window);
	if (G_UNLIKELY(h->unfinished))
		r->counts.incomplete++;
	if (G_UNLIKELY(!r->based)) {
		r->based = true;
		r->base = r->ops->keep_time || r->options.keep_time ? 0 : h->rec.time_ns;
	}
	*rec = h->rec;
	rec->time_ns = scaled(r, rec->time_ns - r->base);
	if (r->workload == TRACE_NVME && rec->nvme.done_ns != TRACE_NO_TIME)
		rec->nvme.done_ns = scaled(r, rec->nvme.done_ns - r->base);
	r->counts.records++;
	return 1;
}

int trace_skip(struct trace_reader *r, uint64_t *n, uint64_t *last_ns, GError **error)
{
	struct trace_record rec;
	uint64_t had = *n;
	GError *e = NULL;
	int rc = 1;

	if (r->ops->skip && !r->error) {
		rc = r->ops->skip(r, n, last_ns, &e);
		r->counts.records += had - *n;
		if (rc < 0)
			return fail(r, e, error);
	}
	while (rc > 0 && *n > 0 && (rc = trace_next(r, &rec, error)) > 0) {
		*last_ns = rec.time_ns;
		--*n;
	}
	return rc;
}

const char *trace_device_name(const struct trace_reader *r, uint32_t device)
{
	return device < r->devices.names->len ? r->devices.names->pdata[device] : NULL;
}

uint64_t trace_bytes_read(const struct trace_reader *r, uint64_t *size)
{
	if (r->in)
		return input_raw_bytes(r->in, size);
	if (size)
		*size = 0;
	return 0;
}

const char *trace_sha256(struct trace_reader *r)
{
	struct trace_input *in;
	GChecksum *sum;

	if (!r->in || !r->ops->more || !r->ops->more(r, 1))
		return r->in ? input_sha256(r->in) : NULL;
	if (r->sha256)
		return r->sha256;
	sum = g_checksum_new(G_CHECKSUM_SHA256); /* several files: of their hashes, one after the other */
	g_checksum_update(sum, (const guchar *)input_sha256(r->in), -1);
	for (unsigned i = 1; (in = r->ops->more(r, i)) != NULL; i++)
		g_checksum_update(sum, (const guchar *)input_sha256(in), -1);
	r->sha256 = g_strdup(g_checksum_get_string(sum));
	g_checksum_free(sum);
	return r->sha256;
}

const struct trace_counts *trace_counts(const struct trace_reader *r)
{
	return &r->counts;
}

const char *trace_first_bad(const struct trace_reader *r)
{
	return r->first_bad;
}

void trace_close(struct trace_reader *r)
{
	if (!r)
		return;
	if (r->ops && r->ops->close && r->state)
		r->ops->close(r);
	input_close(r->in);
	window_free(r->window);
	g_ptr_array_free(r->devices.names, TRUE);
	g_free(r->devices.slots);
	g_free(r->devices.keep);
	g_free(r->devices.lengths);
	g_free((char *)r->options.format);
	g_free((char *)r->options.device);
	g_free((char *)r->options.columns);
	g_clear_error(&r->error);
	g_clear_error(&r->late);
	g_free(r->first_bad);
	g_free(r->sha256);
	g_free(r->state);
	g_free(r->name);
	g_free(r);
}
