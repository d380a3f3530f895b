/*
 * mmq peek FILE: print the oldest items without taking them. Takes no lock: an item that is popped while it is read fails
 * its check, and the reader looks again where the queue begins now.
 */
#include "mmq.h"
#include "out.h"

#include <errno.h>

static const struct mmq_items_text text = {
	.doc = "Print the oldest ready item and leave it in the queue; exit 1 when there is none.",
	.count = "Print up to N items",
	.all = "Print all ready items",
};

struct peek {
	struct mmq_items *o;
	struct queue q;
	struct q_snapshot snap;
	uint64_t seen;  /* positions below it were printed or passed */
	uint64_t count; /* printed */
};

/* Prints one ready range from p->seen on. -EAGAIN: it changed meanwhile. */
static int
peek_range(struct peek *p, uint64_t from, uint64_t to, uint64_t max)
{
	struct q_state now;
	struct q_item item;
	int rc;

	for (uint64_t at = from > p->seen ? from : p->seen; at < to && p->count < max; at = item.end) {
		rc = q_record(&p->q, &p->snap.s, at, to, &item);
		if (!rc && item.kind == Q_ITEM)
			rc = q_verify(&p->q, &p->snap.s, &item);
		if (rc)
			/* Damage, unless the queue has moved on: then what was read is a torn view. */
			return !q_load(&p->q, &now) && now.seq != p->snap.s.seq ? -EAGAIN : rc;
		if (item.kind == Q_ITEM) {
			rc = p->o->common.quiet ? 0 : mmq_print(&p->q, &p->snap.s, &item, p->o->frame, p->o->single);
			if (rc)
				return rc;
			p->count++;
		}
		p->seen = item.end;
	}
	return 0;
}

static int
peek(struct peek *p, uint64_t max)
{
	uint64_t before;
	int rc, idle = 0;

	do {
		before = p->seen;
		rc = q_snapshot(&p->q, &p->snap);
		for (unsigned i = 0; !rc && i < p->snap.n && p->count < max; i++)
			rc = peek_range(p, p->snap.ready[i].from, p->snap.ready[i].to, max);
		idle = p->seen == before ? idle + 1 : 0;
	} while (rc == -EAGAIN && idle < 10000); /* others pop faster than we can look: 75 */
	return rc;
}

int
cmd_peek(int argc, char **argv)
{
	struct mmq_items o;
	struct peek p = { .o = &o };
	int rc, status;

	status = mmq_parse_items(&o, argc, argv, &text);
	if (status)
		return status;
	status = mmq_open(&p.q, o.file, false, false, &o.common);
	if (status)
		return status;
	rc = peek(&p, o.all ? UINT64_MAX : o.max);
	if (rc == -ERR_FRAME)
		return cli_fail(o.file, rc, NULL, "peek", "the next item holds the byte that ends items: use --frame=len");
	if (out_flush()) /* its error sticks: was it that? */
		return cli_stdout(out_flush(), "unchanged");
	if (rc)
		return mmq_fail(&p.q, rc, "peek", "unchanged");
	return p.count ? 0 : EXIT_NO;
}
