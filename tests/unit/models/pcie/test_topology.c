/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Topologies: described, dumped, broken. */
#include "support.h"

#include <dmasim/pcie.h>
#include <glib/gstdio.h>
#include <string.h>

static struct sim sim;
static struct memory *mem;
static struct pcie_fabric *f;
static struct pcie_stats st;

static void setup(void)
{
	struct memory_params mp;
	struct pcie_params pp;

	sim_init(&sim, FIDELITY_COUNTS, 1, 1);
	param_defaults(&memory_param_table, &mp);
	mem = memory_new(&sim, &mp);
	param_defaults(&pcie_param_table, &pp);
	f = pcie_fabric_new(&sim, mem, &pp, &st);
	param_clear(&pcie_param_table, &pp);
}

static void teardown(void)
{
	pcie_fabric_free(f);
	memory_free(mem);
	sim_fini(&sim);
}

START_TEST(described)
{
	GError *error = NULL;
	const struct pcie_node *n;

	ck_assert(
	    pcie_load_topology(f,
			       "bridge pci0000:00 id=8086:2030 socket=1;"
			       "port 0000:00:01.0 on pci0000:00 acs=sv,rr,cr,uf rate=16 lanes=16;"
			       "switch 0000:01:00.0 on 0000:00:01.0;"
			       "port 0000:02:08.0 on 0000:01:00.0 acs=none # left out of the redirection",
			       &error));
	ck_assert(pcie_describe(f,
				"\n\nfunction 0000:03:00.1 on 0000:02:08.0 ats bar0=16MiB bar2=4KiB@f0000000",
				"text", &error));
	n = pcie_find(f, "0000:03:00.1");
	ck_assert_uint_eq(n->type, PCIE_ENDPOINT);
	ck_assert_uint_eq(n->sid, 0x0301);
	ck_assert(n->ats);
	ck_assert_uint_eq(n->bars[0]->size, 16 * MIB);
	ck_assert_uint_eq(n->bars[2]->base, 0xf0000000);
	ck_assert_uint_eq(n->socket, 1);
	n = n->parent;
	ck_assert_uint_eq(n->type, PCIE_SWITCH_DOWN);
	ck_assert(!n->has_acs);
	n = n->parent;
	ck_assert_uint_eq(n->type, PCIE_SWITCH_UP);
	n = n->parent;
	ck_assert_uint_eq(n->type, PCIE_ROOT_PORT);
	ck_assert_uint_eq(n->acs, ACS_SV | ACS_RR | ACS_CR | ACS_UF);
	ck_assert(n->rate == 16);
	ck_assert_uint_eq(n->lanes, 16);
	ck_assert_uint_eq(n->parent->vendor, 0x8086);
	ck_assert_uint_eq(n->parent->device, 0x2030);
}
END_TEST

/* Each mistake is named with its line; nothing crashes. */
START_TEST(mistakes)
{
	static const char *const rows[][2] = {
	    {"brigde a", "brigde"},
	    {"bridge", "without a name"},
	    {"bridge a; bridge a", "there already"},
	    {"function 0000:01:00.0 on b", "b, which is not described"},
	    {"switch 0000:01:00.0", "cannot be there"},
	    {"bridge a; switch 0000:01:00.0 on a", "cannot be there"},
	    {"bridge a; port 0000:00:01.0 on a acs=rr,xx", "'xx'"},
	    {"bridge a; port 0000:00:01.0 on a rate=3000", "2.5 to 64"},
	    {"bridge a; port 0000:00:01.0 on a lanes=0", "1 to 32"},
	    {"bridge a; port 0000:00:01.0 on a fast", "'fast'"},
	    {"bridge a id=80861234", "VENDOR:DEVICE"},
	    {"bridge a socket=-1", "socket"},
	    {"bridge a; function 0000:00:02.0 on a bar0=4", ""},
	    {"bridge a; function 0000:00:02.0 on a bar0=4XB", "bar0"},
	    {"bridge a; function 0000:00:02.0 on a bar9=4KiB", "barN"},
	    {"bridge a; function 0000:00:02.0 on a bar0=4KiB@12", "page-aligned"},
	    {"bridge a; function 0000:00:02.0 on a bar0=4KiB bar0=4KiB", "already given"},
	    {"bridge a; function 0000:00:02.0 on a bar0=4KiB@10000", "overlapping"},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf("# comment\n%s\n", rows[i][0]);
		GError *error = NULL;
		bool ok = pcie_describe(f, text, "here", &error);

		if (!rows[i][1][0]) {
			ck_assert(ok);
		} else {
			ck_assert_msg(!ok, "%s", rows[i][0]);
			ck_assert_msg(g_str_has_prefix(error->message, "here:2: "), "%s", error->message);
			ck_assert_msg(strstr(error->message, rows[i][1]) != NULL, "%s", error->message);
			g_clear_error(&error);
		}
		teardown();
		setup();
	}
}
END_TEST

