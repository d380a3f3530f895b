/*
 * The reader of fmalloc heaps against a heap built here by hand, in both layouts: what it must find, and that no
 * byte flipped, no length cut and no noise makes it read past the end, run for ever, or lose its order.
 *
 * The image ends at a page that cannot be read, so that a step too far kills the test in any build.
 */
#include "unit.h"

#include "fm.h"
#include "kind.h"
#include "view.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TOTAL (5 * FM_PAGE)

static uint8_t *image; /* the last byte lies before the guard page */
static uint8_t clean[TOTAL];
static const struct fm_layout *layout;

static void
put64(uint64_t at, uint64_t v)
{
	memcpy(image + at, &v, sizeof(v));
}

static void
put32(uint64_t at, uint32_t v)
{
	memcpy(image + at, &v, sizeof(v));
}

static uint64_t
get64(uint64_t at)
{
	uint64_t v;

	memcpy(&v, image + at, sizeof(v));
	return v;
}

/* A chunk with the flags given; a free one gets its footer. Returns where the next begins. */
static uint64_t
chunk(uint64_t c, uint64_t size, unsigned flags)
{
	put64(c + FM_C_HEAD, size | flags);
	if (!(flags & FM_CINUSE))
		put64(c + size, size);
	return c + size;
}

static void
in_small_bin(uint64_t c, uint64_t size)
{
	uint64_t m = fm_mstate(FM_ARENA0), bin = m + FM_M_SMALLBINS + 2 * size;
	uint32_t map;

	memcpy(&map, image + m, sizeof(map));
	if (!(map >> (size >> 3) & 1)) {
		put64(bin + FM_C_FD, bin);
		put64(bin + FM_C_BK, bin);
		put32(m, map | UINT32_C(1) << (size >> 3));
	}
	put64(c + FM_C_FD, get64(bin + FM_C_FD));
	put64(c + FM_C_BK, bin);
	put64(get64(bin + FM_C_FD) + FM_C_BK, c);
	put64(bin + FM_C_FD, c);
}

static void
tree_node(uint64_t c, uint64_t size, uint64_t link, uint64_t parent)
{
	put64(link, c);
	put64(c + FM_C_FD, c);
	put64(c + FM_C_BK, c);
	put64(c + FM_C_PARENT, parent);
	put32(c + FM_C_INDEX, fm_tree_index(size));
}

/* used 48, free 64, used 32, free 64, used 40, dv 96, used 32, tree 320, used 64, tree 264, used 48, top */
static void
build(const struct fm_layout *l)
{
	uint64_t m = fm_mstate(FM_ARENA0), c = FM_ARENA0 + FM_A_STATE + l->state_chunk, t1, t2;
	uint64_t total = TOTAL, block = l->shift ? total - FM_ARENA0 : total, end = FM_ARENA0 + block - FM_TOP_FOOT;
	uint64_t root = m + FM_M_TREEBINS + UINT64_C(8) * fm_tree_index(320);

	layout = l;
	memset(image, 0, TOTAL);
	put64(0, l->magic);
	put64(8, total);
	put64(16, block);
	put64(24, 1);
	image[32] = 1;
	put32(FM_ARENA0, 1);
	put64(FM_ARENA0 + l->next, FM_ARENA0);
	put64(FM_ARENA0 + FM_A_STATE + FM_C_HEAD, l->state_chunk | 3U);
	put64(m + FM_M_MAGIC, FM_MSTATE_MAGIC);
	put64(m + l->seg + FM_S_BASE, FM_ARENA0 + FM_A_STATE);
	put64(m + l->seg + FM_S_SIZE, block - FM_A_STATE);

	c = chunk(c, 48, 3);
	in_small_bin(c, 64);
	c = chunk(chunk(c, 64, 1), 32, 2);
	in_small_bin(c, 64);
	c = chunk(chunk(c, 64, 1), 40, 2);
	put64(m + FM_M_DV, c);
	put64(m + FM_M_DVSIZE, 96);
	c = t1 = chunk(chunk(c, 96, 1), 32, 2);
	c = t2 = chunk(chunk(c, 320, 1), 64, 2);
	c = chunk(chunk(c, 264, 1), 48, 2);
	put32(m + FM_M_TREEMAP, UINT32_C(1) << fm_tree_index(320));
	tree_node(t1, 320, root, root);
	tree_node(t2, 264, t1 + FM_C_CHILD, t1);
	put64(m + FM_M_TOP, c);
	put64(m + FM_M_TOPSIZE, end - c);
	put64(c + FM_C_HEAD, (end - c) | FM_PINUSE);
	if (end + FM_C_USER <= TOTAL)
		put64(end + FM_C_HEAD, FM_TOP_FOOT);
	memcpy(clean, image, TOTAL);
}

