/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output of trace writers: compressed by the suffix of the name (.gz .xz .zst .bz2), written to a
 * temporary name and renamed when complete, so that a trace is whole or absent. "-" is standard
 * output.
 */
#ifndef DMASIM_TRACE_OUTPUT_H
#define DMASIM_TRACE_OUTPUT_H

#include <dmasim/types.h>

struct trace_output;
struct trace_output *trace_output_open(const char *path, GError **error);
G_GNUC_WARN_UNUSED_RESULT bool trace_output_write(struct trace_output *out, const void *data, size_t len,
						  GError **error);
/* Finish and rename. Frees out. */
G_GNUC_WARN_UNUSED_RESULT bool trace_output_close(struct trace_output *out, GError **error);
/* Give up: nothing is left behind. Frees out. */
void trace_output_abandon(struct trace_output *out);

#endif
