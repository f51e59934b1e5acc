/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published measurements against the model: running studies, judging points. */
#include "validate_internal.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- runs ---- */

static bool set_pairs(struct scenario *s, struct validate_run_context *ctx, va_list args)
{
	const char *key;

	while ((key = va_arg(args, const char *)))
		if (!scenario_set(s, key, va_arg(args, const char *), "validate", &ctx->error))
			return false;
	for (char **set = ctx->o->set; set && *set; set++) {
		g_auto(GStrv) parts = g_strsplit(*set, "=", 2);

		if (!parts[1]) {
			g_set_error(&ctx->error, DMASIM_ERROR, DMASIM_ERROR_USAGE, "'%s': want KEY=VALUE",
				    *set);
			return false;
		}
		if (!scenario_set(s, parts[0], parts[1], "--set", &ctx->error))
			return false;
	}
	return true;
}

struct validate_result *validate_scenario(struct validate_run_context *ctx, const char *preset,
					  const char *api, const char *mode, ...)
{
	struct validate_result *r;
	struct experiment_options o = {.threads = 1, .cancel = ctx->o->stop};
	va_list args;
	bool ok;

	if (ctx->error)
		return NULL;
	r = g_new0(struct validate_result, 1);
	r->scenario = scenario_new();
	ok = (!preset || scenario_set(r->scenario, "scenario.preset", preset, "validate", &ctx->error)) &&
	     scenario_set(r->scenario, "scenario.fidelity", "timing", "validate", &ctx->error) &&
	     scenario_set(r->scenario, "compare.api", api, "validate", &ctx->error) &&
	     scenario_set(r->scenario, "compare.iommu", mode, "validate", &ctx->error);
	va_start(args, mode);
	ok = ok && set_pairs(r->scenario, ctx, args);
	va_end(args);
	ok = ok && scenario_resolve(r->scenario, &ctx->error);
	if (ok)
		r->result = experiment_run(r->scenario, &o, &ctx->error);
	if (r->result)
		return r;
	validate_result_free(r);
	return NULL;
}

void validate_result_free(struct validate_result *r)
{
	if (!r)
		return;
	if (r->result)
		experiment_result_free(r->result);
	scenario_free(r->scenario);
	g_free(r);
}

double validate_stat(const struct validate_result *r, const char *name)
{
	struct stat_value v;

	if (!r)
		return NAN;
	v = run_stat(&r->result->runs[0], name);
	return v.type == STAT_INT ? (double)v.i : v.type == STAT_REAL ? v.d : NAN;
}

unsigned validate_rows(const struct validate_result *r)
{
	return r ? r->result->runs[0].curve.nrows : 0;
}

double validate_cell(const struct validate_result *r, unsigned row, const char *column)
{
	const struct workload_curve *c;

	if (!r || row >= validate_rows(r))
		return NAN;
	c = &r->result->runs[0].curve;
	for (unsigned i = 0; i < c->ncolumns; i++)
		if (!strcmp(c->columns[i], column))
			return c->values[(size_t)row * c->ncolumns + i];
	return NAN;
}

/* ---- points ---- */

static struct validate_point *add_point(struct validate_run_context *ctx, const char *curve,
					const char *label, double x, double model, double measured)
{
	struct validate_point p = {
	    .curve = curve, .label = g_strdup(label), .x = x, .model = model, .measured = measured};

	g_array_append_val(ctx->block->points, p);
	return &g_array_index(ctx->block->points, struct validate_point, ctx->block->points->len - 1);
}

void validate_add(struct validate_run_context *ctx, const char *curve, const char *label, double x,
		  double model, double measured, double tolerance)
{
	struct validate_point *p = add_point(ctx, curve, label, x, model, measured);

	p->tolerance = tolerance;
	if (tolerance <= 0)
		p->verdict = VALIDATE_SHOWN;
	else
		p->verdict = fabs(model - measured) <= tolerance * fabs(measured) ? VALIDATE_PASS
										  : VALIDATE_FAIL;
}

