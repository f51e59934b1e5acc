/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One importer on arbitrary bytes: DMASIM_FUZZ_FORMAT names it ("" leaves it to detection). With
 * clang, -DDMASIM_FUZZ=ON builds one libFuzzer program per importer from this file; the property test
 * test_trace_fuzz runs it on mutated samples in every build.
 */
#include <dmasim/trace.h>

#include <sys/mman.h>
#include <unistd.h>

#ifndef DMASIM_FUZZ_FORMAT
#define DMASIM_FUZZ_FORMAT ""
#endif

int fuzz_trace(const char *format, const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int fuzz_trace(const char *format, const uint8_t *data, size_t size)
{
	struct trace_options o = TRACE_OPTIONS_DEFAULT;
	struct trace_record rec;
	struct trace_reader *r;
	GError *error = NULL;
	char path[64];
	int fd = memfd_create("trace", MFD_CLOEXEC), rc = -1;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	g_snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	o.format = format[0] ? format : NULL;
	o.bad_limit = 1; /* go on behind bad records: more code is reached */
	r = trace_open(path, &o, &error);
	if (r)
		while ((rc = trace_next(r, &rec, &error)) == 1) {
			uint64_t sum = rec.time_ns + rec.device;

			g_assert(trace_device_name(r, rec.device) != NULL);
			for (uint32_t i = 0; i < rec.nsegs; i++)
				sum += rec.segs[i].phys + rec.segs[i].len;
			__asm__ volatile("" : : "r"(sum)); /* every byte handed out is really there */
		}
	g_assert((rc < 0) == (error != NULL));
	g_clear_error(&error);
	trace_close(r);
	close(fd);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_trace(DMASIM_FUZZ_FORMAT, data, size);
}
