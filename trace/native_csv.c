/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reader of the native text form: "# dmasim-trace v1", a header line that names the columns, one
 * record per line. The header decides which workload it is; columns may stand in any order, an
 * empty optional field means "not recorded".
 */
#include "native.h"
#include "reader.h"

#include <string.h>

struct csv {
	uint8_t column[COLUMNS];
	unsigned ncolumns;
};

static bool detect(const struct probe *p)
{
	return g_str_has_prefix(p->comment, NATIVE_MAGIC) || g_str_has_prefix(p->line, "time_ns,cpu,device,");
}

static bool header_error(struct trace_reader *r, GError **error, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
static bool header_error(struct trace_reader *r, GError **error, const char *fmt, ...)
{
	char *place = reader_place(r, "", NULL), *text;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT, "%s: %s", place, text);
	g_free(place);
	g_free(text);
	return false;
}

static bool find_workload(struct trace_reader *r, const bool *have, GError **error)
{
	if (have[COL_OP] && have[COL_QUEUE])
		r->workload = TRACE_NVME;
	else if (have[COL_EVENT] && have[COL_MR])
		r->workload = TRACE_RDMA_ODP;
	else if (have[COL_EVENT] && have[COL_BUFFER])
		r->workload = TRACE_VFIO_MIGRATION;
	else if (have[COL_EVENT] && have[COL_HANDLE])
		r->workload = TRACE_DMA;
	else
		return header_error(
		    r, error,
		    "the header names no workload: nvme needs the columns queue and op, "
		    "rdma_odp event and mr, vfio_migration event and buffer, dma_replay event "
		    "and handle");
	return true;
}

static bool parse_header(struct trace_reader *r, const char *line, GError **error)
{
	struct csv *csv = r->state;
	bool have[COLUMNS] = {false};
	char **names = g_strsplit(line, ",", -1);
	const struct native_form *form;
	bool ok = true;

	for (unsigned i = 0; ok && names[i]; i++) {
		unsigned k = 0;

		g_strstrip(names[i]);
		while (k < COLUMNS && strcmp(names[i], native_columns[k]) != 0)
			k++;
		if (k == COLUMNS)
			ok = header_error(r, error,
					  "unknown column \"%s\" in the header; see `dmasim trace --help`",
					  names[i]);
		else if (have[k])
			ok = header_error(r, error, "column \"%s\" is named twice", names[i]);
		else {
			have[k] = true;
			csv->column[csv->ncolumns++] = (uint8_t)k;
		}
	}
	g_strfreev(names);
	if (!ok || !find_workload(r, have, error))
		return false;
	form = &native_forms[r->workload];
	for (unsigned i = 0; i < form->nrequired; i++)
		if (!have[form->columns[i]])
			return header_error(r, error, "the header lacks the column \"%s\" of %s traces",
					    native_columns[form->columns[i]],
					    trace_workload_names[r->workload]);
	for (unsigned k = 0; k < COLUMNS; k++) {
		bool known = false;

		for (unsigned i = 0; i < form->ncolumns; i++)
			known |= form->columns[i] == k;
		if (have[k] && !known)
			return header_error(r, error, "column \"%s\" does not belong to %s traces",
					    native_columns[k], trace_workload_names[r->workload]);
	}
	return true;
}

static bool open_csv(struct trace_reader *r, GError **error)
{
	const char *line;
	size_t len;
	int rc;

	while ((rc = input_line(r->in, &line, &len, error)) == 1) {
		if (g_str_has_prefix(line, NATIVE_MAGIC) && input_line_number(r->in) == 1) {
			const char *p = line + strlen(NATIVE_MAGIC);
			uint64_t version;

			if (!parse_u64(&p, &version) || *p != '\0' || version != NATIVE_VERSION)
				return header_error(
				    r, error,
				    "native trace of version \"%s\"; this program reads version "
				    "%d: convert it with the program that wrote it",
				    line + strlen(NATIVE_MAGIC), NATIVE_VERSION);
			continue;
		}
		if (line[0] != '#' && len > 0)
			return parse_header(r, line, error);
	}
	return rc == 0 ? header_error(r, error, "the trace ends before its header line") : false;
}

/* Index of the word at *pp (up to ',' '|' or the end) among names; -1. */
static int parse_name(const char **pp, const char *const *names)
{
	for (int i = 0; names[i]; i++) {
		const char *name = names[i], *p = *pp;

		while (*name && *p == *name) {
			name++;
			p++;
		}
		if (!*name && (*p == '\0' || *p == ',' || *p == '|' || *p == ':')) {
			*pp = p;
			return i;
		}
	}
	return -1;
}

static bool parse_flag(const char **pp, bool *v)
{
	if (**pp != '0' && **pp != '1')
		return false;
	*v = *(*pp)++ == '1';
	return true;
}

