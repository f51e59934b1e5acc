/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "comparison.h"
#include "experiment/figures/figure.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

struct row {
	const char *label;
	const char *stats[5]; /* summed, NULL-terminated */
	enum number_format format;
	bool per_request;
};

static const struct row rows[] = {
    {"requests", {"io.completed"}, NUMBER_COUNT, false},
    {"failed requests", {"io.failed"}, NUMBER_COUNT, false},
    {"their memory refused", {"io.refused"}, NUMBER_COUNT, false},
    {"translation faults", {"fault.recorded", "fault.lost"}, NUMBER_COUNT, false},
    {"payload", {"io.bytes"}, NUMBER_BYTES, false},
    {"DMA map calls", {"dma.map_calls"}, NUMBER_COUNT, false},
    {"DMA unmap calls", {"dma.unmap_calls"}, NUMBER_COUNT, false},
    {"link calls", {"dma.link_calls"}, NUMBER_COUNT, false},
    {"destroy calls", {"dma.destroy_calls"}, NUMBER_COUNT, false},
    {"IOVA allocations", {"iova.allocs"}, NUMBER_COUNT, false},
    {"from the tree", {"iova.tree_allocs"}, NUMBER_COUNT, false},
    {"page-table writes", {"iommu.ptes_written"}, NUMBER_COUNT, false},
    {"IOTLB flushes",
     {"qi.desc_iotlb_page", "qi.desc_iotlb_domain", "qi.desc_iotlb_global"},
     NUMBER_COUNT,
     false},
    {"page-selective", {"qi.desc_iotlb_page"}, NUMBER_COUNT, false},
    {"whole domain", {"qi.desc_iotlb_domain", "qi.desc_iotlb_global"}, NUMBER_COUNT, false},
    {"IOTLB misses", {"iotlb.misses"}, NUMBER_COUNT, false},
    {"walker reads", {"walker.memory_reads"}, NUMBER_COUNT, false},
    {"CPU map per request", {"cpu.map_ns"}, NUMBER_TIME_NS, true},
    {"CPU unmap per request", {"cpu.unmap_ns"}, NUMBER_TIME_NS, true},
    {"CPU driver per request", {"cpu.driver_ns"}, NUMBER_TIME_NS, true},
    {"bounced", {"swiotlb.bytes_copied"}, NUMBER_BYTES, false},
    /* The bounce pool is there from boot on, whoever uses it. */
    {"memory peak", {"memory.total.peak", "-memory.swiotlb.pool.peak"}, NUMBER_BYTES, false},
    {"page tables", {"memory.iommu.page_tables.peak"}, NUMBER_BYTES, false},
    {"lists and arrays",
     {"memory.sg.tables.peak", "memory.driver.dma_addresses.peak", "memory.iova.state.peak"},
     NUMBER_BYTES,
     false},
    {"requests/s", {"io.iops"}, NUMBER_RATE, false},
    {"bytes per second", {"io.bandwidth"}, NUMBER_BYTES, false},
    {"latency p50", {"io.latency_p50_ns"}, NUMBER_TIME_NS, false},
    {"latency p99", {"io.latency_p99_ns"}, NUMBER_TIME_NS, false},
};

static const char *text_of(const json_t *run, const char *member)
{
	const char *text = json_string_value(json_object_get(run, member));

	return text ? text : "";
}

static void column_free(void *p)
{
	struct comparison_column *c = p;

	g_ptr_array_unref(c->runs);
	g_free(c);
}

static struct comparison_column *find_column(GPtrArray *columns, const json_t *run)
{
	for (unsigned i = 0; i < columns->len; i++) {
		struct comparison_column *c = columns->pdata[i];

		if (!strcmp(c->api, text_of(run, "api")) && !strcmp(c->iommu, text_of(run, "iommu")) &&
		    !strcmp(c->kernel, text_of(run, "kernel")))
			return c;
	}
	return NULL;
}

GPtrArray *comparison_columns(json_t *doc)
{
	GPtrArray *columns = g_ptr_array_new_with_free_func(column_free);
	json_t *run;
	size_t i;

	json_array_foreach (json_object_get(doc, "runs"), i, run) {
		struct comparison_column *c = find_column(columns, run);

		if (!c) {
			c = g_new0(struct comparison_column, 1);
			c->api = text_of(run, "api");
			c->iommu = text_of(run, "iommu");
			c->kernel = text_of(run, "kernel");
			c->runs = g_ptr_array_new();
			g_ptr_array_add(columns, c);
		}
		g_ptr_array_add(c->runs, run);
	}
	return columns;
}

double comparison_number(const struct comparison_column *c, const char *const *names)
{
	double sum = 0;

	for (unsigned i = 0; i < c->runs->len; i++)
		for (const char *const *n = names; *n; n++)
			sum += **n == '-' ? -run_number(c->runs->pdata[i], *n + 1)
					  : run_number(c->runs->pdata[i], *n);
	return sum / c->runs->len;
}

