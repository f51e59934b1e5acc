/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim explain: what a statistic, parameter, API, mode, memory account or CPU step is. */
#include "explain.h"

#include "models/vtd/perf_names.h"
#include <jansson.h>
#include <string.h>

void explain_fact(json_t *facts, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(facts, key, json_string(text));
}

static json_t *explain_param(const char *word)
{
	for (const struct param_table *const *t = config_tables(); *t; t++)
		for (size_t i = 0; i < (*t)->nspecs; i++) {
			const struct param_spec *s = &(*t)->specs[i];
			g_autofree char *name = g_strdup_printf("%s.%s", (*t)->section, s->name);
			g_autofree char *range = param_range(s), *set = NULL;
			json_t *facts;

			if (strcmp(name, word))
				continue;
			facts = json_pack("{s:s, s:s}", "is", "parameter", "name", name);
			set = g_strdup_printf("--set %s=%s, or %s = ... under [%s]", name,
					      s->def ? s->def : "", s->name, (*t)->section);
			explain_fact(facts, "what", s->help);
			explain_fact(facts, "unit", param_unit(s));
			explain_fact(facts, "default", s->def);
			explain_fact(facts, "values", range);
			explain_fact(facts, "source", s->source);
			explain_fact(facts, "set it", set);
			return facts;
		}
	return NULL;
}

static json_t *explain_in_table(const struct stat_table *t, const char *word)
{
	for (size_t i = 0; t && i < t->nspecs; i++) {
		const struct stat_spec *s = &t->specs[i];
		json_t *facts;

		if (strcmp(s->name, word))
			continue;
		facts = json_pack("{s:s, s:s}", "is", "statistic", "name", s->name);
		explain_fact(facts, "what", s->help);
		explain_fact(facts, "unit", s->unit);
		explain_fact(facts, "kind", stat_kind_name(s->kind));
		if (s->needs_timing)
			explain_fact(facts, "note", "null in fidelity = counts");
		if (perf_name_find(word)) {
			explain_fact(facts, "event of the VT-d unit's counters (perf stat -e dmar0/.../)",
				     perf_name_find(word)->pmu);
			explain_fact(facts, "uncore event of server parts (perf stat -e ...)",
				     perf_name_find(word)->uncore);
		}
		return facts;
	}
	return NULL;
}

static json_t *explain_stat(const char *word)
{
	json_t *facts = NULL;

	for (const struct stat_group *g = stat_groups; g->table && !facts; g++)
		facts = explain_in_table(g->table, word);
	for (const struct workload_ops *const *w = workloads; *w && !facts; w++)
		facts = explain_in_table((*w)->stats, word);
	return facts;
}

/* A counter of Intel's: the statistic that counts the same. */
static json_t *explain_event(const char *word)
{
	const struct perf_name *p = perf_name_of_event(word);

	return p ? explain_stat(p->stat) : NULL;
}

static json_t *explain_api(const char *word)
{
	const struct dma_api *api = dma_api_find(word);
	g_autoptr(GString) serves = g_string_new(NULL);
	json_t *facts;

	if (!api)
		return NULL;
	for (const struct workload_ops *const *w = workloads; *w; w++)
		if (dma_api_path(api, (*w)->kind))
			g_string_append_printf(serves, "%s%s", serves->len ? ", " : "", (*w)->name);
	facts = json_pack("{s:s, s:s}", "is", "DMA API", "name", api->name);
	explain_fact(facts, "what", api->help);
	explain_fact(facts, "runs as shipped in", kernel_profiles[api->shipped].name);
	explain_fact(facts, "needs",
		     api->needs_iova_api ? "a kernel with the two-step IOVA API (7.0 profile)" : NULL);
	explain_fact(facts, "workloads", serves->str);
	return facts;
}

static json_t *explain_workload(const char *word)
{
	const struct workload_ops *w = workload_find(word);
	json_t *facts;

	if (!w)
		return NULL;
	facts = json_pack("{s:s, s:s}", "is", "workload", "name", w->name);
	explain_fact(facts, "what", w->help);
	explain_fact(facts, "input",
		     w->needs_trace ? trace_workload_names[w->input] : "none: it makes its own load");
	return facts;
}