/* "phys+len[:kind[:node]]|..." */
static bool parse_segments(const char **pp, struct held *h)
{
	const char *p = *pp;

	for (;;) {
		uint64_t phys;
		uint32_t len, node = 0;
		int kind = 0;

		if (!parse_hex(&p, &phys) || !parse_char(&p, '+') || !parse_u32(&p, &len) || len == 0 ||
		    phys + len < phys)
			break;
		if (*p == ':') {
			p++;
			kind = parse_name(&p, native_kinds);
			if (kind < 0)
				break;
			if (*p == ':') {
				p++;
				if (!parse_u32(&p, &node) || node > UINT8_MAX)
					break;
			}
		}
		held_segment(h, phys, len, (uint8_t)kind, (uint8_t)node);
		if (*p != '|') {
			*pp = p;
			return true;
		}
		p++;
	}
	*pp = p;
	return false;
}

/* A name, quoted if it holds a comma or a quote (RFC 4180). */
static bool parse_device(struct trace_reader *r, const char **pp, uint32_t *device)
{
	const char *p = *pp;
	size_t n;
	GString *s;

	if (*p != '"') {
		for (n = 0; p[n] && p[n] != ','; n++)
			;
		if (n == 0)
			return false;
		*device = reader_device(r, p, n);
		*pp = p + n;
		return true;
	}
	n = strcspn(p + 1, "\"");
	if (n > 0 && p[n + 1] == '"' && p[n + 2] != '"') { /* no quote in it: as it stands */
		*device = reader_device(r, p + 1, n);
		*pp = p + n + 2;
		return true;
	}
	s = g_string_new(NULL);
	for (p++; *p && !(p[0] == '"' && p[1] != '"'); p++) {
		g_string_append_c(s, *p);
		p += p[0] == '"';
	}
	if (*p == '"' && s->len > 0) {
		*device = reader_device(r, s->str, s->len);
		*pp = p + 1;
	} else {
		p = NULL;
	}
	g_string_free(s, TRUE);
	return p != NULL;
}

static bool empty_field(const char *p)
{
	return *p == ',' || *p == '\0';
}

/* One of the fields that only some workloads have; returns what was expected, NULL if it was fine. */
static const char *parse_rare(struct trace_reader *r, enum native_column col, const char **pp, struct held *h)
{
	struct trace_record *rec = &h->rec;
	int i;

	switch (col) {
	case COL_DONE_NS:
		return empty_field(*pp) || parse_u64(pp, &rec->nvme.done_ns) ? NULL : "a time in ns";
	case COL_DONE_CPU:
		return empty_field(*pp) || parse_u32(pp, &rec->nvme.done_cpu) ? NULL : "a CPU number";
	case COL_SPLIT:
		i = parse_name(pp, native_splits);
		rec->nvme.split_done = i > 0;
		rec->nvme.split_front = i > 1;
		return i < 0 ? "done, front or nothing" : NULL;
	case COL_EVENT:
		i = parse_name(pp, native_events[r->workload]);
		if (r->workload == TRACE_RDMA_ODP)
			rec->odp.event = (uint8_t)i;
		else if (r->workload == TRACE_VFIO_MIGRATION)
			rec->vfio.event = (uint8_t)i;
		else
			rec->dma.event = (uint8_t)i;
		return i < 0 ? "the name of an event" : NULL;
	case COL_MR:
		return parse_u32(pp, &rec->odp.mr) ? NULL : "the number of a memory region";
	case COL_WRITE:
		return empty_field(*pp) || parse_flag(pp, &rec->odp.write) ? NULL : "0 or 1";
	case COL_VA:
		return empty_field(*pp) || parse_number(pp, &rec->odp.va) ? NULL : "an address";
	case COL_ACCESS: {
		uint64_t v = 0;

		if (!empty_field(*pp) && (!parse_number(pp, &v) || v > UINT32_MAX))
			return "access flags";
		rec->odp.access = (uint32_t)v;
		return NULL;
	}
	case COL_IMPLICIT:
		return empty_field(*pp) || parse_flag(pp, &rec->odp.implicit) ? NULL : "0 or 1";
	case COL_BUFFER:
		return parse_u32(pp, &rec->vfio.buffer) ? NULL : "the number of a buffer";
	case COL_DIRECTION:
		if (empty_field(*pp))
			return NULL;
		i = parse_name(pp, native_directions);
		if (r->workload == TRACE_VFIO_MIGRATION)
			rec->vfio.direction = (uint8_t)i;
		else
			rec->dma.dir = (uint8_t)i;
		return i < 0 ? "to_device, from_device, bidirectional or none" : NULL;
	case COL_PURPOSE:
		if (empty_field(*pp))
			return NULL;
		i = parse_name(pp, native_purposes);
		rec->vfio.purpose = (uint8_t)i;
		return i < 0 ? "data, header, tracker or stop_copy" : NULL;
	case COL_INCREMENTAL:
		return empty_field(*pp) || parse_flag(pp, &rec->vfio.incremental) ? NULL : "0 or 1";
	case COL_HANDLE:
		return empty_field(*pp) || parse_hex(pp, &rec->dma.handle) ? NULL : "a DMA address in hex";
	case COL_PHYS:
		return empty_field(*pp) || parse_hex(pp, &rec->dma.phys) ? NULL : "an address in hex";
	case COL_ATTRS:
		return empty_field(*pp) || parse_hex(pp, &rec->dma.attrs) ? NULL : "DMA attributes in hex";
	default:
		return "a known column";
	}
}

