/*
 * Numbers as users type them. The first rows of each table are what libbsd's expand_number() and strtoll() get wrong
 * ("1e3", "-1", "010", text after the suffix, white space, saturation); a row that is refused must leave the result alone.
 */
#include "unit.h"

#include "err.h"
#include "num.h"

#include <stdio.h>

#define SYNTAX (-ERR_NUM_SYNTAX)
#define SUFFIX (-ERR_NUM_SUFFIX)
#define RANGE (-ERR_NUM_RANGE)
#define KI INT64_C(1024)
#define SEC INT64_C(1000000000)

struct row {
	const char *text;
	int rc;
	int64_t value; /* u64 results are compared as bits */
};

static int bad;

static void
complain(const char *parser, const struct row *r, int rc, int64_t got)
{
	print_error("%s(\"%s\"): rc %d value %lld, wanted %d %lld\n", parser, r->text, rc, (long long)got, r->rc,
	    (long long)r->value);
	bad++;
}

/* Each parser behind one face; the mark must survive a refusal. */
#define MARK INT64_C(-77777)
#define CHECK(rows, call) \
	do { \
		bad = 0; \
		for (size_t i = 0; i < COUNT(rows); i++) { \
			const struct row *r = &(rows)[i]; \
			int64_t v = MARK; \
			int rc = call(r->text, &v); \
			if (rc != r->rc || v != (rc ? MARK : r->value)) \
				complain(#call, r, rc, v); \
		} \
		assert_int_equal(bad, 0); \
	} while (0)

static int
u64(const char *s, int64_t *v)
{
	return num_u64(s, (uint64_t *)v);
}

static int
size(const char *s, int64_t *v)
{
	return num_size(s, (uint64_t *)v);
}

static int
mode(const char *s, int64_t *v)
{
	mode_t m = 0123456;
	int rc = num_mode(s, &m);

	if (rc)
		assert_int_equal(m, 0123456);
	else
		*v = m;
	return rc;
}

/* What no parser of numbers takes, and why. */
static const struct row refused[] = {
	{ "1e3", SUFFIX, 0 }, { "1E3", SUFFIX, 0 }, { "4kxyz", SUFFIX, 0 }, { "4kk", SUFFIX, 0 }, { "4k ", SUFFIX, 0 },
	{ " 4", SYNTAX, 0 }, { "\t4", SYNTAX, 0 }, { "\n4", SYNTAX, 0 }, { "4 ", SUFFIX, 0 }, { "4\n", SUFFIX, 0 },
	{ "", SYNTAX, 0 }, { " ", SYNTAX, 0 }, { "+1", SYNTAX, 0 }, { "--1", SYNTAX, 0 }, { "-", SYNTAX, 0 },
	{ "-+1", SYNTAX, 0 }, { "- 1", SYNTAX, 0 }, { "x", SYNTAX, 0 }, { "k", SYNTAX, 0 }, { "0x", SYNTAX, 0 },
	{ "0X", SYNTAX, 0 }, { "0xg", SYNTAX, 0 }, { "0x-1", SYNTAX, 0 }, { "0x+1", SYNTAX, 0 }, { "0x 1", SYNTAX, 0 },
	{ "0x0x1", SYNTAX, 0 }, { "0x1k", SYNTAX, 0 }, { "0x1KiB", SYNTAX, 0 }, { "0x1.8", SYNTAX, 0 }, { "0x1p3", SYNTAX, 0 },
	{ "0b11", SUFFIX, 0 }, { "0o17", SUFFIX, 0 }, { "1.5", SUFFIX, 0 }, { "1.5k", SUFFIX, 0 }, { ".5", SYNTAX, 0 },
	{ "1,000", SUFFIX, 0 }, { "1_000", SUFFIX, 0 }, { "1'000", SUFFIX, 0 }, { "5B", SUFFIX, 0 }, { "5b", SUFFIX, 0 },
	{ "5m", SUFFIX, 0 }, { "5g", SUFFIX, 0 }, { "5t", SUFFIX, 0 }, { "5p", SUFFIX, 0 }, { "5E", SUFFIX, 0 },
	{ "5Z", SUFFIX, 0 }, { "5Ki", SUFFIX, 0 }, { "5Kib", SUFFIX, 0 }, { "5KIB", SUFFIX, 0 }, { "5Kb", SUFFIX, 0 },
	{ "5KiBs", SUFFIX, 0 }, { "5iB", SUFFIX, 0 }, { "5EiB", SUFFIX, 0 }, { "inf", SYNTAX, 0 }, { "nan", SYNTAX, 0 },
	{ "1-", SUFFIX, 0 }, { "1;", SUFFIX, 0 }, { "\xd9\xa1", SYNTAX, 0 }, { "1\xc2\xa0", SUFFIX, 0 },
	{ "18446744073709551616", RANGE, 0 }, { "99999999999999999999999", RANGE, 0 },
	{ "0x10000000000000000", RANGE, 0 }, { "16384P", RANGE, 0 }, { "18446744073709551615k", RANGE, 0 },
	{ "18014398509481984k", RANGE, 0 }, { "18446744073709552kB", RANGE, 0 },
};

static const struct row common[] = {
	{ "0", 0, 0 }, { "00", 0, 0 }, { "010", 0, 10 }, { "0000000000000000000000000000009", 0, 9 }, { "08", 0, 8 },
	{ "1", 0, 1 }, { "42", 0, 42 }, { "0x0", 0, 0 }, { "0x10", 0, 16 }, { "0X10", 0, 16 }, { "0xfF", 0, 255 },
	{ "0x00000000000000000001", 0, 1 }, { "1k", 0, KI }, { "1K", 0, KI }, { "010k", 0, 10 * KI }, { "0k", 0, 0 },
	{ "1M", 0, KI * KI }, { "1G", 0, KI * KI * KI }, { "1T", 0, KI * KI * KI * KI }, { "1P", 0, KI * KI * KI * KI * KI },
	{ "1KiB", 0, KI }, { "3MiB", 0, 3 * KI * KI }, { "1GiB", 0, KI * KI * KI }, { "1TiB", 0, KI * KI * KI * KI },
	{ "1PiB", 0, KI * KI * KI * KI * KI }, { "1kB", 0, 1000 }, { "1KB", 0, 1000 }, { "1MB", 0, 1000000 },
	{ "1GB", 0, 1000000000 }, { "1TB", 0, INT64_C(1000000000000) }, { "1PB", 0, INT64_C(1000000000000000) },
	{ "9223372036854775807", 0, INT64_MAX }, { "0x7fffffffffffffff", 0, INT64_MAX },
	{ "8191P", 0, INT64_C(8191) << 50 }, { "9007199254740991k", 0, INT64_C(9007199254740991) * 1024 },
};

static const struct row negatives[] = {
	{ "-1", SYNTAX, 0 }, { "-0", SYNTAX, 0 }, { "-1k", SYNTAX, 0 }, { "-0x1", SYNTAX, 0 },
	{ "-18446744073709551615", SYNTAX, 0 },
};

static const struct row top_bit_u64[] = {
	{ "9223372036854775808", 0, INT64_MIN }, { "18446744073709551615", 0, -1 }, { "0xffffffffffffffff", 0, -1 },
	{ "0x8000000000000000", 0, INT64_MIN }, { "8192P", 0, INT64_MIN }, { "16383P", 0, (int64_t)(UINT64_C(16383) << 50) },
	{ "18014398509481983k", 0, -1024 },
};

static const struct row top_bit_refused[] = {
	{ "9223372036854775808", RANGE, 0 }, { "18446744073709551615", RANGE, 0 }, { "8192P", RANGE, 0 },
	{ "9007199254740992k", RANGE, 0 },
};

static const struct row top_bit_hex_refused[] = {
	{ "0xffffffffffffffff", RANGE, 0 }, { "0x8000000000000000", RANGE, 0 },
};

static const struct row top_bit_hex_taken[] = {
	{ "0xffffffffffffffff", 0, -1 }, { "0x8000000000000000", 0, INT64_MIN }, { "0XFFFFFFFFFFFFFFFE", 0, -2 },
};

static const struct row signed_rows[] = {
	{ "-0", 0, 0 }, { "-1", 0, -1 }, { "-010", 0, -10 }, { "-0x10", 0, -16 }, { "-1k", 0, -1024 }, { "-1kB", 0, -1000 },
	{ "-9223372036854775808", 0, INT64_MIN }, { "-9223372036854775809", RANGE, 0 },
	{ "-0x8000000000000000", 0, INT64_MIN }, { "-0x8000000000000001", RANGE, 0 }, { "-8192P", 0, INT64_MIN },
	{ "-8193P", RANGE, 0 }, { "-9223372036854775807", 0, -INT64_MAX }, { "-18446744073709551615", RANGE, 0 },
};

static const struct row duration_rows[] = {
	{ "0", 0, 0 }, { "1", 0, SEC }, { "010", 0, 10 * SEC }, { "1s", 0, SEC }, { "500ms", 0, SEC / 2 }, { "30s", 0, 30 * SEC },
	{ "5m", 0, 300 * SEC }, { "2h", 0, 7200 * SEC }, { "1d", 0, 86400 * SEC }, { "10us", 0, 10000 }, { "5ns", 0, 5 },
	{ "1.5m", 0, 90 * SEC }, { "0.5", 0, SEC / 2 }, { "0.1d", 0, 8640 * SEC }, { "1.25h", 0, 4500 * SEC },
	{ "0.000000001", 0, 1 }, { "0.0000000019", 0, 1 }, { "1.5ns", 0, 1 }, { "0.9ns", 0, 0 }, { "1.999999999s", 0, 2 * SEC - 1 },
	{ "0.00000000000000000000000000000001s", 0, 0 }, { "9223372036", 0, 9223372036 * SEC },
	{ "9223372036.854775807", 0, INT64_MAX }, { "9223372036.854775808", RANGE, 0 }, { "9223372037", RANGE, 0 },
	{ "9223372036854775807ns", 0, INT64_MAX }, { "9223372036854775808ns", RANGE, 0 },
	{ "99999999999999999999", RANGE, 0 }, { "106752d", RANGE, 0 }, { "106751d", 0, INT64_C(106751) * 86400 * SEC },
	{ "", SYNTAX, 0 }, { "-1", SYNTAX, 0 }, { "-1s", SYNTAX, 0 }, { "+1", SYNTAX, 0 }, { " 1", SYNTAX, 0 }, { "s", SYNTAX, 0 },
	{ "1.", SYNTAX, 0 }, { "1.s", SYNTAX, 0 }, { ".5", SYNTAX, 0 }, { ".5s", SYNTAX, 0 }, { "1 s", SUFFIX, 0 },
	{ "1s ", SUFFIX, 0 }, { "1e3", SUFFIX, 0 }, { "1.5.5", SUFFIX, 0 }, { "1S", SUFFIX, 0 }, { "1M", SUFFIX, 0 },
	{ "1min", SUFFIX, 0 }, { "1sec", SUFFIX, 0 }, { "1h30m", SUFFIX, 0 }, { "1w", SUFFIX, 0 }, { "1y", SUFFIX, 0 },
	{ "0x10", SUFFIX, 0 }, { "1,5", SUFFIX, 0 }, { "inf", SYNTAX, 0 }, { "infinity", SYNTAX, 0 },
};

static const struct row mode_rows[] = {
	{ "0", 0, 0 }, { "600", 0, 0600 }, { "0600", 0, 0600 }, { "644", 0, 0644 }, { "777", 0, 0777 }, { "0777", 0, 0777 },
	{ "1777", RANGE, 0 }, { "4755", RANGE, 0 }, { "1000", RANGE, 0 }, { "99999999999999999999", SYNTAX, 0 },
	{ "77777777777777777777777", RANGE, 0 }, { "", SYNTAX, 0 }, { "8", SYNTAX, 0 }, { "0x1ff", SYNTAX, 0 },
	{ "-600", SYNTAX, 0 }, { "+600", SYNTAX, 0 }, { " 600", SYNTAX, 0 }, { "600 ", SYNTAX, 0 }, { "u=rw", SYNTAX, 0 },
	{ "00600", SYNTAX, 0 }, { "00000", SYNTAX, 0 },
};

static void
unsigned_numbers(void **state)
{
	(void)state;
	CHECK(refused, u64);
	CHECK(common, u64);
	CHECK(negatives, u64);
	CHECK(top_bit_u64, u64);
}

static void
sizes(void **state)
{
	(void)state;
	CHECK(refused, size);
	CHECK(common, size);
	CHECK(negatives, size);
	CHECK(top_bit_refused, size);
	CHECK(top_bit_hex_refused, size);
}

static void
signed_numbers(void **state)
{
	(void)state;
	CHECK(refused, num_i64);
	CHECK(common, num_i64);
	CHECK(signed_rows, num_i64);
	CHECK(top_bit_refused, num_i64);
	CHECK(top_bit_hex_refused, num_i64);
}

static void
bit_patterns(void **state)
{
	(void)state;
	CHECK(refused, num_bits);
	CHECK(common, num_bits);
	CHECK(signed_rows, num_bits);
	CHECK(top_bit_refused, num_bits);
	CHECK(top_bit_hex_taken, num_bits);
}

static void
durations(void **state)
{
	(void)state;
	CHECK(duration_rows, num_duration);
}

static void
modes(void **state)
{
	(void)state;
	CHECK(mode_rows, mode);
}

/* Decimal text of a number is taken for that number, also at every power of two and beside it. */
static void
round_trip(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++)
		for (int d = -1; d <= 1; d++) {
			uint64_t want = (UINT64_C(1) << bit) + (uint64_t)d, got = 0;
			char text[32];

			snprintf(text, sizeof(text), "%llu", (unsigned long long)want);
			assert_int_equal(num_u64(text, &got), 0);
			assert_true(got == want);
			snprintf(text, sizeof(text), "0x%llx", (unsigned long long)want);
			assert_int_equal(num_u64(text, &got), 0);
			assert_true(got == want);
		}
}

