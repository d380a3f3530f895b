/* mmq init FILE: an empty queue, published whole; an existing one is left as it is (1). */
#include "mmq.h"
#include "num.h"

#include <errno.h>
#include <string.h>

struct options {
	struct cli_common common;
	struct q_config config;
	bool sync;
	const char *file;
};

enum { KEY_MAX_BYTES = 0x200, KEY_MAX_ITEMS, KEY_WHEN_FULL, KEY_SIZE, KEY_FIXED };

static void
set_when_full(struct argp_state *state, struct options *o, const char *arg)
{
	o->config.flags &= ~(uint64_t)Q_DROP_OLDEST; /* the last one counts */
	if (!strcmp(arg, "drop-oldest"))
		o->config.flags |= Q_DROP_OLDEST;
	else if (strcmp(arg, "fail"))
		argp_error(state, "--when-full is fail or drop-oldest, not '%s'", arg);
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		state->child_inputs[1] = &o->common;
		return 0;
	case KEY_MAX_BYTES:
		cli_check_number(state, num_size(arg, &o->config.max_bytes), "--max-bytes", arg);
		return 0;
	case KEY_MAX_ITEMS:
		cli_check_number(state, num_u64(arg, &o->config.max_items), "--max-items", arg);
		return 0;
	case KEY_WHEN_FULL:
		set_when_full(state, o, arg);
		return 0;
	case KEY_SIZE:
		cli_check_number(state, num_size(arg, &o->config.size), "--size", arg);
		return 0;
	case KEY_FIXED:
		o->config.flags |= Q_FIXED_SIZE;
		return 0;
	default:
		return mmq_parse_file(key, arg, state, &o->file);
	}
}

static const struct argp_option options[] = {
	{ "max-bytes", KEY_MAX_BYTES, "SIZE", 0, "At most so many payload bytes", 1 },
	{ "max-items", KEY_MAX_ITEMS, "N", 0, "At most N items", 1 },
	{ "when-full", KEY_WHEN_FULL, "fail|drop-oldest", 0, "What a push into a full queue does (default fail: exit 75)", 1 },
	{ "size", KEY_SIZE, "SIZE", 0, "Reserve so much space now", 1 },
	{ "fixed-size", KEY_FIXED, NULL, 0, "Never grow beyond it", 1 },
	{ 0 },
};
static const struct argp_child children[] = { { &cli_create_argp, 0, NULL, 0 }, { &cli_store_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Create an empty queue. --sync becomes the default of every later change to it. "
	       "Exit 1 when FILE is a queue already.",
	.children = children,
};

/* Something is there: a queue is an answer, anything else an error. */
static int
existing(struct options *o)
{
	struct queue q;
	int rc = mmq_open(&q, o->file, false, false, &o->common);

	return rc ? rc : EXIT_NO;
}

int
cmd_init(int argc, char **argv)
{
	struct options o = { .common = CLI_COMMON };
	struct queue q;
	int rc;

	cli_parse(&argp, argc, argv, 0, &o);
	if (o.common.sync)
		o.config.flags |= Q_SYNC;
	cli_using(o.file);
	rc = q_open(&q, o.file, false, o.common.lock_timeout);
	if (rc != -ENOENT)
		return existing(&o);
	if (o.common.no_create)
		return cli_fail(o.file, rc, NULL, "open", NULL);
	rc = q_create(o.file, o.common.mode, &o.config);
	if (rc == -EEXIST)
		return existing(&o);
	return rc ? cli_fail(o.file, rc, NULL, "create", "nothing made") : 0;
}