static uint64_t *size_field(struct trace_reader *r, enum native_column col, struct trace_record *rec)
{
	bool bytes = col == COL_BYTES;

	switch (r->workload) {
	case TRACE_NVME:
		return bytes ? &rec->nvme.bytes : &rec->nvme.offset;
	case TRACE_RDMA_ODP:
		return bytes ? &rec->odp.bytes : &rec->odp.offset;
	case TRACE_VFIO_MIGRATION:
		return bytes ? &rec->vfio.bytes : &rec->vfio.offset;
	default:
		return bytes ? &rec->dma.bytes : &rec->dma.offset;
	}
}

/* Returns what was expected at *pp, NULL if the field was fine. */
static const char *parse_field(struct trace_reader *r, enum native_column col, const char **pp,
			       struct held *h)
{
	struct trace_record *rec = &h->rec;
	int op;

	switch (col) {
	case COL_TIME:
		return parse_u64(pp, &rec->time_ns) ? NULL : "a time in ns";
	case COL_CPU:
		return parse_u32(pp, &rec->cpu) ? NULL : "a CPU number";
	case COL_DEVICE:
		return parse_device(r, pp, &rec->device) ? NULL : "a device name";
	case COL_QUEUE:
		return parse_u32(pp, &rec->nvme.queue) ? NULL : "a queue number";
	case COL_OP:
		op = parse_name(pp, native_ops);
		rec->nvme.op = (uint8_t)op;
		return op < 0 ? "R, W, F or D" : NULL;
	case COL_OFFSET:
		if (r->workload == TRACE_VFIO_MIGRATION && empty_field(*pp))
			return NULL;
		return parse_u64(pp, size_field(r, col, rec)) ? NULL : "a byte offset";
	case COL_BYTES:
		return parse_u64(pp, size_field(r, col, rec)) ? NULL : "a number of bytes";
	case COL_SEGMENTS:
		return empty_field(*pp) || parse_segments(pp, h) ? NULL
								 : "segments phys+len[:kind[:node]]|...";
	default:
		return parse_rare(r, col, pp, h);
	}
}

/* What one record must fulfil; NULL if it does. */
static const char *check_record(struct trace_reader *r, const struct held *h)
{
	const struct trace_record *rec = &h->rec;
	uint64_t sum = 0;

	if (r->workload != TRACE_NVME)
		return NULL;
	if (rec->nvme.offset + rec->nvme.bytes < rec->nvme.offset)
		return "an end of the request below 2^64";
	if (rec->nvme.done_ns != TRACE_NO_TIME && rec->nvme.done_ns < rec->time_ns)
		return "a completion after the submission";
	for (uint32_t i = 0; i < h->nsegs; i++)
		sum += h->segs[i].len;
	return h->nsegs && sum != rec->nvme.bytes ? "segments that add up to bytes" : NULL;
}

static int step_csv(struct trace_reader *r, GError **error)
{
	const struct csv *csv = r->state;
	const char *line, *p, *want = NULL;
	struct held *h;
	size_t len;
	int rc = reader_line(r, &line, &len, error);

	if (rc <= 0)
		return rc;
	h = reader_slot(r);
	h->rec.where = input_line_number(r->in);
	if (r->workload == TRACE_NVME)
		h->rec.nvme.done_ns = TRACE_NO_TIME;
	p = line;
	for (unsigned i = 0; i < csv->ncolumns; i++) {
		if (i > 0 && !parse_char(&p, ',')) {
			want = "a comma and one more field";
			break;
		}
		want = parse_field(r, csv->column[i], &p, h);
		if (want)
			break;
	}
	if (!want && p != line + len)
		want = *p == '\0' ? "text without zero bytes" : "a comma or the end of the line";
	if (want)
		return reader_bad(r, TRACE_BAD_MALFORMED, line, p, error, want) ? 1 : -1;
	want = check_record(r, h);
	if (want)
		return reader_bad(r, TRACE_BAD_RANGE, line, NULL, error, want) ? 1 : -1;
	return reader_push(r, h, error) ? 1 : -1;
}

const struct format_ops format_native_csv = {
    .rank = 40,
    .pub = {"native-csv", "native text form, first line \"# dmasim-trace v1\"", TRACE_NVME, false, NULL},
    .evidence = "the line \"# dmasim-trace v1\" or a header that starts with time_ns,cpu,device",
    .detect = detect,
    .state_size = sizeof(struct csv),
    .open = open_csv,
    .step = step_csv,
    .keep_time = true,
};
