/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"
#include "trace/ftrace_line.h"

static const struct {
	const char *line, *comm, *flags, *group, *event, *payload;
	uint32_t pid, cpu;
	uint64_t time_ns;
	bool raw;
} lines[] = {
    {"             fio-175     [000] .....    50.042051: dma_map_page: 0000:00:02.0 dir=TO_DEVICE", "fio",
     ".....", "", "dma_map_page", "0000:00:02.0 dir=TO_DEVICE", 175, 0, 50042051000, false},
    {"          <idle>-0       [013] dNH1.    59.727743: unmap: IOMMU: iova=0x1", "<idle>", "dNH1.", "",
     "unmap", "IOMMU: iova=0x1", 0, 13, 59727743000, false},
    {"  kworker/0:1H-156   [001]    60.692581: map:                  IOMMU: iova=0x2", "kworker/0:1H", "", "",
     "map", "IOMMU: iova=0x2", 156, 1, 60692581000, false},
    {"     my [x] a-b   257 [001]   144.026710123:                      iommu:map: IOMMU: iova=0x3",
     "my [x] a-b", "", "iommu", "map", "IOMMU: iova=0x3", 257, 1, 144026710123, false},
    {"     fio-190   (    190) [001] d..1.  60.692719: map: IOMMU: iova=0x4", "fio", "d..1.", "", "map",
     "IOMMU: iova=0x4", 190, 1, 60692719000, false},
    {" (udev-worker)-532 (-------) [010] ..... 4.878076: unmap: IOMMU: iova=0x5", "(udev-worker)", ".....",
     "", "unmap", "IOMMU: iova=0x5", 532, 10, 4878076000, false},
    {" (a b) (c)-7 [010] ..... 4.878076: unmap: x", "(a b) (c)", ".....", "", "unmap", "x", 7, 10, 4878076000,
     false},
    {"     fio-190 [001] d..1. 60.692719: <stack trace>", "fio", "d..1.", "", "<stack trace>", "", 190, 1,
     60692719000, false},
    {" fio-190 [001] 60.692719: dma_map_sg:           [FAILED TO PARSE] device=a full_nents=16", "fio", "",
     "", "dma_map_sg", "device=a full_nents=16", 190, 1, 60692719000, true},
};

START_TEST(test_layouts)
{
	struct ftrace_line l;
	char *comm, *event, *group;

	ck_assert_int_eq(ftrace_parse(lines[_i].line, &l, NULL, NULL), FTRACE_EVENT);
	comm = g_strndup(l.comm, l.comm_len);
	event = g_strndup(l.event, l.event_len);
	group = g_strndup(l.group, l.group_len);
	ck_assert_str_eq(comm, lines[_i].comm);
	ck_assert_str_eq(event, lines[_i].event);
	ck_assert_str_eq(group, lines[_i].group);
	ck_assert_str_eq(l.flags, lines[_i].flags);
	ck_assert_str_eq(l.payload, lines[_i].payload);
	ck_assert_uint_eq(l.pid, lines[_i].pid);
	ck_assert_uint_eq(l.cpu, lines[_i].cpu);
	ck_assert_uint_eq(l.time_ns, lines[_i].time_ns);
	ck_assert(l.raw == lines[_i].raw);
	ck_assert(ftrace_is(&l, lines[_i].event) && !ftrace_is(&l, "ma"));
	g_free(comm);
	g_free(event);
	g_free(group);
}
END_TEST

