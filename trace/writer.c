/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "writer.h"

#include <string.h>

static bool names_binary(const char *path)
{
	static const char *const suffixes[] = {".gz", ".xz", ".zst", ".bz2"};
	size_t n = strlen(path);

	for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++)
		if (g_str_has_suffix(path, suffixes[i]))
			n -= strlen(suffixes[i]);
	return n >= 4 && strncmp(path + n - 4, ".dmt", 4) == 0;
}

struct trace_writer *trace_writer_open(const char *path, enum trace_workload workload, GError **error)
{
	struct trace_writer *w = g_new0(struct trace_writer, 1);

	w->ops = names_binary(path) ? &writer_dmt : &writer_csv;
	w->workload = workload;
	w->path = g_strdup(path);
	w->out = trace_output_open(path, error);
	w->state = g_malloc0(w->ops->state_size);
	if (!w->out || !w->ops->open(w, error)) {
		w->failed = true;
		g_warn_if_fail(!trace_writer_close(w, NULL));
		return NULL;
	}
	return w;
}

bool trace_write(struct trace_writer *w, const struct trace_record *rec, const char *device, GError **error)
{
	if (w->failed) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_WRITE, "%s: an earlier write failed", w->path);
		return false;
	}
	w->failed = !w->ops->write(w, rec, device, error);
	w->records++;
	return !w->failed;
}

void trace_writer_abandon(struct trace_writer *w)
{
	if (w->out)
		trace_output_abandon(w->out);
	if (w->ops->close)
		w->ops->close(w);
	g_free(w->state);
	g_free(w->path);
	g_free(w);
}

bool trace_writer_close(struct trace_writer *w, GError **error)
{
	bool ok = !w->failed && w->ops->finish(w, error);

	if (ok)
		ok = trace_output_close(g_steal_pointer(&w->out), error);
	trace_writer_abandon(w);
	return ok;
}
