/*
 * The bins of an arena: 32 rings of small chunks of one size each, 32 binary tries of larger ones, where equal
 * sizes hang in a ring on one node of the trie. Both maps are read first: the links of a bin whose bit is clear
 * are stale.
 *
 * Every list ends: a link is followed only to a chunk that is loose (free in the chain and not met before).
 */
#include "fm.h"

struct bins {
	const struct fm *f;
	uint64_t arena;
	uint64_t m; /* mstate */
	uint64_t *loose;
	uint64_t *bad;
	struct fm_report *r;
};

/* Takes the chunk out of the loose ones; false when it was none. */
static bool
take(const struct bins *b, uint64_t c)
{
	uint64_t mask = UINT64_C(1) << c / 8 % 64;

	if (c % 8 || c >= b->f->size || !(b->loose[c / 512] & mask))
		return false;
	b->loose[c / 512] &= ~mask;
	return true;
}

static uint64_t
size_of(const struct fm *f, uint64_t c)
{
	return fm_chunk_size(fm_u64(f, c + FM_C_HEAD));
}

/* A break in bin i (trees from 32 on): what hangs behind it cannot be told from lost chunks. */
static void
broken(const struct bins *b, unsigned i, uint64_t at, uint64_t owner, const char *code, const char *text)
{
	*b->bad |= UINT64_C(1) << i;
	fm_bad(b->r, at, owner, fm_u64(b->f, at), code, text);
}

/* A link that ends the way through bin i. One into a gap is right, what it led to is what was reported. */
static void
dead_end(const struct bins *b, unsigned i, uint64_t link, uint64_t owner, const char *code)
{
	if (fm_lost(b->f, fm_u64(b->f, link)))
		*b->bad |= UINT64_C(1) << i;
	else
		broken(b, i, link, owner, code, "link leads to no free chunk, or to one met before");
}

/* A ring of chunks of one size, walked from its head: a bin, or a node of a tree. */
struct ring {
	uint64_t head, prev, next; /* next: where prev's forward link leads */
	uint64_t size;
	unsigned i; /* for *bad */
};

/* Looks at the chunk that is next; false at the end of the way. */
static bool
step(const struct bins *b, struct ring *r)
{
	uint64_t c = r->next;

	if (c == r->head)
		return false;
	if (!take(b, c)) {
		dead_end(b, r->i, r->prev + FM_C_FD, r->prev, "bin-link");
		r->prev = 0;
		return false;
	}
	if (fm_u64(b->f, c + FM_C_BK) != r->prev)
		broken(b, r->i, c + FM_C_BK, c, "bin-back", "backward link does not lead to the chunk before");
	if (size_of(b->f, c) != r->size)
		broken(b, r->i, c + FM_C_HEAD, c, "bin-size", "chunk lies among those of another size");
	if (r->i >= FM_BINS && fm_u64(b->f, c + FM_C_PARENT))
		broken(b, r->i, c + FM_C_PARENT, c, "tree-parent", "chunk in a ring has a parent");
	r->prev = c;
	r->next = fm_u64(b->f, c + FM_C_FD);
	if (r->next < b->f->size)
		__builtin_prefetch(b->f->base + r->next);
	return true;
}

/* After the last step: did the way come back to the head? */
static void
closed(const struct bins *b, const struct ring *r)
{
	if (r->prev && fm_u64(b->f, r->head + FM_C_BK) != r->prev)
		broken(b, r->i, r->head + FM_C_BK, r->head, "bin-back",
		    "head's backward link does not lead to the last chunk");
}

/*
 * All small bins at once, a step in each in turn: the chunks of one lie all over the file, and the memory
 * serves many such ways at a time as fast as one.
 */
