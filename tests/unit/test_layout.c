/*
 * The tables of the man pages against the compiler's layout, so that neither drifts: every documented row stands where
 * the struct has it, and every byte of such a struct is documented.
 *
 * layout_table.h is made from the pages by tests/layout-table. A page's struct must be declared here: add its
 * *_format.h below.
 */
#include "unit.h"

#include "ctr_format.h"
#include "hdr_format.h"
#include "heap_format.h"
#include "queue_format.h"

#include <string.h>

struct row {
	const char *type, *member;
	size_t offset, size, real_offset, real_size, total;
};

#define HEAD(t) { #t, NULL, 0, 0, 0, 0, sizeof(struct t) },
#define ROW(t, m, off, n) { #t, #m, off, n, offsetof(struct t, m), sizeof(((struct t *)0)->m), sizeof(struct t) },
#define PAD(t, off, n) { #t, "-", off, n, off, n, sizeof(struct t) },

static const struct row rows[] = {
#include "tests/unit/layout_table.h"
	{ NULL, NULL, 0, 0, 0, 0, 0 }
};

static void
rows_agree(void **state)
{
	int bad = 0;

	(void)state;
	for (const struct row *r = rows; r->type; r++)
		if (r->offset != r->real_offset || r->size != r->real_size) {
			print_error("struct %s, %s: the page says %zu+%zu, the compiler %zu+%zu\n", r->type,
			    r->member ? r->member : "(table)", r->offset, r->size, r->real_offset, r->real_size);
			bad++;
		}
	assert_int_equal(bad, 0);
}

/* Rows follow each other without a gap, from 0 to the struct's size. */
static void
rows_are_complete(void **state)
{
	size_t end = 0;
	int bad = 0;

	(void)state;
	for (const struct row *r = rows; r->type; r++) {
		const struct row *next = r + 1;

		if (r->member && r->offset != end)
			bad++, print_error("struct %s, %s: %zu does not follow %zu\n", r->type, r->member, r->offset, end);
		end = r->member ? r->offset + r->size : 0;
		if ((!next->type || !next->member) && end != r->total)
			bad++, print_error("struct %s: the table ends at %zu of %zu\n", r->type, end, r->total);
	}
	assert_int_equal(bad, 0);
	assert_true(COUNT(rows) > 1); /* at least struct hdr in mmutils(7) */
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(rows_agree), cmocka_unit_test(rows_are_complete) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
