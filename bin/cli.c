#include "cli.h"
#include "map.h"
#include "num.h"
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define LIBBSD_OPENBSD_VIS /* the header asks which strnvis(); neither is used */
#include <bsd/vis.h>

static const char *progname = PACKAGE_NAME;
static const char *mapped_file = ""; /* for the fault handler; set, so that it lies in a page that is touched anyway */
static bool finished;           /* stdout was closed and judged */

static void
print_version(FILE *to, struct argp_state *state)
{
	(void)state;
	fprintf(to, "%s (%s) %s\n", progname, PACKAGE_NAME, PACKAGE_VERSION);
}

void (*argp_program_version_hook)(FILE *, struct argp_state *) = print_version;

const char *
cli_name(void)
{
	return progname;
}

void
cli_vis(char *dst, size_t size, const char *src, size_t n)
{
	size_t fits = (size - sizeof("...")) / 4; /* strvisx() makes at most four bytes of one */
	int end = strvisx(dst, src, n < fits ? n : fits, VIS_CSTYLE | VIS_OCTAL | VIS_NL | VIS_TAB);

	if (n > fits)
		strcpy(dst + end, "...");
}

/* One write(2) a message, so that those of two processes do not mix. */
static void __attribute__((format(printf, 2, 0)))
say(const char *file, const char *fmt, va_list ap)
{
	char line[3072], safe[1024] = "";
	int n, room;

	if (file) {
		cli_vis(safe, sizeof(safe) - 2, file, strlen(file));
		strcat(safe, *file ? ": " : "'': ");
	}
	n = snprintf(line, sizeof(line), "%s: %s", progname, safe);
	room = (int)sizeof(line) - n - 1;
	n += vsnprintf(line + n, (size_t)room, fmt, ap);
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return; /* nobody to tell */
}

void
cli_warn(const char *file, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(file, fmt, ap);
	va_end(ap);
}

int
cli_fail(const char *file, int rc, const struct err_at *at, const char *doing, const char *state)
{
	const char *advice = err_advice(rc);
	char where[256] = "";

	if (at && at->what && (rc == -ERR_DAMAGED || rc == ERR_DAMAGED))
		snprintf(where, sizeof(where), " at byte %llu: %s", (unsigned long long)at->offset, at->what);
	cli_warn(file, "%s: %s%s%s%s%s%s", doing, err_text(rc), where, state ? "; " : "", state ? state : "",
	    advice ? "; " : "", advice ? advice : "");
	return err_exit(rc);
}

int
cli_stdout(int rc, const char *state)
{
	if (!rc)
		return 0;
	cli_fail(NULL, rc, NULL, "standard output", state);
	return EX_IOERR;
}

