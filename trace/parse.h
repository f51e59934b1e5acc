/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hand-written number parsing for trace text. Every line handed to a parser ends in a NUL byte, so
 * the loops need no length; a NUL inside a line stops them early and is then seen as a bad record.
 * Nothing here depends on the locale, and times never pass through floating point (epoch seconds
 * with nine decimals do not fit a double).
 */
#ifndef DMASIM_TRACE_PARSE_H
#define DMASIM_TRACE_PARSE_H

#include <dmasim/types.h>
#include <string.h>

static inline bool parse_is_digit(char c)
{
	return (unsigned char)(c - '0') <= 9;
}

/* Decimal digits at *pp; moves *pp behind them. False without a digit or beyond 2^64 - 1. */
static inline bool parse_u64(const char **pp, uint64_t *v)
{
	const char *start = *pp, *p = start;
	uint64_t x = 0;
	unsigned d;

	while ((d = (unsigned char)*p - (unsigned)'0') <= 9) {
		x = x * 10 + d;
		p++;
	}
	if (p == start)
		return false;
	if (G_UNLIKELY(p - start > 19)) { /* 10^19 - 1 still fits */
		x = 0;
		for (const char *q = start; q < p; q++)
			if (__builtin_mul_overflow(x, 10, &x) ||
			    __builtin_add_overflow(x, (uint64_t)(*q - '0'), &x))
				return false;
	}
	*pp = p;
	*v = x;
	return true;
}

static inline bool parse_u32(const char **pp, uint32_t *v)
{
	uint64_t x;
	const char *p = *pp;

	if (!parse_u64(&p, &x) || x > UINT32_MAX)
		return false;
	*pp = p;
	*v = (uint32_t)x;
	return true;
}

static inline int parse_hex_digit(char c)
{
	if (parse_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hex digits, with or without 0x. */
static inline bool parse_hex(const char **pp, uint64_t *v)
{
	const char *p = *pp, *start;
	uint64_t x = 0;
	int d;

	if (p[0] == '0' && (p[1] | 0x20) == 'x')
		p += 2;
	start = p;
	while ((d = parse_hex_digit(*p)) >= 0) {
		if (x >> 60)
			return false;
		x = x << 4 | (unsigned)d;
		p++;
	}
	if (p == start)
		return false;
	*pp = p;
	*v = x;
	return true;
}

/* Decimal, or hex when it starts with 0x. */
static inline bool parse_number(const char **pp, uint64_t *v)
{
	return (*pp)[0] == '0' && ((*pp)[1] | 0x20) == 'x' ? parse_hex(pp, v) : parse_u64(pp, v);
}

/*
 * "INTEGER[.FRACTION]" in units of 10^digits: parse_fixed("1.5", 9) is 1500000000. Digits beyond the
 * resolution are dropped (rounded down).
 */
static inline bool parse_fixed(const char **pp, unsigned digits, uint64_t *v)
{
	const char *p = *pp;
	uint64_t whole, scale = 1, frac = 0;

	if (!parse_u64(&p, &whole))
		return false;
	for (unsigned i = 0; i < digits; i++)
		scale *= 10;
	if (*p == '.') {
		unsigned n = 0;

		p++;
		if (!parse_is_digit(*p))
			return false;
		for (; parse_is_digit(*p); p++)
			if (n < digits) {
				frac = frac * 10 + (unsigned)(*p - '0');
				n++;
			}
		for (; n < digits; n++)
			frac *= 10;
	}
	if (__builtin_mul_overflow(whole, scale, &whole) || __builtin_add_overflow(whole, frac, v))
		return false;
	*pp = p;
	return true;
}

/* Expect one character. */
static inline bool parse_char(const char **pp, char c)
{
	if (**pp != c)
		return false;
	(*pp)++;
	return true;
}

static inline void parse_blanks(const char **pp)
{
	while (**pp == ' ' || **pp == '\t')
		(*pp)++;
}

/* Behind the word at p. */
static inline const char *parse_word(const char *p)
{
	while (*p && *p != ' ')
		p++;
	return p;
}

/* Expect a literal. */
static inline bool parse_literal(const char **pp, const char *text)
{
	const char *p = *pp;

	for (; *text; text++, p++)
		if (*p != *text)
			return false;
	*pp = p;
	return true;
}

#endif
