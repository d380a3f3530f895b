/* Records: decoding with every limit checked, hashing, and the payload in contiguous pieces. */
#include "queue.h"
#include "queue_record.h"
#include "hash.h"
#include "seal.h"
#include "seam.h"

#include <errno.h>
#include <string.h>

uint64_t
q_item_time(const struct q_item *item)
{
	return (item->stamp & UINT32_MAX) * 1000 + (item->stamp >> 32 & UINT16_MAX);
}

/* Takes the four words of a head apart; size is all that the record needs. */
static inline int
decode(struct queue *q, const uint64_t words[4], uint64_t pos, uint64_t limit, struct q_item *item)
{
	uint64_t state, ext = words[2] >> 56 << 3;
	uint64_t size = sizeof(struct q_record) + ext + q_round8(words[3] & UINT32_MAX);

	if (__builtin_expect(!unseal(words[0], &state), 0))
		return err_damaged(&q->at, item->offset, "record: state word");
	if (__builtin_expect(pos > limit || size > limit - pos, 0))
		return err_damaged(&q->at, item->offset, "record: runs past the end of the queue");
	item->at = pos;
	item->end = pos + size;
	item->payload = pos + sizeof(struct q_record) + ext;
	item->id = words[1];
	item->stamp = words[2];
	item->length = (uint32_t)words[3];
	item->check = (uint32_t)(words[3] >> 32);
	item->kind = state & 15;
	item->attempts = (unsigned)(state >> 4 & 0xffff);
	if (__builtin_expect(item->kind < Q_ITEM || item->kind > Q_PAD, 0))
		return err_damaged(&q->at, item->offset, "record: kind");
	item->one_piece = size <= Q_SEG_DATA - (pos - q->seen_start);
	return 0;
}

/* A record in a segment that is not the one seen last, or in a file that is not mapped. */
static __attribute__((noinline)) int
record_elsewhere(struct queue *q, const struct q_state *s, uint64_t pos, uint64_t limit, struct q_item *item)
{
	uint64_t words[4], room;
	int rc;

	pos = q_head_at(pos);
	rc = q_locate(q, s, pos, &item->offset, &room);
	if (!rc)
		rc = q_read(q, item->offset, words, sizeof(words));
	return rc ? rc : decode(q, words, pos, limit, item);
}

int
q_record(struct queue *q, const struct q_state *s, uint64_t pos, uint64_t limit, struct q_item *item)
{
	uint64_t words[4];

	/* Wraps, and so is large, where pos lies before the segment; a head that begins in it ends in it. */
	if (!q->m.base || !q->seen_offset || pos - q->seen_start > Q_SEG_DATA - sizeof(struct q_record))
		return record_elsewhere(q, s, pos, limit, item);
	item->offset = q->seen_offset + (pos - q->seen_start);
	/* One copy of the head; all that follows looks at the copy. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	memcpy(words, q->m.base + item->offset, sizeof(words));
	return decode(q, words, pos, limit, item);
}

/* q_record_check() of the bytes [from, to) of position space, wherever they lie. */
static int
check_range(struct queue *q, const struct q_state *s, uint64_t seed, uint64_t from, uint64_t to, uint32_t *check)
{
	uint64_t offset, room;
	XXH3_state_t x = { .seed = 0 }; /* reset looks at the seed before it sets it */
	int rc = q_map(q);

	if (rc)
		return rc;
	XXH3_64bits_reset_withSeed(&x, seed);
	while (from < to) {
		rc = q_locate(q, s, from, &offset, &room);
		if (rc)
			return rc;
		room = room < to - from ? room : to - from;
		XXH3_64bits_update(&x, q->m.base + offset, room);
		from += room;
	}
	*check = (uint32_t)XXH3_64bits_digest(&x);
	return 0;
}

int
q_verify(struct queue *q, const struct q_state *s, struct q_item *item)
{
	uint64_t from = item->at + sizeof(struct q_record), n = item->payload + item->length - from;
	uint64_t seed = q_record_seed(item->at, item->id, item->stamp, item->length);
	uint32_t check;
	int rc;

	item->body = NULL;
	if (item->one_piece && q->m.base) {
		item->body = q->m.base + item->offset + sizeof(struct q_record);
	} else if (item->one_piece && n <= sizeof(q->small)) {
		rc = q_read(q, item->offset + sizeof(struct q_record), q->small, n);
		if (rc)
			return rc;
		item->body = q->small;
	}
	if (item->body)
		check = q_record_check(seed, item->body, n);
	else if ((rc = check_range(q, s, seed, from, from + n, &check)))
		return rc;
	if (SEAM("record-check", item->check != check, 0))
		return err_damaged(&q->at, item->offset, "record: checksum does not match");
	return 0;
}

/* At most max bytes from position pos on, to the end of its segment. */
int
q_piece(struct queue *q, const struct q_state *s, uint64_t pos, uint64_t max, const void **p, uint64_t *n)
{
	uint64_t offset, room;
	int rc = q_map(q);

	if (!rc)
		rc = q_locate(q, s, pos, &offset, &room);
	if (rc)
		return rc;
	*p = q->m.base + offset;
	*n = room < max ? room : max;
	return 0;
}

size_t
q_copy_items(struct queue *q, uint64_t *at, uint64_t to, unsigned flags, char end, char *dst, size_t room)
{
	uint64_t words[4], size;
	const uint8_t *p;
	size_t used = 0;

	while (*at < to && (p = q_quick_head(q, *at, to, words, &size))) {
		uint32_t n = (uint32_t)words[3];
		size_t ext = words[2] >> 56 << 3;

		p += sizeof(struct q_record);
		if (!(words[2] >> 48 & flags) || room - used <= n ||
		    words[3] >> 32 != q_record_check(q_record_seed(*at, words[1], words[2], n), p, ext + n))
			break;
		memcpy(dst + used, p + ext, n);
		dst[used + n] = end;
		used += n + 1;
		*at += size;
	}
	return used;
}