static json_t *explain_account(const char *word)
{
	const char *account = g_str_has_prefix(word, "memory.") ? word + strlen("memory.") : word;

	for (int a = 0; a < LEDGER_COUNT; a++)
		if (!strcmp(ledger_name(a), account)) {
			json_t *facts = json_pack("{s:s, s:s}", "is", "memory account", "name", word);

			explain_fact(facts, "what", ledger_help(a));
			explain_fact(facts, "at the end",
				     ledger_per_request(a) ? "0: it is per request" : "state that stays");
			return facts;
		}
	return NULL;
}

static json_t *explain_mode(const char *word)
{
	static const struct {
		const char *name, *what;
	} modes[] = {
	    {"strict",
	     "IOMMU on; an unmap returns after its IOTLB invalidation has completed (iommu.strict=1)"},
	    {"lazy", "IOMMU on; unmaps are queued and flushed together, every 255 per CPU or after 10 ms "
		     "(iommu.strict=0)"},
	    {"passthrough", "IOMMU on, DMA addresses are physical addresses (iommu=pt)"},
	    {"off", "no IOMMU"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++)
		if (!strcmp(modes[i].name, word)) {
			json_t *facts = json_pack("{s:s, s:s}", "is", "IOMMU mode", "name", word);

			explain_fact(facts, "what", modes[i].what);
			return facts;
		}
	return NULL;
}

/* Words that people use for what has several names here. */
static const struct {
	const char *word;
	const char *names[6];
} aliases[] = {
    {"flushes", {"qi.desc_iotlb_page", "qi.desc_iotlb_domain", "qi.desc_iotlb_global", "iommu.flush_all"}},
    {"invalidations",
     {"qi.desc_iotlb_page", "qi.desc_iotlb_domain", "qi.desc_iotlb_global", "qi.desc_total"}},
    {"misses", {"iotlb.misses", "walker.walks", "walker.memory_reads"}},
    {"latency", {"io.latency_p50_ns", "io.latency_p99_ns", "io.latency_p999_ns"}},
    {"throughput", {"io.bandwidth", "io.iops"}},
    {"bandwidth", {"io.bandwidth"}},
    {"iops", {"io.iops"}},
    {"exposure", {"exposure.stale_ns_bytes", "exposure.stale_max_ns", "exposure.overmapped_bytes"}},
    {"p2p", {"p2p.bytes_direct", "p2p.bytes_host_bridge", "p2p.refused"}},
    {"faults", {"fault.recorded", "fault.lost"}},
};

static const char *const *alias_of(const char *word)
{
	for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++)
		if (!g_ascii_strcasecmp(aliases[i].word, word))
			return aliases[i].names;
	return NULL;
}

/* Every name that can be explained, for the nearest one. */
static const char **all_names(size_t *n, GPtrArray *owned)
{
	GPtrArray *names = g_ptr_array_new();

	for (const struct param_table *const *t = config_tables(); *t; t++)
		for (size_t i = 0; i < (*t)->nspecs; i++) {
			char *name = g_strdup_printf("%s.%s", (*t)->section, (*t)->specs[i].name);

			g_ptr_array_add(owned, name);
			g_ptr_array_add(names, name);
		}
	for (const struct stat_group *g = stat_groups; g->table; g++)
		for (size_t i = 0; i < g->table->nspecs; i++)
			g_ptr_array_add(names, (char *)g->table->specs[i].name);
	for (const struct workload_ops *const *w = workloads; *w; w++) {
		g_ptr_array_add(names, (char *)(*w)->name);
		for (size_t i = 0; (*w)->stats && i < (*w)->stats->nspecs; i++)
			g_ptr_array_add(names, (char *)(*w)->stats->specs[i].name);
	}
	for (const struct dma_api *const *a = dma_apis; *a; a++)
		g_ptr_array_add(names, (char *)(*a)->name);
	for (int a = 0; a < LEDGER_COUNT; a++)
		g_ptr_array_add(names, (char *)ledger_name(a));
	for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++)
		g_ptr_array_add(names, (char *)aliases[i].word);
	for (const char *const *m = iommu_mode_names; *m; m++)
		g_ptr_array_add(names, (char *)*m);
	for (const struct perf_name *p = perf_names; p->stat; p++) {
		if (p->pmu)
			g_ptr_array_add(names, (char *)p->pmu);
		if (p->uncore)
			g_ptr_array_add(names, (char *)p->uncore);
	}
	*n = names->len;
	return (const char **)g_ptr_array_free(names, FALSE);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "ats, compare, context, ...": what the known names begin with, once each, sorted. */
