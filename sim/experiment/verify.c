/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings of one boot after another: input, machine, replay, comparison. */
#include "verify_internal.h"

#include <dmasim/nvme_device.h>
#include <inttypes.h>
#include <string.h>

/* ---- input ---- */

struct input {
	char *path, *directory, *name;
	struct recording *recording;
	json_t *summary; /* NULL: none */
	unsigned order;
};

static void input_free(void *data)
{
	struct input *in = data;

	recording_free(in->recording);
	json_decref(in->summary);
	g_free(in->path);
	g_free(in->directory);
	g_free(in->name);
	g_free(in);
}

/* "d01.trace.txt.zst" -> "d01" */
static char *workload_name(const char *path)
{
	g_autofree char *base = g_path_get_basename(path);
	char *dot = strstr(base, ".trace.");

	if (!dot)
		dot = strchr(base, '.');
	return dot && dot > base ? g_strndup(base, (gsize)(dot - base)) : g_strdup(base);
}

static struct input *input_new(const char *path, GError **error)
{
	struct input *in = g_new0(struct input, 1);
	g_autofree char *file = NULL, *summary = NULL;

	in->path = g_strdup(path);
	in->directory = g_path_get_dirname(path);
	in->name = workload_name(path);
	in->recording = recording_read(path, error);
	if (!in->recording) {
		input_free(in);
		return NULL;
	}
	file = g_strdup_printf("%s.summary.json", in->name);
	summary = g_build_filename(in->directory, file, NULL);
	if (g_file_test(summary, G_FILE_TEST_EXISTS)) {
		json_error_t problem;

		in->summary = json_load_file(summary, 0, &problem);
		if (!in->summary) {
			g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT, "%s:%d: %s", summary,
				    problem.line, problem.text);
			input_free(in);
			return NULL;
		}
	}
	return in;
}

static bool is_recording_name(const char *name)
{
	return strstr(name, ".trace.txt") || strstr(name, ".trace.dat");
}

/* The same workload as text and as trace.dat: the text is enough. */
static bool doubled(GPtrArray *names, const char *name)
{
	g_autofree char *own = workload_name(name);

	if (!strstr(name, ".trace.dat"))
		return false;
	for (unsigned i = 0; i < names->len; i++) {
		const char *other = g_ptr_array_index(names, i);
		g_autofree char *stem = workload_name(other);

		if (strstr(other, ".trace.txt") && !strcmp(stem, own))
			return true;
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_time(const void *a, const void *b)
{
	const struct input *x = *(struct input *const *)a, *y = *(struct input *const *)b;
	uint64_t s = x->recording->events->len ? recording_at(x->recording, 0)->time_ns : 0;
	uint64_t t = y->recording->events->len ? recording_at(y->recording, 0)->time_ns : 0;

	return s != t ? (s > t) - (s < t) : (x->order > y->order) - (x->order < y->order);
}

/* All recordings of a directory, in order of their clocks. */
static GPtrArray *read_directory(const char *path, GError **error)
{
	GDir *dir = g_dir_open(path, 0, error);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	GPtrArray *inputs;
	const char *name;

	if (!dir)
		return NULL;
	while ((name = g_dir_read_name(dir)))
		if (is_recording_name(name))
			g_ptr_array_add(names, g_strdup(name));
	g_dir_close(dir);
	g_ptr_array_sort(names, by_name);
	inputs = g_ptr_array_new_with_free_func(input_free);
	for (unsigned i = 0; i < names->len; i++) {
		g_autofree char *file = g_build_filename(path, g_ptr_array_index(names, i), NULL);
		struct input *in;

		if (doubled(names, g_ptr_array_index(names, i)))
			continue;
		in = input_new(file, error);
		if (!in) {
			g_ptr_array_unref(inputs);
			return NULL;
		}
		in->order = i;
		g_ptr_array_add(inputs, in);
	}
	if (!inputs->len) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN,
			    "%s: holds no recording (NAME.trace.txt[.zst] or NAME.trace.dat[.zst])", path);
		g_ptr_array_unref(inputs);
		return NULL;
	}
	g_ptr_array_sort(inputs, by_time);
	return inputs;
}

/* ---- machine ---- */

struct bench {
	struct machine *machine;
	struct config *config;
	struct verify_environment *env;
	struct nvme_params params;
	bool calls_only;
	GPtrArray *devices; /* struct device, as env->devices; then those only events name */
	GHashTable *by_name;
	struct device *usual;     /* where events name none */
	struct replay_nvme *nvme; /* NULL: no NVMe in the recordings */
};

