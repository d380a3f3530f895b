/* What the verbs of mmctr share. */
#ifndef MMCTR_H
#define MMCTR_H

#include "cli.h"
#include "ctr.h"

/* Input of the argps below; the first member of each verb's options. */
struct ctr_cmd {
	struct cli_common common;
	bool int64_string; /* --int64=string */
	bool hex;
	bool old;
	struct ctr_op op;  /* --wrap, --saturate, --limit, and what the verb fills in */
	const char *file;
	char **args;       /* operands after FILE */
	int nargs;
};
#define CTR_CMD { .common = CLI_COMMON }

extern const struct argp ctr_operands_argp; /* collects file and args */
extern const struct argp ctr_json_argp;     /* --json, --int64=string */
extern const struct argp ctr_update_argp;   /* --old, --wrap, --saturate, --limit=LO:HI */

/* Gives every child of a verb's argp the same struct; call for ARGP_KEY_INIT. */
void ctr_children(struct argp_state *state, size_t n);

/* 0, or 64 said: FILE and between lo and hi operands after it (hi < 0: any number). */
int ctr_expect(const struct ctr_cmd *cmd, const char *argv0, int lo, int hi, const char *what);

/* Opens cmd->file; 0 or an exit code, said. Flags as ctr_open(); --sync and --no-create are added here. */
int ctr_begin(struct ctr *c, const struct ctr_cmd *cmd, unsigned flags);

/* A name operand: 0 or 64, said. */
int ctr_name(const struct ctr_cmd *cmd, const char *name);

/* One line on stderr for rc at counter `name` (NULL: the file); its exit code. */
int ctr_fail(struct ctr *c, const struct ctr_cmd *cmd, int rc, const char *doing, const char *name);

/* --sync, then the exit code of the verb. */
int ctr_done(struct ctr *c, const struct ctr_cmd *cmd, int status);

/* One update with cmd->op, and its line; the exit code. */
int ctr_run_update(const struct ctr_cmd *cmd, const char *doing, const char *name, bool print);

/* Prints one value as a verb does: plain, --hex, or --json with its name. */
int ctr_print(const struct ctr_cmd *cmd, const char *name, int64_t value);
int ctr_print_json(const struct ctr_cmd *cmd, const char *name, size_t n, int64_t value);

int cmd_del(int argc, char **argv);
int cmd_get(int argc, char **argv);
int cmd_inc(int argc, char **argv);
int cmd_dec(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_ls(int argc, char **argv);
int cmd_set(int argc, char **argv);

#endif
