/*
 * One program under ptrace(2), from its first lock or store on an instruction at a time.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#define ARGS_MAX 14

/* What to run: words separated by blanks; "<NAME" is its standard input. Its output goes to "out" and "err". */
struct command {
	const char *argv[ARGS_MAX];
	const char *in; /* NULL: /dev/null */
	char text[256];
};

struct tracee {
	pid_t pid;
	int status;                   /* as waitpid gave it, once ended */
	bool ended;
	struct user_regs_struct regs; /* at the stop */
};

/* What the last step did. */
struct step {
	bool syscall;
	long nr;
	uint64_t arg[4];
	long ret;
};

void command_parse(struct command *c, const char *text);

/* Stops at the first instruction. The program is BIN/argv[0], its directory DIR. -errno. */
int trace_start(struct tracee *t, const struct command *c, const char *bin, const char *dir);

/* At full speed to the entry of the first system call that locks, maps or changes a file. False: it ended before. */
bool trace_to_first(struct tracee *t);

/* One instruction, or one whole system call; tells what it was. False: the program ended in it. */
bool trace_step(struct tracee *t, struct step *s);

/* n of them, without looking. False: it ended before. */
bool trace_skip(struct tracee *t, uint64_t n);

/* Lets it run to its end; kills it after `seconds`. */
void trace_finish(struct tracee *t, unsigned seconds);

void trace_kill(struct tracee *t);

/* The stepper itself cannot go on: a message, exit 70. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
