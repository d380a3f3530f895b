/*
 * The one function that repairs a queue after a power cut.
 *
 * The disk then holds each sector as of some time since the last flush. Truth is the newest valid state block, the
 * segment heads and the records' checks; from these the segment table, the free ring, the consumer places
 * and the counts are built anew. A stretch of records that were never written is closed with PAD records; whole
 * records behind it stay, in order. Nothing below durable_tail can be missing for that reason, so what is
 * wrong there is damage, is left as it is, and is reported by whoever meets it.
 *
 * Killed at any point: no instance is noted any more, so the next holder of the lock starts again; every step
 * leads to the same result whatever part of it was done.
 */
#include "queue.h"
#include "seal.h"

#include <errno.h>
#include <string.h>

/* A word of the mapped file. */
static uint64_t
word_at(const struct queue *q, uint64_t offset)
{
	return __atomic_load_n((const uint64_t *)(const void *)(q->m.base + offset), __ATOMIC_RELAXED);
}

/* Segment p says that it is `index`: puts it into the table unless one there says so with more right. */
static int
enter(struct queue *q, uint64_t p, uint64_t index, bool *mine)
{
	uint64_t offset, room, entry = q_table_entry(index, p);
	int rc = 0;

	q->seen_offset = 0;
	/* Two that claim one index: the one that the table had, else the first. */
	if (q_locate(q, &q->s, index * Q_SEG_DATA, &offset, &room)) {
		rc = q_write(q, q_table_slot(&q->s, index), &entry, sizeof(entry));
		*mine = true;
	} else
		*mine = offset >> Q_SEG_SHIFT == p;
	return rc;
}

/* Sorts every segment into the table or the ring by what its head says. */
static int
rebuild_tables(struct queue *q)
{
	struct q_state *s = &q->s;
	uint64_t index, word;
	int rc = 0;

	s->free_head = s->free_tail = 0;
	for (uint64_t p = 1; !rc && p < s->capacity >> Q_SEG_SHIFT; p++) {
		bool mine = false;

		if (q_holds_tables(s, p))
			continue;
		if (unseal(word_at(q, p << Q_SEG_SHIFT), &index) && index >= q_index(s->head) &&
		    index * Q_SEG_DATA < s->tail)
			rc = enter(q, p, index, &mine);
		if (rc || mine)
			continue;
		word = seal(p);
		rc = q_write(q, q_ring_slot(s, s->free_tail++), &word, sizeof(word));
	}
	return rc;
}

/* Is there a whole record at pos? */
static bool
whole(struct queue *q, uint64_t pos, struct q_item *item, uint64_t durable)
{
	if (q_record(q, &q->s, pos, q->s.tail, item))
		return false;
	/* What was flushed needs no reading of all its bytes now; a pop checks it. */
	return item->end <= durable || item->kind == Q_PAD || !q_verify(q, &q->s, item);
}

/*
 * So many bytes are hashed in vain between two records. The bytes of an item may look like heads of large records from
 * end to end, and hashing behind each would take hours; then only the segments' own heads are asked.
 */
#define HASHED_MAX (UINT64_C(256) << 20)

/* The next position from pos on where a whole record begins; tail where there is none. */
static uint64_t
resync(struct queue *q, uint64_t pos, uint64_t durable)
{
	uint64_t offset, room, first, hashed = 0;
	struct q_item item;

	while (pos < q->s.tail) {
		if (q_locate(q, &q->s, pos, &offset, &room)) {
			pos = (q_index(pos) + 1) * Q_SEG_DATA; /* no such segment */
			continue;
		}
		/* The segment's head knows where its first record begins. */
		if (pos % Q_SEG_DATA == 0 && unseal(word_at(q, offset - sizeof(struct q_segment) + 8), &first) &&
		    first && first < Q_SEG_DATA && whole(q, pos + first, &item, durable))
			return pos + first;
		if (hashed > HASHED_MAX) {
			pos = (q_index(pos) + 1) * Q_SEG_DATA;
			continue;
		}
		item.end = pos;
		if (whole(q, pos, &item, durable) && item.at == pos)
			return pos;
		hashed += item.end - pos; /* 0 for nearly all: no head */
		pos += 8;
	}
	return q->s.tail;
}