void validate_add_fitted(struct validate_run_context *ctx, const char *curve, const char *label, double x,
			 double model, double measured)
{
	struct validate_point *p = add_point(ctx, curve, label, x, model, measured);

	p->verdict = VALIDATE_SHOWN;
	p->fitted = true;
}

/* ---- all studies ---- */

static void block_free(void *data)
{
	struct validate_block *b = data;

	for (unsigned i = 0; i < b->points->len; i++)
		g_free(g_array_index(b->points, struct validate_point, i).label);
	g_array_unref(b->points);
	g_free(b);
}

/* P before E, then by number: as the documents list them. */
static int by_id(const void *a, const void *b)
{
	const struct validate_study *const *x = a, *const *y = b;
	const char *p = (*x)->block.id, *q = (*y)->block.id;

	if (*p != *q)
		return *q - *p;
	return atoi(p + 1) != atoi(q + 1) ? atoi(p + 1) - atoi(q + 1) : strcmp(p, q);
}

/* In order, NULL-terminated. */
static const struct validate_study **studies(void)
{
	const struct validate_study **list;
	size_t n = 0;

	while (validate_studies[n])
		n++;
	list = g_memdup2(validate_studies, (n + 1) * sizeof(*list));
	qsort(list, n, sizeof(*list), by_id);
	return list;
}

char **validate_ids(void)
{
	g_autofree const struct validate_study **list = studies();
	GPtrArray *ids = g_ptr_array_new();

	for (const struct validate_study **s = list; *s; s++)
		g_ptr_array_add(ids, g_strdup((*s)->block.id));
	g_ptr_array_add(ids, NULL);
	return (char **)g_ptr_array_free(ids, FALSE);
}

GPtrArray *validate_run(const struct validate_options *o, GError **error)
{
	struct validate_run_context ctx = {.o = o};
	g_autoptr(GPtrArray) blocks = g_ptr_array_new_with_free_func(block_free);
	g_autofree const struct validate_study **list = studies();

	for (const struct validate_study **next = list; *next; next++) {
		const struct validate_study *s = *next;

		if (o->only && strcmp(o->only, s->block.id))
			continue;
		if (o->progress)
			o->progress(o->progress_arg, s->block.id);
		ctx.block = g_new0(struct validate_block, 1);
		*ctx.block = s->block;
		ctx.block->points = g_array_new(FALSE, TRUE, sizeof(struct validate_point));
		g_ptr_array_add(blocks, ctx.block);
		s->run(&ctx);
		if (ctx.error) {
			g_propagate_prefixed_error(error, ctx.error, "block %s: ", s->block.id);
			return NULL;
		}
	}
	return g_steal_pointer(&blocks);
}

static bool block_fails(const struct validate_block *b)
{
	for (unsigned i = 0; i < b->points->len; i++)
		if (g_array_index(b->points, struct validate_point, i).verdict == VALIDATE_FAIL)
			return true;
	return false;
}

unsigned validate_failures(const GPtrArray *blocks, unsigned *judged, unsigned *blocks_failed)
{
	unsigned failed = 0;

	*judged = *blocks_failed = 0;
	for (unsigned i = 0; i < blocks->len; i++) {
		const struct validate_block *b = blocks->pdata[i];

		*blocks_failed += block_fails(b);
		for (unsigned k = 0; k < b->points->len; k++) {
			enum validate_verdict v = g_array_index(b->points, struct validate_point, k).verdict;

			*judged += v != VALIDATE_SHOWN;
			failed += v == VALIDATE_FAIL;
		}
	}
	return failed;
}

/* ---- texts ---- */

static const char *verdict_text(const struct validate_point *p)
{
	if (p->verdict == VALIDATE_SHOWN)
		return p->fitted ? "fitted" : "shown";
	return p->verdict == VALIDATE_PASS ? "PASS" : "FAIL";
}

