/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which format a file is: the one that was named, or the first that knows its own beginning. */
#include "reader.h"

#include <string.h>

#define PROBE_BYTES ((size_t)4096)

bool reader_names_columns(const struct format_ops *ops, const char *line)
{
	return ops->columns && g_ascii_strcasecmp(line, ops->columns) == 0;
}

static const struct format_ops *find_format(const struct format_ops *const *formats, const char *name)
{
	for (; *formats; formats++)
		if (strcmp((*formats)->pub.name, name) == 0)
			return *formats;
	return NULL;
}

/* NULL-terminated; the names belong to the table. */
static GPtrArray *format_names(const struct format_ops *const *formats)
{
	GPtrArray *names = g_ptr_array_new();

	for (; *formats; formats++)
		g_ptr_array_add(names, (char *)(*formats)->pub.name);
	g_ptr_array_add(names, NULL);
	return names;
}

static bool unknown_format(const struct format_ops *const *formats, GError **error, enum trace_error code,
			   const char *fmt, ...) G_GNUC_PRINTF(4, 5);
static bool unknown_format(const struct format_ops *const *formats, GError **error, enum trace_error code,
			   const char *fmt, ...)
{
	g_autoptr(GPtrArray) known = format_names(formats);
	char *names = g_strjoinv(", ", (char **)known->pdata), *text;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	g_set_error(error, TRACE_ERROR, (int)code, "%s; name the format with --format (%s)", text, names);
	g_free(text);
	g_free(names);
	return false;
}

static bool misspelt_format(const struct format_ops *const *formats, const char *name, GError **error)
{
	g_autoptr(GPtrArray) known = format_names(formats);
	const char *near = nearest_name(name, (const char *const *)known->pdata, known->len - 1);

	if (near)
		return unknown_format(formats, error, TRACE_ERROR_USAGE,
				      "unknown trace format \"%s\"; did you mean \"%s\"?", name, near);
	return unknown_format(formats, error, TRACE_ERROR_USAGE, "unknown trace format \"%s\"", name);
}

/* The format that reads a kernel's recording as its DMA API calls. */
static const struct format_ops *calls_format(const struct format_ops *const *formats)
{
	while (*formats && !(*formats)->calls)
		formats++;
	return *formats;
}

/* First meaningful line of the probe. */
static char *first_line(const char *text, char **comment)
{
	*comment = NULL;
	while (*text) {
		size_t n = strcspn(text, "\r\n");
		const char *p = text;

		while (*p == ' ' || *p == '\t')
			p++;
		if (*p == '#' && !*comment)
			*comment = g_strndup(text, n);
		if (*p != '#' && n > (size_t)(p - text))
			return g_strndup(text, n);
		text += n;
		text += strspn(text, "\r\n");
	}
	return g_strdup("");
}

/* What people have and what cannot be replayed as it stands: say why, and what can. */
static bool refused(struct trace_reader *r, const uint8_t *bytes, size_t n, GError **error)
{
	const char *why = NULL;

	if (n >= 8 && memcmp(bytes, "PERFILE2", 8) == 0)
		why = "this is perf's own binary file; turn it into text with `perf script -i FILE --ns > "
		      "trace.txt` and "
		      "read that";
	else if (strstr(input_name(r->in), "oracleGeneral"))
		why = "libCacheSim's oracleGeneral holds hashes of object names, no offsets and no "
		      "operations, so there is "
		      "no request to replay; take the trace that it was made from";
	else if (n >= 9 && memcmp(bytes, "{\"type\": ", 9) == 0)
		why = "bpftrace's JSON has no columns; let its program print lines of numbers "
		      "(printf(\"%llu,%s,%llu,%u\\n\", "
		      "nsecs, ...)), run it without -f json, and name them with --columns";
	if (why)
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT, "%s: %s", input_name(r->in), why);
	return why != NULL;
}

bool reader_detect(struct trace_reader *r, const struct format_ops *const *formats, GError **error)
{
	struct probe p;
	const uint8_t *bytes;
	char *text, *line, *comment, *shown;
	ssize_t n = input_peek(r->in, PROBE_BYTES, &bytes, error);

	if (n < 0)
		return false;
	if (n == 0) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
			    "%s: the trace is empty (0 bytes); record or copy it again", input_name(r->in));
		return false;
	}
	if (r->options.format) {
		r->ops = find_format(formats, r->options.format);
		return r->ops || misspelt_format(formats, r->options.format, error);
	}
	if (refused(r, bytes, (size_t)n, error))
		return false;
	if (r->options.columns) {
		r->ops = find_format(formats, "columns");
		return r->ops != NULL;
	}
	text = g_strndup((const char *)bytes, MIN((size_t)n, PROBE_BYTES));
	line = first_line(g_str_has_prefix(text, "\xef\xbb\xbf") ? text + 3 : text, &comment);
	p = (struct probe){bytes, (size_t)n, line, comment ? comment : ""};
	for (const struct format_ops *const *f = formats; *f && !r->ops; f++)
		if (reader_names_columns(*f, line) || ((*f)->detect && (*f)->detect(&p)))
			r->ops = *f;
	if (r->options.calls && r->ops && r->ops->recording)
		r->ops = calls_format(formats);
	if (!r->ops) {
		line[MIN(strlen(line), 60)] = '\0';
		shown = g_strescape(line, NULL);
		unknown_format(formats, error, TRACE_ERROR_FORMAT,
			       "%s: no known trace format begins with \"%s\"", input_name(r->in), shown);
		g_free(shown);
	}
	g_free(text);
	g_free(line);
	g_free(comment);
	return r->ops != NULL;
}
