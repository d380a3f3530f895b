/*
 * Segments: which of them hold which positions, which are free, and how there come to be more.
 *
 * Everything here prepares: entries are written where the committed state does not look (table entries beyond tail,
 * ring entries beyond free_tail), counters move in q->s, and q_commit() publishes all at once. Killed before that: the
 * next holder of the lock prepares the same again, over it.
 *
 * Power cut: a segment that is used again must not take with it an item that was promised to be
 * durable. So one that holds positions below durable_tail is used again only when durable_head has
 * passed it; otherwise the file grows, or, when it cannot, a flush makes the head durable.
 */
#include "queue.h"
#include "seal.h"
#include "seam.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MIN Q_SEG_SIZE
#define STEP_MAX (UINT64_C(64) << 20)
#define RESERVE_MAX (UINT64_C(1) << 30)
#define FRESH (UINT64_C(1) << 32) /* in a ring entry: never held records */
#define LAP_BITS 20 /* low bits of the logical index beside the segment: tells an entry of an earlier lap */

uint64_t
q_table_slot(const struct q_state *s, uint64_t index)
{
	return s->table + 8 * (index & ((UINT64_C(1) << s->table_log2) - 1));
}

uint64_t
q_ring_slot(const struct q_state *s, uint64_t number)
{
	return s->ring + 8 * (number & ((UINT64_C(1) << s->table_log2) - 1));
}

bool
q_holds_tables(const struct q_state *s, uint64_t segment)
{
	uint64_t at = segment << Q_SEG_SHIFT, size = UINT64_C(8) << s->table_log2;

	return (at + Q_SEG_SIZE > s->table && at < s->table + size) || (at + Q_SEG_SIZE > s->ring && at < s->ring + size);
}

static uint64_t
lap(uint64_t index)
{
	return (index & ((1 << LAP_BITS) - 1)) << 32;
}

uint64_t
q_table_entry(uint64_t index, uint64_t segment)
{
	return seal(segment | lap(index));
}

static int
read_sealed(struct queue *q, uint64_t offset, uint64_t *value, const char *what)
{
	uint64_t word;
	int rc = q_read(q, offset, &word, sizeof(word));

	if (!rc && !unseal(word, value))
		rc = err_damaged(&q->at, offset, what);
	return rc;
}

/* Finds the segment of `index` and checks that it says so itself. */
static int
look_up(struct queue *q, const struct q_state *s, uint64_t index)
{
	uint64_t slot = q_table_slot(s, index), entry, segment, owner;
	int rc = read_sealed(q, slot, &entry, "segment table entry");

	if (rc)
		return rc;
	segment = entry & UINT32_MAX;
	if (entry >> 32 << 32 != lap(index) || !segment || segment >= s->capacity >> Q_SEG_SHIFT)
		return err_damaged(&q->at, slot, "segment table entry: not of this position");
	rc = read_sealed(q, segment << Q_SEG_SHIFT, &owner, "segment head");
	if (rc)
		return rc;
	if (owner != index)
		return err_damaged(&q->at, segment << Q_SEG_SHIFT, "segment head: not the segment that the table says");
	q->seen_start = index * Q_SEG_DATA;
	q->seen_offset = (segment << Q_SEG_SHIFT) + sizeof(struct q_segment);
	return 0;
}

int
q_locate(struct queue *q, const struct q_state *s, uint64_t pos, uint64_t *offset, uint64_t *room)
{
	int rc;

	/* Wraps, and so is large, where pos lies before the segment. */
	if (pos - q->seen_start >= Q_SEG_DATA || !q->seen_offset) {
		rc = look_up(q, s, q_index(pos));
		if (rc)
			return rc;
	}
	*offset = q->seen_offset + (pos - q->seen_start);
	*room = Q_SEG_DATA - (pos - q->seen_start);
	return 0;
}

static int
ring_put(struct queue *q, uint64_t entry)
{
	uint64_t word = seal(entry);
	int rc = q_write(q, q_ring_slot(&q->s, q->s.free_tail), &word, sizeof(word));

	q->s.free_tail += !rc;
	return rc;
}

