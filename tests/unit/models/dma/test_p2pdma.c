/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peer-to-peer decisions of reference section 9 on described machines. */
#include "support.h"

#include <string.h>

#include "bounce.h"

static struct bounce_bench b;
static struct pcie_fabric *f;
static struct pcie_stats st;
static struct device clients[8];

static void open_machine(const struct p2p_params *p2p, const char *text)
{
	struct pcie_params pp;
	GError *error = NULL;

	bounce_bench_open(&b, 1, &(struct swiotlb_params){.disable = true});
	param_defaults(&pcie_param_table, &pp);
	f = pcie_fabric_new(&b.sim, b.mem, &pp, &st);
	param_clear(&pcie_param_table, &pp);
	memset(&st, 0, sizeof(st));
	if (p2p)
		pcie_set_p2p(f, p2p);
	ck_assert_msg(pcie_describe(f, text, "test", &error), "%s", error ? error->message : "");
}

static void close_machine(void)
{
	pcie_fabric_free(f);
	bounce_bench_close(&b);
}

static struct pcie_node *node(const char *name)
{
	struct pcie_node *n = pcie_find(f, name);

	ck_assert_ptr_nonnull(n);
	return n;
}

static struct device *client(unsigned i, const char *name)
{
	clients[i] = b.dev;
	clients[i].pci = node(name);
	clients[i].name = clients[i].pci->name;
	return &clients[i];
}

/* Two drives below a switch, one under a root port of its own, one on another host bridge. */
#define MACHINE(id, acs)                                                                                     \
	"bridge h0 id=" id "; port 0000:00:01.0 on h0 acs=none; switch 0000:01:00.0 on 0000:00:01.0;"        \
	"port 0000:02:00.0 on 0000:01:00.0 acs=" acs "; port 0000:02:01.0 on 0000:01:00.0 acs=" acs ";"      \
	"function 0000:03:00.0 on 0000:02:00.0 bar0=1MiB bar2=64KiB; function 0000:03:00.1 on 0000:02:00.0;" \
	"function 0000:04:00.0 on 0000:02:01.0;"                                                             \
	"port 0000:00:02.0 on h0 acs=none; function 0000:05:00.0 on 0000:00:02.0;"                           \
	"bridge h1 id=" id "; port 0000:80:01.0 on h1; function 0000:81:00.0 on 0000:80:01.0"

/* Reference 9.7. */
START_TEST(distances)
{
	struct pcie_node *p;

	open_machine(NULL, MACHINE("8086:2030", "none"));
	p = node("0000:03:00.0");
	pci_p2pdma_add_resource(p, 0, 0, 0);
	ck_assert_int_eq(pci_p2pdma_distance(p, client(0, "0000:03:00.0")), 0);
	ck_assert_int_eq(pci_p2pdma_distance(p, client(1, "0000:03:00.1")), 2);
	ck_assert_int_eq(pci_p2pdma_distance(p, client(2, "0000:04:00.0")), 4);
	/* Endpoint, port, switch, port and past the root: four, and two on the other side. */
	ck_assert_int_eq(pci_p2pdma_distance(p, client(3, "0000:05:00.0")), 4 + 2);
	ck_assert_int_eq(pci_p2pdma_distance(node("0000:05:00.0"), client(4, "0000:81:00.0")), 4);
	clients[5] = b.dev;
	clients[5].pci = NULL;
	ck_assert_int_eq(pci_p2pdma_distance(p, &clients[5]), -1);
	ck_assert_int_eq(pci_p2pdma_distance_many(p, NULL, 0), -1);
	struct device *two[] = {&clients[2], &clients[3]};
	ck_assert_int_eq(pci_p2pdma_distance_many(p, two, 2), 10);
	close_machine();
}
END_TEST

#define BUS PCI_P2PDMA_MAP_BUS_ADDR
#define THB PCI_P2PDMA_MAP_THRU_HOST_BRIDGE
#define NO PCI_P2PDMA_MAP_NOT_SUPPORTED

