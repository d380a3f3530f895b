/*
 * Row 1: kill -9 after every instruction.
 *
 * A killed process leaves the file as it is at that instruction, its locks are dropped by the kernel, its unnamed files
 * vanish. So the recorded contents are judged, each distinct one once, and every step is a kill that was judged. That
 * the record is what kills leave is confirmed by real kills at random steps, judged in the same way and by the programs.
 *
 * A kill also cuts a write(2) between two pages: where a step changed several, every prefix of whole pages is judged as
 * well. The first page claims to survive more, a torn sector, so there the prefixes go by 64 bytes.
 */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 64
#define PAGE_SECTORS 8

struct state {
	uint32_t step;
	size_t versions; /* this many of all are in it */
	size_t bytes;    /* and so many of the next one */
};

struct kills {
	struct run *run;
	struct state *s;
	size_t n;
};

static void
add(struct kills *k, uint32_t step, size_t versions, size_t bytes)
{
	if (!(k->n & (k->n - 1))) {
		k->s = realloc(k->s, (k->n ? 2 * k->n : 1) * sizeof(*k->s));
		if (!k->s)
			die("kill");
	}
	k->s[k->n++] = (struct state){ step, versions, bytes };
}

/* The distinct states: after each change, and within changes of more than a word. */
static void
plan(struct kills *k)
{
	const struct record *r = &k->run->r;
	size_t v = 0, m = 0;

	add(k, 0, 0, 0);
	for (uint32_t step = 1; step <= r->steps; step++) {
		size_t first = v;
		bool changed = false;

		for (; m < r->n_marks && r->m[m].step <= step; m++)
			changed = changed || r->m[m].kind <= MARK_LINKED || r->m[m].kind == MARK_OUT || r->m[m].kind == MARK_END;
		while (v < r->n_versions && r->v[v].step <= step)
			v++;
		for (size_t i = first + 1; i < v; i++)
			if (r->v[i].sector % PAGE_SECTORS == 0)
				add(k, step, i, 0);
		for (size_t b = PIECE; v - first == 1 && r->v[first].sector < PAGE_SECTORS && b < SECTOR; b += PIECE)
			add(k, step, first, b);
		if (changed || v > first)
			add(k, step, v, 0);
	}
}

static void
build(const struct kills *k, const struct state *s, struct image *im, struct moment *when)
{
	const struct record *r = &k->run->r;
	/* Marks of the step belong to it; the versions are counted. */
	size_t v = SIZE_MAX, m = 0;

	image_reset(im, r);
	image_forward(im, r, s->step, &v, &m);
	for (v = 0; v < s->versions; v++)
		image_apply(im, &r->v[v], SECTOR);
	if (s->bytes)
		image_apply(im, &r->v[v], s->bytes);
	*when = (struct moment){ .out = im->out };
	while (when->command < r->commands && r->end[when->command] <= s->step)
		when->command++;
}

static void
judge_all(void *arg, uint64_t from)
{
	struct kills *k = arg;
	struct run *run = k->run;
	struct moment when;
	struct image im;
	char why[WHY];

	image_init(&im);
	for (uint64_t i = from; i < k->n; i++) {
		if (run->only >= 0 && (uint64_t)run->only != i)
			continue;
		build(k, &k->s[i], &im, &when);
		image_write(&im, run->scratch);
		image_settle(&run->r, run->scratch);
		if (run->only >= 0) {
			char kept[4096];

			snprintf(kept, sizeof(kept), "%s.kept", run->scratch);
			image_read(&im, run->scratch);
			image_write(&im, kept);
			image_write(&im, run->scratch);
			printf("# step %u, command %u, kept in %s\n", k->s[i].step, when.command, kept);
		}
		guard_begin(&run->g, i);
		guard_end(&run->g, run->op->judge->judge(run->known, &when, run->scratch, why), why);
	}
}

/* Kills a real process after `steps` steps of command n and judges what it leaves. */
static void
real_kill(struct run *run, unsigned n, uint64_t steps)
{
	struct moment when = { .command = n };
	struct command c;
	struct tracee t;
	struct stat st;
	char path[4096], why[WHY];
	bool good;

	run_restore(run, n);
	command_parse(&c, run->op->commands[n]);
	if (trace_start(&t, &c, bin_dir, run->dir))
		die("cannot trace %s", c.argv[0]);
	if (trace_to_first(&t))
		trace_skip(&t, steps);
	trace_kill(&t);
	snprintf(path, sizeof(path), "%s/out", run->dir);
	if (!stat(path, &st))
		when.out = (uint64_t)st.st_size;
	/* What the programs say of it, on a copy that the judge has not touched yet. */
	snprintf(path, sizeof(path), "cd '%s' && rm -f s.real && if test -e s; then cp s s.real; fi", run->dir); /* s keeps its inode */
	if (system(path))
		die("%s", run->dir);
	good = run_use(run);
	if (!good)
		judge_no(why, "real kill at step %llu: the programs cannot use it", (unsigned long long)steps);
	snprintf(path, sizeof(path), "cd '%s' && if test -e s.real; then cat s.real >s; else rm -f s; fi", run->dir);
	if (system(path))
		die("%s", run->dir);
	snprintf(path, sizeof(path), "%s/" STORE, run->dir);
	/* Standard output was emptied by run_restore(): count on from what came before. */
	when.out += n ? UINT64_MAX / 2 : 0;
	good = good && run->op->judge->judge(run->known, &when, path, why);
	if (!good)
		guard_bad(&run->g, steps, why);
}

void
row_kill(struct run *run)
{
	struct kills k = { .run = run };
	uint64_t rng = 1;

	plan(&k);
	guard_run(&run->g, k.n, judge_all, &k);
	run->g.t->points = run->r.steps;
	for (uint64_t i = 0; run->only < 0 && i < run->budget; i++) {
		unsigned n = (unsigned)(run_random(rng++) % run->r.commands);

		real_kill(run, n, run_random(rng++) % (run->r.end[n] - run->r.start[n]));
	}
	printf("# kill %s: %u steps, %zu distinct states, %llu real kills, %llu bad\n", run->op->name, run->r.steps, k.n,
	    (unsigned long long)run->budget, (unsigned long long)run->g.t->bad);
	free(k.s);
}
