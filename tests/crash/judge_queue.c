/*
 * Queues.
 *
 * Kill: the items are a run of those before and after the command, in order; what is gone from the front was written to
 * standard output; operands of one push are all there or none.
 * Power cut: every item that --sync acknowledged and nobody took is there; nothing that a --sync pop took is; whatever is
 * there was pushed, is whole, and stands in order.
 */
#include "judge.h"
#include "queue.h"
#include "hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ITEMS_MAX 4096

struct entry {
	uint64_t id, length, hash;
};

struct list {
	unsigned n;
	struct entry e[ITEMS_MAX];
};

struct known {
	const struct op *op;
	const struct record *r;
	struct list at[OP_COMMANDS + 1]; /* before each command, and after the last */
	uint64_t out[OP_COMMANDS + 1];
};

static const struct entry *
find(const struct list *l, uint64_t id)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->e[i].id == id)
			return &l->e[i];
	return NULL;
}

static bool
same(const struct entry *a, const struct entry *b)
{
	return a && b && a->id == b->id && a->length == b->length && a->hash == b->hash;
}

static int
read_item(struct queue *q, const struct q_state *s, struct q_item *item, struct list *l)
{
	XXH3_state_t x;
	const void *p;
	uint64_t n;
	int rc = q_verify(q, s, item);

	if (rc || l->n == ITEMS_MAX)
		return rc ? rc : -E2BIG;
	XXH3_64bits_reset(&x);
	for (uint64_t at = 0; at < item->length; at += n) {
		rc = q_payload(q, s, item, at, &p, &n);
		if (rc)
			return rc;
		XXH3_64bits_update(&x, p, n);
	}
	l->e[l->n++] = (struct entry){ item->id, item->length, XXH3_64bits_digest(&x) };
	return 0;
}

static int
read_range(struct queue *q, const struct q_state *s, uint64_t from, uint64_t to, struct list *l)
{
	struct q_item item;
	int rc = 0;

	for (; !rc && from < to; from = item.end) {
		rc = q_record(q, s, from, to, &item);
		if (!rc && item.kind == Q_ITEM)
			rc = read_item(q, s, &item, l);
	}
	return rc;
}

/* All ready items, in order. */
static int
read_all(struct queue *q, struct list *l)
{
	static struct q_snapshot snap;
	int rc = q_map(q);

	l->n = 0;
	if (!rc)
		rc = q_snapshot(q, &snap);
	for (unsigned i = 0; !rc && i < snap.n; i++)
		rc = read_range(q, &snap.s, snap.ready[i].from, snap.ready[i].to, l);
	return rc ? rc : l->n == snap.s.ready ? 0 : -ERANGE;
}

static void
finding(void *arg, uint64_t offset, const char *code, const char *message)
{
	judge_no(arg, "check: %s at %llu: %s", code, (unsigned long long)offset, message);
}

/* The whole check, under the lock, which also recovers. */
static bool
whole(struct queue *q, char why[WHY])
{
	int rc = q_lock(q);

	*why = '\0';
	if (rc)
		return judge_no(why, "lock: %s (%s)", err_text(rc), rc == -ERR_DAMAGED ? q->at.what : "");
	rc = q_reap(q);
	if (!rc)
		rc = q_check(q, finding, why);
	q_unlock(q);
	return rc ? judge_no(why, "check: %s", err_text(rc)) : !*why;
}

static bool
push(struct queue *q, const char *text, char why[WHY])
{
	static struct q_writer w;
	int rc = q_push_begin(q, &w, 0);

	if (rc)
		return judge_no(why, "push: %s", err_text(rc));
	rc = q_push_put(&w, text, strlen(text));
	if (rc) {
		q_push_abandon(&w);
		return judge_no(why, "push: %s", err_text(rc));
	}
	rc = q_push_end(&w);
	return rc ? judge_no(why, "push: %s", err_text(rc)) : true;
}

/* Pushes one more, takes all, and finds the same and no more. */
static bool
use(struct queue *q, const struct list *before, char why[WHY])
{
	static struct list all, got;
	struct q_range r;
	int rc;

	if (!push(q, "one more", why))
		return false;
	rc = read_all(q, &all);
	if (rc || all.n != before->n + 1)
		return judge_no(why, "after one more push: %s, %u items", rc ? err_text(rc) : "", all.n);
	if (before->n && all.e[before->n].id <= before->e[before->n - 1].id)
		return judge_no(why, "after one more push: its id is not the highest");
	got.n = 0;
	do {
		rc = q_take(q, 100000, 1 << 20, &r);
		if (!rc && r.items)
			rc = read_range(q, &q->s, r.from, r.to, &got);
		if (!rc && r.items)
			rc = q_finish(q, &r, r.to);
	} while (!rc && r.items);
	if (rc)
		return judge_no(why, "pop all: %s", err_text(rc));
	if (got.n != all.n || memcmp(got.e, all.e, all.n * sizeof(all.e[0])))
		return judge_no(why, "pop all: other items than were there");
	if (!push(q, "again", why) || !whole(q, why))
		return false;
	rc = read_all(q, &all);
	return rc || all.n != 1 ? judge_no(why, "a push into the empty queue: %u items", all.n) : true;
}

/* An absent file is an empty list. */
static int
list_file(const char *path, struct list *l)
{
	struct queue q;
	int rc = q_open(&q, path, true, 0);

	l->n = 0;
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	rc = q_lock(&q); /* recovers */
	if (!rc) {
		q_unlock(&q);
		rc = read_all(&q, l);
	}
	q_close(&q);
	return rc;
}

