/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Did you mean": against the distance by its definition, without a table. */
#include "support.h"

#include "sim/rng.h"

#include <dmasim/param.h>
#include <string.h>

START_TEST(nearest_names)
{
	static const char *const names[] = {"iotlb.entries", "iotlb.ways", "walker.merge", "qi.entries"};
	static const char *const pairs[][2] = {{"iotlb.entires", "iotlb.entries"},
					       {"iotlb.way", "iotlb.ways"},
					       {"iotbl.ways", "iotlb.ways"},
					       {"qientries", "qi.entries"},
					       {"walker.merge", "walker.merge"}};

	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
		ck_assert_str_eq(nearest_name(pairs[i][0], names, G_N_ELEMENTS(names)), pairs[i][1]);
	ck_assert_ptr_null(nearest_name("swiotlb", names, G_N_ELEMENTS(names)));
	ck_assert_ptr_null(nearest_name("", names, G_N_ELEMENTS(names)));
	ck_assert_ptr_null(nearest_name("x", names, 0));
}
END_TEST

/* Insert, delete, replace, exchange neighbours: the cheapest way from the first i letters to the first j. */
static size_t distance(const char *a, size_t i, const char *b, size_t j)
{
	size_t d;

	if (!i || !j)
		return i + j;
	d = distance(a, i - 1, b, j - 1) + (a[i - 1] != b[j - 1]);
	d = MIN(d, distance(a, i - 1, b, j) + 1);
	d = MIN(d, distance(a, i, b, j - 1) + 1);
	if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
		d = MIN(d, distance(a, i - 2, b, j - 2) + 1);
	return d;
}

static void random_word(struct rng *rng, char *word)
{
	size_t len = rng_below(rng, 7);

	for (size_t i = 0; i < len; i++)
		word[i] = (char)('a' + rng_below(rng, 3));
	word[len] = '\0';
}

START_TEST(equals_the_definition)
{
	struct rng rng;

	rng_init(&rng, test_seed(), "nearest");
	for (unsigned round = 0; round < test_scale(2000); round++) {
		char words[4][8];
		const char *names[3], *want = NULL;
		size_t best = SIZE_MAX;

		for (unsigned i = 0; i < 4; i++)
			random_word(&rng, words[i]);
		for (unsigned i = 0; i < 3; i++) {
			size_t d = distance(words[3], strlen(words[3]), words[i], strlen(words[i]));

			names[i] = words[i];
			if (d < best) {
				best = d;
				want = names[i];
			}
		}
		if (best > 1 + strlen(words[3]) / 3)
			want = NULL;
		ck_assert_ptr_eq(nearest_name(words[3], names, 3), want);
	}
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("nearest");

	tcase_add_test(t, nearest_names);
	tcase_add_test(t, equals_the_definition);
	return test_run("nearest", t, NULL);
}
