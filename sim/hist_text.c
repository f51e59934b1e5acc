/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The percentile distribution in HdrHistogram's text form (HdrHistogram 2.1,
 * AbstractHistogram.outputPercentileDistribution), which its plotters and log processors read.
 */
#include <dmasim/stat.h>
#include <math.h>

#define TICKS_PER_HALF_DISTANCE 5

struct writer {
	GString *out;
	double unit, level; /* next percentile to report, 0..100 */
	uint64_t total, seen, max;
};

static void row(struct writer *w, uint64_t value, double percentile)
{
	g_string_append_printf(w->out, "%12.3f %2.12f %10" G_GUINT64_FORMAT, (double)value / w->unit,
			       percentile / 100, w->seen);
	if (percentile < 100)
		g_string_append_printf(w->out, " %14.2f", 1 / (1 - percentile / 100));
	g_string_append_c(w->out, '\n');
}

/* Steps halve in size each time the distance to 100 % does. */
static double next_level(double level)
{
	double halvings = floor(log2(100 / (100 - level))) + 1;

	return level + 100 / (TICKS_PER_HALF_DISTANCE * exp2(halvings));
}

static void visit(uint64_t lo, uint64_t hi, uint64_t count, void *arg)
{
	struct writer *w = arg;
	double reached;

	(void)lo;
	w->seen += count;
	reached = 100 * (double)w->seen / (double)w->total;
	if (w->seen == w->total)
		return;
	while (w->level <= reached) {
		row(w, MIN(hi, w->max), w->level);
		w->level = next_level(w->level);
	}
}

void hist_write_percentiles(const struct hist *h, double unit, GString *out)
{
	struct writer w = {.out = out, .unit = unit, .total = hist_count(h), .max = hist_max(h)};

	g_string_append_printf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
			       "1/(1-Percentile)");
	hist_visit(h, visit, &w);
	if (w.total) {
		/* The levels that the last bucket covers as far as whole records tell them apart, then 100 %.
		 */
		while ((1 - w.level / 100) * (double)w.total >= 1) {
			row(&w, w.max, w.level);
			w.level = next_level(w.level);
		}
		row(&w, w.max, 100);
	}
	g_string_append_printf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", hist_mean(h) / unit,
			       hist_stddev(h) / unit);
	g_string_append_printf(out, "#[Max     = %12.3f, Total count    = %12" G_GUINT64_FORMAT "]\n",
			       (double)w.max / unit, w.total);
	g_string_append_printf(out, "#[Buckets = %12u, SubBuckets     = %12u]\n", 57u, 128u);
}
