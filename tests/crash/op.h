/*
 * The operations under test. A new one is a row in ops.c: how to prepare a directory, what to run, who judges.
 */
#ifndef OP_H
#define OP_H

#include "trace.h"

#define OP_COMMANDS 10
#define STORE "s" /* name of the file under test in its directory */

struct image;
struct expect;

/* What a file must hold; see judge.h. */
struct judge;

struct op {
	const char *name;
	const struct judge *judge;
	const char *setup;                 /* sh, in an empty directory, the programs on PATH */
	const char *commands[OP_COMMANDS]; /* traced, one after the other */
	unsigned rows;                     /* OP_KILL and the like */
};

enum op_rows {
	OP_KILL = 1,
	OP_CUT = 2,
	OP_DISTURB = 4,
};

extern const struct op ops[];
const struct op *op_find(const char *name);

/* Where the programs under test are. */
extern const char *bin_dir;

/* Empties dir and runs the set-up there. */
void op_prepare(const struct op *op, const char *dir);

/* Does the command acknowledge with --sync? */
bool op_synced(const char *command);

#endif
