/*
 * Standard input into a range of the file.
 *
 * Of an input of known length every byte has its place reserved before the first one is stored. A stream is stored
 * as it comes: first over the old bytes, then, under the lock, beyond them.
 *
 * LOCK_MAIN is held by whoever makes the file longer, from before it looks at the size until it is done:
 * appended parts do not overlap, and cutting back after a failure takes nobody else's bytes. Those who stay within
 * the old size do not take it.
 */
#include "mmwrite.h"
#include "lock.h"
#include "space.h"

#include <errno.h>

/* Where this write begins, by the size the file has now. */
static int
place(struct mmwrite *w, struct map *m)
{
	int rc = 0;

	if (!w->append)
		rc = range_start(w->offset, m->size, &w->off);
	else
		w->off = m->size;
	w->pos = w->off;
	w->old_size = m->size;
	return rc;
}

/* From here on the size is ours to change. */
static int
lock_size(struct mmwrite *w, struct map *m)
{
	int rc;

	if (w->draft || w->locked)
		return 0;
	rc = lock_take(m->fd, LOCK_MAIN, true, w->common.lock_timeout);
	if (rc)
		return rc;
	w->locked = true;
	return map_refresh(m);
}

/* FILE is its own input: reading what was just written would make nonsense of both. */
static bool
overlaps(const struct mmwrite *w, const struct map *m, uint64_t end)
{
	struct stat st;

	return w->in.len > w->in.have && !fstat(w->in.fd, &st) && st.st_dev == m->dev && st.st_ino == m->ino &&
	    w->in.pos < end && w->off < w->in.pos + w->in.len;
}

static int
place_known(struct mmwrite *w, struct map *m, uint64_t *end)
{
	int rc = place(w, m);

	if (!rc)
		rc = range_end(w->off, w->in.len, end);
	if (rc || *end <= w->old_size)
		return rc;
	if (w->fixed_size)
		return -ERR_FIXED;
	if (w->locked || w->draft)
		return 0;
	/* The size may have changed until the lock was had. */
	rc = lock_size(w, m);
	return rc ? rc : place_known(w, m, end);
}

static int
write_known(struct mmwrite *w, struct map *m)
{
	uint64_t end, n;
	int rc = place_known(w, m, &end);

	if (!rc && overlaps(w, m, end))
		rc = -ERR_OVERLAP;
	if (!rc)
		rc = space_reserve(m, w->off, end);
	while (!rc && w->pos < end) {
		rc = copy_in_step(&w->in, m, w->pos, end - w->pos, &n);
		w->pos += n;
	}
	return rc;
}

/* The stream has more bytes than the file has room: may it grow, and has somebody else made it longer? */
static int
begin_growth(struct mmwrite *w, struct map *m, bool *growing)
{
	int rc;

	if (w->fixed_size)
		return -ERR_FIXED;
	if (w->pos == INT64_MAX)
		return -EFBIG;
	rc = lock_size(w, m);
	if (rc)
		return rc;
	if (w->append && w->pos == w->off)
		return *growing = true, place(w, m);
	w->old_size = m->size > w->old_size ? m->size : w->old_size;
	*growing = w->pos >= w->old_size;
	return 0;
}

static int
write_stream(struct mmwrite *w, struct map *m)
{
	bool growing = false;
	uint64_t n = 1, limit;
	int rc = place(w, m);

	while (!rc && n) {
		limit = growing ? INT64_MAX : w->old_size;
		if (w->pos < limit) {
			rc = copy_in_step(&w->in, m, w->pos, limit - w->pos, &n);
			w->pos += n;
			continue;
		}
		rc = copy_in_peek(&w->in);
		n = w->in.have;
		if (!rc && n)
			rc = begin_growth(w, m, &growing);
	}
	return rc;
}

int
mmwrite_input(struct mmwrite *w, struct map *m)
{
	int rc = w->in.known ? write_known(w, m) : write_stream(w, m), cut;

	/* Also after a failed reservation: some of the space may have been had. */
	if (rc && w->locked) {
		cut = space_cut(m, w->old_size);
		w->cut = !cut && w->pos > w->old_size;
	}
	return rc;
}
