/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shipped recordings must be equal; damaged copies must be found out, and never crash anything. */
#include "support.h"
#include "trace/input.h"

#include "experiment/result.h"
#include <dmasim/verify.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#define RECORDINGS DMASIM_TEST_DATA "/recordings"

static GPtrArray *verify_with(const char *path, char *const *set, GError **error)
{
	struct scenario *machine = scenario_new();
	struct verify_options o = {.set = set};
	char *paths[] = {(char *)path, NULL};
	GPtrArray *boots;

	ck_assert(scenario_set(machine, "scenario.preset", "qemu", "test", NULL));
	o.machine = scenario_config(machine);
	boots = verify_paths(paths, 1, &o, error);
	scenario_free(machine);
	return boots;
}

static GPtrArray *verify_dir(const char *path, GError **error)
{
	return verify_with(path, NULL, error);
}

static void check_equal(const char *name, const struct verify_boot *b)
{
	for (unsigned i = 0; i < b->recordings->len; i++) {
		const struct verify_recording *v = g_ptr_array_index(b->recordings, i);

		ck_assert_msg(!v->divergence && v->complete, "%s", v->divergence ? v->divergence : v->name);
		ck_assert_uint_gt(v->totals.counts, 15);
		ck_assert_uint_gt(v->totals.calls + v->totals.classified, 0);
	}
	ck_assert_uint_eq(b->totals.divergences, 0);
	ck_assert_uint_eq(b->totals.diverging, 0);
	ck_assert_uint_eq(b->totals.addresses,
			  b->totals.predicted + b->totals.ordered + b->totals.bound + b->totals.explained);
	if (strstr(name, "strict-map")) {
		ck_assert(b->fresh);
		ck_assert_uint_eq(b->totals.predicted, b->totals.addresses);
		ck_assert_uint_eq(b->totals.descriptors, b->totals.unmaps);
	}
	if (strstr(name, "lazy-map")) {
		/* Of 1000 addresses one was handed out while a timer flush ran. */
		ck_assert_uint_le(b->totals.ordered * 1000, b->totals.addresses);
		ck_assert_uint_eq(b->totals.predicted + b->totals.ordered, b->totals.addresses);
	}
	if (strstr(name, "-dev"))
		ck_assert_uint_ge(b->totals.predicted * 10, b->totals.addresses * 6);
}

START_TEST(shipped_recordings_are_equal)
{
	GDir *dir = g_dir_open(RECORDINGS, 0, NULL);
	const char *name;
	unsigned boots = 0;

	ck_assert_ptr_nonnull(dir);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(RECORDINGS, name, NULL);
		GError *error = NULL;
		GPtrArray *result = verify_dir(path, &error);

		ck_assert_msg(result != NULL, "%s: %s", name, error ? error->message : "");
		ck_assert_uint_eq(result->len, 1);
		check_equal(name, g_ptr_array_index(result, 0));
		ck_assert(verify_equal(result));
		g_ptr_array_unref(result);
		boots++;
	}
	g_dir_close(dir);
	ck_assert_uint_ge(boots, 15);
}
END_TEST

/* A kernel or mode that is not the recorded one must not look equal. */
START_TEST(wrong_machine_diverges)
{
	static const struct {
		const char *boot, *set;
	} cases[] = {{"6.1-strict-map", "kernel.version=6.12"}, {"6.12-strict-map", "kernel.version=6.1"},
		     {"7.0-strict-map", "iommu.mode=lazy"},     {"6.12-lazy-map", "iommu.mode=strict"},
		     {"6.12-strict-map", "kernel.version=7.0"}, {"7.0-lazy-map", "flush_queue.entries=64"}};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_build_filename(RECORDINGS, cases[i].boot, NULL);
		char *set[] = {(char *)cases[i].set, NULL};
		GPtrArray *result = verify_with(path, set, NULL);

		ck_assert_ptr_nonnull(result);
		ck_assert_msg(!verify_equal(result), "%s with %s", cases[i].boot, cases[i].set);
		g_ptr_array_unref(result);
	}
}
END_TEST

/* ---- damaged recordings ---- */

static GPtrArray *read_lines(const char *path)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
	struct trace_input *in = input_open(path, NULL, NULL);
	const char *line;
	size_t len;

	ck_assert_ptr_nonnull(in);
	while (input_line(in, &line, &len, NULL) > 0)
		g_ptr_array_add(lines, g_strdup(line));
	input_close(in);
	return lines;
}

static void write_lines(const char *path, const GPtrArray *lines)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	for (unsigned i = 0; i < lines->len; i++)
		fprintf(f, "%s\n", (const char *)lines->pdata[i]);
	fclose(f);
}