static void
offsets(void **state)
{
	struct num_off o = { 7, false };

	(void)state;
	assert_int_equal(num_offset("5", &o), 0);
	assert_true(o.n == 5 && !o.from_end);
	assert_int_equal(num_offset("-5k", &o), 0);
	assert_true(o.n == 5 * 1024 && o.from_end);
	assert_int_equal(num_offset("-0", &o), 0);
	assert_true(o.n == 0 && o.from_end);
	assert_int_equal(num_offset("--5", &o), SYNTAX);
	assert_int_equal(num_offset("9223372036854775808", &o), RANGE);
	assert_true(o.n == 0 && o.from_end); /* untouched */
}

static void
ranges(void **state)
{
	static const char *const no[] = { "", ":", "5", "5:-1", ":5", "5:5:5", "5: 5", "5:1e3", "-:3", "5:9223372036854775808",
		"0000000000000000000000000000000000000000000000000000000000000000005:1" };
	struct num_off o = { 9, false };
	uint64_t len = 9;

	(void)state;
	for (size_t i = 0; i < COUNT(no); i++) {
		assert_true(num_range(no[i], &o, &len) < 0);
		assert_true(o.n == 9 && !o.from_end && len == 9);
	}
	assert_int_equal(num_range("0x10:4k", &o, &len), 0);
	assert_true(o.n == 16 && !o.from_end && len == 4096);
	assert_int_equal(num_range("-3:2", &o, &len), 0);
	assert_true(o.n == 3 && o.from_end && len == 2);
	assert_int_equal(num_range("5:", &o, &len), 0);
	assert_true(o.n == 5 && len == UINT64_MAX);
	assert_int_equal(num_range("5:0", &o, &len), 0);
	assert_true(len == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unsigned_numbers), cmocka_unit_test(sizes), cmocka_unit_test(signed_numbers),
		cmocka_unit_test(bit_patterns), cmocka_unit_test(durations), cmocka_unit_test(modes),
		cmocka_unit_test(round_trip), cmocka_unit_test(offsets), cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
