#include "kind.h"

#include <endian.h>
#include <string.h>

static uint64_t
le64_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t
be32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static const char *
own_name(uint32_t kind)
{
	switch (kind) {
	case HDR_KIND_COUNTERS:
		return "counters";
	case HDR_KIND_QUEUE:
		return "queue";
	case HDR_KIND_HEAP:
		return "heap";
	case HDR_KIND_UNDO:
		return "undo";
	default:
		return NULL;
	}
}

/* "EMMAP01\n", the number of counters, the counters, and nothing else. */
static bool
is_emmap_counters(struct kind *k, const uint8_t *p, uint64_t size)
{
	if (size < 16 || memcmp(p, "EMMAP01\n", 8))
		return false;
	k->items = le64_at(p + 8);
	return (size - 16) % 8 == 0 && k->items == (size - 16) / 8;
}

/*
 * Four big-endian words, 16 <= head <= tail <= next tail, all within the file; the first record between head and
 * tail has its size at both ends and a term of Erlang's external format between.
 */
static bool
is_emmap_queue(struct kind *k, const uint8_t *p, uint64_t size)
{
	uint64_t limit, head, tail, next, record;

	if (size < 16)
		return false;
	limit = be32_at(p);
	head = be32_at(p + 4);
	tail = be32_at(p + 8);
	next = be32_at(p + 12);
	if (head < 16 || tail < head || next < tail || limit < next || next > size)
		return false;
	k->items = tail - head;
	if (head == tail)
		return true;
	if (tail - head < 9)
		return false;
	record = be32_at(p + head);
	return record >= 9 && record <= tail - head && be32_at(p + head + record - 4) == record && p[head + 4] == 131;
}

/*
 * u32 size of a block, padding, i64 place of the last mask that was made (-1: none yet), then three levels of
 * masks, each with a bit set for a group that has free or used blocks, so that together they are full.
 */
static bool
is_emmap_blocks(struct kind *k, const uint8_t *p, uint64_t size)
{
	uint64_t last, block;

	if (size < 56)
		return false;
	block = le64_at(p);
	last = le64_at(p + 8);
	k->items = block;
	if (!block || block > UINT32_MAX)
		return false;
	if (last == UINT64_MAX)
		return !le64_at(p + 16) && !le64_at(p + 24) && !le64_at(p + 32) && !le64_at(p + 40);
	return last >= 32 && last <= size - 24 && (le64_at(p + 16) | le64_at(p + 24)) == UINT64_MAX &&
	    (le64_at(p + 32) | le64_at(p + 40)) == UINT64_MAX;
}

static const struct {
	bool (*is)(struct kind *k, const uint8_t *p, uint64_t size);
	const char *name, *items;
} foreign[] = {
	{ is_emmap_counters, "emmap counters", "counters" },
	{ is_emmap_queue, "emmap queue", "queued_bytes" },
	{ is_emmap_blocks, "emmap blocks", "block_size" },
};

int
kind_of(struct kind *k, const uint8_t *base, uint64_t size, struct err_at *at)
{
	int rc;

	*k = (struct kind){ 0 };
	rc = hdr_decode(base, size, 0, false, &k->hdr, at);
	if (!rc) {
		k->own = true;
		k->name = own_name(k->hdr.kind);
		return k->name ? 0 : -ERR_VERSION;
	}
	if (rc != -ERR_KIND)
		return rc;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (foreign[i].is(k, base, size)) {
			k->name = foreign[i].name;
			k->items_name = foreign[i].items;
			return 0;
		}
	return -ERR_KIND;
}
