/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DMAR tables: a table of every structure, matching of devices, and every way to be malformed. */
#include "support.h"

#include "models/vtd/dmar.h"
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

struct table {
	uint8_t b[512];
	size_t n;
};

static void put(struct table *t, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		t->b[t->n++] = (uint8_t)(v >> (8 * i));
}

static void scope(struct table *t, unsigned type, unsigned bus, unsigned hops, const uint8_t *path)
{
	put(t, type, 1);
	put(t, 6 + 2 * hops, 1);
	put(t, 0, 2);
	put(t, 0, 1);
	put(t, bus, 1);
	for (unsigned i = 0; i < 2 * hops; i++)
		put(t, path[i], 1);
}

static void finish(struct table *t)
{
	uint8_t sum = 0;

	for (unsigned i = 0; i < 4; i++)
		t->b[4 + i] = (uint8_t)(t->n >> (8 * i));
	t->b[9] = 0;
	for (size_t i = 0; i < t->n; i++)
		sum = (uint8_t)(sum + t->b[i]);
	t->b[9] = (uint8_t)-sum;
}

/* Two units (graphics at 1b.0, all others), a reserved region, an ATSR for a port, nodes, one odd type. */
static void sample(struct table *t)
{
	static const uint8_t gfx[] = {0x1b, 0}, port[] = {1, 0}, behind[] = {1, 0, 0, 0}, apic[] = {0x1f, 0};

	*t = (struct table){0};
	memcpy(t->b, "DMAR", 4);
	t->n = 36;
	put(t, 0x26, 1); /* 39 bits */
	put(t, 5, 1);
	t->n = 48;
	put(t, 0, 2), put(t, 0x18, 2), put(t, 0, 1), put(t, 0, 1), put(t, 0, 2), put(t, 0xfed90000, 8);
	scope(t, 1, 0, 1, gfx);
	put(t, 0, 2), put(t, 0x20, 2), put(t, 1, 1), put(t, 1, 1), put(t, 0, 2), put(t, 0xfed91000, 8);
	scope(t, 3, 0xf0, 1, apic);
	scope(t, 2, 0, 1, port);
	put(t, 1, 2), put(t, 24 + 10, 2), put(t, 0, 2), put(t, 0, 2), put(t, 0x7b000000, 8),
	    put(t, 0x7b7fffff, 8);
	scope(t, 1, 0, 2, behind);
	put(t, 2, 2), put(t, 8 + 8, 2), put(t, 0, 1), put(t, 0, 1), put(t, 0, 2);
	scope(t, 2, 0, 1, port);
	put(t, 5, 2), put(t, 8 + 8, 2), put(t, 1, 1), put(t, 0, 1), put(t, 0, 2);
	scope(t, 1, 0, 1, gfx);
	put(t, 3, 2), put(t, 20, 2), put(t, 0, 4), put(t, 0xfed91000, 8), put(t, 1, 4);
	put(t, 4, 2), put(t, 12, 2), put(t, 0, 8);
	finish(t);
}

START_TEST(sample_is_read)
{
	GError *error = NULL;
	struct table t;
	struct dmar *d;

	sample(&t);
	d = dmar_parse(t.b, t.n, "sample", &error);
	ck_assert_ptr_nonnull(d);
	ck_assert_uint_eq(d->host_width, 39);
	ck_assert(d->interrupt_remapping && !d->x2apic_opt_out && d->dma_control_opt_in);
	ck_assert_uint_eq(d->nunits, 2);
	ck_assert_uint_eq(d->units[0].base, 0xfed90000);
	ck_assert(!d->units[0].include_all && d->units[1].include_all);
	ck_assert_uint_eq(d->units[0].size, 4096);
	ck_assert_uint_eq(d->units[1].size, 8192);
	ck_assert_int_eq(d->units[0].node, -1);
	ck_assert_int_eq(d->units[1].node, 1);
	ck_assert_uint_eq(d->units[0].scopes.n, 1);
	ck_assert_uint_eq(d->units[0].scopes.scope[0].devfn[0], 0x1b << 3);
	ck_assert_uint_eq(d->units[1].scopes.n, 2);
	ck_assert_int_eq(d->units[1].scopes.scope[0].type, DMAR_SCOPE_IOAPIC);
	ck_assert_uint_eq(d->nreserved, 1);
	ck_assert_uint_eq(d->reserved[0].last, 0x7b7fffff);
	ck_assert_uint_eq(d->nats, 2);
	ck_assert(!d->ats[0].satc && !d->ats[0].all_ports);
	ck_assert(d->ats[1].satc && d->ats[1].required);
	ck_assert_uint_eq(d->skipped, 1);
	dmar_free(d);
}
END_TEST

