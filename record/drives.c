/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an NVMe drive says of itself and sysfs does not: the largest transfer and whether it takes SGLs
 * (NVM Express Base Specification, Identify Controller). The command moves one page: it is sent when nothing
 * is recorded any more.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define IDENTIFY_OPCODE 6
#define IDENTIFY_CONTROLLER 1 /* command dword 10 */
#define IDENTIFY_BYTES 4096
#define MDTS_OFFSET 77
#define SGLS_OFFSET 536

static bool identify(const char *name, uint8_t *data)
{
	g_autofree char *path = g_build_filename("/dev", name, NULL);
	struct nvme_admin_cmd command = {
	    .opcode = IDENTIFY_OPCODE,
	    .addr = (uint64_t)(uintptr_t)data,
	    .data_len = IDENTIFY_BYTES,
	    .cdw10 = IDENTIFY_CONTROLLER,
	};
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return false;
	rc = ioctl(fd, NVME_IOCTL_ADMIN_CMD, &command);
	close(fd);
	return rc == 0;
}

static void describe(const char *root, const char *name, GString *out, GPtrArray *notes)
{
	g_autofree char *address = g_build_filename("/", root, "sys/class/nvme", name, "address", NULL);
	g_autofree char *pci = NULL;
	uint8_t data[IDENTIFY_BYTES];
	uint32_t sgls;

	if (!g_file_get_contents(address, &pci, NULL, NULL))
		return; /* not on PCI */
	if (!identify(name, data)) {
		record_note(notes,
			    "drive %s does not tell its limits (%s): set nvme.mdts and nvme.sgl by hand",
			    name, g_strerror(errno));
		return;
	}
	memcpy(&sgls, data + SGLS_OFFSET, sizeof(sgls));
	sgls = GUINT32_FROM_LE(sgls);
	g_string_append_printf(out, "drive sgl_supported=%s sgls=0x%x mdts=%u name=%s pci=%s\n",
			       sgls & 3 ? "yes" : "no", sgls, data[MDTS_OFFSET], name, g_strchomp(pci));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void drives_describe(const char *root, GString *out, GPtrArray *notes)
{
	g_autofree char *folder = g_build_filename("/", root, "sys/class/nvme", NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(name));
	if (dir)
		g_dir_close(dir);
	g_ptr_array_sort(names, by_name);
	for (unsigned i = 0; i < names->len; i++)
		describe(root, g_ptr_array_index(names, i), out, notes);
}
