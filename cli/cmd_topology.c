/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmasim topology: the machine as it was understood from dumps, descriptions and tables. */
#include "introspect.h"
#include "run.h"

#include "models/vtd/dmar.h"

#include <dmasim/p2pdma.h>
#include <jansson.h>
#include <string.h>

struct topology_options {
	struct cli_common common;
	char *pci, *dmar, *route;
};

static const char *const type_names[] = {"host bridge", "root port", "switch", "switch port", "function"};

/* "sv rr cr uf", "-" for none of them, "hidden" where a cut dump does not show it. */
static char *acs_text(const struct pcie_node *n)
{
	static const char *const names[] = {"sv", "tb", "rr", "cr", "uf", "ec", "dt"};
	g_autoptr(GString) s = g_string_new(n->hidden && n->type != PCIE_ENDPOINT ? "hidden" : "");

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		if (pcie_acs(n) >> i & 1)
			g_string_append_printf(s, "%s%s", s->len ? " " : "", names[i]);
	return g_strdup(s->len ? s->str : n->has_acs ? "off" : "-");
}

static const char *ats_text(const struct machine *m, const struct pcie_node *n)
{
	if (n->type == PCIE_ROOT_PORT)
		return machine_ats_supported(m, n) ? "forwarded" : "not in ATSR";
	if (n->type != PCIE_ENDPOINT)
		return "-";
	if (n->ats)
		return "used";
	if (n->hidden)
		return "hidden";
	return machine_ats_supported(m, n) ? "no" : "not in ATSR";
}

static int unit_index(const struct machine *m, const struct pcie_node *n)
{
	guint i;

	return n->iommu && m->units && g_ptr_array_find(m->units, n->iommu, &i) ? (int)i : -1;
}

/* Groups numbered in the order of their functions. */
static int group_number(GPtrArray *groups, const struct pcie_node *n)
{
	const struct pcie_node *group = pcie_group(n);
	guint i;

	if (!g_ptr_array_find(groups, group, &i)) {
		i = groups->len;
		g_ptr_array_add(groups, (void *)group);
	}
	return (int)i;
}

static json_t *bars_json(const struct pcie_node *n)
{
	json_t *bars = json_array();

	for (unsigned i = 0; i < PCIE_BARS; i++) {
		const struct pcie_bar *b = n->bars[i];

		if (b)
			json_array_append_new(
			    bars, json_pack("{s:i, s:o, s:I, s:b}", "bar", (int)i, "address",
					    json_sprintf("0x%" G_GINT64_MODIFIER "x",
							 b->found ? b->found : b->base),
					    "bytes", (json_int_t)b->size, "size_is_bound", b->size_is_bound));
	}
	return bars;
}

static json_t *node_json(const struct machine *m, const struct pcie_node *n, GPtrArray *groups)
{
	json_t *o = json_pack("{s:s, s:s, s:s?, s:o}", "name", n->name, "type", type_names[n->type], "parent",
			      n->parent ? n->parent->name : NULL, "id",
			      n->vendor ? json_sprintf("%04x:%04x", n->vendor, n->device) : json_null());
	int unit = unit_index(m, n);
	g_autofree char *acs = acs_text(n);

	if (n->type == PCIE_HOST_BRIDGE)
		return o;
	json_object_set_new(o, "acs", json_string(acs));
	json_object_set_new(o, "ats", json_string(ats_text(m, n)));
	json_object_set_new(o, "unit", unit < 0 ? json_null() : json_integer(unit));
	json_object_set_new(o, "group", json_integer(group_number(groups, n)));
	json_object_set_new(o, "bars", bars_json(n));
	return o;
}

static json_t *units_json(const struct machine *m)
{
	json_t *units = json_array();

	for (guint i = 0; m->units && i < m->units->len; i++) {
		const struct dmar_unit *u = m->dmar ? &m->dmar->units[i] : NULL;

		json_array_append_new(
		    units,
		    json_pack("{s:i, s:o, s:s, s:i}", "unit", (int)i, "registers",
			      u ? json_sprintf("0x%" G_GINT64_MODIFIER "x", u->base) : json_null(), "scope",
			      !u               ? "all (no DMAR table given)"
			      : u->include_all ? "all that no other unit names"
					       : "what it names",
			      "named", u ? (int)u->scopes.n : 0));
	}
	return units;
}

/* ---- a route between two functions ---- */

/* The first port on the way that sends peer requests to the root complex, NULL. */
static const struct pcie_node *redirecting_port(const struct pcie_node *n, const struct pcie_node *top)
{
	for (; n && n != top; n = n->parent)
		if (n->type != PCIE_ENDPOINT && pcie_redirects(n))
			return n;
	return NULL;
}

static bool above(const struct pcie_node *top, const struct pcie_node *n)
{
	while (n && n != top)
		n = n->parent;
	return n != NULL;
}

