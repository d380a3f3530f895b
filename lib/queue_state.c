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
#include "seam.h"

#include <errno.h>
#include <string.h>

#define POS_MAX (UINT64_C(1) << Q_POS_BITS)

uint64_t
q_items(const struct q_state *s)
{
	return s->ready + s->taken + s->leased + s->delayed + s->moving;
}

uint64_t
q_state_check(const struct q_state *s)
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
		/* Consumer places and records' state words; never the header page. */
		if (s->redo[i].offset & 7 || s->redo[i].offset < Q_CONSUMERS_AT || s->redo[i].offset > s->capacity - 8)
			return "state: offset of a redo word";
	return NULL;
}

static bool
valid(const struct q_state *s, unsigned which)
{
	return s->seq && s->seq % 2 == which && SEAM("state-check", s->check == q_state_check(s), 1);
}

int
q_load(struct queue *q, struct q_state *s)
{
	struct q_state two[2];
	const char *bad;
	bool have[2];
	int rc;

	/* The copies may be overwritten meanwhile, and two commits can invalidate both: look again, but not for ever. */
	for (int tries = 0;; tries++) {
		rc = q_read(q, offsetof(struct q_file, state), two, sizeof(two));
		if (rc)
			return rc;
		have[0] = valid(&two[0], 0);
		have[1] = valid(&two[1], 1);
		if (have[0] || have[1])
			break;
		if (tries == 1000)
			return err_damaged(&q->at, offsetof(struct q_file, state), "both state blocks are invalid");
	}
	*s = two[have[1] && (!have[0] || two[1].seq > two[0].seq)];
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
	/* Somebody has made it longer than our range of addresses: a look there would be a SIGSEGV. */
	if (q->m.base && s->capacity > q->m.reserve)
		return -ENOMEM;
	return 0;
}

void
q_redo(struct queue *q, uint64_t offset, uint64_t word)
{
	q->s.redo[q->s.redo_count++] = (struct q_redo){ offset, word };
}

/* Stores the redo words of the newest commit; again, where somebody was killed doing it. */
static int
apply(struct queue *q)
{
	int rc = 0;

	for (uint64_t i = 0; !rc && i < q->s.redo_count; i++)
		rc = q_write(q, q->s.redo[i].offset, &q->s.redo[i].word, 8);
	/* Killed before this store: the next holder of the lock stores the same words again. */
	return rc ? rc : q_write(q, offsetof(struct q_file, applied), &q->s.seq, 8);
}

int
q_commit(struct queue *q)
{
	int rc;

	q->s.seq++;
	q->s.check = q_state_check(&q->s);
	/*
	 * The publish: records and tables were written before. Killed within, or a power cut that tears the sector: the hash
	 * does not match and the state of seq - 1 stands.
	 */
	rc = q_write(q, offsetof(struct q_file, state) + q->s.seq % 2 * sizeof(q->s), &q->s, sizeof(q->s));
	if (rc) {
		q->s.seq--; /* the next try must not go over the block that stands */
		return rc;
	}
	if (q->s.redo_count)
		rc = apply(q);
	/* Else they go with the next commit, if this holder of the lock makes one. */
	if (!rc)
		q->s.redo_count = 0;
	return rc;
}

/* Redo words that their writer was killed before storing. */
static int
finish_commit(struct queue *q)
{
	uint64_t applied;
	int rc;

	if (!q->s.redo_count)
		return 0;
	rc = q_read(q, offsetof(struct q_file, applied), &applied, sizeof(applied));
	if (!rc && SEAM("redo", applied != q->s.seq, 0))
		rc = apply(q);
	return rc;
}

/* Is this boot and mount known to the file? *slot: where it would be noted. */
static int
find_instance(struct queue *q, bool *known, unsigned *slot)
{
	uint64_t list[Q_INSTANCES];
	int rc = q->instance ? 0 : instance_id(q->m.fd, &q->instance);

	if (!rc)
		rc = q_read(q, offsetof(struct q_file, instances), list, sizeof(list));
	if (rc)
		return rc;
	*known = false;
	*slot = (unsigned)(q->instance >> 32) % Q_INSTANCES; /* all in use: any */
	for (unsigned i = Q_INSTANCES; i-- > 0;) {
		*known = *known || list[i] == q->instance;
		if (!list[i])
			*slot = i;
	}
	return 0;
}

/*
 * A new boot or mount: the file's pages may be of different ages. But a mount namespace (a container, unshare -m) gives
 * the same file system another mount id, and there a consumer may be at work: its open file has kept the file system
 * from being unmounted, and what it relied on was recovered before. Its place must not be voided under it.
 */
static int
settle(struct queue *q)
{
	static const uint64_t none[Q_INSTANCES];
	bool known, alive = false;
	unsigned slot;
	int rc = find_instance(q, &known, &slot);

	if (rc || known)
		return rc;
	rc = lock_any_held(q->m.fd, LOCK_CONSUMER, Q_CONSUMERS, &alive);
	if (!rc && !alive) {
		/* From here on no instance is known: killed halfway, whoever comes next recovers first, wherever it runs. */
		rc = q_write(q, offsetof(struct q_file, instances), none, sizeof(none));
		if (!rc)
			rc = SEAM("recover", q_recover(q), 0);
	}
	if (!rc)
		rc = q_write(q, offsetof(struct q_file, instances) + slot * sizeof(q->instance), &q->instance,
		    sizeof(q->instance));
	return rc;
}

/*
 * The header says more than the file has. After a power cut the size may be older than the header page: then what lay
 * behind was never promised, or walk() in q_recover() finds it missing. In a known instance it is damage, and in a
 * copy: no power cut makes a new inode.
 */
static int
shorten(struct queue *q)
{
	uint64_t inode, end = q->s.table > q->s.ring ? q->s.table : q->s.ring;
	unsigned slot;
	bool known;
	int rc = find_instance(q, &known, &slot);

	if (!rc)
		rc = q_read(q, offsetof(struct q_file, inode), &inode, sizeof(inode));
	if (rc)
		return rc;
	if (known || inode != q->m.ino)
		return -ERR_TRUNCATED;
	q->s.capacity = q->m.size & ~(Q_SEG_SIZE - 1);
	return end + (UINT64_C(8) << q->s.table_log2) > q->s.capacity ? -ERR_TRUNCATED : 0;
}

int
q_lock(struct queue *q)
{
	int rc = lock_take(q->m.fd, LOCK_MAIN, true, q->lock_timeout);

	if (rc)
		return rc;
	rc = map_current(&q->m);
	if (!rc)
		rc = q_load(q, &q->s);
	if (rc == -ERR_TRUNCATED)
		rc = shorten(q);
	else if (!rc)
		rc = finish_commit(q);
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
