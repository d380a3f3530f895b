/*
 * The queue: items in commit order, taken by consumers, gone only when the consumer says so.
 *
 * What one command needs of a queue is a few hundred bytes, and mapping and touching a page costs more than thirty
 * small reads (measured: 10 us against 0.25): so a file is mapped (q_map) only for work on many items,
 * and all changes are made by pwrite(2), coherent with every mapping: a full copy-on-write disk then answers with an
 * error and not with a signal.
 *
 * All changes happen under LOCK_MAIN, which is never held while waiting or writing to a pipe. A change is prepared where
 * nobody looks (beyond tail, in free segments) and takes effect with the one commit of a new state block, so
 * that a kill at any instruction leaves the state before or after it. Readers take no lock.
 *
 * Lock order: LOCK_MAIN, then LOCK_SYNC or the byte of a consumer place.
 *
 *	q_open		open			queue_open.c
 *	q_lock		lock, load, settle	queue_state.c
 *	q_push_*	append			queue_push.c
 *	q_take, q_finish	hand out, mark done	queue_take.c
 *	q_snapshot, q_walk	look		queue_read.c
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "hdr.h"
#include "map.h"
#include "queue_format.h"

#include <stdbool.h>
#include <stdint.h>

#define Q_ITEM_MAX UINT32_MAX /* payload bytes */

struct queue {
	struct map m;
	struct hdr h;
	struct q_state s;     /* the state: loaded by q_lock(), changed there, published by q_commit() */
	int64_t lock_timeout; /* nanoseconds */
	int place;            /* consumer place whose byte this process holds, -1: none */
	uint64_t instance;    /* instance_id() of this process's view, 0: not asked yet */
	uint64_t given_up;    /* stretches of records that recovery by this process found missing or torn */
	uint64_t seen_start;  /* the segment that was located last: its first position (none changes its segment) */
	uint64_t seen_offset; /* and where that lies in the file, 0: none */
	uint8_t small[2048];  /* one record of a file that is not mapped */
	struct err_at at;     /* with -ERR_DAMAGED */
};

struct q_config {
	uint64_t max_items;
	uint64_t max_bytes;
	uint64_t flags;  /* enum q_flags */
	uint64_t size;   /* bytes to reserve now */
	bool durable;    /* refuse where nothing can be durable, also without Q_SYNC */
};

/* -EEXIST when path exists; -ERR_VOLATILE for Q_SYNC where nothing can be durable; otherwise as map_create(). */
int q_create(const char *path, mode_t mode, const struct q_config *config) __attribute__((warn_unused_result));

/* Read-only when `writing` is false: then only q_snapshot() and what reads may be called. */
int q_open(struct queue *q, const char *path, bool writing, int64_t lock_timeout) __attribute__((warn_unused_result));
void q_close(struct queue *q);

/*
 * Takes LOCK_MAIN, finishes what a killed process had committed but not stored, recovers after a power cut.
 * -ERR_REPLACED when path no longer names this file: the caller opens again.
 */
int q_lock(struct queue *q) __attribute__((warn_unused_result));
void q_unlock(struct queue *q);

/*
 * Publishes q->s and stores its redo words. Called with the lock held. -ENOSPC, -EIO and the like: nothing was published,
 * or it was and the next commit, or the next holder of the lock, stores the redo words.
 */
int q_commit(struct queue *q) __attribute__((warn_unused_result));

/* Adds a word to the next commit; at most Q_REDO. */
void q_redo(struct queue *q, uint64_t offset, uint64_t word);

/* Makes everything up to now durable; pushers who wait share one flush. */
int q_sync(struct queue *q) __attribute__((warn_unused_result));

/* What `check` of a state block must be. */
uint64_t q_state_check(const struct q_state *s);

/* Items that have not left. */
uint64_t q_items(const struct q_state *s);

/* Maps the file, once. Without a mapping the functions below read with pread(2). */
int q_map(struct queue *q) __attribute__((warn_unused_result));

/* n bytes at offset. -ERR_SHRUNK past the end of the file. */
int q_read(struct queue *q, uint64_t offset, void *to, size_t n) __attribute__((warn_unused_result));
int q_write(struct queue *q, uint64_t offset, const void *from, size_t n) __attribute__((warn_unused_result));

