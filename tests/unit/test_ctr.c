/* Counters: arithmetic, many writers, another instance, damage. Kills are in test_ctr_kill.c. */
#include "ctr_impl.h"
#include "instance.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct ctr_how rw = { .flags = CTR_RW | CTR_CREATE, .mode = 0600, .lock_timeout = INT64_C(60000000000) };
static const struct ctr_how ro = { .flags = CTR_RDONLY };
static const char *file = "test.ctr";

static int
fresh(void **state)
{
	static char dir[] = "/tmp/test_ctr.XXXXXX";

	(void)state;
	if (strstr(dir, "XXXXXX") && (!mkdtemp(dir) || chdir(dir)))
		return -1;
	unlink(file);
	return 0;
}

static int64_t
add(struct ctr *c, const char *name, int64_t n)
{
	struct ctr_op op = { .kind = CTR_ADD, .operand = n };
	int64_t old, new;

	assert_int_equal(ctr_update(c, name, strlen(name), &op, &old, &new), 0);
	return new;
}

static int64_t
get(struct ctr *c, const char *name)
{
	int64_t v = -1;

	assert_int_equal(ctr_get(c, name, strlen(name), &v), 0);
	return v;
}

static void
arithmetic(void **state)
{
	static const struct {
		struct ctr_op op;
		int64_t old;
		int rc;
		int64_t new;
	} rows[] = {
		{ { .kind = CTR_ADD, .operand = 1 }, INT64_MAX, -ERR_OVERFLOW, 0 },
		{ { .kind = CTR_ADD, .operand = 1, .overflow = CTR_WRAP }, INT64_MAX, 0, INT64_MIN },
		{ { .kind = CTR_ADD, .operand = 1, .overflow = CTR_SATURATE }, INT64_MAX, 0, INT64_MAX },
		{ { .kind = CTR_ADD, .operand = -1, .overflow = CTR_SATURATE }, INT64_MIN, 0, INT64_MIN },
		{ { .kind = CTR_SUB, .operand = INT64_MIN }, 0, -ERR_OVERFLOW, 0 },
		{ { .kind = CTR_SUB, .operand = INT64_MIN, .overflow = CTR_SATURATE }, 0, 0, INT64_MAX },
		{ { .kind = CTR_SUB, .operand = INT64_MIN }, -1, 0, INT64_MAX },
		{ { .kind = CTR_ADD, .operand = 1, .limited = true, .lo = 0, .hi = 5 }, 5, CTR_NO, 0 },
		{ { .kind = CTR_ADD, .operand = 1, .limited = true, .lo = 0, .hi = 5 }, 4, 0, 5 },
		{ { .kind = CTR_ADD, .operand = 1, .limited = true, .hi = INT64_MAX }, INT64_MAX, CTR_NO, 0 },
		{ { .kind = CTR_AND, .operand = 6 }, 3, 0, 2 },
		{ { .kind = CTR_OR, .operand = 6 }, 3, 0, 7 },
		{ { .kind = CTR_XOR, .operand = 6 }, 3, 0, 5 },
		{ { .kind = CTR_MAX, .operand = 6 }, 3, 0, 6 },
		{ { .kind = CTR_MIN, .operand = 6 }, 3, 0, 3 },
		{ { .kind = CTR_CAS, .operand = 6, .expect = 4 }, 3, CTR_NO, 0 },
		{ { .kind = CTR_CAS, .operand = 6, .expect = 3 }, 3, 0, 6 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t new = 0;

		assert_int_equal(ctr_apply(&rows[i].op, rows[i].old, &new), rows[i].rc);
		assert_int_equal(new, rows[i].new);
	}
}

static void *
hammer(void *arg)
{
	struct ctr c;

	assert_int_equal(ctr_open(&c, file, &rw), 0);
	for (int i = 0; i < 50000; i++)
		add(&c, arg, 1);
	ctr_close(&c);
	return NULL;
}

static void
threads_lose_nothing(void **state)
{
	static char name[] = "hits";
	pthread_t t[4];
	struct ctr c;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, hammer, name), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(ctr_open(&c, file, &ro), 0);
	assert_int_equal(get(&c, "hits"), 200000);
	ctr_close(&c);
}

static int
count(const struct ctr_item *it, void *arg)
{
	(void)it;
	++*(int *)arg;
	return 0;
}

/* Names of all lengths, more than the first index table and the first size hold. */
static void
nth_name(char name[CTR_NAME_MAX + 1], int i)
{
	int n = snprintf(name, CTR_NAME_MAX + 1, "name%d", i), len = n + i * 7 % (CTR_NAME_MAX + 1 - n);

	memset(name + n, 'x', (size_t)(len - n));
	name[len] = '\0';
}