static int
setup(void **state)
{
	uint8_t *p = mmap(NULL, TOTAL + FM_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	if (p == MAP_FAILED || mprotect(p + TOTAL, FM_PAGE, PROT_NONE))
		return -1;
	image = p;
	return 0;
}

struct tally {
	unsigned used, free, damages;
	uint64_t last;
	const char *code;
	uint64_t at;
	uint64_t size;
};

static int
on_block(void *arg, const struct view_block *b)
{
	struct tally *t = arg;

	assert_true(b->offset > t->last);
	assert_true(b->offset <= t->size && b->size <= t->size - b->offset);
	t->last = b->offset;
	b->used ? t->used++ : t->free++;
	return 0;
}

static int
on_damage(void *arg, const struct view_damage *d)
{
	struct tally *t = arg;

	assert_non_null(d->code);
	assert_non_null(d->text);
	if (!t->damages++) {
		t->code = d->code;
		t->at = d->offset;
	}
	return 0;
}

/* One pass of everything over n bytes that end at the guard page; without the pauses of view_check(). */
static struct tally
look(const uint8_t *base, uint64_t n, bool *kind)
{
	struct tally t = { .size = n };
	struct view_pos pos = { 0 };
	struct view_block b;
	struct err_at at;
	struct view v;
	unsigned steps = 0;
	int rc;

	rc = view_open(&v, base, n);
	*kind = !rc;
	if (rc) {
		assert_int_equal(rc, -ERR_KIND);
		return t;
	}
	while ((rc = v.ops->next(&v, &pos, &b, &at))) {
		assert_true(++steps <= n / 8);
		if (rc > 0)
			on_block(&t, &b);
		else {
			assert_int_equal(rc, -ERR_DAMAGED);
			assert_int_equal(v.ops->resume(&v, &pos), 0);
		}
	}
	rc = v.ops->check(&v, on_damage, &t);
	assert_int_equal(rc, t.damages ? -ERR_DAMAGED : 0);
	view_close(&v);
	return t;
}

static void
test_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct tally t;
		bool kind;

		build(&fm_layouts[i]);
		t = look(image, TOTAL, &kind);
		assert_true(kind);
		assert_int_equal(t.damages, 0);
		assert_int_equal(t.used, 6);
		assert_int_equal(t.free, 6);
	}
}

