/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One self-contained HTML page about a result: tables, figures, captions, provenance, the data. */
#ifndef DMASIM_EXPERIMENT_FIGURES_REPORT_H
#define DMASIM_EXPERIMENT_FIGURES_REPORT_H

#include "experiment/result.h"

/*
 * What the numbers of a result say, one sentence each, most important first; made from the document
 * alone. g_ptr_array_unref.
 */
GPtrArray *report_findings(struct json_t *doc);

/*
 * Write the page about the result at path to out: inline pictures and data, no network. *cancel (may be NULL)
 * is looked at between figures.
 */
G_GNUC_WARN_UNUSED_RESULT bool report_write(const char *path, const char *out,
					    const volatile sig_atomic_t *cancel, GError **error);

#endif
