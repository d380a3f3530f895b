/*
 * The queue file. Layout only; queue.h works on it. Normative text: mmq(5).
 *
 *   segment 0    header page, consumer table, first segment table and free ring
 *   segment 1..  64 KiB each: records, or a larger segment table or free ring
 *
 * Positions count record bytes from the creation of the queue and only grow. Position P lies in
 * the logical segment P / Q_SEG_DATA at offset 32 + P % Q_SEG_DATA; the segment table maps logical to physical segments,
 * so growing copies nothing and a drained segment is used again wherever it lies.
 *
 * Truth and derivation. Truth is: the newest valid state block, the segment heads and the records. The
 * segment table and the free ring are derived from them and can be built anew (queue_recover.c), so
 * they need no flush of their own for a power cut.
 */
#ifndef QUEUE_FORMAT_H
#define QUEUE_FORMAT_H

#include "hdr_format.h"

#define Q_SEG_SHIFT 16
#define Q_SEG_SIZE (UINT64_C(1) << Q_SEG_SHIFT)
#define Q_SEG_DATA (Q_SEG_SIZE - sizeof(struct q_segment))

#define Q_CONSUMERS 256   /* places for takers at work at one time */
#define Q_REDO 13         /* words one commit can change besides the state */
#define Q_INSTANCES 8     /* boots and mounts known to have been recovered */
#define Q_TABLE_LOG2 11   /* first segment table: 2048 entries, 128 MiB of records */
#define Q_POS_BITS 50     /* positions and sizes fit beside two kind bits in a sealed word */

/* A word to be stored by whoever takes the lock after a commit; offset is 0 modulo 8. */
struct q_redo {
	uint64_t offset;
	uint64_t word;
};

/*
 * All of the queue's mutable state, in one 512-byte sector, kept twice: commit n writes block n % 2 whole and is
 * valid once its check is; the newest valid block counts. A kill or a power cut during a commit
 * leaves the other block. Written under LOCK_MAIN; read without a lock (copy, then check).
 */
struct q_state {
	uint64_t check;                    /*   0 XXH3-64 of bytes 8 to 511 */
	uint64_t seq;                      /*   8 number of this commit, from 1 */
	uint64_t head;                     /*  16 position of the oldest item that is not done */
	uint64_t next;                     /*  24 position after the newest item ever handed out */
	uint64_t tail;                     /*  32 position after the newest item */
	uint64_t next_id;                  /*  40 id of the next item, from 1 */
	uint64_t ready;                    /*  48 items that a pop would find */
	uint64_t taken;                    /*  56 items in the hands of a consumer */
	uint64_t leased;                   /*  64 items under a timed lease */
	uint64_t delayed;                  /*  72 items that wait for their time */
	uint64_t bytes;                    /*  80 payload bytes of all items in the queue */
	uint64_t pushed;                   /*  88 items ever pushed */
	uint64_t lost;                     /*  96 stretches given up after a power cut */
	uint64_t capacity;                 /* 104 bytes of the file that are reserved, from 0 */
	uint64_t free_head;                /* 112 free ring: entries ever taken out */
	uint64_t free_tail;                /* 120 free ring: entries ever put in */
	uint64_t table;                    /* 128 offset of the segment table */
	uint64_t ring;                     /* 136 offset of the free ring */
	uint64_t table_log2;               /* 144 entries of both, as a power of two */
	uint64_t era_tail;                 /* 152 tail when this boot or mount began */
	uint64_t max_items;                /* 160 limits; 0: none */
	uint64_t max_bytes;                /* 168 */
	uint64_t flags;                    /* 176 enum q_flags */
	uint64_t leases;                   /* 184 segment of the lease directory, 0: none */
	uint64_t keys;                     /* 192 segment of the key directory, 0: none */
	uint64_t once;                     /* 200 segment of the once directory, 0: none */
	uint64_t transit;                  /* 208 segment of the transit directory, 0: none */
	uint64_t moving;                   /* 216 items between two queues */
	uint64_t reserved[5];              /* 224 zero */
	uint64_t consumers[Q_CONSUMERS / 64]; /* 264 bit i: consumer place i is in use */
	uint64_t redo_count;               /* 296 */
	struct q_redo redo[Q_REDO];        /* 304 */
};

enum q_flags {
	Q_SYNC = 1,        /* every change is made durable */
	Q_FIXED_SIZE = 2,  /* never grows */
	Q_DROP_OLDEST = 4, /* a push into a full queue drops the oldest ready item */
};

/* The first page. */
struct q_file {
	struct hdr hdr;                    /*    0 */
	uint32_t wake_items;               /*   64 futex: changes when an item became ready */
	uint32_t sleep_items;              /*   68 who sleeps on it */
	uint32_t wake_space;               /*   72 futex: changes when an item left */
	uint32_t sleep_space;              /*   76 who sleeps on it */
	uint64_t applied;                  /*   80 seq of the commit whose redo words are stored */
	uint64_t durable_head;             /*   88 sealed: head of the last state known durable */
	uint64_t durable_tail;             /*   96 sealed: tail of it */
	uint64_t sync_failed;              /*  104 1: a flush failed since, all pages must be stored again */
	uint64_t durable_seq;              /*  112 sealed: commit of that state */
	uint64_t inode;                    /*  120 inode number when made: tells a copy */
	uint64_t instances[Q_INSTANCES];   /*  128 */
	uint64_t reserved1[40];            /*  192 zero */
	struct q_state state[2];           /*  512 commit n in state[n % 2], a sector each */
	uint8_t reserved2[2560];           /* 1536 zero */
};

