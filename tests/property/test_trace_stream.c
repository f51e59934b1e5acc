/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Long traces through a pipe, in memory that does not grow: each reader of block requests gets the
 * lines of a synthetic trace from another process. 100 million requests each with DMASIM_FULL.
 */
#include "support.h"

#include <dmasim/trace.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND 1000000000ull
#define GAP_NS 2000u /* between requests */

static char *put(char *p, const char *s)
{
	while (*s)
		*p++ = *s++;
	return p;
}

static char *num(char *p, uint64_t v, unsigned width)
{
	char digits[24];
	unsigned n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) > 0 || n < width);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

static char *fixed(char *p, uint64_t ns, unsigned digits)
{
	uint64_t scale = 1;

	for (unsigned i = digits; i < 9; i++)
		scale *= 10;
	p = num(p, ns / SECOND, 1);
	*p++ = '.';
	return num(p, ns % SECOND / scale, digits);
}

/* Request i at time t, 4096 bytes at offset o. */
typedef char *(*line_fn)(char *p, uint64_t i, uint64_t t, uint64_t o);

static char *native(char *p, uint64_t i, uint64_t t, uint64_t o)
{
	if (i == 0)
		p = put(p, "# dmasim-trace v1\ntime_ns,cpu,device,queue,op,offset,bytes\n");
	p = num(p, t, 1);
	p = put(p, ",1,nvme0,1,R,");
	p = num(p, o, 1);
	return put(p, ",4096\n");
}
static char *fio(char *p, uint64_t i, uint64_t t, uint64_t o)
{
	if (i == 0)
		p = put(p, "fio version 3 iolog\n");
	p = num(p, t / 1000, 1);
	p = put(p, " /dev/nvme0n1 read ");
	p = num(p, o, 1);
	return put(p, " 4096\n");
}
static char *msr(char *p, uint64_t i, uint64_t t, uint64_t o)
{
	(void)i;
	p = num(p, 131006088000000000ull + t / 100, 1);
	p = put(p, ",host,0,Read,");
	p = num(p, o, 1);
	return put(p, ",4096,5000\n");
}
static char *alibaba(char *p, uint64_t i, uint64_t t, uint64_t o)
{
	p = num(p, i % 1000, 1);
	p = put(p, ",R,");
	p = num(p, o, 1);
	p = put(p, ",4096,");
	p = num(p, 1456135200000000ull + t / 1000, 1);
	return put(p, "\n");
}
static char *tencent(char *p, uint64_t i, uint64_t t, uint64_t o)
{
	p = num(p, 1456135200 + t / SECOND, 1);
	*p++ = ',';
	p = num(p, o / 512, 1);
	p = put(p, ",8,0,");
	p = num(p, 1000 + i % 50, 1);
	return put(p, "\n");
}
static char *systor(char *p, uint64_t i, uint64_t t, uint64_t o)
{
	if (i == 0)
		p = put(p, "Timestamp,Response,IOType,LUN,Offset,Size\n");
	p = fixed(p, 1456135200 * SECOND + t, 9);
	p = put(p, ",0.000500000,R,1,");
	p = num(p, o, 1);
	return put(p, ",4096\n");
}
static char *spc(char *p, uint64_t i, uint64_t t, uint64_t o)
{
	(void)i;
	p = put(p, "0,");
	p = num(p, o / 512, 1);
	p = put(p, ",4096,R,");
	p = fixed(p, t, 6);
	return put(p, "\n");
}
static char *mqsim(char *p, uint64_t i, uint64_t t, uint64_t o)
{
	(void)i;
	p = num(p, t, 1);
	p = put(p, " 0 ");
	p = num(p, o / 512, 1);
	return put(p, " 8 1\n");
}
static char *disksim(char *p, uint64_t i, uint64_t t, uint64_t o)
{
	(void)i;
	p = num(p, t / 1000000, 1);
	*p++ = '.';
	p = num(p, t % 1000000, 6);
	p = put(p, " 0 ");
	p = num(p, o / 512, 1);
	return put(p, " 8 1\n");
}
static char *fiu(char *p, uint64_t i, uint64_t t, uint64_t o)
{
	(void)i;
	p = num(p, t, 1);
	p = put(p, " 100 a proc ");
	p = num(p, o / 512, 1);
	return put(p, " 8 R 8 0 0123456789abcdef0123456789abcdef\n");
}
static char *blkparse(char *p, uint64_t i, uint64_t t, uint64_t o)
{
	for (unsigned done = 0; done < 2; done++) {
		p = put(p, "259,0    1 ");
		p = num(p, 2 * i + done, 1);
		*p++ = ' ';
		p = fixed(p, t + done * 500, 9);
		p = put(p, done ? "     0  C   R " : "   360  D   R ");
		p = num(p, o / 512, 1);
		p = put(p, done ? " + 8 [0]\n" : " + 8 [fio]\n");
	}
	return p;
}
static char *ftrace(char *p, uint64_t i, uint64_t t, uint64_t o)
{
	if (i == 0)
		p = put(p, "# tracer: nop\n");
	p = put(p, "  fio-1 [000] ..... ");
	p = fixed(p, t, 6);
	p = put(p, ": nvme_setup_cmd: nvme0: disk=nvme0n1, qid=1, cmdid=");
	p = num(p, i % 1000, 1);
	p = put(p, ", nsid=1, flags=0x0, meta=0x0, cmd=(nvme_cmd_read slba=");
	p = num(p, o / 512, 1);
	p = put(p, ", len=7, ctrl=0x0)\n  fio-1 [000] ..... ");
	p = fixed(p, t, 6);
	p = put(p, ": dma_map_page: 0000:00:01.0 dir=FROM_DEVICE dma_addr=fffba000 size=4096 "
		   "phys_addr=126918000 attrs=\n"
		   "  fio-1 [000] d.h1. ");
	p = fixed(p, t + 1000, 6);
	p = put(p, ": nvme_complete_rq: nvme0: disk=nvme0n1, qid=1, cmdid=");
	p = num(p, i % 1000, 1);
	return put(p, ", res=0x0, retries=0, flags=0x0, status=0x0\n");
}
static char *blktrace(char *p, uint64_t i, uint64_t t, uint64_t o)
{
	for (unsigned done = 0; done < 2; done++) {
		struct {
			uint32_t magic, sequence;
			uint64_t time, sector;
			uint32_t bytes, action, pid, device, cpu;
			uint16_t error, pdu_len;
		} rec = {0x65617407,
			 (uint32_t)(2 * i + done),
			 t + done * 500,
			 o / 512,
			 4096,
			 done ? 0x00810008 : 0x00410007,
			 360,
			 259u << 20,
			 1,
			 0,
			 0};

		_Static_assert(sizeof(rec) == 48, "blk_io_trace");
		memcpy(p, &rec, sizeof(rec));
		p += sizeof(rec);
	}
	return p;
}

