/* Locks that die with their holder: deadlines, killed holders, forks, and who holds one. */
#include "unit.h"

#include "err.h"
#include "lock.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)

static char path[] = "/tmp/mmutils-lock-XXXXXX";

static int
open_again(void)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* A child that holds the byte and sleeps; it has the lock when this returns. */
static pid_t
holder(unsigned byte, bool exclusive)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (lock_take(open(path, O_RDWR), byte, exclusive, 0) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static void
reap(pid_t pid, int sig)
{
	kill(pid, sig);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
excludes_and_shares(void **state)
{
	int a = open_again(), b = open_again();

	(void)state;
	assert_int_equal(lock_take(a, LOCK_MAIN, true, 0), 0);
	assert_int_equal(lock_take(b, LOCK_MAIN, true, 0), -ERR_LOCKED);
	assert_int_equal(lock_take(b, LOCK_MAIN, false, 0), -ERR_LOCKED);
	assert_int_equal(lock_take(b, LOCK_SYNC, true, 0), 0); /* another byte is another lock */
	lock_drop(a, LOCK_MAIN);
	assert_int_equal(lock_take(a, LOCK_MAIN, false, 0), 0);
	assert_int_equal(lock_take(b, LOCK_MAIN, false, 0), 0);
	assert_int_equal(lock_take(b, LOCK_MAIN, true, 0), -ERR_LOCKED); /* no upgrade over a reader */
	close(a);
	assert_int_equal(lock_take(b, LOCK_MAIN, true, 0), 0);
	close(b);
}

static void
deadline(void **state)
{
	pid_t pid = holder(LOCK_MAIN, true);
	int fd = open_again();
	int64_t start = now(), took;

	(void)state;
	assert_int_equal(lock_take(fd, LOCK_MAIN, true, 120 * MS), -ERR_LOCKED);
	took = now() - start;
	assert_true(took >= 119 * MS);
	assert_true(took < 20000 * MS); /* a hang, not a slow machine */
	reap(pid, SIGKILL);
	close(fd);
}

/* The mask survives exec(2): a parent that blocks SIGALRM must not turn the deadline into a hang. */
static void
deadline_with_alarm_blocked(void **state)
{
	pid_t pid = holder(LOCK_MAIN, true);
	int fd = open_again();
	sigset_t set, after;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	alarm(0);
	assert_int_equal(lock_take(fd, LOCK_MAIN, true, 120 * MS), -ERR_LOCKED);
	assert_int_equal(sigprocmask(SIG_UNBLOCK, &set, &after), 0);
	assert_true(sigismember(&after, SIGALRM)); /* the caller's mask is the caller's */
	reap(pid, SIGKILL);
	close(fd);
}

static void
caller_keeps_its_alarm(void **state)
{
	pid_t pid = holder(LOCK_MAIN, true);
	struct sigaction sa = { .sa_handler = SIG_IGN }, after;
	int fd = open_again();

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
	assert_int_equal(lock_take(fd, LOCK_MAIN, true, 20 * MS), -ERR_LOCKED);
	assert_int_equal(sigaction(SIGALRM, NULL, &after), 0);
	assert_ptr_equal(after.sa_handler, SIG_IGN);
	signal(SIGALRM, SIG_DFL);
	reap(pid, SIGKILL);
	close(fd);
}

/* kill -9 of the holder hands the lock to the one who waits. */
static void
killed_holder(void **state)
{
	pid_t pid = holder(LOCK_MAIN, true), killer;
	int fd = open_again();

	(void)state;
	killer = fork();
	if (!killer) {
		usleep(50000);
		kill(pid, SIGKILL);
		_exit(0);
	}
	assert_int_equal(lock_take(fd, LOCK_MAIN, true, 30000 * MS), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(waitpid(killer, NULL, 0), killer);
	close(fd);
}

/* A stopped holder is alive: the lock is not stolen. */
static void
stopped_holder(void **state)
{
	pid_t pid = holder(LOCK_MAIN, true);
	int fd = open_again();

	(void)state;
	kill(pid, SIGSTOP);
	assert_int_equal(lock_take(fd, LOCK_MAIN, true, 30 * MS), -ERR_LOCKED);
	reap(pid, SIGKILL);
	assert_int_equal(lock_take(fd, LOCK_MAIN, true, 0), 0);
	close(fd);
}

/* As lock.h says: the child shares the description, and only a reopened one is a lock of its own. */
static void
fork_shares(void **state)
{
	int fd = open_again(), status;
	pid_t pid;

	(void)state;
	assert_int_equal(lock_take(fd, LOCK_MAIN, true, 0), 0);
	pid = fork();
	if (!pid) {
		char self[64];
		int own;

		snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
		own = open(self, O_RDWR);
		_exit(lock_take(fd, LOCK_MAIN, true, 0) != 0 || lock_take(own, LOCK_MAIN, true, 0) != -ERR_LOCKED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* The child's end closed its copy only: the lock is still here. */
	assert_int_equal(lock_take(open_again(), LOCK_MAIN, true, 0), -ERR_LOCKED);
	close(fd);
}

static void
names_the_holder(void **state)
{
	pid_t pid = holder(LOCK_CONSUMER + 5, true);
	int fd = open_again();

	(void)state;
	assert_int_equal(lock_holder(fd, LOCK_CONSUMER + 5), pid);
	assert_int_equal(lock_holder(fd, LOCK_CONSUMER + 6), 0);
	assert_int_equal(lock_holder(fd, LOCK_CONSUMER), 0);
	reap(pid, SIGKILL);
	assert_int_equal(lock_holder(fd, LOCK_CONSUMER + 5), 0);
	close(fd);
}

static void
exclusive_needs_a_writable_descriptor(void **state)
{
	int fd = open(path, O_RDONLY);

	(void)state;
	assert_true(lock_take(fd, LOCK_MAIN, true, 0) < 0);
	assert_int_equal(lock_take(fd, LOCK_MAIN, false, 0), 0);
	close(fd);
}

static int
make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd);
}

static int
remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(excludes_and_shares), cmocka_unit_test(deadline),
		cmocka_unit_test(deadline_with_alarm_blocked), cmocka_unit_test(caller_keeps_its_alarm),
		cmocka_unit_test(killed_holder), cmocka_unit_test(stopped_holder), cmocka_unit_test(fork_shares),
		cmocka_unit_test(names_the_holder), cmocka_unit_test(exclusive_needs_a_writable_descriptor),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
