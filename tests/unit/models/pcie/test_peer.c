/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes of memory accesses: counts, what is translated, what carries the bytes, how fast. */
#include "support.h"

#include "models/pcie/internal.h"

#include "models/pcie/pcie.h"
#include <string.h>

static struct sim sim;
static struct memory *mem;
static struct pcie_fabric *f;
static struct pcie_stats st;
static struct vtd_unit *unit;
static struct vtd_stats vst;

static void open_machine(enum fidelity fidelity, const struct p2p_params *p2p, double cap, const char *text)
{
	struct memory_params mp;
	struct pcie_params pp;
	struct vtd_params vp;
	GError *error = NULL;

	sim_init(&sim, fidelity, 1, 1);
	param_defaults(&memory_param_table, &mp);
	mem = memory_new(&sim, &mp);
	param_clear(&memory_param_table, &mp);
	param_defaults(&iotlb_param_table, &vp.iotlb);
	param_defaults(&pwc_param_table, &vp.pwc);
	param_defaults(&walker_param_table, &vp.walker);
	param_defaults(&qi_param_table, &vp.qi);
	param_defaults(&ats_param_table, &vp.ats);
	param_defaults(&iommu_param_table, &vp.iommu);
	memset(&vst, 0, sizeof(vst));
	memset(&st, 0, sizeof(st));
	unit = vtd_new(&sim, mem, &vp, &vst);
	param_clear(&iommu_param_table, &vp.iommu);
	param_defaults(&pcie_param_table, &pp);
	pp.host_bridge_p2p_bandwidth = cap;
	f = pcie_fabric_new(&sim, mem, &pp, &st);
	param_clear(&pcie_param_table, &pp);
	if (p2p)
		pcie_set_p2p(f, p2p);
	ck_assert_msg(pcie_describe(f, text, "test", &error), "%s", error ? error->message : "");
}

static void close_machine(void)
{
	pcie_fabric_free(f);
	vtd_free(unit);
	memory_free(mem);
	sim_fini(&sim);
}

static struct pcie_node *node(const char *name)
{
	struct pcie_node *n = pcie_find(f, name);

	ck_assert_ptr_nonnull(n);
	return n;
}

/* The unit passes the function's requests through, and counts them. */
static void translated(struct pcie_node *fn)
{
	fn->iommu = vtd_iommu_unit(unit);
	vtd_set_context(unit, fn->sid, NO_PASID, &(struct vtd_context){.type = VTD_PASSTHROUGH, .did = 1});
}

#define MACHINE(acs)                                                                                    \
	"bridge h; port 0000:00:01.0 on h; switch 0000:01:00.0 on 0000:00:01.0;"                        \
	"port 0000:02:00.0 on 0000:01:00.0 acs=" acs "; port 0000:02:01.0 on 0000:01:00.0 acs=" acs ";" \
	"function 0000:03:00.0 on 0000:02:00.0 bar0=64MiB; function 0000:04:00.0 on 0000:02:01.0 "      \
	"bar0=64MiB;"                                                                                   \
	"port 0000:00:02.0 on h; function 0000:05:00.0 on 0000:00:02.0;"                                \
	"port 0000:00:03.0 on h; function 0000:06:00.0 on 0000:00:03.0;"                                \
	"port 0000:00:04.0 on h; function 0000:07:00.0 on 0000:00:04.0;"                                \
	"bridge h1 socket=1; port 0000:80:01.0 on h1; function 0000:81:00.0 on 0000:80:01.0"

static int transfer(struct pcie_node *fn, enum pcie_op op, uint64_t addr, uint64_t len, void *data,
		    struct pcie_dma *d)
{
	*d = (struct pcie_dma){.fn = fn, .op = op, .addr = addr, .len = len, .pasid = NO_PASID, .data = data};
	return pcie_dma(d, sim.now);
}

