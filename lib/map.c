#include "map.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define PAGE 4096

int
map_view(struct map *m, uint64_t want)
{
	uint64_t len = want > MAP_RESERVE / 4 ? want * 4 : MAP_RESERVE;
	int prot = m->writable ? PROT_READ | PROT_WRITE : PROT_READ;
	void *p;

	if (want > INT64_MAX / 4)
		return -EFBIG;
	/* A limited address space (ulimit -v) gets a shorter range, down to what is needed now. */
	for (;; len = len / 2 > want ? len / 2 : want) {
		p = mmap(NULL, len, prot, MAP_SHARED | MAP_NORESERVE, m->fd, 0);
		if (p != MAP_FAILED)
			break;
		if ((errno != ENOMEM && errno != EINVAL) || len == want) /* EINVAL: under valgrind */
			return -errno;
	}
	m->base = p;
	m->reserve = len;
	return 0;
}

int
map_refresh(struct map *m)
{
	struct stat st;

	if (fstat(m->fd, &st))
		return -errno;
	m->size = (uint64_t)st.st_size;
	return 0;
}

int
map_pwrite(struct map *m, const void *p, size_t n, uint64_t off)
{
	const char *at = p;

	while (n) {
		ssize_t w = pwrite(m->fd, at, n, (off_t)off);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w < 0 ? -errno : -EIO;
		at += w;
		off += (uint64_t)w;
		n -= (size_t)w;
	}
	return 0;
}

/* Only ever called for a range that no reader was told of: zeros cannot hurt anybody. */
static int
write_zeros(struct map *m, uint64_t from, uint64_t to)
{
	static const char zeros[64 * 1024];
	int rc = 0;

	while (!rc && from < to) {
		size_t n = to - from < sizeof(zeros) ? (size_t)(to - from) : sizeof(zeros);

		rc = map_pwrite(m, zeros, n, from);
		from += n;
	}
	return rc;
}

int
map_grow(struct map *m, uint64_t from, uint64_t to)
{
	int rc;

	if (to > INT64_MAX || from > to)
		return -EFBIG;
	if (m->base && to > m->reserve)
		return -ENOMEM;
	do
		rc = fallocate(m->fd, 0, (off_t)from, (off_t)(to - from)) ? -errno : 0;
	while (rc == -EINTR);
	if (rc == -EOPNOTSUPP || rc == -ENOSYS)
		rc = write_zeros(m, from, to);
	if (!rc && m->size < to)
		m->size = to;
	return rc;
}

int
map_ready(struct map *m, uint64_t off, uint64_t len)
{
	uint64_t start = off & ~(uint64_t)(PAGE - 1);
	int rc;

	do
		rc = madvise(m->base + start, off + len - start, MADV_POPULATE_WRITE) ? -errno : 0;
	while (rc == -EINTR || rc == -EAGAIN);
	if (rc == -EINVAL)
		return 0; /* before Linux 5.14: the guard remains */
	if (rc != -EFAULT)
		return rc;
	rc = map_refresh(m);
	if (!rc)
		rc = m->size < off + len ? -ERR_SHRUNK : -ENOSPC;
	return rc;
}

int
map_sync(struct map *m)
{
	int rc;

	do
		rc = fdatasync(m->fd) ? -errno : 0;
	while (rc == -EINTR);
	return rc ? -ERR_NOT_DURABLE : 0;
}

void
map_redirty(struct map *m, uint64_t off, uint64_t len)
{
	for (uint64_t at = off & ~(uint64_t)(PAGE - 1); at < off + len; at += PAGE) {
		uint64_t *word = (uint64_t *)(void *)(m->base + at);
		uint64_t v = __atomic_load_n(word, __ATOMIC_RELAXED);

		/*
		 * An atomic no-op: a plain load and store would undo another process's update. No fetch-or of 0:
		 * clang makes a load of it. When the exchange fails, somebody else has just dirtied the page.
		 */
		__atomic_compare_exchange_n(word, &v, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
}

int
map_can_sync(const struct map *m)
{
	return m->fs_type == TMPFS_MAGIC || m->fs_type == RAMFS_MAGIC ? -ERR_VOLATILE : 0;
}

void
map_close(struct map *m)
{
	if (m->base)
		munmap(m->base, m->reserve);
	if (m->fd >= 0)
		close(m->fd);
	m->base = NULL;
	m->fd = -1;
}

static void
no_handler(const void *addr)
{
	(void)addr;
	abort();
}

/* Initialised, so that it lies in a page that every start touches anyway. */
static void (*fault_fn)(const void *addr) = no_handler;

static void
on_sigbus(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	fault_fn(info->si_addr);
}

int
map_guard(void (*on_fault)(const void *addr))
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

	fault_fn = on_fault;
	if (sigaction(SIGBUS, &sa, NULL) || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return -errno;
	return 0;
}
