/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The comparison on the terminal: one block of columns per IOMMU mode, one column per API, and the
 * last API's ratio to the first. Repetitions (seeds) are averaged.
 */
#include "run.h"

#include <langinfo.h>
#include <math.h>
#include <string.h>

enum row_format { ROW_COUNT, ROW_BYTES, ROW_TIME, ROW_PER_REQUEST, ROW_RATE };

struct row {
	const char *label;
	const char *stats[4]; /* summed */
	enum row_format format;
	bool gap; /* blank line before */
};

static const struct row rows[] = {
    {"requests", {"io.completed"}, ROW_COUNT, false},
    {"payload", {"io.bytes"}, ROW_BYTES, false},
    {"DMA map calls", {"dma.map_calls"}, ROW_COUNT, true},
    {"DMA unmap calls", {"dma.unmap_calls"}, ROW_COUNT, false},
    {"link calls", {"dma.link_calls"}, ROW_COUNT, false},
    {"IOVA allocations", {"iova.allocs"}, ROW_COUNT, false},
    {"from the tree", {"iova.tree_allocs"}, ROW_COUNT, false},
    {"page-table writes", {"iommu.ptes_written"}, ROW_COUNT, false},
    {"IOTLB flushes",
     {"qi.desc_iotlb_page", "qi.desc_iotlb_domain", "qi.desc_iotlb_global"},
     ROW_COUNT,
     true},
    {"page-selective", {"qi.desc_iotlb_page"}, ROW_COUNT, false},
    {"whole domain", {"qi.desc_iotlb_domain", "qi.desc_iotlb_global"}, ROW_COUNT, false},
    {"IOTLB misses", {"iotlb.misses"}, ROW_COUNT, false},
    {"walker reads", {"walker.memory_reads"}, ROW_COUNT, false},
    {"CPU map", {"cpu.map_ns"}, ROW_PER_REQUEST, true},
    {"CPU unmap", {"cpu.unmap_ns"}, ROW_PER_REQUEST, false},
    {"CPU driver", {"cpu.driver_ns"}, ROW_PER_REQUEST, false},
    {"bounced", {"swiotlb.bytes_copied"}, ROW_BYTES, false},
    {"memory peak", {"memory.total"}, ROW_BYTES, true},
    {"page tables", {"memory.iommu.page_tables"}, ROW_BYTES, false},
    {"lists and arrays",
     {"memory.sg.tables", "memory.driver.dma_addresses", "memory.iova.state"},
     ROW_BYTES,
     false},
    {"requests/s", {"io.iops"}, ROW_RATE, true},
    {"bandwidth", {"io.bandwidth"}, ROW_BYTES, false},
    {"latency p50", {"io.latency_p50_ns"}, ROW_TIME, false},
    {"latency p99", {"io.latency_p99_ns"}, ROW_TIME, false},
};

static double memory_peak(const struct run_result *run, const char *account)
{
	for (int a = 0; a < LEDGER_COUNT; a++)
		if (!strcmp(ledger_name(a), account))
			return (double)run->ledger.accounts[a].peak;
	return NAN;
}

static double stat_number(const struct run_result *run, const char *name)
{
	struct stat_value v;

	if (g_str_has_prefix(name, "memory."))
		return memory_peak(run, name + strlen("memory."));
	v = run_stat(run, name);
	return v.type == STAT_INT ? (double)v.i : v.type == STAT_REAL ? v.d : NAN;
}

static double row_value(const struct run_result *run, const struct row *row)
{
	double sum = 0;

	for (int i = 0; i < 4 && row->stats[i]; i++)
		sum += stat_number(run, row->stats[i]);
	if (row->format == ROW_PER_REQUEST)
		sum /= stat_number(run, "io.completed");
	return sum;
}

/* The mean over the runs of one API and mode; NAN if none has the value. */
static double cell_value(const struct experiment_result *r, const struct run_spec *like,
			 const struct row *row)
{
	double sum = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < r->nruns; i++)
		if (r->runs[i].spec.api == like->api && r->runs[i].spec.mode == like->mode) {
			sum += row_value(&r->runs[i], row);
			n++;
		}
	return sum / n;
}

static char *with_separators(double v)
{
	g_autofree char *digits = g_strdup_printf("%.0f", v);
	GString *out = g_string_new(NULL);
	size_t len = strlen(digits);

	if (v < 100 && v != floor(v)) {
		g_string_free(out, TRUE);
		return g_strdup_printf("%.1f", v);
	}
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			g_string_append_c(out, ' ');
		g_string_append_c(out, digits[i]);
	}
	return g_string_free(out, FALSE);
}

static char *scaled(double v, const char *const *units, double step)
{
	int u = 0;

	while (v >= step && units[u + 1]) {
		v /= step;
		u++;
	}
	return g_strdup_printf("%.*f %s", u && v < 100 ? 1 : 0, v, units[u]);
}

