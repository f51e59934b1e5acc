/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorded machine's PCI tree, where memory of one of its functions is used by others: from the lines
 * "pci", "path" and "p2pmem" of environment.txt to a description (docs/topology.md). Whether a port redirects
 * shows in the IOMMU groups: a port that does not is in one group with what lies below it.
 */
#include "internal.h"

#include <dmasim/p2pdma.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 16 };

struct tree_node {
	char *name, *parent; /* parent: NULL below the host bridge */
	unsigned group;
	bool bridge, shares_group; /* with a function below it */
	bool ats;
	GString *bars;
};

struct verify_topology {
	GPtrArray *nodes;    /* struct tree_node, parents first */
	GHashTable *bridges; /* names of class 0x0604 */
	bool ats;            /* some function caches translations */
	char *provider;      /* function whose memory is used, NULL: none */
	uint64_t size;       /* of that memory */
};

static void node_free(void *data)
{
	struct tree_node *n = data;

	g_free(n->name);
	g_free(n->parent);
	g_string_free(n->bars, TRUE);
	g_free(n);
}

struct verify_topology *verify_topology_new(void)
{
	struct verify_topology *t = g_new0(struct verify_topology, 1);

	t->nodes = g_ptr_array_new_with_free_func(node_free);
	t->bridges = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return t;
}

void verify_topology_free(struct verify_topology *t)
{
	if (!t)
		return;
	g_ptr_array_unref(t->nodes);
	g_hash_table_unref(t->bridges);
	g_free(t->provider);
	g_free(t);
}

static struct tree_node *node_named(const struct verify_topology *t, const char *name)
{
	for (unsigned i = 0; name && i < t->nodes->len; i++) {
		struct tree_node *n = t->nodes->pdata[i];

		if (!strcmp(n->name, name))
			return n;
	}
	return NULL;
}

/* "0xA-0xB,..." : memory BARs of a power of two of pages become options. */
static void take_bars(struct tree_node *n, const char *text)
{
	uint64_t first, last;
	unsigned index = 0;

	for (const char *p = text; p && sscanf(p, "%" SCNx64 "-%" SCNx64, &first, &last) == 2 && index < 6;) {
		uint64_t size = last - first + 1;

		if (first >= 1 * MIB && size >= PAGE_SIZE && !(size & (size - 1))) {
			g_string_append_printf(n->bars, " bar%u=%" PRIu64 "@0x%" PRIx64, index, size, first);
			index++;
		}
		p = strchr(p, ',');
		if (p && !g_ascii_isxdigit(p[1]))
			break;
		p = p ? p + 1 : NULL;
	}
}

static void take_path(struct verify_topology *t, const char *line)
{
	g_autofree char *path = g_strndup(line, strcspn(line, " "));
	g_auto(GStrv) parts = g_strsplit(path, "/", MAX_DEPTH);
	unsigned n = g_strv_length(parts), group;
	const char *at = strstr(line, " group="), *bars = strstr(line, " bars=");
	struct tree_node *node, *parent;

	if (n < 2 || !at || sscanf(at, " group=%u", &group) != 1)
		return;
	node = g_new0(struct tree_node, 1);
	node->name = g_strdup(parts[n - 1]);
	node->parent = n > 2 ? g_strdup(parts[n - 2]) : NULL;
	node->group = group;
	node->bridge = g_hash_table_contains(t->bridges, node->name);
	node->bars = g_string_new(NULL);
	if (bars && !node->bridge)
		take_bars(node, bars + strlen(" bars="));
	parent = node_named(t, node->parent);
	if (parent && parent->group == group)
		parent->shares_group = true;
	g_ptr_array_add(t->nodes, node);
}

void verify_topology_line(struct verify_topology *t, const char *line)
{
	char name[64];
	uint64_t size;

	if (sscanf(line, "pci %63s class=0x0604", name) == 1 && strstr(line, "class=0x0604"))
		g_hash_table_add(t->bridges, g_strdup(name));
	else if (!strncmp(line, "path ", 5))
		take_path(t, line + 5);
	else if (sscanf(line, "p2pmem %63s size=%" SCNu64, name, &size) == 2 && strstr(line, "published=1")) {
		g_free(t->provider);
		t->provider = g_strdup(name);
		t->size = size;
	}
}

bool verify_topology_has_peers(const struct verify_topology *t)
{
	return t->provider && t->nodes->len;
}

void verify_topology_ats(struct verify_topology *t, uint16_t sid)
{
	g_autofree char *name = g_strdup_printf("0000:%02x:%02x.%x", sid >> 8, sid >> 3 & 31u, sid & 7u);
	struct tree_node *n = node_named(t, name);

	if (n)
		n->ats = t->ats = true;
}

bool verify_topology_matters(const struct verify_topology *t)
{
	return t->nodes->len && (t->provider || t->ats);
}

/* What a node is: ports and switches take turns below a root port. */
static const char *node_kind(const struct verify_topology *t, const struct tree_node *n)
{
	const struct tree_node *parent = node_named(t, n->parent);
	bool below_port = false;

	if (!n->bridge)
		return "function";
	for (; parent; parent = node_named(t, parent->parent))
		below_port = !below_port;
	return below_port ? "switch" : "port";
}

char *verify_topology_describe(const struct verify_topology *t)
{
	GString *s = g_string_new("bridge root");

	for (unsigned i = 0; i < t->nodes->len; i++) {
		const struct tree_node *n = t->nodes->pdata[i];
		const char *kind = node_kind(t, n);

		g_string_append_printf(s, "; %s %s on %s%s", kind, n->name, n->parent ? n->parent : "root",
				       n->bars->str);
		if (!strcmp(kind, "port"))
			g_string_append(s, n->shares_group ? " acs=none" : " acs=sv,rr,cr,uf");
		if (n->ats)
			g_string_append(s, " ats");
	}
	return g_string_free(s, FALSE);
}

/* Its memory may be used by others from now on. */
bool verify_topology_provide(const struct verify_topology *t, struct machine *m)
{
	struct pcie_node *node = pcie_find(m->fabric, t->provider);

	if (!node)
		return false;
	for (unsigned i = 0; i < PCIE_BARS; i++) {
		if (node->bars[i] && node->bars[i]->size == t->size &&
		    !pci_p2pdma_add_resource(node, i, 0, 0)) {
			pci_p2pmem_publish(node, true);
			return true;
		}
	}
	return false;
}
