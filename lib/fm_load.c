/*
 * From the super block to the spans: which parts of the file hold chunks. Each structure is read once, judged,
 * and where it cannot be right replaced by what the geometry says, so that the rest can still be found.
 */
#include "fm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
fm_bad(struct fm_report *r, uint64_t offset, uint64_t owner, uint64_t value, const char *code, const char *text)
{
	struct view_damage d = { offset, owner, value, code, text };

	r->any = true;
	if (r->fn && !r->rc)
		r->rc = r->fn(r->arg, &d);
}

uint64_t
fm_block_start(const struct fm *f, uint64_t i)
{
	return i ? i * f->chunk + f->layout->shift : FM_ARENA0;
}

bool
fm_block_used(const struct fm *f, uint64_t i)
{
	uint64_t at = sizeof(struct fm_super) + i / 8;

	return i < f->blocks && at < f->size && (*(const volatile uint8_t *)(f->base + at) >> i % 8 & 1);
}

/* The block that begins at `at`, or f->blocks. */
static uint64_t
block_at(const struct fm *f, uint64_t at)
{
	uint64_t i;

	if (at == FM_ARENA0)
		return 0;
	if (at < f->layout->shift)
		return f->blocks;
	i = (at - f->layout->shift) / f->chunk;
	return i && i < f->blocks && fm_block_start(f, i) == at ? i : f->blocks;
}

/* What fmalloc would have written for a file of `total` bytes. */
static void
geometry(const struct fm_layout *l, uint64_t total, uint64_t *chunk, uint64_t *blocks)
{
	uint64_t usable = total > FM_ARENA0 ? total - FM_ARENA0 : 0;

	*chunk = FM_BLOCK;
	if (l->magic == FM_MAGIC_PACKED) {
		*blocks = total / FM_BLOCK;
		if (total < FM_BLOCK) {
			*chunk = total;
			*blocks = 1;
		}
	} else if (usable <= 2 * FM_BLOCK) {
		*chunk = usable;
		*blocks = usable != 0;
	} else {
		*blocks = usable / FM_BLOCK;
		if (*blocks >= FM_MAX_BLOCKS) {
			*chunk = usable / FM_MAX_BLOCKS / FM_PAGE * FM_PAGE;
			*blocks = FM_MAX_BLOCKS;
		}
	}
	if (*blocks > FM_MAX_BLOCKS)
		*blocks = FM_MAX_BLOCKS;
}

static void
load_super(struct fm *f, struct fm_report *r)
{
	uint64_t total = fm_u64(f, offsetof(struct fm_super, total_size));
	uint64_t chunk = fm_u64(f, offsetof(struct fm_super, chunk_size));
	uint64_t blocks = fm_u64(f, offsetof(struct fm_super, num_chunk));
	uint64_t by_size = f->size;

	if (f->layout->magic == FM_MAGIC_ALIGNED)
		by_size -= by_size % FM_PAGE;
	geometry(f->layout, total, &f->chunk, &f->blocks);
	f->total = total;
	if (chunk == f->chunk && blocks == f->blocks && chunk) {
		if (total > f->size)
			fm_bad(r, f->size, 0, total, "truncated",
			    "the file ends here, before the size in its super block");
		return;
	}
	/* Two of three fields against one; the size of the file decides which of them is wrong. */
	geometry(f->layout, by_size, &f->chunk, &f->blocks);
	f->total = by_size;
	if (total != by_size)
		fm_bad(r, 8, 0, total, "super", "size of the heap does not fit its blocks");
	if (chunk != f->chunk)
		fm_bad(r, 16, 0, chunk, "super", "size of a block is wrong");
	if (blocks != f->blocks)
		fm_bad(r, 24, 0, blocks, "super", "number of blocks is wrong");
}

