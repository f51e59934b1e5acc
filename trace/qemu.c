/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's trace log of a VFIO migration (log back end: "[pid@sec.usec:]name payload"; hw/vfio/trace-events)
 * and dirty logs "time_ns,iova,length,page_size,dirty_pages".
 *
 *	vfio_device_dirty_tracking_start	track_start
 *	vfio_get_dirty_bitmap			track_read: offset iova, bytes dirty
 *	vfio_save_block				save and read of that many bytes
 *	vfio_load_state_device_data		load
 *	vfio_migration_set_device_state		says whether the VM still runs (incremental saves)
 *	vfio_save_cleanup, vfio_load_cleanup	free
 *
 * Payloads change between releases: only names and key=value pairs or numbers are looked at, other
 * events are left out. Without time stamps all events are at time 0.
 */
#include "reader.h"

#include <string.h>

#define DIRTY_HEADER "time_ns,iova,length,page_size,dirty_pages"
#define DEFAULT_PAGE 4096u

struct qemu {
	bool dirty_log, started;
	bool stopped; /* stop-copy */
	bool running; /* the device runs while state is saved: pre-copy */
	uint64_t last_time;
};

static bool is_qemu_line(const char *line)
{
	const char *p = line;
	uint64_t v;

	if (parse_u64(&p, &v)) {
		if (!parse_char(&p, '@') || !parse_u64(&p, &v) || !parse_char(&p, '.') ||
		    !parse_u64(&p, &v) || !parse_char(&p, ':'))
			return false;
		return true;
	}
	return g_str_has_prefix(p, "vfio_") || g_str_has_prefix(p, "migration_") ||
	       g_str_has_prefix(p, "memory_region_sync_dirty") || g_str_has_prefix(p, "vtd_") ||
	       g_str_has_prefix(p, "ram_save_page") || g_str_has_prefix(p, "kvm_dirty_ring");
}

static bool detect(const struct probe *p)
{
	return strcmp(p->line, DIRTY_HEADER) == 0 || is_qemu_line(p->line);
}

static bool open_qemu(struct trace_reader *r, GError **error)
{
	struct qemu *q = r->state;
	const char *line;
	size_t len;
	int rc;

	rc = reader_line(r, &line, &len, error);
	if (rc == 1) {
		q->dirty_log = strcmp(line, DIRTY_HEADER) == 0;
		if (!q->dirty_log)
			input_unread_line(r->in);
	}
	return rc >= 0;
}

static bool push(struct trace_reader *r, enum vfio_event event, uint32_t device, uint64_t time,
		 uint64_t offset, uint64_t bytes, GError **error)
{
	struct qemu *q = r->state;
	struct held *h = reader_slot(r);

	h->rec.time_ns = q->last_time = time;
	h->rec.device = device;
	h->rec.where = input_line_number(r->in);
	h->rec.vfio.event = (uint8_t)event;
	h->rec.vfio.offset = offset;
	h->rec.vfio.bytes = bytes;
	h->rec.vfio.direction = event == VFIO_LOAD ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	h->rec.vfio.purpose = event >= VFIO_TRACK_START          ? VFIO_PURPOSE_TRACKER
			      : event == VFIO_SAVE && q->stopped ? VFIO_PURPOSE_STOP_COPY
								 : VFIO_PURPOSE_DATA;
	h->rec.vfio.incremental = event == VFIO_SAVE && q->running;
	return reader_push(r, h, error);
}

/* One row of a dirty log; the first starts tracking. */
static int step_dirty(struct trace_reader *r, const char *line, size_t len, GError **error)
{
	struct qemu *q = r->state;
	uint64_t time, iova, length, page, dirty, bytes;
	const char *p = line;
	uint32_t device;

	if (!parse_u64(&p, &time) || !parse_char(&p, ',') || !parse_number(&p, &iova) ||
	    !parse_char(&p, ',') || !parse_number(&p, &length) || !parse_char(&p, ',') ||
	    !parse_number(&p, &page) || !parse_char(&p, ',') || !parse_u64(&p, &dirty) || p != line + len)
		return reader_bad(r, TRACE_BAD_MALFORMED, line, p, error, DIRTY_HEADER) ? 1 : -1;
	if (page == 0 || page & (page - 1) || iova + length < iova ||
	    __builtin_mul_overflow(dirty, page, &bytes) || bytes > align_up(length, page))
		return reader_bad(r, TRACE_BAD_RANGE, line, NULL, error,
				  "a page size that is a power of two and dirty pages within the range")
			   ? 1
			   : -1;
	device = reader_device(r, "vf0", 3);
	if (!q->started && !push(r, VFIO_TRACK_START, device, time, 0, 0, error))
		return -1;
	q->started = true;
	return push(r, VFIO_TRACK_READ, device, time, iova, bytes, error) ? 1 : -1;
}

/* "(0000:03:00.0)" in the payload, else one device for all. */
static uint32_t find_device(struct trace_reader *r, const char *payload)
{
	const char *open = strchr(payload, '('), *close = open ? strchr(open, ')') : NULL;

	if (close && close > open + 1)
		return reader_device(r, open + 1, (size_t)(close - open - 1));
	return reader_device(r, "vf0", 3);
}

