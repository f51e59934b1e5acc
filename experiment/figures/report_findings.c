/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sentences about a comparison, each from the numbers: which API invalidates, allocates, computes
 * more, by how much, and which counted operations explain it.
 */
#include "experiment/comparison.h"
#include "report.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const char *const flushes[] = {"qi.desc_iotlb_page", "qi.desc_iotlb_domain", "qi.desc_iotlb_global",
				      NULL};
static const char *const requests[] = {"io.completed", NULL};
static const char *const unlinks[] = {"dma.unlink_calls", NULL};
static const char *const singles[] = {"dma.map_phys_calls", NULL};
static const char *const destroys[] = {"dma.destroy_calls", NULL};
static const char *const list_bytes[] = {"memory.sg.tables.peak", "memory.driver.dma_addresses.peak",
					 "memory.iova.state.peak", NULL};
static const char *const cpu_time[] = {"cpu.map_ns", "cpu.unmap_ns", NULL};
static const char *const latency[] = {"io.latency_p99_ns", NULL};
static const char *const rate[] = {"io.iops", NULL};

/* "8.2 times as many IOTLB flushes as legacy", "31.0 % fewer IOTLB flushes than legacy". */
static char *how_many(double base, double other, const char *what, const char *than)
{
	double ratio = other / base;

	if (ratio >= 1.995)
		return g_strdup_printf("%.*f times as many %s as %s", ratio < 10 ? 1 : 0, ratio, what, than);
	return g_strdup_printf("%.1f %% %s %s than %s", fabs(ratio - 1) * 100, ratio > 1 ? "more" : "fewer",
			       what, than);
}

/* Why the two differ in invalidations, as far as counted operations tell; "" if they do not. */
static const char *flush_reason(const struct comparison_column *base, const struct comparison_column *other)
{
	double n = comparison_number(other, requests);
	double per_segment = comparison_number(other, singles) / n,
	       base_segments = comparison_number(base, singles) / n;

	if (comparison_number(other, unlinks) > comparison_number(base, unlinks))
		return ", because dma_iova_unlink keeps the IOVA and therefore flushes at once, in lazy mode "
		       "too";
	if (per_segment > 1.5 && per_segment > 1.5 * base_segments)
		return ", because vectors that end inside a page cannot share one IOVA range: they are "
		       "mapped, "
		       "unmapped and invalidated one by one";
	if (comparison_number(other, destroys) > 0 && base_segments > 1.5)
		return ", because a whole request is unmapped and invalidated at once by dma_iova_destroy";
	return "";
}

static void about_flushes(GPtrArray *out, const struct comparison_column *base,
			  const struct comparison_column *other)
{
	double a = comparison_number(base, flushes), b = comparison_number(other, flushes);
	double n = comparison_number(base, requests);
	g_autofree char *words = NULL, *first = number_text(a, NUMBER_COUNT),
			*second = number_text(b, NUMBER_COUNT);

	if (isnan(a) || isnan(b) || (a == 0 && b == 0))
		return;
	if (a == 0) {
		g_ptr_array_add(out, g_strdup_printf("%s: %s flushes the IOTLB %s times, %s never.",
						     base->iommu, other->api, second, base->api));
		return;
	}
	if (a == b) {
		g_ptr_array_add(
		    out, g_strdup_printf("%s: %s and %s flush the IOTLB equally often: %s times, %.3g per "
					 "request.",
					 base->iommu, base->api, other->api, first, a / n));
		return;
	}
	words = how_many(a, b, "IOTLB flushes", base->api);
	g_ptr_array_add(out,
			g_strdup_printf("%s: %s issues %s (%s against %s; %.3g against %.3g per request)%s.",
					base->iommu, other->api, words, second, first, b / n, a / n,
					b > a ? flush_reason(base, other) : flush_reason(other, base)));
}

static void about(GPtrArray *out, const struct comparison_column *base, const struct comparison_column *other,
		  const char *const *numbers, enum number_format format, bool per_request, const char *what)
{
	double n = per_request ? comparison_number(base, requests) : 1;
	double a = comparison_number(base, numbers) / n, b = comparison_number(other, numbers) / n;
	g_autofree char *first = number_text(a, format), *second = number_text(b, format);

	if (isnan(a) || isnan(b) || !isfinite(a) || !isfinite(b) || (a == 0 && b == 0))
		return;
	if (a == b)
		g_ptr_array_add(
		    out, g_strdup_printf("%s: %s is the same with both, %s.", base->iommu, what, first));
	else if (a > 0)
		g_ptr_array_add(out, g_strdup_printf("%s: %s is %s with %s and %s with %s (%+.1f %%).",
						     base->iommu, what, first, base->api, second, other->api,
						     (b / a - 1) * 100));
	else
		g_ptr_array_add(out, g_strdup_printf("%s: %s is %s with %s and %s with %s.", base->iommu,
						     what, first, base->api, second, other->api));
}

static void about_pair(GPtrArray *out, const struct comparison_column *base,
		       const struct comparison_column *other)
{
	about_flushes(out, base, other);
	about(out, base, other, cpu_time, NUMBER_TIME_NS, true, "CPU time to map and unmap one request");
	about(out, base, other, list_bytes, NUMBER_BYTES, false,
	      "peak memory of lists, address arrays and IOVA state");
	about(out, base, other, rate, NUMBER_RATE, false, "the request rate");
	about(out, base, other, latency, NUMBER_TIME_NS, false, "99th-percentile latency");
}

GPtrArray *report_findings(json_t *doc)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) columns = comparison_columns(doc);

	for (unsigned i = 0; i < columns->len; i++)
		for (unsigned j = i + 1; j < columns->len; j++) {
			const struct comparison_column *a = columns->pdata[i], *b = columns->pdata[j];
			bool first_of_mode =
			    i == 0 ||
			    strcmp(((struct comparison_column *)columns->pdata[i - 1])->iommu, a->iommu);

			if (first_of_mode && !strcmp(a->iommu, b->iommu))
				about_pair(out, a, b);
		}
	return out;
}
