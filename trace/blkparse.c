/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blkparse text (blktrace 1.2): the default layout
 *	major,minor cpu sequence seconds.nanoseconds pid action rwbs tail
 * and the CSV layout of -f "%T.%9t,%M,%m,%a,%d,%S,%N,%p,%C\n". Requests are the D records (Q on demand),
 * completions the C records of the same device, sector and direction. The summary at the end is left
 * out. Action letters and RWBS letters: blkparse(1).
 */
#include "block_line.h"
#include "pairs.h"

#include <string.h>

struct blkparse {
	struct pairs open;
	bool summary;
};
struct blk_event {
	uint64_t time_ns, cpu, sector, bytes;
	const char *device;
	size_t device_len;
	char action;
	const char *rwbs;
	size_t rwbs_len;
};

static bool detect(const struct probe *p)
{
	const char *s = p->line;
	uint64_t v;

	parse_blanks(&s);
	if (!parse_u64(&s, &v) || !(*s == ',' || *s == '.'))
		return false;
	if (*s == '.')
		return block_line_matches(p->line, "_F,d,d,*");
	return block_line_matches(p->line, "_d,d d d F d *");
}

/* Direction by the letters; see blkparse(1). -1: none (plug, notes). */
static int direction(const char *rwbs, size_t n)
{
	if (n > 1 && rwbs[0] == 'F' && strchr("RWDE", rwbs[1]))
		rwbs++;
	switch (n ? rwbs[0] : 'N') {
	case 'R':
		return NVME_OP_READ;
	case 'W':
		return NVME_OP_WRITE;
	case 'D':
	case 'E':
		return NVME_OP_DISCARD;
	case 'F':
		return NVME_OP_FLUSH;
	default:
		return -1;
	}
}

static const char *parse_csv(const char *line, const char **at, struct blk_event *e)
{
	uint64_t v;

	(void)line;
	if (!parse_fixed(at, 9, &e->time_ns) || !parse_char(at, ','))
		return "a time in seconds";
	e->device = *at;
	if (!parse_u64(at, &v) || !parse_char(at, ',') || !parse_u64(at, &v))
		return "major,minor";
	e->device_len = (size_t)(*at - e->device);
	if (!parse_char(at, ',') || **at == '\0' || (*at)[1] == '\0')
		return "an action";
	e->action = **at;
	*at = strchrnul(*at, ',');
	if (!parse_char(at, ','))
		return "a comma";
	e->rwbs = *at;
	*at = strchrnul(*at, ',');
	e->rwbs_len = (size_t)(*at - e->rwbs);
	if (!parse_char(at, ',') || !parse_u64(at, &e->sector) || !parse_char(at, ',') ||
	    !parse_u64(at, &e->bytes))
		return "a sector and a number of bytes";
	return NULL;
}

static const char *parse_default(const char *line, const char **at, struct blk_event *e)
{
	uint64_t v;
	const char *p;

	(void)line;
	parse_blanks(at);
	e->device = *at;
	if (!parse_u64(at, &v) || !parse_char(at, ',') || !parse_u64(at, &v))
		return "major,minor";
	e->device_len = (size_t)(*at - e->device);
	parse_blanks(at);
	if (!parse_u64(at, &e->cpu) || e->cpu > UINT32_MAX)
		return "a CPU number";
	parse_blanks(at);
	if (!parse_u64(at, &v))
		return "a sequence number";
	parse_blanks(at);
	if (!parse_fixed(at, 9, &e->time_ns))
		return "a time in seconds";
	parse_blanks(at);
	if (!parse_u64(at, &v))
		return "a process id";
	parse_blanks(at);
	e->action = **at;
	p = parse_word(*at);
	if (p == *at)
		return "an action";
	if (p - *at > 1) /* UT */
		e->action = 'U';
	*at = p;
	parse_blanks(at);
	e->rwbs = *at;
	*at = parse_word(*at);
	e->rwbs_len = (size_t)(*at - e->rwbs);
	if (e->action != 'D' && e->action != 'Q' && e->action != 'C')
		return NULL;
	parse_blanks(at);
	p = *at;
	if (!parse_u64(&p, &e->sector)) /* an empty flush */
		return *p == '[' ? NULL : "a sector";
	*at = p;
	if (!parse_literal(&p, " + ")) /* nothing was transferred */
		return *p == '\0' || parse_literal(&p, " [") ? NULL : "+ SECTORS";
	*at = p;
	if (!parse_sectors(at, &e->bytes))
		return "a number of sectors";
	return NULL;
}

