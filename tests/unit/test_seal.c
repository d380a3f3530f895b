/* Sealed words: every change within one byte is found, by trying all of them. */
#include "unit.h"

#include "seal.h"

static const uint64_t values[] = { 0, 1, 2, 0xfff, 0x1000, 0xffff, 0x1000000, 0xdeadbeef, 0xfffffffff, UINT64_C(0x123456789abcd),
	UINT64_C(0x8000000000000), UINT64_C(0xf000000000000), UINT64_C(0xaaaaaaaaaaaaa), UINT64_C(0x5555555555555), SEAL_MAX - 1,
	SEAL_MAX };

/* A small generator with a fixed start: a failure comes again. */
static uint64_t
next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void
every_byte(uint64_t value)
{
	uint64_t word = seal(value), got = 99;

	assert_true(unseal(word, &got) && got == value);
	for (unsigned byte = 0; byte < 8; byte++)
		for (uint64_t change = 1; change < 256; change++) {
			got = 99;
			assert_false(unseal(word ^ change << 8 * byte, &got));
			assert_true(got == 99);
		}
}

static void
single_byte_changes(void **state)
{
	uint64_t x = 88172645463325252;

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++)
		every_byte(values[i]);
	for (unsigned bit = 0; bit < SEAL_BITS; bit++)
		every_byte(UINT64_C(1) << bit);
	for (int i = 0; i < 5000; i++)
		every_byte(next(&x) & SEAL_MAX);
}

/* A run of at most 8 flipped bits may cross a byte's edge, and the edge of value and check. */
static void
short_runs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(values); i++)
		for (unsigned at = 0; at <= 56; at++)
			for (uint64_t change = 1; change < 256; change++) {
				uint64_t got;

				assert_false(unseal(seal(values[i]) ^ change << at, &got));
			}
}

static void
blank_pages(void **state)
{
	uint64_t got;

	(void)state;
	assert_false(unseal(0, &got));
	assert_false(unseal(UINT64_MAX, &got));
	for (uint64_t b = 1; b < 256; b++)
		assert_false(unseal(b * UINT64_C(0x0101010101010101), &got) && got == 0);
}

/* "One time in 4096": all check values are in use, so that other damage is not met by a smaller odd. */
static void
spread(void **state)
{
	static unsigned seen[4096];
	uint64_t x = 1, passed = 0;

	(void)state;
	for (uint64_t v = 0; v < 4096; v++)
		seen[seal(v) >> SEAL_BITS]++;
	for (size_t i = 0; i < COUNT(seen); i++)
		assert_int_equal(seen[i], 1);
	for (int i = 0; i < 1000000; i++) {
		uint64_t got;

		passed += unseal(next(&x), &got);
	}
	assert_in_range(passed, 150, 350); /* 244 expected */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_byte_changes), cmocka_unit_test(short_runs), cmocka_unit_test(blank_pages),
		cmocka_unit_test(spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
