/*
 * What a power cut ends: this boot of the machine and this mount of the file system. A file notes the instances in
 * which it was opened and recovered; in an instance that it does not know, its pages may be of
 * different ages, and what is derived is built anew.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include <stdint.h>

/* A number that no other boot or mount shares, never 0. -errno. */
int instance_id(int fd, uint64_t *id) __attribute__((warn_unused_result));

#endif