/* Makes [from, to) a row of PAD records, about one a segment; segments that are missing are put in. */
static int
pad(struct queue *q, uint64_t from, uint64_t to)
{
	while (from < to) {
		uint64_t end = (q_index(from) + 1) * Q_SEG_DATA, offset, room;
		struct q_record r = { .state = seal(Q_PAD) };
		struct q_segment head;
		int rc = q_locate(q, &q->s, from, &offset, &room);

		end = end < to ? end : to;
		/* Behind a segment's start what is too short for a head belongs to the PAD before it. */
		if (to - end < sizeof(r))
			end = to;
		if (rc && from % Q_SEG_DATA == 0) {
			rc = q_segment_open(q, q_index(from), 0, &offset, &head);
			if (!rc)
				rc = q_write(q, offset, &head, sizeof(head));
			offset += sizeof(head);
		}
		if (rc)
			return rc;
		if (end - from >= sizeof(r)) {
			r.length = (uint32_t)(end - from - sizeof(r));
			rc = q_write(q, offset, &r, sizeof(r));
		}
		if (rc)
			return rc;
		from = end;
	}
	return 0;
}

/* The file may be shorter than when head moved into its last segment: nothing is there up to the next one. */
static void
skip_missing_head(struct queue *q, uint64_t durable)
{
	struct q_state *s = &q->s;
	uint64_t offset, room;

	if (s->head < durable || s->head % Q_SEG_DATA == 0 || !q_locate(q, s, s->head, &offset, &room))
		return;
	s->lost += s->head < s->tail;
	q->given_up += s->head < s->tail;
	s->head = (q_index(s->head) + 1) * Q_SEG_DATA;
	if (s->tail < s->head)
		s->tail = s->head;
}

/* Counts the items and closes the gaps. */
static int
walk(struct queue *q, uint64_t durable)
{
	struct q_state *s = &q->s;
	struct q_item item;
	uint64_t pos, next;
	int rc = 0;

	skip_missing_head(q, durable);
	pos = s->head;
	s->ready = s->bytes = 0;
	while (!rc && pos < s->tail) {
		if (whole(q, pos, &item, durable)) {
			if (item.kind == Q_ITEM) {
				s->ready++;
				s->bytes += item.length;
			}
			if (item.id >= s->next_id)
				s->next_id = item.id + 1;
			pos = item.end;
			continue;
		}
		next = resync(q, q_head_at(pos) + sizeof(struct q_record), durable);
		if (pos >= durable) {
			s->lost++;
			q->given_up++;
			if (next == s->tail)
				s->tail = next = pos;
			else
				rc = pad(q, q_head_at(pos), next);
		}
		pos = next;
	}
	return rc;
}

int
q_recover(struct queue *q)
{
	struct q_state *s = &q->s;
	uint64_t durable, items, tail = s->tail;
	int rc = q_map(q);

	if (rc)
		return rc;
	if (!unseal(word_at(q, offsetof(struct q_file, durable_tail)), &durable))
		durable = 0;
	q->seen_offset = 0;
	rc = rebuild_tables(q);
	if (!rc)
		rc = walk(q, durable);
	/* What lay behind a tail that came down is free. */
	if (!rc && s->tail != tail)
		rc = rebuild_tables(q);
	q->seen_offset = 0; /* segments may have changed hands */
	if (rc)
		return rc;
	items = s->ready;
	s->next = s->head;
	s->taken = 0;
	memset(s->consumers, 0, sizeof(s->consumers));
	if (s->pushed < items)
		s->pushed = items;
	s->era_tail = s->tail;
	rc = q_commit(q);
	if (rc)
		return rc;
	/* What was found is from now on what was promised; without it the next boot would read everything again. */
	return q_sync(q);
}
