/* Records: decoding with every limit checked, hashing, and the payload in contiguous pieces. */
#include "queue.h"
#include "queue_record.h"
#include "hash.h"
#include "seal.h"

#include <errno.h>
#include <string.h>

/* Bytes ahead: about what is hashed while a line comes from memory. Past the end of the file it does nothing. */
#define PREFETCH 1024

uint64_t
q_item_time(const struct q_item *item)
{
	return (item->stamp & UINT32_MAX) * 1000 + (item->stamp >> 32 & UINT16_MAX);
}

int
q_record(struct queue *q, const struct q_state *s, uint64_t pos, uint64_t limit, struct q_item *item)
{
	uint64_t words[4], offset, room, state, size, ext;
	int rc;

	rc = q_locate(q, s, pos, &offset, &room);
	if (!rc && room < sizeof(struct q_record)) {
		pos += room; /* q_head_at(pos), without a division */
		rc = q_locate(q, s, pos, &offset, &room);
	}
	if (rc)
		return rc;
	if (q->m.base)
		__builtin_prefetch(q->m.base + offset + PREFETCH);
	/* One copy of the head; all that follows looks at the copy. */
	rc = q_read(q, offset, words, sizeof(words));
	if (rc)
		return rc;
	if (!unseal(words[0], &state))
		return err_damaged(&q->at, offset, "record: state word");
	ext = words[2] >> 56 << 3;
	size = sizeof(struct q_record) + ext + q_round8(words[3] & UINT32_MAX);
	if (pos > limit || size > limit - pos)
		return err_damaged(&q->at, offset, "record: runs past the end of the queue");
	item->at = pos;
	item->end = pos + size;
	item->offset = offset;
	item->payload = pos + sizeof(struct q_record) + ext;
	item->id = words[1];
	item->stamp = words[2];
	item->length = (uint32_t)words[3];
	item->check = (uint32_t)(words[3] >> 32);
	item->kind = state & 15;
	item->attempts = (unsigned)(state >> 4 & 0xffff);
	item->one_piece = size <= room;
	if (item->kind < Q_ITEM || item->kind > Q_PAD)
		return err_damaged(&q->at, offset, "record: kind");
	return 0;
}

/* n bytes at offset, one piece of a segment: in the mapping, or read into the queue's own small buffer. */
static int
bytes_at(struct queue *q, uint64_t offset, uint64_t n, const uint8_t **p)
{
	int rc;

	if (!q->m.base && n <= sizeof(q->small)) {
		if (q->small_at != offset) {
			q->small_at = 0;
			rc = q_read(q, offset, q->small, n);
			if (rc)
				return rc;
			q->small_at = offset;
		}
		*p = q->small;
		return 0;
	}
	rc = q_map(q);
	*p = q->m.base + offset;
	return rc;
}

/* Hash of the bytes [from, to) of position space, wherever they lie. */
static int
hash_range(struct queue *q, const struct q_state *s, uint64_t from, uint64_t to, uint64_t *hash)
{
	uint64_t offset, room;
	XXH3_state_t x;
	int rc = q_map(q);

	if (rc)
		return rc;
	XXH3_64bits_reset(&x);
	while (from < to) {
		rc = q_locate(q, s, from, &offset, &room);
		if (rc)
			return rc;
		room = room < to - from ? room : to - from;
		XXH3_64bits_update(&x, q->m.base + offset, room);
		from += room;
	}
	*hash = XXH3_64bits_digest(&x);
	return 0;
}

int
q_verify(struct queue *q, const struct q_state *s, const struct q_item *item)
{
	uint64_t from = item->at + sizeof(struct q_record), to = item->payload + item->length, body;
	const uint8_t *p;
	int rc;

	if (item->one_piece) {
		q->small_at = 0;
		rc = bytes_at(q, item->offset + sizeof(struct q_record), to - from, &p);
		body = rc ? 0 : hash64(p, to - from, 0);
	} else
		rc = hash_range(q, s, from, to, &body);
	if (rc)
		return rc;
	if (item->check != q_record_check(item->at, item->id, item->stamp, item->length, body))
		return err_damaged(&q->at, item->offset, "record: checksum does not match");
	return 0;
}

int
q_payload(struct queue *q, const struct q_state *s, const struct q_item *item, uint64_t from, const void **p,
    uint64_t *n)
{
	uint64_t offset, room, want = item->length - from, head = item->payload - item->at;
	const uint8_t *bytes;
	int rc;

	if (item->one_piece) {
		/* All of it, as q_verify() read it: what is printed is what was verified. */
		rc = bytes_at(q, item->offset + sizeof(struct q_record),
		    head - sizeof(struct q_record) + item->length, &bytes);
		*p = bytes + (head - sizeof(struct q_record)) + from;
		*n = want;
		return rc;
	}
	rc = q_map(q);
	if (!rc)
		rc = q_locate(q, s, item->payload + from, &offset, &room);
	if (rc)
		return rc;
	*p = q->m.base + offset;
	*n = room < want ? room : want;
	return 0;
}
