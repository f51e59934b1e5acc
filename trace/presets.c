/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named settings of the generators. They are shapes that people ask for, not measurements: where a
 * number is taken from somewhere, the help says from where.
 */
#include <dmasim/trace.h>

#include <string.h>

static const struct trace_preset presets[] = {
    {"rand4k", "nvme", "4 KiB random reads, 32 in flight, one queue per CPU (the public fio matrix)",
     "sizes=4KiB cpus=4 rate=1000000 service=80us"},
    {"seq128k", "nvme", "128 KiB sequential reads from scattered pages",
     "pattern=sequential sizes=128KiB rate=25000 service=150us buffers=pages"},
    {"large1m", "nvme", "1 MiB writes from 2 MiB pages",
     "sizes=1MiB read_share=0 rate=3000 service=400us buffers=huge"},
    {"oltp", "nvme", "database: 8 KiB pages, skewed, 70 % reads, log writes, flushes",
     "pattern=zipf zipf_theta=0.9 sizes=8KiB:9,512:1 read_share=0.7 flush_share=0.01 rate=200000 "
     "arrival=poisson "
     "cpus=8 service=90us jitter=20us"},
    {"kvstore", "nvme", "log-structured store: mixed 4 KiB to 256 KiB, half sequential, with discards",
     "pattern=mixed sizes=4KiB:60,16KiB:20,64KiB:10,256KiB:10 read_share=0.6 discard_share=0.01 rate=150000 "
     "arrival=poisson cpus=8 service=100us jitter=30us"},
    {"bursty", "nvme", "bursts of 256 requests at 2 million/s, 10 ms apart",
     "sizes=4KiB:3,32KiB:1 rate=2000000 arrival=burst cpus=4"},
    {"gaps", "nvme", "64 KiB from user vectors that end inside pages (SGL drives)",
     "sizes=64KiB buffers=gaps rate=50000 service=100us"},
    {"drives24", "nvme", "24 drives, 4 KiB random reads, 16 CPUs", "devices=24 cpus=16 rate=10000000"},
    {"odp-storm", "rdma_odp", "fault storm: cold explicit regions touched at random",
     "regions=8 pattern=random"},
    {"odp-cow", "rdma_odp", "copy-on-write waves over warm regions, as after fork",
     "invalidate_every=256 invalidate_bytes=2MiB invalidate_pattern=wave write_share=1"},
    {"odp-reclaim", "rdma_odp", "single-page invalidations, as memory reclaim makes them",
     "invalidate_every=4 invalidate_bytes=4KiB invalidate_pattern=random"},
    {"odp-prefetch", "rdma_odp", "4 MiB prefetches ahead of sequential messages",
     "prefetch=4MiB pattern=sequential"},
    {"odp-sparse", "rdma_odp", "one implicit region over a sparse terabyte",
     "implicit=true regions=1 region_bytes=1TiB pattern=random"},
    {"migrate-idle", "vfio_migration", "one VF with 64 MiB of state, little changes",
     "state_bytes=64MiB dirty_rate=10"},
    {"migrate-busy", "vfio_migration", "four VFs with 512 MiB of state each, changing fast",
     "devices=4 state_bytes=512MiB dirty_rate=2000"},
    {"migrate-stopcopy", "vfio_migration", "no pre-copy: all state while the VM stands still",
     "precopy=false state_bytes=256MiB"},
};

const struct trace_preset *trace_preset_find(const char *name)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(presets); i++)
		if (strcmp(presets[i].name, name) == 0)
			return &presets[i];
	return NULL;
}

const struct trace_preset *trace_presets(unsigned *n)
{
	*n = G_N_ELEMENTS(presets);
	return presets;
}

bool trace_generator_set(const struct trace_generator *g, void *params, const char *setting, GError **error)
{
	const char *eq = strchr(setting, '=');
	char *key = eq ? g_strndup(setting, (gsize)(eq - setting)) : NULL;
	const struct param_spec *s = key ? param_find(g->params, key) : NULL;
	bool ok = s && param_set(s, params, eq + 1, error);

	if (!s) {
		const char **names = g_new(const char *, g->params->nspecs);
		const char *near;

		for (size_t i = 0; i < g->params->nspecs; i++)
			names[i] = g->params->specs[i].name;
		near = nearest_name(key ? key : setting, names, g->params->nspecs);
		g_set_error(error, PARAM_ERROR, 0, "generator %s: %s \"%s\"%s%s%s", g->name,
			    key ? "unknown key in" : "expected KEY=VALUE, found", setting,
			    near ? "; did you mean \"" : "; `dmasim trace generate` lists the keys",
			    near ? near : "",
			    !near ? ""
			    : key ? "\"?"
				  : "=...\"?");
		g_free(names);
	} else if (!ok) {
		g_prefix_error(error, "generator %s: %s: ", g->name, key);
	}
	g_free(key);
	return ok;
}

bool trace_preset_apply(const struct trace_preset *p, void *params, GError **error)
{
	const struct trace_generator *g = trace_generator_find(p->generator);
	char **settings = g_strsplit(p->settings, " ", -1);
	bool ok = true;

	for (unsigned i = 0; ok && settings[i]; i++)
		ok = *settings[i] == '\0' || trace_generator_set(g, params, settings[i], error);
	g_strfreev(settings);
	return ok;
}
