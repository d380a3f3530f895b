/*
 * The first 64 bytes of every file of this toolkit. Layout only; hdr.h works on it.
 * Normative text: mmutils(7), section FILE HEADER. All fields are little-endian.
 *
 * Bytes 0 to 63 never change after the file was published and are covered by `check`.
 * What follows (from 64) belongs to the kind: see ctr_format.h, queue_format.h, heap_format.h.
 */
#ifndef HDR_FORMAT_H
#define HDR_FORMAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* As PNG's: a high bit, CR LF, a DOS end of file and LF show what a text transfer did to it. */
#define HDR_MAGIC "\x89MMU\r\n\x1a\n"
#define HDR_MAGIC_SIZE 8

/* 0 until every program of the toolkit stands, then 1; another version is refused. */
#define HDR_VERSION 0

#define HDR_PAGE 4096 /* unit of the layout, whatever the machine's page size */

enum hdr_kind {
	HDR_KIND_COUNTERS = 1,
	HDR_KIND_QUEUE = 2,
	HDR_KIND_HEAP = 3,
	HDR_KIND_UNDO = 4,
};

struct hdr {
	uint8_t magic[HDR_MAGIC_SIZE]; /*  0 */
	uint32_t version;              /*  8 HDR_VERSION */
	uint32_t kind;                 /* 12 enum hdr_kind */
	uint8_t uuid[16];              /* 16 random, tells copies of names from copies of files */
	uint32_t incompat;             /* 32 features: an unknown bit refuses the file (78) */
	uint32_t ro_compat;            /* 36 features: an unknown bit refuses writing (78) */
	uint32_t compat;               /* 40 features: unknown bits are ignored */
	uint32_t header_size;          /* 44 bytes before the kind's first own region */
	uint64_t created;              /* 48 nanoseconds since 1970 */
	uint32_t param;                /* 56 the kind's own constant, 0 where it has none */
	uint32_t check;                /* 60 low half of XXH3-64 of bytes 0 to 59 */
};

static_assert(offsetof(struct hdr, version) == 8, "hdr.version");
static_assert(offsetof(struct hdr, uuid) == 16, "hdr.uuid");
static_assert(offsetof(struct hdr, incompat) == 32, "hdr.incompat");
static_assert(offsetof(struct hdr, created) == 48, "hdr.created");
static_assert(offsetof(struct hdr, check) == 60, "hdr.check");
static_assert(sizeof(struct hdr) == 64, "hdr");

#endif
