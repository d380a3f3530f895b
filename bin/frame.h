/*
 * How items are told apart in a stream: by newlines, NULs, netstrings, or not at all (one item). One set of options for
 * every verb of mmq that reads or writes items.
 */
#ifndef FRAME_H
#define FRAME_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame {
	FRAME_LINE,
	FRAME_NUL,
	FRAME_LEN, /* netstrings: 5:hello, */
	FRAME_RAW,
};

/* -0, --frame=len, --raw; input: enum frame *. */
extern const struct argp frame_argp;

/* Bytes that an item of n bytes takes in the stream. */
uint64_t frame_size(enum frame frame, uint64_t n);

/* Starts and ends an item of n bytes on stdout (out.h). */
int frame_begin(enum frame frame, uint64_t n) __attribute__((warn_unused_result));
int frame_end(enum frame frame) __attribute__((warn_unused_result));

/*
 * Reading. The reader keeps what is in hand in one buffer; an item larger than it is collected in an unnamed file, so
 * memory stays flat.
 */
struct frame_in {
	enum frame frame;
	int fd;
	char *buf;
	size_t size, start, end; /* bytes [start, end) are not handed out yet */
	bool eof;
	uint64_t want;  /* FRAME_LEN: bytes of the item being collected */
	int spool;      /* collects an item larger than buf, -1: none */
	uint64_t spooled;
	uint64_t offset; /* of `start` in the input, for messages */
};

struct frame_item {
	const void *p; /* NULL: it is in the file fd */
	uint64_t n;
	int fd;
	uint64_t off;
};

/* -ENOMEM. */
int frame_open(struct frame_in *in, enum frame frame, int fd) __attribute__((warn_unused_result));
void frame_close(struct frame_in *in);

/*
 * The next item that is whole in hand: 1, 0 when more must be read first, -ERR_FRAME for a malformed netstring. Never
 * blocks. The item is valid until frame_fill().
 */
int frame_next(struct frame_in *in, struct frame_item *item) __attribute__((warn_unused_result));

/* Reads once (blocking). in->eof after the last. -errno. An item that does not fit is collected in spool_dir. */
int frame_fill(struct frame_in *in, const char *spool_dir) __attribute__((warn_unused_result));

#endif
