/*
 * stepper [-b BIN] [-n BUDGET] [-k] kill|cut|disturb [OPERATION [STATE]]: rows 1, 2 and 7 of the reliability scorecard.
 *
 * Runs the real programs an instruction at a time, see record.h. With STATE only that one, and its file is kept. The last
 * lines are for the scorecard: row, what, figure, target, verdict.
 */
#include "rows.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct row {
	const char *name;
	unsigned bit;
	void (*run)(struct run *run);
	uint64_t budget; /* of one operation */
	const char *line; /* of the scorecard */
	const char *what;
	uint64_t target;
} rows[] = {
	{ "kill", OP_KILL, row_kill, 10, "1", "kill -9 at every instruction: kills judged", 20000 },
	{ "cut", OP_CUT, row_cut, 400, "2", "simulated power cuts: states judged", 1000000 },
	{ "disturb", OP_DISTURB, row_disturb, 40, "7", "truncated, replaced, removed under it: points", 2000 },
};

static char work[] = "/var/tmp/mmu-crash.XXXXXX";
static char memory[] = "/dev/shm/mmu-crash.XXXXXX";

static void
clean_up(void)
{
	char command[200];

	snprintf(command, sizeof(command), "rm -rf '%s' '%s'", work, memory);
	if (system(command))
		fprintf(stderr, "cannot remove %s\n", work);
}

void
run_restore(const struct run *run, unsigned n)
{
	char path[PATH_MAX];
	struct image none = { 0 };

	snprintf(path, sizeof(path), "%s/out", run->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/" STORE, run->dir);
	image_write(&none, path);
	image_before(&run->r, n, path);
}

bool
run_use(const struct run *run)
{
	char script[PATH_MAX];

	snprintf(script, sizeof(script), "cd '%s' && PATH=%s:$PATH && { %s; } </dev/null >use.out 2>use.err", run->dir, bin_dir,
	    run->op->judge->use);
	return !system(script);
}

static bool
run_op(const struct row *row, const struct op *op, uint64_t budget, int64_t only, struct tally *sum)
{
	struct run run = { .op = op, .budget = budget, .only = only };
	char dir[PATH_MAX], scratch[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/%s", work, op->name);
	/* After a kill the instance is the same, so the mount must be. */
	snprintf(scratch, sizeof(scratch), "%s/file", row->bit == OP_CUT ? memory : work);
	run.dir = dir;
	run.scratch = scratch;
	record_op(&run.r, op, dir);
	for (unsigned i = 0; i < run.r.commands; i++)
		if (run.r.code[i])
			die("%s: '%s' ended with %d", op->name, op->commands[i], run.r.code[i]);
	run.known = op->judge->learn(op, &run.r, scratch);
	guard_init(&run.g, row->name, op);
	row->run(&run);
	fflush(stdout);
	sum->points += run.g.t->points;
	sum->judged += run.g.t->judged;
	sum->bad += run.g.t->bad;
	record_free(&run.r);
	return !run.g.t->bad;
}

static const struct row *
row_find(const char *name)
{
	for (size_t i = 0; name && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	die("usage: stepper [-b BIN] [-n BUDGET] [-k] kill|cut|disturb [OPERATION [STATE]]");
}

int
main(int argc, char **argv)
{
	struct tally sum = { 0 };
	const struct row *row;
	const char *only_op;
	uint64_t budget = 0;
	bool keep = false;
	int c;

	while ((c = getopt(argc, argv, "b:n:k")) != -1)
		if (c == 'b')
			bin_dir = optarg;
		else if (c == 'n')
			budget = strtoull(optarg, NULL, 10);
		else
			keep = c == 'k';
	row = row_find(argv[optind]);
	only_op = optind + 1 < argc ? argv[optind + 1] : NULL;
	keep = keep || (only_op && argv[optind + 2]);
	bin_dir = realpath(bin_dir, NULL);
	if (!bin_dir || !mkdtemp(work) || !mkdtemp(memory))
		die("bin, /var/tmp or /dev/shm");
	if (only_op)
		op_find(only_op);
	if (!keep)
		atexit(clean_up);
	for (const struct op *op = ops; op->name; op++)
		if (op->rows & row->bit && (!only_op || !strcmp(op->name, only_op)))
			run_op(row, op, budget ? budget : row->budget,
			    only_op && argv[optind + 2] ? strtoll(argv[optind + 2], NULL, 10) : -1, &sum);
	printf("%s\t%s\t%llu, %llu bad\t%llu, 0 bad\t%s\n", row->line, row->what, (unsigned long long)sum.points,
	    (unsigned long long)sum.bad, (unsigned long long)row->target, sum.bad ? "fail" : "pass");
	return sum.bad ? 1 : 0;
}
