/*
 * Files mapped for ever: opened or created whole, growing in place, never moving.
 *
 * The mapping is made once, longer than the file (MAP_RESERVE of address range): pages
 * beyond the end of file cannot be touched, but become reachable the moment anybody grows the
 * file, at the same address and without a system call. So growth by this or another process never moves an
 * object, and no pointer into a mapping is ever stale. What may be touched is said by the capacity in the
 * file's header, never by st_size: a fallocate that failed may still have grown the file.
 *
 * Creating: the file is made without a name (O_TMPFILE, else a temporary one), filled, synced and
 * only then linked to its path. Nobody, also after kill -9 or a power cut, sees half of it.
 *
 * Refusals follow the contract (mmutils(7), SAFETY): stores are regular files only; symbolic links
 * and files that somebody else may have planted are refused, and network file systems, whose hosts
 * do not share a mapping.
 */
#ifndef MAP_H
#define MAP_H

#include "err.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define MAP_RESERVE (UINT64_C(1) << 40)

enum map_flags {
	MAP_RW = 1,    /* open for writing; otherwise read-only */
	MAP_STORE = 2, /* the refusals for stores; otherwise links are followed as cat does */
};

struct map {
	const char *path; /* as given; borrowed, must outlive the map */
	int fd;           /* -1 when closed */
	bool writable;
	uint8_t *base;    /* NULL until map_view() */
	uint64_t reserve; /* bytes of address range at base */
	uint64_t size;    /* st_size when last looked */
	dev_t dev;
	ino_t ino;
	unsigned long fs_type; /* statfs f_type */
	struct err_at at;      /* set with -ERR_DAMAGED */
};

#define MAP_CLOSED { .fd = -1 }

/*
 * Opens path; nothing is mapped yet. -errno, -ERR_NOT_REGULAR, -ERR_LINK, -ERR_OWNER, -ERR_REMOTE.
 * On failure the map is closed.
 */
int map_open(struct map *m, const char *path, unsigned flags) __attribute__((warn_unused_result));

/* As many symbolic links in a row as the kernel follows. */
#define MAP_LINKS_MAX 40

/*
 * Where the symbolic link path leads; next has PATH_MAX bytes. -EINVAL when it is no link; with `judge` -ERR_LINK when
 * somebody else may have planted it.
 */
int map_link_target(const char *path, bool judge, char next[PATH_MAX]) __attribute__((warn_unused_result));

/*
 * Makes path with the exact mode, `size` bytes of reserved space and what fill() writes to m->fd, synced
 * before it appears. -EEXIST when somebody else was faster; the map is open for writing on success.
 */
typedef int map_fill_fn(struct map *m, void *arg);
int map_create(struct map *m, const char *path, mode_t mode, uint64_t size, map_fill_fn *fill, void *arg)
    __attribute__((warn_unused_result));

/*
 * The same for a file that is no store (mmwrite): copy-on-write is left as the directory has it, and reserving and
 * syncing are left to fill() and the caller.
 */
int map_create_plain(struct map *m, const char *path, mode_t mode, map_fill_fn *fill, void *arg)
    __attribute__((warn_unused_result));

/* So that the name of a file is there after a power cut. */
int map_sync_parent(const struct map *m) __attribute__((warn_unused_result));

/* Maps at least `want` bytes (MAP_RESERVE where the address space has it). */
int map_view(struct map *m, uint64_t want) __attribute__((warn_unused_result));

/* Looks at st_size again. */
int map_refresh(struct map *m) __attribute__((warn_unused_result));

/*
 * Reserves real space for [from, to): fallocate, or zeros where the file system has no fallocate. The caller
 * publishes the new capacity afterwards. -ENOSPC, -EDQUOT, -EFBIG leave everything usable.
 */
int map_grow(struct map *m, uint64_t from, uint64_t to) __attribute__((warn_unused_result));

/*
 * Makes the pages of [off, off + len) writable now, so that no store to them can meet a full disk: copy-on-write
 * file systems allocate again on every first store, whatever fallocate promised. -ENOSPC or -ERR_SHRUNK.
 */
int map_ready(struct map *m, uint64_t off, uint64_t len) __attribute__((warn_unused_result));

/*
 * fdatasync. -ERR_NOT_DURABLE after an I/O error: the pages are then clean but lost, and a second
 * call would return 0 (measured on ext4, xfs, btrfs, tmpfs); map_redirty() is the only way back.
 */
int map_sync(struct map *m) __attribute__((warn_unused_result));

/* Dirties every page of [off, off + len) without changing it; safe beside other writers. */
void map_redirty(struct map *m, uint64_t off, uint64_t len);

/* Is sync possible here? -ERR_VOLATILE on tmpfs and ramfs. */
int map_can_sync(const struct map *m) __attribute__((warn_unused_result));

/* Does the path still name this file? -ERR_REPLACED when not. */
int map_current(const struct map *m) __attribute__((warn_unused_result));

/* write(2) of all bytes at off; coherent with the mapping, and cheaper than faults for fresh pages. */
int map_pwrite(struct map *m, const void *p, size_t n, uint64_t off) __attribute__((warn_unused_result));

void map_close(struct map *m);

/*
 * Calls on_fault(addr) when a mapped page cannot be had (SIGBUS) and makes a file-size limit an
 * error (SIGXFSZ ignored). on_fault runs in a signal handler and must not return.
 */
int map_guard(void (*on_fault)(const void *addr)) __attribute__((warn_unused_result));

#endif
