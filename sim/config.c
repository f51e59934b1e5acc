/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The effective configuration: one filled struct per parameter table and per variant, each value with its
 * origin. A name is "section.key"; the variants' keys join one section and belong to whichever variant the
 * schema's selector names.
 */
#include "sim/config_schema.h"

#include <dmasim/config.h>
#include <dmasim/error.h>

#include <string.h>

struct slot {
	const struct param_table *table;
	void *values;
	char **origins; /* per row; NULL: default */
};

struct config {
	const struct config_schema *schema;
	struct slot *slots;
	unsigned nslots;
	unsigned ntables; /* the first ones are the schema's tables, the rest its variants in their order */
};

static void slot_init(struct slot *s, const struct param_table *t)
{
	s->table = t;
	s->values = g_malloc0(MAX(t->struct_size, 1));
	s->origins = g_new0(char *, t->nspecs);
	param_defaults(t, s->values);
}

struct config *config_new_of(const struct config_schema *schema)
{
	struct config *c = g_new0(struct config, 1);
	const struct param_table *const *tables = schema->tables();
	unsigned variants = 0;

	c->schema = schema;
	while (tables[c->ntables])
		c->ntables++;
	while (schema->variant(variants))
		variants++;
	c->nslots = c->ntables + variants;
	c->slots = g_new0(struct slot, c->nslots);
	for (unsigned i = 0; i < c->ntables; i++)
		slot_init(&c->slots[i], tables[i]);
	for (unsigned i = 0; i < variants; i++)
		slot_init(&c->slots[c->ntables + i], schema->variant(i));
	return c;
}

struct config *config_copy(const struct config *from)
{
	struct config *c = g_new0(struct config, 1);

	c->schema = from->schema;
	c->ntables = from->ntables;
	c->nslots = from->nslots;
	c->slots = g_new0(struct slot, c->nslots);
	for (unsigned i = 0; i < c->nslots; i++) {
		const struct slot *old = &from->slots[i];
		struct slot *s = &c->slots[i];

		s->table = old->table;
		s->values = g_malloc0(MAX(s->table->struct_size, 1));
		s->origins = g_new0(char *, s->table->nspecs);
		param_copy(s->table, s->values, old->values);
		for (size_t k = 0; k < s->table->nspecs; k++)
			s->origins[k] = g_strdup(old->origins[k]);
	}
	return c;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->nslots; i++) {
		struct slot *s = &c->slots[i];

		param_clear(s->table, s->values);
		g_free(s->values);
		for (size_t k = 0; k < s->table->nspecs; k++)
			g_free(s->origins[k]);
		g_free(s->origins);
	}
	g_free(c->slots);
	g_free(c);
}

const void *config_get(const struct config *c, const struct param_table *t)
{
	for (unsigned i = 0; i < c->nslots; i++)
		if (c->slots[i].table == t)
			return c->slots[i].values;
	g_assert_not_reached();
}

/* The selected variant, NULL if none is. */
static struct slot *variant_slot(const struct config *c)
{
	int i = c->schema->selected(c);

	return i < 0 ? NULL : &c->slots[c->ntables + (unsigned)i];
}

static bool slot_find(struct slot *s, const char *key, size_t *row)
{
	const struct param_spec *spec = s ? param_find(s->table, key) : NULL;

	if (!spec)
		return false;
	*row = (size_t)(spec - s->table->specs);
	return true;
}

/* The slot and row of "section.key"; NULL if there is none. */
static struct slot *find(const struct config *c, const char *name, size_t *row)
{
	const char *dot = strchr(name, '.');
	size_t len = dot ? (size_t)(dot - name) : 0;

	if (!dot)
		return NULL;
	for (unsigned i = 0; i < c->ntables; i++) {
		struct slot *s = &c->slots[i];

		if (strlen(s->table->section) == len && !strncmp(s->table->section, name, len) &&
		    slot_find(s, dot + 1, row))
			return s;
	}
	if (len == strlen(c->schema->variant_section) && !strncmp(name, c->schema->variant_section, len) &&
	    slot_find(variant_slot(c), dot + 1, row))
		return variant_slot(c);
	return NULL;
}