START_TEST(impossible_parameters)
{
	static const struct {
		uint64_t mps, mrrs, rcb;
		const char *host_bridge, *named;
	} rows[] = {
	    {256, 512, 64, "8086:09a2", NULL},
	    {256, 512, 64, "", NULL},
	    {300, 512, 64, "", "pcie.mps"},
	    {256, 600, 64, "", "pcie.mrrs"},
	    {256, 512, 96, "", "pcie.rcb"},
	    {256, 512, 64, "8086", "p2p.host_bridge"},
	    {256, 512, 64, "8086:12345", "p2p.host_bridge"},
	    {256, 512, 64, "8086:09a2x", "p2p.host_bridge"},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct pcie_params p = {.mps = rows[i].mps, .mrrs = rows[i].mrrs, .rcb = rows[i].rcb};
		struct p2p_params q = {.host_bridge = (char *)rows[i].host_bridge};
		GError *error = NULL;

		ck_assert_int_eq(pcie_params_check(&p, &q, &error), !rows[i].named);
		if (rows[i].named)
			ck_assert_ptr_nonnull(strstr(error->message, rows[i].named));
		g_clear_error(&error);
	}
}
END_TEST

START_TEST(dumped)
{
	GError *error = NULL;
	const struct pcie_node *n;

	ck_assert(pcie_load_topology(f, DMASIM_TEST_DATA "/pci/lspci-xxxx.txt", &error));
	n = pcie_find(f, "0000:3b:00.0");
	ck_assert_ptr_nonnull(n);
	ck_assert_uint_eq(n->vendor, 0x144d);
	ck_assert_uint_eq(n->device, 0xa808);
	ck_assert_uint_eq(n->sid, 0x3b00);
	ck_assert(n->ats);
	ck_assert_ptr_nonnull(pcie_find(f, "0000:00:00.0"));
	n = pcie_find(f, "10000:01:00.1");
	ck_assert_ptr_nonnull(n);
	ck_assert_uint_eq(n->pci_domain, 0x10000);
}
END_TEST

/* One function's configuration space as lspci -xxxx prints it. */
struct function {
	unsigned bus, slot, type; /* type: PCIe device/port type */
	bool bridge;
	unsigned secondary;
	int acs; /* control bits, -1: no capability */
};

static void dump_function(GString *out, const struct function *fn)
{
	uint8_t c[4096] = {0};

	c[0] = 0x86;
	c[1] = 0x80;
	c[2] = 0x30;
	c[3] = 0x20;
	c[0x06] = 0x10; /* capability list */
	c[0x0e] = fn->bridge;
	c[0x18] = (uint8_t)fn->bus;
	c[0x19] = c[0x1a] = (uint8_t)fn->secondary;
	c[0x34] = 0x40;
	c[0x40] = 0x10; /* PCI Express */
	c[0x42] = (uint8_t)(2 | fn->type << 4);
	if (fn->acs >= 0) {
		c[0x100] = 0x0d; /* ACS */
		c[0x102] = 1;
		c[0x106] = (uint8_t)fn->acs;
	}
	g_string_append_printf(out, "%02x:%02x.0 Class: Device\n", fn->bus, fn->slot);
	for (unsigned i = 0; i < sizeof(c); i += 16) {
		g_string_append_printf(out, "%02x:", i);
		for (unsigned k = 0; k < 16; k++)
			g_string_append_printf(out, " %02x", c[i + k]);
		g_string_append_c(out, '\n');
	}
	g_string_append_c(out, '\n');
}

