/* Making, opening and flushing a queue. */
#include "queue.h"
#include "instance.h"
#include "lock.h"
#include "seal.h"
#include "seam.h"

#include <errno.h>
#include <string.h>

/* How a new file is divided. */
struct first {
	const struct q_config *config;
	uint64_t capacity;
	uint64_t table, ring, log2;
	uint64_t segment; /* the first that is free */
};

/* Tables for the segments asked for: in segment 0 where they fit, else behind it. */
static void
divide(struct first *f, uint64_t size)
{
	uint64_t segments = (size + Q_SEG_SIZE - 1) >> Q_SEG_SHIFT, least;

	/* Of fixed size: an item may lie across two segments, so with one an empty queue could still be full. */
	least = f->config->flags & Q_FIXED_SIZE ? 3 : 2;
	segments = segments < least ? least : segments;
	f->log2 = Q_TABLE_LOG2;
	f->table = Q_TABLE_AT;
	f->ring = Q_RING_AT;
	f->segment = 1;
	while (segments > UINT64_C(1) << f->log2)
		f->log2++;
	if (f->log2 > Q_TABLE_LOG2) {
		f->table = Q_SEG_SIZE;
		f->ring = f->table + (UINT64_C(8) << f->log2);
		f->segment += ((UINT64_C(16) << f->log2) + Q_SEG_SIZE - 1) >> Q_SEG_SHIFT;
	}
	f->capacity = segments << Q_SEG_SHIFT;
}

/* The free ring: all segments behind the tables. */
static int
fill_ring(struct map *m, const struct first *f)
{
	uint64_t words[512], at = f->ring;
	size_t n = 0;
	int rc = 0;

	for (uint64_t i = f->segment; !rc && i < f->capacity >> Q_SEG_SHIFT; i++) {
		words[n++] = seal(i);
		if (n < 512 && i + 1 < f->capacity >> Q_SEG_SHIFT)
			continue;
		rc = map_pwrite(m, words, n * 8, at);
		at += n * 8;
		n = 0;
	}
	return rc;
}

/* The whole of a new file but zeros. Nobody sees it before map_create() has synced and linked it. */
static int
fill(struct map *m, void *arg)
{
	const struct first *first = arg;
	struct q_file f = {
		.applied = 1,
		.durable_head = seal(0),
		.durable_tail = seal(0),
		.durable_seq = seal(1),
		.inode = m->ino,
		.state[1] = {
			.seq = 1,
			.next_id = 1,
			.capacity = first->capacity,
			.free_tail = (first->capacity >> Q_SEG_SHIFT) - first->segment,
			.table = first->table,
			.ring = first->ring,
			.table_log2 = first->log2,
			.max_items = first->config->max_items,
			.max_bytes = first->config->max_bytes,
			.flags = first->config->flags,
		},
	};
	struct q_state *s = &f.state[1];
	int rc = first->config->durable || first->config->flags & Q_SYNC ? map_can_sync(m) : 0;

	if (!rc)
		rc = hdr_init(&f.hdr, HDR_KIND_QUEUE, HDR_PAGE, Q_SEG_SHIFT);
	/* map_create() publishes on this mount, so this instance needs no recovery. */
	if (!rc)
		rc = instance_id(m->fd, &f.instances[0]);
	if (!rc)
		rc = fill_ring(m, first);
	s->check = q_state_check(s);
	return rc ? rc : map_pwrite(m, &f, sizeof(f), 0);
}

int
q_create(const char *path, mode_t mode, const struct q_config *config)
{
	struct first first = { .config = config };
	struct map m;
	int rc;

	if (config->size > UINT64_C(1) << 46)
		return -EFBIG;
	divide(&first, config->size);
	rc = map_create(&m, path, mode, first.capacity, fill, &first);
	if (!rc)
		map_close(&m);
	return rc;
}

int
q_open(struct queue *q, const char *path, bool writing, int64_t lock_timeout)
{
	struct q_state s;
	int rc;

	*q = (struct queue){ .lock_timeout = lock_timeout, .place = -1 };
	rc = map_open(&q->m, path, MAP_STORE | (writing ? MAP_RW : 0));
	if (rc)
		return rc;
	rc = hdr_read(&q->m, HDR_KIND_QUEUE, &q->h);
	q->at = q->m.at;
	if (!rc && (q->h.header_size != HDR_PAGE || q->h.param != Q_SEG_SHIFT))
		rc = err_damaged(&q->at, offsetof(struct hdr, header_size), "header size or segment size");
	if (!rc && q->m.size < Q_SEG_SIZE)
		rc = -ERR_TRUNCATED;
	if (!rc && !writing)
		rc = q_load(q, &s);
	if (rc)
		map_close(&q->m);
	return rc;
}

void
q_close(struct queue *q)
{
	map_close(&q->m);
}

struct marks {
	uint64_t head, tail, failed, seq; /* durable_head to durable_seq of struct q_file */
};
static_assert(offsetof(struct q_file, durable_seq) == offsetof(struct q_file, durable_head) + 24, "struct marks");

/* Under LOCK_SYNC. What is durable only ever grows, word by word: killed between two, the rest is noted next time. */
static int
note_durable(struct queue *q, const struct q_state *s, bool failed)
{
	struct marks m = { seal(s->head), seal(s->tail), 0, seal(s->seq) };
	uint64_t one = 1;

	if (failed)
		return q_write(q, offsetof(struct q_file, sync_failed), &one, sizeof(one));
	return q_write(q, offsetof(struct q_file, durable_head), &m, sizeof(m));
}

/*
 * Group commit: whoever has LOCK_SYNC flushes for all states committed before it looked; those who waited
 * for the lock find their commit below the mark and need no flush of their own. After a failed flush the kernel
 * takes the lost pages for clean, so every page is stored again before the next flush may count.
 */
int
q_sync(struct queue *q)
{
	uint64_t done;
	struct q_state s;
	struct marks m;
	int rc, noted;

	rc = lock_take(q->m.fd, LOCK_SYNC, true, q->lock_timeout);
	if (rc)
		return rc;
	rc = q_read(q, offsetof(struct q_file, durable_head), &m, sizeof(m));
	if (!rc && !m.failed && unseal(m.seq, &done) && done >= q->s.seq)
		goto out;
	if (!rc)
		rc = q_load(q, &s);
	if (!rc && m.failed)
		rc = q_map(q);
	if (rc)
		goto out;
	if (m.failed)
		map_redirty(&q->m, 0, s.capacity);
	rc = SEAM("queue-sync", map_sync(&q->m), 0);
	noted = note_durable(q, &s, rc != 0);
	if (!rc)
		rc = noted;
out:
	lock_drop(q->m.fd, LOCK_SYNC);
	return rc;
}
