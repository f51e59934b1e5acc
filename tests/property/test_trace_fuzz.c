/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every importer on mutated samples, its own and those of the other formats: bytes changed, lines cut,
 * doubled and swapped, digits made long. Nothing may crash, hang or read what is not there.
 */
#include "../fuzz/fuzz_trace.c"
#include "trace_support.h"

#include "sim/rng.h"
#include <string.h>

static const char *const samples[] = {
    "msr.csv",         "alibaba.csv", "tencent-cbs.csv", "systor17.csv",  "spc.csv",      "mqsim.trace",
    "disksim.trace",   "fiu.txt",     "blktrace-le.bin", "fio-v3.iolog",  "fio-v2.iolog", "nvme.blkparse.txt",
    "iova.ftrace.txt", "sg.perf.txt", "sg.report.txt",   "canonical.csv",
};
static const char native[] =
    "# dmasim-trace v1\n"
    "time_ns,cpu,device,queue,op,offset,bytes,segments,done_ns,done_cpu,split\n"
    "5,0,nvme0,1,R,0,4096,1000+4096,900,3,\n7,1,\"x,y\",2,W,0,4095,1200+3584|fff000+511:p2p:1,,,front\n";
static const char qemu[] =
    "77@10.000003:vfio_save_block  (0000:03:00.0) data_size 4096\n"
    "77@10.000004:vfio_get_dirty_bitmap iova=0x1000 size= 0x80000000 bitmap_size=0x10000 "
    "start=0x0 dirty_pages=512\n";

static GByteArray *mutate(struct rng *rng, const char *data, size_t len)
{
	GByteArray *b = g_byte_array_new();
	uint64_t changes = 1 + rng_below(rng, 6);

	g_byte_array_append(b, (const uint8_t *)data, (unsigned)len);
	while (changes-- > 0 && b->len > 4) {
		unsigned at = (unsigned)rng_below(rng, b->len - 1), n;

		switch (rng_below(rng, 6)) {
		case 0:
			b->data[at] = (uint8_t)rng_u64(rng);
			break;
		case 1:
			b->data[at] ^= (uint8_t)(1u << rng_below(rng, 8));
			break;
		case 2: /* cut a piece out */
			n = 1 + (unsigned)rng_below(rng, MIN(200, b->len - at));
			g_byte_array_remove_range(b, at, n);
			break;
		case 3: { /* a very long number */
			static const uint8_t digits[] = "99999999999999999999999999";
			uint8_t *tail = g_memdup2(b->data + at, b->len - at);

			n = b->len - at;
			g_byte_array_set_size(b, at);
			g_byte_array_append(b, digits, sizeof(digits) - 1);
			g_byte_array_append(b, tail, n);
			g_free(tail);
			break;
		}
		case 4: /* the beginning once more */
			n = (unsigned)rng_below(rng, MIN(b->len, 2000));
			{
				uint8_t *copy = g_memdup2(b->data, n);

				g_byte_array_append(b, copy, n);
				g_free(copy);
			}
			break;
		default:
			g_byte_array_set_size(b, b->len - (unsigned)rng_below(rng, MIN(b->len, 500)));
		}
	}
	return b;
}

static void attack(struct rng *rng, const char *data, size_t len)
{
	const struct trace_format *const *formats = trace_formats();
	unsigned n = 0;

	while (formats[n])
		n++;
	for (uint64_t i = test_scale(40); i > 0; i--) {
		GByteArray *b = mutate(rng, data, len);
		const char *format = rng_below(rng, 3) ? "" : formats[rng_below(rng, n)]->name;

		/* Forks per input: its own test reads it. */
		if (strcmp(format, "trace-dat") != 0)
			fuzz_trace(format, b->data, b->len);
		g_byte_array_free(b, TRUE);
	}
}

START_TEST(test_samples)
{
	char *path = trace_data(samples[_i]), *data = NULL;
	struct rng rng;
	gsize len;

	rng_init(&rng, test_seed(), samples[_i]);
	ck_assert(g_file_get_contents(path, &data, &len, NULL));
	attack(&rng, data, MIN(len, 6000));
	g_free(data);
	g_free(path);
}
END_TEST

START_TEST(test_texts)
{
	struct rng rng;

	rng_init(&rng, test_seed(), "texts");
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (unsigned i = 0; i < 5; i++) {
		attack(&rng, native, strlen(native));
		attack(&rng, qemu, strlen(qemu));
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("fuzz");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, test_samples, 0, G_N_ELEMENTS(samples));
	tcase_add_test(tc, test_texts);
	return test_run("importers on mutated samples", tc, NULL);
}
