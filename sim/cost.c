/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cost.h"

const struct cost_info cost_info[COST_COUNT] = {
#define X(id, key, ns, source, help) [COST_##id] = {key, source, help, ns},
    COST_STEPS(X)
#undef X
};
