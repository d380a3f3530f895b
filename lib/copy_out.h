/*
 * File bytes to a descriptor, by the fastest way that is still safe. No byte is touched through a mapping: a
 * file that is cut short meanwhile ends in -ERR_SHRUNK and never in a signal.
 *
 * - To a pipe by splice(2), which hands over page-cache pages without a copy. A later change of the file
 *   would show in what the reader has not read yet, so the last pipe-full is copied: once
 *   copying is over, the pipe holds private bytes only. (Who changes a file while it is read gets a mixture anyway.)
 * - To a regular file by copy_file_range(2), which shares blocks where the file system can.
 * - Else by sendfile(2); to a terminal and whenever one of these refuses, by read and write.
 *
 * Holes cost nothing: they are skipped in a regular file, elsewhere written from one page of zeros.
 */
#ifndef COPY_OUT_H
#define COPY_OUT_H

#include "map.h"

enum copy_way { COPY_PLAIN, COPY_SENDFILE, COPY_SPLICE, COPY_RANGE };

struct copy_out {
	int fd;             /* borrowed */
	enum copy_way way;
	uint64_t pipe_size; /* COPY_SPLICE: what the pipe holds; 0 until a large range comes */
	uint64_t written;   /* bytes taken by fd so far, holes included */
	bool sparse;        /* holes may be skipped in fd */
	bool hole_last;     /* fd ends with a skipped hole that is not part of its size yet */
	bool out_failed;    /* the error was fd's and not the file's */
};

void copy_out_init(struct copy_out *c, int fd);

/*
 * Copies [off, off + len) of m. -errno, or -ERR_SHRUNK when the file ended before. 0 with fewer bytes in `written`
 * only for files whose size says nothing (/proc, /sys).
 */
int copy_out_range(struct copy_out *c, struct map *m, uint64_t off, uint64_t len) __attribute__((warn_unused_result));

/* Makes a hole at the end part of fd's size. */
int copy_out_finish(struct copy_out *c) __attribute__((warn_unused_result));

#endif
