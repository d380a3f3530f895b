#include "err.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

static const struct {
	const char *text;
	int exit;
	const char *advice;
} table[ERR_LAST - ERR_FIRST] = {
	[ERR_DAMAGED - ERR_FIRST] = { "damaged", EX_DATAERR,
	    "keep a copy and look at it with the check verb" },
	[ERR_KIND - ERR_FIRST] = { "not a file of this kind", EX_DATAERR,
	    "'mmalloc-inspect FILE' may tell what it is" },
	[ERR_EMPTY - ERR_FIRST] = { "empty file, not a store", EX_DATAERR,
	    "remove it, or name another file" },
	[ERR_TRUNCATED - ERR_FIRST] = { "truncated: shorter than its header says", EX_DATAERR,
	    "restore it from a copy" },
	[ERR_VERSION - ERR_FIRST] = { "made by another version of the format", EX_CONFIG,
	    "use the mmutils that made it" },
	[ERR_FEATURE - ERR_FIRST] = { "uses a feature that this version does not know", EX_CONFIG,
	    "use a newer mmutils" },
	[ERR_ENDIAN - ERR_FIRST] = { "big-endian hosts are not supported", EX_CONFIG, NULL },
	[ERR_NOT_REGULAR - ERR_FIRST] = { "not a regular file", EX_NOPERM, NULL },
	[ERR_LINK - ERR_FIRST] = { "unsafe symbolic link", EX_NOPERM,
	    "name the file itself" },
	[ERR_OWNER - ERR_FIRST] = { "another user's file, or one with a second link, in a sticky directory", EX_NOPERM,
	    "keep the file in a directory of your own" },
	[ERR_SETID - ERR_FIRST] = { "refusing to run set-user-ID", EX_NOPERM, NULL },
	[ERR_REMOTE - ERR_FIRST] = { "network file system: no coherent shared mapping", EX_UNAVAILABLE,
	    "keep the file on a local disk" },
	[ERR_VOLATILE - ERR_FIRST] = { "file system in memory: nothing can be made durable", EX_UNAVAILABLE,
	    "leave out --sync, or keep the file on a disk" },
	[ERR_LOCKED - ERR_FIRST] = { "lock not had in time", EX_TEMPFAIL,
	    "try again, or raise --lock-timeout" },
	[ERR_REPLACED - ERR_FIRST] = { "replaced or removed meanwhile", EX_NOINPUT,
	    "try again" },
	[ERR_NO_PARENT - ERR_FIRST] = { "directory does not exist", EX_CANTCREAT,
	    "create the directory first" },
	[ERR_NOT_DURABLE - ERR_FIRST] = { "done, but not known to be on stable storage", EX_IOERR,
	    "copy the file away and look at the disk" },
	[ERR_SHRUNK - ERR_FIRST] = { "cut short by another program", EX_IOERR, NULL },
	[ERR_NUM_SYNTAX - ERR_FIRST] = { "not a number", EX_USAGE, NULL },
	[ERR_NUM_SUFFIX - ERR_FIRST] = { "unknown suffix", EX_USAGE, NULL },
	[ERR_NUM_RANGE - ERR_FIRST] = { "number out of range", EX_USAGE, NULL },
	[ERR_OVERFLOW - ERR_FIRST] = { "result does not fit in 64 bits", EX_DATAERR, NULL },
	[ERR_NAME - ERR_FIRST] = { "not a counter name", EX_USAGE, NULL },
	[ERR_FULL - ERR_FIRST] = { "full", EX_TEMPFAIL, NULL },
	[ERR_TOO_BIG - ERR_FIRST] = { "item too large for this queue", EX_DATAERR, NULL },
	[ERR_FRAME - ERR_FIRST] = { "malformed frame", EX_DATAERR, NULL },
	[ERR_BUSY - ERR_FIRST] = { "every place is taken", EX_TEMPFAIL, NULL },
	[ERR_OFFSET - ERR_FIRST] = { "the offset lies before the first byte", EX_DATAERR, NULL },
	[ERR_FIXED - ERR_FIRST] = { "would have to grow, which --fixed-size forbids", EX_TEMPFAIL, NULL },
	[ERR_OVERLAP - ERR_FIRST] = { "the input is the very range to be written", EX_USAGE,
	    "copy the input first" },
};

const char *
err_text(int rc)
{
	int e = rc < 0 ? -rc : rc;

	if (e < ERR_FIRST)
		return strerror(e);
	if (e >= ERR_LAST || !table[e - ERR_FIRST].text)
		return "unknown error";
	return table[e - ERR_FIRST].text;
}

static int
errno_exit(int e)
{
	switch (e) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case ENXIO:
		return EX_NOINPUT;
	case EACCES:
	case EPERM:
	case EROFS:
	case EISDIR:
	case ETXTBSY:
		return EX_NOPERM;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return EX_CANTCREAT;
	case ENODEV:
	case EOPNOTSUPP:
	case ENOSYS:
		return EX_UNAVAILABLE;
	case EAGAIN:
	case ENOMEM:
	case ENOLCK:
	case EMFILE:
	case ENFILE:
	case ETIMEDOUT:
		return EX_TEMPFAIL;
	case EINVAL:
	case EFAULT:
	case EBADF:
		return EX_SOFTWARE; /* arguments of a system call are ours */
	default:
		return EX_IOERR;
	}
}

int
err_exit(int rc)
{
	int e = rc < 0 ? -rc : rc;

	if (e < ERR_FIRST)
		return errno_exit(e);
	if (e >= ERR_LAST || !table[e - ERR_FIRST].text)
		return EX_SOFTWARE;
	return table[e - ERR_FIRST].exit;
}

const char *
err_advice(int rc)
{
	int e = rc < 0 ? -rc : rc;
	struct rlimit lim;

	if (e == ENOSPC || e == EDQUOT)
		return "free some space";
	if (e == EFBIG)
		return !getrlimit(RLIMIT_FSIZE, &lim) && lim.rlim_cur != RLIM_INFINITY ?
		    "raise the file-size limit (ulimit -f)" : "no file can be so large here; ask for less";
	return e >= ERR_FIRST && e < ERR_LAST ? table[e - ERR_FIRST].advice : NULL;
}
