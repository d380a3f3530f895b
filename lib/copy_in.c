#include "copy_in.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* Measured on 64 MiB through a pipe: 64 KiB costs wake-ups, 1 MiB falls out of the second-level cache. */
#define PIPE_WANTED (256 * 1024)
#define STEP (64 * 1024 * 1024) /* of one system call, so that signals are served */

static char buf[256 * 1024];

static uint64_t
min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* One read; waits for a non-blocking input. Bytes, 0 at the end, -errno. */
static ssize_t
read_some(struct copy_in *in, char *p, size_t n)
{
	struct pollfd pfd = { .fd = in->fd, .events = POLLIN };
	ssize_t r;

	do
		r = in->known ? pread(in->fd, p, n, (off_t)in->pos) : read(in->fd, p, n);
	while (r < 0 && (errno == EINTR || (errno == EAGAIN && poll(&pfd, 1, -1) >= 0)));
	in->failed = r < 0;
	if (r > 0)
		in->pos += (uint64_t)r;
	return r < 0 ? -errno : r;
}

/* All of an input that fits the buffer; what came is its length. */
static int
read_small(struct copy_in *in)
{
	while (in->have < in->len) {
		ssize_t r = read_some(in, buf + in->have, (size_t)(in->len - in->have));

		if (r < 0)
			return (int)r;
		if (!r)
			in->len = in->have;
		in->have += (size_t)r;
	}
	return 0;
}

int
copy_in_init(struct copy_in *in, int fd)
{
	struct stat st;
	off_t pos;

	*in = (struct copy_in){ .fd = fd, .failed = true };
	if (fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	in->failed = false;
	in->pipe = S_ISFIFO(st.st_mode);
	in->fast = in->pipe;
	if (in->pipe)
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_WANTED); /* more than the user may have: as it is */
	if (!S_ISREG(st.st_mode) || !st.st_size || (pos = lseek(fd, 0, SEEK_CUR)) < 0)
		return 0;
	in->known = true;
	in->fast = true;
	in->pos = (uint64_t)pos;
	in->len = st.st_size > pos ? (uint64_t)(st.st_size - pos) : 0;
	return in->len <= sizeof(buf) ? read_small(in) : 0;
}

int
copy_in_peek(struct copy_in *in)
{
	ssize_t r;

	if (in->have || (in->known && !in->len))
		return 0;
	r = read_some(in, buf, in->known ? (size_t)min64(in->len, sizeof(buf)) : sizeof(buf));
	if (r < 0)
		return (int)r;
	in->failed = in->known && !r;
	in->at = 0;
	in->have = (size_t)r;
	return in->failed ? -ERR_SHRUNK : 0;
}

/* Without a detour over this process; false: has to go through the buffer, which also tells errors apart. */
static bool
step_fast(struct copy_in *in, struct map *m, uint64_t off, uint64_t limit, uint64_t *n)
{
	size_t want = (size_t)min64(in->known ? min64(limit, in->len) : limit, STEP);
	off_t from = (off_t)in->pos, to = (off_t)off;
	ssize_t w;

	do
		if (in->pipe)
			w = splice(in->fd, NULL, m->fd, &to, want, SPLICE_F_MOVE);
		else
			w = copy_file_range(in->fd, &from, m->fd, &to, want, 0);
	while (w < 0 && errno == EINTR);
	if (w < 0 || (!w && in->known))
		return in->fast = false;
	*n = (uint64_t)w;
	in->pos += *n;
	return true;
}

int
copy_in_step(struct copy_in *in, struct map *m, uint64_t off, uint64_t limit, uint64_t *n)
{
	ssize_t w;
	int rc;

	*n = 0;
	if (!limit || (in->known && !in->len))
		return 0;
	if (in->have || !in->fast || !step_fast(in, m, off, limit, n)) {
		rc = copy_in_peek(in);
		if (rc || !in->have)
			return rc;
		do
			w = pwrite(m->fd, buf + in->at, (size_t)min64(in->have, limit), (off_t)off);
		while (w < 0 && errno == EINTR);
		if (w <= 0)
			return w < 0 ? -errno : -EIO;
		*n = (uint64_t)w;
		in->at += (size_t)w;
		in->have -= (size_t)w;
	}
	if (in->known)
		in->len -= *n;
	return 0;
}
