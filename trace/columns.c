/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text with one request per line, its columns named by the user (trace_options.columns, --columns) or by the
 *first line of a set that is known:
 *
 *	ROLE=COLUMN[:UNIT],...
 *
 * ROLE is time, offset, size, op, device, latency or block; COLUMN a number from 1 or a name of the first
 *line. UNIT of time and latency is s (default), ms, us or ns; of offset and size sectors (of 512 bytes) or a
 *number of bytes; of op the words that are reads, with | between (else r..., R..., get... read and w...,
 *W..., put... write); of block how many bytes lie between the starts of two blocks. Without op all are reads,
 *without device there is one. Columns are separated by commas, or by blanks where the first line has no
 *comma.
 *
 * Sets: Thesios (Phothilimthana et al., ASPLOS 2024), Meta's block storage traces (CacheLib) and Baleen (Wong
 *et al., FAST 2024), whose requests lie in numbered blocks of at most 8 MiB.
 */
#include "block_line.h"

#include <string.h>

#define MOST_COLUMNS 64u

enum role { TIME, OFFSET, SIZE, OP, DEVICE, LATENCY, BLOCK, ROLES };
static const char *const role_names[ROLES] = {"time", "offset", "size", "op", "device", "latency", "block"};

struct columns {
	char separator;
	unsigned at[ROLES]; /* from 1; 0: not there */
	char *name[ROLES];  /* to be looked up in the first line */
	uint64_t unit[ROLES];
	char **reads; /* words of op; NULL: as they begin */
};

static const struct set {
	const char *begins; /* the first line of its files, or a pattern of it */
	bool pattern;
	const char *columns;
} sets[] = {
    {"filename,file_offset,", false,
     "time=start_time,device=filename,offset=file_offset,size=request_io_size_bytes,op=op_type,latency="
     "latency"},
    {"op_time,block_id,", false,
     "time=op_time,block=block_id:8388608,offset=io_offset,size=io_size,op=op_name"},
    {"d d d F d d d d*", true, "block=1:8388608,offset=2,size=3,time=4,op=5:1|2|5"},
};

static const struct set *known_set(const char *line)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(sets); i++)
		if (sets[i].pattern ? block_line_matches(line, sets[i].begins)
				    : strstr(line, sets[i].begins) != NULL)
			return &sets[i];
	return NULL;
}

static bool detect(const struct probe *p)
{
	return known_set(p->line) != NULL;
}

/* ---- what the columns are ---- */

static bool bad_mapping(GError **error, const char *word, const char *want)
{
	g_set_error(error, TRACE_ERROR, TRACE_ERROR_USAGE,
		    "columns: \"%s\": want %s, as in time=1:us,op=2,offset=3,size=4", word, want);
	return false;
}

static bool parse_unit(struct columns *c, enum role role, const char *text, const char *word, GError **error)
{
	static const struct {
		const char *name;
		uint64_t per_s;
	} times[] = {{"s", 0}, {"ms", 3}, {"us", 6}, {"ns", 9}};
	const char *p = text;

	if (role == OP) {
		c->reads = g_strsplit(text, "|", -1);
		return true;
	}
	if (role == DEVICE)
		return bad_mapping(error, word, "no unit for a device");
	if (role == TIME || role == LATENCY) {
		for (unsigned i = 0; i < G_N_ELEMENTS(times); i++)
			if (!strcmp(text, times[i].name)) {
				c->unit[role] = times[i].per_s;
				return true;
			}
		return bad_mapping(error, word, "s, ms, us or ns");
	}
	if (!strcmp(text, "sectors"))
		c->unit[role] = SECTOR_BYTES;
	else if (!parse_u64(&p, &c->unit[role]) || *p || !c->unit[role])
		return bad_mapping(error, word, "sectors or a number of bytes");
	return true;
}

static bool parse_mapping(struct columns *c, const char *text, GError **error)
{
	g_auto(GStrv) words = g_strsplit(text, ",", -1);

	for (unsigned i = 0; i < ROLES; i++)
		c->unit[i] = i == TIME || i == LATENCY ? 0 : 1;
	for (char **w = words; *w; w++) {
		g_auto(GStrv) parts = g_strsplit(*w, "=", 2);
		char *unit = parts[0] && parts[1] ? strchr(parts[1], ':') : NULL;
		enum role role = TIME;
		uint64_t n;
		const char *p;

		while (role < ROLES && g_strcmp0(parts[0], role_names[role]))
			role++;
		if (role == ROLES || !parts[1] || !*parts[1])
			return bad_mapping(error, *w,
					   "time, offset, size, op, device, latency or block = a column");
		if (unit) {
			*unit++ = '\0';
			if (!parse_unit(c, role, unit, *w, error))
				return false;
		}
		p = parts[1];
		if (!parse_u64(&p, &n) || *p)
			c->name[role] = g_strdup(parts[1]);
		else if (n < 1 || n > MOST_COLUMNS)
			return bad_mapping(error, *w, "a column from 1 to 64");
		else
			c->at[role] = (unsigned)n;
	}
	if ((c->at[OFFSET] || c->name[OFFSET]) && (c->at[SIZE] || c->name[SIZE]))
		return true;
	return bad_mapping(error, text, "at least offset and size");
}

