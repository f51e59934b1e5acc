/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every importer on its sample. The public formats hold the same 60 requests as canonical.csv; what an
 * importer reads must equal it, rounded down to the format's unit of time.
 */
#include "trace_support.h"

#include <string.h>

struct canonical {
	uint64_t time, offset, bytes, latency;
	unsigned device;
	char op;
};
#define REQUESTS 60
#define NS_PER_S 1000000000ull

static void read_canonical(struct canonical *c)
{
	char *path = trace_data("canonical.csv"), *text = NULL, **lines;

	ck_assert(g_file_get_contents(path, &text, NULL, NULL));
	lines = g_strsplit(text, "\n", -1);
	for (unsigned i = 0; i < REQUESTS; i++) {
		char **f = g_strsplit(lines[i + 1], ",", -1);

		ck_assert_uint_eq(g_strv_length(f), 6);
		c[i] = (struct canonical){
		    g_ascii_strtoull(f[0], NULL, 10),           g_ascii_strtoull(f[3], NULL, 10),
		    g_ascii_strtoull(f[4], NULL, 10),           g_ascii_strtoull(f[5], NULL, 10),
		    (unsigned)g_ascii_strtoull(f[1], NULL, 10), f[2][0]};
		g_strfreev(f);
	}
	g_strfreev(lines);
	g_free(text);
	g_free(path);
}

static const struct {
	const char *file, *format;
	uint64_t unit;         /* of time, ns */
	uint64_t latency_unit; /* 0: not in the format */
	const char *device[2];
	uint64_t shift;      /* submission after the canonical time */
	uint64_t missing[2]; /* line numbers that are left out, from 1 */
} formats[] = {
    {"msr.csv", "msr", 100, 100, {"synth,0", "synth,1"}, 0, {0}},
    {"alibaba.csv", "alibaba", 1000, 0, {"0", "1"}, 0, {0}},
    {"tencent-cbs.csv", "tencent", NS_PER_S, 0, {"1000", "1001"}, 0, {0}},
    {"systor17.csv", "systor", 1000, 1000, {"0", "1"}, 0, {12, 13}},
    {"spc.csv", "spc", 1000, 0, {"0", "1"}, 0, {0}},
    {"mqsim.trace", "mqsim", 1, 0, {"0", "1"}, 0, {0}},
    {"disksim.trace", "disksim", 1, 0, {"0", "1"}, 0, {0}},
    {"fiu.txt", "fiu", 1, 0, {"8 0", "8 1"}, 0, {0}},
    {"blktrace-le.bin", "blktrace", 1, 1, {NULL}, 500, {0}},
    {"blktrace-be.bin", "blktrace", 1, 1, {NULL}, 500, {0}},
};

static uint64_t down(uint64_t v, uint64_t unit)
{
	return v - v % unit;
}

START_TEST(test_canonical)
{
	struct canonical want[REQUESTS];
	struct trace_options o = TRACE_OPTIONS_DEFAULT;
	char *path = trace_data(formats[_i].file);
	struct trace_copy *c;
	uint64_t base = 0;
	unsigned n = 0;
	struct trace_reader *r;

	read_canonical(want);
	r = trace_open(path, &o, NULL);
	ck_assert_ptr_nonnull(r);
	ck_assert_str_eq(trace_reader_format(r)->name, formats[_i].format);
	trace_close(r);
	o.keep_time = true;
	c = trace_copy_file(path, &o);
	ck_assert_msg(!c->error, "%s", c->error ? c->error->message : "");
	for (unsigned i = 0; i < REQUESTS; i++) {
		const struct trace_record *rec;
		uint64_t unit = formats[_i].unit;

		if (formats[_i].missing[0] == i + 1 || formats[_i].missing[1] == i + 1)
			continue;
		rec = trace_copy_at(c, n);
		if (n == 0)
			base = down(rec->time_ns, unit) - down(want[0].time + formats[_i].shift, unit);
		ck_assert_uint_eq(down(rec->time_ns - base, unit),
				  down(want[i].time + formats[_i].shift, unit));
		ck_assert_uint_eq(rec->nvme.offset, want[i].offset);
		ck_assert_uint_eq(rec->nvme.bytes, want[i].bytes);
		ck_assert_uint_eq(rec->nvme.op, want[i].op == 'R' ? NVME_OP_READ : NVME_OP_WRITE);
		if (formats[_i].device[0])
			ck_assert_str_eq(c->devices->pdata[n], formats[_i].device[want[i].device]);
		if (formats[_i].latency_unit)
			ck_assert_uint_eq(rec->nvme.done_ns - rec->time_ns + formats[_i].shift,
					  down(want[i].latency, formats[_i].latency_unit));
		else
			ck_assert_uint_eq(rec->nvme.done_ns, TRACE_NO_TIME);
		n++;
	}
	ck_assert_uint_eq(c->records->len, n);
	trace_copy_free(c);
	g_free(path);
}
END_TEST

