/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trace formats: the rows that the build found, in the order of detection. */
#include "trace/reader.h"

#include <stdlib.h>

/* Made by the build from the files of trace/ and verify/operations/, NULL-terminated. */
extern const struct format_ops *const format_rows[];

struct formats {
	const struct format_ops **ops; /* by rank, NULL-terminated */
	const struct trace_format **pub;
};

static int by_rank(const void *a, const void *b)
{
	const struct format_ops *const *x = a, *const *y = b;

	return (int)(*x)->rank - (int)(*y)->rank;
}

static const struct formats *formats(void)
{
	static struct formats all;
	static gsize made;

	if (g_once_init_enter(&made)) {
		size_t n = 0;

		while (format_rows[n])
			n++;
		all.ops = g_memdup2(format_rows, (n + 1) * sizeof(*all.ops));
		qsort(all.ops, n, sizeof(*all.ops), by_rank);
		all.pub = g_new0(const struct trace_format *, n + 1);
		for (size_t i = 0; i < n; i++)
			all.pub[i] = &all.ops[i]->pub;
		g_once_init_leave(&made, 1);
	}
	return &all;
}

const struct trace_format *const *trace_formats(void)
{
	return formats()->pub;
}

struct trace_reader *trace_open(const char *path, const struct trace_options *o, GError **error)
{
	return reader_open(formats()->ops, path, o, error);
}
