/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dmasim/param.h>
#include <math.h>
#include <string.h>

/* clang-format off */
G_DEFINE_QUARK(dmasim-param-error, param_error)
/* clang-format on */

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first: param_get() takes the first that divides the value. */
static const struct unit time_units[] = {{"s", SIM_S},   {"ms", SIM_MS}, {"us", SIM_US},
					 {"ns", SIM_NS}, {"ps", SIM_PS}, {NULL, 0}};
static const struct unit binary_units[] = {
    {"TiB", KIB *GIB}, {"GiB", GIB}, {"MiB", MIB}, {"KiB", KIB}, {NULL, 0}};
static const struct unit size_units[] = {
    {"TiB", KIB *GIB},  {"GiB", GIB},    {"MiB", MIB}, {"KiB", KIB}, {"TB", 1000000000000},
    {"GB", 1000000000}, {"MB", 1000000}, {"kB", 1000}, {"B", 1},     {"bytes", 1},
    {NULL, 0}};
static const struct unit count_units[] = {{"G", 1000000000}, {"M", 1000000}, {"k", 1000}, {NULL, 0}};

const char *param_unit(const struct param_spec *s)
{
	if (s->unit)
		return s->unit;
	return s->type == PARAM_SIZE ? "bytes" : "";
}

static void *member(const struct param_spec *s, void *dst)
{
	return (char *)dst + s->offset;
}

static const void *const_member(const struct param_spec *s, const void *src)
{
	return (const char *)src + s->offset;
}

void param_defaults(const struct param_table *t, void *dst)
{
	memset(dst, 0, t->struct_size);
	for (size_t i = 0; i < t->nspecs; i++) {
		g_autoptr(GError) error = NULL;

		if (!param_set(&t->specs[i], dst, t->specs[i].def, &error))
			g_error("default of %s.%s: %s", t->section, t->specs[i].name, error->message);
	}
}

void param_clear(const struct param_table *t, void *dst)
{
	for (size_t i = 0; i < t->nspecs; i++)
		if (t->specs[i].type == PARAM_STRING)
			g_clear_pointer((char **)member(&t->specs[i], dst), g_free);
}

void param_copy(const struct param_table *t, void *dst, const void *src)
{
	memcpy(dst, src, t->struct_size);
	for (size_t i = 0; i < t->nspecs; i++)
		if (t->specs[i].type == PARAM_STRING) {
			char **s = member(&t->specs[i], dst);

			*s = g_strdup(*s);
		}
}

const struct param_spec *param_find(const struct param_table *t, const char *name)
{
	for (size_t i = 0; i < t->nspecs; i++)
		if (strcmp(t->specs[i].name, name) == 0)
			return &t->specs[i];
	return NULL;
}

/* ---- what was expected, in words ---- */

static char *bound_text(const struct param_spec *s, double value)
{
	union {
		uint64_t u;
		double d;
	} v;
	struct param_spec at_zero = *s;

	at_zero.offset = 0;
	if (s->type == PARAM_DOUBLE)
		v.d = value;
	else
		v.u = value >= 0x1p64 ? UINT64_MAX : (uint64_t)value;
	return param_get(&at_zero, &v);
}

/* Whole bounds without an exponent: ranges are for people. */
static char *range_end(const struct param_spec *s, double value)
{
	return s->type == PARAM_DOUBLE && value == floor(value) && fabs(value) < 1e15
		   ? g_strdup_printf("%.0f", value)
		   : bound_text(s, value);
}

char *param_range(const struct param_spec *s)
{
	g_autofree char *low = NULL, *high = NULL;

	if (s->type == PARAM_BOOL)
		return g_strdup("true|false");
	if (s->choices)
		return g_strjoinv("|", (char **)s->choices);
	if (s->type == PARAM_STRING || (s->min == 0 && s->max == 0))
		return NULL;
	low = range_end(s, s->min);
	high = range_end(s, s->max);
	return g_strdup_printf("%s..%s%s%s", low, high, s->type != PARAM_SIZE && *param_unit(s) ? " " : "",
			       s->type != PARAM_SIZE ? param_unit(s) : "");
}