static char *error_text(const struct validate_point *p)
{
	if (!(fabs(p->measured) > 0))
		return g_strdup(p->model == p->measured ? "equal" : "-");
	return g_strdup_printf("%+.1f %%", 100 * (p->model - p->measured) / p->measured);
}

static void block_markdown(const struct validate_block *b, GString *out)
{
	g_string_append_printf(out, "\n## %s: %s\n\n%s\n\nSetup: %s Unit: %s.\n", b->id, b->title, b->source,
			       b->setup, b->unit);
	if (b->why && block_fails(b))
		g_string_append_printf(out, "\nWhy it fails: %s\n", b->why);
	g_string_append(out, "\n| curve | point | model | measured | error | tolerance | verdict |\n"
			     "| --- | --- | ---: | ---: | ---: | ---: | --- |\n");
	for (unsigned i = 0; i < b->points->len; i++) {
		const struct validate_point *p = &g_array_index(b->points, struct validate_point, i);
		g_autofree char *error = error_text(p);
		g_autofree char *tolerance = p->tolerance > 0
						 ? g_strdup_printf("%.*f %%", p->tolerance < 0.01,
								   100 * p->tolerance)
						 : g_strdup("-");

		g_string_append_printf(out, "| %s | %s | %.4g | %.4g | %s | %s | %s |\n", p->curve, p->label,
				       p->model, p->measured, error, tolerance, verdict_text(p));
	}
}

/* Constants that measured points of these blocks decided. */
static const char fitted_constants[] =
    "\n## Constants that these measurements decided\n\n"
    "| constant | where | decided by |\n| --- | --- | --- |\n"
    "| `cpu.cost_pt_*` per call and per entry | default | P11, second-stage 4 KiB points: fitted |\n"
    "| `cpu.cost_pt_*_level` = 5 ns | default | P11, 2 MiB against 4 KiB of the later version: fitted |\n"
    "| `cpu.cost_pt_*_large`: 0.102 ns per test | default | counted tests; the unit with P11 known |\n"
    "| `cpu.cost_pt_cache_flush`, `pt_unmap_flush` | default | P11, map that does not snoop: fitted |\n"
    "| `iotlb.entries`, miss penalty (`walker.*`) | ivybridge-ep, broadwell-ep | P1, windows of 256 to 1024 "
    "pages: the "
    "law's two parameters |\n"
    "| `walker.slow_share` = 9 %, `walker.slow_extra` = 160 ns | default | P1, 95th percentiles |\n"
    "| `memory.llc_io`, `memory.latency_remote` | ivybridge-ep, broadwell-ep | P1, device-warmed without "
    "IOMMU, remote at 256 KiB |\n"
    "| `pcie_bench.write_turn`, `pcie_bench.engine_latency*` | default | P1, write then read and engine, "
    "without IOMMU |\n"
    "| `walker.concurrency` = 6 | ivybridge-ep, broadwell-ep | P3, Little's law at 64 MiB, where all "
    "accesses miss |\n"
    "| `pcie.read_window` = 8 | default | P3, Broadwell read 64 B at 1 MiB: fitted |\n"
    "| `pcie.read_line` = 24 ns | default | P3, Broadwell read 256 B at 64 MiB: fitted |\n"
    "| links: data-link packets 1.5 times rarer than the limits | all | P3, 512 B without misses: fitted |\n"
    "| `pcie_bench` card: intervals, latencies | default | P3 rates and P1 latencies without translation |\n"
    "| `pcie_bench.command_window` = 30, `pcie_bench.engine_window` = 21 | default | P3, Broadwell read 64 B "
    "at 512 "
    "KiB and 256 B at 1 MiB: fitted |\n"
    "| `pcie.write_latency` = 100 ns | default | P4, Little's law on the authors' fit of both points |\n"
    "| `cpu.cost_qi_poll` = 0 | default | E; 50 ns change the throughput of P4 by less than 3 % |\n"
    "| `rx_ring.timeout` = 1 ms | skylake-sp | P4, upper-level misses and throughput at 10 flows: fitted |\n"
    "| `pcie.write_buffer` = 126 | icelake-sp | P12, throughput of the last point: fitted |\n"
    "| drives `c6620`, `m510`, `pm9a3` | default | P9 and E4R, rows without IOMMU and of 128 KiB: fitted |\n"
    "| `nvme.read_bandwidth_mdts` of `pm9a3` | default | E4R, sequential 2 MiB at depth 8: fitted |\n"
    "| `pcie.host_bridge_p2p_bandwidth` = 7.1 | broadwell-ep | P18, three drives: fitted |\n"
    "| `cpu.cost_iova_*` of that machine | block E4 | 4 KiB row, tree functions alone, hold of 2 MiB: fitted "
    "|\n"
    "| storage stack (`cpu.cost_driver_submit`) | block P17 | fio read before: fitted |\n"
    "| pinning and accounting per page and folio | block P14 | 4 KiB and transparent 2 MiB pages: fitted |\n"
    "| `rnic.*` times of that machine | block P15 | the two first uses: fitted |\n"
    "| `rx_ring.packet_cost` of that guest | block P13 | one core: fitted |\n"
    "| `rx_ring.ack_rate` = 0 of that guest | block P13 | the measured peak: chosen |\n";