static void bench_free(struct bench *b)
{
	if (!b)
		return;
	replay_nvme_free(b->nvme);
	machine_free(b->machine);
	config_free(b->config);
	verify_environment_free(b->env);
	if (b->devices)
		g_ptr_array_unref(b->devices);
	if (b->by_name)
		g_hash_table_unref(b->by_name);
	g_free(b);
}

static bool set_number(struct config *c, const char *key, uint64_t v, bool size, GError **error)
{
	g_autofree char *text = size ? g_strdup_printf("%" PRIu64, v) : g_strdup_printf("0x%" PRIx64, v);

	return !v || config_set(c, key, text, "the recording's environment", error);
}

static bool apply_user(struct config *c, const struct verify_options *o, GError **error)
{
	for (char *const *s = o->set; s && *s; s++) {
		const char *equals = strchr(*s, '=');
		g_autofree char *key = equals ? g_strndup(*s, (gsize)(equals - *s)) : NULL;

		if (!equals) {
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_USAGE, "--set %s: wants KEY=VALUE", *s);
			return false;
		}
		if (!config_set(c, key, equals + 1, "--set", error))
			return false;
	}
	return true;
}

static bool user_names(const struct verify_options *o, const char *key)
{
	for (char *const *s = o->set; s && *s; s++)
		if (g_str_has_prefix(*s, key) && (*s)[strlen(key)] == '=')
			return true;
	return false;
}

/* Kernel and mode: what the user says beats what lies beside the recording. */
static bool decide(struct bench *b, const struct verify_options *o, GError **error)
{
	const struct kernel_params *kernel = config_get(b->config, &kernel_param_table);
	const struct iommu_params *iommu = config_get(b->config, &iommu_param_table);
	const struct swiotlb_params *swiotlb = config_get(b->config, &swiotlb_param_table);

	if (kernel->version)
		b->env->kernel = &kernel_profiles[kernel->version - 1];
	if (user_names(o, "swiotlb.force") && swiotlb->force)
		b->env->mode = "swiotlb";
	else if (user_names(o, "iommu.mode"))
		b->env->mode = iommu_mode_names[iommu->mode];
	if (b->env->kernel && b->env->mode)
		return true;
	g_set_error(
	    error, DMASIM_ERROR, DMASIM_ERROR_INPUT,
	    "the recorded kernel's %s is not known: neither environment.txt nor NAME.summary.json tells, "
	    "nor do the events; give --set %s",
	    b->env->kernel ? "mode" : "release",
	    b->env->kernel ? "iommu.mode=strict (lazy, passthrough)" : "kernel.version=6.12 (6.1, 7.0)");
	return false;
}

static bool configure(struct bench *b, GPtrArray *inputs, const struct verify_options *o, GError **error)
{
	struct verify_environment *e = b->env;
	struct scenario *s = scenario_new();
	uint64_t cpus = e->cpus;
	bool ok;

	ok = scenario_set(s, "scenario.preset", o->preset ? o->preset : "qemu", "--preset", error);
	if (ok)
		b->config = config_copy(scenario_config(s));
	scenario_free(s);
	if (!ok)
		return false;
	for (unsigned i = 0; i < inputs->len; i++) {
		const struct input *in = g_ptr_array_index(inputs, i);

		cpus = MAX(cpus, in->recording->ncpus);
	}
	return set_number(b->config, "cpu.count", cpus, true, error) &&
	       set_number(b->config, "nvme.mdts", e->mdts ? (uint64_t)PAGE_SIZE << e->mdts : 0, true,
			  error) &&
	       (!e->sgl || config_set(b->config, "nvme.sgl", e->sgl, "the recording's environment", error)) &&
	       set_number(b->config, "flush_queue.hz", e->hz, true, error) &&
	       set_number(b->config, "iommu.cap", e->cap, false, error) &&
	       set_number(b->config, "iommu.ecap", e->ecap, false, error) &&
	       set_number(b->config, "swiotlb.size", e->bounce_size, true, error) &&
	       set_number(b->config, "swiotlb.base", e->bounce_base, true, error) &&
	       set_number(b->config, "swiotlb.areas", e->bounce_areas, true, error) &&
	       apply_user(b->config, o, error) && decide(b, o, error) &&
	       (strcmp(e->mode, "swiotlb") || config_set(b->config, "swiotlb.force", "true", "mode", error));
}

