/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel releases as data. 6.1 and 6.12 are what Debian ships, 7.0 is mainline; each row was checked
 * against recordings of that kernel where the mechanism shows in one.
 */
#include <dmasim/kernel.h>

#include <string.h>

const struct kernel_profile kernel_profiles[KERNEL_VERSIONS] = {
    [KERNEL_6_1] =
	{
	    .name = "6.1",
	    .qi_batch = 1,
	    .bio_merges_pages = true,
	    .pool_page_lists = true,
	    .virt_boundary_sgl = true,
	    .nvme_max_segments = 127,
	    .nvme_meta_segments = 1,
	    .nvme_max_kib = 4096,
	    .default_max_kib = 1280,
	    .depot_max = 32,
	},
    [KERNEL_6_12] =
	{
	    .name = "6.12",
	    .ih_hint = true,
	    .cache_tags = true,
	    .psi_aligns_base = true,
	    .replace_flush_to_end = true,
	    .qi_batch = 16,
	    .opt_mapping_clamp = true,
	    .bio_merges_pages = true,
	    .virt_boundary_sgl = true,
	    .nvme_max_segments = 128,
	    .nvme_meta_segments = 1,
	    .nvme_max_kib = 8192,
	    .default_max_kib = 1280,
	},
    [KERNEL_7_0] =
	{
	    .name = "7.0",
	    .has_iova_api = true,
	    .has_map_phys = true,
	    .generic_pt = true,
	    .ih_hint = true,
	    .cache_tags = true,
	    .psi_aligns_base = true,
	    .qi_batch = 16,
	    .opt_mapping_clamp = true,
	    .nvme_iterator = true,
	    .gap_bit = true,
	    .nvme_max_segments = 256,
	    .nvme_meta_segments = 15,
	    .nvme_max_kib = 8192,
	    .default_max_kib = 4096,
	    .p2p_mmio_attr = true,
	},
};

const struct kernel_profile *kernel_profile_find(const char *name)
{
	for (int i = 0; i < KERNEL_VERSIONS; i++) {
		if (!strcmp(kernel_profiles[i].name, name))
			return &kernel_profiles[i];
	}
	return NULL;
}
