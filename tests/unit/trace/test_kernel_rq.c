/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests and vectors out of kernel recordings. Recordings that carry the requests' own vectors
 * (rq_vectors) are read a second time without those lines: what the mapping events give must be the
 * same physical runs.
 */
#include "trace_support.h"

#include <string.h>

static char *read_all(const char *name)
{
	char *path = trace_data(name), *command = g_strdup_printf("xz -dc '%s'", path), *text = NULL;

	ck_assert(g_spawn_command_line_sync(command, &text, NULL, NULL, NULL));
	g_free(command);
	g_free(path);
	return text;
}

static struct trace_copy *parse(const char *text)
{
	char *path = trace_temporary(".txt", text, strlen(text));
	struct trace_copy *c = trace_copy_file(path, NULL);

	ck_assert_msg(!c->error, "%s", c->error ? c->error->message : "");
	trace_unlink(path);
	return c;
}

static char *without(const char *text, const char *event)
{
	char **lines = g_strsplit(text, "\n", -1);
	GString *s = g_string_new(NULL);

	for (unsigned i = 0; lines[i]; i++)
		if (!strstr(lines[i], event))
			g_string_append_printf(s, "%s\n", lines[i]);
	g_strfreev(lines);
	return g_string_free(s, FALSE);
}

/* Physical runs: adjacent vectors joined. */
static GArray *runs_of(const struct trace_record *rec)
{
	GArray *a = g_array_new(FALSE, FALSE, sizeof(struct trace_segment));

	for (unsigned i = 0; i < rec->nsegs; i++) {
		struct trace_segment *last = a->len ? &g_array_index(a, struct trace_segment, a->len - 1)
						    : NULL;

		if (last && last->phys + last->len == rec->segs[i].phys)
			last->len += rec->segs[i].len;
		else
			g_array_append_val(a, rec->segs[i]);
	}
	return a;
}

static const struct {
	const char *file;
	unsigned requests, runs;
} recordings[] = {
    {"k612-d06.trace.txt.xz", 0, 0}, {"k612-d04.trace.txt.xz", 0, 0},  {"k70-d06.trace.txt.xz", 0, 0},
    {"k70-d03.trace.txt.xz", 0, 0},  {"k70pt-d06.trace.txt.xz", 0, 0},
};

START_TEST(test_same_runs)
{
	char *text = read_all(recordings[_i].file), *bare = without(text, " rq_vectors: ");
	struct trace_copy *a = parse(text), *b = parse(bare);

	ck_assert_uint_ge(a->records->len, 16);
	ck_assert_uint_eq(a->records->len, b->records->len);
	ck_assert_uint_eq(a->counts.no_vectors, 0);
	for (unsigned i = 0; i < a->records->len; i++) {
		const struct trace_record *x = trace_copy_at(a, i), *y = trace_copy_at(b, i);
		GArray *rx = runs_of(x), *ry = runs_of(y);

		ck_assert_uint_eq(x->time_ns, y->time_ns);
		ck_assert_uint_eq(x->nvme.bytes, y->nvme.bytes);
		ck_assert_uint_eq(x->nvme.done_ns, y->nvme.done_ns);
		/* The last request's mapping may lie behind the end of the excerpt. */
		if (i + 1 < a->records->len) {
			ck_assert_uint_eq(rx->len, ry->len);
			for (unsigned k = 0; k < rx->len; k++) {
				const struct trace_segment *p = &g_array_index(rx, struct trace_segment, k),
							   *q = &g_array_index(ry, struct trace_segment, k);

				ck_assert(p->phys == q->phys && p->len == q->len);
			}
		}
		ck_assert(x->nvme.split_done && y->nvme.split_done);
		g_array_free(rx, TRUE);
		g_array_free(ry, TRUE);
	}
	trace_copy_free(a);
	trace_copy_free(b);
	g_free(text);
	g_free(bare);
}
END_TEST

/* 512 KiB requests in four parts: three of four are fronts, by the gap bit as by block_split. */
START_TEST(test_split_fronts)
{
	char *text = read_all("k70-d03.trace.txt.xz"), *bare = without(text, " rq_vectors: ");
	struct trace_copy *a = parse(text), *b = parse(bare);

	for (unsigned i = 0; i < a->records->len; i++) {
		ck_assert_uint_eq(trace_copy_at(a, i)->nvme.bytes, 128 * KIB);
		ck_assert_uint_eq(trace_copy_at(a, i)->nvme.split_front, i % 4 != 3);
		ck_assert_uint_eq(trace_copy_at(b, i)->nvme.split_front, i % 4 != 3);
		ck_assert_uint_eq(trace_copy_at(a, i)->nsegs, 32);
	}
	trace_copy_free(a);
	trace_copy_free(b);
	g_free(text);
	g_free(bare);
}
END_TEST

