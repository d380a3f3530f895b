/*
 * The full check: every structure against every other. Called with LOCK_MAIN held (shared is enough), changes nothing.
 */
#include "queue.h"
#include "seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct check {
	struct queue *q;
	struct q_state s;
	q_finding_fn *report;
	void *arg;
	uint8_t *seen; /* by segment: used once already */
	uint64_t ready, taken, bytes;
};

static void
found(struct check *k, uint64_t offset, const char *code, const char *message)
{
	k->report(k->arg, offset, code, message);
}

/* Marks a segment as used; reports one that is used twice. */
static void
use(struct check *k, uint64_t segment, uint64_t where)
{
	if (segment >= k->s.capacity >> Q_SEG_SHIFT || !segment)
		found(k, where, "segment-range", "names a segment outside the file");
	else if (k->seen[segment]++)
		found(k, where, "segment-twice", "names a segment that is in use elsewhere");
}

static void
check_segments(struct check *k)
{
	uint64_t offset, room, entry;

	for (uint64_t pos = q_index(k->s.head) * Q_SEG_DATA; pos < k->s.tail; pos += Q_SEG_DATA) {
		if (q_locate(k->q, &k->s, pos, &offset, &room))
			found(k, k->q->at.offset, "segment-table", k->q->at.what);
		else
			use(k, offset >> Q_SEG_SHIFT, q_table_slot(&k->s, q_index(pos)));
	}
	for (uint64_t i = k->s.free_head; i < k->s.free_tail; i++) {
		uint64_t slot = q_ring_slot(&k->s, i);

		if (!unseal(*(uint64_t *)(void *)(k->q->m.base + slot), &entry))
			found(k, slot, "free-ring", "damaged entry");
		else
			use(k, entry & UINT32_MAX, slot);
	}
}

/* Segments that nobody names: space that a kill left behind, no damage to any item. */
static uint64_t
leaked(const struct check *k)
{
	uint64_t n = 0;

	for (uint64_t p = 1; p < k->s.capacity >> Q_SEG_SHIFT; p++)
		n += !k->seen[p] && !q_holds_tables(&k->s, p);
	return n;
}

/* Items of one range, each with its checksum. */
static void
check_records(struct check *k, uint64_t from, uint64_t to, uint64_t *items)
{
	struct q_item item;
	uint64_t last = 0;

	while (from < to) {
		if (q_record(k->q, &k->s, from, to, &item)) {
			found(k, k->q->at.offset, "record", k->q->at.what);
			return; /* where the next one begins is not known */
		}
		if (item.kind != Q_PAD && q_verify(k->q, &k->s, &item))
			found(k, k->q->at.offset, "record-check", k->q->at.what);
		if (item.kind == Q_ITEM) {
			(*items)++;
			k->bytes += item.length;
			if (item.id >= k->s.next_id || item.id <= last)
				found(k, item.offset, "record-id", "id out of order");
			last = item.id;
		}
		from = item.end;
	}
}

static void
check_places(struct check *k)
{
	struct q_consumer c;
	unsigned kind;

	for (unsigned i = 0; i < Q_CONSUMERS; i++) {
		uint64_t items = 0;

		if (q_place(k->q, &k->s, i, &c, &kind)) {
			found(k, k->q->at.offset, "consumer", k->q->at.what);
			continue;
		}
		if (kind)
			check_records(k, c.from, c.to, &items);
		if (kind == Q_RANGE_TAKEN)
			k->taken += items;
		else
			k->ready += items;
	}
}

int
q_check(struct queue *q, q_finding_fn *report, void *arg)
{
	struct check k = { .q = q, .report = report, .arg = arg };
	uint64_t state_at;
	int rc = q_map(q);

	if (!rc)
		rc = q_load(q, &k.s);
	if (rc)
		return rc;
	k.seen = calloc(1, k.s.capacity >> Q_SEG_SHIFT);
	if (!k.seen)
		return -ENOMEM;
	state_at = offsetof(struct q_file, state) + k.s.seq % 2 * sizeof(k.s);
	check_segments(&k);
	check_places(&k);
	check_records(&k, k.s.next, k.s.tail, &k.ready);
	if (k.ready != k.s.ready)
		found(&k, state_at + offsetof(struct q_state, ready), "count", "number of ready items is wrong");
	/* A consumer that was killed among its DONE marks has fewer; the next taker counts again. */
	if (k.taken > k.s.taken)
		found(&k, state_at + offsetof(struct q_state, taken), "count", "number of taken items is wrong");
	if (k.taken == k.s.taken && k.bytes != k.s.bytes)
		found(&k, state_at + offsetof(struct q_state, bytes), "count", "number of bytes is wrong");
	if (leaked(&k))
		found(&k, state_at + offsetof(struct q_state, free_tail), "leak", "segments that nothing refers to");
	free(k.seen);
	return 0;
}