static struct device *bench_device(struct bench *b, const char *name, GError **error)
{
	struct device *dev = g_hash_table_lookup(b->by_name, name);
	int group = verify_environment_group(b->env, name);

	if (dev)
		return dev;
	/* Functions of one group share its domain. */
	dev = group >= 0 ? g_ptr_array_index(b->devices, group) : machine_add_device(b->machine, name, error);
	if (dev)
		g_hash_table_insert(b->by_name, g_strdup(name), dev);
	return dev;
}

static struct device *find_device(void *arg, const char *name)
{
	struct bench *b = arg;

	return *name ? bench_device(b, name, NULL) : b->usual;
}

/* The device of events that name none: the one most often named, else that of the first descriptor. */
static bool choose_usual(struct bench *b, GPtrArray *inputs, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	const char *best = NULL;
	unsigned most = 0;
	int did = -1;
	bool nvme = false, long_segments = false;

	for (unsigned i = 0; i < inputs->len; i++) {
		const struct recording *r = ((struct input *)g_ptr_array_index(inputs, i))->recording;

		for (unsigned k = 0; k < r->events->len; k++) {
			const struct recording_event *e = recording_at(r, k);
			const char *name = recording_name(r, e->device);
			unsigned n;

			nvme |= e->kind == REC_NVME_SETUP;
			if (e->kind == REC_DMA_MAP_SG && e->sg.phys.count > e->sg.addrs.count)
				for (unsigned l = 0; l < e->sg.lens.count; l++)
					long_segments |= recording_list(r, e->sg.lens)[l] > 65536;
			if (e->kind == REC_QI_SUBMIT && (e->qi.qw0 & 15) == QI_IOTLB && did < 0)
				did = (int)(e->qi.qw0 >> 16 & 0xffff);
			if (!strchr(name, ':'))
				continue;
			n = GPOINTER_TO_UINT(g_hash_table_lookup(seen, name)) + 1;
			g_hash_table_insert(seen, (char *)name, GUINT_TO_POINTER(n));
			if (n > most) {
				most = n;
				best = name;
			}
		}
	}
	if (!best && did >= 2 && (unsigned)did - 2 < b->env->devices->len)
		best = g_ptr_array_index(b->env->devices, (unsigned)did - 2);
	if (!best)
		best = nvme && b->env->nvme ? b->env->nvme : "0000:00:01.0";
	b->usual = bench_device(b, best, error);
	if (b->usual && nvme) {
		/* What the NVMe driver sets at probe. */
		dma_set_mask(b->usual, UINT64_MAX);
		dma_set_max_seg_size(b->usual, UINT32_MAX);
		dma_set_min_align_mask(b->usual, (uint32_t)PAGE_SIZE - 1);
	} else if (b->usual && long_segments) {
		/* Entries were joined beyond the PCI core's default: the driver has raised the limit. */
		dma_set_max_seg_size(b->usual, UINT32_MAX);
	}
	if (b->usual && nvme && !b->calls_only)
		b->nvme = replay_nvme_new(b->machine, b->usual, &b->params);
	return b->usual != NULL;
}

static struct bench *bench_new(GPtrArray *inputs, const struct verify_options *o, GError **error)
{
	const struct input *first = g_ptr_array_index(inputs, 0);
	struct bench *b = g_new0(struct bench, 1);
	enum iommu_mode mode = IOMMU_PASSTHROUGH;

	b->env = verify_environment_read(first->directory);
	for (unsigned i = 0; i < inputs->len; i++) {
		struct input *in = g_ptr_array_index(inputs, i);

		if (in->summary)
			verify_environment_from_summary(b->env, in->summary);
		verify_environment_from_events(b->env, in->recording);
	}
	if (!configure(b, inputs, o, error)) {
		bench_free(b);
		return NULL;
	}
	if (!strcmp(b->env->mode, "strict"))
		mode = IOMMU_STRICT;
	else if (!strcmp(b->env->mode, "lazy"))
		mode = IOMMU_LAZY;
	else if (!strcmp(b->env->mode, "off"))
		mode = IOMMU_OFF;
	b->calls_only = o->from_calls;
	b->params = *(const struct nvme_params *)config_get(b->config, &nvme_param_table);
	if (!nvme_params_resolve(&b->params, error)) {
		bench_free(b);
		return NULL;
	}
	b->machine = machine_new(b->config, mode, b->env->kernel, FIDELITY_COUNTS, 1, error);
	b->devices = g_ptr_array_new();
	b->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	/* Domain ids are given in the order of the groups. */
	for (unsigned i = 0; b->machine && i < b->env->devices->len; i++) {
		struct device *dev = machine_add_device(b->machine, g_ptr_array_index(b->env->devices, i),
							error);

		if (!dev) {
			bench_free(b);
			return NULL;
		}
		g_ptr_array_add(b->devices, dev);
	}
	if (!b->machine || !choose_usual(b, inputs, error)) {
		bench_free(b);
		return NULL;
	}
	return b;
}

