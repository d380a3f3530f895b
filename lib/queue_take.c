/*
 * Handing out and marking done.
 *
 * [head, next) is made of ranges in consumer places (TAKEN, or RETURNED: ready again) and of items that have left;
 * [next, tail) was never handed out. Taking moves `next`; finishing moves head when the range was
 * the oldest, else marks its records DONE, so that also after a reboot, when all places are void, they do not
 * come back.
 *
 * Crash states: a place and next change in one commit. A consumer killed at any point between holds the OFD lock of
 * its place no longer: the next taker returns its range. Killed between write(2) and finish: the items come
 * again, with the same ids. Killed among the DONE marks: the range is returned without those marked.
 */
#include "queue.h"
#include "lock.h"
#include "seal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define KIND_SHIFT Q_POS_BITS
#define TO_MASK ((UINT64_C(1) << Q_POS_BITS) - 1)

static bool
in_use(const struct q_state *s, unsigned i)
{
	return s->consumers[i / 64] >> i % 64 & 1;
}

static void
set_use(struct q_state *s, unsigned i, bool on)
{
	uint64_t bit = UINT64_C(1) << i % 64;

	if (on)
		s->consumers[i / 64] |= bit;
	else
		s->consumers[i / 64] &= ~bit;
}

/* The first place in use from i on, Q_CONSUMERS: none. */
static unsigned
next_use(const struct q_state *s, unsigned i)
{
	while (i < Q_CONSUMERS) {
		uint64_t rest = s->consumers[i / 64] >> i % 64;

		if (rest)
			return i + (unsigned)__builtin_ctzll(rest);
		i = (i / 64 + 1) * 64;
	}
	return Q_CONSUMERS;
}

static uint64_t
place_at(unsigned i)
{
	return Q_CONSUMERS_AT + i * sizeof(struct q_consumer);
}

int
q_place(struct queue *q, const struct q_state *s, unsigned i, struct q_consumer *c, unsigned *kind)
{
	struct q_consumer raw;
	int rc;

	*kind = 0;
	if (!in_use(s, i))
		return 0;
	rc = q_read(q, place_at(i), &raw, sizeof(raw));
	if (rc)
		return rc;
	/* A commit whose redo words are not stored yet: they count. */
	for (uint64_t r = 0; r < s->redo_count; r++)
		if (s->redo[r].offset >= place_at(i) && s->redo[r].offset < place_at(i + 1))
			memcpy((char *)&raw + (s->redo[r].offset - place_at(i)), &s->redo[r].word, 8);
	if (!unseal(raw.from, &c->from) || !unseal(raw.to, &c->to) || !unseal(raw.items, &c->items) ||
	    !unseal(raw.bytes, &c->bytes))
		return err_damaged(&q->at, place_at(i), "consumer place");
	*kind = (unsigned)(c->to >> KIND_SHIFT);
	c->to &= TO_MASK;
	if ((*kind != Q_RANGE_TAKEN && *kind != Q_RANGE_RETURNED) || c->from < s->head || c->from > c->to ||
	    c->to > s->next)
		return err_damaged(&q->at, place_at(i), "consumer place: not a range of the queue");
	return 0;
}

static void
redo_to(struct queue *q, unsigned i, uint64_t to, unsigned kind)
{
	q_redo(q, place_at(i) + offsetof(struct q_consumer, to), seal(to | (uint64_t)kind << KIND_SHIFT));
}

static void
redo_from(struct queue *q, unsigned i, uint64_t from)
{
	q_redo(q, place_at(i) + offsetof(struct q_consumer, from), seal(from));
}

/* Items of [from, to) that have not left; stops before the item that would pass a limit. */
static int
measure(struct queue *q, uint64_t from, uint64_t to, uint64_t max_items, uint64_t max_bytes, struct q_range *r)
{
	struct q_item item;
	int rc;

	*r = (struct q_range){ .from = from, .to = from };
	while (r->to < to) {
		rc = q_record(q, &q->s, r->to, to, &item);
		if (rc)
			/* What lies before the damage can be had. */
			return r->items ? 0 : rc;
		if (item.kind == Q_ITEM) {
			if (r->items == max_items || (r->items && r->bytes + item.length > max_bytes))
				break;
			r->items++;
			r->bytes += item.length;
		}
		r->to = item.end;
	}
	return 0;
}

/* RETURNED ranges that reach up to `next` are simply not handed out any more. */
static int
lower_next(struct queue *q)
{
	struct q_consumer c;
	unsigned kind;
	int rc;

	for (unsigned i = next_use(&q->s, 0); i < Q_CONSUMERS; i = next_use(&q->s, i + 1)) {
		rc = q_place(q, &q->s, i, &c, &kind);
		if (rc)
			return rc;
		if (kind == Q_RANGE_RETURNED && c.to == q->s.next) {
			q->s.next = c.from;
			set_use(&q->s, i, false);
			i = UINT_MAX; /* i + 1 is 0: another may reach up to here */
		}
	}
	return 0;
}

