/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topology from a description: one node per statement, statements on lines of their own or separated by
 * semicolons, parents before children, # starts a comment.
 *
 *   bridge   NAME [id=VENDOR:DEVICE] [socket=N]
 *   port     NAME on PARENT [options]     root port (on a bridge) or downstream port (on a switch)
 *   switch   NAME on PARENT [options]     a switch's upstream port
 *   function NAME on PARENT [options]     endpoint
 *
 * NAME is DOMAIN:BUS:SLOT.FUNCTION, for bridges any word. Options: id=VENDOR:DEVICE (hex),
 * rate=GT/s and lanes=N of the link above the node, acs=none or a comma list of sv tb rr cr uf ec dt,
 * ats, barN=SIZE or barN=SIZE@ADDRESS.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

struct reader {
	struct pcie_fabric *f;
	const char *origin; /* file name, or the parameter's */
	unsigned line;
	GError **error;
};

G_GNUC_PRINTF(2, 3) static bool fail(struct reader *r, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(r->error, PARAM_ERROR, 0, "%s:%u: %s", r->origin, r->line, text);
	return false;
}

static bool parse_acs(struct reader *r, struct pcie_node *n, const char *text)
{
	static const struct {
		const char *name;
		uint16_t bit;
	} bits[] = {{"sv", ACS_SV}, {"tb", ACS_TB}, {"rr", ACS_RR}, {"cr", ACS_CR},
		    {"uf", ACS_UF}, {"ec", ACS_EC}, {"dt", ACS_DT}};
	g_auto(GStrv) words = g_strsplit(text, ",", -1);

	n->has_acs = strcmp(text, "none") != 0;
	n->acs = 0;
	for (char **w = words; n->has_acs && *w; w++) {
		unsigned i = 0;

		while (i < G_N_ELEMENTS(bits) && g_ascii_strcasecmp(*w, bits[i].name) != 0)
			i++;
		if (i == G_N_ELEMENTS(bits))
			return fail(r, "acs=%s: '%s' is none of sv tb rr cr uf ec dt (or acs=none)", text,
				    *w);
		n->acs |= bits[i].bit;
	}
	return true;
}

/* "SIZE" or "SIZE@ADDRESS". */
static bool parse_bar(struct reader *r, struct pcie_node *n, unsigned index, const char *text)
{
	static const struct param_spec size_spec = {.name = "bar", .type = PARAM_SIZE, .unit = "bytes"};
	g_auto(GStrv) parts = g_strsplit(text, "@", 2);
	uint64_t size = 0, base = 0;

	if (!param_set(&size_spec, &size, parts[0], r->error)) {
		g_prefix_error(r->error, "%s:%u: bar%u: ", r->origin, r->line, index);
		return false;
	}
	if (parts[1]) {
		char *end;

		base = g_ascii_strtoull(parts[1], &end, 16);
		if (*end || base & ~PAGE_MASK)
			return fail(r, "bar%u=%s: want SIZE@ADDRESS with a page-aligned address in hex",
				    index, text);
	}
	if (!pcie_add_bar(n, index, base, size, MEMORY_MMIO))
		return fail(r, "bar%u=%s: already given, empty, or overlapping memory or another BAR", index,
			    text);
	return true;
}

static bool parse_option(struct reader *r, struct pcie_node *n, const char *word)
{
	const char *value = strchr(word, '=');
	unsigned a, b;
	char rest;

	if (!strcmp(word, "ats")) {
		n->ats = true;
		return true;
	}
	if (!value)
		return fail(r, "'%s' is no option: want id= rate= lanes= acs= socket= ats barN=", word);
	value++;
	if (g_str_has_prefix(word, "id=")) {
		if (sscanf(value, "%x:%x%c", &a, &b, &rest) != 2 || a > 0xffff || b > 0xffff)
			return fail(r, "%s: want id=VENDOR:DEVICE in hex, e.g. id=8086:2030", word);
		n->vendor = (uint16_t)a;
		n->device = (uint16_t)b;
	} else if (g_str_has_prefix(word, "rate=")) {
		double rate = g_ascii_strtod(value, NULL);

		if (!(rate >= 2.5 && rate <= 64))
			return fail(r, "%s: want a link rate from 2.5 to 64 (GT/s)", word);
		pcie_set_link(n, rate, n->lanes);
	} else if (g_str_has_prefix(word, "lanes=")) {
		if (sscanf(value, "%u%c", &a, &rest) != 1 || a < 1 || a > 32)
			return fail(r, "%s: want 1 to 32 lanes", word);
		pcie_set_link(n, n->rate, a);
	} else if (g_str_has_prefix(word, "socket=")) {
		if (sscanf(value, "%u%c", &n->socket, &rest) != 1 || n->socket > 63)
			return fail(r, "%s: want a socket number from 0 to 63", word);
	} else if (g_str_has_prefix(word, "acs=")) {
		return parse_acs(r, n, value);
	} else if (sscanf(word, "bar%u=", &a) == 1 && a < PCIE_BARS) {
		return parse_bar(r, n, a, value);
	} else {
		return fail(r, "'%s' is no option: want id= rate= lanes= acs= socket= ats barN=", word);
	}
	return true;
}

