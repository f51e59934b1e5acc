/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Topologies: described, dumped, broken. */
#include "support.h"

#include "models/pcie/pcie.h"
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

/* A port that does not isolate draws what is below it together; so do functions of one device without ACS. */
START_TEST(groups)
{
	GError *error = NULL;

	ck_assert(pcie_load_topology(
	    f,
	    "bridge root; port 0000:00:01.0 on root acs=sv,rr,cr,uf; port 0000:00:02.0 on root acs=none;"
	    "port 0000:00:03.0 on root acs=sv,rr,cr,uf;"
	    "function 0000:01:00.0 on 0000:00:01.0; function 0000:01:00.1 on 0000:00:01.0;"
	    "function 0000:02:00.0 on 0000:00:02.0; switch 0000:03:00.0 on 0000:00:03.0;"
	    "port 0000:04:00.0 on 0000:03:00.0 acs=sv,rr,cr,uf; port 0000:04:01.0 on 0000:03:00.0 acs=none;"
	    "port 0000:04:02.0 on 0000:03:00.0 acs=sv,cr,uf;"
	    "function 0000:05:00.0 on 0000:04:00.0; function 0000:06:00.0 on 0000:04:01.0;"
	    "function 0000:07:00.0 on 0000:04:02.0; function 0000:00:1f.2 on root; function 0000:00:1f.3 on "
	    "root",
	    &error));
	ck_assert_str_eq(pcie_group(pcie_find(f, "0000:01:00.0"))->name, "0000:01:00.0");
	ck_assert_str_eq(pcie_group(pcie_find(f, "0000:01:00.1"))->name, "0000:01:00.0");
	ck_assert_str_eq(pcie_group(pcie_find(f, "0000:02:00.0"))->name, "0000:00:02.0");
	ck_assert_str_eq(pcie_group(pcie_find(f, "0000:00:02.0"))->name, "0000:00:02.0");
	ck_assert_str_eq(pcie_group(pcie_find(f, "0000:05:00.0"))->name, "0000:05:00.0");
	ck_assert_str_eq(pcie_group(pcie_find(f, "0000:06:00.0"))->name, "0000:04:01.0");
	ck_assert_str_eq(pcie_group(pcie_find(f, "0000:07:00.0"))->name, "0000:04:02.0");
	ck_assert_str_eq(pcie_group(pcie_find(f, "0000:00:1f.3"))->name, "0000:00:1f.2");
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
	uint32_t bar[6];
	const char *says; /* a line of lspci -v */
	bool resizable;   /* BAR 2, 8 GiB */
};

static void put_u32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* bytes: as lspci prints them with -x (64), -xxx (256), -xxxx (4096). */
static void dump_function(GString *out, const struct function *fn, unsigned bytes)
{
	uint8_t c[4096] = {0};

	c[0] = 0x86;
	c[1] = 0x80;
	c[2] = 0x30;
	c[3] = 0x20;
	c[0x06] = 0x10; /* capability list */
	c[0x0e] = fn->bridge;
	for (unsigned i = 0; i < (fn->bridge ? 2 : 6); i++)
		put_u32(c + 0x10 + 4 * i, fn->bar[i]);
	if (fn->bridge) {
		c[0x18] = (uint8_t)fn->bus;
		c[0x19] = c[0x1a] = (uint8_t)fn->secondary;
		put_u32(c + 0x20, 0x0000fff0); /* no window */
		put_u32(c + 0x24, 0x0000fff0);
	}
	c[0x34] = 0x40;
	c[0x40] = 0x10; /* PCI Express */
	c[0x42] = (uint8_t)(2 | fn->type << 4);
	if (fn->acs >= 0) {
		c[0x100] = 0x0d; /* ACS */
		c[0x102] = 1;
		c[0x106] = (uint8_t)fn->acs;
	}
	if (fn->resizable) {
		put_u32(c + 0x100, 0x00010015);
		put_u32(c + 0x108, 2 | 1 << 5 | 13 << 8);
	}
	g_string_append_printf(out, "%02x:%02x.0 Class: Device\n", fn->bus, fn->slot);
	if (fn->says)
		g_string_append_printf(out, "\t%s\n", fn->says);
	for (unsigned i = 0; i < bytes; i += 16) {
		g_string_append_printf(out, "%02x:", i);
		for (unsigned k = 0; k < 16; k++)
			g_string_append_printf(out, " %02x", c[i + k]);
		g_string_append_c(out, '\n');
	}
	g_string_append_c(out, '\n');
}

/* Children before parents: the order in the dump does not matter. */
static bool load_functions(const struct function *functions, unsigned n, unsigned bytes, GError **error)
{
	g_autofree char *path = g_strdup_printf("%s/dmasim-lspci-%d.txt", g_get_tmp_dir(), (int)getpid());
	GString *text = g_string_new(NULL);
	bool ok;

	while (n-- > 0)
		dump_function(text, &functions[n], bytes);
	ck_assert(g_file_set_contents(path, text->str, -1, NULL));
	ok = pcie_load_topology(f, path, error);
	g_unlink(path);
	g_string_free(text, TRUE);
	return ok;
}

