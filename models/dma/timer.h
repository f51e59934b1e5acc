/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DMASIM_DMA_TIMER_H
#define DMASIM_DMA_TIMER_H

#include <dmasim/types.h>

/* When a kernel timer armed now for delay fires: delay in ticks of CONFIG_HZ, on the timer wheel. */
sim_time_t timer_expiry(sim_time_t now, sim_time_t delay, uint64_t hz);

#endif
