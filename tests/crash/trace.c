/*
 * The tracer. A step over a syscall instruction is the whole system call: the trap comes when it is done.
 *
 * Address randomisation is off, so that step n of one run is step n of the next one but for the length of clock
 * readings.
 */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSCALL_STOP (SIGTRAP | 0x80)

void
die(const char *format, ...)
{
	int e = errno;
	va_list args;

	va_start(args, format);
	fprintf(stderr, "stepper: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, " (errno: %s)\n", strerror(e));
	va_end(args);
	exit(70);
}

void
command_parse(struct command *c, const char *text)
{
	size_t n = 0;
	char *word, *rest;

	memset(c, 0, sizeof(*c));
	snprintf(c->text, sizeof(c->text), "%s", text);
	for (word = strtok_r(c->text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		if (*word == '<')
			c->in = word + 1;
		else if (n < ARGS_MAX - 1)
			c->argv[n++] = word;
}

static void
redirect(const char *name, int flags, int fd)
{
	int from = open(name, flags, 0600);

	if (from < 0 || dup2(from, fd) < 0)
		_exit(125);
	close(from);
}

static void
child(const struct command *c, const char *bin, const char *dir)
{
	/* MMU_SEAM chooses a mutation where the programs are built with them (lib/seam.h). */
	char path[4096], seam[64], locale[] = "LC_ALL=C";
	char *env[] = { locale, seam, NULL };

	snprintf(seam, sizeof(seam), "MMU_SEAM=%s", getenv("MMU_SEAM") ? getenv("MMU_SEAM") : "");
	snprintf(path, sizeof(path), "%s/%s", bin, c->argv[0]);
	if (chdir(dir))
		_exit(125);
	redirect(c->in ? c->in : "/dev/null", O_RDONLY, 0);
	redirect("out", O_WRONLY | O_CREAT | O_APPEND, 1);
	redirect("err", O_WRONLY | O_CREAT | O_TRUNC, 2);
	if (personality(ADDR_NO_RANDOMIZE) < 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(125);
	execve(path, (char *const *)(uintptr_t)c->argv, env);
	_exit(127);
}

/* Waits for the next stop; false: it ended. */
static bool
stopped(struct tracee *t)
{
	while (waitpid(t->pid, &t->status, 0) < 0)
		if (errno != EINTR)
			exit(70);
	t->ended = !WIFSTOPPED(t->status);
	return !t->ended;
}

int
trace_start(struct tracee *t, const struct command *c, const char *bin, const char *dir)
{
	fflush(NULL);
	*t = (struct tracee){ .pid = fork() };
	if (t->pid < 0)
		return -errno;
	if (!t->pid)
		child(c, bin, dir);
	if (!stopped(t))
		return -ENOEXEC;
	return ptrace(PTRACE_SETOPTIONS, t->pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) ? -errno : 0;
}

/* A signal that is not ours to keep goes on to the program. */
static uintptr_t
to_deliver(const struct tracee *t)
{
	int sig = WSTOPSIG(t->status);

	return sig == SIGTRAP || sig == SYSCALL_STOP ? 0 : (uintptr_t)sig;
}

static bool
is_first(const struct user_regs_struct *r)
{
	switch (r->orig_rax) {
	case SYS_fcntl:
		return r->rsi == F_OFD_SETLK || r->rsi == F_OFD_SETLKW;
	case SYS_mmap:
		return (r->rdx & PROT_WRITE) && (r->r10 & MAP_SHARED);
	case SYS_openat:
		return r->rdx & O_CREAT || (r->rdx & O_TMPFILE) == O_TMPFILE;
	case SYS_write:
		return r->rdi > 2;
	case SYS_pwrite64:
	case SYS_pwritev2:
	case SYS_fallocate:
	case SYS_ftruncate:
	case SYS_copy_file_range:
	case SYS_splice:
	case SYS_sendfile:
	case SYS_flock:
		return true;
	default:
		return false;
	}
}

bool
trace_to_first(struct tracee *t)
{
	bool entry = true;

	for (;; entry = !entry) {
		do {
			ptrace(PTRACE_SYSCALL, t->pid, NULL, to_deliver(t));
			if (!stopped(t))
				return false;
		} while (WSTOPSIG(t->status) != SYSCALL_STOP);
		ptrace(PTRACE_GETREGS, t->pid, NULL, &t->regs);
		if (entry && is_first(&t->regs))
			return true;
	}
}

/* Is the program about to enter the kernel? */
static bool
at_syscall(const struct tracee *t)
{
	/* Stopped at the entry already (trace_to_first): rax says so. */
	if (WSTOPSIG(t->status) == SYSCALL_STOP)
		return true;
	return (ptrace(PTRACE_PEEKTEXT, t->pid, (uintptr_t)t->regs.rip, NULL) & 0xffff) == 0x050f;
}

bool
trace_step(struct tracee *t, struct step *s)
{
	const struct user_regs_struct *r = &t->regs;

	s->syscall = at_syscall(t);
	s->nr = (long)(WSTOPSIG(t->status) == SYSCALL_STOP ? r->orig_rax : r->rax);
	memcpy(s->arg, (uint64_t[]){ r->rdi, r->rsi, r->rdx, r->r10 }, sizeof(s->arg));
	s->ret = 0;
	if (!trace_skip(t, 1))
		return false;
	ptrace(PTRACE_GETREGS, t->pid, NULL, &t->regs);
	if (s->syscall)
		s->ret = (long)t->regs.rax;
	return true;
}

bool
trace_skip(struct tracee *t, uint64_t n)
{
	for (; n; n--) {
		ptrace(PTRACE_SINGLESTEP, t->pid, NULL, to_deliver(t));
		if (!stopped(t))
			return false;
	}
	return true;
}

void
trace_kill(struct tracee *t)
{
	if (t->ended)
		return;
	kill(t->pid, SIGKILL);
	while (!t->ended)
		stopped(t);
}

static pid_t watched;

static void
on_alarm(int sig)
{
	(void)sig;
	kill(watched, SIGKILL);
}

void
trace_finish(struct tracee *t, unsigned seconds)
{
	struct sigaction sa = { .sa_handler = on_alarm }, old;

	if (t->ended)
		return;
	watched = t->pid;
	sigaction(SIGALRM, &sa, &old);
	alarm(seconds);
	ptrace(PTRACE_CONT, t->pid, NULL, to_deliver(t));
	while (stopped(t))
		ptrace(PTRACE_CONT, t->pid, NULL, to_deliver(t));
	alarm(0);
	sigaction(SIGALRM, &old, NULL);
}
