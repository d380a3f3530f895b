/*
 * The history of one file while commands run on it: every content it had, by steps.
 *
 * A kill leaves the file as it is at that step (the kernel drops locks and unnamed files with the process), so
 * the recorded contents are what kills at every instruction leave; kill.c confirms that with real kills at a sample of
 * the steps. A power cut leaves any mixture of what the file's pages and sectors were since the last
 * sync, so the same record serves cut.c.
 */
#ifndef RECORD_H
#define RECORD_H

#include "op.h"

#include <stddef.h>

#define SECTOR 512
#define IMAGE_MAX (UINT64_C(64) << 20)

/* A sector's new content. */
struct version {
	uint32_t step;
	uint32_t sector;
	uint8_t data[SECTOR];
};

enum mark_kind {
	MARK_SIZE,     /* the file's size is now `value` */
	MARK_LINKED,   /* it has its name */
	MARK_SYNC,     /* a flush of it ended well */
	MARK_DIR_SYNC, /* one of its directory did */
	MARK_OUT,      /* so many bytes were written to standard output */
	MARK_END,      /* command `value` has ended */
	MARK_CALL,     /* system call `value` was made */
	MARK_TOUCH,    /* an instruction that was not seen before had a pointer into the mapped file */
};

struct mark {
	uint32_t step;
	enum mark_kind kind;
	uint64_t value;
};

struct record {
	uint32_t steps;
	struct version *v;
	size_t n_versions;
	struct mark *m;
	size_t n_marks;
	uint8_t *base;       /* at step 0 */
	uint64_t base_size;
	bool base_exists;
	int code[OP_COMMANDS];       /* exit codes */
	uint32_t end[OP_COMMANDS];   /* step at which each command had ended */
	uint32_t start[OP_COMMANDS];
	unsigned commands;
	uint64_t instance;           /* of the recorded file, see lib/instance.h */
};

/* Runs op's set-up in dir (emptied first), then its commands, traced. Exits with a message where that cannot be. */
void record_op(struct record *r, const struct op *op, const char *dir);
void record_free(struct record *r);

/* The file at one moment. */
struct image {
	uint8_t *p; /* IMAGE_MAX bytes of address space */
	uint64_t size;
	bool exists;
	uint64_t out; /* bytes on standard output */
};

void image_init(struct image *im);
void image_reset(struct image *im, const struct record *r);
/* Applies version v, or only its first n bytes. */
void image_apply(struct image *im, const struct version *v, size_t n);
/* At the end of step; *v and *m are where the next call goes on. Start them with 0 after image_reset(). */
void image_forward(struct image *im, const struct record *r, uint32_t step, size_t *v, size_t *m);
/* Writes it where a program can open it; no file when it does not exist. */
void image_write(const struct image *im, const char *path);
/* The file written to path has another inode than the recorded one: what knew that one's instance gets to know this. */
void image_settle(const struct record *r, const char *path);
void image_read(struct image *im, const char *path);

#endif