static void
fill_names(struct ctr *c, int n)
{
	char name[CTR_NAME_MAX + 1];

	for (int i = 0; i < n; i++) {
		nth_name(name, i);
		add(c, name, 1);
	}
}

static void
expect_names(struct ctr *c, int n, int64_t value)
{
	char name[CTR_NAME_MAX + 1];
	int seen = 0;

	for (int i = 0; i < n; i++) {
		nth_name(name, i);
		assert_int_equal(get(c, name), value);
	}
	assert_int_equal(ctr_each(c, count, &seen), 0);
	assert_int_equal(seen, n);
}

static void
processes_create_the_same_names(void **state)
{
	struct ctr c;
	int status;

	(void)state;
	for (int i = 0; i < 4; i++)
		if (!fork()) {
			if (ctr_open(&c, file, &rw))
				_exit(1);
			fill_names(&c, 1000);
			_exit(0);
		}
	for (int i = 0; i < 4; i++) {
		wait(&status);
		assert_int_equal(status, 0);
	}
	assert_int_equal(ctr_open(&c, file, &ro), 0);
	expect_names(&c, 1000, 4);
	ctr_close(&c);
}

static void
deleted_and_revived(void **state)
{
	struct ctr c;
	int64_t v;

	(void)state;
	assert_int_equal(ctr_open(&c, file, &rw), 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(add(&c, "a", 7), 7);
		assert_int_equal(add(&c, "a", 1), 8);
		assert_int_equal(ctr_del(&c, "a", 1), 0);
		assert_int_equal(ctr_del(&c, "a", 1), CTR_NO);
		assert_int_equal(ctr_get(&c, "a", 1, &v), CTR_NO);
	}
	ctr_close(&c);
}

static void
help_and_type(void **state)
{
	char help[CTR_HELP_MAX];
	struct ctr_item it;
	uint64_t slot;
	struct ctr c;
	size_t n;

	(void)state;
	memset(help, 'h', sizeof(help));
	assert_int_equal(ctr_open(&c, file, &rw), 0);
	add(&c, "a", 1);
	for (size_t i = 1; i <= sizeof(help); i += 300) {
		assert_int_equal(ctr_describe(&c, "a", 1, CTR_GAUGE, help, i), 0);
		assert_int_equal(ctr_find(&c, "a", 1, &slot), 0);
		assert_int_equal(ctr_help(&c, slot, help, &n), 0);
		assert_int_equal(n, i);
	}
	assert_int_equal(ctr_item_at(&c, slot, &it), 0);
	assert_int_equal(it.type, CTR_GAUGE);
	assert_int_equal(it.value, 1);
	ctr_close(&c);
}

/* As after a power cut: the index and the cursors are older than the slots, or not there at all. */
static void
another_instance_recovers(void **state)
{
	static const uint64_t old_cursor = CTR_FIRST_SLOTS + CTR_PAGE;
	struct ctr c;

	(void)state;
	for (int variant = 0; variant < 3; variant++) {
		fresh(NULL);
		assert_int_equal(ctr_open(&c, file, &rw), 0);
		fill_names(&c, 700);
		memset(ctr_file(&c)->instances, 0, sizeof(ctr_file(&c)->instances));
		if (variant >= 1) {
			ctr_file(&c)->root = seal(1 << CTR_ROOT_LOG2_BITS | CTR_TABLE_MIN);
			ctr_file(&c)->space_next = seal(old_cursor);
			ctr_file(&c)->slot_next = seal(CTR_FIRST_SLOTS + CTR_LINE);
		}
		if (variant >= 2)
			memset(ctr_at(&c, CTR_FIRST_TABLE), 0, CTR_PAGE);
		ctr_close(&c);
		assert_int_equal(ctr_open(&c, file, &ro), 0);
		expect_names(&c, 700, 1); /* a reader scans */
		assert_false(c.known);
		ctr_close(&c);
		assert_int_equal(ctr_open(&c, file, &rw), 0);
		fill_names(&c, 900); /* a writer recovers, and hands out nothing twice */
		assert_true(c.known);
		fill_names(&c, 900);
		for (int i = 0; i < 700; i++) {
			char name[CTR_NAME_MAX + 1];

			nth_name(name, i);
			assert_int_equal(get(&c, name), 3);
		}
		ctr_close(&c);
	}
}