/* A switch with two drives below one root port, as a machine would dump it. */
static const struct function with_switch[] = {
    {0, 0, 4, false, 0, -1, {0}, NULL, false}, {0, 3, 4, true, 1, 0x1d, {0}, NULL, false},
    {1, 0, 5, true, 2, -1, {0}, NULL, false},  {2, 0, 6, true, 3, 0x1d, {0}, NULL, false},
    {2, 1, 6, true, 4, 0, {0}, NULL, false},   {3, 0, 0, false, 0, -1, {0}, NULL, false},
    {4, 0, 0, false, 0, 0, {0}, NULL, false},
};

START_TEST(dumped_switch)
{
	GError *error = NULL;
	const struct pcie_node *a, *b;

	ck_assert_msg(load_functions(with_switch, G_N_ELEMENTS(with_switch), 4096, &error), "%s",
		      error ? error->message : "");
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

/* A dump cut before the extended capabilities never decides a route in silence. */
START_TEST(cut_dumps)
{
	static const unsigned bytes[] = {64, 256};
	unsigned n = G_N_ELEMENTS(with_switch);
	struct p2p_params p2p;
	GError *error = NULL;
	const struct pcie_node *a;

	ck_assert(!load_functions(with_switch, n, bytes[_i], &error));
	ck_assert_ptr_nonnull(strstr(error->message, "0000:02:0"));
	ck_assert_ptr_nonnull(strstr(error->message, "lspci -xxxx as root"));
	ck_assert_ptr_nonnull(strstr(error->message, "p2p.acs"));
	g_clear_error(&error);
	for (int acs = P2P_ACS_OFF; acs <= P2P_ACS_ON; acs++) {
		teardown();
		setup();
		param_defaults(&p2p_param_table, &p2p);
		p2p.acs = acs;
		pcie_set_p2p(f, &p2p);
		param_clear(&p2p_param_table, &p2p);
		ck_assert_msg(load_functions(with_switch, n, bytes[_i], &error), "%s",
			      error ? error->message : "");
		a = pcie_find(f, "0000:03:00.0");
		ck_assert(a->hidden && a->parent->type == PCIE_SWITCH_DOWN);
		ck_assert(pcie_redirects(a->parent) == (acs == P2P_ACS_ON));
		ck_assert_uint_eq(a->parent->parent->type, PCIE_SWITCH_UP);
		ck_assert_uint_eq(a->parent->parent->parent->type, PCIE_ROOT_PORT);
	}
	/* Without a switch nothing depends on it. */
	teardown();
	setup();
	ck_assert(load_functions(with_switch, 2, bytes[_i], &error));
}
END_TEST

/* Sizes of windows: printed, from the Resizable BAR capability, bounded by what lies above. */
START_TEST(dumped_windows)
{
	static const struct function functions[] = {
	    {0, 0, 4, false, 0, -1, {0}, NULL, false},
	    {0, 5, 0, false, 0, -1, {0xfe800004, 0, 0xc001, 0xfe810000}, NULL, false},
	    {0, 6, 0, false, 0, -1, {0xfe900000}, "Region 0: Memory at fe900000 (32-bit) [size=16K]", false},
	    {0, 7, 0, false, 0, -1, {0, 0, 0x0000000c, 0x80}, NULL, true},
	};
	GError *error = NULL;
	const struct pcie_bar *bar;
	const struct pcie_node *n;

	ck_assert_msg(load_functions(functions, 4, 4096, &error), "%s", error ? error->message : "");
	n = pcie_find(f, "0000:00:05.0");
	bar = n->bars[0];
	ck_assert(bar && bar->size_is_bound && bar->found == 0xfe800000);
	ck_assert_uint_eq(bar->size, 64 * KIB); /* up to the window above */
	ck_assert(!n->bars[1] && !n->bars[2]);  /* its upper half, and ports */
	ck_assert_uint_eq(n->bars[3]->size, 64 * KIB);
	bar = pcie_find(f, "0000:00:06.0")->bars[0];
	ck_assert(bar && !bar->size_is_bound);
	ck_assert_uint_eq(bar->size, 16 * KIB);
	bar = pcie_find(f, "0000:00:07.0")->bars[2];
	ck_assert(bar && !bar->size_is_bound && bar->base == 0x8000000000);
	ck_assert_uint_eq(bar->size, 8 * GIB);
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
	tcase_add_test(t, groups);
	tcase_add_test(t, impossible_parameters);
	tcase_add_test(t, dumped);
	tcase_add_test(t, dumped_switch);
	tcase_add_loop_test(t, cut_dumps, 0, 2);
	tcase_add_test(t, dumped_windows);
	tcase_add_test(t, unreadable_dumps);
	return test_run("topology", t, NULL);
}
