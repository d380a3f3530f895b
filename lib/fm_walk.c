/* The blocks of a heap in order, and the way past a break: view_fmalloc. */
#include "fm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned
fm_tree_index(uint64_t size)
{
	uint64_t x = size >> 8;
	unsigned k;

	if (!x)
		return 0;
	if (x > 0xffff)
		return FM_BINS - 1;
	k = 63 - (unsigned)__builtin_clzll(x);
	return 2 * k + (size >> (k + 7) & 1);
}

/*
 * Does the chunk at c agree with the one behind it? Words of the user's that look like a head rarely also
 * have a neighbour that says the same.
 */
static bool
agrees(const struct fm *f, const struct fm_span *s, uint64_t c, uint64_t head)
{
	uint64_t size = fm_chunk_size(head), next = c + size;

	if (next >= s->end || next > f->size - FM_C_USER)
		return true;
	if (!(head & FM_CINUSE) && fm_u64(f, next) != size)
		return false;
	return !(fm_u64(f, next + FM_C_HEAD) & FM_PINUSE) == !(head & FM_CINUSE);
}

static bool
bit(const uint64_t *map, uint64_t i)
{
	return map[i / 64] >> i % 64 & 1;
}

/* From the end of the span back to its start: every place from where the chain reaches the end exactly. */
static int
mark_back(struct fm *f, size_t span)
{
	const struct fm_span *s = &f->spans[span];
	uint64_t n = (s->end - s->from) / 8, last = n;

	free(f->back);
	f->back_span = SIZE_MAX;
	f->back = calloc(n / 64 + 1, sizeof(*f->back));
	if (!f->back)
		return -ENOMEM;
	f->back_span = span;
	f->back[n / 64] |= UINT64_C(1) << n % 64;
	if (s->clip < s->end)
		last = s->clip > s->from ? (s->clip - s->from) / 8 : 0;
	for (uint64_t i = last; i-- > 0;) {
		uint64_t c = s->from + 8 * i, head = fm_head(f, s, c);

		if (head && bit(f->back, i + fm_chunk_size(head) / 8) && agrees(f, s, c, head))
			f->back[i / 64] |= UINT64_C(1) << i % 64;
	}
	return 0;
}

int
fm_resync(struct fm *f, size_t span, uint64_t c, uint64_t *found)
{
	const struct fm_span *s = &f->spans[span];
	uint64_t n = (s->end - s->from) / 8, i = (c - s->from) / 8 + 1;
	int rc = f->back_span == span ? 0 : mark_back(f, span);

	*found = 0;
	for (; !rc && i < n; i++)
		if (bit(f->back, i)) {
			*found = s->from + 8 * i;
			break;
		}
	return rc;
}

uint64_t
fm_taken(const struct fm *f, uint64_t arena)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < 3; i++)
		n += fm_u64(f, arena + f->layout->stats + UINT64_C(8) * i);
	return n;
}

bool
fm_lost(const struct fm *f, uint64_t c)
{
	if (c >= f->size)
		return c < f->total;
	for (size_t i = 0; i < f->nspans; i++)
		if (c >= f->spans[i].gap && c < f->spans[i].gap_end)
			return true;
	return false;
}

static uint64_t
min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void
fill_block(const struct fm_span *s, uint64_t c, uint64_t head, struct view_block *b)
{
	uint64_t size = fm_chunk_size(head), end = min64(c + size, s->clip), over = 8;

	*b = (struct view_block){ .offset = c + FM_C_USER, .used = head & FM_CINUSE };
	b->whole = end > c ? end - c : 0;
	if (s->kind == FM_DIRECT) {
		b->direct = true;
		b->whole = min64(c + size + FM_DIRECT_PAD, s->clip) - c;
		over = head & FM_FOREIGN ? 24 : 16;
	} else if (b->used && (head & FM_FOREIGN))
		over = 16;
	b->top = !b->used && s->current && size == s->end - c;
	b->class = (uint16_t)(size < FM_MIN_TREE ? size >> 3 : FM_BINS + fm_tree_index(size));
	/* The user's bytes go on through the next chunk's prev_foot, but not past the end. */
	end = min64(c + size + 16 - over, s->clip);
	b->size = end > b->offset ? end - b->offset : 0;
}

