/*
 * Appending. Bytes go to the file by pwrite(2) from a buffer of one segment, not through the mapping: a store to a
 * page that was never touched costs a fault (2.2 GB/s against 5.0, design measurement), and a full copy-on-write disk answers
 * with ENOSPC instead of a signal. pwrite is coherent with the mapping of every reader.
 *
 * Crash states: killed anywhere before q_commit() in q_push_end(): the bytes lie beyond tail, nobody looks there, the
 * next writer overwrites them. Power cut: the state block may be newer than the records; q_recover()
 * finds by their check which of them are whole.
 */
#include "queue.h"
#include "queue_record.h"
#include "hash.h"
#include "seal.h"
#include "seam.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DIRECT_MIN (16 * 1024) /* larger pieces are written from where they are */

static int
flush(struct q_writer *w)
{
	int rc = w->used ? map_pwrite(&w->q->m, w->buf, w->used, w->file_at) : 0;

	if (rc)
		return rc; /* the bytes stay: q_push_end() must not commit without them */
	w->file_at += w->used;
	w->used = 0;
	return 0;
}

/* pos stands at the first byte of a segment: find one and go on there. */
static int
next_segment(struct q_writer *w)
{
	/* Where the first record that begins in it does: this one, or the one behind it. */
	uint64_t first = w->pos == w->record_at ? 0 : w->record_end - w->pos, offset;
	struct q_segment head;
	int rc = flush(w);

	if (!w->has_good) {
		w->good = w->q->s;
		w->has_good = true;
	}
	if (!rc)
		rc = q_segment_open(w->q, q_index(w->pos), first < Q_SEG_DATA ? first : Q_SEG_DATA, &offset,
		    &head);
	if (rc)
		return rc;
	w->file_at = offset;
	memcpy(w->buf, &head, sizeof(head));
	w->used = sizeof(head);
	return 0;
}

static int
put(struct q_writer *w, const void *p, uint64_t n)
{
	const char *at = p;
	int rc;

	while (n) {
		uint64_t room = Q_SEG_DATA - w->pos % Q_SEG_DATA;
		size_t k = (size_t)(n < room ? n : room);

		if (room == Q_SEG_DATA && (rc = next_segment(w)))
			return rc;
		if (k >= DIRECT_MIN) {
			rc = flush(w);
			if (!rc)
				rc = map_pwrite(&w->q->m, at, k, w->file_at);
			if (rc)
				return rc;
			w->file_at += k;
		} else {
			/* The buffer holds one segment with its head, so it never overflows. */
			memcpy(w->buf + w->used, at, k);
			w->used += k;
		}
		at += k;
		w->pos += k;
		n -= k;
	}
	return 0;
}

/* A record's head does not cross a segment's end. */
static int
skip_to_head(struct q_writer *w)
{
	uint64_t to = q_head_at(w->pos);
	int rc = to == w->pos ? 0 : flush(w);

	w->pos = to;
	return rc;
}

int
q_push_begin(struct queue *q, struct q_writer *w, unsigned flags)
{
	uint64_t offset = 0, room;
	struct timespec now;
	int rc = q_lock(q);

	if (rc)
		return rc;
	w->q = q;
	w->used = 0;
	w->pos = q->s.tail;
	w->record_at = w->record_end = w->pos;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	w->stamp = q_stamp((uint32_t)now.tv_sec, (uint16_t)(now.tv_nsec / 1000000), (uint8_t)flags, 0);
	if (w->pos % Q_SEG_DATA) {
		rc = q_locate(q, &q->s, w->pos, &offset, &room);
		if (rc)
			q_unlock(q);
	}
	w->file_at = offset;
	return rc;
}

/* Does an item of n bytes fit the limits now? */
static bool
fits(const struct q_state *s, uint64_t n)
{
	return (!s->max_items || q_items(s) < s->max_items) && (!s->max_bytes || s->bytes + n <= s->max_bytes);
}

/*
 * Drops the oldest until it fits. What is in the buffer goes to the file first: it may be what is dropped. When the redo
 * words run out the state is committed as it is, whole in itself: the items before this one are then in. So also when a
 * segment was drained: the committed state still leads there, and this push may be what uses it again.
 */
static int
make_room(struct q_writer *w, uint64_t n)
{
	struct queue *q = w->q;
	uint64_t drained = q->s.free_tail;
	struct q_state before;
	int rc = flush(w);

	while (!rc && !fits(&q->s, n)) {
		if (q->s.redo_count + 2 > Q_REDO)
			rc = q_commit(q);
		before = q->s;
		if (!rc && (rc = q_drop_oldest(q)))
			q->s = before; /* half a drop is none */
	}
	return rc || q->s.free_tail == drained ? rc : q_commit(q);
}

static int
admit(struct q_writer *w, uint64_t n)
{
	const struct q_state *s = &w->q->s;

	if (w->pos == UINT64_MAX)
		return -EINVAL; /* after a failed put */
	if (n > Q_ITEM_MAX || (s->max_bytes && n > s->max_bytes))
		return -ERR_TOO_BIG;
	/* Positions only grow, and a state beyond their last would be taken for damage: what is in can still be popped. */
	if (w->pos + n + 2 * Q_SEG_SIZE >= UINT64_C(1) << Q_POS_BITS)
		return -EFBIG;
	/* What a file of fixed size could hold if it were empty. */
	if (s->flags & Q_FIXED_SIZE && n + 2 * Q_SEG_SIZE > s->capacity &&
	    n + sizeof(struct q_record) > ((s->capacity >> Q_SEG_SHIFT) - 2) * Q_SEG_DATA)
		return -ERR_TOO_BIG;
	if (fits(s, n))
		return 0;
	return s->flags & Q_DROP_OLDEST ? make_room(w, n) : -ERR_FULL;
}

