/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of a recorded machine: environment.txt (kernel, boot arguments, devices and what the
 * kernel printed about them) beside the recording, its summary, or else what the events themselves tell.
 */
#include "internal.h"

#include <dmasim/p2pdma.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct function_group {
	char *name;
	unsigned group;
};

/* major << 16 | minor of "6.12.8-amd64", 0 if it is no release. */
static unsigned release_number(const char *text)
{
	unsigned major, minor;

	return sscanf(text, "%u.%u", &major, &minor) == 2 ? major << 16 | minor : 0;
}

/* A release between two rows of the table takes the lower one. */
static const struct kernel_profile *kernel_of(const char *release)
{
	const struct kernel_profile *best = NULL;
	unsigned wanted = release_number(release), found = 0;

	for (int i = 0; i < KERNEL_VERSIONS; i++) {
		unsigned n = release_number(kernel_profiles[i].name);

		if (n <= wanted && n > found) {
			best = &kernel_profiles[i];
			found = n;
		}
	}
	return best;
}

static void take_boot_arguments(struct verify_environment *e, const char *line)
{
	if (strstr(line, "swiotlb=force"))
		e->mode = "swiotlb";
	else if (strstr(line, "iommu=pt") || strstr(line, "iommu.passthrough=1"))
		e->mode = "passthrough";
	else if (strstr(line, "iommu.strict=1") || strstr(line, "intel_iommu=strict"))
		e->mode = "strict";
	else if (strstr(line, "iommu.strict=0"))
		e->mode = "lazy";
}

static int by_group(const void *a, const void *b)
{
	const struct function_group *x = a, *y = b;

	return (x->group > y->group) - (x->group < y->group);
}

void verify_environment_controller(struct verify_environment *e, unsigned number, const char *function)
{
	if (number >= VERIFY_CONTROLLERS)
		return;
	while (e->controllers->len <= number)
		g_ptr_array_add(e->controllers, NULL);
	g_free(e->controllers->pdata[number]);
	e->controllers->pdata[number] = g_strdup(function);
}

static void take_line(struct verify_environment *e, GArray *functions, const char *line)
{
	struct function_group f;
	char name[64], release[64];
	uint64_t from, to;
	unsigned possible;

	verify_topology_line(e->topology, line);

	/* The kernel log may carry its time stamps. */
	if (*line == '[' && strchr(line, ']')) {
		line = strchr(line, ']') + 1;
		line += strspn(line, " ");
	}
	if (sscanf(line, "Linux %*s %63s", release) == 1)
		e->kernel = kernel_of(release);
	else if (strstr(line, "iommu=") || strstr(line, "iommu."))
		take_boot_arguments(e, line);
	if (sscanf(line, "kernel hz=%" SCNu64, &e->hz) == 1 ||
	    sscanf(line, "dmar0 cap=%" SCNx64, &e->cap) == 1 ||
	    sscanf(line, "dmar0 ecap=%" SCNx64, &e->ecap) == 1 ||
	    sscanf(line, "software IO TLB: area num %" SCNu64, &e->bounce_areas) == 1)
		return;
	if (!strncmp(line, "drive ", 6)) {
		const char *mdts = strstr(line, "mdts=");

		e->sgl = strstr(line, "sgl_supported=yes") ? "true" : "false";
		if (mdts)
			e->mdts = strtoull(mdts + 5, NULL, 10);
	}
	if (sscanf(line, "cpus possible=0-%u", &possible) == 1)
		e->cpus = possible + 1;
	else if (!strncmp(line, "cpus possible=0", 15))
		e->cpus = 1;
	if (sscanf(line, "software IO TLB: mapped [mem %" SCNx64 "-%" SCNx64, &from, &to) == 2 && to > from) {
		e->bounce_base = from;
		e->bounce_size = to - from;
	}
	if (sscanf(line, "pci %63s Adding to iommu group %u", name, &f.group) == 2) {
		f.name = g_strndup(name, strlen(name) - g_str_has_suffix(name, ":"));
		g_array_append_val(functions, f);
	}
	if (sscanf(line, "pci %63s", name) == 1 && strstr(line, " dma_mask=") &&
	    sscanf(strstr(line, " dma_mask="), " dma_mask=%u", &possible) == 1)
		g_hash_table_insert(e->dma_masks, g_strdup(name), GUINT_TO_POINTER(possible));
	if (sscanf(line, "nvme nvme%u: pci function %63s", &possible, name) == 2)
		verify_environment_controller(e, possible, name);
	else if (sscanf(line, "pci %63s", name) == 1 && strstr(line, "driver=nvme ") && !e->controllers->len)
		verify_environment_controller(e, 0, name);
}

static struct verify_environment *environment_new(void)
{
	struct verify_environment *e = g_new0(struct verify_environment, 1);