/* Place i's items [from, its end) are ready again; those before `from` have left. *any: there were such items. */
static int
give_back(struct queue *q, unsigned i, const struct q_consumer *c, uint64_t from, bool *any)
{
	struct q_range left;
	int rc = measure(q, from, c->to, UINT64_MAX, UINT64_MAX, &left);

	if (rc)
		return rc;
	if (left.items > c->items || left.bytes > c->bytes || c->items > q->s.taken)
		return err_damaged(&q->at, place_at(i), "consumer place: counts");
	q->s.taken -= c->items;
	q->s.ready += left.items;
	q->s.bytes -= c->bytes - left.bytes;
	*any = left.items;
	if (!left.items)
		set_use(&q->s, i, false);
	else if (c->to == q->s.next) {
		q->s.next = from;
		set_use(&q->s, i, false);
		return lower_next(q);
	} else {
		redo_from(q, i, from);
		redo_to(q, i, c->to, Q_RANGE_RETURNED);
	}
	return 0;
}

int
q_reap(struct queue *q)
{
	struct q_consumer c;
	unsigned kind;
	bool any;
	int rc;

	for (unsigned i = next_use(&q->s, 0); i < Q_CONSUMERS; i = next_use(&q->s, i + 1)) {
		rc = q_place(q, &q->s, i, &c, &kind);
		if (rc)
			return rc;
		if (kind != Q_RANGE_TAKEN || (int)i == q->place)
			continue;
		rc = lock_take(q->m.fd, LOCK_CONSUMER + i, true, 0);
		if (rc == -ERR_LOCKED)
			continue; /* alive */
		if (rc)
			return rc;
		rc = give_back(q, i, &c, c.from, &any);
		if (!rc)
			rc = q_commit(q);
		lock_drop(q->m.fd, LOCK_CONSUMER + i);
		if (rc)
			return rc;
	}
	return 0;
}

/* A place that nobody uses, and its byte locked; kept for as long as the queue is open. */
static int
claim_place(struct queue *q)
{
	int rc;

	if (q->place >= 0 && !in_use(&q->s, (unsigned)q->place))
		return 0;
	/* Ours still holds what we gave back: that stays there until somebody takes it, and needs no living owner. */
	if (q->place >= 0)
		lock_drop(q->m.fd, LOCK_CONSUMER + (unsigned)q->place);
	q->place = -1;
	for (unsigned i = 0; i < Q_CONSUMERS; i++) {
		if (in_use(&q->s, i))
			continue;
		rc = lock_take(q->m.fd, LOCK_CONSUMER + i, true, 0);
		if (!rc)
			q->place = (int)i;
		if (rc != -ERR_LOCKED)
			return rc;
	}
	return -ERR_BUSY;
}

/* The oldest RETURNED range, -1: none. */
static int
oldest_returned(struct queue *q, int *which, struct q_consumer *best)
{
	struct q_consumer c;
	unsigned kind;
	int rc;

	*which = -1;
	for (unsigned i = next_use(&q->s, 0); i < Q_CONSUMERS; i = next_use(&q->s, i + 1)) {
		rc = q_place(q, &q->s, i, &c, &kind);
		if (rc)
			return rc;
		if (kind == Q_RANGE_RETURNED && (*which < 0 || c.from < best->from)) {
			*best = c;
			*which = (int)i;
		}
	}
	return 0;
}

/* Chooses the items and moves what they are taken from. */
static int
choose(struct queue *q, uint64_t max_items, uint64_t max_bytes, struct q_range *r)
{
	struct q_consumer c;
	int which, rc;

	for (;;) {
		rc = oldest_returned(q, &which, &c);
		if (rc)
			return rc;
		if (which < 0)
			break;
		rc = measure(q, c.from, c.to, max_items, max_bytes, r);
		if (rc)
			return rc;
		if (r->to == c.to)
			set_use(&q->s, (unsigned)which, false);
		else
			redo_from(q, (unsigned)which, r->to);
		if (r->items)
			return 0;
	}
	rc = measure(q, q->s.next, q->s.tail, max_items, max_bytes, r);
	if (!rc)
		q->s.next = r->to;
	return rc;
}

/* Where the oldest range of another place begins; `next` where there is none. */
static int
oldest_other(struct queue *q, unsigned mine, uint64_t *from)
{
	struct q_consumer c;
	unsigned kind;
	int rc;

	*from = q->s.next;
	for (unsigned i = next_use(&q->s, 0); i < Q_CONSUMERS; i = next_use(&q->s, i + 1)) {
		if (i == mine)
			continue;
		rc = q_place(q, &q->s, i, &c, &kind);
		if (rc)
			return rc;
		if (kind && c.from < *from)
			*from = c.from;
	}
	return 0;
}