/* What the fabric does with a request by bus address, in words. */
static char *route_words(const struct pcie_node *from, const struct pcie_node *to)
{
	const struct pcie_node *top = from, *port;

	while (top && !above(top, to))
		top = top->parent;
	if (!top)
		return g_strdup_printf("they hang under different host bridges (%s socket)",
				       from->socket == to->socket ? "one" : "another");
	if (top->type == PCIE_HOST_BRIDGE)
		return g_strdup_printf("they have only host bridge %s in common", top->name);
	port = redirecting_port(from, top);
	if (!port)
		port = redirecting_port(to, top);
	if (port)
		return g_strdup_printf("%s lies between, but ACS of %s redirects to the root complex",
				       top->name, port->name);
	return g_strdup_printf("%s forwards, no port below it redirects", top->name);
}

static json_t *route_json(struct machine *m, const char *pair, GError **error)
{
	static const char *const types[] = {"unknown", "no peer memory", "refused", "bus address",
					    "through the host bridge"};
	static const char *const means[] = {"", "", "a mapping fails",
					    "no mapping, nothing to translate or unmap",
					    "mapped and translated like memory"};
	g_auto(GStrv) names = g_strsplit(pair, ",", -1);
	struct pcie_node *node[2] = {NULL};
	enum pci_p2pdma_map_type type = PCI_P2PDMA_MAP_NOT_SUPPORTED;
	g_autofree char *why = NULL;
	int distance;

	for (unsigned i = 0; g_strv_length(names) == 2 && i < 2; i++)
		node[i] = pcie_find(m->fabric, g_strstrip(names[i]));
	if (!node[0] || !node[1] || !node[0]->owner || !node[1]->owner) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "--route %s: want FROM,TO, two functions of this machine such as "
			    "0000:01:00.0,0000:02:00.0",
			    pair);
		return NULL;
	}
	pcim_p2pdma_init(node[1]);
	distance = pci_p2pdma_distance(node[1], node[0]->owner);
	for (unsigned i = 0; i < PCIE_BARS && !node[1]->bars[i]; i++)
		if (i + 1 == PCIE_BARS)
			pcie_add_bar(node[1], 0, 0, PAGE_SIZE,
				     MEMORY_MMIO); /* any window: the route is the same */
	for (unsigned i = 0; i < PCIE_BARS; i++)
		if (node[1]->bars[i])
			type = pci_p2pdma_map_type(pcim_p2pdma_provider(node[1], i), node[0]->owner);
	why = route_words(node[0], node[1]);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "from", node[0]->name, "to", node[1]->name,
			 "linux", types[type], "means", means[type], "why", why, "distance",
			 distance < 0 ? json_null() : json_integer(distance));
}

/* ---- text ---- */

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "-";
}

static char *bars_text(const json_t *bars)
{
	static const struct param_spec size_spec = {.name = "bytes", .type = PARAM_SIZE, .unit = "bytes"};
	g_autoptr(GString) s = g_string_new("");
	json_t *b;
	size_t i;

	json_array_foreach (bars, i, b) {
		uint64_t n = (uint64_t)json_integer_value(json_object_get(b, "bytes"));
		g_autofree char *size = param_get(&size_spec, &n);

		g_string_append_printf(s, "%s%lld: %s%s at %s", s->len ? ", " : "",
				       (long long)json_integer_value(json_object_get(b, "bar")),
				       json_is_true(json_object_get(b, "size_is_bound")) ? "up to " : "",
				       size, text_of(b, "address"));
	}
	return g_strdup(s->len ? s->str : "-");
}

static char *number_text(const json_t *v, const char *prefix)
{
	return json_is_integer(v) ? g_strdup_printf("%s%lld", prefix, (long long)json_integer_value(v))
				  : g_strdup("-");
}

/* A node and what hangs below it, depth first in the order of the machine. */
static void add_rows(const json_t *nodes, const char *parent, unsigned depth, GPtrArray *cells)
{
	json_t *n;
	size_t i;

	json_array_foreach (nodes, i, n) {
		const char *up = json_string_value(json_object_get(n, "parent"));

		if (g_strcmp0(up, parent))
			continue;
		g_ptr_array_add(cells, g_strdup_printf("%*s%s", (int)(2 * depth), "", text_of(n, "name")));
		g_ptr_array_add(cells, g_strdup(text_of(n, "type")));
		g_ptr_array_add(cells, g_strdup(text_of(n, "id")));
		g_ptr_array_add(cells, number_text(json_object_get(n, "unit"), "dmar"));
		g_ptr_array_add(cells, number_text(json_object_get(n, "group"), ""));
		g_ptr_array_add(cells, g_strdup(text_of(n, "acs")));
		g_ptr_array_add(cells, g_strdup(text_of(n, "ats")));
		g_ptr_array_add(cells, bars_text(json_object_get(n, "bars")));
		add_rows(nodes, text_of(n, "name"), depth + 1, cells);
	}
}

