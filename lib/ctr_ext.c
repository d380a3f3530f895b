/*
 * What a counter has besides its value: its type, in the slot word, and its help text, in an extension record.
 *
 * A record is immutable: another text is another record. It is on the disk before the slot leads to it, so after a
 * power cut the slot has the old text or the new one. The old record's lines are not used again.
 */
#include "ctr_impl.h"
#include "hash.h"

#include <errno.h>
#include <string.h>

static uint32_t
ext_check(const struct ctr_ext *e, size_t size)
{
	return hash32(&e->kind, sizeof(*e) - offsetof(struct ctr_ext, kind) + size, 0);
}

int
ctr_help(struct ctr *c, uint64_t slot, char help[CTR_HELP_MAX], size_t *n)
{
	union {
		struct ctr_ext e;
		uint8_t bytes[sizeof(struct ctr_ext) + CTR_HELP_MAX];
	} copy;
	const struct ctr_slot *s = ctr_at(c, slot);
	uint64_t off;
	int rc = ctr_sealed(c, &s->ext, "extension offset", &off);

	*n = 0;
	if (rc || !off)
		return rc;
	if (off % CTR_LINE || ctr_reach(c, off, sizeof(copy.e)))
		return err_damaged(&c->map.at, slot + offsetof(struct ctr_slot, ext), "extension offset");
	memcpy(&copy.e, ctr_at(c, off), sizeof(copy.e));
	if (copy.e.size > CTR_HELP_MAX || off / CTR_PAGE != (off + sizeof(copy.e) + copy.e.size - 1) / CTR_PAGE)
		return err_damaged(&c->map.at, off + offsetof(struct ctr_ext, size), "extension size");
	memcpy(copy.bytes, ctr_at(c, off), sizeof(copy.e) + copy.e.size);
	if (copy.e.slot != slot || copy.e.kind != CTR_EXT_HELP || copy.e.check != ext_check(&copy.e, copy.e.size))
		return err_damaged(&c->map.at, off, "extension record");
	memcpy(help, copy.e.data, copy.e.size);
	*n = copy.e.size;
	return 0;
}

/* Under LOCK_MAIN. */
static int
write_help(struct ctr *c, uint64_t slot, const char *help, size_t n)
{
	struct ctr_slot *s = ctr_at(c, slot);
	unsigned lines = (unsigned)((sizeof(struct ctr_ext) + n + CTR_LINE - 1) / CTR_LINE);
	struct ctr_ext *e;
	uint64_t off;
	int rc = ctr_lines(c, CTR_PAGE_EXT, lines, &off);

	if (rc)
		return rc;
	e = ctr_at(c, off);
	memset(e, 0, (size_t)lines * CTR_LINE);
	e->kind = CTR_EXT_HELP;
	e->size = (uint16_t)n;
	e->slot = slot;
	e->next = seal(0);
	memcpy(e->data, help, n);
	e->check = ext_check(e, n);
	ctr_lines_taken(c, CTR_PAGE_EXT, off + (uint64_t)lines * CTR_LINE);
	rc = map_ready(&c->map, slot, CTR_LINE);
	if (!rc)
		rc = ctr_sync(c) ? -EIO : 0; /* stores again what a failed flush lost */
	if (!rc)
		ctr_publish(&s->ext, seal(off)); /* before: the old text; after: the new one */
	return rc;
}

static int
set_help(struct ctr *c, uint64_t slot, const char *help, size_t n)
{
	char now[CTR_HELP_MAX];
	size_t now_n;
	int rc = ctr_help(c, slot, now, &now_n);

	if (!rc && now_n == n && !memcmp(now, help, n))
		return 0; /* scripts say it every time: no new record each */
	rc = ctr_lock(c);
	if (rc)
		return rc;
	rc = write_help(c, slot, help, n);
	ctr_unlock(c);
	return rc;
}

static int
set_type(struct ctr *c, uint64_t slot, unsigned type)
{
	struct ctr_slot *s = ctr_at(c, slot);
	uint64_t raw = ctr_load(&s->word);
	struct ctr_word w;

	do {
		if (!ctr_word_decode(raw, &w))
			return err_damaged(&c->map.at, slot, "slot word");
		if (!w.live)
			return CTR_NO;
		if (w.type == type)
			return 0;
		w.type = type;
	} while (!__atomic_compare_exchange_n(&s->word, &raw, ctr_word_encode(&w), false, __ATOMIC_SEQ_CST,
	    __ATOMIC_ACQUIRE));
	return 0;
}

int
ctr_describe(struct ctr *c, const char *name, size_t n, int type, const char *help, size_t help_n)
{
	uint64_t slot;
	int rc = ctr_find(c, name, n, &slot);

	if (rc == -ENOENT)
		return CTR_NO;
	if (!rc)
		rc = map_ready(&c->map, slot, CTR_LINE);
	if (!rc && help)
		rc = help_n > CTR_HELP_MAX ? -EINVAL : set_help(c, slot, help, help_n);
	if (!rc && type >= 0)
		rc = set_type(c, slot, (unsigned)type);
	return rc;
}