/* Which redirect bits matter (9.6), which bridges forward (9.8-9.10). */
START_TEST(types)
{
	static const struct {
		const char *text;
		bool any;
		int acs;
		enum pci_p2pdma_map_type same_switch, same_bridge, other_bridge;
	} rows[] = {
	    {MACHINE("8086:2030", "none"), false, 0, BUS, THB, THB},
	    {MACHINE("8086:2030", "sv,tb,uf,dt"), false, 0, BUS, THB, THB},
	    {MACHINE("8086:2030", "rr"), false, 0, THB, THB, THB},
	    {MACHINE("8086:2030", "cr"), false, 0, THB, THB, THB},
	    {MACHINE("8086:2030", "ec"), false, 0, THB, THB, THB},
	    {MACHINE("8086:2f00", "rr"), false, 0, THB, THB, NO}, /* same bridge only */
	    {MACHINE("8086:3c01", "none"), false, 0, BUS, THB, NO},
	    {MACHINE("8086:6f00", "none"), false, 0, BUS, NO, NO}, /* not listed */
	    {MACHINE("8086:6f00", "rr"), false, 0, NO, NO, NO},
	    {MACHINE("1ae0:1234", "rr"), false, 0, THB, THB, THB},
	    {MACHINE("1022:1480", "rr"), true, 0, THB, THB, THB},
	    {MACHINE("8086:09a2", "rr"), false, P2P_ACS_OFF, BUS, THB, THB},
	    {MACHINE("8086:09a2", "sv"), false, P2P_ACS_ON, THB, THB, THB},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct p2p_params p2p = {
		    .host_bridge = NULL, .any_host_bridge = rows[i].any, .acs = rows[i].acs};
		struct p2pdma_provider *mem;

		open_machine(&p2p, rows[i].text);
		ck_assert_int_eq(pcim_p2pdma_init(node("0000:03:00.0")), 0);
		mem = pcim_p2pdma_provider(node("0000:03:00.0"), 0);
		ck_assert_ptr_nonnull(mem);
		ck_assert_int_eq(pci_p2pdma_map_type(mem, client(0, "0000:04:00.0")), rows[i].same_switch);
		ck_assert_int_eq(pci_p2pdma_map_type(mem, client(1, "0000:05:00.0")), rows[i].same_bridge);
		ck_assert_int_eq(pci_p2pdma_map_type(mem, client(2, "0000:81:00.0")), rows[i].other_bridge);
		close_machine();
	}
}
END_TEST

/* A root port with redirection counts when it is the common node, and above it (9.6). */
START_TEST(common_node_counts)
{
	open_machine(NULL, "bridge h id=8086:2030; port 0000:00:01.0 on h acs=rr;"
			   "function 0000:01:00.0 on 0000:00:01.0 bar0=1MiB;"
			   "function 0000:01:00.1 on 0000:00:01.0");
	pcim_p2pdma_init(node("0000:01:00.0"));
	ck_assert_int_eq(
	    pci_p2pdma_map_type(pcim_p2pdma_provider(node("0000:01:00.0"), 0), client(0, "0000:01:00.1")),
	    THB);
	close_machine();
}
END_TEST

/* "The bridge device" is 00.0 or a root port that comes first on the root bus (9.9). */
START_TEST(bridge_function)
{
	static const struct {
		const char *first;
		enum pci_p2pdma_map_type type;
	} rows[] = {
	    {"function 0000:00:00.0 on h id=8086:2030", THB},
	    {"function 0000:00:00.0 on h id=8086:6f00", NO},
	    {"function 0000:00:00.1 on h id=8086:2030", NO}, /* not 00.0 and no root port */
	    {"port 0000:00:00.1 on h id=8086:2030", THB},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(
		    "bridge h id=0:0; %s; port 0000:00:01.0 on h; port 0000:00:02.0 on h;"
		    "function 0000:01:00.0 on 0000:00:01.0 bar0=1MiB; function 0000:02:00.0 on 0000:00:02.0",
		    rows[i].first);

		open_machine(NULL, text);
		pcim_p2pdma_init(node("0000:01:00.0"));
		ck_assert_int_eq(pci_p2pdma_map_type(pcim_p2pdma_provider(node("0000:01:00.0"), 0),
						     client(0, "0000:02:00.0")),
				 rows[i].type);
		close_machine();
	}
}
END_TEST

