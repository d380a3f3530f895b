/* Walking all counters. */
#include "ctr_impl.h"

#include <errno.h>
#include <string.h>

/* The name is copied before it is checked: a hostile writer may change it any time. */
int
ctr_item_at(struct ctr *c, uint64_t off, struct ctr_item *it)
{
	const struct ctr_slot *s;
	struct ctr_word w;
	int rc = ctr_slot_decode(c, off, &w);

	if (rc)
		return rc;
	if (!w.live)
		return CTR_NO;
	s = ctr_at(c, off);
	it->slot = off;
	it->type = (enum ctr_type)w.type;
	it->n = w.len;
	memcpy(it->name, s->name, w.len);
	it->name[w.len] = '\0';
	it->value = __atomic_load_n(&s->value[w.which], __ATOMIC_ACQUIRE);
	if (ctr_hash(c, it->name, it->n) != w.hash || ctr_name_check(it->name, it->n))
		return err_damaged(&c->map.at, off + offsetof(struct ctr_slot, name), "counter name");
	return 0;
}

struct walk {
	ctr_each_fn *fn;
	void *arg;
	struct err_at damage;
	struct ctr_item item;
};

static int
show(struct ctr *c, uint64_t off, struct walk *k)
{
	int rc = ctr_item_at(c, off, &k->item);

	if (!rc)
		return k->fn(&k->item, k->arg);
	if (rc == -ERR_DAMAGED && !k->damage.what)
		k->damage = c->map.at;
	return rc == CTR_NO || rc == -ERR_DAMAGED ? 0 : rc;
}

static int
show_slot(struct ctr *c, uint64_t off, const struct ctr_word *w, void *arg)
{
	(void)w;
	return show(c, off, arg);
}

static int
each_entry(struct ctr *c, struct walk *k)
{
	struct ctr_table t;
	int rc = ctr_table_decode(c, ctr_load(&ctr_file(c)->root), &t), bad = 0;

	for (uint64_t i = 0; !rc && bad < CTR_DAMAGED_MAX && i <= t.mask; i++) {
		const uint64_t *e = (const uint64_t *)ctr_at(c, t.off) + i;
		uint64_t v;

		rc = ctr_sealed(c, e, "index entry", &v);
		if (!rc && v)
			rc = show(c, (v & CTR_ENTRY_SLOT_MASK) * CTR_LINE, k);
		if (rc == -ERR_TRUNCATED)
			rc = err_damaged(&c->map.at, ctr_off(c, e), "index entry leads nowhere");
		if (rc == -ERR_DAMAGED) {
			if (!k->damage.what)
				k->damage = c->map.at;
			bad++;
			rc = 0;
		}
	}
	return rc;
}

/* By the index, which shows damage best; by the slots where the index is of another instance. */
int
ctr_each(struct ctr *c, ctr_each_fn *fn, void *arg)
{
	struct walk k = { .fn = fn, .arg = arg };
	int rc = c->known ? 0 : ctr_known(c, &c->known);

	if (!rc)
		rc = c->known ? each_entry(c, &k) : ctr_scan(c, show_slot, &k);
	if (!rc && k.damage.what) {
		c->map.at = k.damage;
		rc = -ERR_DAMAGED;
	}
	return rc;
}
