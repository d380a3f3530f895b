/*
 * The state block and its lock.
 *
 * Commit: the new state is built in q->s, hashed, and copied over the older of the two blocks. Killed during the copy:
 * its hash does not match, the other block stands. Killed after it: the new state stands, and whoever takes the
 * lock next stores its redo words (again); they are idempotent, and nothing else was committed meanwhile
 * because the lock was held. Power cut: each block is one sector, so the newest valid one is a
 * state that existed; what it refers to is checked by q_recover().
 */
#include "queue.h"
#include "hash.h"
#include "instance.h"
#include "lock.h"
#include "seal.h"

#include <errno.h>
#include <string.h>

#define POS_MAX (UINT64_C(1) << Q_POS_BITS)

struct q_file *
q_file(const struct queue *q)
{
	return (struct q_file *)(void *)q->m.base;
}

uint64_t
q_items(const struct q_state *s)
{
	return s->ready + s->taken + s->leased + s->delayed + s->moving;
}

static uint64_t
state_hash(const struct q_state *s)
{
	return hash64((const char *)s + sizeof(s->check), sizeof(*s) - sizeof(s->check), 0);
}

/* Nothing is trusted because its hash is right: every field that leads somewhere is limited here. */
static const char *
implausible(const struct q_state *s)
{
	uint64_t segments = s->capacity >> Q_SEG_SHIFT;

	if (s->head > s->next || s->next > s->tail || s->tail >= POS_MAX)
		return "state: head, next and tail are out of order";
	if (s->capacity & (Q_SEG_SIZE - 1) || segments < 1 || segments > UINT32_MAX)
		return "state: capacity";
	if (s->table_log2 < Q_TABLE_LOG2 || s->table_log2 > 32 || segments > UINT64_C(1) << s->table_log2)
		return "state: size of the segment table";
	if (s->table & 7 || s->table < Q_TABLE_AT || s->table >= s->capacity ||
	    (UINT64_C(8) << s->table_log2) > s->capacity - s->table)
		return "state: offset of the segment table";
	if (s->ring & 7 || s->ring < Q_TABLE_AT || s->ring >= s->capacity ||
	    (UINT64_C(8) << s->table_log2) > s->capacity - s->ring)
		return "state: offset of the free ring";
	if (s->free_head > s->free_tail || s->free_tail - s->free_head > segments)
		return "state: free ring";
	if (q_index(s->tail) - q_index(s->head) > segments)
		return "state: more segments in use than there are";
	if (s->redo_count > Q_REDO)
		return "state: number of redo words";
	for (uint64_t i = 0; i < s->redo_count; i++)
		if (s->redo[i].offset & 7 || s->redo[i].offset < Q_CONSUMERS_AT ||
		    s->redo[i].offset >= Q_CONSUMERS_AT + Q_CONSUMERS * sizeof(struct q_consumer))
			return "state: offset of a redo word";
	return NULL;
}

/* Copies a block that may be overwritten meanwhile; the hash decides whether the copy is whole. */
static bool
copy_block(const struct queue *q, unsigned which, struct q_state *s)
{
	const struct q_state *block = &q_file(q)->state[which];

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	memcpy(s, block, sizeof(*s));
	return s->seq && s->seq % 2 == which && s->check == state_hash(s);
}

int
q_load(struct queue *q, struct q_state *s)
{
	struct q_state other;
	const char *bad;
	bool have, have_other;
	int rc;

	/* Two commits between the copies can invalidate both: look again, but not for ever. */
	for (int tries = 0;; tries++) {
		have = copy_block(q, 0, s);
		have_other = copy_block(q, 1, &other);
		if (have || have_other)
			break;
		if (tries == 1000)
			return err_damaged(&q->at, offsetof(struct q_file, state), "both state blocks are invalid");
	}
	if (!have || (have_other && other.seq > s->seq))
		*s = other;
	bad = implausible(s);
	if (bad)
		return err_damaged(&q->at, offsetof(struct q_file, state) + s->seq % 2 * sizeof(*s), bad);
	if (s->capacity > q->m.size) {
		rc = map_refresh(&q->m);
		if (rc)
			return rc;
		if (s->capacity > q->m.size)
			return -ERR_TRUNCATED;
	}
	return 0;
}