static void copy_file(const char *from, const char *to)
{
	g_autofree char *text = NULL;
	gsize len;

	ck_assert(g_file_get_contents(from, &text, &len, NULL));
	ck_assert(g_file_set_contents(to, text, (gssize)len, NULL));
}

enum damage { DROP, DUPLICATE, SWAP, ALTER, DAMAGES };

/* A hexadecimal or decimal digit of a value that is compared, NULL if the line has none. */
static char *compared_digit(char *line, struct rng *rng)
{
	static const char *const fields[] = {"pfn=0x",    "iova=0x",  "paddr=0x", "dma_addr=", "phys_addr=",
					     "dmar0: 0x", " addr=0x", "size=",    "dev_addr="};
	unsigned start = (unsigned)rng_below(rng, G_N_ELEMENTS(fields));

	/* What coherent memory was asked for shows only when it is freed; others' descriptors are passed
	 * over. */
	if (strstr(line, "nvme_") || strstr(line, "block_") || strstr(line, "dma_alloc: ") ||
	    strstr(line, "dma_free: ") || strstr(line, "iec_inv"))
		return NULL;
	for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
		const char *f = fields[(start + i) % G_N_ELEMENTS(fields)];
		char *p = strstr(line, f);

		/* The kernel unmaps whole pages: the length that a driver gives may be another one. */
		if (!strcmp(f, "size=") && strstr(line, "dma_unmap"))
			continue;
		if (p && g_ascii_isxdigit(p[strlen(f)]))
			return p + strlen(f);
	}
	return NULL;
}

/* Where the pages of coherent memory are is the page allocator's choice, nothing to compare it with. */
static bool coherent_page(const GPtrArray *lines, unsigned i, const char *digit)
{
	if (!g_str_has_prefix(digit - strlen("paddr=0x"), "paddr=0x"))
		return false;
	for (i++; i < lines->len && !strstr(lines->pdata[i], "dma_map_"); i++)
		if (strstr(lines->pdata[i], "dma_alloc: "))
			return true;
	return false;
}

/* Whether the damage must be found. *line: number of the first damaged line. */
static bool damage(GPtrArray *lines, enum damage how, struct rng *rng, unsigned *line)
{
	unsigned i;
	char *digit = NULL;

	do {
		i = (unsigned)rng_below(rng, lines->len - 1);
		digit = how == ALTER ? compared_digit(lines->pdata[i], rng) : NULL;
	} while (*(char *)lines->pdata[i] == '#' || (how == ALTER && !digit));
	*line = i + 1;
	switch (how) {
	case DROP:
		g_ptr_array_remove_index(lines, i);
		return true;
	case DUPLICATE:
		g_ptr_array_insert(lines, (int)i, g_strdup(lines->pdata[i]));
		return true;
	case SWAP: {
		void *tmp = lines->pdata[i];

		lines->pdata[i] = lines->pdata[i + 1];
		lines->pdata[i + 1] = tmp;
		/* Lines of the block layer and the driver may stand anywhere between calls. */
		return !strstr(tmp, "nvme_") && !strstr(tmp, "block_") && !strstr(tmp, "rq_vectors") &&
		       !strstr(lines->pdata[i], "nvme_") && !strstr(lines->pdata[i], "block_") &&
		       !strstr(lines->pdata[i], "rq_vectors") && !strstr(tmp, "iec_inv") &&
		       !strstr(lines->pdata[i], "iec_inv");
	}
	default:
		*digit = *digit == '3' ? '5' : '3';
		return !coherent_page(lines, i, digit);
	}
}

/* The message names a place near the damage, or the numbers that no longer fit. */
static bool names_place(const char *message, unsigned line)
{
	const char *colon = strstr(message, ".txt:");
	unsigned at;

	if (!colon)
		return false;
	if (!g_ascii_isdigit(colon[5]) || sscanf(colon, ".txt:%u", &at) != 1)
		return true; /* a count */
	return at + 12 >= line && at <= line + 12;
}