/* Entries [from, to) of a table, from its old place into the copy in memory. */
static int
copy_entries(struct queue *q, const struct q_state *n, uint64_t (*slot)(const struct q_state *, uint64_t), uint64_t from,
    uint64_t to, uint64_t *copy)
{
	int rc = 0;

	for (uint64_t i = from; !rc && i < to; i++)
		rc = q_read(q, slot(&q->s, i), copy + (slot(n, i) - n->table) / 8, 8);
	return rc;
}

/* Fills the new table and ring; entries that no position uses are told by their lap. */
static int
move_tables(struct queue *q, struct q_state *n, uint64_t *copy)
{
	uint64_t entries = UINT64_C(1) << q->s.table_log2, first = q_index(q->s.head);
	int rc = copy_entries(q, n, q_table_slot, first, first + entries, copy);

	if (!rc)
		rc = copy_entries(q, n, q_ring_slot, q->s.free_head, q->s.free_tail, copy);
	/* The old ones become free segments, but for the first, which lie in segment 0. */
	for (uint64_t i = 0; q->s.table >= Q_SEG_SIZE && i < (16 * entries + Q_SEG_SIZE - 1) >> Q_SEG_SHIFT; i++)
		copy[(q_ring_slot(n, n->free_tail++) - n->table) / 8] = seal((q->s.table >> Q_SEG_SHIFT) + i);
	return rc ? rc : q_write(q, n->table, copy, 32 * entries);
}

/* A table and a ring of twice the size, at the end of the file. Nobody looks there before the commit. */
static int
enlarge_tables(struct queue *q)
{
	uint64_t size = UINT64_C(32) << q->s.table_log2, *copy;
	struct q_state n = q->s;
	int rc;

	n.table = n.capacity;
	n.ring = n.capacity + size / 2;
	n.table_log2++;
	n.capacity += (size + Q_SEG_SIZE - 1) & ~(Q_SEG_SIZE - 1);
	if (n.capacity >> Q_SEG_SHIFT > UINT64_C(1) << n.table_log2)
		return -EFBIG;
	copy = calloc(1, size);
	if (!copy)
		return -ENOMEM;
	rc = map_grow(&q->m, q->s.capacity, n.capacity);
	if (!rc)
		rc = move_tables(q, &n, copy);
	free(copy);
	if (!rc)
		q->s = n;
	return rc;
}

/* Puts the segments [first, first + count) into the ring, as fresh ones, many with one write. */
static int
ring_put_fresh(struct queue *q, uint64_t first, uint64_t count)
{
	uint64_t words[128], mask = (UINT64_C(1) << q->s.table_log2) - 1;
	int rc = 0;

	while (!rc && count) {
		uint64_t n = count < 128 ? count : 128, left = mask + 1 - (q->s.free_tail & mask);

		n = n < left ? n : left; /* up to where the ring begins again */
		for (uint64_t i = 0; i < n; i++)
			words[i] = seal((first + i) | FRESH);
		rc = q_write(q, q_ring_slot(&q->s, q->s.free_tail), words, n * sizeof(words[0]));
		q->s.free_tail += rc ? 0 : n;
		first += n;
		count -= n;
	}
	return rc;
}

/* Reserves `step` more bytes and puts their segments into the ring. */
static int
grow_by(struct queue *q, uint64_t step)
{
	uint64_t free_tail;
	int rc = 0;

	while (!rc && (q->s.capacity + step) >> Q_SEG_SHIFT > UINT64_C(1) << q->s.table_log2)
		rc = enlarge_tables(q);
	if (!rc)
		rc = map_grow(&q->m, q->s.capacity, q->s.capacity + step);
	free_tail = q->s.free_tail;
	if (!rc)
		rc = ring_put_fresh(q, q->s.capacity >> Q_SEG_SHIFT, step >> Q_SEG_SHIFT);
	if (rc)
		q->s.free_tail = free_tail;
	else
		q->s.capacity += step;
	return rc;
}

/* One sixteenth of what is there, within limits; on a nearly full disk as little as does. */
static int
grow(struct queue *q)
{
	uint64_t step = (q->s.capacity / 16) & ~(Q_SEG_SIZE - 1);
	int rc;

	if (q->s.flags & Q_FIXED_SIZE)
		return -ERR_FULL;
	step = step < STEP_MIN ? STEP_MIN : step > STEP_MAX ? STEP_MAX : step;
	rc = grow_by(q, step);
	if ((rc == -ENOSPC || rc == -EDQUOT || rc == -EFBIG) && step > STEP_MIN)
		rc = grow_by(q, STEP_MIN);
	return rc;
}