static int print(json_t *doc)
{
	g_autoptr(GPtrArray) cells = introspect_cells("function", "what", "id", "unit", "group", "ACS", "ATS",
						      "windows", NULL);
	json_t *u, *route = json_object_get(doc, "route");
	size_t i;

	add_rows(json_object_get(doc, "nodes"), NULL, 0, cells);
	cli_print_columns(stdout, (char *const *)cells->pdata, 8, cells->len / 8, 0);
	putchar('\n');
	json_array_foreach (json_object_get(doc, "units"), i, u)
		printf("dmar%zu: registers at %s, translates for %s\n", i, text_of(u, "registers"),
		       text_of(u, "scope"));
	if (route)
		printf("\n%s to memory of %s: %s: %s; %s\n", text_of(route, "from"), text_of(route, "to"),
		       text_of(route, "linux"), text_of(route, "why"), text_of(route, "means"));
	json_decref(doc);
	return cli_finish_output(CLI_OK);
}

/* ---- the machine ---- */

static struct machine *build(struct scenario *s, const struct topology_options *o, GError **error)
{
	const struct pcie_node *n;
	struct machine *m;

	if (!cli_apply_run_options(s, &o->common, error) ||
	    (o->pci && !scenario_set(s, "pcie.topology", o->pci, "--pci", error)) ||
	    (o->dmar && !scenario_set(s, "iommu.dmar", o->dmar, "--dmar", error)))
		return NULL;
	m = machine_new(scenario_config(s), IOMMU_STRICT, kernel_profile_find("7.0"), FIDELITY_COUNTS, 1,
			error);
	for (unsigned i = 0; m && (n = pcie_node_at(m->fabric, i)); i++)
		if (n->type == PCIE_ENDPOINT && !machine_add_device(m, n->name, error)) {
			machine_free(m);
			m = NULL;
		}
	return m;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const struct pcie_node *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int describe(struct machine *m, const struct topology_options *o)
{
	json_t *nodes = json_array(), *doc, *route = NULL;
	g_autoptr(GPtrArray) groups = g_ptr_array_new(), sorted = g_ptr_array_new();
	struct pcie_node *n;
	GError *error = NULL;

	for (unsigned i = 0; (n = pcie_node_at(m->fabric, i)); i++)
		if (n->type != PCIE_HOST_BRIDGE || n->nchildren)
			g_ptr_array_add(sorted, n);
	g_ptr_array_sort(sorted, by_name);
	for (guint i = 0; i < sorted->len; i++)
		json_array_append_new(nodes, node_json(m, sorted->pdata[i], groups));
	doc = json_pack("{s:o, s:o}", "nodes", nodes, "units", units_json(m));
	if (o->route) {
		route = route_json(m, o->route, &error);
		if (!route) {
			json_decref(doc);
			return cli_fail(error);
		}
		json_object_set_new(doc, "route", route);
	}
	return o->common.json ? cli_print_json(doc) : print(doc);
}

static int run(void *options, int nargs, char **args)
{
	const struct topology_options *o = options;
	GError *error = NULL;
	struct scenario *s;
	struct machine *m;
	int status;

	if (nargs > 1)
		return cli_usage("topology", "wants at most one scenario");
	s = nargs ? scenario_load(args[0], &error) : scenario_new();
	m = s ? build(s, o, &error) : NULL;
	status = m ? describe(m, o) : cli_fail(error);
	machine_free(m);
	scenario_free(s);
	return status;
}

#define O(member) offsetof(struct topology_options, member)
static const struct cli_option options[] = {
    {"pci", 0, CLI_PATH, O(pci), "FILE", "dump (lspci -vxxxx as root) or description; as pcie.topology",
     NULL},
    {"dmar", 0, CLI_PATH, O(dmar), "FILE", "ACPI DMAR table: raw, acpidump's text or iasl's; as iommu.dmar",
     NULL},
    {"route", 0, CLI_STRING, O(route), "FROM,TO",
     "how function FROM reaches memory of function TO, and why Linux maps it so", NULL},
    {0},
};

const struct cli_command cli_command_topology = {
    .name = "topology",
    .args = "[SCENARIO]",
    .help = "print the PCI tree, IOMMU units and groups, ACS, ATS and windows as understood",
    .about =
	"What was read out of pcie.topology and iommu.dmar: of each function the unit that translates for "
	"it, "
	"its IOMMU group by Linux's rule, ACS control bits of ports as the run would have them (p2p.acs), "
	"whether ATS is used and which root ports the DMAR table lets forward it, and its memory windows. "
	"Windows are \"up to\" a size where the dump does not tell it: lspci -v beside -xxxx does. "
	"\"hidden\": "
	"the dump was cut before the extended capabilities.",
    .examples =
	"dmasim topology --pci machine.txt --dmar DMAR\twhat a run would make of this machine\n"
	"dmasim topology --pci machine.txt --route 0000:03:00.0,0000:04:00.0\tpeer traffic between two",
    .group = CLI_GROUP_INPUT,
    .run_options = true,
    .options = options,
    .options_size = sizeof(struct topology_options),
    .completes = &cli_words_files,
    .run = run,
};
