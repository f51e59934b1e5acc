/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One configuration of two tables and two variants: values, their origins, and what an unknown key is told.
 */
#include "support.h"

#include "sim/config_schema.h"

#include <dmasim/error.h>
#include <string.h>

struct engine {
	uint64_t slots;
	char *mode;
	int pick;
};

static const char *const picks[] = {"none", "left", "right", NULL};
#define PARAMS_OF struct engine
static const struct param_spec engine_specs[] = {
    PARAM(slots, UINT, "8", .min = 1, .max = 64, .help = "slots"),
    PARAM(mode, STRING, "plain", .help = "mode"),
    PARAM(pick, ENUM, "none", .choices = picks, .help = "the variant"),
};
static const struct param_table engine_table = PARAM_TABLE("engine", "engine", engine_specs);
#undef PARAMS_OF

struct load {
	uint64_t size;
};

#define PARAMS_OF struct load
static const struct param_spec load_specs[] = {PARAM(size, SIZE, "4KiB", .help = "size")};
static const struct param_table load_table = PARAM_TABLE("load", "load", load_specs);
static const struct param_spec left_specs[] = {PARAM_AS("width", size, UINT, "1", .help = "width")};
static const struct param_table left_table = PARAM_TABLE("left", "left", left_specs);
static const struct param_spec right_specs[] = {PARAM_AS("height", size, UINT, "2", .help = "height")};
static const struct param_table right_table = PARAM_TABLE("right", "right", right_specs);
#undef PARAMS_OF

static const struct param_table *const *tables(void)
{
	static const struct param_table *const all[] = {&engine_table, &load_table, NULL};

	return all;
}

static const struct param_table *variant(unsigned i)
{
	static const struct param_table *const all[] = {&left_table, &right_table};

	return i < G_N_ELEMENTS(all) ? all[i] : NULL;
}

static int selected(const struct config *c)
{
	const struct engine *e = config_get(c, &engine_table);

	return e->pick - 1;
}

static const struct config_schema schema = {
    .tables = tables, .variant_section = "load", .variant = variant, .selected = selected};

static void set(struct config *c, const char *name, const char *text)
{
	GError *error = NULL;

	ck_assert_msg(config_set(c, name, text, "test", &error), "%s", error ? error->message : "");
}

static void refused(struct config *c, const char *name, const char *text, const char *why)
{
	GError *error = NULL;

	ck_assert(!config_set(c, name, text, "test", &error));
	ck_assert(g_error_matches(error, DMASIM_ERROR, DMASIM_ERROR_USAGE));
	ck_assert_msg(strstr(error->message, why) != NULL, "'%s' does not say '%s'", error->message, why);
	g_error_free(error);
}

static void text_is(const struct config *c, const char *name, const char *text, const char *origin)
{
	g_autofree char *have = config_text(c, name);

	ck_assert_str_eq(have, text);
	ck_assert_str_eq(config_origin(c, name), origin);
}

START_TEST(values_and_origins)
{
	struct config *c = config_new_of(&schema), *copy;
	const struct engine *e = config_get(c, &engine_table);

	ck_assert_uint_eq(e->slots, 8);
	text_is(c, "engine.slots", "8", "default");
	set(c, "engine.slots", "9");
	set(c, "engine.mode", "fancy");
	ck_assert_uint_eq(e->slots, 9);
	text_is(c, "engine.slots", "9", "test");
	copy = config_copy(c);
	set(c, "engine.mode", "plain");
	config_free(c);
	/* A copy owns its strings. */
	text_is(copy, "engine.mode", "fancy", "test");
	ck_assert_ptr_null(config_text(copy, "engine.none"));
	ck_assert_ptr_null(config_origin(copy, "slots"));
	config_free(copy);
}
END_TEST

START_TEST(unknown_keys_are_told)
{
	struct config *c = config_new_of(&schema);

	refused(c, "slots", "1", "want SECTION.KEY");
	refused(c, "engine.slot", "1", "did you mean 'engine.slots'");
	refused(c, "engine.completely", "1", "`dmasim params engine`");
	refused(c, "weather.temperature", "1", "there is no section [weather]");
	refused(c, "engine.slots", "65", "engine.slots = 65: ");
	refused(c, "engine.slots", "9 # nine", "a comment needs a line of its own");
	text_is(c, "engine.slots", "8", "default"); /* a refused value changes nothing */
	config_free(c);
}
END_TEST

static void list(const char *name, const char *text, const char *origin G_GNUC_UNUSED,
		 const struct param_spec *spec, void *arg)
{
	ck_assert_str_eq(strchr(name, '.') + 1, spec->name);
	g_string_append_printf(arg, "%s=%s ", name, text);
}

/* The keys of a variant exist while it is the one selected, and join their section. */
START_TEST(variants)
{
	struct config *c = config_new_of(&schema);
	g_autoptr(GString) all = g_string_new(NULL);

	refused(c, "load.height", "3", "unknown parameter 'load.height'");
	set(c, "engine.pick", "right");
	set(c, "load.height", "3");
	refused(c, "load.width", "3", "unknown parameter 'load.width'");
	refused(c, "load.heigth", "3", "did you mean 'load.height'");
	config_visit(c, list, all);
	ck_assert_str_eq(all->str,
			 "engine.slots=8 engine.mode=plain engine.pick=right load.size=4KiB load.height=3 ");
	set(c, "engine.pick", "left");
	ck_assert_ptr_null(config_text(c, "load.height"));
	text_is(c, "load.width", "1", "default");
	config_free(c);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("config");

	tcase_add_test(t, values_and_origins);
	tcase_add_test(t, unknown_keys_are_told);
	tcase_add_test(t, variants);
	return test_run("config", t, NULL);
}
