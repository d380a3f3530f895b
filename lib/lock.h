/*
 * Locks that die with their holder: open file description locks (fcntl F_OFD_SETLK) on bytes beyond any
 * end of file. Nothing about a lock is stored in the file, so a copied, renamed or rebooted file is never
 * stuck, and the kernel frees the lock of a killed holder in any pid namespace. flock(2), which users
 * take themselves, is independent of these.
 *
 * Lock order: LOCK_MAIN before LOCK_WRITER and LOCK_INTENT (tried, never waited for) before LOCK_SYNC; two
 * files in the order of their uuids.
 *
 * An OFD lock belongs to the open description: after fork(2) the child shares it and must not touch it;
 * threads of a process need a mutex before it.
 */
#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LOCK_BASE (UINT64_C(1) << 62)

enum lock_byte {
	LOCK_MAIN = 0,        /* whoever changes the file's structure */
	LOCK_SYNC = 1,        /* whoever flushes for others */
	LOCK_WRITER = 2,      /* shared by every open writer; had exclusively only where there is none (heap) */
	LOCK_INTENT = 2048,   /* + intent: its owner lives as long as it is held (heap) */
	LOCK_CONSUMER = 4096, /* + slot: alive as long as it is held (queue) */
};

/* Waits at most timeout_ns; 0 tries once. -ERR_LOCKED when not had. */
int lock_take(int fd, unsigned byte, bool exclusive, int64_t timeout_ns) __attribute__((warn_unused_result));
void lock_drop(int fd, unsigned byte);

/* Does anybody else hold the byte? Needs no write permission. True also when it cannot be known. */
bool lock_held(int fd, unsigned byte);

/* The same of any of n bytes from `first` on. -errno when it cannot be known. */
int lock_any_held(int fd, unsigned first, unsigned n, bool *held) __attribute__((warn_unused_result));

/*
 * A process that holds the byte, looked up in /proc/PID/fdinfo: 0 where it cannot be known (another user's,
 * another pid namespace). For messages only, it costs a walk over all processes.
 */
pid_t lock_holder(int fd, unsigned byte);

#endif
