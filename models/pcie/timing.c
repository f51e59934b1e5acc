/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time of a memory access on its way: links, credits and tags, the order of posted writes, peers.
 * PCI Express base specification 5.0: 2.4.1 (ordering), 2.6.1 (flow control), 4.2 (encoding). Link
 * efficiency after Neugebauer et al., SIGCOMM 2018: acknowledgements and flow-control updates of 8 bytes
 * each per so many bytes, one SKP ordered set of 4 bytes per 1538.
 *
 * The TLPs of one page are one train: the first one is translated, the others find its entry.
 */
#include "credits.h"
#include "internal.h"

#include <math.h>
#include <string.h>

/* Bytes on the wire besides the payload: framing, sequence number, LCRC, header. */
#define TLP_REQUEST_BYTES 24u    /* MRd and MWr with 64-bit address */
#define TLP_COMPLETION_BYTES 20u /* CplD */
#define LINE 64u

/* ---- links ---- */

/* The specification lets data-link packets of 8 bytes wait for so many bytes (MPS 256; both kinds). */
static double dllp_interval(double rate, uint64_t lanes)
{
	static const unsigned limits[3][4] = {
	    {416, 118, 107, 72}, {467, 169, 158, 123}, {512, 214, 203, 168}};
	unsigned width = lanes < 4 ? 0 : lanes < 8 ? 1 : lanes < 16 ? 2 : 3;

	return limits[rate < 5 ? 0 : rate < 8 ? 1 : 2][width];
}

/*
 * Real ports send them this many times rarer. Fitted: pcie-bench raw data (Neugebauer et al., SIGCOMM 2018),
 * Gen 3 x8: 512-byte reads reach 55.0 to 55.3 Gb/s, writes 54.4, 5.5 % below what their TLPs alone take.
 */
#define DLLP_RARER 1.5

/* Picoseconds per 1024 bytes of TLPs on a link. */
static uint64_t link_cost(double rate, uint64_t lanes)
{
	double encoding = rate < 8 ? 0.8 : rate < 64 ? 128.0 / 130 : 242.0 / 256;
	double bytes_per_ps = rate * 1e9 * encoding * (double)lanes / 8 * 1e-12;
	double efficiency = 1 - 16 / (DLLP_RARER * dllp_interval(rate, lanes)) - 4.0 / 1538;

	return (uint64_t)llround(1024 / (bytes_per_ps * efficiency));
}

static inline sim_time_t link_time(const struct pcie_node *node, uint64_t bytes)
{
	return bytes * node->link_cost >> 10;
}

/* What of the round trip is left once serialisation and memory are taken out, one way. */
static sim_time_t flight_time(const struct pcie_node *fn)
{
	const struct pcie_fabric *f = fn->fabric;
	sim_time_t rest = link_time(fn, TLP_REQUEST_BYTES) + link_time(fn, LINE + TLP_COMPLETION_BYTES) +
			  memory_params(f->mem)->latency_llc;

	return f->params.read_rtt > rest ? (f->params.read_rtt - rest) / 2 : 0;
}

void pcie_set_link(struct pcie_node *node, double rate, uint64_t lanes)
{
	node->rate = rate;
	node->lanes = (unsigned)lanes;
	node->link_cost = link_cost(rate, lanes);
	node->flight = flight_time(node);
}

void pcie_timing_init_node(struct pcie_node *node)
{
	const struct pcie_params *p = &node->fabric->params;

	credits_init(&node->tags, p->tags);
	credits_init(&node->write_buffer, p->write_buffer);
	pcie_set_link(node, p->rate, p->lanes);
	node->below_switch = node->parent &&
			     (node->parent->type == PCIE_SWITCH_UP || node->parent->below_switch);
	for (node->port = node; node->port->parent && node->port->parent->type != PCIE_HOST_BRIDGE;)
		node->port = node->port->parent;
	if (node->port == node)
		node->reads_left = g_new0(sim_time_t, p->read_window);
}

void pcie_timing_fini_node(struct pcie_node *node)
{
	credits_fini(&node->tags);
	credits_fini(&node->write_buffer);
	g_free(node->reads_left);
}

/*
 * Bytes pass the function's own link and those of the switches above it below top (NULL: up to the root
 * complex), cut through; end of the last one.
 */
