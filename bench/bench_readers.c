/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records per second of the readers, each beside a bare loop over the same bytes in the same run: for text
 * the loop adds up the numbers in it, for the binary form it only decompresses. Compressed input is beside
 * the plain file. Usage: bench_readers [RECORDS [REPEATS]]
 */
#include <dmasim/trace.h>

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SPREAD 1048576u /* requests hit this many blocks of 4 KiB, in an order that looks random */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- the same requests in each format ---- */

struct request {
	uint64_t time_ns, block, done_ns;
	unsigned cpu;
	bool write;
};

static struct request request(uint64_t i)
{
	uint64_t mix = i * UINT64_C(0x9e3779b97f4a7c15);

	return (struct request){1000 * i + mix % 700, (mix >> 20) % SPREAD,
				1000 * i + 80000 + (mix >> 40) % 900, (unsigned)(mix >> 60),
				(mix >> 33) % 4 == 0};
}

static void write_blkparse(FILE *out, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct request r = request(i);

		fprintf(out, "259,0 %4u %8llu %5llu.%09llu %5u  D %3s %llu + 8 [fio]\n", r.cpu,
			(unsigned long long)i + 1, (unsigned long long)r.time_ns / 1000000000,
			(unsigned long long)r.time_ns % 1000000000, 360, r.write ? "W" : "R",
			(unsigned long long)r.block * 8);
		if (i < 80)
			continue;
		r = request(i - 80);
		fprintf(out, "259,0 %4u %8llu %5llu.%09llu %5u  C %3s %llu + 8 [0]\n", r.cpu,
			(unsigned long long)i + 1, (unsigned long long)r.done_ns / 1000000000,
			(unsigned long long)r.done_ns % 1000000000, 0, r.write ? "W" : "R",
			(unsigned long long)r.block * 8);
	}
}

static void write_msr(FILE *out, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct request r = request(i);

		fprintf(out, "%llu,server,0,%s,%llu,4096,%llu\n", 128166372003061629ull + r.time_ns / 100,
			r.write ? "Write" : "Read", (unsigned long long)r.block * 4096,
			(unsigned long long)(r.done_ns - r.time_ns) / 100);
	}
}

static void must(bool ok, GError *error)
{
	if (ok)
		return;
	fprintf(stderr, "bench_readers: %s\n", error ? error->message : "cannot write a temporary file");
	exit(1);
}

static void write_native(const char *path, uint64_t n)
{
	GError *error = NULL;
	struct trace_writer *w = trace_writer_open(path, TRACE_NVME, &error);

	must(w != NULL, error);
	for (uint64_t i = 0; i < n; i++) {
		struct request r = request(i);
		struct trace_record rec = {.time_ns = r.time_ns, .cpu = r.cpu};

		rec.nvme.queue = r.cpu;
		rec.nvme.op = r.write ? NVME_OP_WRITE : NVME_OP_READ;
		rec.nvme.offset = r.block * 4096;
		rec.nvme.bytes = 4096;
		rec.nvme.done_ns = r.done_ns;
		rec.nvme.done_cpu = r.cpu;
		must(trace_write(w, &rec, "nvme0", &error), error);
	}
	must(trace_writer_close(w, &error), error);
}

/* ---- what is measured ---- */

static double read_trace(const char *path, uint64_t n)
{
	double start = seconds();
	GError *error = NULL;
	struct trace_reader *r = trace_open(path, &TRACE_OPTIONS_DEFAULT, &error);
	struct trace_record rec;
	uint64_t got = 0;
	int rc = -1;

	must(r != NULL, error);
	while ((rc = trace_next(r, &rec, &error)) == 1)
		got++;
	must(rc == 0 && got == n, error);
	trace_close(r);
	return seconds() - start;
}

static volatile uint64_t sink;

static void add_numbers(const uint8_t *p, size_t n)
{
	uint64_t sum = 0, number = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned digit = p[i] - (unsigned)'0';

		if (digit <= 9) {
			number = 10 * number + digit;
		} else {
			sum += number;
			number = 0;
		}
	}
	sink += sum;
}

/* The file's bytes, decompressed block by block; text: its numbers too. */
static double bare_loop(const char *path, bool text)
{
	static uint8_t buffer[256 * 1024];
	double start = seconds();
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	la_ssize_t n;

	archive_read_support_filter_all(a);
	archive_read_support_format_raw(a);
	must(archive_read_open_filename(a, path, sizeof(buffer)) == ARCHIVE_OK &&
		 archive_read_next_header(a, &entry) == ARCHIVE_OK,
	     NULL);
	while ((n = archive_read_data(a, buffer, sizeof(buffer))) > 0)
		if (text)
			add_numbers(buffer, (size_t)n);
	archive_read_free(a);
	return seconds() - start;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One line: rate of the reader, rate of the bare loop, their ratio; medians with spread. */
static double row(const char *name, const char *path, bool text, uint64_t n, unsigned repeats)
{
	double *t = g_new(double, repeats), *ratio = g_new(double, repeats), median, bare;

	for (unsigned i = 0; i < repeats; i++) {
		double b = bare_loop(path, text);

		t[i] = read_trace(path, n);
		ratio[i] = b / t[i];
	}
	qsort(t, repeats, sizeof(*t), by_value);
	qsort(ratio, repeats, sizeof(*ratio), by_value);
	median = t[repeats / 2];
	bare = ratio[repeats / 2];
	printf("%-18s %8.2f M records/s (%.2f to %.2f)  %5.2f of a bare loop\n", name,
	       (double)n / median / 1e6, (double)n / t[repeats - 1] / 1e6, (double)n / t[0] / 1e6, bare);
	g_free(t);
	g_free(ratio);
	return median;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
	unsigned repeats = argc > 2 ? (unsigned)atoi(argv[2]) : 5;
	static const char *const names[] = {
	    "blkparse",        "msr",          "native text", "native text .zst", "native text .gz",
	    "native text .xz", "native binary"};
	static const char *const suffixes[] = {"blkparse", "msr.csv", "csv", "csv.zst",
					       "csv.gz",   "csv.xz",  "dmt"};
	g_autofree char *dir = g_dir_make_tmp("dmasim-bench-XXXXXX", NULL);
	double plain = 0;

	must(dir != NULL && n && repeats, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_strdup_printf("%s/trace.%s", dir, suffixes[i]);
		double t;

		if (i < 2) {
			FILE *out = fopen(path, "w");

			must(out != NULL, NULL);
			(i ? write_msr : write_blkparse)(out, n);
			must(fclose(out) == 0, NULL);
		} else {
			write_native(path, n);
		}
		t = row(names[i], path, i < 6, n, repeats);
		if (i == 2)
			plain = t;
		if (i > 2 && i < 6)
			printf("%-18s %8.2f of the plain file's rate\n", "", plain / t);
		unlink(path);
	}
	rmdir(dir);
	return 0;
}
