/*
 * Counters. Kill: each has its old or its new value. Power cut: a value it had since the last command that --sync
 * acknowledged. Either way the file then takes updates of all of them and new names.
 */
#include "judge.h"
#include "ctr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 1024

struct table {
	unsigned n;
	struct {
		char name[CTR_NAME_MAX + 1];
		int64_t value;
	} c[NAMES_MAX];
};

struct known {
	const struct op *op;
	const struct record *r;
	struct table at[OP_COMMANDS + 1];
};

static const struct ctr_how how = { .flags = CTR_RW };

static int
add(const struct ctr_item *it, void *arg)
{
	struct table *t = arg;

	if (t->n == NAMES_MAX)
		return -E2BIG;
	memcpy(t->c[t->n].name, it->name, sizeof(it->name));
	t->c[t->n++].value = it->value;
	return 0;
}

static const int64_t *
find(const struct table *t, const char *name)
{
	for (unsigned i = 0; i < t->n; i++)
		if (!strcmp(t->c[i].name, name))
			return &t->c[i].value;
	return NULL;
}

static int
list_file(const char *path, struct table *t)
{
	struct ctr c;
	int rc = ctr_open(&c, path, &how);

	t->n = 0;
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	rc = ctr_each(&c, add, t);
	ctr_close(&c);
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
			die("%s: before command %u: %d", op->name, i, rc);
	}
	return k;
}

static unsigned
promised(const struct known *k, const struct moment *when)
{
	unsigned first = when->power ? 0 : when->command;

	for (unsigned i = 1; when->power && i <= when->command; i++)
		if (op_synced(k->op->commands[i - 1]))
			first = i;
	return first;
}

/* Absent counts as a value: NULL. */
static bool
allowed(const struct known *k, unsigned first, unsigned last, const char *name, const int64_t *value)
{
	for (unsigned i = first; i <= last; i++) {
		const int64_t *v = find(&k->at[i], name);

		if (!v ? !value : value && *v == *value)
			return true;
	}
	return false;
}

static bool
right(const struct known *k, const struct moment *when, const struct table *t, char why[WHY])
{
	unsigned first = promised(k, when), last = when->command + (when->command < k->r->commands);

	for (unsigned i = 0; i < t->n; i++)
		if (!allowed(k, first, last, t->c[i].name, &t->c[i].value))
			return judge_no(why, "%.40s is %lld", t->c[i].name, (long long)t->c[i].value);
	for (unsigned i = first; i <= last; i++)
		for (unsigned n = 0; n < k->at[i].n; n++)
			if (!find(t, k->at[i].c[n].name) && !allowed(k, first, last, k->at[i].c[n].name, NULL))
				return judge_no(why, "%.40s is gone", k->at[i].c[n].name);
	return true;
}

/* Adds 1 to all there are and makes a new one. */
static bool
use(struct ctr *c, const struct table *before, char why[WHY])
{
	const struct ctr_op inc = { .kind = CTR_ADD, .operand = 1 };
	static struct table after;
	int64_t old, new;
	int rc = ctr_update(c, "one_more", 8, &inc, &old, &new);

	if (rc || new != 1)
		return judge_no(why, "a new counter: %s", rc ? err_text(rc) : "is not 1");
	for (unsigned i = 0; i < before->n; i++) {
		rc = ctr_update(c, before->c[i].name, strlen(before->c[i].name), &inc, &old, &new);
		if (rc || old != before->c[i].value || new != old + 1)
			return judge_no(why, "inc %.40s: %s", before->c[i].name, rc ? err_text(rc) : "wrong value");
	}
	after.n = 0;
	rc = ctr_each(c, add, &after);
	if (rc || after.n != before->n + 1)
		return judge_no(why, "after a new counter: %u of %u, %s", after.n, before->n + 1, rc ? err_text(rc) : "");
	return true;
}

static bool
judge(void *known, const struct moment *when, const char *path, char why[WHY])
{
	static struct table t;
	struct ctr c;
	bool good;
	int rc = ctr_open(&c, path, &how);

	t.n = 0;
	if (rc == -ENOENT)
		return right(known, when, &t, why);
	if (rc)
		return judge_no(why, "open: %s (%s)", err_text(rc), rc == -ERR_DAMAGED ? c.map.at.what : "");
	rc = ctr_each(&c, add, &t);
	if (rc)
		good = judge_no(why, "ls: %s (%s)", err_text(rc), rc == -ERR_DAMAGED ? c.map.at.what : "");
	else
		good = right(known, when, &t, why) && use(&c, &t, why);
	ctr_close(&c);
	return good;
}

const struct judge judge_counters = { learn, judge, judge_forget_instances,
	"mmctr inc s hits && mmctr inc s again && mmctr ls s >/dev/null" };