/* From each public format to the native forms and back. */
START_TEST(test_convert)
{
	char *path = trace_data(formats[_i].file), *out;
	struct trace_copy *a = trace_copy_file(path, NULL), *b;
	const char *suffixes[] = {".csv.gz", ".dmt"};
	GError *error = NULL;

	for (unsigned k = 0; k < G_N_ELEMENTS(suffixes); k++) {
		struct trace_writer *w;

		out = trace_temporary(suffixes[k], "", 0);
		w = trace_writer_open(out, TRACE_NVME, &error);
		for (unsigned i = 0; i < a->records->len; i++)
			ck_assert(trace_write(w, trace_copy_at(a, i), a->devices->pdata[i], &error));
		ck_assert(trace_writer_close(w, &error));
		b = trace_copy_file(out, NULL);
		trace_assert_same(a, b);
		trace_copy_free(b);
		trace_unlink(out);
	}
	trace_copy_free(a);
	g_free(path);
}
END_TEST

/* The real recordings of one run, counted by other tools: blkparse's own summary. */
START_TEST(test_blktrace)
{
	char *binary = trace_data("nvme.blktrace.0"), *text = trace_data("nvme.blkparse.txt");
	struct trace_copy *a = trace_copy_file(binary, NULL), *b = trace_copy_file(text, NULL);
	uint64_t bytes[4] = {0};

	ck_assert(!a->error && !b->error);
	ck_assert_uint_eq(a->records->len, 82); /* of CPU 0; CPU 1 has the other 3 */
	ck_assert_uint_eq(b->records->len, 85);
	for (unsigned i = 0; i < b->records->len; i++)
		bytes[trace_copy_at(b, i)->nvme.op] += trace_copy_at(b, i)->nvme.bytes;
	ck_assert_uint_eq(bytes[NVME_OP_READ], 1408 * KIB);
	/* The summary counts the discard as a write. */
	ck_assert_uint_eq(bytes[NVME_OP_WRITE] + bytes[NVME_OP_DISCARD], 1048 * KIB);
	ck_assert_uint_eq(bytes[NVME_OP_DISCARD], 64 * KIB);
	for (unsigned i = 0; i < a->records->len; i++) {
		ck_assert_uint_eq(trace_copy_at(a, i)->nvme.offset, trace_copy_at(b, i)->nvme.offset);
		ck_assert_uint_eq(trace_copy_at(a, i)->nvme.op, trace_copy_at(b, i)->nvme.op);
		ck_assert_uint_ne(trace_copy_at(a, i)->nvme.done_ns, TRACE_NO_TIME);
	}
	trace_copy_free(a);
	g_free(binary);
	/* The name without CPU: all files, merged by time. */
	binary = trace_data("nvme");
	a = trace_copy_file(binary, NULL);
	ck_assert(!a->error);
	ck_assert_uint_eq(a->records->len, 85);
	for (unsigned i = 0; i < 85; i++) {
		ck_assert_uint_eq(trace_copy_at(a, i)->time_ns, trace_copy_at(b, i)->time_ns);
		ck_assert_uint_eq(trace_copy_at(a, i)->cpu, trace_copy_at(b, i)->cpu);
		ck_assert_uint_eq(trace_copy_at(a, i)->nvme.bytes, trace_copy_at(b, i)->nvme.bytes);
		ck_assert_uint_eq(trace_copy_at(a, i)->nvme.done_ns, trace_copy_at(b, i)->nvme.done_ns);
	}
	trace_copy_free(a);
	trace_copy_free(b);
	g_free(binary);
	g_free(text);
}
END_TEST

