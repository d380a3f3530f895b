/* Bytes of the file: from the mapping where there is one, else by system call. */
#include "queue.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int
q_map(struct queue *q)
{
	return q->m.base ? 0 : map_view(&q->m, q->m.size);
}

int
q_read(struct queue *q, uint64_t offset, void *to, size_t n)
{
	char *at = to;

	if (q->m.base) {
		/* Pairs with the writer's order: what a state refers to was written before it. */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		memcpy(to, q->m.base + offset, n);
		return 0;
	}
	while (n) {
		ssize_t got = pread(q->m.fd, at, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -ERR_SHRUNK;
		at += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int
q_write(struct queue *q, uint64_t offset, const void *from, size_t n)
{
	return map_pwrite(&q->m, from, n, offset);
}

/*
 * The sleeper counts itself, looks once more and then sleeps on the word's value; we publish and then look at the
 * count. One of the two sees the other; the once-a-second look of sleepers covers our death between the two.
 */
void
q_wake(struct queue *q, uint64_t offset)
{
	uint32_t words[2]; /* the futex word and who sleeps on it */
	uint32_t *futex;

	if (q_read(q, offset, words, sizeof(words)) || !words[1] || q_map(q))
		return;
	futex = (uint32_t *)(void *)(q->m.base + offset);
	__atomic_fetch_add(futex, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, futex, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