static char *first_words(const char *const *names, size_t n)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; i < n; i++)
		if (strchr(names[i], '.')) {
			char *first = g_strndup(names[i], strcspn(names[i], "."));

			if (g_ptr_array_find_with_equal_func(list, first, g_str_equal, NULL))
				g_free(first);
			else
				g_ptr_array_add(list, first);
		}
	g_ptr_array_sort(list, by_name);
	g_ptr_array_add(list, NULL);
	return g_strjoinv(", ", (char **)list->pdata);
}

static int not_found(const char *word)
{
	g_autofree char *known = NULL;
	g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
	size_t n;
	g_autofree const char **names = all_names(&n, owned);
	const char *near = nearest_name(word, names, n);

	if (near)
		return cli_usage("explain", "nothing is called '%s'; did you mean '%s'?", word, near);
	known = first_words(names, n);
	return cli_usage(
	    "explain",
	    "nothing is called '%s'; there are names that begin with %s (dmasim stats, params, apis "
	    "and workloads list them)",
	    word, known);
}

static void print_facts(const json_t *facts)
{
	const char *key;
	json_t *value;

	printf("%s: %s\n", json_string_value(json_object_get(facts, "name")),
	       json_string_value(json_object_get(facts, "is")));
	json_object_foreach ((json_t *)facts, key, value) {
		if (!strcmp(key, "name") || !strcmp(key, "is"))
			continue;
		printf("  %s:\n", key);
		cli_print_wrapped(stdout, json_string_value(value), 4, 92);
	}
}

static void look_up(const char *name, GPtrArray *found)
{
	static json_t *(*const finders[])(const char *) = {
	    explain_param,   explain_stat, explain_event,    explain_api,     explain_workload,
	    explain_account, explain_mode, explain_register, explain_section,
	};

	for (size_t f = 0; f < G_N_ELEMENTS(finders); f++) {
		json_t *facts = finders[f](name);

		if (facts)
			g_ptr_array_add(found, facts);
	}
}

/* The last part of a name alone: every parameter and statistic that ends in it. */
static void look_up_key(const char *key, GPtrArray *found)
{
	g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
	size_t n;
	g_autofree const char **names = all_names(&n, owned);

	for (size_t i = 0; i < n; i++) {
		const char *dot = strrchr(names[i], '.');

		if (dot && !strcmp(dot + 1, key))
			look_up(names[i], found);
	}
}

static int run(void *options, int nargs, char **args)
{
	const struct cli_common *o = options;
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	json_t *all;

	if (!nargs)
		return cli_usage("explain",
				 "a name is wanted: a statistic, parameter, API, workload, mode or account");
	for (int i = 0; i < nargs; i++) {
		const char *const *names = alias_of(args[i]);
		unsigned before = found->len;

		look_up(args[i], found);
		for (size_t k = 0; names && k < G_N_ELEMENTS(aliases[0].names) && names[k]; k++)
			look_up(names[k], found);
		if (found->len == before)
			look_up_key(args[i], found);
		if (found->len == before)
			return not_found(args[i]);
	}
	if (!o->json) {
		for (unsigned i = 0; i < found->len; i++)
			print_facts(found->pdata[i]);
		return cli_finish_output(CLI_OK);
	}
	all = json_array();
	for (unsigned i = 0; i < found->len; i++)
		json_array_append(all, found->pdata[i]);
	return cli_print_json(all);
}

const struct cli_command cli_command_explain = {
    .name = "explain",
    .args = "NAME...",
    .help = "what a statistic, parameter, API, workload, mode or memory account is",
    .about =
	"Looks the name up in every table of the program. One name can be several things: all are shown; "
	"common "
	"words (flushes, misses, latency) show the statistics that they stand for, the last part of a name "
	"all that "
	"end in it, and iommu.cap=VALUE or iommu.ecap=VALUE what the fields of such a register say. An "
	"event of Intel's counters (UNC_IIO_IOMMU0.MISSES, iommu_mrds) finds the statistic that counts the "
	"same.",
    .examples =
	"dmasim explain qi.desc_iotlb_page\ta statistic\ndmasim explain iotlb.entries lazy "
	"link\tseveral names\ndmasim explain iommu.cap=d2078c106f0466\ta register as the kernel printed it",
    .group = CLI_GROUP_LEARN,
    .completes = &cli_words_names,
    .run = run,
};
