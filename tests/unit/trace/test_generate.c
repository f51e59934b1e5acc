/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generators keep to their parameters; presets all work; equal seeds give equal traces. */
#include "trace_support.h"

#include "trace/trace_info.h"
#include <jansson.h>
#include <string.h>

static struct trace_copy *make(const char *name, const char *settings, uint64_t seed)
{
	const struct trace_preset *preset = trace_preset_find(name);
	const struct trace_generator *g = trace_generator_find(preset ? preset->generator : name);
	void *params = g_malloc0(g->params->struct_size);
	char **list = g_strsplit(settings, " ", -1);
	struct trace_reader *r;
	GError *error = NULL;

	param_defaults(g->params, params);
	if (preset)
		ck_assert_msg(trace_preset_apply(preset, params, &error), "%s", error ? error->message : "");
	for (unsigned i = 0; list[i]; i++)
		if (*list[i])
			ck_assert_msg(trace_generator_set(g, params, list[i], &error), "%s",
				      error ? error->message : "");
	r = trace_generate(g, params, seed, &error);
	ck_assert_msg(r != NULL, "%s", error ? error->message : "");
	param_clear(g->params, params);
	g_free(params);
	g_strfreev(list);
	return trace_copy_reader(r);
}

START_TEST(test_presets)
{
	unsigned n;
	const struct trace_preset *p = &trace_presets(&n)[_i];
	const char *less = !strcmp(p->generator, "nvme")       ? "requests=3000"
			   : !strcmp(p->generator, "rdma_odp") ? "messages=3000"
							       : "state_bytes=32MiB";
	struct trace_copy *a = make(p->name, less, 7), *b = make(p->name, less, 7),
			  *c = make(p->name, less, 8);
	bool differ = c->records->len != a->records->len;
	uint64_t last = 0;

	ck_assert(!a->error);
	ck_assert_uint_gt(a->records->len, 20);
	trace_assert_same(a, b);
	for (unsigned i = 0; i < a->records->len; i++) {
		const struct trace_record *x = trace_copy_at(a, i);

		ck_assert_uint_ge(x->time_ns, last);
		last = x->time_ns;
		if (!differ && a->workload == TRACE_NVME)
			differ = x->nvme.offset != trace_copy_at(c, i)->nvme.offset ||
				 x->time_ns != trace_copy_at(c, i)->time_ns ||
				 x->nvme.op != trace_copy_at(c, i)->nvme.op;
		else if (!differ && a->workload == TRACE_RDMA_ODP)
			differ = x->odp.offset != trace_copy_at(c, i)->odp.offset ||
				 x->odp.write != trace_copy_at(c, i)->odp.write;
	}
	/* Sequential presets and migrations draw nothing. */
	ck_assert(differ || a->workload == TRACE_VFIO_MIGRATION || strstr(p->settings, "sequential"));
	trace_copy_free(a);
	trace_copy_free(b);
	trace_copy_free(c);
}
END_TEST

START_TEST(test_nvme)
{
	struct trace_copy *c = make(
	    "nvme",
	    "requests=20000 sizes=4KiB:3,16KiB:1 read_share=0.25 footprint=1GiB cpus=4 devices=2 "
	    "rate=1000 service=50us",
	    1);
	unsigned reads = 0, large = 0;

	ck_assert_uint_eq(c->records->len, 20000);
	for (unsigned i = 0; i < c->records->len; i++) {
		const struct trace_record *rec = trace_copy_at(c, i);

		reads += rec->nvme.op == NVME_OP_READ;
		large += rec->nvme.bytes == 16384;
		ck_assert(rec->nvme.bytes == 4096 || rec->nvme.bytes == 16384);
		ck_assert_uint_le(rec->nvme.offset + rec->nvme.bytes, GIB);
		ck_assert_uint_eq(rec->nvme.offset % 4096, 0);
		ck_assert_uint_eq(rec->nvme.queue, rec->cpu);
		ck_assert_uint_eq(rec->cpu, i % 4);
		ck_assert_uint_eq(rec->device, i / 4 % 2);
		ck_assert_uint_eq(rec->time_ns, i * 1000000ull);
		ck_assert_uint_eq(rec->nvme.done_ns, rec->time_ns + 50000);
	}
	/* Six standard deviations of a binomial. */
	ck_assert_uint_ge(reads, 5000 - 370);
	ck_assert_uint_le(reads, 5000 + 370);
	ck_assert_uint_ge(large, 5000 - 370);
	ck_assert_uint_le(large, 5000 + 370);
	trace_copy_free(c);
}
END_TEST