char *validate_markdown(const GPtrArray *blocks)
{
	GString *out = g_string_new(NULL);
	unsigned judged, bad, failed = validate_failures(blocks, &judged, &bad);

	g_string_append_printf(
	    out,
	    "# Published measurements against the model\n\n"
	    "Written by `dmasim validate --write`; the tables are computed by that command, from one set of "
	    "presets.\n%u of %u judged points and %u of %u blocks are within tolerance. Points that a "
	    "constant was "
	    "fitted on are\nmarked and not judged. Points from which a published law derived a constant (tag "
	    "B: "
	    "capacity and\npenalty of P1, its percentiles, its rows without an IOMMU) are judged as whole "
	    "curves; the list at the end\nnames both kinds. `dmasim presets NAME` and `dmasim params` give "
	    "the "
	    "source of every "
	    "constant.\n\n| block | result | points | verdict |\n| --- | --- | ---: | --- |\n",
	    judged - failed, judged, blocks->len - bad, blocks->len);
	for (unsigned i = 0; i < blocks->len; i++) {
		const struct validate_block *b = blocks->pdata[i];
		unsigned j, n, f;
		g_autoptr(GPtrArray) one = g_ptr_array_new();

		g_ptr_array_add(one, (void *)b);
		f = validate_failures(one, &j, &n);
		g_string_append_printf(out, "| %s | %s | %u of %u | %s |\n", b->id, b->title, j - f, j,
				       f   ? "FAIL"
				       : j ? "PASS"
					   : "shown");
	}
	for (unsigned i = 0; i < blocks->len; i++)
		block_markdown(blocks->pdata[i], out);
	g_string_append(out, fitted_constants);
	return g_string_free(out, FALSE);
}

static json_t *number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *block_json(const struct validate_block *b)
{
	json_t *points = json_array();

	for (unsigned i = 0; i < b->points->len; i++) {
		const struct validate_point *p = &g_array_index(b->points, struct validate_point, i);

		json_array_append_new(points, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "curve",
							p->curve, "point", p->label, "x", number(p->x),
							"model", number(p->model), "measured",
							number(p->measured), "tolerance",
							number(p->tolerance), "verdict", verdict_text(p)));
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "id", b->id, "title", b->title, "source",
			 b->source, "unit", b->unit, "setup", b->setup, "points", points);
}

json_t *validate_json(const GPtrArray *blocks)
{
	unsigned judged, bad, failed = validate_failures(blocks, &judged, &bad);
	json_t *list = json_array();

	for (unsigned i = 0; i < blocks->len; i++)
		json_array_append_new(list, block_json(blocks->pdata[i]));
	return json_pack("{s:s, s:i, s:i, s:o}", "schema", "dmasim-validation", "judged", (int)judged,
			 "failed", (int)failed, "blocks", list);
}