static char *format_value(double v, enum row_format format)
{
	static const char *const bytes[] = {"B", "KiB", "MiB", "GiB", "TiB", NULL};
	static const char *const times[] = {"ns", "us", "ms", "s", NULL};
	static const char *const rates[] = {"/s", "k/s", "M/s", NULL};

	if (isnan(v))
		return g_strdup("-");
	switch (format) {
	case ROW_BYTES:
		return scaled(v, bytes, 1024);
	case ROW_TIME:
	case ROW_PER_REQUEST:
		return scaled(v, times, 1000);
	case ROW_RATE:
		return scaled(v, rates, 1000);
	case ROW_COUNT:
		break;
	}
	return with_separators(v);
}

static char *format_ratio(double first, double last)
{
	const char *times = strcmp(nl_langinfo(CODESET), "UTF-8") ? "x" : "×";

	if (isnan(first) || isnan(last) || (first == 0 && last == 0))
		return g_strdup("");
	if (first == last)
		return g_strdup("=");
	if (first == 0)
		return g_strdup("new");
	return g_strdup_printf("%.*f%s", last / first < 10 ? 2 : 1, last / first, times);
}

/* Runs of the first seed, in column order. */
static unsigned columns_of(const struct experiment_result *r, const struct run_spec **columns)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->nruns; i++)
		if (r->runs[i].spec.seed == r->runs[0].spec.seed)
			columns[n++] = &r->runs[i].spec;
	return n;
}

static bool last_of_mode(const struct run_spec **columns, unsigned n, unsigned i)
{
	return i + 1 == n || columns[i + 1]->mode != columns[i]->mode;
}

static const struct run_spec *first_of_mode(const struct run_spec **columns, unsigned i)
{
	while (i && columns[i - 1]->mode == columns[i]->mode)
		i--;
	return columns[i];
}

struct grid {
	GPtrArray *cells;
	unsigned columns, rows;
};

static void add_head(struct grid *g, const struct run_spec **columns, unsigned n, int line)
{
	g_ptr_array_add(g->cells, g_strdup(line == 0 ? "IOMMU" : line == 1 ? "API" : "Linux"));
	for (unsigned i = 0; i < n; i++) {
		bool first = first_of_mode(columns, i) == columns[i];

		g_ptr_array_add(g->cells, g_strdup(line == 1   ? columns[i]->api->name
						   : line == 2 ? columns[i]->kernel->name
						   : first     ? iommu_mode_names[columns[i]->mode]
							       : ""));
		if (last_of_mode(columns, n, i) && first_of_mode(columns, i) != columns[i])
			g_ptr_array_add(g->cells, g_strdup(""));
	}
	g->rows++;
}

static void add_row(struct grid *g, const struct experiment_result *r, const struct run_spec **columns,
		    unsigned n, const struct row *row)
{
	bool any = false;

	for (unsigned i = 0; i < n; i++) {
		double v = cell_value(r, columns[i], row);

		any = any || (!isnan(v) && v != 0);
	}
	if (!any)
		return;
	g_ptr_array_add(g->cells, g_strdup(row->label));
	for (unsigned i = 0; i < n; i++) {
		double v = cell_value(r, columns[i], row);

		g_ptr_array_add(g->cells, format_value(v, row->format));
		if (last_of_mode(columns, n, i) && first_of_mode(columns, i) != columns[i])
			g_ptr_array_add(g->cells,
					format_ratio(cell_value(r, first_of_mode(columns, i), row), v));
	}
	g->rows++;
}

static unsigned grid_width(const struct run_spec **columns, unsigned n)
{
	unsigned width = 1 + n;

	for (unsigned i = 0; i < n; i++)
		width += last_of_mode(columns, n, i) && first_of_mode(columns, i) != columns[i];
	return width;
}

static void print_title(FILE *out, const struct experiment_result *r)
{
	const struct scenario_params *p = config_get(scenario_config(r->scenario), &scenario_param_table);
	const struct run_spec *spec = &r->runs[0].spec;

	fprintf(out, "%s%s%s, %" G_GUINT64_FORMAT " records, %s", p->name && *p->name ? p->name : "",
		p->name && *p->name ? ": " : "", scenario_workload(r->scenario)->name, r->records,
		spec->fidelity == FIDELITY_TIMING ? "timing" : "counts");
	if (p->seeds > 1)
		fprintf(out, ", means of %" G_GUINT64_FORMAT " seeds", p->seeds);
	fputs("\n\n", out);
}

void cli_print_comparison(FILE *out, const struct experiment_result *r)
{
	g_autofree const struct run_spec **columns = g_new(const struct run_spec *, r->nruns);
	unsigned n = columns_of(r, columns);
	struct grid g = {.cells = g_ptr_array_new_with_free_func(g_free), .columns = grid_width(columns, n)};

	print_title(out, r);
	for (int line = 0; line < 3; line++)
		add_head(&g, columns, n, line);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		add_row(&g, r, columns, n, &rows[i]);
	cli_print_columns(out, (char *const *)g.cells->pdata, g.columns, g.rows, ~(uint64_t)1);
	g_ptr_array_unref(g.cells);
}
