/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which conclusions rest on weak constants: each constant that no measurement supports (confidence D or
 * E) is set to both ends of its range, and the conclusions are computed again.
 */
#include "validate_internal.h"

#include <math.h>

struct weak {
	const char *parameter, *low, *high;
};
static const struct weak weak[] = {
    {"qi.service", "200ns", "800ns"},
    {"qi.wait_latency", "250ns", "1000ns"},
    {"cpu.cost_iova_alloc_hit", "20", "410"},
    {"cpu.cost_iova_free_hit", "10", "290"},
    {"cpu.cost_iova_tree_fixed", "200", "1600"},
    {"cpu.cost_iova_range", "70", "480"},
    {"cpu.cost_iova_tree_step", "0", "400"},
    {"cpu.cost_pt_table_alloc", "75", "300"},
    {"cpu.cost_sg_segment", "6", "24"},
    {"cpu.cost_link_segment", "8", "30"},
    {"cpu.cost_fq_enqueue", "20", "80"},
    {"cpu.cost_indirect_call", "2", "25"},
    {"walker.miss_overhead", "0", "150ns"},
    {"walker.read_latency", "100ns", "300ns"},
    {"walker.concurrency", "4", "12"},
    {"iotlb.entries", "64", "256"},
    {"pwc.entries_2m", "32", "128"},
    {"pwc.psi_nonleaf", "range", "domain"},
    {"iotlb.replacement", "random", "lru"},
    {"pcie.write_latency", "50ns", "400ns"},
    {"pcie.read_window", "4", "32"},
    {"pcie.read_line", "0", "50ns"},
    {"walker.slow_share", "0", "0.3"},
};

/* A conclusion is a relative difference: positive when the first is larger. */
static double map_rate(struct validate_run_context *ctx, const char *api, const char *mode, const char *pages)
{
	struct validate_result *r = validate_scenario(
	    ctx, "icelake-sp", api, mode, "workload.kind", "map_bench", "map_bench.pages", pages,
	    "map_bench.iterations", "400", "map_bench.warm_up", "400", "map_bench.depth", "32", NULL);
	double rate = validate_stat(r, "map_bench.rate");

	validate_result_free(r);
	return rate;
}

static double link_gain(struct validate_run_context *ctx, const char *mode, const char *pages)
{
	return map_rate(ctx, "link", mode, pages) / map_rate(ctx, "legacy", mode, pages) - 1;
}

static double link_gain_strict_1(struct validate_run_context *ctx)
{
	return link_gain(ctx, "strict", "1");
}
static double link_gain_strict_32(struct validate_run_context *ctx)
{
	return link_gain(ctx, "strict", "32");
}
static double link_gain_lazy_32(struct validate_run_context *ctx)
{
	return link_gain(ctx, "lazy", "32");
}
static double strict_cost(struct validate_run_context *ctx)
{
	return map_rate(ctx, "link", "strict", "1") / map_rate(ctx, "link", "lazy", "1") - 1;
}
static double miss_cost(struct validate_run_context *ctx)
{
	struct validate_result *r = validate_scenario(
	    ctx, "icelake-sp", "legacy", "strict", "workload.kind", "pcie_bench", "pcie_bench.windows",
	    "256KiB,4MiB", "pcie_bench.op", "write", "pcie_bench.measure", "throughput", "pcie_bench.samples",
	    "5000", "pcie_bench.piece", "4MiB", "iommu.superpages", "false", NULL);
	double ratio = validate_cell(r, 1, "gbit_per_s") / validate_cell(r, 0, "gbit_per_s") - 1;

	validate_result_free(r);
	return ratio;
}

static const struct conclusion {
	const char *text;
	double (*value)(struct validate_run_context *ctx);
} conclusions[] = {
    {"link against legacy, map and unmap rate, 1 page, strict", link_gain_strict_1},
    {"link against legacy, map and unmap rate, 32 scattered pages, strict", link_gain_strict_32},
    {"link against legacy, map and unmap rate, 32 scattered pages, lazy", link_gain_lazy_32},
    {"strict against lazy, map and unmap rate, 1 page", strict_cost},
    {"64-byte writes in 4 MiB against 256 KiB (Ice Lake)", miss_cost},
};

static double conclude(const struct validate_options *o, const struct conclusion *c, const char *parameter,
		       const char *value, GError **error)
{
	g_autofree char *pair = parameter ? g_strdup_printf("%s=%s", parameter, value) : NULL;
	g_autoptr(GPtrArray) set = g_ptr_array_new();
	struct validate_options with = *o;
	struct validate_run_context ctx = {.o = &with};
	double v;

	for (char **s = o->set; s && *s; s++)
		g_ptr_array_add(set, *s);
	if (pair)
		g_ptr_array_add(set, pair);
	g_ptr_array_add(set, NULL);
	with.set = (char **)set->pdata;
	v = c->value(&ctx);
	if (ctx.error)
		g_propagate_error(error, ctx.error);
	return v;
}

static void effect_free(void *data)
{
	struct validate_effect *e = data;

	g_free(e->conclusion);
	g_free(e);
}

GPtrArray *validate_sensitivity(const struct validate_options *o, GError **error)
{
	g_autoptr(GPtrArray) effects = g_ptr_array_new_with_free_func(effect_free);

	for (unsigned c = 0; c < G_N_ELEMENTS(conclusions); c++) {
		GError *failed = NULL;
		double base = conclude(o, &conclusions[c], NULL, NULL, &failed);

		for (unsigned i = 0; i < G_N_ELEMENTS(weak) && !failed; i++) {
			struct validate_effect *e = g_new0(struct validate_effect, 1);

			g_ptr_array_add(effects, e);
			e->parameter = weak[i].parameter;
			e->low = weak[i].low;
			e->high = weak[i].high;
			e->conclusion = g_strdup(conclusions[c].text);
			e->base = base;
			e->at_low = conclude(o, &conclusions[c], weak[i].parameter, weak[i].low, &failed);
			if (!failed)
				e->at_high = conclude(o, &conclusions[c], weak[i].parameter, weak[i].high,
						      &failed);
			e->sign = e->at_low * base < 0 || e->at_high * base < 0;
			e->large = MAX(fabs(e->at_low - base), fabs(e->at_high - base)) > 0.10;
		}
		if (failed) {
			g_propagate_error(error, failed);
			return NULL;
		}
	}
	return g_steal_pointer(&effects);
}

char *validate_sensitivity_markdown(const GPtrArray *effects)
{
	GString *out = g_string_new(
	    "# What rests on weak constants\n\n"
	    "Written by `dmasim validate --sensitivity`. Each constant without a measurement behind "
	    "it is set to both ends of its\nrange; a conclusion is a relative difference. Listed: "
	    "changes of sign, and changes by more than 10 percentage points.\n\n"
	    "| conclusion | base | constant | range | at low end | at high end | |\n"
	    "| --- | ---: | --- | --- | ---: | ---: | --- |\n");
	unsigned quiet = 0;

	for (unsigned i = 0; i < effects->len; i++) {
		const struct validate_effect *e = effects->pdata[i];

		if (!e->sign && !e->large) {
			quiet++;
			continue;
		}
		g_string_append_printf(out,
				       "| %s | %+.1f %% | `%s` | %s to %s | %+.1f %% | %+.1f %% | %s |\n",
				       e->conclusion, 100 * e->base, e->parameter, e->low, e->high,
				       100 * e->at_low, 100 * e->at_high, e->sign ? "sign" : "");
	}
	g_string_append_printf(out, "\n%u further pairs of constant and conclusion change less.\n", quiet);
	return g_string_free(out, FALSE);
}