void
q_redo(struct queue *q, uint64_t offset, uint64_t word)
{
	q->s.redo[q->s.redo_count++] = (struct q_redo){ offset, word };
}

static void
apply(struct queue *q)
{
	struct q_file *f = q_file(q);

	for (uint64_t i = 0; i < q->s.redo_count; i++)
		__atomic_store_n((uint64_t *)(void *)(q->m.base + q->s.redo[i].offset), q->s.redo[i].word,
		    __ATOMIC_RELAXED);
	/* Killed before this store: the next holder of the lock stores the same words again. */
	__atomic_store_n(&f->applied, q->s.seq, __ATOMIC_RELEASE);
}

void
q_commit(struct queue *q)
{
	struct q_file *f = q_file(q);

	q->s.seq++;
	q->s.check = state_hash(&q->s);
	/* Records and tables first: a lock-free reader that sees the block sees what it leads to. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	/* The publish. Killed within: hash mismatch, the state of seq - 1 stands. */
	memcpy(&f->state[q->s.seq % 2], &q->s, sizeof(q->s));
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (q->s.redo_count)
		apply(q);
	else
		__atomic_store_n(&f->applied, q->s.seq, __ATOMIC_RELEASE);
	q->s.redo_count = 0;
}

static bool
instance_known(const struct q_file *f, uint64_t id)
{
	for (unsigned i = 0; i < Q_INSTANCES; i++)
		if (__atomic_load_n(&f->instances[i], __ATOMIC_RELAXED) == id)
			return true;
	return false;
}

/* After the recovery: killed before the store it is made again, and finds all in order. */
static void
note_instance(struct q_file *f, uint64_t id)
{
	unsigned oldest = 0;

	while (oldest < Q_INSTANCES - 1 && f->instances[oldest])
		oldest++;
	if (f->instances[oldest])
		oldest = (unsigned)(id >> 32) % Q_INSTANCES;
	__atomic_store_n(&f->instances[oldest], id, __ATOMIC_RELEASE);
}

static int
settle(struct queue *q)
{
	uint64_t id;
	int rc;

	if (q->settled)
		return 0;
	rc = instance_id(q->m.fd, &id);
	if (!rc && !instance_known(q_file(q), id)) {
		rc = q_recover(q);
		if (!rc)
			note_instance(q_file(q), id);
	}
	q->settled = !rc;
	return rc;
}

/*
 * The header says more than the file has. After a power cut the size may be older than the header page: then what lay
 * behind was never promised, or walk() in q_recover() finds it missing. In a known instance it is damage.
 */
static int
shorten(struct queue *q)
{
	uint64_t id, end = q->s.table > q->s.ring ? q->s.table : q->s.ring;
	int rc = q->settled ? -ERR_TRUNCATED : instance_id(q->m.fd, &id);

	if (rc)
		return rc;
	q->s.capacity = q->m.size & ~(Q_SEG_SIZE - 1);
	if (instance_known(q_file(q), id) || end + (UINT64_C(8) << q->s.table_log2) > q->s.capacity)
		return -ERR_TRUNCATED;
	return 0;
}

int
q_lock(struct queue *q)
{
	int rc = lock_take(q->m.fd, LOCK_MAIN, true, q->lock_timeout);

	if (rc)
		return rc;
	rc = map_current(&q->m);
	if (!rc)
		rc = map_ready(&q->m, 0, Q_TABLE_AT); /* the header page and the consumer places */
	if (!rc)
		rc = q_load(q, &q->s);
	if (rc == -ERR_TRUNCATED)
		rc = shorten(q);
	else if (!rc && __atomic_load_n(&q_file(q)->applied, __ATOMIC_ACQUIRE) != q->s.seq)
		apply(q);
	q->s.redo_count = 0;
	if (!rc)
		rc = settle(q);
	if (rc)
		q_unlock(q);
	return rc;
}

void
q_unlock(struct queue *q)
{
	lock_drop(q->m.fd, LOCK_MAIN);
}
