/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace_support.h"

#include <string.h>

static struct trace_copy *copy_text(const char *text)
{
	char *path = trace_temporary(".csv", text, strlen(text));
	struct trace_copy *c = trace_copy_file(path, NULL);

	trace_unlink(path);
	return c;
}

/* Write c in the form of suffix, read it back, compare. */
static void round_trip(const struct trace_copy *c, const char *suffix)
{
	char *path = trace_temporary(suffix, "", 0);
	GError *error = NULL;
	struct trace_writer *w = trace_writer_open(path, c->workload, &error);
	struct trace_copy *back;

	ck_assert_msg(w, "%s", error ? error->message : "");
	for (unsigned i = 0; i < c->records->len; i++)
		ck_assert(trace_write(w, trace_copy_at(c, i), c->devices->pdata[i], &error));
	ck_assert_msg(trace_writer_close(w, &error), "%s", error ? error->message : "");
	back = trace_copy_file(path, NULL);
	ck_assert_msg(!back->error, "%s", back->error ? back->error->message : "");
	trace_assert_same(c, back);
	trace_copy_free(back);
	trace_unlink(path);
}

static const char *const samples[] = {
    "# dmasim-trace v1\n"
    "time_ns,cpu,device,queue,op,offset,bytes,segments,done_ns,done_cpu,split\n"
    "5,0,nvme0,1,R,0,4096,1000+4096,900,3,\n"
    "7,1,\"odd,\"\"name\",2,W,18446744073709547520,4095,1200+3584|fffffffffffff000+511:p2p:1,,,front\n"
    "7,1,nvme0,2,F,0,0,,,,\n"
    "9,1,nvme0,2,D,512,1099511627776,,10,0,done\n",
    "# dmasim-trace v1\n"
    "time_ns,cpu,device,event,mr,offset,bytes,write,segments,va,access,implicit\n"
    "0,0,mlx5_0,reg,7,0,1073741824,,,0x7f0000000000,0x1f,0\n"
    "10,0,mlx5_0,fault,7,4096,8192,1,1000+4096|3000+4096,,,\n"
    "20,2,mlx5_0,inval,7,4096,4096,,,,,\n"
    "30,2,mlx5_0,prefetch,9,0,4194304,0,,0x10,,1\n"
    "40,2,mlx5_0,access,7,4096,64,1,,,,\n"
    "50,0,mlx5_0,dereg,7,0,0,,,,,\n",
    "# dmasim-trace v1\n"
    "time_ns,cpu,device,event,buffer,bytes,offset,segments,direction,purpose,incremental\n"
    "0,0,vf0,track_start,0,2097152,,,from_device,tracker,\n"
    "1,0,vf0,alloc,1,8388608,,10000+4096|20000+8384512,from_device,data,0\n"
    "2,0,vf0,save,1,5000000,,,,,1\n"
    "3,0,vf0,read,1,65536,4096,,,,\n"
    "4,0,vf0,load,1,5000000,,,to_device,header,0\n"
    "5,0,vf0,track_read,0,512,,,,,\n"
    "6,0,vf0,free,1,0,,,,,\n"
    "7,0,vf0,track_stop,0,0,,,,,\n",
    "# dmasim-trace v1\n"
    "time_ns,cpu,device,event,handle,offset,bytes,direction,phys,attrs,segments\n"
    "0,0,0000:00:01.0,map,0xfffff000,0,4096,to_device,0x1000,0x0,\n"
    "1,1,0000:00:01.0,map_sg,0xffffe000,0,8192,from_device,,0x100,1000+4096|5000+4096\n"
    "2,1,0000:00:01.0,unmap_sg,0xffffe000,0,8192,bidirectional,,,\n"
    "3,1,0000:00:01.0,free_coherent,0xffffffffffffffff,0,8192,none,,,\n",
};

START_TEST(test_forms)
{
	struct trace_copy *c = copy_text(samples[_i]);

	ck_assert_msg(!c->error, "%s", c->error ? c->error->message : "");
	ck_assert_uint_eq(c->workload, _i);
	ck_assert_uint_eq(c->records->len, _i == TRACE_NVME ? 4 : _i == 1 ? 6 : _i == 2 ? 8 : 4);
	round_trip(c, ".csv");
	round_trip(c, ".csv.gz");
	round_trip(c, ".csv.xz");
	round_trip(c, ".csv.zst");
	round_trip(c, ".csv.bz2");
	round_trip(c, ".dmt");
	round_trip(c, ".dmt.gz");
	trace_copy_free(c);
}
END_TEST

