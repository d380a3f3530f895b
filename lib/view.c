/* Looks at heaps that others may be changing: see view.h. */
#include "view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AGREE 3
#define BURST_NS 50000000 /* so long a heap that moves is looked at in a row: a look may fall between two changes */
#define MAX_PASSES 30
#define DEADLINE_NS INT64_C(8000000000) /* then the heap does not hold still */

static const struct view_ops *const kinds[] = { &view_fmalloc };

int
view_open(struct view *v, const uint8_t *base, uint64_t size)
{
	int rc = -ERR_KIND;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc == -ERR_KIND; i++) {
		*v = (struct view){ .ops = kinds[i], .base = base, .size = size };
		rc = kinds[i]->open(v);
	}
	return rc;
}

void
view_close(struct view *v)
{
	if (v->self)
		v->ops->close(v);
}

static void
pause_between(void)
{
	struct timespec t = { .tv_nsec = VIEW_PAUSE_NS };

	nanosleep(&t, NULL);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* What a pass found, in the order it was found. */
struct found {
	struct view_damage *all;
	unsigned *seen; /* for each, passes in a row */
	size_t n;
	uint64_t epoch; /* at the end of the pass */
	bool still;     /* nobody came into the heap during the pass, and nobody was in it */
};

static int
collect(void *arg, const struct view_damage *d)
{
	struct found *now = arg;

	if (now->n < VIEW_MAX_DAMAGE) {
		now->all[now->n] = *d;
		now->seen[now->n++] = 1;
	}
	return 0;
}

static int
found_init(struct found *x)
{
	x->n = 0;
	x->all = calloc(VIEW_MAX_DAMAGE, sizeof(*x->all));
	x->seen = calloc(VIEW_MAX_DAMAGE, sizeof(*x->seen));
	return x->all && x->seen ? 0 : -ENOMEM;
}

static void
found_free(struct found *x)
{
	free(x->all);
	free(x->seen);
}

static bool
same(const struct view_damage *a, const struct view_damage *b)
{
	return a->offset == b->offset && a->owner == b->owner && a->value == b->value && a->code == b->code &&
	    a->text == b->text;
}

/*
 * Carries the counts of what stood in the last pass on; returns the highest. Passes list in a fixed order. What
 * two passes saw of a heap that was being changed is no agreement, however alike: the same chunk may be half-way
 * into the same list twice.
 */
static unsigned
carry(const struct found *last, struct found *now)
{
	unsigned most = 1;
	size_t from = 0;

	if (!(last->still && now->still) && last->epoch != now->epoch)
		return 1;
	for (size_t i = 0; i < now->n; i++) {
		for (size_t j = from; j < last->n; j++)
			if (same(&now->all[i], &last->all[j])) {
				now->seen[i] = last->seen[j] + 1;
				from = j + 1;
				break;
			}
		if (now->seen[i] > most)
			most = now->seen[i];
	}
	return most;
}

static int
tell(const struct found *x, unsigned least, view_damage_fn *fn, void *arg)
{
	int rc = 0;

	for (size_t i = 0; i < x->n && !rc; i++)
		if (x->seen[i] >= least)
			rc = fn(arg, &x->all[i]);
	return rc ? rc : -ERR_DAMAGED;
}

/* The tables may have changed too: begins the look afresh. */
static int
reload(struct view *v)
{
	v->ops->close(v);
	return v->ops->open(v);
}

/* A pass into now. While others work in the heap a few more are made: one may fall between two changes. */
static int
look(struct view *v, const struct found *last, struct found *now, int64_t burst)
{
	int64_t until = now_ns() + burst;
	uint64_t before;
	bool locked, later;
	int rc;

	do {
		rc = reload(v);
		if (rc)
			return rc;
		now->n = 0;
		before = v->ops->epoch(v, &locked);
		rc = v->ops->check(v, collect, now);
		now->epoch = v->ops->epoch(v, &later);
		now->still = before == now->epoch && !locked && !later;
	} while (rc == -ERR_DAMAGED && !now->still && now->epoch != last->epoch && now_ns() < until);
	return rc;
}

static int
check_passes(struct view *v, struct found *two, view_damage_fn *fn, void *arg)
{
	int64_t until = now_ns() + DEADLINE_NS;

	for (unsigned pass = 0; pass < MAX_PASSES && (pass < AGREE || now_ns() < until); pass++) {
		struct found *now = &two[pass % 2], *last = &two[1 - pass % 2];
		int rc;

		if (pass)
			pause_between();
		rc = look(v, last, now, pass ? BURST_NS : 0);
		if (rc != -ERR_DAMAGED)
			return rc;
		if (carry(last, now) >= AGREE)
			return tell(now, AGREE, fn, arg);
	}
	return -EAGAIN;
}

int
view_check(struct view *v, view_damage_fn *fn, void *arg)
{
	struct found two[2] = { { 0 }, { 0 } };
	int rc;

	if (v->ops->generations)
		return v->ops->check(v, fn, arg);
	rc = found_init(&two[0]);
	if (!rc)
		rc = found_init(&two[1]);
	if (!rc)
		rc = check_passes(v, two, fn, arg);
	found_free(&two[0]);
	found_free(&two[1]);
	return rc;
}

/* Is the break where the last one was, and did nobody use the heap in between? Notes both for the next time. */
static bool
same_place(const struct view *v, const struct view_pos *pos, struct view_pos *last, uint64_t *epoch)
{
	bool locked, same = pos->span == last->span && pos->at == last->at;
	uint64_t now = v->ops->generations ? 0 : v->ops->epoch(v, &locked);

	same = same && now == *epoch;
	*last = *pos;
	*epoch = now;
	return same;
}

/*
 * A break seen for the third time at the same place stays: step over it. Before that, start again after a
 * pause; what was told is not told twice, because blocks come in order of offset.
 */
int
view_walk(struct view *v, view_block_fn *fn, void *arg, struct err_at *at)
{
	struct view_pos pos = { 0 }, broken = { 0 };
	struct err_at here = { 0 };
	unsigned seen = 0, pass = 1;
	uint64_t told = 0, epoch = 0;
	bool damaged = false;

	for (;;) {
		struct view_block block;
		int rc = v->ops->next(v, &pos, &block, &here);

		if (rc > 0) {
			if (block.offset > told && (rc = fn(arg, &block)))
				return rc;
			told = block.offset > told ? block.offset : told;
			continue;
		}
		if (rc != -ERR_DAMAGED)
			return rc ? rc : damaged ? -ERR_DAMAGED : 0;
		seen = same_place(v, &pos, &broken, &epoch) ? seen + 1 : 1;
		if (!damaged && seen < AGREE && !v->ops->generations) {
			if (pass++ == MAX_PASSES)
				return -EAGAIN;
			pause_between();
			rc = reload(v);
			pos = (struct view_pos){ 0 };
		} else {
			if (!damaged)
				*at = here;
			damaged = true;
			rc = v->ops->resume(v, &pos);
		}
		if (rc)
			return rc;
	}
}
