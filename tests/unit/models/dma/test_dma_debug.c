/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each rule of the checker, broken once: the first violation names operation, device, address and history. */
#include "dma_rig.h"
#include "models/dma/dma_debug.h"
#include "workload_rig.h"

#define PHYS UINT64_C(0x10000000)

struct checked {
	struct rig r;
	struct dma_debug *debug;
	struct device *dev;
};

static struct checked open_checked(enum iommu_mode mode)
{
	struct checked c = {.r = rig_new(mode, KERNEL_7_0)};

	c.dev = c.r.dev;
	c.debug = dma_debug_new(c.r.m->dma, c.r.m->fabric);
	return c;
}

/* words: what the violation must say, NULL: there must be none */
static void close_checked(struct checked *c, const char *words, const char *history)
{
	const char *text = dma_debug_violation(c->debug);

	if (!words) {
		ck_assert_msg(!text, "%s", text);
	} else {
		ck_assert_msg(text && strstr(text, words) && strstr(text, "0000:08:00.0"), "%s lacks '%s'",
			      text ? text : "no violation", words);
		ck_assert_msg(!history || strstr(text, history), "%s lacks '%s'", text, history);
	}
	dma_debug_free(c->debug);
	rig_free(&c->r);
}

static dma_addr_t map(struct checked *c)
{
	dma_addr_t addr = dma_map_phys(c->dev, PHYS, 4096, DMA_FROM_DEVICE, 0);

	ck_assert(addr != DMA_MAPPING_ERROR);
	return addr;
}

static int access_at(struct checked *c, enum pcie_op op, dma_addr_t addr, uint64_t len)
{
	struct pcie_dma d = {.fn = c->dev->pci, .op = op, .addr = addr, .len = len, .pasid = NO_PASID};

	return pcie_dma(&d, c->r.m->sim.now);
}

START_TEST(right_use)
{
	struct checked c = open_checked(_i ? IOMMU_STRICT : IOMMU_LAZY);
	struct dma_iova_state state;
	dma_addr_t addr = map(&c), coherent;
	phys_addr_t phys = dma_alloc_attrs(c.dev, 8192, &coherent, 0);

	ck_assert_int_eq(access_at(&c, PCIE_WRITE, addr, 4096), 0);
	ck_assert_int_eq(access_at(&c, PCIE_READ, coherent + 4096, 64), 0);
	dma_sync_single_for_cpu(c.dev, addr, 64, DMA_FROM_DEVICE);
	dma_unmap_phys(c.dev, addr, 4096, DMA_FROM_DEVICE, 0);
	dma_free_attrs(c.dev, 8192, phys, coherent, 0);
	ck_assert(dma_iova_try_alloc(c.dev, &state, PHYS + 512, 16384));
	ck_assert_int_eq(dma_iova_link(c.dev, &state, PHYS + 512, 0, 4096 - 512, DMA_TO_DEVICE, 0), 0);
	ck_assert_int_eq(dma_iova_link(c.dev, &state, PHYS + 65536, 4096 - 512, 8192, DMA_TO_DEVICE, 0), 0);
	ck_assert_int_eq(dma_iova_sync(c.dev, &state, 0, 4096 - 512 + 8192), 0);
	ck_assert_int_eq(access_at(&c, PCIE_READ, state.addr, 4096 - 512 + 8192), 0);
	dma_iova_unlink(c.dev, &state, 4096 - 512, 8192, DMA_TO_DEVICE, 0);
	dma_iova_destroy(c.dev, &state, 4096 - 512, DMA_TO_DEVICE, 0);
	dma_debug_end(c.debug);
	close_checked(&c, NULL, NULL);
}
END_TEST

/* ---- unmapping ---- */

START_TEST(unmapped_twice)
{
	struct checked c = open_checked(IOMMU_STRICT);
	dma_addr_t addr = map(&c);

	dma_unmap_phys(c.dev, addr, 4096, DMA_FROM_DEVICE, 0);
	dma_unmap_phys(c.dev, addr, 4096, DMA_FROM_DEVICE, 0);
	close_checked(&c, "dma_unmap_phys by", "dma_map_phys 0x");
}
END_TEST

START_TEST(unmapped_otherwise)
{
	static const struct {
		uint64_t at, size;
		enum dma_data_direction dir;
		const char *words;
	} cases[] = {
	    {0, 2048, DMA_FROM_DEVICE, "has 4096 bytes"},
	    {0, 8192, DMA_FROM_DEVICE, "has 4096 bytes"},
	    {512, 3584, DMA_FROM_DEVICE, "begins at"},
	    {0, 4096, DMA_TO_DEVICE, "mapped from device, and is unmapped to device"},
	};
	struct checked c = open_checked(IOMMU_STRICT);
	dma_addr_t addr = map(&c);

	dma_unmap_phys(c.dev, addr + cases[_i].at, cases[_i].size, cases[_i].dir, 0);
	close_checked(&c, cases[_i].words, "dma_map_phys 0x");
}
END_TEST

START_TEST(never_unmapped)
{
	struct checked c = open_checked(IOMMU_STRICT);

	map(&c);
	dma_debug_end(c.debug);
	close_checked(&c, "never undone", "dma_map_phys 0x");
}
END_TEST

START_TEST(wrong_kind)
{
	struct checked c = open_checked(IOMMU_STRICT);
	dma_addr_t coherent;

	ck_assert(dma_alloc_attrs(c.dev, 4096, &coherent, 0));
	dma_unmap_phys(c.dev, coherent, 4096, DMA_BIDIRECTIONAL, 0);
	close_checked(&c, "coherent memory", "dma_alloc 0x");
}
END_TEST

