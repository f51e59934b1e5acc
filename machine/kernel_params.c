/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parameters of [kernel]. */
#include "machine.h"

static const char *const version_names[] = {"as-shipped", "6.1", "6.12", "7.0", NULL};

#define PARAMS_OF struct kernel_params
static const struct param_spec kernel_specs[] = {
    PARAM(version, ENUM, "as-shipped", .choices = version_names,
	  .help = "kernel under both drivers; as-shipped: each API over the kernel that first shipped it so"),
    PARAM_AS(
	"quirk_link_zero_middle", quirks.link_zero_middle, BOOL, "false",
	.help = "bring back the repaired defect: dma_iova_link of a bounced buffer without a middle part"),
    PARAM_AS("quirk_direct_sg_thb", quirks.direct_sg_thb, BOOL, "false",
	     .help = "bring back the repaired defect: host-bridge P2P entries in direct dma_map_sg"),
    PARAM_AS("quirk_sg_bus_len", quirks.sg_bus_len, BOOL, "false",
	     .help = "bring back the repaired defect: length of P2P bus-address entries in iommu_dma_map_sg"),
    PARAM_AS("quirk_p2p_cacheable", quirks.p2p_cacheable, BOOL, "false",
	     .help = "bring back the repaired defect: peer memory through the host bridge mapped cacheable "
		     "(before 6.18)"),
};
const struct param_table kernel_param_table = PARAM_TABLE("kernel", "which Linux", kernel_specs);
#undef PARAMS_OF
