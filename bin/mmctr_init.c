/* mmctr init: create a counters file, 1 when there is one. */
#include "mmctr.h"

#include <errno.h>

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key == ARGP_KEY_INIT) {
		struct ctr_cmd *cmd = state->input;

		state->child_inputs[0] = cmd;
		state->child_inputs[1] = &cmd->common;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = { { &ctr_operands_argp, 0, NULL, 0 }, { &cli_create_argp, 0, NULL, 0 },
	{ 0 } };
static const struct argp argp = {
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Create FILE for counters. Exit 1 when it is a counters file already; it is then unchanged.",
	.children = children,
};

int
cmd_init(int argc, char **argv)
{
	struct ctr_cmd cmd = CTR_CMD;
	struct ctr_how how;
	struct ctr c;
	int rc, status;

	cli_parse(&argp, argc, argv, 0, &cmd);
	status = ctr_expect(&cmd, argv[0], 0, 0, "FILE");
	if (status)
		return status;
	how = (struct ctr_how){ .mode = cmd.common.mode, .lock_timeout = cmd.common.lock_timeout };
	/* An existing file of another kind is refused by the opening, untouched. */
	rc = ctr_open(&c, cmd.file, &how);
	if (!rc)
		return EXIT_NO;
	how.flags = CTR_RW | (cmd.common.sync ? CTR_SYNC : 0);
	if (rc == -ENOENT && !cmd.common.no_create) {
		rc = ctr_create(&c, cmd.file, &how);
		if (rc == -EEXIST)
			return cmd_init(argc, argv); /* somebody else was faster: what did he make? */
	}
	return rc ? cli_fail(cmd.file, rc, &c.map.at, "create", "nothing changed") : EX_OK;
}
