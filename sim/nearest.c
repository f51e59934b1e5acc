/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dmasim/param.h>
#include <string.h>

/* Edit distance with transpositions of neighbours (optimal string alignment). */
static size_t edit_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	g_autofree size_t *rows = g_new0(size_t, 3 * (lb + 1));
	size_t *before = rows, *last = rows + lb + 1, *row = rows + 2 * (lb + 1);

	for (size_t j = 0; j <= lb; j++)
		last[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *oldest = before;

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t same = a[i - 1] == b[j - 1] ? 0 : 1;

			row[j] = MIN(MIN(last[j], row[j - 1]) + 1, last[j - 1] + same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = oldest;
	}
	return last[lb];
}

const char *nearest_name(const char *name, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t best_distance = 0;

	for (size_t i = 0; i < n; i++) {
		size_t d = edit_distance(name, names[i]);

		if (!best || d < best_distance) {
			best = names[i];
			best_distance = d;
		}
	}
	return best && best_distance <= 1 + strlen(name) / 3 ? best : NULL;
}
