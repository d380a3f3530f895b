/*
 * Judging in a child, so that a crash or a hang in the code under test is one violation and not the end.
 */
#ifndef GUARD_H
#define GUARD_H

#include "judge.h"

struct tally {
	uint64_t at;      /* state being judged */
	uint64_t judged;
	uint64_t bad;
	uint64_t points;  /* what the figure counts, where that is not `judged` */
};

struct guard {
	const char *row; /* of the command that reproduces a violation */
	const struct op *op;
	struct tally *t; /* shared with the child */
};

/* Calls work(arg, from) in a child with what is left until all n states were begun. */
void guard_run(struct guard *g, uint64_t n, void (*work)(void *arg, uint64_t from), void *arg);

/* In work: state id begins; true when it must be judged. */
void guard_begin(struct guard *g, uint64_t id);
void guard_end(struct guard *g, bool good, const char *why);

void guard_init(struct guard *g, const char *row, const struct op *op);

/* A violation, on standard output. */
void guard_bad(struct guard *g, uint64_t id, const char *why);

#endif
