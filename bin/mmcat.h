/* What the parts of mmcat share. */
#ifndef MMCAT_H
#define MMCAT_H

#include "copy_out.h"
#include "range.h"

struct mmcat {
	struct range *ranges; /* in the order given; at least one */
	size_t n_ranges;
	bool exact;
	bool hex;
	bool raw;
	bool terminal; /* stdout is one */
	struct copy_out out;
};

/*
 * "Canonical" hex and text of a span, as hexdump -C: repeated lines, and holes with them, are one "*". To the
 * buffered output. -errno or -ERR_SHRUNK for the file; output errors stick in out.h.
 */
int mmcat_hex(struct map *m, const struct span *s) __attribute__((warn_unused_result));

/* Could the bytes go to a terminal as they are? UTF-8 without control characters, but for white space. */
int mmcat_is_text(struct map *m, const struct span *s, bool *text) __attribute__((warn_unused_result));

#endif