/* Reference (VT-d notes) 8.2: TLPs of a page, one lookup each. */
START_TEST(tlps_and_lookups)
{
	struct pcie_dma d;
	struct pcie_node *fn;

	open_machine(FIDELITY_COUNTS, NULL, 0, MACHINE("none"));
	fn = node("0000:05:00.0");
	translated(fn);
	ck_assert_int_eq(transfer(fn, PCIE_WRITE, 0x100000, 4096, NULL, &d), 0);
	ck_assert_uint_eq(st.tlps_write, 16);
	ck_assert_int_eq(transfer(fn, PCIE_READ, 0x100000, 4096, NULL, &d), 0);
	ck_assert_uint_eq(st.tlps_read, 8);
	/* Not aligned: a TLP ends at each boundary, none crosses a page. */
	ck_assert_int_eq(transfer(fn, PCIE_WRITE, 0x100ff0, 32, NULL, &d), 0);
	ck_assert_uint_eq(st.tlps_write, 18);
	ck_assert_int_eq(transfer(fn, PCIE_READ, 0x1001ff, 3, NULL, &d), 0);
	ck_assert_uint_eq(st.tlps_read, 10);
	ck_assert_uint_eq(st.bytes_written, 4128);
	ck_assert_uint_eq(st.bytes_read, 4099);
	ck_assert_uint_eq(st.reads, 2);
	ck_assert_uint_eq(st.writes, 2);
	close_machine();
}
END_TEST

/* Bytes counted one by one: a completion ends at MPS after its start, rounded down to RCB, or with its
 * request. */
static unsigned naive_completions(uint64_t addr, uint64_t n, uint64_t mrrs, uint64_t mps, uint64_t rcb)
{
	uint64_t start = addr;
	unsigned count = 0;

	for (uint64_t at = addr; at < addr + n; at++) {
		bool last = at + 1 == addr + n || (at + 1) % mrrs == 0;
		bool full = (at + 1) % rcb == 0 && at + 1 + rcb > start + mps;

		if (last || full) {
			count++;
			start = at + 1;
		}
	}
	return count;
}

START_TEST(completions_of_reads)
{
	static const uint64_t mrrs[] = {128, 512, 4096}, mps[] = {128, 256, 512}, rcb[] = {64, 128};
	struct rng rng;

	/* Aligned: the table of the notes; a start inside an RCB unit costs one more. */
	ck_assert_uint_eq(pcie_completions(0, 4096, 512, 256, 64), 16);
	ck_assert_uint_eq(pcie_completions(0, 64, 512, 256, 64), 1);
	ck_assert_uint_eq(pcie_completions(64, 448, 512, 256, 64), 2);
	ck_assert_uint_eq(pcie_completions(32, 480, 512, 256, 64), 2);
	ck_assert_uint_eq(pcie_completions(32, 256, 512, 256, 64), 2);
	rng_init(&rng, test_seed(), "completions");
	for (unsigned i = 0; i < 3000; i++) {
		uint64_t addr = rng_below(&rng, 4096), n = 1 + rng_below(&rng, 4096 - addr);
		uint64_t a = mrrs[rng_below(&rng, 3)], b = mps[rng_below(&rng, 3)],
			 c = rcb[rng_below(&rng, 2)];

		ck_assert_uint_eq(pcie_completions(addr, n, a, b, c), naive_completions(addr, n, a, b, c));
	}
}
END_TEST

