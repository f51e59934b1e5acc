/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parameters of [kernel], and the row of facts that they make of a release's. */
#include "machine.h"

#define PARAMS_OF struct kernel_params
static const struct param_spec kernel_specs[] = {
    PARAM(version, STRING, "as-shipped",
	  .help = "kernel under both drivers: as-shipped (each API over the kernel that first shipped it "
		  "so), a release "
		  "(7.2, 6.12.8), or several, separated by commas, to be compared"),
    PARAM(
	facts, STRING, "",
	.help =
	    "facts that differ from the release's row, as with a backport: ih_hint=no, nvme_meta_segments=15 "
	    "(dmasim releases lists them)"),
    PARAM(quirk_link_zero_middle, BOOL, "false",
	  .help = "the fact link_zero_middle in any release: dma_iova_link of a bounced buffer without a "
		  "middle part"),
    PARAM(quirk_direct_sg_thb, BOOL, "false",
	  .help = "the fact direct_sg_thb in any release: host-bridge P2P entries in direct dma_map_sg"),
    PARAM(
	quirk_sg_bus_len, BOOL, "false",
	.help = "the fact sg_bus_len in any release: length of P2P bus-address entries in iommu_dma_map_sg"),
    PARAM(
	quirk_p2p_cacheable, BOOL, "false",
	.help =
	    "p2p_mmio_attr and nvme_p2p_mmio off in any release: peer memory through the host bridge mapped "
	    "cacheable (before 6.18)"),
};
const struct param_table kernel_param_table = PARAM_TABLE("kernel", "which Linux", kernel_specs);
#undef PARAMS_OF

bool kernel_params_apply(const struct kernel_params *p, struct kernel_profile *k, GError **error)
{
	k->link_zero_middle |= p->quirk_link_zero_middle;
	k->direct_sg_thb |= p->quirk_direct_sg_thb;
	k->sg_bus_len |= p->quirk_sg_bus_len;
	k->p2p_mmio_attr &= !p->quirk_p2p_cacheable;
	k->nvme_p2p_mmio &= !p->quirk_p2p_cacheable;
	if (kernel_profile_set(k, p->facts ? p->facts : "", error))
		return true;
	g_prefix_error(error, "kernel.facts: ");
	return false;
}
