#include "copy_out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define BUFFER (128 * 1024)
#define PIPE_WANTED (1024 * 1024)
#define STEP (64 * 1024 * 1024) /* of one system call, so that signals are served */

static uint64_t
min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void
copy_out_init(struct copy_out *c, int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	*c = (struct copy_out){ .fd = fd, .way = COPY_PLAIN };
	if (flags < 0 || fstat(fd, &st))
		return; /* the first write says why */
	if (S_ISREG(st.st_mode)) {
		c->way = COPY_RANGE;
		/* With O_APPEND others may be writing at the end: a skipped hole would not be one. */
		c->sparse = !(flags & O_APPEND);
	} else if (S_ISFIFO(st.st_mode))
		c->way = COPY_SPLICE;
	else if (!isatty(fd))
		c->way = COPY_SENDFILE;
}

/* Before the first large range: small output leaves the pipe as it is. */
static void
widen_pipe(struct copy_out *c)
{
	int size = fcntl(c->fd, F_SETPIPE_SZ, PIPE_WANTED);

	if (size < 0)
		size = fcntl(c->fd, F_GETPIPE_SZ); /* more than this user may have */
	if (size > 0)
		c->pipe_size = (uint64_t)size;
	else
		c->way = COPY_PLAIN;
}

/* After EINTR and, once the descriptor takes bytes again, EAGAIN: try again. */
static bool
again(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	if (errno == EAGAIN)
		return poll(&pfd, 1, -1) >= 0 || errno == EINTR;
	return errno == EINTR;
}

static int
write_all(struct copy_out *c, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(c->fd, p, n);

		if (w < 0 && again(c->fd))
			continue;
		if (w <= 0) {
			c->out_failed = true;
			return w < 0 ? -errno : -EIO;
		}
		c->written += (uint64_t)w;
		p += w;
		n -= (size_t)w;
	}
	c->hole_last = false;
	return 0;
}

/* Nothing was read at off: cut short, or one of the files whose size means nothing? */
static int
at_end(struct map *m, uint64_t off)
{
	uint64_t known = m->size;
	int rc = map_refresh(m);

	return rc || !known || m->size > off ? rc : -ERR_SHRUNK;
}

/* One buffer. 0 and *n == 0 at the end of a file whose size says nothing. */
static int
copy_plain(struct copy_out *c, struct map *m, uint64_t off, uint64_t len, uint64_t *n)
{
	static char buf[BUFFER];
	ssize_t r;

	do
		r = pread(m->fd, buf, (size_t)min64(len, sizeof(buf)), (off_t)off);
	while (r < 0 && errno == EINTR);
	*n = r > 0 ? (uint64_t)r : 0;
	if (r < 0)
		return -errno;
	return r ? write_all(c, buf, (size_t)r) : at_end(m, off);
}

/*
 * One call of the fast way. Whatever it refuses is tried again by copy_plain(), which can tell an error of the
 * file from one of the output; -errno here only says that.
 */
static int
copy_fast(struct copy_out *c, struct map *m, uint64_t off, uint64_t len, uint64_t *n)
{
	size_t want = (size_t)min64(len, STEP);
	off_t from = (off_t)off;
	ssize_t w;

	do
		switch (c->way) {
		case COPY_RANGE:
			w = copy_file_range(m->fd, &from, c->fd, NULL, want, 0);
			break;
		case COPY_SPLICE:
			w = splice(m->fd, &from, c->fd, NULL, want, SPLICE_F_MOVE);
			break;
		default:
			w = sendfile(c->fd, m->fd, &from, want);
		}
	while (w < 0 && again(c->fd));
	if (w <= 0)
		return w < 0 ? -errno : -EINVAL;
	*n = (uint64_t)w;
	c->written += *n;
	c->hole_last = false;
	return 0;
}

