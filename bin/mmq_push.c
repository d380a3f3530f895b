/*
 * mmq push FILE [ITEM...]: append items.
 *
 * Operands go in with one commit. Standard input is read outside the lock, and what a read brought is committed at
 * once, so `tail -f log | mmq push q` delivers each line as it comes. Exit 0: every item is in the queue.
 */
#include "mmq.h"
#include "out.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
	struct cli_common common;
	enum frame frame;
	bool ids;
	const char *file;
	char **items;
	int count;
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		state->child_inputs[1] = &o->common;
		state->child_inputs[2] = &o->frame;
		return 0;
	case 'i':
		o->ids = true;
		return 0;
	case ARGP_KEY_ARG:
		/* The first operand is FILE; every word behind it is an item, whatever it looks like. */
		o->file = arg;
		o->items = state->argv + state->next;
		o->count = state->argc - state->next;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!o->file)
			argp_error(state, "FILE is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "id", 'i', NULL, 0, "Print the id of each item, a line each", 1 },
	{ 0 },
};
static const struct argp_child children[] = {
	{ &cli_create_argp, 0, NULL, 0 },
	{ &cli_store_argp, 0, NULL, 0 },
	{ &frame_argp, 0, NULL, 0 },
	{ 0 },
};
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE [ITEM...]",
	.doc = "Append each ITEM, or the items on standard input when none is given. Options stand before FILE.",
	.children = children,
};

#define RESERVE_MIN (4 << 20) /* bytes of input worth a step of its own */

struct push {
	const struct options *o;
	struct queue q;
	uint64_t done; /* items in the queue */
};

static struct q_writer writer; /* 64 KiB, untouched pages cost nothing */

static int
failed(struct push *p, int rc, const char *doing)
{
	char state[64];

	snprintf(state, sizeof(state), "%llu items were pushed before", (unsigned long long)p->done);
	return mmq_fail(&p->q, rc, doing, state);
}

/* A replaced file is opened again: the queue is what the path names. */
static int
begin(struct push *p)
{
	/* What a word of the command line or an item of this framing cannot hold. */
	unsigned flags = p->o->count || p->o->frame == FRAME_NUL ? Q_NO_NUL : p->o->frame == FRAME_LINE ? Q_NO_NEWLINE : 0;
	int rc = q_push_begin(&p->q, &writer, flags);

	for (int i = 0; rc == -ERR_REPLACED && i < 100; i++) {
		q_close(&p->q);
		rc = mmq_open(&p->q, p->o->file, true, true, &p->o->common);
		if (rc)
			return rc;
		rc = q_push_begin(&p->q, &writer, flags);
	}
	mmq_tell_recovery(&p->q);
	return rc ? failed(p, rc, "push") : 0;
}

/* Publishes what was put; then the ids may be told, and with --sync not before they are safe. */
static int
commit(struct push *p, uint64_t first_id, uint64_t n, bool sync)
{
	int rc = q_push_end(&writer), status;

	if (rc)
		return failed(p, rc, "push");
	p->done += n;
	status = sync ? mmq_sync(&p->q, &p->o->common, "the items are in the queue") : 0;
	for (uint64_t i = 0; !status && !rc && p->o->ids && !p->o->common.quiet && i < n; i++) {
		rc = out_u64(first_id + i);
		if (!rc)
			rc = out_write("\n", 1);
	}
	if (!rc && p->o->ids && !p->o->common.quiet)
		rc = out_flush();
	return status ? status : cli_stdout(rc, "the items are in the queue");
}

static int
put_item(const struct frame_item *item)
{
	return item->p ? q_push_put(&writer, item->p, item->n) : q_push_file(&writer, item->fd, item->off, item->n);
}

static int
push_words(struct push *p)
{
	uint64_t first, n = 0;
	int rc = 0, status = begin(p);

	if (status)
		return status;
	first = p->q.s.next_id;
	for (; !rc && n < (uint64_t)p->o->count; n += !rc)
		rc = q_push_put(&writer, p->o->items[n], strlen(p->o->items[n]));
	status = commit(p, first, n, true);
	if (rc && !status)
		status = failed(p, rc, "push");
	return status;
}

/* All items that are whole in hand, with one commit. Nothing is read while the lock is held. */
static int
push_batch(struct push *p, struct frame_in *in, bool sync)
{
	struct frame_item item;
	uint64_t first, n = 0;
	int rc = frame_next(in, &item), bad = 0, status;

	if (rc <= 0)
		return rc ? failed(p, rc, "standard input") : 0;
	status = begin(p);
	if (status)
		return status;
	first = p->q.s.next_id;
	do {
		bad = put_item(&item);
		n += !bad;
	} while (!bad && (rc = frame_next(in, &item)) > 0);
	status = commit(p, first, n, sync);
	if (!status && bad)
		status = failed(p, bad, "push");
	if (!status && rc < 0)
		status = failed(p, rc, "standard input");
	return status;
}

/* Is there more input at once? Then a flush can wait for it. */
static bool
more(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) > 0 && !(pfd.revents & POLLHUP && !(pfd.revents & POLLIN));
}

/* A regular file says how much will come. */
static int
reserve(struct push *p)
{
	off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	struct stat st;
	int rc;

	if (at < 0 || fstat(STDIN_FILENO, &st) || !S_ISREG(st.st_mode) || st.st_size - at < RESERVE_MIN)
		return 0;
	rc = q_reserve(&p->q, (uint64_t)(st.st_size - at));
	return rc == -ERR_REPLACED ? 0 : rc; /* the first batch opens it again */
}

static int
push_stream(struct push *p)
{
	struct frame_in in;
	int rc, status = 0;

	rc = reserve(p);
	if (!rc)
		rc = frame_open(&in, p->o->frame, STDIN_FILENO);
	if (rc)
		return failed(p, rc, "standard input");
	while (!status && !in.eof) {
		/* The first batch says nothing; who sends a second will need many segments. */
		rc = p->done ? q_map(&p->q) : 0;
		if (!rc)
			rc = frame_fill(&in, p->o->file);
		status = rc ? failed(p, rc, "standard input") : push_batch(p, &in, in.eof || p->o->ids || !more(in.fd));
	}
	frame_close(&in);
	/* The last batch may have been flushed before the end was seen. */
	return status ? status : mmq_sync(&p->q, &p->o->common, "the items are in the queue");
}

/* One item from a regular file needs no collecting. */
static int
push_raw_file(struct push *p, const struct stat *st)
{
	off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	uint64_t n = at < st->st_size ? (uint64_t)(st->st_size - at) : 0, first;
	int rc, status = begin(p);

	if (status)
		return status;
	first = p->q.s.next_id;
	rc = q_push_file(&writer, STDIN_FILENO, (uint64_t)at, n);
	status = commit(p, first, !rc, true);
	return rc && !status ? failed(p, rc, "push") : status;
}

int
cmd_push(int argc, char **argv)
{
	struct options o = { .common = CLI_COMMON };
	struct push p = { .o = &o };
	struct stat st;
	int status;

	cli_parse(&argp, argc, argv, ARGP_IN_ORDER, &o);
	status = mmq_open(&p.q, o.file, true, true, &o.common);
	if (status)
		return status;
	if (o.count)
		return push_words(&p);
	if (o.frame == FRAME_RAW && !fstat(STDIN_FILENO, &st) && S_ISREG(st.st_mode))
		return push_raw_file(&p, &st);
	return push_stream(&p);
}
