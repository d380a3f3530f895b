/*
 * Numbers, sizes, durations, offsets and ranges as users type them (mmutils(7), NUMBERS).
 *
 * libbsd's expand_number() takes "1e3" for 1, "-1" for 2^64-1, "010" for 8, ignores what follows
 * the suffix and saturates; strtoll() skips white space. None of these may reach a store, so every
 * parser here takes the whole string or refuses it: 0, -ERR_NUM_SYNTAX, -ERR_NUM_SUFFIX or
 * -ERR_NUM_RANGE, and then the result is untouched.
 *
 * Decimal digits (a leading 0 means nothing) with an optional suffix k K M G T P KiB .. PiB
 * (powers of 1024) or kB KB MB .. PB (powers of 1000), or 0x and hex digits without one.
 */
#ifndef NUM_H
#define NUM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

int num_u64(const char *s, uint64_t *out);

/* As num_u64, with a minus sign allowed (also before 0x). */
int num_i64(const char *s, int64_t *out);

/* As num_i64; an unsigned 0x number up to 0xffffffffffffffff is taken as the bit pattern. */
int num_bits(const char *s, int64_t *out);

/* A number of bytes: at most INT64_MAX, as off_t is. */
int num_size(const char *s, uint64_t *out);

/* A byte offset; "-N" counts from the end ("-0" is the end itself). */
struct num_off {
	uint64_t n;
	bool from_end;
};
int num_offset(const char *s, struct num_off *out);

/* "OFF:LEN"; "OFF:" runs to the end, then *len is UINT64_MAX. */
int num_range(const char *s, struct num_off *off, uint64_t *len);

/* Nanoseconds from "500ms", "30s", "1.5m", "2h", "1d", "10us", "5ns"; a bare number is seconds. */
int num_duration(const char *s, int64_t *ns);

/* File mode: one to four octal digits, at most 0777. */
int num_mode(const char *s, mode_t *mode);

#endif
