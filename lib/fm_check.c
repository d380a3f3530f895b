/*
 * The full check, arena by arena: the chain of chunks, then top, the designated victim and the bins against
 * what the chain said, then the lock. One pass over the chunks; the free ones are noted in a bitmap
 * (a bit for 8 bytes of file, touched only where free chunks are) from which the bins take theirs.
 */
#include "fm.h"

#include <errno.h>
#include <sys/mman.h>

struct check {
	struct fm *f;
	uint64_t *loose;
	struct fm_report *r;
};

static void
mark_loose(struct check *k, uint64_t c)
{
	k->loose[c / 512] |= UINT64_C(1) << c / 8 % 64;
}

static void
check_used(struct check *k, const struct fm_span *s, uint64_t c, uint64_t head)
{
	const struct fm *f = k->f;
	uint64_t end = c + fm_chunk_size(head);

	if (s->arena == FM_ARENA0) {
		if (head & FM_FOREIGN)
			fm_bad(k->r, c + FM_C_HEAD, c, head, "flags", "chunk of the main arena is marked as another's");
	} else if (!(head & FM_FOREIGN))
		fm_bad(k->r, c + FM_C_HEAD, c, head, "arena-mark", "chunk is not marked as its arena's");
	else if (end <= f->size - 8 && fm_u64(f, end) != s->arena)
		fm_bad(k->r, end, c, fm_u64(f, end), "arena-mark", "chunk's last word is not its arena");
}

static void
check_free(struct check *k, struct fm_span *s, uint64_t c, uint64_t head)
{
	const struct fm *f = k->f;
	uint64_t size = fm_chunk_size(head), end = c + size;

	if (head & FM_FOREIGN)
		fm_bad(k->r, c + FM_C_HEAD, c, head, "flags", "free chunk is marked as another arena's");
	if (s->current && end == s->end) {
		s->top = c; /* has no footer and lies in no bin */
		return;
	}
	mark_loose(k, c);
	if (end <= f->size - 8 && fm_u64(f, end) != size)
		fm_bad(k->r, end, c, fm_u64(f, end), "footer", "footer of a free chunk is not its size");
}

/* PINUSE must say what the chunk before said of itself; of two neighbours one is in use. */
static void
check_flags(struct check *k, uint64_t c, uint64_t head, uint64_t prev)
{
	if (!(head & FM_PINUSE) != !(prev & FM_CINUSE))
		fm_bad(k->r, c + FM_C_HEAD, c, head, "pinuse", "flag for the chunk before does not fit it");
	else if (!(head & FM_CINUSE) && !(prev & FM_CINUSE))
		fm_bad(k->r, c + FM_C_HEAD, c, head, "not-merged", "two free chunks stand side by side");
}

static int
check_span(struct check *k, size_t i)
{
	struct fm_span *s = &k->f->spans[i];
	uint64_t c = s->from, prev = FM_CINUSE, head;

	while (c < s->end && c <= s->clip - FM_C_USER) {
		head = fm_head(k->f, s, c);
		if (!head) {
			uint64_t found;
			int rc = fm_resync(k->f, i, c, &found);

			if (rc)
				return rc;
			fm_bad(k->r, c + FM_C_HEAD, c, fm_u64(k->f, c + FM_C_HEAD), "chunk-size",
			    "size of a chunk is impossible");
			s->gap = c;
			s->gap_end = found ? found : s->end;
			if (!found)
				return 0;
			c = found;
			/* Nobody knows what stood before it: believe its flag. */
			prev = fm_u64(k->f, c + FM_C_HEAD) & FM_PINUSE ? FM_CINUSE : 0;
			continue;
		}
		/* The way is a chain of loads, each waiting for the one before; this one waits for none. */
		__builtin_prefetch(k->f->base + c + 1024);
		check_flags(k, c, head, prev);
		if (head & FM_CINUSE)
			check_used(k, s, c, head);
		else
			check_free(k, s, c, head);
		prev = head;
		c += fm_chunk_size(head);
	}
	return 0;
}

static void
check_top(struct check *k, const struct fm_span *s)
{
	const struct fm *f = k->f;
	uint64_t m = fm_mstate(s->arena), top = fm_u64(f, m + FM_M_TOP), size = fm_u64(f, m + FM_M_TOPSIZE), foot;

	/* Behind a break the chain may not have come so far. In a small file top may begin where the file ends. */
	if (s->top ? top != s->top
		   : top % 8 || top < s->from || top >= s->end || (!s->gap && top < s->clip - FM_C_USER))
		fm_bad(k->r, m + FM_M_TOP, s->arena, top, "top", "top is not the last chunk of the newest segment");
	else if (size != s->end - top)
		fm_bad(k->r, m + FM_M_TOPSIZE, s->arena, size, "top", "size of top does not reach the segment's end");
	foot = fm_u64(f, s->end + FM_C_HEAD);
	if (s->end + FM_C_USER <= s->clip && foot != FM_TOP_FOOT)
		fm_bad(k->r, s->end + FM_C_HEAD, s->arena, foot, "top", "word behind top is wrong");
}

