#include "mmq.h"
#include "lock.h"
#include "num.h"
#include "out.h"

#include <errno.h>
#include <string.h>
#include <stdio.h>

error_t
mmq_parse_file(int key, char *arg, struct argp_state *state, const char **file)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (*file)
			argp_error(state, "too many operands: '%s'", arg);
		*file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!*file)
			argp_error(state, "FILE is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t
parse_look(int key, char *arg, struct argp_state *state)
{
	struct mmq_look *look = state->input;

	if (key != ARGP_KEY_INIT)
		return mmq_parse_file(key, arg, state, &look->file);
	state->child_inputs[0] = &look->common;
	state->child_inputs[1] = &look->common;
	return 0;
}

void
mmq_parse_look(struct mmq_look *look, int argc, char **argv, const char *doc)
{
	static const struct argp_child children[] = { { &cli_store_argp, 0, NULL, 0 }, { &cli_json_argp, 0, NULL, 0 }, { 0 } };
	struct argp argp = { .parser = parse_look, .args_doc = "FILE", .doc = doc, .children = children };

	*look = (struct mmq_look){ .common = CLI_COMMON };
	cli_parse(&argp, argc, argv, 0, look);
}

static error_t
parse_items(int key, char *arg, struct argp_state *state)
{
	struct mmq_items *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		state->child_inputs[1] = &o->frame;
		return 0;
	case 'n':
		cli_check_number(state, num_u64(arg, &o->max), "-n", arg);
		o->counted = true;
		return 0;
	case 'a':
		o->all = true;
		return 0;
	default:
		return mmq_parse_file(key, arg, state, &o->file);
	}
}

int
mmq_parse_items(struct mmq_items *o, int argc, char **argv, const struct mmq_items_text *text)
{
	static const struct argp_child children[] = { { &cli_store_argp, 0, NULL, 0 }, { &frame_argp, 0, NULL, 0 }, { 0 } };
	const struct argp_option options[] = {
		{ "count", 'n', "N", 0, text->count, 1 },
		{ "all", 'a', NULL, 0, text->all, 1 },
		{ 0 },
	};
	struct argp argp = {
		.options = options,
		.parser = parse_items,
		.args_doc = "FILE",
		.doc = text->doc,
		.children = children,
	};

	*o = (struct mmq_items){ .common = CLI_COMMON, .max = 1 };
	cli_parse(&argp, argc, argv, 0, o);
	if (o->all && o->counted)
		return cli_usage(argv[0], "--count and --all exclude each other");
	o->single = !o->all && o->max == 1;
	if (o->frame == FRAME_RAW && !o->single)
		return cli_usage(argv[0], "--raw prints one item: leave out -n and --all, or use --frame=len");
	return 0;
}

int
mmq_fail(struct queue *q, int rc, const char *doing, const char *state)
{
	char holder[64] = "";
	pid_t pid;

	if (rc != -ERR_LOCKED)
		return cli_fail(q->m.path, rc, &q->at, doing, state);
	pid = lock_holder(q->m.fd, LOCK_MAIN);
	if (pid)
		snprintf(holder, sizeof(holder), "process %ld holds the lock", (long)pid);
	return cli_fail(q->m.path, rc, NULL, doing, pid ? holder : state);
}

int
mmq_open(struct queue *q, const char *file, bool writing, bool create, const struct cli_common *common)
{
	struct q_config config = { .durable = common->sync };
	int rc;

	cli_using(file);
	rc = q_open(q, file, writing, common->lock_timeout);
	/* Somebody may create or remove it between the two calls: once around is enough for either. */
	for (int i = 0; rc == -ENOENT && create && !common->no_create && i < 3; i++) {
		rc = q_create(file, common->mode, &config);
		if (rc && rc != -EEXIST)
			return cli_fail(file, rc, NULL, "create", "nothing made");
		rc = q_open(q, file, writing, common->lock_timeout);
	}
	if (!rc && writing && common->sync)
		rc = map_can_sync(&q->m);
	if (rc) {
		struct queue damaged = *q;

		damaged.m.path = file;
		return mmq_fail(&damaged, rc, "open", rc == -ENOENT ? NULL : "unchanged");
	}
	return 0;
}

void
mmq_tell_recovery(struct queue *q)
{
	if (q->given_up)
		cli_warn(q->m.path, "after a power cut, or in a copy: %llu stretch%s of items that were not synced could not be "
				    "read and are gone; all other items are there",
		    (unsigned long long)q->given_up, q->given_up == 1 ? "" : "es");
	q->given_up = 0;
}

int
mmq_sync(struct queue *q, const struct cli_common *common, const char *done)
{
	int rc;

	if (!common->sync && !(q->s.flags & Q_SYNC))
		return 0;
	rc = q_sync(q);
	return rc ? mmq_fail(q, rc, "sync", done) : 0;
}

static int
print_pieces(struct queue *q, const struct q_state *s, const struct q_item *item)
{
	const void *p = NULL;
	uint64_t n;
	int rc = 0;

	for (uint64_t at = 0; !rc && at < item->length; at += n) {
		rc = q_payload(q, s, item, at, &p, &n);
		if (!rc)
			rc = out_write(p, n);
	}
	return rc;
}

/* The byte that ends items may not be in one of several. */
static int
find_end(struct queue *q, const struct q_state *s, const struct q_item *item, int end)
{
	const void *p = NULL;
	uint64_t n;
	int rc = 0;

	for (uint64_t at = 0; !rc && at < item->length; at += n) {
		rc = q_payload(q, s, item, at, &p, &n);
		if (!rc && memchr(p, end, n))
			rc = -ERR_FRAME;
	}
	return rc;
}

int
mmq_print(struct queue *q, const struct q_state *s, const struct q_item *item, enum frame frame, bool single)
{
	unsigned known = q_item_flags(item) & (frame == FRAME_LINE ? Q_NO_NEWLINE : Q_NO_NUL);
	int rc = 0;

	if (!single && !known && (frame == FRAME_LINE || frame == FRAME_NUL))
		rc = find_end(q, s, item, frame == FRAME_LINE ? '\n' : '\0');
	if (!rc && frame == FRAME_LEN)
		rc = frame_begin(frame, item->length);
	if (!rc)
		rc = print_pieces(q, s, item);
	return rc ? rc : frame_end(frame);
}
