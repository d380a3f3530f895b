/*
 * Row 2: simulated power cuts.
 *
 * Between two flushes the disk may have got any version of any page, in any order; of each page any 512-byte sector may be
 * of another version. A window is a stretch of the record in which the flush behind it, the commands that have
 * ended and the names are the same. Per window: every combination of page versions where their number is within the
 * budget, else random ones; and random combinations of sector versions. The file's size is one more choice between
 * its values since the flush, and so is its name until its directory was synced.
 */
#include "rows.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_SECTORS 8
#define WINDOWS_MAX 64
#define SIZES_MAX 64

struct window {
	uint32_t sync, from, to; /* flushed at sync; cut at a step in [from, to) */
	unsigned command;
	bool linked, name_safe;  /* at its end; at its begin */
	uint64_t combinations;   /* of page versions and sizes; 0: too many */
};

/* A sector that changed since the flush: v[first..first + n) of the sorted list. */
struct slot {
	uint32_t sector, first, n;
	uint32_t page; /* index into pages */
};

struct page {
	uint32_t number, n; /* n different steps */
	uint32_t *steps;
};

struct cuts {
	struct run *run;
	struct window w[WINDOWS_MAX];
	unsigned n;
	/* Of the window at hand: */
	const struct window *now;
	struct image base, im;
	const struct version **v;
	struct slot *slots;
	struct page *pages;
	uint32_t n_slots, n_pages, n_sizes;
	uint64_t sizes[SIZES_MAX];
	uint64_t top; /* the largest of them */
};

uint64_t
run_random(uint64_t seed)
{
	seed += UINT64_C(0x9e3779b97f4a7c15);
	seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
	return seed ^ seed >> 31;
}

static void
close_window(struct cuts *c, struct window *w, uint32_t to)
{
	w->to = to;
	if (w->to > w->from) {
		if (c->n == WINDOWS_MAX)
			die("cut: too many windows");
		c->w[c->n++] = *w;
	}
	w->from = to;
}

static void
find_windows(struct cuts *c)
{
	const struct record *r = &c->run->r;
	struct window w = { .linked = r->base_exists, .name_safe = r->base_exists };

	for (size_t i = 0; i < r->n_marks; i++) {
		const struct mark *m = &r->m[i];

		if (m->kind != MARK_SYNC && m->kind != MARK_DIR_SYNC && m->kind != MARK_END && m->kind != MARK_LINKED)
			continue;
		close_window(c, &w, m->step);
		if (m->kind == MARK_SYNC)
			w.sync = m->step;
		else if (m->kind == MARK_DIR_SYNC)
			w.name_safe = w.linked;
		else if (m->kind == MARK_LINKED)
			w.linked = true;
		else
			w.command++;
	}
	close_window(c, &w, r->steps + 1);
}

static int
by_sector(const void *a, const void *b)
{
	const struct version *x = *(const struct version *const *)a, *y = *(const struct version *const *)b;

	return x->sector != y->sector ? (x->sector > y->sector) - (x->sector < y->sector) :
	    (x->step > y->step) - (x->step < y->step);
}

static void *
array(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (!p)
		die("cut");
	return p;
}

/* The steps at which sectors of page p changed, each once. */
static void
add_step(struct page *p, uint32_t step)
{
	uint32_t i = p->n;

	while (i && p->steps[i - 1] > step)
		i--;
	if (i && p->steps[i - 1] == step)
		return;
	memmove(p->steps + i + 1, p->steps + i, (p->n - i) * sizeof(*p->steps));
	p->steps[i] = step;
	p->n++;
}

static void
collect_versions(struct cuts *c, const struct record *r)
{
	uint32_t n = 0;

	for (size_t i = 0; i < r->n_versions; i++)
		if (r->v[i].step > c->now->sync && r->v[i].step < c->now->to)
			c->v[n++] = &r->v[i];
	qsort(c->v, n, sizeof(*c->v), by_sector);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t page = c->v[i]->sector / PAGE_SECTORS;

		if (!c->n_pages || c->pages[c->n_pages - 1].number != page)
			c->pages[c->n_pages++] = (struct page){ .number = page, .steps = array(n, sizeof(uint32_t)) };
		if (!c->n_slots || c->slots[c->n_slots - 1].sector != c->v[i]->sector)
			c->slots[c->n_slots++] = (struct slot){ c->v[i]->sector, i, 0, c->n_pages - 1 };
		c->slots[c->n_slots - 1].n++;
		add_step(&c->pages[c->n_pages - 1], c->v[i]->step);
	}
}

static void
enter(struct cuts *c, struct window *w)
{
	const struct record *r = &c->run->r;
	size_t v = 0, m = 0;

	for (uint32_t i = 0; i < c->n_pages; i++)
		free(c->pages[i].steps);
	c->now = w;
	c->n_slots = c->n_pages = c->n_sizes = 0;
	image_reset(&c->base, r);
	image_forward(&c->base, r, w->sync, &v, &m);
	c->sizes[c->n_sizes++] = c->base.size;
	for (; m < r->n_marks && r->m[m].step < w->to; m++)
		if (r->m[m].kind == MARK_SIZE && c->n_sizes < SIZES_MAX)
			c->sizes[c->n_sizes++] = r->m[m].value;
	c->top = 0;
	for (uint32_t i = 0; i < c->n_sizes; i++)
		c->top = c->sizes[i] > c->top ? c->sizes[i] : c->top;
	collect_versions(c, r);
	w->combinations = c->n_sizes;
	for (uint32_t i = 0; w->combinations && i < c->n_pages; i++)
		w->combinations = w->combinations * (c->pages[i].n + 1) > c->run->budget ? 0 :
		    w->combinations * (c->pages[i].n + 1);
}

