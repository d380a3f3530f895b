/*
 * Slots. A slot holds a name for ever; `live` in its word says whether the counter exists, `which` in which of two
 * words its value is. The word and its value lie in one sector: a power cut takes them together.
 *
 * Life of a counter: created dead, linked, then made live; del makes it dead by one compare-and-swap
 * without a lock; revival makes it live again. So there is one publishing store for creation and revival alike.
 *
 * Why updates and del need no lock. An updater reads the word (live, which = w) and then does its compare-and-swap
 * on value[w]. If the counter was deleted in between, the update counts as done just before the del: the word was
 * read live within the update's own time, nobody can see value[w] while the counter is dead, and revival starts
 * from the other value word. Only an updater asleep through del, revival, del and revival meets value[w] alive
 * again: it then updates the counter that its name means now, as if it had started late.
 */
#include "ctr_impl.h"
#include "hash.h"

#include <errno.h>
#include <string.h>

bool
ctr_word_decode(uint64_t raw, struct ctr_word *w)
{
	uint64_t v;

	if (!unseal(raw, &v) || v >> CTR_WORD_BITS)
		return false;
	w->hash = (uint32_t)v;
	w->len = v >> CTR_WORD_LEN_SHIFT & 0xff;
	w->type = v >> CTR_WORD_TYPE_SHIFT & 3;
	w->which = (v & CTR_WORD_WHICH) != 0;
	w->live = v & CTR_WORD_LIVE;
	return w->len && w->type <= CTR_GAUGE;
}

uint64_t
ctr_word_encode(const struct ctr_word *w)
{
	uint64_t v = w->hash | (uint64_t)w->len << CTR_WORD_LEN_SHIFT | (uint64_t)w->type << CTR_WORD_TYPE_SHIFT;

	return seal(v | (w->which ? CTR_WORD_WHICH : 0) | (w->live ? CTR_WORD_LIVE : 0));
}

uint32_t
ctr_hash(const struct ctr *c, const char *name, size_t n)
{
	return hash32(name, n, c->seed);
}

unsigned
ctr_slot_lines(size_t name_len)
{
	return (unsigned)((offsetof(struct ctr_slot, name) + name_len + CTR_LINE - 1) / CTR_LINE);
}

int
ctr_slot_decode(struct ctr *c, uint64_t off, struct ctr_word *w)
{
	const struct ctr_slot *s;
	uint64_t end;
	int rc = ctr_reach(c, off, CTR_LINE);

	if (rc)
		return rc;
	s = ctr_at(c, off);
	if (!ctr_word_decode(ctr_load(&s->word), w))
		return err_damaged(&c->map.at, off, "slot word");
	end = off + ctr_slot_lines(w->len) * CTR_LINE;
	if (off / CTR_SECTOR != (end - 1) / CTR_SECTOR)
		return err_damaged(&c->map.at, off, "slot crosses its sector");
	return ctr_reach(c, off, end - off);
}

/* Does the slot at off carry this name? 0, -ENOENT, or damage. */
int
ctr_slot_is(struct ctr *c, uint64_t off, uint32_t hash, const char *name, size_t n, struct ctr_word *w)
{
	const struct ctr_slot *s;
	int rc = ctr_slot_decode(c, off, w);

	if (rc)
		return rc;
	if (w->hash != hash || w->len != n)
		return -ENOENT;
	s = ctr_at(c, off);
	if (!memcmp(s->name, name, n))
		return 0;
	/* Two names of one hash are possible; a name that is not its own hash is damage. */
	if (ctr_hash(c, (const char *)s->name, n) != hash)
		return err_damaged(&c->map.at, off + offsetof(struct ctr_slot, name), "counter name");
	return -ENOENT;
}

/*
 * Writes a dead slot for name and moves the cursor past it; nobody sees it before it is linked.
 *
 * Order, for whoever scans the pages after a kill right here: what an earlier victim left is cleared to the end of the
 * sector, last line first, so that no line of an old name is ever taken for a slot's first; then the word, so that
 * the lines of the name are known for such; then the rest. Killed in between: a dead slot whose name does not match its
 * hash, at a place that the next creation uses again.
 */
int
ctr_slot_new(struct ctr *c, const char *name, size_t n, uint32_t hash, uint64_t *off)
{
	struct ctr_word w = { .hash = hash, .len = (unsigned)n };
	uint64_t at, end, sector_end;
	struct ctr_slot *s;
	int rc = ctr_lines(c, CTR_PAGE_SLOTS, ctr_slot_lines(n), &at);

	if (rc)
		return rc;
	s = ctr_at(c, at);
	end = at + ctr_slot_lines(n) * CTR_LINE;
	sector_end = (at / CTR_SECTOR + 1) * CTR_SECTOR;
	for (uint64_t line = sector_end; line > at; line -= CTR_LINE)
		memset(ctr_at(c, line - CTR_LINE), 0, CTR_LINE);
	ctr_publish(&s->word, ctr_word_encode(&w));
	ctr_publish(&s->ext, seal(0));
	memcpy(s->name, name, n < sizeof(s->name) ? n : sizeof(s->name));
	if (n > sizeof(s->name))
		memcpy(ctr_at(c, at + CTR_LINE), name + sizeof(s->name), n - sizeof(s->name));
	ctr_lines_taken(c, CTR_PAGE_SLOTS, end);
	*off = at;
	return 0;
}

/*
 * Under LOCK_MAIN, on a dead slot: nobody else changes its word now. A revived counter is a new one, without type and
 * help text. The value goes into the word that no updater may use, then one store says live and which: before it the
 * counter is absent, after it it has this value.
 */
void
ctr_slot_revive(struct ctr *c, uint64_t off, int64_t value)
{
	struct ctr_slot *s = ctr_at(c, off);
	struct ctr_word w;

	if (!ctr_word_decode(ctr_load(&s->word), &w))
		return; /* a hostile writer; the caller looks again */
	w.which = !w.which;
	w.live = true;
	w.type = CTR_UNTYPED;
	ctr_publish(&s->ext, seal(0));
	__atomic_store_n(&s->value[w.which], value, __ATOMIC_RELAXED);
	ctr_publish(&s->word, ctr_word_encode(&w)); /* pairs with the load in ctr_slot_decode() */
}