START_TEST(test_values)
{
	struct trace_copy *c = copy_text(samples[0]);
	const struct trace_record *rec = trace_copy_at(c, 1);

	ck_assert_uint_eq(rec->time_ns, 7);
	ck_assert_uint_eq(rec->where, 4);
	ck_assert_uint_eq(rec->cpu, 1);
	ck_assert_str_eq(c->devices->pdata[1], "odd,\"name");
	ck_assert_uint_eq(rec->nvme.op, NVME_OP_WRITE);
	ck_assert_uint_eq(rec->nvme.offset, 18446744073709547520u);
	ck_assert_uint_eq(rec->nvme.bytes, 4095);
	ck_assert(rec->nvme.split_front && rec->nvme.split_done);
	ck_assert_uint_eq(rec->nvme.done_ns, TRACE_NO_TIME);
	ck_assert_uint_eq(rec->nsegs, 2);
	ck_assert_uint_eq(rec->segs[0].phys, 0x1200);
	ck_assert_uint_eq(rec->segs[1].kind, MEMORY_P2P);
	ck_assert_uint_eq(rec->segs[1].node, 1);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.done_cpu, 3);
	trace_copy_free(c);
}
END_TEST

#define HEAD "# dmasim-trace v1\ntime_ns,cpu,device,queue,op,offset,bytes,segments\n"
static const struct {
	const char *text, *message;
	enum trace_error code;
} errors[] = {
    {"# dmasim-trace v2\ntime_ns,cpu\n", ":1: native trace of version \"2\"", TRACE_ERROR_FORMAT},
    {"# dmasim-trace v1\n", "ends before its header", TRACE_ERROR_FORMAT},
    {"# dmasim-trace v1\ntime_ns,cpu,devise\n", ":2: unknown column \"devise\"", TRACE_ERROR_FORMAT},
    {"# dmasim-trace v1\ntime_ns,cpu,device,queue,op,offset,offset\n", "named twice", TRACE_ERROR_FORMAT},
    {"# dmasim-trace v1\ntime_ns,cpu,device,queue,op,offset\n", "lacks the column \"bytes\"",
     TRACE_ERROR_FORMAT},
    {"# dmasim-trace v1\ntime_ns,cpu,device,queue,op,offset,bytes,mr\n", "does not belong to nvme",
     TRACE_ERROR_FORMAT},
    {"# dmasim-trace v1\ntime_ns,cpu,device\n", "names no workload", TRACE_ERROR_FORMAT},
    {HEAD, "no records", TRACE_ERROR_FORMAT},
    {HEAD "1,0,d,0,R,0,4096,\nx,0,d,0,R,0,4096,\n",
     ":4:1: malformed record: expected a time in ns, found \"x\"", TRACE_ERROR_RECORD},
    {HEAD "1,0,d,0,Q,0,4096,\n", ":3:9: malformed record: expected R, W, F or D, found \"Q\"",
     TRACE_ERROR_RECORD},
    {HEAD "1,0,d,0,R,0,4096,,\n", ":3:18: malformed", TRACE_ERROR_RECORD},
    {HEAD "1,0,d,0,R,99999999999999999999,4096,\n", "expected a byte offset", TRACE_ERROR_RECORD},
    {HEAD "1,0,d,0,R,0,4096,1000+4095\n", ":3: out of range record: expected segments that add up",
     TRACE_ERROR_RECORD},
    {HEAD "1,0,d,0,R,18446744073709551615,1,\n", "below 2^64", TRACE_ERROR_RECORD},
    {HEAD "1,0,d,0,R,0,4096,\n2,0,d,0,R,0",
     ":4:12: malformed record: expected a comma and one more field, found "
     "the end of the line; the last line has no end",
     TRACE_ERROR_TRUNCATED},
    {"", "empty", TRACE_ERROR_FORMAT},
    {"hello world\n", "no known trace format begins with \"hello world\"", TRACE_ERROR_FORMAT},
};

START_TEST(test_errors)
{
	struct trace_copy *c = copy_text(errors[_i].text);

	ck_assert_ptr_nonnull(c->error);
	ck_assert_msg(strstr(c->error->message, errors[_i].message), "%s", c->error->message);
	ck_assert_int_eq(c->error->code, errors[_i].code);
	trace_copy_free(c);
}
END_TEST

