/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into dmasim record by test_record.py: what the kernel does when an instance of tracefs is made or
 * removed. A new folder below "instances" gets the files of "instance-template" beside it; a removed one is
 * kept as "removed-N", so that the test can see how it was left.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* Where "/instances/dmasim-PID" begins, NULL in other paths and in those of files of an instance. */
static const char *instances_of(const char *path)
{
	const char *at = strstr(path, "/instances/dmasim-");

	return at && !strchr(at + strlen("/instances/"), '/') ? at : NULL;
}

/* The folder of the probes' group is there as well; the kernel makes it with the first probe. */
static void populate(const char *path, int len, int (*make)(const char *, mode_t))
{
	char text[2 * PATH_MAX + 64];

	snprintf(text, sizeof(text), "cp -r '%.*s/instance-template/.' '%s'", len, path, path);
	if (system(text))
		abort();
	snprintf(text, sizeof(text), "%s/events/dmasim_%s", path, strrchr(path, '-') + 1);
	make(text, 0700);
}

int mkdir(const char *path, mode_t mode)
{
	int (*real)(const char *, mode_t) = (int (*)(const char *, mode_t))dlsym(RTLD_NEXT, "mkdir");
	const char *at = instances_of(path);
	int rc = real(path, mode);

	if (!rc && at)
		populate(path, (int)(at - path), real);
	return rc;
}

int rmdir(const char *path)
{
	int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "rmdir");
	const char *at = instances_of(path);
	char kept[PATH_MAX];

	if (!at)
		return real(path);
	for (int n = 0;; n++) {
		snprintf(kept, sizeof(kept), "%.*s/removed-%d", (int)(at - path), path, n);
		if (access(kept, F_OK))
			return rename(path, kept);
	}
}
