/* Tells the files of this toolkit and of emmap by their first bytes, for people who ask what a file is. */
#ifndef KIND_H
#define KIND_H

#include "err.h"
#include "hdr.h"

struct kind {
	const char *name; /* "counters", "queue", "heap", "undo", "emmap counters", "emmap queue", "emmap blocks" */
	bool own;         /* hdr is valid */
	struct hdr hdr;
	uint64_t items;   /* of emmap's files: ... */
	const char *items_name; /* ... "counters", "queued_bytes" (head to tail) or "block_size" */
};

/*
 * 0, -ERR_KIND, -ERR_EMPTY, and of our own files -ERR_DAMAGED (at), -ERR_VERSION, -ERR_FEATURE. emmap's queue and
 * blocks have no magic: they are taken for what they are when every field of the header fits.
 */
int kind_of(struct kind *k, const uint8_t *base, uint64_t size, struct err_at *at) __attribute__((warn_unused_result));

#endif
