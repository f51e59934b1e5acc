/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Field access for text payloads and for trace-cmd's binary records (libtraceevent), and the loop over a
 * trace.dat file (libtracecmd). "__data_loc" fields: low 16 bits offset in the record, high 16 bits length.
 */
#include "internal.h"
#include "trace/input.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <trace-cmd.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int digit_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

bool text_number(const char *s, int base, uint64_t *value, const char **end)
{
	uint64_t v = 0;
	const char *p = s;

	if (base != 10 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	} else if (base == 0) {
		base = 10;
	}
	if (digit_value(*p) >= base)
		return false;
	for (; digit_value(*p) < base; p++) {
		if (v > (UINT64_MAX - (unsigned)digit_value(*p)) / (unsigned)base)
			return false;
		v = v * (unsigned)base + (unsigned)digit_value(*p);
	}
	*value = v;
	if (end)
		*end = p;
	return true;
}

const char *text_value(const char *payload, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = payload; (p = strstr(p, key)); p += len) {
		bool starts = p == payload || p[-1] == ' ' || p[-1] == ',';

		if (starts && p[len] == '=')
			return p + len + 1;
	}
	return NULL;
}

bool text_field(const char *payload, const char *key, int base, uint64_t *value)
{
	const char *s = text_value(payload, key);

	return s && text_number(s, base, value, NULL);
}

