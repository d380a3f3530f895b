/*
 * The heap file. Layout only; mm_*.c work on it. Normative text: mmheap(5).
 *
 *	span 0           struct heap_file: header, intents, directory root, first roots
 *	other spans      user's objects, and between them directory blocks, leaves, further roots
 *
 * A span is 16 KiB. Spans are described out of band: 64 of them (one MiB) by a leaf, which is found through the
 * directory, a page table of two levels. All words that mean anything are sealed with their place (seal_at), except
 * where marked "plain". Fields are little-endian; "offset" is bytes from the start of the file, a span
 * number is offset / HEAP_SPAN.
 *
 * Why it is sound. Each state of the heap is a set of single words, each published by one 8-byte store, and each word
 * means the same whatever age its neighbours have:
 *
 * 1. An object is allocated iff its bit is set in a SMALL or CLOSED span, or its span's head is RUN. Allocate
 *    and free are one compare-and-swap of that word. Killed after it: one object that nobody knows.
 * 2. A BODY span belongs to a run iff the span `count` before it is a RUN of more than `count` spans; else it is free.
 *    So bodies are stored first, the RUN head publishes, and one store of the head frees all. Shrinking is one
 *    store; growing in place stores the new bodies, then the head.
 * 3. Bitmap words are changed by compare-and-swap of single bits only, never initialised again. Who claims a bit
 *    looks at the head afterwards (sequentially consistent, partner: 4.) and takes the bit back if
 *    the span has changed hands. A bit not below the class's number of slots, or set in a span that is neither SMALL
 *    nor CLOSED, is a stray: such a claim, alive or killed. Strays mean nothing and hurt nobody.
 * 4. A SMALL span seen empty is given back through CLOSED (same class, no new claims): store CLOSED, look at all
 *    bits again, then FREE if none is set, else SMALL. Killed in CLOSED: the next holder of LOCK_MAIN finishes it.
 *    Claimer: set bit, read head. Closer: set head, read bits. One of the two sees the other.
 * 5. Heads change by compare-and-swap under LOCK_MAIN; only a RUN's intent bits are cleared without, by their owner.
 * 6. Growth: file space, leaves and directory words are stored and flushed (fdatasync) before
 *    `capacity` names them. Whatever lies at or above capacity has no meaning and is made anew by the next growth.
 * 7. A named root is one sealed value word; its name is published by the sealed name word, which holds
 *    the name's hash. All of an entry lies in one sector. A further roots span is flushed before it is linked.
 * 8. Allocate and publish (mm_alloc_to): the intent names claim, object, place and old content; storing
 *    `object` arms it; the claim sets bit and intent number in one word; the place is stored; the number is
 *    cleared; the intent is disarmed. While the number is in the claimed word, the claim is this intent's
 *    and nobody else's. Killed before: nothing was claimed. Killed with the number set: who gets the dead owner's
 *    intent byte frees the object if the place still has its old content, else lets it be, then clears the
 *    number. Never is anything of the user's written by another. Who frees an object whose claim is pending clears
 *    the number in the same store: else the settling would free the slot's next object.
 *
 * A power cut may leave each sector at any age since the last sync. An object that was allocated then and not freed
 * since has had its bit (or RUN head and all BODY words) and head unchanged all the time, and no
 * other run covered its spans, so every mixture shows it, and overlaps nothing. What was allocated or freed since
 * may be there or not. Mixtures that no kill can make (a RUN one of whose bodies does not name it, bits in free spans)
 * therefore hold nothing acknowledged: the RUN is FREE, the bits are strays. The first writer of a boot or mount
 * (instances) makes this so in one recovery, alone (LOCK_WRITER), before anybody allocates.
 */
#ifndef HEAP_FORMAT_H
#define HEAP_FORMAT_H

#include "hdr_format.h"

#define HEAP_SPAN 16384
#define HEAP_ALIGN 16
#define HEAP_LEAF_SPANS 64
#define HEAP_DIR_ROOT 512   /* directory blocks */
#define HEAP_DIR_WORDS 2048 /* leaves of a directory block: 2 GiB */
#define HEAP_SPANS_MAX ((uint64_t)HEAP_DIR_ROOT * HEAP_DIR_WORDS * HEAP_LEAF_SPANS)
#define HEAP_INSTANCES 8
#define HEAP_INTENTS 64 /* numbers 1 to 63; entry 0 is not used */
#define HEAP_ROOTS 32
#define HEAP_MORE_ROOTS 127
#define HEAP_NAME_MAX 112