static uint64_t magazine_size(const struct bench *b)
{
	const struct iova_params *p = config_get(b->config, &iova_param_table);

	return p->magazine_size;
}

/* ---- one boot ---- */

/* The first range handed out is the topmost one: nothing had been allocated before. */
static bool starts_fresh(const struct operations *o)
{
	for (unsigned i = 0; i < o->recording->events->len; i++) {
		const struct recording_event *e = recording_at(o->recording, i);
		const struct replay_op *op;
		uint64_t pages;

		if (e->kind != REC_IOVA_ALLOC)
			continue;
		op = o->owner[i] ? operations_at(o, o->owner[i] - 1) : NULL;
		pages = 1ull << order_base_2(e->iova.pages);
		return op && op->tree && op->pfn + pages == e->iova.limit + 1;
	}
	return !o->has_iommu; /* without translation there is no such state */
}

static void totals_add(struct replay_totals *to, const struct replay_totals *t, int sign)
{
	uint64_t *a = (uint64_t *)to;
	const uint64_t *b = (const uint64_t *)t;

	for (unsigned i = 0; i < sizeof(*t) / sizeof(uint64_t); i++)
		a[i] += sign > 0 ? b[i] : -b[i];
}

static void recording_result_free(void *data)
{
	struct verify_recording *v = data;

	g_free(v->path);
	g_free(v->name);
	g_free(v->divergence);
	g_free(v);
}

static void boot_free(void *data)
{
	struct verify_boot *b = data;

	g_ptr_array_unref(b->recordings);
	g_free(b->name);
	g_free(b);
}

static void verify_one(struct verify_boot *boot, struct bench *b, struct replay *r, struct input *in,
		       struct operations *ops)
{
	struct verify_recording *v = g_new0(struct verify_recording, 1);
	struct count_snapshot before, after;

	v->path = g_strdup(in->path);
	v->name = g_strdup(in->name);
	v->events = in->recording->events->len;
	v->lost = in->recording->lost;
	v->summary = in->summary != NULL;
	replay_prepare(r, ops);
	count_snapshot_take(&before, b->machine, replay_totals(r));
	before.totals.model_timers = dma_replay_model_timeouts(b->usual);
	v->complete = replay_run(r, ops);
	count_snapshot_take(&after, b->machine, replay_totals(r));
	after.totals.model_timers = dma_replay_model_timeouts(b->usual);
	if (v->complete && in->summary)
		after.totals.counts += verify_counts(r, in->path, in->summary, in->recording, &before, &after,
						     boot, b->nvme ? replay_nvme_limits(b->nvme) : NULL);
	after.totals.divergences = replay_totals(r)->divergences;
	v->totals = after.totals;
	totals_add(&v->totals, &before.totals, -1);
	totals_add(&boot->totals, &v->totals, 1);
	v->divergence = g_strdup(replay_divergence(r));
	replay_clear_divergence(r);
	g_ptr_array_add(boot->recordings, v);
}

/*
 * One pass over a boot. fills: of its recordings, NULL in the first pass; fitted: gets the fills that would
 * explain what this pass could not predict, may be NULL.
 */