/* Slot s as it was at step: versions are sorted. */
static void
put_at(struct cuts *c, const struct slot *s, uint32_t step)
{
	const struct version *last = NULL;

	for (uint32_t i = 0; i < s->n && c->v[s->first + i]->step <= step; i++)
		last = c->v[s->first + i];
	if (last)
		image_apply(&c->im, last, SECTOR);
}

static void
put_pages(struct cuts *c, uint64_t id, bool all)
{
	uint64_t rng = run_random(id ^ (uint64_t)c->now->from << 32);
	uint32_t s = 0;

	c->im.size = c->sizes[all ? id % c->n_sizes : rng & 1 ? c->n_sizes - 1 : (rng >> 1) % c->n_sizes];
	id /= c->n_sizes;
	for (uint32_t p = 0; p < c->n_pages; p++) {
		uint64_t choice;

		rng = run_random(rng);
		choice = (all ? id : rng) % (c->pages[p].n + 1);
		id /= c->pages[p].n + 1;
		for (; s < c->n_slots && c->slots[s].page == p; s++)
			if (choice)
				put_at(c, &c->slots[s], c->pages[p].steps[choice - 1]);
	}
}

/* Three ways to choose: any version; the first or the last; nearly all first or nearly all last. */
static void
put_sectors(struct cuts *c, uint64_t id)
{
	uint64_t rng = run_random(id ^ (uint64_t)c->now->from << 32), mode = rng % 3, mostly = rng >> 8 & 1;

	c->im.size = c->sizes[rng & 2 ? c->n_sizes - 1 : (rng >> 16) % c->n_sizes];
	for (uint32_t s = 0; s < c->n_slots; s++) {
		const struct slot *slot = &c->slots[s];
		uint64_t choice;

		rng = run_random(rng);
		if (mode == 0)
			choice = rng % (slot->n + 1);
		else if (mode == 1)
			choice = rng & 1 ? slot->n : 0;
		else
			choice = rng % (c->n_slots + 1) < 2 ? (rng >> 32) % (slot->n + 1) : mostly ? slot->n : 0;
		if (choice)
			image_apply(&c->im, c->v[slot->first + choice - 1], SECTOR);
	}
}

/* The judge's file gets the content and keeps its inode. */
static uint64_t
scratch_inode(const struct cuts *c)
{
	int fd = open(c->run->scratch, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die("%s", c->run->scratch);
	close(fd);
	return st.st_ino;
}

/* State `id` of the window at hand. */
static void
build(struct cuts *c, uint64_t id)
{
	const struct judge *judge = c->run->op->judge;

	c->im.size = c->top;
	image_reset(&c->im, &(struct record){ .base = c->base.p, .base_size = c->base.size });
	c->im.exists = c->now->name_safe || (c->now->linked && run_random(~id) % 4);
	if (id < c->now->combinations)
		put_pages(c, id, true);
	else if (id % 3 == 0)
		put_pages(c, id, false);
	else
		put_sectors(c, id);
	/* What lies behind the end is lost with the size. */
	memset(c->im.p + c->im.size, 0, c->top - c->im.size);
	if (judge->reboot)
		judge->reboot(&c->im, scratch_inode(c));
}

static void
judge_all(void *arg, uint64_t from)
{
	struct cuts *c = arg;
	struct run *run = c->run;
	uint64_t per = run->budget;
	unsigned window = UINT32_MAX;
	char why[WHY], kept[4096];

	image_init(&c->base);
	image_init(&c->im);
	for (uint64_t id = from; id < c->n * per; id++) {
		struct window *w = &c->w[id / per];
		struct moment when = { .command = w->command, .power = true };

		if (run->only >= 0 && (uint64_t)run->only != id)
			continue;
		if (window != id / per)
			enter(c, w);
		window = (unsigned)(id / per);
		build(c, id % per);
		if (run->only >= 0) {
			snprintf(kept, sizeof(kept), "%s.kept", run->scratch);
			image_write(&c->im, kept);
			printf("# window [%u, %u) since the flush at %u, command %u, kept in %s\n", w->from, w->to, w->sync,
			    w->command, kept);
		}
		image_write(&c->im, run->scratch);
		guard_begin(&run->g, id);
		guard_end(&run->g, run->op->judge->judge(run->known, &when, run->scratch, why), why);
		/* One state is all there is where nothing was changed. */
		if (!c->n_slots && c->n_sizes == 1 && c->im.exists == w->name_safe && run->only < 0)
			id = (id / per + 1) * per - 1;
	}
}

void
row_cut(struct run *run)
{
	struct cuts c = { .run = run };

	find_windows(&c);
	c.v = array(run->r.n_versions, sizeof(*c.v));
	c.slots = array(run->r.n_versions, sizeof(*c.slots));
	c.pages = array(run->r.n_versions, sizeof(*c.pages));
	guard_run(&run->g, c.n * run->budget, judge_all, &c);
	run->g.t->points = run->g.t->judged;
	printf("# cut %s: %u windows, %llu states, %llu bad\n", run->op->name, c.n, (unsigned long long)run->g.t->judged,
	    (unsigned long long)run->g.t->bad);
	free(c.v);
	free(c.slots);
	free(c.pages);
}
