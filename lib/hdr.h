/* The common file header: made, and believed only after every check. Layout in hdr_format.h. */
#ifndef HDR_H
#define HDR_H

#include "hdr_format.h"
#include "map.h"

/* Fills h with a new uuid, the time, the version and the check. -errno from getrandom. */
int hdr_init(struct hdr *h, enum hdr_kind kind, uint32_t header_size, uint32_t param)
    __attribute__((warn_unused_result));

/*
 * Copies the first 64 bytes of n at p into *h and checks magic, check, version and features, in this order:
 * -ERR_EMPTY, -ERR_KIND, -ERR_DAMAGED (at), -ERR_VERSION, -ERR_FEATURE. `kind` 0 takes every kind.
 */
int hdr_decode(const void *p, uint64_t n, enum hdr_kind kind, bool writing, struct hdr *h, struct err_at *at)
    __attribute__((warn_unused_result));

/* Reads and decodes the header of an open file. */
int hdr_read(struct map *m, enum hdr_kind kind, struct hdr *h) __attribute__((warn_unused_result));

#endif