/* Disorder within the window is repaired, ties keep file order; beyond it is an error. */
START_TEST(test_window)
{
	struct trace_options o = TRACE_OPTIONS_DEFAULT;
	static const char text[] = HEAD "10,0,d,0,R,0,512,\n30,0,d,0,R,512,512,\n20,0,d,0,R,1024,512,\n"
					"20,0,d,0,R,1536,512,\n";
	struct trace_copy *c = copy_text(text);
	char *path;

	ck_assert(!c->error);
	ck_assert_uint_eq(c->counts.out_of_order, 2);
	ck_assert_uint_eq(trace_copy_at(c, 1)->nvme.offset, 1024);
	ck_assert_uint_eq(trace_copy_at(c, 2)->nvme.offset, 1536);
	ck_assert_uint_eq(trace_copy_at(c, 3)->nvme.offset, 512);
	trace_copy_free(c);

	path = trace_temporary("", text, strlen(text));
	o.window_ns = 10;
	c = trace_copy_file(path, &o);
	ck_assert(!c->error);
	trace_copy_free(c);
	o.window_records = 1;
	c = trace_copy_file(path, &o);
	ck_assert(c->error && strstr(c->error->message, ":5: time 20 ns is earlier"));
	ck_assert_uint_eq(c->records->len, 2);
	trace_copy_free(c);
	trace_unlink(path);
}
END_TEST

/* One bad record in a thousand is counted, not fatal; strict mode names it. */
START_TEST(test_bad_limit)
{
	GString *s = g_string_new(HEAD);
	struct trace_options o = TRACE_OPTIONS_DEFAULT;
	struct trace_copy *c;
	char *path;

	for (unsigned i = 0; i < 999; i++)
		g_string_append_printf(s, "%s%u,0,d,0,R,0,512,\n", i == 500 ? "oops\n" : "", i);
	path = trace_temporary("", s->str, s->len);
	c = trace_copy_file(path, NULL);
	ck_assert(!c->error);
	ck_assert_uint_eq(c->records->len, 999);
	ck_assert_uint_eq(c->counts.bad[TRACE_BAD_MALFORMED], 1);
	trace_copy_free(c);
	o.strict = true;
	c = trace_copy_file(path, &o);
	ck_assert(c->error && strstr(c->error->message, ":503:1: malformed"));
	ck_assert_uint_eq(c->records->len, 500);
	trace_copy_free(c);
	trace_unlink(path);
	g_string_free(s, TRUE);
}
END_TEST

/* CRLF, byte-order mark, blank lines, no last newline, comments, any column order. */
START_TEST(test_tolerance)
{
	struct trace_copy *a = copy_text(
			      "\xef\xbb\xbf# dmasim-trace v1\r\n# a comment\r\n\r\n"
			      "op,bytes,time_ns,device,cpu,queue,offset\r\nR,512,3,d,1,2,1024\r\n\r\n"
			      "W,512,4,e,1,2,1024"),
			  *b = copy_text(HEAD "3,1,d,2,R,1024,512,\n4,1,e,2,W,1024,512,\n");

	ck_assert(!a->error && !b->error);
	trace_assert_same(a, b);
	trace_copy_free(a);
	trace_copy_free(b);
}
END_TEST

START_TEST(test_options)
{
	struct trace_options o = TRACE_OPTIONS_DEFAULT;
	char *path = trace_temporary("", HEAD "10,0,a,0,R,0,512,\n20,0,b,0,R,0,512,\n", strlen(HEAD) + 36);
	struct trace_copy *c;

	o.device = "b";
	o.time_scale = 2.5;
	c = trace_copy_file(path, &o);
	ck_assert(!c->error);
	ck_assert_uint_eq(c->records->len, 1);
	ck_assert_uint_eq(trace_copy_at(c, 0)->time_ns, 50);
	ck_assert_uint_eq(c->counts.skipped[TRACE_SKIP_DEVICE], 1);
	trace_copy_free(c);
	o.device = "c";
	c = trace_copy_file(path, &o);
	ck_assert(c->error && strstr(c->error->message, "no request of device \"c\""));
	trace_copy_free(c);
	o.format = "nonsense";
	c = trace_copy_file(path, &o);
	ck_assert(c->error && strstr(c->error->message, "unknown trace format \"nonsense\""));
	trace_copy_free(c);
	trace_unlink(path);
	c = trace_copy_file("/nonexistent/trace.csv", NULL);
	ck_assert(c->error && c->error->code == TRACE_ERROR_OPEN);
	ck_assert(strstr(c->error->message, "/nonexistent/trace.csv: cannot open trace: No such file"));
	trace_copy_free(c);
	c = trace_copy_file("/", NULL);
	ck_assert(c->error && c->error->code == TRACE_ERROR_OPEN && strstr(c->error->message, "directory"));
	trace_copy_free(c);
}
END_TEST