static sim_time_t go_up(struct pcie_node *fn, const struct pcie_node *top, uint64_t bytes, sim_time_t t)
{
	sim_time_t service = link_time(fn, bytes);

	t = resource_serve(&fn->up, t, service);
	for (struct pcie_node *n = fn->parent; fn->below_switch && n != top; n = n->parent)
		if (n->type == PCIE_SWITCH_UP) {
			t += fn->fabric->params.switch_latency;
			t = resource_serve(&n->up, t, link_time(n, bytes));
		}
	return t + service;
}

/*
 * The same from top (NULL: the root complex) down; returns when the last byte is there. Places on the
 * links are taken in the order of the requests, at turn; an answer that is ready only later does not hold
 * up those behind it (completions of different tags pass each other).
 */
static sim_time_t go_down(struct pcie_node *fn, const struct pcie_node *top, uint64_t bytes, sim_time_t turn,
			  sim_time_t ready)
{
	for (struct pcie_node *n = fn->parent; fn->below_switch && n != top; n = n->parent)
		if (n->type == PCIE_SWITCH_UP) {
			turn = resource_serve(&n->down, turn, link_time(n, bytes));
			turn += fn->fabric->params.switch_latency;
			ready += fn->fabric->params.switch_latency;
		}
	turn = resource_serve(&fn->down, turn, link_time(fn, bytes));
	return MAX(turn, ready) + link_time(fn, bytes);
}

static inline uint32_t lines_of(uint64_t addr, uint64_t n)
{
	return (uint32_t)(((addr + n - 1) / LINE) - addr / LINE + 1);
}

/*
 * First moment >= t at which a write may leave: its lines are free when it arrives. (The time that
 * credits take on their way back is part of pcie.write_latency.)
 */
static sim_time_t place_in_buffer(struct pcie_node *fn, sim_time_t t, uint32_t lines)
{
	return credits_wait(&fn->port->write_buffer, t + fn->flight, lines) - fn->flight;
}

/* ---- sending: until the first TLP is at the root complex ---- */

void pcie_time_send(struct pcie_train *tr, sim_time_t when)
{
	struct pcie_node *fn = tr->fn;

	if (tr->op == PCIE_READ) {
		tr->start = credits_wait(&fn->tags, when, tr->tlps);
		tr->sent = go_up(fn, tr->top, (uint64_t)TLP_REQUEST_BYTES * tr->tlps, tr->start);
		tr->arrival = tr->sent - link_time(fn, (uint64_t)TLP_REQUEST_BYTES * (tr->tlps - 1)) +
			      fn->flight;
		return;
	}
	tr->first = tr->tlps == 1 ? tr->n : tr->mps - (tr->addr & (tr->mps - 1));
	when = MAX(when, fn->up.one);
	tr->start = place_in_buffer(fn, when, lines_of(tr->addr, tr->first));
	tr->sent = go_up(fn, tr->top, tr->first + TLP_REQUEST_BYTES, tr->start);
	tr->arrival = tr->sent + fn->flight;
}

/* ---- reads in remapping ---- */

/*
 * Remapping works on a few reads of a port at a time and passes them on in order: hits wait behind a
 * miss, and the walks in flight are those of a few neighbours. (Posted writes wait in their buffer, where
 * all of them have their translations fetched.) A read that walked keeps its walker until it has left,
 * line by line: the lines of the request that walked; those behind it in the train find its entry.
 */
sim_time_t pcie_time_enter(struct pcie_train *tr)
{
	const struct pcie_params *p = &tr->fn->fabric->params;
	struct pcie_node *port = tr->fn->port;
	uint64_t first = MIN(tr->n, p->mrrs - (tr->addr & (p->mrrs - 1)));

	tr->hold = (lines_of(tr->addr, first) - 1) * p->read_line;
	/* Functions below a switch may come to turn out of order: what came sooner does not wait. */
	if (tr->arrival < port->read_arrived) {
		tr->leaves = tr->arrival;
		return tr->arrival;
	}
	port->read_arrived = tr->arrival;
	tr->leaves = port->read_left;
	return MAX(tr->arrival, port->reads_left[port->reads_next]);
}

sim_time_t pcie_time_leave(struct pcie_train *tr, sim_time_t ready)
{
	struct pcie_node *port = tr->fn->port;

	ready = MAX(ready, tr->leaves);
	port->read_left = MAX(port->read_left, ready);
	/* Places are given back in order, whoever came out of turn. */
	port->reads_left[port->reads_next] = port->read_left;
	if (++port->reads_next == tr->fn->fabric->params.read_window)
		port->reads_next = 0;
	return ready;
}