/* Every settable name, for the nearest one. */
static GPtrArray *all_names(const struct config *c, const char *section)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	struct slot *variant = variant_slot(c);

	for (unsigned i = 0; i < c->nslots; i++) {
		const struct slot *s = &c->slots[i];
		const char *in = i < c->ntables ? s->table->section : c->schema->variant_section;

		if ((i >= c->ntables && s != variant) || (section && strcmp(section, in)))
			continue;
		for (size_t k = 0; k < s->table->nspecs; k++)
			g_ptr_array_add(names, g_strdup_printf("%s.%s", in, s->table->specs[k].name));
	}
	return names;
}

static bool is_section(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->ntables; i++)
		if (!strcmp(c->slots[i].table->section, name))
			return true;
	return false;
}

static void unknown_name(const struct config *c, const char *name, GError **error)
{
	g_autofree char *section = g_strndup(name, strcspn(name, "."));
	bool known = is_section(c, section);
	g_autoptr(GPtrArray) names = all_names(c, known ? section : NULL);
	const char *near = nearest_name(name, (const char *const *)names->pdata, names->len);

	if (!strchr(name, '.'))
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "'%s' is not a parameter: want SECTION.KEY, e.g. iotlb.entries; `dmasim params` "
			    "lists them",
			    name);
	else if (near)
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "unknown parameter '%s'; did you mean '%s'?", name, near);
	else if (known)
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "unknown parameter '%s'; `dmasim params %s` lists that section's", name, section);
	else
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE,
			    "unknown parameter '%s': there is no section [%s]; `dmasim params` lists all",
			    name, section);
}

bool config_set(struct config *c, const char *name, const char *text, const char *origin, GError **error)
{
	size_t row;
	struct slot *s = find(c, name, &row);
	GError *why = NULL;

	if (!s) {
		unknown_name(c, name, error);
		return false;
	}
	if (!param_set(&s->table->specs[row], s->values, text, &why)) {
		g_set_error(
		    error, DMASIM_ERROR, DMASIM_ERROR_USAGE, "%s = %s: %s%s", name, text, why->message,
		    strchr(text, '#') || strchr(text, ';') ? " (a comment needs a line of its own)" : "");
		g_error_free(why);
		return false;
	}
	g_free(s->origins[row]);
	s->origins[row] = g_strdup(origin);
	return true;
}

char *config_text(const struct config *c, const char *name)
{
	size_t row;
	struct slot *s = find(c, name, &row);

	return s ? param_get(&s->table->specs[row], s->values) : NULL;
}

const char *config_origin(const struct config *c, const char *name)
{
	size_t row;
	struct slot *s = find(c, name, &row);

	if (!s)
		return NULL;
	return s->origins[row] ? s->origins[row] : "default";
}

static void visit_slot(const struct slot *s, const char *section, config_visit_fn fn, void *arg)
{
	for (size_t k = 0; k < s->table->nspecs; k++) {
		const struct param_spec *spec = &s->table->specs[k];
		g_autofree char *name = g_strdup_printf("%s.%s", section, spec->name);
		g_autofree char *text = param_get(spec, s->values);

		fn(name, text, s->origins[k] ? s->origins[k] : "default", spec, arg);
	}
}

void config_visit(const struct config *c, config_visit_fn fn, void *arg)
{
	const struct slot *variant = variant_slot(c);

	for (unsigned i = 0; i < c->ntables; i++) {
		const char *section = c->slots[i].table->section;

		visit_slot(&c->slots[i], section, fn, arg);
		if (variant && !strcmp(section, c->schema->variant_section))
			visit_slot(variant, section, fn, arg);
	}
}