int
cli_usage(const char *argv0, const char *fmt, ...)
{
	char text[512], safe[4 * sizeof(text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cli_vis(safe, sizeof(safe), text, strlen(text)); /* words of the command line may be names of others' files */
	cli_warn(NULL, "%s; see '%s --help'", safe, argv0);
	return EX_USAGE;
}

void
cli_check_number(const struct argp_state *state, int rc, const char *what, const char *word)
{
	if (rc)
		argp_error(state, "%s '%s': %s", what, word, err_text(rc));
}

/*
 * Runs in a signal handler: cli_warn() formats into the stack and calls write(2), nothing else. The stores were
 * ordered so that dying here is no worse than kill -9 at the same place.
 */
static void
on_fault(const void *addr)
{
	(void)addr;
	cli_warn(*mapped_file ? mapped_file : NULL, "a page of the file cannot be had (cut short by another program, or the disk is full "
			      "or failing); the file is as after a kill; look at it with the check verb");
	_exit(EX_IOERR);
}

void
cli_using(const char *file)
{
	mapped_file = file;
}

/* A closed descriptor 0 to 2 would be given to the store, and output would land in it. */
static int
occupy_standard_fds(void)
{
	struct pollfd fds[3] = { { .fd = 0 }, { .fd = 1 }, { .fd = 2 } };

	if (poll(fds, 3, 0) <= 0)
		return 0;
	for (int i = 0; i < 3; i++)
		/* The wrong direction, so that using it fails as using a closed one does. */
		if ((fds[i].revents & POLLNVAL) && open("/dev/null", i ? O_RDONLY : O_WRONLY) != i)
			return -EBADF;
	return 0;
}

static int
begin(const char *name)
{
	int rc;

	progname = name;
	rc = occupy_standard_fds();
	if (!rc)
		rc = map_guard(on_fault);
	return rc ? cli_fail(NULL, rc, NULL, "start", NULL) : 0;
}

/*
 * Both layers of stdout, and the close whose error some file systems keep for last. argp exits by itself
 * after --help and --version, so this also runs at exit.
 */
static int
finish(int status)
{
	int rc = out_flush();

	finished = true;
	if (fflush(stdout) && !rc)
		rc = -errno;
	if (close(STDOUT_FILENO) && errno != EBADF && !rc)
		rc = -errno;
	/* A failure that the verb has reported keeps its own code. */
	return rc && (status == 0 || status == EXIT_NO) ? cli_stdout(rc, NULL) : status;
}

static char *parse_errors; /* what argp and getopt print, one error in two lines */

/*
 * "PROGRAM VERB: text" and "Try `PROGRAM VERB --help'...": the contract's one line of both. The text repeats words of
 * the command line, which may be names of others' files: nothing of them reaches a terminal as it is.
 */
static void
print_usage_error(void)
{
	size_t n = __fpending(stderr), name;
	char text[512], safe[4 * sizeof(text)];

	__fpurge(stderr);
	n = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
	memcpy(text, parse_errors, n);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	name = strcspn(text, ":");
	cli_vis(safe, sizeof(safe), text, strlen(text));
	dprintf(STDERR_FILENO, "%s; see '%.*s --help'\n", safe, (int)name, text);
}

/* Room for a message that repeats any word whole: what is flushed before its end would be printed as it is. */
static void
hold_errors(int argc, char **argv)
{
	static char room[2048];
	size_t need = sizeof(room);

	for (int i = 0; i < argc; i++)
		need += strlen(argv[i]);
	parse_errors = need < sizeof(room) + 1024 ? room : malloc(need);
	if (!parse_errors) {
		cli_warn(NULL, "options: %s", strerror(ENOMEM));
		_exit(EX_TEMPFAIL);
	}
	setvbuf(stderr, parse_errors, _IOFBF, parse_errors == room ? sizeof(room) : need);
}

static void
at_exit(void)
{
	/* Only reached through argp's exit(): help and version, or a usage error. */
	if (finished)
		return;
	if (__fpending(stderr))
		print_usage_error();
	if (fflush(stdout) || ferror(stdout) || close(STDOUT_FILENO)) {
		cli_warn(NULL, "standard output: %s", strerror(errno));
		_exit(EX_IOERR);
	}
}

void
cli_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input)
{
	int rc;

	atexit(at_exit);
	hold_errors(argc, argv);
	rc = argp_parse(argp, argc, argv, flags, NULL, input);
	if (rc) {
		cli_warn(NULL, "options: %s", strerror(rc));
		_exit(EX_SOFTWARE);
	}
}

/* \001 cannot begin a counter name or a number. */
#define MARK '\001'

static char *
marked(const char *word)
{
	size_t n = strlen(word);
	char *copy = malloc(n + 2);

	if (copy) {
		copy[0] = MARK;
		memcpy(copy + 1, word, n + 1);
	}
	return copy;
}

void
cli_parse_numbers(const struct argp *argp, int argc, char **argv, unsigned flags, void *input)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (argv[i][0] == '-' && argv[i][1] >= '0' && argv[i][1] <= '9') {
			argv[i] = marked(argv[i]); /* lives as long as argv */
			if (!argv[i]) {
				cli_warn(NULL, "options: %s", strerror(ENOMEM));
				_exit(EX_TEMPFAIL);
			}
		}
	cli_parse(argp, argc, argv, flags, input);
}

char *
cli_word(char *arg)
{
	return *arg == MARK ? arg + 1 : arg;
}

static void
print_help(const struct cli_prog *prog, FILE *to)
{
	fprintf(to, "Usage: %s VERB [OPTION...] FILE [ARG...]\n%s\n\n", prog->name, prog->doc);
	for (const struct cli_verb *v = prog->verbs; v->name; v++)
		fprintf(to, "  %-10s %s\n", v->name, v->summary);
	fprintf(to, "\n'%s VERB --help' lists a verb's options.\nSee %s(1), mmutils(7).\n", prog->name, prog->name);
}

static const struct cli_verb *
find_verb(const struct cli_prog *prog, const char *name)
{
	for (const struct cli_verb *v = prog->verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

static int
run_verb(const struct cli_prog *prog, const struct cli_verb *v, int argc, char **argv)
{
	char name[64];

	/* Not snprintf(): its first use costs page faults. Both words are constants of ours. */
	stpcpy(stpcpy(stpcpy(name, prog->name), " "), v->name);
	argv[0] = name;
	return v->run(argc, argv);
}

int
cli_main(const struct cli_prog *prog, int argc, char **argv)
{
	const struct cli_verb *v;
	int status = begin(prog->name);

	if (status)
		return status;
	if (argc < 2)
		status = cli_usage(prog->name, "a verb is required");
	else if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?"))
		print_help(prog, stdout);
	else if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		print_version(stdout, NULL);
	else if (prog->implied && (argc == 2 || !find_verb(prog, argv[1])))
		status = run_verb(prog, prog->implied, argc, argv);
	else if ((v = find_verb(prog, argv[1])))
		status = run_verb(prog, v, argc - 1, argv + 1);
	else if (argv[1][0] == '-')
		status = cli_usage(prog->name, "'%s': the verb stands first, options behind it", argv[1]);
	else
		status = cli_usage(prog->name, "unknown verb '%s'", argv[1]);
	return finish(status);
}

int
cli_main_single(const char *name, int (*run)(int argc, char **argv), int argc, char **argv)
{
	int status = begin(name);

	return status ? status : finish(run(argc, argv));
}
