#include "range.h"
#include "err.h"

#include <errno.h>

struct span
range_in(const struct range *r, uint64_t size)
{
	struct span s = { .off = r->off.n };

	if (r->off.from_end) {
		s.cut = r->off.n > size;
		s.off = s.cut ? 0 : size - r->off.n;
	} else if (r->off.n > size) {
		s.cut = true;
		s.off = size;
	}
	s.len = size - s.off;
	if (r->len == RANGE_REST)
		return s;
	if (r->len <= s.len)
		s.len = r->len;
	else
		s.cut = true;
	return s;
}

int
range_start(struct num_off off, uint64_t size, uint64_t *start)
{
	if (off.from_end && off.n > size)
		return -ERR_OFFSET;
	*start = off.from_end ? size - off.n : off.n;
	return 0;
}

int
range_end(uint64_t off, uint64_t len, uint64_t *end)
{
	uint64_t sum;

	if (__builtin_add_overflow(off, len, &sum) || sum > INT64_MAX)
		return -EFBIG;
	*end = sum;
	return 0;
}