static void *
learn(const struct op *op, const struct record *r, const char *scratch)
{
	struct known *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		die("judge");
	k->op = op;
	k->r = r;
	for (unsigned i = 0; i <= r->commands; i++) {
		image_before(r, i, scratch);
		rc = list_file(scratch, &k->at[i]);
		if (rc)
			die("%s: before command %u: %s", op->name, i, err_text(rc));
	}
	for (size_t m = 0, i = 0; m < r->n_marks; m++)
		if (r->m[m].kind == MARK_OUT)
			k->out[i + 1] = r->m[m].value;
		else if (r->m[m].kind == MARK_END && ++i < r->commands)
			k->out[i + 1] = k->out[i];
	return k;
}

static bool
after_kill(const struct known *k, const struct moment *when, const struct list *l, char why[WHY])
{
	unsigned j = when->command, last = j < k->r->commands ? j + 1 : j, gone = 0, added;
	const struct list *old = &k->at[j], *new = &k->at[last];
	uint64_t written = when->out - k->out[j], need = 0, end = k->op->commands[j] && strstr(k->op->commands[j], "--raw") ? 0 : 1;
	const struct entry *e;

	while (gone < old->n && (!l->n || old->e[gone].id != l->e[0].id))
		need += old->e[gone++].length + end;
	if (gone == old->n && l->n && !find(new, l->e[0].id))
		return judge_no(why, "item %llu is neither old nor new", (unsigned long long)l->e[0].id);
	if (need > written)
		return judge_no(why, "%u items are gone, %llu bytes of %llu were written", gone, (unsigned long long)written,
		    (unsigned long long)need);
	if (gone < old->n && l->n < old->n - gone)
		return judge_no(why, "%u items, before it were %u", l->n, old->n);
	for (unsigned i = 0, fresh = 0; i < l->n; i++) {
		/* The old ones that are left, then the new ones: none skipped, none changed. */
		if (gone + i < old->n)
			e = &old->e[gone + i];
		else
			while ((e = fresh < new->n ? &new->e[fresh++] : NULL) && find(old, e->id))
				;
		if (!same(e, &l->e[i]))
			return judge_no(why, "item %llu is not what should be there", (unsigned long long)l->e[i].id);
	}
	added = l->n - (old->n - gone);
	if (added && !strchr(k->op->commands[j], '<') && added != new->n - (old->n - gone))
		return judge_no(why, "%u of the items of one push", added);
	return true;
}

/* May or must the item be there? */
static void
rights(const struct known *k, unsigned j, uint64_t id, const struct entry **may, bool *must)
{
	unsigned last = j < k->r->commands ? j + 1 : j;

	*may = find(&k->at[0], id);
	*must = *may;
	for (unsigned i = 1; i <= last; i++) {
		const struct entry *e = find(&k->at[i], id);
		bool synced = i <= j && op_synced(k->op->commands[i - 1]);

		if (e && !find(&k->at[i - 1], id)) {
			*may = e;
			*must = synced;
		} else if (!e && find(&k->at[i - 1], id)) {
			*must = false;
			if (synced)
				*may = NULL;
		}
	}
}

static bool
after_cut(const struct known *k, const struct moment *when, const struct list *l, char why[WHY])
{
	const struct entry *may;
	uint64_t last_id = 0;
	bool must;

	for (unsigned i = 0; i <= k->r->commands; i++)
		for (unsigned n = 0; n < k->at[i].n; n++) {
			rights(k, when->command, k->at[i].e[n].id, &may, &must);
			if (must && !find(l, k->at[i].e[n].id))
				return judge_no(why, "item %llu was acknowledged with --sync and is lost",
				    (unsigned long long)k->at[i].e[n].id);
		}
	for (unsigned i = 0; i < l->n; i++) {
		rights(k, when->command, l->e[i].id, &may, &must);
		if (!may)
			return judge_no(why, "item %llu should be gone, or never was",
			    (unsigned long long)l->e[i].id);
		if (!same(may, &l->e[i]))
			return judge_no(why, "item %llu is not what was pushed", (unsigned long long)l->e[i].id);
		if (l->e[i].id <= last_id)
			return judge_no(why, "item %llu is out of order", (unsigned long long)l->e[i].id);
		last_id = l->e[i].id;
	}
	return true;
}

static bool
judge(void *known, const struct moment *when, const char *path, char why[WHY])
{
	static struct list l;
	struct queue q;
	bool good = false;
	int rc = q_open(&q, path, true, 0);

	l.n = 0;
	if (rc == -ENOENT)
		return when->power ? after_cut(known, when, &l, why) : after_kill(known, when, &l, why);
	if (rc)
		return judge_no(why, "open: %s", err_text(rc));
	if (whole(&q, why)) {
		rc = read_all(&q, &l);
		if (rc)
			judge_no(why, "read: %s (%s)", err_text(rc), rc == -ERR_DAMAGED ? q.at.what : "");
		else
			good = when->power ? after_cut(known, when, &l, why) : after_kill(known, when, &l, why);
	}
	good = good && use(&q, &l, why);
	q_close(&q);
	return good;
}

static void
reboot(struct image *im, uint64_t inode)
{
	judge_forget_instances(im, inode);
	if (im->size >= HDR_PAGE)
		memcpy(im->p + offsetof(struct q_file, inode), &inode, sizeof(inode));
}

const struct judge judge_queue = { learn, judge, reboot,
	"mmq push s again && mmq check s && mmq pop --frame=len --all s >/dev/null && mmq check s && mmq push s last && test $(mmq len s) = 1" };
