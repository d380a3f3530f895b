/*
 * Another instance: after a power cut, a forced unmount or a copy made in use, header, index and slot pages may be of
 * different age. Slots are whole (none crosses a sector) and are the truth, so the index and the cursors are
 * made anew from them: here, and nowhere else.
 *
 * Who looks: every miss and every creation, never a hit (an entry that leads to the right name is right at any
 * age). Killed in the middle: the instance is recorded last, so the next one begins again.
 */
#include "ctr_impl.h"
#include "instance.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int
ctr_known(struct ctr *c, bool *known)
{
	struct ctr_file *f = ctr_file(c);
	uint64_t id;
	int rc = instance_id(c->map.fd, &id);

	*known = false;
	for (int i = 0; !rc && i < CTR_INSTANCES; i++)
		*known |= ctr_load(&f->instances[i]) == id;
	return rc;
}

/* The newest first, the oldest drops out. Killed in between: one is there twice. */
static int
record_instance(struct ctr *c)
{
	struct ctr_file *f = ctr_file(c);
	uint64_t id;
	int rc = instance_id(c->map.fd, &id);

	if (rc)
		return rc;
	for (int i = CTR_INSTANCES - 1; i > 0; i--)
		ctr_publish(&f->instances[i], ctr_load(&f->instances[i - 1]));
	ctr_publish(&f->instances[0], id);
	return 0;
}

static bool
name_whole(struct ctr *c, uint64_t off, const struct ctr_word *w)
{
	const struct ctr_slot *s = ctr_at(c, off);

	return ctr_hash(c, (const char *)s->name, w->len) == w->hash;
}

/* A dead slot with half a name is a creation that was killed; a live one, or a word that is none, is damage. */
static int
scan_page(struct ctr *c, uint64_t page, ctr_scan_fn *fn, void *arg, struct err_at *damage)
{
	uint64_t off = page + CTR_LINE;

	while (off < page + CTR_PAGE) {
		const struct ctr_slot *s = ctr_at(c, off);
		struct ctr_word w;
		int rc;

		if (!ctr_load(&s->word)) {
			off += CTR_LINE;
			continue;
		}
		rc = ctr_slot_decode(c, off, &w);
		if (!rc && name_whole(c, off, &w))
			rc = fn(c, off, &w, arg);
		else if (!rc && w.live)
			rc = err_damaged(&c->map.at, off + offsetof(struct ctr_slot, name), "counter name");
		if (rc && rc != -ERR_DAMAGED)
			return rc;
		if (rc && !damage->what)
			*damage = c->map.at;
		off += rc ? CTR_LINE : ctr_slot_lines(w.len) * CTR_LINE;
	}
	return 0;
}

