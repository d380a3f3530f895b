/*
 * The index: one open-addressing table of sealed 8-byte entries, linear probing, at most 0.6 full.
 *
 * A table instead of a trie: creation holds LOCK_MAIN anyway, and a lookup is one or two cache lines at any
 * size. Entries are only ever added. A full table is replaced by one of twice the size, published by the one store
 * of the root word; readers of the old one still find all that it held, slots never move, and who misses in it looks
 * at the root again.
 */
#include "ctr_impl.h"

#include <errno.h>
#include <string.h>

#define ROOT_RETRIES 64 /* a root that changes more often within one lookup is no growth */

int
ctr_table_decode(struct ctr *c, uint64_t root, struct ctr_table *t)
{
	uint64_t v, at = offsetof(struct ctr_file, root);

	if (!unseal(root, &v))
		return err_damaged(&c->map.at, at, "index root");
	t->log2 = v & ((1U << CTR_ROOT_LOG2_BITS) - 1);
	t->off = (v >> CTR_ROOT_LOG2_BITS) * CTR_PAGE;
	if (t->log2 < CTR_TABLE_MIN || t->log2 > 40 || !t->off || t->off > INT64_MAX)
		return err_damaged(&c->map.at, at, "index root");
	t->mask = (UINT64_C(1) << t->log2) - 1;
	if (ctr_reach(c, t->off, (t->mask + 1) * sizeof(uint64_t)))
		return err_damaged(&c->map.at, at, "index root leads beyond the end of file");
	return 0;
}

uint64_t
ctr_table_root(const struct ctr_table *t)
{
	return seal(t->off / CTR_PAGE << CTR_ROOT_LOG2_BITS | t->log2);
}

static uint64_t *
entry_at(struct ctr *c, const struct ctr_table *t, uint64_t i)
{
	return (uint64_t *)ctr_at(c, t->off) + (i & t->mask);
}

/*
 * A damaged entry, or a damaged slot that might be the one, does not end the search; only when the name is not found
 * elsewhere is it the answer.
 */
int
ctr_table_find(struct ctr *c, const struct ctr_table *t, const char *name, size_t n, uint64_t *slot)
{
	uint32_t hash = ctr_hash(c, name, n);
	struct err_at at = { 0 };
	struct ctr_word w;
	int worst = -ENOENT, bad = 0;

	for (uint64_t i = 0; i <= t->mask; i++) {
		const uint64_t *e = entry_at(c, t, hash + i);
		uint64_t v, off;
		int rc;

		if (!unseal(ctr_load(e), &v))
			rc = err_damaged(&c->map.at, ctr_off(c, e), "index entry");
		else if (!v)
			break;
		else if (v >> CTR_ENTRY_TAG_SHIFT != hash >> 16)
			continue;
		else {
			off = (v & CTR_ENTRY_SLOT_MASK) * CTR_LINE;
			rc = ctr_slot_is(c, off, hash, name, n, &w);
			if (!rc) {
				*slot = off;
				return 0;
			}
			if (rc == -ERR_TRUNCATED)
				rc = err_damaged(&c->map.at, ctr_off(c, e), "index entry leads nowhere");
		}
		if (rc != -ENOENT && worst == -ENOENT) {
			worst = rc;
			at = c->map.at;
		}
		if (rc != -ENOENT && ++bad == CTR_DAMAGED_MAX)
			break;
	}
	c->map.at = at;
	return worst;
}

int
ctr_find(struct ctr *c, const char *name, size_t n, uint64_t *slot)
{
	const uint64_t *word = &ctr_file(c)->root;
	uint64_t root = ctr_load(word), seen;
	struct ctr_table t;
	int rc = -ENOENT;

	for (int i = 0; i < ROOT_RETRIES; i++) {
		rc = ctr_table_decode(c, root, &t);
		if (!rc)
			rc = ctr_table_find(c, &t, name, n, slot);
		if (!rc)
			return 0;
		seen = root;
		root = ctr_load(word);
		if (root == seen)
			break;
	}
	return rc;
}

/* Takes pages for an empty table; nothing leads to it until its root is published. */
int
ctr_table_new(struct ctr *c, unsigned log2, struct ctr_table *t)
{
	uint64_t bytes = sizeof(uint64_t) << log2;
	int rc = ctr_pages(c, bytes / CTR_PAGE, &t->off);

	if (rc)
		return rc;
	t->log2 = log2;
	t->mask = (UINT64_C(1) << log2) - 1;
	for (uint64_t i = 0; i <= t->mask; i++)
		*entry_at(c, t, i) = CTR_EMPTY;
	return 0;
}

