/*
 * What a file may hold after a kill or a power cut. Judges work in process, on the library that the programs are made
 * of: they open the file as the next program would, check all of it, use it again and check it once more.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "record.h"

/* When it happened. */
struct moment {
	unsigned command; /* the one that was running; record.commands: after the last */
	uint64_t out;     /* bytes it had written to standard output */
	bool power;       /* a power cut, not a kill */
};

#define WHY 240

struct judge {
	/* Learns from the file as it was before and after each command; scratch is a path to work at. */
	void *(*learn)(const struct op *op, const struct record *r, const char *scratch);
	/* Judges the file at path. False: why. */
	bool (*judge)(void *known, const struct moment *when, const char *path, char why[WHY]);
	/* Another boot: the file knows nothing of it; that it is no copy is told by its inode. NULL: files of this kind do not care. */
	void (*reboot)(struct image *im, uint64_t inode);
	/* sh: uses the file by the programs; fails when they cannot. */
	const char *use;
};

extern const struct judge judge_queue, judge_range, judge_counters;

/* Writes the file as it was before command n (record.commands: after all) to path. */
void image_before(const struct record *r, unsigned n, const char *path);

/* Boots and mounts, at the same place in all our stores. */
void judge_forget_instances(struct image *im, uint64_t inode);

bool judge_no(char why[WHY], const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
