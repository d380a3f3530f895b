/* Offsets and lengths over a size: every edge, and nothing that wraps. */
#include "unit.h"

#include "err.h"
#include "range.h"

#include <errno.h>

#define MAX ((uint64_t)INT64_MAX)

static void
reading(void **state)
{
	static const struct {
		uint64_t off;
		bool from_end;
		uint64_t len, size, want_off, want_len;
		bool cut;
	} rows[] = {
		{ 0, false, RANGE_REST, 10, 0, 10, false },
		{ 10, false, RANGE_REST, 10, 10, 0, false },
		{ 11, false, RANGE_REST, 10, 10, 0, true },
		{ 11, false, 0, 10, 10, 0, true },
		{ 10, false, 0, 10, 10, 0, false },
		{ 10, false, 1, 10, 10, 0, true },
		{ 4, false, 6, 10, 4, 6, false },
		{ 4, false, 7, 10, 4, 6, true },
		{ 0, true, RANGE_REST, 10, 10, 0, false },
		{ 10, true, RANGE_REST, 10, 0, 10, false },
		{ 11, true, RANGE_REST, 10, 0, 10, true },
		{ 11, true, 3, 10, 0, 3, true },
		{ 3, true, 3, 10, 7, 3, false },
		{ 3, true, 4, 10, 7, 3, true },
		{ 0, false, RANGE_REST, 0, 0, 0, false },
		{ 1, true, 1, 0, 0, 0, true },
		{ MAX, false, MAX, 10, 10, 0, true },
		{ MAX, true, MAX, MAX, 0, MAX, false },
		{ MAX, false, MAX, MAX, MAX, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct range r = { .off = { rows[i].off, rows[i].from_end }, .len = rows[i].len };
		struct span s = range_in(&r, rows[i].size);

		if (s.off != rows[i].want_off || s.len != rows[i].want_len || s.cut != rows[i].cut)
			fail_msg("row %zu: off %llu len %llu cut %d", i, (unsigned long long)s.off,
			    (unsigned long long)s.len, s.cut);
	}
}

static void
writing(void **state)
{
	uint64_t at = 77;

	(void)state;
	assert_int_equal(range_start((struct num_off){ 5, false }, 0, &at), 0);
	assert_int_equal(at, 5);
	assert_int_equal(range_start((struct num_off){ 5, true }, 5, &at), 0);
	assert_int_equal(at, 0);
	at = 77;
	assert_int_equal(range_start((struct num_off){ 6, true }, 5, &at), -ERR_OFFSET);
	assert_int_equal(at, 77);
}

static void
ends(void **state)
{
	uint64_t at = 77;

	(void)state;
	assert_int_equal(range_end(MAX, 0, &at), 0);
	assert_true(at == MAX);
	assert_int_equal(range_end(MAX - 4, 4, &at), 0);
	at = 77;
	assert_int_equal(range_end(MAX, 1, &at), -EFBIG);
	assert_int_equal(range_end(UINT64_MAX, 1, &at), -EFBIG);
	assert_int_equal(range_end(1, UINT64_MAX, &at), -EFBIG);
	assert_int_equal(at, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading),
		cmocka_unit_test(writing),
		cmocka_unit_test(ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
