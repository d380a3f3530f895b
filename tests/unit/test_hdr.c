/* The file header: each refusal in its order, each damaged byte, each length. */
#include "unit.h"

#include "hash.h"
#include "hdr.h"

#include <string.h>
#include <time.h>

static struct hdr
fresh(void)
{
	struct hdr h;

	assert_int_equal(hdr_init(&h, HDR_KIND_QUEUE, 8192, 77), 0);
	return h;
}

/* What another version of this toolkit would have written: whole, with a right check. */
static struct hdr
resealed(struct hdr h)
{
	h.check = hash32(&h, offsetof(struct hdr, check), 0);
	return h;
}

static int
decode(struct hdr raw, enum hdr_kind kind, bool writing)
{
	struct err_at at = { 0 };
	struct hdr h;

	memset(&h, 0x55, sizeof(h));
	int rc = hdr_decode(&raw, sizeof(raw), kind, writing, &h, &at);
	if (rc) /* a refused header is not handed out */
		for (size_t i = 0; i < sizeof(h); i++)
			assert_int_equal(((uint8_t *)&h)[i], 0x55);
	else
		assert_memory_equal(&h, &raw, sizeof(h));
	return rc;
}

static void
made_and_taken(void **state)
{
	struct hdr h = fresh(), other = fresh();
	uint64_t now = (uint64_t)time(NULL);

	(void)state;
	assert_int_equal(decode(h, HDR_KIND_QUEUE, true), 0);
	assert_int_equal(decode(h, 0, false), 0);
	assert_memory_equal(h.magic, "\x89MMU\r\n\x1a\n", 8);
	assert_int_equal(h.version, HDR_VERSION);
	assert_int_equal(h.header_size, 8192);
	assert_int_equal(h.param, 77);
	assert_in_range(h.created / 1000000000, now - 5, now + 5);
	assert_memory_not_equal(h.uuid, other.uuid, sizeof(h.uuid));
}

static void
every_length(void **state)
{
	struct hdr h = fresh(), out;

	(void)state;
	assert_int_equal(hdr_decode(&h, 0, 0, false, &out, NULL), -ERR_EMPTY);
	for (uint64_t n = 1; n < sizeof(h); n++)
		assert_int_equal(hdr_decode(&h, n, 0, false, &out, NULL), -ERR_KIND);
	assert_int_equal(hdr_decode(&h, sizeof(h), 0, false, &out, NULL), 0);
}

static void
every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(struct hdr); i++)
		for (unsigned change = 1; change < 256; change++) {
			struct hdr h = fresh();
			struct hdr out;
			struct err_at at = { 0 };
			int rc;

			((uint8_t *)&h)[i] ^= (uint8_t)change;
			rc = hdr_decode(&h, sizeof(h), HDR_KIND_QUEUE, false, &out, &at);
			if (i < HDR_MAGIC_SIZE)
				assert_int_equal(rc, -ERR_KIND);
			else {
				assert_int_equal(rc, -ERR_DAMAGED);
				assert_int_equal(at.offset, offsetof(struct hdr, check));
				assert_non_null(at.what);
			}
		}
}

static void
refusals(void **state)
{
	struct hdr h = fresh();

	(void)state;
	assert_int_equal(decode(h, HDR_KIND_HEAP, false), -ERR_KIND);
	h.version = HDR_VERSION + 1;
	assert_int_equal(decode(resealed(h), HDR_KIND_QUEUE, false), -ERR_VERSION);
	assert_int_equal(decode(resealed(h), HDR_KIND_HEAP, false), -ERR_KIND);
	assert_int_equal(decode(h, HDR_KIND_QUEUE, false), -ERR_DAMAGED); /* not resealed: the version is not believed */
}

static void
feature_bits(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 32; bit++) {
		struct hdr h = fresh();

		h.compat = UINT32_C(1) << bit;
		assert_int_equal(decode(resealed(h), 0, true), 0);
		h.ro_compat = UINT32_C(1) << bit;
		assert_int_equal(decode(resealed(h), 0, false), 0);
		assert_int_equal(decode(resealed(h), 0, true), -ERR_FEATURE);
		h.ro_compat = 0;
		h.incompat = UINT32_C(1) << bit;
		assert_int_equal(decode(resealed(h), 0, false), -ERR_FEATURE);
		assert_int_equal(decode(resealed(h), 0, true), -ERR_FEATURE);
	}
}

/* Each code has words and an exit code of the contract; numbers that are no code do not crash. */
static void
every_error_is_worded(void **state)
{
	(void)state;
	for (int e = ERR_FIRST; e < ERR_LAST; e++) {
		assert_string_not_equal(err_text(-e), "unknown error");
		assert_int_equal(err_exit(-e), err_exit(e));
		assert_in_range(err_exit(e), 64, 78);
	}
	assert_string_equal(err_text(ERR_LAST), "unknown error");
	assert_int_equal(err_exit(-ERR_LAST), 70);
	for (int e = 1; e < 200; e++)
		assert_in_range(err_exit(-e), 64, 78);
	assert_null(err_advice(ERR_LAST));
	assert_non_null(err_advice(-ERR_LOCKED));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_and_taken), cmocka_unit_test(every_length), cmocka_unit_test(every_byte),
		cmocka_unit_test(refusals), cmocka_unit_test(feature_bits), cmocka_unit_test(every_error_is_worded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
