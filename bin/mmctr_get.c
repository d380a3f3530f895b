/* mmctr get: print values. All are read before one is printed: any absent, and nothing is. */
#include "mmctr.h"
#include "num.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct ctr_cmd cmd;
	bool have_default;
	int64_t def;
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->cmd;
		state->child_inputs[1] = &o->cmd;
		return 0;
	case 'd':
		arg = cli_word(arg);
		cli_check_number(state, num_bits(arg, &o->def), "default", arg);
		o->have_default = true;
		return 0;
	case 'x':
		o->cmd.hex = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "default", 'd', "N", 0, "Value of an absent counter", 0 },
	{ "hex", 'x', NULL, 0, "Print the bit pattern, 0x...", 0 },
	{ 0 },
};
static const struct argp_child children[] = { { &ctr_operands_argp, 0, NULL, 0 }, { &ctr_json_argp, 0, NULL, 0 },
	{ 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE NAME...",
	.doc = "Print the value of each NAME, one a line. Exit 1 and print nothing when any is absent.",
	.children = children,
};

static int
read_all(struct ctr *c, const struct options *o, int64_t *values)
{
	for (int i = 0; i < o->cmd.nargs; i++) {
		const char *name = o->cmd.args[i];
		int rc = ctr_get(c, name, strlen(name), &values[i]);

		if (rc == CTR_NO && o->have_default) {
			values[i] = o->def;
			rc = 0;
		}
		if (rc)
			return rc == CTR_NO ? EXIT_NO : ctr_fail(c, &o->cmd, rc, "read", name);
	}
	return EX_OK;
}

int
cmd_get(int argc, char **argv)
{
	struct options o = { .cmd = CTR_CMD };
	int64_t few[8], *values = few;
	struct ctr c;
	int status;

	cli_parse_numbers(&argp, argc, argv, 0, &o);
	status = ctr_expect(&o.cmd, argv[0], 1, -1, "NAME");
	for (int i = 0; !status && i < o.cmd.nargs; i++)
		status = ctr_name(&o.cmd, o.cmd.args[i]);
	if (!status)
		status = ctr_begin(&c, &o.cmd, CTR_RDONLY);
	if (status)
		return status;
	if (o.cmd.nargs > (int)(sizeof(few) / sizeof(few[0])))
		values = calloc((size_t)o.cmd.nargs, sizeof(*values));
	if (!values)
		return cli_fail(o.cmd.file, -ENOMEM, NULL, "read", NULL);
	status = read_all(&c, &o, values);
	for (int i = 0; !status && i < o.cmd.nargs; i++)
		if (ctr_print(&o.cmd, o.cmd.args[i], values[i]))
			break; /* cli_main() reports it */
	if (values != few)
		free(values);
	return status;
}
