/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DMAR table in the texts that tools make of it: what acpidump prints (all tables or this one), and what
 * iasl disassembles it to (.dsl): lines "[HexOffset DecimalOffset ByteLength] Name : Value", often followed
 * by the raw table.
 */
#include "dmar_text.h"

#include <stdio.h>
#include <string.h>

#define LONGEST_TABLE 65536u
#define CHECKSUM 9u /* where an ACPI table has it */

/* Bytes of one line of a dump ("    0010: 49 4E ...  IN..."), false if it is none or leaves a gap. */
static bool dump_line(const char *line, GByteArray *table)
{
	char *p;
	uint64_t offset = g_ascii_strtoull(line, &p, 16);

	if (p == line || *p != ':' || offset != table->len)
		return false;
	for (unsigned i = 0; i < 16 && p[1] == ' ' && g_ascii_isxdigit(p[2]) && g_ascii_isxdigit(p[3]);
	     i++, p += 3) {
		uint8_t byte = (uint8_t)(g_ascii_xdigit_value(p[2]) << 4 | g_ascii_xdigit_value(p[3]));

		g_byte_array_append(table, &byte, 1);
	}
	return true;
}

/* The dump behind the line that starts with head; NULL if there is none. */
static GByteArray *dump_behind(char **lines, const char *head)
{
	GByteArray *table = NULL;

	for (char **l = lines; *l; l++) {
		if (!table && g_str_has_prefix(*l, head))
			table = g_byte_array_new();
		else if (table && !dump_line(*l, table) && table->len)
			break;
	}
	return table;
}

/* Room for n bytes at offset; NULL when that is no place of a table. */
static uint8_t *place(GByteArray *table, uint64_t offset, uint64_t n)
{
	unsigned had = table->len;

	if (offset + n > LONGEST_TABLE)
		return NULL;
	if (offset + n > had) {
		g_byte_array_set_size(table, (unsigned)(offset + n));
		memset(table->data + had, 0, table->len - had);
	}
	return table->data + offset;
}

/* Value of a field of n bytes: a string, one number, or bytes with blanks or commas between them. */
static void put_value(uint8_t *to, unsigned n, const char *value)
{
	size_t digits = strspn(value, "0123456789abcdefABCDEF");

	if (*value == '"') {
		for (unsigned i = 0; i < n && value[i + 1] && value[i + 1] != '"'; i++)
			to[i] = (uint8_t)value[i + 1];
	} else if (digits > 2 || n == 1) {
		uint64_t v = g_ascii_strtoull(value, NULL, 16);

		for (unsigned i = 0; i < MIN(n, 8); i++)
			to[i] = (uint8_t)(v >> 8 * i);
	} else {
		char *end = (char *)value;

		for (unsigned i = 0; i < n && g_ascii_isxdigit(*end); i++) {
			to[i] = (uint8_t)g_ascii_strtoull(end, &end, 16);
			end += *end == ' ' || *end == ',';
		}
	}
}

/* The table that the lines of fields describe. Printed strings may have lost their ends: its sum is made
 * right. */
static GByteArray *from_fields(char **lines)
{
	GByteArray *table = g_byte_array_new();
	uint8_t sum = 0;

	for (char **l = lines; *l; l++) {
		unsigned offset, decimal, n;
		char *value = strstr(*l, " : ");
		uint8_t *to;

		if (!value || sscanf(*l, "[%xh %u %u", &offset, &decimal, &n) != 3)
			continue;
		if (strstr(*l, "h]") && strstr(*l, "h]") < value) /* newer ones print the length in hex too */
			sscanf(*l, "[%xh %u %xh]", &offset, &decimal, &n);
		to = place(table, offset, n);
		if (to)
			put_value(to, n, value + strlen(" : "));
	}
	for (unsigned i = 0; i < table->len; i++)
		sum = (uint8_t)(sum + table->data[i]);
	if (table->len > CHECKSUM)
		table->data[CHECKSUM] = (uint8_t)(table->data[CHECKSUM] - sum);
	return table;
}

GByteArray *dmar_from_text(const char *text, size_t len)
{
	bool acpidump, iasl;
	g_auto(GStrv) lines = NULL;
	GByteArray *table;

	if (strlen(text) != len)
		return NULL;
	acpidump = strstr(text, "DMAR @ 0x") != NULL;
	iasl = !acpidump && strstr(text, "Signature : \"DMAR\"") != NULL;
	if (!acpidump && !iasl)
		return NULL;
	lines = g_strsplit(text, "\n", -1);
	table = dump_behind(lines, acpidump ? "DMAR @ 0x" : "Raw Table Data");
	if (iasl && table && !table->len) {
		g_byte_array_free(table, TRUE);
		table = NULL;
	}
	return table || acpidump ? table : from_fields(lines);
}
