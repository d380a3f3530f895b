/*
 * Bytes of a descriptor into a file, from where it stands to its end.
 *
 * A regular file has a known length and is read from pos on; one that fits the buffer is read before anything is
 * written, so that its length is what was read. Everything else (pipe, terminal, /proc) has no known length.
 * Each step writes once and says how far it came: after an error the caller knows what has changed.
 */
#ifndef COPY_IN_H
#define COPY_IN_H

#include "map.h"

#include <stddef.h>

struct copy_in {
	int fd;         /* borrowed */
	bool known;     /* len is to be trusted */
	bool fast;      /* splice or copy_file_range has not refused yet */
	bool pipe;
	bool failed;    /* the error was the input's and not the file's */
	uint64_t pos;   /* known: where to read next */
	uint64_t len;   /* known: what is left, buffered bytes included */
	size_t at, have; /* buffered bytes: [at, at + have) */
};

int copy_in_init(struct copy_in *in, int fd) __attribute__((warn_unused_result));

/* Has at least one byte in the buffer, unless the input is over: have is 0 then. May wait. */
int copy_in_peek(struct copy_in *in) __attribute__((warn_unused_result));

/*
 * One write of at most limit bytes to m at off; *n tells how many, 0 at the end of the input. -ERR_SHRUNK (failed
 * set) when an input of known length ended before.
 */
int copy_in_step(struct copy_in *in, struct map *m, uint64_t off, uint64_t limit, uint64_t *n)
    __attribute__((warn_unused_result));

#endif
