/*
 * The heap files of yasukata/fmalloc on x86-64, as this project reads them. Layout only; fm.h works on it.
 * A file is dlmalloc 2.8.3 under ptmalloc3, with every pointer an offset from the start of the file (0 = none).
 * Nothing in it is a checksum, a version or a generation.
 *
 *	0       struct fm_super, then a bitmap of the blocks in use
 *	4096    the application's page
 *	8192    arena 0; each further arena begins its own block
 *
 * Two layouts of the same structures exist and differ by the magic: packed ones (yasukata/fmalloc) and
 * naturally aligned ones (sounkou-bioinfo/Rfmalloc). Field offsets that differ are in struct fm_layout.
 */
#ifndef FM_FORMAT_H
#define FM_FORMAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define FM_MAGIC_PACKED  123456
#define FM_MAGIC_ALIGNED 123457

#define FM_PAGE       4096
#define FM_ROOTS      4096              /* the application's page */
#define FM_ARENA0     8192
#define FM_BLOCK      (UINT64_C(1) << 24) /* chunk_size of a file that has more than one block */
#define FM_MAX_BLOCKS 32512             /* bits of the bitmap in the first page */

struct fm_super {
	uint64_t magic;      /*  0 */
	uint64_t total_size; /*  8 */
	uint64_t chunk_size; /* 16 bytes of a block */
	uint64_t num_chunk;  /* 24 blocks */
	uint8_t bitmap[];    /* 32 bit i set: block i is in use */
};

static_assert(offsetof(struct fm_super, num_chunk) == 24, "fm_super.num_chunk");
static_assert(offsetof(struct fm_super, bitmap) == 32, "fm_super.bitmap");

/* Arena, from its start. */
#define FM_A_INIT   0  /* i32: -1 fresh, 1 ready; only arena 0 sets it */
#define FM_A_LOCK   4  /* u32: 1 while a thread is inside, for ever when it was killed there */
#define FM_A_STATE  56 /* chunk that holds the mstate */
#define FM_A_MSTATE 72

/* malloc_state, from its start. */
#define FM_M_SMALLMAP  0  /* u32: bit i set: small bin i is not empty; the bin's links are stale otherwise */
#define FM_M_TREEMAP   4  /* u32 */
#define FM_M_DVSIZE    8
#define FM_M_TOPSIZE   16
#define FM_M_DV        32 /* a free chunk outside the bins; valid only if dvsize is not 0 */
#define FM_M_TOP       40
#define FM_M_MAGIC     64
#define FM_M_SMALLBINS 72 /* bin i as a chunk lies at 72 + 16 * i: fd + 16, bk + 24 */
#define FM_M_TREEBINS  600
#define FM_MSTATE_MAGIC 0x58585858

/* Segment record, from its start; the current one lies in the mstate. */
#define FM_S_BASE 0
#define FM_S_SIZE 8
#define FM_S_NEXT 16
#define FM_S_RECORD 40 /* size of the used chunk that holds an older segment's record */

/* Chunk, from its start. */
#define FM_C_PREV_FOOT 0 /* size of the chunk before, if that one is free; direct-mapped: pad | 1 */
#define FM_C_HEAD      8
#define FM_C_USER      16 /* what the allocator returned */
#define FM_C_FD        16
#define FM_C_BK        24
#define FM_C_CHILD     32
#define FM_C_PARENT    48
#define FM_C_INDEX     56 /* u32 */

#define FM_PINUSE 1 /* the chunk before is in use */
#define FM_CINUSE 2
#define FM_FOREIGN 4 /* not of arena 0: the arena's offset stands in the chunk's last word */
#define FM_FLAGS  7

#define FM_MIN_CHUNK 32
#define FM_MIN_TREE  256
#define FM_TOP_FOOT  72 /* bytes kept at the end of a segment; also the head of the word behind top */
#define FM_FENCE     0xb
#define FM_DIRECT_PAD 32 /* a direct-mapped block is chunk + 32 bytes */
#define FM_BINS      32

struct fm_layout {
	uint64_t magic;
	const char *dialect;
	uint16_t next;        /* arena: next arena (circular) */
	uint16_t stats;       /* arena: four i64, counted while the lock is held */
	uint16_t seg;         /* mstate: current segment */
	uint16_t state_chunk; /* size of the chunk that holds the mstate */
	uint16_t shift;       /* block i > 0 begins at i * chunk_size + shift */
};

static const struct fm_layout fm_layouts[] = {
	{ FM_MAGIC_PACKED, "packed", 44, 12, 876, 920, 0 },
	{ FM_MAGIC_ALIGNED, "aligned", 48, 16, 880, 928, FM_ARENA0 },
};

#endif
