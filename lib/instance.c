#include "instance.h"
#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U /* Linux 6.8: never given twice in a boot */
#endif

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_SIZE 36

int
instance_id(int fd, uint64_t *id)
{
	struct {
		char boot[40];
		uint64_t mount;
	} who = { .mount = 0 };
	struct statx stx;
	ssize_t n;
	int boot = open(BOOT_ID, O_RDONLY | O_CLOEXEC);

	if (boot < 0)
		return -errno;
	n = read(boot, who.boot, BOOT_ID_SIZE);
	close(boot);
	if (n != BOOT_ID_SIZE)
		return -EIO;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID | STATX_MNT_ID_UNIQUE, &stx))
		return -errno;
	who.mount = stx.stx_mnt_id;
	*id = hash64(&who, sizeof(who), 0) | 1;
	return 0;
}
