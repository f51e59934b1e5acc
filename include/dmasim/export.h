/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libdmasim.so exports: the functions and data that are marked in these headers, and nothing else.
 * Within a major version (the soname) nothing that is marked here changes its meaning or its arguments or
 * goes away, and no public structure changes its layout; what is added leaves both as they are.
 */
#ifndef DMASIM_EXPORT_H
#define DMASIM_EXPORT_H

#define DMASIM_API __attribute__((visibility("default")))

#endif
