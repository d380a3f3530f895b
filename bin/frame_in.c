/* Cutting a stream into items. */
#include "frame.h"
#include "err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUF_SIZE (512 * 1024)
#define LEN_DIGITS 10 /* of a netstring: up to 4294967295 */

int
frame_open(struct frame_in *in, enum frame frame, int fd)
{
	*in = (struct frame_in){ .frame = frame, .fd = fd, .size = BUF_SIZE, .want = UINT64_MAX, .spool = -1 };
	in->buf = malloc(BUF_SIZE);
	return in->buf ? 0 : -ENOMEM;
}

void
frame_close(struct frame_in *in)
{
	free(in->buf);
	if (in->spool >= 0)
		close(in->spool);
}

static void
consume(struct frame_in *in, size_t n)
{
	in->start += n;
	in->offset += n;
}

/* Puts n bytes in hand behind what is in the spool file. */
static int
spool_write(struct frame_in *in, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t w = pwrite(in->spool, in->buf + in->start + done, n - done, (off_t)(in->spooled + done));

		if (w < 0 && errno != EINTR)
			return -errno;
		done += w > 0 ? (size_t)w : 0;
	}
	return 0;
}

/* The n bytes in hand (and what was spooled before them) are an item. */
static int
item_of(struct frame_in *in, size_t n, struct frame_item *item)
{
	int rc;

	if (!in->spooled) {
		*item = (struct frame_item){ .p = in->buf + in->start, .n = n };
		return 1;
	}
	rc = spool_write(in, n);
	if (rc)
		return rc;
	*item = (struct frame_item){ .n = in->spooled + n, .fd = in->spool };
	in->spooled = 0;
	return 1;
}

static int
next_terminated(struct frame_in *in, char end, struct frame_item *item)
{
	char *from = in->buf + in->start, *hit = memchr(from, end, in->end - in->start);
	size_t n = hit ? (size_t)(hit - from) : in->end - in->start;
	int rc;

	/* The last item may lack its terminator, as the last line of a file. */
	if (!hit && (!in->eof || (!n && !in->spooled)))
		return 0;
	rc = item_of(in, n, item);
	consume(in, n + (hit != NULL));
	return rc;
}

/* "LEN:" at the start of what is in hand: 1, 0 when it is not whole yet. */
static int
take_length(struct frame_in *in)
{
	size_t have = in->end - in->start, i;
	const char *p = in->buf + in->start;
	uint64_t n = 0;

	for (i = 0; i < have && i <= LEN_DIGITS && p[i] >= '0' && p[i] <= '9'; i++)
		n = n * 10 + (uint64_t)(p[i] - '0');
	if (i > LEN_DIGITS)
		return -ERR_FRAME; /* before a look at the byte behind: it may not be in hand */
	if (i == have)
		return in->eof && have ? -ERR_FRAME : 0;
	if (!i || p[i] != ':' || n > UINT32_MAX || (p[0] == '0' && i > 1))
		return -ERR_FRAME;
	consume(in, i + 1);
	in->want = n;
	return 1;
}

static int
next_netstring(struct frame_in *in, struct frame_item *item)
{
	uint64_t rest;
	int rc = in->want == UINT64_MAX ? take_length(in) : 1;

	if (rc <= 0)
		return rc;
	rest = in->want - in->spooled;
	if (in->end - in->start <= rest)
		return in->eof ? -ERR_FRAME : 0;
	if (in->buf[in->start + rest] != ',')
		return -ERR_FRAME;
	rc = item_of(in, (size_t)rest, item);
	consume(in, (size_t)rest + 1);
	in->want = UINT64_MAX;
	return rc;
}

int
frame_next(struct frame_in *in, struct frame_item *item)
{
	int rc;

	switch (in->frame) {
	case FRAME_LEN:
		return next_netstring(in, item);
	case FRAME_RAW:
		if (!in->eof || in->size == 0)
			return 0;
		rc = item_of(in, in->end - in->start, item);
		consume(in, in->end - in->start);
		in->size = 0; /* there is just one */
		return rc;
	default:
		return next_terminated(in, in->frame == FRAME_NUL ? '\0' : '\n', item);
	}
}

/* An unnamed file beside the store, where the item's space is needed anyway. Apart: its buffer costs a page of stack. */
static __attribute__((noinline)) int
spool_open(const char *store)
{
	char dir[4096], temp[] = "/tmp/mmq.XXXXXX"; /* a file system without O_TMPFILE */
	const char *slash = strrchr(store, '/');
	int fd;

	if (slash && (size_t)(slash - store) < sizeof(dir))
		snprintf(dir, sizeof(dir), "%.*s", slash == store ? 1 : (int)(slash - store), store);
	else
		strcpy(dir, ".");
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd >= 0)
		unlink(temp);
	return fd >= 0 ? fd : -errno;
}

/* An item does not fit the buffer: what is in hand goes to the spool file. */
static int
spool(struct frame_in *in, const char *store)
{
	size_t n = in->end - in->start;
	int rc;

	if (in->spool < 0)
		in->spool = spool_open(store);
	if (in->spool < 0) {
		rc = in->spool;
		in->spool = -1;
		return rc;
	}
	rc = spool_write(in, n);
	if (!rc) {
		in->spooled += n;
		consume(in, n);
	}
	return rc;
}

int
frame_fill(struct frame_in *in, const char *store)
{
	ssize_t n;
	int rc;

	if (in->spool >= 0 && !in->spooled && in->frame != FRAME_RAW) {
		close(in->spool); /* the item it held was handed out */
		in->spool = -1;
	}
	if (in->start) {
		memmove(in->buf, in->buf + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	if (in->end == in->size) {
		rc = spool(in, store);
		if (rc)
			return rc;
		in->start = in->end = 0;
	}
	do
		n = read(in->fd, in->buf + in->end, in->size - in->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	in->eof = !n;
	in->end += (size_t)n;
	return 0;
}
