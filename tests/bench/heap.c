/*
 * heap SMALL COUNT: to standard output a heap file with COUNT objects, made from SMALL, a packed fmalloc heap of one
 * block whose objects are all of 32 bytes (tests/data/fmalloc/list-64k). The last object is followed by COUNT more like
 * it (one block has room for half a million), and the words that say where the heap ends move up. So the check can be timed on a heap that fmalloc never made.
 */
#include "../../lib/fm_format.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE (FM_ARENA0 + FM_A_MSTATE)
#define CHUNK 32
#define SMALL_SIZE 65536

static char small[SMALL_SIZE];

static uint64_t
get(uint64_t at)
{
	uint64_t v;

	memcpy(&v, small + at, sizeof(v));
	return v;
}

static void
grow(uint64_t at, uint64_t by)
{
	uint64_t v = get(at) + by;

	memcpy(small + at, &v, sizeof(v));
}

static void
put(const void *data, size_t n)
{
	if (fwrite(data, 1, n, stdout) != n)
		err(1, "standard output");
}

int
main(int argc, char **argv)
{
	static const uint64_t chunk[CHUNK / 8] = { 0, CHUNK | FM_PINUSE | FM_CINUSE, 0, 0 };
	uint64_t count = argc == 3 ? strtoull(argv[2], NULL, 10) : 0, more = count * CHUNK, top;
	uint64_t segment = STATE + fm_layouts[0].seg;
	FILE *f = count ? fopen(argv[1], "rb") : NULL;

	if (!f || fread(small, 1, sizeof(small), f) != sizeof(small))
		errx(1, "usage: heap SMALL COUNT, SMALL being a heap of 64 KiB");
	top = get(STATE + FM_M_TOP);
	if (get(0) != FM_MAGIC_PACKED || top > sizeof(small))
		errx(1, "%s: not the heap that this program extends", argv[1]);
	grow(offsetof(struct fm_super, total_size), more);
	grow(offsetof(struct fm_super, chunk_size), more);
	grow(STATE + FM_M_TOP, more);
	grow(segment + FM_S_SIZE, more);
	put(small, top);
	for (uint64_t i = 0; i < count; i++)
		put(chunk, sizeof(chunk));
	put(small + top, sizeof(small) - top);
	if (fclose(stdout))
		err(1, "standard output");
	return 0;
}