START_TEST(devices_find_their_unit)
{
	const struct dmar_path gfx = {0, 0, 1, {0x1b << 3}}, other = {0, 0, 1, {2 << 3}},
			       below = {0, 0, 2, {1 << 3, 0}}, deep = {0, 0, 3, {1 << 3, 0, 5 << 3}},
			       segment = {1, 0, 1, {2 << 3}}, gfx_below = {0, 0, 2, {0x1b << 3, 0}};
	struct table t;
	struct dmar *d;

	sample(&t);
	d = dmar_parse(t.b, t.n, "sample", NULL);
	ck_assert_int_eq(dmar_find_unit(d, &gfx), 0);
	ck_assert_int_eq(dmar_find_unit(d, &other), 1);
	ck_assert_int_eq(dmar_find_unit(d, &segment), -1);
	ck_assert_int_eq(dmar_find_unit(d, &gfx_below), 1); /* an endpoint scope has no children */
	ck_assert(dmar_in_scope(&d->reserved[0].scopes, &below));
	ck_assert(!dmar_in_scope(&d->reserved[0].scopes, &deep));
	ck_assert(dmar_in_scope(&d->ats[0].scopes, &below)); /* below the port */
	ck_assert(dmar_in_scope(&d->ats[0].scopes, &deep));
	ck_assert(!dmar_in_scope(&d->ats[0].scopes, &other));
	dmar_free(d);
}
END_TEST

static void rejected(struct table *t, size_t len, const char *needle)
{
	GError *error = NULL;

	ck_assert_ptr_null(dmar_parse(t->b, len, "bad.bin", &error));
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error->message, "bad.bin") && strstr(error->message, needle), "%s",
		      error->message);
	g_error_free(error);
}

START_TEST(malformed)
{
	struct table t;

	sample(&t);
	rejected(&t, 0, "header");
	rejected(&t, 47, "header");
	rejected(&t, t.n - 1, "shorter");
	t.b[0] = 'X';
	rejected(&t, t.n, "signature");
	sample(&t);
	t.b[60] ^= 1;
	rejected(&t, t.n, "checksum");
	sample(&t);
	t.b[50] = 0; /* length 0 */
	finish(&t);
	rejected(&t, t.n, "impossible length");
	sample(&t);
	t.b[51] = 0xff; /* beyond the table */
	finish(&t);
	rejected(&t, t.n, "impossible length");
	sample(&t);
	t.b[65] = 0; /* scope length 0 */
	finish(&t);
	rejected(&t, t.n, "device scope");
	sample(&t);
	t.b[65] = 200;
	finish(&t);
	rejected(&t, t.n, "device scope");
}
END_TEST

/* Any change of any byte gives a table or an error, nothing else (the sanitizers watch). */
START_TEST(every_corruption_is_survived)
{
	struct rng rng;

	rng_init(&rng, test_seed(), "dmar");
	for (uint64_t i = 0; i < test_scale(20000); i++) {
		GError *error = NULL;
		struct table t;
		struct dmar *d;

		sample(&t);
		for (unsigned k = 0; k < 1 + rng_below(&rng, 4); k++)
			t.b[10 + rng_below(&rng, t.n - 10)] = (uint8_t)rng_u64(&rng);
		finish(&t);
		d = dmar_parse(t.b, t.n, "x", &error);
		ck_assert((d != NULL) == (error == NULL));
		dmar_free(d);
		g_clear_error(&error);
	}
}
END_TEST

/* What acpidump prints of the sample, between two other tables. */
static char *acpidump(const struct table *t, size_t skip)
{
	GString *s = g_string_new("FACP @ 0x00000000BF7F0000\n    0000: 46 41 43 50 00  FACP.\n\n"
				  "DMAR @ 0x00000000BF7F1000\n");

	for (size_t i = 0; i < t->n; i += 16) {
		if (i == skip)
			continue;
		g_string_append_printf(s, "    %04zX:", i);
		for (size_t k = i; k < MIN(i + 16, t->n); k++)
			g_string_append_printf(s, " %02X", t->b[k]);
		g_string_append(s, "  DMAR 12 AB....\n");
	}
	g_string_append(s, "\nSSDT @ 0x00000000BF7F2000\n    0000: 53 53 44 54 00  SSDT.\n");
	return g_string_free(s, FALSE);
}

START_TEST(acpidump_text)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "dmasim-test-XXXXXX", NULL);
	int fd = g_mkstemp(path);
	struct table t;

	ck_assert_int_ge(fd, 0);
	close(fd);
	sample(&t);
	for (unsigned damaged = 0; damaged < 2; damaged++) {
		g_autofree char *text = acpidump(&t, damaged ? 48 : SIZE_MAX);
		g_autoptr(GError) error = NULL;
		struct dmar *d;

		ck_assert(g_file_set_contents(path, text, -1, NULL));
		d = dmar_load(path, &error);
		ck_assert_int_eq(d == NULL, damaged);
		if (!d)
			continue;
		ck_assert_uint_eq(d->nunits, 2);
		ck_assert_uint_eq(d->units[1].base, 0xfed91000);
		dmar_free(d);
	}
	g_unlink(path);
}
END_TEST

/* What iasl 20200925 disassembled, and that without the raw table at its end, in the older and newer style.
 */
