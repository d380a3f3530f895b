/* What the unit tests of the queue share: items whose bytes follow from their seed, and a walk over all that is ready. */
#ifndef QUEUE_UNIT_H
#define QUEUE_UNIT_H

#include "unit.h"

#include "err.h"
#include "lock.h"
#include "queue.h"

#include <string.h>

#define LOCK_WAIT INT64_C(5000000000)

/* A small generator with a fixed start: a failure comes again. */
static inline uint64_t
next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Byte i of the item that was made with this seed. */
static inline uint8_t
item_byte(uint64_t seed, uint64_t i)
{
	return (uint8_t)(seed * 131 + i * 7 + (i >> 8) * 13 + (i >> 16));
}

static inline void
item_fill(uint8_t *p, uint64_t seed, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		p[i] = item_byte(seed, i);
}

/* Are the item's bytes those of the seed? */
static inline bool
item_matches(struct queue *q, const struct q_state *s, const struct q_item *item, uint64_t seed)
{
	const void *p = NULL;
	uint64_t n;

	for (uint64_t at = 0; at < item->length; at += n) {
		if (q_payload(q, s, item, at, &p, &n) || !n)
			return false;
		for (uint64_t i = 0; i < n; i++)
			if (((const uint8_t *)p)[i] != item_byte(seed, at + i))
				return false;
	}
	return true;
}

static inline void
print_finding(void *arg, uint64_t offset, const char *code, const char *message)
{
	print_error("check: %llu %s: %s\n", (unsigned long long)offset, code, message);
	++*(unsigned *)arg;
}

static inline void
count_finding(void *arg, uint64_t offset, const char *code, const char *message)
{
	(void)offset, (void)code, (void)message;
	++*(unsigned *)arg;
}

static inline void
open_queue(struct queue *q, const char *path, bool writing)
{
	assert_int_equal(q_open(q, path, writing, LOCK_WAIT), 0);
}

#endif
