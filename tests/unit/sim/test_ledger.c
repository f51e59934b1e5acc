/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include "sim/cost.h"
#include "sim/ledger.h"
#include <signal.h>
#include <string.h>

START_TEST(total_follows_the_accounts)
{
	struct ledger l = {0};

	ledger_charge(&l, LEDGER_SG_TABLES, 100);
	ledger_charge(&l, LEDGER_IOVA_STATE, 16);
	ledger_release(&l, LEDGER_SG_TABLES, 60);
	ledger_charge(&l, LEDGER_SG_TABLES, 10);
	ck_assert_uint_eq(l.accounts[LEDGER_SG_TABLES].current, 50);
	ck_assert_uint_eq(l.accounts[LEDGER_SG_TABLES].peak, 100);
	ck_assert_uint_eq(l.accounts[LEDGER_TOTAL].current, 66);
	ck_assert_uint_eq(l.accounts[LEDGER_TOTAL].peak, 116);
}
END_TEST

START_TEST(releasing_more_than_was_charged_is_caught)
{
	struct ledger l = {0};

	ledger_charge(&l, LEDGER_SG_TABLES, 100);
	ledger_release(&l, LEDGER_IOVA_STATE, 1);
}
END_TEST

START_TEST(accounts_are_named)
{
	for (unsigned a = 0; a < LEDGER_COUNT; a++) {
		ck_assert_uint_gt(strlen(ledger_name(a)), 0);
		ck_assert_uint_gt(strlen(ledger_help(a)), 0);
		for (unsigned b = 0; b < a; b++)
			ck_assert_str_ne(ledger_name(a), ledger_name(b));
	}
	ck_assert_str_eq(ledger_name(LEDGER_TOTAL), "total");
	ck_assert(ledger_per_request(LEDGER_SG_TABLES));
	ck_assert(!ledger_per_request(LEDGER_IOMMU_PAGE_TABLES));
	ck_assert(!ledger_per_request(LEDGER_TOTAL));
}
END_TEST

START_TEST(cost_steps_are_named_and_sourced)
{
	for (unsigned i = 0; i < COST_COUNT; i++) {
		ck_assert_uint_gt(strlen(cost_info[i].source), 0);
		ck_assert_uint_gt(strlen(cost_info[i].help), 0);
		ck_assert_double_ge(cost_info[i].default_ns, 0);
		for (unsigned j = 0; j < i; j++)
			ck_assert_str_ne(cost_info[i].key, cost_info[j].key);
	}
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("ledger");

	tcase_add_test(t, total_follows_the_accounts);
	tcase_add_test_raise_signal(t, releasing_more_than_was_charged_is_caught, SIGABRT);
	tcase_add_test(t, accounts_are_named);
	tcase_add_test(t, cost_steps_are_named_and_sourced);
	return test_run("ledger", t, NULL);
}