/* Reference 9.3. */
START_TEST(registering)
{
	struct pcie_node *p;
	phys_addr_t a, c;

	open_machine(NULL, MACHINE("8086:2030", "none"));
	p = node("0000:03:00.0");
	ck_assert_int_eq(pci_p2pdma_add_resource(p, 1, 0, 0), -EINVAL);
	ck_assert_int_eq(pci_p2pdma_add_resource(p, 0, 0, MIB), -EINVAL);
	ck_assert_int_eq(pci_p2pdma_add_resource(p, 0, MIB, 4096), -EINVAL);
	ck_assert_uint_eq(memory_kind(b.mem, p->bars[0]->base), MEMORY_MMIO);
	ck_assert_int_eq(pci_p2pdma_add_resource(p, 0, 0, 512 * KIB), 0);
	ck_assert_uint_eq(memory_kind(b.mem, p->bars[0]->base), MEMORY_P2P);
	/* First fit, and neighbours grow together again. */
	a = pci_alloc_p2pmem(p, 300 * KIB);
	ck_assert_uint_eq(a, p->bars[0]->base + 512 * KIB);
	ck_assert_uint_eq(pci_alloc_p2pmem(p, 300 * KIB), 0);
	c = pci_alloc_p2pmem(p, 5000);
	ck_assert_uint_eq(c, a + 300 * KIB);
	pci_free_p2pmem(p, a, 300 * KIB);
	ck_assert_uint_eq(pci_alloc_p2pmem(p, 512 * KIB), 0);
	pci_free_p2pmem(p, c, 5000);
	ck_assert_uint_eq(pci_alloc_p2pmem(p, 512 * KIB), a);
	ck_assert(!pci_has_p2pmem(p));
	pci_free_p2pmem(p, a, 512 * KIB);
	ck_assert(!pci_has_p2pmem(p));
	pci_p2pmem_publish(p, true);
	ck_assert(pci_has_p2pmem(p));
	close_machine();
}
END_TEST

/* Reference 9.13, 9.15: later ACS changes are not seen; one look-up per provider change. */
START_TEST(caches)
{
	struct pci_p2pdma_map_state state = {0};
	struct device *dev;
	struct pcie_node *p;
	phys_addr_t bar0, bar2;

	open_machine(NULL, MACHINE("8086:6f00", "none"));
	p = node("0000:03:00.0");
	bar0 = p->bars[0]->base;
	bar2 = p->bars[2]->base;
	pci_p2pdma_add_resource(p, 0, 512 * KIB, 0);
	pci_p2pdma_add_resource(p, 2, 0, 0);
	dev = client(0, "0000:04:00.0");
	ck_assert_int_eq(pci_p2pdma_state(&state, dev, 0x100000), PCI_P2PDMA_MAP_NONE);
	ck_assert_ptr_null(state.mem);
	ck_assert_int_eq(pci_p2pdma_state(&state, dev, bar0 + 600 * KIB), PCI_P2PDMA_MAP_NONE); /* no pages */
	ck_assert_int_eq(pci_p2pdma_state(&state, dev, bar0), BUS);
	ck_assert_ptr_eq(state.mem, pcim_p2pdma_provider(p, 0));
	node("0000:02:00.0")->has_acs = true;
	node("0000:02:00.0")->acs = ACS_RR;
	state = (struct pci_p2pdma_map_state){0};
	ck_assert_int_eq(pci_p2pdma_state(&state, dev, bar0), BUS);
	ck_assert_int_eq(pci_p2pdma_state(&state, dev, bar2), BUS);
	ck_assert_ptr_eq(state.mem, pcim_p2pdma_provider(p, 2));
	/* A new computation overwrites the cache. */
	ck_assert_int_eq(pci_p2pdma_distance(p, dev), -1);
	ck_assert_int_eq(pci_p2pdma_state(&state, dev, bar2), BUS); /* the list's own memory */
	ck_assert_int_eq(pci_p2pdma_state(&state, dev, bar0), NO);
	ck_assert_uint_eq(st.p2p_refused, 1);
	close_machine();
}
END_TEST