static void
damage_is_no_absence(void **state)
{
	char name[CTR_NAME_MAX + 1];
	int64_t v, old;
	struct ctr_op op = { .kind = CTR_ADD, .operand = 1 };
	struct ctr c;

	(void)state;
	assert_int_equal(ctr_open(&c, file, &rw), 0);
	fill_names(&c, 20);
	memset(ctr_at(&c, CTR_FIRST_TABLE), 0, CTR_PAGE); /* the index page is lost, in a known instance */
	nth_name(name, 3);
	assert_int_equal(ctr_get(&c, name, strlen(name), &v), -ERR_DAMAGED);
	assert_true(c.map.at.offset >= CTR_FIRST_TABLE && c.map.at.offset < CTR_FIRST_SLOTS);
	assert_int_equal(ctr_update(&c, name, strlen(name), &op, &old, &v), -ERR_DAMAGED);
	ctr_close(&c);
}

static int
check_value(const struct ctr_item *it, void *arg)
{
	(void)arg;
	return it->value == 1 ? 0 : -EIO;
}

/* Every byte of metadata flipped in turn: right, absent with damage said, or refused; never a wrong value. */
static void
every_byte_flipped(void **state)
{
	static uint8_t whole[CTR_FIRST_SIZE];
	struct ctr c;
	int fd;

	(void)state;
	assert_int_equal(ctr_open(&c, file, &rw), 0);
	fill_names(&c, 12);
	memcpy(whole, c.map.base, sizeof(whole));
	ctr_close(&c);
	fd = open(file, O_RDWR);
	for (uint64_t off = 0; off < CTR_FIRST_SLOTS + 2048; off++) {
		uint8_t bad = (uint8_t)(whole[off] ^ 0x55);
		bool value = off >= CTR_FIRST_SLOTS && off % 64 >= 8 && off % 64 < 24;
		int rc;

		if (value || (off >= 192 && off < CTR_PAGE))
			continue;
		assert_int_equal(pwrite(fd, &bad, 1, (off_t)off), 1);
		rc = ctr_open(&c, file, &ro);
		if (!rc) {
			char name[CTR_NAME_MAX + 1];
			int64_t v;

			for (int i = 0; i < 12; i++) {
				nth_name(name, i);
				rc = ctr_get(&c, name, strlen(name), &v);
				assert_true(rc == -ERR_DAMAGED || (!rc && v == 1));
			}
			rc = ctr_each(&c, check_value, NULL);
			assert_true(!rc || rc == -ERR_DAMAGED);
			ctr_close(&c);
		}
		assert_int_equal(pwrite(fd, &whole[off], 1, (off_t)off), 1);
	}
	close(fd);
}

/* Terabytes of hole, as slots or as the index: looked through in no time. */
static void
sparse(void **state)
{
	const uint64_t size = UINT64_C(1) << 40;
	int64_t v;
	struct ctr c;

	(void)state;
	assert_int_equal(ctr_open(&c, file, &rw), 0);
	add(&c, "a", 1);
	ctr_publish(&ctr_file(&c)->capacity, seal(size));
	ctr_close(&c);
	if (truncate(file, (off_t)size))
		skip(); /* no such sizes here */
	assert_int_equal(ctr_open(&c, file, &rw), 0);
	memset(ctr_file(&c)->instances, 0, sizeof(ctr_file(&c)->instances));
	ctr_close(&c);
	assert_int_equal(ctr_open(&c, file, &ro), 0);
	assert_int_equal(ctr_get(&c, "b", 1, &v), CTR_NO);
	ctr_close(&c);
	assert_int_equal(ctr_open(&c, file, &rw), 0);
	assert_int_equal(add(&c, "b", 2), 2); /* recovers */
	assert_int_equal(get(&c, "a"), 1);
	ctr_publish(&ctr_file(&c)->root, seal((size / 2 / CTR_PAGE) << CTR_ROOT_LOG2_BITS | 36));
	assert_int_equal(ctr_get(&c, "a", 1, &v), -ERR_DAMAGED);
	ctr_close(&c);
	unlink(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic),
		cmocka_unit_test_setup(sparse, fresh),
		cmocka_unit_test_setup(threads_lose_nothing, fresh),
		cmocka_unit_test_setup(processes_create_the_same_names, fresh),
		cmocka_unit_test_setup(deleted_and_revived, fresh),
		cmocka_unit_test_setup(help_and_type, fresh),
		cmocka_unit_test_setup(another_instance_recovers, fresh),
		cmocka_unit_test_setup(damage_is_no_absence, fresh),
		cmocka_unit_test_setup(every_byte_flipped, fresh),
	};

	return cmocka_run_group_tests_name("ctr", tests, NULL, NULL);
}
