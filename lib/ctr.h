/*
 * Counters in a mapped file: named signed 64-bit numbers, updated in place by any number of processes.
 *
 * Promises. An update of a counter that exists takes no lock: it is one compare-and-swap. Creation, revival, growth
 * and recovery hold LOCK_MAIN, which dies with its holder. Killed at any instruction, every counter has its old or
 * its new value and nothing needs repair; at worst a slot or some pages are left unused.
 *
 * A struct ctr belongs to one thread; threads open the file each for themselves.
 */
#ifndef CTR_H
#define CTR_H

#include "ctr_format.h"
#include "map.h"

struct ctr {
	struct map map;
	uint64_t seed;         /* of the name hash, from the uuid */
	int64_t lock_timeout;  /* nanoseconds */
	bool known;            /* this instance is recorded: the index is good */
};

enum ctr_open_flags {
	CTR_RDONLY = 0,
	CTR_RW = 1,
	CTR_CREATE = 2, /* make a missing file; with CTR_RW */
	CTR_SYNC = 4,   /* the caller will ctr_sync(): -ERR_VOLATILE where that cannot be, before any change */
};

/* What an opener says about a file that may have to be made. */
struct ctr_how {
	unsigned flags;
	mode_t mode;
	int64_t lock_timeout;
};

enum ctr_op_kind { CTR_SET, CTR_ADD, CTR_SUB, CTR_AND, CTR_OR, CTR_XOR, CTR_MAX, CTR_MIN, CTR_CAS };
enum ctr_overflow { CTR_REFUSE, CTR_WRAP, CTR_SATURATE };

struct ctr_op {
	enum ctr_op_kind kind;
	enum ctr_overflow overflow;
	int64_t operand;
	int64_t expect;  /* CTR_CAS */
	bool limited;    /* refuse a result outside [lo, hi] */
	int64_t lo, hi;
};

#define CTR_NO 1 /* the answer is no: absent, did not match, outside the limit; nothing changed */

/* 0; those of map_open() and hdr_decode(), -ENOENT, -ERR_DAMAGED (c->map.at), -ERR_TRUNCATED. */
int ctr_open(struct ctr *c, const char *path, const struct ctr_how *how) __attribute__((warn_unused_result));

/* Makes the file; -EEXIST when there is one. Open for writing on success. */
int ctr_create(struct ctr *c, const char *path, const struct ctr_how *how) __attribute__((warn_unused_result));

void ctr_close(struct ctr *c);

/* fdatasync; after a failure dirties everything again, so that no later sync succeeds falsely. */
int ctr_sync(struct ctr *c) __attribute__((warn_unused_result));

/* 0 or -ERR_NAME. */
int ctr_name_check(const char *name, size_t n) __attribute__((warn_unused_result));

/* 0, CTR_NO when absent, -ERR_DAMAGED. */
int ctr_get(struct ctr *c, const char *name, size_t n, int64_t *value) __attribute__((warn_unused_result));

/*
 * Applies op, creating an absent counter (never for CTR_CAS). 0, CTR_NO, -ERR_OVERFLOW, -ERR_DAMAGED, -ERR_LOCKED,
 * or what map_grow() and map_ready() return; nothing has changed then. *old is 0 where the counter was absent; with
 * CTR_NO it is the value that was refused a change.
 */
int ctr_update(struct ctr *c, const char *name, size_t n, const struct ctr_op *op, int64_t *old, int64_t *new)
    __attribute__((warn_unused_result));

/* The arithmetic of op alone. 0, CTR_NO or -ERR_OVERFLOW. */
int ctr_apply(const struct ctr_op *op, int64_t old, int64_t *new) __attribute__((warn_unused_result));

/* 0, CTR_NO when absent. */
int ctr_del(struct ctr *c, const char *name, size_t n) __attribute__((warn_unused_result));

/* Sets type (when >= 0) and help text (when not NULL) of a counter that exists. CTR_NO when absent. */
int ctr_describe(struct ctr *c, const char *name, size_t n, int type, const char *help, size_t help_n)
    __attribute__((warn_unused_result));

/* A live counter as ctr_each() shows it; name is copied out of the file and checked. */
struct ctr_item {
	uint64_t slot; /* offset, for ctr_help() */
	int64_t value;
	enum ctr_type type;
	size_t n;
	char name[CTR_NAME_MAX + 1]; /* NUL-terminated */
};

/*
 * Calls fn for every live counter, in no order; a nonzero result ends the walk and is returned. Damaged slots are
 * left out and make the result -ERR_DAMAGED (the first one in c->map.at) after all others were shown.
 */
typedef int ctr_each_fn(const struct ctr_item *it, void *arg);
int ctr_each(struct ctr *c, ctr_each_fn *fn, void *arg) __attribute__((warn_unused_result));

/* The counter in the slot at offset, as it is now. CTR_NO when it is deleted. */
int ctr_item_at(struct ctr *c, uint64_t slot, struct ctr_item *it) __attribute__((warn_unused_result));

/* Copies the help text of a slot; *n is 0 where there is none. */
int ctr_help(struct ctr *c, uint64_t slot, char help[CTR_HELP_MAX], size_t *n) __attribute__((warn_unused_result));

#endif