/* A new heap: header, directory block, leaf, and so on to at least one span for objects. */
#define HEAP_FIRST_DIR 1
#define HEAP_FIRST_LEAF 2
#define HEAP_FIRST_FREE 3
#define HEAP_SPANS_MIN 4

/*
 * Slot sizes of the classes 0 to 52; hdr.param is HEAP_CLASS_TABLE. Steps of 16 up to 512, then what fills a span.
 * Simulated with sizes 16 to 512: all spans and tables are 20 % over 20,000 live objects, 10 % over
 * 200,000, if a full class borrows from the next before it takes a new span.
 */
#define HEAP_CLASS_TABLE 1
#define HEAP_CLASSES 53
#define HEAP_SMALL_MAX 8192
#define HEAP_CLASS_SIZES \
	16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 272, 288, 304, 320, 336, 352, 368, \
	    384, 400, 416, 432, 448, 464, 480, 496, 512, 576, 624, 672, 736, 816, 896, 1024, 1088, 1168, 1248, 1360, \
	    1488, 1632, 1808, 2048, 2336, 2720, 3264, 4096, 5456, 8192

/*
 * Head word of a span: bits 0-3 kind, 4 exact, 5-10 class | intent | enum heap_meta, 16-47 count. Bits that the kind
 * does not use are 0.
 */
enum heap_kind {
	HEAP_FREE = 1,
	HEAP_SMALL = 2,  /* class, exact */
	HEAP_CLOSED = 3, /* class, exact: SMALL that takes no new objects */
	HEAP_RUN = 4,    /* one object; count: its spans, this one included; intent, exact */
	HEAP_BODY = 5,   /* count: spans back to the RUN */
	HEAP_META = 6,   /* one of the heap's own tables: enum heap_meta */
};

enum heap_meta {
	HEAP_META_FILE = 1,
	HEAP_META_DIR = 2,
	HEAP_META_LEAF = 3,
	HEAP_META_ROOTS = 4,
};

#define HEAP_HEAD_KIND UINT64_C(0xf)
#define HEAP_HEAD_EXACT (UINT64_C(1) << 4)
#define HEAP_HEAD_CLASS_SHIFT 5
#define HEAP_HEAD_CLASS_MASK UINT64_C(0x3f)
#define HEAP_HEAD_COUNT_SHIFT 16
#define HEAP_HEAD_COUNT_MASK UINT64_C(0xffffffff)

/* Bitmap word: bits 0-45 slots, 46-51 the intent whose claim in this word is not yet published, 0 for none. */
#define HEAP_WORD_SLOTS 46
#define HEAP_WORD_TAG_SHIFT 46
#define HEAP_WORD_TAG_MASK UINT64_C(0x3f)
#define HEAP_WORD_BITS ((UINT64_C(1) << HEAP_WORD_SLOTS) - 1)
#define HEAP_SPAN_WORDS 23

struct heap_span {
	uint64_t head;                  /*   0 LOCK_MAIN (see 5. above), read without */
	uint64_t bits[HEAP_SPAN_WORDS]; /*   8 anybody, by compare-and-swap */
};

struct heap_leaf {
	uint8_t magic[8];                       /*    0 HEAP_LEAF_MAGIC; never changes */
	uint64_t index;                         /*    8 which MiB; never changes */
	uint8_t uuid[16];                       /*   16 the file's; never changes */
	uint8_t hints[4064];                    /*   32 plain, anybody: advice for allocators, any content is valid */
	struct heap_span span[HEAP_LEAF_SPANS]; /* 4096 */
};
#define HEAP_LEAF_MAGIC "MMH leaf"

/* Owner: whoever holds LOCK_INTENT + number. Read by others only with that byte, or with its number in a word. */
struct heap_intent {
	uint64_t object; /*  0 offset of the object; 0: not armed */
	uint64_t claim;  /*  8 claimed word's offset / 8, << 6, plus the bit, or HEAP_CLAIM_RUN for a head */
	uint64_t place;  /* 16 offset of the word to store; bit 0 set: a root's value word, else plain */
	uint64_t old;    /* 24 plain: what the place held; damage here costs a leaked object */
	uint64_t spare[4]; /* 32 0 */
};
#define HEAP_CLAIM_BIT_MASK UINT64_C(0x3f)
#define HEAP_CLAIM_WORD_SHIFT 6
#define HEAP_CLAIM_RUN 63

