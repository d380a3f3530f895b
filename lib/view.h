/*
 * One way to look at a heap of any kind, for mmalloc-inspect. A kind is a struct view_ops over a read-only
 * range of bytes that another process may be changing: every function reads each field once, believes nothing,
 * ends on any input and writes nothing.
 */
#ifndef VIEW_H
#define VIEW_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A block of the user's. Offsets count from the start of the file. */
struct view_block {
	uint64_t offset; /* what the allocator returned, or would return */
	uint64_t size;   /* bytes usable there */
	uint64_t whole;  /* bytes taken from the file, with the heap's own words */
	bool used;
	bool top;         /* never-used space */
	bool direct;      /* a mapping of its own, outside the classes */
	uint16_t class;   /* size class, see class_name */
};

struct view_damage {
	uint64_t offset;   /* of the field that is wrong */
	uint64_t owner;    /* the block, arena or table that the field belongs to */
	uint64_t value;    /* what stands there: a torn view changes it, a damage does not */
	const char *code;  /* short, static */
	const char *text;  /* one clause, static */
};

/* Called for each damage; not 0 ends the check. */
typedef int view_damage_fn(void *arg, const struct view_damage *damage);

/* Where a walk stands; the kind's own fields. All 0 is the start. */
struct view_pos {
	uint64_t span;
	uint64_t at;
};

struct view {
	const struct view_ops *ops;
	const uint8_t *base;
	uint64_t size;
	void *self; /* the kind's */
};

struct view_ops {
	const char *kind; /* as printed */
	bool generations; /* the format itself tells a torn view: one pass of check is the truth */

	/* Is it this kind? 0, -ERR_KIND, or another error. Damage is no error here, check finds it. */
	int (*open)(struct view *v);

	/* The next block in order of offset: 1, 0 at the end, -ERR_DAMAGED (at) where the way is broken. */
	int (*next)(struct view *v, struct view_pos *pos, struct view_block *block, struct err_at *at);

	/* After -ERR_DAMAGED: goes to the next place where blocks are found again. 0 or -errno. */
	int (*resume)(struct view *v, struct view_pos *pos);

	/* Everything. 0 when fn was never called, -ERR_DAMAGED, or what fn returned. */
	int (*check)(struct view *v, view_damage_fn *fn, void *arg);

	/*
	 * Without generations: a number that changes with each use of the heap, as far as one is kept, and whether
	 * somebody is in it.
	 */
	uint64_t (*epoch)(const struct view *v, bool *locked);

	/* The kind's own name of a block's size class. */
	void (*class_name)(const struct view_block *block, char *text, size_t n);

	/* A text of at most n bytes about the layout ("aligned, 3 arenas"). */
	void (*describe)(const struct view *v, char *text, size_t n);

	/* Bytes of the file that belong to no arena yet. */
	uint64_t (*unclaimed)(const struct view *v);

	void (*close)(struct view *v);
};

extern const struct view_ops view_fmalloc;

/* Finds the kind: 0, -ERR_KIND, -ENOMEM. The bytes are borrowed until view_close(). */
int view_open(struct view *v, const uint8_t *base, uint64_t size) __attribute__((warn_unused_result));
void view_close(struct view *v);

/*
 * Looks at a heap that may be in use. A kind without generations is read again until a pass is clean or the
 * same damage, with the same value, stood in three passes VIEW_PAUSE_NS apart, during or between which nobody
 * was in the heap. Calls fn for each damage, then 0, -ERR_DAMAGED, -EAGAIN when no three passes agreed, -ENOMEM.
 * At most VIEW_MAX_DAMAGE are told.
 */
#define VIEW_PAUSE_NS   100000000
#define VIEW_MAX_DAMAGE 4096
int view_check(struct view *v, view_damage_fn *fn, void *arg) __attribute__((warn_unused_result));

/*
 * All blocks in order of offset, once each. A break that stays is stepped over; then -ERR_DAMAGED (at: the
 * first one) after the last block. -EAGAIN when the heap would not hold still. Else 0 or what fn returned.
 */
typedef int view_block_fn(void *arg, const struct view_block *block);
int view_walk(struct view *v, view_block_fn *fn, void *arg, struct err_at *at) __attribute__((warn_unused_result));

#endif
