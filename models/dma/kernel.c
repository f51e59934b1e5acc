/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel releases as data: the rows, and finding one for a release that has none. */
#include <dmasim/kernel.h>
#include <dmasim/param.h>

#include <stdio.h>
#include <string.h>

#define MEMBER(type, member, value, basis, help) .member = (value),
#define ROW(id, text) [id] = {.name = (text), KERNEL_FACTS(MEMBER, id)},
const struct kernel_profile kernel_profiles[KERNEL_VERSIONS] = {KERNEL_RELEASES(ROW)};
#undef ROW
#undef MEMBER

/* The macro's value has no meaning here. */
#define FACT(type, member, value, basis, help)                          \
	{#member, basis, help, offsetof(struct kernel_profile, member), \
	 _Generic((type)0, bool                                         \
		  : false, unsigned                                     \
		  : true)},
const struct kernel_fact kernel_facts[] = {KERNEL_FACTS(FACT, 0)};
#undef FACT
const unsigned kernel_nfacts = G_N_ELEMENTS(kernel_facts);

unsigned kernel_fact_value(const struct kernel_profile *k, const struct kernel_fact *f)
{
	const char *at = (const char *)k + f->offset;

	return f->number ? *(const unsigned *)(const void *)at : *(const bool *)at;
}

const struct kernel_profile *kernel_profile_find(const char *name)
{
	for (int i = 0; i < KERNEL_VERSIONS; i++) {
		if (!strcmp(kernel_profiles[i].name, name))
			return &kernel_profiles[i];
	}
	return NULL;
}

/* Major and minor as one number that orders releases; false if text does not begin with them. */
static bool parse_release(const char *text, unsigned *number)
{
	unsigned major, minor;
	int n = 0;

	if (!g_ascii_isdigit(*text) || sscanf(text, "%3u.%3u%n", &major, &minor, &n) != 2 ||
	    (text[n] && text[n] != '.' && text[n] != '-' && text[n] != '+'))
		return false;
	*number = major * 1000 + minor;
	return true;
}

const struct kernel_profile *kernel_profile_for(const char *release, char **note, GError **error)
{
	const struct kernel_profile *oldest = kernel_profiles, *best = NULL;
	const struct kernel_profile *newest = &kernel_profiles[KERNEL_VERSIONS - 1];
	unsigned wanted, row = 0;

	if (note)
		*note = NULL;
	if (!parse_release(release, &wanted)) {
		g_set_error(error, PARAM_ERROR, 0,
			    "'%s' is no kernel release; want one such as 6.12, 6.1.0-51-amd64 or %s", release,
			    newest->name);
		return NULL;
	}
	for (int i = 0; i < KERNEL_VERSIONS; i++) {
		unsigned number;

		if (!parse_release(kernel_profiles[i].name, &number) || number > wanted)
			break;
		best = &kernel_profiles[i];
		row = number;
	}
	if (!best) {
		g_set_error(error, PARAM_ERROR, 0,
			    "Linux %s is older than the first release that is known, %s; want %s or later",
			    release, oldest->name, oldest->name);
		return NULL;
	}
	if (note && row < wanted)
		*note = best == newest
			    ? g_strdup_printf(
				  "Linux %s is newer than the last release that is known: taken as %s",
				  release, best->name)
			    : g_strdup_printf("Linux %s has no row of its own: taken as %s", release,
					      best->name);
	return best;
}

static bool parse_value(const struct kernel_fact *f, const char *text, unsigned *value)
{
	guint64 number;

	if (f->number) {
		if (!g_ascii_string_to_unsigned(text, 10, 0, UINT32_MAX, &number, NULL))
			return false;
		*value = (unsigned)number;
		return true;
	}
	*value = !strcmp(text, "yes") || !strcmp(text, "true");
	return *value || !strcmp(text, "no") || !strcmp(text, "false");
}

static bool set_one(struct kernel_profile *k, char *assignment, GError **error)
{
	char *value = strchr(assignment, '=');
	unsigned v;

	if (value)
		*value++ = '\0';
	g_strstrip(assignment);
	for (unsigned i = 0; value && i < kernel_nfacts; i++) {
		const struct kernel_fact *f = &kernel_facts[i];
		char *at = (char *)k + f->offset;

		if (strcmp(f->name, assignment) != 0)
			continue;
		if (!parse_value(f, g_strstrip(value), &v)) {
			g_set_error(error, PARAM_ERROR, 0, "'%s' is no value for the fact %s; want %s", value,
				    f->name, f->number ? "a number" : "yes or no");
			return false;
		}
		if (f->number)
			*(unsigned *)(void *)at = v;
		else
			*(bool *)at = v;
		return true;
	}
	g_set_error(error, PARAM_ERROR, 0,
		    "'%s' is no fact of a kernel; want NAME=VALUE, names as 'dmasim releases' lists them",
		    assignment);
	return false;
}

bool kernel_profile_set(struct kernel_profile *k, const char *facts, GError **error)
{
	g_auto(GStrv) list = g_strsplit(facts, ",", -1);
	struct kernel_profile changed = *k;

	for (char **a = list; *a; a++)
		if (*g_strstrip(*a) && !set_one(&changed, *a, error))
			return false;
	*k = changed;
	return true;
}