START_TEST(test_first_request)
{
	char *text = read_all("k70-d06.trace.txt.xz");
	struct trace_copy *c = parse(text);
	const struct trace_record *rec = trace_copy_at(c, 0);

	ck_assert_str_eq(c->devices->pdata[0], "nvme0");
	ck_assert_uint_eq(rec->cpu, 0);
	ck_assert_uint_eq(rec->nvme.queue, 2);
	ck_assert_uint_eq(rec->nvme.op, NVME_OP_READ);
	ck_assert_uint_eq(rec->nvme.offset, 76288 * 512);
	ck_assert_uint_eq(rec->nvme.bytes, 53248);
	ck_assert_uint_eq(rec->nsegs, 17);
	ck_assert_uint_eq(rec->segs[0].phys, 0x1327a7200);
	ck_assert_uint_eq(rec->segs[0].len, 0xe00);
	ck_assert_uint_eq(rec->segs[16].len, 0x200);
	ck_assert(!rec->nvme.split_front);
	trace_copy_free(c);
	g_free(text);
}
END_TEST

/* 6.1 gives page-granular maps only: bytes and page runs are right, the first page's offset a guess. */
START_TEST(test_page_granular)
{
	char *text = read_all("k61-d06.trace.txt.xz");
	struct trace_copy *c = parse(text);
	const struct trace_record *rec = trace_copy_at(c, 0);

	ck_assert_uint_eq(rec->nvme.bytes, 53248);
	ck_assert_uint_eq(rec->nsegs, 14);
	ck_assert_uint_eq(rec->segs[0].phys, 0x134a72200);
	ck_assert_uint_eq(rec->segs[13].len, 512);
	trace_copy_free(c);
	g_free(text);
}
END_TEST

/* The same run in five spellings; each has what its README states. */
static const struct {
	const char *file;
	unsigned requests, segments;
	bool done;
} samples[] = {
    {"sg.ftrace.txt", 20, 29, true}, {"iova.ftrace.txt", 20, 242, true}, {"sg.perf.txt", 6, 96, false},
    {"iova.perf.txt", 6, 96, false}, {"sg.report.txt", 16, 118, true},   {"iova.report.txt", 16, 298, true},
    {"sg.trace.dat", 16, 118, true}, {"iova.trace.dat", 16, 298, true},  {"sg.raw.txt", 1, 16, true},
};

START_TEST(test_samples)
{
	char *path = trace_data(samples[_i].file);
	struct trace_copy *c = trace_copy_file(path, NULL);
	unsigned segments = 0;

	ck_assert_msg(!c->error, "%s", c->error ? c->error->message : "");
	ck_assert_uint_eq(c->records->len, samples[_i].requests);
	for (unsigned i = 0; i < c->records->len; i++) {
		segments += trace_copy_at(c, i)->nsegs;
		ck_assert(samples[_i].done == (trace_copy_at(c, i)->nvme.done_ns != TRACE_NO_TIME));
	}
	ck_assert_uint_eq(segments, samples[_i].segments);
	trace_copy_free(c);
	g_free(path);
}
END_TEST

/* The binary and its text tell the same. */
START_TEST(test_trace_dat_is_its_report)
{
	const char *names[][2] = {{"sg.trace.dat", "sg.report.txt"}, {"iova.trace.dat", "iova.report.txt"}};
	char *dat = trace_data(names[_i][0]), *report = trace_data(names[_i][1]);
	struct trace_options o = TRACE_OPTIONS_DEFAULT;
	struct trace_copy *a, *b;

	o.keep_time = true;
	a = trace_copy_file(dat, &o);
	b = trace_copy_file(report, &o);
	ck_assert_uint_eq(a->records->len, b->records->len);
	for (unsigned i = 0; i < a->records->len; i++) {
		const struct trace_record *x = trace_copy_at(a, i), *y = trace_copy_at(b, i);

		ck_assert_uint_eq((x->time_ns + 500) / 1000, y->time_ns / 1000);
		ck_assert_uint_eq(x->nvme.offset, y->nvme.offset);
		ck_assert_uint_eq(x->nsegs, y->nsegs);
		for (unsigned k = 0; k < x->nsegs; k++)
			ck_assert(x->segs[k].phys == y->segs[k].phys && x->segs[k].len == y->segs[k].len);
	}
	trace_copy_free(a);
	trace_copy_free(b);
	g_free(dat);
	g_free(report);
}
END_TEST

