/*
 * The counters file. Layout only; ctr.h works on it. Normative text: mmctr(5).
 *
 *	page 0           struct ctr_file; everything that changes lies in its first 512 bytes
 *	pages 1 and on   index tables, slot pages and extension pages, in the order they were needed
 *
 * Slots are the truth, the index is derived from them. "Sealed" words carry their own check (seal.h). All
 * fields are little-endian; offsets are bytes from the start of the file.
 */
#ifndef CTR_FORMAT_H
#define CTR_FORMAT_H

#include "hdr_format.h"

#define CTR_PAGE HDR_PAGE
#define CTR_LINE 64    /* unit of slots and extension records */
#define CTR_SECTOR 512 /* what a power cut takes whole or leaves; no slot crosses one */
#define CTR_INSTANCES 8
#define CTR_NAME_MAX 255
#define CTR_TABLE_MIN 9 /* log2 of the entries of the first index table: one page */
#define CTR_FIRST_TABLE CTR_PAGE
#define CTR_FIRST_SLOTS (2 * CTR_PAGE)
#define CTR_FIRST_SIZE (8 * CTR_PAGE)

struct ctr_file {
	struct hdr hdr;                    /*   0 */
	uint64_t capacity;                 /*  64 sealed: bytes that are reserved and durably so; LOCK_MAIN */
	uint64_t root;                     /*  72 sealed: the index table; LOCK_MAIN, read without */
	uint64_t space_next;               /*  80 sealed: first page never handed out; LOCK_MAIN */
	uint64_t slot_next;                /*  88 sealed: next line for a slot; at a page's start: none; LOCK_MAIN */
	uint64_t ext_next;                 /*  96 sealed: the same for extension records; LOCK_MAIN */
	uint64_t names;                    /* 104 sealed: at least the number of index entries; LOCK_MAIN */
	uint64_t wait_until;               /* 112 CLOCK_BOOTTIME seconds until which somebody may sleep; anybody */
	uint64_t options;                  /* 120 0 */
	uint64_t instances[CTR_INSTANCES]; /* 128 boots and mounts the index is known good for; LOCK_MAIN */
	uint8_t reserved[3904];            /* 192 0 */
};

/* Root word: page number of the table, log2 of its entries. */
#define CTR_ROOT_LOG2_BITS 6

/*
 * Index entry, sealed: slot offset / 64 and the upper 16 bits of the name's hash. Value 0 is an empty entry; the
 * word 0 is none, so that a zeroed page is damage and not absence.
 */
#define CTR_ENTRY_TAG_SHIFT 36
#define CTR_ENTRY_SLOT_MASK ((UINT64_C(1) << CTR_ENTRY_TAG_SHIFT) - 1)

enum ctr_page_type {
	CTR_PAGE_SLOTS = 1,
	CTR_PAGE_EXT = 2,
};

/* The first line of slot and extension pages. Never changes. */
struct ctr_page {
	uint8_t magic[4];      /*  0 CTR_PAGE_MAGIC */
	uint32_t type;         /*  4 enum ctr_page_type */
	uint64_t self;         /*  8 offset of this page */
	uint8_t uuid[16];      /* 16 the file's */
	uint8_t reserved[28];  /* 32 0 */
	uint32_t check;        /* 60 low half of XXH3-64 of bytes 0 to 59 */
};
#define CTR_PAGE_MAGIC "MMCP"

/* A slot: one counter's name for ever. Names beyond 32 bytes run on into the next lines. */
struct ctr_slot {
	uint64_t word;     /*  0 sealed, see below */
	int64_t value[2];  /*  8 the counter is value[which] */
	uint64_t ext;      /* 24 sealed: offset of the first extension record, 0 for none; LOCK_MAIN */
	uint8_t name[32];  /* 32 */
};

/* Slot word: bits 0-31 hash of the name, 32-39 its length, 40-41 enum ctr_type, 42 which, 43 live. */
#define CTR_WORD_LEN_SHIFT 32
#define CTR_WORD_TYPE_SHIFT 40
#define CTR_WORD_WHICH (UINT64_C(1) << 42)
#define CTR_WORD_LIVE (UINT64_C(1) << 43)
#define CTR_WORD_BITS 44

enum ctr_type {
	CTR_UNTYPED = 0,
	CTR_COUNTER = 1,
	CTR_GAUGE = 2,
};

/* An extension record: immutable once linked, one page at most. */
struct ctr_ext {
	uint32_t check;  /*  0 low half of XXH3-64 of the bytes from 4 to the end of the data */
	uint16_t kind;   /*  4 enum ctr_ext_kind */
	uint16_t size;   /*  6 bytes of data */
	uint64_t slot;   /*  8 offset of the slot it belongs to */
	uint64_t next;   /* 16 sealed: offset of the next record, 0 for none */
	uint64_t spare;  /* 24 0 */
	uint8_t data[];  /* 32 */
};

enum ctr_ext_kind {
	CTR_EXT_HELP = 1, /* the help text, no NUL */
};
#define CTR_HELP_MAX 2048

static_assert(offsetof(struct ctr_file, capacity) == 64, "ctr_file.capacity");
static_assert(offsetof(struct ctr_file, wait_until) == 112, "ctr_file.wait_until");
static_assert(offsetof(struct ctr_file, instances) == 128, "ctr_file.instances");
static_assert(offsetof(struct ctr_file, reserved) == 192, "ctr_file.reserved");
static_assert(sizeof(struct ctr_file) == CTR_PAGE, "ctr_file");
static_assert(sizeof(struct ctr_page) == CTR_LINE, "ctr_page");
static_assert(offsetof(struct ctr_page, check) == 60, "ctr_page.check");
static_assert(sizeof(struct ctr_slot) == CTR_LINE, "ctr_slot");
static_assert(offsetof(struct ctr_slot, name) == 32, "ctr_slot.name");
static_assert(offsetof(struct ctr_ext, data) == 32, "ctr_ext.data");

#endif
