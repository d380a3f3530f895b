#include "lock.h"
#include "err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id /* glibc before 2.38 */
#define sigev_notify_thread_id _sigev_un._tid
#endif

static int
set(int fd, int cmd, short type, unsigned byte)
{
	struct flock fl = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(LOCK_BASE + byte),
		.l_len = 1,
	};

	return fcntl(fd, cmd, &fl) ? -errno : 0;
}

static void
on_alarm(int sig)
{
	(void)sig; /* only there to end fcntl with EINTR */
}

/*
 * Sleeps in the kernel's queue of waiters, which is first come first served: polling starves somebody among
 * 64 processes. A timer signal ends the sleep; it repeats, so that one which fires before fcntl is
 * entered is not the last.
 */
static int
take_blocking(int fd, short type, unsigned byte, int64_t timeout_ns)
{
	struct sigaction sa = { .sa_handler = on_alarm }, old;
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM };
	struct itimerspec when = {
		.it_value = { timeout_ns / 1000000000, timeout_ns % 1000000000 },
		.it_interval = { 0, 50000000 },
	};
	struct timespec start, now;
	sigset_t alarm, mask;
	timer_t timer;
	int rc;

	clock_gettime(CLOCK_MONOTONIC, &start);
	ev.sigev_notify_thread_id = gettid(); /* another thread's EINTR would not end this sleep */
	if (sigaction(SIGALRM, &sa, &old))
		return -errno;
	/* The mask survives exec(2): a parent that blocks SIGALRM would turn the deadline into a hang. */
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &alarm, &mask);
	if (timer_create(CLOCK_MONOTONIC, &ev, &timer)) {
		rc = -errno;
		goto out;
	}
	timer_settime(timer, 0, &when, NULL);
	do {
		rc = set(fd, F_OFD_SETLKW, type, byte);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (rc == -EINTR &&
	    (now.tv_sec - start.tv_sec) * INT64_C(1000000000) + now.tv_nsec - start.tv_nsec < timeout_ns);
	timer_delete(timer);
out:
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGALRM, &old, NULL);
	return rc == -EINTR ? -ERR_LOCKED : rc;
}

int
lock_take(int fd, unsigned byte, bool exclusive, int64_t timeout_ns)
{
	short type = exclusive ? F_WRLCK : F_RDLCK;
	int rc = set(fd, F_OFD_SETLK, type, byte);

	if (rc != -EAGAIN && rc != -EACCES)
		return rc;
	return timeout_ns > 0 ? take_blocking(fd, type, byte, timeout_ns) : -ERR_LOCKED;
}

void
lock_drop(int fd, unsigned byte)
{
	(void)set(fd, F_OFD_SETLK, F_UNLCK, byte); /* unlocking one's own byte cannot fail */
}

int
lock_any_held(int fd, unsigned first, unsigned n, bool *held)
{
	struct flock fl = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(LOCK_BASE + first),
		.l_len = n,
	};

	if (fcntl(fd, F_OFD_GETLK, &fl))
		return -errno;
	*held = fl.l_type != F_UNLCK;
	return 0;
}

bool
lock_held(int fd, unsigned byte)
{
	bool held = true;

	return lock_any_held(fd, byte, 1, &held) || held; /* not known: leave the holder what it may have */
}

/* fdinfo lines: "lock:\t1: OFDLCK ADVISORY  WRITE -1 MAJOR:MINOR:INODE START END" */
static bool
fdinfo_holds(const char *path, const char *needle)
{
	char line[512];
	bool found = false;
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "lock:", 5) && strstr(line, "OFDLCK") && strstr(line, needle);
	fclose(f);
	return found;
}

static bool
process_holds(const char *pid, const char *needle)
{
	char path[600];
	struct dirent *e;
	bool found = false;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo", pid);
	d = opendir(path);
	if (!d)
		return false;
	while (!found && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%s", pid, e->d_name);
		found = fdinfo_holds(path, needle);
	}
	closedir(d);
	return found;
}

pid_t
lock_holder(int fd, unsigned byte)
{
	char needle[64];
	struct dirent *e;
	struct stat st;
	pid_t pid = 0;
	DIR *d;

	if (fstat(fd, &st))
		return 0;
	snprintf(needle, sizeof(needle), ":%lu %llu ", (unsigned long)st.st_ino, (unsigned long long)(LOCK_BASE + byte));
	d = opendir("/proc");
	if (!d)
		return 0;
	while (!pid && (e = readdir(d)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && atol(e->d_name) != getpid() &&
		    process_holds(e->d_name, needle))
			pid = (pid_t)atol(e->d_name);
	closedir(d);
	return pid;
}
