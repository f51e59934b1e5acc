/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stacks that take turns. */
#include "support.h"

#include "sim/fibre.h"

#define FIBRES 3u
#define TURNS 1000u

struct ring {
	struct fibre *main, *fibre[FIBRES];
	unsigned turns[FIBRES];
	GString *order;
};

struct seat {
	struct ring *ring;
	unsigned i;
};

/* Locals outlive the turns of the others; deep frames, too. */
static void turn(struct ring *ring, unsigned i, unsigned depth)
{
	volatile unsigned mine[64];

	for (unsigned k = 0; k < G_N_ELEMENTS(mine); k++)
		mine[k] = i * 1000 + depth * 100 + k;
	if (depth)
		turn(ring, i, depth - 1);
	else
		fibre_switch(ring->fibre[i], i + 1 < FIBRES ? ring->fibre[i + 1] : ring->main);
	for (unsigned k = 0; k < G_N_ELEMENTS(mine); k++)
		ck_assert_uint_eq(mine[k], i * 1000 + depth * 100 + k);
}

static void run(void *arg)
{
	struct seat *seat = arg;
	struct ring *ring = seat->ring;

	for (;;) {
		if (ring->turns[seat->i]++ < 2)
			g_string_append_c(ring->order, (char)('a' + seat->i));
		turn(ring, seat->i, ring->turns[seat->i] % 5);
	}
}

START_TEST(fibres_take_turns)
{
	struct ring ring = {.main = fibre_new_main(), .order = g_string_new(NULL)};
	struct seat seats[FIBRES];

	for (unsigned i = 0; i < FIBRES; i++) {
		seats[i] = (struct seat){&ring, i};
		ring.fibre[i] = fibre_new(run, &seats[i]);
	}
	for (unsigned n = 0; n < TURNS; n++)
		fibre_switch(ring.main, ring.fibre[0]);
	for (unsigned i = 0; i < FIBRES; i++)
		ck_assert_uint_eq(ring.turns[i], TURNS);
	ck_assert_str_eq(ring.order->str, "abcabc");
	/* In the middle of their work: nothing of them is needed any more. */
	for (unsigned i = 0; i < FIBRES; i++)
		fibre_free(ring.fibre[i]);
	fibre_free(ring.main);
	g_string_free(ring.order, TRUE);
}
END_TEST

/* One that never ran has nothing to give back but its stack. */
START_TEST(unused)
{
	fibre_free(fibre_new(run, NULL));
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("fibre");

	tcase_add_test(t, fibres_take_turns);
	tcase_add_test(t, unused);
	return test_run("fibre", t, NULL);
}