/* Wakes who sleeps on the futex word at offset of the first page (wake_items, wake_space). */
void q_wake(struct queue *q, uint64_t offset);

/* Newest valid state, without a lock. -ERR_DAMAGED, -ERR_TRUNCATED. */
int q_load(struct queue *q, struct q_state *s) __attribute__((warn_unused_result));

/* Where position pos lies in the file, and how many bytes of its segment follow it. */
int q_locate(struct queue *q, const struct q_state *s, uint64_t pos, uint64_t *offset, uint64_t *room)
    __attribute__((warn_unused_result));

/* A record, decoded and with all its limits checked, but not its hash. */
struct q_item {
	uint64_t at;      /* position of the record */
	uint64_t end;     /* position after it */
	uint64_t offset;  /* file offset of its head, for messages */
	uint64_t payload; /* position of the first payload byte */
	uint64_t id;
	uint64_t stamp;   /* q_stamp() */
	uint32_t length;  /* payload bytes */
	uint32_t check;
	unsigned kind;    /* enum q_record_kind */
	unsigned attempts;
	bool one_piece;   /* all of it lies in one segment, from `offset` on */
	const uint8_t *body; /* after q_verify(): extensions and payload, where they are one piece */
};

/* Milliseconds since 1970 when the item was pushed. */
uint64_t q_item_time(const struct q_item *item);

/* Decodes the record at pos (its end may not pass limit). */
int q_record(struct queue *q, const struct q_state *s, uint64_t pos, uint64_t limit, struct q_item *item)
    __attribute__((warn_unused_result));

/* Compares the record's hash with its bytes. -ERR_DAMAGED when they differ. */
int q_verify(struct queue *q, const struct q_state *s, struct q_item *item) __attribute__((warn_unused_result));

int q_piece(struct queue *q, const struct q_state *s, uint64_t pos, uint64_t max, const void **p, uint64_t *n)
    __attribute__((warn_unused_result));

/*
 * Contiguous piece of the payload of a verified item at byte `from` of it: *n bytes at *p. Valid until the next item is
 * verified, and while nobody can free this one.
 */
static inline int
q_payload(struct queue *q, const struct q_state *s, const struct q_item *item, uint64_t from, const void **p, uint64_t *n)
{
	if (__builtin_expect(!item->body, 0))
		return q_piece(q, s, item->payload + from, item->length - from, p, n);
	*p = item->body + (item->payload - item->at - sizeof(struct q_record)) + from;
	*n = item->length - from;
	return 0;
}

/*
 * Copies payloads of whole, verified items from position *at on to dst, each followed by the byte `end`, while they have
 * one of `flags` (they do not hold that byte) and room lasts. Stops at the first that needs more than that: then
 * *at is there. Returns the bytes written.
 */
size_t q_copy_items(struct queue *q, uint64_t *at, uint64_t to, unsigned flags, char end, char *dst, size_t room);

/*
 * Pushing. begin takes the lock (flags: enum q_record_flags, true of all items that will be put); every put adds an item behind those before it; end publishes them all at once
 * and releases the lock. abandon releases it and nothing was pushed. first_id + n - 1 are the ids.
 */
struct q_writer {
	struct queue *q;
	uint64_t pos;      /* where the next byte goes */
	uint64_t record_at;  /* the record being written: its start */
	uint64_t record_end; /* and its end */
	uint64_t stamp;    /* q_stamp() of all items of this commit */
	uint64_t file_at;  /* where buf goes */
	size_t used;       /* of buf */
	bool has_good;     /* the item being written has opened a segment: */
	struct q_state good; /* the state before that */
	uint8_t buf[Q_SEG_SIZE];
};