/* One stream with the CPUs' buffers one behind the other, as `blktrace -o -` writes it. */
START_TEST(test_blktrace_stream)
{
	char *zero = trace_data("nvme.blktrace.0"), *one = trace_data("nvme.blktrace.1"),
	     *whole = trace_data("nvme");
	char *a = NULL, *b = NULL, *path;
	struct trace_copy *c, *d = trace_copy_file(whole, NULL);
	gsize na, nb;
	GByteArray *all = g_byte_array_new();

	ck_assert(g_file_get_contents(zero, &a, &na, NULL) && g_file_get_contents(one, &b, &nb, NULL));
	g_byte_array_append(all, (const uint8_t *)b, (unsigned)nb);
	g_byte_array_append(all, (const uint8_t *)a, (unsigned)na);
	path = trace_temporary(".bin", all->data, all->len);
	c = trace_copy_file(path, NULL);
	ck_assert(!c->error && !d->error);
	trace_assert_same(c, d);
	trace_copy_free(c);
	trace_copy_free(d);
	trace_unlink(path);
	g_byte_array_free(all, TRUE);
	g_free(a);
	g_free(b);
	g_free(zero);
	g_free(one);
	g_free(whole);
}
END_TEST

START_TEST(test_fio)
{
	char *path = trace_data("fio-v3.iolog");
	struct trace_options o = TRACE_OPTIONS_DEFAULT;
	struct trace_copy *a = trace_copy_file(path, NULL), *b;

	ck_assert(!a->error);
	ck_assert_uint_eq(a->records->len, 200);
	ck_assert_uint_eq(trace_copy_at(a, 1)->time_ns, (288 - 122) * 1000);
	ck_assert_uint_eq(trace_copy_at(a, 1)->nvme.offset, 3104768);
	ck_assert_str_eq(a->devices->pdata[0], "/tmp/fiotest.dat");
	g_free(path);
	path = trace_data("fio-v2.iolog"); /* the same with wait lines in ms */
	b = trace_copy_file(path, NULL);
	ck_assert(!b->error);
	ck_assert_uint_eq(b->records->len, 200);
	for (unsigned i = 0; i < 200; i++) {
		const struct trace_record *x = trace_copy_at(a, i), *y = trace_copy_at(b, i);

		ck_assert_uint_eq(x->nvme.offset, y->nvme.offset);
		ck_assert_uint_eq(x->nvme.op, y->nvme.op);
		ck_assert_uint_le(y->time_ns, x->time_ns + 122000);
		ck_assert_uint_ge(y->time_ns + 1000000, x->time_ns);
	}
	trace_copy_free(b);
	o.fio_wait_ns = 1000;
	b = trace_copy_file(path, &o);
	ck_assert_uint_lt(trace_copy_at(b, 199)->time_ns * 100, trace_copy_at(a, 199)->time_ns);
	trace_copy_free(a);
	trace_copy_free(b);
	g_free(path);
	path = trace_data("fio-multi.iolog");
	a = trace_copy_file(path, NULL);
	ck_assert(!a->error);
	ck_assert_uint_eq(a->records->len, 120);
	ck_assert_uint_eq(a->counts.out_of_order, 3);
	trace_copy_free(a);
	g_free(path);
}
END_TEST

