/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings of one boot after another: replay and comparison. */
#include "internal.h"

#include <string.h>

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
	g_free(b->undecided);
	g_free(b->name);
	g_free(b);
}

/* Of the first drive, which summaries tell of. */
static const struct blk_limits *drive_limits(const struct verify_machine *b)
{
	for (unsigned i = 0; i < b->nvme->len; i++)
		if (b->nvme->pdata[i])
			return replay_nvme_limits(b->nvme->pdata[i]);
	return NULL;
}

static void verify_one(struct verify_boot *boot, struct verify_machine *b, struct replay *r,
		       struct verify_input *in, struct operations *ops)
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
	v->complete = replay_run(r, ops);
	boot->fresh = replay_began_fresh(r, b->usual);
	count_snapshot_take(&after, b->machine, replay_totals(r));
	if (v->complete && in->summary)
		after.totals.counts += verify_counts(r, in->path, in->summary, in->recording, &before, &after,
						     boot, drive_limits(b));
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
	struct verify_machine *b = verify_machine_new(inputs, o, error);
	const struct iova_params *iova;
	struct verify_boot *boot;
	struct replay *r = NULL;

	if (!b)
		return NULL;
	iova = config_get(b->config, &iova_param_table);
	boot = g_new0(struct verify_boot, 1);
	boot->name = g_strdup(name);
	boot->kernel = b->env->kernel;
	boot->mode = b->env->mode;
	boot->recordings = g_ptr_array_new_with_free_func(recording_result_free);
	for (unsigned i = 0; i < inputs->len; i++) {
		struct verify_input *in = g_ptr_array_index(inputs, i);
		struct operations *ops = operations_new(in->recording);

		if (!r) {
			struct replay_config c = {.sim = &b->machine->sim,
						  .layer = b->machine->dma,
						  .device = verify_machine_device,
						  .arg = b,
						  .nvme = b->nvme,
						  .magazine_size = iova->magazine_size
								       ? (unsigned)iova->magazine_size
								       : b->env->kernel->magazine_size,
						  .fills = fills,
						  .stop = o->stop};

			r = replay_new(&c);
		}
		verify_one(boot, b, r, in, ops);
		for (unsigned order = 0; fitted && order < REPLAY_ORDERS; order++)
			if (replay_explained(r, order))
				fitted[i * REPLAY_ORDERS + order] = replay_fit(r, order);
		operations_free(ops);
		if (o->stop && *o->stop)
			break;
	}
	boot->undecided = r ? verify_undecided(r, boot) : NULL;
	replay_free(r);
	verify_machine_free(b);
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

			inputs = verify_read_directory(paths[i], error);
			name = g_path_get_basename(full);
			used = 1;
		} else {
			inputs = verify_inputs_new();
			used = verify_read_files(paths + i, n - i, inputs, error);
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
