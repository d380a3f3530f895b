/*
 * Which life of a file this is. While one instance lasts, every process sees the same page cache, and what
 * was stored in order is there in order. After a power cut or a forced unmount pages may be of different
 * age, and in a copy made while the file was in use too: then the instance is another one.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include <stdint.h>

/*
 * A number, never 0, made of the boot id, the mount and the inode of fd. Two views of one file
 * through two mounts have two numbers. -errno; about 15 us, so not for hot paths.
 */
int instance_id(int fd, uint64_t *id) __attribute__((warn_unused_result));

#endif