/* Lines that blkparse, QEMU and dirty logs have, written out. */
static struct trace_copy *from_text(const char *text, const char *format)
{
	char *path = trace_temporary(".txt", text, strlen(text));
	GError *error = NULL;
	struct trace_reader *r = trace_open(path, &TRACE_OPTIONS_DEFAULT, &error);

	ck_assert_msg(r, "%s", error ? error->message : "");
	ck_assert_str_eq(trace_reader_format(r)->name, format);
	trace_unlink(path);
	return trace_copy_reader(r);
}

START_TEST(test_blkparse_lines)
{
	struct trace_copy *c = from_text("  8,16  3      1     0.000000100   360  D FWFS 8 + 16 [a b] c]\n"
					 "  8,16  3      2     0.000000200   360  D   D 0 + 2048 [x]\n"
					 "  8,16  3      3     0.000000300   360  D  FN [x]\n"
					 "  8,16  3      4     0.000000400   360  P   N [x]\n"
					 "  8,16  3      5     0.000000500   360 UT   N [x] 2\n"
					 "  8,16  3      6     0.000000600   360  m   N a message\n"
					 "  8,16  1      7     0.000000700     0  C FWFS 8 + 16 [0]\n"
					 "CPU3 (sdb):\n nonsense 8,16\n",
					 "blkparse"),
			  *d = from_text(
			      "0.000000100,8,16,D,FWFS,8,8192,360,a b\n0.000000700,8,16,C,FWFS,8,8192,0,x\n",
			      "blkparse");

	ck_assert(!c->error && !d->error);
	ck_assert_uint_eq(c->records->len, 3);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.op, NVME_OP_WRITE);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.done_ns, 600);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.done_cpu, 1);
	ck_assert_uint_eq(trace_copy_at(c, 1)->nvme.op, NVME_OP_DISCARD);
	ck_assert_uint_eq(trace_copy_at(c, 2)->nvme.op, NVME_OP_FLUSH);
	ck_assert_uint_eq(c->counts.incomplete, 2);
	ck_assert_uint_eq(d->records->len, 1);
	ck_assert_uint_eq(trace_copy_at(d, 0)->nvme.bytes, 8192);
	ck_assert_uint_eq(trace_copy_at(d, 0)->nvme.done_ns, 600);
	trace_copy_free(c);
	trace_copy_free(d);
}
END_TEST

/* Comments and the names of the columns are no records. */
START_TEST(test_comments_and_columns)
{
	static const struct {
		const char *text, *format;
	} cases[] = {
	    {"# disk 1\ndevice_id,opcode,offset,length,timestamp\n3,R,4096,8192,1456135200040000\n",
	     "alibaba"},
	    {"3,R,4096,8192,1456135200040000\n# the end\n", "alibaba"},
	    {"Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime\n"
	     "131006088000400000,synth,0,Read,4096,8192,539890\n",
	     "msr"},
	    {"timestamp,offset,size,iotype,volumeid\n1456135200,8,16,0,1000\n", "tencent"},
	    {"# blktrace of sda\n  8,0 0 1 0.000000100 360 D R 8 + 16 [x]\n# end\n", "blkparse"},
	};
	struct trace_copy *c = from_text(cases[_i].text, cases[_i].format);

	ck_assert_msg(!c->error, "%s", c->error ? c->error->message : "");
	ck_assert_uint_eq(c->records->len, 1);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.offset, 4096);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.bytes, 8192);
	ck_assert_uint_eq(c->counts.bad[TRACE_BAD_MALFORMED], 0);
	trace_copy_free(c);
}
END_TEST

