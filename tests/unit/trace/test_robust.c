/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every importer against damage: its sample cut at every byte of the beginning (and in steps behind),
 * and with bytes changed. Reading must end, and an error must name the file and a place.
 */
#include "trace_support.h"

#include "sim/rng.h"
#include <string.h>
#include <unistd.h>

static const char *const files[] = {
    "msr.csv",         "alibaba.csv",    "tencent-cbs.csv", "systor17.csv",      "spc.csv",
    "mqsim.trace",     "disksim.trace",  "fiu.txt",         "blktrace-le.bin",   "blktrace-be.bin",
    "nvme.blktrace.0", "fio-v3.iolog",   "fio-v2.iolog",    "nvme.blkparse.txt", "sg.ftrace.txt",
    "iova.ftrace.txt", "sg.perf.txt",    "sg.report.txt",   "sg.raw.txt",        "k70-d06.trace.txt.xz",
    "sg.trace.dat",    "iova.trace.dat",
};
#define EVERY 400u /* each byte up to here */
#define STEP 127u

static bool slow(const char *name)
{
	return g_str_has_suffix(name, ".dat") || g_str_has_suffix(name, ".xz");
}

/* Read all of path; records read, error checked. */
static uint64_t read_damaged(const char *path, bool *failed)
{
	GError *error = NULL;
	struct trace_record rec;
	struct trace_reader *r = trace_open(path, &TRACE_OPTIONS_DEFAULT, &error);
	uint64_t n = 0;
	int rc = -1;

	if (r)
		while ((rc = trace_next(r, &rec, &error)) == 1)
			n++;
	trace_close(r);
	*failed = rc < 0;
	ck_assert((rc < 0) == (error != NULL));
	if (error) {
		ck_assert_uint_eq(error->domain, TRACE_ERROR);
		ck_assert_msg(strncmp(error->message, path, strlen(path)) == 0, "%s", error->message);
	}
	g_clear_error(&error);
	return n;
}

static void rewrite(int fd, const void *data, size_t len)
{
	ck_assert_int_eq(pwrite(fd, data, len, 0), (ssize_t)len);
	ck_assert_int_eq(ftruncate(fd, (off_t)len), 0);
}

START_TEST(test_cut)
{
	char *path = trace_data(files[_i]), *data = NULL, *copy = NULL;
	gsize len;
	uint64_t whole, errors = 0;
	bool failed;
	size_t step = slow(files[_i]) ? test_scale(1) > 1 ? 61 : 1999 : 1;
	int fd = g_file_open_tmp("dmasim-cut-XXXXXX", &copy, NULL);

	ck_assert(g_file_get_contents(path, &data, &len, NULL));
	rewrite(fd, data, len);
	whole = read_damaged(copy, &failed);
	ck_assert(!failed && whole > 0);
	for (size_t k = 0; k < len; k += step == 1 && k > EVERY ? STEP : step) {
		uint64_t n;

		rewrite(fd, data, k);
		n = read_damaged(copy, &failed);
		ck_assert_uint_le(n, whole + 1); /* the cut may fall inside a line's last number */
		errors += failed;
	}
	ck_assert_uint_gt(errors, 0);
	close(fd);
	unlink(copy);
	g_free(copy);
	g_free(data);
	g_free(path);
}
END_TEST

START_TEST(test_changed)
{
	char *path = trace_data(files[_i]), *data = NULL, *copy = NULL;
	gsize len;
	struct rng rng;
	bool failed;
	unsigned rounds = (unsigned)test_scale(slow(files[_i]) ? 8 : 150);
	int fd = g_file_open_tmp("dmasim-change-XXXXXX", &copy, NULL);

	rng_init(&rng, test_seed(), files[_i]);
	ck_assert(g_file_get_contents(path, &data, &len, NULL));
	for (unsigned i = 0; i < rounds; i++) {
		char *bad = g_memdup2(data, len);
		uint64_t changes = 1 + rng_below(&rng, 8);

		while (changes-- > 0)
			bad[rng_below(&rng, len)] = (char)rng_below(&rng, 256);
		rewrite(fd, bad, len);
		read_damaged(copy, &failed);
		g_free(bad);
	}
	close(fd);
	unlink(copy);
	g_free(copy);
	g_free(data);
	g_free(path);
}
END_TEST

