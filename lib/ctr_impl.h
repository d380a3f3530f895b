/*
 * Shared by the ctr_*.c files only.
 *
 * Memory order: whoever publishes stores with release, whoever follows loads with acquire; the
 * pairs are root -> table, entry -> slot, slot word -> value.
 */
#ifndef CTR_IMPL_H
#define CTR_IMPL_H

#include "ctr.h"
#include "seal.h"

static inline struct ctr_file *
ctr_file(struct ctr *c)
{
	return (struct ctr_file *)(void *)c->map.base;
}

static inline void *
ctr_at(struct ctr *c, uint64_t off)
{
	return c->map.base + off;
}

static inline uint64_t
ctr_off(struct ctr *c, const void *p)
{
	return (uint64_t)((const uint8_t *)p - c->map.base);
}

static inline uint64_t
ctr_load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* The one way to change a word that others read. */
static inline void
ctr_publish(uint64_t *p, uint64_t word)
{
	__atomic_store_n(p, word, __ATOMIC_RELEASE);
}

/* A slot word taken apart. */
struct ctr_word {
	uint32_t hash;
	unsigned len;
	unsigned type;
	unsigned which;
	bool live;
};

struct ctr_table {
	uint64_t off;
	unsigned log2;
	uint64_t mask;
};

#define CTR_DAMAGED_MAX (1 << 20) /* entries of an index that are looked past: a table may be terabytes of hole */
#define CTR_EMPTY seal(0)

/* ctr_file.c */
int ctr_reach(struct ctr *c, uint64_t off, uint64_t len);              /* -ERR_TRUNCATED */
int ctr_sealed(struct ctr *c, const uint64_t *p, const char *what, uint64_t *value); /* -ERR_DAMAGED */
int ctr_lock(struct ctr *c); /* and recovers a file of an unknown instance */
void ctr_unlock(struct ctr *c);

/* ctr_space.c: all under LOCK_MAIN */
int ctr_pages(struct ctr *c, uint64_t count, uint64_t *off);
int ctr_lines(struct ctr *c, enum ctr_page_type type, unsigned lines, uint64_t *off);
void ctr_lines_taken(struct ctr *c, enum ctr_page_type type, uint64_t end);
void ctr_page_fill(struct ctr_page *p, const uint8_t uuid[16], enum ctr_page_type type, uint64_t off);
bool ctr_page_is(struct ctr *c, uint64_t off, enum ctr_page_type type);

/* ctr_slot.c */
bool ctr_word_decode(uint64_t raw, struct ctr_word *w);
uint64_t ctr_word_encode(const struct ctr_word *w);
uint32_t ctr_hash(const struct ctr *c, const char *name, size_t n);
unsigned ctr_slot_lines(size_t name_len);
int ctr_slot_decode(struct ctr *c, uint64_t off, struct ctr_word *w); /* and checks that it fits its sector */
int ctr_slot_is(struct ctr *c, uint64_t off, uint32_t hash, const char *name, size_t n, struct ctr_word *w);
int ctr_slot_new(struct ctr *c, const char *name, size_t n, uint32_t hash, uint64_t *off);
void ctr_slot_revive(struct ctr *c, uint64_t off, int64_t value);

/* ctr_index.c */
int ctr_table_decode(struct ctr *c, uint64_t root, struct ctr_table *t);
int ctr_table_find(struct ctr *c, const struct ctr_table *t, const char *name, size_t n, uint64_t *slot);
int ctr_table_new(struct ctr *c, unsigned log2, struct ctr_table *t);
uint64_t ctr_table_root(const struct ctr_table *t);
int ctr_table_put(struct ctr *c, const struct ctr_table *t, uint32_t hash, uint64_t slot);
int ctr_table_swap(struct ctr *c, const struct ctr_table *t, uint32_t hash, uint64_t have, uint64_t slot);
int ctr_find(struct ctr *c, const char *name, size_t n, uint64_t *slot); /* -ENOENT */
int ctr_link(struct ctr *c, uint32_t hash, uint64_t slot);
int ctr_link_room(struct ctr *c);
static inline unsigned
ctr_table_fit(uint64_t names)
{
	unsigned log2 = CTR_TABLE_MIN;

	while (names > (UINT64_C(1) << log2) / 5 * 3)
		log2++;
	return log2;
}

/* ctr_recover.c */
int ctr_known(struct ctr *c, bool *known);
int ctr_recover(struct ctr *c);
typedef int ctr_scan_fn(struct ctr *c, uint64_t off, const struct ctr_word *w, void *arg);
int ctr_scan(struct ctr *c, ctr_scan_fn *fn, void *arg);
int ctr_locate(struct ctr *c, const char *name, size_t n, uint64_t *slot); /* also where the index is not good */

#endif