static const struct {
	const char *format;
	line_fn line;
	bool done;
} formats[] = {
    {"native-csv", native, false}, {"fio", fio, false},          {"msr", msr, true},
    {"alibaba", alibaba, false},   {"tencent", tencent, false},  {"systor", systor, true},
    {"spc", spc, false},           {"mqsim", mqsim, false},      {"disksim", disksim, false},
    {"fiu", fiu, false},           {"blkparse", blkparse, true}, {"blktrace", blktrace, true},
    {"ftrace", ftrace, true},
};

static uint64_t offset_of(uint64_t i)
{
	return i * 0x9e3779b97f4a7c15ull % (1ull << 40) / 4096 * 4096;
}

static void write_trace(int fd, line_fn line, uint64_t n)
{
	static char buf[1 << 20];
	char *p = buf;

	for (uint64_t i = 0; i < n; i++) {
		p = line(p, i, i * GAP_NS, offset_of(i));
		if (p > buf + sizeof(buf) - 4096 || i + 1 == n) {
			for (char *q = buf; q < p;) {
				ssize_t done = write(fd, q, (size_t)(p - q));

				if (done <= 0)
					_exit(1);
				q += done;
			}
			p = buf;
		}
	}
}

static uint64_t resident_kib(void)
{
	char *text = NULL, *at;
	uint64_t kib = 0;

	if (g_file_get_contents("/proc/self/status", &text, NULL, NULL) && (at = strstr(text, "VmRSS:")))
		kib = g_ascii_strtoull(at + 6, NULL, 10);
	g_free(text);
	return kib;
}

START_TEST(test_stream)
{
	uint64_t n = g_getenv("DMASIM_FULL") ? 100000000 : 300000, i = 0, before = 0;
	struct trace_record rec;
	struct trace_reader *r;
	GError *error = NULL;
	int ends[2], rc, status;
	char path[64];
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		write_trace(ends[1], formats[_i].line, n);
		_exit(0);
	}
	close(ends[1]);
	g_snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	r = trace_open(path, &TRACE_OPTIONS_DEFAULT, &error);
	ck_assert_msg(r, "%s", error ? error->message : "");
	close(ends[0]);
	ck_assert_str_eq(trace_reader_format(r)->name, formats[_i].format);
	while ((rc = trace_next(r, &rec, &error)) == 1) {
		/* Requests of one second (Tencent) and of one microsecond keep the order of the file. */
		if (rec.nvme.offset != offset_of(i) || rec.nvme.bytes != 4096 ||
		    (rec.nvme.done_ns != TRACE_NO_TIME) != formats[_i].done)
			ck_abort_msg("record %" G_GUINT64_FORMAT " differs", i);
		if (++i == n / 2)
			before = resident_kib();
	}
	ck_assert_msg(rc == 0, "%s", error ? error->message : "");
	ck_assert_uint_eq(i, n);
	/* The second half added nothing (sanitizers and the allocator get a little room). */
	ck_assert_uint_le(resident_kib(), before + 8192);
	trace_close(r);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* The generators' own readers, and the native binary form through a file. */
START_TEST(test_generators)
{
	const struct trace_generator *g = trace_generators()[_i];
	void *params = g_malloc0(g->params->struct_size);
	struct trace_record rec;
	struct trace_reader *r;
	GError *error = NULL;
	uint64_t n = 0, before = 0, last = 0;
	int rc;

	static const char *const settings[] = {"requests=1000000", "messages=200000", "state_bytes=8GiB"};

	param_defaults(g->params, params);
	ck_assert(trace_generator_set(g, params, settings[_i], &error));
	r = trace_generate(g, params, 1, &error);
	ck_assert_ptr_nonnull(r);
	while ((rc = trace_next(r, &rec, &error)) == 1) {
		if (rec.time_ns < last)
			ck_abort_msg("record %" G_GUINT64_FORMAT " is out of order", n);
		last = rec.time_ns;
		if (++n == 500)
			before = resident_kib();
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_gt(n, 500);
	ck_assert_uint_le(resident_kib(), before + 4096);
	trace_close(r);
	param_clear(g->params, params);
	g_free(params);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("streams");

	tcase_set_timeout(tc, g_getenv("DMASIM_FULL") ? 1800 : 120);
	tcase_add_loop_test(tc, test_stream, 0, G_N_ELEMENTS(formats));
	tcase_add_loop_test(tc, test_generators, 0, 3);
	return test_run("long traces", tc, NULL);
}
