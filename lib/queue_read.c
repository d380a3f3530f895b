/* Looking without a lock. */
#include "queue.h"
#include "lock.h"

#include <errno.h>
#include <stdlib.h>

static int
by_position(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
collect(struct queue *q, struct q_snapshot *snap)
{
	struct q_consumer c;
	unsigned kind;
	int rc;

	snap->n = 0;
	for (unsigned i = 0; i < Q_CONSUMERS; i++) {
		rc = q_place(q, &snap->s, i, &c, &kind);
		if (rc)
			return rc;
		if (kind == Q_RANGE_TAKEN && (int)i != q->place && !lock_held(q->m.fd, LOCK_CONSUMER + i)) {
			/* Its consumer died: the next taker will return it, so it counts as ready now. */
			snap->s.taken -= c.items < snap->s.taken ? c.items : snap->s.taken;
			snap->s.ready += c.items;
		} else if (kind != Q_RANGE_RETURNED)
			continue;
		snap->ready[snap->n].from = c.from;
		snap->ready[snap->n++].to = c.to;
	}
	qsort(snap->ready, snap->n, sizeof(snap->ready[0]), by_position);
	snap->ready[snap->n].from = snap->s.next;
	snap->ready[snap->n++].to = snap->s.tail;
	return 0;
}

/*
 * The places belong to the state if no commit came between; a damage that was seen while one did is a torn view. A
 * writer that commits without pause cannot hold a reader for ever: then the lock is worth asking for (75).
 */
int
q_snapshot(struct queue *q, struct q_snapshot *snap)
{
	struct q_state after;
	int rc, again;

	for (int tries = 0; tries < 10000; tries++) {
		rc = q_load(q, &snap->s);
		if (rc)
			return rc;
		rc = collect(q, snap);
		again = q_load(q, &after);
		if (again)
			return again;
		if (after.seq == snap->s.seq)
			return rc;
	}
	return -ERR_BUSY;
}