/* A string with a line end in it, as what is written to trace_marker has, is still one event. */
START_TEST(test_line_end_in_trace_dat)
{
	static const char task[] = "fio\0", odd[] = "f\no\0";
	char *path = trace_data("sg.v6.trace.dat.xz"), *data = NULL, *at,
	     *copy = trace_temporary(".dat", "", 0);
	char *command = g_strdup_printf("sh -c \"xz -dc '%s' > '%s'\"", path, copy);
	struct trace_copy *a = trace_copy_file(path, NULL), *b;
	unsigned changed = 0;
	gsize len;

	ck_assert(!a->error && a->records->len == 16);
	ck_assert(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
	ck_assert(g_file_get_contents(copy, &data, &len, NULL));
	for (at = data; (at = memmem(at, len - (gsize)(at - data), task, 4)) != NULL; changed++)
		memcpy(at, odd, 4);
	ck_assert_uint_gt(changed, 10);
	ck_assert(g_file_set_contents(copy, data, (gssize)len, NULL));
	b = trace_copy_file(copy, NULL);
	trace_assert_same(a, b);
	ck_assert_uint_eq(b->counts.bad[TRACE_BAD_MALFORMED], 0);
	trace_copy_free(a);
	trace_copy_free(b);
	trace_unlink(copy);
	g_free(command);
	g_free(data);
	g_free(path);
}
END_TEST

START_TEST(test_only_mappings)
{
	static const char text[] =
	    "  x-1 [000] .....  1.000000: map: IOMMU: iova=0x1000 - 0x2000 paddr=0x1000 size=4096\n";
	char *path = trace_temporary(".txt", text, strlen(text));
	struct trace_copy *c = trace_copy_file(path, NULL);

	ck_assert(c->error && strstr(c->error->message, "mapping events but no requests"));
	trace_copy_free(c);
	trace_unlink(path);
}
END_TEST

/* What trace-cmd report and perf script -g put around the events. */
START_TEST(test_around_events)
{
	static const char *const texts[] = {
	    "version = 6\nCPU 1 is empty\ncpus=2\n"
	    "  fio-789 [000]  4455.092003: block_rq_issue:       259,0 R 65536 () 64 + 128 [fio]\n"
	    "  fio-789 [000]  4455.092103: block_rq_complete:    259,0 R () 64 + 128 [0]\n",
	    "CPU 0 is empty\ncpus=2\n"
	    "  fio-789 [000]  4455.092003: block_rq_issue:       259,0 R 65536 () 64 + 128 [fio]\n"
	    "CPU:0 [3 EVENTS DROPPED]\n"
	    "  fio-789 [000]  4455.092103: block_rq_complete:    259,0 R () 64 + 128 [0]\n",
	    "fio   789 [000]  4455.092003: block:block_rq_issue: 259,0 R 65536 () 64 + 128 [fio]\n"
	    "\tffffffff8157c2a1 blk_mq_start_request+0x91 ([kernel.kallsyms])\n"
	    "\t    7f3b12ac4d io_submit+0xd (/usr/lib/x86_64-linux-gnu/libaio.so.1)\n\n"
	    "swapper     0 [001]  4455.092103: block:block_rq_complete: 259,0 R () 64 + 128 [0]\n"
	    "\tffffffff8157c2a1 blk_update_request+0x91 ([kernel.kallsyms])\n\n",
	    "# tracer: nop\n#\n#    TASK-PID    TGID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
	    "  fio-789  (    789) [000] d..1. 4455.092003: block_rq_issue: 259,0 R 65536 () 64 + 128 [fio]\n"
	    "  <idle>-0 (-------) [000] d.h1. 4455.092103: block_rq_complete: 259,0 R () 64 + 128 [0]\n"
	    "  <idle>-0 (-------) [000] d.h1. 4455.092103: <stack trace>\n"
	    " => blk_update_request\n => nvme_irq\n",
	    /* up to 4.x: no bytes */
	    ("  fio-789 [000] d..1. 4455.092003: block_rq_issue: 259,0 R 0 () 64 + 128 [fio]\n"
	    "  fio-789 [000] d.h1. 4455.092103: block_rq_complete: 259,0 R () 64 + 128 [0]\n"),
	};
	struct trace_copy *c = parse(texts[_i]);

	ck_assert_uint_eq(c->records->len, 1);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.offset, 64 * 512);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.bytes, 65536);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.done_ns, 100000);
	ck_assert_uint_eq(c->counts.bad[TRACE_BAD_MALFORMED], 0);
	ck_assert_uint_eq(c->counts.lost, _i == 1 ? 3 : 0);
	trace_copy_free(c);
}
END_TEST

/* A block event on a CPU that has set up no command is nobody's hint. */
START_TEST(test_hint_without_command)
{
	struct trace_copy *c = parse(
	    "  fio-1 [000] d..1. 1.000001: nvme_setup_cmd: nvme0: disk=nvme0n1, qid=1, cmdid=1, nsid=1, "
	    "flags=0x0, meta=0x0, cmd=(nvme_cmd_read slba=0, len=7, ctrl=0x0, dsmgmt=0, reftag=0)\n"
	    "  fio-1 [001] d..1. 1.000002: block_rq_issue: 259,0 R 4096 () 8 + 8 none,0,0 [fio]\n");

	ck_assert_uint_eq(c->records->len, 1);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.offset, 0);
	trace_copy_free(c);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("kernel requests");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_same_runs, 0, G_N_ELEMENTS(recordings));
	tcase_add_test(tc, test_split_fronts);
	tcase_add_test(tc, test_first_request);
	tcase_add_test(tc, test_page_granular);
	tcase_add_loop_test(tc, test_samples, 0, G_N_ELEMENTS(samples));
	tcase_add_loop_test(tc, test_trace_dat_is_its_report, 0, 2);
	tcase_add_test(tc, test_line_end_in_trace_dat);
	tcase_add_test(tc, test_only_mappings);
	tcase_add_loop_test(tc, test_around_events, 0, 5);
	tcase_add_test(tc, test_hint_without_command);
	return test_run("kernel requests", tc, NULL);
}
