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
 * Seed of a record's check: a change of any one of these changes it (each product is a bijection). The position makes
 * a record of an earlier lap invalid where it lies.
 */
static inline uint64_t
q_record_seed(uint64_t pos, uint64_t id, uint64_t stamp, uint32_t length)
{
	uint64_t where = pos * UINT64_C(0x9e3779b97f4a7c15) ^ id * UINT64_C(0xc2b2ae3d27d4eb4f);
	uint64_t what = stamp * UINT64_C(0x165667b19e3779f9) ^ length * UINT64_C(0x27d4eb2f165667c5);

	return where + (what << 29 | what >> 35);
}

/* The check of a record: low half of XXH3-64, with that seed, of its extensions and payload: n bytes in one piece. */
static inline uint32_t
q_record_check(uint64_t seed, const void *body, size_t n)
{
	return (uint32_t)XXH3_64bits_withSeed(body, n, seed);
}

#endif
