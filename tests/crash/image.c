#include "record.h"
#include "instance.h"
#include "queue_format.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void
image_init(struct image *im)
{
	*im = (struct image){ 0 };
	im->p = mmap(NULL, IMAGE_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (im->p == MAP_FAILED)
		die("image");
}

void
image_reset(struct image *im, const struct record *r)
{
	if (im->size > r->base_size)
		memset(im->p + r->base_size, 0, im->size - r->base_size);
	memcpy(im->p, r->base, r->base_size);
	im->size = r->base_size;
	im->exists = r->base_exists;
	im->out = 0;
}

void
image_apply(struct image *im, const struct version *v, size_t n)
{
	memcpy(im->p + (uint64_t)v->sector * SECTOR, v->data, n);
}

void
image_forward(struct image *im, const struct record *r, uint32_t step, size_t *v, size_t *m)
{
	for (; *m < r->n_marks && r->m[*m].step <= step; ++*m) {
		const struct mark *k = &r->m[*m];

		if (k->kind == MARK_SIZE) {
			if (k->value < im->size)
				memset(im->p + k->value, 0, im->size - k->value);
			im->size = k->value;
		} else if (k->kind == MARK_LINKED)
			im->exists = true;
		else if (k->kind == MARK_OUT)
			im->out = k->value;
	}
	for (; *v < r->n_versions && r->v[*v].step <= step; ++*v)
		image_apply(im, &r->v[*v], SECTOR);
}

void
image_write(const struct image *im, const char *path)
{
	static int fd = -1;
	static const char *last;
	struct stat a, b;

	if (!im->exists) {
		unlink(path);
		return;
	}
	/* The same inode as long as it is there: a judge may have removed it. */
	if (fd < 0 || last != path || fstat(fd, &a) || stat(path, &b) || a.st_ino != b.st_ino) {
		if (fd >= 0)
			close(fd);
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		last = path;
	}
	if (fd < 0 || ftruncate(fd, (off_t)im->size) ||
	    pwrite(fd, im->p, im->size, 0) != (ssize_t)im->size)
		die("%s", path);
}

void
image_settle(const struct record *r, const char *path)
{
	uint64_t list[Q_INSTANCES], id;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (pread(fd, list, sizeof(list), offsetof(struct q_file, instances)) == sizeof(list)) {
		if (instance_id(fd, &id))
			die("%s", path);
		for (unsigned i = 0; i < Q_INSTANCES; i++)
			if (list[i] == r->instance &&
			    pwrite(fd, &id, sizeof(id), (off_t)(offsetof(struct q_file, instances) + i * sizeof(id))) < 0)
				die("%s", path);
	}
	close(fd);
}

void
image_read(struct image *im, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	memset(im->p, 0, im->size);
	im->size = 0;
	im->exists = fd >= 0;
	if (fd < 0)
		return;
	if (fstat(fd, &st) || (uint64_t)st.st_size > IMAGE_MAX ||
	    pread(fd, im->p, (size_t)st.st_size, 0) != st.st_size)
		die("%s: cannot be read", path);
	im->size = (uint64_t)st.st_size;
	close(fd);
}
