/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's tracing files: where they are, and what this kernel can do, as its own README there says.
 * Writing is one write(2) each, as the kernel takes one definition per write and answers in errno.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static bool write_file(const char *path, const char *file, const char *text, int flags)
{
	g_autofree char *name = g_build_filename(path, file, NULL);
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600), problem = 0;
	size_t len = strlen(text);

	if (fd < 0)
		return false;
	if (write(fd, text, len) != (ssize_t)len)
		problem = errno ? errno : EIO;
	if (close(fd) && !problem)
		problem = errno;
	errno = problem;
	return !problem;
}

bool tracefs_write(const char *path, const char *file, const char *text)
{
	return write_file(path, file, text, O_TRUNC);
}

bool tracefs_append(const char *path, const char *file, const char *text)
{
	g_autofree char *line = g_strconcat(text, "\n", NULL);

	return write_file(path, file, line, O_APPEND);
}

static bool has_readme(const char *path)
{
	g_autofree char *readme = g_build_filename(path, "README", NULL);

	return access(readme, R_OK) == 0;
}

static char *find_mounted(const char *root)
{
	static const char *const places[] = {"sys/kernel/tracing", "sys/kernel/debug/tracing"};

	for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
		char *path = g_build_filename("/", root, places[i], NULL);

		if (has_readme(path))
			return path;
		g_free(path);
	}
	return NULL;
}

static void refuse(const char *root, GError **error)
{
	g_autofree char *place = g_build_filename("/", root, "sys/kernel/tracing", NULL);

	if (geteuid())
		g_set_error(
		    error, DMASIM_ERROR, DMASIM_ERROR_INPUT,
		    "recording reads the kernel's trace events and needs root; run: sudo dmasim record "
		    "..., or carry the commands of `dmasim record --print` to someone who is");
	else
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT,
			    "%s: this kernel has no tracefs (CONFIG_FTRACE is off, or a container hides it; "
			    "record on the host)",
			    place);
}

static char *find(const char *root, bool *mounted, GError **error)
{
	char *path = find_mounted(root);

	if (path)
		return path;
	path = g_build_filename("/", root, "sys/kernel/tracing", NULL);
	/* There, but nothing mounted on it: ours for as long as we record. */
	if (!*root && !mount("tracefs", path, "tracefs", 0, NULL)) {
		if (has_readme(path)) {
			*mounted = true;
			return path;
		}
		umount(path);
	}
	g_free(path);
	refuse(root, error);
	return NULL;
}

static void take_features(struct tracefs *t)
{
	g_autofree char *name = g_build_filename(t->path, "README", NULL), *text = NULL;
	g_autofree char *probes = g_build_filename(t->path, "dynamic_events", NULL);

	if (access(probes, W_OK) || !g_file_get_contents(name, &text, NULL, NULL))
		return;
	t->kinds[PROBE_FUNCTION] = strstr(text, " f[:[<group>/]");
	t->kinds[PROBE_KPROBE] = strstr(text, " p[:[<group>/]");
	t->arguments[ARGUMENTS_BY_NAME] = strstr(text, "<argname>");
	t->arguments[ARGUMENTS_BY_NUMBER] = strstr(text, "$arg<N>");
}

struct tracefs *tracefs_open(const char *root, GError **error)
{
	bool mounted = false;
	char *path = find(root, &mounted, error);
	g_autofree char *functions = NULL, *symbols = NULL, *release = NULL, *instances = NULL;
	struct tracefs *t;

	if (!path)
		return NULL;
	t = g_new0(struct tracefs, 1);
	t->path = path;
	t->mounted = mounted;
	instances = g_build_filename(path, "instances", NULL);
	if (access(instances, W_OK)) {
		refuse(root, error);
		tracefs_close(t);
		return NULL;
	}
	functions = g_build_filename(path, "available_filter_functions", NULL);
	release = g_build_filename("/", root, "proc/sys/kernel/osrelease", NULL);
	symbols = g_build_filename("/", root, "proc/kallsyms", NULL);
	if (!g_file_get_contents(functions, &t->functions, NULL, NULL) &&
	    !g_file_get_contents(symbols, &t->functions, NULL, NULL))
		t->functions = NULL;
	if (g_file_get_contents(release, &t->release_text, NULL, NULL)) {
		g_strchomp(t->release_text);
		t->release = record_release(t->release_text);
	}
	take_features(t);
	return t;
}

void tracefs_close(struct tracefs *t)
{
	if (!t)
		return;
	if (t->mounted)
		umount(t->path);
	g_free(t->functions);
	g_free(t->release_text);
	g_free(t->path);
	g_free(t);
}

bool tracefs_has_events(const struct tracefs *t, const char *system)
{
	g_autofree char *path = g_build_filename(t->path, "events", system, NULL);

	return access(path, F_OK) == 0;
}

bool tracefs_has_event(const struct tracefs *t, const char *system, const char *name)
{
	g_autofree char *path = g_build_filename(t->path, "events", system, name, "enable", NULL);

	return access(path, F_OK) == 0;
}

/*
 * A line is "name" or "name [module]", in kallsyms with address and type in front. The compiler may have
 * given a static function a suffix; its parameters can then be others, so only a probe that reads none may
 * take such a one.
 */
char *tracefs_symbol(const struct tracefs *t, const char *function, bool suffixed)
{
	static const char *const suffixes[] = {"", ".isra.", ".constprop.", ".part."};

	if (!t->functions)
		return g_strdup(function);
	for (unsigned i = 0; i < (suffixed ? G_N_ELEMENTS(suffixes) : 1); i++) {
		g_autofree char *start = g_strconcat(function, suffixes[i], NULL);

		for (const char *p = t->functions; (p = strstr(p, start)); p++) {
			size_t len = strcspn(p, " \t\n");

			if ((p == t->functions || p[-1] == '\n' || p[-1] == ' ') &&
			    (*suffixes[i] || len == strlen(start)))
				return g_strndup(p, len);
		}
	}
	return NULL;
}
