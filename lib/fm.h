/*
 * Reader of fmalloc heaps (fm_format.h): the fields behind view_fmalloc, shared by lib/fm_*.c.
 *
 * The range is read-only and bounded by fm.size; fm_u64() of anything beyond it is 0, which no check takes for
 * right. Offsets found in the file are compared by subtraction, never added up first. Every list is walked
 * under a bound that does not come from the file: blocks of the file, chunks not met before, depth of a tree.
 */
#ifndef FM_H
#define FM_H

#include "fm_format.h"
#include "view.h"

enum fm_span_kind { FM_CHUNKS, FM_DIRECT };

/* A run of chunks: from `from`, each behind the one before, exactly to `end`. */
struct fm_span {
	uint64_t from;
	uint64_t end;
	uint64_t clip;  /* not beyond: the end of the file, or the next block's header that fmalloc lets it run into */
	uint64_t arena; /* offset of the arena it belongs to */
	uint64_t gap, gap_end; /* filled by the check: where the chain was broken and could not be read ... */
	uint64_t top;          /* ... and the free chunk at its very end */
	bool current;   /* the arena's newest segment: its last chunk is top */
	enum fm_span_kind kind;
};

struct fm {
	const uint8_t *base;
	uint64_t size;
	const struct fm_layout *layout;
	uint64_t total, chunk, blocks; /* as the super block says, or as they must be where it cannot be right */
	uint8_t *owned;                /* for each block: 1 when an arena, segment or direct chunk has it */
	uint64_t *arenas;
	size_t narenas;
	struct fm_span *spans; /* by offset */
	size_t nspans, room;

	uint64_t *back; /* one bit for 8 bytes of span back_span: from here the chain reaches the end */
	size_t back_span;
};

/* Where a check tells what it finds; fn NULL tells nobody. */
struct fm_report {
	view_damage_fn *fn;
	void *arg;
	int rc; /* what fn returned */
	bool any;
};

/* One load, whatever the compiler thinks of the range: another process may be storing there. */
typedef uint64_t fm_word __attribute__((aligned(1), may_alias));
typedef uint32_t fm_half __attribute__((aligned(1), may_alias));

static inline uint64_t
fm_u64(const struct fm *f, uint64_t at)
{
	return f->size < 8 || at > f->size - 8 ? 0 : *(const volatile fm_word *)(const void *)(f->base + at);
}

static inline uint32_t
fm_u32(const struct fm *f, uint64_t at)
{
	return f->size < 4 || at > f->size - 4 ? 0 : *(const volatile fm_half *)(const void *)(f->base + at);
}

static inline uint64_t
fm_chunk_size(uint64_t head)
{
	return head & ~(uint64_t)FM_FLAGS;
}

static inline uint64_t
fm_mstate(uint64_t arena)
{
	return arena + FM_A_MSTATE;
}

/* Notes a damage. */
void fm_bad(struct fm_report *r, uint64_t offset, uint64_t owner, uint64_t value, const char *code, const char *text);

/* Reads super block, arenas and segments into f. 0 or -ENOMEM; what is wrong goes to r. */
int fm_load(struct fm *f, struct fm_report *r) __attribute__((warn_unused_result));
void fm_unload(struct fm *f);
uint64_t fm_block_start(const struct fm *f, uint64_t i);
bool fm_block_used(const struct fm *f, uint64_t i);

/*
 * The head of the chunk at c, or 0 where no chunk of this span can be. The last one of a current segment is top:
 * free, of any size.
 */
static inline uint64_t
fm_head(const struct fm *f, const struct fm_span *s, uint64_t c)
{
	uint64_t head = fm_u64(f, c + FM_C_HEAD), size = fm_chunk_size(head);

	if (c >= s->end || size > s->end - c)
		return 0;
	if (size >= FM_MIN_CHUNK)
		return head;
	return size && size == s->end - c && s->current && !(head & FM_CINUSE) ? head : 0;
}

/* The first place behind c from where the chain reaches the span's end, 0 when there is none. -ENOMEM. */
int fm_resync(struct fm *f, size_t span, uint64_t c, uint64_t *found) __attribute__((warn_unused_result));

/* Does c lie where the check could not see chunks: in a gap, or behind the end of a truncated file? */
bool fm_lost(const struct fm *f, uint64_t c);

/* How often the arena's lock was taken: no chunk of the arena changes without. */
uint64_t fm_taken(const struct fm *f, uint64_t arena);

unsigned fm_tree_index(uint64_t size);

/*
 * The bins of an arena: takes every chunk found there out of `loose` (a bit for each 8 bytes, set where the
 * chain has a free chunk), so that a link is followed once. Sets bit i of *bad for a small bin, 32 + i for
 * a tree, where the way through it ended early.
 */
void fm_check_bins(const struct fm *f, uint64_t arena, uint64_t *loose, uint64_t *bad, struct fm_report *r);

int fm_check(struct view *v, view_damage_fn *fn, void *arg);

#endif