/* What the route decides: below the switch nothing is translated; redirected or elsewhere all is. */
START_TEST(routes)
{
	static const struct {
		const char *text, *fn;
		int acs;
		bool direct;
	} rows[] = {
	    {MACHINE("none"), "0000:04:00.0", P2P_ACS_FOUND, true},
	    {MACHINE("sv,cr"), "0000:04:00.0", P2P_ACS_FOUND, true},
	    {MACHINE("rr"), "0000:04:00.0", P2P_ACS_FOUND, false},
	    {MACHINE("ec"), "0000:04:00.0", P2P_ACS_FOUND, false},
	    {MACHINE("rr"), "0000:04:00.0", P2P_ACS_OFF, true},
	    {MACHINE("sv"), "0000:04:00.0", P2P_ACS_ON, false},
	    {MACHINE("none"), "0000:05:00.0", P2P_ACS_FOUND, false},
	    {MACHINE("none"), "0000:81:00.0", P2P_ACS_FOUND, false},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct p2p_params p2p = {.acs = rows[i].acs, .forward_reads = true};
		char out[5000], in[5000];
		struct pcie_node *fn;
		struct pcie_dma d;
		uint64_t bar, lookups;

		open_machine(FIDELITY_COUNTS, &p2p, 0, rows[i].text);
		fn = node(rows[i].fn);
		translated(fn);
		bar = node("0000:03:00.0")->bars[0]->base;
		for (unsigned k = 0; k < sizeof(out); k++)
			out[k] = (char)(k * 31);
		ck_assert_int_eq(transfer(fn, PCIE_WRITE, bar + 100, sizeof(out), out, &d), 0);
		lookups = vst.context_lookups;
		ck_assert_int_eq(transfer(fn, PCIE_READ, bar + 100, sizeof(in), in, &d), 0);
		ck_assert_mem_eq(in, out, sizeof(in));
		ck_assert_uint_eq(st.p2p_bytes_direct, rows[i].direct ? 10000 : 0);
		ck_assert_uint_eq(st.p2p_bytes_host_bridge, rows[i].direct ? 0 : 10000);
		ck_assert_int_eq(lookups == 0, rows[i].direct);
		close_machine();
	}
}
END_TEST

/* Translated requests may go direct past a redirecting port that allows it. */
START_TEST(direct_translated)
{
	struct pcie_dma d = {.op = PCIE_WRITE, .len = 4096, .pasid = NO_PASID, .translated = true};

	open_machine(FIDELITY_COUNTS, NULL, 0, MACHINE("rr,cr,dt"));
	d.fn = node("0000:04:00.0");
	d.addr = node("0000:03:00.0")->bars[0]->bus;
	ck_assert_int_eq(pcie_dma(&d, 0), 0);
	ck_assert_uint_eq(st.p2p_bytes_direct, 4096);
	d.translated = false;
	ck_assert_int_eq(pcie_dma(&d, 0), 0);
	ck_assert_uint_eq(st.p2p_bytes_host_bridge, 4096);
	close_machine();
}
END_TEST

/* Some root complexes forward writes only; nobody answers in a hole. */
START_TEST(refusals)
{
	struct p2p_params p2p = {.forward_reads = false};
	struct pcie_dma d;
	uint64_t bar;

	open_machine(FIDELITY_COUNTS, &p2p, 0, MACHINE("none"));
	bar = node("0000:03:00.0")->bars[0]->base;
	ck_assert_int_eq(transfer(node("0000:05:00.0"), PCIE_READ, bar, 64, NULL, &d), -ENXIO);
	ck_assert_int_eq(transfer(node("0000:05:00.0"), PCIE_WRITE, bar, 64, NULL, &d), 0);
	ck_assert_int_eq(transfer(node("0000:05:00.0"), PCIE_WRITE, bar + 64 * MIB - 32, 64, NULL, &d), 0);
	ck_assert_int_eq(transfer(node("0000:05:00.0"), PCIE_READ, 1ull << 44, 64, NULL, &d), -ENXIO);
	ck_assert_uint_eq(d.done_bytes, 0);
	ck_assert_uint_eq(st.p2p_refused, 2);
	close_machine();
}
END_TEST

/*
 * Writers with one access of 4 KiB each under way all the time: GB/s over all of them. pace: time between
 * the starts of two accesses that the writer itself needs.
 */
static double stream(struct pcie_node *const *fn, unsigned n, enum pcie_op op, uint64_t addr, unsigned depth,
		     sim_time_t pace)
{
	const unsigned accesses = 4000;
	sim_time_t free_at[16][64] = {{0}}, next[16] = {0}, end = 0;
	uint64_t done[16] = {0};

	for (unsigned i = 0; i < accesses * n; i++) {
		unsigned who = 0;
		sim_time_t start = SIM_TIME_NEVER;
		struct pcie_dma d;

		/* Always the access that starts first. */
		for (unsigned k = 0; k < n; k++) {
			sim_time_t t = MAX(next[k], free_at[k][done[k] % depth]);

			if (t < start) {
				start = t;
				who = k;
			}
		}
		d = (struct pcie_dma){.fn = fn[who], .op = op, .len = 4096, .pasid = NO_PASID};
		d.addr = addr + who * 16 * MIB + done[who] % 1024 * 4096;
		ck_assert_int_eq(pcie_dma(&d, start), 0);
		ck_assert_uint_gt(d.done, start);
		free_at[who][done[who]++ % depth] = d.done;
		next[who] = start + pace;
		end = MAX(end, d.done);
	}
	return (double)accesses * n * 4096 / ((double)end / SIM_NS);
}

