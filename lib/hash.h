/*
 * XXH3-64, the one hash of the formats: names in the counter index, and the low half of
 * it wherever a field says "check". Chosen over CRC-32C because it is a well-kept header
 * library that needs neither a cpuid at start (each traps to the hypervisor, 1.4 us; a run-time
 * choice of the CRC instruction makes several) nor a table (two page faults in a fresh process).
 */
#ifndef HASH_H
#define HASH_H

#define XXH_INLINE_ALL
#include <stddef.h>
#include <stdint.h>
#include <xxhash.h>

static inline uint64_t
hash64(const void *p, size_t n, uint64_t seed)
{
	return seed ? XXH3_64bits_withSeed(p, n, seed) : XXH3_64bits(p, n);
}

static inline uint32_t
hash32(const void *p, size_t n, uint64_t seed)
{
	return (uint32_t)hash64(p, n, seed);
}

#endif