/* What a node of this kind is, given what it hangs on; -1 if it cannot hang there. */
static int node_type(const char *kind, const struct pcie_node *parent)
{
	bool on_bridge = parent && parent->type == PCIE_HOST_BRIDGE;
	bool on_port = parent && (parent->type == PCIE_ROOT_PORT || parent->type == PCIE_SWITCH_DOWN);

	if (!strcmp(kind, "bridge"))
		return parent ? -1 : PCIE_HOST_BRIDGE;
	if (!strcmp(kind, "port"))
		return on_bridge                                  ? PCIE_ROOT_PORT
		       : parent && parent->type == PCIE_SWITCH_UP ? PCIE_SWITCH_DOWN
								  : -1;
	if (!strcmp(kind, "switch"))
		return on_port ? PCIE_SWITCH_UP : -1;
	return on_bridge || on_port ? PCIE_ENDPOINT : -1;
}

static bool statement(struct reader *r, const char *text)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \t\r", -1);
	const char *word[16];
	struct pcie_node *parent = NULL, *node;
	unsigned n = 0, at = 2;
	int type;

	for (char **w = words; *w; w++) {
		if (!**w)
			continue;
		if (n == G_N_ELEMENTS(word))
			return fail(r, "too many words in '%s'", text);
		word[n++] = *w;
	}
	if (!n)
		return true;
	if (strcmp(word[0], "bridge") && strcmp(word[0], "port") && strcmp(word[0], "switch") &&
	    strcmp(word[0], "function"))
		return fail(r, "'%s': want bridge, port, switch or function", word[0]);
	if (n < 2)
		return fail(r, "%s without a name", word[0]);
	if (pcie_find(r->f, word[1]))
		return fail(r, "%s is there already", word[1]);
	if (n >= 4 && !strcmp(word[2], "on")) {
		parent = pcie_find(r->f, word[3]);
		if (!parent)
			return fail(r, "%s hangs on %s, which is not described before it", word[1], word[3]);
		at = 4;
	}
	type = node_type(word[0], parent);
	if (type < 0)
		return fail(r,
			    "a %s cannot be there: bridges stand alone, ports hang on bridges or switches, "
			    "switches on ports, functions on ports or bridges ('... NAME on PARENT')",
			    word[0]);
	node = pcie_add(r->f, parent, (enum pcie_node_type)type, word[1]);
	for (; at < n; at++)
		if (!parse_option(r, node, word[at]))
			return false;
	return true;
}

bool pcie_describe(struct pcie_fabric *f, const char *text, const char *origin, GError **error)
{
	struct reader r = {.f = f, .origin = origin, .error = error};
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) parts = NULL;
		char *comment = strchr(*line, '#');

		r.line++;
		if (comment)
			*comment = '\0';
		parts = g_strsplit(*line, ";", -1);
		for (char **part = parts; *part; part++)
			if (!statement(&r, *part))
				return false;
	}
	return true;
}

bool pcie_read_topology(struct pcie_fabric *f, const char *value, GError **error)
{
	g_autofree char *text = NULL;
	GError *why = NULL;
	bool ok;

	if (strchr(value, ';') || g_str_has_prefix(value, "bridge "))
		return pcie_describe(f, value, "pcie.topology", error);
	if (!g_file_get_contents(value, &text, NULL, &why)) {
		g_set_error(error, PARAM_ERROR, 0, "pcie.topology = %s: %s", value, why->message);
		g_error_free(why);
		return false;
	}
	/* Dumps have lines of hexadecimal bytes; descriptions never begin with a number and a colon. */
	if (strstr(text, "\n00: "))
		ok = pcie_load_dump(f, value, error);
	else
		ok = pcie_describe(f, text, value, error);
	if (ok && !f->nodes->len) {
		g_set_error(
		    error, PARAM_ERROR, 0,
		    "%s: neither an lspci -xxxx dump nor a description (bridge, port, switch, function)",
		    value);
		return false;
	}
	return ok;
}

bool pcie_load_topology(struct pcie_fabric *f, const char *value, GError **error)
{
	const struct pcie_node *port;

	if (!pcie_read_topology(f, value, error))
		return false;
	port = f->p2p.acs == P2P_ACS_FOUND ? pcie_hidden_port(f) : NULL;
	if (!port)
		return true;
	g_set_error(error, PARAM_ERROR, 0,
		    "%s: the dump ends before the extended capabilities of port %s, so whether it redirects "
		    "peer traffic (ACS) is not known; dump with lspci -xxxx as root, or say it: p2p.acs = on "
		    "(as Linux sets it with an IOMMU) or off",
		    value, port->name);
	return false;
}