START_TEST(test_qemu)
{
	struct trace_copy *c = from_text(
			      "77@10.000001:vfio_device_dirty_tracking_start nr_ranges 1 32:[0x0 - 0xffff]\n"
			      "77@10.000002:vfio_migration_set_device_state  (0000:03:00.0) state PRE_COPY\n"
			      "77@10.000003:vfio_save_block  (0000:03:00.0) data_size 4096\n"
			      "77@10.000004:vfio_get_dirty_bitmap iova=0x1000 size= 0x80000000 "
			      "bitmap_size=0x10000 start=0x0 "
			      "dirty_pages=512\n"
			      "77@10.000005:vfio_migration_set_device_state  (0000:03:00.0) state STOP_COPY\n"
			      "77@10.000006:vfio_save_block  (0000:03:00.0) data_size 100\n"
			      "77@10.000007:vfio_load_state_device_data  (0000:03:00.0) size 200 ret 0\n"
			      "77@10.000008:vtd_inv_desc_iotlb_global iotlb invalidate global\n"
			      "77@10.000009:vfio_save_cleanup  (0000:03:00.0)\n",
			      "qemu"),
			  *d = from_text("time_ns,iova,length,page_size,dirty_pages\n0,0x0,1048576,4096,3\n"
					 "1000000,0x100000,1048576,4096,256\n",
					 "qemu");
	static const uint8_t events[] = {VFIO_TRACK_START, VFIO_SAVE, VFIO_READ, VFIO_TRACK_READ,
					 VFIO_SAVE,        VFIO_READ, VFIO_LOAD, VFIO_FREE};

	ck_assert(!c->error && !d->error);
	ck_assert_uint_eq(c->records->len, G_N_ELEMENTS(events));
	for (unsigned i = 0; i < G_N_ELEMENTS(events); i++)
		ck_assert_uint_eq(trace_copy_at(c, i)->vfio.event, events[i]);
	ck_assert(trace_copy_at(c, 1)->vfio.incremental && !trace_copy_at(c, 4)->vfio.incremental);
	ck_assert_uint_eq(trace_copy_at(c, 3)->vfio.bytes, 512 * 4096);
	ck_assert_uint_eq(trace_copy_at(c, 3)->vfio.offset, 0x1000);
	ck_assert_uint_eq(trace_copy_at(c, 7)->time_ns, 8000);
	ck_assert_uint_eq(c->counts.skipped[TRACE_SKIP_EVENT], 1);
	ck_assert_uint_eq(d->records->len, 3);
	ck_assert_uint_eq(trace_copy_at(d, 2)->vfio.bytes, 256 * 4096);
	trace_copy_free(c);
	trace_copy_free(d);
}
END_TEST

