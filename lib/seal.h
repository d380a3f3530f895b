/*
 * Sealed words: a 52-bit value and its 12-bit check in one 8-byte store.
 *
 * A plain offset in a file is believed by whoever reads it; one flipped byte and a
 * reader follows it. A checksum beside it would need a second store, and a process killed
 * between the two leaves a word that is right and looks wrong. So the check travels inside the word:
 * whoever publishes a sealed word publishes both at once.
 *
 * The check is the value folded by exclusive or into 12 bits, rotated by 4, and xored with
 * SEAL_MARK. Folding maps any run of at most 12 flipped bits to different check bits, the rotation keeps a
 * flipped byte that lies half in the value and half in the check from cancelling itself, so every
 * change within one byte is found for certain; SEAL_MARK makes the words 0 and ~0 invalid, so that a zeroed
 * page is never taken for values. Other damage passes one time in 4096: what a sealed word
 * leads to is checked again where it is used.
 */
#ifndef SEAL_H
#define SEAL_H

#include <stdbool.h>
#include <stdint.h>

#define SEAL_BITS 52
#define SEAL_MAX ((UINT64_C(1) << SEAL_BITS) - 1)
#define SEAL_MARK UINT64_C(0xa5c)

static inline uint64_t
seal_check(uint64_t value)
{
	uint64_t c = value ^ value >> 12 ^ value >> 24 ^ value >> 36 ^ value >> 48;

	c &= 0xfff;
	c = (c << 8 | c >> 4) & 0xfff; /* check bit of value bit 48 is not stored beside it */
	return c ^ SEAL_MARK;
}

/* The word that stands for value; value is at most SEAL_MAX. */
static inline uint64_t
seal(uint64_t value)
{
	return value | seal_check(value) << SEAL_BITS;
}

/* Takes a word apart; false (and *value untouched) when it is damaged. */
static inline bool
unseal(uint64_t word, uint64_t *value)
{
	uint64_t v = word & SEAL_MAX;

	if (word >> SEAL_BITS != seal_check(v))
		return false;
	*value = v;
	return true;
}

/*
 * Bound to a place: the check bits are mixed with the word's offset in the file, so that a word
 * that belongs elsewhere (pages swapped by a bad copy) is damage too, 4095 times in 4096.
 */
static inline uint64_t
seal_salt(uint64_t where)
{
	return where * UINT64_C(0x9e3779b97f4a7c15) & ~SEAL_MAX;
}

static inline uint64_t
seal_at(uint64_t value, uint64_t where)
{
	return seal(value) ^ seal_salt(where);
}

static inline bool
unseal_at(uint64_t word, uint64_t where, uint64_t *value)
{
	return unseal(word ^ seal_salt(where), value);
}

/*
 * The sealed word whose value has the given bits inverted. The check is linear, so neither the old value nor the
 * place is needed: what compare-and-swap loops on bitmaps use.
 */
static inline uint64_t
seal_flip(uint64_t word, uint64_t bits)
{
	return word ^ bits ^ (seal_check(bits) ^ SEAL_MARK) << SEAL_BITS;
}

#endif
