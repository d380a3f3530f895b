/* The file as a whole: made, opened, locked, synced. */
#include "ctr_impl.h"
#include "hash.h"
#include "hdr.h"
#include "instance.h"
#include "lock.h"
#include "seam.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
ctr_reach(struct ctr *c, uint64_t off, uint64_t len)
{
	uint64_t end;
	int rc;

	if (__builtin_add_overflow(off, len, &end) || end > c->map.reserve)
		return -ERR_TRUNCATED;
	if (end <= c->map.size)
		return 0;
	rc = map_refresh(&c->map); /* somebody may have grown it */
	if (rc)
		return rc;
	return end <= c->map.size ? 0 : -ERR_TRUNCATED;
}

int
ctr_sealed(struct ctr *c, const uint64_t *p, const char *what, uint64_t *value)
{
	return unseal(ctr_load(p), value) ? 0 : err_damaged(&c->map.at, ctr_off(c, p), what);
}

static void
adopt(struct ctr *c, const struct hdr *h)
{
	memcpy(&c->seed, h->uuid, sizeof(c->seed));
}

/* The file is only ever made longer, and durably so before the header says it: shorter is damage. */
static int
check_size(struct ctr *c)
{
	uint64_t capacity;
	int rc;

	if (c->map.size < CTR_FIRST_SIZE)
		return -ERR_TRUNCATED;
	rc = ctr_sealed(c, &ctr_file(c)->capacity, "capacity", &capacity);
	return rc ? rc : ctr_reach(c, 0, capacity);
}

static int
open_existing(struct ctr *c, const char *path, const struct ctr_how *how)
{
	struct hdr h;
	int rc = map_open(&c->map, path, MAP_STORE | (how->flags & CTR_RW ? MAP_RW : 0));

	if (rc)
		return rc;
	if (how->flags & CTR_SYNC)
		rc = map_can_sync(&c->map);
	if (!rc && !c->map.size)
		rc = -ERR_EMPTY;
	if (!rc)
		rc = map_view(&c->map, c->map.size);
	if (!rc)
		rc = hdr_decode(c->map.base, c->map.size, HDR_KIND_COUNTERS, c->map.writable, &h, &c->map.at);
	if (!rc) {
		adopt(c, &h);
		rc = check_size(c);
	}
	if (rc)
		map_close(&c->map);
	return rc;
}

int
ctr_open(struct ctr *c, const char *path, const struct ctr_how *how)
{
	int rc;

	*c = (struct ctr){ .map = MAP_CLOSED, .lock_timeout = how->lock_timeout };
	do {
		rc = open_existing(c, path, how);
		if (rc == -ENOENT && (how->flags & CTR_CREATE))
			rc = ctr_create(c, path, how);
	} while (rc == -EEXIST); /* somebody else made it first */
	return rc;
}

struct draft {
	struct ctr_file head;
	uint64_t table[CTR_PAGE / sizeof(uint64_t)];
	struct ctr_page slots;
};

static int
fill_head(struct map *m, struct ctr_file *f)
{
	int rc = hdr_init(&f->hdr, HDR_KIND_COUNTERS, CTR_PAGE, 0);

	f->capacity = seal(CTR_FIRST_SIZE);
	f->root = seal(CTR_FIRST_TABLE / CTR_PAGE << CTR_ROOT_LOG2_BITS | CTR_TABLE_MIN);
	f->space_next = seal(CTR_FIRST_SLOTS + CTR_PAGE);
	f->slot_next = seal(CTR_FIRST_SLOTS + CTR_LINE);
	f->ext_next = seal(0);
	f->names = seal(0);
	return rc ? rc : instance_id(m->fd, &f->instances[0]);
}

static int
fill(struct map *m, void *arg)
{
	const struct ctr_how *how = arg;
	struct draft *d;
	int rc;

	if (how->flags & CTR_SYNC && (rc = map_can_sync(m)))
		return rc;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	rc = fill_head(m, &d->head);
	for (size_t i = 0; i < CTR_PAGE / sizeof(uint64_t); i++)
		d->table[i] = CTR_EMPTY;
	ctr_page_fill(&d->slots, d->head.hdr.uuid, CTR_PAGE_SLOTS, CTR_FIRST_SLOTS);
	if (!rc)
		rc = map_pwrite(m, d, sizeof(*d), 0);
	free(d);
	return rc;
}

int
ctr_create(struct ctr *c, const char *path, const struct ctr_how *how)
{
	struct ctr_how copy = *how;
	int rc;

	*c = (struct ctr){ .map = MAP_CLOSED, .lock_timeout = how->lock_timeout, .known = true };
	rc = map_create(&c->map, path, how->mode, CTR_FIRST_SIZE, fill, &copy);
	if (rc)
		return rc;
	rc = map_view(&c->map, c->map.size);
	if (rc)
		map_close(&c->map);
	else
		adopt(c, &ctr_file(c)->hdr);
	return rc;
}

void
ctr_close(struct ctr *c)
{
	map_close(&c->map);
}

int
ctr_sync(struct ctr *c)
{
	int rc = SEAM("ctr-sync", map_sync(&c->map), 0);

	if (rc && c->map.writable)
		map_redirty(&c->map, 0, c->map.size);
	return rc;
}

/*
 * Everything that changes the structure goes through here, so that it may trust index and cursors: a file last
 * written in another instance (a power cut since, or a copy) is recovered first.
 */
int
ctr_lock(struct ctr *c)
{
	bool known = c->known;
	int rc = lock_take(c->map.fd, LOCK_MAIN, true, c->lock_timeout);

	if (rc)
		return rc;
	rc = map_current(&c->map);
	if (!rc && !known)
		rc = ctr_known(c, &known);
	if (!rc)
		rc = map_ready(&c->map, 0, CTR_PAGE);
	if (!rc && !known)
		rc = ctr_recover(c);
	if (rc)
		ctr_unlock(c);
	else
		c->known = true;
	return rc;
}

void
ctr_unlock(struct ctr *c)
{
	lock_drop(c->map.fd, LOCK_MAIN);
}