/* Every layout adds up and lies in its pool; sequential streams go on where they were. */
START_TEST(test_buffers)
{
	static const char *const layouts[] = {"pages", "contiguous", "huge", "gaps"};
	char *settings = g_strdup_printf(
	    "requests=500 sizes=4KiB,128KiB,1MiB pattern=sequential footprint=16GiB "
	    "buffer_base=1GiB buffer_pool=64MiB buffers=%s buffer_offset=%u",
	    layouts[_i], _i == 3 ? 0 : 512);
	struct trace_copy *c = make("nvme", settings, 1);
	uint64_t next = 0;

	for (unsigned i = 0; i < c->records->len; i++) {
		const struct trace_record *rec = trace_copy_at(c, i);
		uint64_t sum = 0;

		ck_assert_uint_eq(rec->nvme.offset, next);
		next += rec->nvme.bytes;
		for (unsigned k = 0; k < rec->nsegs; k++) {
			sum += rec->segs[k].len;
			ck_assert_uint_ge(rec->segs[k].phys, GIB);
			ck_assert_uint_le(rec->segs[k].phys + rec->segs[k].len, GIB + 64 * MIB);
			if (_i == 0 || _i == 3)
				ck_assert_uint_le(rec->segs[k].phys % PAGE_SIZE + rec->segs[k].len,
						  PAGE_SIZE);
			if (_i == 3 && k + 1 < rec->nsegs)
				ck_assert_uint_eq(rec->segs[k].len, PAGE_SIZE - 512);
		}
		ck_assert_uint_eq(sum, rec->nvme.bytes);
		if (_i == 1)
			ck_assert_uint_eq(rec->nsegs, 1);
		ck_assert_uint_eq(rec->segs[0].phys % PAGE_SIZE, _i == 3 ? 0 : 512);
	}
	trace_copy_free(c);
	g_free(settings);
}
END_TEST

/* Regions are registered before use; ranges stay inside. */
START_TEST(test_odp)
{
	struct trace_copy *c = make(
	    "rdma_odp",
	    "messages=5000 regions=3 region_bytes=64MiB invalidate_every=10 prefetch=1MiB "
	    "reregister_every=1000",
	    3);
	unsigned live = 0, counts[6] = {0};

	for (unsigned i = 0; i < c->records->len; i++) {
		const struct trace_record *rec = trace_copy_at(c, i);

		counts[rec->odp.event]++;
		live += rec->odp.event == ODP_REG;
		live -= rec->odp.event == ODP_DEREG;
		ck_assert_uint_le(live, 3);
		ck_assert_uint_le(rec->odp.offset + rec->odp.bytes, 64 * MIB);
	}
	ck_assert_uint_eq(live, 0);
	ck_assert_uint_eq(counts[ODP_ACCESS], 5000);
	ck_assert_uint_eq(counts[ODP_REG], 3 + 4);
	ck_assert_uint_eq(counts[ODP_INVAL], 499);
	ck_assert_uint_eq(counts[ODP_PREFETCH], 79);
	trace_copy_free(c);
}
END_TEST

