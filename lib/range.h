/*
 * Ranges as users ask for them, laid over a file of a known size. All arithmetic is checked: whatever was
 * typed, a span never reaches past INT64_MAX.
 */
#ifndef RANGE_H
#define RANGE_H

#include "num.h"

#define RANGE_REST UINT64_MAX /* as length: up to the end */

struct range {
	struct num_off off;
	uint64_t len; /* or RANGE_REST */
};

struct span {
	uint64_t off;
	uint64_t len;
	bool cut; /* fewer bytes than asked for, or a start outside of the file */
};

/*
 * The part of r that a file of `size` bytes has, for reading. A start beyond the end is an empty span at the end; one
 * before the first byte is taken as the first byte (as tail -c does). Both are `cut`.
 */
struct span range_in(const struct range *r, uint64_t size);

/* Where writing at `off` begins: -ERR_OFFSET before the first byte. The offset may lie beyond the end. */
int range_start(struct num_off off, uint64_t size, uint64_t *start) __attribute__((warn_unused_result));

/* The end of `len` bytes at `off`: -EFBIG beyond what a file can have. */
int range_end(uint64_t off, uint64_t len, uint64_t *end) __attribute__((warn_unused_result));

#endif