static char *expected(const struct param_spec *s)
{
	static const char *const kinds[] = {
	    [PARAM_BOOL] = "true or false",
	    [PARAM_UINT] = "a whole number",
	    [PARAM_SIZE] = "a size such as 4KiB or 8MiB",
	    [PARAM_TIME] = "a time with its unit (ps, ns, us, ms or s), such as 100ns",
	    [PARAM_DOUBLE] = "a number",
	    [PARAM_ENUM] = "one of ",
	    [PARAM_STRING] = "text",
	};
	bool hex = s->type == PARAM_UINT && strcmp(param_unit(s), "hex") == 0;
	GString *text = g_string_new(hex ? "a hexadecimal number" : kinds[s->type]);

	if (s->type == PARAM_ENUM)
		for (unsigned i = 0; s->choices[i]; i++)
			g_string_append_printf(text, "%s%s", i ? ", " : "", s->choices[i]);
	if (s->type == PARAM_DOUBLE && param_unit(s)[0])
		g_string_append_printf(text, " in %s", param_unit(s));
	if (s->min != 0 || s->max != 0) {
		g_autofree char *low = bound_text(s, s->min), *high = bound_text(s, s->max);

		g_string_append_printf(text, " from %s to %s", low, high);
	}
	return g_string_free(text, FALSE);
}

static bool reject(const struct param_spec *s, const char *text, const char *why, GError **error)
{
	g_autofree char *want = expected(s);

	g_set_error(error, PARAM_ERROR, 0, "\"%s\" %s: expected %s", text, why, want);
	return false;
}

static bool in_range(const struct param_spec *s, double value)
{
	return (s->min == 0 && s->max == 0) || (value >= s->min && value <= s->max);
}

/* ---- parsing ---- */

static const struct unit *find_unit(const struct unit *units, const char *name, bool fold)
{
	for (; units->name; units++)
		if (strcmp(units->name, name) == 0 || (fold && g_ascii_strcasecmp(units->name, name) == 0))
			return units;
	return NULL;
}

/* Whole numbers are exact over all 64 bits; with a fraction the product is rounded to nearest. */
static bool scale(const char *digits, uint64_t factor, uint64_t *value)
{
	const char *dot = strpbrk(digits, ".eE");
	bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
	double d;

	if (!dot || hex) {
		char *end;
		uint64_t whole;

		errno = 0;
		whole = g_ascii_strtoull(digits, &end, hex ? 16 : 10);
		return errno == 0 && !*end && !__builtin_mul_overflow(whole, factor, value);
	}
	d = round(g_ascii_strtod(digits, NULL) * (double)factor);
	if (!(d >= 0 && d < 0x1p64))
		return false;
	*value = (uint64_t)d;
	return true;
}

/* Split "1.5us" in digits and unit; false if it does not start with a number. */
static bool split_number(const char *text, char **digits, const char **unit)
{
	const char *p = text;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		p += 2;
		while (g_ascii_isxdigit(*p))
			p++;
	} else {
		while (g_ascii_isdigit(*p))
			p++;
		if (*p == '.' && p > text)
			for (p++; g_ascii_isdigit(*p); p++)
				;
		if (p > text && (*p == 'e' || *p == 'E') &&
		    (g_ascii_isdigit(p[1]) || ((p[1] == '-' || p[1] == '+') && g_ascii_isdigit(p[2]))))
			for (p += 2; g_ascii_isdigit(*p); p++)
				;
	}
	if (p == text)
		return false;
	*digits = g_strndup(text, (gsize)(p - text));
	while (*p == ' ')
		p++;
	*unit = p;
	return true;
}

/* Register values: hexadecimal with or without 0x, as kernels print them. */
static bool is_hex(const struct param_spec *s)
{
	return s->type == PARAM_UINT && strcmp(param_unit(s), "hex") == 0;
}

static bool set_hex(const struct param_spec *s, uint64_t *dst, const char *text, GError **error)
{
	const char *digits = g_ascii_strncasecmp(text, "0x", 2) == 0 ? text + 2 : text;

	if (!*digits || strspn(digits, "0123456789abcdefABCDEF") != strlen(digits))
		return reject(s, text, "is not hexadecimal", error);
	if (strlen(digits) > 16)
		return reject(s, text, "does not fit 64 bits", error);
	*dst = g_ascii_strtoull(digits, NULL, 16);
	return true;
}

static bool set_integer(const struct param_spec *s, uint64_t *dst, const char *text, GError **error)
{
	g_autofree char *digits = NULL;
	const struct unit *unit;
	const char *name;
	uint64_t factor = 1, value;

	if (!split_number(text, &digits, &name))
		return reject(s, text, text[0] == '-' ? "is negative" : "is not a number", error);
	if (s->type == PARAM_TIME) {
		unit = find_unit(time_units, name, false);
		if (!unit && !(name[0] == '\0' && strcmp(digits, "0") == 0))
			return reject(s, text, name[0] ? "has an unknown unit" : "has no unit", error);
	} else if (s->type == PARAM_SIZE) {
		unit = name[0] ? find_unit(size_units, name, true) : NULL;
		if (name[0] && !unit)
			return reject(s, text, "has an unknown unit", error);
	} else {
		unit = name[0] && !param_unit(s)[0] ? find_unit(count_units, name, false) : NULL;
		if (name[0] && !unit && strcmp(name, param_unit(s)) != 0)
			return reject(s, text, "has an unknown unit", error);
	}
	if (unit)
		factor = unit->factor;
	if (!scale(digits, factor, &value))
		return reject(s, text, "is no whole number that fits 64 bits", error);
	if (factor == 1 && strpbrk(digits, ".") && !(digits[1] == 'x') &&
	    (double)value != g_ascii_strtod(digits, NULL))
		return reject(s, text, "is not a whole number", error);
	if (!in_range(s, (double)value))
		return reject(s, text, "is out of range", error);
	*dst = value;
	return true;
}

