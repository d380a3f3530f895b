#include "judge.h"
#include "queue_format.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

void
image_before(const struct record *r, unsigned n, const char *path)
{
	struct image im;
	size_t v = 0, m = 0;

	image_init(&im);
	image_reset(&im, r);
	image_forward(&im, r, n ? r->end[n - 1] : 0, &v, &m);
	image_write(&im, path);
	/* A plain file has no such list: left as it is. */
	if (im.exists && r->instance)
		image_settle(r, path);
	munmap(im.p, IMAGE_MAX);
}

void
judge_forget_instances(struct image *im, uint64_t inode)
{
	if (im->size < HDR_PAGE)
		return;
	memset(im->p + offsetof(struct q_file, instances), 0, sizeof(uint64_t) * Q_INSTANCES);
	(void)inode;
}

bool
judge_no(char why[WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, WHY, format, args);
	va_end(args);
	return false;
}
