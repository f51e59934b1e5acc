/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the instance's buffer to a compressed text file. Where a CPU's buffer was too small, its oldest events
 * are overwritten while those of other CPUs are still there; the recording then begins where all are
 * complete.
 */
#include "internal.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

struct packer {
	FILE *out;
	ZSTD_CCtx *context;
	char *room;
	size_t size;
	const char *path;
};

static bool packer_write(struct packer *p, const char *data, size_t len, ZSTD_EndDirective end,
			 GError **error)
{
	ZSTD_inBuffer in = {data, len, 0};
	size_t left;

	do {
		ZSTD_outBuffer out = {p->room, p->size, 0};

		left = ZSTD_compressStream2(p->context, &out, &in, end);
		if (ZSTD_isError(left)) {
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT, "%s: %s", p->path,
				    ZSTD_getErrorName(left));
			return false;
		}
		if (fwrite(p->room, 1, out.pos, p->out) != out.pos) {
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT, "%s: %s", p->path,
				    g_strerror(errno));
			return false;
		}
	} while (end == ZSTD_e_end ? left : in.pos < in.size);
	return true;
}

/* "  task-pid [001] ...1.  12.345678: event: ..." -> 12345678; 0: no event. */
static uint64_t line_time_us(const char *line)
{
	for (const char *p = line; *line != '#' && (p = strchr(p, ':')); p++) {
		const char *dot = p, *start;
		char *end;

		while (dot > line && g_ascii_isdigit(dot[-1]))
			dot--;
		if (p - dot != 6 || dot == line || dot[-1] != '.')
			continue;
		for (start = dot - 1; start > line && g_ascii_isdigit(start[-1]);)
			start--;
		if (start < dot - 1 && start > line && start[-1] == ' ')
			return strtoull(start, &end, 10) * 1000000 + strtoull(dot, &end, 10);
	}
	return 0;
}

/* Per CPU: what was lost, and since when the buffer is complete. */
static uint64_t complete_since(const char *instance, uint64_t *lost)
{
	g_autofree char *cpus = g_build_filename(instance, "per_cpu", NULL);
	GDir *dir = g_dir_open(cpus, 0, NULL);
	uint64_t since = 0;
	const char *cpu;

	*lost = 0;
	while (dir && (cpu = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(cpus, cpu, "stats", NULL), *text = NULL;
		uint64_t of_cpu = 0, oldest = 0, value, micros;
		g_auto(GStrv) lines = NULL;

		if (!g_file_get_contents(file, &text, NULL, NULL))
			continue;
		lines = g_strsplit(text, "\n", -1);
		for (char **line = lines; *line; line++) {
			if (sscanf(*line, "oldest event ts: %" SCNu64 ".%" SCNu64, &value, &micros) == 2)
				oldest = value * 1000000 + micros;
			else if (sscanf(*line, "overrun: %" SCNu64, &value) == 1 ||
				 sscanf(*line, "commit overrun: %" SCNu64, &value) == 1 ||
				 sscanf(*line, "dropped events: %" SCNu64, &value) == 1)
				of_cpu += value;
		}
		*lost += of_cpu;
		if (of_cpu)
			since = MAX(since, oldest);
	}
	if (dir)
		g_dir_close(dir);
	return since;
}

static bool copy_lines(FILE *in, struct packer *p, uint64_t since, struct record_result *result,
		       GError **error)
{
	bool ok = true, begun = !since;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	while (ok && (len = getline(&line, &room, in)) > 0) {
		uint64_t at = line_time_us(line);

		begun |= at > since;
		if (begun || *line == '#') {
			result->events += at != 0;
			ok = packer_write(p, line, (size_t)len, ZSTD_e_continue, error);
		} else {
			result->cut += at != 0;
		}
	}
	free(line);
	if (ok && ferror(in)) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT, "reading the trace: %s",
			    g_strerror(errno));
		ok = false;
	}
	return ok && packer_write(p, NULL, 0, ZSTD_e_end, error);
}

bool collect_trace(const char *instance, const char *path, struct record_result *result, GError **error)
{
	struct packer p = {.path = path, .size = ZSTD_CStreamOutSize()};
	uint64_t since = complete_since(instance, &result->lost);
	g_autofree char *name = g_build_filename(instance, "trace", NULL);
	FILE *in = fopen(name, "re");
	bool ok = false;

	if (!in) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT, "%s: %s", name, g_strerror(errno));
		return false;
	}
	p.out = fopen(path, "wxe");
	if (!p.out) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT, "%s: %s", path, g_strerror(errno));
	} else {
		p.context = ZSTD_createCCtx();
		p.room = g_malloc(p.size);
		ok = copy_lines(in, &p, since, result, error);
		if (fclose(p.out) && ok) {
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT, "%s: %s", path,
				    g_strerror(errno));
			ok = false;
		}
		ZSTD_freeCCtx(p.context);
		g_free(p.room);
	}
	fclose(in);
	return ok;
}