int
q_reserve(struct queue *q, uint64_t bytes)
{
	uint64_t free, want = (bytes + Q_SEG_SIZE - 1) >> Q_SEG_SHIFT;
	struct q_state before;
	int rc = q_lock(q);

	if (rc)
		return rc;
	free = q->s.free_tail - q->s.free_head;
	if (want > RESERVE_MAX >> Q_SEG_SHIFT)
		want = RESERVE_MAX >> Q_SEG_SHIFT;
	before = q->s;
	if (want > free && !(q->s.flags & Q_FIXED_SIZE)) {
		rc = grow_by(q, (want - free) << Q_SEG_SHIFT);
		if (rc) {
			q->s = before; /* it was a hint: what needs the space will say so */
			rc = 0;
		} else
			rc = q_commit(q);
	}
	q_unlock(q);
	return rc;
}

/* May the segment at the front of the ring be overwritten? */
static bool
reusable(struct queue *q, uint64_t entry)
{
	uint64_t words[2], index, head, tail;

	/* Looking at a fresh segment would read its first page in for nothing. */
	if (entry & FRESH || q_read(q, (entry & UINT32_MAX) << Q_SEG_SHIFT, &words[0], 8) || !unseal(words[0], &index))
		return true; /* never held records */
	if (q_read(q, offsetof(struct q_file, durable_head), words, sizeof(words)) || !unseal(words[0], &head) ||
	    !unseal(words[1], &tail))
		return false;
	return SEAM("reuse", (index + 1) * Q_SEG_DATA <= head || index * Q_SEG_DATA >= tail, true);
}

static int
ring_peek(struct queue *q, uint64_t *entry)
{
	uint64_t slot = q_ring_slot(&q->s, q->s.free_head), segment;
	int rc = read_sealed(q, slot, entry, "free ring entry");

	if (rc)
		return rc;
	segment = *entry & UINT32_MAX;
	if (!segment || segment >= q->s.capacity >> Q_SEG_SHIFT)
		return err_damaged(&q->at, slot, "free ring entry out of range");
	return 0;
}

static int
ring_take(struct queue *q, uint64_t *entry)
{
	int rc;

	if (q->s.free_head < q->s.free_tail) {
		rc = ring_peek(q, entry);
		if (rc)
			return rc;
		if (reusable(q, *entry)) {
			q->s.free_head++;
			return 0;
		}
	}
	rc = grow(q);
	/* No room to grow, but a drained segment: make its head durable, then it may go. */
	if (rc && (q->s.free_head == q->s.free_tail || q_sync(q)))
		return rc;
	/* Growth put its segments behind; one in front that may not be used again waits its turn there. */
	for (uint64_t n = q->s.free_tail - q->s.free_head; n; n--) {
		rc = ring_peek(q, entry);
		if (rc)
			return rc;
		q->s.free_head++;
		if (reusable(q, *entry))
			return 0;
		rc = ring_put(q, *entry);
		if (rc)
			return rc;
	}
	return -ENOSPC;
}

int
q_segment_open(struct queue *q, uint64_t index, uint64_t first, uint64_t *offset, struct q_segment *head)
{
	uint64_t entry, word;
	int rc;

	rc = ring_take(q, &entry);
	if (rc)
		return rc;
	entry &= UINT32_MAX;
	word = q_table_entry(index, entry);
	*offset = entry << Q_SEG_SHIFT;
	*head = (struct q_segment){ .index = seal(index), .first = seal(first) };
	/* What was located last may be this index in a segment that recovery has freed since. */
	q->seen_offset = 0;
	/* Beyond tail: nobody follows the entry before the commit. */
	return q_write(q, q_table_slot(&q->s, index), &word, sizeof(word));
}

int
q_free_until(struct queue *q, uint64_t head)
{
	uint64_t offset, room;
	int rc = 0;

	for (uint64_t i = q_index(q->s.head); !rc && i < q_index(head); i++) {
		rc = q_locate(q, &q->s, i * Q_SEG_DATA, &offset, &room);
		if (!rc)
			rc = ring_put(q, offset >> Q_SEG_SHIFT);
	}
	return rc;
}