/* ---- pieces ---- */

START_TEST(pieces)
{
	struct checked c = open_checked(IOMMU_STRICT);
	const char *words = NULL;
	struct dma_iova_state s;

	ck_assert(dma_iova_try_alloc(c.dev, &s, PHYS, 16384));
	ck_assert_int_eq(dma_iova_link(c.dev, &s, PHYS, 0, 8192, DMA_TO_DEVICE, 0), 0);
	switch (_i) {
	case 0: /* the page table itself refuses to map twice: the driver that goes on is told at the end */
		dma_iova_destroy(c.dev, &s, 4096, DMA_TO_DEVICE, 0);
		words = "in part";
		break;
	case 1:
		dma_iova_unlink(c.dev, &s, 8192, 4096, DMA_TO_DEVICE, 0);
		words = "beyond what was linked";
		break;
	case 2:
		dma_iova_unlink(c.dev, &s, 0, 8192, DMA_FROM_DEVICE, 0);
		words = "another direction";
		break;
	case 3:
		dma_iova_free(c.dev, &s);
		words = "still linked";
		break;
	case 4:
		dma_iova_unlink(c.dev, &s, 0, 8192, DMA_TO_DEVICE, 0);
		dma_debug_end(c.debug);
		words = "IOVA range";
		break;
	case 5:
		dma_iova_destroy(c.dev, &s, 8192, DMA_TO_DEVICE, 0);
		dma_iova_destroy(c.dev, &s, 8192, DMA_TO_DEVICE, 0);
		words = "no range of dma_iova_try_alloc";
		break;
	}
	close_checked(&c, words, "dma_iova_try_alloc 0x");
}
END_TEST

/* ---- accesses ---- */

START_TEST(accesses)
{
	struct checked c = open_checked(_i % 2 ? IOMMU_LAZY : IOMMU_STRICT);
	dma_addr_t addr = map(&c);
	const char *words;

	switch (_i / 2) {
	case 0:
		dma_unmap_phys(c.dev, addr, 4096, DMA_FROM_DEVICE, 0);
		words = access_at(&c, PCIE_WRITE, addr, 64) ? "nothing is mapped" : "device write";
		break;
	case 1:
		words = access_at(&c, PCIE_READ, addr, 64) ? "mapped from device" : "device read";
		break;
	case 2:
		words = access_at(&c, PCIE_WRITE, addr + 4000, 200) ? "nothing is mapped" : "device write";
		break;
	default:
		dma_sync_single_for_cpu(c.dev, addr + 4096, 64, DMA_FROM_DEVICE);
		words = "dma_sync_single";
		break;
	}
	close_checked(&c, words, NULL);
}
END_TEST

/* ---- strategies of docs/adding-an-api.md that are wrong, and would win ---- */

static int single_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	(void)offset;
	for (unsigned i = 0; i < n; i++) {
		dma_addr_t addr = dma_map_phys(obj->dev, vec[i].paddr, vec[i].len, obj->dir, obj->attrs);

		if (addr == DMA_MAPPING_ERROR)
			return -ENOMEM;
		dma_object_add(obj, addr, vec[i].len);
	}
	return 0;
}

static void never_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	(void)obj;
	(void)offset;
	(void)len;
}

static void unmap_twice(struct dma_object *obj, size_t offset, size_t len)
{
	(void)offset;
	(void)len;
	for (unsigned i = 0; i < 2 * obj->nsegs; i++)
		dma_unmap_phys(obj->dev, obj->segs[i / 2].addr, obj->segs[i / 2].len, obj->dir, obj->attrs);
}

static const struct driver_path leaky_path = {.map = single_map, .unmap = never_unmap};
static const struct driver_path double_path = {.map = single_map, .unmap = unmap_twice};
static const struct dma_api wrong_apis[] = {
    {.name = "leaky", .shipped = KERNEL_7_0, .generic = &leaky_path},
    {.name = "double", .shipped = KERNEL_7_0, .generic = &double_path}};

START_TEST(wrong_strategies)
{
	static const char *const words[] = {"never undone", "dma_unmap_phys by"};
	struct workload_rig r;
	struct dma_debug *debug;
	GError *error = NULL;
	const char *text;

	workload_rig_open(&r, "crypto", "legacy", IOMMU_STRICT, FIDELITY_COUNTS);
	workload_rig_set(&r, "crypto.requests", "20");
	r.m = machine_new(r.config, r.mode, &kernel_profiles[KERNEL_7_0], r.fidelity, 1, &error);
	ck_assert_ptr_nonnull(r.m);
	debug = dma_debug_new(r.m->dma, r.m->fabric);
	r.w = r.ops->create(r.m, &wrong_apis[_i], &error);
	ck_assert_ptr_nonnull(r.w);
	ck_assert(r.ops->finish(r.w, &error));
	r.ops->destroy(r.w);
	dma_debug_end(debug);
	text = dma_debug_violation(debug);
	ck_assert_msg(text && strstr(text, words[_i]), "%s", text ? text : "passes");
	dma_debug_free(debug);
	machine_free(r.m);
	config_free(r.config);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("rules");

	tcase_add_loop_test(t, right_use, 0, 2);
	tcase_add_test(t, unmapped_twice);
	tcase_add_loop_test(t, unmapped_otherwise, 0, 4);
	tcase_add_test(t, never_unmapped);
	tcase_add_test(t, wrong_kind);
	tcase_add_loop_test(t, pieces, 0, 6);
	tcase_add_loop_test(t, accesses, 0, 8);
	tcase_add_loop_test(t, wrong_strategies, 0, 2);
	return test_run("dma_debug", t, NULL);
}
