/*
 * mmq pop FILE: take the oldest items and print them.
 *
 * The lock is not held while writing: the items are taken (q_take), written, and only when write(2) had all bytes of an
 * item does it leave the queue (q_finish). Killed in between: the kernel drops the lock of our consumer place and the
 * items are ready again, in their place. A broken pipe gives them back before we die of SIGPIPE ourselves.
 */
#include "mmq.h"
#include "out.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#define BATCH_BYTES (1 << 20)

static const struct mmq_items_text text = {
	.doc = "Take the oldest item and print it; exit 1 when there is none. An item leaves the queue when its "
	       "last byte was written.",
	.count = "Take up to N items",
	.all = "Take all items that are ready at the start",
};

struct pop {
	struct mmq_items *o;
	struct queue q;
	struct q_state s;  /* for reading what was taken, without the lock */
	bool was_ignoring; /* SIGPIPE, when we started */
	int printed;       /* 0, or the error that stopped the printing */
};

/* Decodes and verifies the item at `at`, which is ours; looks again when the segment table has moved meanwhile. */
static int
our_item(struct pop *p, uint64_t at, uint64_t to, struct q_item *item)
{
	uint64_t seq;
	int rc;

	do {
		seq = p->s.seq;
		rc = q_record(&p->q, &p->s, at, to, item);
		if (!rc && item->kind == Q_ITEM)
			rc = q_verify(&p->q, &p->s, item);
		if (rc && q_load(&p->q, &p->s))
			return rc;
	} while (rc && p->s.seq != seq);
	return rc;
}

/* Prints items straight into the output buffer, as many as need no second look. Returns where it stopped. */
static uint64_t
print_quick(struct pop *p, uint64_t at, uint64_t to)
{
	bool line = p->o->frame == FRAME_LINE;
	size_t room, n;
	char *dst;

	if ((!line && p->o->frame != FRAME_NUL) || p->o->common.quiet)
		return at;
	do {
		dst = out_room(&room);
		n = dst ? q_copy_items(&p->q, &at, to, line ? Q_NO_NEWLINE : Q_NO_NUL, line ? '\n' : '\0', dst, room) : 0;
		out_used(n);
	} while (n && at < to);
	return at;
}

/* Prints the items of r; p->printed says why it stopped early. */
static void
print_range(struct pop *p, const struct q_range *r)
{
	struct q_item item;
	int rc = 0;

	p->s = p->q.s;
	for (uint64_t at = r->from; !rc && at < r->to; at = item.end) {
		at = print_quick(p, at, r->to);
		if (at == r->to)
			break;
		rc = our_item(p, at, r->to, &item);
		if (!rc && item.kind == Q_ITEM && !p->o->common.quiet)
			rc = mmq_print(&p->q, &p->s, &item, p->o->frame, p->o->single);
	}
	p->printed = rc;
	rc = out_flush();
	if (rc)
		p->printed = rc;
}

/* Position after the last item of r of which the reader had every byte. */
static uint64_t
written_until(struct pop *p, const struct q_range *r, uint64_t bytes)
{
	uint64_t at = r->from;
	struct q_item item;

	while (at < r->to && !our_item(p, at, r->to, &item)) {
		uint64_t n = item.kind == Q_ITEM ? frame_size(p->o->frame, item.length) : 0;

		if (n > bytes)
			break;
		bytes -= n;
		at = item.end;
	}
	return at;
}

/* The items are back or gone; now say why it ended, or die as a reader of a closed pipe does. */
static int
stopped(struct pop *p)
{
	if (p->printed == -EPIPE && !p->was_ignoring) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	if (p->printed == -ERR_FRAME)
		return cli_fail(p->o->file, p->printed, NULL, "pop",
		    "the next item holds the byte that ends items: take it alone, or with --frame=len");
	if (p->printed == -ERR_DAMAGED)
		return mmq_fail(&p->q, p->printed, "pop", "the item and those behind it stay");
	return cli_stdout(p->printed, "what was not written is back in the queue");
}

/* Takes, prints and finishes one batch. *items: how many there were. */
static int
batch(struct pop *p, uint64_t max, uint64_t *items)
{
	uint64_t before = out_taken(), until;
	struct q_range r;
	int rc = q_take(&p->q, max, BATCH_BYTES, &r);

	*items = r.items;
	if (rc)
		return mmq_fail(&p->q, rc, "pop", "nothing taken");
	if (!r.items)
		return 0;
	print_range(p, &r);
	until = p->printed ? written_until(p, &r, out_taken() - before) : r.to;
	rc = q_finish(&p->q, &r, until);
	if (rc)
		return mmq_fail(&p->q, rc, "pop", "the items were written but may come again");
	return p->printed ? stopped(p) : 0;
}

static int
pop(struct pop *p)
{
	uint64_t got = 0, total = 0, max = p->o->max;
	int status;

	if (p->o->all) {
		static struct q_snapshot snap;
		int rc = q_snapshot(&p->q, &snap);

		if (rc)
			return mmq_fail(&p->q, rc, "pop", "nothing taken");
		max = snap.s.ready;
	}
	if (!max && !p->o->all)
		return 0; /* -n 0: as asked */
	do {
		status = total < max ? batch(p, max - total, &got) : 0;
		mmq_tell_recovery(&p->q);
		total += got;
	} while (!status && got && total < max);
	if (status)
		return status;
	return total ? mmq_sync(&p->q, &p->o->common, "the items were written, but may come again after a power cut")
		     : EXIT_NO;
}

int
cmd_pop(int argc, char **argv)
{
	struct mmq_items o;
	struct pop p = { .o = &o };
	int status;

	status = mmq_parse_items(&o, argc, argv, &text);
	if (status)
		return status;
	status = mmq_open(&p.q, o.file, true, false, &o.common);
	if (status)
		return status;
	p.was_ignoring = signal(SIGPIPE, SIG_IGN) == SIG_IGN;
	return pop(&p);
}
