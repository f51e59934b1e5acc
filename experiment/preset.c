/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Presets: scenarios/presets/NAME.ini, carried in the library as resources. */
#include "dmasim_resources.h"
#include "internal.h"

#include <gio/gio.h>
#include <string.h>

#define PRESETS "/dmasim/presets"

const char *resource_text(const char *path)
{
	g_autoptr(GBytes)
	    bytes = g_resource_lookup_data(dmasim_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

	/* The data of an uncompressed resource is static and ends in a zero byte. */
	return bytes ? g_bytes_get_data(bytes, NULL) : NULL;
}

char **resource_names(const char *path)
{
	return g_resource_enumerate_children(dmasim_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **preset_names(void)
{
	char **files = resource_names(PRESETS);
	size_t n = files ? g_strv_length(files) : 0;
	char **names = g_new0(char *, n + 1);

	for (size_t i = 0; i < n; i++)
		names[i] = g_strndup(files[i], strlen(files[i]) - strlen(".ini"));
	g_strfreev(files);
	qsort(names, n, sizeof(*names), by_name);
	return names;
}

const char *preset_text(const char *name)
{
	g_autofree char *path = g_strdup_printf(PRESETS "/%s.ini", name);

	return resource_text(path);
}
