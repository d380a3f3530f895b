/*
 * What every program of the toolkit shares at its outer edge: the verb table, the common options, errors of one
 * line, exit codes, and a stdout that is closed and checked.
 *
 * A verb is one file with one function `int cmd_NAME(int argc, char **argv)` that parses with argp (argv[0] is
 * "PROGRAM VERB"), works through lib/ and returns an exit code. main() is cli_main() with the table.
 */
#ifndef CLI_H
#define CLI_H

#include "err.h"

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sysexits.h>

#define EXIT_NO 1 /* the answer is no: nothing on stderr */

struct cli_verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary; /* one line of the verb list in --help */
};

struct cli_prog {
	const char *name;
	const char *doc;              /* what it is for, one line */
	const struct cli_verb *verbs; /* ends with a NULL name */
	const struct cli_verb *implied; /* run when the first operand is no verb; NULL: 64 */
};

/* Parses the program's own options, finds the verb, runs it, closes stdout. The exit code. */
int cli_main(const struct cli_prog *prog, int argc, char **argv);

/* For a program without verbs. */
int cli_main_single(const char *name, int (*run)(int argc, char **argv), int argc, char **argv);

/* The common options; defaults from CLI_COMMON. Use as argp children with this as child input. */
struct cli_common {
	bool sync;
	bool quiet;
	bool no_create;
	bool json;
	mode_t mode;
	int64_t lock_timeout; /* nanoseconds */
};
#define CLI_COMMON { .mode = 0600, .lock_timeout = INT64_C(10000000000) }

extern const struct argp cli_create_argp; /* --no-create, --mode */
extern const struct argp cli_store_argp;  /* --sync, --quiet, --lock-timeout */
extern const struct argp cli_json_argp;   /* --json */

/*
 * argp_parse() with the project's settings; a usage error exits with 64 there. cli_parse_numbers() also takes
 * "-5" as an operand: such words reach the parser with a mark before them, which cli_word() takes off.
 */
void cli_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input);
void cli_parse_numbers(const struct argp *argp, int argc, char **argv, unsigned flags, void *input);
char *cli_word(char *arg);

/* "PROGRAM: FILE: text" on stderr; file may be NULL. File names are escaped for the terminal. */
void cli_warn(const char *file, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Words rc: "PROGRAM: FILE: doing: error [at byte N: field]; state; advice" and returns its exit code.
 * `state` says what the file is like now ("nothing changed"), NULL when nothing was touched.
 */
int cli_fail(const char *file, int rc, const struct err_at *at, const char *doing, const char *state);

/* 0, or 74 said when rc of an out_ function is not 0. `state` as above. */
int cli_stdout(int rc, const char *state);

/* Usage error found after parsing: message with the --help hint, returns 64. */
int cli_usage(const char *argv0, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A number on the command line that was refused: exits through argp_error (64) when rc is not 0. */
void cli_check_number(const struct argp_state *state, int rc, const char *what, const char *word);

/* Bytes for a terminal: what is not printable ASCII as C escapes, cut to fit size. */
void cli_vis(char *dst, size_t size, const char *src, size_t n);

/* Names the mapped file for the message of a page fault that cannot be served. */
void cli_using(const char *file);

/* The name of the program for messages. */
const char *cli_name(void);

#endif
