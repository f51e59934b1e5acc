/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line on standard error, redrawn at most four times a second, only on a terminal. */
#include "cli.h"

#include <string.h>
#include <unistd.h>

struct cli_progress {
	gint64 drawn; /* monotonic time, microseconds */
	bool any;
};

struct cli_progress *cli_progress_new(const struct cli_common *o)
{
	const char *term = g_getenv("TERM");

	if (o->no_progress || o->quiet || !isatty(STDERR_FILENO) || (term && !strcmp(term, "dumb")))
		return NULL;
	return g_new0(struct cli_progress, 1);
}

static char *rate_text(double rate)
{
	if (rate >= 1e6)
		return g_strdup_printf("%.1f M", rate / 1e6);
	return g_strdup_printf("%.0f k", rate / 1e3);
}

void cli_progress_update(void *arg, const struct experiment_progress *p)
{
	struct cli_progress *progress = arg;
	gint64 now = g_get_monotonic_time();
	g_autofree char *rate = NULL;

	if (now - progress->drawn < 250000)
		return;
	progress->drawn = now;
	progress->any = true;
	rate = rate_text(p->seconds > 0 ? (double)p->records / p->seconds : 0);
	fprintf(stderr, "\r\033[K%" G_GUINT64_FORMAT " records, %s/s", p->records, rate);
	if (p->total_bytes && p->bytes) {
		double share = MIN(1.0, (double)p->bytes / (double)p->total_bytes);

		fprintf(stderr, ", %.0f %%, %.0f s left", share * 100, p->seconds / share - p->seconds);
	}
	fflush(stderr);
}

void cli_progress_free(struct cli_progress *p)
{
	if (!p)
		return;
	if (p->any)
		fputs("\r\033[K", stderr);
	g_free(p);
}
