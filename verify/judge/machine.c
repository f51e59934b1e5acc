/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine like the recorded one: kernel, mode, limits, devices in the order of their groups. */
#include "internal.h"

#include <inttypes.h>
#include <string.h>

void verify_machine_free(struct verify_machine *b)
{
	if (!b)
		return;
	if (b->nvme)
		g_ptr_array_unref(b->nvme);
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
static bool decide(struct verify_machine *b, const struct verify_options *o, GError **error)
{
	const struct kernel_params *kernel = config_get(b->config, &kernel_param_table);
	const struct iommu_params *iommu = config_get(b->config, &iommu_param_table);
	const struct swiotlb_params *swiotlb = config_get(b->config, &swiotlb_param_table);

	if (user_names(o, "kernel.version")) {
		b->env->kernel = kernel_profile_for(kernel->version, NULL, error);
		if (!b->env->kernel) {
			g_prefix_error(error, "--set kernel.version: ");
			return false;
		}
	}
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

static bool configure(struct verify_machine *b, GPtrArray *inputs, const struct verify_options *o,
		      GError **error)
{
	struct verify_environment *e = b->env;
	g_autofree char *tree = verify_topology_describe(e->topology);
	uint64_t cpus = e->cpus;

	b->config = config_copy(o->machine);
	for (unsigned i = 0; i < inputs->len; i++) {
		const struct verify_input *in = g_ptr_array_index(inputs, i);

		cpus = MAX(cpus, in->recording->ncpus);
	}
	return set_number(b->config, "cpu.count", cpus, true, error) &&
	       set_number(b->config, "nvme.mdts", e->mdts ? (uint64_t)PAGE_SIZE << e->mdts : 0, true,
			  error) &&
	       (!e->sgl || config_set(b->config, "nvme.sgl", e->sgl, "the recording's environment", error)) &&
	       set_number(b->config, "flush_queue.hz", e->hz, true, error) &&
	       set_number(b->config, "iommu.cap", e->cap, false, error) &&
	       set_number(b->config, "iommu.ecap", e->ecap, false, error) &&
	       (!e->scalable || config_set(b->config, "iommu.scalable", "true", "the recording", error)) &&
	       (!verify_topology_matters(e->topology) ||
		(config_set(b->config, "pcie.topology", tree, "the recording's environment", error) &&
		 config_set(b->config, "p2p.any_host_bridge", e->forwards ? "true" : "false", "the recording",
			    error))) &&
	       set_number(b->config, "swiotlb.size", e->bounce_size, true, error) &&
	       set_number(b->config, "swiotlb.base", e->bounce_base, true, error) &&
	       set_number(b->config, "swiotlb.areas", e->bounce_areas, true, error) &&
	       apply_user(b->config, o, error) && decide(b, o, error) &&
	       (strcmp(e->mode, "swiotlb") || config_set(b->config, "swiotlb.force", "true", "mode", error));
}

static struct device *machine_device(struct verify_machine *b, const char *name, GError **error)
{
	struct device *dev = g_hash_table_lookup(b->by_name, name);
	int group = verify_environment_group(b->env, name);
	unsigned bits;

	if (dev)
		return dev;
	/* Functions of one group share its domain. */
	dev = group >= 0 ? g_ptr_array_index(b->devices, group) : machine_add_device(b->machine, name, error);
	bits = GPOINTER_TO_UINT(g_hash_table_lookup(b->env->dma_masks, name));
	if (dev && bits > 32)
		dma_set_mask(dev, bits < 64 ? (1ull << bits) - 1 : UINT64_MAX);
	if (dev)
		g_hash_table_insert(b->by_name, g_strdup(name), dev);
	return dev;
}

struct device *verify_machine_device(void *arg, const char *name)
{
	struct verify_machine *b = arg;

	return *name ? machine_device(b, name, NULL) : b->usual;
}

/* What the recordings tell of devices, gathered in one pass. */
struct device_survey {
	const char *most;     /* named most often, NULL: none is named */
	int did;              /* domain of the first page-selective descriptor, -1 */
	bool long_segments;   /* list entries were joined beyond 64 KiB */
	GHashTable *named;    /* devices that events name */
	uint64_t controllers; /* bit per NVMe controller that had I/O commands */
};

/* The function behind a controller: the device that is named next where its command was set up. */
static void learn_controller(struct verify_environment *env, const struct recording *r, unsigned k)
{
	const struct recording_event *setup = recording_at(r, k);
	unsigned ctrl = setup->nvme.ctrl;

	if (!setup->nvme.io || (ctrl < env->controllers->len && env->controllers->pdata[ctrl]))
		return;
	for (unsigned i = k + 1; i < r->events->len && i < k + 64; i++) {
		const struct recording_event *e = recording_at(r, i);

		if (e->pid != setup->pid || e->cpu != setup->cpu || e->level != setup->level)
			continue;
		if (e->kind == REC_NVME_SETUP || e->kind == REC_NVME_COMPLETE)
			return;
		if (strchr(recording_name(r, e->device), ':')) {
			verify_environment_controller(env, ctrl, recording_name(r, e->device));
			return;
		}
	}
}

static void survey(struct verify_machine *b, GPtrArray *inputs, struct device_survey *s)
{
	GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
	unsigned most = 0;

	*s = (struct device_survey){.did = -1, .named = seen};
	for (unsigned i = 0; i < inputs->len; i++) {
		const struct recording *r = ((struct verify_input *)g_ptr_array_index(inputs, i))->recording;

		for (unsigned k = 0; k < r->events->len; k++) {
			const struct recording_event *e = recording_at(r, k);
			const char *name = recording_name(r, e->device);
			unsigned n;

			if (e->kind == REC_NVME_SETUP && e->nvme.ctrl < VERIFY_CONTROLLERS) {
				s->controllers |= 1ull << e->nvme.ctrl;
				learn_controller(b->env, r, k);
			}
			if (e->kind == REC_DMA_MAP_SG && e->sg.phys.count > e->sg.addrs.count)
				for (unsigned l = 0; l < e->sg.lens.count; l++)
					s->long_segments |= recording_list(r, e->sg.lens)[l] > 65536;
			if (e->kind == REC_QI_SUBMIT && (e->qi.qw0 & 15) == QI_IOTLB && s->did < 0)
				s->did = (int)(e->qi.qw0 >> 16 & 0xffff);
			if (!strchr(name, ':'))
				continue;
			n = GPOINTER_TO_UINT(g_hash_table_lookup(seen, name)) + 1;
			g_hash_table_insert(seen, (char *)name, GUINT_TO_POINTER(n));
			if (n > most) {
				most = n;
				s->most = name;
			}
		}
	}
}

/* The device of events that name none: the one most often named, else that of the first descriptor. */
static struct device *choose_usual(struct verify_machine *b, const struct device_survey *s, GError **error)
{
	const char *best = s->most;

	if (!best && s->did >= 2 && (unsigned)s->did - 2 < b->env->devices->len)
		best = g_ptr_array_index(b->env->devices, (unsigned)s->did - 2);
	if (!best && s->controllers && b->env->controllers->len)
		best = g_ptr_array_index(b->env->controllers, 0);
	return machine_device(b, best ? best : "0000:00:01.0", error);
}

static void free_nvme(void *n)
{
	replay_nvme_free(n);
}

/* Drives with their driver side; one whose function nobody tells is the usual device. */
static bool add_controllers(struct verify_machine *b, const struct device_survey *s, GError **error)
{
	b->nvme = g_ptr_array_new_with_free_func(free_nvme);
	for (unsigned i = 0; i < VERIFY_CONTROLLERS; i++) {
		const char *name = i < b->env->controllers->len ? b->env->controllers->pdata[i] : NULL;
		bool used = s->controllers >> i & 1;
		struct device *dev;

		g_ptr_array_add(b->nvme, NULL);
		if (!used && (!name || !s->named || !g_hash_table_contains(s->named, name)))
			continue;
		dev = name ? machine_device(b, name, error) : b->usual;
		if (!dev)
			return false;
		/* What the NVMe driver sets at probe. */
		dma_set_mask(dev, UINT64_MAX);
		dma_set_max_seg_size(dev, UINT32_MAX);
		dma_set_min_align_mask(dev, (uint32_t)PAGE_SIZE - 1);
		if (used && !b->calls_only)
			b->nvme->pdata[i] = replay_nvme_new(b->machine, dev, name, &b->params);
	}
	return true;
}

static bool add_devices(struct verify_machine *b, GPtrArray *inputs, GError **error)
{
	struct device_survey s;
	bool ok;

	survey(b, inputs, &s);
	b->usual = choose_usual(b, &s, error);
	ok = b->usual && add_controllers(b, &s, error);
	g_hash_table_unref(s.named);
	if (!ok)
		return false;
	/* Entries were joined beyond the PCI core's default: the driver has raised the limit. */
	if (s.long_segments && b->usual->max_segment_size != UINT32_MAX)
		dma_set_max_seg_size(b->usual, UINT32_MAX);
	return true;
}

struct verify_machine *verify_machine_new(GPtrArray *inputs, const struct verify_options *o, GError **error)
{
	const struct verify_input *first = g_ptr_array_index(inputs, 0);
	struct verify_machine *b = g_new0(struct verify_machine, 1);
	enum iommu_mode mode = IOMMU_PASSTHROUGH;

	b->env = verify_environment_read(first->directory);
	for (unsigned i = 0; i < inputs->len; i++) {
		struct verify_input *in = g_ptr_array_index(inputs, i);

		if (in->summary)
			verify_environment_from_summary(b->env, in->summary);
		verify_environment_from_events(b->env, in->recording);
	}
	if (!configure(b, inputs, o, error)) {
		verify_machine_free(b);
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
		verify_machine_free(b);
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
			verify_machine_free(b);
			return NULL;
		}
		g_ptr_array_add(b->devices, dev);
	}
	if (b->machine && verify_topology_has_peers(b->env->topology))
		verify_topology_provide(b->env->topology, b->machine);
	if (!b->machine || !add_devices(b, inputs, error)) {
		verify_machine_free(b);
		return NULL;
	}
	return b;
}