static struct verify_boot *run_boot(GPtrArray *inputs, const char *name, const struct verify_options *o,
				    const struct replay_fill *fills, struct replay_fill *fitted,
				    GError **error)
{
	struct bench *b = bench_new(inputs, o, error);
	struct verify_boot *boot;
	struct replay *r = NULL;

	if (!b)
		return NULL;
	boot = g_new0(struct verify_boot, 1);
	boot->name = g_strdup(name);
	boot->kernel = b->env->kernel;
	boot->mode = b->env->mode;
	boot->recordings = g_ptr_array_new_with_free_func(recording_result_free);
	for (unsigned i = 0; i < inputs->len; i++) {
		struct input *in = g_ptr_array_index(inputs, i);
		struct operations *ops = operations_new(in->recording);

		if (!r) {
			struct replay_config c = {.sim = &b->machine->sim,
						  .layer = b->machine->dma,
						  .device = find_device,
						  .arg = b,
						  .nvme = b->nvme,
						  .magazine_size = (unsigned)magazine_size(b),
						  .fills = fills,
						  .stop = o->stop};

			c.fresh = boot->fresh = starts_fresh(ops);
			r = replay_new(&c);
			for (unsigned d = 0; !c.fresh && d < b->devices->len; d++)
				if (((struct device *)g_ptr_array_index(b->devices, d))->domain)
					dma_replay_cache_unknown(g_ptr_array_index(b->devices, d), -1, -1, 0,
								 true);
			if (!c.fresh && !b->devices->len && b->usual->domain)
				dma_replay_cache_unknown(b->usual, -1, -1, 0, true);
		}
		verify_one(boot, b, r, in, ops);
		for (unsigned order = 0; fitted && order < REPLAY_ORDERS; order++)
			if (replay_explained(r, order))
				fitted[i * REPLAY_ORDERS + order] = replay_fit(r, order);
		operations_free(ops);
		if (o->stop && *o->stop)
			break;
	}
	replay_free(r);
	bench_free(b);
	return boot;
}

/*
 * How full the caches were when a recording began is unknown. Where that mattered, a second pass takes
 * the fill that explains the recording best.
 */
static struct verify_boot *verify_inputs(GPtrArray *inputs, const char *name, const struct verify_options *o,
					 GError **error)
{
	g_autofree struct replay_fill *fills = g_new0(struct replay_fill, inputs->len * REPLAY_ORDERS);
	struct verify_boot *boot = run_boot(inputs, name, o, NULL, fills, error), *again;

	if (!boot || !boot->totals.explained || boot->totals.divergences)
		return boot;
	again = run_boot(inputs, name, o, fills, NULL, NULL);
	if (!again || again->totals.divergences || again->totals.explained >= boot->totals.explained) {
		if (again)
			boot_free(again);
		return boot;
	}
	boot_free(boot);
	return again;
}

static bool verify_group(GPtrArray *boots, GPtrArray *inputs, const char *name,
			 const struct verify_options *o, GError **error)
{
	struct verify_boot *boot = verify_inputs(inputs, name, o, error);

	if (boot)
		g_ptr_array_add(boots, boot);
	return boot != NULL;
}

/* Files that follow one another and lie in one directory are one boot. */
static unsigned read_files(char *const *paths, unsigned n, GPtrArray *inputs, GError **error)
{
	unsigned used = 0;

	for (; used < n && !g_file_test(paths[used], G_FILE_TEST_IS_DIR); used++) {
		struct input *in = input_new(paths[used], error);
		const struct input *first;

		if (!in)
			return 0;
		first = inputs->len ? g_ptr_array_index(inputs, 0) : in;
		if (strcmp(first->directory, in->directory)) {
			input_free(in);
			break;
		}
		g_ptr_array_add(inputs, in);
	}
	return used;
}

GPtrArray *verify_paths(char *const *paths, unsigned n, const struct verify_options *o, GError **error)
{
	GPtrArray *boots = g_ptr_array_new_with_free_func(boot_free);
	unsigned used;

	for (unsigned i = 0; i < n; i += used) {
		g_autofree char *name = NULL;
		GPtrArray *inputs;
		bool ok;

		if (g_file_test(paths[i], G_FILE_TEST_IS_DIR)) {
			g_autofree char *full = g_canonicalize_filename(paths[i], NULL);

			inputs = read_directory(paths[i], error);
			name = g_path_get_basename(full);
			used = 1;
		} else {
			inputs = g_ptr_array_new_with_free_func(input_free);
			used = read_files(paths + i, n - i, inputs, error);
			if (used) {
				g_autofree char *full = g_canonicalize_filename(paths[i], NULL);
				g_autofree char *dir = g_path_get_dirname(full);

				name = g_path_get_basename(dir);
			}
		}
		ok = inputs && inputs->len && used && verify_group(boots, inputs, name, o, error);
		if (inputs)
			g_ptr_array_unref(inputs);
		if (!ok) {
			g_ptr_array_unref(boots);
			return NULL;
		}
	}
	return boots;
}

bool verify_equal(const GPtrArray *boots)
{
	for (unsigned i = 0; i < boots->len; i++) {
		const struct verify_boot *b = g_ptr_array_index((GPtrArray *)boots, i);

		if (b->totals.divergences)
			return false;
		for (unsigned k = 0; k < b->recordings->len; k++)
			if (!((struct verify_recording *)g_ptr_array_index(b->recordings, k))->complete)
				return false;
	}
	return true;
}
