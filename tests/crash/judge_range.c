/*
 * Plain files under mmwrite: a kill or a power cut may mix old and new bytes within the range. Bad is any other byte, a
 * size outside [old, new], a half-made new file, and old bytes after --sync was acknowledged.
 */
#include "judge.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct known {
	const struct op *op;
	const struct record *r;
	struct image at[OP_COMMANDS + 1];
};

static void *
learn(const struct op *op, const struct record *r, const char *scratch)
{
	struct known *k = calloc(1, sizeof(*k));

	if (!k)
		die("judge");
	k->op = op;
	k->r = r;
	for (unsigned i = 0; i <= r->commands; i++) {
		image_init(&k->at[i]);
		image_before(r, i, scratch);
		image_read(&k->at[i], scratch);
	}
	return k;
}

/* The command whose acknowledgement stands: nothing older may come back. */
static unsigned
promised(const struct known *k, const struct moment *when)
{
	unsigned first = when->power ? 0 : when->command;

	for (unsigned i = 1; when->power && i <= when->command; i++)
		if (op_synced(k->op->commands[i - 1]))
			first = i;
	return first;
}

static bool
allowed(const struct known *k, unsigned first, unsigned last, uint64_t at, uint8_t byte)
{
	for (unsigned i = first; i <= last; i++)
		if (at < k->at[i].size && k->at[i].p[at] == byte)
			return true;
	/* Reserved, not written yet. */
	return !byte && at >= k->at[first].size;
}

static bool
judge(void *known, const struct moment *when, const char *path, char why[WHY])
{
	const struct known *k = known;
	unsigned first = promised(k, when), last = when->command + (when->command < k->r->commands);
	uint64_t low = UINT64_MAX, high = 0;
	static struct image im;

	if (!im.p)
		image_init(&im);
	image_read(&im, path);
	if (!im.exists)
		return !k->at[first].exists || judge_no(why, "the file is gone");
	/* A new file appears whole. */
	if (!when->power && !k->at[first].exists)
		first = last;
	for (unsigned i = first; i <= last; i++) {
		low = k->at[i].size < low ? k->at[i].size : low;
		high = k->at[i].size > high ? k->at[i].size : high;
	}
	if (im.size < low || im.size > high)
		return judge_no(why, "%llu bytes, wanted %llu to %llu", (unsigned long long)im.size,
		    (unsigned long long)low, (unsigned long long)high);
	for (uint64_t at = 0; at < im.size; at++)
		if (!allowed(k, first, last, at, im.p[at]))
			return judge_no(why, "byte %llu is neither old nor new", (unsigned long long)at);
	return true;
}

const struct judge judge_range = { learn, judge, NULL, "mmwrite -a s <in && mmcat s >/dev/null" };
