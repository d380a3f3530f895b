/*
 * Buffered standard output without stdio: one write(2) for a one-shot command, and after
 * a failure the exact number of bytes that the reader got.
 *
 * Errors stick: after the first failed write every call returns it.
 */
#ifndef OUT_H
#define OUT_H

#include <stddef.h>
#include <stdint.h>

int out_write(const void *p, size_t n) __attribute__((warn_unused_result));
int out_str(const char *s) __attribute__((warn_unused_result));
int out_i64(int64_t v) __attribute__((warn_unused_result));
int out_u64(uint64_t v) __attribute__((warn_unused_result));
int out_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2), warn_unused_result));

/* Room for at least 4096 bytes at the end of the buffer: *n bytes. What was put there counts with out_used(). NULL: failed. */
char *out_room(size_t *n);
void out_used(size_t n);

/* Writes what is buffered. 0 or -errno, also of an earlier failure. */
int out_flush(void) __attribute__((warn_unused_result));

/* Bytes that write(2) has taken so far. */
uint64_t out_taken(void);

#endif
