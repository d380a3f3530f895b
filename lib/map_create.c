/*
 * Creating: all of the file, durable, and then its name.
 *
 * Crash states: killed before link(2): an unnamed file, gone with its descriptor (or, where O_TMPFILE
 * is missing, a ".NAME.tmpXXXXXX" that nothing refers to). Killed after it: a whole file. A power cut
 * may lose the name, but a name always leads to a whole file, because the sync came first.
 */
#include "map.h"
#include "seam.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

struct draft {
	char dir[PATH_MAX];
	char temp[PATH_MAX]; /* empty with O_TMPFILE */
};

/* A dangling link is created through, as open(O_CREAT) would; for a store by the rules of map_open(). */
static int
final_path(const char *path, bool store, char out[PATH_MAX])
{
	char next[PATH_MAX];
	int rc = 0;

	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(out, path);
	for (int i = 0; i < MAP_LINKS_MAX; i++) {
		rc = map_link_target(out, store, next);
		if (rc == -EINVAL || rc == -ENOENT)
			return 0;
		if (rc)
			return rc == -ENOTDIR ? -ERR_NO_PARENT : rc;
		strcpy(out, next);
	}
	return -ELOOP;
}

static int
draft_open(struct draft *d, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int fd;

	if (!*name)
		return *path ? -EISDIR : -ENOENT;
	if (slash == path)
		strcpy(d->dir, "/");
	else if (slash)
		snprintf(d->dir, sizeof(d->dir), "%.*s", (int)(slash - path), path);
	else
		strcpy(d->dir, ".");
	d->temp[0] = '\0';
	fd = open(d->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENOTDIR)
		return access(d->dir, F_OK) ? -ERR_NO_PARENT : -errno;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return -errno;
	if (snprintf(d->temp, sizeof(d->temp), "%s/.%s.tmpXXXXXX", d->dir, name) >= (int)sizeof(d->temp))
		return -ENAMETOOLONG;
	fd = mkostemp(d->temp, O_CLOEXEC);
	if (fd < 0) {
		d->temp[0] = '\0';
		return -errno;
	}
	return fd;
}

/* A rename would take over a file that appeared meanwhile; link(2) does not. */
static int
draft_publish(struct draft *d, int fd, const char *path)
{
	char self[64];
	int rc;

	if (d->temp[0])
		rc = link(d->temp, path) ? -errno : 0;
	else {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
		rc = linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) ? -errno : 0;
	}
	return rc;
}

/* So that a name that was acknowledged with --sync is there after a power cut. */
static int
sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return errno == EACCES ? 0 : -errno; /* a drop box: cannot be had, the file itself is safe */
	if (fsync(fd) && errno != EINVAL)
		rc = -errno;
	close(fd);
	return rc;
}

/* In-place stores need no space on btrfs then; must precede the first byte. Best effort: other systems refuse. */
static void
no_cow(int fd)
{
	int attr;

	if (!ioctl(fd, FS_IOC_GETFLAGS, &attr)) {
		attr |= FS_NOCOW_FL;
		(void)ioctl(fd, FS_IOC_SETFLAGS, &attr);
	}
}

struct plan {
	mode_t mode;
	uint64_t size; /* reserved before fill() */
	bool store; /* NOCOW, and synced before and after it has its name */
	map_fill_fn *fill;
	void *arg;
};

static int
draft_fill(struct map *m, const struct plan *p)
{
	struct statfs fs;
	struct stat st;
	int rc = 0;

	if (fstat(m->fd, &st) || fstatfs(m->fd, &fs))
		return -errno;
	m->dev = st.st_dev;
	m->ino = st.st_ino;
	m->fs_type = (unsigned long)fs.f_type;
	if (p->store && m->fs_type == BTRFS_SUPER_MAGIC)
		no_cow(m->fd);
	if (fchmod(m->fd, p->mode))
		return -errno;
	if (p->size)
		rc = map_grow(m, 0, p->size);
	if (!rc)
		rc = p->fill(m, p->arg);
	if (!rc && p->store)
		rc = SEAM("create-sync", map_sync(m), 0);
	return rc == -ERR_NOT_DURABLE ? -EIO : rc; /* nothing was published: plain failure */
}

static int
create(struct map *m, const char *path, const struct plan *p)
{
	char target[PATH_MAX];
	struct draft d;
	int rc;

	*m = (struct map){ .path = path, .fd = -1, .writable = true };
	rc = final_path(path, p->store, target);
	if (rc)
		return rc;
	rc = draft_open(&d, target);
	if (rc < 0)
		return rc;
	m->fd = rc;
	rc = draft_fill(m, p);
	if (!rc)
		rc = draft_publish(&d, m->fd, target);
	if (d.temp[0])
		unlink(d.temp);
	if (!rc && p->store)
		rc = SEAM("create-dir-sync", sync_dir(d.dir), 0);
	if (rc)
		map_close(m);
	return rc;
}

int
map_create(struct map *m, const char *path, mode_t mode, uint64_t size, map_fill_fn *fill, void *arg)
{
	struct plan p = { .mode = mode, .size = size, .store = true, .fill = fill, .arg = arg };

	return create(m, path, &p);
}

int
map_create_plain(struct map *m, const char *path, mode_t mode, map_fill_fn *fill, void *arg)
{
	struct plan p = { .mode = mode, .fill = fill, .arg = arg };

	return create(m, path, &p);
}

int
map_sync_parent(const struct map *m)
{
	char real[PATH_MAX], *slash;

	if (!realpath(m->path, real))
		return errno == ENOENT ? -ERR_REPLACED : -errno;
	slash = strrchr(real, '/');
	slash[slash == real] = '\0';
	return sync_dir(real);
}
