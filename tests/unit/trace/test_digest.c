/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256: the examples of FIPS 180-4, and GLib's own in random pieces. */
#include "support.h"

#include "sim/rng.h"
#include "trace/digest.h"

#include <string.h>

static const struct {
	const char *text, *sum;
} examples[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

START_TEST(published)
{
	struct digest *d = digest_new();
	g_autofree char *sum = NULL;

	digest_add(d, examples[_i].text, strlen(examples[_i].text));
	sum = digest_finish(d);
	ck_assert_str_eq(sum, examples[_i].sum);
}
END_TEST

START_TEST(pieces)
{
	static uint8_t data[20000];
	struct rng rng;
	g_autofree char *want = NULL;

	rng_init(&rng, test_seed(), "digest");
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)rng_below(&rng, 256);
	want = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, sizeof(data));
	for (unsigned round = 0; round < 20; round++) {
		struct digest *d = digest_new();
		g_autofree char *sum = NULL;
		size_t n;

		for (size_t at = 0; at < sizeof(data); at += n) {
			n = rng_below(&rng, 300);
			n = MIN(n, sizeof(data) - at);
			digest_add(d, data + at, n);
		}
		sum = digest_finish(d);
		ck_assert_str_eq(sum, want);
	}
	digest_free(digest_new());
	digest_free(NULL);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("digest");

	tcase_add_loop_test(t, published, 0, G_N_ELEMENTS(examples));
	tcase_add_test(t, pieces);
	return test_run("digest", t, NULL);
}