/* The page after one that is none of ours. Holes are skipped: a file of terabytes may have nothing but them. */
static uint64_t
next_page(const struct ctr *c, uint64_t page)
{
	off_t data = lseek(c->map.fd, (off_t)(page + CTR_PAGE), SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? UINT64_MAX - CTR_PAGE : page + CTR_PAGE;
	return (uint64_t)data / CTR_PAGE * CTR_PAGE;
}

/* Every slot of every slot page. Damaged ones are left out; the first makes the result -ERR_DAMAGED. */
int
ctr_scan(struct ctr *c, ctr_scan_fn *fn, void *arg)
{
	struct err_at damage = { 0 };
	uint64_t capacity, next;
	int rc = ctr_sealed(c, &ctr_file(c)->capacity, "capacity", &capacity);

	if (!rc)
		rc = ctr_reach(c, 0, capacity);
	for (uint64_t page = CTR_FIRST_SLOTS; !rc && page + CTR_PAGE <= capacity; page = next) {
		next = page + CTR_PAGE;
		if (ctr_page_is(c, page, CTR_PAGE_SLOTS))
			rc = scan_page(c, page, fn, arg, &damage);
		else
			next = next_page(c, page);
	}
	if (!rc && damage.what) {
		c->map.at = damage;
		rc = -ERR_DAMAGED;
	}
	return rc;
}

struct survey {
	uint64_t slots;     /* how many */
	uint64_t slots_end; /* end of the last one */
	struct ctr_table new;
	struct ctr_table old;
	bool have_old;
};

static int
survey_slot(struct ctr *c, uint64_t off, const struct ctr_word *w, void *arg)
{
	struct survey *s = arg;

	(void)c;
	s->slots++;
	s->slots_end = off + ctr_slot_lines(w->len) * CTR_LINE;
	return 0;
}

/* Two slots of one name: a creation was killed before it linked its slot, and the next made another. */
static bool
is_linked(struct ctr *c, struct survey *s, uint64_t off, const struct ctr_word *w)
{
	const struct ctr_slot *slot = ctr_at(c, off);
	uint64_t found;

	return s->have_old && !ctr_table_find(c, &s->old, (const char *)slot->name, w->len, &found) && found == off;
}

static int
index_slot(struct ctr *c, uint64_t off, const struct ctr_word *w, void *arg)
{
	const struct ctr_slot *slot = ctr_at(c, off);
	struct survey *s = arg;
	struct ctr_word other;
	uint64_t have;
	int rc = ctr_table_find(c, &s->new, (const char *)slot->name, w->len, &have);

	if (rc == -ENOENT)
		return ctr_table_put(c, &s->new, w->hash, off);
	if (rc)
		return rc;
	rc = ctr_slot_decode(c, have, &other);
	if (rc || is_linked(c, s, have, &other))
		return rc;
	return ctr_table_swap(c, &s->new, w->hash, have, off); /* this one is the later, or linked */
}

/* First page behind everything that can be recognised. */
static int
space_end(struct ctr *c, const struct survey *s, uint64_t *end)
{
	uint64_t capacity, cursor = 0;
	int rc = ctr_sealed(c, &ctr_file(c)->capacity, "capacity", &capacity);

	if (!rc)
		rc = ctr_sealed(c, &ctr_file(c)->space_next, "page cursor", &cursor);
	if (!rc)
		rc = ctr_reach(c, 0, capacity);
	if (!rc && (cursor % CTR_PAGE || cursor > capacity))
		rc = err_damaged(&c->map.at, offsetof(struct ctr_file, space_next), "page cursor");
	if (rc)
		return rc;
	*end = cursor;
	for (uint64_t page = cursor; page + CTR_PAGE <= capacity; page = next_page(c, page))
		if (ctr_page_is(c, page, CTR_PAGE_SLOTS) || ctr_page_is(c, page, CTR_PAGE_EXT))
			*end = page + CTR_PAGE;
	if (s->have_old && s->old.off + (s->old.mask + 1) * sizeof(uint64_t) > *end)
		*end = s->old.off + (s->old.mask + 1) * sizeof(uint64_t);
	return 0;
}

/*
 * Under LOCK_MAIN, header page ready. Cursors first (they only reserve), then the table in fresh pages, then its
 * root, then the record that this instance is good. Updates of counters that the old index finds go on meanwhile.
 */
int
ctr_recover(struct ctr *c)
{
	struct ctr_file *f = ctr_file(c);
	struct survey s = { 0 };
	uint64_t end;
	int rc = ctr_scan(c, survey_slot, &s);

	if (rc)
		return rc;
	s.have_old = !ctr_table_decode(c, ctr_load(&f->root), &s.old);
	rc = space_end(c, &s, &end);
	if (rc)
		return rc;
	ctr_publish(&f->space_next, seal(end));
	ctr_publish(&f->slot_next, seal(s.slots_end));
	ctr_publish(&f->ext_next, seal(0)); /* the next record begins a page */
	rc = ctr_table_new(c, ctr_table_fit(s.slots + 1), &s.new);
	if (!rc)
		rc = ctr_scan(c, index_slot, &s);
	if (rc)
		return rc;
	ctr_publish(&f->names, seal(s.slots));
	ctr_publish(&f->root, ctr_table_root(&s.new));
	return record_instance(c);
}

struct wanted {
	const char *name;
	size_t n;
	uint64_t slot;
};

static int
compare_slot(struct ctr *c, uint64_t off, const struct ctr_word *w, void *arg)
{
	const struct ctr_slot *s = ctr_at(c, off);
	struct wanted *want = arg;

	if (w->len == want->n && !memcmp(s->name, want->name, want->n) && (w->live || !want->slot))
		want->slot = off;
	return 0;
}

/*
 * After a miss: is it one? In an unknown instance a writer recovers and looks again; a reader, who
 * cannot have the lock, looks through the slots themselves.
 */
int
ctr_locate(struct ctr *c, const char *name, size_t n, uint64_t *slot)
{
	struct wanted want = { .name = name, .n = n };
	int rc = c->known ? 0 : ctr_known(c, &c->known);

	if (!rc && !c->known && c->map.writable) {
		rc = ctr_lock(c);
		if (!rc)
			ctr_unlock(c);
	}
	if (rc)
		return rc;
	if (c->known)
		return ctr_find(c, name, n, slot);
	rc = ctr_scan(c, compare_slot, &want);
	if (want.slot) {
		*slot = want.slot;
		return 0;
	}
	return rc ? rc : -ENOENT;
}