	e->topology = verify_topology_new();
	e->devices = g_ptr_array_new_with_free_func(g_free);
	e->names = g_ptr_array_new_with_free_func(g_free);
	e->dma_masks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	e->controllers = g_ptr_array_new_with_free_func(g_free);
	return e;
}

struct verify_environment *verify_environment_read(const char *directory)
{
	struct verify_environment *e = environment_new();
	g_autofree char *path = g_build_filename(directory, "environment.txt", NULL);
	g_autofree char *text = NULL;
	GArray *functions;
	g_auto(GStrv) lines = NULL;
	unsigned last = 0;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return e;
	functions = g_array_new(FALSE, FALSE, sizeof(struct function_group));
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++)
		take_line(e, functions, *line);
	g_array_sort(functions, by_group);
	for (unsigned i = 0; i < functions->len; i++) {
		struct function_group *f = &g_array_index(functions, struct function_group, i);

		if (!e->devices->len || f->group != last)
			g_ptr_array_add(e->devices, g_strdup(f->name));
		last = f->group;
		g_ptr_array_add(e->names, g_strdup_printf("%u %s", e->devices->len - 1, f->name));
		g_free(f->name);
	}
	g_array_unref(functions);
	return e;
}

void verify_environment_free(struct verify_environment *e)
{
	if (!e)
		return;
	g_ptr_array_unref(e->devices);
	g_ptr_array_unref(e->names);
	g_ptr_array_unref(e->controllers);
	g_hash_table_unref(e->dma_masks);
	verify_topology_free(e->topology);
	g_free(e);
}

int verify_environment_group(const struct verify_environment *e, const char *name)
{
	for (unsigned i = 0; i < e->names->len; i++) {
		const char *entry = g_ptr_array_index(e->names, i);
		const char *space = strchr(entry, ' ');

		if (!strcmp(space + 1, name))
			return atoi(entry);
	}
	return -1;
}

void verify_environment_from_summary(struct verify_environment *e, json_t *summary)
{
	const char *kernel = json_string_value(json_object_get(summary, "kernel"));
	const char *mode = json_string_value(json_object_get(summary, "mode"));
	const char *boot = json_string_value(json_object_get(summary, "boot_args"));
	static const char *const modes[][2] = {{"strict", "strict"},
					       {"lazy", "lazy"},
					       {"pt", "passthrough"},
					       {"passthrough", "passthrough"},
					       {"swiotlb", "swiotlb"}};

	if (kernel && !e->kernel)
		e->kernel = kernel_of(kernel);
	for (unsigned i = 0; mode && !e->mode && i < G_N_ELEMENTS(modes); i++)
		if (!strcmp(mode, modes[i][0]))
			e->mode = modes[i][1];
	if (boot && !e->mode)
		take_boot_arguments(e, boot);
}

/* A last resort: the kernels differ in which events exist, the modes in which of them occur. */
void verify_environment_from_events(struct verify_environment *e, const struct recording *r)
{
	bool seen[REC_KINDS] = {false};
	uint64_t pages = 0, unmaps = 0;

	for (unsigned i = 0; i < r->events->len; i++) {
		const struct recording_event *ev = recording_at(r, i);

		seen[ev->kind] = true;
		if (ev->kind == REC_QI_SUBMIT && (ev->qi.qw0 & 15) == QI_IOTLB &&
		    (ev->qi.qw0 >> 4 & 3) == QI_PAGE)
			pages++;
		unmaps += ev->kind == REC_UNMAP;
		if (ev->kind == REC_QI_SUBMIT) {
			unsigned type = ev->qi.qw0 & 15;

			e->scalable |= type == QI_P_IOTLB || type == QI_P_DEV_TLB;
			if (type == QI_DEV_TLB || type == QI_P_DEV_TLB)
				verify_topology_ats(e->topology, (uint16_t)(ev->qi.qw0 >> 32));
		}
		e->forwards |= ev->kind == REC_P2P_TYPE && ev->p2p.type == PCI_P2PDMA_MAP_THRU_HOST_BRIDGE;
	}
	if (!e->kernel) {
		if (seen[REC_MAP_NOSYNC] || seen[REC_TRY_ALLOC])
			e->kernel = kernel_profile_find("7.0");
		else if (seen[REC_DMA_MAP] || seen[REC_DMA_MAP_SG] || seen[REC_DMA_ALLOC])
			e->kernel = kernel_profile_find("6.12");
		else if (seen[REC_DMA_MAP_ENTER] || seen[REC_DMA_MAP_SG_ENTER])
			e->kernel = kernel_profile_find("6.1");
	}
	if (e->mode)
		return;
	if (seen[REC_UNMAP])
		e->mode = 2 * pages > unmaps ? "strict" : "lazy"; /* lazy mode flushes domains */
	else if (seen[REC_BOUNCE])
		e->mode = "swiotlb";
	else if (seen[REC_DMA_MAP] || seen[REC_DMA_MAP_SG])
		e->mode = "passthrough";
}