START_TEST(iasl_text)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "dmasim-test-XXXXXX", NULL);
	int fd = g_mkstemp(path);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	struct dmar *d;

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert(g_file_get_contents(DMASIM_TEST_DATA "/vtd/dmar.dsl", &text, NULL, NULL));
	if (_i > 0)
		*strstr(text, "Raw Table Data") = '\0';
	if (_i == 2) /* lengths in hex */
		for (char *p = text; (p = strstr(p, "  10]")) != NULL;)
			memcpy(p, "00Ah]", 5);
	ck_assert(g_file_set_contents(path, text, -1, NULL));
	d = dmar_load(path, &error);
	ck_assert_msg(d, "%s", error ? error->message : "");
	ck_assert_uint_eq(d->host_width, 39);
	ck_assert_uint_eq(d->nunits, 2);
	ck_assert_uint_eq(d->units[0].base, 0xfed90000);
	ck_assert_uint_eq(d->units[0].scopes.scope[0].devfn[0], 2 << 3);
	ck_assert(d->units[1].include_all && d->units[1].node == 1);
	ck_assert_uint_eq(d->units[1].scopes.scope[0].enumeration_id, 2);
	ck_assert_uint_eq(d->nreserved, 1);
	ck_assert_uint_eq(d->reserved[0].base, 0x7b000000);
	ck_assert_uint_eq(d->reserved[0].scopes.scope[0].hops, 2);
	ck_assert_uint_eq(d->reserved[0].scopes.scope[0].devfn[1], 3 << 3 | 1);
	ck_assert_uint_eq(d->nats, 1);
	dmar_free(d);
	g_unlink(path);
}
END_TEST

/* A field that says it lies far away, or a text cut anywhere, is an error and nothing worse. */
START_TEST(iasl_text_damaged)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "dmasim-test-XXXXXX", NULL);
	int fd = g_mkstemp(path);
	g_autofree char *text = NULL, *far = NULL;
	gsize len;

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert(g_file_get_contents(DMASIM_TEST_DATA "/vtd/dmar.dsl", &text, &len, NULL));
	len = (gsize)(strstr(text, "Raw Table Data") - text);
	for (gsize cut = 0; cut < len; cut += 101) {
		GError *error = NULL;
		struct dmar *d;

		ck_assert(g_file_set_contents(path, text, (gssize)cut, NULL));
		d = dmar_load(path, &error);
		ck_assert((d != NULL) == (error == NULL));
		dmar_free(d);
		g_clear_error(&error);
	}
	far = g_strdup_printf(
	    "[000h 0000   4] Signature : \"DMAR\"\n[7fffffffh 2147483647 4294967295] X : 0\n");
	ck_assert(g_file_set_contents(path, far, -1, NULL));
	ck_assert_ptr_null(dmar_load(path, NULL));
	g_unlink(path);
}
END_TEST

/* Linux uses ATS below ports that an ATSR names, of SoC devices that SATC names, of integrated ones. */
START_TEST(ats)
{
	const struct dmar_path gfx = {0, 0, 1, {0x1b << 3}}, other = {0, 0, 1, {2 << 3}},
			       port = {0, 0, 1, {1 << 3}}, wrong = {0, 0, 1, {3 << 3}},
			       behind = {0, 0, 2, {1 << 3, 0}};
	struct table t;
	struct dmar *d;
	unsigned nats;

	sample(&t);
	d = dmar_parse(t.b, t.n, "sample", NULL);
	ck_assert(dmar_ats_supported(d, &behind, &port, false));
	ck_assert(!dmar_ats_supported(d, &behind, &wrong, false));
	ck_assert(dmar_ats_supported(d, &other, NULL, false));
	/* SATC says that graphics needs it: hardware sees to that unless in scalable mode. */
	ck_assert(!dmar_ats_supported(d, &gfx, NULL, false));
	ck_assert(dmar_ats_supported(d, &gfx, NULL, true));
	/* The same table without ATSR and SATC. */
	nats = d->nats;
	d->nats = 0;
	ck_assert(!dmar_ats_supported(d, &behind, &port, false));
	ck_assert(dmar_ats_supported(d, &other, NULL, false));
	d->nats = nats;
	dmar_free(d);
}
END_TEST

START_TEST(missing_file)
{
	GError *error = NULL;

	ck_assert_ptr_null(dmar_load("/nonexistent/DMAR", &error));
	ck_assert(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT));
	g_error_free(error);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("table");

	tcase_add_test(c, sample_is_read);
	tcase_add_test(c, devices_find_their_unit);
	tcase_add_test(c, malformed);
	tcase_add_test(c, every_corruption_is_survived);
	tcase_add_test(c, acpidump_text);
	tcase_add_loop_test(c, iasl_text, 0, 3);
	tcase_add_test(c, iasl_text_damaged);
	tcase_add_test(c, ats);
	tcase_add_test(c, missing_file);
	return test_run("dmar", c, NULL);
}
