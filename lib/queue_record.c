/* Records: decoding with every limit checked, hashing, and the payload in contiguous pieces. */
#include "queue.h"
#include "queue_record.h"
#include "hash.h"
#include "seal.h"

#include <errno.h>
#include <string.h>

uint32_t
q_record_check(uint64_t pos, const struct q_record *r, uint64_t body)
{
	struct {
		uint64_t pos, id;
		uint32_t time_s;
		uint16_t time_ms;
		uint8_t flags, ext8;
		uint64_t length, body;
	} all = { pos, r->id, r->time_s, r->time_ms, r->flags, r->ext8, r->length, body };

	static_assert(sizeof(all) == 40, "no padding is hashed");
	return hash32(&all, sizeof(all), 0);
}

int
q_record(struct queue *q, const struct q_state *s, uint64_t pos, uint64_t limit, struct q_item *item)
{
	struct q_record r;
	uint64_t offset, room, word, size;
	int rc;

	pos = q_head_at(pos);
	rc = q_locate(q, s, pos, &offset, &room);
	if (rc)
		return rc;
	memcpy(&r, q->m.base + offset, sizeof(r));
	word = __atomic_load_n((uint64_t *)(void *)(q->m.base + offset), __ATOMIC_RELAXED);
	if (!unseal(word, &word))
		return err_damaged(&q->at, offset, "record: state word");
	size = sizeof(r) + 8 * (uint64_t)r.ext8 + q_round8(r.length);
	if (pos > limit || size > limit - pos)
		return err_damaged(&q->at, offset, "record: runs past the end of the queue");
	*item = (struct q_item){
		.at = pos,
		.end = pos + size,
		.offset = offset,
		.payload = pos + sizeof(r) + 8 * (uint64_t)r.ext8,
		.id = r.id,
		.time_ms = (uint64_t)r.time_s * 1000 + r.time_ms,
		.length = r.length,
		.kind = word & 15,
		.attempts = (unsigned)(word >> 4 & 0xffff),
	};
	if (item->kind < Q_ITEM || item->kind > Q_PAD)
		return err_damaged(&q->at, offset, "record: kind");
	return 0;
}

/* Hash of the bytes [from, to) of position space, wherever they lie. */
static int
hash_range(struct queue *q, const struct q_state *s, uint64_t from, uint64_t to, uint64_t *hash)
{
	uint64_t offset = 0, room = 0;
	XXH3_state_t x;
	int rc;

	if (from == to) {
		*hash = hash64("", 0, 0);
		return 0;
	}
	rc = q_locate(q, s, from, &offset, &room);
	if (!rc && room >= to - from) {
		*hash = hash64(q->m.base + offset, to - from, 0);
		return 0;
	}
	XXH3_64bits_reset(&x);
	while (!rc && from < to) {
		rc = q_locate(q, s, from, &offset, &room);
		if (rc)
			return rc;
		room = room < to - from ? room : to - from;
		XXH3_64bits_update(&x, q->m.base + offset, room);
		from += room;
	}
	*hash = XXH3_64bits_digest(&x);
	return rc;
}

int
q_verify(struct queue *q, const struct q_state *s, const struct q_item *item)
{
	struct q_record r;
	uint64_t body;
	int rc;

	memcpy(&r, q->m.base + item->offset, sizeof(r));
	rc = hash_range(q, s, item->at + sizeof(r), item->payload + item->length, &body);
	if (rc)
		return rc;
	if (r.length != item->length || r.id != item->id || r.check != q_record_check(item->at, &r, body))
		return err_damaged(&q->at, item->offset, "record: checksum does not match");
	return 0;
}

int
q_payload(struct queue *q, const struct q_state *s, const struct q_item *item, uint64_t from, const void **p,
    uint64_t *n)
{
	uint64_t offset, room, want = item->length - from;
	int rc;

	if (from >= item->length) {
		*n = 0;
		return 0;
	}
	rc = q_locate(q, s, item->payload + from, &offset, &room);
	if (rc)
		return rc;
	*p = q->m.base + offset;
	*n = room < want ? room : want;
	return 0;
}
