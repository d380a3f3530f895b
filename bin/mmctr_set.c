/* mmctr set: store a value, and what the counter is. */
#include "mmctr.h"
#include "num.h"

#include <string.h>

enum { KEY_TYPE = 0x500, KEY_HELP_TEXT };

struct options {
	struct ctr_cmd cmd;
	int type; /* enum ctr_type, -1 when not given */
	const char *help;
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->cmd;
		state->child_inputs[1] = &o->cmd.common;
		return 0;
	case KEY_TYPE:
		if (strcmp(arg, "counter") && strcmp(arg, "gauge"))
			argp_error(state, "type '%s': 'counter' or 'gauge' is wanted", arg);
		o->type = *arg == 'c' ? CTR_COUNTER : CTR_GAUGE;
		return 0;
	case KEY_HELP_TEXT:
		if (strlen(arg) > CTR_HELP_MAX)
			argp_error(state, "help text: longer than %d bytes", CTR_HELP_MAX);
		o->help = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "type", KEY_TYPE, "counter|gauge", 0, "What NAME is for Prometheus", 0 },
	{ "help-text", KEY_HELP_TEXT, "TEXT", 0, "Help text kept for Prometheus", 0 },
	{ 0 },
};
static const struct argp_child children[] = { { &ctr_operands_argp, 0, NULL, 0 }, { &cli_create_argp, 0, NULL, 0 },
	{ 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE NAME V",
	.doc = "Store V in counter NAME. V may be 0x and up to 16 hex digits, then it is the bit pattern. "
	       "A missing FILE is created.",
	.children = children,
};

static int
store(struct ctr *c, struct options *o, const char *name)
{
	int64_t old, new;
	int rc = ctr_update(c, name, strlen(name), &o->cmd.op, &old, &new);

	if (rc)
		return ctr_fail(c, &o->cmd, rc, "set", name);
	if (o->type < 0 && !o->help)
		return EX_OK;
	rc = ctr_describe(c, name, strlen(name), o->type, o->help, o->help ? strlen(o->help) : 0);
	if (rc < 0)
		return cli_fail(o->cmd.file, rc, &c->map.at, "describe", "the value is stored, the description is not");
	return EX_OK; /* CTR_NO: deleted meanwhile, after our set */
}

int
cmd_set(int argc, char **argv)
{
	struct options o = { .cmd = CTR_CMD, .type = -1 };
	struct ctr c;
	int rc, status;

	cli_parse_numbers(&argp, argc, argv, 0, &o);
	status = ctr_expect(&o.cmd, argv[0], 2, 2, o.cmd.nargs ? "V" : "NAME");
	if (status)
		return status;
	rc = num_bits(o.cmd.args[1], &o.cmd.op.operand);
	if (rc)
		return cli_usage(argv[0], "'%s': %s", o.cmd.args[1], err_text(rc));
	o.cmd.op.kind = CTR_SET;
	status = ctr_name(&o.cmd, o.cmd.args[0]);
	if (!status)
		status = ctr_begin(&c, &o.cmd, CTR_RW | CTR_CREATE);
	if (!status) {
		status = store(&c, &o, o.cmd.args[0]);
		if (!status)
			status = ctr_done(&c, &o.cmd, EX_OK);
	}
	return status;
}