/* One line of nonsense among good ones: counted, named with its place, and all others are read. */
START_TEST(test_malformed_line)
{
	char *path = trace_data(files[_i]), *data = NULL, *copy, *place;
	struct trace_options lax = TRACE_OPTIONS_DEFAULT;
	GError *error = NULL;
	struct trace_record rec;
	struct trace_reader *r;
	uint64_t lines = 1, n = 0;
	gsize len, at;
	GString *s;

	ck_assert(g_file_get_contents(path, &data, &len, NULL));
	if (memchr(data, '\0', len) || !g_utf8_validate(data, (gssize)len, NULL)) {
		g_free(data);
		g_free(path);
		return;
	}
	at = len / 2;
	while (data[at - 1] != '\n')
		at++;
	for (gsize i = 0; i < at; i++)
		lines += data[i] == '\n';
	s = g_string_new_len(data, (gssize)len);
	g_string_insert(s, (gssize)at, "!? no record\n");
	copy = trace_temporary(".txt", s->str, s->len);
	lax.bad_limit = 0.5;
	r = trace_open(copy, &lax, &error);
	ck_assert_msg(r, "%s", error ? error->message : "");
	while (trace_next(r, &rec, &error) == 1)
		n++;
	ck_assert_msg(!error, "%s", error ? error->message : "");
	ck_assert_uint_eq(trace_counts(r)->bad[TRACE_BAD_MALFORMED] +
			      trace_counts(r)->bad[TRACE_BAD_OPERATION],
			  1);
	place = g_strdup_printf("%s:%" G_GUINT64_FORMAT ":", copy, lines);
	ck_assert_msg(g_str_has_prefix(trace_first_bad(r), place), "%s is not at %s", trace_first_bad(r),
		      place);
	trace_close(r);
	r = trace_open(path, &lax, &error);
	while (trace_next(r, &rec, &error) == 1)
		n--;
	ck_assert(!error && n == 0);
	trace_close(r);
	trace_unlink(copy);
	g_string_free(s, TRUE);
	g_free(place);
	g_free(data);
	g_free(path);
}
END_TEST

/* A binary trace with any number of bytes behind its end, an end of another trace among them. */
START_TEST(test_bytes_behind_the_end)
{
	char *path = trace_temporary(".dmt", "", 0), *data = NULL;
	struct trace_record rec = {.nvme = {.bytes = 4096, .done_ns = TRACE_NO_TIME}};
	GError *error = NULL;
	struct trace_writer *w = trace_writer_open(path, TRACE_NVME, &error);
	gsize len;

	ck_assert(trace_write(w, &rec, "d", &error) && trace_writer_close(w, &error));
	ck_assert(g_file_get_contents(path, &data, &len, NULL));
	for (gsize more = 1; more <= len; more++) {
		GByteArray *all = g_byte_array_new();
		struct trace_copy *c;

		g_byte_array_append(all, (const guint8 *)data, (guint)len);
		g_byte_array_append(all, (const guint8 *)data, (guint)more);
		ck_assert(g_file_set_contents(path, (const char *)all->data, (gssize)all->len, NULL));
		c = trace_copy_file(path, NULL);
		ck_assert(c->records->len == 1 && c->error);
		ck_assert_ptr_nonnull(strstr(c->error->message, "bytes follow the end block"));
		trace_copy_free(c);
		g_byte_array_free(all, TRUE);
	}
	g_free(data);
	trace_unlink(path);
}
END_TEST