static int
fm_next(struct view *v, struct view_pos *pos, struct view_block *block, struct err_at *at)
{
	const struct fm *f = v->self;

	for (; pos->span < f->nspans; pos->span++, pos->at = 0) {
		const struct fm_span *s = &f->spans[pos->span];
		uint64_t c = pos->at ? pos->at : s->from, head;

		if (c >= s->end || c > s->clip - FM_C_USER)
			continue;
		pos->at = c;
		head = s->kind == FM_DIRECT ? fm_u64(f, c + FM_C_HEAD) : fm_head(f, s, c);
		if (!head)
			return err_damaged(at, c + FM_C_HEAD, "size of a chunk is impossible");
		fill_block(s, c, head, block);
		pos->at = s->kind == FM_DIRECT ? s->end : c + fm_chunk_size(head);
		return 1;
	}
	return 0;
}

static int
fm_resume(struct view *v, struct view_pos *pos)
{
	struct fm *f = v->self;
	uint64_t found;
	int rc = fm_resync(f, pos->span, pos->at, &found);

	if (!rc)
		pos->at = found ? found : f->spans[pos->span].end;
	return rc;
}

static const struct fm_layout *
find_layout(const uint8_t *base, uint64_t size)
{
	uint64_t magic;

	if (size < sizeof(struct fm_super))
		return NULL;
	memcpy(&magic, base, sizeof(magic));
	for (size_t i = 0; i < sizeof(fm_layouts) / sizeof(fm_layouts[0]); i++)
		if (fm_layouts[i].magic == magic)
			return &fm_layouts[i];
	return NULL;
}

static int
fm_open(struct view *v)
{
	const struct fm_layout *layout = find_layout(v->base, v->size);
	struct fm_report silent = { 0 };
	struct fm *f;
	int rc;

	if (!layout)
		return -ERR_KIND;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->base = v->base;
	f->size = v->size;
	f->layout = layout;
	rc = fm_load(f, &silent);
	if (rc) {
		fm_unload(f);
		free(f);
		return rc;
	}
	v->self = f;
	return 0;
}

static void
fm_close(struct view *v)
{
	fm_unload(v->self);
	free(v->self);
	v->self = NULL;
}

static void
fm_class_name(const struct view_block *b, char *text, size_t n)
{
	unsigned i = b->class % FM_BINS;

	if (b->top || b->direct || n < 4) {
		snprintf(text, n, "%s", b->top ? "top" : "direct");
		return;
	}
	*text++ = b->class < FM_BINS ? 's' : 't';
	if (i >= 10)
		*text++ = (char)('0' + i / 10);
	*text++ = (char)('0' + i % 10);
	*text = '\0';
}

static void
fm_describe(const struct view *v, char *text, size_t n)
{
	const struct fm *f = v->self;

	snprintf(text, n, "%s chunks, %zu arena%s, %llu block%s", f->layout->dialect, f->narenas,
	    f->narenas == 1 ? "" : "s", (unsigned long long)f->blocks, f->blocks == 1 ? "" : "s");
}

/* Counted under each arena's lock: see fm_taken(). */
static uint64_t
fm_epoch(const struct view *v, bool *locked)
{
	const struct fm *f = v->self;
	uint64_t sum = f->narenas;

	*locked = false;
	for (size_t i = 0; i < f->narenas; i++) {
		sum = sum * 31 + fm_taken(f, f->arenas[i]);
		if (fm_u32(f, f->arenas[i] + FM_A_LOCK))
			*locked = true;
	}
	return sum;
}

static uint64_t
fm_unclaimed(const struct view *v)
{
	const struct fm *f = v->self;
	uint64_t n = 0;

	for (uint64_t i = 0; i < f->blocks; i++) {
		uint64_t from = fm_block_start(f, i), to = min64(from + f->chunk, f->size);

		if (!f->owned[i] && to > from)
			n += to - from;
	}
	return n;
}

const struct view_ops view_fmalloc = {
	.kind = "fmalloc",
	.open = fm_open,
	.next = fm_next,
	.resume = fm_resume,
	.check = fm_check,
	.epoch = fm_epoch,
	.class_name = fm_class_name,
	.describe = fm_describe,
	.unclaimed = fm_unclaimed,
	.close = fm_close,
};
