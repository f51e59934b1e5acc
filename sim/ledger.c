/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger.h"

static const struct ledger_info {
	const char *name, *help;
	bool per_request;
} ledger_info[LEDGER_COUNT] = {
#define X(id, name, help, per_request) [LEDGER_##id] = {name, help, per_request},
    LEDGER_ACCOUNTS(X)
#undef X
	[LEDGER_TOTAL] = {"total", "sum of all accounts", false},
};

const char *ledger_name(enum ledger_account a)
{
	return ledger_info[a].name;
}

const char *ledger_help(enum ledger_account a)
{
	return ledger_info[a].help;
}

bool ledger_per_request(enum ledger_account a)
{
	return ledger_info[a].per_request;
}