/* What is saved is read; state shrinks to the stop; the last phase is marked. */
START_TEST(test_vfio)
{
	struct trace_copy *c = make("vfio_migration", "state_bytes=100MiB dirty_rate=500 bandwidth=2000", 1);
	uint64_t saved = 0, read = 0, stop = 0;
	bool stopped = false;

	for (unsigned i = 0; i < c->records->len; i++) {
		const struct trace_record *rec = trace_copy_at(c, i);

		if (rec->vfio.event == VFIO_SAVE) {
			saved += rec->vfio.bytes;
			stop += rec->vfio.purpose == VFIO_PURPOSE_STOP_COPY ? rec->vfio.bytes : 0;
			ck_assert(!stopped || rec->vfio.purpose == VFIO_PURPOSE_STOP_COPY);
			stopped = rec->vfio.purpose == VFIO_PURPOSE_STOP_COPY;
		} else if (rec->vfio.event == VFIO_READ) {
			read += rec->vfio.bytes;
		}
	}
	ck_assert_uint_eq(saved, read);
	ck_assert_uint_gt(saved, 100 * MIB);
	ck_assert_uint_gt(stop, 0);
	ck_assert_uint_lt(stop, 100 * MIB);
	trace_copy_free(c);
}
END_TEST

static const struct {
	const char *generator, *setting, *message;
} wrong[] = {
    {"nvme", "sizes=700", "multiples of 512"},
    {"nvme", "sizes=4KiB:x", "expected SIZE:WEIGHT"},
    {"nvme", "footprint=1KiB", "footprint must hold"},
    {"rdma_odp", "region_bytes=4KiB", "region_bytes must hold"},
};

START_TEST(test_wrong_parameters)
{
	const struct trace_generator *g = trace_generator_find(wrong[_i].generator);
	void *params = g_malloc0(g->params->struct_size);
	GError *error = NULL;

	param_defaults(g->params, params);
	if (trace_generator_set(g, params, wrong[_i].setting, &error))
		ck_assert_ptr_null(trace_generate(g, params, 1, &error));
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error->message, wrong[_i].message), "%s", error->message);
	g_clear_error(&error);
	ck_assert(!trace_generator_set(g, params, "raet=5", &error));
	g_clear_error(&error);
	ck_assert(!trace_generator_set(g, params, "rate", &error));
	ck_assert(strstr(error->message, "KEY=VALUE"));
	g_clear_error(&error);
	param_clear(g->params, params);
	g_free(params);
}
END_TEST

/* info against what the generator was told. */
START_TEST(test_info)
{
	struct trace_copy *c = make(
	    "nvme", "requests=10000 footprint=4MiB read_share=0.5 rate=1000 service=100us", 1);
	struct trace_info *info = trace_info_new(TRACE_NVME);
	json_t *o;

	for (unsigned i = 0; i < c->records->len; i++)
		trace_info_add(info, trace_copy_at(c, i));
	o = trace_info_json(info);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "records")), 10000);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "footprint_bytes")), 4 * MIB);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "duration_ns")), 9999 * 1000000ll);
	ck_assert(json_real_value(json_object_get(o, "reuse_sampled_share")) == 1.0);
	ck_assert(json_real_value(json_object_get(o, "mean_in_flight")) > 0.09);
	ck_assert(json_real_value(json_object_get(o, "mean_in_flight")) < 0.11);
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(o, "common_sizes"), "4096")),
			 10000);
	json_decref(o);
	trace_info_free(info);
	trace_copy_free(c);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("generators");
	unsigned n;

	trace_presets(&n);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_presets, 0, (int)n);
	tcase_add_test(tc, test_nvme);
	tcase_add_loop_test(tc, test_buffers, 0, 4);
	tcase_add_test(tc, test_odp);
	tcase_add_test(tc, test_vfio);
	tcase_add_loop_test(tc, test_wrong_parameters, 0, G_N_ELEMENTS(wrong));
	tcase_add_test(tc, test_info);
	return test_run("generators", tc, NULL);
}
