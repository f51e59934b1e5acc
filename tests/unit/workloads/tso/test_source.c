/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fragments of packets: where they begin and end, how many fit, nothing lost and nothing sent twice. */
#include "support.h"
#include "workloads/tso/tso.h"

static struct tso_params params(int source)
{
	return (struct tso_params){.bytes = 65160,
				   .mss = 1448,
				   .source = source,
				   .write_bytes = 64 * KIB,
				   .folio = 4096,
				   .sockets = 1};
}

static uint64_t bytes_of(const struct phys_vec *v, unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += v[i].len;
	return sum;
}

/* One socket: each packet goes on where the last one ended, and only chunks' or pages' ends part fragments.
 */
START_TEST(one_stream)
{
	struct tso_params p = params(_i ? TSO_SENDFILE : TSO_SEND);
	uint64_t unit = _i ? 4096 : 32 * KIB, at = 0;
	struct phys_vec v[TSO_MAX_REGIONS], last = {0};
	struct tso_stream s;

	tso_stream_init(&s, &p);
	for (unsigned k = 0; k < 500; k++) {
		unsigned n = tso_stream_next(&s, v);

		ck_assert_uint_eq(bytes_of(v, n), 65160);
		ck_assert_uint_eq(n, (at + 65160 + unit - 1) / unit - at / unit);
		if (k && at % unit)
			ck_assert_uint_eq(v[0].paddr, last.paddr + last.len);
		for (unsigned i = 0; i < n; i++) {
			ck_assert_uint_eq(v[i].paddr % unit, at % unit);
			at += v[i].len;
		}
		last = v[n - 1];
	}
	tso_stream_fini(&s);
}
END_TEST

/* Small writes to two sockets in turn: a fragment each, 17 to a packet, few of them at a page's start. */
START_TEST(sockets_in_turn)
{
	struct tso_params p = params(TSO_SEND);
	struct phys_vec v[TSO_MAX_REGIONS];
	struct tso_stream s;
	unsigned inside = 0;

	p.write_bytes = 1000;
	p.sockets = 2;
	tso_stream_init(&s, &p);
	for (unsigned k = 0; k < 200; k++) {
		unsigned n = tso_stream_next(&s, v);

		ck_assert_uint_eq(n, TSO_MAX_FRAGS);
		for (unsigned i = 0; i < n; i++) {
			ck_assert_uint_le(v[i].len, 1000);
			inside += v[i].paddr % PAGE_SIZE != 0;
		}
	}
	ck_assert_uint_gt(inside, 200 * 15);
	tso_stream_fini(&s);
}
END_TEST

START_TEST(heads)
{
	struct tso_params p = params(TSO_SENDFILE);
	struct phys_vec v[TSO_MAX_REGIONS];
	struct tso_stream s;
	unsigned n;

	p.linear = 200;
	tso_stream_init(&s, &p);
	n = tso_stream_next(&s, v);
	ck_assert_uint_eq(v[0].len, 200);
	ck_assert_uint_eq(bytes_of(v, n), 65160);
	ck_assert_uint_eq(n, 1 + 16);
	tso_stream_fini(&s);
}
END_TEST

static unsigned pieces;
static uint64_t in_segment;
static bool count(struct dma_object *obj, phys_addr_t phys, uint64_t len)
{
	(void)obj;
	(void)phys;
	pieces++;
	in_segment += len;
	ck_assert_uint_le(in_segment, 1448);
	in_segment %= 1448;
	return pieces < 50;
}

/* 3000 + 1344 bytes are three segments: 1448, 1448, 104 + 1344. */
START_TEST(segments)
{
	const struct phys_vec v[] = {{0x1000, 3000}, {0x5000, 1344}};
	struct tso_params p = params(TSO_SEND);
	struct tso_packet pkt = {.p = &p};

	pieces = 0;
	in_segment = 0;
	ck_assert(tso_for_pieces(&pkt.obj, v, 2, count));
	ck_assert_uint_eq(pieces, 4);
	ck_assert_uint_eq(in_segment, 0);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("tso source");

	tcase_add_loop_test(t, one_stream, 0, 2);
	tcase_add_test(t, sockets_in_turn);
	tcase_add_test(t, heads);
	tcase_add_test(t, segments);
	return test_run("tso source", t, NULL);
}
