#include "num.h"
#include "err.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_xdigit(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* 1 where there is none, 0 for an unknown suffix. P fits: 1024^5 < 2^63. */
static uint64_t
suffix_factor(const char *s)
{
	static const char letters[] = "kMGTP";
	uint64_t unit, f = 1;
	const char *at;

	if (!*s)
		return 1;
	at = strchr(letters, *s == 'K' ? 'k' : *s);
	if (!at)
		return 0;
	if (!s[1] || !strcmp(s + 1, "iB"))
		unit = 1024;
	else if (!strcmp(s + 1, "B"))
		unit = 1000;
	else
		return 0;
	for (const char *p = letters; p <= at; p++)
		f *= unit;
	return f;
}

/* The unsigned part that all parsers share. */
static int
magnitude(const char *s, uint64_t *out)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	uint64_t factor, v;
	char *end;

	if (hex ? !is_xdigit(s[2]) : !is_digit(s[0]))
		return -ERR_NUM_SYNTAX;
	errno = 0;
	v = strtoumax(s, &end, hex ? 16 : 10);
	if (errno == ERANGE)
		return -ERR_NUM_RANGE;
	if (hex && *end)
		return -ERR_NUM_SYNTAX;
	factor = suffix_factor(end);
	if (!factor)
		return -ERR_NUM_SUFFIX;
	if (__builtin_mul_overflow(v, factor, &v))
		return -ERR_NUM_RANGE;
	*out = v;
	return 0;
}

int
num_u64(const char *s, uint64_t *out)
{
	return magnitude(s, out);
}

int
num_i64(const char *s, int64_t *out)
{
	bool neg = *s == '-';
	uint64_t v;
	int rc = magnitude(s + neg, &v);

	if (rc)
		return rc;
	if (v > (uint64_t)INT64_MAX + neg)
		return -ERR_NUM_RANGE;
	*out = (int64_t)(neg ? 0 - v : v);
	return 0;
}

int
num_bits(const char *s, int64_t *out)
{
	uint64_t v;
	int rc;

	if (s[0] != '0' || (s[1] != 'x' && s[1] != 'X'))
		return num_i64(s, out);
	rc = magnitude(s, &v);
	if (!rc)
		*out = (int64_t)v;
	return rc;
}

int
num_size(const char *s, uint64_t *out)
{
	uint64_t v;
	int rc = magnitude(s, &v);

	if (rc)
		return rc;
	if (v > INT64_MAX)
		return -ERR_NUM_RANGE;
	*out = v;
	return 0;
}

int
num_offset(const char *s, struct num_off *out)
{
	bool neg = *s == '-';
	uint64_t v;
	int rc = num_size(s + neg, &v);

	if (rc)
		return rc;
	*out = (struct num_off){ .n = v, .from_end = neg };
	return 0;
}

int
num_range(const char *s, struct num_off *off, uint64_t *len)
{
	const char *colon = strchr(s, ':');
	uint64_t n = UINT64_MAX;
	struct num_off o;
	char head[64];
	int rc;

	if (!colon || (size_t)(colon - s) >= sizeof(head))
		return -ERR_NUM_SYNTAX;
	memcpy(head, s, (size_t)(colon - s));
	head[colon - s] = '\0';
	rc = num_offset(head, &o);
	if (!rc && colon[1])
		rc = num_size(colon + 1, &n);
	if (rc)
		return rc;
	*off = o;
	*len = n;
	return 0;
}

static int64_t
duration_unit(const char *s)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
		{ "", 1000000000 },
		{ "ns", 1 },
		{ "us", 1000 },
		{ "ms", 1000000 },
		{ "s", 1000000000 },
		{ "m", INT64_C(60000000000) },
		{ "h", INT64_C(3600000000000) },
		{ "d", INT64_C(86400000000000) },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(s, units[i].name))
			return units[i].ns;
	return 0;
}

int
num_duration(const char *s, int64_t *ns)
{
	int64_t unit, total = 0, digit_ns;
	const char *p = s, *frac = NULL;
	uintmax_t whole;
	char *end;

	if (!is_digit(*p))
		return -ERR_NUM_SYNTAX;
	errno = 0;
	whole = strtoumax(p, &end, 10);
	if (errno == ERANGE || whole > INT64_MAX)
		return -ERR_NUM_RANGE;
	p = end;
	if (*p == '.') {
		frac = ++p;
		if (!is_digit(*p))
			return -ERR_NUM_SYNTAX;
		while (is_digit(*p))
			p++;
	}
	unit = duration_unit(p);
	if (!unit)
		return -ERR_NUM_SUFFIX;
	if (__builtin_mul_overflow((int64_t)whole, unit, &total))
		return -ERR_NUM_RANGE;
	/* Digits below a nanosecond are dropped; 0.1 of a day is exact in integers. */
	for (digit_ns = unit; frac && is_digit(*frac) && digit_ns; frac++) {
		digit_ns /= 10;
		if (__builtin_add_overflow(total, digit_ns * (*frac - '0'), &total))
			return -ERR_NUM_RANGE;
	}
	*ns = total;
	return 0;
}

int
num_mode(const char *s, mode_t *mode)
{
	unsigned v = 0;
	const char *p = s;

	if (!*p)
		return -ERR_NUM_SYNTAX;
	for (; *p; p++) {
		if (*p < '0' || *p > '7' || p - s == 4)
			return -ERR_NUM_SYNTAX;
		v = v * 8 + (unsigned)(*p - '0');
		if (v > 0777)
			return -ERR_NUM_RANGE;
	}
	*mode = (mode_t)v;
	return 0;
}