/* Each kind of damage: where it is put, and what must be said of it. */
static void
test_each_damage(void **state)
{
	uint64_t m = fm_mstate(FM_ARENA0), root = m + FM_M_TREEBINS + UINT64_C(8) * fm_tree_index(320), c, t1;
	struct tally t;
	bool kind;

	(void)state;
	build(&fm_layouts[0]);
	c = FM_ARENA0 + FM_A_STATE + layout->state_chunk;
	t1 = get64(root);
	const struct {
		uint64_t at, value;
		const char *code;
	} cases[] = {
		{ 16, 4096, "super" },
		{ FM_ARENA0 + layout->next, 4096, "arena-list" },
		{ FM_ARENA0 + FM_A_STATE + FM_C_HEAD, 3, "arena" },
		{ m + FM_M_MAGIC, 0, "arena" },
		{ m + layout->seg, 0x5000, "segment" },
		{ c + FM_C_HEAD, 0x4141414141414143, "chunk-size" },
		{ c + FM_C_HEAD, 48 | 1, "footer" },
		{ c + 48 + FM_C_HEAD, 64, "pinuse" },
		{ c + 48 + 64, 72, "footer" },
		{ c + 48 + FM_C_FD, c, "bin-link" },
		{ c + 48 + FM_C_BK, c, "bin-back" },
		{ m + FM_M_DV, c, "dv" },
		{ m + FM_M_DVSIZE, 104, "dv" },
		{ m + FM_M_DVSIZE, 0, "unbinned" },
		{ m + FM_M_TOP, c, "top" },
		{ m + FM_M_TOPSIZE, 64, "top" },
		{ root, c, "tree-link" },
		{ t1 + FM_C_CHILD, t1, "tree-link" },
		{ t1 + FM_C_PARENT, t1, "tree-parent" },
		{ t1 + FM_C_INDEX, 7, "tree-index" },
		{ FM_ARENA0 + FM_A_LOCK, 1, "lock" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(image, clean, TOTAL);
		put64(cases[i].at, cases[i].value);
		t = look(image, TOTAL, &kind);
		assert_true(kind);
		assert_true(t.damages >= 1);
		if (strcmp(t.code, cases[i].code))
			fail_msg("case %zu: %s, wanted %s", i, t.code, cases[i].code);
		if (strcmp(cases[i].code, "footer") && strcmp(cases[i].code, "unbinned"))
			assert_int_equal(t.at, cases[i].at);
	}
}

static void
test_every_byte(void **state)
{
	static const uint8_t flips[] = { 0x01, 0x08, 0x80, 0xff };
	bool kind;

	(void)state;
	for (size_t l = 0; l < 2; l++) {
		build(&fm_layouts[l]);
		for (size_t at = 0; at < TOTAL; at++) {
			/* The application's page and the bytes behind the last chunk head are the user's. */
			if ((at > 40 && at < FM_ARENA0) || at > FM_ARENA0 + 2500)
				continue;
			for (size_t k = 0; k < sizeof(flips); k++) {
				image[at] ^= flips[k];
				(void)look(image, TOTAL, &kind);
				image[at] ^= flips[k];
			}
		}
	}
}

static void
test_every_length(void **state)
{
	bool kind;

	(void)state;
	for (size_t l = 0; l < 2; l++) {
		build(&fm_layouts[l]);
		for (size_t n = 0; n < TOTAL; n++) {
			uint8_t *at = image + TOTAL - n;
			struct tally t;

			memmove(at, clean, n);
			t = look(at, n, &kind);
			assert_int_equal(kind, n >= sizeof(struct fm_super));
			if (kind)
				assert_true(t.damages > 0);
			memcpy(image, clean, TOTAL);
		}
	}
}

/* Words that look like what belongs there, in places where they do not. */
static void
test_noise(void **state)
{
	uint64_t seed = 1;
	bool kind;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		if (round % 64 == 0)
			build(&fm_layouts[round / 64 % 2]);
		for (unsigned n = 0; n < 4; n++) {
			uint64_t at, word;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			at = FM_ARENA0 + (seed >> 20) % 312 * 8;
			word = seed >> 40 & 1 ? get64(FM_ARENA0 + (seed >> 44) % 312 * 8) : (seed >> 33) % TOTAL;
			put64(at, word);
		}
		(void)look(image, TOTAL, &kind);
	}
}

static void
test_three_looks(void **state)
{
	struct tally t = { .size = TOTAL };
	struct err_at at;
	struct view v;

	(void)state;
	build(&fm_layouts[0]);
	put32(FM_ARENA0 + FM_A_LOCK, 1);
	assert_int_equal(view_open(&v, image, TOTAL), 0);
	assert_int_equal(view_check(&v, on_damage, &t), -ERR_DAMAGED);
	assert_int_equal(t.damages, 1);
	assert_int_equal(t.at, FM_ARENA0 + FM_A_LOCK);
	assert_int_equal(view_walk(&v, on_block, &t, &at), 0);
	assert_int_equal(t.used, 6);
	view_close(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_each_damage),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_three_looks),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
