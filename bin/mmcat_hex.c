/* mmcat -x, and the question whether a terminal needs it. */
#include "mmcat.h"
#include "out.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define LINE 16

struct reader {
	struct map *m;
	uint64_t next, end; /* [next, end) is still to be read into buf */
	uint8_t buf[64 * 1024];
	size_t n;
};

/* Fills the buffer; a multiple of LINE but for the last. n is 0 at the end. */
static int
refill(struct reader *r)
{
	size_t want = r->end - r->next < sizeof(r->buf) ? (size_t)(r->end - r->next) : sizeof(r->buf);

	for (r->n = 0; r->n < want;) {
		ssize_t got = pread(r->m->fd, r->buf + r->n, want - r->n, (off_t)r->next);
		uint64_t known = r->m->size;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got) {
			int rc = map_refresh(r->m);

			r->end = r->next; /* all there is */
			return rc || !known || r->m->size > r->next ? rc : -ERR_SHRUNK;
		}
		r->n += (size_t)got;
		r->next += (size_t)got;
	}
	return 0;
}

static char *
put_hex(char *to, unsigned v)
{
	static const char digits[] = "0123456789abcdef";

	*to++ = digits[v >> 4 & 15];
	*to++ = digits[v & 15];
	return to;
}

/* "00000010  41 42 ...  43 44 ...  |ABCD|" */
static void
print_line(uint64_t off, const uint8_t *p, size_t n)
{
	char line[96], *at = line;

	*at++ = ' ';
	for (size_t i = 0; i < LINE; i++) {
		*at++ = ' ';
		if (i == LINE / 2)
			*at++ = ' ';
		if (i < n)
			at = put_hex(at, p[i]);
		else
			*at++ = ' ', *at++ = ' ';
	}
	memcpy(at, "  |", 3);
	at += 3;
	for (size_t i = 0; i < n; i++)
		*at++ = p[i] >= ' ' && p[i] < 0x7f ? (char)p[i] : '.';
	*at++ = '|';
	*at++ = '\n';
	(void)(out_printf("%08llx", (unsigned long long)off) || out_write(line, (size_t)(at - line)));
}

/* Where the data goes on after `off`, seen from a repeated line of zeros: a whole number of lines later. */
static uint64_t
after_hole(struct map *m, uint64_t off, uint64_t end)
{
	off_t at = lseek(m->fd, (off_t)off, SEEK_DATA);
	uint64_t to;

	if (at < 0 && (errno != ENXIO || map_refresh(m) || m->size < end))
		return off;
	to = at < 0 || (uint64_t)at > end ? end : (uint64_t)at;
	return to > off ? off + (to - off) / LINE * LINE : off;
}

int
mmcat_hex(struct map *m, const struct span *s)
{
	static struct reader r;
	static const uint8_t zeros[LINE];
	uint8_t last[LINE];
	uint64_t off = s->off;
	bool starred = false, first = true;
	int rc;

	r.m = m;
	r.next = s->off;
	r.end = s->len > INT64_MAX - s->off ? INT64_MAX : s->off + s->len;
	while (!(rc = refill(&r)) && r.n) {
		for (size_t i = 0; i < r.n; i += LINE, off += LINE) {
			size_t n = r.n - i < LINE ? r.n - i : LINE;

			if (n == LINE && !first && !memcmp(last, r.buf + i, LINE)) {
				if (!starred && out_str("*\n"))
					return 0;
				starred = true;
				continue;
			}
			print_line(off, r.buf + i, n);
			memcpy(last, r.buf + i, n);
			first = starred = false;
		}
		if (starred && !memcmp(last, zeros, LINE))
			off = r.next = after_hole(m, r.next, r.end);
	}
	if (!rc && r.next > s->off && out_printf("%08llx\n", (unsigned long long)r.next))
		return 0; /* the output's error is reported when it is closed */
	return rc;
}

/* Bytes of the well-formed character at p, 0 for none or a control character. */
static size_t
text_char(const uint8_t *p, size_t n)
{
	/* By the first byte; 0x80 to 0xc1 and what follows 0xf4 begin nothing. */
	size_t len = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;

	if (len == 1)
		return (*p >= ' ' && *p != 0x7f) || (*p >= '\t' && *p <= '\r');
	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* C1 controls, overlong forms, surrogates and what lies beyond U+10FFFF. */
	if ((p[0] == 0xc2 && p[1] < 0xa0) || (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

int
mmcat_is_text(struct map *m, const struct span *s, bool *text)
{
	static struct reader r;
	int rc;

	*text = true;
	r.m = m;
	r.next = s->off;
	r.end = s->len > INT64_MAX - s->off ? INT64_MAX : s->off + s->len;
	while (!(rc = refill(&r)) && r.n) {
		size_t i = 0, len;

		while (i < r.n && (len = text_char(r.buf + i, r.n - i)))
			i += len;
		if (i == r.n)
			continue;
		/* A character may be cut in two by the buffer, but not by the end of the range. */
		if (r.n - i >= 4 || r.next == r.end) {
			*text = false;
			return 0;
		}
		r.next -= r.n - i;
	}
	return rc;
}
