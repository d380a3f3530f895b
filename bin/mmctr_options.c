/* Options and operands that verbs of mmctr share. */
#include "mmctr.h"
#include "num.h"

#include <string.h>

enum { KEY_INT64 = 0x400, KEY_WRAP, KEY_SATURATE, KEY_LIMIT };

void
ctr_children(struct argp_state *state, size_t n)
{
	for (size_t i = 0; i < n; i++)
		state->child_inputs[i] = state->input;
}

/* "LO:HI"; an empty side is no limit. */
static void
parse_limit(const struct argp_state *state, const char *arg, struct ctr_op *op)
{
	const char *colon = strchr(arg, ':');
	char lo[32];

	op->limited = true;
	op->lo = INT64_MIN;
	op->hi = INT64_MAX;
	if (!colon || (size_t)(colon - arg) >= sizeof(lo)) {
		argp_error(state, "limit '%s': LO:HI is wanted", arg);
		return; /* not reached */
	}
	memcpy(lo, arg, (size_t)(colon - arg));
	lo[colon - arg] = '\0';
	if (*lo)
		cli_check_number(state, num_i64(lo, &op->lo), "limit", lo);
	if (colon[1])
		cli_check_number(state, num_i64(colon + 1, &op->hi), "limit", colon + 1);
	if (op->lo > op->hi)
		argp_error(state, "limit '%s': the lower is above the upper", arg);
}

static error_t
parse_update(int key, char *arg, struct argp_state *state)
{
	struct ctr_cmd *cmd = state->input;

	switch (key) {
	case 'o':
		cmd->old = true;
		return 0;
	case KEY_WRAP:
		cmd->op.overflow = CTR_WRAP;
		return 0;
	case KEY_SATURATE:
		cmd->op.overflow = CTR_SATURATE;
		return 0;
	case KEY_LIMIT:
		parse_limit(state, cli_word(arg), &cmd->op);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t
parse_json(int key, char *arg, struct argp_state *state)
{
	struct ctr_cmd *cmd = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &cmd->common;
		return 0;
	case KEY_INT64:
		if (strcmp(arg, "string") && strcmp(arg, "number"))
			argp_error(state, "int64 '%s': 'string' or 'number' is wanted", arg);
		cmd->int64_string = !strcmp(arg, "string");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t
parse_operands(int key, char *arg, struct argp_state *state)
{
	struct ctr_cmd *cmd = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &cmd->common;
		return 0;
	case ARGP_KEY_ARGS:
		cmd->file = cli_word(state->argv[state->next]);
		cmd->args = state->argv + state->next + 1;
		cmd->nargs = state->argc - state->next - 1;
		for (int i = 0; i < cmd->nargs; i++)
			cmd->args[i] = cli_word(cmd->args[i]);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option update_options[] = {
	{ "old", 'o', NULL, 0, "Print the value before", 0 },
	{ "wrap", KEY_WRAP, NULL, 0, "On overflow go on from the other end", 0 },
	{ "saturate", KEY_SATURATE, NULL, 0, "On overflow stop at the greatest or least value", 0 },
	{ "limit", KEY_LIMIT, "LO:HI", 0, "Refuse with exit 1 what would lie outside", 0 },
	{ 0 },
};

static const struct argp_option json_options[] = {
	{ "int64", KEY_INT64, "string", 0, "JSON: integers beyond 2^53 as strings", 91 },
	{ 0 },
};

static const struct argp_child json_children[] = { { &cli_json_argp, 0, NULL, 0 }, { 0 } };
static const struct argp_child store_children[] = { { &cli_store_argp, 0, NULL, 0 }, { 0 } };

const struct argp ctr_update_argp = { .options = update_options, .parser = parse_update };
const struct argp ctr_json_argp = { .options = json_options, .parser = parse_json, .children = json_children };
const struct argp ctr_operands_argp = { .parser = parse_operands, .children = store_children };