static uint64_t key_of(const struct trace_reader *r, uint32_t device, uint64_t sector, int op)
{
	(void)r;
	return ((uint64_t)device << 3 | (uint64_t)op) * 0x9e3779b97f4a7c15ull ^ sector;
}

static int use(struct trace_reader *r, const struct blk_event *e, GError **error)
{
	struct blkparse *b = r->state;
	int op = direction(e->rwbs, e->rwbs_len);
	uint32_t device;
	struct held *h;

	if (e->bytes == 0 && e->rwbs_len && e->rwbs[0] == 'F')
		op = NVME_OP_FLUSH;
	if (e->action == 'C' && op >= 0) {
		device = reader_device(r, e->device, e->device_len);
		h = pairs_take(&b->open, key_of(r, device, e->sector, op));
		if (h && h->pending) {
			h->pending = false;
			h->rec.nvme.done_ns = MAX(e->time_ns, h->rec.time_ns);
			h->rec.nvme.done_cpu = (uint32_t)e->cpu;
		}
		return 1;
	}
	if (e->action != (r->options.queue_events ? 'Q' : 'D'))
		return 1;
	if (op < 0 || (e->bytes == 0 && op != NVME_OP_FLUSH)) {
		reader_skip(r, op < 0 ? TRACE_SKIP_EVENT : TRACE_SKIP_EMPTY);
		return 1;
	}
	device = reader_device(r, e->device, e->device_len);
	if (!r->devices.keep[device]) {
		reader_skip(r, TRACE_SKIP_DEVICE);
		return 1;
	}
	h = reader_slot(r);
	h->rec.where = input_line_number(r->in);
	h->rec.time_ns = e->time_ns;
	h->rec.cpu = (uint32_t)e->cpu;
	h->rec.device = device;
	h->rec.nvme.queue = (uint32_t)e->cpu;
	h->rec.nvme.op = (uint8_t)op;
	h->rec.nvme.offset = e->sector * SECTOR_BYTES;
	h->rec.nvme.bytes = e->bytes;
	h->rec.nvme.split_done = !r->options.queue_events;
	h->rec.nvme.done_ns = TRACE_NO_TIME;
	h->pending = true;
	if (!reader_push(r, h, error))
		return -1;
	pairs_add(&b->open, key_of(r, device, e->sector, op), h);
	return 1;
}

/* The CSV layout does, the default one begins with major,minor. */
static bool begins_with_time(const char *line)
{
	while (parse_is_digit(*line))
		line++;
	return *line == '.';
}

static int step(struct trace_reader *r, GError **error)
{
	struct blkparse *b = r->state;
	const char *line, *at, *want;
	struct blk_event e = {0};
	size_t len;
	int rc = reader_line(r, &line, &len, error);

	if (rc <= 0 || b->summary)
		return rc;
	if (g_ascii_isalpha(*line) && (g_str_has_prefix(line, "CPU") || g_str_has_prefix(line, "Total ("))) {
		b->summary = true;
		return 1;
	}
	at = line;
	want = begins_with_time(line) ? parse_csv(line, &at, &e) : parse_default(line, &at, &e);
	if (want)
		return reader_bad(r, TRACE_BAD_MALFORMED, line, at, error, want) ? 1 : -1;
	if (e.sector > (UINT64_MAX - e.bytes) / SECTOR_BYTES)
		return reader_bad(r, TRACE_BAD_RANGE, line, NULL, error, "an end below 2^64") ? 1 : -1;
	return use(r, &e, error);
}

static bool open_blkparse(struct trace_reader *r, GError **error G_GNUC_UNUSED)
{
	struct blkparse *b = r->state;

	pairs_init(&b->open);
	return true;
}

static void close_blkparse(struct trace_reader *r)
{
	struct blkparse *b = r->state;

	pairs_fini(&b->open);
}

const struct format_ops format_blkparse = {
    .rank = 140,
    .pub = {"blkparse", "blkparse text, default layout or -f \"%T.%9t,%M,%m,%a,%d,%S,%N,%p,%C\\n\"",
	    TRACE_NVME, false, NULL},
    .evidence = "major,minor cpu sequence seconds pid action",
    .detect = detect,
    .state_size = sizeof(struct blkparse),
    .open = open_blkparse,
    .step = step,
    .close = close_blkparse,
};
