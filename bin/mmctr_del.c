/* mmctr del: remove counters. Each removal is atomic by itself; those that exist go even when others do not. */
#include "mmctr.h"

#include <string.h>

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key == ARGP_KEY_INIT) {
		state->child_inputs[0] = state->input;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = { { &ctr_operands_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.parser = parse,
	.args_doc = "FILE NAME...",
	.doc = "Remove each NAME. Exit 1 when any was absent; the others are removed.",
	.children = children,
};

int
cmd_del(int argc, char **argv)
{
	struct ctr_cmd cmd = CTR_CMD;
	struct ctr c;
	int status;

	cli_parse(&argp, argc, argv, 0, &cmd);
	status = ctr_expect(&cmd, argv[0], 1, -1, "NAME");
	for (int i = 0; !status && i < cmd.nargs; i++)
		status = ctr_name(&cmd, cmd.args[i]);
	if (!status)
		status = ctr_begin(&c, &cmd, CTR_RW);
	if (status)
		return status;
	for (int i = 0; i < cmd.nargs; i++) {
		int rc = ctr_del(&c, cmd.args[i], strlen(cmd.args[i]));

		if (rc < 0)
			return ctr_fail(&c, &cmd, rc, "delete", cmd.args[i]);
		if (rc == CTR_NO)
			status = EXIT_NO;
	}
	return ctr_done(&c, &cmd, status);
}
