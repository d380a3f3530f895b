/*
 * Opening with the refusals. Every check is made on the open descriptor, never on a path that may have
 * changed since: the link itself is opened (O_PATH), judged, and its target opened by the same rules.
 */
#include "map.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Not in linux/magic.h, or not everywhere. */
#define LUSTRE_MAGIC 0x0bd00bd0
#define GPFS_MAGIC 0x47504653
#define SMB2_MAGIC 0xfe534d42

static bool
is_remote(unsigned long type)
{
	static const unsigned long remote[] = { NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_MAGIC,
		V9FS_MAGIC, AFS_SUPER_MAGIC, CODA_SUPER_MAGIC, CEPH_SUPER_MAGIC, OCFS2_SUPER_MAGIC,
		LUSTRE_MAGIC, GPFS_MAGIC };

	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		if (type == remote[i])
			return true;
	return false;
}

/* The directory part of path, "." where there is none. */
static int
parent_of(const char *path, char dir[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	if (!slash)
		strcpy(dir, ".");
	else if (!n)
		strcpy(dir, "/");
	else {
		memcpy(dir, path, n);
		dir[n] = '\0';
	}
	return 0;
}

static bool
trusted(uid_t owner)
{
	return owner == geteuid() || owner == 0;
}

/* A directory where anybody may put a name but only owners may remove one: /tmp. */
static __attribute__((noinline)) int
in_sticky(const char *path)
{
	char dir[PATH_MAX];
	struct stat st;
	int rc = parent_of(path, dir);

	if (rc)
		return rc;
	if (stat(dir, &st))
		return -errno;
	return (st.st_mode & S_ISVTX) && (st.st_mode & S_IWOTH);
}

static int
check_file(struct map *m, unsigned flags, const char *path)
{
	struct statfs fs;
	struct stat st;
	int rc;

	if (fstat(m->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -ERR_NOT_REGULAR;
	m->dev = st.st_dev;
	m->ino = st.st_ino;
	m->size = (uint64_t)st.st_size;
	if (fstatfs(m->fd, &fs))
		return -errno;
	m->fs_type = (unsigned long)fs.f_type;
	if (!(flags & MAP_STORE))
		return 0;
	/* A second name of my own file in /tmp was made by somebody else. */
	if (!trusted(st.st_uid) || st.st_nlink > 1) {
		rc = in_sticky(path);
		if (rc)
			return rc < 0 ? rc : -ERR_OWNER;
	}
	if (is_remote(m->fs_type) && !getenv("MMUTILS_NETWORK_FS"))
		return -ERR_REMOTE;
	return 0;
}

int
map_link_target(const char *path, bool judge, char next[PATH_MAX])
{
	char target[PATH_MAX], dir[PATH_MAX];
	struct stat st;
	ssize_t n;
	int rc = 0, fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		rc = -errno;
	else if (!S_ISLNK(st.st_mode))
		rc = -EINVAL;
	else if (judge && (!trusted(st.st_uid) || (rc = in_sticky(path)) > 0))
		rc = -ERR_LINK;
	if (rc)
		goto out;
	n = readlinkat(fd, "", target, sizeof(target) - 1);
	if (n < 0) {
		rc = -errno;
		goto out;
	}
	target[n] = '\0';
	if (target[0] == '/')
		strcpy(next, target);
	else if (!(rc = parent_of(path, dir)) &&
	    snprintf(next, PATH_MAX, "%s/%s", dir, target) >= PATH_MAX)
		rc = -ENAMETOOLONG;
out:
	close(fd);
	return rc;
}

/* path is a link: its target by the same rules. Apart, because its buffers cost four page faults. */
static __attribute__((noinline)) int
open_link(struct map *m, const char *path, int oflags, unsigned flags)
{
	char at[PATH_MAX], next[PATH_MAX];
	int rc;

	if (strlen(path) >= sizeof(at))
		return -ENAMETOOLONG;
	strcpy(at, path);
	for (int i = 0; i < MAP_LINKS_MAX; i++) {
		rc = map_link_target(at, true, next);
		if (rc)
			return rc;
		strcpy(at, next);
		m->fd = open(at, oflags | O_NOFOLLOW);
		if (m->fd >= 0)
			return check_file(m, flags, at);
		if (errno != ELOOP)
			return -errno;
	}
	return -ELOOP;
}

int
map_open(struct map *m, const char *path, unsigned flags)
{
	int oflags = (flags & MAP_RW ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int rc;

	*m = (struct map){ .path = path, .fd = -1, .writable = flags & MAP_RW };
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return -ERR_ENDIAN;
	if (getauxval(AT_SECURE))
		return -ERR_SETID;
	m->fd = open(path, oflags | (flags & MAP_STORE ? O_NOFOLLOW : 0));
	if (m->fd >= 0)
		rc = check_file(m, flags, path);
	else if (errno == ELOOP && flags & MAP_STORE)
		rc = open_link(m, path, oflags, flags);
	else
		rc = errno == ENXIO ? -ERR_NOT_REGULAR : -errno; /* a socket, or a FIFO without reader */
	if (rc)
		map_close(m);
	return rc;
}

int
map_current(const struct map *m)
{
	struct stat st;

	if (stat(m->path, &st))
		return errno == ENOENT ? -ERR_REPLACED : -errno;
	return st.st_dev == m->dev && st.st_ino == m->ino ? 0 : -ERR_REPLACED;
}
