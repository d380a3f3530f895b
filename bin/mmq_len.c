/* mmq len FILE: the number of ready items. Takes no lock. */
#include "mmq.h"
#include "out.h"

struct options {
	struct cli_common common;
	const char *file;
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	if (key == ARGP_KEY_INIT) {
		state->child_inputs[0] = &o->common;
		return 0;
	}
	return mmq_parse_file(key, arg, state, &o->file);
}

static const struct argp_child children[] = { { &cli_store_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Print the number of items that a pop would find.",
	.children = children,
};

int
cmd_len(int argc, char **argv)
{
	struct options o = { .common = CLI_COMMON };
	static struct q_snapshot snap;
	struct queue q;
	int rc;

	cli_parse(&argp, argc, argv, 0, &o);
	rc = mmq_open(&q, o.file, false, false, &o.common);
	if (rc)
		return rc;
	rc = q_snapshot(&q, &snap);
	if (rc)
		return mmq_fail(&q, rc, "read", NULL);
	if (o.common.quiet)
		return 0;
	rc = out_u64(snap.s.ready);
	return cli_stdout(rc ? rc : out_write("\n", 1), NULL);
}
