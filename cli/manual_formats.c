/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual pages of the file formats (section 5). */
#include "manual.h"

#include <string.h>

struct row {
	const char *tag, *text;
};

static void rows(GString *out, const struct row *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		manual_tag(out, r[i].tag, r[i].text);
}

static void parameter(GString *out, const struct param_spec *s)
{
	g_autofree char *tag = g_strdup_printf("%s = %s", s->name, s->def ? s->def : "");

	manual_tag(out, tag, s->help);
	if (s->choices) {
		g_autofree char *choices = g_strjoinv(", ", (char **)s->choices);

		g_string_append(out, "; one of: ");
		manual_text(out, choices);
	}
	if (s->source) {
		g_string_append(out, ". Source: ");
		manual_text(out, s->source);
	}
	g_string_append_c(out, '\n');
}

void manual_scenario(GString *out)
{
	manual_begin(out, "dmasim-scenario", 5, "what a run, a comparison or a sweep does");
	manual_heading(out, "DESCRIPTION");
	manual_text(
	    out,
	    "An .ini file: sections in brackets, key = value lines, comment lines that start with # or ;. "
	    "Sizes take B, KiB, MiB, GiB (and kB, MB, GB for powers of 1000), times ps, ns, us, ms, s. "
	    "An unknown section or key, a wrong unit or a value out of range is an error that names file and "
	    "line. Paths are relative to the file. Every result contains its effective scenario, from which "
	    "it can be run again.\n");
	for (const struct param_table *const *t = config_tables(); *t; t++) {
		g_string_append_printf(out, ".SH [%s]\n", (*t)->section);
		if ((*t)->help) {
			manual_text(out, (*t)->help);
			g_string_append_c(out, '\n');
		}
		for (size_t i = 0; i < (*t)->nspecs; i++)
			parameter(out, &(*t)->specs[i]);
	}
	g_string_append(out, ".SH [sweep]\n");
	manual_tag(out, "section.key = V1, V2, ...",
		   "vary a parameter over a list or a range FIRST..LAST+STEP or FIRST..LAST*FACTOR, as "
		   "--vary does for dmasim sweep");
}

void manual_trace(GString *out)
{
	static const struct row nvme[] = {
	    {"time_ns", "nanoseconds since the start of the trace"},
	    {"cpu, device, queue", "submitting CPU, device name, hardware queue"},
	    {"op", "R read, W write, F flush, D discard"},
	    {"offset, bytes", "on the device, in bytes"},
	    {"segments",
	     "optional: the request's vectors as handed over, not merged, phys+len[:kind[:node]] joined "
	     "by |; phys in hex, len in decimal bytes, kind ram, p2p or mmio (ram if absent)"},
	    {"done_ns, done_cpu", "optional: when and where the request completed"},
	};
	static const struct row odp[] = {
	    {"time_ns, cpu, device", "as above"},
	    {"event", "reg, fault, prefetch, inval, dereg, access"},
	    {"mr, offset, bytes", "memory region and range in it"},
	    {"write, segments, va, access, implicit", "optional"},
	};
	static const struct row vfio[] = {
	    {"time_ns, cpu, device", "as above"},
	    {"event", "alloc, save, load, read, free, track_start, track_read, track_stop"},
	    {"buffer, bytes", "migration buffer and its size"},
	    {"offset, segments, direction, purpose, incremental", "optional"},
	};
	static const struct row binary[] = {
	    {"dmt",
	     "the same records in blocks that are compressed with zstd and carry a checksum; versioned, "
	     "little endian"},
	};

	manual_begin(out, "dmasim-trace", 5, "native trace format of dmasim");
	manual_heading(out, "DESCRIPTION");
	manual_text(
	    out, "A CSV file whose first line is `# dmasim-trace v1`, then a header line that names the "
		 "columns, then one record per line; other lines that start with # are comments. The columns "
		 "tell the workload. .gz, .xz, .zst and .bz2 files and standard input (-) are read as they "
		 "are. dmasim trace convert turns other formats into this one.\n");
	manual_heading(out, "NVME");
	rows(out, nvme, G_N_ELEMENTS(nvme));
	manual_heading(out, "RDMA ON-DEMAND PAGING");
	rows(out, odp, G_N_ELEMENTS(odp));
	manual_heading(out, "VFIO MIGRATION");
	rows(out, vfio, G_N_ELEMENTS(vfio));
	manual_heading(out, "BINARY FORM");
	rows(out, binary, G_N_ELEMENTS(binary));
	manual_heading(out, "OTHER FORMATS READ");
	for (const struct trace_format *const *f = trace_formats(); *f; f++)
		manual_tag(out, (*f)->name, (*f)->help);
}

static void statistics(GString *out, const struct stat_table *t)
{
	for (size_t i = 0; i < t->nspecs; i++) {
		g_autofree char *tag = t->specs[i].unit && *t->specs[i].unit
					   ? g_strdup_printf("%s [%s]", t->specs[i].name, t->specs[i].unit)
					   : g_strdup(t->specs[i].name);

		manual_tag(out, tag, t->specs[i].help);
	}
}

void manual_result(GString *out)
{
	static const struct row files[] = {
	    {"result.json",
	     "everything: schema version, effective scenario, provenance, one object per run with its "
	     "statistics, histograms and memory accounts; of measuring workloads also curve: {columns: "
	     "[name, ...], rows: [[number, ...], ...]}"},
	    {"summary.csv", "one row per run, one column per statistic"},
	    {"timeseries.csv", "optional: one row per interval and run"},
	    {"curve.csv", "of measuring workloads: one row per measured point and run"},
	    {"latency.hgrm", "latency distributions in HdrHistogram's percentile text form"},
	    {"timeline.json", "optional: Chrome trace events, opens in Perfetto"},
	    {"timing.json", "host time of the run; the only file that differs between equal runs"},
	    {"plots/", "figures, each with its gnuplot script and data"},
	};

	manual_begin(out, "dmasim-result", 5, "result directory of dmasim");
	manual_heading(out, "DESCRIPTION");
	manual_text(
	    out, "Files are written under a temporary name, synced and renamed: a result is whole or absent. "
		 "They depend only on scenario, inputs, seed and version. A statistic that no model computes "
		 "is null.\n");
	manual_heading(out, "FILES");
	rows(out, files, G_N_ELEMENTS(files));
	manual_heading(out, "STATISTICS");
	for (const struct stat_group *g = stat_groups; g->table; g++)
		statistics(out, g->table);
	for (const struct workload_ops *const *w = workloads; *w; w++)
		if ((*w)->stats)
			statistics(out, (*w)->stats);
	manual_heading(out, "MEMORY ACCOUNTS");
	for (int a = 0; a < LEDGER_COUNT; a++)
		manual_tag(out, ledger_name(a), ledger_help(a));
}
