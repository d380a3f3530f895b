/*
 * Row 7: another process truncates, replaces or removes the file while a program works on it.
 *
 * The program is stopped before and after each system call, at instructions that hold a pointer into the mapped file, and
 * at random ones; the file is disturbed and the program runs on. It must not die of a signal or hang, its exit code must be
 * one of the contract's for this, and with an error it says one line. Where the file was replaced, the new one has its
 * items, and perhaps those of the command.
 */
#include "rows.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum action { CUT_ALL, CUT_PAGE, CUT_HALF, REPLACE, REMOVE, ACTIONS };
static const char *const names[] = { "truncate to 0", "truncate to 5000", "truncate to half", "replace", "remove" };

struct points {
	uint32_t *step; /* after so many steps of the command */
	size_t n;
};

static void
add(struct points *p, uint32_t step)
{
	if (!(p->n & (p->n - 1))) {
		p->step = realloc(p->step, (p->n ? 2 * p->n : 1) * sizeof(*p->step));
		if (!p->step)
			die("disturb");
	}
	if (!p->n || p->step[p->n - 1] != step)
		p->step[p->n++] = step;
}

/* Of the last command. */
static void
find_points(const struct run *run, struct points *p)
{
	const struct record *r = &run->r;
	uint32_t start = r->start[r->commands - 1];

	for (size_t i = 0; i < r->n_marks; i++) {
		const struct mark *m = &r->m[i];

		if (m->step <= start || (m->kind != MARK_CALL && m->kind != MARK_TOUCH))
			continue;
		add(p, m->step - start - 1);
		add(p, m->step - start);
	}
	for (uint64_t i = 0; r->steps > start && i < p->n / 2 + 8; i++)
		add(p, (uint32_t)(run_random(i) % (r->steps - start)));
}

static void
disturb(const struct run *run, enum action a)
{
	char path[4096], other[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/" STORE, run->dir);
	snprintf(other, sizeof(other), "%s/other", run->dir);
	if (stat(path, &st))
		return; /* not made yet */
	if (a == REPLACE) {
		image_before(&run->r, run->r.commands - 1, other);
		if (!access(other, F_OK) && rename(other, path))
			die("%s", path);
	} else if (a == REMOVE)
		unlink(path);
	else if (truncate(path, a == CUT_ALL ? 0 : a == CUT_PAGE && st.st_size > 5000 ? 5000 : st.st_size / 2))
		die("%s", path);
}

static bool
one_line(const char *dir, const char *program, char why[WHY])
{
	char path[4096], text[2000];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/err", dir);
	fd = open(path, O_RDONLY);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (n > 0 && strchr(text, '\n') == text + n - 1 && !strncmp(text, program, strlen(program)))
		return true;
	return judge_no(why, "not one line of %s: '%.120s'", program, text);
}

static bool
ended_well(struct run *run, const struct tracee *t, const struct command *c, char why[WHY])
{
	int code = WEXITSTATUS(t->status);

	if (!WIFEXITED(t->status))
		return judge_no(why, "%s", WTERMSIG(t->status) == SIGKILL ? "hung" : strsignal(WTERMSIG(t->status)));
	switch (code) {
	case 0:
	case 1:
		return true;
	case 65:
	case 66:
	case 73:
	case 74:
	case 75:
		return one_line(run->dir, c->argv[0], why);
	default:
		return judge_no(why, "exit code %d", code);
	}
}

static bool
at_point(struct run *run, uint32_t steps, enum action a, char why[WHY])
{
	unsigned n = run->r.commands - 1;
	struct moment when = { .command = n, .out = UINT64_MAX / 2 };
	struct command c;
	struct tracee t;
	char path[4096];

	run_restore(run, n);
	command_parse(&c, run->op->commands[n]);
	if (trace_start(&t, &c, bin_dir, run->dir))
		die("cannot trace %s", c.argv[0]);
	if (trace_to_first(&t) && trace_skip(&t, steps)) {
		disturb(run, a);
		trace_finish(&t, 20);
	}
	if (!ended_well(run, &t, &c, why))
		return false;
	snprintf(path, sizeof(path), "%s/" STORE, run->dir);
	return a != REPLACE || run->op->judge->judge(run->known, &when, path, why);
}

void
row_disturb(struct run *run)
{
	struct points p = { 0 };
	char why[WHY], text[2 * WHY];
	uint64_t total, done = 0;

	find_points(run, &p);
	total = p.n * ACTIONS;
	for (uint64_t i = 0; i < total && done < run->budget; i++) {
		/* Spread over all where the budget is smaller: 7919 is prime to what these counts are. */
		uint64_t id = total > run->budget ? run_random(i) % total : i;

		if (run->only >= 0)
			id = (uint64_t)run->only;
		done++;
		if (!at_point(run, p.step[id / ACTIONS], id % ACTIONS, why)) {
			snprintf(text, sizeof(text), "%s at step %u: %s", names[id % ACTIONS], p.step[id / ACTIONS], why);
			guard_bad(&run->g, id, text);
		}
		if (run->only >= 0)
			break;
	}
	run->g.t->points = done;
	printf("# disturb %s: %llu of %llu points, %llu bad\n", run->op->name, (unsigned long long)done,
	    (unsigned long long)total, (unsigned long long)run->g.t->bad);
	free(p.step);
}
