/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block layer's events: formatted and as fields, and the letters of their commands. */
#include "support.h"

#include "trace/kernel_block.h"

#include <dmasim/trace.h>

static const struct {
	const char *payload;
	bool issue, ok, has_bytes;
	uint64_t dev, sector, sectors, bytes;
	const char *rwbs;
} rows[] = {
    {"259,0 WS 65536 () 126464 + 128 [fio]", true, true, true, 259u << 20, 126464, 128, 65536, "WS"},
    {"259,3 R 0 () 8 + 16 none,0,0 [x]", true, true, false, 259u << 20 | 3, 8, 16, 0, "R"},
    {"259,0 FWS () 8 + 0 [0]", false, true, false, 259u << 20, 8, 0, 0, "FWS"},
    /* what stands in the parentheses is a passthrough command in hex */
    {"8,16 R 512 (12 00 00) 0 + 1 [x]", true, true, true, 8u << 20 | 16, 0, 1, 512, "R"},
    {"dev=271581184 sector=40 nr_sector=8 bytes=4096 rwbs=RA comm=\"x\"", true, true, true, 271581184, 40, 8,
     4096, "RA"},
    {"dev=271581184 sector=40 nr_sector=8 rwbs=RA", false, true, false, 271581184, 40, 8, 0, "RA"},
    {"dev=271581184 sector=40 nr_sector=8", false, false, false, 0, 0, 0, 0, ""},
    {"259 WS 65536 () 126464 + 128", true, false, false, 0, 0, 0, 0, ""},
    {"259,0 WS 65536 126464 + 128", true, false, false, 0, 0, 0, 0, ""},
    {"259,0 WS 65536 () 126464 - 128", true, false, false, 0, 0, 0, 0, ""},
    {"259,0 WS 65536 (", true, false, false, 0, 0, 0, 0, ""},
    {"259,0 TOOMANYLETTERS 0 () 1 + 1", true, false, false, 0, 0, 0, 0, ""},
    {"", true, false, false, 0, 0, 0, 0, ""},
};

START_TEST(payloads)
{
	struct kernel_block b;

	ck_assert_int_eq(kernel_block_parse(rows[_i].payload, rows[_i].issue, &b), rows[_i].ok);
	if (!rows[_i].ok)
		return;
	ck_assert_uint_eq(b.dev, rows[_i].dev);
	ck_assert_uint_eq(b.major << 20 | b.minor, rows[_i].dev);
	ck_assert_uint_eq(b.sector, rows[_i].sector);
	ck_assert_uint_eq(b.sectors, rows[_i].sectors);
	ck_assert_int_eq(b.has_bytes, rows[_i].has_bytes);
	ck_assert_uint_eq(b.bytes, rows[_i].bytes);
	ck_assert_str_eq(b.rwbs, rows[_i].rwbs);
}
END_TEST

START_TEST(letters)
{
	static const struct {
		const char *rwbs;
		int op;
	} ops[] = {{"R", NVME_OP_READ},
		   {"RAM", NVME_OP_READ},
		   {"WS", NVME_OP_WRITE},
		   {"WFS", NVME_OP_WRITE},
		   {"FWFS", NVME_OP_WRITE},
		   {"DS", NVME_OP_DISCARD},
		   {"F", NVME_OP_FLUSH},
		   {"FF", NVME_OP_FLUSH},
		   {"FN", NVME_OP_FLUSH},
		   {"N", -1},
		   {"", -1}};

	for (unsigned i = 0; i < G_N_ELEMENTS(ops); i++)
		ck_assert_int_eq(kernel_block_op(ops[i].rwbs), ops[i].op);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("kernel block events");

	tcase_add_loop_test(t, payloads, 0, G_N_ELEMENTS(rows));
	tcase_add_test(t, letters);
	return test_run("kernel block events", t, NULL);
}