static void
check_small(const struct bins *b, uint32_t map)
{
	struct ring rings[FM_BINS];
	unsigned n = 0;

	for (unsigned i = 0; i < FM_BINS; i++) {
		uint64_t bin = b->m + FM_M_SMALLBINS + 16 * i, first = fm_u64(b->f, bin + FM_C_FD);

		if (!(map >> i & 1))
			continue;
		if (first == bin)
			broken(b, i, b->m + FM_M_SMALLMAP, bin, "bin-map",
			    "map says a small bin has chunks, but it is empty");
		else
			rings[n++] = (struct ring){ bin, bin, first, (uint64_t)i << 3, i };
	}
	while (n)
		for (unsigned k = 0; k < n;) {
			if (step(b, &rings[k])) {
				k++;
				continue;
			}
			closed(b, &rings[k]);
			rings[k] = rings[--n];
		}
}

struct node {
	uint64_t link;   /* where the offset of the node stands */
	uint64_t parent; /* what its parent field must be */
	uint64_t path;   /* bits taken so far: the high bits of the size below the bin's own */
	unsigned depth;
};

/* The bits of a size that choose the way down, from the top. */
static uint64_t
key_of(unsigned i, uint64_t size)
{
	return i == FM_BINS - 1 ? size : size << (63 - (i / 2 + 6));
}

static uint64_t
check_node(const struct bins *b, unsigned i, const struct node *n)
{
	uint64_t t = fm_u64(b->f, n->link), size;
	struct ring ring;

	if (!take(b, t)) {
		dead_end(b, FM_BINS + i, n->link, n->depth ? n->parent : b->m, "tree-link");
		return 0;
	}
	size = size_of(b->f, t);
	if (size < FM_MIN_TREE || fm_tree_index(size) != i)
		broken(b, FM_BINS + i, t + FM_C_HEAD, t, "tree-size", "chunk lies in the tree of another size");
	else if (n->depth && key_of(i, size) >> (64 - n->depth) != n->path)
		broken(b, FM_BINS + i, t + FM_C_HEAD, t, "tree-size", "chunk hangs on the wrong side of the tree");
	if (fm_u32(b->f, t + FM_C_INDEX) != i)
		broken(b, FM_BINS + i, t + FM_C_INDEX, t, "tree-index", "number of the tree is wrong");
	if (fm_u64(b->f, t + FM_C_PARENT) != n->parent)
		broken(b, FM_BINS + i, t + FM_C_PARENT, t, "tree-parent",
		    "parent link does not lead to the node above");
	ring = (struct ring){ t, t, fm_u64(b->f, t + FM_C_FD), size, FM_BINS + i };
	while (step(b, &ring))
		;
	closed(b, &ring);
	return t;
}

/* Depth first. A level uses up a bit of the size, so 64 levels are all there can be. */
static void
check_tree(const struct bins *b, unsigned i)
{
	uint64_t root = b->m + FM_M_TREEBINS + 8 * i;
	struct node stack[2 * 64 + 2];
	unsigned n = 0;

	stack[n++] = (struct node){ .link = root, .parent = root };
	while (n) {
		struct node top = stack[--n];
		uint64_t t = check_node(b, i, &top);

		if (!t)
			continue;
		for (unsigned k = 0; k < 2; k++) {
			uint64_t link = t + FM_C_CHILD + 8 * k;

			if (!fm_u64(b->f, link))
				continue;
			if (top.depth == 63) {
				broken(b, FM_BINS + i, link, t, "tree-link", "tree is deeper than sizes have bits");
				continue;
			}
			stack[n++] = (struct node){ link, t, top.path << 1 | k, top.depth + 1 };
		}
	}
}

void
fm_check_bins(const struct fm *f, uint64_t arena, uint64_t *loose, uint64_t *bad, struct fm_report *r)
{
	struct bins b = { f, arena, fm_mstate(arena), loose, bad, r };
	uint32_t small = fm_u32(f, b.m + FM_M_SMALLMAP), tree = fm_u32(f, b.m + FM_M_TREEMAP);

	check_small(&b, small);
	for (unsigned i = 0; i < FM_BINS; i++)
		if (tree >> i & 1)
			check_tree(&b, i);
}