/*
 * Published: one, two and three drives of 3.2 GB/s into a peer through one Broadwell root complex move
 * 3.2, 6.3 and 7.1 GB/s, into memory 9.4-9.5 (vendor forum measurement). Limit: 7.1 GB/s.
 */
START_TEST(drives_into_a_peer)
{
	static const double published[] = {3.2, 6.3, 7.1};
	sim_time_t pace = (sim_time_t)(4096 / 3.2 * SIM_NS);

	for (unsigned n = 1; n <= 3; n++) {
		struct pcie_node *fn[3];
		double peer, ram;

		for (int into_ram = 0; into_ram < 2; into_ram++) {
			open_machine(FIDELITY_TIMING, NULL, 7.1, MACHINE("none"));
			fn[0] = node("0000:05:00.0");
			fn[1] = node("0000:06:00.0");
			fn[2] = node("0000:07:00.0");
			for (unsigned i = 0; i < 3; i++)
				pcie_set_link(fn[i], 8, 4);
			pcie_set_link(node("0000:03:00.0"), 8, 16);
			pcie_set_link(node("0000:01:00.0"), 8, 16);
			*(into_ram ? &ram : &peer) = stream(
			    fn, n, PCIE_WRITE, into_ram ? 0x1000000 : node("0000:03:00.0")->bars[0]->base, 32,
			    pace);
			close_machine();
		}
		ck_assert_double_gt(peer, 0.9 * published[n - 1]);
		ck_assert_double_lt(peer, 1.1 * published[n - 1]);
		ck_assert_double_gt(ram, 0.95 * 3.2 * n);
		ck_assert_double_lt(ram, 1.01 * 3.2 * n);
	}
}
END_TEST

/* Direct: neither the cap nor the uplink matter; redirected, both directions of the uplink carry all. */
START_TEST(uplink)
{
	double direct, redirected, slow;

	for (int i = 0; i < 3; i++) {
		struct pcie_node *fn;

		open_machine(FIDELITY_TIMING, NULL, i == 2 ? 1.5 : 0, i ? MACHINE("rr") : MACHINE("none"));
		fn = node("0000:04:00.0");
		pcie_set_link(fn, 8, 16);
		pcie_set_link(node("0000:03:00.0"), 8, 16);
		pcie_set_link(node("0000:01:00.0"), 8, 4); /* the switch's uplink */
		*(i == 0   ? &direct
		  : i == 1 ? &redirected
			   : &slow) = stream(&fn, 1, PCIE_WRITE, node("0000:03:00.0")->bars[0]->base, 32, 0);
		close_machine();
	}
	/*
	 * Gen3 x16 and x4 with MPS 256: 126 and 31.5 Gb/s, 256 of 280 bytes, less data-link packets (16 bytes
	 * per 252 and per 321) and SKP sets: 107.6 and 27.3 Gb/s of write payload.
	 */
	ck_assert_double_eq_tol(direct, 107.6 / 8, 0.1);
	ck_assert_double_eq_tol(redirected, 27.3 / 8, 0.05 * 27.3 / 8);
	ck_assert_double_gt(slow, 0); /* no cap below one root port */
}
END_TEST