static uint64_t
seed_for(const struct q_writer *w, uint64_t pos, uint64_t n)
{
	return q_record_seed(pos, w->q->s.next_id, w->stamp, (uint32_t)n);
}

/* A record's head at p, in whole words: the compiler's byte stores would stall the copy that follows. */
static void
put_head(const struct q_writer *w, void *p, uint64_t n, uint32_t check)
{
	uint64_t words[4] = { seal(Q_ITEM), w->q->s.next_id, w->stamp, n | (uint64_t)check << 32 };

	memcpy(p, words, sizeof(words));
}

/* The item is written: it counts when q_push_end() commits. */
static void
count(struct q_writer *w, uint64_t n)
{
	struct q_state *s = &w->q->s;

	s->tail = w->pos;
	s->next_id++;
	s->ready++;
	s->pushed++;
	s->bytes += n;
}

/* Back to the last whole item: the segments that were opened since are free again. */
static int
fail(struct q_writer *w, int rc)
{
	if (w->has_good)
		w->q->s = w->good;
	w->q->seen_offset = 0; /* it may be one of these */
	w->pos = UINT64_MAX; /* no more puts: the buffer belongs to another place */
	return rc;
}

/* A small record that ends in the segment where it begins: nearly all. */
static void
put_whole(struct q_writer *w, const void *p, size_t n)
{
	uint8_t *at = w->buf + w->used;
	size_t size = sizeof(struct q_record) + (size_t)q_round8(n);

	memset(at + size - 8, 0, 8); /* the padding; what is no padding is written over */
	put_head(w, at, n, q_record_check(seed_for(w, w->pos, n), p, n));
	memcpy(at + sizeof(struct q_record), p, n);
	w->used += size;
	w->pos += size;
}

static int
put_pieces(struct q_writer *w, const void *p, uint64_t n)
{
	static const char zeros[8];
	struct q_record r;
	int rc;

	put_head(w, &r, n, q_record_check(seed_for(w, w->pos, n), p, n));
	rc = put(w, &r, sizeof(r));
	if (!rc)
		rc = put(w, p, n);
	return rc ? rc : put(w, zeros, q_round8(n) - n);
}

int
q_push_put(struct q_writer *w, const void *p, uint64_t n)
{
	uint64_t off;
	int rc = admit(w, n);

	if (rc)
		return rc;
	w->has_good = false;
	w->record_at = q_head_at(w->pos);
	w->record_end = w->record_at + sizeof(struct q_record) + q_round8(n);
	off = w->pos % Q_SEG_DATA;
	if (off && w->record_end - w->pos <= Q_SEG_DATA - off && n < DIRECT_MIN) {
		put_whole(w, p, (size_t)n);
	} else {
		rc = skip_to_head(w);
		if (!rc)
			rc = put_pieces(w, p, n);
		if (rc)
			return fail(w, rc);
	}
	count(w, n);
	return 0;
}

static int
copy_file(struct q_writer *w, int fd, uint64_t off, uint64_t n, uint64_t seed, uint32_t *check)
{
	static char chunk[64 * 1024];
	XXH3_state_t x = { .seed = 0 }; /* reset looks at the seed before it sets it */

	XXH3_64bits_reset_withSeed(&x, seed);
	while (n) {
		ssize_t got = pread(fd, chunk, n < sizeof(chunk) ? n : sizeof(chunk), (off_t)off);
		int rc;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EIO;
		XXH3_64bits_update(&x, chunk, (size_t)got);
		rc = put(w, chunk, (uint64_t)got);
		if (rc)
			return rc;
		off += (uint64_t)got;
		n -= (uint64_t)got;
	}
	*check = (uint32_t)XXH3_64bits_digest(&x);
	return 0;
}

/* The head goes in first as zeros, and again when the bytes were copied and their hash is known. */
int
q_push_file(struct q_writer *w, int fd, uint64_t off, uint64_t n)
{
	static const char zeros[sizeof(struct q_record)];
	uint64_t at, head_offset = 0, room;
	uint32_t check = 0;
	struct q_record r;
	int rc = admit(w, n);

	if (rc)
		return rc;
	w->has_good = false;
	at = q_head_at(w->pos);
	w->record_at = at;
	w->record_end = at + sizeof(r) + q_round8(n);
	rc = skip_to_head(w);
	if (!rc)
		rc = put(w, zeros, sizeof(r));
	if (!rc)
		rc = copy_file(w, fd, off, n, seed_for(w, at, n), &check);
	if (!rc)
		rc = put(w, zeros, q_round8(n) - n);
	if (!rc)
		rc = flush(w);
	if (!rc)
		rc = q_locate(w->q, &w->q->s, at, &head_offset, &room);
	if (!rc) {
		put_head(w, &r, n, check);
		rc = map_pwrite(&w->q->m, &r, sizeof(r), head_offset);
	}
	if (rc)
		return fail(w, rc);
	count(w, n);
	return 0;
}

int
q_push_end(struct q_writer *w)
{
	/* After a failed put the buffer may end with half an item: beyond tail, harmless. */
	int rc = SEAM("push-order", flush(w), q_commit(w->q) ? -EIO : flush(w));

	if (!rc)
		rc = q_commit(w->q);
	q_unlock(w->q);
	if (!rc)
		q_wake(w->q, offsetof(struct q_file, wake_items));
	return rc;
}

void
q_push_abandon(struct q_writer *w)
{
	w->q->seen_offset = 0; /* a segment that was opened for nothing */
	q_unlock(w->q);
}
