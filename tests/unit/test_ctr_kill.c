/*
 * kill -9 at every instruction. A child does one operation under single step; whenever the file has changed, the state
 * is copied: that is what a kill at this instruction leaves. Each copy is then opened twice, as the same instance
 * (nothing may need repair) and as another one (recovery must not lose anything), and used on.
 */
#include "ctr_impl.h"
#include "instance.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct ctr_how rw = { .flags = CTR_RW | CTR_CREATE, .mode = 0600, .lock_timeout = INT64_C(10000000000) };
static const char *file = "kill.ctr", *copy = "copy.ctr";
static char long_name[CTR_NAME_MAX + 1];

enum { BEFORE = 305 }; /* the next name but one makes a new index table */
#define ABSENT INT64_MIN

struct operation {
	const char *label;
	const char *name;
	int (*run)(struct ctr *c, const char *name);
	int64_t old, new;
};

static int
do_add(struct ctr *c, const char *name)
{
	struct ctr_op op = { .kind = CTR_ADD, .operand = 5 };
	int64_t old, new;

	return ctr_update(c, name, strlen(name), &op, &old, &new);
}

static int
do_del(struct ctr *c, const char *name)
{
	return ctr_del(c, name, strlen(name));
}

static int
do_help(struct ctr *c, const char *name)
{
	return ctr_describe(c, name, strlen(name), CTR_GAUGE, "some help text", 14);
}

static int64_t
value_of(struct ctr *c, const char *name)
{
	int64_t v;
	int rc = ctr_get(c, name, strlen(name), &v);

	assert_true(rc == 0 || rc == CTR_NO);
	return rc ? ABSENT : v;
}

static void
write_copy(const uint8_t *bytes, size_t n, bool same_instance)
{
	int fd = open(copy, O_RDWR | O_CREAT | O_TRUNC, 0600);
	uint64_t id;

	assert_int_equal(write(fd, bytes, n), n);
	if (same_instance) {
		assert_int_equal(instance_id(fd, &id), 0);
		assert_int_equal(pwrite(fd, &id, 8, offsetof(struct ctr_file, instances)), 8);
	}
	close(fd);
}

static void
check_state(const uint8_t *bytes, size_t n, const struct operation *op, bool same_instance)
{
	char name[16];
	struct ctr c;
	int64_t v;

	write_copy(bytes, n, same_instance);
	assert_int_equal(ctr_open(&c, copy, &rw), 0);
	v = value_of(&c, op->name);
	if (v != op->old && v != op->new)
		fail_msg("%s: %s reads %lld", op->label, op->name, (long long)v);
	for (int i = 0; i < BEFORE; i += 61) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(value_of(&c, name), i);
	}
	/* And it goes on: the same name, a short one, a long one. */
	assert_int_equal(do_add(&c, op->name), 0);
	assert_int_equal(value_of(&c, op->name), (v == ABSENT ? 0 : v) + 5);
	assert_int_equal(do_add(&c, "after"), 0);
	assert_int_equal(value_of(&c, "after"), 5);
	long_name[0] = 'M';
	assert_int_equal(do_add(&c, long_name), 0);
	assert_int_equal(value_of(&c, long_name), 5);
	long_name[0] = 'L';
	assert_int_equal(value_of(&c, op->name), (v == ABSENT ? 0 : v) + 5);
	ctr_close(&c);
}

static int
child(const struct operation *op)
{
	struct ctr c;

	if (ctr_open(&c, file, &rw) || ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		return 1;
	raise(SIGSTOP);
	return op->run(&c, op->name) ? 2 : 0;
}

/* Number of distinct states seen. */
static int
step_through(const struct operation *op)
{
	size_t n = 4 << 20, size;
	uint8_t *seen = calloc(1, n), *map;
	int status, states = 0, fd = open(file, O_RDONLY);
	struct stat st;
	pid_t pid = fork();

	if (!pid)
		_exit(child(op));
	map = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);
	waitpid(pid, &status, 0);
	fstat(fd, &st);
	memcpy(seen, map, (size_t)st.st_size);
	while (WIFSTOPPED(status)) {
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
		waitpid(pid, &status, 0);
		fstat(fd, &st);
		size = (size_t)st.st_size;
		if (!memcmp(seen, map, size))
			continue;
		memcpy(seen, map, size);
		states++;
		check_state(seen, size, op, true);
		check_state(seen, size, op, false);
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	munmap(map, n);
	close(fd);
	free(seen);
	return states;
}

static void
prepare(void)
{
	char name[16];
	struct ctr c;

	unlink(file);
	assert_int_equal(ctr_open(&c, file, &rw), 0);
	for (int i = 0; i < BEFORE; i++) {
		struct ctr_op op = { .kind = CTR_SET, .operand = i };
		int64_t old, new;

		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(ctr_update(&c, name, strlen(name), &op, &old, &new), 0);
	}
	ctr_close(&c);
}

static void
every_instruction(void **state)
{
	const struct operation ops[] = {
		{ "add", "n60", do_add, 60, 65 },
		{ "delete", "n62", do_del, 62, ABSENT },
		{ "revive", "n62", do_add, ABSENT, 5 },
		{ "describe", "n63", do_help, 63, 63 },
		{ "create", "short", do_add, ABSENT, 5 },
		{ "create and grow the index", "grows", do_add, ABSENT, 5 },
		{ "create long", long_name, do_add, ABSENT, 5 },
	};

	(void)state;
	memset(long_name, 'L', CTR_NAME_MAX);
	prepare();
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		int states = step_through(&ops[i]);

		print_message("%-26s %d states\n", ops[i].label, states);
		assert_true(states > 0);
	}
}

/* Children that create names without end die at random; what any of them acknowledged is there. */
static void
random_kills(void **state)
{
	int64_t *acked = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), before = 0;
	char name[32];
	struct ctr c;
	int status;

	(void)state;
	prepare();
	for (int round = 0; round < 60; round++) {
		pid_t pid = fork();

		if (!pid) {
			if (ctr_open(&c, file, &rw))
				_exit(1);
			for (;;) {
				snprintf(name, sizeof(name), "k%lld", (long long)*acked);
				if (do_add(&c, name))
					_exit(2);
				++*acked;
			}
		}
		usleep((useconds_t)(500 + rand() % 4000));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(ctr_open(&c, file, &rw), 0);
		for (int64_t i = before; i < *acked; i++) {
			snprintf(name, sizeof(name), "k%lld", (long long)i);
			/* The first may have been made, and the child killed before it said so, and made again. */
			assert_true(value_of(&c, name) == 5 || (i == before && value_of(&c, name) == 10));
		}
		before = *acked;
		ctr_close(&c);
	}
	print_message("%lld names created under kills\n", (long long)*acked);
}

static int
enter(void **state)
{
	static char dir[] = "/tmp/test_ctr_kill.XXXXXX";

	(void)state;
	return mkdtemp(dir) && !chdir(dir) ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_instruction),
		cmocka_unit_test(random_kills),
	};

	return cmocka_run_group_tests_name("ctr_kill", tests, enter, NULL);
}
