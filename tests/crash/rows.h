/* The rows of the reliability scorecard that the stepper serves. */
#ifndef ROWS_H
#define ROWS_H

#include "guard.h"

struct run {
	const struct op *op;
	struct record r;
	void *known;          /* of op's judge */
	struct guard g;
	const char *dir;      /* where the programs run */
	const char *scratch;  /* where the judge works: better in memory */
	uint64_t budget;      /* kill: real kills; cut: states of one window; disturb: points */
	int64_t only;         /* this state alone, and keep its file; -1: all */
};

/* Each prints its line and adds what it counts to the tally. */
void row_kill(struct run *run);
void row_cut(struct run *run);
void row_disturb(struct run *run);

/* Puts the file back as it was before command n, in run->dir, and empties what commands wrote. */
void run_restore(const struct run *run, unsigned n);

/* Runs the judge's `use` there. */
bool run_use(const struct run *run);

uint64_t run_random(uint64_t seed);

#endif