/* Reference 8.11, 9.16, 12.10: bus addresses skip everything; refused pages fail the list. */
START_TEST(direct_lists)
{
	struct scatterlist sg[3];
	struct sg_table table = {sg, 3, 3};
	struct device *dev;
	struct pcie_node *p;
	phys_addr_t bar;

	open_machine(NULL, MACHINE("8086:2030", "none"));
	p = node("0000:03:00.0");
	pci_p2pdma_add_resource(p, 0, 0, 0);
	bar = p->bars[0]->base;
	pcie_set_bus_offset(p->bars[0], 0x1000000000ull);
	dev = client(0, "0000:04:00.0");
	dev->dma_mask = UINT64_MAX;
	sg_init_table(sg, 3);
	sg_set_phys(&sg[0], 0x100000, 4096);
	sg_set_phys(&sg[1], bar + 8192, 8192);
	sg_set_phys(&sg[2], 0x300000, 4096);
	ck_assert_int_eq(dma_map_sgtable(dev, &table, DMA_TO_DEVICE, 0), 0);
	ck_assert_uint_eq(table.nents, 3);
	ck_assert_uint_eq(sg[1].dma_address, bar + 8192 + 0x1000000000ull);
	ck_assert_uint_eq(sg[1].dma_length, 8192);
	ck_assert(sg[1].dma_flags & SG_DMA_BUS_ADDRESS);
	ck_assert_uint_eq(sg[2].dma_address, 0x300000);
	ck_assert_ptr_eq(pcie_route_direct(dev->pci, sg[1].dma_address, false), p->bars[0]);
	dma_unmap_sgtable(dev, &table, DMA_TO_DEVICE, 0);
	ck_assert(!(sg[1].dma_flags & SG_DMA_BUS_ADDRESS));

	/* Through the host bridge: like memory; from 6.16 to 7.0 the address stays what it was. */
	dev = client(1, "0000:05:00.0");
	b.layer.kernel = kernel_profile_find("7.1");
	ck_assert_int_eq(dma_map_sgtable(dev, &table, DMA_TO_DEVICE, 0), 0);
	ck_assert_uint_eq(sg[1].dma_address, bar + 8192);
	b.layer.kernel = kernel_profile_find("7.0");
	sg[1].dma_address = 0xdead;
	ck_assert_int_eq(dma_map_sgtable(dev, &table, DMA_TO_DEVICE, 0), 0);
	ck_assert_uint_eq(sg[1].dma_address, 0xdead);
	close_machine();

	open_machine(NULL, MACHINE("8086:6f00", "none"));
	p = node("0000:03:00.0");
	pci_p2pdma_add_resource(p, 0, 0, 0);
	sg_set_phys(&sg[1], p->bars[0]->base, 8192);
	dev = client(0, "0000:05:00.0");
	ck_assert_int_eq(dma_map_sgtable(dev, &table, DMA_TO_DEVICE, 0), -EREMOTEIO);
	ck_assert_uint_eq(dma_map_sg_attrs(dev, sg, 3, DMA_TO_DEVICE, 0), 0);
	close_machine();
}
END_TEST

/* The published provider nearest to all clients; equally near ones are drawn evenly. */
START_TEST(find_provider)
{
	unsigned hits[3] = {0};
	struct device *two[2];
	struct rng rng;

	open_machine(NULL,
		     "bridge h id=8086:2030; port 0000:00:01.0 on h; switch 0000:01:00.0 on 0000:00:01.0;"
		     "port 0000:02:00.0 on 0000:01:00.0; port 0000:02:01.0 on 0000:01:00.0;"
		     "port 0000:02:02.0 on 0000:01:00.0; port 0000:00:02.0 on h;"
		     "function 0000:03:00.0 on 0000:02:00.0 bar0=64KiB;"
		     "function 0000:04:00.0 on 0000:02:01.0 bar0=64KiB;"
		     "function 0000:05:00.0 on 0000:02:02.0;"
		     "function 0000:06:00.0 on 0000:00:02.0 bar0=64KiB");
	rng_init(&rng, test_seed(), "p2p");
	two[0] = client(0, "0000:05:00.0");
	ck_assert_ptr_null(pci_p2pmem_find_many(f, two, 1, &rng));
	for (unsigned i = 0; i < 3; i++) {
		static const char *const names[] = {"0000:03:00.0", "0000:04:00.0", "0000:06:00.0"};

		pci_p2pdma_add_resource(node(names[i]), 0, 0, 0);
		pci_p2pmem_publish(node(names[i]), true);
	}
	for (unsigned i = 0; i < 1000; i++) {
		struct pcie_node *n = pci_p2pmem_find_many(f, two, 1, &rng);

		hits[0] += n == node("0000:03:00.0");
		hits[1] += n == node("0000:04:00.0");
		hits[2] += n == node("0000:06:00.0");
	}
	ck_assert_uint_eq(hits[2], 0);
	ck_assert_uint_gt(hits[0], 400);
	ck_assert_uint_gt(hits[1], 400);
	two[1] = client(1, "0000:04:00.0");
	ck_assert_ptr_eq(pci_p2pmem_find_many(f, two, 2, &rng), node("0000:04:00.0"));
	close_machine();
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("p2pdma");

	tcase_add_test(t, distances);
	tcase_add_test(t, types);
	tcase_add_test(t, common_node_counts);
	tcase_add_test(t, bridge_function);
	tcase_add_test(t, registering);
	tcase_add_test(t, caches);
	tcase_add_test(t, direct_lists);
	tcase_add_test(t, find_provider);
	return test_run("p2pdma", t, NULL);
}