static double row_value(const struct comparison_column *c, const struct row *row)
{
	static const char *const requests[] = {"io.completed", NULL};
	double v = comparison_number(c, row->stats), n;

	if (!row->per_request)
		return v;
	n = comparison_number(c, requests);
	return n > 0 ? v / n : NAN; /* nothing was done: there is no time for each */
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

char *number_text(double v, enum number_format format)
{
	static const char *const bytes[] = {"B", "KiB", "MiB", "GiB", "TiB", NULL};
	static const char *const times[] = {"ns", "us", "ms", "s", NULL};
	static const char *const rates[] = {"/s", "k/s", "M/s", NULL};

	if (isnan(v))
		return g_strdup("-");
	switch (format) {
	case NUMBER_BYTES:
		return scaled(v, bytes, 1024);
	case NUMBER_TIME_NS:
		return scaled(v, times, 1000);
	case NUMBER_RATE:
		return scaled(v, rates, 1000);
	case NUMBER_COUNT:
		break;
	}
	return with_separators(v);
}

static char *ratio_text(double first, double last, const char *times)
{
	if (isnan(first) || isnan(last) || (first == 0 && last == 0))
		return g_strdup("");
	if (first == last)
		return g_strdup("=");
	if (first == 0)
		return g_strdup("new");
	return g_strdup_printf("%.*f%s", last / first < 10 ? 2 : 1, last / first, times);
}

static bool same_mode(const GPtrArray *columns, unsigned i, unsigned j)
{
	const struct comparison_column *a = columns->pdata[i], *b = columns->pdata[j];

	return !strcmp(a->iommu, b->iommu);
}

static unsigned first_of_mode(const GPtrArray *columns, unsigned i)
{
	while (i && same_mode(columns, i - 1, i))
		i--;
	return i;
}

/* After the last of several APIs of one mode comes the ratio. */
static bool ratio_follows(const GPtrArray *columns, unsigned i)
{
	return (i + 1 == columns->len || !same_mode(columns, i, i + 1)) && first_of_mode(columns, i) != i;
}

static void add_head(struct comparison *c, const GPtrArray *columns, int line)
{
	static const char *const labels[] = {"IOMMU", "API", "Linux"};

	g_ptr_array_add(c->cells, g_strdup(labels[line]));
	for (unsigned i = 0; i < columns->len; i++) {
		const struct comparison_column *column = columns->pdata[i];
		bool first = first_of_mode(columns, i) == i;

		g_ptr_array_add(c->cells, g_strdup(line == 1   ? column->api
						   : line == 2 ? column->kernel
						   : first     ? column->iommu
							       : ""));
		if (ratio_follows(columns, i))
			g_ptr_array_add(c->cells, g_strdup(""));
	}
	c->rows++;
}

static void add_row(struct comparison *c, const GPtrArray *columns, const struct row *row, const char *times)
{
	bool any = false;

	for (unsigned i = 0; i < columns->len; i++) {
		double v = row_value(columns->pdata[i], row);

		any = any || (!isnan(v) && v != 0);
	}
	if (!any)
		return;
	g_ptr_array_add(c->cells, g_strdup(row->label));
	for (unsigned i = 0; i < columns->len; i++) {
		double v = row_value(columns->pdata[i], row);

		g_ptr_array_add(c->cells, number_text(v, row->format));
		if (ratio_follows(columns, i))
			g_ptr_array_add(
			    c->cells,
			    ratio_text(row_value(columns->pdata[first_of_mode(columns, i)], row), v, times));
	}
	c->rows++;
}

/* "link strict: the page table finds no memory": why the first request of each column failed. */
static void add_notes(struct comparison *c, const GPtrArray *columns)
{
	for (unsigned i = 0; i < columns->len; i++) {
		const struct comparison_column *column = columns->pdata[i];

		for (unsigned k = 0; k < column->runs->len; k++) {
			const char *why = text_of(column->runs->pdata[k], "failure");

			if (!*why)
				continue;
			g_ptr_array_add(c->notes, g_strdup_printf("%s %s, first failed request: %s",
								  column->api, column->iommu, why));
			break;
		}
	}
}

static char *title_of(json_t *doc)
{
	json_t *provenance = json_object_get(doc, "provenance"), *scenario = json_object_get(doc, "scenario");
	json_t *first = json_array_get(json_object_get(doc, "runs"), 0);
	const char *name = text_of(scenario, "scenario.name"), *seeds = text_of(scenario, "scenario.seeds");
	GString *title = g_string_new(NULL);

	g_string_printf(title, "%s%s%s, %" JSON_INTEGER_FORMAT " records, %s", name, *name ? ": " : "",
			text_of(provenance, "workload"),
			json_integer_value(json_object_get(provenance, "records")),
			text_of(first, "fidelity"));
	if (*seeds && strcmp(seeds, "1"))
		g_string_append_printf(title, ", means of %s seeds", seeds);
	return g_string_free(title, FALSE);
}

struct comparison *comparison_new(json_t *doc, const char *times)
{
	struct comparison *c = g_new0(struct comparison, 1);
	g_autoptr(GPtrArray) columns = comparison_columns(doc);

	c->cells = g_ptr_array_new_with_free_func(g_free);
	c->notes = g_ptr_array_new_with_free_func(g_free);
	c->title = title_of(doc);
	c->columns = 1 + columns->len;
	for (unsigned i = 0; i < columns->len; i++)
		c->columns += ratio_follows(columns, i);
	for (int line = 0; line < 3; line++)
		add_head(c, columns, line);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		add_row(c, columns, &rows[i], times);
	add_notes(c, columns);
	return c;
}

void comparison_free(struct comparison *c)
{
	g_ptr_array_unref(c->cells);
	g_ptr_array_unref(c->notes);
	g_free(c->title);
	g_free(c);
}
