#include "out.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char buf[64 * 1024];
static size_t used;
static uint64_t taken;
static int failure;

/* A non-blocking stdout (a terminal shared with another program) is waited for, not failed. */
static int
write_all(const char *p, size_t n)
{
	while (n && !failure) {
		ssize_t w = write(STDOUT_FILENO, p, n);

		if (w >= 0) {
			p += w;
			n -= (size_t)w;
			taken += (uint64_t)w;
		} else if (errno == EAGAIN) {
			struct pollfd pfd = { .fd = STDOUT_FILENO, .events = POLLOUT };

			(void)poll(&pfd, 1, -1);
		} else if (errno != EINTR)
			failure = -errno;
	}
	return failure;
}

int
out_flush(void)
{
	size_t n = used;

	used = 0;
	return write_all(buf, n);
}

int
out_write(const void *p, size_t n)
{
	if (n > sizeof(buf) - used) {
		if (out_flush())
			return failure;
		if (n >= sizeof(buf))
			return write_all(p, n);
	}
	memcpy(buf + used, p, n);
	used += n;
	return failure;
}

char *
out_room(size_t *n)
{
	if (sizeof(buf) - used < 4096 && out_flush())
		return NULL;
	*n = sizeof(buf) - used;
	return buf + used;
}

void
out_used(size_t n)
{
	used += n;
}

int
out_str(const char *s)
{
	return out_write(s, strlen(s));
}

int
out_u64(uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	return out_write(digits + at, sizeof(digits) - at);
}

int
out_i64(int64_t v)
{
	if (v >= 0)
		return out_u64((uint64_t)v);
	if (out_write("-", 1))
		return failure;
	return out_u64(0 - (uint64_t)v);
}

int
out_printf(const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line))
		return failure = -EOVERFLOW; /* every caller's text is bounded: a bug if it happens */
	return out_write(line, (size_t)n);
}

uint64_t
out_taken(void)
{
	return taken;
}