/* Look the names up in the first line; true when it had any of them. */
static bool find_names(struct trace_reader *r, struct columns *c, const char *line, GError **error)
{
	const char separator[2] = {c->separator, '\0'};
	g_auto(GStrv) names = g_strsplit(line, separator, -1);

	for (unsigned role = 0; role < ROLES; role++) {
		unsigned i = 0;

		if (!c->name[role])
			continue;
		while (names[i] && !g_str_has_suffix(g_strstrip(names[i]), c->name[role]))
			i++;
		if (names[i]) {
			c->at[role] = i + 1;
		} else if (role != LATENCY) {
			g_set_error(
			    error, TRACE_ERROR, TRACE_ERROR_FORMAT,
			    "%s:1: the first line has no column \"%s\" (%s); name columns as it does, or by "
			    "number",
			    input_name(r->in), c->name[role], role_names[role]);
			return false;
		}
	}
	return true;
}

static bool open_columns(struct trace_reader *r, GError **error)
{
	struct columns *c = r->state;
	const struct set *set;
	const char *line, *mapping = r->options.columns;
	bool names = false;
	size_t len;
	int rc = reader_line(r, &line, &len, error);

	if (rc <= 0)
		return rc == 0;
	c->separator = strchr(line, ',') ? ',' : ' ';
	set = known_set(line);
	if (!mapping && set)
		mapping = set->columns;
	if (!mapping) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_USAGE,
			    "%s: the columns of this text are not known: name them with --columns "
			    "time=1:us,op=2,offset=3,size=4",
			    input_name(r->in));
		return false;
	}
	if (!parse_mapping(c, mapping, error))
		return false;
	for (unsigned i = 0; i < ROLES; i++)
		names |= c->name[i] != NULL;
	if (names)
		return find_names(r, c, line, error);
	input_unread_line(r->in);
	return true;
}

/* ---- lines ---- */

static const char *parse_amount(const struct columns *c, enum role role, const char *p, uint64_t *v)
{
	if (!parse_u64(&p, v) || __builtin_mul_overflow(*v, c->unit[role], v))
		return NULL;
	return p;
}

/* Seconds and their parts to ns: "1.5" in ms has 6 digits behind the point. */
static const char *parse_moment(const struct columns *c, enum role role, const char *p, uint64_t *ns)
{
	return parse_fixed(&p, 9 - (unsigned)c->unit[role], ns) ? p : NULL;
}

static int operation(const struct columns *c, const char *p, size_t n)
{
	for (char **w = c->reads; w && *w; w++)
		if (strlen(*w) == n && !strncmp(*w, p, n))
			return NVME_OP_READ;
	if (c->reads)
		return n ? NVME_OP_WRITE : -1;
	if (n && ((*p | 0x20) == 'r' || (*p | 0x20) == 'g'))
		return NVME_OP_READ;
	return n && ((*p | 0x20) == 'w' || (*p | 0x20) == 'p') ? NVME_OP_WRITE : -1;
}

static const char *parse_one(const struct columns *c, enum role role, const char *p, size_t n,
			     struct block_line *b, uint64_t *block)
{
	switch (role) {
	case TIME:
		return parse_moment(c, role, p, &b->time_ns);
	case LATENCY:
		return parse_moment(c, role, p, &b->latency_ns);
	case OFFSET:
		return parse_amount(c, role, p, &b->offset);
	case SIZE:
		return parse_amount(c, role, p, &b->bytes);
	case BLOCK:
		return parse_amount(c, role, p, block);
	case OP:
		b->op = operation(c, p, n);
		return b->op < 0 ? NULL : p + n;
	default:
		b->device = p;
		b->device_len = n;
		return n ? p + n : NULL;
	}
}

static const char *parse(struct trace_reader *r, const char *line, const char **at, struct block_line *b,
			 int *skip G_GNUC_UNUSED)
{
	static const char *const wants[ROLES] = {"a time",
						 "an offset",
						 "a size",
						 "an operation",
						 "a device",
						 "a latency",
						 "the number of a block"};
	const struct columns *c = r->state;
	uint64_t block = 0;
	unsigned seen = 0, wanted = 0;
	const char *p = line;

	b->device = "0";
	b->device_len = 1;
	for (unsigned i = 1; i <= MOST_COLUMNS && *p; i++) {
		const char *end, *used;

		if (c->separator == ' ')
			parse_blanks(&p);
		end = strchrnul(p, c->separator);
		for (unsigned role = 0; role < ROLES; role++) {
			if (c->at[role] != i)
				continue;
			used = parse_one(c, role, p, (size_t)(end - p), b, &block);
			if (used != end) {
				*at = p;
				return wants[role];
			}
			seen++;
		}
		p = *end ? end + 1 : end;
	}
	for (unsigned role = 0; role < ROLES; role++)
		wanted += c->at[role] != 0;
	*at = line + strlen(line);
	if (seen < wanted)
		return "more columns";
	return __builtin_add_overflow(b->offset, block, &b->offset) ? "an offset below 2^64" : NULL;
}

static int step(struct trace_reader *r, GError **error)
{
	return block_line_step(r, parse, error);
}

static void close_columns(struct trace_reader *r)
{
	struct columns *c = r->state;

	for (unsigned i = 0; i < ROLES; i++)
		g_free(c->name[i]);
	g_strfreev(c->reads);
}

const struct format_ops format_columns = {
    .rank = 145,
    .pub = {"columns",
	    "text with columns that --columns names; Thesios, Meta's block traces and Baleen without",
	    TRACE_NVME, false, "no addresses: the memory model lays buffers out"},
    .evidence = "the first line of a Thesios, Meta or Baleen trace",
    .detect = detect,
    .state_size = sizeof(struct columns),
    .open = open_columns,
    .step = step,
    .close = close_columns,
};
