/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A link probe needs a file of its own; what it proves is the floor that is linked into it (Helpers.cmake).
 */
extern const int dmasim_probe;
const int dmasim_probe = 1;