/* Name word: bits 0-7 the name's length, 8-51 the low 44 bits of XXH3-64 of its bytes; value 0: entry unused. */
struct heap_root {
	uint64_t value;              /*   0 offset of an object, 0: the root is unset; LOCK_MAIN, read without */
	uint64_t word;               /*   8 name word; LOCK_MAIN, read without and again after the name */
	uint8_t name[HEAP_NAME_MAX]; /*  16 plain: no NUL at the end */
};
#define HEAP_NAME_HASH_SHIFT 8
#define HEAP_NAME_HASH_MASK ((UINT64_C(1) << 44) - 1)

struct heap_more_roots {
	uint8_t magic[8];      /*   0 HEAP_ROOTS_MAGIC */
	uint64_t next;         /*   8 span of the next such table, 0 for none; LOCK_MAIN */
	uint8_t uuid[16];      /*  16 the file's */
	uint8_t reserved[96];  /*  32 0 */
	struct heap_root root[HEAP_MORE_ROOTS]; /* 128 */
};
#define HEAP_ROOTS_MAGIC "MMHroots"

/*
 * Directory words hold span numbers: HEAP_DIR_ROOT blocks in the file's header, HEAP_DIR_WORDS leaves in a
 * block. Words for spans at or above capacity mean nothing.
 */
struct heap_file {
	struct hdr hdr;                         /*     0 param: HEAP_CLASS_TABLE, header_size: HEAP_SPAN */
	uint64_t capacity;                      /*    64 spans that are reserved and durably so; LOCK_MAIN */
	uint64_t more_roots;                    /*    72 span of a struct heap_more_roots, 0 for none; LOCK_MAIN */
	uint64_t sequence;                      /*    80 plain: odd while heads change; LOCK_MAIN */
	uint64_t reserved0[5];                  /*    88 0 */
	uint64_t instances[HEAP_INSTANCES];     /*   128 plain: boots and mounts recovery has run for; LOCK_MAIN */
	uint8_t reserved1[3904];                /*   192 0 */
	struct heap_intent intent[HEAP_INTENTS]; /* 4096 */
	uint64_t dir[HEAP_DIR_ROOT];            /*  8192 LOCK_MAIN, never changes below capacity */
	struct heap_root root[HEAP_ROOTS];      /* 12288 root[0] has the empty name */
};

/* The last 16 bytes of each object of an exact span or run: what `mmalloc put` stored is all there, or is not. */
struct heap_exact {
	uint64_t length; /* 0 bytes from the object's start */
	uint64_t hash;   /* 8 plain: XXH3-64 of them, seeded with the object's offset */
};

static_assert(offsetof(struct heap_span, bits) == 8, "heap_span.bits");
static_assert(sizeof(struct heap_span) == 192, "heap_span");
static_assert(HEAP_WORD_SLOTS * HEAP_SPAN_WORDS >= HEAP_SPAN / HEAP_ALIGN, "every slot has its bit");
static_assert(offsetof(struct heap_leaf, index) == 8, "heap_leaf.index");
static_assert(offsetof(struct heap_leaf, hints) == 32, "heap_leaf.hints");
static_assert(offsetof(struct heap_leaf, span) == 4096, "heap_leaf.span");
static_assert(sizeof(struct heap_leaf) == HEAP_SPAN, "heap_leaf");
static_assert(offsetof(struct heap_intent, old) == 24, "heap_intent.old");
static_assert(sizeof(struct heap_intent) == 64, "heap_intent");
static_assert(offsetof(struct heap_root, name) == 16, "heap_root.name");
static_assert(sizeof(struct heap_root) == 128, "heap_root: four to a sector");
static_assert(offsetof(struct heap_more_roots, root) == 128, "heap_more_roots.root");
static_assert(sizeof(struct heap_more_roots) == HEAP_SPAN, "heap_more_roots");
static_assert(offsetof(struct heap_file, capacity) == 64, "heap_file.capacity");
static_assert(offsetof(struct heap_file, instances) == 128, "heap_file.instances");
static_assert(offsetof(struct heap_file, intent) == 4096, "heap_file.intent");
static_assert(offsetof(struct heap_file, dir) == 8192, "heap_file.dir");
static_assert(offsetof(struct heap_file, root) == 12288, "heap_file.root");
static_assert(sizeof(struct heap_file) == HEAP_SPAN, "heap_file");
static_assert(sizeof(struct heap_exact) == HEAP_ALIGN, "heap_exact");
static_assert(HEAP_SPANS_MAX * HEAP_SPAN == UINT64_C(1) << 40, "as much as is ever mapped");

#endif