/* A span is whole words, and never ends before it begins, whatever the file says. */
static int
add_span(struct fm *f, struct fm_span span)
{
	span.end = span.end > span.from ? span.end - (span.end - span.from) % 8 : span.from;
	if (f->nspans == f->room) {
		size_t room = f->room ? 2 * f->room : 8;
		struct fm_span *more = reallocarray(f->spans, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		f->spans = more;
		f->room = room;
	}
	f->spans[f->nspans++] = span;
	return 0;
}

/*
 * How far chunks may go. In packed files arena 0 begins 8 KiB into block 0 and still takes a whole block: its
 * segment runs into block 1, or past the end of a small file. Only what is really there counts.
 */
static uint64_t
clip(const struct fm *f, uint64_t arena, uint64_t limit)
{
	if (arena == FM_ARENA0 && !f->layout->shift && fm_block_used(f, 1) && limit > fm_block_start(f, 1))
		limit = fm_block_start(f, 1);
	return limit < f->size ? limit : f->size;
}

/* Marks the blocks of a segment; false when one is out of the file, or has an owner already. */
static bool
own(struct fm *f, uint64_t base, uint64_t size)
{
	uint64_t first = block_at(f, base), n = size / f->chunk;

	if (first == f->blocks || !n || size % f->chunk || n > f->blocks - first)
		return false;
	for (uint64_t i = first; i < first + n; i++)
		if (f->owned[i])
			return false;
	memset(f->owned + first, 1, n);
	return true;
}

/*
 * The segments of an arena, newest first. The record of an older one lies in a used chunk at its own end, and
 * the chain goes exactly so far.
 */
static int
load_segments(struct fm *f, uint64_t arena, struct fm_report *r)
{
	uint64_t record = fm_mstate(arena) + f->layout->seg, first = arena + FM_A_STATE + f->layout->state_chunk;
	bool own_seen = false;
	int rc = 0;

	for (uint64_t n = 0; record && n <= f->blocks && !rc; n++) {
		uint64_t base = fm_u64(f, record + FM_S_BASE), size = fm_u64(f, record + FM_S_SIZE);
		struct fm_span s = { .arena = arena, .current = !n, .from = base };
		bool initial = base == arena + FM_A_STATE;

		/* Without growth there is one segment, and its place is known. */
		if (initial ? own_seen || size != f->chunk - FM_A_STATE : !f->layout->shift || !own(f, base, size)) {
			fm_bad(r, record + (initial ? FM_S_SIZE : FM_S_BASE), arena, initial ? size : base, "segment",
			    "segment is not where one can be");
			break;
		}
		if (initial) {
			own_seen = true;
			s.from = first;
		}
		s.clip = clip(f, arena, base + size);
		s.end = base + size - FM_TOP_FOOT;
		if (n) {
			s.end = record - FM_C_USER;
			if (s.end < s.from || s.end - base > size - FM_S_RECORD) {
				fm_bad(r, record, arena, record, "segment", "segment's record is outside of it");
				s.end = s.clip;
			}
		}
		rc = add_span(f, s);
		record = fm_u64(f, record + FM_S_NEXT);
	}
	if (!own_seen && !rc) {
		struct fm_span s = { .arena = arena, .from = first, .end = arena + f->chunk - FM_TOP_FOOT };

		s.current = true;
		s.clip = clip(f, arena, arena + f->chunk);
		fm_bad(r, fm_mstate(arena) + f->layout->seg, arena, 0, "segment",
		    "the arena's first segment is in no list");
		rc = add_span(f, s);
	}
	return rc;
}

/* Is there an allocator's state behind this arena header? */
static bool
check_arena(const struct fm *f, uint64_t arena, struct fm_report *r)
{
	uint64_t head = fm_u64(f, arena + FM_A_STATE + FM_C_HEAD);
	uint64_t magic = fm_u64(f, fm_mstate(arena) + FM_M_MAGIC);
	uint32_t init = fm_u32(f, arena + FM_A_INIT);

	if (arena == FM_ARENA0 && init != 1)
		fm_bad(r, arena, arena, init, "arena", "arena is not marked ready");
	if (head != (uint64_t)(f->layout->state_chunk | FM_PINUSE | FM_CINUSE))
		fm_bad(r, arena + FM_A_STATE + FM_C_HEAD, arena, head, "arena", "head of the arena's state is wrong");
	if (magic == FM_MSTATE_MAGIC)
		return true;
	fm_bad(r, fm_mstate(arena) + FM_M_MAGIC, arena, magic, "arena", "magic of the arena's state is wrong");
	/* Both words gone: whatever is here, it is no arena. */
	return fm_chunk_size(head) == f->layout->state_chunk;
}

static int
load_arenas(struct fm *f, struct fm_report *r)
{
	uint64_t arena = FM_ARENA0, next, i = 0;
	int rc = 0;

	do {
		f->owned[i] = 1;
		f->arenas[f->narenas++] = arena;
		if (!fm_block_used(f, i))
			fm_bad(r, sizeof(struct fm_super) + i / 8, arena, 0, "block",
			    "block of an arena is marked free");
		if (check_arena(f, arena, r))
			rc = load_segments(f, arena, r);
		next = fm_u64(f, arena + f->layout->next);
		if (next == FM_ARENA0)
			break;
		i = block_at(f, next);
		if (i == f->blocks || f->owned[i]) {
			fm_bad(r, arena + f->layout->next, arena, next, "arena-list", "list of arenas is broken");
			break;
		}
		arena = next;
	} while (!rc);
	return rc;
}

/* Blocks that no arena has: each a chunk of its own, over one block or more. Only the aligned dialect makes them. */
static int
load_direct(struct fm *f, struct fm_report *r)
{
	int rc = 0;

	for (uint64_t i = 1; i < f->blocks && !rc; i++) {
		uint64_t c = fm_block_start(f, i), foot, head, n;
		struct fm_span s = { .kind = FM_DIRECT, .from = c, .arena = FM_ARENA0 };

		if (f->owned[i] || !fm_block_used(f, i))
			continue;
		foot = fm_u64(f, c + FM_C_PREV_FOOT);
		head = fm_u64(f, c + FM_C_HEAD);
		s.end = c + fm_chunk_size(head);
		s.clip = f->size;
		n = (fm_chunk_size(head) + FM_DIRECT_PAD) / f->chunk;
		if (foot != 1 || (head & (FM_PINUSE | FM_CINUSE)) != FM_CINUSE || !n || n > f->blocks - i ||
		    (fm_chunk_size(head) + FM_DIRECT_PAD) % f->chunk) {
			/* Taken, and its taker killed before the first store: leaked, not damaged. */
			if (head || foot)
				fm_bad(r, c + FM_C_HEAD, c, head, "direct", "block in use is no chunk of its own");
			continue;
		}
		if (fm_u64(f, s.end + FM_C_HEAD) != FM_FENCE && s.end < f->size)
			fm_bad(r, s.end + FM_C_HEAD, c, fm_u64(f, s.end + FM_C_HEAD), "direct",
			    "fence behind the chunk is wrong");
		memset(f->owned + i, 1, n);
		rc = add_span(f, s);
	}
	return rc;
}

static int
by_offset(const void *a, const void *b)
{
	const struct fm_span *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

int
fm_load(struct fm *f, struct fm_report *r)
{
	int rc;

	f->back_span = SIZE_MAX;
	load_super(f, r);
	f->owned = calloc(f->blocks + 1, 1);
	f->arenas = calloc(f->blocks + 1, sizeof(*f->arenas));
	if (!f->owned || !f->arenas)
		return -ENOMEM;
	if (!f->blocks)
		return 0;
	rc = load_arenas(f, r);
	if (!rc && f->layout->shift)
		rc = load_direct(f, r);
	if (f->nspans)
		qsort(f->spans, f->nspans, sizeof(*f->spans), by_offset);
	return rc;
}

void
fm_unload(struct fm *f)
{
	free(f->owned);
	free(f->arenas);
	free(f->spans);
	free(f->back);
}