START_TEST(damaged_recordings_are_found_out)
{
	static const struct {
		const char *boot, *name;
	} sources[] = {{"6.1-strict-dev", "d11_rr4k_short"},
		       {"6.12-strict-dev", "d11_rr4k_short"},
		       {"7.0-strict-dev", "d10_rebind"},
		       {"7.0-lazy-dev", "d11_rr4k_short"},
		       {"6.12-swiotlb-dev", "d11_rr4k_short"}};
	struct rng rng;
	unsigned near = 0, found = 0;
	g_autofree char *tmp = g_dir_make_tmp("dmasim-verify-XXXXXX", NULL);

	rng_init(&rng, test_seed(), "damage");
	for (unsigned n = 0; n < 100; n++) {
		unsigned s = n % G_N_ELEMENTS(sources), line;
		g_autofree char *from = g_build_filename(RECORDINGS, sources[s].boot, NULL);
		g_autofree char *trace = g_strdup_printf("%s/%s.trace.txt.zst", from, sources[s].name);
		g_autofree char *summary = g_strdup_printf("%s/%s.summary.json", from, sources[s].name);
		g_autofree char *environment = g_strdup_printf("%s/environment.txt", from);
		g_autofree char *out = g_strdup_printf("%s/%s.trace.txt", tmp, sources[s].name);
		g_autofree char *out_summary = g_strdup_printf("%s/%s.summary.json", tmp, sources[s].name);
		g_autofree char *out_environment = g_strdup_printf("%s/environment.txt", tmp);
		GPtrArray *lines = read_lines(trace), *result;
		enum damage how = (enum damage)(n / G_N_ELEMENTS(sources) % DAMAGES);
		bool must = damage(lines, how, &rng, &line);
		GError *error = NULL;

		write_lines(out, lines);
		copy_file(summary, out_summary);
		copy_file(environment, out_environment);
		result = verify_dir(tmp, &error);
		if (result) {
			const struct verify_boot *b = g_ptr_array_index(result, 0);
			const struct verify_recording *v = g_ptr_array_index(b->recordings, 0);

			ck_assert_msg(!must || !verify_equal(result),
				      "damage %d at line %u of %s/%s was not found", how, line,
				      sources[s].boot, sources[s].name);
			if (v->divergence) {
				found++;
				near += names_place(v->divergence, line);
			}
			g_ptr_array_unref(result);
		} else {
			found++;
			near += names_place(error->message, line);
			g_clear_error(&error);
		}
		g_ptr_array_unref(lines);
		g_unlink(out);
		g_unlink(out_summary);
		g_unlink(out_environment);
	}
	g_rmdir(tmp);
	ck_assert_uint_ge(found, 70);
	/* A wrong address may show only where its range is unmapped. */
	ck_assert_uint_ge(near * 10, found * 8);
}
END_TEST

/* A line that is not true makes its own call wrong, and no other. */
START_TEST(one_wrong_line_stays_one)
{
	g_autofree char *from = g_build_filename(RECORDINGS, "7.0-strict-dev", NULL);
	g_autofree char *trace = g_build_filename(from, "d10_rebind.trace.txt.zst", NULL);
	g_autofree char *environment = g_build_filename(from, "environment.txt", NULL);
	g_autofree char *tmp = g_dir_make_tmp("dmasim-verify-XXXXXX", NULL);
	g_autofree char *out = g_build_filename(tmp, "one.trace.txt", NULL);
	g_autofree char *out_environment = g_build_filename(tmp, "environment.txt", NULL);
	GPtrArray *lines = read_lines(trace), *result;
	const struct verify_recording *v;
	unsigned damaged = 0;

	/* A descriptor, and later an address. */
	for (unsigned i = lines->len / 2; i < lines->len && damaged < 2; i++) {
		char *at = strstr(lines->pdata[i], damaged ? "dma_addr=" : "qi_submit: iotlb_inv dmar0: 0x");

		if (!at || (damaged && !strstr(lines->pdata[i], "dma_map_phys: ")))
			continue;
		at += strcspn(at, "=x") + 1;
		*at = *at == '3' ? '5' : '3';
		damaged++;
	}
	ck_assert_uint_eq(damaged, 2);
	write_lines(out, lines);
	copy_file(environment, out_environment);
	result = verify_dir(tmp, NULL);
	ck_assert_ptr_nonnull(result);
	v = g_ptr_array_index(((struct verify_boot *)g_ptr_array_index(result, 0))->recordings, 0);
	ck_assert_ptr_nonnull(v->divergence);
	ck_assert_uint_ge(v->totals.divergences, 2);
	ck_assert_uint_le(v->totals.divergences, 4);
	g_ptr_array_unref(result);
	g_ptr_array_unref(lines);
	g_unlink(out);
	g_unlink(out_environment);
	g_rmdir(tmp);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("recordings");

	tcase_set_timeout(t, 300);
	tcase_add_test(t, shipped_recordings_are_equal);
	tcase_add_test(t, wrong_machine_diverges);
	tcase_add_test(t, damaged_recordings_are_found_out);
	tcase_add_test(t, one_wrong_line_stays_one);
	return test_run("verify", t, NULL);
}
