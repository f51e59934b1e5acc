/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expiry of kernel timers (kernel/time/timer.c): the delay is rounded up to ticks, and the wheel puts
 * the timer into the next slot of its level, so that it never fires early. Level n holds delays below
 * 63 * 8^n ticks with a granularity of 8^n.
 */
#include "timer.h"

#define LEVEL_BUCKETS 64u
#define LEVEL_SHIFT 3u /* each level is 8 times coarser */
#define LEVELS 9u

sim_time_t timer_expiry(sim_time_t now, sim_time_t delay, uint64_t hz)
{
	unsigned __int128 one_second = SIM_S;
	uint64_t jiffies = (uint64_t)((unsigned __int128)now * hz / one_second);
	uint64_t ticks = (uint64_t)(((unsigned __int128)delay * hz + one_second - 1) / one_second);
	unsigned level = 0;

	while (level < LEVELS - 1 && ticks >= (uint64_t)(LEVEL_BUCKETS - 1) << (LEVEL_SHIFT * level))
		level++;
	jiffies = (((jiffies + ticks) >> (LEVEL_SHIFT * level)) + 1) << (LEVEL_SHIFT * level);
	return (sim_time_t)(((unsigned __int128)jiffies * one_second + hz - 1) / hz);
}