/*
 * A consumer place. The consumer holds the OFD lock on byte LOCK_CONSUMER + i for as long as it works, so that its
 * death is seen at once. Changed only through redo words.
 */
struct q_consumer {
	uint64_t from;   /*  0 sealed: position of the first item */
	uint64_t to;     /*  8 sealed: position after the last, kind in bits 50 and 51 */
	uint64_t items;  /* 16 sealed: items in the range when it was taken */
	uint64_t bytes;  /* 24 sealed: their payload bytes */
};

enum q_range_kind {
	Q_RANGE_TAKEN = 1,    /* handed out */
	Q_RANGE_RETURNED = 2, /* given back: ready again, before `next` */
};

/* The head of a segment that holds records. Written before the commit that makes it reachable. */
struct q_segment {
	uint64_t index;    /*  0 sealed: its logical segment number */
	uint64_t first;    /*  8 sealed: data offset of the first record that begins here, Q_SEG_DATA: none */
	uint64_t reserved[2]; /* 16 zero */
};

/*
 * A record: this head, `ext8` times 8 bytes of extensions, the payload, zeros up to a multiple of 8. The head never
 * crosses a segment's end (what is left there is skipped); the rest may. All but `state` is
 * written before the commit that moves tail past it and never changes.
 */
struct q_record {
	uint64_t state;   /*  0 sealed: kind in bits 0-3, attempts in bits 4-19; changed under LOCK_MAIN by one store */
	uint64_t id;      /*  8 given once, kept when the item moves */
	uint32_t time_s;  /* 16 when it was pushed: seconds since 1970 */
	uint16_t time_ms; /* 20 and milliseconds */
	uint8_t flags;    /* 22 enum q_record_flags */
	uint8_t ext8;     /* 23 size of the extensions in units of 8 bytes */
	uint32_t length;  /* 24 payload bytes */
	uint32_t check;   /* 28 see q_record_check() in queue_record.h */
};

/* What the framing that an item came in by says of its bytes: need not be searched when it goes out. */
enum q_record_flags {
	Q_NO_NEWLINE = 1,
	Q_NO_NUL = 2,
};

enum q_record_kind {
	Q_ITEM = 1, /* an item of the queue */
	Q_DONE = 2, /* it has left; the space waits for head */
	Q_PAD = 3,  /* never was one: skip */
};

/* One extension: this and its bytes, zero-padded to 8. */
struct q_ext {
	uint16_t type; /* 0 enum q_ext_type */
	uint16_t size; /* 2 bytes that follow */
	uint32_t reserved; /* 4 zero */
};

enum q_ext_type {
	Q_EXT_KEY = 1,    /* --key */
	Q_EXT_ONCE = 2,   /* --once */
	Q_EXT_ORIGIN = 3, /* uuid and id in the queue it came from */
	Q_EXT_DEATH = 4,  /* reason and attempts of a dead letter */
};

/*
 * A lease, a delay or a move of one item, in a segment of the lease directory. One sector holds it whole, so each
 * entry is self-validating truth after a power cut.
 */
struct q_lease {
	uint64_t position;  /*  0 of the item's record */
	uint64_t id;        /*  8 of the item */
	uint64_t fence;     /* 16 number of this lease: the commit that made it */
	uint64_t deadline;  /* 24 CLOCK_BOOTTIME nanoseconds */
	uint64_t due;       /* 32 CLOCK_REALTIME nanoseconds, for delays that outlive a boot */
	uint32_t kind;      /* 40 enum q_lease_kind, 0: free entry */
	uint32_t attempts;  /* 44 */
	uint32_t by_time;   /* 48 place in the heap by deadline */
	uint32_t by_position; /* 52 place in the heap by position */
	uint64_t check;     /* 56 XXH3-64 of bytes 0 to 47 */
};

enum q_lease_kind {
	Q_LEASED = 1,
	Q_DELAYED = 2,
	Q_MOVING = 3,
};

#define Q_AT(type, member, off) static_assert(offsetof(struct type, member) == (off), #type "." #member)
Q_AT(q_state, head, 16);
Q_AT(q_state, capacity, 104);
Q_AT(q_state, leases, 184);
Q_AT(q_state, consumers, 264);
Q_AT(q_state, redo, 304);
static_assert(sizeof(struct q_state) == 512, "a state is one sector");
Q_AT(q_file, applied, 80);
Q_AT(q_file, instances, 128);
Q_AT(q_file, state, 512);
static_assert(sizeof(struct q_file) == HDR_PAGE, "q_file is the first page");
static_assert(sizeof(struct q_consumer) == 32, "q_consumer");
static_assert(sizeof(struct q_segment) == 32, "q_segment");
static_assert(sizeof(struct q_record) == 32, "q_record");
static_assert(sizeof(struct q_ext) == 8, "q_ext");
static_assert(sizeof(struct q_lease) == 64, "q_lease");

/* Where segment 0 keeps what. */
#define Q_CONSUMERS_AT HDR_PAGE
#define Q_TABLE_AT UINT64_C(0x4000)
#define Q_RING_AT UINT64_C(0x8000)
static_assert(Q_CONSUMERS_AT + Q_CONSUMERS * sizeof(struct q_consumer) <= Q_TABLE_AT, "consumers");
static_assert(Q_TABLE_AT + (sizeof(uint64_t) << Q_TABLE_LOG2) <= Q_RING_AT, "table");
static_assert(Q_RING_AT + (sizeof(uint64_t) << Q_TABLE_LOG2) <= Q_SEG_SIZE, "ring");

#endif