/* Columns named by the user, by number or by the first line, in each unit. */
START_TEST(test_columns)
{
	static const struct {
		const char *columns, *text;
		uint64_t second_ns, latency_ns; /* of the second line, after the first */
	} cases[] = {
	    {"time=1:us,op=2,offset=3:sectors,size=4", "10,R,8,8192\n13,w,16,512\n", 3000, TRACE_NO_TIME},
	    {"size=1,offset=2:512,time=3:ms,op=4:1|2,latency=5:us", "8192 8  1.5 2 7\n512 16 1.75 0 9\n",
	     250000, 9000},
	    {"time=when,offset=off,size=len,op=kind,device=disk",
	     "len,kind,when,off,disk,x\n8192,read,1,4096,a b,\n512,WRITE,2.5,8192,c,9\n", 1500000000,
	     TRACE_NO_TIME},
	    {"block=1:4096,offset=2,size=3,time=4:ns,op=5", "1,0,8192,5,GET\n2,0,512,9,PUT\n", 4,
	     TRACE_NO_TIME},
	    /* known sets */
	    {NULL,
	     "filename,file_offset,application,c_time,io_zone,redundancy_type,op_type,service_class,from_"
	     "flash_cache,"
	     "cache_hit,request_io_size_bytes,disk_io_size_bytes,response_io_size_bytes,start_time,disk_time,"
	     "simulated_disk_start_time,simulated_latency\n"
	     "f1,4096,a,1,WARM,R,READ,O,0,0,8192,8192,8192,1705306000.25,0.0,0.0,0.000125\n"
	     "f2,8192,a,1,WARM,R,WRITE,O,0,-1,512,512,0,1705306000.75,0.0,0.0,0.000003\n",
	     500000000, 3000},
	    {NULL,
	     "op_time,block_id,block_id_size,io_size,io_offset,user_name,op_name,rs_shard_id\n"
	     "100,0,8000000,8192,4096,u,getChunkData.TempGet,1\n101,0,8000000,512,8192,u,putChunk.Perm,1\n",
	     1000000000, TRACE_NO_TIME},
	    {NULL, "0 4096 8192 1572074461.57806 1 24 3 5\n0 8192 512 1572074461.57807 4 24 3 5\n", 10000,
	     TRACE_NO_TIME},
	};
	char *path = trace_temporary(".txt", cases[_i].text, strlen(cases[_i].text));
	struct trace_options o = TRACE_OPTIONS_DEFAULT;
	struct trace_copy *c;

	o.columns = cases[_i].columns;
	c = trace_copy_file(path, &o);
	ck_assert_msg(!c->error, "%s", c->error ? c->error->message : "");
	ck_assert_uint_eq(c->records->len, 2);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.offset, 4096);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.bytes, 8192);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.op, NVME_OP_READ);
	ck_assert_uint_eq(trace_copy_at(c, 1)->nvme.offset, 8192);
	ck_assert_uint_eq(trace_copy_at(c, 1)->nvme.bytes, 512);
	ck_assert_uint_eq(trace_copy_at(c, 1)->nvme.op, NVME_OP_WRITE);
	ck_assert_uint_eq(trace_copy_at(c, 1)->time_ns, cases[_i].second_ns);
	ck_assert_uint_eq(trace_copy_at(c, 1)->nvme.done_ns,
			  cases[_i].latency_ns == TRACE_NO_TIME ? TRACE_NO_TIME
								: cases[_i].second_ns + cases[_i].latency_ns);
	trace_copy_free(c);
	trace_unlink(path);
}
END_TEST

START_TEST(test_columns_wrong)
{
	static const char *const cases[][2] = {
	    {"time=1", "at least offset and size"},
	    {"tme=1,offset=2,size=3", "\"tme=1\""},
	    {"time=1:h,offset=2,size=3", "s, ms, us or ns"},
	    {"time=1,offset=2:x,size=3", "sectors or a number"},
	    {"time=1,offset=99,size=3", "1 to 64"},
	    {"time=now,offset=2,size=3", "no column \"now\""},
	    {"time=1,offset=2,size=9", "more columns"},
	    {"time=1,offset=2,size=3,op=4:r", NULL},
	    {"time=1,offset=3,size=2,op=4", "an operation"},
	};
	static const char text[] = "1,4096,512,?\n";
	char *path = trace_temporary(".txt", text, strlen(text));
	struct trace_options o = TRACE_OPTIONS_DEFAULT;
	struct trace_copy *c;

	o.columns = cases[_i][0];
	c = trace_copy_file(path, &o);
	ck_assert_msg(!c->error == !cases[_i][1], "%s", cases[_i][0]);
	if (c->error)
		ck_assert_msg(strstr(c->error->message, cases[_i][1]), "%s", c->error->message);
	trace_copy_free(c);
	trace_unlink(path);
}
END_TEST

static uint8_t *le(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		*p++ = (uint8_t)(v >> 8 * i);
	return p;
}

