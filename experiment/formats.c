/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one list of trace formats: a new one adds its line here. */
#include "trace/reader.h"

/* In order of detection: magic bytes first, then the most telling lines. */
/* clang-format off */
static const struct format_ops *const formats[] = {
    &format_native_dmt,
    &format_blktrace,
    &format_trace_dat,
    &format_native_csv,
    &format_fio,
    &format_systor,
    &format_msr,
    &format_alibaba,
    &format_tencent,
    &format_spc,
    &format_mqsim,
    &format_disksim,
    &format_fiu,
    &format_blkparse,
    &format_qemu,
    &format_ftrace,
    &format_dma_calls,
    NULL,
};
/* clang-format on */

const struct trace_format *const *trace_formats(void)
{
	static const struct trace_format *const list[] = {
	    &format_native_dmt.pub, &format_native_csv.pub, &format_fio.pub, &format_ftrace.pub, NULL,
	};

	return list;
}

struct trace_reader *trace_open(const char *path, const struct trace_options *o, GError **error)
{
	return reader_open(formats, path, o, error);
}
