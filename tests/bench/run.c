/*
 * run [-m] [-n ROUNDS] COMMAND [:: COMMAND]...: how long each COMMAND takes.
 *
 * The commands take turns, ROUNDS times (default 5), so that a noisy minute hits all of them alike; one more turn
 * before is not counted. Prints a line for each: median microseconds, least microseconds, and with -m the greatest
 * RssAnon in KiB that was seen while it ran (sampled; a command of a millisecond may show 0).
 *
 * Words before a COMMAND:  +SHELL  run before each turn, not timed   <FILE  standard input   >FILE  standard output,
 * appended to (default: /dev/null for both)   |  standard output is a pipe that a process reads with read(2).
 * The time is from before posix_spawn() to the end of the command. One that fails ends the run: exit 1.
 */
#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 16
#define MAX_ROUNDS 10000
#define READ_SIZE (128 << 10) /* as cat and dd users read */

struct command {
	char **argv;
	const char *prepare;
	const char *in;
	const char *out;
	bool pipe;
	unsigned long rss;
	double us[MAX_ROUNDS];
};

static struct command commands[MAX_COMMANDS];

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* A process that reads the pipe to its end; returns the end to write to. */
static int
start_reader(pid_t *pid)
{
	static char buf[READ_SIZE];
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		err(1, "pipe");
	*pid = fork();
	if (*pid < 0)
		err(1, "fork");
	if (!*pid) {
		close(fd[1]);
		while (read(fd[0], buf, sizeof(buf)) > 0)
			;
		_exit(0);
	}
	close(fd[0]);
	return fd[1];
}

static int
open_for(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static unsigned long
rss_anon(pid_t pid)
{
	char path[64], line[128];
	unsigned long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %lu", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static int
wait_sampling(pid_t pid, unsigned long *rss)
{
	static const struct timespec pause = { .tv_nsec = 300000 };
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		unsigned long kib = rss_anon(pid);

		if (kib > *rss)
			*rss = kib;
		nanosleep(&pause, NULL);
	}
	return status;
}

/* One turn; the time it took. */
static double
turn(struct command *c, bool sample)
{
	posix_spawn_file_actions_t acts;
	pid_t pid, reader = 0;
	double start;
	int status, in, out;

	if (c->prepare && system(c->prepare))
		errx(1, "failed: %s", c->prepare);
	in = open_for(c->in ? c->in : "/dev/null", O_RDONLY);
	if (c->pipe)
		out = start_reader(&reader);
	else
		out = open_for(c->out ? c->out : "/dev/null", O_WRONLY | O_CREAT | O_APPEND);
	posix_spawn_file_actions_init(&acts);
	posix_spawn_file_actions_adddup2(&acts, in, 0);
	posix_spawn_file_actions_adddup2(&acts, out, 1);
	start = now_us();
	if (posix_spawnp(&pid, c->argv[0], &acts, NULL, c->argv, environ))
		errx(1, "%s: cannot be started", c->argv[0]);
	if (sample)
		status = wait_sampling(pid, &c->rss);
	else if (waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	start = now_us() - start;
	posix_spawn_file_actions_destroy(&acts);
	close(in);
	close(out);
	if (reader)
		waitpid(reader, NULL, 0);
	if (status)
		errx(1, "%s: wait status %#x", c->argv[0], (unsigned)status);
	return start;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Takes the next command off the words; returns those behind it. */
static char **
parse(struct command *c, char **words)
{
	for (; *words; words++) {
		if (**words == '+')
			c->prepare = *words + 1;
		else if (**words == '<')
			c->in = *words + 1;
		else if (**words == '>')
			c->out = *words + 1;
		else if (!strcmp(*words, "|"))
			c->pipe = true;
		else
			break;
	}
	c->argv = words;
	while (*words && strcmp(*words, "::"))
		words++;
	if (words == c->argv)
		errx(1, "a command is missing");
	if (*words)
		*words++ = NULL;
	return words;
}

int
main(int argc, char **argv)
{
	bool sample = false;
	int opt, n = 0;
	long rounds = 5;

	while ((opt = getopt(argc, argv, "+mn:")) != -1) {
		if (opt == 'm')
			sample = true;
		else if (opt == 'n')
			rounds = strtol(optarg, NULL, 10);
		else
			return 1;
	}
	if (rounds < 1 || rounds > MAX_ROUNDS)
		errx(1, "1 to %d rounds", MAX_ROUNDS);
	for (argv += optind; *argv || !n; n++) {
		if (n == MAX_COMMANDS)
			errx(1, "too many commands");
		argv = parse(&commands[n], argv);
	}
	for (long r = -1; r < rounds; r++)
		for (int i = 0; i < n; i++)
			commands[i].us[r < 0 ? 0 : r] = turn(&commands[i], sample);
	for (int i = 0; i < n; i++) {
		qsort(commands[i].us, (size_t)rounds, sizeof(double), by_value);
		printf("%.0f\t%.0f\t%lu\n", commands[i].us[rounds / 2], commands[i].us[0], commands[i].rss);
	}
	return fflush(stdout) ? 1 : 0;
}