uint64_t source_le(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

/* Bytes of a field, NULL if it is absent or outside of the record. */
static const uint8_t *field_raw(const struct field_source *s, const char *name, size_t *len, size_t *element)
{
	struct tep_format_field *f = name ? tep_find_field(s->event, name) : NULL;
	size_t offset, size;

	if (!f)
		return NULL;
	offset = (size_t)f->offset;
	size = (size_t)f->size;
	if (f->flags & TEP_FIELD_IS_DYNAMIC) {
		unsigned long long loc;

		if (tep_read_number_field(f, s->record->data, &loc))
			return NULL;
		offset = loc & 0xffff;
		size = loc >> 16 & 0xffff;
	}
	if (offset > (size_t)s->record->size || size > (size_t)s->record->size - offset)
		return NULL;
	*len = size;
	*element = f->elementsize ? f->elementsize : 1;
	return (const uint8_t *)s->record->data + offset;
}

bool source_u64(const struct field_source *s, const char *key, const char *field, int base, uint64_t *v)
{
	struct tep_format_field *f;
	unsigned long long value;

	if (s->payload)
		return key && text_field(s->payload, key, base, v);
	f = field ? tep_find_field(s->event, field) : NULL;
	if (!f || f->offset < 0 || f->size < 0 || f->offset + f->size > s->record->size ||
	    tep_read_number_field(f, s->record->data, &value))
		return false;
	*v = value;
	return true;
}

bool source_has(const struct field_source *s, const char *key, const char *field)
{
	return s->payload ? text_value(s->payload, key) != NULL : tep_find_field(s->event, field) != NULL;
}

static bool text_list(struct recording *r, const char *p, struct recording_list *l)
{
	if (!p || *p++ != '{')
		return false;
	while (*p != '}') {
		uint64_t v;

		if (!text_number(p, 16, &v, &p) || (*p != ',' && *p != '}'))
			return false;
		p += *p == ',';
		g_array_append_val(r->lists, v);
		l->count++;
	}
	return true;
}

bool source_list(struct recording *r, const struct field_source *s, const char *key, const char *field,
		 struct recording_list *l)
{
	const uint8_t *p;
	size_t len, element;
	struct tep_format_field *f;

	l->first = r->lists->len;
	l->count = 0;
	if (s->payload)
		return text_list(r, text_value(s->payload, key), l);
	f = tep_find_field(s->event, field);
	p = field_raw(s, field, &len, &element);
	if (!p || !f)
		return false;
	/* libtraceevent 1.7 leaves the element size of dynamic arrays at 4 for types it does not know. */
	if (strstr(f->type, "64"))
		element = 8;
	else if (strstr(f->type, "int") || strstr(f->type, "32"))
		element = 4;
	if (element > 8 || len % element)
		return false;
	for (; len; len -= element, p += element) {
		uint64_t v = source_le(p, (unsigned)element);

		g_array_append_val(r->lists, v);
		l->count++;
	}
	return true;
}

bool source_string(const struct field_source *s, const char *field, char *buf, size_t size)
{
	size_t len, element;
	const uint8_t *p = field_raw(s, field, &len, &element);

	if (!p)
		return false;
	len = strnlen((const char *)p, MIN(len, size - 1));
	memcpy(buf, p, len);
	buf[len] = '\0';
	return true;
}

bool source_bytes(const struct field_source *s, const char *field, uint8_t *buf, size_t n)
{
	size_t len, element;
	const uint8_t *p = field_raw(s, field, &len, &element);

	if (!p || len < n)
		return false;
	memcpy(buf, p, n);
	return true;
}

bool source_device(struct recording *r, const struct field_source *s, const char *field, uint32_t *name)
{
	char buf[64];

	if (s->payload) {
		size_t len = strcspn(s->payload, " ");

		*name = recording_intern(r, s->payload, len);
		return len > 0;
	}
	if (!source_string(s, field, buf, sizeof(buf)))
		return false;
	*name = recording_intern(r, buf, strlen(buf));
	return true;
}

bool source_name(struct recording *r, const struct field_source *s, const char *key, uint32_t *name)
{
	const char *text = s->payload ? text_value(s->payload, key) : NULL;
	char buf[64];

	if (text && *text == '"') {
		*name = recording_intern(r, text + 1, strcspn(text + 1, "\""));
		return true;
	}
	if (s->payload || !source_string(s, key, buf, sizeof(buf)))
		return false;
	*name = recording_intern(r, buf, strlen(buf));
	return true;
}

/* ---- trace.dat ---- */

struct dat_reader {
	struct recording *r;
	uint32_t records;
	GError **error;
};

/* enum trace_flag_type (include/linux/trace_events.h) */
#define TRACE_FLAG_HARDIRQ 0x08
#define TRACE_FLAG_SOFTIRQ 0x10
#define TRACE_FLAG_NMI 0x40

static uint8_t dat_level(int flags)
{
	if (flags & TRACE_FLAG_NMI)
		return TRACE_NMI;
	if (flags & TRACE_FLAG_HARDIRQ)
		return TRACE_HARDIRQ;
	return flags & TRACE_FLAG_SOFTIRQ ? TRACE_SOFTIRQ : TRACE_TASK;
}

static int dat_record(struct tracecmd_input *handle, struct tep_record *record, int cpu, void *arg)
{
	struct dat_reader *d = arg;
	struct tep_handle *tep = tracecmd_get_tep(handle);
	struct tep_event *event = tep_find_event_by_record(tep, record);
	struct field_source s = {.event = event, .record = record};
	struct recording_event e = {0};
	const struct event_row *row;
	bool probe;

	d->records++;
	if (record->missed_events > 0)
		d->r->lost += (uint64_t)record->missed_events;
	if (!event) {
		d->r->others++;
		return 0;
	}
	probe = tep_find_field(event, "__probe_ip") || tep_find_field(event, "__probe_func");
	row = recording_row(event->name, strlen(event->name), probe);
	if (!row || ((row == recording_row("map", 3, false) || row == recording_row("unmap", 5, false)) &&
		     strcmp(event->system, "iommu"))) {
		d->r->others++;
		return 0;
	}
	e.time_ns = record->ts;
	e.line = d->records;
	e.cpu = (uint16_t)cpu;
	e.pid = tep_data_pid(tep, record);
	e.level = dat_level(tep_data_flags(tep, record));
	if (!recording_decode(d->r, row, &s, &e)) {
		g_set_error(d->error, TRACE_ERROR, TRACE_ERROR_RECORD,
			    "%s: record %u: event %s:%s lacks a field that the replay needs", d->r->path,
			    d->records, event->system, event->name);
		return -1;
	}
	recording_add(d->r, &e);
	return 0;
}

/* Decompress path into a temporary file that libtracecmd can seek in. NULL on error. */
static char *spool(const char *path, GError **error)
{
	struct trace_input *in = input_open(path, NULL, error);
	const uint8_t *p;
	char *name = NULL;
	FILE *out;
	ssize_t n = 0;
	int fd;

	if (!in)
		return NULL;
	fd = g_file_open_tmp("dmasim-XXXXXX.dat", &name, error);
	out = fd >= 0 ? fdopen(fd, "wb") : NULL;
	while (out && (n = input_peek(in, 1, &p, error)) > 0) {
		if (fwrite(p, 1, (size_t)n, out) != (size_t)n) {
			g_set_error(error, TRACE_ERROR, TRACE_ERROR_WRITE, "%s: cannot be written: %s", name,
				    g_strerror(errno));
			n = -1;
			break;
		}
		input_skip(in, (size_t)n);
	}
	input_close(in);
	if (out && (fclose(out) == 0) && n == 0)
		return name;
	if (name)
		g_unlink(name);
	g_free(name);
	return NULL;
}

static bool has_magic(const char *path)
{
	static const char magic[] = "\x17\x08\x44tracing";
	char head[sizeof(magic) - 1];
	FILE *f = g_fopen(path, "rb");
	bool ok = f && fread(head, 1, sizeof(head), f) == sizeof(head) && !memcmp(head, magic, sizeof(head));

	if (f)
		fclose(f);
	return ok;
}

bool recording_read_dat(struct recording *r, const char *path, GError **error)
{
	GError *failed = NULL;
	struct dat_reader d = {.r = r, .error = &failed};
	struct tracecmd_input *handle;
	char *name = spool(path, error);
	bool ok = false;

	if (!name)
		return false;
	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	handle = has_magic(name) ? tracecmd_open(name, 0) : NULL;
	if (!handle)
		g_set_error(&failed, TRACE_ERROR, TRACE_ERROR_FORMAT,
			    "%s: not a trace.dat that libtracecmd can open", path);
	else
		ok = tracecmd_iterate_events(handle, NULL, 0, dat_record, &d) == 0 && !failed;
	if (handle && !ok && !failed)
		g_set_error(&failed, TRACE_ERROR, TRACE_ERROR_TRUNCATED,
			    "%s: ends or is damaged after record %u", path, d.records);
	if (handle)
		tracecmd_close(handle);
	g_unlink(name);
	g_free(name);
	if (failed)
		g_propagate_error(error, failed);
	return ok;
}

bool text_after(const char *s, const char *word, int base, uint64_t *value)
{
	const char *p = strstr(s, word);

	return p && text_number(p + strlen(word), base, value, NULL);
}