/* ---- memory ---- */

static sim_time_t memory_latency(const struct pcie_train *tr)
{
	const struct pcie_fabric *f = tr->fn->fabric;
	const struct memory_params *p = memory_params(f->mem);

	if (p->nodes > 1 && memory_node(f->mem, tr->phys) != tr->fn->socket)
		return p->latency_remote;
	return tr->cold || !p->io_hits_llc ? p->latency_dram : p->latency_llc;
}

/*
 * Completions of n bytes at addr in one page: each request (at most MRRS, aligned) is answered in pieces
 * of at most MPS that end at a read completion boundary, the last one at the request's end.
 */
unsigned pcie_completions(uint64_t addr, uint64_t n, uint64_t mrrs, uint64_t mps, uint64_t rcb)
{
	unsigned count = 0;

	if (((addr | n) & (mps - 1)) == 0)
		return (unsigned)(n / mps);
	for (uint64_t end = addr + n; addr < end;) {
		uint64_t request_end = MIN(end, align_down(addr, mrrs) + mrrs);
		uint64_t first_end = MIN(request_end, align_down(addr + mps, MIN(rcb, mps)));

		count += 1 + (unsigned)div_round_up(request_end - first_end, mps);
		addr = request_end;
	}
	return count;
}

static uint64_t completions(const struct pcie_train *tr)
{
	const struct pcie_fabric *f = tr->fn->fabric;

	return tr->n +
	       (uint64_t)TLP_COMPLETION_BYTES * pcie_completions(tr->addr, tr->n, (uint64_t)1 << f->mrrs_lg2,
								 (uint64_t)1 << f->mps_lg2, f->params.rcb);
}

static sim_time_t read_done(struct pcie_train *tr, sim_time_t ready)
{
	struct pcie_node *fn = tr->fn;
	sim_time_t done;

	/* A read does not pass the posted writes that arrived before it: it sees what they wrote. */
	if (fn->port->committed)
		ready = MAX(ready, fn->port->committed + fn->fabric->params.write_latency);
	done = go_down(fn, NULL, completions(tr), tr->arrival + memory_latency(tr),
		       ready + memory_latency(tr)) +
	       fn->flight;
	credits_take(&fn->tags, tr->tlps, done);
	return done;
}

/* One posted write is visible: in order behind everything the port has accepted. */
static void commit(struct pcie_train *tr, uint32_t lines, sim_time_t arrival, sim_time_t ready)
{
	struct pcie_node *port = tr->fn->port;

	port->committed = MAX(port->committed, MAX(arrival, ready));
	credits_take(&port->write_buffer, lines, port->committed + tr->fn->fabric->params.write_latency);
}

static sim_time_t write_done(struct pcie_train *tr, sim_time_t ready)
{
	struct pcie_node *fn = tr->fn;
	struct pcie_credits *buffer = &fn->port->write_buffer;
	uint64_t addr = tr->addr + tr->first, left = tr->n - tr->first;

	commit(tr, lines_of(tr->addr, tr->first), tr->arrival, ready);
	/* With room to spare the rest is one piece; else each TLP waits for its own place. */
	if (left && buffer->used + 2 * lines_of(addr, left) <= buffer->limit) {
		tr->sent = go_up(fn, tr->top, left + (uint64_t)TLP_REQUEST_BYTES * (tr->tlps - 1), tr->sent);
		commit(tr, lines_of(addr, left), tr->sent + fn->flight, ready);
		left = 0;
	}
	while (left) {
		uint64_t n = MIN(left, tr->mps);
		uint32_t lines = lines_of(addr, n);

		tr->sent = place_in_buffer(fn, MAX(tr->sent, fn->up.one), lines);
		tr->sent = go_up(fn, tr->top, n + TLP_REQUEST_BYTES, tr->sent);
		commit(tr, lines, tr->sent + fn->flight, ready);
		addr += n;
		left -= n;
	}
	return fn->port->committed + fn->fabric->params.write_latency;
}

sim_time_t pcie_time_memory(struct pcie_train *tr, sim_time_t ready)
{
	ready = MAX(ready, tr->arrival);
	return tr->op == PCIE_READ ? read_done(tr, ready) : write_done(tr, ready);
}

/* ---- peers ---- */