int q_push_begin(struct queue *q, struct q_writer *w, unsigned flags) __attribute__((warn_unused_result));
/* -ERR_TOO_BIG, -ERR_FULL, -ENOSPC and the like: the item is not in, those before it still can be. */
int q_push_put(struct q_writer *w, const void *p, uint64_t n) __attribute__((warn_unused_result));
/* The n bytes at off of a regular file. -EIO when it ends early. */
int q_push_file(struct q_writer *w, int fd, uint64_t off, uint64_t n) __attribute__((warn_unused_result));
int q_push_end(struct q_writer *w) __attribute__((warn_unused_result));
void q_push_abandon(struct q_writer *w);

/* What a consumer was handed: the items in [from, to), DONE and PAD records among them not counted. */
struct q_range {
	uint64_t from, to;
	uint64_t items, bytes;
};

/*
 * Takes the oldest ready items: at most max_items, and at most max_bytes unless one item is larger. 0 items: none is
 * ready. They stay this process's until q_finish() or its death.
 */
int q_take(struct queue *q, uint64_t max_items, uint64_t max_bytes, struct q_range *r)
    __attribute__((warn_unused_result));

/* The items of r before position `done` have left; those from there on are ready again, in their place. */
int q_finish(struct queue *q, const struct q_range *r, uint64_t done) __attribute__((warn_unused_result));

/* Returns the ranges of dead consumers. Called with the lock held. */
int q_reap(struct queue *q) __attribute__((warn_unused_result));

/*
 * Reserves space for about so many bytes of records at once, at most 1 GiB: a hundred small steps cost more. On a full
 * disk nothing happens. Takes the lock itself.
 */
int q_reserve(struct queue *q, uint64_t bytes) __attribute__((warn_unused_result));

/* Removes the oldest ready item, under the lock; the caller commits. -ERR_FULL when none is ready. */
int q_drop_oldest(struct queue *q) __attribute__((warn_unused_result));

/* Decodes a consumer place; *kind 0 when it is not in use. */
int q_place(struct queue *q, const struct q_state *s, unsigned i, struct q_consumer *c, unsigned *kind)
    __attribute__((warn_unused_result));

/* A consistent look: the state and the ready ranges, in order. */
struct q_snapshot {
	struct q_state s;
	unsigned n;
	struct {
		uint64_t from, to;
	} ready[Q_CONSUMERS + 1];
};
int q_snapshot(struct queue *q, struct q_snapshot *snap) __attribute__((warn_unused_result));

/* Words of the segment table and the free ring (queue_space.c). */
uint64_t q_table_slot(const struct q_state *s, uint64_t index);
uint64_t q_ring_slot(const struct q_state *s, uint64_t number);
uint64_t q_table_entry(uint64_t index, uint64_t segment);
bool q_holds_tables(const struct q_state *s, uint64_t segment); /* some of either */

/*
 * Segments, under the lock (queue_space.c). open finds one for logical segment `index`; the caller writes *head at
 * *offset, with the records, before the commit.
 */
int q_segment_open(struct queue *q, uint64_t index, uint64_t first, uint64_t *offset, struct q_segment *head)
    __attribute__((warn_unused_result));
int q_free_until(struct queue *q, uint64_t head) __attribute__((warn_unused_result)); /* those before position head */

/* The one repair of derived structures (queue_recover.c), under the lock, in an instance that the file does not know. */
int q_recover(struct queue *q) __attribute__((warn_unused_result));

/* Reports every damage; returns 0 when the file could be read, however damaged. */
typedef void q_finding_fn(void *arg, uint64_t offset, const char *code, const char *message);
int q_check(struct queue *q, q_finding_fn *report, void *arg) __attribute__((warn_unused_result));

/* enum q_record_flags of an item. */
static inline unsigned
q_item_flags(const struct q_item *item)
{
	return (unsigned)(item->stamp >> 48 & 0xff);
}

/* Positions. */
static inline uint64_t
q_index(uint64_t pos)
{
	return pos / Q_SEG_DATA;
}

/* A record's head never crosses a segment's end: where one that should begin at pos does. */
static inline uint64_t
q_head_at(uint64_t pos)
{
	uint64_t room = Q_SEG_DATA - pos % Q_SEG_DATA;

	return room < sizeof(struct q_record) ? pos + room : pos;
}

static inline uint64_t
q_round8(uint64_t n)
{
	return (n + 7) & ~UINT64_C(7);
}

#endif