/* Four commands of each version: read, write, one without data of the disk, read of nothing. */
START_TEST(test_vscsi)
{
	static const unsigned cmds[] = {0x28, 0x8a, 0x12, 0x08};
	unsigned version = (unsigned)_i;
	uint8_t bytes[4 * 40], *p = bytes;
	struct trace_copy *c;
	char *path;

	for (unsigned i = 0; i < 4; i++) {
		if (version == 2) {
			p = le(p, cmds[i], 2);
			p = le(p, 0x200, 2);
		}
		p = le(p, i, 4);
		p = le(p, i < 3 ? 4096 * (i + 1) : 0, 4);
		p = le(p, 1, 4);
		if (version == 1) {
			p = le(p, cmds[i], 2);
			p = le(p, 0x100, 2);
		}
		p = le(p, 8 * i, 8);
		p = le(p, 1000 + 5 * i, 8);
		if (version == 2)
			p = le(p, 70, 8);
	}
	path = trace_temporary(".vscsi", bytes, (size_t)(p - bytes));
	c = trace_copy_file(path, NULL);
	ck_assert_msg(!c->error, "%s", c->error ? c->error->message : "");
	ck_assert_uint_eq(c->records->len, 2);
	ck_assert_uint_eq(trace_copy_at(c, 0)->nvme.op, NVME_OP_READ);
	ck_assert_uint_eq(trace_copy_at(c, 1)->nvme.op, NVME_OP_WRITE);
	ck_assert_uint_eq(trace_copy_at(c, 1)->nvme.offset, 4096);
	ck_assert_uint_eq(trace_copy_at(c, 1)->nvme.bytes, 8192);
	ck_assert_uint_eq(trace_copy_at(c, 1)->time_ns, 5000);
	ck_assert_uint_eq(trace_copy_at(c, 1)->nvme.done_ns, version == 1 ? TRACE_NO_TIME : 75000);
	ck_assert_uint_eq(c->counts.skipped[TRACE_SKIP_EVENT], 1);
	ck_assert_uint_eq(c->counts.skipped[TRACE_SKIP_EMPTY], 1);
	trace_copy_free(c);
	ck_assert(g_file_set_contents(path, (const char *)bytes, p - bytes - 7, NULL));
	c = trace_copy_file(path, NULL);
	ck_assert(c->error && c->error->code == TRACE_ERROR_TRUNCATED);
	trace_copy_free(c);
	trace_unlink(path);
}
END_TEST

/* What holds no requests is refused with the reason. */
START_TEST(test_refused)
{
	static const char *const cases[][3] = {
	    {".oracleGeneral.bin", "abcdefghijklmnopqrstuvwxyz", "no offsets and no operations"},
	    {".json", "{\"type\": \"attached_probes\", \"data\": {\"probes\": 1}}\n", "--columns"},
	};
	char *path = trace_temporary(cases[_i][0], cases[_i][1], strlen(cases[_i][1]));
	struct trace_copy *c = trace_copy_file(path, NULL);

	ck_assert(c->error && strstr(c->error->message, cases[_i][2]));
	trace_copy_free(c);
	trace_unlink(path);
}
END_TEST

START_TEST(test_perf_data)
{
	char *path = trace_temporary(".data", "PERFILE2........", 16);
	struct trace_copy *c = trace_copy_file(path, NULL);

	ck_assert(c->error && strstr(c->error->message, "perf script"));
	trace_copy_free(c);
	trace_unlink(path);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("formats");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_canonical, 0, G_N_ELEMENTS(formats));
	tcase_add_loop_test(tc, test_convert, 0, G_N_ELEMENTS(formats));
	tcase_add_test(tc, test_blktrace);
	tcase_add_test(tc, test_blktrace_stream);
	tcase_add_test(tc, test_fio);
	tcase_add_test(tc, test_blkparse_lines);
	tcase_add_loop_test(tc, test_comments_and_columns, 0, 5);
	tcase_add_test(tc, test_qemu);
	tcase_add_loop_test(tc, test_columns, 0, 7);
	tcase_add_loop_test(tc, test_columns_wrong, 0, 9);
	tcase_add_loop_test(tc, test_vscsi, 1, 3);
	tcase_add_loop_test(tc, test_refused, 0, 2);
	tcase_add_test(tc, test_perf_data);
	return test_run("trace formats", tc, NULL);
}