/*
 * The oldest ready item leaves without having been handed out. Two redo words at most: where it lies among items that
 * others hold, its DONE mark goes in with the commit, so that the counts and the mark never differ.
 */
int
q_drop_oldest(struct queue *q)
{
	uint64_t oldest, word;
	struct q_item item;
	struct q_range r;
	int rc = q->s.ready ? choose(q, 1, UINT64_MAX, &r) : -ERR_FULL;

	if (rc)
		return rc;
	if (!r.items)
		return err_damaged(&q->at, offsetof(struct q_file, state), "state: number of ready items");
	q->s.ready--;
	q->s.bytes -= r.bytes;
	rc = oldest_other(q, Q_CONSUMERS, &oldest);
	if (rc)
		return rc;
	if (r.from < oldest) {
		rc = q_free_until(q, oldest);
		q->s.head = oldest;
		return rc;
	}
	do
		rc = q_record(q, &q->s, r.from, r.to, &item);
	while (!rc && item.kind != Q_ITEM && (r.from = item.end) < r.to);
	word = seal(Q_DONE | (uint64_t)item.attempts << 4);
	if (!rc)
		q_redo(q, item.offset, word);
	return rc;
}

int
q_take(struct queue *q, uint64_t max_items, uint64_t max_bytes, struct q_range *r)
{
	unsigned i;
	int rc = max_items > 1 ? q_map(q) : 0;

	if (!rc)
		rc = q_lock(q);
	if (rc)
		return rc;
	rc = q_reap(q);
	*r = (struct q_range){ 0 };
	if (rc || !q->s.ready)
		goto out;
	rc = claim_place(q);
	if (!rc)
		rc = choose(q, max_items, max_bytes, r);
	if (rc)
		goto out;
	if (!r->items || r->items > q->s.ready) {
		rc = err_damaged(&q->at, offsetof(struct q_file, state), "state: number of ready items");
		goto out;
	}
	i = (unsigned)q->place;
	set_use(&q->s, i, true);
	redo_from(q, i, r->from);
	redo_to(q, i, r->to, Q_RANGE_TAKEN);
	q_redo(q, place_at(i) + offsetof(struct q_consumer, items), seal(r->items));
	q_redo(q, place_at(i) + offsetof(struct q_consumer, bytes), seal(r->bytes));
	q->s.ready -= r->items;
	q->s.taken += r->items;
	rc = q_commit(q);
out:
	q_unlock(q);
	return rc;
}

/* Marks the records of [from, to) DONE, for a time when the places are void. */
static int
mark_done(struct queue *q, uint64_t from, uint64_t to)
{
	struct q_item item;
	int rc = 0;

	for (; !rc && from < to; from = item.end) {
		uint64_t word;

		rc = q_record(q, &q->s, from, to, &item);
		if (rc || item.kind != Q_ITEM)
			continue;
		word = seal(Q_DONE | (uint64_t)item.attempts << 4);
		rc = q_write(q, item.offset, &word, sizeof(word));
	}
	return rc;
}

static int
leave(struct queue *q, const struct q_consumer *c, uint64_t done)
{
	unsigned i = (unsigned)q->place;
	uint64_t oldest, head;
	bool any;
	int rc = oldest_other(q, i, &oldest);

	if (rc)
		return rc;
	if (c->from > oldest) {
		rc = mark_done(q, c->from, done);
		return rc ? rc : give_back(q, i, c, done, &any);
	}
	rc = give_back(q, i, c, done, &any);
	if (rc)
		return rc;
	/* Up to the next range everything has left, where nothing of this one came back. */
	head = any ? done : oldest;
	rc = q_free_until(q, head);
	q->s.head = head;
	return rc;
}

int
q_finish(struct queue *q, const struct q_range *r, uint64_t done)
{
	struct q_consumer c;
	unsigned kind;
	int rc = q_lock(q);

	if (rc)
		return rc;
	rc = q_place(q, &q->s, (unsigned)q->place, &c, &kind);
	if (!rc && (kind != Q_RANGE_TAKEN || c.from != r->from || c.to != r->to || done < c.from || done > c.to))
		rc = err_damaged(&q->at, place_at((unsigned)q->place), "consumer place: not what was taken");
	if (!rc)
		rc = leave(q, &c, done);
	if (!rc)
		rc = q_commit(q);
	q_unlock(q);
	if (!rc)
		q_wake(q, offsetof(struct q_file, wake_space));
	return rc;
}
