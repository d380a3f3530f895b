/* What the verbs of mmq share. */
#ifndef MMQ_H
#define MMQ_H

#include "cli.h"
#include "frame.h"
#include "queue.h"

int cmd_check(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_len(int argc, char **argv);
int cmd_peek(int argc, char **argv);
int cmd_pop(int argc, char **argv);
int cmd_push(int argc, char **argv);
int cmd_stat(int argc, char **argv);

/* Verbs whose only operand is FILE: ARGP_KEY_ARG and ARGP_KEY_END of their parsers. */
error_t mmq_parse_file(int key, char *arg, struct argp_state *state, const char **file);

/* The whole command line of a verb that only looks at FILE: the store options, and --json. */
struct mmq_look {
	struct cli_common common;
	const char *file;
};
void mmq_parse_look(struct mmq_look *look, int argc, char **argv, const char *doc);

/* The command line of a verb that prints items: how many, in what framing. */
struct mmq_items {
	struct cli_common common;
	enum frame frame;
	uint64_t max; /* items */
	bool all, counted;
	bool single; /* one item was asked for: it may hold the byte that ends items */
	const char *file;
};
struct mmq_items_text {
	const char *doc, *count, *all; /* of --help: the verb, --count, --all */
};

/* Returns 0 or, having reported options that exclude each other, 64. */
int mmq_parse_items(struct mmq_items *items, int argc, char **argv, const struct mmq_items_text *text);

/*
 * Opens FILE for a verb; a missing one is made when `create` is set and common->no_create is not. Returns 0 or, having
 * reported it, an exit code.
 */
int mmq_open(struct queue *q, const char *file, bool writing, bool create, const struct cli_common *common);

/* Reports rc of a q_ function: where damage is, who holds the lock. Returns the exit code. */
int mmq_fail(struct queue *q, int rc, const char *doing, const char *state);

/* --sync or the file's own setting: flushes. Returns 0 or, having reported it, an exit code. `done` says what was. */
int mmq_sync(struct queue *q, const struct cli_common *common, const char *done);

/* Says on stderr what a recovery had to give up, once. */
void mmq_tell_recovery(struct queue *q);

/* Payload to stdout in the given framing. With `single` an item may hold the framing's own end byte. -ERR_FRAME. */
int mmq_print(struct queue *q, const struct q_state *s, const struct q_item *item, enum frame frame, bool single)
    __attribute__((warn_unused_result));

#endif
