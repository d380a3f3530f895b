/* Space before the first store: so that a full disk is met while the file is still what it was. */
#ifndef SPACE_H
#define SPACE_H

#include "map.h"

/*
 * Reserves what writing [off, end) of m needs, holes and shared blocks in the old size included. The file's size and
 * bytes stay; -ENOSPC, -EDQUOT, or -EFBIG for ulimit -f too. Where the file system has no fallocate the new part is
 * written with zeros instead: after an error cut the file back with space_cut() in any case.
 */
int space_reserve(struct map *m, uint64_t off, uint64_t end) __attribute__((warn_unused_result));

/* Makes the file `size` bytes long again and frees what was reserved beyond. Others must not be growing it. */
int space_cut(struct map *m, uint64_t size) __attribute__((warn_unused_result));

#endif