/* Under LOCK_MAIN. The store of the entry is what makes the slot reachable. */
int
ctr_table_put(struct ctr *c, const struct ctr_table *t, uint32_t hash, uint64_t slot)
{
	for (uint64_t i = 0; i <= t->mask; i++) {
		uint64_t *e = entry_at(c, t, hash + i);
		int rc;

		if (ctr_load(e) != CTR_EMPTY)
			continue;
		rc = map_ready(&c->map, ctr_off(c, e), sizeof(*e));
		if (!rc)
			ctr_publish(e, seal((uint64_t)(hash >> 16) << CTR_ENTRY_TAG_SHIFT | slot / CTR_LINE));
		return rc;
	}
	return err_damaged(&c->map.at, offsetof(struct ctr_file, root), "index table without an empty entry");
}

/* During recovery only, in a table that nobody reads yet: the entry for the slot `have` now leads to `slot`. */
int
ctr_table_swap(struct ctr *c, const struct ctr_table *t, uint32_t hash, uint64_t have, uint64_t slot)
{
	uint64_t tag = (uint64_t)(hash >> 16) << CTR_ENTRY_TAG_SHIFT;

	for (uint64_t i = 0; i <= t->mask; i++)
		if (*entry_at(c, t, hash + i) == seal(tag | have / CTR_LINE)) {
			ctr_publish(entry_at(c, t, hash + i), seal(tag | slot / CTR_LINE));
			return 0;
		}
	return err_damaged(&c->map.at, t->off, "index table changed by somebody else");
}

/* The new pages were made ready as a whole, and nobody reads them yet; they are twice what is to be placed. */
static void
place(struct ctr *c, const struct ctr_table *t, uint32_t hash, uint64_t entry)
{
	for (uint64_t i = 0; i <= t->mask; i++)
		if (*entry_at(c, t, hash + i) == CTR_EMPTY) {
			*entry_at(c, t, hash + i) = entry;
			return;
		}
}

static int
copy_entries(struct ctr *c, const struct ctr_table *from, const struct ctr_table *to, uint64_t *count)
{
	struct ctr_word w;
	int rc = 0;

	*count = 0;
	for (uint64_t i = 0; !rc && i <= from->mask; i++) {
		const uint64_t *e = entry_at(c, from, i);
		uint64_t v, off;

		rc = ctr_sealed(c, e, "index entry", &v);
		if (rc || !v)
			continue;
		off = (v & CTR_ENTRY_SLOT_MASK) * CTR_LINE;
		rc = ctr_slot_decode(c, off, &w);
		if (rc)
			continue;
		place(c, to, w.hash, ctr_load(e));
		++*count;
	}
	return rc == -ERR_TRUNCATED ? err_damaged(&c->map.at, from->off, "index entry leads nowhere") : rc;
}

/* Makes sure that one more entry fits. Killed before the root is stored: pages that nobody uses. */
int
ctr_link_room(struct ctr *c)
{
	struct ctr_file *f = ctr_file(c);
	struct ctr_table old, new;
	uint64_t names;
	int rc = ctr_table_decode(c, ctr_load(&f->root), &old);

	if (!rc)
		rc = ctr_sealed(c, &f->names, "count of names", &names);
	if (rc)
		return rc;
	if (names < (old.mask + 1) / 5 * 3)
		return 0;
	rc = ctr_table_new(c, old.log2 + 1, &new);
	if (!rc)
		rc = copy_entries(c, &old, &new, &names);
	if (rc)
		return rc;
	ctr_publish(&f->names, seal(names));
	ctr_publish(&f->root, ctr_table_root(&new));
	return 0;
}

/* Counts before it links: killed in between, the table only grows one name early. */
int
ctr_link(struct ctr *c, uint32_t hash, uint64_t slot)
{
	struct ctr_file *f = ctr_file(c);
	struct ctr_table t;
	uint64_t names;
	int rc = ctr_table_decode(c, ctr_load(&f->root), &t);

	if (!rc)
		rc = ctr_sealed(c, &f->names, "count of names", &names);
	if (rc)
		return rc;
	ctr_publish(&f->names, seal(names + 1));
	return ctr_table_put(c, &t, hash, slot);
}
