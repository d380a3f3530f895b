/* mmctr inc and dec: add and subtract, print the new value. The one-shot hot path of the toolkit. */
#include "mmctr.h"
#include "num.h"

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct ctr_cmd *cmd = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		ctr_children(state, 3);
		state->child_inputs[3] = &cmd->common;
		return 0;
	case 'x':
		cmd->hex = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "hex", 'x', NULL, 0, "Print the bit pattern, 0x...", 0 },
	{ 0 },
};
static const struct argp_child children[] = { { &ctr_operands_argp, 0, NULL, 0 }, { &ctr_update_argp, 0, NULL, 0 },
	{ &ctr_json_argp, 0, NULL, 0 }, { &cli_create_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE NAME [N]",
	.doc = "Add N (default 1) to counter NAME, or with dec subtract it, and print the new value. "
	       "An absent counter starts at 0; a missing FILE is created. Exit 65 and no change on overflow.",
	.children = children,
};

static int
run(int argc, char **argv, enum ctr_op_kind kind, const char *doing)
{
	struct ctr_cmd cmd = CTR_CMD;
	int rc, status;

	cli_parse_numbers(&argp, argc, argv, 0, &cmd);
	status = ctr_expect(&cmd, argv[0], 1, 2, "NAME");
	if (status)
		return status;
	cmd.op.kind = kind;
	cmd.op.operand = 1;
	rc = cmd.nargs > 1 ? num_i64(cmd.args[1], &cmd.op.operand) : 0;
	if (rc)
		return cli_usage(argv[0], "'%s': %s", cmd.args[1], err_text(rc));
	return ctr_run_update(&cmd, doing, cmd.args[0], true);
}

int
cmd_inc(int argc, char **argv)
{
	return run(argc, argv, CTR_ADD, "increment");
}

int
cmd_dec(int argc, char **argv)
{
	return run(argc, argv, CTR_SUB, "decrement");
}