/* Reads: data comes back over the peer's uplink and the requester's downlink; limits of their own. */
START_TEST(peer_reads)
{
	struct p2p_params p2p = {.forward_reads = true, .read_bandwidth = 2, .cross_bandwidth = 0.5};
	struct pcie_node *fn;
	double gbs;

	open_machine(FIDELITY_TIMING, &p2p, 7.1, MACHINE("none"));
	fn = node("0000:05:00.0");
	gbs = stream(&fn, 1, PCIE_READ, node("0000:03:00.0")->bars[0]->base, 32, 0);
	ck_assert_double_eq_tol(gbs, 2, 0.1);
	close_machine();
	open_machine(FIDELITY_TIMING, &p2p, 7.1, MACHINE("none"));
	fn = node("0000:81:00.0");
	gbs = stream(&fn, 1, PCIE_READ, node("0000:03:00.0")->bars[0]->base, 32, 0);
	ck_assert_double_eq_tol(gbs, 0.5, 0.05);
	close_machine();
}
END_TEST

/* One access at a time: direct is faster than the root complex, which is faster than another socket. */
START_TEST(latencies)
{
	static const char *const names[] = {"0000:04:00.0", "0000:05:00.0", "0000:81:00.0"};
	struct pcie_dma d;
	sim_time_t last[2] = {0};

	open_machine(FIDELITY_TIMING, NULL, 0, MACHINE("none"));
	for (unsigned i = 0; i < 3; i++) {
		for (enum pcie_op op = PCIE_READ; op <= PCIE_WRITE; op++) {
			sim_time_t start = (1 + 2 * i + op) * SIM_MS, took;

			d = (struct pcie_dma){.fn = node(names[i]), .op = op, .len = 64, .pasid = NO_PASID};
			d.addr = node("0000:03:00.0")->bars[0]->base;
			ck_assert_int_eq(pcie_dma(&d, start), 0);
			took = d.done - start;
			ck_assert_uint_gt(took, last[op]);
			last[op] = took;
		}
	}
	/* Through one root complex: 500 ns is what a communication library plans with; 25 %. */
	d.fn = node("0000:05:00.0");
	d.op = PCIE_WRITE;
	d.addr = pcie_add_bar(node("0000:06:00.0"), 0, 0, MIB, MEMORY_MMIO)->base;
	ck_assert_int_eq(pcie_dma(&d, SIM_S), 0);
	ck_assert_uint_gt(d.done - SIM_S, 375 * SIM_NS);
	ck_assert_uint_lt(d.done - SIM_S, 625 * SIM_NS);
	close_machine();
}
END_TEST

/* A function that reaches its own memory does so inside itself: no link, no time. */
START_TEST(own_memory)
{
	struct pcie_node *fn;
	char data[16] = "out", back[16] = "";

	open_machine(_i ? FIDELITY_TIMING : FIDELITY_COUNTS, NULL, 0, MACHINE("none"));
	fn = node("0000:03:00.0");
	for (enum pcie_op op = PCIE_WRITE;; op = PCIE_READ) {
		struct pcie_dma d = {.fn = fn,
				     .op = op,
				     .addr = fn->bars[0]->bus + 5 * PAGE_SIZE - 8,
				     .len = sizeof(data),
				     .data = op == PCIE_WRITE ? data : back,
				     .pasid = NO_PASID};

		ck_assert_int_eq(pcie_dma(&d, SIM_MS), 0);
		ck_assert_uint_eq(d.done, SIM_MS);
		ck_assert_uint_eq(d.accepted, SIM_MS);
		if (op == PCIE_READ)
			break;
	}
	ck_assert_str_eq(back, "out");
	ck_assert_uint_eq(st.p2p_bytes_direct, 2 * sizeof(data));
	ck_assert_uint_eq(resource_first_free(&fn->up), 0);
	close_machine();
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("peer");

	tcase_add_test(t, tlps_and_lookups);
	tcase_add_test(t, completions_of_reads);
	tcase_add_test(t, routes);
	tcase_add_test(t, direct_translated);
	tcase_add_test(t, refusals);
	tcase_add_test(t, drives_into_a_peer);
	tcase_add_test(t, uplink);
	tcase_add_test(t, peer_reads);
	tcase_add_test(t, latencies);
	tcase_add_loop_test(t, own_memory, 0, 2);
	return test_run("peer", t, NULL);
}