/* Value behind "key=", blanks allowed in between (one release printed "size= 0x1000"). */
static bool find_value(const char *payload, const char *key, uint64_t *v)
{
	const char *p = payload;
	size_t n = strlen(key);

	while ((p = strstr(p, key)) != NULL) {
		if ((p == payload || p[-1] == ' ') && (p[n] == '=' || p[n] == ' ')) {
			p += n + 1;
			parse_blanks(&p);
			return parse_number(&p, v);
		}
		p += n;
	}
	return false;
}

static int on_bitmap(struct trace_reader *r, const char *line, const char *payload, uint64_t time,
		     GError **error)
{
	uint64_t iova, size, bitmap = 0, dirty = 0, page = DEFAULT_PAGE;

	if (!find_value(payload, "iova", &iova) || !find_value(payload, "size", &size))
		return reader_bad(r, TRACE_BAD_MALFORMED, line, payload, error, "iova= and size=") ? 1 : -1;
	if (find_value(payload, "bitmap_size", &bitmap) && bitmap && bitmap <= size / 8 / DEFAULT_PAGE + 8 &&
	    size / bitmap / 8 >= DEFAULT_PAGE)
		page = size / bitmap / 8;
	if (find_value(payload, "dirty_pages", &dirty) && dirty > UINT64_MAX / page)
		return reader_bad(r, TRACE_BAD_RANGE, line, payload, error, "fewer dirty pages") ? 1 : -1;
	return push(r, VFIO_TRACK_READ, find_device(r, payload), time, iova, dirty * page, error) ? 1 : -1;
}

static int on_event(struct trace_reader *r, const char *line, const char *name, size_t n, const char *payload,
		    uint64_t time, GError **error)
{
	struct qemu *q = r->state;
	uint64_t bytes = 0;
#define IS(s) (n == strlen(s) && strncmp(name, s, n) == 0)

	if (IS("vfio_get_dirty_bitmap"))
		return on_bitmap(r, line, payload, time, error);
	if (IS("vfio_device_dirty_tracking_start"))
		return push(r, VFIO_TRACK_START, find_device(r, payload), time, 0, 0, error) ? 1 : -1;
	if (IS("vfio_migration_set_device_state") || IS("vfio_migration_set_state")) {
		q->running = strstr(payload, "PRE_COPY") != NULL;
		q->stopped = strstr(payload, "STOP_COPY") != NULL;
		return 1;
	}
	if (IS("vfio_save_cleanup") || IS("vfio_load_cleanup"))
		return push(r, VFIO_FREE, find_device(r, payload), time, 0, 0, error) ? 1 : -1;
	if (IS("vfio_save_block") || IS("vfio_load_state_device_data")) {
		bool save = IS("vfio_save_block");
		uint32_t device = find_device(r, payload);

		if (!find_value(payload, "data_size", &bytes) && !find_value(payload, "size", &bytes))
			return reader_bad(r, TRACE_BAD_MALFORMED, line, payload, error, "a data size") ? 1
												       : -1;
		if (bytes == 0) {
			reader_skip(r, TRACE_SKIP_EMPTY);
			return 1;
		}
		if (!push(r, save ? VFIO_SAVE : VFIO_LOAD, device, time, 0, bytes, error))
			return -1;
		return !save || push(r, VFIO_READ, device, time, 0, bytes, error) ? 1 : -1;
	}
#undef IS
	reader_skip(r, TRACE_SKIP_EVENT);
	return 1;
}

static int step(struct trace_reader *r, GError **error)
{
	struct qemu *q = r->state;
	const char *line, *p, *payload;
	uint64_t v, time;
	size_t len, n;
	int rc = reader_line(r, &line, &len, error);

	if (rc <= 0)
		return rc;
	if (q->dirty_log)
		return step_dirty(r, line, len, error);
	p = line;
	time = q->last_time;
	if (parse_u64(&p, &v)) {
		if (!parse_char(&p, '@') || !parse_fixed(&p, 9, &time) || !parse_char(&p, ':'))
			return reader_bad(r, TRACE_BAD_MALFORMED, line, p, error, "PID@SECONDS.MICROSECONDS:")
				   ? 1
				   : -1;
	}
	n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	if (n == 0 || (p[n] != ' ' && p[n] != '\0'))
		return reader_bad(r, TRACE_BAD_MALFORMED, line, p, error, "the name of an event") ? 1 : -1;
	payload = p + n;
	return on_event(r, line, p, n, payload, time, error);
}

const struct format_ops format_qemu = {
    .rank = 150,
    .pub = {"qemu", "QEMU trace log of a VFIO migration, or a dirty log (" DIRTY_HEADER ")",
	    TRACE_VFIO_MIGRATION, false, NULL},
    .evidence = "\"pid@sec.usec:\", a vfio_ event or the header " DIRTY_HEADER,
    .detect = detect,
    .state_size = sizeof(struct qemu),
    .open = open_qemu,
    .step = step,
};
