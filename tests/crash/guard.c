#include "guard.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 20   /* for one state */
#define BAD_SHOWN 10 /* of one operation in one row */

void
guard_init(struct guard *g, const char *row, const struct op *op)
{
	g->row = row;
	g->op = op;
	g->t = mmap(NULL, sizeof(*g->t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g->t == MAP_FAILED)
		die("guard");
}

void
guard_bad(struct guard *g, uint64_t id, const char *why)
{
	if (++g->t->bad <= BAD_SHOWN)
		printf("# violation: %s %s %llu: %s (tests/crash/stepper %s %s %llu)\n", g->row, g->op->name,
		    (unsigned long long)id, why, g->row, g->op->name, (unsigned long long)id);
	fflush(stdout);
}

void
guard_begin(struct guard *g, uint64_t id)
{
	g->t->at = id;
	alarm(SECONDS);
}

void
guard_end(struct guard *g, bool good, const char *why)
{
	alarm(0);
	g->t->judged++;
	if (!good)
		guard_bad(g, g->t->at, why);
}

void
guard_run(struct guard *g, uint64_t n, void (*work)(void *arg, uint64_t from), void *arg)
{
	char why[WHY];
	int status;

	for (uint64_t from = 0; from < n; from = g->t->at + 1) {
		pid_t pid;

		fflush(NULL);
		pid = fork();
		if (!pid) {
			work(arg, from);
			fflush(NULL);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) < 0)
			die("guard");
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			return;
		if (WIFEXITED(status))
			die("%s %s: the judge failed", g->row, g->op->name);
		g->t->judged++;
		snprintf(why, sizeof(why), "died: %s", strsignal(WTERMSIG(status)));
		guard_bad(g, g->t->at, why);
	}
}