static int
copy_data(struct copy_out *c, struct map *m, uint64_t off, uint64_t end, uint64_t stop)
{
	/* What goes last must fill the pipe with copies: see the header. */
	uint64_t tail = c->way != COPY_SPLICE ? 0 : c->pipe_size ? c->pipe_size : UINT64_MAX, n;
	int rc;

	for (; off < stop; off += n) {
		n = 0;
		if (c->way != COPY_PLAIN && end - off > tail &&
		    copy_fast(c, m, off, min64(stop - off, end - off - tail), &n))
			c->way = COPY_PLAIN;
		if (n)
			continue;
		rc = copy_plain(c, m, off, stop - off, &n);
		if (rc || !n)
			return rc;
	}
	return 0;
}

/* true when a hole of n bytes was left out: only where no older bytes of the output would show through. */
static bool
skip_hole(struct copy_out *c, uint64_t n)
{
	struct stat st;
	off_t pos = lseek(c->fd, 0, SEEK_CUR);

	if (pos < 0 || fstat(c->fd, &st) || pos < st.st_size || n > (uint64_t)(INT64_MAX - pos) ||
	    lseek(c->fd, (off_t)n, SEEK_CUR) < 0)
		return false;
	c->written += n;
	c->hole_last = true;
	return true;
}

static int
copy_hole(struct copy_out *c, uint64_t n)
{
	static char zeros[1024 * 1024]; /* never written to: costs no memory */
	int rc = 0;

	if (c->sparse && skip_hole(c, n))
		return 0;
	for (; !rc && n > sizeof(zeros); n -= sizeof(zeros))
		rc = write_all(c, zeros, sizeof(zeros));
	return rc ? rc : write_all(c, zeros, (size_t)n);
}

/* Is there a hole at off? [off, *stop) is all hole or all data, *stop at most end. */
static int
look(struct map *m, uint64_t off, uint64_t end, bool *hole, uint64_t *stop)
{
	off_t at = lseek(m->fd, (off_t)off, SEEK_DATA);
	int rc;

	*hole = at < 0 ? errno == ENXIO : (uint64_t)at > off;
	*stop = end;
	if (*hole && m->size) {
		if (at >= 0)
			*stop = min64((uint64_t)at, end);
		rc = map_refresh(m);
		/* Zeros are printed only for what the file still has; the rest is found missing next time round. */
		*stop = min64(*stop, m->size);
		return rc ? rc : off < m->size ? 0 : -ERR_SHRUNK;
	}
	*hole = false;
	if (at >= 0 && (at = lseek(m->fd, (off_t)off, SEEK_HOLE)) > (off_t)off)
		*stop = min64((uint64_t)at, end);
	return 0;
}

int
copy_out_range(struct copy_out *c, struct map *m, uint64_t off, uint64_t len)
{
	uint64_t end = len > INT64_MAX - off ? INT64_MAX : off + len, stop, before;
	bool hole;
	int rc = 0;

	if (len > BUFFER)
		(void)posix_fadvise(m->fd, (off_t)off, (off_t)(end - off), POSIX_FADV_SEQUENTIAL);
	if (c->way == COPY_SPLICE && !c->pipe_size && len > PIPE_WANTED)
		widen_pipe(c);
	for (; off < end; off = stop) {
		rc = look(m, off, end, &hole, &stop);
		before = c->written;
		if (!rc)
			rc = hole ? copy_hole(c, stop - off) : copy_data(c, m, off, end, stop);
		if (rc || c->written - before < stop - off)
			break;
	}
	return rc;
}

int
copy_out_finish(struct copy_out *c)
{
	off_t pos;

	if (!c->hole_last)
		return 0;
	/* The last byte of the hole is written, not ftruncate(2)d: that could take back what others append. */
	pos = lseek(c->fd, 0, SEEK_CUR);
	c->hole_last = false;
	if (pos > 0 && pwrite(c->fd, "", 1, pos - 1) == 1)
		return 0;
	c->out_failed = true;
	return -errno;
}
