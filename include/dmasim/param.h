/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parameters declare themselves: a model has one struct of plain values and one table that names,
 * bounds and explains each member. Configuration checking, `dmasim params`, --set, sweeps, the
 * effective scenario in each result, man pages and completion are all generated from the tables.
 */
#ifndef DMASIM_PARAM_H
#define DMASIM_PARAM_H

#include <dmasim/export.h>
#include <dmasim/types.h>

enum param_type {
	PARAM_BOOL,   /* bool: true/false, yes/no, on/off, 1/0 */
	PARAM_UINT,   /* uint64_t, decimal or 0x hex, suffixes k M G (powers of 1000) when unit is "";
			unit "hex": hexadecimal also without 0x, as registers are printed */
	PARAM_SIZE,   /* uint64_t bytes: 4096, 4KiB, 8MiB, 1GiB, 4kB (1000) */
	PARAM_TIME,   /* sim_time_t: needs a unit: ps ns us ms s */
	PARAM_DOUBLE, /* double, optionally followed by the unit of the table row */
	PARAM_ENUM,   /* int index into choices */
	PARAM_STRING, /* char *, owned by the struct */
};

struct param_spec {
	const char *name; /* without the section: "entries" */
	enum param_type type;
	const char *unit; /* NULL if none; "GT/s", "GB/s"... (sizes and times bring theirs) */
	size_t offset;    /* of the member in the model's struct */
	const char *def;  /* default, in the text form a user would write */
	double min, max;  /* numbers: inclusive, in the base unit (bytes, ps, plain); both 0: unbounded */
	const char *const *choices; /* PARAM_ENUM: NULL-terminated names */
	const char *help;           /* one line */
	const char *source;         /* of the default, with its confidence tag; NULL if it is a choice */
};

struct param_table {
	const char *section; /* "iotlb" */
	const char *help;
	const struct param_spec *specs;
	size_t nspecs;
	size_t struct_size;
};

/*
 * Rows of a table: with PARAMS_OF naming the struct,
 *   PARAM(entries, UINT, "118", .max = 1 << 24, .help = "usable entries", .source = "A: datasheet"),
 * is the parameter "entries" in the member of that name; PARAM_AS where the two differ.
 */
#define PARAM_AS(name_, member_, type_, def_, ...)                                                           \
	{                                                                                                    \
		.name = (name_), .type = PARAM_##type_, .offset = offsetof(PARAMS_OF, member_), .def = def_, \
		__VA_ARGS__                                                                                  \
	}
#define PARAM(member_, type_, def_, ...) PARAM_AS(#member_, member_, type_, def_, __VA_ARGS__)
#define PARAM_TABLE(section_, help_, specs_)                                                               \
	{                                                                                                  \
		.section = (section_), .help = (help_), .specs = (specs_), .nspecs = G_N_ELEMENTS(specs_), \
		.struct_size = sizeof(PARAMS_OF)                                                           \
	}

/* Fill dst (struct_size bytes) with the defaults. */
DMASIM_API void param_defaults(const struct param_table *t, void *dst);
/* Free what PARAM_STRING members own. */
DMASIM_API void param_clear(const struct param_table *t, void *dst);
/* Copy including strings; dst is overwritten, not freed. */
DMASIM_API void param_copy(const struct param_table *t, void *dst, const void *src);
DMASIM_API const struct param_spec *param_find(const struct param_table *t, const char *name);
/* Parse text into dst. On failure *error says what was expected (type, unit, range, choices). */
DMASIM_API G_GNUC_WARN_UNUSED_RESULT bool param_set(const struct param_spec *s, void *dst, const char *text,
						    GError **error);
/* The value in canonical text form, such that param_set reads it back to the same value. g_free it. */
DMASIM_API char *param_get(const struct param_spec *s, const void *src);
/* "GT/s", "bytes" for a size; "" where a value has none or brings its own (times). */
DMASIM_API const char *param_unit(const struct param_spec *s);
/* "4KiB..4MiB", "a|b|c": what values it takes, NULL if any of its type. g_free it. */
DMASIM_API char *param_range(const struct param_spec *s);
/* Nearest of the n names by edit distance, NULL if none is close enough to be meant. */
DMASIM_API const char *nearest_name(const char *name, const char *const *names, size_t n);

#define PARAM_ERROR (param_error_quark())
DMASIM_API GQuark param_error_quark(void);

#endif