START_TEST(test_sha256)
{
	static const char text[] = HEAD "10,0,a,0,R,0,512,\n";
	struct trace_copy *c = copy_text(text);
	char *want = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, strlen(text));

	ck_assert_str_eq(c->sha256, want);
	g_free(want);
	trace_copy_free(c);
}
END_TEST

/* The first version of the binary form, written by 0.1.0. */
START_TEST(test_version_1)
{
	char *old = trace_data("msr.v1.dmt"), *text = trace_data("msr.csv");
	struct trace_copy *a = trace_copy_file(old, NULL), *b = trace_copy_file(text, NULL);

	ck_assert_msg(!a->error, "%s", a->error ? a->error->message : "");
	trace_assert_same(a, b);
	trace_copy_free(a);
	trace_copy_free(b);
	g_free(old);
	g_free(text);
}
END_TEST

/* Passing over n records and reading the rest is reading all but n, in each form, at each n. */
START_TEST(test_skip)
{
	static const char *const suffixes[] = {".dmt", ".csv", ".dmt.zst"};
	static const uint64_t skips[] = {0, 1, 39999, 40000, 40001, 69999, 70000, 99999, 100000, 123456};
	char *path = trace_temporary(suffixes[_i], "", 0);
	struct trace_record rec = {.nvme = {.bytes = 4096, .done_ns = TRACE_NO_TIME}};
	GError *error = NULL;
	struct trace_writer *w = trace_writer_open(path, TRACE_NVME, &error);

	for (unsigned i = 0; i < 100000; i++) {
		rec.time_ns = 7 * i;
		rec.nvme.offset = (uint64_t)i * 4096;
		/* A device in the middle: its block is none of records. */
		ck_assert(trace_write(w, &rec, i < 70000 ? "a" : "b", &error));
	}
	ck_assert(trace_writer_close(w, &error));
	for (unsigned k = 0; k < G_N_ELEMENTS(skips); k++) {
		struct trace_reader *r = trace_open(path, &TRACE_OPTIONS_DEFAULT, &error);
		uint64_t left = skips[k], last = 0, i = MIN(skips[k], 100000);
		int rc = trace_skip(r, &left, &last, &error);

		ck_assert_msg(!error, "%s", error ? error->message : "");
		ck_assert_uint_eq(left, skips[k] - i);
		ck_assert_int_eq(rc, left == 0);
		if (left)
			ck_assert_uint_eq(last, 7 * 99999);
		for (; trace_next(r, &rec, &error) == 1; i++) {
			ck_assert_uint_eq(rec.time_ns, 7 * i);
			ck_assert_uint_eq(rec.nvme.offset, i * 4096);
			ck_assert_str_eq(trace_device_name(r, rec.device), i < 70000 ? "a" : "b");
		}
		ck_assert_msg(!error, "%s", error ? error->message : "");
		ck_assert_uint_eq(i, 100000);
		ck_assert_uint_eq(trace_counts(r)->records, 100000);
		trace_close(r);
	}
	trace_unlink(path);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("native");

	tcase_add_loop_test(tc, test_forms, 0, TRACE_WORKLOADS);
	tcase_add_test(tc, test_values);
	tcase_add_loop_test(tc, test_errors, 0, G_N_ELEMENTS(errors));
	tcase_add_test(tc, test_window);
	tcase_add_test(tc, test_bad_limit);
	tcase_add_test(tc, test_tolerance);
	tcase_add_test(tc, test_options);
	tcase_add_test(tc, test_sha256);
	tcase_add_test(tc, test_version_1);
	tcase_add_loop_test(tc, test_skip, 0, 3);
	return test_run("native traces", tc, NULL);
}