/* The native forms: the binary one notices every cut and every changed byte. */
START_TEST(test_native)
{
	char *sample = trace_data("msr.csv"), *path, *data = NULL, *copy = NULL;
	struct trace_copy *c = trace_copy_file(sample, NULL);
	const char *suffix = _i == 0 ? ".dmt" : _i == 1 ? ".csv" : ".csv.zst";
	GError *error = NULL;
	struct trace_writer *w;
	unsigned unused = 0;
	gsize len;
	bool failed;
	int fd;

	path = trace_temporary(suffix, "", 0);
	w = trace_writer_open(path, TRACE_NVME, &error);
	for (unsigned i = 0; i < c->records->len; i++)
		ck_assert(trace_write(w, trace_copy_at(c, i), c->devices->pdata[i], &error));
	ck_assert(trace_writer_close(w, &error));
	ck_assert(g_file_get_contents(path, &data, &len, NULL));
	fd = g_file_open_tmp("dmasim-native-XXXXXX", &copy, NULL);
	for (size_t k = 0; k < len; k++) {
		rewrite(fd, data, k);
		read_damaged(copy, &failed);
		ck_assert(failed || _i == 1);
	}
	for (size_t k = 0; k < len; k++) {
		data[k] ^= 1 << k % 8;
		rewrite(fd, data, len);
		data[k] ^= 1 << k % 8;
		read_damaged(copy, &failed);
		if (!failed && _i == 0) { /* a bit that zstd does not use: then nothing else differs */
			struct trace_copy *same = trace_copy_file(copy, NULL);

			trace_assert_same(c, same);
			trace_copy_free(same);
			unused++;
		}
	}
	ck_assert_uint_le(unused, 4);
	close(fd);
	unlink(copy);
	g_free(copy);
	g_free(data);
	trace_copy_free(c);
	trace_unlink(path);
	g_free(sample);
}
END_TEST

/* Each compression, cut in its middle: the good part first, then an error that says so. */
START_TEST(test_cut_compressed)
{
	static const char *const suffixes[] = {".csv.gz", ".csv.xz", ".csv.zst", ".csv.bz2"};
	char *path = trace_temporary(suffixes[_i], "", 0), *data = NULL;
	const struct trace_record rec = {.nvme = {.bytes = 4096, .done_ns = TRACE_NO_TIME}};
	struct trace_record r = rec;
	GError *error = NULL;
	struct trace_writer *w = trace_writer_open(path, TRACE_NVME, &error);
	struct trace_copy *c;
	struct rng rng;
	gsize len;

	rng_init(&rng, 1, "noise");
	for (unsigned i = 0; i < 100000; i++) {
		r.time_ns = i;
		r.nvme.offset = rng_below(&rng, 1ull << 40);
		ck_assert(trace_write(w, &r, "d", &error));
	}
	ck_assert(trace_writer_close(w, &error));
	ck_assert(g_file_get_contents(path, &data, &len, NULL));
	ck_assert(g_file_set_contents(path, data, (gssize)len / 10 * 9, NULL));
	c = trace_copy_file(path, NULL);
	ck_assert_ptr_nonnull(c->error);
	ck_assert_msg(c->error->code == TRACE_ERROR_TRUNCATED, "%s", c->error->message);
	ck_assert_uint_gt(c->records->len, 20000);
	trace_copy_free(c);
	g_free(data);
	trace_unlink(path);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("damage");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, test_cut, 0, G_N_ELEMENTS(files));
	tcase_add_loop_test(tc, test_changed, 0, G_N_ELEMENTS(files));
	tcase_add_loop_test(tc, test_malformed_line, 0, G_N_ELEMENTS(files));
	tcase_add_test(tc, test_bytes_behind_the_end);
	tcase_add_loop_test(tc, test_native, 0, 3);
	tcase_add_loop_test(tc, test_cut_compressed, 0, 4);
	return test_run("damaged traces", tc, NULL);
}
