/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI DMAR table. Intel VT-d architecture specification rev 4.1: 8.1 (table), 8.3-8.9 (structures). */
#include "dmar.h"

#include "dmar_text.h"

#include <string.h>

#define HEADER_SIZE 48u /* ACPI header of 36 bytes, width, flags, 10 reserved */
#define SCOPE_SIZE 6u

enum structure { DRHD = 0, RMRR = 1, ATSR = 2, RHSA = 3, SATC = 5 };

/* clang-format off */
G_DEFINE_QUARK(dmasim-dmar-error-quark, dmar_error)
/* clang-format on */

struct reader {
	const uint8_t *data;
	const char *name;
	GError **error;
	GArray *units, *reserved, *ats;
	struct dmar *d;
};

static uint64_t get(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static bool bad(struct reader *r, enum dmar_error code, size_t offset, const char *what)
{
	g_set_error(r->error, DMAR_ERROR, (int)code, "%s: byte %zu: %s", r->name, offset, what);
	return false;
}

/* Device scopes from begin to end; false on a malformed one. */
static bool read_scopes(struct reader *r, size_t begin, size_t end, struct dmar_scopes *out)
{
	GArray *list = g_array_new(FALSE, TRUE, sizeof(struct dmar_scope));
	size_t at = begin;

	while (at < end) {
		const uint8_t *p = r->data + at;
		struct dmar_scope s = {0};
		size_t len = end - at >= SCOPE_SIZE ? p[1] : 0;

		if (len < SCOPE_SIZE + 2 || len > end - at || len % 2) {
			g_array_free(list, TRUE);
			return bad(r, DMAR_ERROR_FORMAT, at, "device scope with an impossible length");
		}
		s.type = (enum dmar_scope_type)p[0];
		s.enumeration_id = p[4];
		s.start_bus = p[5];
		s.hops = (unsigned)(len - SCOPE_SIZE) / 2;
		if (s.hops > DMAR_MAX_HOPS) {
			g_array_free(list, TRUE);
			return bad(r, DMAR_ERROR_FORMAT, at, "device scope with a path of more than 8 hops");
		}
		for (unsigned i = 0; i < s.hops; i++)
			s.devfn[i] = (uint8_t)(p[SCOPE_SIZE + 2 * i] << 3 | (p[SCOPE_SIZE + 2 * i + 1] & 7));
		g_array_append_val(list, s);
		at += len;
	}
	out->n = list->len;
	out->scope = (struct dmar_scope *)(void *)g_array_free(list, FALSE);
	return true;
}

static bool read_drhd(struct reader *r, size_t at, size_t len)
{
	const uint8_t *p = r->data + at;
	struct dmar_unit u = {.node = -1};

	if (len < 16)
		return bad(r, DMAR_ERROR_FORMAT, at, "DRHD structure shorter than 16 bytes");
	u.include_all = p[4] & 1;
	u.size = UINT64_C(4096) << MIN(p[5], 20);
	u.segment = (uint16_t)get(p + 6, 2);
	u.base = get(p + 8, 8);
	if (!read_scopes(r, at + 16, at + len, &u.scopes))
		return false;
	g_array_append_val(r->units, u);
	return true;
}

static bool read_rmrr(struct reader *r, size_t at, size_t len)
{
	const uint8_t *p = r->data + at;
	struct dmar_reserved m = {0};

	if (len < 24)
		return bad(r, DMAR_ERROR_FORMAT, at, "RMRR structure shorter than 24 bytes");
	m.segment = (uint16_t)get(p + 6, 2);
	m.base = get(p + 8, 8);
	m.last = get(p + 16, 8);
	if (m.last < m.base)
		return bad(r, DMAR_ERROR_FORMAT, at, "RMRR that ends before it begins");
	if (!read_scopes(r, at + 24, at + len, &m.scopes))
		return false;
	g_array_append_val(r->reserved, m);
	return true;
}

static bool read_ats(struct reader *r, size_t at, size_t len, bool satc)
{
	const uint8_t *p = r->data + at;
	struct dmar_ats a = {.satc = satc};

	if (len < 8)
		return bad(r, DMAR_ERROR_FORMAT, at, "ATSR or SATC structure shorter than 8 bytes");
	a.all_ports = !satc && p[4] & 1;
	a.required = satc && p[4] & 1;
	a.segment = (uint16_t)get(p + 6, 2);
	if (!read_scopes(r, at + 8, at + len, &a.scopes))
		return false;
	g_array_append_val(r->ats, a);
	return true;
}

/* RHSA may come before or after its DRHD: applied in a second pass. */
static bool apply_rhsa(struct reader *r, size_t at, size_t len)
{
	const uint8_t *p = r->data + at;

	if (len < 20)
		return bad(r, DMAR_ERROR_FORMAT, at, "RHSA structure shorter than 20 bytes");
	for (guint i = 0; i < r->units->len; i++) {
		struct dmar_unit *u = &g_array_index(r->units, struct dmar_unit, i);

		if (u->base == get(p + 8, 8))
			u->node = (int)get(p + 16, 4);
	}
	return true;
}

static bool read_structure(struct reader *r, size_t at, size_t len, bool second_pass)
{
	unsigned type = (unsigned)get(r->data + at, 2);

	if (second_pass)
		return type != RHSA || apply_rhsa(r, at, len);
	switch (type) {
	case DRHD:
		return read_drhd(r, at, len);
	case RMRR:
		return read_rmrr(r, at, len);
	case ATSR:
	case SATC:
		return read_ats(r, at, len, type == SATC);
	case RHSA:
		return true;
	default: /* ANDD, SIDP, and what later revisions add */
		r->d->skipped++;
		return true;
	}
}

static bool read_table(struct reader *r, size_t len)
{
	const uint8_t *p = r->data;
	size_t table, at;
	uint8_t sum = 0;

	if (len < HEADER_SIZE)
		return bad(r, DMAR_ERROR_TRUNCATED, len, "ends within the header (48 bytes)");
	if (memcmp(p, "DMAR", 4))
		return bad(r, DMAR_ERROR_FORMAT, 0, "no DMAR signature; expected the raw ACPI table");
	table = (size_t)get(p + 4, 4);
	if (table < HEADER_SIZE)
		return bad(r, DMAR_ERROR_FORMAT, 4, "table length smaller than its header");
	if (table > len)
		return bad(r, DMAR_ERROR_TRUNCATED, len, "shorter than the length in its header");
	for (size_t i = 0; i < table; i++)
		sum = (uint8_t)(sum + p[i]);
	if (sum)
		return bad(r, DMAR_ERROR_FORMAT, 9, "checksum is wrong");
	r->d->host_width = p[36] + 1u;
	r->d->interrupt_remapping = p[37] & 1;
	r->d->x2apic_opt_out = p[37] >> 1 & 1;
	r->d->dma_control_opt_in = p[37] >> 2 & 1;
	for (unsigned pass = 0; pass < 2; pass++)
		for (at = HEADER_SIZE; at < table;) {
			size_t n = table - at >= 4 ? (size_t)get(p + at + 2, 2) : 0;

			if (n < 4 || n > table - at)
				return bad(r, DMAR_ERROR_FORMAT, at, "structure with an impossible length");
			if (!read_structure(r, at, n, pass))
				return false;
			at += n;
		}
	return true;
}

struct dmar *dmar_parse(const void *data, size_t len, const char *name, GError **error)
{
	struct reader r = {
	    .data = data,
	    .name = name,
	    .error = error,
	    .units = g_array_new(FALSE, TRUE, sizeof(struct dmar_unit)),
	    .reserved = g_array_new(FALSE, TRUE, sizeof(struct dmar_reserved)),
	    .ats = g_array_new(FALSE, TRUE, sizeof(struct dmar_ats)),
	    .d = g_new0(struct dmar, 1),
	};
	bool ok = read_table(&r, len);

	r.d->nunits = r.units->len;
	r.d->nreserved = r.reserved->len;
	r.d->nats = r.ats->len;
	r.d->units = (struct dmar_unit *)(void *)g_array_free(r.units, FALSE);
	r.d->reserved = (struct dmar_reserved *)(void *)g_array_free(r.reserved, FALSE);
	r.d->ats = (struct dmar_ats *)(void *)g_array_free(r.ats, FALSE);
	if (!ok) {
		dmar_free(r.d);
		return NULL;
	}
	return r.d;
}

struct dmar *dmar_load(const char *path, GError **error)
{
	GByteArray *table;
	struct dmar *d;
	char *data;
	gsize len;

	if (!g_file_get_contents(path, &data, &len, error))
		return NULL;
	table = dmar_from_text(data, len);
	d = table ? dmar_parse(table->data, table->len, path, error) : dmar_parse(data, len, path, error);
	if (table)
		g_byte_array_free(table, TRUE);
	g_free(data);
	return d;
}

void dmar_free(struct dmar *d)
{
	if (!d)
		return;
	for (unsigned i = 0; i < d->nunits; i++)
		g_free(d->units[i].scopes.scope);
	for (unsigned i = 0; i < d->nreserved; i++)
		g_free(d->reserved[i].scopes.scope);
	for (unsigned i = 0; i < d->nats; i++)
		g_free(d->ats[i].scopes.scope);
	g_free(d->units);
	g_free(d->reserved);
	g_free(d->ats);
	g_free(d);
}

bool dmar_in_scope(const struct dmar_scopes *s, const struct dmar_path *p)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct dmar_scope *c = &s->scope[i];

		if (c->start_bus != p->bus || c->hops > p->hops || memcmp(c->devfn, p->devfn, c->hops))
			continue;
		if (c->type == DMAR_SCOPE_BRIDGE || (c->type == DMAR_SCOPE_ENDPOINT && c->hops == p->hops))
			return true;
	}
	return false;
}

bool dmar_ats_supported(const struct dmar *d, const struct dmar_path *p, const struct dmar_path *port,
			bool scalable)
{
	/* A SoC device that needs ATS has it switched on by the hardware where the unit is in legacy mode. */
	for (unsigned i = 0; i < d->nats; i++)
		if (d->ats[i].satc && d->ats[i].segment == p->segment && dmar_in_scope(&d->ats[i].scopes, p))
			return scalable || !d->ats[i].required;
	if (!port)
		return true;
	for (unsigned i = 0; i < d->nats; i++)
		if (!d->ats[i].satc && d->ats[i].segment == p->segment &&
		    (d->ats[i].all_ports || dmar_in_scope(&d->ats[i].scopes, port)))
			return true;
	return false;
}

int dmar_find_unit(const struct dmar *d, const struct dmar_path *p)
{
	for (unsigned i = 0; i < d->nunits; i++)
		if (d->units[i].segment == p->segment && dmar_in_scope(&d->units[i].scopes, p))
			return (int)i;
	for (unsigned i = 0; i < d->nunits; i++)
		if (d->units[i].segment == p->segment && d->units[i].include_all)
			return (int)i;
	return -1;
}