START_TEST(test_other_lines)
{
	struct ftrace_line l;
	uint64_t lost = 0;
	const char *at = NULL;

	ck_assert_int_eq(ftrace_parse("# tracer: nop", &l, NULL, NULL), FTRACE_COMMENT);
	ck_assert_int_eq(ftrace_parse("", &l, NULL, NULL), FTRACE_COMMENT);
	ck_assert_int_eq(ftrace_parse("cpus=2", &l, NULL, NULL), FTRACE_COMMENT);
	ck_assert_int_eq(ftrace_parse("CPU 1 is empty", &l, NULL, NULL), FTRACE_COMMENT);
	ck_assert_int_eq(ftrace_parse("CPU:1 [LOST 4711 EVENTS]", &l, &lost, NULL), FTRACE_LOST);
	ck_assert_uint_eq(lost, 4711);
	ck_assert_int_eq(ftrace_parse("version = 6", &l, NULL, NULL), FTRACE_COMMENT);
	ck_assert_int_eq(ftrace_parse("CPU:3 [52 EVENTS DROPPED]", &l, &lost, NULL), FTRACE_LOST);
	ck_assert_uint_eq(lost, 52);
	ck_assert_int_eq(ftrace_parse("CPU 1 is full", &l, NULL, NULL), FTRACE_BAD);
	/* Stack traces: of ftrace, of perf script -g. */
	ck_assert_int_eq(ftrace_parse(" => dma_map_page_attrs", &l, NULL, NULL), FTRACE_COMMENT);
	ck_assert_int_eq(ftrace_parse(" => dma_map_page_attrs+0x12/0x34", &l, NULL, NULL), FTRACE_COMMENT);
	ck_assert_int_eq(
	    ftrace_parse("\tffffffffa0f1b2c3 dma_map_page_attrs+0x1a3 ([kernel.kallsyms])", &l, NULL, NULL),
	    FTRACE_COMMENT);
	ck_assert_int_eq(
	    ftrace_parse("            7f01a2b3c4 [unknown] (/usr/lib/libc.so.6)", &l, NULL, NULL),
	    FTRACE_COMMENT);
	ck_assert_int_eq(ftrace_parse("  fadedbee words", &l, NULL, &at), FTRACE_BAD);
	ck_assert_int_eq(ftrace_parse("hello", &l, NULL, &at), FTRACE_BAD);
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(ftrace_parse("  fio-1 [000] .....  5.1x: map: ", &l, NULL, &at), FTRACE_BAD);
	ck_assert_str_eq(at, "5.1x: map: ");
	ck_assert_int_eq(ftrace_parse("  fio-1 [000] .....  5.1: map ", &l, NULL, &at), FTRACE_BAD);
	ck_assert_int_eq(ftrace_parse("  fio [000] .....  5.1: map: ", &l, NULL, &at), FTRACE_BAD);
}
END_TEST

START_TEST(test_fields)
{
	static const char text[] =
	    "0000:00:02.0 dir=FROM_DEVICE nents=2/2 dma_addrs={0xfffa0000} "
	    "phys_addrs={0x11825f000,0x11825e000} size=4096 phys_addr=1f attrs=NO_WARN|0x8000";
	static const char raw[] =
	    "device=x addrs=ARRAY[00, a0, 7d, 24, 01, 00, 00, 00, ff, 00, 00, 00, 00, 00, 00, 80] "
	    "lengths=ARRAY[00, 00, 01, 00] none=ARRAY[] bad=ARRAY[0 dir=1 attrs=0x100";
	uint64_t v[4];

	ck_assert_int_eq(ftrace_direction(text), DMA_FROM_DEVICE);
	ck_assert_int_eq(ftrace_direction(raw), DMA_TO_DEVICE);
	ck_assert_int_eq(ftrace_direction("x"), -1);
	ck_assert_uint_eq(ftrace_attrs(text), 1 << 8 | 1 << 15);
	ck_assert_uint_eq(ftrace_attrs(raw), 0x100);
	ck_assert(ftrace_number(text, "size=", &v[0]) && v[0] == 4096);
	ck_assert(ftrace_hex(text, "phys_addr=", &v[0]) && v[0] == 0x1f);
	ck_assert(!ftrace_number(text, "sizes=", v));
	ck_assert_int_eq(ftrace_list(ftrace_field(text, "phys_addrs="), 8, v, 4), 2);
	ck_assert_uint_eq(v[1], 0x11825e000);
	ck_assert_int_eq(ftrace_list(ftrace_field(text, "phys_addrs="), 8, v, 1), 2);
	/* "dma_addrs" ends in "addrs": a key counts only where a field begins. */
	ck_assert_int_eq(ftrace_list(ftrace_field(raw, "addrs="), 8, v, 4), 2);
	ck_assert_uint_eq(v[0], 0x1247da000);
	ck_assert_uint_eq(v[1], 0x80000000000000ff);
	ck_assert_ptr_null(ftrace_field(text, "addrs="));
	ck_assert_int_eq(ftrace_list(ftrace_field(raw, "lengths="), 4, v, 4), 1);
	ck_assert_uint_eq(v[0], 65536);
	ck_assert_int_eq(ftrace_list(ftrace_field(raw, "lengths="), 8, v, 4), -1);
	ck_assert_int_eq(ftrace_list(ftrace_field(raw, "none="), 8, v, 4), 0);
	ck_assert_int_eq(ftrace_list(ftrace_field(raw, "bad="), 8, v, 4), -1);
	ck_assert_int_eq(ftrace_list("{0x1", 8, v, 4), -1);
	ck_assert_int_eq(ftrace_list("x", 8, v, 4), -1);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("lines");

	tcase_add_loop_test(tc, test_layouts, 0, G_N_ELEMENTS(lines));
	tcase_add_test(tc, test_other_lines);
	tcase_add_test(tc, test_fields);
	return test_run("ftrace lines", tc, NULL);
}
