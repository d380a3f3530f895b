#include "space.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* fallocate that keeps the size is not held to ulimit -f, the write after it is: ask first. */
static int
check_limit(uint64_t end)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_FSIZE, &lim))
		return -errno;
	return lim.rlim_cur != RLIM_INFINITY && end > lim.rlim_cur ? -EFBIG : 0;
}

static int
allocate(int fd, int mode, uint64_t off, uint64_t end)
{
	int rc;

	do
		rc = fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)(end - off)) ? -errno : 0;
	while (rc == -EINTR);
	return rc;
}

#define EXTENTS 64

/* Does every byte of [off, end) have blocks of its own? False also where the file system does not tell. */
static bool
all_owned(const struct map *m, uint64_t off, uint64_t end)
{
	union {
		struct fiemap head;
		uint8_t room[sizeof(struct fiemap) + EXTENTS * sizeof(struct fiemap_extent)];
	} u;

	while (off < end) {
		uint64_t from = off;

		memset(&u.head, 0, sizeof(u.head));
		u.head.fm_start = off;
		u.head.fm_length = end - off;
		u.head.fm_extent_count = EXTENTS;
		if (ioctl(m->fd, FS_IOC_FIEMAP, &u.head))
			return false;
		for (unsigned i = 0; i < u.head.fm_mapped_extents; i++) {
			const struct fiemap_extent *e = &u.head.fm_extents[i];

			if (e->fe_logical > off || (e->fe_flags & FIEMAP_EXTENT_SHARED))
				return false;
			off = e->fe_logical + e->fe_length;
		}
		if (off <= from)
			return false;
	}
	return true;
}

/*
 * Copy-on-write file systems take new blocks for old bytes. xfs unshares on request; btrfs reserves when a page
 * becomes dirty, and a page that is dirty already is written without asking again.
 */
static int
unshare_old(struct map *m, uint64_t off, uint64_t end)
{
	int rc;

	if (m->fs_type == XFS_SUPER_MAGIC) {
		rc = all_owned(m, off, end) ? 0 : allocate(m->fd, FALLOC_FL_UNSHARE_RANGE, off, end);
		return rc == -EOPNOTSUPP || rc == -EINVAL ? 0 : rc; /* an xfs without reflink */
	}
	if (m->fs_type != BTRFS_SUPER_MAGIC)
		return 0;
	rc = m->base ? 0 : map_view(m, m->size);
	return rc ? rc : map_ready(m, off, end - off);
}

/*
 * xfs asks for the whole range's worth of free blocks before it looks which are there already: on a full disk,
 * bytes that need none must still be writable.
 */
static int
allocate_missing(struct map *m, uint64_t off, uint64_t end, uint64_t old_end)
{
	int rc = allocate(m->fd, 0, off, end);

	if (rc != -ENOSPC || off >= old_end || m->fs_type != XFS_SUPER_MAGIC || !all_owned(m, off, old_end))
		return rc;
	return end > old_end ? allocate(m->fd, 0, old_end, end) : 0;
}

int
space_reserve(struct map *m, uint64_t off, uint64_t end)
{
	uint64_t old_end = end < m->size ? end : m->size;
	int rc;

	if (off >= end)
		return 0;
	rc = check_limit(end);
	if (!rc)
		rc = allocate_missing(m, off, end, old_end);
	if (rc == -EOPNOTSUPP || rc == -ENOSYS)
		rc = end > m->size ? map_grow(m, off > m->size ? off : m->size, end) : 0;
	if (!rc && off < old_end)
		rc = unshare_old(m, off, old_end);
	return rc;
}

int
space_cut(struct map *m, uint64_t size)
{
	int rc;

	do
		rc = ftruncate(m->fd, (off_t)size) ? -errno : 0;
	while (rc == -EINTR);
	if (!rc)
		m->size = size;
	return rc;
}