static void
check_dv(struct check *k, uint64_t arena)
{
	uint64_t m = fm_mstate(arena), dv = fm_u64(k->f, m + FM_M_DV), size = fm_u64(k->f, m + FM_M_DVSIZE);
	uint64_t mask = UINT64_C(1) << dv / 8 % 64;

	if (!size)
		return;
	if (dv % 8 || dv >= k->f->size || !(k->loose[dv / 512] & mask)) {
		if (!fm_lost(k->f, dv))
			fm_bad(k->r, m + FM_M_DV, arena, dv, "dv", "designated victim is no free chunk");
		return;
	}
	k->loose[dv / 512] &= ~mask;
	if (fm_chunk_size(fm_u64(k->f, dv + FM_C_HEAD)) != size)
		fm_bad(k->r, m + FM_M_DVSIZE, arena, size, "dv", "size of the designated victim is not the chunk's");
}

/* Free chunks that no bin has; behind a break in a bin that is said already. */
static void
check_left(struct check *k, const struct fm_span *s, uint64_t bad)
{
	uint64_t to = s->end < k->f->size ? s->end : k->f->size;

	for (uint64_t w = s->from / 512; s->from < to && w <= (to - 1) / 512; w++) {
		for (uint64_t left = k->loose[w]; left; left &= left - 1) {
			uint64_t c = 512 * w + 8 * (uint64_t)__builtin_ctzll(left);
			uint64_t head = fm_u64(k->f, c + FM_C_HEAD), size = fm_chunk_size(head);
			unsigned i = size < FM_MIN_TREE ? (unsigned)(size >> 3) : FM_BINS + fm_tree_index(size);

			if (!(bad >> i & 1))
				fm_bad(k->r, c + FM_C_HEAD, c, head, "unbinned", "free chunk is in no bin");
		}
		k->loose[w] = 0;
	}
}

/* Anything but 0 that stays: the next fmalloc to come here waits for ever. */
static void
check_lock(struct check *k, uint64_t arena)
{
	uint32_t lock = fm_u32(k->f, arena + FM_A_LOCK);

	/* A lock that was dropped and had again is another one. */
	if (lock)
		fm_bad(k->r, arena + FM_A_LOCK, arena, fm_taken(k->f, arena) << 32 | lock, "lock",
		    "lock left behind by a killed program: the next fmalloc to open the heap hangs");
}

static int
check_one(struct check *k, uint64_t arena)
{
	const struct fm *f = k->f;
	uint64_t bad = 0;
	int rc = 0;

	for (size_t i = 0; i < f->nspans && !rc; i++)
		if (f->spans[i].arena == arena && f->spans[i].kind == FM_CHUNKS)
			rc = check_span(k, i);
	for (size_t i = 0; i < f->nspans && !rc; i++)
		if (f->spans[i].arena == arena && f->spans[i].current)
			check_top(k, &f->spans[i]);
	if (rc)
		return rc;
	check_dv(k, arena);
	fm_check_bins(f, arena, k->loose, &bad, k->r);
	for (size_t i = 0; i < f->nspans; i++)
		if (f->spans[i].arena == arena && f->spans[i].kind == FM_CHUNKS)
			check_left(k, &f->spans[i], bad);
	check_lock(k, arena);
	return 0;
}

/* A heap in use may have grown since it was opened, so the tables are read again. */
int
fm_check(struct view *v, view_damage_fn *fn, void *arg)
{
	struct fm *old = v->self, f = { .base = old->base, .size = old->size, .layout = old->layout };
	struct fm_report r = { .fn = fn, .arg = arg };
	struct check k = { .f = &f, .r = &r };
	uint64_t bytes = 0;
	int rc = fm_load(&f, &r);

	if (!rc) {
		bytes = f.size / 64 + 8;
		/* Of a sparse terabyte most is never touched: no memory is to be promised for it. */
		k.loose = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (k.loose == MAP_FAILED)
			rc = -ENOMEM;
	}
	for (size_t i = 0; i < f.narenas && !rc && !r.rc; i++)
		rc = check_one(&k, f.arenas[i]);
	if (bytes && k.loose != MAP_FAILED)
		munmap(k.loose, bytes);
	fm_unload(&f);
	if (!rc)
		rc = r.rc;
	return rc ? rc : r.any ? -ERR_DAMAGED : 0;
}
