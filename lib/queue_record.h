/* What pushing and reading must agree on. */
#ifndef QUEUE_RECORD_H
#define QUEUE_RECORD_H

#include "hash.h"
#include "queue_format.h"

/* The 8 bytes of a record from time_s to ext8 as one word: a record is made and hashed in whole words. */
static inline uint64_t
q_stamp(uint32_t time_s, uint16_t time_ms, uint8_t flags, uint8_t ext8)
{
	return time_s | (uint64_t)time_ms << 32 | (uint64_t)flags << 48 | (uint64_t)ext8 << 56;
}

/*
 * The check of a record at position pos: low half of XXH3-64 over position, id, stamp, length and the XXH3-64 `body` of
 * its extensions and payload, a 64-bit word each. The position makes a record of an earlier lap invalid where it
 * lies.
 */
static inline uint32_t
q_record_check(uint64_t pos, uint64_t id, uint64_t stamp, uint32_t length, uint64_t body)
{
	uint64_t words[5] = { pos, id, stamp, length, body };

	return hash32(words, sizeof(words), 0);
}

#endif