/* A switch with two drives below one root port, as a machine would dump it. */
START_TEST(dumped_switch)
{
	static const struct function functions[] = {
	    {0, 0, 4, false, 0, -1},  {0, 3, 4, true, 1, 0x1d}, {1, 0, 5, true, 2, -1},
	    {2, 0, 6, true, 3, 0x1d}, {2, 1, 6, true, 4, 0},    {3, 0, 0, false, 0, -1},
	    {4, 0, 0, false, 0, 0},
	};
	g_autofree char *path = g_strdup_printf("%s/dmasim-lspci-%d.txt", g_get_tmp_dir(), (int)getpid());
	GString *text = g_string_new(NULL);
	GError *error = NULL;
	const struct pcie_node *a, *b;

	/* Children before parents: the order in the dump does not matter. */
	for (unsigned i = G_N_ELEMENTS(functions); i-- > 0;)
		dump_function(text, &functions[i]);
	ck_assert(g_file_set_contents(path, text->str, -1, NULL));
	ck_assert_msg(pcie_load_topology(f, path, &error), "%s", error ? error->message : "");
	g_unlink(path);
	g_string_free(text, TRUE);
	a = pcie_find(f, "0000:03:00.0");
	b = pcie_find(f, "0000:04:00.0");
	ck_assert_uint_eq(a->parent->type, PCIE_SWITCH_DOWN);
	ck_assert_uint_eq(a->parent->acs, 0x1d);
	ck_assert(b->parent->has_acs);
	ck_assert_uint_eq(b->parent->acs, 0);
	ck_assert_ptr_eq(a->parent->parent, b->parent->parent);
	ck_assert_uint_eq(a->parent->parent->type, PCIE_SWITCH_UP);
	ck_assert_uint_eq(a->parent->parent->parent->type, PCIE_ROOT_PORT);
	ck_assert_uint_eq(a->parent->parent->parent->parent->type, PCIE_HOST_BRIDGE);
}
END_TEST

START_TEST(unreadable_dumps)
{
	g_autofree char *path = g_strdup_printf("%s/dmasim-bad-%d.txt", g_get_tmp_dir(), (int)getpid());
	static const char *const texts[] = {
	    "",
	    "00:00.0 Host bridge\n00: zz\n",
	    "00:00.0 Host bridge\n00: 86 80\nffffff: 00\n",
	    "\n00: 86 80\n",
	    "hello\n00: 86 80 00 00\n",
	};
	GError *error = NULL;

	ck_assert(!pcie_load_dump(f, "/nonexistent/dump", &error));
	ck_assert_ptr_nonnull(strstr(error->message, "/nonexistent/dump"));
	g_clear_error(&error);
	ck_assert(!pcie_load_topology(f, "/nonexistent/dump", &error));
	g_clear_error(&error);
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
		bool ok;

		ck_assert(g_file_set_contents(path, texts[i], -1, NULL));
		ok = pcie_load_topology(f, path, &error);
		if (!ok) {
			ck_assert_ptr_nonnull(error);
			ck_assert_msg(strstr(error->message, path) != NULL, "%s", error->message);
		}
		g_clear_error(&error);
		teardown();
		setup();
	}
	ck_assert(g_file_set_contents(path, "", -1, NULL));
	ck_assert(!pcie_load_topology(f, path, &error));
	g_clear_error(&error);
	g_unlink(path);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("topology");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, described);
	tcase_add_test(t, mistakes);
	tcase_add_test(t, impossible_parameters);
	tcase_add_test(t, dumped);
	tcase_add_test(t, dumped_switch);
	tcase_add_test(t, unreadable_dumps);
	return test_run("topology", t, NULL);
}
