/* What the parts of mmwrite share. */
#ifndef MMWRITE_H
#define MMWRITE_H

#include "cli.h"
#include "copy_in.h"
#include "range.h"

/* What was asked for, and how far it came. */
struct mmwrite {
	struct cli_common common;
	struct num_off offset;
	bool has_offset;
	bool append;
	bool fixed_size;
	const char *path;

	struct copy_in in;
	bool draft;        /* the file is new and has no name yet: nobody else is there */
	bool locked;       /* LOCK_MAIN: against others that grow the file */
	bool cut;          /* the new part was taken back after a failure */
	uint64_t old_size; /* bytes that were there before */
	uint64_t off;      /* where writing began */
	uint64_t pos;      /* where it stands */
};

/*
 * The input into m. On failure m has its old size again (cut says whether bytes were taken back), and
 * pos - off tells what was written. 0, -errno or -ERR_*.
 */
int mmwrite_input(struct mmwrite *w, struct map *m) __attribute__((warn_unused_result));

#endif
