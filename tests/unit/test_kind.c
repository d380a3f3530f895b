/* What a file is by its first bytes: our own kinds, their refusals, emmap's files at every length. */
#include "unit.h"

#include "hash.h"
#include "kind.h"

#include <string.h>

static int
kind_name(const void *p, uint64_t n, const char **name)
{
	struct err_at at = { 0 };
	struct kind k;
	int rc = kind_of(&k, p, n, &at);

	*name = k.name;
	return rc;
}

static void
test_own(void **state)
{
	static const char *const names[] = { "counters", "queue", "heap", "undo" };
	const char *name;
	struct hdr h;

	(void)state;
	for (unsigned i = 0; i < COUNT(names); i++) {
		assert_int_equal(hdr_init(&h, i + 1, 4096, 0), 0);
		assert_int_equal(kind_name(&h, sizeof(h), &name), 0);
		assert_string_equal(name, names[i]);
	}
	h.uuid[3] ^= 1;
	assert_int_equal(kind_name(&h, sizeof(h), &name), -ERR_DAMAGED);
	h.version = HDR_VERSION + 1;
	h.check = hash32(&h, offsetof(struct hdr, check), 0);
	assert_int_equal(kind_name(&h, sizeof(h), &name), -ERR_VERSION);
	assert_int_equal(kind_name(&h, 0, &name), -ERR_EMPTY);
	assert_int_equal(kind_name(&h, 8, &name), -ERR_KIND);
}

static void
test_emmap_counters(void **state)
{
	uint8_t file[16 + 8 * 5 + 1] = "EMMAP01\n\5";
	const char *name;

	(void)state;
	for (uint64_t n = 1; n <= sizeof(file); n++)
		assert_int_equal(kind_name(file, n, &name), n == 16 + 8 * 5 ? 0 : -ERR_KIND);
	file[15] = 0x80; /* a count that overflows when multiplied */
	assert_int_equal(kind_name(file, 16 + 8 * 5, &name), -ERR_KIND);
}

static void
test_emmap_queue(void **state)
{
	/* size 64, head 16, tail 32, next 32; one record of 16 bytes: an empty binary */
	static const uint8_t file[64] = { 0, 0, 0, 64, 0, 0, 0, 16, 0, 0, 0, 32, 0, 0, 0, 32,
		0, 0, 0, 16, 131, 109, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16 };
	uint8_t bad[64];
	const char *name;

	(void)state;
	assert_int_equal(kind_name(file, sizeof(file), &name), 0);
	assert_string_equal(name, "emmap queue");
	for (size_t i = 0; i < 32; i++) {
		if (i >= 21 && i < 28) /* the term itself */
			continue;
		memcpy(bad, file, sizeof(bad));
		bad[i] ^= 0x84;
		/* A longer queue than the file is what emmap leaves too. */
		assert_int_equal(kind_name(bad, sizeof(bad), &name), i < 4 && bad[i] ? 0 : -ERR_KIND);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_emmap_counters),
		cmocka_unit_test(test_emmap_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