/* The common switch, or the root complex and perhaps the link between sockets, pass something on. */
static sim_time_t turn_latency(const struct pcie_train *tr, enum pcie_route route)
{
	const struct pcie_fabric *f = tr->fn->fabric;

	if (route == PCIE_ROUTE_DIRECT)
		return f->params.switch_latency;
	return f->params.host_bridge_latency + (route == PCIE_ROUTE_CROSS ? f->p2p.cross_latency : 0);
}

/* Inside the root complex paths between ports are narrower than links: when n bytes are through. */
static sim_time_t turn_data(const struct pcie_train *tr, enum pcie_route route, sim_time_t t)
{
	struct pcie_fabric *f = tr->fn->fabric;
	double limit = f->params.host_bridge_p2p_bandwidth;
	struct resource *bridge = &f->peer_bridge;
	sim_time_t service;

	t += turn_latency(tr, route);
	if (route == PCIE_ROUTE_DIRECT)
		return t;
	if (tr->op == PCIE_READ && f->p2p.read_bandwidth > 0)
		limit = f->p2p.read_bandwidth;
	if (route == PCIE_ROUTE_CROSS && f->p2p.cross_bandwidth > 0) {
		limit = f->p2p.cross_bandwidth;
		bridge = &f->peer_cross;
	}
	if (limit <= 0)
		return t;
	/* One GB/s is a byte per nanosecond. */
	service = (sim_time_t)llround((double)tr->n * (double)SIM_NS / limit);
	return resource_serve(bridge, t, service) + service;
}

/* Between the root complex and the peer; below a switch the hop is all there is. */
static sim_time_t peer_flight(const struct pcie_node *target, enum pcie_route route)
{
	return route == PCIE_ROUTE_DIRECT ? 0 : target->flight;
}

static sim_time_t peer_write(struct pcie_train *tr, struct pcie_node *target, enum pcie_route route,
			     sim_time_t t)
{
	struct pcie_node *fn = tr->fn;
	uint64_t left = tr->n - tr->first, bytes = tr->n + (uint64_t)TLP_REQUEST_BYTES * tr->tlps;
	sim_time_t turned, last, done;

	/* The rest follows the first TLP, which is passed on meanwhile. */
	if (left)
		tr->sent = go_up(fn, tr->top, left + (uint64_t)TLP_REQUEST_BYTES * (tr->tlps - 1), tr->sent);
	turned = turn_data(tr, route, t);
	last = tr->sent + fn->flight + turn_latency(tr, route);
	done = go_down(target, tr->top, bytes, turned, turned);
	done = MAX(done, last) + peer_flight(target, route);
	if (route != PCIE_ROUTE_DIRECT) {
		/* Later writes of this port stay behind; the buffer is free once the link has them. */
		fn->port->committed = MAX(fn->port->committed, turned);
		credits_take(&fn->port->write_buffer, lines_of(tr->addr, tr->n), done);
	}
	return done;
}

static sim_time_t peer_read(struct pcie_train *tr, struct pcie_node *target, enum pcie_route route,
			    sim_time_t t)
{
	struct pcie_node *fn = tr->fn;
	uint64_t bytes = completions(tr);

	t += turn_latency(tr, route);
	t = go_down(target, tr->top, (uint64_t)TLP_REQUEST_BYTES * tr->tlps, t, t) +
	    peer_flight(target, route);
	/* The peer's own memory answers as ours does; its data comes back the same way. */
	t += memory_params(fn->fabric->mem)->latency_dram;
	t = go_up(target, tr->top, bytes, t) + peer_flight(target, route);
	t = turn_data(tr, route, t);
	/* Cut through: the requester's link carries the bytes while they come in. */
	t -= MIN(t, link_time(fn, bytes));
	t = go_down(fn, tr->top, bytes, t, t) + fn->flight;
	credits_take(&fn->tags, tr->tlps, t);
	return t;
}

/* ready: the train is past translation (root complex) or at the switch (direct). */
sim_time_t pcie_time_peer(struct pcie_train *tr, struct pcie_node *target, enum pcie_route route,
			  sim_time_t ready)
{
	sim_time_t t = MAX(ready, tr->arrival);

	if (route != PCIE_ROUTE_DIRECT)
		t = MAX(t, tr->fn->port->committed);
	return tr->op == PCIE_WRITE ? peer_write(tr, target, route, t) : peer_read(tr, target, route, t);
}