static bool set_double(const struct param_spec *s, double *dst, const char *text, GError **error)
{
	char *end;
	double value = g_ascii_strtod(text, &end);

	if (end == text || !isfinite(value))
		return reject(s, text, "is not a number", error);
	while (*end == ' ')
		end++;
	if (*end && strcmp(end, param_unit(s)) != 0)
		return reject(s, text, "has an unknown unit", error);
	if (!in_range(s, value))
		return reject(s, text, "is out of range", error);
	*dst = value;
	return true;
}

static bool set_bool(const struct param_spec *s, bool *dst, const char *text, GError **error)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

	for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_ascii_strcasecmp(text, words[i]) == 0) {
			*dst = i & 1;
			return true;
		}
	return reject(s, text, "is neither", error);
}

static bool set_enum(const struct param_spec *s, int *dst, const char *text, GError **error)
{
	g_autofree char *want = NULL;
	const char *near;
	int n = 0;

	for (; s->choices[n]; n++)
		if (strcmp(s->choices[n], text) == 0) {
			*dst = n;
			return true;
		}
	want = expected(s);
	near = nearest_name(text, s->choices, (size_t)n);
	g_set_error(error, PARAM_ERROR, 0, "\"%s\" is not a choice: expected %s%s%s%s", text, want,
		    near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return false;
}

bool param_set(const struct param_spec *s, void *dst, const char *text, GError **error)
{
	g_autofree char *trimmed = g_strstrip(g_strdup(text));
	char **string;

	switch (s->type) {
	case PARAM_BOOL:
		return set_bool(s, member(s, dst), trimmed, error);
	case PARAM_UINT:
		if (is_hex(s))
			return set_hex(s, member(s, dst), trimmed, error);
		return set_integer(s, member(s, dst), trimmed, error);
	case PARAM_SIZE:
	case PARAM_TIME:
		return set_integer(s, member(s, dst), trimmed, error);
	case PARAM_DOUBLE:
		return set_double(s, member(s, dst), trimmed, error);
	case PARAM_ENUM:
		return set_enum(s, member(s, dst), trimmed, error);
	case PARAM_STRING:
		string = member(s, dst);
		g_free(*string);
		*string = g_steal_pointer(&trimmed);
		return true;
	}
	g_assert_not_reached();
}

/* ---- canonical text ---- */

static char *integer_text(uint64_t value, const struct unit *units)
{
	for (; units->name; units++)
		if (value && value % units->factor == 0)
			return g_strdup_printf("%" G_GUINT64_FORMAT "%s", value / units->factor, units->name);
	return g_strdup_printf("%" G_GUINT64_FORMAT, value);
}

static char *double_text(double value)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	for (int digits = 6; digits <= 17; digits++) {
		char format[8];

		g_snprintf(format, sizeof(format), "%%.%dg", digits);
		g_ascii_formatd(text, sizeof(text), format, value);
		if (g_ascii_strtod(text, NULL) == value)
			break;
	}
	return g_strdup(text);
}

char *param_get(const struct param_spec *s, const void *src)
{
	const void *p = const_member(s, src);

	switch (s->type) {
	case PARAM_BOOL:
		return g_strdup(*(const bool *)p ? "true" : "false");
	case PARAM_UINT:
		return g_strdup_printf(is_hex(s) ? "0x%" G_GINT64_MODIFIER "x" : "%" G_GUINT64_FORMAT,
				       *(const uint64_t *)p);
	case PARAM_SIZE:
		return integer_text(*(const uint64_t *)p, binary_units);
	case PARAM_TIME:
		return integer_text(*(const uint64_t *)p, time_units);
	case PARAM_DOUBLE:
		return double_text(*(const double *)p);
	case PARAM_ENUM:
		return g_strdup(s->choices[*(const int *)p]);
	case PARAM_STRING:
		return g_strdup(*(char *const *)p ? *(char *const *)p : "");
	}
	g_assert_not_reached();
}
