/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parameters of [kernel]. */
#include <dmasim/machine.h>

static const char *const version_names[] = {"as-shipped", "6.1", "6.12", "7.0", NULL};

#define K(member) offsetof(struct kernel_params, member)
static const struct param_spec kernel_specs[] = {
    {"version", PARAM_ENUM, "", K(version), "as-shipped", 0, 0, version_names,
     "kernel under both drivers; as-shipped: each API over the kernel that first shipped it so", NULL},
    {"quirk_link_zero_middle", PARAM_BOOL, "", K(quirks.link_zero_middle), "false", 0, 0, NULL,
     "bring back the repaired defect: dma_iova_link of a bounced buffer without a middle part", NULL},
    {"quirk_direct_sg_thb", PARAM_BOOL, "", K(quirks.direct_sg_thb), "false", 0, 0, NULL,
     "bring back the repaired defect: host-bridge P2P entries in direct dma_map_sg", NULL},
    {"quirk_sg_bus_len", PARAM_BOOL, "", K(quirks.sg_bus_len), "false", 0, 0, NULL,
     "bring back the repaired defect: length of P2P bus-address entries in iommu_dma_map_sg", NULL},
    {"quirk_p2p_cacheable", PARAM_BOOL, "", K(quirks.p2p_cacheable), "false", 0, 0, NULL,
     "bring back the repaired defect: peer memory through the host bridge mapped cacheable (before 6.18)",
     NULL},
};
const struct param_table kernel_param_table = {"kernel", "which Linux", kernel_specs,
					       G_N_ELEMENTS(kernel_specs), sizeof(struct kernel_params)};
