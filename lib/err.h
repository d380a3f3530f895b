/*
 * Error numbers of lib/. Every function that can fail returns 0 or a negative number: -errno, or one
 * of the codes below negated. lib/ never prints and never exits; bin/ words a number with err_text()
 * and leaves with err_exit(). This is the one table of both.
 */
#ifndef ERR_H
#define ERR_H

#include <stddef.h>
#include <stdint.h>

/* Above every errno. */
enum err {
	ERR_FIRST = 4096,
	ERR_DAMAGED = ERR_FIRST, /* a field of the file is not what it must be; err_at says where */
	ERR_KIND,                /* not a file of this kind */
	ERR_EMPTY,               /* an empty file given as a store */
	ERR_TRUNCATED,           /* the file is shorter than its header says */
	ERR_VERSION,             /* another format version */
	ERR_FEATURE,             /* an unknown feature bit */
	ERR_ENDIAN,              /* big-endian host */
	ERR_NOT_REGULAR,         /* directory, FIFO, device, socket */
	ERR_LINK,                /* a symbolic link that somebody else may have planted */
	ERR_OWNER,               /* somebody else's file in a sticky directory */
	ERR_SETID,               /* started set-user-ID or with file capabilities */
	ERR_REMOTE,              /* a network file system */
	ERR_VOLATILE,            /* --sync on a file system that lives in memory */
	ERR_LOCKED,              /* the lock was not had in time */
	ERR_REPLACED,            /* the path names another file now */
	ERR_NO_PARENT,           /* create: the directory does not exist */
	ERR_NOT_DURABLE,         /* done, but sync failed: what is on the disk is unknown */
	ERR_SHRUNK,              /* the file was cut while in use */
	ERR_NUM_SYNTAX,          /* not a number */
	ERR_NUM_SUFFIX,          /* unknown suffix */
	ERR_NUM_RANGE,           /* does not fit */
	ERR_OVERFLOW,            /* the result of an update does not fit */
	ERR_NAME,                /* not a counter name */
	ERR_FULL,                /* the queue's limit is reached */
	ERR_TOO_BIG,             /* an item that can never fit */
	ERR_FRAME,               /* malformed framing on input, or an item the framing cannot carry */
	ERR_BUSY,                /* every place is taken; try again */
	ERR_OFFSET,              /* before the first byte */
	ERR_FIXED,               /* has to grow, and was told not to */
	ERR_OVERLAP,             /* reads from where it writes to */
	ERR_LAST
};

/* Where and what a damaged file is damaged: filled together with -ERR_DAMAGED. */
struct err_at {
	uint64_t offset;  /* byte offset in the file */
	const char *what; /* static text: the field and what is wrong with it */
};

/* One clause, lower case, no period. Never NULL. */
const char *err_text(int rc);

/* The exit code of the contract for a negative rc (or its positive twin). */
int err_exit(int rc);

/* What the user can do about it, or NULL. */
const char *err_advice(int rc);

/* Notes the place of a damage and returns -ERR_DAMAGED, so that a check is one line. */
static inline int
err_damaged(struct err_at *at, uint64_t offset, const char *what)
{
	if (at) {
		at->offset = offset;
		at->what = what;
	}
	return -ERR_DAMAGED;
}

#endif
